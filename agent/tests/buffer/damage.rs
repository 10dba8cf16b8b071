//! Damaged files, a second process, odd sizes: what the buffer says about itself.

use std::path::{Path, PathBuf};

use shirase_agent::buffer::{Buffer, BufferError};
use shirase_shared::event::{Anomaly, LossKind, Record};
use shirase_shared::ids::Sequence;
use shirase_shared::redact::PathFacts;

use crate::worker::{Dice, clock, config, event, everything, open};

fn database(dir: &Path) -> PathBuf {
    let log = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    log.filter(|path| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("log-")
    })
    .max()
    .unwrap()
}

fn anomalies(buffer: &Buffer) -> Vec<Anomaly> {
    let record = |line: shirase_agent::buffer::StoredLine| {
        serde_json::from_slice::<Record>(&line.line).unwrap()
    };
    everything(buffer)
        .into_iter()
        .map(|line| record(line).event.anomaly)
        .collect()
}

#[test]
fn a_buffer_that_does_not_open_is_set_aside_and_the_new_one_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let buffer = open(dir.path());
    let stream = buffer.stream();
    buffer.append(event(&mut Dice::seeded(1))).unwrap();
    drop(buffer);
    std::fs::write(database(dir.path()).join("conf"), "no configuration of a database").unwrap();

    let opened = Buffer::open(dir.path(), &config(), clock()).unwrap();
    assert_eq!(opened.replaced.unwrap().what, LossKind::BufferReplaced);
    assert_ne!(opened.buffer.stream(), stream, "a new buffer has a new stream");
    let told = anomalies(&opened.buffer);
    assert!(
        matches!(&told[..], [Anomaly::Loss(loss)] if loss.what == LossKind::BufferReplaced),
        "{told:?}"
    );
    let kept = std::fs::read_dir(dir.path()).unwrap();
    let kept = kept.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("quarantine-")
    });
    assert_eq!(kept.count(), 1);
    drop(opened.buffer);
    assert_eq!(anomalies(&open(dir.path())).len(), 1, "it is said once");
}

#[test]
fn a_second_process_is_told_to_ask_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path());
    let second = Buffer::open(dir.path(), &config(), clock());
    let error = second.err().expect("the directory is taken");
    assert!(matches!(error, BufferError::InUse { .. }));
    assert!(error.to_string().contains("in use by another process"), "{error}");
}

#[test]
fn an_event_too_long_for_a_record_loses_its_samples_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let buffer = open(dir.path());
    let mut long = shirase_shared::testing::builders::mass_change(
        shirase_shared::ids::BurstId::random(),
        shirase_shared::event::Phase::Grew,
        7,
        0,
    );
    let sample = PathFacts {
        root: "share".to_owned(),
        depth: 2,
        extension: None,
        hash: "00".repeat(8),
        path: Some("x".repeat(1000)),
    };
    if let Anomaly::MassChange(evidence) = &mut long.anomaly {
        evidence.samples = vec![sample; 80];
    }
    buffer.append(long.clone()).unwrap();
    let found: Record = serde_json::from_slice(&everything(&buffer)[0].line).unwrap();
    if let Anomaly::MassChange(evidence) = &mut long.anomaly {
        evidence.samples.clear();
    }
    assert_eq!(found.event, long);

    long.root = Some("x".repeat(70_000));
    assert!(matches!(buffer.append(long), Err(BufferError::TooLarge { .. })));
    assert_eq!(buffer.level().refused, 1, "a refused event is counted");
    buffer.tend().unwrap();
    let told = anomalies(&buffer);
    let last = told.last().unwrap();
    assert!(
        matches!(last, Anomaly::Loss(loss) if loss.what == LossKind::BufferFull && loss.count == Some(1)),
        "{last:?}"
    );
    assert_eq!(buffer.level().refused, 0);
}

#[test]
fn records_set_aside_are_exported_with_their_reason_and_never_sent() {
    let dir = tempfile::tempdir().unwrap();
    let buffer = open(dir.path());
    for seed in 0..3 {
        buffer.append(event(&mut Dice::seeded(seed))).unwrap();
    }
    buffer
        .set_aside(buffer.stream(), Sequence(2), "the collector will never take it")
        .unwrap();
    let numbers: Vec<_> = buffer
        .peek(10, 1 << 20)
        .unwrap()
        .iter()
        .map(|line| line.sequence.0)
        .collect();
    assert_eq!(numbers, [1, 3, 4]);

    let mut out = Vec::new();
    assert_eq!(buffer.export(&mut out).unwrap(), 4);
    let lines: Vec<serde_json::Value> = out
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(lines[2]["evidence"]["what"], "record_set_aside");
    assert_eq!(lines[3]["set_aside"]["sequence"], 2);
    let verified = buffer.verify().unwrap();
    assert_eq!((verified.whole, verified.damaged.len(), verified.set_aside.len()), (3, 0, 1));
}

#[test]
fn an_event_that_tells_of_a_record_set_aside_does_not_beget_another_one() {
    let dir = tempfile::tempdir().unwrap();
    let buffer = open(dir.path());
    buffer.append(event(&mut Dice::seeded(1))).unwrap();
    for sequence in 1..=2 {
        buffer
            .set_aside(buffer.stream(), Sequence(sequence), "refused")
            .unwrap();
    }
    assert_eq!((buffer.level().waiting, buffer.level().set_aside), (0, 2));
}
