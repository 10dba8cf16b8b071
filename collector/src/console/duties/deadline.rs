//! Deadlines as pages show them: those of one incident, and the page of all of them.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, IncidentId, UserId};

use super::doubt_words;
use crate::console::frame::Frame;
use crate::console::ui::{Badge, Tone};
use crate::locale::{Locale, japan, japan_time};
use crate::reports::deadline::{Deadline, MetWith, State, Term};
use crate::reports::profile::RunsFrom;

/// One deadline.
pub struct DeadlineView {
    /// What is due.
    pub label: String,
    /// Limit, guide value or a word.
    pub kind: Badge,
    /// How it stands.
    pub state: Badge,
    /// Class of its row: a limit and a guide value look different.
    pub class: &'static str,
    /// Until when.
    pub due: String,
    /// How much time is left or gone.
    pub left: String,
    /// From when it runs, and who said so.
    pub from: String,
    /// That nobody confirmed the rule; empty if somebody did.
    pub doubt: String,
    /// Whether somebody still has to do something.
    pub open: bool,
}

impl DeadlineView {
    /// Shows a deadline at a moment.
    #[must_use]
    pub fn of(
        deadline: &Deadline,
        names: &BTreeMap<UserId, String>,
        now: Timestamp,
        locale: Locale,
    ) -> Self {
        let state = deadline.state(now);
        let (kind, class) = match deadline.term {
            Term::Limit(_) => {
                (Badge { tone: Tone::High, text: locale.text("term-limit") }, "limit")
            }
            Term::Guide(_) => (Badge { tone: Tone::Low, text: locale.text("term-guide") }, "guide"),
            Term::Promptly => {
                (Badge { tone: Tone::Quiet, text: locale.text("term-promptly") }, "promptly")
            }
        };
        Self {
            label: deadline.label.in_lang(locale.lang()).to_owned(),
            kind,
            state: state_badge(state, locale),
            class,
            due: due_words(deadline, locale),
            left: left_words(deadline, state, now, locale),
            from: from_words(deadline, names, locale),
            doubt: doubt_words(
                deadline.confidence,
                (&deadline.source_url, &deadline.last_verified.to_string()),
                locale,
            ),
            open: state.is_open(),
        }
    }
}

fn state_badge(state: State, locale: Locale) -> Badge {
    let (tone, key) = match state {
        State::Waiting => (Tone::Quiet, "deadline-waiting"),
        State::Running { warned_percent: 0 } => (Tone::Low, "deadline-running"),
        State::Running { .. } => (Tone::Medium, "deadline-near"),
        State::Promptly => (Tone::Medium, "deadline-promptly"),
        State::Missed => (Tone::Critical, "deadline-missed"),
        State::GuidePassed => (Tone::Medium, "deadline-guide-passed"),
        State::Met { late: false } => (Tone::Well, "deadline-met"),
        State::Met { late: true } => (Tone::Well, "deadline-met-late"),
    };
    Badge { tone, text: locale.text(key) }
}

fn due_words(deadline: &Deadline, locale: Locale) -> String {
    let Some(due) = deadline.due() else { return locale.text("deadline-no-number") };
    let mut words = match due.last_day {
        Some(day) => locale.text_with("deadline-until-day", &[("day", &day)]),
        None => locale.text_with("deadline-until", &[("time", &japan_time(due.at))]),
    };
    if let Some(from) = due.moved_from {
        words.push_str(&locale.text_with("deadline-moved", &[("day", &from)]));
    }
    if due.computed_holiday {
        words.push_str(&locale.text("deadline-computed-holiday"));
    }
    words
}

/// What met a deadline, and when.
fn met_words(deadline: &Deadline, met_at: Timestamp, locale: Locale) -> String {
    let time = japan_time(met_at);
    match &deadline.met_with {
        Some(MetWith::Delivery(handover)) => {
            let way = locale.text(&handover.way.label_key());
            let mut words = locale.text_with(
                "deadline-met-delivery",
                &[("time", &time), ("organisation", &handover.organisation), ("way", &way)],
            );
            if !handover.receipt.is_empty() {
                let receipt = [("receipt", &handover.receipt as &dyn std::fmt::Display)];
                words.push_str(&locale.text_with("deadline-met-receipt", &receipt));
            }
            words
        }
        Some(MetWith::VendorCalled) => locale.text_with("deadline-met-call", &[("time", &time)]),
        Some(MetWith::PersonsTold) => locale.text_with("deadline-met-told", &[("time", &time)]),
        None => locale.text_with("deadline-met-at", &[("time", &time)]),
    }
}

/// How much time is left, in the unit a person thinks in.
fn left_words(deadline: &Deadline, state: State, now: Timestamp, locale: Locale) -> String {
    if let Some(met_at) = deadline.met_at {
        return met_words(deadline, met_at, locale);
    }
    let (key, seconds) = match (state, deadline.due(), deadline.start) {
        (State::Running { .. }, Some(due), _) => {
            ("deadline-left", due.at.duration_since(now).as_secs())
        }
        (State::Missed | State::GuidePassed, Some(due), _) => {
            ("deadline-over", now.duration_since(due.at).as_secs())
        }
        (State::Promptly, _, Some(start)) => {
            ("deadline-since", now.duration_since(start.at).as_secs())
        }
        _ => return String::new(),
    };
    let hours = seconds.max(0) / 3600;
    let span = if 72 <= hours {
        locale.text_with("span-days", &[("days", &(hours / 24))])
    } else if 1 <= hours {
        locale.text_with("span-hours", &[("hours", &hours)])
    } else {
        locale.text_with("span-minutes", &[("minutes", &(seconds.max(0) / 60))])
    };
    locale.text_with(key, &[("span", &span)])
}

fn from_words(deadline: &Deadline, names: &BTreeMap<UserId, String>, locale: Locale) -> String {
    let key = match deadline.runs_from {
        RunsFrom::Suspected => "runs-from-suspected",
        RunsFrom::Aware => "runs-from-aware",
        RunsFrom::Judged => "runs-from-judged",
        RunsFrom::Requested => "runs-from-requested",
        RunsFrom::Reported => "runs-from-reported",
        RunsFrom::YearEnd => "runs-from-year-end",
    };
    let moment = locale.text(key);
    match deadline.start {
        None => locale.text_with("deadline-waits-for", &[("moment", &moment)]),
        Some(start) => {
            let time = japan_time(start.at);
            let who = start
                .by
                .and_then(|by| names.get(&by).cloned())
                .unwrap_or_default();
            let key = match (start.assumed, who.is_empty()) {
                (true, _) => "deadline-from-assumed",
                (false, true) => "deadline-from",
                (false, false) => "deadline-from-by",
            };
            locale.text_with(key, &[("moment", &moment), ("time", &time), ("who", &who)])
        }
    }
}

/// Deadlines of all incidents a person may see.
#[derive(Template)]
#[template(path = "deadlines.html")]
pub struct DeadlinesPage {
    /// What stands around it.
    pub f: Frame,
    /// The deadlines of this page, the most urgent first.
    pub rows: Vec<DeadlineRow>,
    /// How many there are on all pages.
    pub all: usize,
    /// The page after this one, if there is one.
    pub next: Option<usize>,
    /// Today in Japan.
    pub today: String,
}

/// One deadline with its incident.
pub struct DeadlineRow {
    /// Facility and its name.
    pub facility: (FacilityId, String),
    /// The incident, its number and what it is.
    pub incident: (IncidentId, u64, String),
    /// Whether it is an exercise.
    pub drill: bool,
    /// The deadline.
    pub deadline: DeadlineView,
}

/// Returns the day of a moment in Japan.
#[must_use]
pub fn today(now: Timestamp) -> String {
    japan().to_datetime(now).date().to_string()
}
