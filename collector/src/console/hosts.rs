//! Hosts of a facility: how they are, what they do for care, and how a new one comes in.

use std::collections::BTreeMap;

use askama::Template;
use jiff::{SignedDuration, Timestamp};

use shirase_shared::ids::HostId;
use shirase_shared::wire::SensorState;

use super::frame::Frame;
use super::policy::HostStandingView;
use super::ui::{Badge, Tone};
use crate::enrolment::Token;
use crate::facilities::{CareRole, Host, HostStanding};
use crate::locale::{Locale, japan_time};
use crate::records::HeartbeatSeen;

/// The hosts of one facility.
#[derive(Template)]
#[template(path = "hosts.html")]
pub struct HostsPage {
    /// What stands around it.
    pub f: Frame,
    /// The hosts.
    pub hosts: Vec<HostView>,
    /// Enrolment tokens.
    pub tokens: Vec<TokenView>,
    /// Hours a new token lasts unless somebody says otherwise.
    pub token_hours: u32,
}

/// Roles to choose from.
#[derive(Clone, Debug)]
pub struct RoleChoice {
    /// Name in the form.
    pub code: &'static str,
    /// Words.
    pub text: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl RoleChoice {
    /// Offers every role, with those chosen that `chosen` says.
    #[must_use]
    pub fn all(locale: Locale, chosen: impl Fn(CareRole) -> bool) -> Vec<Self> {
        let offer = |role: CareRole| Self {
            code: role.as_str(),
            text: locale.text(role.label_key()),
            chosen: chosen(role),
        };
        CareRole::ALL.into_iter().map(offer).collect()
    }
}

/// One host as it is shown.
pub struct HostView {
    /// Its identity.
    pub id: HostId,
    /// Its label.
    pub name: String,
    /// Operating system.
    pub os: String,
    /// How it is, in words on a colour.
    pub state: Badge,
    /// Colour of its card.
    pub tone: &'static str,
    /// Whether it may be revoked and ordered about.
    pub let_in: bool,
    /// When it was last heard.
    pub heard: String,
    /// Version of its agent.
    pub version: String,
    /// How full its buffer is and how much waits.
    pub buffer: String,
    /// When its certificate ends.
    pub certificate: String,
    /// Until when it is under maintenance.
    pub maintenance: Option<String>,
    /// Sensors that do not see all they should: name, badge, particulars.
    pub troubled: Vec<(String, Badge, String)>,
    /// How many sensors are well.
    pub well: usize,
    /// What is wrong with its configuration.
    pub config_problems: Vec<String>,
    /// What it does for care, in words.
    pub roles: String,
    /// The same as choices.
    pub choices: Vec<RoleChoice>,
    /// Targets with a role of their own.
    pub watched: Vec<(String, Vec<RoleChoice>)>,
    /// A blank one to add.
    pub unchosen: Vec<RoleChoice>,
    /// How it stands to its policy, where there is one.
    pub policy: Option<HostStandingView>,
}

/// What a page about hosts is made from.
pub struct HostsInput<'a> {
    /// The hosts.
    pub hosts: &'a [Host],
    /// Their last signs of life.
    pub heartbeats: &'a BTreeMap<HostId, HeartbeatSeen>,
    /// The moment shown.
    pub now: Timestamp,
    /// After how long without a sign a host counts as silent.
    pub silence: SignedDuration,
}

/// How a host is, at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostHealth {
    /// It reports and sees.
    Well,
    /// It reports but does not see everything.
    Degraded,
    /// It was never heard or is silent.
    Silent,
    /// It is not let in any more.
    ShutOut,
}

/// Judges how a host is.
#[must_use]
pub fn health(host: &Host, heard: Option<&HeartbeatSeen>, input: &HostsInput<'_>) -> HostHealth {
    match host.standing(input.now) {
        HostStanding::Revoked | HostStanding::Lapsed => return HostHealth::ShutOut,
        HostStanding::Enrolled => {}
    }
    let Some(heard) = heard else {
        return HostHealth::Silent;
    };
    if input.silence < input.now.duration_since(heard.received_at) {
        return HostHealth::Silent;
    }
    let sees = heard
        .heartbeat
        .sensors
        .iter()
        .all(|sensor| sensor.state == SensorState::Well);
    if sees && heard.heartbeat.config_problems.is_empty() {
        HostHealth::Well
    } else {
        HostHealth::Degraded
    }
}

/// Shows hosts.
#[must_use]
pub fn host_views(input: &HostsInput<'_>, locale: Locale) -> Vec<HostView> {
    let view = |host: &Host| view(host, input.heartbeats.get(&host.id), input, locale);
    input.hosts.iter().map(view).collect()
}

fn view(
    host: &Host,
    heard: Option<&HeartbeatSeen>,
    input: &HostsInput<'_>,
    locale: Locale,
) -> HostView {
    let health = health(host, heard, input);
    let heartbeat = heard.map(|seen| &seen.heartbeat);
    let sensors = heartbeat
        .map(|beat| beat.sensors.as_slice())
        .unwrap_or_default();
    let troubled = sensors.iter().filter_map(|sensor| {
        let badge = sensor_badge(sensor.state, locale)?;
        Some((sensor.name.clone(), badge, sensor.detail.clone()))
    });
    let roles: Vec<_> = host
        .roles
        .iter()
        .map(|role| locale.text(role.label_key()))
        .collect();
    let watched = host
        .watched
        .iter()
        .map(|(name, role)| (name.clone(), RoleChoice::all(locale, |choice| choice == *role)));
    let (state, tone) = health_badge(health, host, input.now, locale);

    HostView {
        id: host.id,
        name: host.name.clone(),
        os: host.os.clone(),
        state,
        tone,
        let_in: host.revoked_at.is_none(),
        heard: heard.map_or_else(|| locale.text("never"), |seen| japan_time(seen.received_at)),
        version: heartbeat
            .map(|beat| beat.version.clone())
            .unwrap_or_default(),
        buffer: heartbeat
            .map(|beat| {
                let used = percent(beat.buffer_used_bytes, beat.buffer_limit_bytes);
                locale.text_with("buffer-level", &[("percent", &used), ("waiting", &beat.waiting)])
            })
            .unwrap_or_default(),
        certificate: host
            .certificate_expires_at
            .map(japan_time)
            .unwrap_or_default(),
        maintenance: heartbeat
            .and_then(|beat| beat.maintenance_until)
            .map(japan_time),
        troubled: troubled.collect(),
        well: sensors
            .iter()
            .filter(|sensor| sensor.state == SensorState::Well)
            .count(),
        config_problems: heartbeat
            .map(|beat| beat.config_problems.clone())
            .unwrap_or_default(),
        roles: roles.join(&locale.text("list-separator")),
        choices: RoleChoice::all(locale, |role| host.roles.contains(&role)),
        watched: watched.collect(),
        unchosen: RoleChoice::all(locale, |_| false),
        policy: None,
    }
}

fn health_badge(
    health: HostHealth,
    host: &Host,
    now: Timestamp,
    locale: Locale,
) -> (Badge, &'static str) {
    let (tone, class, text) = match health {
        HostHealth::Well => (Tone::Well, "well", locale.text("host-well")),
        HostHealth::Degraded => (Tone::Medium, "medium", locale.text("host-degraded")),
        HostHealth::Silent => (Tone::High, "high", locale.text("host-silent")),
        HostHealth::ShutOut => (
            Tone::Quiet,
            "quiet",
            match host.standing(now) {
                HostStanding::Revoked => locale.text("host-revoked"),
                HostStanding::Lapsed | HostStanding::Enrolled => locale.text("host-lapsed"),
            },
        ),
    };
    (Badge { tone, text }, class)
}

fn sensor_badge(state: SensorState, locale: Locale) -> Option<Badge> {
    match state {
        SensorState::Well => None,
        SensorState::Degraded => {
            Some(Badge { tone: Tone::Medium, text: locale.text("sensor-degraded") })
        }
        SensorState::Blind => Some(Badge { tone: Tone::High, text: locale.text("sensor-blind") }),
    }
}

/// Returns `part` of `whole` in percent, rounded up so that something is never nothing.
const fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { part.saturating_mul(100).div_ceil(whole) }
}

/// One enrolment token as it is shown.
pub struct TokenView {
    /// Beginning of its hash: its name for people.
    pub short: String,
    /// What it was issued for.
    pub label: String,
    /// When it was issued.
    pub created: String,
    /// When it ends.
    pub expires: String,
    /// What became of it.
    pub state: Badge,
    /// Whether it can be revoked.
    pub open: bool,
}

impl TokenView {
    /// Shows a token.
    #[must_use]
    pub fn of(token: &Token, now: Timestamp, locale: Locale) -> Self {
        let over = token.expires_at <= now;
        let (tone, text) = if token.revoked_at.is_some() {
            (Tone::Quiet, locale.text("token-revoked"))
        } else if token.host.is_some() {
            (Tone::Well, locale.text("token-used"))
        } else if over {
            (Tone::Quiet, locale.text("token-expired"))
        } else {
            (Tone::Low, locale.text("token-open"))
        };
        Self {
            short: token.sha256.chars().take(12).collect(),
            label: token.label.clone(),
            created: japan_time(token.created_at),
            expires: japan_time(token.expires_at),
            state: Badge { tone, text },
            open: token.revoked_at.is_none() && !over,
        }
    }
}

/// Returns the command that brings a host in, ready to be pasted on it.
#[must_use]
pub fn enrol_command(collector_url: &str, fingerprint: &str) -> String {
    format!(
        "sudo shirase-agent enroll --collector {collector_url} --token-file - --ca-fingerprint {fingerprint}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_never_divides_by_nothing() {
        assert_eq!([percent(0, 0), percent(0, 9), percent(1, 1000), percent(9, 9)], [0, 0, 1, 100]);
    }
}
