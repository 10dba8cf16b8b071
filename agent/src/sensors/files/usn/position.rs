//! Where to go on in a journal after a restart.
//!
//! What is kept lags behind what was told, so that after a kill the last moments are told again: what the detectors had
//! in mind then is gone, and a change told twice is better than one told never. An orderly end keeps the exact place.
//!
//! Always holds: deciding is pure; a file that cannot be read or written costs the past and not the present.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How far the kept place lags behind what was told: as long as the detectors' short window.
const LAG_MS: u64 = 10_000;
/// Pause between two places.
const EVERY_MS: u64 = 1000;

/// A place in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Which journal: another one has another number.
    pub(super) journal: u64,
    /// The first record that was not read.
    pub(super) next: i64,
}

/// What a journal says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Journal {
    /// Its number.
    pub(super) id: u64,
    /// The oldest record it still has.
    pub(super) first: i64,
    /// Where the next record will be.
    pub(super) next: i64,
}

/// How to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// With what comes from now on: nothing was read before.
    Now,
    /// With what happened since.
    Since(i64),
    /// With what comes from now on, because what happened since cannot be read.
    Lost(&'static str),
}

/// Decides how to begin to read a journal.
pub(super) fn begin(kept: Option<Position>, journal: Journal) -> Begin {
    match kept {
        None => Begin::Now,
        Some(kept) if kept.journal != journal.id => {
            Begin::Lost("the volume's change journal was deleted or made anew meanwhile")
        }
        Some(kept) if kept.next < journal.first => Begin::Lost(
            "the volume's change journal no longer holds everything that happened meanwhile",
        ),
        Some(kept) if journal.next < kept.next => {
            Begin::Lost("the volume was put back to an earlier state")
        }
        Some(kept) => Begin::Since(kept.next),
    }
}

/// Keeps the place in a file.
pub(super) struct Keeper {
    file: Option<PathBuf>,
    /// Places and when they were reached, oldest first.
    reached: VecDeque<(u64, Position)>,
}

impl Keeper {
    /// Keeps places in `file`, or nowhere.
    pub(super) const fn new(file: Option<PathBuf>) -> Self {
        Self { file, reached: VecDeque::new() }
    }

    /// Returns what was kept.
    pub(super) fn kept(&self) -> Option<Position> {
        let text = fs::read_to_string(self.file.as_ref()?).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Notes that everything before a place was told, where that is worth keeping.
    pub(super) fn reach(&mut self, position: Position, now_ms: u64) {
        if self
            .reached
            .back()
            .is_none_or(|(at_ms, _)| at_ms + EVERY_MS <= now_ms)
        {
            self.reached.push_back((now_ms, position));
        }
    }

    /// Writes down the newest place that is old enough.
    pub(super) fn tick(&mut self, now_ms: u64) {
        let mut ripe = None;
        while let Some((_, position)) = self
            .reached
            .pop_front_if(|(at_ms, _)| *at_ms + LAG_MS <= now_ms)
        {
            ripe = Some(position);
        }
        if let Some(position) = ripe {
            self.write(position);
        }
    }

    /// Keeps the exact place, at the end.
    pub(super) fn end(&mut self, position: Position) {
        self.reached.clear();
        self.write(position);
    }

    fn write(&self, position: Position) {
        let Some(file) = &self.file else { return };
        if let Err(error) = write(file, position) {
            tracing::warn!(%error, "the place in the change journal is not kept; after a restart a rescan takes its place");
        }
    }
}

fn write(file: &Path, position: Position) -> io::Result<()> {
    let unfinished = file.with_extension("tmp");
    fs::write(&unfinished, serde_json::to_vec(&position)?)?;
    fs::rename(&unfinished, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOURNAL: Journal = Journal { id: 7, first: 1000, next: 5000 };

    fn at(next: i64) -> Position {
        Position { journal: 7, next }
    }

    #[test]
    fn what_happened_meanwhile_is_read_if_the_journal_still_has_it() {
        assert_eq!(begin(None, JOURNAL), Begin::Now);
        assert_eq!(begin(Some(at(1000)), JOURNAL), Begin::Since(1000));
        assert_eq!(begin(Some(at(5000)), JOURNAL), Begin::Since(5000));
        for lost in [at(999), at(5001), Position { journal: 8, next: 2000 }] {
            assert!(matches!(begin(Some(lost), JOURNAL), Begin::Lost(_)), "{lost:?}");
        }
    }

    #[test]
    fn the_kept_place_lags_behind_until_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("usn.json");
        let mut keeper = Keeper::new(Some(file.clone()));
        for (next, at_ms) in [(1, 0), (2, 500), (3, 1000), (4, LAG_MS - 1)] {
            keeper.reach(at(next), at_ms);
            keeper.tick(at_ms);
        }
        assert_eq!(keeper.kept(), None);
        keeper.tick(LAG_MS);
        assert_eq!(keeper.kept(), Some(at(1)));
        keeper.tick(LAG_MS + 1000);
        assert_eq!(keeper.kept(), Some(at(3)));
        keeper.end(at(6));
        assert_eq!(Keeper::new(Some(file.clone())).kept(), Some(at(6)));
        fs::write(&file, "{").unwrap();
        assert_eq!(keeper.kept(), None);
    }
}
