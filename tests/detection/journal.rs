//! What really happened: each harm with the moment at which it began, written by whoever does it.
//!
//! ```text
//! 81234567890123 ⇥ 1 ⇥ overwrite ⇥ watched/内科-0000/写真00003.jpg
//! ```
//!
//! Nanoseconds of the monotonic clock, files this harms, what is done, and where below the ground. A line is handed to
//! the kernel *before* the harm begins, so that a file that is being harmed at the moment of the alert counts as harmed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::monotonic_ns;

/// Writes a journal.
pub(crate) struct Journal {
    ground: PathBuf,
    out: BufWriter<File>,
}

impl Journal {
    pub(crate) fn create(path: &Path, ground: &Path) -> Result<Self> {
        let file = File::create(path)
            .with_context(|| format!("failed to begin the journal `{}`", path.display()))?;
        Ok(Self { ground: ground.to_owned(), out: BufWriter::new(file) })
    }

    /// Notes that `files` files are about to be harmed at `path`.
    pub(crate) fn note(&mut self, what: &str, path: &Path, files: u64) -> Result<()> {
        let below = path.strip_prefix(&self.ground).unwrap_or(path).display();
        writeln!(self.out, "{}\t{files}\t{what}\t{below}", monotonic_ns())
            .and_then(|()| self.out.flush())
            .context("failed to write the journal")
    }
}

/// All harms of one run, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Harms {
    /// When each began, and how many files it harmed; one entry a file or directory.
    begun: Vec<(u64, u64)>,
}

impl Harms {
    /// Reads the journals of all processes that took part. A file harmed twice counts once, when it was first harmed.
    pub(crate) fn read(journals: &[PathBuf]) -> Result<Self> {
        let mut texts = Vec::new();
        for path in journals {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("failed to read the journal `{}`", path.display()))?;
            texts.push(text);
        }

        Ok(Self::of(texts.iter().flat_map(|text| text.lines())))
    }

    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut first: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for line in lines {
            let mut fields = line.splitn(4, '\t');
            let (at, files) = (fields.next(), fields.next());
            // Cut off where the process was killed: the harm it tells of never began.
            let (Some(at), Some(files), Some(_), Some(path)) =
                (number(at), number(files), fields.next(), fields.next())
            else {
                continue;
            };
            let known = first.entry(path).or_insert((at, files));
            if at < known.0 {
                *known = (at, files);
            }
        }
        let mut begun: Vec<_> = first.into_values().collect();
        begun.sort_unstable();

        Self { begun }
    }

    /// Returns how many files were harmed, or were being harmed, by then.
    pub(crate) fn before(&self, at_ns: u64) -> u64 {
        let earlier = self.begun.iter().take_while(|(at, _)| *at <= at_ns);
        earlier.map(|(_, files)| files).sum()
    }

    pub(crate) fn files(&self) -> u64 {
        self.begun.iter().map(|(_, files)| files).sum()
    }

    pub(crate) fn first_ns(&self) -> Option<u64> {
        self.begun.first().map(|(at, _)| *at)
    }

    pub(crate) fn last_ns(&self) -> Option<u64> {
        self.begun.last().map(|(at, _)| *at)
    }
}

fn number(field: Option<&str>) -> Option<u64> {
    field?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_once_and_only_when_its_harm_had_begun() {
        let lines = [
            "30\t1\trename\tb",
            "10\t1\toverwrite\ta",
            "20\t1\trename\ta",
            "40\t5\tdir\td",
            "50\t1",
        ];
        let harms = Harms::of(lines.into_iter());
        assert_eq!(harms.before(9), 0);
        assert_eq!(harms.before(10), 1);
        assert_eq!(harms.before(35), 2);
        assert_eq!(harms.before(40), 7);
        assert_eq!(harms.files(), 7);
    }
}
