//! The book as a table: CSV for Excel out, CSV of Excel in.
//!
//! Always holds:
//! - what was exported reads back to the same contacts; no cell begins like a formula;
//! - every fault is told with its line and its column, and nothing is taken in while there is one;
//! - a line without an id that names a contact of the book is that contact, so that a list kept elsewhere can be read
//!   again and again.

use jiff::civil::Date;
use shirase_shared::ids::ContactId;

use super::kind::{Column, ContactKind, StaffDuty};
use super::reading::{filled, read};
use super::{Contact, Details, Fault, FaultKind, Flaw, FlawKind, Line, Plan};
use crate::facilities::CareRole;
use crate::locale::Locale;
use crate::tables::{cells, plan_lines, write_table};

/// Writes the book as CSV, headed and filled in the words of one language.
#[must_use]
pub fn to_table(contacts: &[Contact], locale: Locale) -> Vec<u8> {
    let in_words = |column, text: &str| in_words(column, text, locale);
    write_table(contacts.iter().map(filled), in_words, locale)
}

/// Returns a cell's text as people read it: the label of a choice instead of its code.
fn in_words(column: Column, text: &str, locale: Locale) -> String {
    let key = match column {
        Column::Kind => ContactKind::parse(text).map(ContactKind::label_key),
        Column::Duty | Column::Caller => StaffDuty::parse(text).map(StaffDuty::label_key),
        Column::System => text.parse().ok().map(CareRole::label_key),
        Column::DrillPartner if text == "yes" => Some("contact-yes"),
        Column::DrillPartner => Some("contact-no"),
        Column::Id
        | Column::Organisation
        | Column::Department
        | Column::Person
        | Column::Phone
        | Column::NightPhone
        | Column::Fax
        | Column::Mail
        | Column::Web
        | Column::Hours
        | Column::Note
        | Column::Place
        | Column::ValidFrom
        | Column::ValidTo
        | Column::VerifiedOn
        | Column::VerifiedBy => None,
    };
    key.map_or_else(|| text.to_owned(), |key| locale.text(key))
}

/// Decides what each line comes to.
///
/// # Errors
/// Every fault of every line; none of them is to be stored then.
pub fn plan(lines: &[Line], known: &[Contact], today: Date) -> Result<Vec<Plan>, Vec<Fault>> {
    let key = |plan: &Plan| match plan {
        Plan::Add(_) => None,
        Plan::Change(id, _) | Plan::Same(id) => Some(id.to_string()),
    };
    plan_lines(lines, |line| planned(line, known, today), key)
}

fn planned(line: &Line, known: &[Contact], today: Date) -> Result<Plan, Vec<FaultKind>> {
    let said = line.filled.get(&Column::Id).map_or("", |text| text.trim());
    let named = if said.is_empty() {
        let entry = read(&line.filled, today).map_err(cells)?;
        match the_one(&entry.details, known, today) {
            Some(contact) => contact,
            None => return Ok(Plan::Add(entry)),
        }
    } else {
        let id: ContactId = said.parse().map_err(|_| {
            let said = said.chars().take(60).collect();
            let flaw = Flaw { column: Column::Id, kind: FlawKind::Id, said };
            cells(vec![flaw])
        })?;
        let found = known.iter().find(|contact| contact.id == id);
        found.ok_or_else(|| vec![FaultKind::UnknownId])?
    };
    // What the table has no column for stays as it is.
    let mut whole = filled(named);
    whole.extend(line.filled.clone());
    let entry = read(&whole, today).map_err(cells)?;
    let verified = named.verification_after(&entry.details, entry.verified.clone());
    if entry.details == named.details && verified == named.verified {
        return Ok(Plan::Same(named.id));
    }

    Ok(Plan::Change(named.id, entry))
}

/// Returns the one contact in force with the same name and task, if there is exactly one.
fn the_one<'a>(details: &Details, known: &'a [Contact], today: Date) -> Option<&'a Contact> {
    let mut same = known.iter().filter(|contact| {
        let it = &contact.details;
        contact.is_in_force(today)
            && (it.kind, it.duty, it.system) == (details.kind, details.duty, details.system)
            && it.name() == details.name()
    });
    same.next().filter(|_| same.next().is_none())
}
