//! Every way to tamper with the log is found.

use std::path::PathBuf;

use jiff::Timestamp;

use super::*;

const AT: Timestamp = Timestamp::UNIX_EPOCH;

#[tokio::test]
async fn a_whole_log_is_verified_and_anchored_to_its_head() {
    let log = Log::of(5).await;
    let verified = verify(&log.store, log.store.anchors_path(), &[])
        .await
        .unwrap();
    assert_eq!((verified.entries, verified.anchored_through), (5, 5));
    assert_eq!(verified.head.len(), 64);
}

#[tokio::test]
async fn an_empty_log_is_whole() {
    let log = Log::of(0).await;
    assert_eq!(log.verify().await.unwrap().entries, 0);
}

#[tokio::test]
async fn a_changed_entry_is_found() {
    for column in ["who", "action", "object", "detail_json", "facility_id"] {
        let log = Log::of(5).await;
        log.tamper(&format!("UPDATE audit SET {column} = 'x' WHERE n = 3"))
            .await;
        assert!(matches!(log.verify().await, Err(AuditFault::Changed { n: 3 })), "{column}");
    }
    let log = Log::of(5).await;
    log.tamper("UPDATE audit SET at_ms = at_ms + 1 WHERE n = 3")
        .await;
    assert!(matches!(log.verify().await, Err(AuditFault::Changed { n: 3 })));
}

#[tokio::test]
async fn a_missing_entry_is_found() {
    let log = Log::of(5).await;
    log.tamper("DELETE FROM audit WHERE n = 3").await;
    assert!(matches!(log.verify().await, Err(AuditFault::Missing { n: 3 })));
}

#[tokio::test]
async fn a_cut_tail_is_found() {
    let log = Log::of(5).await;
    log.tamper("DELETE FROM audit WHERE n > 3").await;
    assert!(matches!(log.verify().await, Err(AuditFault::CutTail { entries: 3, anchored: 5 })));
    let log = Log::of(5).await;
    log.tamper("DELETE FROM audit").await;
    assert!(matches!(log.verify().await, Err(AuditFault::CutTail { entries: 0, anchored: 5 })));
}

#[tokio::test]
async fn an_entry_rehashed_alone_breaks_the_chain() {
    let log = Log::of(5).await;
    log.rewrite_from(3, 3).await;
    assert!(matches!(log.verify().await, Err(AuditFault::Rewritten { n: 3 })));
    std::fs::write(log.store.anchors_path(), "").unwrap();
    assert!(matches!(log.verify().await, Err(AuditFault::Unchained { n: 4 })));
}

#[tokio::test]
async fn a_chain_rewritten_to_its_end_is_found_by_its_anchors() {
    let log = Log::of(5).await;
    log.rewrite_from(2, 5).await;
    assert!(matches!(log.verify().await, Err(AuditFault::Rewritten { n: 2 })));
}

#[tokio::test]
async fn a_tail_cut_from_database_and_anchors_is_found_by_a_head_known_outside() {
    let log = Log::of(5).await;
    let mail = log.printed("mail.eml").await;
    log.tamper("DELETE FROM audit WHERE n > 3").await;
    log.rewrite_anchors().await;
    assert_eq!(log.verify().await.unwrap().entries, 3, "by itself it is whole");
    let found = log.verify_with(std::slice::from_ref(&mail)).await;
    let Err(AuditFault::KnownIsGone { entries: 3, n: 5, source_name }) = found else {
        panic!("{found:?}");
    };
    assert_eq!(source_name, "mail.eml");
    // Whoever fills the gap again makes other entries of it.
    for _ in 0..2 {
        let entry = AuditEntry::new(AT, Actor::Machine, "test.done", "harmless");
        log.store.audit(&entry).await.unwrap();
    }
    let found = log.verify_with(&[mail]).await;
    assert!(matches!(found, Err(AuditFault::KnownDiffers { n: 5, .. })), "{found:?}");
}

#[tokio::test]
async fn a_chain_rewritten_with_its_anchors_is_found_by_a_head_known_outside() {
    let log = Log::of(5).await;
    let report = log.printed("report.pdf").await;
    let copy = std::fs::read(log.store.anchors_path()).unwrap();
    assert_eq!(
        log.verify_with(std::slice::from_ref(&report))
            .await
            .unwrap()
            .known_heads,
        1
    );
    log.rewrite_from(2, 5).await;
    log.rewrite_anchors().await;
    assert_eq!(log.verify().await.unwrap().entries, 5, "by itself it is whole");
    let found = log.verify_with(&[report]).await;
    assert!(matches!(found, Err(AuditFault::KnownDiffers { n: 5, .. })), "{found:?}");
    let copied: Vec<KnownHead> = heads_in(&copy)
        .into_iter()
        .map(|head| KnownHead { head, source: "copy".to_owned() })
        .collect();
    assert_eq!(copied.len(), 5);
    let found = log.verify_with(&copied).await;
    assert!(matches!(found, Err(AuditFault::KnownDiffers { n: 2, .. })), "{found:?}");
}

#[tokio::test]
async fn the_last_departure_of_each_carrier_is_kept() {
    let log = Log::of(2).await;
    for n in [1, 2] {
        let head = Head { n, hash: "ab".repeat(32) };
        let departure = Departure { carrier: Carrier::Mail, head, at: AT };
        log.store.head_left(&departure).await.unwrap();
    }
    let left = log.store.departures().await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].carrier, left[0].head.n), (Carrier::Mail, 2));
    assert_eq!(log.store.newest_anchor().await.unwrap().unwrap().n, 2);
}

#[tokio::test]
async fn anchors_that_are_gone_or_damaged_are_a_fault() {
    let log = Log::of(5).await;
    std::fs::remove_file(log.store.anchors_path()).unwrap();
    assert!(matches!(log.verify().await, Err(AuditFault::AnchorsMissing(_))));
    std::fs::write(log.store.anchors_path(), "{}\n").unwrap();
    assert!(matches!(log.verify().await, Err(AuditFault::AnchorsDamaged { line: 1 })));
}

#[tokio::test]
async fn a_torn_anchor_is_written_again() {
    let log = Log::of(3).await;
    let whole = std::fs::read_to_string(log.store.anchors_path()).unwrap();
    std::fs::write(log.store.anchors_path(), whole.get(..whole.len() - 20).unwrap()).unwrap();
    assert_eq!(log.verify().await.unwrap().anchored_through, 2);
    log.store
        .audit(&AuditEntry::new(AT, Actor::Machine, "test.done", 4))
        .await
        .unwrap();
    assert_eq!(log.verify().await.unwrap().anchored_through, 4);
}

#[tokio::test]
async fn an_entry_rolled_back_leaves_no_trace() {
    let log = Log::of(2).await;
    let mut tx = log.store.writer.begin().await.unwrap();
    let entry = AuditEntry::new(AT, Actor::Machine, "test.done", 3);
    crate::store::append_audit(&mut tx, &entry).await.unwrap();
    drop(tx);
    assert_eq!(log.verify().await.unwrap().entries, 2);
}

struct Log {
    store: Store,
    _dir: tempfile::TempDir,
}

impl Log {
    async fn of(entries: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        for object in 1..=entries {
            let facility = "handa".parse().unwrap();
            let entry = AuditEntry::new(AT, Actor::CommandLine, "test.done", object).of(&facility);
            store.audit(&entry.with("why", "because")).await.unwrap();
        }
        Self { store, _dir: dir }
    }

    async fn verify(&self) -> Result<Verified, AuditFault> {
        self.verify_with(&[]).await
    }

    async fn verify_with(&self, known: &[KnownHead]) -> Result<Verified, AuditFault> {
        let path: PathBuf = self.store.anchors_path().to_owned();
        verify(&self.store, &path, known).await
    }

    /// Returns the head as a report or a mail took it along.
    async fn printed(&self, source: &str) -> KnownHead {
        let head = self.store.audit_head().await.unwrap().unwrap();
        let paper = format!("第2版 {head} 2026-11-25");
        let mut read = heads_in(paper.as_bytes());
        assert_eq!(read, [head]);
        KnownHead { head: read.remove(0), source: source.to_owned() }
    }

    /// Makes the anchors fit the database, as somebody who can write both would.
    async fn rewrite_anchors(&self) {
        std::fs::remove_file(self.store.anchors_path()).unwrap();
        let entries = self.store.audit_page(0, 100).await.unwrap();
        let lines: Vec<String> = entries
            .into_iter()
            .map(|entry| {
                let anchor = Anchor { n: entry.n, hash: entry.hash, at: AT };
                serde_json::to_string(&anchor).unwrap() + "\n"
            })
            .collect();
        std::fs::write(self.store.anchors_path(), lines.concat()).unwrap();
    }

    async fn tamper(&self, sql: &str) {
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&self.store.writer)
            .await
            .unwrap();
    }

    /// Changes what entries say and gives them hashes that fit, as somebody with the database and this source would.
    async fn rewrite_from(&self, first: u64, last: u64) {
        let entries = self.store.audit_page(first - 2, 100).await.unwrap();
        let mut previous = entries[0].hash.clone();
        for mut entry in entries.into_iter().skip(1).filter(|entry| entry.n <= last) {
            entry.object = "something else".to_owned();
            entry.previous = previous;
            entry.hash = entry.expected_hash();
            self.tamper(&format!(
                "UPDATE audit SET object = '{}', previous = '{}', hash = '{}' WHERE n = {}",
                entry.object, entry.previous, entry.hash, entry.n
            ))
            .await;
            previous = entry.hash;
        }
    }
}
