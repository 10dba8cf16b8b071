//! Entries that expire by time and by number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Takes keys for what they are: keyed hashes already.
#[derive(Default)]
pub(in super::super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// A map whose keys are keyed hashes.
pub(in super::super) type ByKey<T> = HashMap<u64, T, BuildHasherDefault<AsIs>>;

/// Entries in two generations: when the young one is full or old enough, it becomes the old one and that is forgotten.
///
/// An entry lives for `keep_ms`, less only if more than `most` come meanwhile.
pub(super) struct Recent<T> {
    young: ByKey<(u32, T)>,
    old: ByKey<(u32, T)>,
    began: u32,
    keep: u32,
    most: usize,
}

impl<T> Recent<T> {
    pub(super) fn new(keep_ms: u64, most: usize) -> Self {
        Self {
            young: ByKey::default(),
            old: ByKey::default(),
            began: 0,
            keep: seconds(keep_ms),
            most,
        }
    }

    pub(super) fn insert(&mut self, key: u64, now_ms: u64, value: T) {
        self.tick(now_ms);
        if self.most / 2 <= self.young.len() {
            self.turn(seconds(now_ms));
        }
        self.old.remove(&key);
        self.young.insert(key, (seconds(now_ms), value));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.young.is_empty() && self.old.is_empty()
    }

    pub(super) fn get(&self, key: u64, now_ms: u64) -> Option<&T> {
        let (at, value) = self.young.get(&key).or_else(|| self.old.get(&key))?;
        self.lives(*at, now_ms).then_some(value)
    }

    pub(super) fn get_mut(&mut self, key: u64, now_ms: u64) -> Option<&mut T> {
        let keep = self.keep;
        let young = self.young.get_mut(&key);
        let (at, value) = young.or_else(|| self.old.get_mut(&key))?;
        (seconds(now_ms) <= at.saturating_add(keep)).then_some(value)
    }

    pub(super) fn remove(&mut self, key: u64, now_ms: u64) -> Option<T> {
        let young = self.young.remove(&key);
        let (at, value) = young.or_else(|| self.old.remove(&key))?;
        self.lives(at, now_ms).then_some(value)
    }

    /// Forgets what is too old, so that a quiet day needs no memory.
    pub(super) fn tick(&mut self, now_ms: u64) {
        let now = seconds(now_ms);
        if self.began.saturating_add(self.keep) < now && !self.is_empty() {
            self.turn(now);
        }
    }

    fn turn(&mut self, now: u32) {
        self.old = std::mem::take(&mut self.young);
        self.began = now;
    }

    fn lives(&self, at: u32, now_ms: u64) -> bool {
        seconds(now_ms) <= at.saturating_add(self.keep)
    }
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_lives_as_long_as_it_is_meant_to_and_no_flood_needs_more_room() {
        let mut recent = Recent::new(60_000, 1000);
        recent.insert(1, 0, "one");
        assert_eq!(recent.get(1, 60_000), Some(&"one"));
        assert_eq!(recent.get(1, 61_000), None);
        for key in 0..100_000 {
            recent.insert(key, 70_000, "many");
        }
        assert!(recent.young.len() + recent.old.len() <= 1000);
        assert_eq!(recent.get(99_999, 70_000), Some(&"many"));
        assert_eq!(recent.remove(99_999, 70_000), Some("many"));
        assert_eq!(recent.get(99_999, 70_000), None);
        recent.tick(131_000);
        recent.tick(192_000);
        assert!(recent.is_empty());
    }
}
