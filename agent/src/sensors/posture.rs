//! Looks how the host is set up, as far as a checklist asks: listeners, programs for remote control, idle accounts, USB
//! storage, how far back the logs go.
//!
//! Always holds: it raises nothing and changes nothing; each part says by itself why it was not seen.

mod idle;
mod listening;
mod remote;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use shirase_shared::posture::{Look, NAME_MAX_CHARS, Posture};
use shirase_shared::wire::SensorState;
use tokio_util::sync::CancellationToken;

use super::SensorBoard;

/// Name of this sensor on the board.
const NAME: &str = "posture";
/// Most seconds between two looks.
const INTERVAL_MAX_SECS: u64 = 7 * 86_400;
/// Fewest seconds between two looks that are not 0: it walks all processes.
const INTERVAL_MIN_SECS: u64 = 60;

/// How the host is set up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostureConfig {
    /// Pause between two looks, in seconds, 60 to 604800; 0 never looks.
    pub interval_secs: u64,
    /// Days without a logon after which an account counts as idle, 1 to 3650.
    pub idle_account_days: u32,
    /// Whether the names of idle accounts may leave the host. They are people's; their number leaves it always.
    pub account_names: bool,
}

impl Default for PostureConfig {
    fn default() -> Self {
        Self { interval_secs: 3600, idle_account_days: 90, account_names: false }
    }
}

impl PostureConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let usual = INTERVAL_MIN_SECS..=INTERVAL_MAX_SECS;
        if self.interval_secs != 0 && !usual.contains(&self.interval_secs) {
            problems.push(Problem::of(
                "sensors.posture.interval_secs",
                format!("{} is out of range", self.interval_secs),
                format!(
                    "give {INTERVAL_MIN_SECS} to {INTERVAL_MAX_SECS} seconds, or 0 to leave it out"
                ),
            ));
        }
        if !(1..=3650).contains(&self.idle_account_days) {
            problems.push(Problem::of(
                "sensors.posture.idle_account_days",
                format!("{} is out of range", self.idle_account_days),
                "give 1 to 3650 days; 90 is the default",
            ));
        }
        problems
    }
}

/// Looks at intervals until `stop`, and leaves what was seen on the board.
pub async fn run(
    config: PostureConfig,
    clock: SharedClock,
    board: SensorBoard,
    stop: CancellationToken,
) {
    if config.interval_secs == 0 {
        return;
    }
    loop {
        let (now, idle_days) = (clock.now(), config.idle_account_days);
        match tokio::task::spawn_blocking(move || look(now, idle_days)).await {
            Ok(mut posture) => {
                if let Look::Seen(accounts) = &mut posture.accounts
                    && !config.account_names
                {
                    accounts.named = None;
                }
                board.set(NAME, SensorState::Well, format!("looked at {}", posture.looked_at));
                board.set_posture(posture);
            }
            Err(error) => board.set(NAME, SensorState::Blind, error.to_string()),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(config.interval_secs)) => {}
        }
    }
}

/// Looks once. Names of accounts are in it.
#[must_use]
pub fn look(now: Timestamp, idle_days: u32) -> Posture {
    Posture {
        // To the second: it only dates what is shown.
        looked_at: Timestamp::from_second(now.as_second()).unwrap_or(now),
        listeners: listening::look(),
        remote_tools: remote::look(),
        accounts: platform::accounts(now, idle_days),
        usb_storage: platform::usb_storage(),
        logs_since: platform::logs_since(),
    }
}

/// Returns a name as it may travel.
fn name(text: &str) -> String {
    text.chars()
        .filter(|char| !char.is_control())
        .take(NAME_MAX_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_named() {
        let keys = |config: PostureConfig| {
            let problems = config.problems();
            problems
                .iter()
                .map(|problem| problem.key.clone())
                .collect::<Vec<_>>()
        };
        assert!(keys(PostureConfig::default()).is_empty());
        assert!(keys(PostureConfig { interval_secs: 0, ..Default::default() }).is_empty());
        let wrong = PostureConfig { interval_secs: 5, idle_account_days: 0, ..Default::default() };
        assert_eq!(
            keys(wrong),
            ["sensors.posture.interval_secs", "sensors.posture.idle_account_days"]
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_host_is_seen_with_a_program_that_listens() {
        let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = door.local_addr().unwrap().port();
        let posture = look(Timestamp::from_second(1_790_000_000).unwrap(), 90);
        match &posture.listeners {
            Look::Seen(seen) => {
                let own = seen.first.iter().find(|listener| listener.port == port);
                assert!(own.is_some() || 0 < seen.more, "{seen:?}");
            }
            Look::Unseen(_) => assert!(!rustix::process::geteuid().is_root()),
        }
        assert!(matches!(posture.usb_storage, Look::Seen(_)), "{posture:?}");
    }
}
