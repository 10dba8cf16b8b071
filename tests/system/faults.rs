//! What is kept stays kept: sudden deaths on both sides in the middle of a burst, compared with a ledger from outside.

use std::collections::BTreeMap;

use serde_json::Value;
use shirase_collector::store::Store;
use shirase_shared::testing::eventually;
use shirase_shared::wire::record_hash;
use shirase_system_tests::site::{FACILITY, Site};

use super::{DEADLINE, encrypt, running};

/// Key and hash of every record the agent's buffer held.
type Ledger = BTreeMap<(String, u64), String>;

#[tokio::test(flavor = "multi_thread")]
async fn sudden_deaths_of_both_sides_lose_nothing_that_was_kept_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = running(dir.path()).await;
    let mut ledger = Ledger::new();
    site.kill_collector().unwrap();
    for round in 0..4 {
        let watched = site.watched();
        let storm =
            tokio::task::spawn_blocking(move || encrypt(&watched, &format!(".r{round}"), 30));
        if round % 2 == 1 {
            site.kill_agent().unwrap();
            site.start_agent().unwrap();
        }
        storm.await.unwrap();
        note(&site, &mut ledger).await;
        site.kill_agent().unwrap();
        site.start_agent().unwrap();
    }
    assert!(4 < ledger.len(), "only {} records kept in four storms", ledger.len());

    for _ in 0..3 {
        site.start_collector().await.unwrap();
        note(&site, &mut ledger).await;
        site.kill_collector().unwrap();
    }
    site.start_collector().await.unwrap();
    let settled = eventually("an empty buffer", DEADLINE, || {
        let status = status(&site);
        async move { status.filter(|status| status["waiting"] == 0) }
    })
    .await;
    assert!(
        settled["last_sequence"]
            .as_u64()
            .is_some_and(|last| 0 < last),
        "{settled}"
    );

    let stored = stored(&site).await;
    for (key, hash) in &ledger {
        let found = stored.get(key).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(
            found,
            std::slice::from_ref(hash),
            "record {key:?} was kept, the collector has {found:?}"
        );
    }
    for (key, hashes) in &stored {
        assert_eq!(hashes.len(), 1, "record {key:?} is doubled");
    }
    gapless(&stored);
    site.stop().unwrap();
}

/// Adds what the agent's buffer holds right now to the ledger.
async fn note(site: &Site, ledger: &mut Ledger) {
    let exported = eventually("the agent's control socket", DEADLINE, || {
        let state = site.dir.join("agent/state");
        let exported = site
            .agent(&["buffer", "export", "--state", state.to_str().unwrap()], b"")
            .ok();
        async move { exported }
    })
    .await;
    for line in exported.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let stream = record["stream"].as_str().unwrap().to_owned();
        let sequence = record["sequence"].as_u64().unwrap();
        let hash = record_hash(line.as_bytes());
        let before = ledger.insert((stream, sequence), hash.clone());
        assert!(before.is_none_or(|before| before == hash), "a kept record changed: {line}");
    }
}

fn status(site: &Site) -> Option<Value> {
    let state = site.dir.join("agent/state");
    let text = site
        .agent(&["status", "--json", "--state", state.to_str()?], b"")
        .ok()?;
    serde_json::from_str(&text).ok()
}

async fn stored(site: &Site) -> BTreeMap<(String, u64), Vec<String>> {
    let store = Store::open(&site.data_dir()).await.unwrap();
    let facility = FACILITY.parse().unwrap();
    let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for record in store
        .records_since(&facility, jiff::Timestamp::UNIX_EPOCH)
        .await
        .unwrap()
    {
        let key = (record.stream.to_string(), record.sequence.0);
        found.entry(key).or_default().push(record.hash);
    }
    found
}

/// Every number from 1 to the last of a stream is there: what got a number was kept, and what was kept arrived.
fn gapless(stored: &BTreeMap<(String, u64), Vec<String>>) {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for (stream, sequence) in stored.keys() {
        let before = last.insert(stream, *sequence).unwrap_or(0);
        assert_eq!(before + 1, *sequence, "a gap in stream {stream}");
    }
}
