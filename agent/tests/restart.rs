//! The agent is killed in the middle of a slow attack and started again: what it had counted still counts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "program/watching.rs"]
mod watching;

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use shirase_shared::testing::eventually;

use watching::Watching;

/// How long a test waits for a state.
const DEADLINE: Duration = Duration::from_secs(60);
/// Where removed documents stand among the counts of a second.
const REMOVED_VALUED: usize = 3;

#[tokio::test]
async fn a_wipe_interrupted_by_a_kill_is_told_once_both_halves_are_enough() {
    let home = tempfile::tempdir().unwrap();
    let (share, state) = (home.path().join("share"), home.path().join("state"));
    fs::create_dir(&share).unwrap();
    for number in 0..60 {
        fs::write(share.join(format!("{number:02}.pdf")), "%PDF-1.7 a document").unwrap();
    }
    // Two halves of 25, of which neither is enough and no rescan can find anything.
    let remove = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            fs::remove_file(share.join(format!("{number:02}.pdf"))).unwrap();
        }
    };
    let mut killed = Watching::start(&share, &["--state", state.to_str().unwrap()]);
    remove(0..25);
    let counters = state.join("watch-counters.json");
    eventually("the first half on disk", DEADLINE, || async {
        (removed(&counters) == 25).then_some(())
    })
    .await;
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();

    let mut again = Watching::start(&share, &["--state", state.to_str().unwrap()]);
    remove(25..50);
    let told = again.until(|line| line["type"] == "event" && line["kind"] == "mass_change");
    again.end();
    assert_eq!(told["severity"], "high", "{told}");
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.contains("a hospital would miss are gone"), "{reason}");
}

/// Documents removed, as the file with the counters has it.
fn removed(counters: &Path) -> u64 {
    let text = fs::read(counters).unwrap_or_default();
    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
    let seconds = value["roots"]["share"]["windows"]["seconds"].as_array();
    seconds
        .into_iter()
        .flatten()
        .filter_map(|bucket| bucket[1][REMOVED_VALUED].as_u64())
        .sum()
}
