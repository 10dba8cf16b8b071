//! Stores a batch and says what the agent may forget.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::ids::{BootId, FacilityId, HostId, Sequence, StreamId};
use shirase_shared::wire::{
    Ack, BATCH_MAX_RECORDS, Batch, BatchError, Refusal, RefusalReason, WIRE_VERSION, batch_digest,
    record_hash,
};

use super::clock_offset::{ClockOffset, Corrected, correct};
use super::reading::{Line, Reading, read_batch};
use crate::records::{BatchStored, NewRecord, SeenRecord};
use crate::store::{Store, StoreError};

/// Uncertainty of a record that does not say when it happened: all that is known is that it was before it came.
const UNDATED: Duration = Duration::from_secs(24 * 3600);

/// Where a batch comes from and when.
#[derive(Clone, Debug)]
pub struct Intake {
    /// Facility of the certificate.
    pub facility: FacilityId,
    /// Host of the certificate.
    pub host: HostId,
    /// When the request came.
    pub received_at: Timestamp,
}

/// What became of a batch that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Stored, up to where the answer says.
    Stored(Ack, BatchStored),
    /// Nothing stored: one record will never be taken.
    Refused(Refusal),
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The body is no batch.
    #[error("the batch was not taken")]
    Batch(#[from] BatchError),
    /// It speaks another version of the protocol.
    #[error(
        "the batch speaks version {0} of the protocol, this collector speaks {WIRE_VERSION}; update whichever of the two is older"
    )]
    Version(u16),
    /// It holds no record.
    #[error("the batch holds no record")]
    Empty,
    /// It holds too many records.
    #[error("the batch holds {0} records, more than {BATCH_MAX_RECORDS}")]
    TooMany(usize),
    /// The collector is stopping, or unpacking it failed in an unforeseen way.
    #[error("the work on the batch was broken off")]
    BrokenOff,
    /// The store failed: nothing of it is stored.
    #[error("the batch could not be stored")]
    Store(#[from] StoreError),
}

/// Unpacks, reads, dates and stores the body of a batch.
///
/// # Errors
/// When nothing of it was stored, and why.
pub async fn take_batch(
    store: &Store,
    intake: &Intake,
    body: Vec<u8>,
) -> Result<Taken, IntakeError> {
    // Unpacking a few MiB takes tens of milliseconds: not on a thread that serves others.
    let unpacked = tokio::task::spawn_blocking(move || unpack(&body)).await;
    let (sent, reading) = match unpacked.map_err(|_| IntakeError::BrokenOff)?? {
        Unpacked::Refused(refusal) => return Ok(Taken::Refused(refusal)),
        Unpacked::Read(sent, reading) => (sent, reading),
    };
    let lines = match reading {
        Reading::Refused(refusal) => return Ok(Taken::Refused(refusal)),
        Reading::Whole(lines) | Reading::Part(lines) => lines,
    };
    let (stream, moment) = sent;
    let offsets = note_clock(store, intake, moment).await?;
    let records: Vec<NewRecord> = lines
        .into_iter()
        .map(|line| {
            let corrected = line
                .moment
                .map_or(Corrected { at: intake.received_at, uncertainty: UNDATED }, |event| {
                    correct(event, moment, &offsets, intake.received_at)
                });
            new_record(line, stream, intake, corrected)
        })
        .collect();
    let stored_through = records
        .last()
        .map(|r| r.seen.sequence)
        .ok_or(IntakeError::Empty)?;
    let stored = store.store_batch(&records).await?;
    let digest = batch_digest(records.iter().map(|record| record.seen.hash.as_str()));
    if 0 < stored.forked {
        tracing::warn!(
            host.id = %intake.host, stream.id = %stream, records = stored.forked,
            "host {} sent other records under numbers already stored: a copied agent or a restored disk", intake.host
        );
    }

    Ok(Taken::Stored(Ack { stream, stored_through, digest }, stored))
}

/// Joins what a request says of its host's clocks with what is known, and remembers it.
///
/// # Errors
/// When the database fails.
pub async fn note_clock(
    store: &Store,
    intake: &Intake,
    sent: Moment,
) -> Result<BTreeMap<BootId, ClockOffset>, StoreError> {
    let mut offsets = store.clock_offsets(&intake.facility, intake.host).await?;
    let measured = ClockOffset::measure(sent, intake.received_at);
    let joined = offsets
        .get(&sent.boot)
        .map_or(measured, |known| known.joined(measured));
    store
        .save_clock_offset((&intake.facility, intake.host), sent.boot, joined)
        .await?;
    offsets.insert(sent.boot, joined);

    Ok(offsets)
}

enum Unpacked {
    Read((StreamId, Moment), Reading),
    Refused(Refusal),
}

fn unpack(body: &[u8]) -> Result<Unpacked, IntakeError> {
    let batch = match Batch::decode(body) {
        Ok(batch) => batch,
        Err(BatchError::LineTooLong { line }) => {
            let refusal = long_line(body, line).ok_or(BatchError::LineTooLong { line })?;
            return Ok(Unpacked::Refused(refusal));
        }
        Err(
            error @ (BatchError::Unpack(_)
            | BatchError::TooLarge
            | BatchError::Head(_)
            | BatchError::Count { .. }),
        ) => return Err(error.into()),
    };
    if batch.head.wire != WIRE_VERSION {
        return Err(IntakeError::Version(batch.head.wire));
    }
    if BATCH_MAX_RECORDS < batch.lines.len() {
        return Err(IntakeError::TooMany(batch.lines.len()));
    }
    if batch.lines.is_empty() {
        return Err(IntakeError::Empty);
    }
    let sent = (batch.head.stream, batch.head.sent);

    Ok(Unpacked::Read(sent, read_batch(batch)))
}

/// Names the record whose line is too long, where its own line says its number.
///
/// The whole was unpacked once up to here, so it is smaller than a batch may be.
fn long_line(body: &[u8], line: usize) -> Option<Refusal> {
    use std::io::{BufRead, BufReader, Read};

    #[derive(serde::Deserialize)]
    struct Key {
        stream: StreamId,
        sequence: Sequence,
    }
    let limit = u64::try_from(shirase_shared::wire::BATCH_MAX_BYTES).ok()?;
    let unpacker = zstd::stream::Decoder::new(body).ok()?.take(limit);
    let raw = BufReader::new(unpacker)
        .split(b'\n')
        .nth(line.checked_sub(1)?)?
        .ok()?;
    let Key { stream, sequence } = serde_json::from_slice(&raw).ok()?;

    Some(Refusal { stream, sequence, refused: RefusalReason::TooLong })
}

fn new_record(line: Line, stream: StreamId, intake: &Intake, corrected: Corrected) -> NewRecord {
    let seen = SeenRecord {
        facility: intake.facility.clone(),
        host: intake.host,
        stream,
        sequence: line.sequence,
        hash: record_hash(&line.raw),
        kind: line.kind,
        severity: line.severity,
        burst: line.burst,
        drill: line.drill,
        event: line.event,
        detected_at: line.detected_at,
        corrected_at: corrected.at,
        uncertainty: corrected.uncertainty,
        received_at: intake.received_at,
    };

    NewRecord { seen, raw: line.raw }
}
