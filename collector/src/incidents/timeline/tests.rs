//! What a timeline tells, in which order.

use crate::incidents::{EmergencyStep, StepOutcome};
use jiff::SignedDuration;
use shirase_shared::ids::UserId;
use uuid::Uuid;

use super::*;
use crate::correlate::fixtures::{at, facility, names, scene};
use crate::correlate::{Rule, correlate};
use crate::incidents::Status;
use crate::locale::{Lang, Locale};

fn person() -> UserId {
    UserId::from_uuid(Uuid::from_u128(5))
}

fn incident(night: &str) -> Incident {
    let conclusions = correlate(&scene(night));
    Incident {
        facility: facility(),
        id: IncidentId::from_uuid(Uuid::from_u128(1)),
        number: 1,
        status: Status::Open,
        severity: Severity::High,
        rule: Rule::MassChange,
        drill: None,
        first_at: at(0),
        opened_at: at(2),
        updated_at: at(2),
        merged_into: None,
        conclusions,
    }
}

fn entry(number: u64, seconds: i64, who: Option<UserId>, what: Entry) -> StoredEntry {
    let incident = IncidentId::from_uuid(Uuid::from_u128(1));
    StoredEntry { incident, entry: number, at: at(seconds), who, what }
}

#[test]
fn records_conclusions_and_peoples_acts_stand_in_one_line_of_time() {
    let night = "0 share1 change a 300 high .x\n60 share1 down smb o\n-90 misc1 stopping";
    let mut records = scene(night).records;
    let incident = incident(night);
    // The host's clock is two minutes behind; the collector knows.
    for record in &mut records {
        record.detected_at = record
            .detected_at
            .map(|at| at - SignedDuration::from_mins(2));
    }
    let change = incident
        .conclusions
        .iter()
        .find(|c| c.rule == Rule::MassChange)
        .unwrap();
    let call = Entry::VendorCalled {
        whom: "知多システム保守 佐藤".to_owned(),
        number: "0569-00-0000".to_owned(),
        called_at: at(300),
    };
    let entries = vec![
        entry(4, 360, Some(person()), call),
        entry(1, 2, None, Entry::Opened { rule: Rule::MassChange, severity: Severity::High }),
        entry(
            2,
            2,
            None,
            Entry::Concluded {
                natural_key: change.natural_key.clone(),
                rule: change.rule,
                severity: change.severity,
            },
        ),
        entry(3, 120, Some(person()), Entry::Acknowledged),
    ];
    let told = timeline(&incident, &records, &entries);
    let say = |item: &TimelineItem| item.text.say(Locale::new(Lang::Ja), &names());
    let lines: Vec<String> = told.iter().map(say).collect();
    assert_eq!(
        lines,
        [
            "「share」の変更が300個に増加".to_owned(),
            "インシデントを登録：ファイルの大量変更".to_owned(),
            "判定：ファイルの大量変更".to_owned(),
            "「smb」が停止".to_owned(),
            "対応を開始".to_owned(),
            "保守会社へ連絡：知多システム保守 佐藤（0569-00-0000）2026-02-09 01:55:00 JST"
                .to_owned(),
        ]
    );
    assert_eq!(told[0].host_time, Some(at(-120)));
    assert_eq!(told[0].at, at(0));
    assert_eq!(told[3].severity, Some(Severity::Medium));
    let why = told[2]
        .why
        .as_ref()
        .unwrap()
        .say(Locale::new(Lang::En), &names());
    assert!(why.starts_with("On share1, root \"share\", 300 files"), "{why}");
    assert_eq!(told[5].who, Some(person()));

    let mut shuffled = records.clone();
    shuffled.reverse();
    shuffled.extend(records);
    assert_eq!(timeline(&incident, &shuffled, &entries), told);
}

#[test]
fn every_entry_has_words_in_both_languages() {
    let text = || "理由".to_owned();
    let natural_key = NaturalKey::new("mass_change/x");
    let other = IncidentId::from_uuid(Uuid::from_u128(2));
    let (rule, severity) = (Rule::Fork, Severity::Low);
    let entries = [
        Entry::Opened { rule, severity },
        Entry::Concluded { natural_key: natural_key.clone(), rule, severity },
        Entry::Grew { natural_key, rule, severity },
        Entry::Raised { from: Severity::Low, to: Severity::Critical, rule },
        Entry::TookIn { incident: other, number: 7 },
        Entry::BecamePart { incident: other, number: 7 },
        Entry::Acknowledged,
        Entry::Commented { text: text() },
        Entry::Closed { text: text() },
        Entry::FalseAlarm { reason: text() },
        Entry::Reopened { reason: text() },
        Entry::VendorCalled { whom: text(), number: text(), called_at: at(0) },
        Entry::StepTaken {
            step: EmergencyStep::BackupPath,
            outcome: StepOutcome::Done,
            at: at(0),
            text: text(),
        },
    ];
    for what in entries {
        let text = done(&what);
        for lang in [Lang::Ja, Lang::En] {
            let said = text.say(Locale::new(lang), &names());
            assert!(said != text.key && !said.contains('{'), "{said}");
        }
        let json = serde_json::to_string(&what).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), what);
    }
}
