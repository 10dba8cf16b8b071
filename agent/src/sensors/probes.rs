//! Asks ports and web addresses whether they answer, each at its own interval.
//!
//! Always holds: a probe never waits longer than its timeout, and one that hangs holds up no other.

mod tcp;
mod http;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use shirase_shared::event::{Target, WatchedAs};
use shirase_shared::wire::SensorState;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::SensorBoard;
use crate::observation::{Fact, Observation, Presence, TargetSeen};

/// Longest text a probe passes on of what it saw, in characters.
const DETAIL_MAX_CHARS: usize = 200;

/// Something that must answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeConfig {
    /// What it is called in events and reports, for example `ehr-web`.
    pub name: String,
    /// A TCP port that must accept a connection, for example `127.0.0.1:5432`. Give this or `url`.
    #[serde(default)]
    pub tcp: Option<String>,
    /// A web address that must answer. Give this or `tcp`.
    #[serde(default)]
    pub url: Option<String>,
    /// The HTTP status it must answer with. Default: any below 400.
    #[serde(default)]
    pub expect_status: Option<u16>,
    /// A text that must stand in the first 64 KiB of the answer. Default: none.
    #[serde(default)]
    pub expect_text: Option<String>,
    /// Whether a certificate for `https` must be one this system trusts. Default: `any`.
    #[serde(default)]
    pub certificate: Certificate,
    /// Pause between two questions, in seconds.
    #[serde(default = "default_interval")]
    pub interval_secs: u64,
    /// Longest wait for an answer, in seconds.
    #[serde(default = "default_timeout")]
    pub timeout_secs: u64,
    /// How long it may be silent before that is an outage, in seconds. Default: `detectors.outage.grace_secs`.
    #[serde(default)]
    pub grace_secs: Option<u64>,
}

const fn default_interval() -> u64 {
    10
}

const fn default_timeout() -> u64 {
    5
}

/// Which certificates a web probe takes for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// Any: the question is whether the server is there.
    #[default]
    Any,
    /// Only one this system trusts.
    Trusted,
}

/// Returns every rule the configured probes break.
#[must_use]
pub fn problems(probes: &[ProbeConfig]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for (index, probe) in probes.iter().enumerate() {
        let key = |name: &str| format!("sensors.probes.{index}.{name}");
        if probe.name.is_empty() || probe.name.chars().any(char::is_control) {
            problems.push(Problem::of(&key("name"), "is empty", "give the probe a short name"));
        }
        if !names.insert(&probe.name) {
            problems.push(Problem::of(&key("name"), "is used twice", "give each its own name"));
        }
        match (&probe.tcp, &probe.url) {
            (Some(address), None) if tcp::is_address(address) => {}
            (Some(_), None) => {
                let remedy = "write it as host:port, for example `127.0.0.1:5432`";
                problems.push(Problem::of(&key("tcp"), "is not a host with a port", remedy));
            }
            (None, Some(url)) if http::is_url(url) => {}
            (None, Some(_)) => {
                let remedy = "write it as http://… or https://…";
                problems.push(Problem::of(&key("url"), "is not a web address", remedy));
            }
            (None, None) | (Some(_), Some(_)) => problems.push(Problem::of(
                &key("name"),
                "needs either `tcp` or `url`",
                "give exactly one of the two",
            )),
        }
        if probe.interval_secs == 0 || probe.timeout_secs == 0 {
            let message = "has an interval or a timeout of 0";
            problems.push(Problem::of(&key("interval_secs"), message, "give at least 1 second"));
        }
    }
    problems
}

/// How one question ended: what was seen, if it answered as it should, or why that is no answer.
type Asked = Result<String, String>;

/// Asks at intervals until `stop`.
pub async fn run(
    probe: ProbeConfig,
    clock: SharedClock,
    out: mpsc::Sender<Observation>,
    board: SensorBoard,
    stop: CancellationToken,
) {
    let patience = Duration::from_secs(probe.timeout_secs);
    let client = http::client(probe.certificate);
    let sensor = format!("probe {}", probe.name);
    loop {
        let watched_as = if probe.url.is_some() { WatchedAs::Http } else { WatchedAs::Tcp };
        let asked = match (&probe.url, &probe.tcp, &client) {
            (Some(_), _, Err(why)) => {
                board.set(&sensor, SensorState::Blind, why.clone());
                return;
            }
            (Some(url), _, Ok(client)) => {
                let asking = http::ask(client, url, &probe);
                tokio::time::timeout(patience, asking).await
            }
            (None, Some(address), _) => tokio::time::timeout(patience, tcp::ask(address)).await,
            (None, None, _) => return,
        };
        let late = || Err(format!("no answer within {} s", probe.timeout_secs));
        let (presence, detail) = match asked.unwrap_or_else(|_| late()) {
            Ok(detail) => (Presence::Up, detail),
            Err(detail) => (Presence::Down, detail),
        };
        board.set(&sensor, SensorState::Well, "asks");
        let seen = TargetSeen {
            target: Target { watched_as, name: probe.name.clone() },
            presence,
            detail: detail.chars().take(DETAIL_MAX_CHARS).collect(),
            grace_secs: probe.grace_secs,
        };
        if out
            .send(Observation { at: clock.moment(), fact: Fact::Target(seen) })
            .await
            .is_err()
        {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(probe.interval_secs)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(name: &str, tcp: Option<&str>, url: Option<&str>) -> ProbeConfig {
        ProbeConfig {
            name: name.to_owned(),
            tcp: tcp.map(str::to_owned),
            url: url.map(str::to_owned),
            expect_status: None,
            expect_text: None,
            certificate: Certificate::Any,
            interval_secs: 10,
            timeout_secs: 5,
            grace_secs: None,
        }
    }

    #[test]
    fn a_probe_needs_one_thing_to_ask() {
        let probes = [
            probe("a", Some("127.0.0.1:1"), None),
            probe("b", None, Some("https://ehr.example/")),
            probe("c", None, None),
            probe("d", Some("nowhere"), None),
            probe("e", None, Some("gopher://x")),
            probe("a", Some("[::1]:104"), None),
        ];
        let problems = problems(&probes);
        let keys: Vec<_> = problems
            .iter()
            .map(|problem| problem.key.as_str())
            .collect();
        assert_eq!(
            keys,
            [
                "sensors.probes.2.name",
                "sensors.probes.3.tcp",
                "sensors.probes.4.url",
                "sensors.probes.5.name"
            ],
        );
    }
}
