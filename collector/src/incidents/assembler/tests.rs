//! Which conclusions become one incident, and that the order of arrival changes nothing.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::correlate::fixtures::{at, facility, scene, show};
use crate::correlate::{Input, correlate};

/// The stored incidents, as the database would hold them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) incidents: Vec<Incident>,
}

impl Shelf {
    /// Runs rules and assembler once over what has arrived and carries the changes out.
    fn run(&mut self, input: &Input) -> Vec<Change> {
        let mut input = input.clone();
        let live = self
            .incidents
            .iter()
            .flat_map(|incident| incident.conclusions.clone());
        input.known = live.collect();
        let changes = assemble(&correlate(&input), &self.incidents, window());
        for change in &changes {
            self.carry_out(change);
        }
        changes
    }

    fn find(&mut self, id: IncidentId) -> &mut Incident {
        self.incidents
            .iter_mut()
            .find(|incident| incident.id == id)
            .expect("a stored incident")
    }

    fn carry_out(&mut self, change: &Change) {
        match change.clone() {
            Change::Open { incident, standing, drill, conclusions } => {
                assert!(self.incidents.iter().all(|known| known.id != incident), "opened twice");
                self.incidents.push(Incident {
                    facility: facility(),
                    id: incident,
                    number: u64::try_from(self.incidents.len()).unwrap() + 1,
                    status: Status::Open,
                    severity: standing.severity,
                    rule: standing.rule,
                    drill,
                    first_at: standing.first_at,
                    opened_at: at(0),
                    updated_at: at(0),
                    merged_into: None,
                    conclusions,
                });
            }
            Change::Attach { incident, conclusion } => {
                self.find(incident).conclusions.push(conclusion);
            }
            Change::Update { incident, conclusion, .. } => {
                let held = &mut self.find(incident).conclusions;
                let key = conclusion.natural_key.clone();
                *held
                    .iter_mut()
                    .find(|held| held.natural_key == key)
                    .unwrap() = conclusion;
            }
            Change::Restate { incident, to, .. } => {
                let incident = self.find(incident);
                (incident.rule, incident.severity) = (to.rule, to.severity);
                incident.first_at = to.first_at;
            }
            Change::Merge { from, into } => {
                let moved = std::mem::take(&mut self.find(from).conclusions);
                self.find(into).conclusions.extend(moved);
                self.find(from).status = Status::Merged;
                self.find(from).merged_into = Some(into);
            }
        }
    }

    /// The stories, whatever they are called: severity, rule and natural keys of each that is not merged.
    fn stories(&self) -> BTreeSet<String> {
        let live = self
            .incidents
            .iter()
            .filter(|incident| incident.status != Status::Merged);
        live.map(|incident| {
            let keys: BTreeMap<_, _> = incident
                .conclusions
                .iter()
                .map(|c| (&c.natural_key, c))
                .collect();
            format!(
                "{} {} {} {} {:?}",
                incident.status, incident.severity, incident.rule, incident.first_at, keys
            )
        })
        .collect()
    }

    /// The stories in few words, for literals.
    fn told(&self) -> String {
        let live = self
            .incidents
            .iter()
            .filter(|incident| incident.status != Status::Merged);
        let told = live.map(|incident| {
            let mut held: Vec<String> = incident.conclusions.iter().map(show).collect();
            held.sort();
            format!(
                "#{} {} {}: {}",
                incident.number,
                incident.status,
                incident.rule,
                held.join(", ")
            )
        });
        told.collect::<Vec<_>>().join(" | ")
    }
}

fn window() -> SignedDuration {
    SignedDuration::from_mins(30)
}

#[test]
fn what_one_host_suffers_at_one_time_is_one_story() {
    check(
        &["0 share1 change a 300 high .x\n60 share1 down smb o\n70 share1 loss\n80 misc1 disk"],
        "#1 open ransomware_impact: care_outage high share1, loss high share1, mass_change high share1, \
         ransomware_impact critical share1 | #2 open pressure: pressure medium misc1",
    );
    check(
        &["0 ehr1 down pg o\n4000 ehr1 down pg p"],
        "#1 open care_outage: care_outage high ehr1 | #2 open care_outage: care_outage high ehr1",
    );
}

#[test]
fn small_things_of_different_kinds_do_not_chain_days_together() {
    check(
        &["0 misc1 disk\n60 misc1 loss\n120 misc1 disk"],
        "#1 open pressure: pressure medium misc1, pressure medium misc1 | #2 open loss: loss high misc1",
    );
}

#[test]
fn who_tries_one_server_after_another_from_one_address_is_one_story() {
    check(
        &[
            "0 ehr1 logon 10.0.0.9",
            "300 share1 logon 10.0.0.9\n400 share1 change a 300 high .x",
            "350 pacs1 logon 10.0.0.8",
            "9000 ehr2 logon 10.0.0.9",
        ],
        "#1 open mass_change: logon high ehr1, logon high share1, mass_change high share1 | \
         #2 open logon: logon high pacs1 | #3 open logon: logon high ehr2",
    );
}

#[test]
fn the_composite_rules_pull_hosts_together_even_when_their_parts_came_first() {
    check(
        &["0 ehr1 down pg o", "1 misc1 disk", "60 share1 change a 300 high .x"],
        "#1 open ransomware_impact: care_outage high ehr1, mass_change high share1, \
         ransomware_impact critical ehr1+share1 | #2 open pressure: pressure medium misc1",
    );
    check(
        &[
            "0 ehr1 change a 300 high .x",
            "9000 share1 change b 300 high .y",
            "5000 pacs1 change c 300 high .x .y",
        ],
        "#1 open spreading: mass_change high ehr1, mass_change high pacs1, mass_change high share1, \
         spreading critical ehr1+pacs1, spreading critical ehr1+pacs1+share1, spreading critical pacs1+share1",
    );
}

#[test]
fn a_drill_and_real_life_are_two_incidents() {
    check(
        &["0 ehr1 change a 300 high .x drill\n1 ehr1 change b 300 high .x\n2 ehr1 loss"],
        "#1 open mass_change: mass_change high ehr1 drill | #2 open mass_change: loss high ehr1, mass_change high ehr1",
    );
}

#[test]
fn a_second_run_finds_nothing_to_do() {
    let input =
        scene("0 share1 change a 300 high .x\n60 ehr1 down pg o\n0 pacs1 heard\n100 pacs1 disk");
    let mut shelf = Shelf::default();
    assert!(!shelf.run(&input).is_empty());
    assert_eq!(shelf.run(&input), vec![]);
}

#[test]
fn more_of_the_same_burst_stays_with_a_closed_incident_and_a_new_one_opens_another() {
    for (status, word) in [(Status::Closed, "closed"), (Status::FalseAlarm, "false_alarm")] {
        let mut shelf = Shelf::default();
        shelf.run(&scene("0 share1 change a 300 high .x"));
        shelf.incidents[0].status = status;
        let more = "0 share1 change a 300 high .x\n60 share1 change a 9000 critical .x";
        let changes = shelf.run(&scene(more));
        assert!(
            matches!(&changes[..], [Change::Update { weight: Weight::Heavier, .. }]),
            "{changes:?}"
        );
        assert_eq!(shelf.told(), format!("#1 {word} mass_change: mass_change critical share1"));
        shelf.run(&scene(&format!("{more}\n120 share1 change b 300 high .y")));
        assert_eq!(
            shelf.told(),
            format!(
                "#1 {word} mass_change: mass_change critical share1 | \
                 #2 open mass_change: mass_change high share1"
            )
        );
    }
}

#[test]
fn a_false_alarm_keeps_what_is_said_about_its_burst_and_a_closed_burst_can_still_explain_a_new_outage()
 {
    let night = "0 share1 change a 300 high .x";
    let outage = format!("{night}\n60 ehr1 down pg o");
    let mut shelf = Shelf::default();
    shelf.run(&scene(night));
    shelf.incidents[0].status = Status::FalseAlarm;
    shelf.run(&scene(&outage));
    assert_eq!(
        shelf.told(),
        "#1 false_alarm mass_change: mass_change high share1, ransomware_impact critical ehr1+share1 | \
         #2 open care_outage: care_outage high ehr1"
    );

    let mut shelf = Shelf::default();
    shelf.run(&scene(night));
    shelf.incidents[0].status = Status::Closed;
    shelf.run(&scene(&outage));
    assert_eq!(
        shelf.told(),
        "#1 closed mass_change: mass_change high share1 | \
         #2 open ransomware_impact: care_outage high ehr1, ransomware_impact critical ehr1+share1"
    );
    assert_eq!(shelf.run(&scene(&outage)), vec![]);
}

#[test]
fn recovery_and_silence_close_nothing() {
    check(
        &["0 ehr1 down pg o", "9 ehr1 heard", "60 ehr1 up pg o", "9000 misc1 heard"],
        "#1 open care_outage: care_outage high ehr1, silent_host high ehr1",
    );
}

#[test]
fn two_collectors_open_the_same_incident_under_one_identity() {
    let found = correlate(&scene("0 share1 change a 300 high .x"));
    let one = assemble(&found, &[], window());
    let other = assemble(&found, &[], window());
    assert_eq!(one, other);
}

/// One line of a random night.
fn line() -> impl Strategy<Value = String> {
    let seconds = 0_i64..9000;
    let host = prop::sample::select(vec!["ehr1", "ehr2", "pacs1", "share1", "misc1"]);
    let what = prop_oneof![
        (0..4_u8, 10..999_u32, "medium|high|critical", "|\\.aa|\\.bb", "| drill| ended").prop_map(
            |(burst, files, severity, suffix, more)| {
                format!("change b{burst} {files} {severity} {suffix} {more}")
            }
        ),
        ("down|up|flap", 0..3_u8).prop_map(|(word, burst)| format!("{word} pg o{burst}")),
        prop::sample::select(vec![
            "disk",
            "clock",
            "loss",
            "stopping",
            "started",
            "unread later",
            "logon 10.0.0.8",
            "logon 10.0.0.9"
        ])
        .prop_map(str::to_owned),
    ];
    (seconds, host, what).prop_map(|(seconds, host, what)| format!("{seconds} {host} {what}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_order_of_arrival_the_stories_are_the_same(
        lines in prop::collection::vec(line(), 1..24),
        keys in prop::collection::vec((any::<u32>(), 0..4_usize), 24),
    ) {
        let night = format!("{}\n0 pacs1 heard\n8000 ehr2 heard\n9000 misc1 heard", lines.join("\n"));
        let whole = scene(&night);
        let mut at_once = Shelf::default();
        at_once.run(&whole);

        // Every record arrives in one of four batches, in an order of its own, and some arrive twice.
        let mut arrived: Vec<_> = whole.records.iter().cloned().zip(&keys).collect();
        arrived.sort_by_key(|(_, (order, _))| *order);
        let mut shelf = Shelf::default();
        let mut sofar = Input { records: Vec::new(), ..whole.clone() };
        for batch in 0..4 {
            let came = arrived.iter().filter(|(_, (order, of))| *of == batch || (*of < batch && order % 3 == 0));
            sofar.records.extend(came.map(|(record, _)| record.clone()));
            shelf.run(&sofar);
            prop_assert_eq!(shelf.run(&sofar), vec![]);
        }
        prop_assert_eq!(shelf.stories(), at_once.stories());
    }
}

/// Runs one night batch by batch and compares the stories at its end.
#[track_caller]
fn check(batches: &[&str], expected: &str) {
    let mut shelf = Shelf::default();
    let mut sofar = String::new();
    for batch in batches {
        sofar = format!("{sofar}\n{batch}");
        shelf.run(&scene(&sofar));
    }
    assert_eq!(shelf.told(), expected);
}
