//! The emergency steps on the page of an incident: what was done, by whom, when, and what comes next.

use std::collections::BTreeMap;

use shirase_shared::ids::UserId;

use crate::incidents::{EmergencyStep, StepOutcome, StoredEntry, step_states};
use crate::locale::{Locale, japan_time, visible};

/// One step of the list.
pub struct StepRow {
    /// The name a form sends.
    pub code: &'static str,
    /// What is to be done.
    pub label: String,
    /// Whether it is dealt with: done, or not needed.
    pub dealt_with: bool,
    /// Whether it is the first that is not.
    pub next: bool,
    /// What became of it, when and by whom; empty while nobody said anything.
    pub said: String,
    /// How, or why not.
    pub text: String,
}

impl StepRow {
    /// Lists the steps in the order of the guideline.
    #[must_use]
    pub fn all(
        entries: &[StoredEntry],
        users: &BTreeMap<UserId, String>,
        locale: Locale,
    ) -> Vec<Self> {
        let states = step_states(entries);
        let dealt_with = |step: &EmergencyStep| {
            let outcome = states.get(step).map(|taken| taken.outcome);
            matches!(outcome, Some(StepOutcome::Done | StepOutcome::NotNeeded))
        };
        let next = EmergencyStep::ALL
            .into_iter()
            .find(|step| !dealt_with(step));
        let row = |step: EmergencyStep| {
            let taken = states.get(&step);
            let said = taken.map(|taken| {
                let outcome = locale.text(taken.outcome.label_key());
                let name = taken.by.and_then(|by| users.get(&by));
                let name = name.map(|name| visible(name)).unwrap_or_default();
                format!("{outcome} – {} {name}", japan_time(taken.at))
            });
            Self {
                code: step.as_str(),
                label: locale.text(step.label_key()),
                dealt_with: dealt_with(&step),
                next: next == Some(step),
                said: said.unwrap_or_default(),
                text: taken.map(|taken| visible(taken.text)).unwrap_or_default(),
            }
        };
        EmergencyStep::ALL.into_iter().map(row).collect()
    }
}

/// Returns what a person can say about a step, as form value and key of its label.
pub(super) fn outcomes() -> impl Iterator<Item = (&'static str, &'static str)> {
    StepOutcome::ALL
        .into_iter()
        .map(|outcome| (outcome.as_str(), outcome.label_key()))
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use shirase_shared::ids::IncidentId;

    use super::*;
    use crate::incidents::Entry;
    use crate::locale::Lang;

    fn at(minutes: i64) -> Timestamp {
        "2026-02-09T01:50:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
    }

    fn said(number: u64, step: EmergencyStep, outcome: StepOutcome) -> StoredEntry {
        StoredEntry {
            incident: IncidentId::from_uuid(uuid::Uuid::from_u128(1)),
            entry: number,
            at: at(10),
            who: Some(UserId::from_uuid(uuid::Uuid::from_u128(2))),
            what: Entry::StepTaken {
                step,
                outcome,
                at: at(5),
                text: "LANケーブルを\u{202e}抜いた".to_owned(),
            },
        }
    }

    /// Returns the steps as marks: `x` dealt with, `>` next, `.` open.
    fn marks(entries: &[StoredEntry]) -> String {
        let users =
            BTreeMap::from([(UserId::from_uuid(uuid::Uuid::from_u128(2)), "当直 次郎".to_owned())]);
        let rows = StepRow::all(entries, &users, Locale::new(Lang::Ja));
        let first = rows.first().unwrap();
        assert!(first.said.is_empty() || first.said.contains("10:55:00 JST 当直 次郎"));
        assert!(!first.text.contains('\u{202e}'), "a hidden character is shown");
        let mark = |row: &StepRow| match (row.dealt_with, row.next) {
            (true, _) => 'x',
            (false, true) => '>',
            (false, false) => '.',
        };
        rows.iter().map(mark).collect()
    }

    #[test]
    fn the_latest_word_counts_and_the_first_open_step_is_next() {
        use EmergencyStep::{BackupPath, OutsideLines, SegmentBorders};
        assert_eq!(marks(&[]), ">.....");
        let done = said(1, BackupPath, StepOutcome::Done);
        assert_eq!(marks(std::slice::from_ref(&done)), "x>....");
        let other = said(2, SegmentBorders, StepOutcome::NotNeeded);
        assert_eq!(marks(&[done.clone(), other.clone()]), "x>x...");
        let lines = said(3, OutsideLines, StepOutcome::Done);
        let open_again = said(4, BackupPath, StepOutcome::Undone);
        assert_eq!(marks(&[done, other, lines, open_again]), ">xx...");
    }
}
