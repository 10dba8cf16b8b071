//! Random histories against a plain map.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shirase_agent::buffer::{Buffer, BufferError};
use shirase_shared::event::{Anomaly, Event, LossKind, Record};
use shirase_shared::ids::{Sequence, StreamId};

use crate::worker::{Dice, event, everything, open};

#[derive(Clone, Debug)]
enum Step {
    Append(u64),
    Remove(u64),
    SetAside(u64),
    BeginStream,
    Tend,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<u64>().prop_map(Step::Append),
        3 => any::<u64>().prop_map(Step::Remove),
        2 => any::<u64>().prop_map(Step::SetAside),
        1 => Just(Step::BeginStream),
        1 => Just(Step::Tend),
        2 => Just(Step::Reopen),
    ]
}

/// What should be in the buffer: (order of streams, number) to the event.
#[derive(Default)]
struct Model {
    streams: Vec<StreamId>,
    waiting: BTreeMap<(usize, Sequence), Event>,
    aside: usize,
    last: u64,
}

impl Model {
    fn nth(&self, dice: u64) -> Option<(usize, Sequence)> {
        let index =
            usize::try_from(dice % u64::try_from(self.waiting.len().max(1)).unwrap()).unwrap();
        self.waiting.keys().nth(index).copied()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_history_leaves_what_a_plain_map_would_hold(steps in prop::collection::vec(step(), 1..50)) {
        let dir = tempfile::tempdir().unwrap();
        let mut buffer = open(dir.path());
        let mut model = Model { streams: vec![buffer.stream()], ..Model::default() };
        for step in steps {
            take(&step, &mut buffer, &mut model, dir.path());
            compare(&buffer, &model, &step);
        }
    }
}

fn take(step: &Step, buffer: &mut Buffer, model: &mut Model, dir: &std::path::Path) {
    match step {
        Step::Append(seed) => {
            let event = event(&mut Dice::seeded(*seed));
            let kept = buffer.append(event.clone()).unwrap();
            model.last += 1;
            assert_eq!(
                (kept.stream, kept.sequence),
                (*model.streams.last().unwrap(), Sequence(model.last))
            );
            model
                .waiting
                .insert((model.streams.len() - 1, kept.sequence), event);
        }
        Step::Remove(dice) => {
            let Some((stream, through)) = model.nth(*dice) else { return };
            let gone = |(at, sequence): &(usize, Sequence)| *at == stream && *sequence <= through;
            let expected = model.waiting.keys().filter(|key| gone(key)).count();
            let removed = buffer
                .remove_through(model.streams[stream], through)
                .unwrap();
            assert_eq!(removed, u64::try_from(expected).unwrap());
            model.waiting.retain(|key, _| !gone(key));
        }
        Step::SetAside(dice) => {
            let Some((stream, sequence)) = model.nth(*dice) else { return };
            buffer
                .set_aside(model.streams[stream], sequence, "a test refuses it")
                .unwrap();
            let event = model.waiting.remove(&(stream, sequence)).unwrap();
            model.aside += 1;
            let tells_itself = matches!(&event.anomaly, Anomaly::Loss(loss) if loss.what == LossKind::RecordSetAside);
            if !tells_itself {
                model.last += 1;
                let told = everything(buffer).pop().unwrap();
                let record: Record = serde_json::from_slice(&told.line).unwrap();
                assert!(
                    matches!(&record.event.anomaly, Anomaly::Loss(loss) if loss.what == LossKind::RecordSetAside)
                );
                model
                    .waiting
                    .insert((model.streams.len() - 1, Sequence(model.last)), record.event);
            }
            let again = buffer.set_aside(model.streams[stream], sequence, "twice");
            assert!(matches!(again, Err(BufferError::NoSuchRecord { .. })));
        }
        Step::BeginStream => {
            model.streams.push(buffer.begin_stream().unwrap());
            model.last = 0;
        }
        Step::Tend => buffer.tend().unwrap(),
        Step::Reopen => {
            // The only handle goes first: one process, one buffer.
            let empty = tempfile::tempdir().unwrap();
            *buffer = open(empty.path());
            *buffer = open(dir);
        }
    }
}

fn compare(buffer: &Buffer, model: &Model, step: &Step) {
    let found: Vec<_> = everything(buffer)
        .into_iter()
        .map(|line| {
            let record: Record = serde_json::from_slice(&line.line).unwrap();
            assert_eq!(
                (record.stream, record.sequence),
                (line.stream, line.sequence),
                "after {step:?}"
            );
            (line.stream, line.sequence, record.event)
        })
        .collect();
    let expected: Vec<_> = model
        .waiting
        .iter()
        .map(|((stream, sequence), event)| (model.streams[*stream], *sequence, event.clone()))
        .collect();
    assert_eq!(found, expected, "after {step:?}");
    assert_eq!(buffer.stream(), *model.streams.last().unwrap());
    assert_eq!(buffer.last_sequence(), Sequence(model.last), "after {step:?}");
    let level = buffer.level();
    assert_eq!(level.waiting, u64::try_from(expected.len()).unwrap(), "after {step:?}");
    assert_eq!(level.set_aside, u64::try_from(model.aside).unwrap(), "after {step:?}");
    let peeked = buffer.peek(usize::MAX, usize::MAX).unwrap();
    let first = expected.first().map(|(stream, _, _)| *stream);
    assert_eq!(
        peeked.len(),
        expected
            .iter()
            .filter(|(stream, _, _)| Some(*stream) == first)
            .count()
    );
}
