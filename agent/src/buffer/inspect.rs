//! Looking into the buffer without changing it: for the uplink, and for a person who verifies or exports it.

use std::io;

use serde::Serialize;
use shirase_shared::ids::{Sequence, StreamId};
use shirase_shared::wire::record_hash;

use super::keeper::Keeper;
use super::record::{Entry, Space};
use super::{AsideHead, BufferError, Level, Mark, StoredLine};

/// What a look at everything found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The current stream.
    pub stream: StreamId,
    /// The last number given out in it.
    pub last_sequence: Sequence,
    /// Records that wait and are whole.
    pub whole: u64,
    /// Records that wait or were set aside and are damaged: stream, number and what is wrong.
    pub damaged: Vec<String>,
    /// Records set aside.
    pub set_aside: Vec<AsideHead>,
    /// How full it is.
    pub level: Level,
}

/// Lines of a page and the position where the next one begins.
pub(super) type Page = (Vec<Vec<u8>>, Option<u64>);

impl Keeper {
    /// See [`super::Buffer::peek`].
    pub(super) fn peek(
        &mut self,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<StoredLine>, BufferError> {
        self.ensure_open()?;
        let mut lines: Vec<StoredLine> = Vec::new();
        let mut bytes = 0;
        let mut position = 0;
        loop {
            let entries = self.page(Space::Waiting, position)?;
            let Some(last) = entries.last() else { return Ok(lines) };
            position = last.position.saturating_add(1);
            for entry in entries {
                let Some(stored) = self.stored_or_shelved(entry)? else { continue };
                bytes += stored.line.len() + 1;
                let foreign = lines
                    .first()
                    .is_some_and(|first| first.stream != stored.stream);
                let full = max_records <= lines.len() || max_bytes < bytes && !lines.is_empty();
                if foreign || full {
                    return Ok(lines);
                }
                lines.push(stored);
            }
        }
    }

    /// See [`super::Buffer::waiting_after`].
    pub(super) fn waiting_after(
        &mut self,
        mark: Mark,
    ) -> Result<(Vec<StoredLine>, Mark), BufferError> {
        self.ensure_open()?;
        let entries = self.page(Space::Waiting, mark.0.saturating_add(1))?;
        let reached = entries.last().map_or(mark, |last| Mark(last.position));
        let mut lines = Vec::new();
        for entry in entries {
            lines.extend(self.stored_or_shelved(entry)?);
        }

        Ok((lines, reached))
    }

    /// Returns a whole record as it will be sent; a damaged one is set aside, because it must not be.
    fn stored_or_shelved(&mut self, entry: Entry) -> Result<Option<StoredLine>, BufferError> {
        match entry.payload {
            Ok(line) => {
                let (stream, sequence) = self.state.locate(entry.position);
                let hash = record_hash(&line);
                Ok(Some(StoredLine { stream, sequence, line, hash }))
            }
            Err(_) => {
                self.shelve(&entry, "damaged on disk")?;
                Ok(None)
            }
        }
    }

    /// See [`super::Buffer::verify`].
    pub(super) fn verify(&mut self) -> Result<Verification, BufferError> {
        self.ensure_open()?;
        let mut found = Verification {
            stream: self.state.current().stream,
            last_sequence: self.state.last_sequence(),
            whole: 0,
            damaged: Vec::new(),
            set_aside: Vec::new(),
            level: self.level(),
        };
        for space in [Space::Waiting, Space::Aside] {
            let mut position = 0;
            loop {
                let entries = self.page(space, position)?;
                let Some(last) = entries.last() else { break };
                position = last.position.saturating_add(1);
                for entry in entries {
                    let (stream, sequence) = self.state.locate(entry.position);
                    match (space, entry.payload) {
                        (Space::Waiting, Ok(_)) => found.whole += 1,
                        (Space::Aside, Ok(payload)) => match split_aside(&payload) {
                            Some((head, _)) => found.set_aside.push(head),
                            None => found.damaged.push(format!("{stream} {sequence}: no head")),
                        },
                        (Space::Waiting | Space::Aside, Err(damage)) => {
                            found.damaged.push(format!("{stream} {sequence}: {damage}"));
                        }
                    }
                }
            }
        }

        Ok(found)
    }

    /// Returns a page of the export.
    pub(super) fn lines(&mut self, space: Space, from: u64) -> Result<Page, BufferError> {
        self.ensure_open()?;
        let entries = self.page(space, from)?;
        let next = entries.last().map(|last| last.position.saturating_add(1));
        let mut lines = Vec::new();
        for entry in entries {
            match (space, entry.payload) {
                (Space::Waiting, Ok(line)) => lines.push(line),
                (Space::Aside, Ok(payload)) => lines.push(aside_line(&payload)?),
                (Space::Waiting | Space::Aside, Err(damage)) => {
                    let (stream, sequence) = self.state.locate(entry.position);
                    let told = serde_json::json!({
                        "damaged": damage.to_string(), "stream": stream, "sequence": sequence,
                        "raw": String::from_utf8_lossy(&entry.raw),
                    });
                    lines.push(serde_json::to_vec(&told)?);
                }
            }
        }

        Ok((lines, next))
    }
}

/// Writes everything, page by page, so that the agent goes on meanwhile.
pub(super) fn export(
    out: &mut impl io::Write,
    mut page: impl FnMut(Space, u64) -> Result<Page, BufferError>,
) -> Result<u64, BufferError> {
    let mut count = 0;
    for space in [Space::Waiting, Space::Aside] {
        let mut position = 0;
        while let (lines, Some(next)) = page(space, position)? {
            for line in lines {
                out.write_all(&line).map_err(BufferError::Export)?;
                out.write_all(b"\n").map_err(BufferError::Export)?;
                count += 1;
            }
            position = next;
        }
    }
    out.flush().map_err(BufferError::Export)?;

    Ok(count)
}

fn aside_line(payload: &[u8]) -> Result<Vec<u8>, BufferError> {
    let Some((head, line)) = split_aside(payload) else {
        return Ok(serde_json::to_vec(&serde_json::json!({
            "damaged": "no head", "raw": String::from_utf8_lossy(payload),
        }))?);
    };
    let told = serde_json::json!({ "set_aside": head, "line": String::from_utf8_lossy(line) });

    Ok(serde_json::to_vec(&told)?)
}

fn split_aside(payload: &[u8]) -> Option<(AsideHead, &[u8])> {
    let end = payload.iter().position(|byte| *byte == b'\n')?;
    let (head, line) = payload.split_at_checked(end)?;

    Some((serde_json::from_slice(head).ok()?, line.get(1..)?))
}
