//! Tests of the module beside this folder.

use shirase_shared::event::Phase;
use shirase_shared::ids::BurstId;
use shirase_shared::testing::builders::{mass_change, night, numbered};
use shirase_shared::wire::record_hash;

use super::*;

fn records(count: u64, filler: usize) -> Vec<NewRecord> {
    let stream = StreamId::random();
    let host = HostId::random();
    let burst = BurstId::random();
    let mut events: Vec<Event> = (0..count)
        .map(|files| mass_change(burst, Phase::Grew, files, 0))
        .collect();
    for event in &mut events {
        event.reason = "x".repeat(filler);
    }
    let record = |record: shirase_shared::event::Record| {
        let raw = serde_json::to_vec(&record).unwrap();
        let seen = SeenRecord {
            facility: "handa-hp".parse().unwrap(),
            host,
            stream,
            sequence: record.sequence,
            hash: record_hash(&raw),
            kind: "mass_change".to_owned(),
            severity: Some(record.event.severity),
            burst: Some(burst),
            drill: None,
            detected_at: Some(record.event.detected_at),
            event: Some(record.event),
            corrected_at: night(),
            uncertainty: Duration::from_millis(7),
            received_at: night(),
        };
        NewRecord { seen, raw }
    };
    numbered(stream, events).into_iter().map(record).collect()
}

#[tokio::test]
async fn what_is_stored_reads_back_the_same_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let records = records(50, 10);
    let stored = store.store_batch(&records).await.unwrap();
    assert_eq!(stored, BatchStored { new: 50, known: 0, forked: 0 });
    let again = store.store_batch(&records).await.unwrap();
    assert_eq!(again, BatchStored { new: 0, known: 50, forked: 0 });
    let facility = "handa-hp".parse().unwrap();
    let read = store.records_since(&facility, night()).await.unwrap();
    let expected: Vec<SeenRecord> = records.into_iter().map(|record| record.seen).collect();
    assert_eq!(read, expected);
    let later = night() + jiff::SignedDuration::from_millis(1);
    assert!(
        store
            .records_since(&facility, later)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_full_disk_stores_nothing_of_a_batch_and_says_that_it_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    store.store_batch(&records(3, 10)).await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&store.writer)
        .await
        .unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + 20);
    sqlx::raw_sql(sqlx::AssertSqlSafe(limit))
        .execute(&store.writer)
        .await
        .unwrap();
    let error = store.store_batch(&records(100, 4000)).await.unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    let facility = "handa-hp".parse().unwrap();
    assert_eq!(store.records_since(&facility, night()).await.unwrap().len(), 3);

    sqlx::raw_sql("PRAGMA max_page_count = 1000000")
        .execute(&store.writer)
        .await
        .unwrap();
    let stored = store.store_batch(&records(100, 4000)).await.unwrap();
    assert_eq!(stored.new, 100, "once there is room it goes on");
}
