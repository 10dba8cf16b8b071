//! Sees who tries to log on, and who becomes an administrator.
//!
//! ```text
//! journal, or /var/log/auth.log and secure ─▶ lines ─▶ sshd, programs ─┬─ attempt ─▶ (logon_burst)
//! log.smbd, where configured ──────────────────────────▶ samba ────────┘
//! Windows' Security log ─▶ (event_log) ─▶ attempts and rights
//! /etc/passwd, group, sudoers ─▶ accounts, every half minute and when a line says so ─ rights ─▶ (logon_burst)
//! ```
//!
//! Always holds: what the lines mean is told by modules without I/O; a source that cannot be read is told and tried
//! again. Names are in the clear here and stay on the host.

#[cfg(target_os = "linux")]
mod lines;
#[cfg(target_os = "linux")]
mod reading;
#[cfg(target_os = "linux")]
mod sshd;
#[cfg(target_os = "linux")]
mod programs;
#[cfg(target_os = "linux")]
mod samba;
#[cfg(target_os = "linux")]
mod accounts;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::SensorBoard;
use crate::observation::Observation;

/// Name of the sensor on the board.
const LOGONS: &str = "logons";
/// Name of the part that reads Samba's logs.
#[cfg(target_os = "linux")]
const SAMBA: &str = "logons-samba";
/// Name of the part that looks at accounts.
#[cfg(target_os = "linux")]
const RIGHTS: &str = "administrators";

/// Where logons and rights are seen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogonsConfig {
    /// Where attempts are read.
    pub source: LogonSource,
    /// The files read where the journal is not; those that are there.
    pub files: Vec<PathBuf>,
    /// Logs of Samba to read besides. Samba writes attempts into them with `log level = 1 auth_json_audit:3`.
    pub samba_logs: Vec<PathBuf>,
    /// Groups whose members are administrators, besides those sudo's files name.
    pub administrator_groups: Vec<String>,
    /// Pause between two looks at accounts, groups and sudo's files, in seconds, 1 to 3600. 0 never looks.
    pub administrators_interval_secs: u64,
}

/// Where attempts are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogonSource {
    /// The journal where there is one, else the files.
    Auto,
    /// The journal or nothing.
    Journal,
    /// The files alone.
    Files,
    /// Nowhere.
    Off,
}

impl Default for LogonsConfig {
    fn default() -> Self {
        let groups = ["sudo", "wheel", "admin", "root", "docker", "lxd", "disk"];
        Self {
            source: LogonSource::Auto,
            files: ["/var/log/auth.log", "/var/log/secure"]
                .map(PathBuf::from)
                .to_vec(),
            samba_logs: Vec::new(),
            administrator_groups: groups.map(str::to_owned).to_vec(),
            administrators_interval_secs: 30,
        }
    }
}

impl LogonsConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, paths) in [("files", &self.files), ("samba_logs", &self.samba_logs)] {
            for path in paths.iter().filter(|path| !is_absolute(path)) {
                let message = format!("`{}` is not an absolute path", path.display());
                let remedy = "write the whole path from the root of the file system";
                problems.push(Problem::of(&format!("sensors.logons.{name}"), message, remedy));
            }
        }
        if 3600 < self.administrators_interval_secs {
            let key = "sensors.logons.administrators_interval_secs";
            let message = format!("{} is above 3600", self.administrators_interval_secs);
            problems.push(Problem::of(key, message, "give at most an hour; 30 is the default"));
        }
        problems
    }
}

/// The paths are Linux's, whatever system checks the file.
fn is_absolute(path: &std::path::Path) -> bool {
    path.is_absolute() || path.as_os_str().as_encoded_bytes().starts_with(b"/")
}

/// What the sensor needs to run.
pub struct LogonsParts {
    /// Where to look.
    pub config: LogonsConfig,
    /// The time.
    pub clock: SharedClock,
    /// Where observations go.
    pub out: mpsc::Sender<Observation>,
    /// Where it says how it is.
    pub board: SensorBoard,
    /// The agent's last sign of life before this start: what the journal holds since is read.
    pub since: Option<Timestamp>,
    /// Where the administrators of the last look are kept, so that one made meanwhile is seen. `None` keeps nothing.
    pub known_administrators: Option<PathBuf>,
}

/// Looks until `stop`.
pub async fn run(parts: LogonsParts, stop: CancellationToken) {
    platform::run(parts, stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_and_a_pause_of_a_day_are_mistakes() {
        assert_eq!(LogonsConfig::default().problems(), []);
        let config = LogonsConfig {
            files: vec![PathBuf::from("auth.log")],
            administrators_interval_secs: 86_400,
            ..LogonsConfig::default()
        };
        let keys: Vec<_> = config
            .problems()
            .into_iter()
            .map(|problem| problem.key)
            .collect();
        let table = "sensors.logons";
        assert_eq!(
            keys,
            [format!("{table}.files"), format!("{table}.administrators_interval_secs")]
        );
    }
}
