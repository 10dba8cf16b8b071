//! Makes a batch of what the buffer shows.
//!
//! Always holds: the lines are sent byte for byte as they are kept, so that both sides remember the same hashes.

use shirase_shared::clock::Moment;
use shirase_shared::ids::{Sequence, StreamId};
use shirase_shared::wire::{Batch, BatchHead, WIRE_VERSION, batch_digest};

use crate::buffer::StoredLine;

/// Records on their way: never empty, all of one stream, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    stream: StreamId,
    lines: Vec<StoredLine>,
}

impl Outgoing {
    /// Takes what the buffer showed; `None` if nothing waits.
    #[must_use]
    pub fn of(lines: Vec<StoredLine>) -> Option<Self> {
        let stream = lines.first()?.stream;
        debug_assert!(lines.iter().all(|line| line.stream == stream));

        Some(Self { stream, lines })
    }

    /// Returns the stream of all lines.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// Returns the lines.
    #[must_use]
    pub fn lines(&self) -> &[StoredLine] {
        &self.lines
    }

    /// Whether it holds the record with this number.
    #[must_use]
    pub fn contains(&self, sequence: Sequence) -> bool {
        self.lines.iter().any(|line| line.sequence == sequence)
    }

    /// Returns the digest an answer must carry that stored everything up to `through`.
    #[must_use]
    pub fn digest(&self, through: Sequence) -> String {
        let stored = self.lines.iter().filter(|line| line.sequence <= through);
        batch_digest(stored.map(|line| line.hash.as_str()))
    }

    /// Returns the batch as it is sent at `sent`.
    #[must_use]
    pub fn batch(&self, sent: Moment) -> Batch {
        let first = self
            .lines
            .first()
            .map_or(Sequence::FIRST, |line| line.sequence);
        let head = BatchHead {
            wire: WIRE_VERSION,
            stream: self.stream,
            first,
            count: self.lines.len(),
            sent,
        };

        Batch { head, lines: self.lines.iter().map(|line| line.line.clone()).collect() }
    }
}
