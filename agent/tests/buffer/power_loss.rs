//! Simulated power cuts: a child's writes and syncs are logged, and replayed to what the disk may hold afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;

use shirase_agent::buffer::Buffer;

use crate::crash_image::{Entry, Mode, build, read_log};
use crate::worker::{Dice, Told, clock, config, everything, ledger_path, spawn};

/// Moments at which the power is cut, each in four modes.
const CRASH_POINTS: usize = 52;
/// Events the child appends over several openings.
const EVENTS: u64 = 1500;
const MODES: [Mode; 4] = [Mode::SyncedOnly, Mode::All, Mode::OrderedPrefix, Mode::RandomPages];

#[test]
fn what_was_kept_survives_a_power_cut_at_any_moment() {
    // The disk is simulated, so its images may lie in memory.
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let shim = compile(dir.path());
    let work = dir.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let log_path = dir.path().join("log");
    let environment = [("LD_PRELOAD", &*shim), ("SHIM_DIR", &work), ("SHIM_LOG", &log_path)];
    let output = spawn(&work, 7, EVENTS, &environment)
        .wait_with_output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = read_log(&log_path);
    let rewrites = log
        .iter()
        .filter(|entry| entry.op == b'c' && entry.path.ends_with("complete"))
        .count();
    assert!(
        2 < rewrites,
        "the child rewrote its database {rewrites} times: too few to test a switch"
    );

    let ledger = ledger_path(&work);
    let mut dice = Dice::seeded(99);
    let mut checked = 0;
    let mut kept_in_all = 0;
    for crash in crash_points(&log, &mut dice) {
        // What had been told by then. The ledger is the witness: it is not subject to the power cut.
        let told = log[..crash]
            .iter()
            .filter(|entry| entry.op == b'w' && entry.path == ledger);
        let told: Vec<u8> = told.flat_map(|entry| entry.data.iter().copied()).collect();
        let told = Told::read(std::str::from_utf8(&told).unwrap());
        for mode in MODES {
            let image = tempfile::tempdir_in(dir.path()).unwrap();
            build(&log, crash, mode, &mut dice, &work, image.path());
            let when = format!(
                "{mode:?}, cut before entry {crash} of {}, {} kept",
                log.len(),
                told.kept.len()
            );
            let opened = Buffer::open(&image.path().join("buffer"), &config(), clock());
            let opened = opened.unwrap_or_else(|error| panic!("{when}: {error:?}"));
            assert_eq!(opened.replaced, None, "{when}");
            told.compare(&everything(&opened.buffer), 1, &when);
            // It works on, and gives out a number nobody was given before.
            let next = opened
                .buffer
                .append(crate::worker::event(&mut dice))
                .unwrap();
            assert!(
                !told.kept.contains_key(&next.sequence),
                "{when}: number {} again",
                next.sequence
            );
            checked += 1;
            kept_in_all += told.kept.len();
        }
    }
    assert!(200 <= checked, "{checked} images");
    eprintln!(
        "{checked} images of {} log entries, {rewrites} databases, {kept_in_all} kept marks compared",
        log.len()
    );
}

/// Half of them anywhere, half around what changes names: openings, snapshots, rewrites.
fn crash_points(log: &[Entry], dice: &mut Dice) -> Vec<usize> {
    let names: Vec<_> = (0..log.len())
        .filter(|index| !b"ws".contains(&log[*index].op))
        .collect();
    let whole = u64::try_from(log.len()).unwrap();
    (0..CRASH_POINTS)
        .map(|index| {
            if index % 2 == 0 {
                return usize::try_from(1 + dice.roll(whole)).unwrap();
            }
            let near =
                names[usize::try_from(dice.roll(u64::try_from(names.len()).unwrap())).unwrap()];
            (near + usize::try_from(dice.roll(4)).unwrap()).min(log.len())
        })
        .collect()
}

fn compile(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/powerloss.c");
    let shim = dir.join("powerloss.so");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&shim)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .status();
    assert!(status.expect("a C compiler").success());
    shim
}
