//! One run of change: its totals, and how it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Anomaly, Event, MassChange, Phase, SCHEMA, Severity};
use shirase_shared::ids::{BurstId, DrillId};
use shirase_shared::redact::{OTHER_EXTENSION, Redactor};

use crate::detectors::mass_change::evidence::{Evidence, Mark, Value, heaviest, units};
use crate::detectors::mass_change::windows::{Counts, Span, spreads};
use crate::detectors::mass_change::{Touch, Touched};
use crate::observation::Root;

/// Directories counted exactly in one burst; beyond it the count stays.
const DIRECTORIES_MAX: usize = 65_536;
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
    /// Files harmed so far.
    pub(super) files: u64,
    /// The same by weight.
    pub(super) counts: Counts,
    /// When it was last told, and with how many files.
    pub(super) told_ms: u64,
    pub(super) told_files: u64,
    /// When something was last harmed.
    pub(super) last_ms: u64,
    /// Over which window it shows.
    pub(super) span: Span,
    first_at: Timestamp,
    totals: MassChange,
    directories: BTreeSet<u64>,
    samples: Vec<PathBuf>,
}

impl Burst {
    pub(super) fn new(severity: Severity, span: Span, now: Moment) -> Self {
        Self {
            id: BurstId::random(),
            severity,
            files: 0,
            counts: Counts::default(),
            told_ms: now.monotonic_ms,
            told_files: 0,
            last_ms: now.monotonic_ms,
            span,
            first_at: now.wall,
            totals: MassChange::default(),
            directories: BTreeSet::new(),
            samples: Vec::new(),
        }
    }

    /// Adds a mark from before the burst.
    pub(super) fn add(&mut self, mark: &Mark, known: u8) {
        self.first_at = self.first_at.min(mark.at.wall);
        self.add_to(mark, known);
    }

    /// Adds a mark about a file of which `known` is known already.
    pub(super) fn add_to(&mut self, mark: &Mark, known: u8) {
        self.last_ms = self.last_ms.max(mark.at.monotonic_ms);
        let (before, weight) = (heaviest(known), mark.evidence.weight());
        if before < weight {
            self.counts.take(before, mark.value, units(known));
            self.counts.add(weight, mark.value, mark.units);
        }
        if let Some(slot) = self.slot(mark.evidence) {
            *slot += mark.files;
        }
        if !spreads(mark.evidence) {
            return;
        }
        if known == 0 {
            self.files += mark.files;
            count(&mut self.totals.extensions, mark.extension.clone());
        }
        if self.directories.len() < DIRECTORIES_MAX {
            self.directories.insert(mark.directory);
        }
        count(&mut self.totals.suffixes, mark.suffix.clone());
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(mark.below.clone());
        }
    }

    /// Takes evidence about one file back.
    pub(super) fn undo(&mut self, known: u8, left: u8, value: Value) {
        for evidence in Evidence::ALL {
            if (known & !left) & evidence.bit() != 0
                && let Some(slot) = self.slot(evidence)
            {
                *slot = slot.saturating_sub(1);
            }
        }
        let (before, after) = (heaviest(known), heaviest(left));
        if after < before {
            self.counts.take(before, value, units(known));
            self.counts.add(after, value, units(left));
        }
        if left == 0 {
            self.files = self.files.saturating_sub(1);
        }
    }

    pub(super) fn spread(&self) -> u64 {
        u64::try_from(self.directories.len()).unwrap_or(u64::MAX)
    }

    /// Where this kind of evidence is added up; notes and doubts are told in another way.
    fn slot(&mut self, evidence: Evidence) -> Option<&mut u64> {
        match evidence {
            Evidence::SuffixAppended => Some(&mut self.totals.suffix_appended),
            Evidence::ExtensionLost => Some(&mut self.totals.extension_lost),
            Evidence::Replaced => Some(&mut self.totals.replaced),
            Evidence::MagicLost => Some(&mut self.totals.magic_lost),
            Evidence::Deleted => Some(&mut self.totals.deleted),
            Evidence::Truncated => Some(&mut self.totals.truncated),
            Evidence::Note | Evidence::Unproven => None,
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, kind: Option<String>) {
    let Some(kind) = kind else { return };
    let known = counts.contains_key(&kind) || counts.len() < KINDS_MAX;
    let kind = if known { kind } else { OTHER_EXTENSION.to_owned() };
    *counts.entry(kind).or_default() += 1;
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

/// Puts a burst into events and manifest lines.
pub(super) struct Teller {
    pub(super) root: Arc<Root>,
    pub(super) drill: Option<DrillId>,
    pub(super) redactor: Arc<Redactor>,
}

impl Teller {
    pub(super) fn event(
        &self,
        burst: &mut Burst,
        phase: Phase,
        rate: f64,
        note_directories: u64,
        now: Moment,
    ) -> Event {
        burst.told_ms = now.monotonic_ms;
        burst.told_files = burst.files;
        let facts = |below: &PathBuf| {
            self.redactor
                .facts(&self.root.label, below, self.root.names)
        };
        let evidence = MassChange {
            suffixes: most_frequent(&burst.totals.suffixes),
            extensions: most_frequent(&burst.totals.extensions),
            directories: burst.spread(),
            rate_per_second: rate,
            note_directories,
            samples: burst.samples.iter().map(facts).collect(),
            ..burst.totals.clone()
        };
        let reason = reason(&evidence, burst, phase, now);

        Event {
            schema: SCHEMA,
            anomaly: Anomaly::MassChange(evidence),
            phase,
            burst: Some(burst.id),
            severity: burst.severity,
            detected_at: now.wall,
            first_change_at: Some(burst.first_at),
            moment: now,
            root: Some(self.root.label.clone()),
            files_affected: burst.files,
            reason,
            drill: self.drill,
        }
    }

    pub(super) fn touched(
        &self,
        burst: &Burst,
        at: Timestamp,
        path: PathBuf,
        operation: Touch,
        evidence: Vec<Evidence>,
    ) -> Touched {
        let root = self.root.label.clone();
        Touched { burst: burst.id, at, root, path, operation, evidence }
    }
}

/// Says in plain words which evidence, how many, since when.
fn reason(evidence: &MassChange, burst: &Burst, phase: Phase, now: Moment) -> String {
    let named = |(suffix, _): &(&String, &u64)| *suffix != OTHER_EXTENSION;
    let mut suffixes: Vec<_> = evidence.suffixes.iter().filter(named).collect();
    suffixes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let suffixes: Vec<_> = suffixes
        .iter()
        .take(3)
        .map(|(s, _)| format!("`.{s}`"))
        .collect();
    let suffixes = match suffixes.is_empty() {
        true => String::new(),
        false => format!(" ({})", suffixes.join(", ")),
    };
    let parts = [
        (
            evidence.suffix_appended,
            format!("gained a suffix no ordinary program appends{suffixes}"),
        ),
        (evidence.extension_lost, "lost their extension or got an unknown one".to_owned()),
        (
            evidence.replaced,
            format!("were replaced by a new file with another name behind theirs{suffixes}"),
        ),
        (evidence.magic_lost, "no longer begin the way their name promises".to_owned()),
        (evidence.deleted, "that were there before were deleted or moved away".to_owned()),
        (evidence.truncated, "that were there before were cut to nothing".to_owned()),
        (burst.counts.weak, "changed in a way that could not be vouched for".to_owned()),
    ];
    let told = |(count, what): (u64, String)| (0 < count).then(|| format!("{count} {what}"));
    let mut reason = parts
        .into_iter()
        .filter_map(told)
        .collect::<Vec<_>>()
        .join(", ");
    if 0 < evidence.note_directories {
        let note = format!(", the same new text lies in {} directories", evidence.note_directories);
        reason.push_str(&note);
    }
    let since = burst.first_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let seconds = now.wall.duration_since(burst.first_at).as_secs().max(0);
    let ended = match phase {
        Phase::Ended => "; nothing more for a while",
        Phase::Opened | Phase::Grew | Phase::Once => "",
    };

    let files = counted(burst.files, "file", "files");
    let directories = counted(evidence.directories, "directory", "directories");
    format!("{files} harmed in {directories} since {since} ({seconds} s): {reason}{ended}")
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
