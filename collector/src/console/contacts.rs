//! The address book, one contact with its history, and the emergency chart.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

use shirase_shared::ids::UserId;

use super::frame::Frame;
use super::settings::Choice;
use super::ui::{Badge, Tone};
use crate::audit::Actor;
use crate::contacts::{
    Chart, ChartSheet, Column, Contact, ContactKind, Filled, StaffDuty, Standing, filled,
    gap_words, today,
};
use crate::facilities::CareRole;
use crate::locale::{Locale, japan_time};

/// The book of one facility.
#[derive(Template)]
#[template(path = "contacts.html")]
pub struct ContactsPage {
    /// What stands around it.
    pub f: Frame,
    /// Whom to call now.
    pub rows: Vec<ContactRow>,
    /// Retired contacts, and those of a later day.
    pub others: Vec<ContactRow>,
    /// How many somebody should make sure of.
    pub flagged: usize,
    /// What the chart lacks, in sentences.
    pub gaps: Vec<String>,
    /// A form for a new contact, filled with what was sent if that was refused.
    pub form: ContactForm,
    /// What was wrong with what was sent.
    pub problems: Vec<String>,
}

/// One contact as a row.
pub struct ContactRow {
    /// Which.
    pub id: String,
    /// Its version.
    pub revision: u32,
    /// Kind, or duty of a member of staff.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Number by day.
    pub phone: String,
    /// Number at night.
    pub night_phone: String,
    /// Fax, mail, page, hours.
    pub more: Vec<String>,
    /// How far it can be relied on.
    pub standing: Badge,
    /// When somebody last made sure, in words.
    pub verified: String,
    /// Whether it takes part in drills.
    pub drill_partner: bool,
}

impl ContactRow {
    /// Shows a contact on a day.
    #[must_use]
    pub fn of(contact: &Contact, day: Date, locale: Locale) -> Self {
        let details = &contact.details;
        let mut kind = match details.duty {
            Some(duty) => locale.text(duty.label_key()),
            None => locale.text(details.kind.label_key()),
        };
        if let Some(system) = details.system {
            kind = format!("{kind} ({})", locale.text(system.label_key()));
        }
        let more = [
            ("chart-fax", &details.fax),
            ("contact-mail", &details.mail),
            ("chart-web", &details.web),
            ("contact-hours", &details.hours),
            ("contact-note", &details.note),
        ];
        let more = more
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| format!("{}: {text}", locale.text(key)));
        let verified = match &contact.verified {
            None => locale.text("contact-never-verified"),
            Some(verified) => {
                let values: [(&str, &dyn std::fmt::Display); 2] =
                    [("on", &verified.on), ("by", &verified.by)];
                locale.text_with("contact-last-verified", &values)
            }
        };
        Self {
            id: contact.id.to_string(),
            revision: contact.revision,
            kind,
            name: details.name(),
            phone: details.phone.clone(),
            night_phone: details.night_phone.clone(),
            more: more.collect(),
            standing: badge(contact.standing(day), locale),
            verified,
            drill_partner: details.drill_partner,
        }
    }
}

fn badge(standing: Standing, locale: Locale) -> Badge {
    let tone = match standing {
        Standing::Verified => Tone::Well,
        Standing::Stale | Standing::Unverified => Tone::Medium,
        Standing::Ahead | Standing::Retired => Tone::Quiet,
    };
    Badge { tone, text: locale.text(standing.label_key()) }
}

impl ContactsPage {
    /// Shows the book with what was wrong with what was sent.
    #[must_use]
    pub fn of(
        f: Frame,
        (contacts, chart): (&[Contact], &Chart),
        now: Timestamp,
        (sent, problems): (&Filled, Vec<String>),
    ) -> Self {
        let (day, locale) = (today(now), f.locale);
        let (in_force, others): (Vec<&Contact>, Vec<&Contact>) = contacts
            .iter()
            .partition(|contact| contact.is_in_force(day));
        let rows = |found: Vec<&Contact>| {
            found
                .into_iter()
                .map(|contact| ContactRow::of(contact, day, locale))
                .collect()
        };
        Self {
            rows: rows(in_force),
            others: rows(others),
            flagged: chart.flagged,
            gaps: chart
                .gaps
                .iter()
                .map(|gap| gap_words(*gap, locale))
                .collect(),
            form: ContactForm::of(sent, locale),
            problems,
            f,
        }
    }
}

/// The inputs of a contact.
pub struct ContactForm {
    /// Kinds.
    pub kinds: Vec<Choice>,
    /// Duties of staff.
    pub duties: Vec<Choice>,
    /// Systems of companies.
    pub systems: Vec<Choice>,
    /// Who calls.
    pub callers: Vec<Choice>,
    /// What stands in each input.
    sent: Filled,
}

impl ContactForm {
    /// Shows the inputs with what stands in them.
    #[must_use]
    pub fn of(sent: &Filled, locale: Locale) -> Self {
        let said = |column: Column| sent.get(&column).map_or("", String::as_str);
        let choice = |column: Column, code: &'static str, key: &str| Choice {
            code: code.to_owned(),
            text: locale.text(key),
            chosen: said(column) == code,
        };
        let duties = |column: Column| {
            let all = StaffDuty::ALL.iter();
            all.map(|duty| choice(column, duty.as_str(), duty.label_key()))
                .collect()
        };
        Self {
            kinds: ContactKind::ALL
                .iter()
                .map(|kind| choice(Column::Kind, kind.as_str(), kind.label_key()))
                .collect(),
            duties: duties(Column::Duty),
            systems: CareRole::ALL
                .iter()
                .map(|role| choice(Column::System, role.as_str(), role.label_key()))
                .collect(),
            callers: duties(Column::Caller),
            sent: sent.clone(),
        }
    }

    /// Returns what stands in an input.
    #[must_use]
    pub fn said(&self, column: &str) -> &str {
        Column::parse(column)
            .and_then(|column| self.sent.get(&column))
            .map_or("", String::as_str)
    }

    /// Whether it takes part in drills.
    #[must_use]
    pub fn drills(&self) -> bool {
        self.said(Column::DrillPartner.as_str()) == "yes"
    }
}

/// One contact with a form that changes it and every version.
#[derive(Template)]
#[template(path = "contact.html")]
pub struct ContactPage {
    /// What stands around it.
    pub f: Frame,
    /// How it is now.
    pub row: ContactRow,
    /// The form.
    pub form: ContactForm,
    /// Today, for the verification.
    pub today: String,
    /// Whether it is out of use.
    pub retired: bool,
    /// Every version, the newest first.
    pub history: Vec<VersionRow>,
    /// What was wrong with what was sent.
    pub problems: Vec<String>,
}

/// One version of a contact.
pub struct VersionRow {
    /// Its number.
    pub revision: u32,
    /// When it was made.
    pub at: String,
    /// Who made it.
    pub by: String,
    /// What was done.
    pub act: String,
    /// Which columns differ from the version before: label, and what stood there.
    pub changed: Vec<(String, String)>,
    /// Who had made sure of it.
    pub verified: String,
}

impl ContactPage {
    /// Shows a contact by its versions, the newest first; none if there is no version.
    #[must_use]
    pub fn of(
        f: Frame,
        history: &[Contact],
        (now, names): (Timestamp, &BTreeMap<UserId, String>),
        (sent, problems): (Option<&Filled>, Vec<String>),
    ) -> Option<Self> {
        let newest = history.first()?;
        let (day, locale) = (today(now), f.locale);
        let known = filled(newest);
        let pairs = history
            .iter()
            .zip(history.iter().skip(1).map(Some).chain([None]));
        Some(Self {
            row: ContactRow::of(newest, day, locale),
            form: ContactForm::of(sent.unwrap_or(&known), locale),
            today: day.to_string(),
            retired: newest.standing(day) == Standing::Retired,
            history: pairs
                .map(|(version, before)| VersionRow::of(version, before, names, locale))
                .collect(),
            problems,
            f,
        })
    }
}

impl VersionRow {
    fn of(
        version: &Contact,
        before: Option<&Contact>,
        names: &BTreeMap<UserId, String>,
        locale: Locale,
    ) -> Self {
        let (now, then) = (filled(version), before.map(filled));
        let differs = |column: &&Column| {
            let verification = matches!(column, Column::VerifiedOn | Column::VerifiedBy);
            !verification
                && then
                    .as_ref()
                    .is_some_and(|then| then.get(column) != now.get(column))
        };
        let changed = Column::ALL.iter().filter(differs).map(|column| {
            let old = then.as_ref().and_then(|then| then.get(column));
            (locale.text(column.label_key()), old.cloned().unwrap_or_default())
        });
        Self {
            revision: version.revision,
            at: japan_time(version.set_at),
            by: match version.set_by {
                Actor::User(id) => names.get(&id).cloned().unwrap_or_else(|| id.to_string()),
                Actor::Machine => locale.text("who-machine"),
                Actor::CommandLine => locale.text("who-command-line"),
            },
            act: locale.text(version.act.label_key()),
            changed: changed.collect(),
            verified: version
                .verified
                .as_ref()
                .map_or_else(String::new, |verified| {
                    let values: [(&str, &dyn std::fmt::Display); 2] =
                        [("on", &verified.on), ("by", &verified.by)];
                    locale.text_with("contact-verified", &values)
                }),
        }
    }
}

/// The emergency chart.
#[derive(Template)]
#[template(path = "contact_chart.html")]
pub struct ChartPage {
    /// What stands around it.
    pub f: Frame,
    /// The chart in words.
    pub sheet: ChartSheet,
}
