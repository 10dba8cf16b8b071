//! The process that is killed: appends and removes, and writes down elsewhere what it was told.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use shirase_agent::buffer::{Buffer, BufferConfig, StoredLine};
use shirase_shared::clock::{ManualClock, SharedClock};
use shirase_shared::event::{Anomaly, Event, LossKind, OutageState, Phase, Record, Severity};
use shirase_shared::ids::{BurstId, Sequence, StreamId};
use shirase_shared::testing::builders::{mass_change, night, outage};
use shirase_shared::wire::record_hash;

/// Tells the child how many events to append at the most.
const EVENTS: &str = "SHIRASE_TEST_EVENTS";
/// Tells the child where to work.
const DIR: &str = "SHIRASE_TEST_DIR";
/// Tells the child its seed.
const SEED: &str = "SHIRASE_TEST_SEED";

/// A small, seeded source of randomness.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides.max(1)
    }
}

pub(crate) fn clock() -> SharedClock {
    Arc::new(ManualClock::new(night()))
}

/// Small enough that a busy child rewrites its database several times.
pub(crate) fn config() -> BufferConfig {
    BufferConfig { limit_bytes: 3 * 1024 * 1024, reserve_percent: 20, ballast_bytes: 0 }
}

pub(crate) fn open(dir: &Path) -> Buffer {
    let opened = Buffer::open(dir, &config(), clock()).expect("the buffer opens");
    assert_eq!(opened.replaced, None, "the buffer was replaced");
    opened.buffer
}

/// An event of a random kind and length, most of them short.
pub(crate) fn event(dice: &mut Dice) -> Event {
    let seconds = i64::try_from(dice.roll(86_400)).unwrap();
    let mut event = match dice.roll(3) {
        0 => outage("ehr-web", OutageState::Down, BurstId::random(), seconds),
        _ => mass_change(BurstId::random(), Phase::Grew, dice.roll(9999), seconds),
    };
    let length = match dice.roll(40) {
        0 => 50_000,
        1..4 => 9000,
        _ => dice.roll(600),
    };
    event.reason = (0..length)
        .map(|_| char::from(b'a' + u8::try_from(dice.roll(26)).unwrap()))
        .collect();
    event.severity = if dice.roll(4) == 0 { Severity::Critical } else { Severity::High };
    event
}

/// Everything that waits, of all streams.
pub(crate) fn everything(buffer: &Buffer) -> Vec<StoredLine> {
    let mut mark = shirase_agent::buffer::Mark::default();
    let mut all = Vec::new();
    loop {
        let (lines, next) = buffer.waiting_after(mark).expect("the buffer reads");
        if lines.is_empty() {
            return all;
        }
        mark = next;
        all.extend(lines);
    }
}

/// What the child was told, as its ledger has it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Kept: number to hash.
    pub(crate) kept: BTreeMap<Sequence, String>,
    /// A removal up to here was begun.
    pub(crate) removal_begun: Sequence,
    /// A removal up to here was reported done.
    pub(crate) removal_done: Sequence,
    pub(crate) stream: Option<StreamId>,
}

impl Told {
    /// Reads a ledger, or the part of one that was written before a crash. A torn last line was never told.
    pub(crate) fn read(text: &str) -> Self {
        let mut told = Self::default();
        for line in text
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
        {
            let words: Vec<_> = line.split(' ').collect();
            let number = |at: usize| Sequence(words[at].parse().unwrap());
            match words[0] {
                "kept" => {
                    let stream = words[1].parse().unwrap();
                    assert!(told.stream.is_none_or(|known| known == stream), "the stream changed");
                    told.stream = Some(stream);
                    let before = told.kept.insert(number(2), words[3].to_owned());
                    assert_eq!(before, None, "number {} was given out twice", words[2]);
                }
                "removing" => told.removal_begun = told.removal_begun.max(number(1)),
                "removed" => told.removal_done = told.removal_done.max(number(1)),
                other => panic!("the ledger says `{other}`"),
            }
        }
        told
    }

    /// Compares with what is found: nothing missing, doubled or invented. At most `in_flight` records may be there
    /// that nobody was told of, because the process died between commit and ledger; they are returned.
    #[track_caller]
    pub(crate) fn compare(
        &self,
        found: &[StoredLine],
        in_flight: usize,
        when: &str,
    ) -> Vec<StoredLine> {
        let mut present = BTreeMap::new();
        let mut untold = Vec::new();
        let mut last = Sequence(0);
        for line in found {
            assert_eq!(record_hash(&line.line), line.hash, "{when}: a hash is wrong");
            assert!(last < line.sequence, "{when}: {} comes twice or out of order", line.sequence);
            last = line.sequence;
            match self.kept.get(&line.sequence) {
                Some(hash) => assert_eq!(hash, &line.hash, "{when}: {} changed", line.sequence),
                // The buffer's own word about what it refused was never the caller's to be told of.
                None if tells_refusals(line) => {}
                None => untold.push(line.clone()),
            }
            if let Some(stream) = self.stream {
                assert_eq!(line.stream, stream, "{when}: the stream changed");
            }
            present.insert(line.sequence, &line.hash);
        }
        for sequence in self.kept.keys() {
            if self.removal_begun < *sequence {
                assert!(present.contains_key(sequence), "{when}: kept record {sequence} is lost");
            }
            if *sequence <= self.removal_done {
                assert!(
                    !present.contains_key(sequence),
                    "{when}: removed record {sequence} is back"
                );
            }
        }
        assert!(
            untold.len() <= in_flight,
            "{when}: invented {:?}",
            untold.iter().map(|l| l.sequence).collect::<Vec<_>>()
        );
        let highest = self.kept.keys().last().copied().unwrap_or_default();
        assert!(untold.iter().all(|line| highest < line.sequence), "{when}: an old number came up");
        untold
    }
}

fn tells_refusals(line: &StoredLine) -> bool {
    let record: Record = serde_json::from_slice(&line.line).expect("a whole record");
    matches!(record.event.anomaly, Anomaly::Loss(loss) if loss.what == LossKind::BufferFull)
}

pub(crate) fn ledger_path(dir: &Path) -> PathBuf {
    dir.join("ledger")
}

/// Starts the child on `dir`.
pub(crate) fn spawn(dir: &Path, seed: u64, events: u64, environment: &[(&str, &Path)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "worker::child", "--test-threads=1"])
        .env(DIR, dir)
        .env(SEED, seed.to_string())
        .env(EVENTS, events.to_string())
        .envs(environment.iter().map(|(name, value)| (*name, *value)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the child starts")
}

/// Not a test of its own: the body of the process that the other tests start and kill.
#[test]
#[ignore = "started as a child process by the tests beside it"]
fn child() {
    let dir = PathBuf::from(std::env::var_os(DIR).expect("started by a test"));
    let number = |name| std::env::var(name).unwrap().parse().unwrap();
    work(&dir, number(SEED), number(EVENTS));
}

fn work(dir: &Path, seed: u64, events: u64) {
    let mut dice = Dice::seeded(seed);
    let ledger = File::options()
        .create(true)
        .append(true)
        .open(ledger_path(dir))
        .unwrap();
    let write = |line: String| {
        (&ledger).write_all(line.as_bytes()).unwrap();
        ledger.sync_data().unwrap();
    };
    let mut appended = 0;
    while appended < events {
        let buffer = open(&dir.join("buffer"));
        let until = (appended + 1 + dice.roll(events)).min(events);
        let remover = std::thread::scope(|scope| {
            let remover = scope.spawn(|| remove_now_and_then(&buffer, seed ^ until, &write));
            while appended < until {
                appended += 1;
                if let Ok(kept) = buffer.append(event(&mut dice)) {
                    write(format!("kept {} {} {}\n", kept.stream, kept.sequence, kept.hash));
                }
                if dice.roll(50) == 0 {
                    buffer.tend().unwrap();
                }
                remover.thread().unpark();
            }
            STOP.store(true, std::sync::atomic::Ordering::SeqCst);
            remover.thread().unpark();
            remover.join()
        });
        remover.expect("the remover ends well");
        STOP.store(false, std::sync::atomic::Ordering::SeqCst);
    }
}

static STOP: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Removes batches the way the uplink does, while events come in.
fn remove_now_and_then(buffer: &Buffer, seed: u64, write: &(dyn Fn(String) + Sync)) {
    let mut dice = Dice::seeded(seed);
    while !STOP.load(std::sync::atomic::Ordering::SeqCst) {
        std::thread::park_timeout(std::time::Duration::from_millis(5));
        if dice.roll(3) != 0 {
            continue;
        }
        let most = usize::try_from(1 + dice.roll(60)).unwrap();
        let lines = buffer.peek(most, 1 << 20).unwrap();
        let Some(last) = lines.last() else { continue };
        write(format!("removing {}\n", last.sequence));
        buffer.remove_through(last.stream, last.sequence).unwrap();
        write(format!("removed {}\n", last.sequence));
    }
}
