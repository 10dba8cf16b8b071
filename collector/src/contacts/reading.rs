//! Reads a contact from texts: those of a form, of a line of a table, or of a command. One reader for all three.
//!
//! Always holds: every flaw is found at once, with its column; what is accepted is stored in one way of writing (numbers
//! and dates in half-width digits).

use jiff::civil::Date;
use shirase_shared::ids::ContactId;

use super::kind::{Column, ContactKind, StaffDuty};
use super::{Contact, Details, Filled, Flaw, FlawKind, Verified};
use crate::facilities::CareRole;
use crate::tables::{Reader, half_width};

/// Highest place among its like.
const PLACE_MAX: u16 = 999;

/// A contact as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which one it is; none for a new one.
    pub id: Option<ContactId>,
    /// What is known of it.
    pub details: Details,
    /// Who made sure of it and when.
    pub verified: Option<Verified>,
}

/// Returns the texts a contact would be read from again.
#[must_use]
pub fn filled(contact: &Contact) -> Filled {
    let mut filled = texts(&contact.details, contact.verified.as_ref());
    filled.insert(Column::Id, contact.id.to_string());
    filled
}

/// Returns the texts of a contact without its id.
pub(super) fn texts(details: &Details, verified: Option<&Verified>) -> Filled {
    let date = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
    let duty = |duty: Option<StaffDuty>| duty.map_or("", StaffDuty::as_str).to_owned();
    let mut filled: Filled = [
        (Column::Organisation, &details.organisation),
        (Column::Department, &details.department),
        (Column::Person, &details.person),
        (Column::Phone, &details.phone),
        (Column::NightPhone, &details.night_phone),
        (Column::Fax, &details.fax),
        (Column::Mail, &details.mail),
        (Column::Web, &details.web),
        (Column::Hours, &details.hours),
        (Column::Note, &details.note),
    ]
    .map(|(column, text)| (column, text.clone()))
    .into();
    filled.extend([
        (Column::Kind, details.kind.to_string()),
        (Column::Duty, duty(details.duty)),
        (Column::System, details.system.map_or("", CareRole::as_str).to_owned()),
        (Column::Caller, duty(details.caller)),
        (
            Column::Place,
            details
                .place
                .map_or_else(String::new, |place| place.to_string()),
        ),
        (Column::DrillPartner, if details.drill_partner { "yes" } else { "no" }.to_owned()),
        (Column::ValidFrom, details.valid_from.to_string()),
        (Column::ValidTo, date(details.valid_to)),
        (Column::VerifiedOn, date(verified.map(|verified| verified.on))),
        (Column::VerifiedBy, verified.map_or("", |verified| &verified.by).to_owned()),
    ]);
    filled
}

/// Reads a contact. An empty first day is `today`.
///
/// # Errors
/// Every flaw, in the order of the columns.
pub fn read(filled: &Filled, today: Date) -> Result<Entry, Vec<Flaw>> {
    let mut reader = Reader::new(filled);
    let id = reader.id(Column::Id);
    let kind = reader.choice(Column::Kind, ContactKind::ALL, kind_of);
    let verified = verified_in(&mut reader, today);
    let valid_from = reader.date(Column::ValidFrom).unwrap_or(today);
    let details = Details {
        kind: kind.unwrap_or(ContactKind::Other),
        duty: reader.choice(Column::Duty, StaffDuty::ALL, duty_of),
        system: reader.choice(Column::System, &CareRole::ALL, system_of),
        organisation: reader.line(Column::Organisation),
        department: reader.line(Column::Department),
        person: reader.line(Column::Person),
        phone: reader.phone(Column::Phone),
        night_phone: reader.phone(Column::NightPhone),
        fax: reader.phone(Column::Fax),
        mail: reader.mail(Column::Mail),
        web: reader.web(Column::Web),
        hours: reader.line(Column::Hours),
        note: reader.note(Column::Note),
        caller: reader.choice(Column::Caller, StaffDuty::ALL, duty_of),
        place: place(&mut reader),
        drill_partner: reader.yes_or_no(Column::DrillPartner),
        valid_from,
        valid_to: reader.date(Column::ValidTo),
    };
    if kind.is_none() && reader.said(Column::Kind).is_empty() {
        reader.flaw(Column::Kind, FlawKind::Missing);
    }
    if kind.is_some() {
        whole(&mut reader, &details);
    }
    let mut flaws = reader.flaws;
    if flaws.is_empty() {
        return Ok(Entry { id, details, verified });
    }
    flaws.sort_by_key(|flaw| flaw.column);

    Err(flaws)
}

/// Reads who made sure of a contact and when; none if neither is given.
///
/// # Errors
/// What is wrong with the day or the name.
pub fn read_verification(filled: &Filled, today: Date) -> Result<Option<Verified>, Vec<Flaw>> {
    let mut reader = Reader::new(filled);
    let verified = verified_in(&mut reader, today);

    if reader.flaws.is_empty() { Ok(verified) } else { Err(reader.flaws) }
}

fn kind_of(kind: ContactKind) -> (&'static str, &'static str) {
    (kind.as_str(), kind.label_key())
}

fn duty_of(duty: StaffDuty) -> (&'static str, &'static str) {
    (duty.as_str(), duty.label_key())
}

fn system_of(system: CareRole) -> (&'static str, &'static str) {
    (system.as_str(), system.label_key())
}

fn place(reader: &mut Reader<'_, Column>) -> Option<u16> {
    let text = half_width(reader.said(Column::Place));
    if text.is_empty() {
        return None;
    }
    let place = text
        .parse()
        .ok()
        .filter(|place| (1..=PLACE_MAX).contains(place));
    if place.is_none() {
        reader.flaw(Column::Place, FlawKind::Place);
    }
    place
}

fn verified_in(reader: &mut Reader<'_, Column>, today: Date) -> Option<Verified> {
    let on = reader.date(Column::VerifiedOn);
    let by = reader.line(Column::VerifiedBy);
    match on {
        Some(on) if today < on => {
            reader.flaw(Column::VerifiedOn, FlawKind::DateAhead);
            None
        }
        Some(_) if by.is_empty() => {
            reader.flaw(Column::VerifiedBy, FlawKind::HalfVerified);
            None
        }
        Some(on) => Some(Verified { on, by }),
        None if !by.is_empty() && reader.said(Column::VerifiedOn).is_empty() => {
            reader.flaw(Column::VerifiedOn, FlawKind::HalfVerified);
            None
        }
        None => None,
    }
}

/// Checks what only the whole shows.
fn whole(reader: &mut Reader<'_, Column>, details: &Details) {
    if details.organisation.is_empty() && details.person.is_empty() {
        let staff = details.kind == ContactKind::Staff;
        let column = if staff { Column::Person } else { Column::Organisation };
        reader.flaw(column, FlawKind::Nameless);
    }
    let Details { phone, night_phone, fax, mail, web, .. } = details;
    let reachable = [phone, night_phone, fax, mail, web];
    let tried = [Column::Phone, Column::NightPhone, Column::Fax, Column::Mail, Column::Web];
    if reachable.iter().all(|text| text.is_empty())
        && tried.iter().all(|column| reader.said(*column).is_empty())
    {
        reader.flaw(Column::Phone, FlawKind::Unreachable);
    }
    let staff = details.kind == ContactKind::Staff;
    if staff && details.duty.is_none() && reader.said(Column::Duty).is_empty() {
        reader.flaw(Column::Duty, FlawKind::DutyMissing);
    }
    if !staff && details.duty.is_some() {
        reader.flaw(Column::Duty, FlawKind::DutyOfOther);
    }
    if details
        .valid_to
        .is_some_and(|last| last < details.valid_from)
    {
        reader.flaw(Column::ValidTo, FlawKind::DateOrder);
    }
}
