//! Version 1 of the protocol, as it was recorded, and what an invented later version sends: both are read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shirase_shared::event::{AgentState, Anomaly, Record, StopCause};
use shirase_shared::policy::{self, PolicyDocument, PolicyKey, SignedPolicy};
use shirase_shared::tls::Fingerprint;
use shirase_shared::wire::{
    Ack, Action, Batch, EnrolAnswer, EnrolRequest, Heartbeat, HeartbeatAnswer, ManifestReceipt,
    Order, Problem, Refusal, RenewAnswer, RenewRequest, WIRE_VERSION, batch_digest, record_hash,
};

fn recorded(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/wire")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn value(name: &str) -> Value {
    serde_json::from_slice(&recorded(name)).unwrap()
}

/// Reads a message and writes it again: what was recorded has to be in it, to the letter.
#[track_caller]
fn survives<T: DeserializeOwned + Serialize>(name: &str) -> T {
    let read: T = serde_json::from_slice(&recorded(name))
        .unwrap_or_else(|error| panic!("{name} is not read: {error}"));
    let missing = missing(&value(name), &serde_json::to_value(&read).unwrap());
    assert_eq!(missing, [] as [String; 0], "{name} loses what was recorded");
    read
}

/// What of `before` is not in `after`, as dotted names.
fn missing(before: &Value, after: &Value) -> Vec<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before
            .iter()
            .flat_map(|(key, value)| {
                let inside = after
                    .get(key)
                    .map_or_else(|| vec![String::new()], |other| missing(value, other));
                inside.into_iter().map(move |name| format!("{key}.{name}"))
            })
            .collect(),
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .flat_map(|(before, after)| missing(before, after))
            .collect(),
        (before, after) if before == after => Vec::new(),
        (before, after) => vec![format!("{before} became {after}")],
    }
}

fn batch(folder: &str) -> Batch {
    let batch = Batch::decode(&recorded(&format!("{folder}/batch.zst"))).unwrap();
    let text = recorded(&format!("{folder}/batch.ndjson"));
    let mut lines = text.split(|byte| *byte == b'\n');
    assert!(lines.next().is_some());
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    assert_eq!(batch.lines, lines, "the batch as sent and as text differ");
    assert_eq!(batch.head.wire, WIRE_VERSION);
    batch
}

#[test]
fn every_event_of_version_1_is_read_and_loses_nothing() {
    let batch = batch("v1");
    let mut told = BTreeSet::new();
    for line in &batch.lines {
        let before: Value = serde_json::from_slice(line).unwrap();
        let record: Record = serde_json::from_slice(line).unwrap();
        let after = serde_json::to_value(&record).unwrap();
        assert_eq!(missing(&before, &after), [] as [String; 0]);
        let evidence = &after["evidence"];
        let variant = ["what", "state", "cause", "budget"]
            .iter()
            .filter_map(|key| evidence[*key].as_str())
            .collect::<Vec<_>>()
            .join("/");
        told.insert(format!("{}:{variant}", record.event.anomaly.kind()));
    }
    // Whoever adds a kind or a value adds a folder that holds it; here they are counted, so that none is left out.
    let kinds: BTreeSet<&str> = told
        .iter()
        .filter_map(|told| told.split(':').next())
        .collect();
    let expected = [
        "agent",
        "backup",
        "logon",
        "loss",
        "mass_change",
        "outage",
        "pressure",
        "print",
        "protection",
        "stops",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(told.len(), 49, "{told:#?}");
}

#[test]
fn the_acknowledgement_of_version_1_fits_its_batch() {
    let ack: Ack = survives("v1/ack.json");
    let hashes: Vec<String> = batch("v1")
        .lines
        .iter()
        .map(|line| record_hash(line))
        .collect();
    assert_eq!(ack.digest, batch_digest(hashes.iter().map(String::as_str)));
    assert_eq!(ack.stored_through.0, hashes.len() as u64);
}

#[test]
fn every_message_of_version_1_is_read_and_loses_nothing() {
    survives::<Refusal>("v1/refusal-malformed.json");
    survives::<Refusal>("v1/refusal-too-long.json");
    survives::<Problem>("v1/problem.json");
    survives::<ManifestReceipt>("v1/manifest-receipt.json");
    survives::<EnrolRequest>("v1/enrol-request.json");
    survives::<EnrolAnswer>("v1/enrol-answer.json");
    survives::<RenewRequest>("v1/renew-request.json");
    survives::<RenewAnswer>("v1/renew-answer.json");
    let heartbeat: Heartbeat = survives("v1/heartbeat.json");
    assert_eq!(heartbeat.sensors.len(), 3);
    let answer: HeartbeatAnswer = survives("v1/heartbeat-answer.json");
    let actions: Vec<Action> = answer
        .orders
        .iter()
        .map(|signed| serde_json::from_str::<Order>(&signed.order).unwrap().action)
        .collect();
    assert!(matches!(
        actions.as_slice(),
        [
            Action::Drill { files: 60, .. },
            Action::Maintenance { .. },
            Action::EndMaintenance { .. }
        ]
    ));
}

#[test]
fn every_message_of_fleet_policy_is_read_and_loses_nothing() {
    let heartbeat: Heartbeat = survives("policy/heartbeat.json");
    let report = heartbeat.policy.unwrap();
    assert_eq!(PolicyKey::from_name(&report.drift[0]), Some(PolicyKey::Roots));
    let refused = report.refused.unwrap();
    let why = policy::Refusal::from_name(&refused.why);
    assert_eq!(why, Some(policy::Refusal::DoesNotFit));
    let answer: HeartbeatAnswer = survives("policy/heartbeat-answer.json");
    let signed: SignedPolicy = survives("policy/signed-policy.json");
    let document: PolicyDocument = serde_json::from_str(&signed.policy).unwrap();
    assert_eq!(Some(document.name()), answer.desired_policy);
    assert_eq!(serde_json::to_string(&document).unwrap(), signed.policy);
}

#[test]
fn every_message_about_authorities_is_read_and_loses_nothing() {
    let heartbeat: Heartbeat = survives("authorities/heartbeat.json");
    let answer: HeartbeatAnswer = survives("authorities/heartbeat-answer.json");
    let named = answer.authorities_pem.unwrap();
    let prints: Vec<_> = CertificateDer::pem_slice_iter(named.as_bytes())
        .map(|der| Fingerprint::of(&der.unwrap()).to_string())
        .collect();
    assert_eq!(prints.len(), 2);
    assert_eq!(prints.last(), heartbeat.authorities.last(), "the one it trusts comes second");
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let batch = batch("next");
    let events: Vec<Option<Anomaly>> = batch
        .lines
        .iter()
        .map(|line| {
            serde_json::from_slice::<Record>(line)
                .ok()
                .map(|record| record.event.anomaly)
        })
        .collect();
    let [
        Some(Anomaly::MassChange(change)),
        Some(Anomaly::Loss(_)),
        Some(stopping),
        Some(short),
        unread @ ..,
    ] = events.as_slice()
    else {
        panic!("{events:#?}");
    };
    assert_eq!(change.suffix_appended, 60);
    let unsaid = Anomaly::Agent(AgentState::Stopping { cause: StopCause::Unsaid });
    assert_eq!((stopping, short), (&unsaid, &unsaid));
    assert_eq!(unread, [const { None }; 6], "kinds and values nobody knows are no events here");

    let heartbeat: Heartbeat = serde_json::from_slice(&recorded("next/heartbeat.json")).unwrap();
    assert_eq!(heartbeat.sensors.len(), 4);
    let answer: HeartbeatAnswer =
        serde_json::from_slice(&recorded("next/heartbeat-answer.json")).unwrap();
    let last = answer.orders.last().unwrap();
    assert!(serde_json::from_str::<Order>(&last.order).is_err(), "an order nobody knows");
    serde_json::from_slice::<EnrolRequest>(&recorded("next/enrol-request.json")).unwrap();
    serde_json::from_slice::<EnrolAnswer>(&recorded("next/enrol-answer.json")).unwrap();
    serde_json::from_slice::<RenewRequest>(&recorded("next/renew-request.json")).unwrap();
    serde_json::from_slice::<RenewAnswer>(&recorded("next/renew-answer.json")).unwrap();
    serde_json::from_slice::<Problem>(&recorded("next/problem.json")).unwrap();
}

#[test]
fn what_lets_an_agent_delete_is_read_to_the_letter() {
    for name in ["v1/ack.json", "v1/refusal-malformed.json", "v1/manifest-receipt.json"] {
        let mut more = value(name);
        more["and"] = Value::from("more");
        let taken = [
            serde_json::from_value::<Ack>(more.clone()).is_ok(),
            serde_json::from_value::<Refusal>(more.clone()).is_ok(),
            serde_json::from_value::<ManifestReceipt>(more).is_ok(),
        ];
        assert_eq!(taken, [false; 3], "{name}");
    }
}
