//! The address book of a facility: whom to call in an emergency, by day and by night, and when somebody last made sure.
//!
//! ```text
//! page ─┐
//! CSV  ─┼─▶ reading (texts → Entry, or every flaw by its column) ─▶ store ─▶ chart (who calls whom, in what order)
//! args ─┘                                                             │
//!                                                        every version is kept
//! ```
//!
//! Always holds:
//! - a changed contact keeps its earlier versions with who and when; retiring ends it and forgets nothing;
//! - a contact whose number or address changed is unverified until somebody makes sure of the new one;
//! - nobody's word lasts longer than [`VERIFIED_YEARS`]: then the contact is flagged everywhere it is shown.
//!
//! Not here: SQL (see `store::contacts`), pages (see `console`).

mod kind;
mod reading;
mod table;
mod vendors;
mod master;
mod chart;
mod sheet;

use std::cmp::Ordering;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{ContactId, FacilityId};

use crate::audit::Actor;
use crate::facilities::CareRole;

pub use chart::{Call, Chart, Gap, Group, Office, Step, offices};
pub use kind::{Column, ContactKind, StaffDuty};
pub use master::{TakenOver, from_master};
pub use reading::{Entry, filled, read, read_verification};
pub use sheet::{ChartGroup, ChartLine, ChartSheet, ChartStep, gap_words};
pub use table::{plan, to_table};
pub use vendors::vendors;

pub use crate::tables::{FlawKind, parse_table};

/// The texts a contact is read from. A column that is absent is empty.
pub type Filled = crate::tables::Filled<Column>;
/// What is wrong with one column.
pub type Flaw = crate::tables::Flaw<Column>;
/// One line of the book's table, not read yet.
pub type Line = crate::tables::Line<Column>;
/// Something wrong with the book's table.
pub type Fault = crate::tables::Fault<Column>;
/// Kinds of fault.
pub type FaultKind = crate::tables::FaultKind<Column>;
/// What a line of the book's table comes to.
pub type Plan = crate::tables::Plan<ContactId, Entry>;

/// For how many years a verification counts.
pub const VERIFIED_YEARS: i32 = 1;

/// What is known of a contact. An empty text means that nobody entered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Who is called.
    pub kind: ContactKind,
    /// What a member of staff answers for; of others nothing.
    #[serde(default)]
    pub duty: Option<StaffDuty>,
    /// The system a company maintains, if it is one for a certain system.
    #[serde(default)]
    pub system: Option<CareRole>,
    /// Company, authority or the hospital itself.
    #[serde(default)]
    pub organisation: String,
    /// Part of it.
    #[serde(default)]
    pub department: String,
    /// Name of a person.
    #[serde(default)]
    pub person: String,
    /// Telephone by day.
    #[serde(default)]
    pub phone: String,
    /// Telephone at night and on holidays.
    #[serde(default)]
    pub night_phone: String,
    /// Fax.
    #[serde(default)]
    pub fax: String,
    /// Mail address.
    #[serde(default)]
    pub mail: String,
    /// Page with a form that takes what is to be told.
    #[serde(default)]
    pub web: String,
    /// When somebody answers, in words.
    #[serde(default)]
    pub hours: String,
    /// Anything else, such as the contract's number.
    #[serde(default)]
    pub note: String,
    /// Whose task the call is, where it is not the usual one.
    #[serde(default)]
    pub caller: Option<StaffDuty>,
    /// Place among its like, from 1; those without one come after.
    #[serde(default)]
    pub place: Option<u16>,
    /// Whether it agreed to take part in drills: a drill's report goes to nobody else.
    #[serde(default)]
    pub drill_partner: bool,
    /// The first day it counts.
    pub valid_from: Date,
    /// The last day it counts; open while absent.
    #[serde(default)]
    pub valid_to: Option<Date>,
}

impl Details {
    /// Returns what a verification vouches for: who it is and how to reach them.
    fn vouched(&self) -> [&str; 9] {
        let Self { organisation, department, person, phone, night_phone, fax, mail, .. } = self;
        let Self { web, hours, .. } = self;
        [organisation, department, person, phone, night_phone, fax, mail, web, hours]
    }

    /// Returns the name to call it by: organisation, department, person, as far as there are any.
    #[must_use]
    pub fn name(&self) -> String {
        let parts = [&self.organisation, &self.department, &self.person];
        let parts: Vec<&str> = parts
            .iter()
            .map(|part| part.as_str())
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(" ")
    }

    /// Returns whose task the call is.
    #[must_use]
    pub fn caller(&self) -> StaffDuty {
        self.caller.unwrap_or(self.kind.usual_caller())
    }

    /// Whether it counts on a day.
    #[must_use]
    pub fn counts_on(&self, day: Date) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|last| day <= last)
    }

    /// Orders contacts as the book shows them: by kind, duty, place, name.
    #[must_use]
    pub fn before(&self, other: &Self) -> Ordering {
        let key = |one: &Self| {
            (one.kind, one.duty, one.place.unwrap_or(u16::MAX), one.system, one.name())
        };
        key(self).cmp(&key(other))
    }
}

/// Who made sure of a contact, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The day.
    pub on: Date,
    /// The person, by name: it can be one who never signs in here.
    pub by: String,
}

/// What made a version of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactAct {
    /// It was entered.
    Added,
    /// Something about it was changed.
    Changed,
    /// Somebody made sure of it.
    Verified,
    /// It was taken out of use.
    Retired,
}

impl ContactAct {
    /// Every act.
    pub const ALL: [Self; 4] = [Self::Added, Self::Changed, Self::Verified, Self::Retired];

    /// Returns the name used in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Verified => "verified",
            Self::Retired => "retired",
        }
    }

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Added => "contact-act-added",
            Self::Changed => "contact-act-changed",
            Self::Verified => "contact-act-verified",
            Self::Retired => "contact-act-retired",
        }
    }

    /// Returns what the audit log calls it.
    #[must_use]
    pub const fn audit_action(self) -> &'static str {
        match self {
            Self::Added => "contact.added",
            Self::Changed => "contact.changed",
            Self::Verified => "contact.verified",
            Self::Retired => "contact.retired",
        }
    }

    /// Reads its name back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == text)
    }
}

/// One version of a contact. The one with the highest revision is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Whose book it stands in.
    pub facility: FacilityId,
    /// Which contact.
    pub id: ContactId,
    /// Its version, from 1.
    pub revision: u32,
    /// What is known of it.
    #[serde(flatten)]
    pub details: Details,
    /// Who made sure of it and when; nobody did while absent.
    pub verified: Option<Verified>,
    /// What made this version.
    pub act: ContactAct,
    /// Who.
    #[serde(serialize_with = "shown")]
    pub set_by: Actor,
    /// When.
    pub set_at: Timestamp,
}

fn shown<S: serde::Serializer>(actor: &Actor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(actor)
}

/// How far a contact can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Somebody made sure within the last year.
    Verified,
    /// Somebody did, more than a year ago.
    Stale,
    /// Nobody did since it was entered or changed.
    Unverified,
    /// It counts from a later day on.
    Ahead,
    /// It counts no longer.
    Retired,
}

impl Standing {
    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Verified => "contact-standing-verified",
            Self::Stale => "contact-standing-stale",
            Self::Unverified => "contact-standing-unverified",
            Self::Ahead => "contact-standing-ahead",
            Self::Retired => "contact-standing-retired",
        }
    }

    /// Whether it can be called.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        match self {
            Self::Verified | Self::Stale | Self::Unverified => true,
            Self::Ahead | Self::Retired => false,
        }
    }

    /// Whether somebody should make sure of it.
    #[must_use]
    pub const fn is_flagged(self) -> bool {
        match self {
            Self::Stale | Self::Unverified => true,
            Self::Verified | Self::Ahead | Self::Retired => false,
        }
    }
}

impl Contact {
    /// Returns how far it can be relied on on a day.
    #[must_use]
    pub fn standing(&self, today: Date) -> Standing {
        let over = self.details.valid_to.is_some_and(|last| last < today);
        if over || self.act == ContactAct::Retired {
            return Standing::Retired;
        }
        if today < self.details.valid_from {
            return Standing::Ahead;
        }
        match &self.verified {
            None => Standing::Unverified,
            Some(verified) if verified.lapses_on() <= today => Standing::Stale,
            Some(_) => Standing::Verified,
        }
    }

    /// Whether it can be called on a day.
    #[must_use]
    pub fn is_in_force(&self, today: Date) -> bool {
        self.standing(today).is_in_force()
    }

    /// Returns the verification that still holds after a change to `details`.
    ///
    /// Somebody's word for an old number is no word for the new one: only a verification given with the change counts.
    #[must_use]
    pub fn verification_after(
        &self,
        details: &Details,
        given: Option<Verified>,
    ) -> Option<Verified> {
        if self.details.vouched() == details.vouched() {
            return given.or_else(|| self.verified.clone());
        }
        given.filter(|given| self.verified.as_ref() != Some(given))
    }
}

impl Verified {
    /// Returns the first day on which it counts no longer.
    #[must_use]
    pub fn lapses_on(&self) -> Date {
        self.on.saturating_add(VERIFIED_YEARS.years())
    }
}

/// Returns the day in Japan.
#[must_use]
pub fn today(now: Timestamp) -> Date {
    crate::locale::japan().to_datetime(now).date()
}

#[cfg(test)]
mod tests;
