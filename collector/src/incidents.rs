//! Conclusions that tell one story, and what people decide about it.
//!
//! ```text
//! conclusions ─▶ assembler ─▶ Change (open, attach, raise, merge) ─▶ Incident ◀─ Act (acknowledge, close …) ◀─ a person
//!                                                                       └─▶ timeline
//! ```
//!
//! Always holds:
//! - the machine opens, extends, raises and joins incidents; it never closes one, and silence changes nothing;
//! - what a person decided stays: a closed incident keeps its conclusions and is not opened again by more of the same;
//! - everything done to an incident is an entry of its timeline, with who and when.
//!
//! Not here: what the records mean (see `correlate`), and which answers a report gives (see `reports`).

mod act;
pub mod assembler;
mod entry;
mod moment;
mod reportable;
mod step;
pub mod timeline;

pub use act::{Act, ActError};
pub use entry::{Entry, StoredEntry, VendorCall};
pub use moment::{Known, Moment, Moments};
pub use reportable::{Ground, Reportable, is_reportable};
pub use step::{EmergencyStep, StepOutcome, StepTaken, step_states, steps_taken};
pub use timeline::{ItemKind, TimelineItem, timeline};

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::event::Severity;
use shirase_shared::ids::{CaseId, DrillId, FacilityId, HostId, IncidentId};

use crate::correlate::{Conclusion, Reason, Rule};
use crate::facilities::CareRole;
use crate::reports::profile::ReportedBy;

/// Alerts that tell one story.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    /// Where.
    pub facility: FacilityId,
    /// Its identity.
    pub id: IncidentId,
    /// Its number within the facility, from 1: what people say on the telephone.
    pub number: u64,
    /// Where it stands.
    pub status: Status,
    /// The highest severity of its conclusions while it was open.
    pub severity: Severity,
    /// The rule of its weightiest conclusion: names the incident.
    pub rule: Rule,
    /// Set when all of it was made by a drill.
    pub drill: Option<DrillId>,
    /// Corrected time of the first change.
    pub first_at: Timestamp,
    /// When the collector opened it.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The incident it became a part of.
    pub merged_into: Option<IncidentId>,
    /// What it stands on, by natural key. Empty once it was merged.
    pub conclusions: Vec<Conclusion>,
}

impl Incident {
    /// Returns the hosts concerned.
    #[must_use]
    pub fn hosts(&self) -> BTreeSet<HostId> {
        self.conclusions
            .iter()
            .flat_map(|conclusion| conclusion.hosts.iter().copied())
            .collect()
    }

    /// Returns what the hosts and systems concerned do for care.
    #[must_use]
    pub fn care_roles(&self) -> BTreeSet<CareRole> {
        self.conclusions
            .iter()
            .flat_map(|c| c.care_roles.iter().copied())
            .collect()
    }

    /// Returns the municipality's case it stands for, if it does.
    #[must_use]
    pub fn case(&self) -> Option<CaseId> {
        self.conclusions
            .iter()
            .find_map(|conclusion| match &conclusion.reason {
                Reason::Sighting { sighting } => sighting.case,
                Reason::MassChange { .. }
                | Reason::Outage { .. }
                | Reason::RansomwareImpact { .. }
                | Reason::Spreading { .. }
                | Reason::SilentHost { .. }
                | Reason::Fork { .. }
                | Reason::Loss { .. }
                | Reason::Unread { .. }
                | Reason::Intrusion { .. }
                | Reason::Pressure { .. } => None,
            })
    }

    /// Returns who reports it: the institution itself, or a municipality that heard of it.
    #[must_use]
    pub fn reported_by(&self) -> ReportedBy {
        match self.case() {
            Some(_) => ReportedBy::Municipality,
            None => ReportedBy::Institution,
        }
    }

    /// Returns the conclusion that names the incident: the weightiest, of equal ones the earliest.
    #[must_use]
    pub fn headline(&self) -> Option<&Conclusion> {
        assembler::weightiest(self.conclusions.iter())
    }

    /// Decides whether a report could be due. A false alarm or a merged incident never has one.
    #[must_use]
    pub fn is_reportable(&self) -> Reportable {
        match self.status {
            Status::Open | Status::Acknowledged | Status::Closed => {
                is_reportable(&self.conclusions)
            }
            Status::FalseAlarm | Status::Merged => Reportable::No,
        }
    }
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has taken it up yet.
    Open,
    /// A person has.
    Acknowledged,
    /// A person said that it is over.
    Closed,
    /// A person said that it was nothing, and why.
    FalseAlarm,
    /// It became a part of another.
    Merged,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Acknowledged, Self::Closed, Self::FalseAlarm, Self::Merged];

    /// Returns the name used in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
            Self::FalseAlarm => "false_alarm",
            Self::Merged => "merged",
        }
    }

    /// Returns the key of its name in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Open => "incident-status-open",
            Self::Acknowledged => "incident-status-acknowledged",
            Self::Closed => "incident-status-closed",
            Self::FalseAlarm => "incident-status-false-alarm",
            Self::Merged => "incident-status-merged",
        }
    }

    /// Whether somebody still has to do something about it.
    #[must_use]
    pub const fn is_live(self) -> bool {
        match self {
            Self::Open | Self::Acknowledged => true,
            Self::Closed | Self::FalseAlarm | Self::Merged => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no status.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a status of an incident; use open, acknowledged, closed, false_alarm or merged"
)]
pub struct UnknownStatus(String);

impl std::str::FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| UnknownStatus(text.chars().take(80).collect()))
    }
}
