//! What observations mean. Each detector decides from values, the time included.
//!
//! ```text
//! observation ─▶ mass_change (files) · outage (targets) · pressure (host) · logon_burst (logons, rights) ·
//!                print_burst (print jobs) · sight (what could not be seen) ─▶ events
//! ```
//!
//! Always holds: no I/O and no clock. The caller passes the time with each observation, and at least once a second
//! by itself ([`Detectors::tick`]): a recorded day replays in a moment.

pub mod mass_change;
pub mod outage;
pub mod pressure;
pub mod logon_burst;
pub mod print_burst;
pub mod sight;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::Event;
use shirase_shared::ids::DrillId;
use shirase_shared::redact::Redactor;

use crate::observation::{Fact, Observation};
use logon_burst::{LogonBurstConfig, LogonBurstDetector};
use mass_change::{MassChangeConfig, MassChangeDetector, Touched};
use outage::{OutageConfig, OutageDetector};
use pressure::{PressureConfig, PressureDetector};
use print_burst::{PrintBurstConfig, PrintBurstDetector};
use sight::SightDetector;

/// When what is observed is an anomaly.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectorsConfig {
    /// Changes of many files.
    pub mass_change: MassChangeConfig,
    /// Services, programs and ports that are not there.
    pub outage: OutageConfig,
    /// Disks, memory, clocks.
    pub pressure: PressureConfig,
    /// Failed logons, new administrators, sessions at night.
    pub logon_burst: LogonBurstConfig,
    /// Print jobs.
    pub print_burst: PrintBurstConfig,
}

impl DetectorsConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.mass_change.problems();
        problems.extend(self.outage.problems());
        problems.extend(self.pressure.problems());
        problems.extend(self.logon_burst.problems());
        problems.extend(self.print_burst.problems());
        problems
    }
}

/// All detectors.
pub struct Detectors {
    mass_change: MassChangeDetector,
    outage: OutageDetector,
    pressure: PressureDetector,
    logon_burst: LogonBurstDetector,
    print_burst: PrintBurstDetector,
    sight: SightDetector,
}

impl Detectors {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &DetectorsConfig, redactor: Redactor) -> Self {
        let redactor = Arc::new(redactor);
        Self {
            mass_change: MassChangeDetector::new(&config.mass_change, Arc::clone(&redactor)),
            outage: OutageDetector::new(&config.outage),
            pressure: PressureDetector::new(&config.pressure),
            logon_burst: LogonBurstDetector::new(&config.logon_burst, redactor),
            print_burst: PrintBurstDetector::new(&config.print_burst),
            sight: SightDetector::default(),
        }
    }

    /// Takes an observation and returns what it leads to.
    pub fn observe(&mut self, observation: &Observation, now: Moment) -> Vec<Event> {
        let at = observation.at;
        match &observation.fact {
            Fact::File(change) => self.mass_change.change(at, change, now),
            Fact::Found(found) => self.mass_change.found(at, found, now),
            Fact::Rescanned(rescanned) => self.sight.rescanned(rescanned, now),
            Fact::Root(seen) => self.sight.root(seen, now),
            Fact::Lost(lost) => self.sight.lost(lost, now),
            Fact::Target(seen) => self.outage.seen(at, seen, now),
            Fact::Certificate(seen) => self.pressure.certificate(seen, now).into_iter().collect(),
            Fact::Host(sample) => self.pressure.sample(at, sample, now),
            Fact::Logon(seen) => self.logon_burst.logon(at, seen, now),
            Fact::Rights(seen) => self.logon_burst.rights(at, seen, now),
            Fact::Print(job) => self.print_burst.job(at, job, now),
        }
    }

    /// Lets time pass. Call it about once a second.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let mut events = self.mass_change.tick(now);
        events.extend(self.outage.tick(now));
        events.extend(self.logon_burst.tick(now));
        events.extend(self.print_burst.tick(now));
        events.extend(self.sight.tick(now));
        events
    }

    /// Returns the files touched in bursts since the last call, for [`crate::manifest::Recorder`].
    pub fn take_touched(&mut self) -> Vec<Touched> {
        self.mass_change.take_touched()
    }

    /// From now on, changes below `directory` belong to a drill; tell it before the first file is made.
    pub fn drill_started(&mut self, id: DrillId, directory: &Path) {
        self.mass_change.drill_started(id, directory);
    }

    /// The drill's files are gone; what is still on its way belongs to it.
    pub fn drill_ended(&mut self, id: DrillId, now: Moment) {
        self.mass_change.drill_ended(id, now);
    }

    /// Expects ordinary mass work until then: deletions and renames become a line in the timeline, lost magic does
    /// not, and nothing is left unrecorded. `None` ends it.
    pub fn maintenance_until(&mut self, until: Option<Timestamp>) {
        self.mass_change.maintenance_until(until);
        self.logon_burst.maintenance_until(until);
    }
}
