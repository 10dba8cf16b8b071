//! Addressees from the address book: which entries fit a report, by which way, and how far each can be relied on.
//!
//! Pure. What is chosen is copied into the delivery: what the book says later changes nothing of what was sent.

use jiff::civil::Date;
use shirase_shared::ids::ContactId;

use super::{Addressee, Way};
use crate::contacts::{Contact, ContactKind, Details, Standing, Verified};

/// One of the ways a contact can be reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// By mail.
    Mail,
    /// By telephone in the day.
    Phone,
    /// By telephone at night and on holidays.
    NightPhone,
    /// By fax.
    Fax,
    /// Over its web form.
    Web,
}

impl Line {
    /// Every line, in the order in which a page offers them.
    pub const ALL: [Self; 5] = [Self::Mail, Self::Phone, Self::NightPhone, Self::Fax, Self::Web];

    /// Returns the name used in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Phone => "phone",
            Self::NightPhone => "night_phone",
            Self::Fax => "fax",
            Self::Web => "web",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|line| line.as_str() == name)
    }

    /// Returns the key of its label in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Mail => "line-mail",
            Self::Phone => "line-phone",
            Self::NightPhone => "line-night-phone",
            Self::Fax => "line-fax",
            Self::Web => "line-web",
        }
    }

    /// Returns the way it is.
    #[must_use]
    pub const fn way(self) -> Way {
        match self {
            Self::Mail => Way::Mail,
            Self::Phone | Self::NightPhone => Way::Phone,
            Self::Fax => Way::Fax,
            Self::Web => Way::Web,
        }
    }

    fn of(self, details: &Details) -> &str {
        match self {
            Self::Mail => &details.mail,
            Self::Phone => &details.phone,
            Self::NightPhone => &details.night_phone,
            Self::Fax => &details.fax,
            Self::Web => &details.web,
        }
    }
}

/// A contact that can be chosen by one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which contact.
    pub contact: ContactId,
    /// Which of its lines.
    pub line: Line,
    /// What it is called.
    pub name: String,
    /// Number, address or URL.
    pub address: String,
    /// How far it can be relied on.
    pub standing: Standing,
    /// Whether it is of the kind the report is for.
    pub fits: bool,
    /// Whether it takes part in exercises.
    pub drill_partner: bool,
}

/// Returns what the book offers for a report, the office it is for first: for an exercise drill partners alone.
#[must_use]
pub fn offers(
    contacts: &[Contact],
    kind: Option<ContactKind>,
    drill: bool,
    today: Date,
) -> Vec<Offer> {
    let mut usable: Vec<&Contact> = contacts
        .iter()
        .filter(|contact| contact.is_in_force(today))
        .filter(|contact| contact.details.drill_partner || !drill)
        .collect();
    let fits = |contact: &Contact| Some(contact.details.kind) == kind;
    usable.sort_by(|a, b| {
        fits(b)
            .cmp(&fits(a))
            .then_with(|| a.details.before(&b.details))
    });
    let lines = |contact: &Contact| {
        let offer = |line: Line| {
            let address = line.of(&contact.details);
            (!address.is_empty()).then(|| Offer {
                contact: contact.id,
                line,
                name: contact.details.name(),
                address: address.to_owned(),
                standing: contact.standing(today),
                fits: fits(contact),
                drill_partner: contact.details.drill_partner,
            })
        };
        Line::ALL.into_iter().filter_map(offer).collect::<Vec<_>>()
    };

    usable.into_iter().flat_map(lines).collect()
}

/// Returns a contact as the addressee of a delivery; none if it cannot be reached that way, or counts no longer.
#[must_use]
pub fn addressee(contact: &Contact, line: Line, today: Date) -> Option<Addressee> {
    let details = &contact.details;
    let address = line.of(details);
    if address.is_empty() || !contact.is_in_force(today) {
        return None;
    }
    let office = [details.organisation.as_str(), details.department.as_str()];
    let office: Vec<&str> = office.into_iter().filter(|text| !text.is_empty()).collect();
    let organisation = if office.is_empty() { details.person.clone() } else { office.join(" ") };
    Some(Addressee {
        organisation,
        person: if office.is_empty() { String::new() } else { details.person.clone() },
        address: address.to_owned(),
        drill_partner: details.drill_partner,
        contact: Some(contact.id),
        verified_on: contact.verified.as_ref().map(|verified| verified.on),
    })
}

/// Why an addressee should be made sure of before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The address was typed in.
    TypedIn,
    /// It stands in the book, and nobody made sure of it.
    Unverified,
    /// Somebody did, longer ago than counts.
    Stale(Date),
}

/// Says why an addressee should be made sure of on a day; none if somebody did within the year.
#[must_use]
pub fn doubt(addressee: &Addressee, today: Date) -> Option<Doubt> {
    if addressee.contact.is_none() {
        return Some(Doubt::TypedIn);
    }
    let Some(on) = addressee.verified_on else {
        return Some(Doubt::Unverified);
    };
    let lapses_on = Verified { on, by: String::new() }.lapses_on();
    (lapses_on <= today).then_some(Doubt::Stale(on))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::audit::Actor;
    use crate::contacts::{Column, ContactAct, read};

    const TODAY: &str = "2026-02-09";

    fn contact(cells: &[(&str, &str)], verified_on: Option<&str>) -> Contact {
        let cell = |(name, text): &(&str, &str)| (Column::parse(name).unwrap(), (*text).to_owned());
        let cells: BTreeMap<Column, String> = cells.iter().map(cell).collect();
        let entry = read(&cells, TODAY.parse().unwrap()).unwrap();
        let verified =
            verified_on.map(|on| Verified { on: on.parse().unwrap(), by: "佐藤".to_owned() });
        Contact {
            facility: "handa-hp".parse().unwrap(),
            id: ContactId::random(),
            revision: 1,
            details: entry.details,
            verified,
            act: ContactAct::Added,
            set_by: Actor::CommandLine,
            set_at: "2026-02-09T00:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_office_it_is_for_comes_first_and_an_exercise_sees_partners_alone() {
        let today: Date = TODAY.parse().unwrap();
        let police =
            contact(&[("kind", "police"), ("organisation", "半田署"), ("phone", "110")], None);
        let ministry = contact(
            &[
                ("kind", "mhlw"),
                ("organisation", "厚生労働省"),
                ("department", "医政局"),
                ("mail", "a@mhlw.example"),
                ("night_phone", "03-0000-0000"),
                ("drill_partner", "yes"),
            ],
            Some("2025-12-01"),
        );
        let book = [police, ministry.clone()];
        let lines = |drill| {
            let offers = offers(&book, Some(ContactKind::Mhlw), drill, today);
            let said = |offer: &Offer| format!("{} {}", offer.line.as_str(), offer.address);
            offers.iter().map(said).collect::<Vec<_>>()
        };
        assert_eq!(lines(false), ["mail a@mhlw.example", "night_phone 03-0000-0000", "phone 110"]);
        assert_eq!(lines(true), ["mail a@mhlw.example", "night_phone 03-0000-0000"]);
        let chosen = addressee(&ministry, Line::Mail, today).unwrap();
        assert_eq!(chosen.organisation, "厚生労働省 医政局");
        assert!(chosen.drill_partner && chosen.contact == Some(ministry.id));
        assert_eq!(addressee(&ministry, Line::Fax, today), None);
    }

    #[test]
    fn what_nobody_made_sure_of_within_the_year_is_doubted() {
        let today: Date = TODAY.parse().unwrap();
        let cells = [("kind", "police"), ("organisation", "半田署"), ("phone", "110")];
        let doubted = |verified_on| {
            let chosen = addressee(&contact(&cells, verified_on), Line::Phone, today).unwrap();
            doubt(&chosen, today)
        };
        assert_eq!(doubted(None), Some(Doubt::Unverified));
        assert_eq!(doubted(Some("2026-01-01")), None);
        let long_ago: Date = "2024-12-31".parse().unwrap();
        assert_eq!(doubted(Some("2024-12-31")), Some(Doubt::Stale(long_ago)));
        let chosen = addressee(&contact(&cells, None), Line::Phone, today).unwrap();
        let typed = Addressee { contact: None, ..chosen };
        assert_eq!(doubt(&typed, today), Some(Doubt::TypedIn));
    }
}
