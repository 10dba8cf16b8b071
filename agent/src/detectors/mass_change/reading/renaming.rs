//! Reads renames: of files, of new files that get their name, and of directories.

use std::path::Path;

use shirase_shared::redact::shown_extension;

use super::{Finding, Reading, Standpoint};
use crate::detectors::mass_change::evidence::{Evidence, Known};
use crate::names::{self, Relation};
use crate::observation::{Texture, Verdict, file_name};

/// A directory with fewer files is no more than they are.
const TAKEN_FILES_MIN: u64 = 3;

impl Reading<'_> {
    pub(super) fn renamed(&mut self, from: &Path) {
        let (now, path, change) = (self.now, self.path, self.change);
        let (old, new) = (self.keys.key(from), self.keys.key(path));
        let renamed = self.memory.is_renamed(old, now);
        if !renamed && self.is_fresh(from) {
            self.memory.forget_fresh(old, now);
            return self.put_in_place(new);
        }
        let well = self
            .memory
            .origin(old, now)
            .unwrap_or_else(|| from.to_owned());
        let file = self.keys.key(&well);
        if new == file {
            self.memory.put_back(file, now);
            self.findings
                .push(Finding::Undo { file, evidence: Known::ALL });
            return;
        }
        let (before, after) = (file_name(&well), file_name(path));
        let relation = names::relation(&before, &after, &self.settings.allowed_suffixes);
        // A name of the same kind is a good name of its own from now on.
        let origin = if relation == Relation::Unchanged { path } else { &well };
        self.memory
            .note_origin(self.keys, new, origin.to_owned(), now);
        let content = [
            (change.verdict == Verdict::Lost).then_some(Evidence::MagicLost),
            (change.texture == Texture::Random).then_some(Evidence::Randomised),
        ];
        let content = content.into_iter().flatten();
        let known = self
            .gets_known_bad(&before, path, &relation)
            .then_some(Evidence::KnownBad);
        let (evidence, suffix): (Vec<_>, _) = match relation {
            Relation::Unchanged if known.is_some() => {
                (Vec::new(), names::extension(&after).unwrap_or_default())
            }
            Relation::Unchanged => return,
            Relation::Appended { suffix } => (
                std::iter::once(Evidence::SuffixAppended)
                    .chain(content)
                    .collect(),
                suffix,
            ),
            Relation::Lost { suffix } if self.is_put_aside(&well) => {
                (vec![Evidence::MovedOut], suffix)
            }
            Relation::Lost { suffix } => (
                std::iter::once(Evidence::ExtensionLost)
                    .chain(content)
                    .collect(),
                suffix,
            ),
            Relation::Ordinary { suffix } => {
                let content: Vec<_> = content.collect();
                match change.verdict {
                    Verdict::Unknown if content.is_empty() => (vec![Evidence::Unproven], suffix),
                    Verdict::Agrees if content.is_empty() && names::is_ssmix2(&before) => {
                        (vec![Evidence::MessageBroken], suffix)
                    }
                    Verdict::Agrees | Verdict::Lost | Verdict::Unknown => (content, suffix),
                }
            }
        };
        for evidence in evidence.into_iter().chain(known) {
            let mut mark = self.marked(&well, evidence);
            mark.suffix = (!suffix.is_empty()).then(|| shown_extension(&suffix));
            self.findings.push(Finding::Mark(mark));
        }
    }

    /// Whether a file gets a suffix or a name that is an attacker's and had none before.
    fn gets_known_bad(&self, before: &str, path: &Path, relation: &Relation) -> bool {
        let appended = match relation {
            Relation::Appended { suffix } => self.settings.known_bad_suffixes.contains(suffix),
            Relation::Unchanged | Relation::Ordinary { .. } | Relation::Lost { .. } => false,
        };

        (appended || self.is_known_bad(path)) && !self.is_known_bad(Path::new(before))
    }

    /// Whether a file that lost its extension went to another directory with its content whole, as a virus scanner does
    /// with what it takes away. It is as good as moved out, and told when there are as many; what happens to its content
    /// later is still seen.
    fn is_put_aside(&self, well: &Path) -> bool {
        let whole =
            self.change.verdict == Verdict::Agrees && self.change.texture != Texture::Random;

        whole && self.path.parent() != well.parent()
    }

    /// A new file is given its name, perhaps over an old one.
    fn put_in_place(&mut self, new: u64) {
        let (now, path, change) = (self.now, self.path, self.change);
        self.note_locked();
        if let Some(carried) = self.keys.carried(path) {
            self.memory.note_companion(new, &carried, now);
            self.memory.vouch(new, &carried, change.verdict, now);
        }
        if self.fills_gap(path) {
            if change.verdict == Verdict::Lost {
                self.mark(path, Evidence::MagicLost);
            }
            if change.texture == Texture::Random {
                self.mark(path, Evidence::Randomised);
            }
            return;
        }
        // Whether it replaced an old file cannot be told from here.
        if self.standpoint == Standpoint::Ordinary {
            self.new_file(Evidence::Substituted);
        }
        self.memory.note_fresh(new, now);
    }

    pub(super) fn directory_renamed(&mut self, from: &Path, files: u64) {
        let old = self.keys.key(from);
        if self.is_fresh(from) {
            if self.memory.forget_fresh(old, self.now) {
                let new = self.keys.key(self.path);
                self.memory.note_fresh(new, self.now);
            }
            return;
        }
        let (before, after) = (file_name(from), file_name(self.path));
        // People put years and words behind a directory's name; no encryptor does without a dot.
        let dotted = after
            .strip_prefix(before.as_str())
            .is_some_and(|rest| rest.starts_with('.'));
        let allowed = &self.settings.allowed_suffixes;
        match names::relation(&before, &after, allowed) {
            Relation::Appended { suffix } if dotted && 0 < files && !names::is_note(&suffix) => {
                let known = self.settings.known_bad_suffixes.contains(&suffix);
                let taken = known || (TAKEN_FILES_MIN <= files && names::is_outlandish(&suffix));
                let evidence =
                    if taken { Evidence::DirectoryTaken } else { Evidence::DirectoryRenamed };
                let mut mark = self.marked(from, evidence);
                mark.suffix = Some(shown_extension(&suffix));
                mark.extension = None;
                mark.directory = old;
                mark.files = files;
                self.findings.push(Finding::Mark(mark));
            }
            Relation::Appended { .. }
            | Relation::Unchanged
            | Relation::Ordinary { .. }
            | Relation::Lost { .. } => {}
        }
    }
}
