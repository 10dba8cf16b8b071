//! The agent is killed in the middle of a slow attack and started again: what it had counted still counts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use shirase_shared::testing::eventually;

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
    let mut killed = Watching::start(&share, &state);
    remove(0..25);
    let counters = state.join("watch-counters.json");
    eventually("the first half on disk", DEADLINE, || async {
        (removed(&counters) == 25).then_some(())
    })
    .await;
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();

    let mut again = Watching::start(&share, &state);
    remove(25..50);
    let told = again.until(|line| line["type"] == "event" && line["kind"] == "mass_change");
    again.child.kill().unwrap();
    again.child.wait().unwrap();
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

/// The program, watching.
struct Watching {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Watching {
    fn start(share: &Path, state: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shirase-agent"))
            .args(["watch", "--json", "--state"])
            .args([state, share])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut watching = Self { child, said };
        watching.until(|line| line["type"] == "ready");
        watching
    }

    /// Reads lines until one is as wanted; the test's own time limit ends a wait for one that never comes.
    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(0 < self.said.read_line(&mut line).unwrap(), "the program ended");
            let line: Value = serde_json::from_str(&line).unwrap();
            if wanted(&line) {
                return line;
            }
        }
    }
}
