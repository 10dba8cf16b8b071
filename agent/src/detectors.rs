//! What observations mean. Each detector decides from values, the time included.
//!
//! ```text
//! observation ─▶ mass_change (files) · outage (targets) · pressure (host) · logon_burst (logons, rights) ·
//!                print_burst (print jobs) · stops (services) · protection_loss (guards, logs, the agent) ·
//!                backup_loss (backups) · sight (what could not be seen) ─▶ events
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
pub mod stops;
pub mod protection_loss;
pub mod backup_loss;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::{Anomaly, Event, Severity};
use shirase_shared::ids::DrillId;
use shirase_shared::redact::Redactor;

use crate::observation::{Fact, Observation};
use backup_loss::{BackupLossConfig, BackupLossDetector};
use logon_burst::{LogonBurstConfig, LogonBurstDetector};
use mass_change::{MassChangeConfig, MassChangeDetector, Snapshot, Touched};
use outage::{OutageConfig, OutageDetector};
use pressure::{PressureConfig, PressureDetector};
use print_burst::{PrintBurstConfig, PrintBurstDetector};
use protection_loss::{ProtectionLossConfig, ProtectionLossDetector};
use sight::SightDetector;
use stops::{StopsConfig, StopsDetector};

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
    /// Services that stop together.
    pub stops: StopsConfig,
    /// Guards, logs and the agent itself.
    pub protection_loss: ProtectionLossConfig,
    /// Backups.
    pub backup_loss: BackupLossConfig,
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
        problems.extend(self.stops.problems());
        problems.extend(self.protection_loss.problems());
        problems.extend(self.backup_loss.problems());
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
    stops: StopsDetector,
    protection_loss: ProtectionLossDetector,
    backup_loss: BackupLossDetector,
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
            stops: StopsDetector::new(&config.stops),
            protection_loss: ProtectionLossDetector::new(&config.protection_loss),
            backup_loss: BackupLossDetector::new(&config.backup_loss),
        }
    }

    /// Takes an observation and returns what it leads to.
    pub fn observe(&mut self, observation: &Observation, now: Moment) -> Vec<Event> {
        let at = observation.at;
        let events = match &observation.fact {
            Fact::File(change) => self.mass_change.change(at, change, now),
            Fact::Found(found) => self.mass_change.found(at, found, now),
            Fact::Rescanned(rescanned) => self.sight.rescanned(rescanned, now),
            Fact::Root(seen) => self.sight.root(seen, now),
            Fact::Lost(lost) => self.sight.lost(lost, now),
            Fact::Target(seen) => self.outage.seen(at, seen, now),
            Fact::Certificate(seen) => self.pressure.certificate(seen, now).into_iter().collect(),
            Fact::Host(sample) => self.pressure.sample(at, sample, now),
            Fact::Services(seen) => self.stops.seen(at, seen, now),
            Fact::Guard(seen) => self.protection_loss.guard(at, seen, now),
            Fact::Log(seen) => self.protection_loss.log(at, seen, now),
            Fact::Own(seen) => self.protection_loss.own(at, seen, now),
            Fact::Backup(seen) => self.backup_loss.seen(at, seen, now),
            Fact::Logon(seen) => self.logon_burst.logon(at, seen, now),
            Fact::Rights(seen) => self.logon_burst.rights(at, seen, now),
            Fact::Print(job) => self.print_burst.job(at, job, now),
        };
        self.tell_each_other(&events, now);
        events
    }

    /// Lets time pass. Call it about once a second.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let mut events = self.mass_change.tick(now);
        events.extend(self.outage.tick(now));
        events.extend(self.logon_burst.tick(now));
        events.extend(self.print_burst.tick(now));
        events.extend(self.sight.tick(now));
        events.extend(self.stops.tick(now));
        events.extend(self.protection_loss.tick(now));
        events.extend(self.backup_loss.tick(now));
        self.tell_each_other(&events, now);
        events
    }

    /// What one detector raised makes what others see more than it is by itself.
    fn tell_each_other(&mut self, events: &[Event], now: Moment) {
        let harm = |event: &Event| {
            matches!(event.anomaly, Anomaly::MassChange(_))
                && Severity::High <= event.severity
                && event.drill.is_none()
        };
        if events.iter().any(harm) {
            self.protection_loss.mass_change(now);
            self.backup_loss.mass_change(now);
        }
    }

    /// Returns the files touched in bursts since the last call, for [`crate::manifest::Recorder`].
    pub fn take_touched(&mut self) -> Vec<Touched> {
        self.mass_change.take_touched()
    }

    /// Returns what is to be kept over a restart, if something changed and it is time to keep it.
    pub fn due_snapshot(&mut self, now: Moment) -> Option<Snapshot> {
        self.mass_change.due_snapshot(now)
    }

    /// Returns what is to be kept over a restart.
    pub fn snapshot(&mut self, now: Moment) -> Snapshot {
        self.mass_change.snapshot(now)
    }

    /// Goes on from what was kept. Returns the ends of bursts that were open then.
    pub fn restore(&mut self, snapshot: Snapshot, now: Moment) -> Vec<Event> {
        self.mass_change.restore(snapshot, now)
    }

    /// From now on, changes below `directory` belong to a drill; tell it before the first file is made.
    pub fn drill_started(&mut self, id: DrillId, directory: &Path) {
        self.mass_change.drill_started(id, directory);
    }

    /// The drill's files are gone; what is still on its way belongs to it.
    pub fn drill_ended(&mut self, id: DrillId, now: Moment) {
        self.mass_change.drill_ended(id, now);
    }

    /// Expects ordinary mass work until then: deletions and renames, stopped services and guards, backups that are moved
    /// become a line in the timeline, lost magic and cut logs do not, and nothing is left unrecorded. `None` ends it.
    pub fn maintenance_until(&mut self, until: Option<Timestamp>) {
        self.mass_change.maintenance_until(until);
        self.stops.maintenance_until(until);
        self.protection_loss.maintenance_until(until);
        self.backup_loss.maintenance_until(until);
        self.logon_burst.maintenance_until(until);
    }
}
