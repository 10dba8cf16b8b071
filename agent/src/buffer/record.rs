//! How a record looks in the database, and how damage to one is noticed.
//!
//! ```text
//! key    r │ position u64 big-endian │ part u16      a record that waits
//!        x │ position u64 big-endian │ part u16      a record set aside
//!        s                                           state: streams and the highest position given out
//!        l                                           refused events, counted by kind and severity
//! value  version 1 │ parts u16 │ CRC-32 over key and payload │ payload (JSON line, or a part of it)
//! ```
//!
//! Always holds: a payload comes back exactly as it was written or as [`Damage`]; a position is never used twice.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shirase_shared::event::{Anomaly, Event};
use shirase_shared::ids::{Sequence, StreamId};

use super::engine::{Change, Pair, VALUE_MAX_BYTES};

/// The layout this build writes.
const VERSION: u8 = 1;
/// Version, parts and checksum before each payload.
const HEADER_BYTES: usize = 1 + 2 + 4;
/// Payload in one value.
const PART_BYTES: usize = VALUE_MAX_BYTES - HEADER_BYTES;
/// Longest `reason` of an event that had to be trimmed, in characters.
const TRIMMED_REASON_CHARS: usize = 1000;

/// Key of the state.
pub(super) const STATE_KEY: &[u8] = b"s";
/// Key of the counts of refused events.
pub(super) const REFUSED_KEY: &[u8] = b"l";

/// The two families of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// Waits for the collector.
    Waiting,
    /// Will never be sent; kept for people.
    Aside,
}

impl Space {
    const fn tag(self) -> u8 {
        match self {
            Self::Waiting => b'r',
            Self::Aside => b'x',
        }
    }
}

/// What is wrong with a value on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage(pub(super) String);

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One record as read back.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) position: u64,
    /// The keys it occupies.
    pub(super) keys: Vec<Vec<u8>>,
    /// Bytes it occupies, keys included.
    pub(super) bytes: u64,
    pub(super) payload: Result<Vec<u8>, Damage>,
    /// What a damaged record still holds; empty for a whole one.
    pub(super) raw: Vec<u8>,
}

/// The streams of this buffer and the highest position given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) last: u64,
    /// Oldest first; the last one is current. Never empty.
    pub(super) streams: Vec<Span>,
}

/// One stream: it owns the positions after `base`, up to the next stream's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) stream: StreamId,
    pub(super) base: u64,
}

impl State {
    /// The state of a buffer that begins its life.
    pub(super) fn born() -> Self {
        Self { last: 0, streams: vec![Span { stream: StreamId::random(), base: 0 }] }
    }

    /// Returns the stream that new records join.
    pub(super) fn current(&self) -> Span {
        self.streams
            .last()
            .copied()
            .unwrap_or(Span { stream: StreamId::from_uuid(uuid::Uuid::nil()), base: 0 })
    }

    /// Returns the number of the last record in the current stream; 0 if there is none yet.
    pub(super) fn last_sequence(&self) -> Sequence {
        Sequence(self.last - self.current().base)
    }

    /// Returns which record a position holds.
    pub(super) fn locate(&self, position: u64) -> (StreamId, Sequence) {
        let owner = self.streams.iter().rev().find(|span| span.base < position);
        let owner = owner.copied().unwrap_or_else(|| self.current());
        (owner.stream, Sequence(position.saturating_sub(owner.base)))
    }

    /// Returns the positions `from..=through` that hold a stream's records up to `sequence`; `None` for a foreign stream.
    pub(super) fn positions(&self, stream: StreamId, sequence: Sequence) -> Option<(u64, u64)> {
        let index = self.streams.iter().position(|span| span.stream == stream)?;
        let base = self.streams.get(index)?.base;
        let end = self
            .streams
            .get(index + 1)
            .map_or(self.last, |next| next.base);

        Some((base + 1, base.saturating_add(sequence.0).min(end)))
    }

    /// Begins a new stream and forgets those whose records have all left (`oldest` is the first position still held).
    pub(super) fn begin(&mut self, oldest: Option<u64>) -> StreamId {
        let stream = StreamId::random();
        let oldest = oldest.unwrap_or(self.last + 1);
        let bases: Vec<_> = self.streams.iter().skip(1).map(|span| span.base).collect();
        let ends = bases.into_iter().chain([self.last]);
        let held: Vec<_> = self.streams.iter().copied().zip(ends).collect();
        self.streams = held
            .into_iter()
            .filter(|(_, end)| oldest <= *end)
            .map(|(span, _)| span)
            .collect();
        self.streams.push(Span { stream, base: self.last });
        stream
    }
}

/// Returns the first key of a position.
pub(super) fn key(space: Space, position: u64, part: u16) -> Vec<u8> {
    let mut key = vec![space.tag()];
    key.extend(position.to_be_bytes());
    key.extend(part.to_be_bytes());
    key
}

/// Returns the key before which a family ends.
pub(super) fn end(space: Space) -> Vec<u8> {
    vec![space.tag() + 1]
}

/// Returns the changes that write a payload at a position.
pub(super) fn write(space: Space, position: u64, payload: &[u8]) -> Vec<Change> {
    let parts = payload.chunks(PART_BYTES);
    let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
    let put = |(part, bytes): (u16, &[u8])| {
        let key = key(space, position, part);
        let value = seal(&key, count, bytes);
        Change::Put(key, value)
    };
    (0..count).zip(parts).map(put).collect()
}

/// Returns the change that writes a single value such as the state.
pub(super) fn write_single(
    key: &[u8],
    content: &impl Serialize,
) -> Result<Change, serde_json::Error> {
    let payload = serde_json::to_vec(content)?;
    Ok(Change::Put(key.to_vec(), seal(key, 1, &payload)))
}

/// Reads a single value such as the state.
pub(super) fn read_single<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T, Damage> {
    let (_, payload) = unseal(key, value)?;
    serde_json::from_slice(payload).map_err(|error| Damage(format!("unreadable value: {error}")))
}

/// Puts the pairs of a scan together to records. The last record is left out if the scan may have cut it (`cut`).
pub(super) fn assemble(pairs: Vec<Pair>, cut: bool) -> Vec<Entry> {
    let mut groups: Vec<(u64, Vec<Pair>)> = Vec::new();
    for pair in pairs {
        let position = position_of(&pair.0);
        match groups.last_mut() {
            Some((last, group)) if *last == position => group.push(pair),
            Some(_) | None => groups.push((position, vec![pair])),
        }
    }
    if cut && 1 < groups.len() {
        groups.pop();
    }
    groups
        .into_iter()
        .map(|(position, group)| join(position, group))
        .collect()
}

fn join(position: u64, group: Vec<Pair>) -> Entry {
    let bytes = group
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum::<usize>();
    let mut payload = Ok(Vec::new());
    let mut expected = group.len();
    for (index, (key, value)) in group.iter().enumerate() {
        let part = part_of(key);
        match (&mut payload, unseal(key, value)) {
            (Ok(_), Ok(_)) if usize::from(part) != index => {
                payload = Err(Damage(format!("part {index} is missing")));
            }
            (Ok(whole), Ok((parts, bytes))) => {
                expected = usize::from(parts);
                whole.extend_from_slice(bytes);
            }
            (Ok(_), Err(damage)) => payload = Err(damage),
            (Err(_), _) => {}
        }
    }
    if payload.is_ok() && expected != group.len() {
        payload = Err(Damage(format!("{} of {expected} parts are there", group.len())));
    }
    let raw = match &payload {
        Ok(_) => Vec::new(),
        Err(_) => group
            .iter()
            .flat_map(|(_, value)| value.iter().copied())
            .collect(),
    };
    let keys = group.into_iter().map(|(key, _)| key).collect();

    Entry { position, keys, bytes: u64::try_from(bytes).unwrap_or(u64::MAX), payload, raw }
}

fn seal(key: &[u8], parts: u16, payload: &[u8]) -> Vec<u8> {
    let mut value = vec![VERSION];
    value.extend(parts.to_be_bytes());
    value.extend(checksum(key, payload).to_be_bytes());
    value.extend_from_slice(payload);
    value
}

fn unseal<'a>(key: &[u8], value: &'a [u8]) -> Result<(u16, &'a [u8]), Damage> {
    let Some((header, payload)) = value.split_at_checked(HEADER_BYTES) else {
        return Err(Damage(format!("only {} bytes long", value.len())));
    };
    let [version, parts_high, parts_low, crc @ ..] = header else {
        return Err(Damage("without a header".to_owned()));
    };
    if *version != VERSION {
        return Err(Damage(format!("version {version} is not known to this program")));
    }
    let expected = crc
        .iter()
        .fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
    let found = checksum(key, payload);
    if found != expected {
        return Err(Damage(format!("checksum {found:08x}, expected {expected:08x}")));
    }

    Ok((u16::from_be_bytes([*parts_high, *parts_low]), payload))
}

fn checksum(key: &[u8], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key);
    crc.update(payload);
    crc.finalize()
}

fn position_of(key: &[u8]) -> u64 {
    key.iter()
        .skip(1)
        .take(8)
        .fold(0, |all, byte| all << 8 | u64::from(*byte))
}

fn part_of(key: &[u8]) -> u16 {
    key.iter()
        .skip(9)
        .take(2)
        .fold(0, |all, byte| all << 8 | u16::from(*byte))
}

/// Takes out of an event what is only an illustration, for when its line is too long.
pub(super) fn trim(mut event: Event) -> Event {
    match &mut event.anomaly {
        Anomaly::MassChange(evidence) => evidence.samples.clear(),
        Anomaly::Outage(_)
        | Anomaly::Pressure(_)
        | Anomaly::Loss(_)
        | Anomaly::Logon(_)
        | Anomaly::Protection(_)
        | Anomaly::Backup(_)
        | Anomaly::Stops(_)
        | Anomaly::Print(_)
        | Anomaly::Agent(_) => {}
    }
    if TRIMMED_REASON_CHARS < event.reason.chars().count() {
        event.reason = event
            .reason
            .chars()
            .take(TRIMMED_REASON_CHARS)
            .chain(['…'])
            .collect();
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(changes: Vec<Change>) -> Vec<Pair> {
        let pair = |change| match change {
            Change::Put(key, value) => (key, value),
            Change::Remove(_) => panic!("a write removes nothing"),
        };
        changes.into_iter().map(pair).collect()
    }

    #[test]
    fn a_payload_of_any_length_comes_back_from_values_of_bounded_size() {
        for length in [1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 64 * 1024] {
            let payload: Vec<u8> = (0..=255).cycle().take(length).collect();
            let pairs = pairs(write(Space::Waiting, 7, &payload));
            assert!(
                pairs
                    .iter()
                    .all(|(_, value)| value.len() <= VALUE_MAX_BYTES)
            );
            let entries = assemble(pairs, false);
            assert_eq!(entries.len(), 1);
            assert_eq!((entries[0].position, entries[0].payload.as_ref().unwrap()), (7, &payload));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_missing_part_is_noticed() {
        let whole = pairs(write(Space::Waiting, 7, &vec![5; PART_BYTES + 3]));
        let bits = whole[1].1.len() * 8;
        for bit in 0..bits {
            let mut torn = whole.clone();
            torn[1].1[bit / 8] ^= 1 << (bit % 8);
            assert!(assemble(torn, false)[0].payload.is_err(), "bit {bit}");
        }
        for missing in 0..2 {
            let mut torn = whole.clone();
            torn.remove(missing);
            assert!(assemble(torn, false)[0].payload.is_err(), "part {missing}");
        }
        let mut moved = whole;
        moved[0].0 = key(Space::Waiting, 8, 0);
        assert!(assemble(moved, false)[0].payload.is_err());
    }

    #[test]
    fn a_position_belongs_to_the_stream_that_was_current_when_it_was_given_out() {
        let mut state = State::born();
        let first = state.current().stream;
        state.last = 5;
        let second = state.begin(Some(4));
        state.last = 8;
        assert_eq!(state.last_sequence(), Sequence(3));
        assert_eq!(state.locate(5), (first, Sequence(5)));
        assert_eq!(state.locate(6), (second, Sequence(1)));
        assert_eq!(state.positions(first, Sequence(99)), Some((1, 5)));
        assert_eq!(state.positions(second, Sequence(2)), Some((6, 7)));
        assert_eq!(state.positions(StreamId::random(), Sequence(2)), None);
    }

    #[test]
    fn a_stream_without_records_is_forgotten_when_the_next_begins() {
        let mut state = State::born();
        let first = state.current().stream;
        state.last = 5;
        let second = state.begin(Some(4));
        state.last = 8;
        state.begin(Some(6));
        let known: Vec<_> = state.streams.iter().map(|span| span.stream).collect();
        assert!(!known.contains(&first) && known.contains(&second));
        state.begin(None);
        assert_eq!(state.streams.len(), 1);
    }
}
