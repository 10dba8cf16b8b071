//! The moments from which duties and deadlines run, as named persons recorded them.
//!
//! Always holds: what the agents saw and what the institution knew are two moments; the latest word of a person about a
//! moment counts, and every earlier one stays in the timeline.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::UserId;

use super::{Entry, Incident, StoredEntry};

/// A moment that matters to the law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Somebody suspected an attack.
    Suspected,
    /// The institution knew: when any department did.
    Aware,
    /// The institution judged that the threshold of a duty is reached.
    Judged,
    /// The municipality asked for a report.
    Requested,
}

impl Moment {
    /// Every moment, in the usual order of time.
    pub const ALL: [Self; 4] = [Self::Suspected, Self::Aware, Self::Judged, Self::Requested];

    /// Returns the name used in JSON and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Aware => "aware",
            Self::Judged => "judged",
            Self::Requested => "requested",
        }
    }

    /// Returns the key of its name in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Suspected => "moment-suspected",
            Self::Aware => "moment-aware",
            Self::Judged => "moment-judged",
            Self::Requested => "moment-requested",
        }
    }

    /// Reads the name used in forms.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.as_str() == name)
    }
}

/// A moment as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// When it was.
    pub at: Timestamp,
    /// Who recorded it; `None` while it only follows from what was seen and done.
    pub by: Option<UserId>,
}

/// The moments of one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moments {
    /// When the agents' alert was there to be seen: a candidate for every other.
    pub alerted: Timestamp,
    /// When somebody took the incident up.
    pub taken_up: Option<Timestamp>,
    /// What persons recorded.
    pub recorded: BTreeMap<Moment, Known>,
}

impl Moments {
    /// Gathers the moments of an incident from what was done to it.
    #[must_use]
    pub fn of(incident: &Incident, entries: &[StoredEntry]) -> Self {
        let mut recorded = BTreeMap::new();
        let mut taken_up = None;
        for entry in entries {
            match &entry.what {
                Entry::Noted { moment, at, .. } => {
                    recorded.insert(*moment, Known { at: *at, by: entry.who });
                }
                Entry::Acknowledged => {
                    taken_up = taken_up.or(Some(entry.at));
                }
                Entry::Opened { .. }
                | Entry::Concluded { .. }
                | Entry::Grew { .. }
                | Entry::Raised { .. }
                | Entry::TookIn { .. }
                | Entry::BecamePart { .. }
                | Entry::Commented { .. }
                | Entry::Closed { .. }
                | Entry::FalseAlarm { .. }
                | Entry::Reopened { .. }
                | Entry::VendorCalled { .. }
                | Entry::StepTaken { .. } => {}
            }
        }
        Self { alerted: incident.opened_at, taken_up, recorded }
    }

    /// Returns a moment: what a person recorded, or while nobody did the earliest it can have been.
    ///
    /// Suspicion and knowledge are assumed from the alert on: warnings come too early rather than too late. A judgement
    /// and a request are never assumed.
    #[must_use]
    pub fn known(&self, moment: Moment) -> Option<Known> {
        if let Some(known) = self.recorded.get(&moment) {
            return Some(*known);
        }
        match moment {
            Moment::Suspected | Moment::Aware => Some(Known { at: self.alerted, by: None }),
            Moment::Judged | Moment::Requested => None,
        }
    }
}
