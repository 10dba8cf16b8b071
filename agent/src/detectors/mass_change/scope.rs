//! One root, or one drill on it: turns changes into marks and marks into the story of a burst.

mod authors;
mod burst;
mod marks;
mod notes;
mod removers;
mod telling;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Phase, Severity};
use shirase_shared::ids::DrillId;
use shirase_shared::redact::Redactor;

use super::doers::{Busy, Doers};
use super::evidence::Weight;
use super::habits::Habits;
use super::jobs::Expected;
use super::memory::{Keys, Memory};
use super::reading::{Finding, Reader, Standpoint};
use super::severity::{Because, Circumstances, Span, Verdict, is_critical, judge};
use super::windows::{SavedWindows, Slot, Windows};
use super::{MassChangeConfig, Touch, Touched};
use crate::observation::{FileChange, FoundFile, Root};
use burst::Burst;
use marks::Marks;
use notes::Notes;
pub(super) use notes::Words;
use removers::Removers;
use telling::Teller;

/// What happened longer ago than this before a burst does not belong to it, unless it took a day to show.
const PENDING_MS: u64 = 120_000;
/// A day.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// A burst so slow that it took a day to show has ended when nothing was harmed for this long.
const SLOW_QUIET_MS: u64 = 3600 * 1000;
/// A burst that only grows is told again when it doubled, and not more often than this.
const GREW_EVERY_MS: u64 = 5000;

/// One root, or one drill on it.
pub(super) struct Scope {
    pub(super) number: u64,
    root: Arc<Root>,
    teller: Teller,
    settings: Arc<MassChangeConfig>,
    reader: Reader,
    windows: Windows,
    habits: Habits,
    marks: Marks,
    notes: Notes,
    removers: Removers,
    burst: Option<Burst>,
    news: News,
    touched: Vec<Touched>,
}

/// What a scope is made of.
pub(super) struct ScopeParts {
    pub(super) number: u64,
    pub(super) root: Arc<Root>,
    pub(super) drill: Option<DrillId>,
    pub(super) keys: Keys,
    pub(super) settings: Arc<MassChangeConfig>,
    pub(super) redactor: Arc<Redactor>,
}

/// What is kept of a root over a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SavedScope {
    windows: SavedWindows,
    habits: Habits,
    /// The end of the burst that is open, should nobody see it.
    pub(super) open: Option<Event>,
}

impl SavedScope {
    /// Lets it grow older.
    pub(super) fn aged(self, secs: i64) -> Self {
        Self { windows: self.windows.aged(secs), ..self }
    }
}

/// What all scopes share.
pub(super) struct Shared<'a> {
    pub(super) memory: &'a mut Memory,
    pub(super) doers: &'a mut Doers,
    pub(super) expected: &'a Expected,
}

/// Whether anything happened since the last decision that could change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    None,
    Marked,
}

impl Scope {
    pub(super) fn new(parts: ScopeParts) -> Self {
        let ScopeParts { number, root, drill, keys, settings, redactor } = parts;
        let standpoint = if drill.is_some() { Standpoint::Drill } else { Standpoint::Ordinary };
        let reader = Reader::new(keys, settings.clone(), standpoint);
        let teller = Teller { root: root.clone(), drill, redactor };
        Self {
            number,
            root,
            teller,
            settings,
            reader,
            windows: Windows::default(),
            habits: Habits::default(),
            marks: Marks::default(),
            notes: Notes::default(),
            removers: Removers::default(),
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

    pub(super) fn label(&self) -> &str {
        &self.root.label
    }

    pub(super) const fn is_open(&self) -> bool {
        self.burst.is_some()
    }

    pub(super) fn change(&mut self, at: Moment, change: &FileChange, shared: &mut Shared<'_>) {
        let findings = self.reader.read(at, change, shared.memory);
        let mut evidence = Vec::new();
        for finding in findings {
            match finding {
                Finding::Mark(mark) => {
                    evidence.push(mark.evidence);
                    self.add(mark, shared);
                }
                Finding::Undo { file, evidence } => {
                    self.undo(file, evidence, change.actor.as_deref(), shared.doers);
                }
                Finding::Message => self.habits.saw_message(),
                Finding::Text { name, words, mark } => {
                    let now_ms = at.monotonic_ms;
                    let spread = self.notes.add(name, mark.directory, words, now_ms);
                    if spread || words != Words::Ordinary {
                        evidence.push(mark.evidence);
                        self.add(mark, shared);
                    }
                }
            }
        }
        if let Some(burst) = &self.burst {
            let (place, touch) = ((at.wall, change.path()), (Touch::of(change), evidence));
            let actor = change.actor.clone();
            self.touched
                .push(self.teller.touched(burst, place, touch, actor));
        }
    }

    pub(super) fn found(&mut self, at: Moment, found: &FoundFile, shared: &mut Shared<'_>) {
        let mark = self.reader.found(at, found);
        if let Some(burst) = &self.burst {
            let place = (found.changed_at, found.root.path.join(&found.below));
            let touch = (mark.touch.clone(), vec![mark.evidence]);
            self.touched
                .push(self.teller.touched(burst, place, touch, None));
        }
        self.add(mark, shared);
    }

    /// Whether anything speaks for harm that was not weighed.
    pub(super) fn has_news(&self) -> bool {
        self.news == News::Marked
    }

    /// Decides whether what is known now is worth an event.
    pub(super) fn decide(
        &mut self,
        now: Moment,
        expected: &Expected,
        busy: Option<&Busy>,
    ) -> Option<Event> {
        self.news = News::None;
        self.weigh(now, expected, busy)
    }

    /// Weighs what is known, news or not: `busy` is a doer who worked here and elsewhere.
    pub(super) fn weigh(
        &mut self,
        now: Moment,
        expected: &Expected,
        busy: Option<&Busy>,
    ) -> Option<Event> {
        let (told, lowered_by) = self.judged(now, expected);
        let lent = busy.map(|busy| busy.verdict);
        let told = match (told, lent) {
            (Some(own), Some(lent)) if own.severity < lent.severity => Some(lent),
            (own, lent) => own.or(lent),
        };
        let (mut burst, opening) = match self.burst.take() {
            Some(burst) => (burst, None),
            None => (self.open(now, told?.span), Some(Phase::Opened)),
        };
        let before = burst.severity;
        if let Some(told) = told {
            if told.span == Span::Minutes {
                burst.span = Span::Minutes;
            }
            if before < told.severity || opening.is_some() {
                (burst.severity, burst.because, burst.count) =
                    (told.severity, told.because, told.count);
                burst.lowered_by = match told.severity {
                    Severity::Low => lowered_by,
                    Severity::Medium | Severity::High | Severity::Critical => String::new(),
                };
            }
            if let Some(busy) = busy.filter(|_| told.because == Because::Doer) {
                burst.doer = named(busy);
            }
        }
        let counts = expected.without(burst.counts);
        if Severity::High == burst.severity && is_critical(counts, burst.spread(), &self.settings) {
            (burst.severity, burst.because) = (Severity::Critical, Because::Total);
            burst.count = counts.harmed();
        }
        let grew = before < burst.severity || doubled(&burst, now);
        let phase = opening.or(grew.then_some(Phase::Grew));
        let event = phase.map(|phase| self.tell(&mut burst, phase, now));
        self.burst = Some(burst);

        event
    }

    /// Judges this root by itself. Returns also by whose word it is low, if it is.
    fn judged(&mut self, now: Moment, expected: &Expected) -> (Option<Verdict>, String) {
        let sums = self.windows.sums(now.monotonic_ms);
        let notes = self.notes.spread(now.monotonic_ms);
        let (usual_removed, usual_odd) = self.habits.usual(now, &self.settings);
        let around = Circumstances {
            same_text: notes.same_text,
            worded: notes.worded,
            called_note: notes.called_note,
            usual_removed,
            usual_odd,
            removed_by_one: self
                .removers
                .most_by_one(now.monotonic_ms, sums.middle.removed()),
            shape: self.habits.shape(),
        };
        let told = judge(sums, around, &self.settings);
        if expected.is_nothing() {
            if self.teller.drill.is_none() {
                self.habits.learn(sums, now, &self.settings);
            }
            let usual = told.is_some_and(|told| told.because == Because::Usual);
            let by = if usual { "so much goes at this hour of other days" } else { "" };
            return (told, by.to_owned());
        }
        let left = sums.map(|counts| expected.without(counts));
        let proven = judge(left, Circumstances { same_text: 0, ..around }, &self.settings);
        let low = |told: Verdict| Verdict { severity: Severity::Low, ..told };

        (proven.or(told.map(low)), expected.by.clone())
    }

    fn tell(&mut self, burst: &mut Burst, phase: Phase, now: Moment) -> Event {
        burst.told_ms = now.monotonic_ms;
        burst.told_files = burst.files;
        let rate = self.windows.rate(now.monotonic_ms);
        let notes = self.notes.spread(now.monotonic_ms);

        self.teller.event(burst, phase, (rate, notes), now)
    }

    /// Ends a burst that is quiet, or tells that it grew meanwhile.
    pub(super) fn tick(&mut self, now: Moment) -> Option<Event> {
        if self.teller.drill.is_none() && self.habits.is_due(now) {
            let day = self.windows.sums(now.monotonic_ms).day;
            self.habits.tick(now, day.get(Slot::Shape), &self.settings);
        }
        let mut burst = self.burst.take()?;
        let quiet_ms = match burst.span {
            Span::Minutes => self.settings.quiet_secs * 1000,
            Span::Day => SLOW_QUIET_MS.max(self.settings.quiet_secs * 1000),
        };
        if burst.last_ms + quiet_ms <= now.monotonic_ms {
            let event = self.tell(&mut burst, Phase::Ended, now);
            self.end(&burst);
            return Some(event);
        }
        let event = doubled(&burst, now).then(|| self.tell(&mut burst, Phase::Grew, now));
        self.burst = Some(burst);

        event
    }

    /// Begins a burst with what led to it.
    fn open(&mut self, now: Moment, span: Span) -> Burst {
        let reach = match span {
            Span::Minutes => PENDING_MS,
            Span::Day => DAY_MS,
        };
        let mut burst = Burst::new(span, now);
        for (mark, known) in self.marks.take_pending() {
            let heavy = span == Span::Minutes || Weight::Removal < mark.evidence.weight();
            if now.monotonic_ms <= mark.at.monotonic_ms + reach && heavy {
                let place = (mark.at.wall, self.root.path.join(&mark.below));
                let touch = (mark.touch.clone(), vec![mark.evidence]);
                let touched = self
                    .teller
                    .touched(&burst, place, touch, mark.actor.clone());
                self.touched.push(touched);
                burst.add_earlier(&mark, known, &self.teller.redactor);
            }
        }
        let carried = self.windows.told();
        if span == Span::Day {
            burst.carry(carried);
        }
        burst
    }

    /// Forgets what an ended burst told. What came to nothing high still counts for the day.
    fn end(&mut self, burst: &Burst) {
        if burst.because == Because::Messages && Severity::Low < burst.severity {
            self.habits.unsettle();
        }
        if Severity::High <= burst.severity {
            self.windows = Windows::default();
        } else {
            self.windows.forget_minutes();
        }
        self.marks = Marks::default();
        self.notes = Notes::default();
        self.removers = Removers::default();
    }

    /// Returns the files touched in bursts since the last call.
    pub(super) fn take_touched(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.touched)
    }

    // === Over a restart ===

    pub(super) fn save(&mut self, now: Moment) -> SavedScope {
        if self.burst.is_some() {
            // Its end tells of all that was counted so far.
            self.windows.told();
        }
        let notes = self.notes.spread(now.monotonic_ms);
        let rate = self.windows.rate(now.monotonic_ms);
        let end = |burst| self.teller.event(burst, Phase::Ended, (rate, notes), now);
        SavedScope {
            windows: self.windows.save(now.monotonic_ms),
            habits: self.habits.clone(),
            open: self.burst.as_ref().map(end),
        }
    }

    pub(super) fn resume(&mut self, saved: SavedScope, now: Moment) {
        self.windows.resume(&saved.windows, now.monotonic_ms);
        self.habits = saved.habits;
    }
}

/// Whether a burst that is not worse is large enough to be told again.
fn doubled(burst: &Burst, now: Moment) -> bool {
    let rested = burst.told_ms + GREW_EVERY_MS <= now.monotonic_ms;
    rested && 0 < burst.files && burst.told_files * 2 <= burst.files
}

fn named(busy: &Busy) -> String {
    let who = &busy.who;
    match (who.program.as_str(), &who.unit) {
        ("", Some(unit)) => unit.clone(),
        ("", None) => "a process without a name".to_owned(),
        (program, _) => format!("`{program}`"),
    }
}
