//! Reads a trace, or a plain manifest as if it were one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{
    End, FORMAT, Header, LINE_MAX_BYTES, Line, NamesAre, Seen, TraceError, VERSION, from_manifest,
};
use crate::observation::{Actor, Fact, Root};

/// The first bytes of a zstd frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How an encrypted manifest begins.
const AGE_MAGIC: &[u8] = b"age-encryption.org";
/// Different roots and actors kept to be shared; beyond it each observation has its own.
const SHARED_MAX: usize = 4096;

/// A recording, opened: a trace or a manifest.
pub struct Recorded {
    /// What its first line says; of a manifest, what can be told from it.
    pub header: Header,
    path: PathBuf,
    rest: Rest,
    roots: BTreeMap<PathBuf, Arc<Root>>,
    actors: BTreeMap<(u32, Option<u64>), Arc<Actor>>,
}

enum Rest {
    Trace { lines: Lines, end: Option<End> },
    Manifest(std::vec::IntoIter<Seen>),
}

impl Recorded {
    /// Opens a trace, or a plain manifest. `known` are the configured roots: a manifest names its roots by label alone.
    ///
    /// # Errors
    /// If it cannot be read, is encrypted, is something else, or was made by a newer agent.
    pub fn open(path: &Path, known: &[Root]) -> Result<Self, TraceError> {
        let failed = |source| TraceError::Read { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let mut magic = Vec::new();
        let longest = AGE_MAGIC.len().try_into().unwrap_or(u64::MAX);
        file.by_ref()
            .take(longest)
            .read_to_end(&mut magic)
            .map_err(failed)?;
        file.rewind().map_err(failed)?;
        if magic.starts_with(AGE_MAGIC) {
            return Err(TraceError::Sealed { path: path.to_owned() });
        }
        let read: Box<dyn BufRead + Send> = if magic.starts_with(&ZSTD_MAGIC) {
            Box::new(BufReader::new(zstd::Decoder::new(file).map_err(failed)?))
        } else {
            Box::new(BufReader::new(file))
        };
        let mut lines = Lines { path: path.to_owned(), read, line: 0 };
        let foreign = |why: String| TraceError::Foreign { path: path.to_owned(), why };
        let first = match lines.next() {
            Ok(Some(first)) => first,
            Ok(None) => return Err(foreign("it is empty".to_owned())),
            Err(TraceError::Damaged { why, .. }) => return Err(foreign(why)),
            Err(TraceError::CutOff { .. }) => {
                return Err(foreign("it is cut off or no text".to_owned()));
            }
            Err(error) => return Err(error),
        };
        let value: Value = serde_json::from_slice(&first).map_err(|e| foreign(e.to_string()))?;
        if value.get("format").and_then(Value::as_str) == Some(FORMAT) {
            let header = header(value, path)?;
            let rest = Rest::Trace { lines, end: None };
            return Ok(Self::new(header, path, rest));
        }
        if !from_manifest::begins(&value) {
            return Err(foreign("it has neither `format` nor `operation`".to_owned()));
        }
        let (header, seen) = from_manifest::read(first, &mut lines, known)?;

        Ok(Self::new(header, path, Rest::Manifest(seen.into_iter())))
    }

    fn new(header: Header, path: &Path, rest: Rest) -> Self {
        let (roots, actors) = (BTreeMap::new(), BTreeMap::new());
        Self { header, path: path.to_owned(), rest, roots, actors }
    }

    /// Whether it was a manifest, which holds only what was touched while a burst was on.
    #[must_use]
    pub const fn is_manifest(&self) -> bool {
        match self.rest {
            Rest::Trace { .. } => false,
            Rest::Manifest(_) => true,
        }
    }

    /// Returns the next observation; `None` when the recording is at its end, and whole.
    ///
    /// # Errors
    /// If a line does not read or the last one is missing.
    pub fn read(&mut self) -> Result<Option<Seen>, TraceError> {
        let (lines, end) = match &mut self.rest {
            Rest::Manifest(seen) => return Ok(seen.next()),
            Rest::Trace { lines, end } => (lines, end),
        };
        let Some(line) = lines.next()? else {
            let (path, line) = (self.path.clone(), lines.line);
            return if end.is_some() { Ok(None) } else { Err(TraceError::CutOff { path, line }) };
        };
        if end.is_some() {
            return Err(lines.damaged("it stands after the last one"));
        }
        match serde_json::from_slice(&line) {
            Ok(Line::Seen(seen)) => {
                let seen = seen.seen(self.header.boot);
                Ok(Some(self.with_shared(seen)))
            }
            Ok(Line::End { end: found }) => {
                *end = Some(found);
                self.read()
            }
            Err(error) => Err(lines.damaged(&particulars(&line, &error))),
        }
    }

    /// What the last line said, once it was read.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        match &self.rest {
            Rest::Trace { end, .. } => end.as_ref(),
            Rest::Manifest(_) => None,
        }
    }

    /// Lets observations share their root and their actor again, as they did when they were seen.
    fn with_shared(&mut self, mut seen: Seen) -> Seen {
        if let Fact::File(change) = &mut seen.observation.fact {
            change.root = share(&mut self.roots, change.root.path.clone(), &change.root);
            if let Some(actor) = &mut change.actor {
                *actor = share(&mut self.actors, (actor.pid, actor.started), actor);
            }
        }
        seen
    }
}

/// Returns the value known under this key if it is the same, else the new one.
fn share<K: Ord, T: PartialEq>(known: &mut BTreeMap<K, Arc<T>>, key: K, new: &Arc<T>) -> Arc<T> {
    match known.get(&key) {
        Some(known) if known == new => Arc::clone(known),
        Some(_) | None => {
            if known.len() < SHARED_MAX {
                known.insert(key, Arc::clone(new));
            }
            Arc::clone(new)
        }
    }
}

fn header(value: Value, path: &Path) -> Result<Header, TraceError> {
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    if u64::from(VERSION) < version {
        return Err(TraceError::Newer { path: path.to_owned(), found: version });
    }

    Header::deserialize(value).map_err(|error| TraceError::Damaged {
        path: path.to_owned(),
        line: 1,
        why: error.to_string(),
    })
}

/// Says what is wrong with a line: an enum of two forms only says that it is neither.
fn particulars(line: &[u8], error: &serde_json::Error) -> String {
    match serde_json::from_slice::<super::SeenLine>(line) {
        Err(error) => error.to_string(),
        Ok(_) => error.to_string(),
    }
}

/// Lines with their numbers, each bounded.
pub(super) struct Lines {
    path: PathBuf,
    read: Box<dyn BufRead + Send>,
    line: u64,
}

impl Lines {
    /// Returns the next line without its end; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, TraceError> {
        let mut line = Vec::new();
        let read = (&mut self.read)
            .take(LINE_MAX_BYTES)
            .read_until(b'\n', &mut line);
        match read {
            Ok(0) => return Ok(None),
            Ok(_) => self.line += 1,
            // The end of a compressed file that was cut off; what was whole was handed out before.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(TraceError::CutOff { path: self.path.clone(), line: self.line });
            }
            Err(error) if error.kind() == io::ErrorKind::Other => {
                self.line += 1;
                return Err(self.damaged(&error.to_string()));
            }
            Err(source) => return Err(TraceError::Read { path: self.path.clone(), source }),
        }
        if line.pop_if(|last| *last == b'\n').is_none() {
            let is_long = u64::try_from(line.len()).is_ok_and(|length| length == LINE_MAX_BYTES);
            if is_long {
                return Err(self.damaged("it is longer than any line of a trace"));
            }
            if serde_json::from_slice::<Value>(&line).is_err() {
                return Err(TraceError::CutOff { path: self.path.clone(), line: self.line - 1 });
            }
        }

        Ok(Some(line))
    }

    pub(super) fn damaged(&self, why: &str) -> TraceError {
        TraceError::Damaged { path: self.path.clone(), line: self.line, why: why.to_owned() }
    }
}

impl Header {
    /// Whether the names in it are those of the host.
    #[must_use]
    pub fn has_clear_names(&self) -> bool {
        self.names == NamesAre::Clear
    }
}
