//! Which duties an incident brings, and why: from the answers, the moments and the profiles, and from nothing else.
//!
//! ```text
//! answers + moments ─▶ each condition: yes / no / open ─▶ each profile: applies / open / not now / off
//!                                                             with the reasons and with what is still missing
//! ```
//!
//! Always holds:
//! - pure: no I/O and no clock;
//! - what nobody answered is open, never no: a duty disappears only because somebody said so;
//! - a duty nobody confirmed is shown with its doubt, not hidden.

mod conditions;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::answer::Answer;
use super::fields::Field;
use super::profile::{Condition, Obligation, Profile, Profiles, ReportedBy};
use crate::incidents::{Moment, Moments};

pub use conditions::Truth;
use conditions::holds;

/// Everything the duties depend on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The answers of the incident.
    pub answers: &'a BTreeMap<Field, Answer>,
    /// Who reports.
    pub by: ReportedBy,
    /// Its moments.
    pub moments: &'a Moments,
    /// When the first report of each series was delivered.
    pub reported: &'a BTreeMap<String, Timestamp>,
    /// The moment for which it is asked.
    pub now: Timestamp,
}

/// How far a duty applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It applies.
    Applies,
    /// That depends on what is not known yet.
    Open,
    /// It does not apply as things are.
    NotNow,
    /// The profile is switched off, or not in force on this day.
    Off,
}

impl Standing {
    /// Returns the name used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applies => "applies",
            Self::Open => "open",
            Self::NotNow => "not_now",
            Self::Off => "off",
        }
    }
}

/// What is still missing to decide on a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// An answer.
    Answer(Field),
    /// A moment.
    Moment(Moment),
}

/// One duty as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The profile that serves it.
    pub profile: String,
    /// How binding it is.
    pub obligation: Obligation,
    /// How far it applies.
    pub standing: Standing,
    /// Why: the conditions that hold where it applies or is open, those that do not where it does not apply.
    pub reasons: BTreeSet<Condition>,
    /// What would decide on it.
    pub missing: BTreeSet<Missing>,
    /// The latest of the answers it follows from: when it was judged to apply, if nobody recorded that moment.
    pub since: Option<Timestamp>,
}

/// Returns every duty, those that apply first, the binding ones before the others.
#[must_use]
pub fn duties(profiles: &Profiles, situation: &Situation<'_>) -> Vec<Duty> {
    let mut duties: Vec<Duty> = profiles
        .all()
        .filter(|profile| profile.body.by == situation.by)
        .map(|profile| duty(profile, situation))
        .collect();
    duties.sort_by(|a, b| {
        (a.standing, a.obligation, &a.profile).cmp(&(b.standing, b.obligation, &b.profile))
    });
    duties
}

/// Decides on one duty.
#[must_use]
pub fn duty(profile: &Profile, situation: &Situation<'_>) -> Duty {
    let body = &profile.body;
    let mut duty = Duty {
        profile: body.id.clone(),
        obligation: body.duty.obligation,
        standing: Standing::Off,
        reasons: BTreeSet::new(),
        missing: BTreeSet::new(),
        since: None,
    };
    if !body.enabled || !profile.is_valid(situation.now) {
        return duty;
    }
    let judged: Vec<Judged<'_>> = body
        .applies
        .any
        .iter()
        .map(|all| Judged::of(all, &body.series, situation))
        .collect();
    if judged.is_empty() {
        duty.standing = Standing::Applies;
        return duty;
    }
    let truth = judged
        .iter()
        .map(|group| group.truth)
        .max()
        .unwrap_or(Truth::No);
    duty.standing = match truth {
        Truth::Yes => Standing::Applies,
        Truth::Open => Standing::Open,
        Truth::No => Standing::NotNow,
    };
    for group in judged.iter().filter(|group| group.truth == truth) {
        let telling = match truth {
            Truth::Yes | Truth::Open => Truth::Yes,
            Truth::No => Truth::No,
        };
        let conditions = group.conditions.iter();
        let reasons = conditions
            .clone()
            .filter(|(_, found)| found.truth == telling);
        duty.reasons
            .extend(reasons.map(|(condition, _)| *condition));
        if truth == Truth::Open {
            let open = conditions.filter(|(_, found)| found.truth == Truth::Open);
            duty.missing
                .extend(open.filter_map(|(_, found)| found.asks));
        }
        if truth == Truth::Yes {
            let at = group
                .conditions
                .iter()
                .filter_map(|(_, found)| found.since)
                .max();
            duty.since = match (duty.since, at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    duty
}

/// Whether all of some conditions of a profile hold.
#[must_use]
pub fn all_hold(conditions: &[Condition], profile: &Profile, situation: &Situation<'_>) -> Truth {
    Judged::of(conditions, &profile.body.series, situation).truth
}

/// One group of conditions that have to hold together.
struct Judged<'a> {
    truth: Truth,
    conditions: Vec<(&'a Condition, conditions::Found)>,
}

impl<'a> Judged<'a> {
    fn of(all: &'a [Condition], series: &str, situation: &Situation<'_>) -> Self {
        let conditions: Vec<_> = all
            .iter()
            .map(|condition| (condition, holds(*condition, series, situation)))
            .collect();
        let truth = conditions.iter().map(|(_, found)| found.truth).min();
        Self { truth: truth.unwrap_or(Truth::Yes), conditions }
    }
}

#[cfg(test)]
mod tests;
