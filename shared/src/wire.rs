//! How records travel and how the collector answers.
//!
//! ```text
//! POST /v1/batches      zstd( {head}\n {record}\n {record}\n … )   ─▶  Ack | Refusal
//! POST /v1/heartbeat    Heartbeat                                  ─▶  HeartbeatAnswer (carries signed orders)
//! POST /v1/manifests    ciphertext, one finished burst             ─▶  ManifestReceipt
//! POST /v1/renew        RenewRequest                               ─▶  Certificate
//! POST /v1/enrol        EnrolRequest (other listener, no client certificate)  ─▶  EnrolAnswer
//! GET  /v1/authority    the authority's certificate in PEM, to be checked against a fingerprint
//! ```
//!
//! Always holds:
//! - at least once on the wire, once in the store: `(facility, host, stream, sequence)` is the key, facility and host
//!   come from the certificate and never from the body; a resent batch changes nothing;
//! - the collector answers after its commit, and only an answer that parses as [`Ack`] and whose digest equals that of
//!   the bytes sent lets an agent delete anything: a proxy's page with status 200 proves nothing;
//! - limits are checked while unpacking, before memory is taken.
//!
//! Version 1 is frozen: `shared/tests/wire` holds it as it was recorded, with what a later version may add and what not.

mod heartbeat;
mod order;
mod certificate;

use std::io::{BufRead, BufReader, Read, Write};

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::event::Severity;
use crate::ids::{Sequence, StreamId};
use crate::tls::sha256_hex;

pub use certificate::{EnrolAnswer, EnrolRequest, RenewAnswer, RenewRequest};
pub use heartbeat::{Heartbeat, HeartbeatAnswer, SensorReport, SensorState};
pub use order::{Action, Order, SignedOrder};

/// Version of this protocol, sent in the header [`WIRE_HEADER`] of every request and answer.
pub const WIRE_VERSION: u16 = 1;
/// Name of the header that carries [`WIRE_VERSION`].
pub const WIRE_HEADER: &str = "shirase-wire";
/// Media type of a batch.
pub const BATCH_CONTENT_TYPE: &str = "application/x-ndjson";

/// Largest record line in bytes, newline not counted. sled would write larger ones where it never syncs.
pub const RECORD_MAX_BYTES: usize = 64 * 1024;
/// Most records in one batch.
pub const BATCH_MAX_RECORDS: usize = 1000;
/// Largest batch in bytes before compression.
pub const BATCH_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Largest batch in bytes as sent.
pub const BATCH_MAX_COMPRESSED_BYTES: usize = 2 * 1024 * 1024;
/// Largest damage manifest in bytes as sent.
pub const MANIFEST_MAX_BYTES: usize = 64 * 1024 * 1024;
/// zstd level: 3 was the best of speed and size in others' measurements.
const ZSTD_LEVEL: i32 = 3;

/// First line of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchHead {
    /// Protocol version, see [`WIRE_VERSION`].
    pub wire: u16,
    /// Stream of every record in it.
    pub stream: StreamId,
    /// Number of the first record.
    pub first: Sequence,
    /// How many records follow, without gaps in their order (numbers may have gaps where a record was set aside).
    pub count: usize,
    /// When the agent sent it, with boot and monotonic time: what the collector corrects clocks by.
    pub sent: Moment,
}

/// Consecutive records as they are sent: the very lines whose hashes both sides remember.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The first line.
    pub head: BatchHead,
    /// The record lines without their newline, in order of sequence.
    pub lines: Vec<Vec<u8>>,
}

/// Why a body is not a batch.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// It is no zstd stream, or a torn one.
    #[error("the batch does not unpack as zstd")]
    Unpack(#[source] std::io::Error),
    /// Unpacked it would be larger than [`BATCH_MAX_BYTES`].
    #[error("the batch is larger than {BATCH_MAX_BYTES} bytes when unpacked")]
    TooLarge,
    /// One line is longer than [`RECORD_MAX_BYTES`].
    #[error("line {line} of the batch is longer than {RECORD_MAX_BYTES} bytes")]
    LineTooLong {
        /// Counted from 1, the head being line 1.
        line: usize,
    },
    /// The first line is not a [`BatchHead`].
    #[error("the first line of the batch is not a batch head")]
    Head(#[source] serde_json::Error),
    /// The head promises another number of records.
    #[error("the head announces {announced} records, the batch holds {found}")]
    Count {
        /// What the head says.
        announced: usize,
        /// What is there.
        found: usize,
    },
}

impl Batch {
    /// Packs the batch for sending.
    ///
    /// # Errors
    /// Only if zstd itself fails, which means no memory.
    pub fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut packer = zstd::stream::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
        packer.write_all(&serde_json::to_vec(&self.head)?)?;
        packer.write_all(b"\n")?;
        for line in &self.lines {
            packer.write_all(line)?;
            packer.write_all(b"\n")?;
        }
        packer.finish()
    }

    /// Unpacks a body under all limits.
    ///
    /// # Errors
    /// Says what is wrong with the body; a bomb is stopped at [`BATCH_MAX_BYTES`].
    pub fn decode(body: &[u8]) -> Result<Self, BatchError> {
        let unpacker = zstd::stream::Decoder::new(body).map_err(BatchError::Unpack)?;
        let limit = u64::try_from(BATCH_MAX_BYTES).unwrap_or(u64::MAX) + 1;
        let mut reader = BufReader::new(unpacker.take(limit));
        let mut total = 0;
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            let read = reader
                .read_until(b'\n', &mut line)
                .map_err(BatchError::Unpack)?;
            if read == 0 {
                break;
            }
            total += read;
            if BATCH_MAX_BYTES < total {
                return Err(BatchError::TooLarge);
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            if RECORD_MAX_BYTES < line.len() {
                return Err(BatchError::LineTooLong { line: lines.len() + 1 });
            }
            lines.push(line);
        }
        let records = lines.split_off(1.min(lines.len()));
        let head = lines.pop().unwrap_or_default();
        let head: BatchHead = serde_json::from_slice(&head).map_err(BatchError::Head)?;
        if head.count != records.len() {
            return Err(BatchError::Count { announced: head.count, found: records.len() });
        }

        Ok(Self { head, lines: records })
    }
}

/// Returns the hash that names one record line for ever: SHA-256 of its bytes, lower-case hexadecimal.
#[must_use]
pub fn record_hash(line: &[u8]) -> String {
    sha256_hex(line)
}

/// Returns the digest an [`Ack`] must carry: SHA-256 over the hashes of the lines stored, each followed by a newline.
#[must_use]
pub fn batch_digest<'a>(hashes: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = String::new();
    for hash in hashes {
        all.push_str(hash);
        all.push('\n');
    }
    sha256_hex(all.as_bytes())
}

/// The collector stored these records; its transaction is committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    /// Stream of the batch.
    pub stream: StreamId,
    /// Everything of the batch up to this number is stored.
    pub stored_through: Sequence,
    /// [`batch_digest`] of the batch's lines up to and including `stored_through`.
    pub digest: String,
}

/// The collector names one record it will never take. Everything before it in the batch was not stored by this request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Stream of the batch.
    pub stream: StreamId,
    /// The record concerned.
    pub sequence: Sequence,
    /// Why.
    pub refused: RefusalReason,
}

/// Why a record will never be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The line is not a JSON object with a stream and a sequence that fit the batch.
    Malformed,
    /// The line is longer than [`RECORD_MAX_BYTES`].
    TooLong,
}

/// An error answer that decides nothing about records: a text for people. Always JSON, whatever the status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What was wrong and what to do.
    pub error: String,
}

/// Headers of a manifest upload.
pub mod manifest_header {
    /// The burst it tells, a [`crate::ids::BurstId`].
    pub const BURST: &str = "shirase-burst";
    /// How many files it lists.
    pub const FILES: &str = "shirase-files";
}

/// The collector stored a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestReceipt {
    /// SHA-256 of the ciphertext stored, hexadecimal.
    pub sha256: String,
}

/// How severe an event must be to be written to the system's own log when no collector answers.
pub const SYSTEM_LOG_SEVERITY: Severity = Severity::Critical;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BootId;

    fn batch(lines: &[&str]) -> Batch {
        let wall = "2026-02-09T01:50:00Z".parse().unwrap();
        let boot = BootId::from_uuid(uuid::Uuid::from_u128(1));
        let head = BatchHead {
            wire: WIRE_VERSION,
            stream: StreamId::from_uuid(uuid::Uuid::from_u128(2)),
            first: Sequence::FIRST,
            count: lines.len(),
            sent: Moment { wall, boot, monotonic_ms: 3 },
        };
        Batch { head, lines: lines.iter().map(|line| line.as_bytes().to_vec()).collect() }
    }

    #[test]
    fn a_batch_unpacks_to_the_same_lines() {
        let sent = batch(&[r#"{"a":1}"#, r#"{"b":2}"#]);
        assert_eq!(Batch::decode(&sent.encode().unwrap()).unwrap(), sent);
        let empty = batch(&[]);
        assert_eq!(Batch::decode(&empty.encode().unwrap()).unwrap(), empty);
    }

    #[test]
    fn a_bomb_is_stopped_before_it_is_unpacked() {
        let bomb = zstd::encode_all(std::io::repeat(b'a').take(64 << 20), 1).unwrap();
        assert!(bomb.len() < BATCH_MAX_COMPRESSED_BYTES);
        assert!(matches!(Batch::decode(&bomb), Err(BatchError::TooLarge)));
    }

    #[test]
    fn damage_has_a_name() {
        let mut torn = batch(&[r#"{"a":1}"#]).encode().unwrap();
        torn.truncate(torn.len() - 4);
        assert!(matches!(Batch::decode(&torn), Err(BatchError::Unpack(_))));
        assert!(matches!(Batch::decode(b"<html>"), Err(BatchError::Unpack(_))));
        let html = zstd::encode_all(&b"<html>\n"[..], 1).unwrap();
        assert!(matches!(Batch::decode(&html), Err(BatchError::Head(_))));
        let long = "x".repeat(RECORD_MAX_BYTES + 1);
        let long = batch(&[&long]).encode().unwrap();
        assert!(matches!(Batch::decode(&long), Err(BatchError::LineTooLong { line: 2 })));
        let mut short = batch(&["{}"]);
        short.head.count = 2;
        let short = short.encode().unwrap();
        assert!(matches!(Batch::decode(&short), Err(BatchError::Count { announced: 2, found: 1 })));
    }

    #[test]
    fn an_answer_with_foreign_fields_is_no_ack() {
        let page = r#"{"stream":"00000000-0000-0000-0000-000000000001","stored_through":1,"digest":"","x":1}"#;
        assert!(serde_json::from_str::<Ack>(page).is_err());
    }
}
