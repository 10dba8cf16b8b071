//! Sees what is sent to the printers of this host.
//!
//! Windows' spooler says when a job was added.
//!
//! Asks CUPS for its jobs over its own socket, rather than read its logs: by default `page_log` is switched off and
//! `access_log` knows no titles, while every CUPS answers Get-Jobs, also for jobs that are done already.
//!
//! Always holds: a host without a print service is told on the board as one; a service that stops answering is told by
//! a loss and asked again.

#[cfg(target_os = "linux")]
mod ipp;
mod titles;

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
const PRINTING: &str = "printing";

/// How print jobs are seen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrintingConfig {
    /// Socket of CUPS, absolute. Empty: printing is not watched.
    pub cups_socket: PathBuf,
    /// Pause between two looks at the jobs, in seconds, 1 to 60.
    pub interval_secs: u64,
}

impl Default for PrintingConfig {
    fn default() -> Self {
        Self { cups_socket: PathBuf::from("/run/cups/cups.sock"), interval_secs: 5 }
    }
}

impl PrintingConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let bytes = self.cups_socket.as_os_str().as_encoded_bytes();
        if !bytes.is_empty() && !bytes.starts_with(b"/") {
            let message = format!("`{}` is not an absolute path", self.cups_socket.display());
            let remedy = "write the whole path from the root of the file system, or nothing";
            problems.push(Problem::of("sensors.printing.cups_socket", message, remedy));
        }
        if !(1..=60).contains(&self.interval_secs) {
            let message = format!("{} is not between 1 and 60", self.interval_secs);
            problems.push(Problem::of(
                "sensors.printing.interval_secs",
                message,
                "5 is the default",
            ));
        }
        problems
    }
}

/// What the sensor needs to run.
pub struct PrintingParts {
    /// Whom to ask.
    pub config: PrintingConfig,
    /// The time.
    pub clock: SharedClock,
    /// Where observations go.
    pub out: mpsc::Sender<Observation>,
    /// Where it says how it is.
    pub board: SensorBoard,
    /// The agent's last sign of life before this start: jobs made since are told.
    pub since: Option<Timestamp>,
}

/// Asks at intervals until `stop`.
pub async fn run(parts: PrintingParts, stop: CancellationToken) {
    if !parts.config.cups_socket.as_os_str().is_empty() {
        platform::run(parts, stop).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_socket_and_no_pause_are_mistakes() {
        assert_eq!(PrintingConfig::default().problems(), []);
        let config = PrintingConfig { cups_socket: PathBuf::from("cups.sock"), interval_secs: 0 };
        assert_eq!(config.problems().len(), 2);
        let off = PrintingConfig { cups_socket: PathBuf::new(), ..PrintingConfig::default() };
        assert_eq!(off.problems(), []);
    }
}
