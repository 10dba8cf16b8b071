//! Follows log files through rotation, truncation and absence.
//!
//! Always holds: bounded work and memory in one look; a file replaced by another is read to its end first. What is cut
//! between two looks by a rotation that copies and truncates is gone for every reader.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Bytes read of one file in one look.
const LOOK_MAX_BYTES: u64 = 1 << 20;
/// Longest line taken, in bytes; of a longer one nothing is.
const LINE_MAX_BYTES: usize = 16 * 1024;

/// Several files, read together.
#[derive(Default)]
pub(super) struct Tails(Vec<Tail>);

/// What one look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Lines that were too long.
    pub(super) dropped: u64,
    /// Whether there is more to read at once.
    pub(super) more: bool,
}

impl Tails {
    /// Begins at the end of each file: what was written before was somebody else's to read.
    pub(super) fn at_the_end(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| Tail::at_the_end(path)).collect())
    }

    /// Reads what is new.
    pub(super) fn read(&mut self, lines: &mut Vec<String>) -> Progress {
        let mut progress = Progress::default();
        for tail in &mut self.0 {
            let of_this = tail.read(lines);
            progress.dropped += of_this.dropped;
            progress.more |= of_this.more;
        }
        progress
    }

    /// Says what is read, or why nothing is.
    pub(super) fn state(&self) -> Result<String, String> {
        let (mut read, mut not) = (Vec::new(), Vec::new());
        for tail in &self.0 {
            let path = tail.path.display();
            match &tail.trouble {
                None => read.push(format!("`{path}`")),
                Some(why) => not.push(format!("`{path}`: {why}")),
            }
        }
        if read.is_empty() {
            return Err(not.join("; "));
        }

        Ok(format!("reads {}", read.join(", ")))
    }
}

/// One file.
struct Tail {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
    /// The beginning of a line whose end is not written yet.
    partial: Vec<u8>,
    /// Whether the line under way is too long.
    skipping: bool,
    trouble: Option<String>,
}

impl Tail {
    fn at_the_end(path: &Path) -> Self {
        let mut tail = Self {
            path: path.to_owned(),
            file: None,
            offset: 0,
            partial: Vec::new(),
            skipping: false,
            trouble: None,
        };
        match tail.open() {
            Ok((file, met)) => {
                tail.offset = met.len();
                tail.file = Some(file);
            }
            Err(error) => tail.trouble = Some(error.to_string()),
        }
        tail
    }

    fn open(&self) -> io::Result<(File, Metadata)> {
        let file = File::open(&self.path)?;
        let met = file.metadata()?;
        if !met.is_file() {
            return Err(io::Error::other("it is no file"));
        }

        Ok((file, met))
    }

    fn read(&mut self, lines: &mut Vec<String>) -> Progress {
        let mut progress = Progress::default();
        match self.try_read(lines, &mut progress) {
            Ok(()) => self.trouble = None,
            Err(error) => self.trouble = Some(error.to_string()),
        }
        progress
    }

    fn try_read(&mut self, lines: &mut Vec<String>, progress: &mut Progress) -> io::Result<()> {
        let there = std::fs::metadata(&self.path);
        if let Some(file) = &self.file {
            let met = file.metadata()?;
            if met.len() < self.offset {
                // Cut short; what is there now is new.
                self.restart();
            }
            self.drain(lines, progress)?;
            let same = there
                .as_ref()
                .is_ok_and(|there| (there.dev(), there.ino()) == (met.dev(), met.ino()));
            if same || progress.more {
                return Ok(());
            }
            self.last_line(lines);
            self.file = None;
            self.restart();
        }
        let (file, _) = self.open()?;
        self.file = Some(file);

        self.drain(lines, progress)
    }

    fn restart(&mut self) {
        (self.offset, self.skipping) = (0, false);
        self.partial.clear();
    }

    fn drain(&mut self, lines: &mut Vec<String>, progress: &mut Progress) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        let read = file.take(LOOK_MAX_BYTES).read_to_end(&mut bytes)?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        self.offset = self.offset.saturating_add(read);
        progress.more |= read == LOOK_MAX_BYTES;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.take(part, lines, progress);
        }

        Ok(())
    }

    fn take(&mut self, part: &[u8], lines: &mut Vec<String>, progress: &mut Progress) {
        let (text, is_whole) = match part.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (part, false),
        };
        if !self.skipping {
            self.partial.extend_from_slice(text);
            if LINE_MAX_BYTES < self.partial.len() {
                self.partial.clear();
                self.skipping = true;
                progress.dropped += 1;
            }
        }
        if is_whole && !std::mem::take(&mut self.skipping) {
            self.last_line(lines);
        }
    }

    fn last_line(&mut self, lines: &mut Vec<String>) {
        if !self.partial.is_empty() {
            lines.push(String::from_utf8_lossy(&self.partial).into_owned());
        }
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;

    use super::*;

    struct Log {
        dir: tempfile::TempDir,
        tails: Tails,
    }

    impl Log {
        fn with(text: &[u8]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("auth.log"), text).unwrap();
            let tails = Tails::at_the_end(&[dir.path().join("auth.log")]);
            Self { dir, tails }
        }

        fn path(&self) -> PathBuf {
            self.dir.path().join("auth.log")
        }

        fn append(&self, text: &[u8]) {
            let mut options = OpenOptions::new();
            let mut file = options.append(true).create(true).open(self.path()).unwrap();
            file.write_all(text).unwrap();
        }

        #[track_caller]
        fn gives(&mut self, expected: &[&str]) {
            let mut lines = Vec::new();
            while self.tails.read(&mut lines).more {}
            assert_eq!(lines, expected);
        }
    }

    #[test]
    fn only_whole_new_lines_are_given() {
        let mut log = Log::with(b"old\n");
        log.gives(&[]);
        log.append(b"one\ntw");
        log.gives(&["one"]);
        log.append(b"o\n\xff\xfe\n");
        log.gives(&["two", "\u{fffd}\u{fffd}"]);
    }

    #[test]
    fn a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let mut log = Log::with(b"old\n");
        log.append(b"last of the old\n");
        fs::rename(log.path(), log.path().with_extension("log.1")).unwrap();
        log.append(b"first of the new\n");
        log.gives(&["last of the old", "first of the new"]);
    }

    #[test]
    fn a_cut_file_is_read_anew() {
        let mut log = Log::with(b"something long enough\n");
        fs::write(log.path(), b"new\n").unwrap();
        log.gives(&["new"]);
    }

    #[test]
    fn a_file_that_is_gone_is_told_and_taken_up_when_it_is_back() {
        let mut log = Log::with(b"old\n");
        log.gives(&[]);
        assert!(log.tails.state().unwrap().starts_with("reads `"));
        fs::remove_file(log.path()).unwrap();
        log.gives(&[]);
        let why = log.tails.state().unwrap_err();
        assert!(why.contains("No such file"), "{why}");
        log.append(b"back\n");
        log.gives(&["back"]);
        assert!(log.tails.state().is_ok());
    }

    #[test]
    fn a_line_without_end_takes_no_memory_and_is_counted() {
        let mut log = Log::with(b"");
        log.append(&vec![b'x'; 3 << 20]);
        let mut lines = Vec::new();
        let mut dropped = 0;
        loop {
            let progress = log.tails.read(&mut lines);
            dropped += progress.dropped;
            if !progress.more {
                break;
            }
        }
        assert_eq!((lines.len(), dropped), (0, 1));
        log.append(b"\nordinary\n");
        log.gives(&["ordinary"]);
    }
}
