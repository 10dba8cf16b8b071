//! Agents of other versions: batches as they were recorded, sent to this collector.

use reqwest::StatusCode;
use shirase_collector::correlate::{CorrelateConfig, Rule, correlate};
use shirase_shared::ids::Sequence;
use shirase_shared::wire::{Ack, Batch, Heartbeat, HeartbeatAnswer};

use crate::site::{Site, read};

/// As the agent sent it.
fn recorded(bytes: &[u8]) -> Batch {
    Batch::decode(bytes).unwrap()
}

#[tokio::test]
async fn the_recorded_batch_of_version_1_is_stored_whole_and_acknowledged_as_it_was_then() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let batch = recorded(include_bytes!("../../../shared/tests/wire/v1/batch.zst"));
    let ack: Ack = read(agent.send(&batch).await, StatusCode::OK).await;
    let then: Ack =
        serde_json::from_str(include_str!("../../../shared/tests/wire/v1/ack.json")).unwrap();
    assert_eq!(ack, then);
    let records = site.records("handa-hp").await;
    assert_eq!(records.len(), batch.lines.len());
    assert!(records.iter().all(|record| record.event.is_some()));
}

#[tokio::test]
async fn a_later_agents_batch_is_kept_whole_and_what_cannot_be_read_is_told() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let batch = recorded(include_bytes!("../../../shared/tests/wire/next/batch.zst"));
    let ack: Ack = read(agent.send(&batch).await, StatusCode::OK).await;
    assert_eq!(ack.stored_through, Sequence(10));
    let mut records = site.records("handa-hp").await;
    records.sort_by_key(|record| record.sequence);
    let read_as_events: Vec<bool> = records
        .iter()
        .map(|record| record.event.is_some())
        .collect();
    let first_four = [true, true, true, true, false, false, false, false, false, false];
    assert_eq!(read_as_events, first_four);
    for (record, line) in records.iter().zip(&batch.lines) {
        assert_eq!(site.store.raw_record(record).await.unwrap().as_ref(), Some(line));
    }
    // What it knows it concludes as ever; what it does not is told, with its name.
    let now = records
        .iter()
        .map(|record| record.corrected_at)
        .max()
        .unwrap();
    let input = site
        .store
        .correlation_input(&agent.facility, &CorrelateConfig::default(), now)
        .await
        .unwrap();
    let conclusions = correlate(&input);
    let rules: Vec<Rule> = conclusions
        .iter()
        .map(|conclusion| conclusion.rule)
        .collect();
    assert!(rules.contains(&Rule::MassChange), "{rules:?}");
    let told = serde_json::to_string(&conclusions).unwrap();
    for kind in ["firmware", "loss", "agent", "outage"] {
        assert!(told.contains(&format!("\"kind\":\"{kind}\"")), "{kind} is not told: {told}");
    }
}

#[tokio::test]
async fn a_later_agents_sign_of_life_counts() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let text = include_str!("../../../shared/tests/wire/next/heartbeat.json");
    let beat: serde_json::Value = serde_json::from_str(text).unwrap();
    let answer: HeartbeatAnswer =
        read(agent.post("/v1/heartbeat", &beat).await, StatusCode::OK).await;
    assert!(answer.orders.is_empty());
    let seen = site.store.heartbeats(&agent.facility).await.unwrap();
    let known: Heartbeat = serde_json::from_str(text).unwrap();
    assert_eq!(seen[&agent.host].heartbeat, known);
}
