//! The companies that maintain a system, as the book and the master data know them together.

use jiff::civil::Date;

use super::{Contact, ContactKind};
use crate::facilities::{CareRole, Master, Vendor};

/// Returns the vendors of the book that are in force; the master data fills in for systems the book has nobody for.
///
/// The book is dated and verified, the master data was typed in once: where both name a company, the book is right.
#[must_use]
pub fn vendors(contacts: &[Contact], master: &Master, today: Date) -> Vec<Vendor> {
    let mut known: Vec<&Contact> = contacts
        .iter()
        .filter(|contact| contact.details.kind == ContactKind::Vendor && contact.is_in_force(today))
        .collect();
    known.sort_by(|a, b| a.details.before(&b.details));
    let known: Vec<Vendor> = known.into_iter().map(vendor).collect();
    let unknown = |typed: &&Vendor| known.iter().all(|one| one.system != typed.system);
    let typed_in: Vec<Vendor> = master.vendors.iter().filter(unknown).cloned().collect();

    [known, typed_in].concat()
}

fn vendor(contact: &Contact) -> Vendor {
    let details = &contact.details;
    Vendor {
        system: details.system.unwrap_or(CareRole::Other),
        company: details.organisation.clone(),
        person: details.person.clone(),
        phone: details.phone.clone(),
        phone_24h: details.night_phone.clone(),
        mail: details.mail.clone(),
    }
}
