//! Keeps the evidence about each file: what it counts for, and what no burst has told yet.

use std::collections::VecDeque;

use super::{News, Scope, Shared};
use crate::detectors::mass_change::doers::Doers;
use crate::detectors::mass_change::evidence::{Known, Mark, Tally, Value, Weight};
use crate::detectors::mass_change::memory::ByKey;
use crate::observation::Actor;

/// Marks kept of harm from before a burst, and of what is only harm in large numbers, so that a burst can tell how it
/// began.
const HEAVY_MAX: usize = 512;
const LIGHT_MAX: usize = 1024;
/// What is older says nothing any more.
const KEPT_MS: u64 = super::DAY_MS;
/// Files whose evidence is remembered; beyond it a file may count twice.
const KNOWN_MAX: usize = 32_768;

/// The evidence of one scope.
#[derive(Default)]
pub(super) struct Marks {
    /// The evidence known of each file, as a set, and whether it is valued.
    known: ByKey<(Known, Value)>,
    heavy: VecDeque<Mark>,
    light: VecDeque<Mark>,
}

impl Marks {
    fn keep(&mut self, mark: Mark) {
        let newest_ms = mark.at.monotonic_ms;
        let heavy = Weight::Removal < mark.evidence.weight();
        let (queue, most) =
            if heavy { (&mut self.heavy, HEAVY_MAX) } else { (&mut self.light, LIGHT_MAX) };
        queue.push_back(mark);
        let full = most < queue.len();
        let over = |mark: &mut Mark| full || mark.at.monotonic_ms + KEPT_MS < newest_ms;
        if let Some(old) = queue.pop_front_if(over) {
            self.known.remove(&old.file);
        }
    }

    /// Forgets a mark that was taken back.
    fn forget(&mut self, file: u64, evidence: Known) {
        let taken = |mark: &Mark| mark.file == file && evidence.has(mark.evidence);
        for queue in [&mut self.heavy, &mut self.light] {
            if let Some(place) = queue.iter().rposition(taken) {
                queue.remove(place);
            }
        }
    }

    /// Returns the marks no burst has told yet in the order of time, each with what was known of its file before.
    pub(super) fn take_pending(&mut self) -> Vec<(Mark, Known)> {
        let mut marks: Vec<_> = self.heavy.drain(..).chain(self.light.drain(..)).collect();
        marks.sort_by_key(|mark| mark.at.monotonic_ms);
        self.heavy.shrink_to(0);
        self.light.shrink_to(0);
        let mut known = ByKey::<Known>::default();
        let mut with = |mark: Mark| {
            let before = known.entry(mark.file).or_default();
            let pair = (mark.evidence, *before);
            *before = before.with(pair.0);
            (mark, pair.1)
        };

        marks.into_iter().map(&mut with).collect()
    }
}

impl Scope {
    pub(super) fn add(&mut self, mark: Mark, shared: &mut Shared<'_>) {
        let before = self.marks.known.get(&mark.file).copied();
        let (known, value) = before.unwrap_or((Known::default(), mark.value));
        if known.has(mark.evidence) {
            return;
        }
        let value = value.max(mark.value);
        let fuller = known.with(mark.evidence);
        let actor = mark
            .actor
            .as_deref()
            .filter(|_| self.teller.drill.is_none());
        if !known.is_empty() {
            self.take(
                Tally::of(known, before.map_or(value, |(_, value)| value)),
                actor,
                shared.doers,
            );
        }
        let tally = Tally::of(fuller, value);
        self.windows.add(mark.at.monotonic_ms, tally);
        self.removers.add(actor, mark.at.monotonic_ms, tally);
        if let Some(actor) = actor
            && Weight::None < tally.weight
            && !shared.expected.covers_tally(tally)
        {
            shared
                .doers
                .add(actor, self.number, mark.at.monotonic_ms, tally);
        }
        if self.marks.known.len() < KNOWN_MAX || before.is_some() {
            self.marks.known.insert(mark.file, (fuller, value));
        }
        self.news = News::Marked;
        match &mut self.burst {
            Some(burst) => burst.add(&mark, known, &self.teller.redactor),
            None => self.marks.keep(mark),
        }
    }

    /// Takes evidence back: the file was put where it was.
    pub(super) fn undo(
        &mut self,
        file: u64,
        evidence: Known,
        actor: Option<&Actor>,
        doers: &mut Doers,
    ) {
        let Some((known, value)) = self.marks.known.get(&file).copied() else { return };
        let left = known.without(evidence);
        if left == known {
            return;
        }
        let (before, after) = (Tally::of(known, value), Tally::of(left, value));
        if before != after {
            self.take(before, actor, doers);
            if !left.is_empty() {
                self.windows.put_back(after);
            }
        }
        if left.is_empty() {
            self.marks.known.remove(&file);
        } else {
            self.marks.known.insert(file, (left, value));
        }
        match &mut self.burst {
            Some(burst) => burst.undo(known, left, value),
            None => self.marks.forget(file, evidence),
        }
    }

    fn take(&mut self, tally: Tally, actor: Option<&Actor>, doers: &mut Doers) {
        self.windows.take(tally);
        self.removers.take(actor, tally);
        if let Some(actor) = actor {
            doers.take(actor, tally);
        }
    }
}
