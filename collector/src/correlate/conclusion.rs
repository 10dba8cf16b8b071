//! What a rule says about its input, with the evidence it stands on.
//!
//! Always holds: the same story has the same [`NaturalKey`] whatever arrived first, and more input only ever adds to
//! a conclusion: records, hosts and parts grow, the span widens, the severity rises.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::event::{self, LossKind, OutageState, Severity, StopCause, Target};
use shirase_shared::ids::{DrillId, FacilityId, HostId, Sequence, StreamId};

use super::sighting::Sighting;
use crate::facilities::CareRole;
use crate::orders::Window;

/// What can be concluded. Ordered by weight: where severities are equal, the later one names the incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A host runs out of something, or its clock moved.
    Pressure,
    /// Something could not be seen, kept or told.
    Loss,
    /// Something is down that nobody named as a part of care.
    Outage,
    /// Two agents speak with one identity.
    Fork,
    /// A host stopped reporting.
    SilentHost,
    /// Somebody logs on in an unusual way.
    Logon,
    /// Many print jobs at once.
    PrintBurst,
    /// Many services stopped together.
    ServicesStopped,
    /// What protects a host is being taken away.
    ProtectionLoss,
    /// Backups are lost or not made.
    BackupLoss,
    /// A person noticed something: entered by hand, concluded by no rule of the machine.
    Sighting,
    /// A system that care stands on is down.
    CareOutage,
    /// Many files changed the way an encryptor changes them.
    MassChange,
    /// The same mass change on several hosts.
    Spreading,
    /// A mass change and the loss of a system that care stands on, close together.
    RansomwareImpact,
}

impl Rule {
    /// Every rule, by weight.
    pub const ALL: [Self; 15] = [
        Self::Pressure,
        Self::Loss,
        Self::Outage,
        Self::Fork,
        Self::SilentHost,
        Self::Logon,
        Self::PrintBurst,
        Self::ServicesStopped,
        Self::ProtectionLoss,
        Self::BackupLoss,
        Self::Sighting,
        Self::CareOutage,
        Self::MassChange,
        Self::Spreading,
        Self::RansomwareImpact,
    ];

    /// Returns the name used in JSON, in the database and in natural keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pressure => "pressure",
            Self::Loss => "loss",
            Self::Outage => "outage",
            Self::Fork => "fork",
            Self::SilentHost => "silent_host",
            Self::Logon => "logon",
            Self::PrintBurst => "print_burst",
            Self::ServicesStopped => "services_stopped",
            Self::ProtectionLoss => "protection_loss",
            Self::BackupLoss => "backup_loss",
            Self::Sighting => "sighting",
            Self::CareOutage => "care_outage",
            Self::MassChange => "mass_change",
            Self::Spreading => "spreading",
            Self::RansomwareImpact => "ransomware_impact",
        }
    }

    /// Returns the key of its title in the locale files: the headline of an incident it names.
    #[must_use]
    pub const fn title_key(self) -> &'static str {
        match self {
            Self::Pressure => "rule-pressure",
            Self::Loss => "rule-loss",
            Self::Outage => "rule-outage",
            Self::Fork => "rule-fork",
            Self::SilentHost => "rule-silent-host",
            Self::Logon => "rule-logon",
            Self::PrintBurst => "rule-print-burst",
            Self::ServicesStopped => "rule-services-stopped",
            Self::ProtectionLoss => "rule-protection-loss",
            Self::BackupLoss => "rule-backup-loss",
            Self::Sighting => "rule-sighting",
            Self::CareOutage => "rule-care-outage",
            Self::MassChange => "rule-mass-change",
            Self::Spreading => "rule-spreading",
            Self::RansomwareImpact => "rule-ransomware-impact",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no rule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a rule of this version")]
pub struct UnknownRule(String);

impl std::str::FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let found = Self::ALL.into_iter().find(|rule| rule.as_str() == text);
        found.ok_or_else(|| UnknownRule(text.chars().take(80).collect()))
    }
}

/// What a conclusion is called for ever: its subject in words, never the order in which it came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NaturalKey(String);

impl NaturalKey {
    /// Takes a key that was made by a rule.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NaturalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one record of a facility: the evidence of a conclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordKey {
    /// The host it came from.
    pub host: HostId,
    /// The stream that numbered it.
    pub stream: StreamId,
    /// Its number.
    pub sequence: Sequence,
}

/// What a rule says about its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    /// What it is called for ever.
    pub natural_key: NaturalKey,
    /// Who says so.
    pub rule: Rule,
    /// How much it matters.
    pub severity: Severity,
    /// Where.
    pub facility: FacilityId,
    /// The hosts concerned.
    pub hosts: BTreeSet<HostId>,
    /// The records it stands on.
    pub records: BTreeSet<RecordKey>,
    /// Of a composite one: the conclusion it is about.
    #[serde(default)]
    pub about: Option<NaturalKey>,
    /// Of a composite one: every conclusion it stands on, `about` included.
    #[serde(default)]
    pub parts: BTreeSet<NaturalKey>,
    /// Corrected time of the first change.
    pub first_at: Timestamp,
    /// Corrected time of the last word about it.
    pub last_at: Timestamp,
    /// Set when everything it tells was made by a drill this collector ordered.
    #[serde(default)]
    pub drill: Option<DrillId>,
    /// Addresses that logons came from, as the hosts saw them.
    #[serde(default)]
    pub sources: BTreeSet<String>,
    /// What the hosts or systems concerned do for care.
    pub care_roles: BTreeSet<CareRole>,
    /// Why it is said.
    pub reason: Reason,
}

/// Why a rule says what it says, as data: [`super::explain()`] puts it into words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// Files changed in bulk.
    MassChange {
        /// Label of the watched root.
        root: Option<String>,
        /// Files harmed, by the latest word.
        files: u64,
        /// The evidence of the latest word: running totals of the burst.
        totals: event::MassChange,
        /// When it stopped, if it has.
        ended_at: Option<Timestamp>,
    },
    /// A target does not answer.
    Outage {
        /// What is being watched.
        target: Target,
        /// What it was doing by the latest word.
        state: OutageState,
        /// The worst that was seen of it.
        worst: Worst,
        /// Since when, corrected.
        since: Timestamp,
        /// When it was last seen well, corrected.
        last_good: Option<Timestamp>,
        /// When it came back, if it has.
        recovered_at: Option<Timestamp>,
        /// What the sensor saw.
        detail: String,
    },
    /// A mass change stands beside the loss of systems.
    RansomwareImpact {
        /// The host whose files changed.
        host: HostId,
        /// Files harmed there.
        files: u64,
        /// What was lost near it, in order of time.
        impacts: Vec<Impact>,
    },
    /// The same mass change stands on other hosts.
    Spreading {
        /// The host this one speaks about.
        host: HostId,
        /// Where else.
        others: BTreeSet<HostId>,
        /// New suffixes both sides have.
        shared_suffixes: BTreeSet<String>,
    },
    /// A host stopped reporting.
    SilentHost {
        /// Its last sign of life.
        last_heard_at: Timestamp,
        /// Whether it said that it would stop.
        stop: Stop,
        /// When it was heard again, if it was.
        returned_at: Option<Timestamp>,
        /// The maintenance that was announced for that time.
        #[serde(default)]
        maintenance: Option<Window>,
    },
    /// Two agents number records with one identity.
    Fork {
        /// The stream both continue.
        stream: StreamId,
        /// The first number both used.
        first: Sequence,
        /// How many numbers both used.
        count: u64,
    },
    /// Something was not seen.
    Loss {
        /// What lost it.
        what: LossKind,
        /// How many, where that can be told.
        count: Option<u64>,
        /// Particulars.
        detail: String,
    },
    /// A newer agent tells of something this version does not know.
    Unread {
        /// The kind it named.
        kind: String,
        /// How many records.
        count: u64,
    },
    /// Somebody prepares or accompanies an attack.
    Intrusion {
        /// The latest word about it.
        evidence: event::Anomaly,
        /// When it was over, if it is.
        ended_at: Option<Timestamp>,
    },
    /// A host runs out of something.
    Pressure {
        /// Of what.
        evidence: event::Pressure,
    },
    /// A person noticed something.
    Sighting {
        /// What, as it was entered.
        sighting: Sighting,
    },
}

impl Reason {
    /// Keeps of an earlier reason what a shorter look back no longer sees.
    fn after(mut self, earlier: &Self) -> Self {
        if let (Self::MassChange { totals, .. }, Self::MassChange { totals: earlier, .. }) =
            (&mut self, earlier)
        {
            for (suffix, count) in &earlier.suffixes {
                totals.suffixes.entry(suffix.clone()).or_insert(*count);
            }
        }
        if let (
            Self::Outage { worst, since, .. },
            Self::Outage { worst: earlier_worst, since: earlier_since, .. },
        ) = (&mut self, earlier)
        {
            *worst = (*worst).max(*earlier_worst);
            *since = (*since).min(*earlier_since);
        }
        self
    }

    /// Keeps what was known of a stop: a run that saw no word of the agent has nothing to say about it.
    fn with_stop_of(mut self, earlier: &Self) -> Self {
        if let (Self::SilentHost { stop, .. }, Self::SilentHost { stop: known, .. }) =
            (&mut self, earlier)
        {
            *stop = *known;
        }
        self
    }
}

/// The worst that was seen of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worst {
    /// Only its recovery has arrived yet.
    Unknown,
    /// It went up and down.
    Flapping,
    /// It was down for longer than its grace.
    Down,
}

/// Whether a silent host said that it would stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stop", rename_all = "snake_case")]
pub enum Stop {
    /// It fell silent without a word.
    Unannounced,
    /// Its agent was asked to stop.
    Announced {
        /// When, corrected.
        at: Timestamp,
        /// For what, in the words of its system.
        #[serde(default)]
        cause: StopCause,
    },
}

/// A loss of something care stands on, near a mass change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Impact {
    /// Since when.
    pub first_at: Timestamp,
    /// The conclusion that tells it.
    pub natural_key: NaturalKey,
    /// On which host.
    pub host: HostId,
    /// What was lost: a target's name, or `None` when the host itself fell silent.
    pub target: Option<String>,
}

impl Conclusion {
    /// Returns its span on the collector's time line.
    #[must_use]
    pub const fn span(&self) -> Span {
        Span { first: self.first_at, last: self.last_at }
    }

    /// Takes in what a later run says of the same story. Nothing that was known is lost by it.
    ///
    /// The newer run may have looked back less far; so sets are united, the span widens, the severity only rises.
    /// The reason is the newer one unless it tells of an earlier moment.
    pub fn absorb(&mut self, newer: Self) {
        if self.last_at <= newer.last_at {
            self.rule = newer.rule;
            self.reason = if newer.records.is_empty() {
                newer.reason.after(&self.reason).with_stop_of(&self.reason)
            } else {
                newer.reason.after(&self.reason)
            };
        }
        self.severity = self.severity.max(newer.severity);
        self.hosts.extend(newer.hosts);
        self.records.extend(newer.records);
        self.parts.extend(newer.parts);
        self.sources.extend(newer.sources);
        self.care_roles.extend(newer.care_roles);
        self.first_at = self.first_at.min(newer.first_at);
        self.last_at = self.last_at.max(newer.last_at);
    }
}

/// From a first to a last moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}

impl Span {
    /// Whether two spans overlap or lie at most `window` apart.
    #[must_use]
    pub fn is_near(self, other: Self, window: jiff::SignedDuration) -> bool {
        self.first.duration_since(other.last) <= window
            && other.first.duration_since(self.last) <= window
    }
}
