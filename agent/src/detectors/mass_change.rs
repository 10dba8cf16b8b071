//! Sees an encryptor or a wiper at work by what happens to files, whoever does it.
//!
//! ```text
//! change ─▶ memory (what was there before? what is it called now?) ─mark▶ windows (10 s, 2 min, a day) ─▶ severity
//!                                                                    └──▶ burst: opened, grew, ended
//! ```
//!
//! Always holds:
//! - pure: observation and time in, events and touched files out; a recorded day replays in a second;
//! - ordinary work stays quiet by what it does, never by what it is called: only files that were there before
//!   count, ordinary suffixes count when the content no longer fits, what is put back is taken back;
//! - bounded: what is remembered of files has a cap each, and beyond it only totals grow;
//! - a burst never sinks in severity; its totals replace those told before.

mod memory;
mod evidence;
mod windows;
mod scope;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::Event;
use shirase_shared::ids::{BurstId, DrillId};
use shirase_shared::redact::Redactor;

use crate::observation::{FileChange, FoundFile, Root};

pub use evidence::Evidence;
use scope::Scope;

/// How long after a drill's end its files still belong to it: their last changes may be on their way.
const DRILL_TAIL_MS: u64 = 30_000;

/// When changes of many files are an anomaly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MassChangeConfig {
    /// Files harmed within ten seconds that make an event of severity high. Fewer sees an attack earlier and a person
    /// renaming by hand sooner as well.
    pub high_files: u32,
    /// Files harmed in one burst that make it critical. A burst over three directories is critical at less than half.
    pub critical_files: u32,
    /// Files deleted, moved away or emptied within two minutes that make an event at all.
    pub removed_files: u32,
    /// A burst has ended when nothing was harmed for this long, in seconds.
    pub quiet_secs: u64,
    /// Suffixes that programs of this hospital append, without the dot. They count only when the content no longer fits.
    pub allowed_suffixes: Vec<String>,
}

impl Default for MassChangeConfig {
    fn default() -> Self {
        Self {
            high_files: 3,
            critical_files: 20,
            removed_files: 40,
            quiet_secs: 30,
            allowed_suffixes: Vec::new(),
        }
    }
}

impl MassChangeConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let key = |name: &str| format!("detectors.mass_change.{name}");
        let mut problems = Vec::new();
        if self.high_files == 0 || self.removed_files == 0 {
            let remedy = "give at least 1; the defaults are 3 and 40";
            problems.push(Problem::of(&key("high_files"), "or `removed_files` is 0", remedy));
        }
        if self.critical_files < self.high_files {
            let remedy = "give a number not below `high_files`; 20 is the default";
            problems.push(Problem::of(&key("critical_files"), "is below `high_files`", remedy));
        }
        if self.quiet_secs == 0 {
            let remedy = "give at least 1 second; 30 is the default";
            problems.push(Problem::of(&key("quiet_secs"), "is 0", remedy));
        }
        let odd = |suffix: &&String| suffix.starts_with('.') || suffix.is_empty();
        if self.allowed_suffixes.iter().any(|suffix| odd(&suffix)) {
            let remedy = "write `done`, not `.done`";
            problems.push(Problem::of(&key("allowed_suffixes"), "holds a dot or nothing", remedy));
        }
        problems
    }
}

/// A file touched during a burst, with its clear name: for the damage manifest alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The burst.
    pub burst: BurstId,
    /// When.
    pub at: Timestamp,
    /// Label of the root.
    pub root: String,
    /// The file as it is called now.
    pub path: PathBuf,
    /// What was done to it.
    pub operation: Touch,
    /// What speaks for harm; empty for a change that looks ordinary.
    pub evidence: Vec<Evidence>,
}

/// What was done to a touched file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It appeared.
    Created,
    /// It was written.
    Written,
    /// It was deleted.
    Deleted,
    /// It was moved out of the root.
    MovedOut,
    /// It was renamed.
    Renamed {
        /// What it was called.
        from: PathBuf,
    },
    /// A rescan found it; what was done is not known.
    Found,
}

/// The detector.
pub struct MassChangeDetector {
    settings: Arc<MassChangeConfig>,
    redactor: Arc<Redactor>,
    scopes: Vec<Scope>,
    drills: Vec<Drill>,
    maintenance_until: Option<Timestamp>,
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
        let mut settings = config.clone();
        for suffix in &mut settings.allowed_suffixes {
            *suffix = suffix.to_lowercase();
        }
        Self {
            settings: Arc::new(settings),
            redactor,
            scopes: Vec::new(),
            drills: Vec::new(),
            maintenance_until: None,
            touched: Vec::new(),
        }
    }

    /// Takes a change.
    pub fn change(&mut self, at: Moment, change: &FileChange, now: Moment) -> Vec<Event> {
        let maintenance = self.maintenance(now);
        let drill = self.drill_of(&change.path());
        let index = self.scope(&change.root, drill);
        let Some(scope) = self.scopes.get_mut(index) else { return Vec::new() };
        scope.change(at, change);

        scope
            .decide(now, maintenance, &mut self.touched)
            .into_iter()
            .collect()
    }

    /// Takes what a rescan found.
    pub fn found(&mut self, at: Moment, found: &FoundFile, now: Moment) -> Vec<Event> {
        let maintenance = self.maintenance(now);
        let drill = self.drill_of(&found.root.path.join(&found.below));
        let index = self.scope(&found.root, drill);
        let Some(scope) = self.scopes.get_mut(index) else { return Vec::new() };
        scope.found(at, found);

        scope
            .decide(now, maintenance, &mut self.touched)
            .into_iter()
            .collect()
    }

    /// Lets time pass: ends bursts that are quiet.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let mut events = Vec::new();
        for scope in &mut self.scopes {
            events.extend(scope.tick(now));
        }
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

    fn maintenance(&self, now: Moment) -> Maintenance {
        match self.maintenance_until {
            Some(until) if now.wall < until => Maintenance::On,
            Some(_) | None => Maintenance::Off,
        }
    }

    fn drill_of(&self, path: &Path) -> Option<DrillId> {
        self.drills
            .iter()
            .find(|drill| path.starts_with(&drill.directory))
            .map(|drill| drill.id)
    }

    fn scope(&mut self, root: &Arc<Root>, drill: Option<DrillId>) -> usize {
        let known = self
            .scopes
            .iter()
            .position(|scope| scope.is_of(root, drill));
        known.unwrap_or_else(|| {
            let (settings, redactor) = (self.settings.clone(), self.redactor.clone());
            self.scopes
                .push(Scope::new(root.clone(), drill, settings, redactor));
            self.scopes.len() - 1
        })
    }
}

/// Whether ordinary mass work is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maintenance {
    On,
    Off,
}
