//! Writes a trace.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use shirase_shared::clock::Moment;
use zstd::stream::write::Encoder;

use super::{Anonymiser, End, Header, Line, Seen, SeenLine, TraceError};

/// How much the compressor tries, 1 to 22: what it costs must not be felt while recording.
const COMPRESSION_LEVEL: i32 = 3;
/// Extension of a compressed trace.
const COMPRESSED: &str = "zst";

/// How large a trace may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Bytes before compression.
    pub bytes: u64,
}

/// Whether there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Left,
    None,
}

/// Writes observations one after the other. Blocking, but it waits for the disk only when its buffer is full.
pub struct TraceWriter {
    path: PathBuf,
    out: Out,
    anonymiser: Option<Anonymiser>,
    limit: Limit,
    bytes: u64,
    room: Room,
    observations: u64,
    omitted: u64,
}

enum Out {
    Plain(BufWriter<File>),
    Packed(Box<Encoder<'static, BufWriter<File>>>),
}

impl TraceWriter {
    /// Makes the file, readable by its owner alone, and writes the first line. Compressed if the name ends in `.zst`.
    ///
    /// # Errors
    /// If the file is there already or cannot be made.
    pub fn create(
        path: &Path,
        mut header: Header,
        mut anonymiser: Option<Anonymiser>,
        limit: Limit,
    ) -> Result<Self, TraceError> {
        let failed = |source: io::Error| {
            let path = path.to_owned();
            if source.kind() == io::ErrorKind::AlreadyExists {
                TraceError::Exists { path }
            } else {
                TraceError::Write { path, source }
            }
        };
        let file = BufWriter::new(private().open(path).map_err(failed)?);
        let out = if path.extension().is_some_and(|end| end == COMPRESSED) {
            Out::Packed(Box::new(Encoder::new(file, COMPRESSION_LEVEL).map_err(failed)?))
        } else {
            Out::Plain(file)
        };
        if let Some(anonymiser) = &mut anonymiser {
            header = anonymiser.header(header);
        }
        let mut writer = Self {
            path: path.to_owned(),
            out,
            anonymiser,
            limit,
            bytes: 0,
            room: Room::Left,
            observations: 0,
            omitted: 0,
        };
        writer.line(&header)?;

        Ok(writer)
    }

    /// Writes an observation, or counts it once the limit is reached.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, seen: &Seen) -> Result<(), TraceError> {
        if self.room == Room::None {
            self.omitted += 1;
            return Ok(());
        }
        let mut line = SeenLine::of(seen);
        if let Some(anonymiser) = &mut self.anonymiser {
            line.fact = anonymiser.fact(line.fact);
        }
        self.line(&Line::Seen(line))?;
        self.observations += 1;
        if self.limit.bytes <= self.bytes {
            self.room = Room::None;
            let (path, bytes) = (self.path.display(), self.limit.bytes);
            tracing::warn!(
                "the recording `{path}` has reached its limit of {bytes} bytes and goes on counting only"
            );
        }

        Ok(())
    }

    /// Gives the system what was written so far, so that a kill leaves it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn flush(&mut self) -> Result<(), TraceError> {
        let flushed = match &mut self.out {
            Out::Plain(out) => out.flush(),
            Out::Packed(out) => out.flush(),
        };

        flushed.map_err(failed(&self.path))
    }

    /// Writes the last line and puts everything on disk.
    ///
    /// # Errors
    /// If the file cannot be written; it then has no last line.
    pub fn finish(mut self, now: Moment) -> Result<End, TraceError> {
        let end = End {
            at: now.wall,
            ms: now.monotonic_ms,
            observations: self.observations,
            omitted: self.omitted,
        };
        self.line(&Line::End { end: end.clone() })?;
        let whole = match self.out {
            Out::Plain(out) => out,
            Out::Packed(out) => out.finish().map_err(failed(&self.path))?,
        };
        let file = whole
            .into_inner()
            .map_err(|error| failed(&self.path)(error.into_error()))?;
        file.sync_all().map_err(failed(&self.path))?;

        Ok(end)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), TraceError> {
        let path = &self.path;
        let mut text = serde_json::to_vec(line).map_err(|error| failed(path)(error.into()))?;
        text.push(b'\n');
        self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
        let written = match &mut self.out {
            Out::Plain(out) => out.write_all(&text),
            Out::Packed(out) => out.write_all(&text),
        };

        written.map_err(failed(path))
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> TraceError {
    let path = path.to_owned();
    move |source| TraceError::Write { path, source }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
