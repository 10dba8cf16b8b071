//! Reads one change: what does it say, given what was there before?

use std::path::Path;
use std::sync::Arc;

use shirase_shared::clock::Moment;
use shirase_shared::redact::shown_extension;

use crate::detectors::mass_change::evidence::{Evidence, Mark, Value, units};
use crate::detectors::mass_change::memory::{Carries, Memory};
use crate::detectors::mass_change::{MassChangeConfig, Touch};
use crate::names::{self, Kind, Relation};
use crate::observation::{FileChange, FoundFile, Operation, Sign, Verdict, file_name};

/// Largest text that can be a note, in bytes.
const NOTE_MAX_BYTES: u64 = 32 * 1024;
/// Extensions of texts a person is meant to read.
const NOTE_EXTENSIONS: &[&str] = &["txt", "html", "htm", "hta", "md", "rtf", "url"];

/// Extensions of texts a hospital would miss.
const VALUED_TEXTS: &[&str] = &["txt", "text", "xml"];

/// What a change says.
pub(super) enum Finding {
    /// Something speaks for harm.
    Mark(Mark),
    /// A small new text; it may be the same elsewhere.
    Text {
        /// Key of its name.
        name: u64,
        mark: Mark,
    },
    /// What spoke for harm is undone.
    Undo { file: u64, evidence: Evidence },
    /// The file has its old name again.
    UndoAll { file: u64 },
}

/// Reads changes with the memory of what was before.
pub(super) struct Reader {
    memory: Memory,
    settings: Arc<MassChangeConfig>,
    /// In a drill even new files count as old: it makes them itself, a moment before.
    is_drill: bool,
}

impl Reader {
    pub(super) fn new(settings: Arc<MassChangeConfig>, is_drill: bool) -> Self {
        Self { memory: Memory::new(), settings, is_drill }
    }

    pub(super) fn read(&mut self, at: Moment, change: &FileChange) -> Vec<Finding> {
        match &change.operation {
            Operation::Created => self.created(at, change),
            Operation::Written => self.written(at, change),
            Operation::Deleted | Operation::MovedOut => self.removed(at, change),
            Operation::Renamed { from } => self.renamed(at, change, from),
            Operation::DirectoryRenamed { from, files } => {
                self.directory_renamed(at, change, from, *files)
            }
        }
    }

    /// Reads a file a rescan found.
    pub(super) fn found(&self, at: Moment, found: &FoundFile) -> Mark {
        let name = file_name(&found.below);
        let before = names::name_before_suffix(&name, &self.settings.allowed_suffixes);
        let evidence = match found.sign {
            Sign::SuffixAppended => Evidence::SuffixAppended,
            Sign::MagicLost => Evidence::MagicLost,
        };
        let well = before.unwrap_or(&name).to_owned();
        let suffix = before.and(names::extension(&name));
        let mut mark = self.mark(at, &found.below, &found.below.with_file_name(well), evidence);
        mark.suffix = suffix.map(|suffix| shown_extension(&suffix));
        mark.touch = Touch::Found;
        mark
    }

    fn is_fresh(&self, path: &Path, now_ms: u64) -> bool {
        !self.is_drill && self.memory.is_fresh(path, now_ms)
    }

    fn created(&mut self, at: Moment, change: &FileChange) -> Vec<Finding> {
        let (now, path) = (at.monotonic_ms, change.below.as_path());
        let key = self.memory.key(path);
        let mut findings = Vec::new();
        if self.memory.put_back(key, now) {
            // The name was there before, so what comes now is an overwrite and not a new file.
            for evidence in [Evidence::Deleted, Evidence::Unproven] {
                findings.push(Finding::Undo { file: key, evidence });
            }
        } else {
            self.memory.note_fresh(key, now);
        }
        self.memory.note_companion(path, now);
        // The old file may have been deleted before the new one appeared.
        for (carried, suffix, carries) in self.memory.carried(path) {
            let unknown = names::kind(&suffix).is_none()
                && !names::is_allowed_suffix(&suffix, &self.settings.allowed_suffixes);
            if carries == Carries::Whole && unknown && self.memory.is_gone(carried, now) {
                findings.push(Finding::Undo { file: carried, evidence: Evidence::Deleted });
                let mut mark = self.mark(at, path, path, Evidence::Replaced);
                mark.file = carried;
                mark.suffix = Some(shown_extension(&suffix));
                findings.push(Finding::Mark(mark));
            }
        }
        findings
    }

    fn written(&mut self, at: Moment, change: &FileChange) -> Vec<Finding> {
        let (now, path) = (at.monotonic_ms, change.below.as_path());
        let key = self.memory.key(path);
        self.memory.vouch(path, change.verdict, now);
        let mut findings = Vec::new();
        if self.is_text(change) && self.memory.appeared(key, now) {
            let name = self.memory.text(&file_name(path));
            let mark = self.mark(at, path, path, Evidence::Note);
            findings.push(Finding::Text { name, mark });
        }
        if self.is_fresh(path, now) {
            return findings;
        }
        // The word of a write may come after the file was renamed; it is still the same file.
        let well = self.memory.well_name(key, now).unwrap_or(path);
        if change.size == Some(0) {
            findings.push(Finding::Mark(self.mark(at, path, well, Evidence::Truncated)));
        } else if change.size.is_some() {
            let file = self.memory.key(well);
            findings.push(Finding::Undo { file, evidence: Evidence::Truncated });
        }
        if change.verdict == Verdict::Lost {
            findings.push(Finding::Mark(self.mark(at, path, well, Evidence::MagicLost)));
        }
        findings
    }

    fn is_text(&self, change: &FileChange) -> bool {
        let small = change
            .size
            .is_some_and(|size| 0 < size && size <= NOTE_MAX_BYTES);
        let extension = names::extension(&file_name(&change.below)).unwrap_or_default();
        small && change.verdict != Verdict::Lost && NOTE_EXTENSIONS.contains(&extension.as_str())
    }

    fn removed(&mut self, at: Moment, change: &FileChange) -> Vec<Finding> {
        let (now, path) = (at.monotonic_ms, change.below.as_path());
        let key = self.memory.key(path);
        let renamed = self.memory.is_renamed(key, now);
        if !renamed && self.is_fresh(path, now) {
            self.memory.forget_fresh(key, now);
            return Vec::new();
        }
        let well = self
            .memory
            .origin(key, now)
            .unwrap_or_else(|| path.to_owned());
        let file = self.memory.key(&well);
        if renamed && !self.memory.is_away(file, now) {
            // Another file has taken its place: the end of saving, not of the file.
            return Vec::new();
        }
        if let Some(evidence) = self.companion(path, now) {
            return evidence
                .into_iter()
                .map(|(evidence, suffix)| {
                    let mut mark = self.mark(at, path, &well, evidence);
                    mark.suffix = suffix;
                    Finding::Mark(mark)
                })
                .collect();
        }
        self.memory.note_gone(file, now);
        vec![Finding::Mark(self.mark(at, path, &well, Evidence::Deleted))]
    }

    /// Whether a new file stands in for a deleted one, and what that says; an empty list is ordinary work.
    fn companion(&self, path: &Path, now: u64) -> Option<Vec<(Evidence, Option<String>)>> {
        let name = file_name(path);
        if let Some((before, suffix)) = name.rsplit_once('.') {
            let unpacked = names::is_allowed_suffix(suffix, &self.settings.allowed_suffixes)
                && self.memory.appeared(self.memory.beside(path, before), now);
            if unpacked {
                return Some(Vec::new());
            }
        }
        let companion = self.memory.companion(path, now)?;
        let suffix = Some(shown_extension(&companion.suffix));
        let ordinary = names::kind(&companion.suffix).is_some()
            || names::is_allowed_suffix(&companion.suffix, &self.settings.allowed_suffixes);
        match (companion.carries, ordinary, companion.verdict) {
            (Carries::Whole, true, Verdict::Agrees) => Some(Vec::new()),
            (Carries::Whole, true, Verdict::Unknown) => Some(vec![(Evidence::Unproven, None)]),
            (Carries::Whole, true, Verdict::Lost) => {
                Some(vec![(Evidence::Replaced, suffix.clone()), (Evidence::MagicLost, suffix)])
            }
            (Carries::Whole, false, _) => Some(vec![(Evidence::Replaced, suffix)]),
            (Carries::Stem, false, _) if names::kind_of_name(&name).is_some() => {
                Some(vec![(Evidence::Replaced, suffix)])
            }
            (Carries::Stem, _, _) => None,
        }
    }

    fn renamed(&mut self, at: Moment, change: &FileChange, from: &Path) -> Vec<Finding> {
        let (now, path) = (at.monotonic_ms, change.below.as_path());
        let (old, new) = (self.memory.key(from), self.memory.key(path));
        let renamed = self.memory.is_renamed(old, now);
        if !renamed && self.is_fresh(from, now) {
            self.memory.forget_fresh(old, now);
            return self.put_in_place(at, change, new);
        }
        let well = self
            .memory
            .origin(old, now)
            .unwrap_or_else(|| from.to_owned());
        let file = self.memory.key(&well);
        if new == file {
            self.memory.put_back(file, now);
            return vec![Finding::UndoAll { file }];
        }
        let relation =
            names::relation(&file_name(&well), &file_name(path), &self.settings.allowed_suffixes);
        // A name of the same kind is a good name of its own from now on.
        let origin = if relation == Relation::Unchanged { path } else { &well };
        self.memory.note_origin(new, origin.to_owned(), now);
        let lost = (change.verdict == Verdict::Lost).then_some(Evidence::MagicLost);
        let (evidence, suffix) = match relation {
            Relation::Unchanged => return Vec::new(),
            Relation::Appended { suffix } => (vec![Some(Evidence::SuffixAppended), lost], suffix),
            Relation::Lost { suffix } => (vec![Some(Evidence::ExtensionLost), lost], suffix),
            Relation::Ordinary { suffix } => match change.verdict {
                Verdict::Agrees => return Vec::new(),
                Verdict::Lost => (vec![lost], suffix),
                Verdict::Unknown => (vec![Some(Evidence::Unproven)], suffix),
            },
        };
        let mark = |evidence| {
            let mut mark = self.mark(at, path, &well, evidence);
            mark.suffix = (!suffix.is_empty()).then(|| shown_extension(&suffix));
            mark.touch = touch(change);
            Finding::Mark(mark)
        };
        evidence.into_iter().flatten().map(mark).collect()
    }

    /// A new file is given its name, perhaps over an old one.
    fn put_in_place(&mut self, at: Moment, change: &FileChange, new: u64) -> Vec<Finding> {
        let (now, path) = (at.monotonic_ms, change.below.as_path());
        self.memory.note_companion(path, now);
        self.memory.vouch(path, change.verdict, now);
        if self.memory.put_back(new, now) {
            let mut findings = vec![
                Finding::Undo { file: new, evidence: Evidence::Deleted },
                Finding::Undo { file: new, evidence: Evidence::Unproven },
            ];
            if change.verdict == Verdict::Lost {
                findings.push(Finding::Mark(self.mark(at, path, path, Evidence::MagicLost)));
            }
            return findings;
        }
        self.memory.note_fresh(new, now);
        match change.verdict {
            // Whether it replaced an old file cannot be told from here.
            Verdict::Lost => vec![Finding::Mark(self.mark(at, path, path, Evidence::Unproven))],
            Verdict::Agrees | Verdict::Unknown => Vec::new(),
        }
    }

    fn directory_renamed(
        &mut self,
        at: Moment,
        change: &FileChange,
        from: &Path,
        files: u64,
    ) -> Vec<Finding> {
        let (now, path) = (at.monotonic_ms, change.below.as_path());
        let old = self.memory.key(from);
        if self.is_fresh(from, now) {
            if self.memory.forget_fresh(old, now) {
                self.memory.note_fresh(self.memory.key(path), now);
            }
            return Vec::new();
        }
        let allowed = &self.settings.allowed_suffixes;
        match names::relation(&file_name(from), &file_name(path), allowed) {
            Relation::Appended { suffix } if 0 < files => {
                let mut mark = self.mark(at, path, from, Evidence::SuffixAppended);
                mark.suffix = Some(shown_extension(&suffix));
                mark.extension = None;
                mark.touch = touch(change);
                mark.directory = old;
                (mark.files, mark.units) = (files, files.min(2));
                vec![Finding::Mark(mark)]
            }
            Relation::Appended { .. }
            | Relation::Unchanged
            | Relation::Ordinary { .. }
            | Relation::Lost { .. } => Vec::new(),
        }
    }

    /// Makes a mark about the file now at `path` that was called `well`.
    fn mark(&self, at: Moment, path: &Path, well: &Path, evidence: Evidence) -> Mark {
        let name = file_name(well);
        let extension = names::extension(&name);
        let valued_text = extension
            .as_deref()
            .is_some_and(|extension| VALUED_TEXTS.contains(&extension));
        let value = match (names::kind_of_name(&name), evidence) {
            (Some(Kind::Document), _) | (Some(Kind::Text), Evidence::Truncated) => Value::Valued,
            (Some(Kind::Text), _) if valued_text => Value::Valued,
            (Some(Kind::Text | Kind::Other) | None, _) => Value::Common,
        };
        let touch = match evidence {
            Evidence::Deleted | Evidence::Replaced | Evidence::Unproven => Touch::Deleted,
            Evidence::SuffixAppended
            | Evidence::ExtensionLost
            | Evidence::MagicLost
            | Evidence::Truncated
            | Evidence::Note => Touch::Written,
        };

        Mark {
            at,
            file: self.memory.key(well),
            directory: self.memory.directory(well),
            evidence,
            value,
            files: 1,
            units: units(evidence.bit()),
            suffix: None,
            extension: extension.map(|extension| shown_extension(&extension)),
            below: path.to_owned(),
            touch,
        }
    }
}

/// What was done, for the manifest.
pub(super) fn touch(change: &FileChange) -> Touch {
    match &change.operation {
        Operation::Created => Touch::Created,
        Operation::Written => Touch::Written,
        Operation::Deleted => Touch::Deleted,
        Operation::MovedOut => Touch::MovedOut,
        Operation::Renamed { from } | Operation::DirectoryRenamed { from, .. } => {
            Touch::Renamed { from: change.root.path.join(from) }
        }
    }
}
