//! What the agent sees with. Each sensor turns its part of the host into observations.
//!
//! ```text
//! files ─▶ content ─┐
//! services, processes ├─observation─▶ (detectors)
//! probes, host, units ┤
//! protection, backups ┤
//! logons, printing ───┘
//!        └─ how each of them is ─┬─▶ board ─▶ (heartbeat, status)
//! posture (raises nothing) ──────┘
//! ```
//!
//! Always holds: a sensor that cannot see says so on the board and with an observation; it never ends the others.

#[cfg(target_os = "linux")]
mod mounts;
pub(crate) mod hanging;
pub mod files;
pub mod content;
pub mod services;
#[cfg(any(windows, test))]
mod event_log;
#[cfg(any(windows, test))]
mod past;
pub mod probes;
pub mod host;
pub mod units;
pub mod protection;
pub mod backups;
pub mod logons;
pub mod printing;
pub mod posture;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use shirase_shared::posture::Posture;
use shirase_shared::wire::{SensorReport, SensorState};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::canaries::Watchlist;
use crate::observation::Observation;
use crate::paths::StateDir;

/// Observations waiting for the detectors that come one by one. When full, sensors wait.
pub const OBSERVATIONS_CAPACITY: usize = 256;
/// File changes waiting for the detectors, a few to a few hundred together. When full, the files sensor waits; its own
/// queue then fills and what does not fit there is counted and told.
pub const CHANGES_CAPACITY: usize = 64;
/// How long stopping waits for sensors that wait for something themselves.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// What the agent watches.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SensorsConfig {
    /// Directories whose files are watched, with everything below them.
    pub roots: Vec<files::RootConfig>,
    /// How files are watched.
    pub files: files::FilesConfig,
    /// Services of the operating system's service manager that must run.
    pub services: Vec<services::ServiceConfig>,
    /// Programs of which at least one process must run; for systems without a service manager.
    pub processes: Vec<services::ProcessConfig>,
    /// Ports, web addresses, HL7 interfaces, DICOM nodes and databases that must answer.
    pub probes: Vec<probes::ProbeConfig>,
    /// The host itself.
    pub host: host::HostConfig,
    /// Guards, logs and the agent's own files.
    pub protection: protection::ProtectionConfig,
    /// Backups that are looked after.
    pub backups: Vec<backups::BackupConfig>,
    /// Who tries to log on, and who is an administrator.
    pub logons: logons::LogonsConfig,
    /// What is printed.
    pub printing: printing::PrintingConfig,
    /// How the host is set up, for the checklist.
    pub posture: posture::PostureConfig,
}

impl SensorsConfig {
    /// Returns every rule the values break, with keys as they stand below `[sensors]`.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = files::root_problems(&self.roots);
        problems.extend(self.files.problems());
        problems.extend(services::problems(&self.services, &self.processes));
        problems.extend(probes::problems(&self.probes));
        problems.extend(self.host.problems());
        problems.extend(self.protection.problems());
        problems.extend(backups::problems(&self.backups));
        problems.extend(self.logons.problems());
        problems.extend(self.printing.problems());
        problems.extend(self.posture.problems());
        problems
    }
}

/// How each sensor is, shared by the sensors that write it and whoever tells others.
#[derive(Clone, Debug, Default)]
pub struct SensorBoard(Arc<Mutex<Written>>);

#[derive(Debug, Default)]
struct Written {
    reports: BTreeMap<String, SensorReport>,
    posture: Option<Posture>,
}

impl SensorBoard {
    /// Notes how a sensor is from now on.
    pub fn set(&self, name: &str, state: SensorState, detail: impl Into<String>) {
        let report = SensorReport { name: name.to_owned(), state, detail: detail.into() };
        self.lock().reports.insert(name.to_owned(), report);
    }

    /// Forgets one sensor, because it is not there any more.
    pub fn remove(&self, name: &str) {
        self.lock().reports.remove(name);
    }

    /// Forgets every sensor, because they start anew and some may not come back.
    pub fn clear(&self) {
        self.lock().reports.clear();
    }

    /// Returns how every sensor is, by name.
    #[must_use]
    pub fn reports(&self) -> Vec<SensorReport> {
        self.lock().reports.values().cloned().collect()
    }

    /// Notes how the host is set up.
    pub fn set_posture(&self, posture: Posture) {
        self.lock().posture = Some(posture);
    }

    /// Returns how the host was set up when it was last looked at.
    #[must_use]
    pub fn posture(&self) -> Option<Posture> {
        self.lock().posture.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The agent's own places.
#[derive(Clone, Debug)]
pub struct OwnPlaces {
    /// Its state directory.
    pub state: StateDir,
    /// Its configuration file.
    pub settings: PathBuf,
}

/// What the sensors need to run.
pub struct SensorsParts {
    /// What to watch.
    pub config: SensorsConfig,
    /// The time.
    pub clock: SharedClock,
    /// Where observations go; make it with [`OBSERVATIONS_CAPACITY`].
    pub out: mpsc::Sender<Observation>,
    /// Where those of files go; make it with [`CHANGES_CAPACITY`].
    pub changes: mpsc::Sender<Vec<Observation>>,
    /// Where each sensor says how it is.
    pub board: SensorBoard,
    /// The agent's last sign of life before this start: what changed since is looked at. `None` on a first start.
    pub since: Option<Timestamp>,
    /// Directories never looked at, the agent's own state directory above all.
    pub ignored: Vec<PathBuf>,
    /// Where the agent itself lives. Without it nobody looks at guards, logs, own files and backups, which need a past,
    /// and administrators are those of the first look.
    pub own: Option<OwnPlaces>,
    /// Which files are decoys.
    pub watchlist: Watchlist,
}

/// Runs every configured sensor until `stop`.
///
/// # Errors
/// Only if the operating system gives no means to watch files or to start a thread at all.
pub async fn run(parts: SensorsParts, stop: CancellationToken) -> anyhow::Result<()> {
    let SensorsParts { config, clock, out, changes, board, since, ignored, own, watchlist } = parts;
    let memory = own.as_ref().map(|own| own.state.dir().to_owned());
    let known_administrators = own.as_ref().map(|own| own.state.known_administrators());
    let mut sensors = JoinSet::new();
    sensors.spawn(host::run(config.host, clock.clone(), out.clone(), board.clone(), stop.clone()));
    sensors.spawn(posture::run(config.posture, clock.clone(), board.clone(), stop.clone()));
    for probe in config.probes {
        let (clock, out, board, stop) = (clock.clone(), out.clone(), board.clone(), stop.clone());
        sensors.spawn(probes::run(probe, clock, out, board, stop));
    }
    sensors.spawn(services::run(
        services::Watched { services: config.services, processes: config.processes },
        clock.clone(),
        out.clone(),
        board.clone(),
        stop.clone(),
    ));
    if let Some(own) = own {
        let watched = (&config.protection, config.backups);
        safeguards(watched, &own, (&clock, &out, &board), &stop, &mut sensors);
    }
    let logons = logons::LogonsParts {
        config: config.logons,
        clock: clock.clone(),
        out: out.clone(),
        board: board.clone(),
        since,
        known_administrators,
    };
    sensors.spawn(logons::run(logons, stop.clone()));
    let printing = printing::PrintingParts {
        config: config.printing,
        clock: clock.clone(),
        out,
        board: board.clone(),
        since,
    };
    sensors.spawn(printing::run(printing, stop.clone()));
    let roots = config.roots;
    let parts = files::FilesParts {
        name: files::NAME.to_owned(),
        roots: tokio::task::spawn_blocking(move || files::resolve(&roots)).await?,
        config: config.files,
        clock,
        out: changes,
        board,
        since,
        ignored,
        memory,
        watchlist,
    };
    files::run(parts, stop).await?;
    let all_ended = async { while sensors.join_next().await.is_some() {} };
    if tokio::time::timeout(END_PATIENCE, all_ended).await.is_err() {
        tracing::warn!("a sensor waits for something that hangs; it is left behind");
    }

    Ok(())
}

/// Starts those who look after what keeps the host safe.
fn safeguards(
    (protection, backups): (&protection::ProtectionConfig, Vec<backups::BackupConfig>),
    own: &OwnPlaces,
    (clock, out, board): (&SharedClock, &mpsc::Sender<Observation>, &SensorBoard),
    stop: &CancellationToken,
    sensors: &mut JoinSet<()>,
) {
    let (tell_service, service) = watch::channel(None);
    let parts = units::UnitsParts {
        guards: protection.all_guards(),
        wanted: protection.wanted(),
        kept: own.state.guards(),
        bus: units::Bus::System,
        own: tell_service,
        clock: clock.clone(),
        out: out.clone(),
        board: board.clone(),
    };
    sensors.spawn(units::run(parts, stop.clone()));
    let parts = protection::ProtectionParts {
        config: protection.clone(),
        state: own.state.clone(),
        settings: own.settings.clone(),
        own: service,
        clock: clock.clone(),
        out: out.clone(),
        board: board.clone(),
    };
    sensors.spawn(protection::run(parts, stop.clone()));
    for config in backups {
        let parts = backups::BackupParts {
            config,
            kept: own.state.backups(),
            clock: clock.clone(),
            out: out.clone(),
            board: board.clone(),
        };
        sensors.spawn(backups::run(parts, stop.clone()));
    }
}
