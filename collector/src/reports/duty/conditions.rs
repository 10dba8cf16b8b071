//! Whether one condition holds: yes, no, or open because nobody can say yet.

use jiff::Timestamp;

use super::{Missing, Situation};
use crate::incidents::Moment;
use crate::reports::answer::{Answer, AnswerStatus, Value};
use crate::reports::fields::Field;
use crate::reports::interview::{Said, said};
use crate::reports::profile::Condition;

/// Three-valued truth, ordered so that the least of several is their conjunction and the greatest their disjunction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not hold.
    No,
    /// Nobody can say yet.
    Open,
    /// It holds.
    Yes,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A condition as it was found.
pub(super) struct Found {
    pub(super) truth: Truth,
    /// What would decide on it.
    pub(super) asks: Option<Missing>,
    /// As of when the answer it follows from was given.
    pub(super) since: Option<Timestamp>,
}

/// Attacks among the kinds of field 8. A precursor is none yet.
const ATTACKS: &[&str] = &["ransomware", "unauthorised-access", "malware", "targeted-mail", "ddos"];

pub(super) fn holds(condition: Condition, series: &str, situation: &Situation<'_>) -> Found {
    match condition {
        Condition::Leak => threat(Field::DataLeak, situation),
        Condition::Care => threat(Field::CareHindered, situation),
        Condition::Unrecoverable => {
            let truth = match said(Field::Restorable, situation.answers) {
                Said::No | Said::Perhaps => Truth::Yes,
                Said::Yes => Truth::No,
                Said::Open => Truth::Open,
            };
            found(truth, Field::Restorable, situation)
        }
        Condition::Fault => fault(situation),
        Condition::Attack => kind(situation, |code| ATTACKS.contains(&code)),
        Condition::NoAttack => kind(situation, |code| !ATTACKS.contains(&code)),
        Condition::Suspicion => suspicion(situation),
        Condition::Encrypted => encrypted(situation),
        Condition::Ransomware => kind(situation, |code| code == "ransomware"),
        Condition::Ddos => kind(situation, |code| code == "ddos"),
        Condition::OtherAttack => kind(situation, |code| {
            ATTACKS.contains(&code) && !["ransomware", "ddos"].contains(&code)
        }),
        Condition::Requested => match situation.moments.recorded.get(&Moment::Requested) {
            Some(known) => Found { truth: Truth::Yes, asks: None, since: Some(known.at) },
            // Nobody has asked: that is no gap in what the institution knows.
            None => Found {
                truth: Truth::No,
                asks: Some(Missing::Moment(Moment::Requested)),
                since: None,
            },
        },
        Condition::Reported => {
            let since = situation.reported.get(series).copied();
            Found { truth: since.is_some().into(), asks: None, since }
        }
        Condition::Designated => chosen(Field::Designation, situation, |codes| {
            codes.iter().any(|code| code == "infrastructure")
        }),
        Condition::PeopleFrom500 => people(situation, 500),
        Condition::PeopleFrom1000 => people(situation, 1_000),
        Condition::PeopleBelow500 => {
            let from = people(situation, 500);
            let truth = match from.truth {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                Truth::Open => Truth::Open,
            };
            Found { truth, ..from }
        }
        Condition::Sensitive => chosen(Field::DataItems, situation, |codes| {
            let sensitive = ["history", "results", "sensitive", "my-number", "insurance"];
            codes.iter().any(|code| sensitive.contains(&code.as_str()))
        }),
    }
}

/// 有 and おそれ both reach the threshold.
fn threat(field: Field, situation: &Situation<'_>) -> Found {
    let truth = match said(field, situation.answers) {
        Said::Yes | Said::Perhaps => Truth::Yes,
        Said::No => Truth::No,
        Said::Open => Truth::Open,
    };
    found(truth, field, situation)
}

/// A service that is or was gone is a fault, and so are files an attack changed on a server.
fn fault(situation: &Situation<'_>) -> Found {
    let state = by(Field::ServiceState, situation);
    let gone = |answer: &Answer| {
        let codes = answer.value.chosen();
        codes
            .iter()
            .any(|code| ["stopped", "degraded", "restored"].contains(&code.as_str()))
    };
    if state.is_some_and(gone) {
        return found(Truth::Yes, Field::ServiceState, situation);
    }
    let harmed = ["ransomware", "malware"];
    let harm = |answer: &Answer| {
        answer
            .value
            .chosen()
            .iter()
            .any(|code| harmed.contains(&code.as_str()))
    };
    if by(Field::Kind, situation).is_some_and(harm) {
        return found(Truth::Yes, Field::Kind, situation);
    }
    let running = state.is_some_and(|answer| {
        is_by_person(answer) && answer.value.chosen().iter().any(|code| code == "running")
    });
    found(if running { Truth::No } else { Truth::Open }, Field::ServiceState, situation)
}

/// What the machine takes it for counts as yes with its evidence; only a person says that it is not so.
fn kind(situation: &Situation<'_>, fits: impl Fn(&str) -> bool) -> Found {
    let answer = by(Field::Kind, situation);
    let truth = match answer.map(|answer| (answer, answer.value.chosen())) {
        // A precursor, or something else, is not decided yet.
        Some((_, [code])) if ["precursor", "other"].contains(&code.as_str()) => Truth::Open,
        Some((answer, [code])) if is_by_person(answer) => fits(code).into(),
        Some((_, [code])) if code == "system-failure" => Truth::Open,
        Some((_, [code])) => fits(code).into(),
        Some(_) | None => Truth::Open,
    };
    found(truth, Field::Kind, situation)
}

/// An alert is a suspicion until a person says that it was no attack.
fn suspicion(situation: &Situation<'_>) -> Found {
    let attack = kind(situation, |code| ATTACKS.contains(&code));
    let truth = match attack.truth {
        Truth::No => Truth::No,
        Truth::Open | Truth::Yes => Truth::Yes,
    };
    Found { truth, asks: None, since: attack.since }
}

fn encrypted(situation: &Situation<'_>) -> Found {
    let family = by(Field::Family, situation).filter(|answer| is_by_person(answer));
    if let Some(answer) = family.filter(|answer| !answer.value.chosen().is_empty()) {
        let encrypts = answer.value.chosen().iter().any(|code| code == "encrypts");
        return found(encrypts.into(), Field::Family, situation);
    }
    kind(situation, |code| code == "ransomware")
}

fn chosen(field: Field, situation: &Situation<'_>, fits: impl Fn(&[String]) -> bool) -> Found {
    let codes = by(field, situation).map(|answer| answer.value.chosen());
    let truth = match codes {
        Some(codes) if !codes.is_empty() => fits(codes).into(),
        Some(_) | None => Truth::Open,
    };
    found(truth, field, situation)
}

fn people(situation: &Situation<'_>, least: u64) -> Found {
    let value = by(Field::Persons, situation).map(|answer| &answer.value);
    let truth = match value {
        Some(Value::People { confirmed: Some(count), .. }) if least <= *count => Truth::Yes,
        Some(Value::People { maximum: Some(count), .. }) if *count < least => Truth::No,
        Some(_) | None => Truth::Open,
    };
    found(truth, Field::Persons, situation)
}

/// The answer, unless it is 不明.
fn by<'a>(field: Field, situation: &Situation<'a>) -> Option<&'a Answer> {
    situation
        .answers
        .get(&field)
        .filter(|answer| answer.status != AnswerStatus::Unknown)
}

const fn is_by_person(answer: &Answer) -> bool {
    answer.source.user().is_some()
}

fn found(truth: Truth, field: Field, situation: &Situation<'_>) -> Found {
    let since = situation.answers.get(&field).map(|answer| answer.as_of);
    match truth {
        Truth::Open => Found { truth, asks: Some(Missing::Answer(field)), since: None },
        Truth::Yes | Truth::No => Found { truth, asks: None, since },
    }
}
