//! Brings together what belongs together: the two halves of a rename, and a run of writes with its end.
//!
//! Always holds: pure, times are passed in; both collections are bounded, and what is pushed out is told, not dropped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shirase_shared::clock::Moment;

use super::raw::Cookie;
use crate::observation::Actor;

/// How long a first half waits for its second, once nothing waits behind it: far longer than the kernel takes between
/// the two, which it tells one right after the other (inotify(7), "Dealing with `rename()` events"), and at 280 files a
/// second less than two files that are moved out before it is told.
const PAIR_WAIT_MS: u64 = 5;
/// How long after the first write a look is taken whether the file was cut to nothing: who cuts it only to write
/// it anew has done so by then, mostly, and otherwise the next look takes it back.
const PEEK_MS: u64 = 50;
/// How long a file is left alone, if nobody closes it, before its content is looked at.
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
    pub(super) actor: Option<Arc<Actor>>,
}

/// Halves of renames and unfinished writes.
#[derive(Default)]
pub(super) struct Pairing {
    halves: BTreeMap<usize, Seen>,
    written: BTreeMap<PathBuf, Unfinished>,
    /// Nothing comes due before this.
    next_ms: u64,
}

/// A file that was written and not closed.
#[derive(Clone)]
struct Unfinished {
    at: Moment,
    actor: Option<Arc<Actor>>,
    due_ms: u64,
    stage: Stage,
}

impl Unfinished {
    fn seen(self, path: PathBuf) -> Seen {
        Seen { path, at: self.at, actor: self.actor }
    }
}

/// What waits behind the changes that were handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing: a second half that is not here was not told yet.
    Nothing,
    /// More, perhaps the second half of what was handled.
    More,
}

/// Which look comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Peek,
    Settle,
}

/// What came to its end by waiting.
#[derive(Debug, PartialEq)]
pub(super) enum Due {
    /// The second half never came: it was moved out of every root.
    MovedOut(Seen),
    /// It was written a moment ago; it may have been cut to nothing.
    Peek(Seen),
    /// Nobody closed it for a while.
    Settled(Seen),
}

impl Pairing {
    /// Keeps the first half of a rename. Returns an older one that has to go for it.
    pub(super) fn from(&mut self, cookie: Cookie, seen: Seen) -> Option<Due> {
        self.written.remove(&seen.path);
        self.expect(seen.at.monotonic_ms + PAIR_WAIT_MS);
        let replaced = self.halves.insert(cookie.unwrap_or(NO_COOKIE), seen);
        let pushed = (HALVES_MAX < self.halves.len()).then(|| self.halves.pop_first());

        replaced
            .or(pushed.flatten().map(|(_, half)| half))
            .map(Due::MovedOut)
    }

    fn expect(&mut self, due_ms: u64) {
        let idle = self.halves.is_empty() && self.written.is_empty();
        self.next_ms = if idle { due_ms } else { self.next_ms.min(due_ms) };
    }

    /// Returns the first half that belongs to this second one.
    pub(super) fn to(&mut self, cookie: Cookie) -> Option<Seen> {
        self.halves.remove(&cookie.unwrap_or(NO_COOKIE))
    }

    /// Notes a write. Returns an older file that has to be looked at now to make room.
    pub(super) fn write(&mut self, seen: Seen) -> Option<Due> {
        let due_ms = seen.at.monotonic_ms + PEEK_MS;
        self.expect(due_ms);
        let Seen { path, at, actor } = seen;
        let unfinished = Unfinished { at, actor, due_ms, stage: Stage::Peek };
        self.written.entry(path).or_insert(unfinished);
        if self.written.len() <= WRITTEN_MAX {
            return None;
        }

        self.written
            .pop_first()
            .map(|(path, old)| Due::Settled(old.seen(path)))
    }

    /// Forgets an unfinished write, because the file was closed, renamed or deleted.
    pub(super) fn finish(&mut self, path: &Path) {
        self.written.remove(path);
    }

    /// Returns what has waited long enough.
    pub(super) fn due(&mut self, now_ms: u64, behind: Behind) -> Vec<Due> {
        if now_ms < self.next_ms || (self.halves.is_empty() && self.written.is_empty()) {
            return Vec::new();
        }
        let late = |half: &Seen| {
            behind == Behind::Nothing && half.at.monotonic_ms + PAIR_WAIT_MS <= now_ms
        };
        let halves = self.halves.extract_if(.., |_, half| late(half));
        let mut due: Vec<_> = halves.map(|(_, half)| Due::MovedOut(half)).collect();
        for (path, unfinished) in &mut self.written {
            if unfinished.stage == Stage::Peek && unfinished.due_ms <= now_ms {
                (unfinished.stage, unfinished.due_ms) =
                    (Stage::Settle, unfinished.at.monotonic_ms + SETTLE_MS);
                due.push(Due::Peek(unfinished.clone().seen(path.clone())));
            }
        }
        let settled = |unfinished: &Unfinished| {
            unfinished.stage == Stage::Settle && unfinished.due_ms <= now_ms
        };
        let written = self
            .written
            .extract_if(.., |_, unfinished| settled(unfinished));
        due.extend(written.map(|(path, old)| Due::Settled(old.seen(path))));
        let halves = self
            .halves
            .values()
            .map(|half| half.at.monotonic_ms + PAIR_WAIT_MS);
        let written = self.written.values().map(|unfinished| unfinished.due_ms);
        self.next_ms = halves.chain(written).min().unwrap_or(0);
        due
    }

    /// Returns in how many milliseconds something comes due; `None` when nothing waits.
    pub(super) fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        let waiting = !self.halves.is_empty() || !self.written.is_empty();
        waiting.then(|| self.next_ms.saturating_sub(now_ms).max(1))
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::moment;

    use super::*;

    fn seen(path: &str, seconds: i64) -> Seen {
        Seen { path: PathBuf::from(path), at: moment(seconds), actor: None }
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
        let due_ms = moment(0).monotonic_ms + PAIR_WAIT_MS;
        assert_eq!(pairing.due(due_ms - 1, Behind::Nothing), []);
        assert_eq!(pairing.due(due_ms, Behind::More), [], "it may be among what waits");
        assert_eq!(pairing.wait_ms(due_ms), Some(1));
        assert_eq!(pairing.due(due_ms, Behind::Nothing), [Due::MovedOut(seen("a", 0))]);
        assert_eq!(pairing.wait_ms(moment(1).monotonic_ms), None);
    }

    #[test]
    fn a_write_nobody_closes_is_looked_at_once_it_settles() {
        let mut pairing = Pairing::default();
        pairing.write(seen("a", 0));
        pairing.write(seen("b", 0));
        pairing.finish(Path::new("b"));
        let now_ms = moment(0).monotonic_ms;
        let mut due = |after_ms, behind| pairing.due(now_ms + after_ms, behind);
        assert_eq!(due(PEEK_MS - 1, Behind::Nothing), []);
        assert_eq!(due(PEEK_MS, Behind::More), [Due::Peek(seen("a", 0))]);
        assert_eq!(due(PEEK_MS, Behind::Nothing), []);
        assert_eq!(due(SETTLE_MS - 1, Behind::Nothing), []);
        assert_eq!(due(SETTLE_MS, Behind::More), [Due::Settled(seen("a", 0))]);
        assert_eq!(pairing.wait_ms(now_ms + SETTLE_MS), None);
    }
}
