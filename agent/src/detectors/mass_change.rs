//! Sees an encryptor or a wiper at work by what happens to files, whoever does it.
//!
//! ```text
//! change ─▶ reading (what was there before? what is it called now?) ─mark▶ windows (10 s, 2 min, a day) ─▶ severity
//!                                                 └──▶ doers (over all roots)      habits, jobs ──┘
//!                                                 └──▶ burst: opened, grew, ended, in words
//! ```
//!
//! Always holds:
//! - pure: observation and time in, events and touched files out; a recorded day replays in a second;
//! - ordinary work stays quiet by what it does, never by what it is called: only files that were there before
//!   count, ordinary suffixes count when the content no longer fits, what is put back is taken back;
//! - decoys, lost content and ransom notes are never silenced: by no window, no job and no habit;
//! - bounded: what is remembered of files has a cap each, and beyond it only totals grow;
//! - a burst never sinks in severity; its totals replace those told before.

mod config;
mod jobs;
mod touched;
mod evidence;
mod memory;
mod reading;
mod windows;
mod severity;
mod habits;
mod doers;
mod scope;
mod words;
mod snapshot;

#[cfg(test)]
mod tests;

use std::hash::RandomState;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::Event;
use shirase_shared::ids::DrillId;
use shirase_shared::redact::Redactor;

use crate::observation::{Actor, FileChange, FoundFile, Root};

pub use config::MassChangeConfig;
pub use evidence::Evidence;
pub use shirase_shared::settings::job::{Day, Job, TimeOfDay, Work};
pub use snapshot::Snapshot;
pub use touched::{Touch, Touched};
pub use words::Story;

use doers::Doers;
use jobs::{Expected, Window};
use memory::{Keys, Memory};
use scope::{Scope, ScopeParts, Shared};
use snapshot::{Kept, Schedule};

/// How long after a drill's end its files still belong to it: their last changes may be on their way.
const DRILL_TAIL_MS: u64 = 30_000;

/// The detector.
pub struct MassChangeDetector {
    settings: Arc<MassChangeConfig>,
    redactor: Arc<Redactor>,
    hasher: RandomState,
    memory: Memory,
    doers: Doers,
    scopes: Vec<Scope>,
    /// Scopes made so far.
    made: u64,
    drills: Vec<Drill>,
    maintenance_until: Option<Timestamp>,
    kept: Kept,
    schedule: Schedule,
    touched: Vec<Touched>,
}

struct Drill {
    id: DrillId,
    directory: PathBuf,
    ends_ms: Option<u64>,
}

impl MassChangeDetector {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &MassChangeConfig, redactor: Arc<Redactor>) -> Self {
        let settings = Arc::new(config.prepared());
        Self {
            doers: Doers::new(&settings, redactor.clone()),
            settings,
            redactor,
            hasher: RandomState::new(),
            memory: Memory::new(),
            scopes: Vec::new(),
            made: 0,
            drills: Vec::new(),
            maintenance_until: None,
            kept: Kept::nothing(),
            schedule: Schedule::default(),
            touched: Vec::new(),
        }
    }

    /// Takes a change.
    pub fn change(&mut self, at: Moment, change: &FileChange, now: Moment) -> Vec<Event> {
        let place = (&change.root, change.below.as_path());
        self.take(place, now, change.actor.as_deref(), |scope, shared| {
            scope.change(at, change, shared);
        })
    }

    /// Takes what a rescan found.
    pub fn found(&mut self, at: Moment, found: &FoundFile, now: Moment) -> Vec<Event> {
        let place = (&found.root, found.below.as_path());
        self.take(place, now, None, |scope, shared| scope.found(at, found, shared))
    }

    fn take(
        &mut self,
        (root, below): (&Arc<Root>, &Path),
        now: Moment,
        actor: Option<&Actor>,
        see: impl FnOnce(&mut Scope, &mut Shared<'_>),
    ) -> Vec<Event> {
        let drill = self.drill_of(root, below);
        let expected = self.expected(&root.label, now);
        let index = self.scope(root, drill, now);
        let (memory, doers) = (&mut self.memory, &mut self.doers);
        let Some(scope) = self.scopes.get_mut(index) else { return Vec::new() };
        see(scope, &mut Shared { memory, doers, expected: &expected });
        self.touched.append(&mut scope.take_touched());
        if !scope.has_news() {
            return Vec::new();
        }
        self.schedule.news = true;
        let actor = actor.filter(|_| drill.is_none());
        let busy = actor.and_then(|actor| self.doers.busy(actor, now.monotonic_ms));
        let mut events: Vec<_> = scope
            .decide(now, &expected, busy.as_ref())
            .into_iter()
            .collect();
        self.touched.append(&mut scope.take_touched());
        let Some(busy) = busy else { return events };
        // What it did elsewhere is the same work.
        let elsewhere =
            |scope: &&mut Scope| !scope.is_open() && busy.scopes.contains(&scope.number);
        for scope in self.scopes.iter_mut().filter(elsewhere) {
            events.extend(scope.weigh(now, &Expected::default(), Some(&busy)));
            self.touched.append(&mut scope.take_touched());
        }
        events
    }

    /// Lets time pass: ends bursts that are quiet.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let mut events = Vec::new();
        for scope in &mut self.scopes {
            events.extend(scope.tick(now));
        }
        self.schedule.news |= !events.is_empty();
        self.memory.tick(now.monotonic_ms);
        let over = |drill: &Drill| drill.ends_ms.is_some_and(|ends| ends <= now.monotonic_ms);
        self.drills.retain(|drill| !over(drill));
        let drills = &self.drills;
        let needed = |scope: &Scope| {
            scope.is_open()
                || scope
                    .drill()
                    .is_none_or(|id| drills.iter().any(|d| d.id == id))
        };
        self.scopes.retain(needed);
        events
    }

    /// From now on, changes below `directory` belong to a drill.
    pub fn drill_started(&mut self, id: DrillId, directory: &Path) {
        self.drills
            .push(Drill { id, directory: directory.to_owned(), ends_ms: None });
    }

    /// The drill's files are gone; what is still on its way belongs to it.
    pub fn drill_ended(&mut self, id: DrillId, now: Moment) {
        for drill in self.drills.iter_mut().filter(|drill| drill.id == id) {
            drill.ends_ms = Some(now.monotonic_ms + DRILL_TAIL_MS);
        }
    }

    /// Expects ordinary mass work until then. `None` ends it.
    pub fn maintenance_until(&mut self, until: Option<Timestamp>) {
        self.maintenance_until = until;
    }

    /// Returns the files touched in bursts since the last call, for the manifest.
    pub fn take_touched(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.touched)
    }

    fn expected(&self, root: &str, now: Moment) -> Expected {
        let window = match self.maintenance_until {
            Some(until) if now.wall < until => Window::Open,
            Some(_) | None => Window::Closed,
        };
        let MassChangeConfig { jobs, utc_offset_minutes, .. } = self.settings.as_ref();

        Expected::of(window, jobs, root, now.wall, *utc_offset_minutes)
    }

    fn drill_of(&self, root: &Root, below: &Path) -> Option<DrillId> {
        if self.drills.is_empty() {
            return None;
        }
        let path = root.path.join(below);
        self.drills
            .iter()
            .find(|drill| path.starts_with(&drill.directory))
            .map(|drill| drill.id)
    }

    fn scope(&mut self, root: &Arc<Root>, drill: Option<DrillId>, now: Moment) -> usize {
        let known = self
            .scopes
            .iter()
            .position(|scope| scope.is_of(root, drill));
        known.unwrap_or_else(|| {
            self.made += 1;
            let mut scope = Scope::new(ScopeParts {
                number: self.made,
                root: root.clone(),
                drill,
                keys: Keys::new(&self.hasher, &root.label),
                settings: self.settings.clone(),
                redactor: self.redactor.clone(),
            });
            let ordinary = drill.is_none();
            if let Some(saved) = ordinary.then(|| self.kept.take(&root.label, now)).flatten() {
                scope.resume(saved, now);
            }
            self.scopes.push(scope);
            self.scopes.len() - 1
        })
    }

    // === Over a restart ===

    /// Returns what is to be kept over a restart, if something changed and it is time to keep it.
    pub fn due_snapshot(&mut self, now: Moment) -> Option<Snapshot> {
        self.schedule.is_due(now).then(|| self.snapshot(now))
    }

    /// Returns what is to be kept over a restart.
    pub fn snapshot(&mut self, now: Moment) -> Snapshot {
        let mut roots = self.kept.rest(now);
        for scope in self
            .scopes
            .iter_mut()
            .filter(|scope| scope.drill().is_none())
        {
            roots.insert(scope.label().to_owned(), scope.save(now));
        }
        Snapshot::new(now, roots)
    }

    /// Goes on from what was kept. Returns the ends of bursts that were open then.
    pub fn restore(&mut self, snapshot: Snapshot, now: Moment) -> Vec<Event> {
        let (kept, ends) = snapshot.resume(now);
        self.kept = kept;
        ends
    }
}
