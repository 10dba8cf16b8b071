//! One run of change: its totals.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::{MassChange, Severity};
use shirase_shared::ids::BurstId;
use shirase_shared::redact::{OTHER_EXTENSION, Redactor};

use super::authors::Authors;
use super::notes::Spread;
use crate::detectors::mass_change::evidence::{Evidence, Known, Mark, Tally, Value};
use crate::detectors::mass_change::severity::{Because, Span};
use crate::detectors::mass_change::windows::Counts;
use crate::detectors::mass_change::words::Story;

/// Directories counted exactly in one burst; beyond it the count stays.
const DIRECTORIES_MAX: usize = 16_384;
/// Different suffixes and extensions counted apart; more become [`OTHER_EXTENSION`].
const KINDS_MAX: usize = 256;
/// Different suffixes and extensions told.
const KINDS_TOLD: usize = 16;
/// Harmed files shown as examples.
const SAMPLES_MAX: usize = 8;

/// One run of change on one root.
pub(super) struct Burst {
    pub(super) id: BurstId,
    pub(super) severity: Severity,
    /// Which rule made it so severe, what that counted, who did it if that is the point, and by whose word it is less.
    pub(super) because: Because,
    pub(super) count: u64,
    pub(super) doer: String,
    pub(super) lowered_by: String,
    /// Files harmed so far.
    pub(super) files: u64,
    /// Of these, counted before the agent was started again.
    pub(super) carried: u64,
    /// The same by weight.
    pub(super) counts: Counts,
    /// When it was last told, and with how many files.
    pub(super) told_ms: u64,
    pub(super) told_files: u64,
    /// When something was last harmed.
    pub(super) last_ms: u64,
    /// Over which window it shows.
    pub(super) span: Span,
    pub(super) first_at: Timestamp,
    pub(super) samples: Vec<PathBuf>,
    story: Story,
    directories: BTreeSet<u64>,
    authors: Authors,
}

impl Burst {
    pub(super) fn new(span: Span, now: Moment) -> Self {
        Self {
            id: BurstId::random(),
            severity: Severity::Low,
            because: Because::Weak,
            count: 0,
            doer: String::new(),
            lowered_by: String::new(),
            files: 0,
            carried: 0,
            counts: Counts::default(),
            told_ms: now.monotonic_ms,
            told_files: 0,
            last_ms: now.monotonic_ms,
            span,
            first_at: now.wall,
            samples: Vec::new(),
            story: Story::default(),
            directories: BTreeSet::new(),
            authors: Authors::default(),
        }
    }

    /// Adds a mark from before the burst.
    pub(super) fn add_earlier(&mut self, mark: &Mark, known: Known, redactor: &Redactor) {
        self.first_at = self.first_at.min(mark.at.wall);
        self.add(mark, known, redactor);
    }

    /// Adds a mark about a file of which `known` is known already.
    pub(super) fn add(&mut self, mark: &Mark, known: Known, redactor: &Redactor) {
        self.last_ms = self.last_ms.max(mark.at.monotonic_ms);
        let fuller = known.with(mark.evidence);
        self.recount(
            (!known.is_empty()).then(|| Tally::of(known, mark.value)),
            Tally::of(fuller, mark.value),
        );
        // Of a renamed directory its files are harmed, but one directory is renamed.
        let directory =
            matches!(mark.evidence, Evidence::DirectoryRenamed | Evidence::DirectoryTaken);
        let counted = if directory { 1 } else { mark.files };
        self.story.count(mark.evidence, counted);
        if !mark.evidence.is_harm() {
            return;
        }
        if !known.each().any(Evidence::is_harm) {
            self.files += mark.files;
            count(&mut self.story.totals.extensions, mark.extension.as_deref());
            if let Some(actor) = &mark.actor {
                self.authors.add(actor, mark.files, redactor);
            }
        }
        if self.directories.len() < DIRECTORIES_MAX {
            self.directories.insert(mark.directory);
        }
        count(&mut self.story.totals.suffixes, mark.suffix.as_deref());
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(mark.below.clone());
        }
    }

    /// Adds what was counted before the agent was started again, and told by no burst.
    pub(super) fn carry(&mut self, counts: Counts) {
        self.carried = counts.harmed();
        self.files += self.carried;
        self.counts = self.counts.plus(counts);
    }

    fn recount(&mut self, before: Option<Tally>, after: Tally) {
        if let Some(before) = before {
            self.counts.take(before);
        }
        self.counts.add(after);
    }

    /// Takes evidence about one file back.
    pub(super) fn undo(&mut self, known: Known, left: Known, value: Value) {
        for evidence in known.without(left).each() {
            self.story.uncount(evidence);
        }
        self.recount(Some(Tally::of(known, value)), Tally::of(left, value));
        let harmed = |known: Known| known.each().any(Evidence::is_harm);
        if harmed(known) && !harmed(left) {
            self.files = self.files.saturating_sub(1);
        }
    }

    pub(super) fn spread(&self) -> u64 {
        u64::try_from(self.directories.len()).unwrap_or(u64::MAX)
    }

    /// Returns what is to be told of it, but for its samples.
    pub(super) fn story(&self, rate: f64, notes: Spread, now: Moment) -> Story {
        let totals = &self.story.totals;
        Story {
            files: self.files,
            since: self.first_at,
            seconds: now.wall.duration_since(self.first_at).as_secs().max(0),
            totals: MassChange {
                suffixes: most_frequent(&totals.suffixes),
                extensions: most_frequent(&totals.extensions),
                directories: self.spread(),
                rate_per_second: rate,
                note_directories: notes.told(),
                actors: self.authors.told(),
                ..totals.clone()
            },
            worded: notes.worded,
            ..self.story.clone()
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, kind: Option<&str>) {
    let Some(kind) = kind else { return };
    if let Some(count) = counts.get_mut(kind) {
        *count += 1;
        return;
    }
    let kind = if counts.len() < KINDS_MAX { kind } else { OTHER_EXTENSION };
    *counts.entry(kind.to_owned()).or_default() += 1;
}

/// Keeps the most frequent and adds up the rest.
fn most_frequent(counts: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), (*kind).clone()));
    let mut told = BTreeMap::new();
    for (place, (kind, count)) in sorted.into_iter().enumerate() {
        let kind = if place < KINDS_TOLD { kind.as_str() } else { OTHER_EXTENSION };
        *told.entry(kind.to_owned()).or_default() += count;
    }
    told
}
