//! What was done to an incident, as its timeline keeps it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::event::Severity;
use shirase_shared::ids::{IncidentId, UserId};

use super::{EmergencyStep, Moment, StepOutcome};
use crate::correlate::{NaturalKey, Rule};

/// Something done to an incident, by the machine or by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The machine opened it.
    Opened {
        /// What named it.
        rule: Rule,
        /// How much it mattered then.
        severity: Severity,
    },
    /// The machine added a conclusion.
    Concluded {
        /// Which.
        natural_key: NaturalKey,
        /// Who said so.
        rule: Rule,
        /// How much it matters.
        severity: Severity,
    },
    /// A conclusion matters more than before.
    Grew {
        /// Which.
        natural_key: NaturalKey,
        /// Who says so.
        rule: Rule,
        /// How much it matters now.
        severity: Severity,
    },
    /// The incident matters more than before.
    Raised {
        /// How much it mattered.
        from: Severity,
        /// How much it matters now.
        to: Severity,
        /// What names it now.
        rule: Rule,
    },
    /// Another incident turned out to be the same story and became a part of this one.
    TookIn {
        /// Which.
        incident: IncidentId,
        /// Its number.
        number: u64,
    },
    /// It turned out to be a part of another story.
    BecamePart {
        /// Of which.
        incident: IncidentId,
        /// Its number.
        number: u64,
    },
    /// A person took it up.
    Acknowledged,
    /// A person wrote something down.
    Commented {
        /// What.
        text: String,
    },
    /// A person said that it is over.
    Closed {
        /// What was done.
        text: String,
    },
    /// A person said that it was nothing.
    FalseAlarm {
        /// Why.
        reason: String,
    },
    /// A person opened it again.
    Reopened {
        /// Why.
        reason: String,
    },
    /// A person called the maintenance company.
    VendorCalled {
        /// Whom.
        whom: String,
        /// Under which number.
        number: String,
        /// When, as that person says.
        called_at: Timestamp,
    },
    /// A person took an emergency step, or said why not.
    StepTaken {
        /// Which.
        step: EmergencyStep,
        /// What became of it.
        outcome: StepOutcome,
        /// When, as that person says.
        at: Timestamp,
        /// How, or why not.
        text: String,
    },
    /// A person recorded a moment from which duties run.
    Noted {
        /// Which.
        moment: Moment,
        /// When it was, as that person says.
        at: Timestamp,
        /// What was said about it.
        text: String,
    },
}

/// A call to the maintenance company, as somebody noted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorCall<'a> {
    /// Who was called.
    pub whom: &'a str,
    /// Under which number.
    pub number: &'a str,
    /// When, as that person says.
    pub called_at: Timestamp,
}

impl Entry {
    /// Returns the call to the maintenance company, if it tells of one.
    #[must_use]
    pub fn vendor_call(&self) -> Option<VendorCall<'_>> {
        match self {
            Self::VendorCalled { whom, number, called_at } => {
                Some(VendorCall { whom, number, called_at: *called_at })
            }
            Self::Opened { .. }
            | Self::Concluded { .. }
            | Self::Grew { .. }
            | Self::Raised { .. }
            | Self::TookIn { .. }
            | Self::BecamePart { .. }
            | Self::Acknowledged
            | Self::Commented { .. }
            | Self::Closed { .. }
            | Self::FalseAlarm { .. }
            | Self::Reopened { .. }
            | Self::StepTaken { .. }
            | Self::Noted { .. } => None,
        }
    }
}

/// An entry with its place in the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredEntry {
    /// The incident it was written for: this one, or one that became a part of it.
    pub incident: IncidentId,
    /// Its number within the incident, from 1.
    pub entry: u64,
    /// When it was written down.
    pub at: Timestamp,
    /// By whom; `None` is the machine.
    pub who: Option<UserId>,
    /// What was done.
    pub what: Entry,
}
