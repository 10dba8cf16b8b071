//! Whom to call first.

use std::collections::BTreeSet;

use crate::facilities::{CareRole, Master, Vendor};
use crate::incidents::StoredEntry;
use crate::locale::{Locale, japan_time};

/// The first step on every suspicion: the maintenance company is called at once.
pub struct FirstStep {
    /// Whom to call, the best match first.
    pub vendors: Vec<VendorCall>,
    /// Calls made so far, in words.
    pub calls: Vec<String>,
}

/// A company to call.
pub struct VendorCall {
    /// Company and person.
    pub whom: String,
    /// What it maintains.
    pub system: String,
    /// The number to call first: the one that answers at night.
    pub number: String,
    /// The number for working hours, if it is another.
    pub day_number: String,
}

impl FirstStep {
    /// Finds whom to call: the companies that maintain what is concerned, or all of them while that is not known.
    #[must_use]
    pub fn of(
        roles: &BTreeSet<CareRole>,
        master: &Master,
        entries: &[StoredEntry],
        locale: Locale,
    ) -> Self {
        let matching = master
            .vendors
            .iter()
            .any(|vendor| roles.contains(&vendor.system));
        let fits = |vendor: &&Vendor| !matching || roles.contains(&vendor.system);
        let call = |vendor: &Vendor| {
            let night = !vendor.phone_24h.is_empty();
            let number = if night { &vendor.phone_24h } else { &vendor.phone };
            let day = if night { vendor.phone.clone() } else { String::new() };
            VendorCall {
                whom: format!("{} {}", vendor.company, vendor.person)
                    .trim()
                    .to_owned(),
                system: locale.text(vendor.system.label_key()),
                number: number.clone(),
                day_number: day,
            }
        };
        let called = |entry: &StoredEntry| {
            let call = entry.what.vendor_call()?;
            let time = japan_time(call.called_at);
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("time", &time), ("whom", &call.whom), ("number", &call.number)];
            Some(locale.text_with("step-called", &values))
        };
        Self {
            vendors: master.vendors.iter().filter(fits).map(call).collect(),
            calls: entries.iter().filter_map(called).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_company_of_the_system_concerned_is_called_and_its_night_number_first() {
        let vendor = |system, company: &str, phone: &str, night: &str| Vendor {
            system,
            company: company.to_owned(),
            person: String::new(),
            phone: phone.to_owned(),
            phone_24h: night.to_owned(),
            mail: String::new(),
        };
        let master = Master {
            vendors: vec![
                vendor(CareRole::Pacs, "画像社", "03", ""),
                vendor(CareRole::Ehr, "電カル社", "05", "0120"),
            ],
            ..Master::default()
        };
        let whom = |roles: &[CareRole]| {
            let roles = roles.iter().copied().collect();
            let step = FirstStep::of(&roles, &master, &[], Locale::default());
            step.vendors
                .into_iter()
                .map(|v| format!("{} {}", v.whom, v.number))
                .collect::<Vec<_>>()
        };
        assert_eq!(whom(&[CareRole::Ehr]), ["電カル社 0120"]);
        assert_eq!(whom(&[CareRole::Lab]), ["画像社 03", "電カル社 0120"]);
    }
}
