//! Contacts taken over from a facility's master data, which people fill in first.

use jiff::civil::Date;

use super::kind::{Column, ContactKind, StaffDuty};
use super::reading::{Entry, read};
use super::table::plan;
use super::{Contact, Filled, Flaw, Line, Plan};
use crate::facilities::{Duty, Master};

/// What the master data gives the book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Contacts the book does not have.
    pub new: Vec<Plan>,
    /// Names of those whose numbers and addresses cannot be read.
    pub left_out: Vec<String>,
}

/// Returns the people and companies of the master data that the book does not have, as unverified contacts.
///
/// A number that does not read goes into the note, so that a person can put it right.
#[must_use]
pub fn from_master(master: &Master, known: &[Contact], today: Date) -> TakenOver {
    let mut taken = TakenOver::default();
    for (name, filled) in people(master).chain(companies(master)) {
        match read(&filled, today).or_else(|flaws| read(&noted(filled, &flaws), today)) {
            Ok(entry) => taken.new.extend(missing(entry, known, today)),
            Err(_) => taken.left_out.push(name),
        }
    }
    taken
}

fn people(master: &Master) -> impl Iterator<Item = (String, Filled)> {
    let named = master
        .people
        .iter()
        .filter(|person| !person.name.is_empty());
    named.map(|person| {
        let duty = match person.duty {
            Duty::Director => StaffDuty::Director,
            Duty::SafetyManager => StaffDuty::SafetyManager,
            Duty::Contact => StaffDuty::LiaisonOfficer,
        };
        let cells = [
            (Column::Kind, ContactKind::Staff.as_str()),
            (Column::Duty, duty.as_str()),
            (Column::Person, &person.name),
            (Column::Phone, &person.phone),
            (Column::NightPhone, &person.phone_24h),
            (Column::Mail, &person.mail),
        ];
        (person.name.clone(), cells.map(|(column, text)| (column, text.to_owned())).into())
    })
}

fn companies(master: &Master) -> impl Iterator<Item = (String, Filled)> {
    master.vendors.iter().map(|vendor| {
        let cells = [
            (Column::Kind, ContactKind::Vendor.as_str()),
            (Column::System, vendor.system.as_str()),
            (Column::Organisation, &vendor.company),
            (Column::Person, &vendor.person),
            (Column::Phone, &vendor.phone),
            (Column::NightPhone, &vendor.phone_24h),
            (Column::Mail, &vendor.mail),
        ];
        (vendor.company.clone(), cells.map(|(column, text)| (column, text.to_owned())).into())
    })
}

/// Moves what does not read into the note.
fn noted(mut filled: Filled, flaws: &[Flaw]) -> Filled {
    let mut note = Vec::new();
    for flaw in flaws {
        if let Some(text) = filled.remove(&flaw.column) {
            note.push(text);
        }
    }
    filled.insert(Column::Note, note.join(" / "));
    filled
}

fn missing(entry: Entry, known: &[Contact], today: Date) -> Option<Plan> {
    let cells = super::reading::texts(&entry.details, entry.verified.as_ref());
    let line = Line { number: 1, filled: cells };
    let planned = plan(&[line], known, today).ok()?;
    planned
        .into_iter()
        .find(|plan| matches!(plan, Plan::Add(_)))
}
