//! What may go and what has to stay, decided without a database.

use shirase_shared::event::Severity;
use shirase_shared::ids::{BurstId, Sequence, StreamId};

use super::*;
use crate::correlate::fixtures::{at, facility, host, scene};
use crate::correlate::{Conclusion, Rule, correlate};

const DAY: i64 = 86_400;

fn days(days: u32) -> RetentionConfig {
    RetentionConfig {
        events_days: days,
        incidents_days: days,
        manifests_days: days,
        database_max_mib: 0,
        manifests_max_mib: 0,
    }
}

/// An incident over what a night tells, last changed at its end.
fn incident(number: u64, status: Status, night: &str) -> Incident {
    let input = scene(night);
    let conclusions: Vec<Conclusion> = correlate(&input);
    Incident {
        facility: facility(),
        id: IncidentId::from_uuid(uuid::Uuid::from_u128(u128::from(number))),
        number,
        status,
        severity: Severity::High,
        rule: Rule::MassChange,
        drill: None,
        first_at: conclusions.iter().map(|c| c.first_at).min().unwrap(),
        opened_at: input.as_of,
        updated_at: input.as_of,
        merged_into: None,
        conclusions,
    }
}

fn manifest(burst: u128, day: i64, bytes: u64) -> ManifestSeen {
    ManifestSeen {
        facility: facility(),
        host: host("share1"),
        burst: BurstId::from_uuid(uuid::Uuid::from_u128(burst)),
        sha256: format!("{burst:064x}"),
        bytes,
        files: 1,
        received_at: at(day * DAY),
    }
}

const NIGHT: &str = "0 share1 change a 300 high .x";

#[test]
fn a_closed_incident_goes_with_its_time_and_an_open_one_never() {
    let of = |number, status| incident(number, status, NIGHT);
    let incidents = [
        of(1, Status::Closed),
        of(2, Status::Open),
        of(3, Status::FalseAlarm),
        of(4, Status::Closed),
    ];
    let gone = |day: i64| plan(&incidents, &[], &days(365), at(day * DAY)).incidents;
    assert_eq!(gone(365), []);
    let (first, third) = (incidents[0].id, incidents[2].id);
    // The fourth has the highest number: the next one counts on from it.
    assert_eq!(gone(366), [first, third]);
    assert_eq!(plan(&incidents, &[], &days(0), at(9999 * DAY)).incidents, []);
}

#[test]
fn a_part_stays_with_its_whole_and_what_would_come_again_stays() {
    let mut part = incident(1, Status::Merged, NIGHT);
    let whole = incident(2, Status::Open, NIGHT);
    part.merged_into = Some(whole.id);
    let silent = incident(3, Status::Closed, "0 ehr1 heard\n100 ehr2 heard");
    assert!(still_stands(&silent.conclusions[0].reason));
    let last = incident(4, Status::Closed, NIGHT);
    let mut all = [part, whole, silent, last];
    let now = at(999 * DAY);
    assert_eq!(plan(&all, &[], &days(365), now).incidents, []);
    all[1].status = Status::Closed;
    let gone = plan(&all, &[], &days(365), now).incidents;
    assert_eq!(gone, [all[0].id, all[1].id]);
}

#[test]
fn an_open_incident_holds_its_own_events_and_those_of_its_facility_since_a_week_before() {
    let open = incident(1, Status::Acknowledged, NIGHT);
    let key = *open.conclusions[0].records.first().unwrap();
    let now = at(999 * DAY);
    let held = plan(std::slice::from_ref(&open), &[], &days(365), now);
    let since = open.first_at - BEFORE_AN_OPEN_ONE;
    assert_eq!((held.events_before, held.pressed_before), (Some(since), since));
    assert!(held.kept.contains(&key));

    let closed = Incident { status: Status::Closed, ..open };
    let free = plan(std::slice::from_ref(&closed), &[], &days(365), now);
    assert_eq!(free.events_before, Some(at((999 - 365) * DAY)));
    assert_eq!(free.pressed_before, at((999 - 31) * DAY));
    assert!(free.kept.contains(&key), "it is the only one, so it stays, and its event with it");
    let other = RecordKey { host: key.host, stream: StreamId::random(), sequence: Sequence(1) };
    assert!(!free.kept.contains(&other));
}

#[test]
fn manifests_go_by_age_and_size_the_oldest_first_and_none_of_an_incident() {
    let open = incident(1, Status::Open, NIGHT);
    let burst = last_part(&open.conclusions[0].natural_key).unwrap();
    let own = BurstId::from_uuid(burst.parse().unwrap());
    let mut all =
        vec![manifest(1, 0, 40 * MIB), manifest(2, 300, 40 * MIB), manifest(3, 390, 40 * MIB)];
    all.push(ManifestSeen { burst: own, ..manifest(4, 0, 40 * MIB) });
    let gone = |config: &RetentionConfig| -> Vec<u128> {
        let plan = plan(std::slice::from_ref(&open), &all, config, at(400 * DAY));
        plan.manifests
            .iter()
            .map(|manifest| u128::from_str_radix(&manifest.sha256, 16).unwrap())
            .collect()
    };
    assert_eq!(gone(&days(365)), [1]);
    assert_eq!(gone(&days(0)), [] as [u128; 0]);
    let small = RetentionConfig { manifests_max_mib: 64, ..days(0) };
    // The third is younger than a month, the fourth an incident's.
    assert_eq!(gone(&small), [1, 2]);
}

#[test]
fn times_and_sizes_have_bounds_and_zero_means_for_ever() {
    assert_eq!(days(0).problems(), []);
    assert_eq!(RetentionConfig::default().problems(), []);
    let bad = RetentionConfig {
        events_days: 89,
        incidents_days: 36_526,
        database_max_mib: 63,
        ..RetentionConfig::default()
    };
    let keys: Vec<String> = bad
        .problems()
        .into_iter()
        .map(|problem| problem.key)
        .collect();
    let expected =
        ["retention.events_days", "retention.incidents_days", "retention.database_max_mib"];
    assert_eq!(keys, expected);
}
