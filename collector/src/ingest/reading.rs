//! Decides, line by line, what of a batch is taken. Pure.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Record, Severity};
use shirase_shared::ids::{BurstId, DrillId, Sequence, StreamId};
use shirase_shared::wire::{Batch, Refusal, RefusalReason};

/// Longest `kind` of an unknown event that is kept.
const KIND_MAX_CHARS: usize = 64;
/// Numbers above this do not fit the database.
const SEQUENCE_MAX: u64 = i64::MAX as u64;

/// What a batch says.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Every line fits.
    Whole(Vec<Line>),
    /// The lines up to one that does not fit and whose number is not certain: these are taken, the next batch begins
    /// with the bad one and so names its number in its head.
    Part(Vec<Line>),
    /// One line will never be taken.
    Refused(Refusal),
}

/// One line that fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number.
    pub sequence: Sequence,
    /// The line as sent.
    pub raw: Vec<u8>,
    /// What kind of event it tells.
    pub kind: String,
    /// The event, where this version can read it.
    pub event: Option<Event>,
    /// How much it matters.
    pub severity: Option<Severity>,
    /// The burst it belongs to.
    pub burst: Option<BurstId>,
    /// The drill it belongs to.
    pub drill: Option<DrillId>,
    /// When the detector decided, by the host's wall clock.
    pub detected_at: Option<Timestamp>,
    /// The same with boot and monotonic time.
    pub moment: Option<Moment>,
}

/// Reads every line of a batch that holds at least one.
#[must_use]
pub fn read_batch(batch: Batch) -> Reading {
    let stream = batch.head.stream;
    let lines = batch.lines;
    let mut taken: Vec<Line> = Vec::with_capacity(lines.len());
    for (index, raw) in lines.iter().enumerate() {
        let previous = taken.last().map(|line| line.sequence);
        let fits = |sequence: Sequence| match previous {
            Some(previous) => previous < sequence,
            None => sequence == batch.head.first,
        };
        match Line::read(raw, stream) {
            Some(line) if fits(line.sequence) => taken.push(line),
            Some(_) | None => {
                let next = lines.get(index + 1).and_then(|raw| Line::read(raw, stream));
                let number = match previous {
                    None => Some(batch.head.first),
                    Some(previous) => certain(previous, next.map(|line| line.sequence)),
                };
                let refused = RefusalReason::Malformed;
                return match number {
                    Some(sequence) => Reading::Refused(Refusal { stream, sequence, refused }),
                    None => Reading::Part(taken),
                };
            }
        }
    }

    Reading::Whole(taken)
}

/// Returns the number between two, if there is exactly one.
fn certain(previous: Sequence, next: Option<Sequence>) -> Option<Sequence> {
    let between = Sequence(previous.0.saturating_add(1));
    (next? == Sequence(between.0.saturating_add(1))).then_some(between)
}

impl Line {
    fn read(raw: &[u8], stream: StreamId) -> Option<Self> {
        let line = match serde_json::from_slice::<Record>(raw) {
            Ok(record) => Self::of_record(record, raw),
            Err(_) => Self::of_envelope(serde_json::from_slice(raw).ok()?, raw),
        };

        (line.1 == stream && line.0.sequence.0 <= SEQUENCE_MAX).then_some(line.0)
    }

    fn of_record(record: Record, raw: &[u8]) -> (Self, StreamId) {
        let event = record.event;
        let line = Self {
            sequence: record.sequence,
            raw: raw.to_vec(),
            kind: event.anomaly.kind().to_owned(),
            severity: Some(event.severity),
            burst: event.burst,
            drill: event.drill,
            detected_at: Some(event.detected_at),
            moment: Some(event.moment),
            event: Some(event),
        };

        (line, record.stream)
    }

    fn of_envelope(envelope: Envelope, raw: &[u8]) -> (Self, StreamId) {
        let kind = envelope.kind.as_str().unwrap_or("unreadable");
        let line = Self {
            sequence: envelope.sequence,
            raw: raw.to_vec(),
            kind: kind
                .chars()
                .filter(|c| !c.is_control())
                .take(KIND_MAX_CHARS)
                .collect(),
            event: None,
            severity: lenient(envelope.severity),
            burst: lenient(envelope.burst),
            drill: lenient(envelope.drill),
            detected_at: lenient(envelope.detected_at),
            moment: lenient(envelope.moment),
        };

        (line, envelope.stream)
    }
}

/// What even an unknown event has to say.
#[derive(Deserialize)]
struct Envelope {
    stream: StreamId,
    sequence: Sequence,
    #[serde(default)]
    kind: Value,
    #[serde(default)]
    severity: Value,
    #[serde(default)]
    burst: Value,
    #[serde(default)]
    drill: Value,
    #[serde(default)]
    detected_at: Value,
    #[serde(default)]
    moment: Value,
}

fn lenient<T: for<'a> Deserialize<'a>>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
    use shirase_shared::event::Phase;
    use shirase_shared::testing::builders::{mass_change, moment, numbered};
    use shirase_shared::wire::{BatchHead, WIRE_VERSION};

    use super::*;

    fn stream() -> StreamId {
        StreamId::from_uuid(uuid::Uuid::from_u128(5))
    }

    fn good(sequence: u64) -> String {
        let event = mass_change(BurstId::random(), Phase::Opened, 30, 10);
        let mut record = numbered(stream(), vec![event]).remove(0);
        record.sequence = Sequence(sequence);
        serde_json::to_string(&record).unwrap()
    }

    fn unknown(sequence: u64) -> String {
        format!(
            r#"{{"stream":"{}","sequence":{sequence},"kind":"canary","evidence":{{}},"severity":"critical","phase":"sideways"}}"#,
            stream()
        )
    }

    /// Checks what becomes of lines whose head says that the first has number 4.
    #[track_caller]
    fn check(lines: &[String], expected: &str) {
        let head = BatchHead {
            wire: WIRE_VERSION,
            stream: stream(),
            first: Sequence(4),
            count: lines.len(),
            sent: moment(20),
        };
        let lines = lines.iter().map(|line| line.clone().into_bytes()).collect();
        let numbers = |lines: Vec<Line>| {
            let shown = |line: &Line| {
                let mark = if line.event.is_some() { "" } else { "?" };
                format!(" {}{mark}", line.sequence)
            };
            lines.iter().map(shown).collect::<String>()
        };
        let found = match read_batch(Batch { head, lines }) {
            Reading::Whole(lines) => format!("whole{}", numbers(lines)),
            Reading::Part(lines) => format!("part{}", numbers(lines)),
            Reading::Refused(refusal) => format!("refused {}", refusal.sequence),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn known_and_unknown_kinds_are_taken_with_gaps_between_them() {
        check(&[good(4), unknown(5), good(9)], "whole 4 5? 9");
    }

    #[test]
    fn a_bad_line_is_refused_by_its_number_where_that_is_certain() {
        let bad = "{torn".to_owned();
        check(std::slice::from_ref(&bad), "refused 4");
        check(&[bad.clone(), good(5)], "refused 4");
        check(&[good(4), bad.clone(), good(6)], "refused 5");
        check(&[good(4), bad.clone(), good(7)], "part 4");
        check(&[good(4), good(5), bad], "part 4 5");
    }

    #[test]
    fn a_line_whose_number_or_stream_does_not_fit_is_bad() {
        let foreign = good(5).replace("00000005", "00000006");
        assert_ne!(foreign, good(5));
        check(&[good(4), foreign, good(6)], "refused 5");
        check(&[good(5)], "refused 4");
        check(&[good(4), good(4), good(6)], "refused 5");
        check(&[good(4), "[1]".to_owned(), good(6)], "refused 5");
        check(&[good(4), "\"text\"".to_owned(), good(6)], "refused 5");
        check(&[unknown(4), unknown(u64::MAX), good(6)], "refused 5");
    }

    #[test]
    fn an_unknown_kind_keeps_what_can_be_read_of_it() {
        let line = Line::read(unknown(7).as_bytes(), stream()).unwrap();
        assert_eq!((line.kind.as_str(), line.severity), ("canary", Some(Severity::Critical)));
        let odd = format!(r#"{{"stream":"{}","sequence":1,"kind":7,"severity":9}}"#, stream());
        let line = Line::read(odd.as_bytes(), stream()).unwrap();
        assert_eq!((line.kind.as_str(), line.severity), ("unreadable", None));
    }
}
