//! Carries what the buffer keeps to a collector, and brings orders back.
//!
//! ```text
//! buffer ──peek──▶ batch ──▶ client ══ mTLS ══▶ collector
//!    ▲                          │
//!    │  remove_through          ▼ Answer
//!    └──────────────────── Verdict::judge (pure)          heartbeat every 30 s ──▶ orders, policy ──▶ (wiring), trust
//!       set_aside                                         renewal, manifests: now and then
//! ```
//!
//! Always holds:
//! - only [`Verdict::Stored`] removes anything, and only a parsed [`shirase_shared::wire::Ack`] with our stream and our
//!   digest makes one; everything else means: the same again later;
//! - at least once on the wire: a batch whose answer was lost is sent again, the collector stores it once;
//! - the first upstream is asked with every heartbeat, so that work returns to it as soon as it answers;
//! - nothing here decides what an event means, and nothing else in the agent waits for the network.
//!
//! Out of scope: what an order asks for (see `orders`), how events are kept (see `buffer`).

mod batch;
mod verdict;
mod client;
mod route;
mod delivery;
mod signs;
mod renewal;
mod trust;
mod manifests;
mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use shirase_shared::policy::{PolicyName, PolicyReport, SignedPolicy};
use shirase_shared::posture::Posture;
use shirase_shared::wire::{BATCH_MAX_RECORDS, SensorReport, SignedOrder};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::buffer::Buffer;

pub use batch::Outgoing;
pub use client::{Client, ClientError, Identity};
pub use manifests::{ManifestError, Sidecar, sidecar_path};
pub use state::{UplinkBoard, UplinkState};
pub use verdict::{Answer, Verdict};

use state::Parts;

/// How records reach the collector.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UplinkConfig {
    /// Base URL of the collector's ingest listener, `https://…`. Empty until the host is enrolled.
    pub collector_url: String,
    /// Base URL of a second collector of the same authority, used while the first does not answer. Empty: none.
    pub second_url: String,
    /// How long the first collector may be silent before the second is used, in seconds, 10 to 86400.
    pub second_after_secs: u64,
    /// Pause between two signs of life, in seconds, 5 to 300. The collector calls a host silent after a few of them.
    pub heartbeat_secs: u64,
    /// Most records in one request, 1 to 1000. Larger backlogs take several requests.
    pub batch_max_records: usize,
    /// Longest wait for a connection, in seconds, 1 to 120.
    pub connect_timeout_secs: u64,
    /// Longest wait for an answer, in seconds, 1 to 600.
    pub answer_timeout_secs: u64,
    /// First pause after a failure, in milliseconds, 100 to 60000; it doubles, with jitter.
    pub retry_first_ms: u64,
    /// Longest pause after failures, in seconds, 1 to 3600.
    pub retry_longest_secs: u64,
}

impl Default for UplinkConfig {
    fn default() -> Self {
        Self {
            collector_url: String::new(),
            second_url: String::new(),
            second_after_secs: 120,
            heartbeat_secs: 30,
            batch_max_records: 500,
            connect_timeout_secs: 10,
            answer_timeout_secs: 30,
            retry_first_ms: 1000,
            retry_longest_secs: 60,
        }
    }
}

impl UplinkConfig {
    /// Returns every rule the values break. An empty `collector_url` is none: whoever needs a collector asks for it.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (key, url) in
            [("uplink.collector_url", &self.collector_url), ("uplink.second_url", &self.second_url)]
        {
            let https = reqwest::Url::parse(url).is_ok_and(|url| url.scheme() == "https");
            if !url.is_empty() && !https {
                let remedy = "give something like `https://collector.example.jp:8444`";
                problems.push(Problem::of(key, format!("`{url}` is no https address"), remedy));
            }
        }
        if !self.second_url.is_empty() && self.second_url == self.collector_url {
            let message = "is the same as `uplink.collector_url`";
            problems.push(Problem::of(
                "uplink.second_url",
                message,
                "name another one or remove it",
            ));
        }
        let records = u64::try_from(self.batch_max_records).unwrap_or(u64::MAX);
        let records_max = u64::try_from(BATCH_MAX_RECORDS).unwrap_or(u64::MAX);
        let ranges = [
            ("uplink.second_after_secs", self.second_after_secs, 10, 86_400),
            ("uplink.heartbeat_secs", self.heartbeat_secs, 5, 300),
            ("uplink.batch_max_records", records, 1, records_max),
            ("uplink.connect_timeout_secs", self.connect_timeout_secs, 1, 120),
            ("uplink.answer_timeout_secs", self.answer_timeout_secs, 1, 600),
            ("uplink.retry_first_ms", self.retry_first_ms, 100, 60_000),
            ("uplink.retry_longest_secs", self.retry_longest_secs, 1, 3600),
        ];
        for (key, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                let remedy = format!("give {least} to {most}");
                problems.push(Problem::of(key, format!("{value} is out of range"), remedy));
            }
        }
        problems
    }

    fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_secs)
    }
}

/// The part of a heartbeat that others know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// How each sensor is.
    pub sensors: Vec<SensorReport>,
    /// Version of the agent.
    pub version: String,
    /// Name of the machine.
    pub hostname: String,
    /// Operating system.
    pub os: String,
    /// What is wrong with the configuration file, if the last good one is in force instead.
    pub config_problems: Vec<String>,
    /// The maintenance window that is in force, if one is.
    pub maintenance_until: Option<Timestamp>,
    /// What it says of its policy.
    pub policy: PolicyReport,
    /// How the host was set up when it was last looked at.
    pub posture: Option<Posture>,
}

/// Tells the vitals at the moment of asking. Must not wait.
pub type VitalsSource = Arc<dyn Fn() -> Vitals + Send + Sync>;

/// Writes one line to the system's own log. Must not wait long.
pub type SystemLog = Arc<dyn Fn(&str) + Send + Sync>;

/// What the uplink is made of.
pub struct UplinkParts {
    /// How to send.
    pub config: UplinkConfig,
    /// The host's certificate, key and authority.
    pub identity: Identity,
    /// What to send.
    pub buffer: Buffer,
    /// The time.
    pub clock: SharedClock,
    /// The part of a heartbeat that others know.
    pub vitals: VitalsSource,
    /// Where orders go. When it is full an order is dropped and counted: the collector sends it again.
    pub orders: mpsc::Sender<SignedOrder>,
    /// Where a policy goes, with the name it was announced under. When it is full the policy is dropped: it is announced
    /// again with the next sign of life.
    pub policies: mpsc::Sender<(PolicyName, SignedPolicy)>,
    /// Directory of finished damage manifests (`*.age` with their sidecars).
    pub manifests: PathBuf,
    /// The system's own log, for critical events while no collector answers.
    pub system_log: SystemLog,
    /// Where the uplink writes how it is.
    pub board: UplinkBoard,
}

/// Runs until `stop`. What was not sent stays in the buffer.
///
/// # Errors
/// If the identity's files cannot be read or do not fit together; nothing has been sent then.
pub async fn run(parts: UplinkParts, stop: CancellationToken) -> Result<(), ClientError> {
    let parts = Parts::build(parts)?;
    tokio::join!(
        delivery::run(&parts, &stop),
        signs::run(&parts, &stop),
        renewal::run(&parts, &stop),
        manifests::run(&parts, &stop),
    );

    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_has_no_problems_and_each_mistake_has_its_own() {
        assert_eq!(UplinkConfig::default().problems(), []);
        let wrong = UplinkConfig {
            collector_url: "http://collector".to_owned(),
            second_url: "nonsense".to_owned(),
            heartbeat_secs: 0,
            batch_max_records: 5000,
            ..UplinkConfig::default()
        };
        let keys: Vec<_> = wrong
            .problems()
            .into_iter()
            .map(|problem| problem.key)
            .collect();
        let expected = [
            "uplink.collector_url",
            "uplink.second_url",
            "uplink.heartbeat_secs",
            "uplink.batch_max_records",
        ];
        assert_eq!(keys, expected);
    }
}
