//! The jobs of one title, or of all: how many there are now, and how many were usual.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Phase, Severity};
use shirase_shared::ids::BurstId;

use crate::observation::Wording;

/// Jobs remembered, and so the most a threshold may ask for.
pub(super) const JOBS_MAX: usize = 500;
/// A burst that has grown so many times since it was last told is told again.
const GROWTH: usize = 4;
/// Printers remembered of a burst.
const PRINTERS_MAX: usize = 1000;
/// How long what was usual stays so.
const USUAL_MS: u64 = 14 * 86_400_000;
/// How often a flow that never stops is learned from.
const LEARN_EVERY_MS: u64 = 600_000;

/// How much was printed within one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) jobs: usize,
    pub(super) printers: usize,
}

impl Amount {
    fn max(self, other: Self) -> Self {
        Self { jobs: self.jobs.max(other.jobs), printers: self.printers.max(other.printers) }
    }
}

struct Job {
    at_ms: u64,
    at: Timestamp,
    printer: Arc<str>,
}

/// Jobs that have something in common.
#[derive(Default)]
pub(super) struct Flow {
    jobs: VecDeque<Job>,
    last_ms: u64,
    /// The most within one window lately, and in the span before that.
    peak: Amount,
    before: Amount,
    usual: Amount,
    usual_ms: u64,
    learned_ms: u64,
    pub(super) told: Option<Told>,
}

/// A burst that was told.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) burst: BurstId,
    pub(super) severity: Severity,
    pub(super) first: Timestamp,
    pub(super) jobs: usize,
    pub(super) printers: BTreeSet<Arc<str>>,
    /// Whether the title is that of a ransom note.
    pub(super) wording: Wording,
    told_jobs: usize,
}

impl Flow {
    pub(super) fn add(&mut self, at: Moment, printer: &str, window_ms: u64) {
        let job = Job { at_ms: at.monotonic_ms, at: at.wall, printer: printer.into() };
        if let Some(told) = &mut self.told {
            told.add(&job.printer);
        }
        self.last_ms = self.last_ms.max(job.at_ms);
        if self.jobs.is_empty() {
            self.learned_ms = job.at_ms;
        }
        self.jobs.push_back(job);
        if JOBS_MAX < self.jobs.len() {
            self.jobs.pop_front();
        }
        self.prune(self.last_ms, window_ms);
        self.peak = self.peak.max(self.recent());
    }

    fn prune(&mut self, now_ms: u64, window_ms: u64) {
        while self
            .jobs
            .front()
            .is_some_and(|job| job.at_ms + window_ms < now_ms)
        {
            self.jobs.pop_front();
        }
    }

    /// What was printed within the window.
    pub(super) fn recent(&self) -> Amount {
        let printers: BTreeSet<_> = self.jobs.iter().map(|job| &job.printer).collect();

        Amount { jobs: self.jobs.len(), printers: printers.len() }
    }

    /// The most that was usual within a window.
    pub(super) const fn usual(&self) -> Amount {
        self.usual
    }

    pub(super) const fn last_ms(&self) -> u64 {
        self.last_ms
    }

    /// Notes what the flow was judged to be; says whether that is worth an event.
    pub(super) fn tell(&mut self, severity: Option<Severity>, wording: Wording) -> Option<Phase> {
        if let Some(told) = &mut self.told {
            let worse = severity.is_some_and(|severity| told.severity < severity);
            told.severity = severity.map_or(told.severity, |severity| severity.max(told.severity));
            if !worse && told.jobs < told.told_jobs * GROWTH {
                return None;
            }
            told.told_jobs = told.jobs;
            return Some(Phase::Grew);
        }
        let mut told = Told {
            burst: BurstId::random(),
            severity: severity?,
            first: self.jobs.front()?.at,
            jobs: 0,
            printers: BTreeSet::new(),
            wording,
            told_jobs: 0,
        };
        for job in &self.jobs {
            told.add(&job.printer);
        }
        told.told_jobs = told.jobs;
        self.told = Some(told);

        Some(Phase::Opened)
    }

    /// Lets time pass: returns a burst that is over, and learns from what was none or not a bad one.
    pub(super) fn settle(&mut self, now_ms: u64, window_ms: u64) -> Option<Told> {
        self.prune(now_ms, window_ms);
        let is_over = self.last_ms + 2 * window_ms < now_ms;
        if let Some(told) = self.told.take_if(|_| is_over) {
            if told.severity < Severity::High {
                self.learn(self.peak.max(self.before), now_ms);
            }
            (self.peak, self.before) = (Amount::default(), Amount::default());
            return Some(told);
        }
        if self.told.is_some() {
            return None;
        }
        if self.jobs.is_empty() {
            self.learn(self.peak.max(self.before), now_ms);
            (self.peak, self.before) = (Amount::default(), Amount::default());
        } else if self.learned_ms + LEARN_EVERY_MS <= now_ms {
            // Not from what goes on right now: it may be growing into a burst.
            self.learn(self.before, now_ms);
            (self.peak, self.before) = (Amount::default(), self.peak);
        }

        None
    }

    fn learn(&mut self, amount: Amount, now_ms: u64) {
        self.learned_ms = now_ms;
        if amount == Amount::default() {
            return;
        }
        let is_old = self.usual_ms + USUAL_MS < now_ms;
        if is_old || self.usual.jobs <= amount.jobs {
            self.usual_ms = now_ms;
        }
        self.usual = if is_old { amount } else { self.usual.max(amount) };
    }

    /// Whether nothing of it needs to be remembered any more.
    pub(super) fn is_forgotten(&self, now_ms: u64) -> bool {
        self.told.is_none() && self.last_ms + USUAL_MS < now_ms
    }
}

impl Told {
    fn add(&mut self, printer: &Arc<str>) {
        self.jobs += 1;
        if self.printers.len() < PRINTERS_MAX {
            self.printers.insert(Arc::clone(printer));
        }
    }
}
