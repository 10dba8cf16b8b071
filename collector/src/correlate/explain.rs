//! Says why: a conclusion's reason as keys of the locale files with their variables.
//!
//! Nothing here holds a word of either language. What came from a host (a target's name, a suffix) is passed on as it
//! is: pages and documents escape it where they show it.

mod intrusion;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::event::{
    LossKind, MassChange, OutageState, Pressure, Severity, StopCause, WatchedAs,
};
use shirase_shared::ids::{HostId, UserId};

use super::conclusion::{Conclusion, Impact, Reason, Stop, Worst};
use crate::facilities::CareRole;
use crate::locale::{Locale, japan_time, visible};
use crate::orders::Window;

pub use intrusion::explain_intrusion;

/// Most names in one list; the rest are counted.
const LIST_MAX: usize = 8;

/// Words still to be said: a key of the locale files and its variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    /// The key.
    pub key: &'static str,
    /// The variables.
    pub args: Vec<(&'static str, Arg)>,
}

/// A variable of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg {
    /// Words of a person or a host, as they are.
    Plain(String),
    /// A count.
    Number(u64),
    /// A moment, shown in Japan's time.
    Time(Timestamp),
    /// A word of the locale files.
    Key(&'static str),
    /// A severity.
    Severity(Severity),
    /// A host, shown by its name.
    Host(HostId),
    /// Several hosts.
    Hosts(BTreeSet<HostId>),
    /// What something does for care.
    Roles(BTreeSet<CareRole>),
    /// Further texts, set one after the other as a list.
    List(Vec<Text>),
}

/// What hosts and people are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Hosts by identity.
    pub hosts: BTreeMap<HostId, String>,
    /// People by identity.
    pub users: BTreeMap<UserId, String>,
}

impl Text {
    /// Begins a text without variables.
    #[must_use]
    pub const fn new(key: &'static str) -> Self {
        Self { key, args: Vec::new() }
    }

    /// Adds a variable.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Arg) -> Self {
        self.args.push((name, value));
        self
    }

    /// Puts it into words.
    #[must_use]
    pub fn say(&self, locale: Locale, names: &Names) -> String {
        let said: Vec<(&str, String)> = self
            .args
            .iter()
            .map(|(name, arg)| (*name, arg.say(locale, names)))
            .collect();
        locale.text_of(self.key, &said)
    }
}

impl Arg {
    fn say(&self, locale: Locale, names: &Names) -> String {
        match self {
            Self::Plain(text) => visible(text),
            Self::Number(number) => number.to_string(),
            Self::Time(at) => japan_time(*at),
            Self::Key(key) => locale.text(key),
            Self::Severity(severity) => locale.text(severity_key(*severity)),
            Self::Host(host) => host_name(*host, names),
            Self::Hosts(hosts) => {
                join(hosts.iter().map(|host| host_name(*host, names)).collect(), locale)
            }
            Self::Roles(roles) => join(
                roles
                    .iter()
                    .map(|role| locale.text(role.label_key()))
                    .collect(),
                locale,
            ),
            Self::List(texts) => {
                join(texts.iter().map(|text| text.say(locale, names)).collect(), locale)
            }
        }
    }
}

fn host_name(host: HostId, names: &Names) -> String {
    names
        .hosts
        .get(&host)
        .map_or_else(|| host.to_string(), |name| visible(name))
}

fn join(mut texts: Vec<String>, locale: Locale) -> String {
    let rest = texts.len().saturating_sub(LIST_MAX);
    if 0 < rest {
        texts.truncate(LIST_MAX);
        texts.push(locale.text_with("list-rest", &[("count", &rest)]));
    }

    texts.join(&locale.text("list-comma"))
}

/// Returns the key of a severity's name.
#[must_use]
pub const fn severity_key(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "incident-severity-low",
        Severity::Medium => "incident-severity-medium",
        Severity::High => "incident-severity-high",
        Severity::Critical => "incident-severity-critical",
    }
}

/// Returns one line that names the story a conclusion tells: the title of its rule with where it happened.
#[must_use]
pub fn headline(conclusion: &Conclusion) -> Text {
    if let Reason::Sighting { sighting } = &conclusion.reason {
        let what = match sighting.case {
            Some(_) => "sighting-of-case",
            None => conclusion.rule.title_key(),
        };
        return Text::new("incident-headline-sighting")
            .with("rule", Arg::Key(what))
            .with("subject", Arg::Plain(sighting.subject.clone()));
    }
    Text::new("incident-headline")
        .with("rule", Arg::Key(conclusion.rule.title_key()))
        .with("hosts", Arg::Hosts(conclusion.hosts.clone()))
}

/// Returns why a conclusion is said.
#[must_use]
pub fn explain(conclusion: &Conclusion) -> Text {
    let text = match &conclusion.reason {
        Reason::MassChange { root, files, totals, ended_at } => {
            let key = match ended_at {
                Some(_) => "why-mass-change-ended",
                None => "why-mass-change",
            };
            let text = Text::new(key)
                .with("files", Arg::Number(*files))
                .with("root", Arg::Plain(root.clone().unwrap_or_default()))
                .with("directories", Arg::Number(totals.directories))
                .with("signs", Arg::List(signs(totals)))
                .with("first", Arg::Time(conclusion.first_at));
            match ended_at {
                Some(at) => text.with("ended", Arg::Time(*at)),
                None => text,
            }
        }
        Reason::Outage { .. } => outage(&conclusion.reason, &conclusion.care_roles),
        Reason::RansomwareImpact { files, impacts, .. } => Text::new("why-ransomware-impact")
            .with("files", Arg::Number(*files))
            .with("impacts", Arg::List(impacts.iter().map(impact).collect())),
        Reason::Spreading { others, shared_suffixes, .. } if shared_suffixes.is_empty() => {
            Text::new("why-spreading-time").with("others", Arg::Hosts(others.clone()))
        }
        Reason::Spreading { others, shared_suffixes, .. } => Text::new("why-spreading-suffix")
            .with("others", Arg::Hosts(others.clone()))
            .with("suffixes", Arg::List(shared_suffixes.iter().map(|s| suffix(s)).collect())),
        Reason::SilentHost { last_heard_at, stop, returned_at, maintenance } => {
            let announced = maintenance.iter().map(announced).collect();
            silence(*last_heard_at, *stop, *returned_at).with("maintenance", Arg::List(announced))
        }
        Reason::Fork { first, count, .. } => Text::new("why-fork")
            .with("first", Arg::Number(first.0))
            .with("count", Arg::Number(*count)),
        Reason::Loss { what, count, .. } => explain_loss(*what, *count),
        Reason::Unread { kind, count } => Text::new("why-unread")
            .with("kind", Arg::Plain(kind.clone()))
            .with("count", Arg::Number(*count)),
        Reason::Pressure { evidence } => explain_pressure(evidence),
        Reason::Sighting { sighting } => Text::new("why-sighting")
            .with("at", Arg::Time(sighting.noticed_at))
            .with("by", Arg::Plain(sighting.noticed_by.clone()))
            .with("way", Arg::Key(sighting.way.label_key()))
            .with("what", Arg::Plain(sighting.what.clone())),
        Reason::Intrusion { evidence, ended_at } => {
            let what = explain_intrusion(evidence).unwrap_or(Text::new("why-intrusion"));
            match ended_at {
                Some(at) => Text::new("why-intrusion-ended")
                    .with("what", Arg::List(vec![what]))
                    .with("ended", Arg::Time(*at)),
                None => what,
            }
        }
    };

    match subject(conclusion) {
        Some(host) => text.with("host", Arg::Host(host)),
        None => text.with("host", Arg::Key("host-unknown")),
    }
}

/// Returns the host a conclusion speaks about: of a composite one, that of the change it is about.
fn subject(conclusion: &Conclusion) -> Option<HostId> {
    match &conclusion.reason {
        Reason::RansomwareImpact { host, .. } | Reason::Spreading { host, .. } => Some(*host),
        Reason::MassChange { .. }
        | Reason::Outage { .. }
        | Reason::SilentHost { .. }
        | Reason::Fork { .. }
        | Reason::Loss { .. }
        | Reason::Unread { .. }
        | Reason::Intrusion { .. }
        | Reason::Pressure { .. }
        | Reason::Sighting { .. } => conclusion.hosts.first().copied(),
    }
}

/// Lists the evidence that counts above nothing, strongest first.
fn signs(totals: &MassChange) -> Vec<Text> {
    let counts = [
        ("sign-magic-lost", totals.magic_lost),
        ("sign-suffix-appended", totals.suffix_appended),
        ("sign-extension-lost", totals.extension_lost),
        ("sign-replaced", totals.replaced),
        ("sign-truncated", totals.truncated),
        ("sign-deleted", totals.deleted),
        ("sign-moved-out", totals.moved_out),
        ("sign-randomised", totals.randomised),
        ("sign-directories-renamed", totals.directories_renamed),
        ("sign-canaries", totals.canaries),
        ("sign-note", totals.note_directories),
    ];
    let counted = counts.into_iter().filter(|(_, count)| 0 < *count);
    let counted = counted.map(|(key, count)| Text::new(key).with("count", Arg::Number(count)));
    let mut by_count: Vec<(&String, &u64)> = totals.suffixes.iter().collect();
    by_count.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let suffixes = by_count.into_iter().take(3).map(|(name, _)| suffix(name));

    counted.chain(suffixes).collect()
}

fn suffix(name: &str) -> Text {
    Text::new("sign-suffix").with("suffix", Arg::Plain(name.to_owned()))
}

fn outage(reason: &Reason, roles: &BTreeSet<CareRole>) -> Text {
    let Reason::Outage { target, state, worst, since, recovered_at, .. } = reason else {
        return Text::new("why-outage");
    };
    let key = match (state, worst) {
        (OutageState::Down, _) => "why-outage-down",
        (OutageState::Flapping, _) => "why-outage-flapping",
        (OutageState::Recovered, Worst::Down | Worst::Flapping | Worst::Unknown) => {
            "why-outage-recovered"
        }
    };
    let roles =
        if roles.is_empty() { Arg::Key("care-roles-unknown") } else { Arg::Roles(roles.clone()) };
    let text = Text::new(key)
        .with("target", Arg::Plain(target.name.clone()))
        .with("watched", Arg::Key(watched_key(target.watched_as)))
        .with("roles", roles)
        .with("since", Arg::Time(*since));
    match recovered_at {
        Some(at) => text.with("recovered", Arg::Time(*at)),
        None => text,
    }
}

const fn watched_key(watched_as: WatchedAs) -> &'static str {
    match watched_as {
        WatchedAs::Service => "watched-service",
        WatchedAs::Process => "watched-process",
        WatchedAs::Tcp => "watched-tcp",
        WatchedAs::Http => "watched-http",
        WatchedAs::Hl7 => "watched-hl7",
        WatchedAs::Dicom => "watched-dicom",
        WatchedAs::Postgres => "watched-postgres",
    }
}

fn impact(impact: &Impact) -> Text {
    match &impact.target {
        Some(target) => Text::new("impact-outage")
            .with("host", Arg::Host(impact.host))
            .with("target", Arg::Plain(target.clone()))
            .with("at", Arg::Time(impact.first_at)),
        None => Text::new("impact-silence")
            .with("host", Arg::Host(impact.host))
            .with("at", Arg::Time(impact.first_at)),
    }
}

fn silence(last_heard_at: Timestamp, stop: Stop, returned_at: Option<Timestamp>) -> Text {
    let text = match stop {
        Stop::Unannounced => Text::new(match returned_at {
            Some(_) => "why-silent-returned",
            None => "why-silent",
        }),
        Stop::Announced { at, cause } => Text::new(match returned_at {
            Some(_) => "why-silent-announced-returned",
            None => "why-silent-announced",
        })
        .with("stopped", Arg::Time(at))
        .with("cause", Arg::Key(cause_key(cause))),
    }
    .with("heard", Arg::Time(last_heard_at));
    match returned_at {
        Some(at) => text.with("returned", Arg::Time(at)),
        None => text,
    }
}

fn announced(window: &Window) -> Text {
    Text::new("why-silent-maintenance")
        .with("until", Arg::Time(window.until))
        .with("owner", Arg::Plain(window.owner.clone()))
        .with("reason", Arg::Plain(window.reason.clone()))
}

const fn cause_key(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Restart => "stop-cause-restart",
        StopCause::Upgrade => "stop-cause-upgrade",
        StopCause::Removal => "stop-cause-removal",
        StopCause::Reboot => "stop-cause-reboot",
        StopCause::Shutdown => "stop-cause-shutdown",
        StopCause::Unsaid => "stop-cause-unsaid",
    }
}

/// Says what was lost.
#[must_use]
pub fn explain_loss(what: LossKind, count: Option<u64>) -> Text {
    let key = match what {
        LossKind::KernelQueue => "why-loss-kernel-queue",
        LossKind::OwnQueue => "why-loss-own-queue",
        LossKind::NotRunning => "why-loss-not-running",
        LossKind::RootUnreadable => "why-loss-root-unreadable",
        LossKind::RootGone => "why-loss-root-gone",
        LossKind::BufferFull => "why-loss-buffer-full",
        LossKind::BufferReplaced => "why-loss-buffer-replaced",
        LossKind::RecordSetAside => "why-loss-record-set-aside",
        LossKind::SensorBlind => "why-loss-sensor-blind",
    };
    let count = count.map_or(Arg::Key("count-unknown"), Arg::Number);
    Text::new(key).with("count", count)
}

/// Says what a host runs out of.
#[must_use]
pub fn explain_pressure(pressure: &Pressure) -> Text {
    let percent = |free: u64, total: u64| {
        Arg::Number(
            free.saturating_mul(100)
                .checked_div(total)
                .unwrap_or_default(),
        )
    };
    match pressure {
        Pressure::DiskNearlyFull { mount, free_bytes, total_bytes } => Text::new("why-disk")
            .with("mount", Arg::Plain(mount.clone()))
            .with("percent", percent(*free_bytes, *total_bytes)),
        Pressure::MemoryNearlyFull { available_bytes, total_bytes } => {
            Text::new("why-memory").with("percent", percent(*available_bytes, *total_bytes))
        }
        Pressure::CertificateExpiring { name, not_after } => Text::new("why-certificate")
            .with("name", Arg::Plain(name.clone()))
            .with("expires", Arg::Time(*not_after)),
        Pressure::ClockJump { by_ms } => {
            let key = if *by_ms < 0 { "why-clock-back" } else { "why-clock-ahead" };
            Text::new(key).with("seconds", Arg::Number(by_ms.unsigned_abs() / 1000))
        }
    }
}
