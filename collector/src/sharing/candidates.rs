//! What an incident offers to be shared: a person ticks, the machine ticks nothing.
//!
//! Always holds: what does not have the form of an indicator is left out, never bent; an exercise's records are offered to
//! an exercise's product alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use shirase_shared::event::{Anomaly, BackupKind, Event, LogonKind, MassChange, ProtectionKind};

use super::{AttackKind, Indicator, IndicatorKind, Shared, Span, TechniqueId};
use crate::contacts::today;
use crate::incidents::Incident;
use crate::records::SeenRecord;
use crate::reports::answer::{Answer, Value};
use crate::reports::fields::Field;

/// Something that can be ticked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it is, and whether monitoring saw it.
    pub shared: Shared,
    /// How many files or attempts it stands for; 0 where nobody counted.
    pub count: u64,
}

/// What an incident offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// What kind of attack the sheet says it was.
    pub attack: AttackKind,
    /// When, rounded.
    pub span: Span,
    /// Indicators, in order and each once.
    pub indicators: Vec<Candidate>,
    /// Techniques that fit what was seen or answered.
    pub techniques: BTreeSet<TechniqueId>,
}

/// Returns what an incident offers, from its records and its answers.
#[must_use]
pub fn candidates(
    incident: &Incident,
    records: &[SeenRecord],
    answers: &BTreeMap<Field, Answer>,
) -> Candidates {
    let mut offered = Offered::default();
    let drill = incident.drill.is_some();
    let real = records.iter().filter(|one| one.drill.is_some() == drill);
    let mut last = today(incident.first_at);
    for record in real {
        if let Some(event) = &record.event {
            offered.event(event);
            last = last.max(today(record.corrected_at));
        }
    }
    offered.answers(answers);

    Candidates {
        attack: attack(answers),
        span: span(incident, last),
        indicators: offered
            .indicators
            .into_iter()
            .map(|(what, (seen, count))| Candidate { shared: Shared { what, seen }, count })
            .collect(),
        techniques: offered.techniques,
    }
}

fn span(incident: &Incident, last: Date) -> Span {
    Span::of(today(incident.first_at), last)
}

fn attack(answers: &BTreeMap<Field, Answer>) -> AttackKind {
    let chosen = choices(answers, Field::Kind);
    chosen
        .iter()
        .find_map(|code| AttackKind::parse(code))
        .unwrap_or(AttackKind::Other)
}

fn choices(answers: &BTreeMap<Field, Answer>, field: Field) -> &[String] {
    match answers.get(&field).map(|answer| &answer.value) {
        Some(Value::Choices { chosen, .. }) => chosen,
        Some(
            Value::Nothing
            | Value::Text { .. }
            | Value::Dated { .. }
            | Value::DateTime { .. }
            | Value::Number { .. }
            | Value::People { .. }
            | Value::Lines { .. }
            | Value::Systems { .. }
            | Value::Rows { .. }
            | Value::Round { .. }
            | Value::Flood { .. },
        )
        | None => &[],
    }
}

#[derive(Default)]
struct Offered {
    /// What, whether monitoring saw it, how often.
    indicators: BTreeMap<Indicator, (bool, u64)>,
    techniques: BTreeSet<TechniqueId>,
}

impl Offered {
    fn put(&mut self, (kind, text): (IndicatorKind, &str), seen: bool, count: u64) {
        if let Ok(what) = Indicator::new(kind, text) {
            let known = self.indicators.entry(what).or_default();
            known.0 |= seen;
            // Totals of one burst replace each other: the largest is the newest.
            known.1 = known.1.max(count);
        }
    }

    fn technique(&mut self, id: &str) {
        self.techniques.extend(TechniqueId::parse(id));
    }

    fn event(&mut self, event: &Event) {
        match &event.anomaly {
            Anomaly::MassChange(change) => self.change(change),
            Anomaly::Logon(logon) => {
                for source in &logon.sources {
                    self.put((IndicatorKind::Address, source), true, logon.count);
                }
                self.technique(match logon.what {
                    LogonKind::FailureBurst => "T1110",
                    LogonKind::SuccessAfterFailures => "T1078",
                    LogonKind::NewAdministrator => "T1098",
                    LogonKind::RemoteOutOfHours => "T1133",
                });
            }
            Anomaly::Protection(protection) => self.technique(match protection.what {
                ProtectionKind::LogTruncated | ProtectionKind::LogRemoved => "T1070",
                ProtectionKind::GuardStopped
                | ProtectionKind::GuardRemoved
                | ProtectionKind::OwnFilesTouched
                | ProtectionKind::OwnServiceTouched
                | ProtectionKind::OwnServiceKilled => "T1562.001",
            }),
            Anomaly::Backup(backup) => match backup.what {
                BackupKind::TreeHarmed | BackupKind::SnapshotsRemoved => self.technique("T1490"),
                BackupKind::JobOverdue => {}
            },
            Anomaly::Stops(_) => self.technique("T1489"),
            Anomaly::Outage(_)
            | Anomaly::Pressure(_)
            | Anomaly::Loss(_)
            | Anomaly::Print(_)
            | Anomaly::Agent(_) => {}
        }
    }

    fn change(&mut self, change: &MassChange) {
        for (suffix, count) in &change.suffixes {
            self.put((IndicatorKind::Suffix, suffix), true, *count);
        }
        for actor in &change.actors {
            self.put((IndicatorKind::Tool, &actor.program), true, actor.files);
            let client = actor.client.as_deref().unwrap_or_default();
            self.put((IndicatorKind::Address, client), true, actor.files);
        }
        let encrypted = change.suffix_appended
            + change.extension_lost
            + change.magic_lost
            + change.randomised
            + change.replaced;
        if 0 < encrypted {
            self.technique("T1486");
        }
        if encrypted < change.deleted + change.truncated {
            self.technique("T1485");
        }
    }

    fn answers(&mut self, answers: &BTreeMap<Field, Answer>) {
        if let Some(Value::Rows { rows }) = answers.get(&Field::Indicators).map(|one| &one.value) {
            for row in rows {
                let cell = |name: &str| row.get(name).map_or("", String::as_str);
                let kind = match cell("kind") {
                    "hash" => IndicatorKind::Hash,
                    "address" => IndicatorKind::Address,
                    "program" => IndicatorKind::Tool,
                    "suffix" => IndicatorKind::Suffix,
                    _ => continue,
                };
                self.put((kind, cell("value")), false, 0);
            }
        }
        if let Some(Value::Lines { lines }) = answers.get(&Field::Extensions).map(|one| &one.value)
        {
            for line in lines {
                self.put((IndicatorKind::Suffix, &line.label), false, 0);
            }
        }
        for code in choices(answers, Field::Entry) {
            if let Some(id) = entry_technique(code) {
                self.technique(id);
            }
        }
        if let Some(Value::Flood { flood }) = answers.get(&Field::Flood).map(|one| &one.value) {
            for code in &flood.kinds {
                // Sub-techniques of floods are told by their parent.
                self.technique(code.split('.').next().unwrap_or_default());
            }
        }
    }
}

fn entry_technique(code: &str) -> Option<&'static str> {
    match code {
        "vpn" | "maintenance-line" => Some("T1133"),
        "remote-desktop" => Some("T1021.001"),
        "contractor" => Some("T1199"),
        "mail" => Some("T1566"),
        "web" => Some("T1189"),
        "removable-media" => Some("T1091"),
        "vulnerability" => Some("T1190"),
        "stolen-password" => Some("T1078"),
        _ => None,
    }
}
