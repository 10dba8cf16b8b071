//! Reads one change: what does it say, given what was there before?

mod marking;
mod removing;
mod renaming;

use std::path::Path;
use std::sync::Arc;

use shirase_shared::clock::Moment;
use shirase_shared::redact::shown_extension;

use super::MassChangeConfig;
use super::evidence::{Evidence, Known, Mark};
use super::memory::{Keys, Memory};
use super::scope::Words;
use crate::names::{self, Kind};
use crate::observation::{
    FileChange, FoundFile, Operation, Role, Seal, Sign, Texture, Verdict, Wording, file_name,
};

/// Largest text that can be a note, in bytes.
const NOTE_MAX_BYTES: u64 = 32 * 1024;
/// Extensions of texts a person is meant to read.
const NOTE_EXTENSIONS: &[&str] = &["txt", "html", "htm", "hta", "md", "rtf", "url"];

/// What a change says.
pub(super) enum Finding {
    /// Something speaks for harm.
    Mark(Mark),
    /// A small new text; it may be the same elsewhere.
    Text {
        /// Key of its name.
        name: u64,
        /// What its words are.
        words: Words,
        mark: Mark,
    },
    /// An SS-MIX2 message with a whole name.
    Message,
    /// What spoke for harm is undone.
    Undo {
        /// The file.
        file: u64,
        /// What no longer speaks.
        evidence: Known,
    },
}

/// Reads the changes of one root with the memory of what was before.
pub(super) struct Reader {
    keys: Keys,
    settings: Arc<MassChangeConfig>,
    standpoint: Standpoint,
}

/// What counts as having been there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standpoint {
    /// What appeared more than a minute ago.
    Ordinary,
    /// Everything: a drill makes its files itself, a moment before.
    Drill,
}

/// One change and what it needs to be read.
struct Reading<'a> {
    keys: &'a Keys,
    settings: &'a MassChangeConfig,
    standpoint: Standpoint,
    memory: &'a mut Memory,
    at: Moment,
    now: u64,
    change: &'a FileChange,
    path: &'a Path,
    findings: Vec<Finding>,
}

impl Reader {
    pub(super) const fn new(
        keys: Keys,
        settings: Arc<MassChangeConfig>,
        standpoint: Standpoint,
    ) -> Self {
        Self { keys, settings, standpoint }
    }

    pub(super) fn read(
        &self,
        at: Moment,
        change: &FileChange,
        memory: &mut Memory,
    ) -> Vec<Finding> {
        let mut reading = Reading {
            keys: &self.keys,
            settings: &self.settings,
            standpoint: self.standpoint,
            memory,
            at,
            now: at.monotonic_ms,
            change,
            path: &change.below,
            findings: Vec::new(),
        };
        reading.run();

        reading.findings
    }

    /// Reads a file a rescan found.
    pub(super) fn found(&self, at: Moment, found: &FoundFile) -> Mark {
        let name = file_name(&found.below);
        let before = names::name_before_suffix(&name, &self.settings.allowed_suffixes);
        let evidence = match found.sign {
            Sign::SuffixAppended | Sign::MagicLost if is_known_bad(&self.settings, &name) => {
                Evidence::KnownBad
            }
            Sign::SuffixAppended => Evidence::SuffixAppended,
            Sign::MagicLost => Evidence::MagicLost,
        };
        let well = before.unwrap_or(&name).to_owned();
        let suffix = before.and(names::extension(&name));
        let well = found.below.with_file_name(well);
        let mut mark = marking::mark(&self.keys, at, &found.below, &well, evidence);
        mark.suffix = suffix.map(|suffix| shown_extension(&suffix));
        mark.touch = super::Touch::Found;
        mark
    }
}

impl Reading<'_> {
    fn run(&mut self) {
        match &self.change.operation {
            Operation::Created => self.created(),
            Operation::Written => self.written(),
            Operation::Deleted => self.removed(Evidence::Deleted),
            Operation::MovedOut => self.removed(Evidence::MovedOut),
            Operation::Renamed { from } => self.renamed(from),
            Operation::DirectoryRenamed { from, files } => self.directory_renamed(from, *files),
        }
        if self.change.role == Role::Canary {
            let from = match &self.change.operation {
                Operation::Renamed { from } | Operation::DirectoryRenamed { from, .. } => from,
                Operation::Created
                | Operation::Written
                | Operation::Deleted
                | Operation::MovedOut => self.path,
            };
            self.mark(from, Evidence::Canary);
        }
    }

    fn created(&mut self) {
        let key = self.keys.key(self.path);
        if self.memory.put_back(key, self.now) {
            // The name was there before, so what comes now is an overwrite and not a new file.
            self.undo(key, &removing::PUT_BACK);
        } else {
            self.memory.note_fresh(key, self.now);
            self.memory.note_unfinished(key, self.now);
        }
        let Some(carried) = self.keys.carried(self.path) else { return };
        self.memory.note_companion(key, &carried, self.now);
        // The old file may have been deleted before the new one appeared.
        if !self.memory.is_gone(carried.whole, self.now)
            || names::kind(&carried.suffix).is_some()
            || self.is_allowed(&carried.suffix)
        {
            return;
        }
        self.undo(carried.whole, &[Evidence::Deleted, Evidence::MovedOut, Evidence::LockedAway]);
        let mut mark = self.marked(self.path, Evidence::Replaced);
        mark.file = carried.whole;
        mark.suffix = Some(shown_extension(&carried.suffix));
        self.findings.push(Finding::Mark(mark));
    }

    fn written(&mut self) {
        let (now, path, change) = (self.now, self.path, self.change);
        let key = self.keys.key(path);
        let is_new = self.memory.finish(key, now);
        if is_new && let Some(carried) = self.keys.carried(path) {
            self.memory.vouch(key, &carried, change.verdict, now);
        }
        self.text(is_new);
        if is_new {
            self.note_locked();
        }
        if is_new && self.standpoint == Standpoint::Ordinary {
            return self.new_file(Evidence::Misfit);
        }
        if self.is_fresh(path) {
            return;
        }
        // The word of a write may come after the file was renamed; it is still the same file.
        let renamed = self.memory.well_name(key, now).map(Path::to_owned);
        let well = renamed.as_deref().unwrap_or(path);
        match change.size {
            Some(0) => self.mark(well, Evidence::Truncated),
            Some(_) => self.undo(self.keys.key(well), &[Evidence::Truncated]),
            None => {}
        }
        if change.verdict == Verdict::Lost {
            self.mark(well, Evidence::MagicLost);
        }
        if change.texture == Texture::Random {
            self.mark(well, Evidence::Randomised);
        }
    }

    /// Looks at a new file that is complete, or got its name; `misfit` is what it is if its content does not fit.
    fn new_file(&mut self, misfit: Evidence) {
        let name = file_name(self.path);
        let is_message = names::is_ssmix2(&name);
        if is_message {
            self.findings.push(Finding::Message);
        }
        if self.is_known_bad(self.path) {
            let mut mark = self.marked(self.path, Evidence::KnownBad);
            mark.suffix = names::extension(&name).map(|suffix| shown_extension(&suffix));
            self.findings.push(Finding::Mark(mark));
        }
        // In a new directory everything is new: a copy, an archive unpacked.
        let directory = self.path.parent().unwrap_or(self.path);
        if !directory.as_os_str().is_empty() && self.is_fresh(directory) {
            return;
        }
        let kind = names::kind_of_name(&name);
        let does_not_fit =
            self.change.verdict == Verdict::Lost || self.change.texture == Texture::Random;
        if does_not_fit && matches!(kind, Some(Kind::Document | Kind::Text)) {
            self.mark(self.path, misfit);
        }
        if !is_message && names::is_message_directory(directory) && self.is_odd_here(&name) {
            self.mark(self.path, Evidence::MessageBroken);
        }
    }

    /// Remembers where a new archive is locked: what goes from there may lie in it.
    fn note_locked(&mut self) {
        if self.change.seal == Seal::Locked {
            self.memory.note_locked(self.keys, self.path, self.now);
        }
    }

    /// Whether a name among SS-MIX2 messages is more than a temporary one.
    fn is_odd_here(&self, name: &str) -> bool {
        let suffix = names::extension(name).unwrap_or_default();
        let temporary = name.starts_with(['.', '~']) || self.is_allowed(&suffix);

        !temporary && self.change.size != Some(0)
    }

    /// Looks whether a text is a note.
    fn text(&mut self, is_new: bool) {
        let ransom = self.change.wording == Wording::RansomNote;
        let new_text = is_new && self.is_text();
        if !ransom && !new_text {
            return;
        }
        let name = file_name(self.path);
        let words = match (ransom, names::is_called_note(&name)) {
            (true, true) => Words::RansomCalledSo,
            (true, false) => Words::Ransom,
            (false, _) => Words::Ordinary,
        };
        let evidence = if ransom { Evidence::RansomNote } else { Evidence::Note };
        let mark = self.marked(self.path, evidence);
        let name = self.keys.text(&name);
        self.findings.push(Finding::Text { name, words, mark });
    }

    fn is_text(&self) -> bool {
        let small = self
            .change
            .size
            .is_some_and(|size| 0 < size && size <= NOTE_MAX_BYTES);
        let readable = || {
            let extension = names::extension(&file_name(self.path)).unwrap_or_default();
            NOTE_EXTENSIONS.contains(&extension.as_str())
        };

        small && self.change.verdict != Verdict::Lost && readable()
    }

    // === What all of them need ===

    fn is_fresh(&self, path: &Path) -> bool {
        self.standpoint == Standpoint::Ordinary && self.memory.is_fresh(self.keys, path, self.now)
    }

    fn is_known_bad(&self, path: &Path) -> bool {
        is_known_bad(self.settings, &file_name(path))
    }

    fn is_allowed(&self, suffix: &str) -> bool {
        names::is_allowed_suffix(suffix, &self.settings.allowed_suffixes)
    }

    fn marked(&self, well: &Path, evidence: Evidence) -> Mark {
        let mut mark = marking::mark(self.keys, self.at, self.path, well, evidence);
        mark.touch = super::Touch::of(self.change);
        mark.actor.clone_from(&self.change.actor);
        mark
    }

    fn mark(&mut self, well: &Path, evidence: Evidence) {
        let mark = self.marked(well, evidence);
        self.findings.push(Finding::Mark(mark));
    }

    fn undo(&mut self, file: u64, evidence: &[Evidence]) {
        let set = evidence
            .iter()
            .fold(Known::default(), |set, kind| set.with(*kind));
        self.findings.push(Finding::Undo { file, evidence: set });
    }
}

/// Whether somebody vouches for a name or its suffix as an attacker's.
fn is_known_bad(settings: &MassChangeConfig, name: &str) -> bool {
    if settings.known_bad_suffixes.is_empty() && settings.known_bad_names.is_empty() {
        return false;
    }
    let name = name.to_lowercase();
    let suffix = names::extension(&name);

    settings.known_bad_names.contains(&name)
        || suffix.is_some_and(|suffix| settings.known_bad_suffixes.contains(&suffix))
}
