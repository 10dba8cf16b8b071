//! How much time each duty leaves: pure, in Japan's time, from recorded moments.
//!
//! ```text
//! duty + its profile's rules + moments ─▶ Deadline (from when, until when, met or not) ─ at a moment ─▶ State
//! ```
//!
//! How it is counted (tests hold worked examples):
//! - *Japan's time* is nine hours ahead of UTC all year.
//! - *First day is one*: the day of the moment is day 1, whatever the hour; weekends and holidays count; day `n` is the
//!   last day, and it ends at midnight. 30 days from 9 February end with 10 March.
//! - *Moves to a working day*: a last day that is a Saturday, a Sunday, a public holiday or one of 29 December to 3 January
//!   moves to the next day that is none of them.
//! - *Elapsed*: so many times 24 hours, or so many hours, from the moment.
//! - *Months*: the same day and hour so many months later, or that month's last day.
//! - *Year end*: so many days after 31 December of the year of the moment.
//!
//! Always holds:
//! - a limit is missed when it passed; a guide value (目安) is passed and never missed; a word without a number is neither;
//! - a report meets a deadline when it is delivered to the office it is for, not when it is approved;
//! - nothing pauses a deadline;
//! - while nobody recorded the moment it is counted from the earliest it can have been, and says so.

mod counting;
mod holidays;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use shirase_shared::ids::UserId;

use super::answer::{Answer, AnswerStatus};
use super::duty::{Duty, Situation, Standing, Truth, all_hold};
use super::fields::Field;
use super::profile::{Confidence, DeadlineRule, MetBy, Profile, RunsFrom, TermKind, Words};
use crate::deliver::Handover;
use crate::incidents::Moment;

pub use counting::{Due, last_moment};
pub use holidays::{Holiday, HolidayKind, holiday, is_working_day, next_working_day};

/// One deadline of one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The profile it belongs to.
    pub profile: String,
    /// Its name within the profile.
    pub id: String,
    /// What is due.
    pub label: Words,
    /// The moment it runs from; `None` while that has not come.
    pub start: Option<Start>,
    /// What waits for that moment, if it has not come.
    pub runs_from: RunsFrom,
    /// Until when.
    pub term: Term,
    /// When it was met.
    pub met_at: Option<Timestamp>,
    /// By what.
    pub met_with: Option<MetWith>,
    /// Shares of the time at which staff are warned, in per cent.
    pub warn_at_percent: Vec<u8>,
    /// Where the rule was read.
    pub source_url: String,
    /// When that was last checked.
    pub last_verified: Date,
    /// How sure the rule is.
    pub confidence: Confidence,
}

/// What met a deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetWith {
    /// A report that was delivered.
    Delivery(Handover),
    /// A recorded call to the maintenance company.
    VendorCalled,
    /// A person's answer that those concerned were told.
    PersonsTold,
}

/// The moment a deadline runs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// When.
    pub at: Timestamp,
    /// Who recorded it; `None` while it only follows from what was seen and done.
    pub by: Option<UserId>,
    /// Whether it is assumed, because nobody recorded it.
    pub assumed: bool,
}

/// Until when something is due. Three types, so that none is taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// A limit of the law; `None` while the moment it runs from has not come.
    Limit(Option<Due>),
    /// A guide value (目安); `None` the same way.
    Guide(Option<Due>),
    /// A word such as 速やかに.
    Promptly,
}

/// How a deadline stands at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The moment it runs from has not come.
    Waiting,
    /// There is time.
    Running {
        /// The highest share of the time that is gone and at which staff are warned, 0 before the first.
        warned_percent: u8,
    },
    /// It has no number: do it now.
    Promptly,
    /// A limit has passed without being met.
    Missed,
    /// A guide value has passed without being met.
    GuidePassed,
    /// It was met.
    Met {
        /// Whether the limit or the guide value had passed by then.
        late: bool,
    },
}

impl State {
    /// Returns the name used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running { .. } => "running",
            Self::Promptly => "promptly",
            Self::Missed => "missed",
            Self::GuidePassed => "guide_passed",
            Self::Met { .. } => "met",
        }
    }

    /// Whether somebody still has to do something about it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Running { .. } | Self::Promptly | Self::Missed | Self::GuidePassed => true,
            Self::Waiting | Self::Met { .. } => false,
        }
    }
}

impl Deadline {
    /// Returns its name among all deadlines of the incident, for example `jp-ppc-final/attack`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.profile, self.id)
    }

    /// Returns until when, where that has a number.
    #[must_use]
    pub const fn due(&self) -> Option<Due> {
        match self.term {
            Term::Limit(due) | Term::Guide(due) => due,
            Term::Promptly => None,
        }
    }

    /// Says how it stands.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        let due = self.due();
        if let Some(met_at) = self.met_at {
            return State::Met { late: due.is_some_and(|due| due.at < met_at) };
        }
        let Some(start) = self.start else { return State::Waiting };
        match (self.term, due) {
            (Term::Promptly, _) => State::Promptly,
            (Term::Limit(_), Some(due)) if due.at < now => State::Missed,
            (Term::Guide(_), Some(due)) if due.at < now => State::GuidePassed,
            (Term::Limit(_) | Term::Guide(_), Some(due)) => {
                State::Running { warned_percent: self.warned(start.at, due.at, now) }
            }
            (Term::Limit(_) | Term::Guide(_), None) => State::Waiting,
        }
    }

    fn warned(&self, start: Timestamp, due: Timestamp, now: Timestamp) -> u8 {
        let whole = due.duration_since(start).as_secs().max(1);
        let gone = now.duration_since(start).as_secs().clamp(0, whole);
        let percent = gone.saturating_mul(100) / whole;
        let reached = self.warn_at_percent.iter().copied();
        reached
            .filter(|share| i64::from(*share) <= percent)
            .max()
            .unwrap_or(0)
    }
}

/// What was done that can meet a deadline.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a> {
    /// The first delivery of a report that serves each profile.
    pub delivered: &'a BTreeMap<String, Handover>,
    /// The first delivery of a 確報 of each profile.
    pub finals: &'a BTreeMap<String, Handover>,
    /// When the maintenance company was first called.
    pub vendor_called: Option<Timestamp>,
}

/// Returns the deadlines of a duty: none unless it applies.
#[must_use]
pub fn deadlines(
    duty: &Duty,
    profile: &Profile,
    situation: &Situation<'_>,
    done: Done<'_>,
) -> Vec<Deadline> {
    if duty.standing != Standing::Applies {
        return Vec::new();
    }
    let rules = profile.body.deadlines.iter();
    rules
        .filter(|rule| all_hold(&rule.when, profile, situation) == Truth::Yes)
        .map(|rule| deadline(rule, (duty, profile), situation, done))
        .collect()
}

fn deadline(
    rule: &DeadlineRule,
    (duty, profile): (&Duty, &Profile),
    situation: &Situation<'_>,
    done: Done<'_>,
) -> Deadline {
    let start = start(rule.runs_from, (duty, profile), situation);
    let due = start.and_then(|start| counting::due(rule, start.at));
    let (met_at, met_with) = met(rule.met_by, &profile.body.id, situation, done).unzip();
    Deadline {
        profile: profile.body.id.clone(),
        id: rule.id.clone(),
        label: rule.label.clone(),
        start,
        runs_from: rule.runs_from,
        term: match rule.term {
            TermKind::Limit => Term::Limit(due),
            TermKind::Guide => Term::Guide(due),
            TermKind::Promptly => Term::Promptly,
        },
        met_at,
        met_with,
        warn_at_percent: rule.warn_at_percent.clone(),
        source_url: rule.source_url.clone(),
        last_verified: rule.last_verified,
        confidence: rule.confidence,
    }
}

fn met(
    by: MetBy,
    profile: &str,
    situation: &Situation<'_>,
    done: Done<'_>,
) -> Option<(Timestamp, MetWith)> {
    let delivered = |handover: &Handover| (handover.at, MetWith::Delivery(handover.clone()));
    match by {
        MetBy::Report => done.delivered.get(profile).map(delivered),
        MetBy::FinalReport => done.finals.get(profile).map(delivered),
        MetBy::VendorCalled => done.vendor_called.map(|at| (at, MetWith::VendorCalled)),
        MetBy::PersonsTold => told(situation.answers).map(|at| (at, MetWith::PersonsTold)),
    }
}

/// The people concerned were told once a person says so, confirmed and with a date.
fn told(answers: &BTreeMap<Field, Answer>) -> Option<Timestamp> {
    let answer = answers.get(&Field::NoticeToPersons)?;
    let confirmed = answer.status == AnswerStatus::Confirmed && answer.source.user().is_some();
    let super::answer::Value::Lines { lines } = &answer.value else { return None };
    lines
        .iter()
        .filter_map(|line| line.at)
        .min()
        .filter(|_| confirmed)
}

fn start(
    from: RunsFrom,
    (duty, profile): (&Duty, &Profile),
    situation: &Situation<'_>,
) -> Option<Start> {
    let recorded = |moment| {
        let known = situation.moments.known(moment)?;
        Some(Start { at: known.at, by: known.by, assumed: known.by.is_none() })
    };
    match from {
        RunsFrom::Suspected => recorded(Moment::Suspected),
        RunsFrom::Aware | RunsFrom::YearEnd => recorded(Moment::Aware),
        RunsFrom::Requested => recorded(Moment::Requested),
        // Nobody wrote the judgement down: it was made with the last of the answers the duty follows from.
        RunsFrom::Judged => recorded(Moment::Judged)
            .or_else(|| duty.since.map(|at| Start { at, by: None, assumed: false })),
        RunsFrom::Reported => {
            let at = situation.reported.get(&profile.body.series).copied()?;
            Some(Start { at, by: None, assumed: false })
        }
    }
}

#[cfg(test)]
mod tests;
