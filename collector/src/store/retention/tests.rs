//! Removal in a real database: what is named goes, and nothing else.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::*;
use crate::audit::{Actor, AuditEntry};
use crate::correlate::fixtures::{at, facility, scene};
use crate::facilities::{Facility, Master};
use crate::records::NewRecord;

async fn open() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let made = Facility::create(facility(), Master::default(), at(0));
    store.add_facility(&made.facility).await.unwrap();
    (dir, store)
}

async fn numbers(store: &Store) -> Vec<i64> {
    sqlx::query_scalar("SELECT sequence FROM records ORDER BY host_id, sequence")
        .fetch_all(&store.readers)
        .await
        .unwrap()
}

/// Tables that name an incident, a report or a delivery, with that column. What was exchanged with a partner is not among
/// them: it belongs to its thread, which a missing package would break.
async fn tables_of_incidents(store: &Store) -> BTreeMap<String, String> {
    sqlx::query_as::<_, (String, String)>(
        "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name <> 'packages' AND c.name IN ('delivery_id', 'report_id', 'incident_id', 'about') ORDER BY c.name DESC",
    )
    .fetch_all(&store.readers)
    .await
    .unwrap()
    .into_iter()
    .collect()
}

#[tokio::test]
async fn every_table_of_an_incident_is_emptied_with_it() {
    let (_dir, store) = open().await;
    let tables = tables_of_incidents(&store).await;
    assert!(15 < tables.len(), "{tables:?}");
    for table in tables.keys() {
        let removed = OF_AN_INCIDENT
            .iter()
            .filter(|statement| statement.starts_with(&format!("DELETE FROM {table} ")))
            .count();
        assert_eq!(removed, 1, "what of `{table}` belongs to an incident does not go with it");
    }
    assert_eq!(tables.len(), OF_AN_INCIDENT.len());
}

#[tokio::test]
async fn an_incident_is_removed_whole_and_the_audit_log_says_so() {
    let (_dir, store) = open().await;
    let incident = IncidentId::from_uuid(uuid::Uuid::from_u128(1));
    let other = IncidentId::from_uuid(uuid::Uuid::from_u128(2));
    for (number, id) in [(1, incident), (2, other)] {
        sqlx::query(
            "INSERT INTO incidents (facility_id, incident_id, number, status, severity, rule, first_ms, opened_ms, updated_ms)
             VALUES (?, ?, ?, 'closed', 'high', 'mass_change', 0, 0, 0)",
        )
        .bind(facility().as_str())
        .bind(id.to_string())
        .bind(number)
        .execute(&store.writer)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO reports (facility_id, report_id, incident_id, profile, series, round, round_kind, status, revision, created_ms, updated_ms)
             VALUES (?, ?, ?, 'jp-mhlw-contact', 'jp-mhlw', 1, 'preliminary', 'draft', 1, 0, 0)",
        )
        .bind(facility().as_str())
        .bind(format!("report of {number}"))
        .bind(id.to_string())
        .execute(&store.writer)
        .await
        .unwrap();
        sqlx::query("INSERT INTO submissions VALUES (?, ?, 1, '{}', '', 'u', 0)")
            .bind(facility().as_str())
            .bind(format!("report of {number}"))
            .execute(&store.writer)
            .await
            .unwrap();
    }
    let entry = AuditEntry::new(at(0), Actor::Machine, "retention.incident_removed", incident);
    store
        .remove_incident((&facility(), incident), &entry)
        .await
        .unwrap();
    for table in ["incidents", "reports", "submissions"] {
        let count: i64 = match table {
            "incidents" => sqlx::query_scalar("SELECT COUNT(*) FROM incidents"),
            "reports" => sqlx::query_scalar("SELECT COUNT(*) FROM reports"),
            _ => sqlx::query_scalar("SELECT COUNT(*) FROM submissions"),
        }
        .fetch_one(&store.readers)
        .await
        .unwrap();
        assert_eq!(count, 1, "of {table} the other incident's stays");
    }
    assert_eq!(store.audit_head().await.unwrap().unwrap().n, 1);
}

#[tokio::test]
async fn old_events_go_but_those_kept_the_last_of_a_stream_and_what_came_lately() {
    let (_dir, store) = open().await;
    let night = "0 ehr1 disk\n1 ehr1 disk\n2 ehr1 disk\n3 ehr1 disk\n9 ehr1 disk";
    let records = scene(night).records;
    let mut batch: Vec<NewRecord> = records
        .iter()
        .map(|seen| NewRecord { seen: seen.clone(), raw: b"{}".to_vec() })
        .collect();
    // The third tells of old things and came just now.
    batch[2].seen.received_at = at(5000);
    store.store_batch(&batch).await.unwrap();
    let before = numbers(&store).await;
    assert_eq!(before.len(), 5);
    let kept = BTreeSet::from([RecordKey {
        host: records[1].host,
        stream: records[1].stream,
        sequence: records[1].sequence,
    }]);

    let mut from = Some(OldEvents::default());
    let mut events = 0;
    while let Some(start) = from {
        let look = store
            .remove_events(&facility(), at(1000), &kept, (start, 2))
            .await
            .unwrap();
        events += look.events;
        from = look.next;
    }
    assert_eq!(events, 2);
    assert_eq!(numbers(&store).await, [before[1], before[2], before[4]]);
    assert!(0 < store.bytes_in_use().await.unwrap());
}
