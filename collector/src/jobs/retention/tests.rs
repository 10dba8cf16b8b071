//! The job on a real database and a real directory.

use std::sync::Arc;

use shirase_shared::clock::ManualClock;
use shirase_shared::ids::BurstId;

use super::*;
use crate::correlate::CorrelateConfig;
use crate::correlate::fixtures::{at, facility, host, scene};
use crate::facilities::{Facility, Master};
use crate::http::manifest_path;
use crate::jobs::Nudge;
use crate::jobs::correlate::correlate_facility;
use crate::records::{ManifestSeen, NewRecord};

const DAY: i64 = 86_400;

#[tokio::test]
async fn what_is_old_goes_once_and_what_belongs_to_an_open_incident_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let made = Facility::create(facility(), Master::default(), at(-DAY * 900));
    store.add_facility(&made.facility).await.unwrap();
    let told = |night: &str, received: i64| -> Vec<NewRecord> {
        let records = scene(night).records;
        let new = |seen: &crate::records::SeenRecord| {
            let mut seen = seen.clone();
            seen.received_at = at(received);
            NewRecord { seen, raw: b"{}".to_vec() }
        };
        records.iter().map(new).collect()
    };
    let long_ago = format!("{} misc1 started\n{} misc1 started", -DAY * 800, -DAY * 799);
    store
        .store_batch(&told(&long_ago, -DAY * 799))
        .await
        .unwrap();
    store
        .store_batch(&told("0 share1 change a 300 high .x", 0))
        .await
        .unwrap();
    let (config, nudge) = (CorrelateConfig::default(), Nudge::default());
    correlate_facility(&store, &facility(), &config, &nudge, at(60))
        .await
        .unwrap();
    let open = store.incidents(&facility()).await.unwrap().remove(0);
    let burst: BurstId = open.conclusions[0]
        .natural_key
        .as_str()
        .rsplit('/')
        .next()
        .unwrap()
        .parse()
        .unwrap();

    std::fs::create_dir(dir.path().join("manifests")).unwrap();
    let manifest = |burst, sha256: &str| ManifestSeen {
        facility: facility(),
        host: host("share1"),
        burst,
        sha256: sha256.to_owned(),
        bytes: 1,
        files: 1,
        received_at: at(0),
    };
    for (sha256, burst) in [("aa", burst), ("bb", BurstId::random())] {
        std::fs::write(manifest_path(dir.path(), sha256), "x").unwrap();
        store.add_manifest(&manifest(burst, sha256)).await.unwrap();
    }

    // The files were made today; the clock of the job is years on.
    let later = at(DAY * 3000);
    let clock = Arc::new(ManualClock::new(later));
    let retention =
        RetentionConfig { events_days: 365, manifests_days: 365, ..RetentionConfig::default() };
    let mut job = RetentionJob {
        store: store.clone(),
        manifests: dir.path().join("manifests"),
        config: retention,
        clock,
    };
    // One old event (the last of its stream stays), one manifest, its ciphertext.
    assert_eq!(job.activate().await, Outcome::Changed(3));
    assert_eq!(job.activate().await, Outcome::NothingToDo);
    assert!(manifest_path(dir.path(), "aa").exists());
    assert!(!manifest_path(dir.path(), "bb").exists());
    assert_eq!(store.incidents(&facility()).await.unwrap().len(), 1);
    let records = store
        .records_since(&facility(), at(-DAY * 900))
        .await
        .unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(store.audit_head().await.unwrap().unwrap().n, 2);
}
