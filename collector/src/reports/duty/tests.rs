//! The interview decides, and what nobody answered stays open.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::UserId;

use super::*;
use crate::incidents::Known;
use crate::reports::answer::{AnswerStatus, Revision, Source, Value};
use crate::reports::profile::ReportedBy;

#[test]
fn ransomware_with_hindered_care_and_a_feared_leak_calls_ministry_and_commission() {
    check(
        "kind=ransomware! state=stopped! leak=feared care=yes",
        "jp-common-2 jp-ipa jp-jpcert jp-ceptoar jp-mhlw-contact jp-police jp-ppc-final jp-ppc-preliminary jp-vendor",
        "",
    );
}

#[test]
fn encryption_alone_is_a_leak_only_when_the_data_cannot_be_restored() {
    let ppc = |answers: &str| standing(answers, "jp-ppc-preliminary");
    assert_eq!(ppc("kind=ransomware! leak=no restorable=yes"), Standing::NotNow);
    assert_eq!(ppc("kind=ransomware! leak=no restorable=no"), Standing::Applies);
    assert_eq!(ppc("kind=ransomware! leak=no restorable=partly"), Standing::Applies);
    assert_eq!(ppc("kind=ransomware! leak=no"), Standing::Open);
    assert_eq!(ppc("kind=system-failure leak=no restorable=no"), Standing::NotNow);
    let duty = of("kind=ransomware! leak=no", "jp-ppc-preliminary");
    assert_eq!(duty.missing, BTreeSet::from([Missing::Answer(Field::Restorable)]));
    assert_eq!(duty.reasons, BTreeSet::from([Condition::Encrypted]));
}

#[test]
fn before_anybody_answered_nothing_is_off_the_table() {
    let duty = of("kind=ransomware! state=stopped!", "jp-mhlw-contact");
    assert_eq!(duty.standing, Standing::Open);
    let asks = [Missing::Answer(Field::CareHindered), Missing::Answer(Field::DataLeak)];
    assert_eq!(duty.missing, BTreeSet::from(asks));
    assert!(duty.reasons.contains(&Condition::Attack) && duty.reasons.contains(&Condition::Fault));
}

#[test]
fn what_the_machine_suggests_about_leak_and_care_is_no_answer() {
    let suggested = "kind=ransomware! state=stopped! leak=yes! care=yes!";
    assert_eq!(standing(suggested, "jp-mhlw-contact"), Standing::Open);
}

#[test]
fn a_plain_outage_calls_nobody_once_a_person_said_that_it_is_no_attack() {
    let outage = "kind=system-failure! state=stopped! leak=no care=yes restorable=yes";
    assert_eq!(standing(outage, "jp-mhlw-contact"), Standing::Open, "only the machine thinks so");
    let said = "kind=system-failure state=stopped! leak=no care=yes restorable=yes";
    check(said, "jp-mhlw-fault", "");
    assert_eq!(standing(&said.replace("care=yes", "care=no"), "jp-mhlw-fault"), Standing::NotNow);
    assert_eq!(standing(outage, "jp-vendor"), Standing::Applies, "suspicion is enough");
    assert_eq!(standing(said, "jp-vendor"), Standing::NotNow);
    let duty = of(said, "jp-mhlw-contact");
    assert_eq!(duty.standing, Standing::NotNow);
    assert!(duty.reasons.contains(&Condition::Attack), "{duty:?}");
}

#[test]
fn a_leak_by_mistake_goes_to_the_commission_and_not_to_the_ministry() {
    let said = "kind=system-failure state=running leak=yes care=no restorable=yes";
    check(said, "jp-ppc-final jp-ppc-preliminary", "");
}

#[test]
fn the_municipality_is_answered_once_it_asked_and_follow_ups_come_after_the_first() {
    let mut moments = moments();
    let answers = answers("kind=ransomware!");
    let mut reported = BTreeMap::new();
    let profiles = Profiles::with_files(&[]).unwrap();
    let standing = |moments: &Moments, reported: &BTreeMap<String, Timestamp>, id: &str| {
        let now = at();
        let by = ReportedBy::Institution;
        let situation = Situation { answers: &answers, by, moments, reported, now };
        duty(profiles.profile(id).unwrap(), &situation).standing
    };
    assert_eq!(standing(&moments, &reported, "jp-local"), Standing::NotNow);
    assert_eq!(standing(&moments, &reported, "jp-mhlw-followup"), Standing::NotNow);
    moments
        .recorded
        .insert(Moment::Requested, Known { at: at(), by: None });
    reported.insert("jp-mhlw".to_owned(), at());
    assert_eq!(standing(&moments, &reported, "jp-local"), Standing::Applies);
    assert_eq!(standing(&moments, &reported, "jp-mhlw-followup"), Standing::Applies);
    assert_eq!(standing(&moments, &reported, "jp-cyber-act"), Standing::Off);
}

#[test]
fn the_judgement_dates_from_the_last_answer_it_follows_from() {
    let duty = of("kind=ransomware! state=stopped! leak=feared care=yes", "jp-mhlw-contact");
    assert_eq!(duty.since, Some(at()));
}

#[test]
fn every_condition_has_words_in_both_languages() {
    use crate::locale::{Lang, Locale};
    for condition in Condition::ALL {
        for (lang, holds) in
            [(Lang::Ja, true), (Lang::Ja, false), (Lang::En, true), (Lang::En, false)]
        {
            let key = condition.text_key(holds);
            assert_ne!(Locale::new(lang).text(&key), key);
        }
    }
}

/// Compares the profiles that apply, and those that are open.
#[track_caller]
fn check(said: &str, applies: &str, open: &str) {
    let (answers, moments, reported) = (answers(said), moments(), BTreeMap::new());
    let situation = Situation {
        answers: &answers,
        by: ReportedBy::Institution,
        moments: &moments,
        reported: &reported,
        now: at(),
    };
    let duties = duties(&Profiles::with_files(&[]).unwrap(), &situation);
    let of = |standing| {
        let found = duties.iter().filter(|duty| duty.standing == standing);
        found
            .map(|duty| duty.profile.clone())
            .collect::<BTreeSet<_>>()
    };
    let set = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(of(Standing::Applies), set(applies), "{said}");
    assert_eq!(of(Standing::Open), set(open), "{said}");
}

fn standing(said: &str, profile: &str) -> Standing {
    of(said, profile).standing
}

fn of(said: &str, profile: &str) -> Duty {
    let (answers, moments, reported) = (answers(said), moments(), BTreeMap::new());
    let situation = Situation {
        answers: &answers,
        by: ReportedBy::Institution,
        moments: &moments,
        reported: &reported,
        now: at(),
    };
    let profiles = Profiles::with_files(&[]).unwrap();
    duty(profiles.profile(profile).unwrap(), &situation)
}

/// Reads `field=code`; `!` marks what the machine said.
fn answers(said: &str) -> BTreeMap<Field, Answer> {
    let read = |part: &str| {
        let (name, code) = part.split_once('=').unwrap();
        let field = match name {
            "kind" => Field::Kind,
            "state" => Field::ServiceState,
            "leak" => Field::DataLeak,
            "care" => Field::CareHindered,
            "restorable" => Field::Restorable,
            other => panic!("{other}"),
        };
        let (code, source) = match code.strip_suffix('!') {
            Some(code) => (code, Source::Machine { records: Vec::new(), basis: "記録".to_owned() }),
            None => {
                let user = UserId::from_uuid(uuid::Uuid::from_u128(1));
                (code, Source::Person { user, name: "山田".to_owned(), basis: String::new() })
            }
        };
        let value = Value::Choices { chosen: vec![code.to_owned()], note: String::new() };
        field.check(&value).unwrap();
        let answer = Answer {
            value,
            status: AnswerStatus::Confirmed,
            source,
            as_of: at(),
            revision: Revision(1),
            reason: String::new(),
        };
        (field, answer)
    };
    said.split_whitespace().map(read).collect()
}

fn moments() -> Moments {
    Moments { alerted: at(), taken_up: None, recorded: BTreeMap::new() }
}

fn at() -> Timestamp {
    "2026-11-25T00:00:00Z".parse().unwrap()
}
