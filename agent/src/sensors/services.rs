//! Looks whether the services and programs a hospital depends on are there.
//!
//! Always holds: asks at intervals and reports every answer; how long an absence may last is the detector's business.
//! Where the service manager does not answer, the sensor says so once and expected processes are still looked for.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

use std::collections::BTreeSet;
use std::time::Duration;

use shirase_shared::clock::SharedClock;
use shirase_shared::event::{LossKind, Target, WatchedAs};
use shirase_shared::wire::SensorState;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::SensorBoard;
use crate::observation::{Fact, Lost, Observation, Presence, TargetSeen};

/// Name of the service sensor on the board.
const SERVICES: &str = "services";
/// Name of the process sensor on the board.
const PROCESSES: &str = "processes";
/// Pause between two looks.
const INTERVAL: Duration = Duration::from_secs(5);

pub use shirase_shared::settings::target::{ProcessConfig, ServiceConfig, problems};

/// What to look for.
pub struct Watched {
    /// Services of the service manager.
    pub services: Vec<ServiceConfig>,
    /// Programs.
    pub processes: Vec<ProcessConfig>,
}

/// What the service manager says of one service.
struct Answer {
    presence: Presence,
    detail: String,
}

/// Looks at intervals until `stop`.
pub async fn run(
    watched: Watched,
    clock: SharedClock,
    out: mpsc::Sender<Observation>,
    board: SensorBoard,
    stop: CancellationToken,
) {
    if watched.services.is_empty() && watched.processes.is_empty() {
        return;
    }
    let mut manager = platform::Manager::default();
    let mut blind = false;
    loop {
        let mut facts = Vec::new();
        if !watched.services.is_empty() {
            match ask(&mut manager, &watched.services).await {
                Ok(seen) => {
                    blind = false;
                    board.set(SERVICES, SensorState::Well, platform::NAME);
                    facts.extend(seen);
                }
                Err(why) => {
                    board.set(SERVICES, SensorState::Blind, why.clone());
                    if !blind {
                        let detail = format!("services are not seen: {why}");
                        let lost = Lost { what: LossKind::SensorBlind, count: None, detail };
                        facts.push(Fact::Lost(lost));
                    }
                    blind = true;
                }
            }
        }
        if !watched.processes.is_empty() {
            facts.extend(look_for(&watched.processes, &board));
        }
        for fact in facts {
            if out
                .send(Observation { at: clock.moment(), fact })
                .await
                .is_err()
            {
                return;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn ask(
    manager: &mut platform::Manager,
    services: &[ServiceConfig],
) -> Result<Vec<Fact>, String> {
    let mut facts = Vec::new();
    for service in services {
        let answer = manager.state(&service.name).await?;
        facts.push(Fact::Target(TargetSeen {
            target: Target { watched_as: WatchedAs::Service, name: service.name.clone() },
            presence: answer.presence,
            detail: answer.detail,
            grace_secs: service.grace_secs,
        }));
    }

    Ok(facts)
}

/// Looks through the process list for each expected program.
fn look_for(processes: &[ProcessConfig], board: &SensorBoard) -> Vec<Fact> {
    let mut system = match System::new() {
        Ok(system) => system,
        Err(error) => {
            board.set(PROCESSES, SensorState::Blind, format!("no process list: {error}"));
            return Vec::new();
        }
    };
    let wanted = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, wanted);
    let running: BTreeSet<_> = system
        .processes()
        .values()
        .map(|process| process.name().to_string_lossy().into_owned())
        .collect();
    board.set(PROCESSES, SensorState::Well, "process list");
    let seen = |process: &ProcessConfig| {
        let there = running.contains(kernel_name(&process.name));
        let (presence, detail) = match there {
            true => (Presence::Up, "a process of this name runs".to_owned()),
            false => (Presence::Down, "no process of this name runs".to_owned()),
        };
        let target = Target { watched_as: WatchedAs::Process, name: process.name.clone() };
        Fact::Target(TargetSeen { target, presence, detail, grace_secs: process.grace_secs })
    };

    processes.iter().map(seen).collect()
}

/// Linux keeps 15 bytes of a process's name.
fn kernel_name(name: &str) -> &str {
    if cfg!(target_os = "linux") { name.get(..15).unwrap_or(name) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_is_found_and_an_invented_one_is_not() {
        let own = std::env::current_exe().expect("a test has a file");
        let name = crate::observation::file_name(&own);
        let processes = [name, "no-such-program-7f3a".to_owned()]
            .map(|name| ProcessConfig { name, grace_secs: None });
        let presences: Vec<_> = look_for(&processes, &SensorBoard::default())
            .into_iter()
            .map(|fact| {
                let Fact::Target(seen) = fact else { panic!("not a target: {fact:?}") };
                seen.presence
            })
            .collect();
        assert_eq!(presences, [Presence::Up, Presence::Down]);
    }

    #[test]
    fn a_path_is_no_name() {
        let service = |name: &str| ServiceConfig { name: name.to_owned(), grace_secs: None };
        let found = problems(&[service("a.service"), service("a.service"), service("/etc/x")], &[]);
        let keys: Vec<_> = found.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["sensors.services.1.name", "sensors.services.2.name"]);
    }
}
