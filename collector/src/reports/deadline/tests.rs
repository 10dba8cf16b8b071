//! Worked examples of every counting rule, and what a deadline says at each moment.

use jiff::SignedDuration;

use super::*;
use crate::reports::profile::{Amount, Counting, Profiles};

/// Finds one rule of a built-in profile.
fn rule(profile: &str, id: &str) -> DeadlineRule {
    let profiles = Profiles::with_files(&[]).unwrap();
    let body = &profiles.profile(profile).unwrap().body;
    body.deadlines
        .iter()
        .find(|rule| rule.id == id)
        .unwrap()
        .clone()
}

/// Counts from a moment in Japan and shows the last one: a day where days are counted.
#[track_caller]
fn check(rule: &DeadlineRule, from: &str, expected: &str) {
    let start = crate::reports::text::read_form_time(from).unwrap();
    let due = counting::due(rule, start).unwrap();
    let mut shown = match due.last_day {
        Some(day) => day.to_string(),
        None => crate::reports::text::form_time(due.at),
    };
    if let Some(day) = due.moved_from {
        shown = format!("{shown} from {day}");
    }
    if due.computed_holiday {
        shown.push_str(" computed");
    }
    assert_eq!(shown, expected, "{from}");
}

#[test]
fn the_day_of_knowing_is_day_one_whatever_the_hour() {
    let guide = rule("jp-ppc-preliminary", "guide");
    assert_eq!((guide.amount(), guide.counting), (Some(Amount::Days(5)), Counting::FirstDayIsOne));
    check(&guide, "2026-02-09 00:01", "2026-02-13");
    check(&guide, "2026-02-09 23:59", "2026-02-13");
    // Okayama 2024: known on Sunday 19 May. Weekends count, and the guide value does not move.
    check(&guide, "2024-05-19 16:00", "2024-05-23");
    check(&guide, "2026-12-30 10:00", "2027-01-03");
}

#[test]
fn thirty_and_sixty_days_move_to_the_next_working_day() {
    let thirty = rule("jp-ppc-final", "no-attack");
    check(&thirty, "2026-02-09 01:50", "2026-03-10");
    // Day 30 is Saturday 31 January, then Sunday.
    check(&thirty, "2026-01-02 09:00", "2026-02-02 from 2026-01-31");
    // Day 30 is 29 December: offices open on 4 January.
    check(&thirty, "2026-11-30 09:00", "2027-01-04 from 2026-12-29");
    // Golden Week: day 30 is Saturday 2 May 2026, then three holidays and a substitute.
    check(&thirty, "2026-04-03 09:00", "2026-05-07 from 2026-05-02");
    let sixty = rule("jp-ppc-final", "attack");
    check(&sixty, "2026-02-09 01:50", "2026-04-09");
    // Osaka 2022: day 60 from 31 October is 29 December.
    check(&sixty, "2022-10-31 07:43", "2023-01-04 from 2022-12-29");
    // Day 60 is Saturday 19 September 2026; Respect for the Aged, a day between, and the computed equinox follow.
    check(&sixty, "2026-07-22 12:00", "2026-09-24 from 2026-09-19 computed");
    // Day 60 is 20 March 2026, the equinox, a Friday.
    check(&sixty, "2026-01-20 12:00", "2026-03-23 from 2026-03-20 computed");
}

#[test]
fn japans_day_begins_nine_hours_before_the_day_of_utc() {
    let guide = rule("jp-ppc-preliminary", "guide");
    let late: Timestamp = "2026-02-08T15:30:00Z".parse().unwrap();
    let due = counting::due(&guide, late).unwrap();
    assert_eq!(due.last_day.unwrap().to_string(), "2026-02-13", "it is 9 February in Japan");
    assert_eq!(due.at.to_string(), "2026-02-13T14:59:59Z");
}

#[test]
fn hours_days_and_months_abroad() {
    check(&rule("eu-nis2", "early-warning"), "2026-02-09 01:50", "2026-02-10 01:50:00");
    check(&rule("eu-nis2", "notification"), "2026-02-27 01:50", "2026-03-02 01:50:00");
    check(&rule("eu-nis2", "final"), "2027-01-31 10:00", "2027-02-28 10:00:00");
    check(&rule("us-hipaa", "individuals"), "2026-02-09 01:50", "2026-04-10 01:50:00");
    check(&rule("us-hipaa", "hhs-annual"), "2026-02-09 01:50", "2027-03-01");
    check(&rule("kr-pipa", "persons"), "2026-02-09 01:50", "2026-02-12 01:50:00");
}

#[test]
fn a_limit_is_missed_a_guide_value_only_passed_and_a_word_neither() {
    let from = crate::reports::text::read_form_time("2026-02-09 00:00").unwrap();
    let at = |days: i64| from + SignedDuration::from_hours(24 * days);
    let limit = made("jp-ppc-final", "attack", from);
    assert_eq!(limit.state(at(1)), State::Running { warned_percent: 0 });
    assert_eq!(limit.state(at(31)), State::Running { warned_percent: 50 });
    assert_eq!(limit.state(at(49)), State::Running { warned_percent: 80 });
    assert_eq!(limit.state(at(58)), State::Running { warned_percent: 95 });
    assert_eq!(limit.state(at(61)), State::Missed);
    assert_eq!(limit.state(at(400)), State::Missed, "nothing pauses it and nothing ends it");
    let guide = made("jp-ppc-preliminary", "guide", from);
    assert_eq!(guide.state(at(2)), State::Running { warned_percent: 40 }, "on day 3");
    assert_eq!(guide.state(at(6)), State::GuidePassed);
    let word = made("jp-mhlw-contact", "contact", from);
    assert_eq!((word.due(), word.state(at(9))), (None, State::Promptly));
    let met = Deadline { met_at: Some(at(61)), ..limit.clone() };
    assert_eq!(met.state(at(62)), State::Met { late: true });
    let met = Deadline { met_at: Some(at(5)), ..limit.clone() };
    assert_eq!(met.state(at(62)), State::Met { late: false });
    let waiting = Deadline { start: None, term: Term::Limit(None), ..limit };
    assert_eq!(waiting.state(at(400)), State::Waiting);
    let early = from - SignedDuration::from_hours(5);
    let state = made("eu-nis2", "early-warning", from).state(early);
    assert_eq!(state, State::Running { warned_percent: 0 }, "a clock before the moment");
}

fn made(profile: &str, id: &str, from: Timestamp) -> Deadline {
    let rule = rule(profile, id);
    let due = counting::due(&rule, from);
    Deadline {
        profile: profile.to_owned(),
        id: rule.id.clone(),
        label: rule.label.clone(),
        start: Some(Start { at: from, by: None, assumed: false }),
        runs_from: rule.runs_from,
        term: match rule.term {
            TermKind::Limit => Term::Limit(due),
            TermKind::Guide => Term::Guide(due),
            TermKind::Promptly => Term::Promptly,
        },
        met_at: None,
        met_with: None,
        warn_at_percent: rule.warn_at_percent,
        source_url: rule.source_url,
        last_verified: rule.last_verified,
        confidence: rule.confidence,
    }
}
