//! Watches small new texts: the same one in many directories, and the words of a ransom note.

use std::collections::{BTreeMap, BTreeSet};

/// How long a text bears on what happens after it.
const NOTE_MS: u64 = 600_000;
/// How often old ones are forgotten.
const FORGET_EVERY_MS: u64 = 5000;
/// Names of small new texts watched.
const NAMES_MAX: usize = 256;
/// Directories remembered of all of them together.
const DIRECTORIES_MAX: usize = 16_384;
/// Directories with the same small new text that make it worth a line.
const TOLD_FROM: usize = 2;

/// What kind of text lies in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Words {
    /// Nobody knows, or ordinary ones.
    Ordinary,
    /// Those of a ransom note.
    Ransom,
    /// Those of a ransom note, and it is called like one.
    RansomCalledSo,
}

/// The texts of one root.
#[derive(Default)]
pub(super) struct Notes {
    same: BTreeMap<u64, Same>,
    /// Directories remembered in `same`.
    remembered: usize,
    worded: BTreeSet<u64>,
    called_note: BTreeSet<u64>,
    worded_ms: u64,
    forgot_ms: u64,
}

struct Same {
    directories: BTreeSet<u64>,
    last_ms: u64,
}

/// In how many directories what lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    /// The same new small text.
    pub(super) same_text: u64,
    /// A ransom note's words.
    pub(super) worded: u64,
    /// The same, called like a note.
    pub(super) called_note: u64,
}

impl Spread {
    /// What is told as the number of directories with a note.
    pub(super) fn told(self) -> u64 {
        self.same_text.max(self.worded)
    }
}

impl Notes {
    /// Takes a text. Returns whether the same one lies in several directories by now.
    pub(super) fn add(&mut self, name: u64, directory: u64, words: Words, now_ms: u64) -> bool {
        self.forget(now_ms);
        if words != Words::Ordinary {
            self.worded_ms = now_ms;
            if self.worded.len() < DIRECTORIES_MAX {
                self.worded.insert(directory);
            }
        }
        if words == Words::RansomCalledSo && self.called_note.len() < DIRECTORIES_MAX {
            self.called_note.insert(directory);
        }
        if NAMES_MAX <= self.same.len() && !self.same.contains_key(&name) {
            self.forget_least();
        }
        let room = self.remembered < DIRECTORIES_MAX;
        let same = self
            .same
            .entry(name)
            .or_insert_with(|| Same { directories: BTreeSet::new(), last_ms: now_ms });
        same.last_ms = now_ms;
        if room && same.directories.insert(directory) {
            self.remembered += 1;
        }

        TOLD_FROM <= same.directories.len()
    }

    pub(super) fn spread(&mut self, now_ms: u64) -> Spread {
        self.forget(now_ms);
        let most = self.same.values().map(|same| same.directories.len());
        let same_text = most.max().filter(|most| TOLD_FROM <= *most).unwrap_or(0);
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);

        Spread {
            same_text: count(same_text),
            worded: count(self.worded.len()),
            called_note: count(self.called_note.len()),
        }
    }

    fn forget(&mut self, now_ms: u64) {
        if now_ms < self.forgot_ms + FORGET_EVERY_MS {
            return;
        }
        self.forgot_ms = now_ms;
        if self.worded_ms + NOTE_MS < now_ms {
            self.worded.clear();
            self.called_note.clear();
        }
        let remembered = &mut self.remembered;
        self.same.retain(|_, same| {
            let lives = now_ms <= same.last_ms + NOTE_MS;
            if !lives {
                *remembered = remembered.saturating_sub(same.directories.len());
            }
            lives
        });
    }

    /// Makes room: what lies in few directories says little.
    fn forget_least(&mut self) {
        let least = self
            .same
            .iter()
            .min_by_key(|(_, same)| (same.directories.len(), same.last_ms))
            .map(|(name, _)| *name);
        if let Some(same) = least.and_then(|name| self.same.remove(&name)) {
            self.remembered = self.remembered.saturating_sub(same.directories.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_bears_on_what_follows_for_a_while_and_needs_little_room() {
        let mut notes = Notes::default();
        for directory in 0..5 {
            let told = notes.add(1, directory, Words::Ransom, 1000);
            assert_eq!(told, 0 < directory);
        }
        assert_eq!(notes.spread(1000), Spread { same_text: 5, worded: 5, called_note: 0 });
        assert_eq!(notes.spread(601_001), Spread::default());
        for name in 0..5000 {
            for directory in 0..20 {
                notes.add(name, directory, Words::Ordinary, 700_000);
            }
        }
        let remembered: usize = notes.same.values().map(|same| same.directories.len()).sum();
        assert_eq!(remembered, notes.remembered);
        assert!(remembered <= DIRECTORIES_MAX && notes.same.len() <= NAMES_MAX);
    }
}
