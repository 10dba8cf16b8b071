//! Brings together what belongs together: the two halves of a rename, and a run of writes with its end.
//!
//! Always holds: pure, times are passed in; both collections are bounded, and what is pushed out is told, not dropped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shirase_shared::clock::Moment;

use super::portable::Cookie;

/// How long a first half waits for its second: far longer than the kernel takes between the two.
const PAIR_WAIT_MS: u64 = 150;
/// How long a file must be left alone, if nobody closes it, before it is looked at.
const SETTLE_MS: u64 = 400;
/// First halves kept at the most.
const HALVES_MAX: usize = 16_384;
/// Files kept at the most that were written and not yet closed.
const WRITTEN_MAX: usize = 16_384;
/// Stands for the cookie on systems that tell the halves one after the other without a number.
const NO_COOKIE: usize = usize::MAX;

/// A path and when something happened to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) path: PathBuf,
    pub(super) at: Moment,
}

/// Halves of renames and unfinished writes.
#[derive(Default)]
pub(super) struct Pairing {
    halves: BTreeMap<usize, Seen>,
    written: BTreeMap<PathBuf, Moment>,
}

/// What came to its end by waiting.
#[derive(Debug, PartialEq)]
pub(super) enum Due {
    /// The second half never came: it was moved out of every root.
    MovedOut(Seen),
    /// Nobody closed it, but nobody wrote any more either.
    Settled(Seen),
}

impl Pairing {
    /// Keeps the first half of a rename. Returns an older one that has to go for it.
    pub(super) fn from(&mut self, cookie: Cookie, seen: Seen) -> Option<Due> {
        self.written.remove(&seen.path);
        let replaced = self.halves.insert(cookie.unwrap_or(NO_COOKIE), seen);
        let pushed = (HALVES_MAX < self.halves.len()).then(|| self.halves.pop_first());

        replaced
            .or(pushed.flatten().map(|(_, half)| half))
            .map(Due::MovedOut)
    }

    /// Returns the first half that belongs to this second one.
    pub(super) fn to(&mut self, cookie: Cookie) -> Option<Seen> {
        self.halves.remove(&cookie.unwrap_or(NO_COOKIE))
    }

    /// Notes a write. Returns an older file that has to be looked at now to make room.
    pub(super) fn write(&mut self, seen: Seen) -> Option<Due> {
        self.written.entry(seen.path).or_insert(seen.at);
        if self.written.len() <= WRITTEN_MAX {
            return None;
        }

        self.written
            .pop_first()
            .map(|(path, at)| Due::Settled(Seen { path, at }))
    }

    /// Forgets an unfinished write, because the file was closed, renamed or deleted.
    pub(super) fn finish(&mut self, path: &Path) {
        self.written.remove(path);
    }

    /// Returns what has waited long enough.
    pub(super) fn due(&mut self, now_ms: u64) -> Vec<Due> {
        let late = |at: &Moment, wait: u64| at.monotonic_ms + wait <= now_ms;
        let halves = self
            .halves
            .extract_if(.., |_, half| late(&half.at, PAIR_WAIT_MS));
        let mut due: Vec<_> = halves.map(|(_, half)| Due::MovedOut(half)).collect();
        let written = self.written.extract_if(.., |_, at| late(at, SETTLE_MS));
        due.extend(written.map(|(path, at)| Due::Settled(Seen { path, at })));
        due
    }

    /// Returns in how many milliseconds something may come due; `None` when nothing waits.
    pub(super) fn wait_ms(&self) -> Option<u64> {
        if !self.halves.is_empty() {
            Some(PAIR_WAIT_MS / 2)
        } else if !self.written.is_empty() {
            Some(SETTLE_MS / 2)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::moment;

    use super::*;

    fn seen(path: &str, seconds: i64) -> Seen {
        Seen { path: PathBuf::from(path), at: moment(seconds) }
    }

    #[test]
    fn interleaved_halves_find_each_other() {
        let mut pairing = Pairing::default();
        assert_eq!(pairing.from(Some(1), seen("a", 0)), None);
        assert_eq!(pairing.from(Some(2), seen("b", 0)), None);
        assert_eq!(pairing.to(Some(1)), Some(seen("a", 0)));
        assert_eq!(pairing.to(Some(2)), Some(seen("b", 0)));
        assert_eq!(pairing.to(Some(2)), None);
    }

    #[test]
    fn a_half_without_a_second_one_was_moved_out() {
        let mut pairing = Pairing::default();
        pairing.from(Some(1), seen("a", 0));
        assert_eq!(pairing.due(moment(0).monotonic_ms + PAIR_WAIT_MS - 1), []);
        assert_eq!(pairing.due(moment(1).monotonic_ms), [Due::MovedOut(seen("a", 0))]);
        assert_eq!(pairing.wait_ms(), None);
    }

    #[test]
    fn a_write_nobody_closes_is_looked_at_once_it_settles() {
        let mut pairing = Pairing::default();
        pairing.write(seen("a", 0));
        pairing.write(seen("b", 0));
        pairing.finish(Path::new("b"));
        assert_eq!(pairing.due(moment(1).monotonic_ms), [Due::Settled(seen("a", 0))]);
    }
}
