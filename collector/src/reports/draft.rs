//! Fills a report without anyone typing: from master data, from what hosts told, from what people did.
//!
//! ```text
//! facility, hosts, incident with its conclusions, records, entries ─▶ Facts ─▶ one answer a field
//! ```
//!
//! Always holds:
//! - pure: no I/O and no clock, so the same input gives the same answers;
//! - 推定 names its evidence; what only people can know is 調査中 or 不明, with a suggestion in words at most;
//! - hosts are named, files, paths and people's comments are not.
//!
//! Not here: which of these answers take effect (see `store::reports`: a person's answer stays).

mod answers;
mod case;
mod facts;
mod impact;
mod registered;
mod sighting;
mod story;
mod technical;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{HostId, UserId};

use super::answer::Answer;
use super::fields::Field;
use crate::facilities::{Facility, Host};
use crate::incidents::{Incident, StoredEntry};
use crate::locale::Locale;
use crate::records::SeenRecord;

pub use case::{CameReport, CaseStory};

/// Everything a draft is made of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The institution.
    pub facility: &'a Facility,
    /// Its hosts.
    pub hosts: &'a [Host],
    /// The incident with its conclusions.
    pub incident: &'a Incident,
    /// The records it stands on.
    pub records: &'a [SeenRecord],
    /// What was done to it.
    pub entries: &'a [StoredEntry],
    /// Maintenance windows that were ordered.
    pub windows: &'a [Window],
    /// The municipality's case it stands for; none where an institution reports about itself.
    pub case: Option<&'a CaseStory<'a>>,
    /// Names of the people who did something.
    pub users: &'a BTreeMap<UserId, String>,
    /// The moment it is made.
    pub as_of: Timestamp,
}

/// A time in which mass work was expected on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// On which host.
    pub host: HostId,
    /// From when.
    pub from: Timestamp,
    /// Until when, as it was ordered.
    pub until: Timestamp,
}

/// Returns the machine's answer to every field it can tell something about.
#[must_use]
pub fn draft(input: &Input<'_>, locale: Locale) -> BTreeMap<Field, Answer> {
    let facts = facts::Facts::of(input);
    let maker = answers::Maker { input, facts: &facts, locale };
    Field::ALL
        .iter()
        .filter_map(|&field| {
            let answer = match input.case {
                Some(story) => maker.of_case(story, field),
                None => maker.answer(field),
            };
            Some((field, answer?))
        })
        .collect()
}
