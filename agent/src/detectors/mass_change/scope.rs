//! One root, or one drill on it: turns changes into marks and marks into the story of a burst.

mod reading;
mod burst;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Phase, Severity};
use shirase_shared::ids::DrillId;
use shirase_shared::redact::Redactor;

use super::evidence::{Mark, Value, Weight, heaviest, units};
use super::windows::{Span, Windows, is_critical};
use super::{Maintenance, MassChangeConfig, Touched};
use crate::observation::{FileChange, FoundFile, Root};
use burst::{Burst, Teller};
use reading::{Finding, Reader};

/// Marks kept from before a burst, so that it can tell how it began.
const PENDING_MAX: usize = 4096;
/// What happened longer ago than this before a burst does not belong to it, unless it took a day to show.
const PENDING_MS: u64 = 120_000;
/// A day.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// A burst so slow that it took a day to show has ended when nothing was harmed for this long.
const SLOW_QUIET_MS: u64 = 3600 * 1000;
/// Files whose evidence is remembered; beyond it a file may count twice.
const KNOWN_MAX: usize = 131_072;
/// Names of small new texts watched for being the same in many directories.
const NOTES_MAX: usize = 1024;
/// Directories remembered of one such name.
const NOTE_DIRECTORIES_MAX: usize = 4096;
/// Directories with the same small new text that make it worth a line.
const NOTE_DIRECTORIES_TOLD: usize = 2;
/// A burst that only grows is told again when it doubled, and not more often than this.
const GREW_EVERY_MS: u64 = 5000;

/// One root, or one drill on it.
pub(super) struct Scope {
    root: Arc<Root>,
    teller: Teller,
    settings: Arc<MassChangeConfig>,
    reader: Reader,
    windows: Windows,
    /// Marks that belong to no burst yet.
    pending: VecDeque<Mark>,
    /// The evidence known of each file, as a set, and whether it is valued.
    known: HashMap<u64, (u8, Value)>,
    notes: BTreeMap<u64, BTreeSet<u64>>,
    burst: Option<Burst>,
    news: News,
    touched: Vec<Touched>,
}

/// Whether anything happened since the last decision that could change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    None,
    Marked,
}

impl Scope {
    pub(super) fn new(
        root: Arc<Root>,
        drill: Option<DrillId>,
        settings: Arc<MassChangeConfig>,
        redactor: Arc<Redactor>,
    ) -> Self {
        let reader = Reader::new(settings.clone(), drill.is_some());
        let teller = Teller { root: root.clone(), drill, redactor };
        Self {
            root,
            teller,
            settings,
            reader,
            windows: Windows::default(),
            pending: VecDeque::new(),
            known: HashMap::new(),
            notes: BTreeMap::new(),
            burst: None,
            news: News::None,
            touched: Vec::new(),
        }
    }

    pub(super) fn is_of(&self, root: &Root, drill: Option<DrillId>) -> bool {
        self.root.label == root.label && self.teller.drill == drill
    }

    pub(super) const fn drill(&self) -> Option<DrillId> {
        self.teller.drill
    }

    pub(super) const fn is_open(&self) -> bool {
        self.burst.is_some()
    }

    pub(super) fn change(&mut self, at: Moment, change: &FileChange) {
        let findings = self.reader.read(at, change);
        let mut evidence = Vec::new();
        for finding in findings {
            match finding {
                Finding::Mark(mark) => {
                    evidence.push(mark.evidence);
                    self.add(mark);
                }
                Finding::Undo { file, evidence } => self.undo(file, evidence.bit()),
                Finding::UndoAll { file } => self.undo(file, u8::MAX),
                Finding::Text { name, mark } => {
                    if self.is_note(name, mark.directory) {
                        evidence.push(mark.evidence);
                        self.add(mark);
                    }
                }
            }
        }
        if let Some(burst) = &self.burst {
            let touch = reading::touch(change);
            let (path, at) = (change.path(), at.wall);
            self.touched
                .push(self.teller.touched(burst, at, path, touch, evidence));
        }
    }

    pub(super) fn found(&mut self, at: Moment, found: &FoundFile) {
        let mark = self.reader.found(at, found);
        if let Some(burst) = &self.burst {
            let evidence = vec![mark.evidence];
            let path = found.root.path.join(&found.below);
            let touch = mark.touch.clone();
            self.touched.push(
                self.teller
                    .touched(burst, found.changed_at, path, touch, evidence),
            );
        }
        self.add(mark);
    }

    /// Decides whether what is known now is worth an event.
    pub(super) fn decide(
        &mut self,
        now: Moment,
        maintenance: Maintenance,
        touched: &mut Vec<Touched>,
    ) -> Option<Event> {
        let event = match self.news {
            News::None => None,
            News::Marked => self.weigh(now, maintenance),
        };
        self.news = News::None;
        touched.append(&mut self.touched);

        event
    }

    fn weigh(&mut self, now: Moment, maintenance: Maintenance) -> Option<Event> {
        let notes = self.note_directories();
        let settings = &self.settings;
        let told = self
            .windows
            .severity(now.monotonic_ms, notes, maintenance, settings);
        let (mut burst, opening) = match self.burst.take() {
            Some(burst) => (burst, None),
            None => {
                let (severity, span) = told?;
                (self.open(now, severity, span), Some(Phase::Opened))
            }
        };
        if let Some((_, Span::Minutes)) = told {
            burst.span = Span::Minutes;
        }
        let mut severity =
            told.map_or(burst.severity, |(severity, _)| severity.max(burst.severity));
        let critical = is_critical(burst.counts, burst.spread(), maintenance, &self.settings);
        if Severity::High <= severity && critical {
            severity = Severity::Critical;
        }
        let grew = burst.severity < severity || self.doubled(&burst, now);
        burst.severity = severity;
        let phase = opening.or(grew.then_some(Phase::Grew));
        let event = phase.map(|phase| self.tell(&mut burst, phase, now));
        self.burst = Some(burst);

        event
    }

    fn doubled(&self, burst: &Burst, now: Moment) -> bool {
        let rested = burst.told_ms + GREW_EVERY_MS <= now.monotonic_ms;
        rested && 0 < burst.files && burst.told_files * 2 <= burst.files
    }

    fn tell(&self, burst: &mut Burst, phase: Phase, now: Moment) -> Event {
        let rate = self.windows.rate(now.monotonic_ms);
        self.teller
            .event(burst, phase, rate, self.note_directories(), now)
    }

    /// Ends a burst that is quiet, or tells that it grew meanwhile.
    pub(super) fn tick(&mut self, now: Moment) -> Option<Event> {
        let mut burst = self.burst.take()?;
        let quiet_ms = match burst.span {
            Span::Minutes => self.settings.quiet_secs * 1000,
            Span::Day => SLOW_QUIET_MS.max(self.settings.quiet_secs * 1000),
        };
        if burst.last_ms + quiet_ms <= now.monotonic_ms {
            let event = self.tell(&mut burst, Phase::Ended, now);
            self.windows = Windows::default();
            self.known.clear();
            self.notes.clear();
            return Some(event);
        }
        let event = self
            .doubled(&burst, now)
            .then(|| self.tell(&mut burst, Phase::Grew, now));
        self.burst = Some(burst);

        event
    }

    /// Begins a burst with what led to it.
    fn open(&mut self, now: Moment, severity: Severity, span: Span) -> Burst {
        let reach = match span {
            Span::Minutes => PENDING_MS,
            Span::Day => DAY_MS,
        };
        let mut burst = Burst::new(severity, span, now);
        let mut known = BTreeMap::<u64, u8>::new();
        for mark in std::mem::take(&mut self.pending) {
            let heavy = span == Span::Minutes || Weight::Removal < mark.evidence.weight();
            if now.monotonic_ms <= mark.at.monotonic_ms + reach && heavy {
                let path = self.root.path.join(&mark.below);
                let (touch, evidence) = (mark.touch.clone(), vec![mark.evidence]);
                let at = mark.at.wall;
                self.touched
                    .push(self.teller.touched(&burst, at, path, touch, evidence));
                let known = known.entry(mark.file).or_default();
                burst.add(&mark, *known);
                *known |= mark.evidence.bit();
            }
        }
        burst
    }

    // === Marks ===

    fn add(&mut self, mark: Mark) {
        let (known, value) = self
            .known
            .get(&mark.file)
            .copied()
            .unwrap_or((0, mark.value));
        if known & mark.evidence.bit() != 0 {
            return;
        }
        let (before, weight) = (heaviest(known), mark.evidence.weight());
        if before < weight {
            if before != Weight::None {
                self.windows.take(before, value, units(known));
            }
            self.windows
                .add(mark.at.monotonic_ms, weight, mark.value, mark.units);
        }
        if self.known.len() < KNOWN_MAX || known != 0 {
            self.known
                .insert(mark.file, (known | mark.evidence.bit(), mark.value.max(value)));
        }
        self.news = News::Marked;
        if let Some(burst) = &mut self.burst {
            burst.add_to(&mark, known);
            return;
        }
        self.pending.push_back(mark);
        let newest_ms = self.pending.back().map_or(0, |mark| mark.at.monotonic_ms);
        while let Some(old) = self
            .pending
            .pop_front_if(|mark| mark.at.monotonic_ms + DAY_MS < newest_ms)
        {
            self.known.remove(&old.file);
        }
        if PENDING_MAX < self.pending.len()
            && let Some(old) = self.pending.pop_front()
        {
            self.known.remove(&old.file);
        }
    }

    /// Takes evidence back: the file was put where it was.
    fn undo(&mut self, file: u64, evidence: u8) {
        let Some((known, value)) = self.known.get(&file).copied() else { return };
        let left = known & !evidence;
        if left == known {
            return;
        }
        let (before, after) = (heaviest(known), heaviest(left));
        if after < before {
            self.windows.take(before, value, units(known));
        }
        match left {
            0 => drop(self.known.remove(&file)),
            _ => drop(self.known.insert(file, (left, value))),
        }
        match &mut self.burst {
            Some(burst) => burst.undo(known, left, value),
            None => {
                let taken = |mark: &Mark| mark.file == file && mark.evidence.bit() & evidence != 0;
                if let Some(place) = self.pending.iter().rposition(taken) {
                    self.pending.remove(place);
                }
            }
        }
    }

    // === Notes ===

    /// Whether the same small new text is in several directories by now.
    fn is_note(&mut self, name: u64, directory: u64) -> bool {
        if self.notes.len() == NOTES_MAX && !self.notes.contains_key(&name) {
            self.notes.clear();
        }
        let directories = self.notes.entry(name).or_default();
        if directories.len() < NOTE_DIRECTORIES_MAX {
            directories.insert(directory);
        }
        NOTE_DIRECTORIES_TOLD <= directories.len()
    }

    fn note_directories(&self) -> u64 {
        let most = self.notes.values().map(BTreeSet::len).max().unwrap_or(0);
        let told = if most < NOTE_DIRECTORIES_TOLD { 0 } else { most };
        u64::try_from(told).unwrap_or(u64::MAX)
    }
}
