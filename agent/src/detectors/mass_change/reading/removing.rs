//! Reads deletions and files moved away: is it gone, or does something stand in for it?

use std::path::Path;

use shirase_shared::redact::shown_extension;

use super::{Finding, Reading};
use crate::detectors::mass_change::evidence::Evidence;
use crate::detectors::mass_change::memory::Carries;
use crate::names;
use crate::observation::{Verdict, file_name};

/// What no longer speaks for harm once a file is put back.
pub(super) const PUT_BACK: [Evidence; 4] =
    [Evidence::Deleted, Evidence::MovedOut, Evidence::LockedAway, Evidence::Unproven];

/// What stands in for a file that is gone.
enum StandIn {
    /// Nothing does.
    None,
    /// Its packed or unpacked form: ordinary work.
    Ordinary,
    /// Something that speaks for harm.
    Harm(Vec<(Evidence, Option<String>)>),
}

impl Reading<'_> {
    pub(super) fn removed(&mut self, evidence: Evidence) {
        let (now, path) = (self.now, self.path);
        let key = self.keys.key(path);
        let renamed = self.memory.is_renamed(key, now);
        if !renamed && self.is_fresh(path) {
            self.memory.forget_fresh(key, now);
            return;
        }
        let well = self
            .memory
            .origin(key, now)
            .unwrap_or_else(|| path.to_owned());
        let file = self.keys.key(&well);
        if renamed && !self.memory.is_away(file, now) {
            // Another file has taken its place: the end of saving, not of the file.
            return;
        }
        match self.stand_in() {
            StandIn::None => {
                self.memory.note_gone(file, now);
                self.mark(&well, evidence);
                // Archives make way for newer ones; nobody packs them again.
                if self.memory.is_beside_locked(self.keys, &well, now)
                    && !names::is_archive(&file_name(&well))
                {
                    self.mark(&well, Evidence::LockedAway);
                }
            }
            StandIn::Ordinary => {}
            StandIn::Harm(evidence) => {
                for (evidence, suffix) in evidence {
                    let mut mark = self.marked(&well, evidence);
                    mark.suffix = suffix;
                    self.findings.push(Finding::Mark(mark));
                }
            }
        }
    }

    fn stand_in(&self) -> StandIn {
        let (name, now) = (file_name(self.path), self.now);
        if let Some((before, suffix)) = name.rsplit_once('.') {
            let unpacked = self.is_allowed(suffix)
                && self
                    .memory
                    .appeared(self.keys.beside(self.path, before), now);
            if unpacked {
                return StandIn::Ordinary;
            }
        }
        let Some(companion) = self.memory.companion(self.keys, self.path, now) else {
            return StandIn::None;
        };
        let suffix = Some(shown_extension(&companion.suffix));
        let ordinary =
            names::kind(&companion.suffix).is_some() || self.is_allowed(&companion.suffix);
        match (companion.carries, ordinary, companion.verdict) {
            (Carries::Whole, true, Verdict::Agrees) => StandIn::Ordinary,
            (Carries::Whole, true, Verdict::Unknown) => {
                StandIn::Harm(vec![(Evidence::Unproven, None)])
            }
            (Carries::Whole, true, Verdict::Lost) => StandIn::Harm(vec![
                (Evidence::Replaced, suffix.clone()),
                (Evidence::MagicLost, suffix),
            ]),
            (Carries::Whole, false, _) => StandIn::Harm(vec![(Evidence::Replaced, suffix)]),
            (Carries::Stem, false, _) if names::kind_of_name(&name).is_some() => {
                StandIn::Harm(vec![(Evidence::Replaced, suffix)])
            }
            (Carries::Stem, _, _) => StandIn::None,
        }
    }

    /// Whether this name was taken out of the way and is filled by something else now.
    pub(super) fn fills_gap(&mut self, path: &Path) -> bool {
        let key = self.keys.key(path);
        if !self.memory.put_back(key, self.now) {
            return false;
        }
        self.undo(key, &PUT_BACK);

        true
    }
}
