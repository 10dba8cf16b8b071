//! Master data of a facility as a form.

use askama::Template;

use super::frame::Frame;
use super::hosts::RoleChoice;
use crate::facilities::{Duty, Facility, FacilityKind, Master, Person, Vendor};
use crate::locale::{Locale, japan_time};

/// Blank rows to add people and vendors in.
const BLANK_ROWS: usize = 2;

/// Master data and alert channels of one facility.
#[derive(Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    /// What stands around it.
    pub f: Frame,
    /// What is known of the institution.
    pub master: Master,
    /// Licensed beds as text.
    pub beds: String,
    /// Kinds to choose from.
    pub kinds: Vec<Choice>,
    /// People, with blank rows.
    pub people: Vec<PersonRow>,
    /// Vendors, with blank rows.
    pub vendors: Vec<VendorRow>,
    /// The version of the data this form was filled from.
    pub version: String,
    /// When it was last changed.
    pub updated: String,
    /// Public key of the damage manifests.
    pub recipient: String,
    /// How staff are told.
    pub channels: Vec<ChannelView>,
    /// What was wrong with what was sent.
    pub problems: Vec<String>,
}

/// One thing to choose.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Name in the form.
    pub code: String,
    /// Words.
    pub text: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// A person with the duties to choose from.
pub struct PersonRow {
    /// The person.
    pub person: Person,
    /// Duties.
    pub duties: Vec<Choice>,
}

/// A vendor with the systems to choose from.
pub struct VendorRow {
    /// The vendor.
    pub vendor: Vendor,
    /// Systems.
    pub systems: Vec<RoleChoice>,
}

/// An alert channel as it is shown.
#[derive(Clone, Debug)]
pub struct ChannelView {
    /// Its name.
    pub id: String,
    /// Key of its kind's words.
    pub kind: String,
    /// Where it leads, as far as it may be shown.
    pub target: String,
    /// From which severity on, in words.
    pub from: String,
    /// What it sent and what waits.
    pub state: String,
    /// Why the last message could not leave.
    pub last_error: String,
}

impl SettingsPage {
    /// Fills the form from a facility.
    #[must_use]
    pub fn of(f: Frame, facility: &Facility, master: Master, channels: Vec<ChannelView>) -> Self {
        let locale = f.locale;
        Self {
            beds: master.beds.map(|beds| beds.to_string()).unwrap_or_default(),
            kinds: kinds(master.kind, locale),
            people: people(&master, locale),
            vendors: vendors(&master, locale),
            version: facility.updated_at.as_millisecond().to_string(),
            updated: japan_time(facility.updated_at),
            recipient: facility.manifest_recipient.clone(),
            master,
            channels,
            problems: Vec::new(),
            f,
        }
    }
}

fn kinds(chosen: FacilityKind, locale: Locale) -> Vec<Choice> {
    let offer = |kind: FacilityKind| Choice {
        code: kind.as_str().to_owned(),
        text: locale.text(kind.label_key()),
        chosen: kind == chosen,
    };
    FacilityKind::ALL.into_iter().map(offer).collect()
}

fn people(master: &Master, locale: Locale) -> Vec<PersonRow> {
    let blank = || Person {
        duty: Duty::Contact,
        name: String::new(),
        phone: String::new(),
        mail: String::new(),
        phone_24h: String::new(),
    };
    let row = |person: Person| {
        let offer = |duty: Duty| Choice {
            code: duty.as_str().to_owned(),
            text: locale.text(duty.label_key()),
            chosen: duty == person.duty,
        };
        PersonRow { duties: Duty::ALL.into_iter().map(offer).collect(), person }
    };
    let blanks = std::iter::repeat_with(blank).take(BLANK_ROWS);
    master
        .people
        .iter()
        .cloned()
        .chain(blanks)
        .map(row)
        .collect()
}

fn vendors(master: &Master, locale: Locale) -> Vec<VendorRow> {
    let blank = || Vendor {
        system: crate::facilities::CareRole::Ehr,
        company: String::new(),
        person: String::new(),
        phone: String::new(),
        phone_24h: String::new(),
        mail: String::new(),
    };
    let row = |vendor: Vendor| VendorRow {
        systems: RoleChoice::all(locale, |role| role == vendor.system),
        vendor,
    };
    let blanks = std::iter::repeat_with(blank).take(BLANK_ROWS);
    master
        .vendors
        .iter()
        .cloned()
        .chain(blanks)
        .map(row)
        .collect()
}
