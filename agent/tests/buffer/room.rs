//! A buffer that fills up, and a disk that does.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use shirase_agent::buffer::{Buffer, BufferConfig, BufferError, Kept};
use shirase_shared::event::{Anomaly, Event, LossKind, Record, Severity};
use shirase_shared::ids::Sequence;

use crate::worker::{Dice, clock, event, everything};

const MIB: u64 = 1024 * 1024;

fn with_severity(severity: Severity, dice: &mut Dice) -> Event {
    Event { severity, ..event(dice) }
}

#[track_caller]
fn assert_all_there(buffer: &Buffer, kept: &BTreeMap<Sequence, String>) {
    let found: BTreeMap<_, _> = everything(buffer)
        .into_iter()
        .map(|line| (line.sequence, line.hash))
        .collect();
    let lost: Vec<_> = kept
        .iter()
        .filter(|(sequence, hash)| found.get(*sequence) != Some(*hash))
        .collect();
    assert!(lost.is_empty(), "kept and not there: {lost:?}");
}

fn note(kept: &mut BTreeMap<Sequence, String>, outcome: Kept) {
    kept.insert(outcome.sequence, outcome.hash);
}

#[test]
fn as_it_fills_low_events_are_refused_and_counted_and_high_ones_still_come_in() {
    let dir = tempfile::tempdir().unwrap();
    let config = BufferConfig { limit_bytes: 4 * MIB, reserve_percent: 30, ballast_bytes: 0 };
    let buffer = Buffer::open(dir.path(), &config, clock()).unwrap().buffer;
    let mut dice = Dice::seeded(4);
    let mut kept = BTreeMap::new();
    loop {
        match buffer.append(with_severity(Severity::Low, &mut dice)) {
            Ok(outcome) => note(&mut kept, outcome),
            Err(BufferError::Full { .. }) => break,
            Err(other) => panic!("{other}"),
        }
    }
    let ordinary = kept.len();
    for _ in 0..4 {
        assert!(
            buffer
                .append(with_severity(Severity::Medium, &mut dice))
                .is_err()
        );
    }
    loop {
        match buffer.append(with_severity(Severity::Critical, &mut dice)) {
            Ok(outcome) => note(&mut kept, outcome),
            Err(BufferError::Full { used_bytes, limit_bytes }) => {
                assert!(used_bytes <= limit_bytes, "{used_bytes} of {limit_bytes}");
                break;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(ordinary + 100 < kept.len(), "the reserve held only {}", kept.len() - ordinary);
    assert!(6 <= buffer.level().refused);
    assert_all_there(&buffer, &kept);

    // A restart changes nothing and forgets no count.
    drop(buffer);
    let buffer = Buffer::open(dir.path(), &config, clock()).unwrap().buffer;
    assert_all_there(&buffer, &kept);
    assert!(0 < buffer.level().refused, "the counts were forgotten");

    // Drained like by an uplink, it takes everything again and tells what it refused.
    let last = everything(&buffer).last().unwrap().clone();
    buffer.remove_through(last.stream, last.sequence).unwrap();
    buffer
        .append(with_severity(Severity::Low, &mut dice))
        .unwrap();
    let records: Vec<Record> = everything(&buffer)
        .iter()
        .map(|line| serde_json::from_slice(&line.line).unwrap())
        .collect();
    let told = records
        .iter()
        .find_map(|record| match &record.event.anomaly {
            Anomaly::Loss(loss) if loss.what == LossKind::BufferFull => loss.count,
            Anomaly::Loss(_)
            | Anomaly::MassChange(_)
            | Anomaly::Outage(_)
            | Anomaly::Pressure(_)
            | Anomaly::Logon(_)
            | Anomaly::Protection(_)
            | Anomaly::Backup(_)
            | Anomaly::Stops(_)
            | Anomaly::Print(_)
            | Anomaly::Agent(_) => None,
        });
    assert!(told.is_some_and(|count| 5 <= count), "{records:#?}");
    assert!(buffer.level().used_bytes < 2 * MIB, "rewritten: {:?}", buffer.level());
}

#[test]
fn a_full_disk_refuses_drains_and_recovers_without_losing_anything() {
    let Some(disk) = SmallDisk::mount(64) else {
        eprintln!(
            "no right to mount a tmpfs: only the reserved share was tested, in the test beside this one"
        );
        return;
    };
    let config =
        BufferConfig { limit_bytes: 256 * MIB, reserve_percent: 20, ballast_bytes: 16 * MIB };
    let dir = disk.path().join("buffer");
    let buffer = Buffer::open(&dir, &config, clock()).unwrap().buffer;
    let mut dice = Dice::seeded(5);
    let mut kept = BTreeMap::new();
    for _ in 0..200 {
        note(
            &mut kept,
            buffer
                .append(with_severity(Severity::Low, &mut dice))
                .unwrap(),
        );
    }
    // Somebody else fills the disk to the last byte.
    let filler = disk.path().join("filler");
    let status = Command::new("dd")
        .args(["if=/dev/zero", "bs=64k", &format!("of={}", filler.display())])
        .stderr(std::process::Stdio::null())
        .status();
    assert!(!status.unwrap().success(), "the disk should have been too small");
    assert!(
        buffer
            .append(with_severity(Severity::Low, &mut dice))
            .is_err(),
        "ordinary events wait for room"
    );
    let mut refused = 0;
    for _ in 0..40_000 {
        match buffer.append(with_severity(Severity::Critical, &mut dice)) {
            Ok(outcome) => note(&mut kept, outcome),
            Err(_) => refused += 1,
        }
        if refused == 10 {
            break;
        }
    }
    assert_eq!(refused, 10, "the ballast is 16 MiB: it must end somewhere");
    assert!(300 < kept.len(), "serious events found room where the ballast was: {}", kept.len());
    assert_all_there(&buffer, &kept);

    // Room comes back: nothing is lost, it drains, and it tells what it refused.
    std::fs::remove_file(filler).unwrap();
    buffer.tend().unwrap();
    assert_all_there(&buffer, &kept);
    drop(buffer);
    let buffer = Buffer::open(&dir, &config, clock()).unwrap();
    assert_eq!(buffer.replaced, None, "a full disk is not damage");
    let buffer = buffer.buffer;
    assert_all_there(&buffer, &kept);
    note(
        &mut kept,
        buffer
            .append(with_severity(Severity::Low, &mut dice))
            .unwrap(),
    );
    while let [.., last] = &buffer.peek(500, 1 << 20).unwrap()[..] {
        buffer.remove_through(last.stream, last.sequence).unwrap();
    }
    assert_eq!(buffer.level().waiting, 0);
}

#[test]
fn a_full_disk_still_drains() {
    let Some(disk) = SmallDisk::mount(64) else {
        eprintln!("no right to mount a tmpfs");
        return;
    };
    let config =
        BufferConfig { limit_bytes: 256 * MIB, reserve_percent: 20, ballast_bytes: 16 * MIB };
    let dir = disk.path().join("buffer");
    let buffer = Buffer::open(&dir, &config, clock()).unwrap().buffer;
    let mut dice = Dice::seeded(6);
    for _ in 0..2000 {
        buffer
            .append(with_severity(Severity::Low, &mut dice))
            .unwrap();
    }
    let filler = disk.path().join("filler");
    let dd = ["if=/dev/zero", "bs=4k", &format!("of={}", filler.display())];
    assert!(
        !Command::new("dd")
            .args(dd)
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    // Also through a restart on the full disk.
    drop(buffer);
    let buffer = Buffer::open(&dir, &config, clock()).unwrap();
    assert_eq!(buffer.replaced, None);
    let buffer = buffer.buffer;
    assert!(2000 <= buffer.level().waiting);
    while let [.., last] = &buffer.peek(200, 1 << 20).unwrap()[..] {
        buffer.remove_through(last.stream, last.sequence).unwrap();
    }
    assert_eq!(buffer.level().waiting, 0);
}

/// A tmpfs of its own, unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(mib: u64) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(dir.path())
            .status();
        status
            .is_ok_and(|status| status.success())
            .then_some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a failed test may still hold files.
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}
