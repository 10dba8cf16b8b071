//! kill -9 at random moments: what the ledger says was kept is there, nothing is doubled, nothing invented.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use crate::worker::{Dice, Told, everything, ledger_path, open, spawn};

/// Times the child is killed.
const ROUNDS: u64 = 40;
/// Longest life of a child: long enough for opening, appending, removing and a rewrite.
const LONGEST_LIFE_MS: u64 = 250;

#[test]
fn what_was_kept_survives_kill_9_at_random_moments() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice::seeded(20_260_209);
    let mut untold_in_all = 0;
    for round in 0..ROUNDS {
        let mut child = spawn(dir.path(), round, u64::MAX, &[]);
        // A random moment is what this test is about, so there is no state to wait for.
        std::thread::sleep(Duration::from_millis(dice.roll(LONGEST_LIFE_MS)));
        let ended = child.try_wait().unwrap();
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(ended.is_none(), "round {round}: the child ended by itself: {said}");

        let text = std::fs::read_to_string(ledger_path(dir.path())).unwrap_or_default();
        let told = Told::read(&text);
        let buffer = open(&dir.path().join("buffer"));
        let when = format!("round {round}, {} kept", told.kept.len());
        let untold = told.compare(&everything(&buffer), 1, &when);
        untold_in_all += untold.len();
        // From now on they are told of, and must stay; a torn line is ended so that the next one stands alone.
        let mut ledger = File::options()
            .create(true)
            .append(true)
            .open(ledger_path(dir.path()))
            .unwrap();
        if !text.is_empty() && !text.ends_with('\n') {
            panic!("{when}: a torn line in the ledger: writes of one line are atomic here");
        }
        for line in untold {
            writeln!(ledger, "kept {} {} {}", line.stream, line.sequence, line.hash).unwrap();
        }
        if told.removal_done < told.removal_begun {
            // Whether the removal came through is unknown; from now on only what is there counts.
            let first = everything(&buffer)
                .first()
                .map(|line| line.sequence.0)
                .unwrap_or(u64::MAX);
            let through = told.removal_begun.0.min(first - 1);
            buffer
                .remove_through(told.stream.unwrap(), told.removal_begun)
                .unwrap();
            writeln!(ledger, "removed {}", told.removal_begun.0.max(through)).unwrap();
        }
    }
    let told = Told::read(&std::fs::read_to_string(ledger_path(dir.path())).unwrap());
    assert!(
        200 < told.kept.len(),
        "only {} events were kept: the test did nothing",
        told.kept.len()
    );
    assert!(told.removal_done.0 > 0, "nothing was ever removed: the test did half");
    eprintln!("{} kept, {untold_in_all} committed but not told, {ROUNDS} kills", told.kept.len());
}
