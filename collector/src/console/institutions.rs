//! The register of institutions, and one of them with its notes, cases and history.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use shirase_shared::ids::UserId;

use super::frame::Frame;
use super::settings::Choice;
use crate::audit::Actor;
use crate::contacts::today;
use crate::exchange::partner::Partner;
use crate::institutions::{Column, Filled, Institution, KINDS, Note, filled};
use crate::locale::{Locale, japan_time};

/// The register.
#[derive(Template)]
#[template(path = "institutions.html")]
pub struct InstitutionsPage {
    /// What stands around it.
    pub f: Frame,
    /// Institutions in it.
    pub rows: Vec<InstitutionRow>,
    /// Those that were closed.
    pub closed: Vec<InstitutionRow>,
    /// A form for a new one, filled with what was sent if that was refused.
    pub form: InstitutionForm,
    /// What was wrong with what was sent.
    pub problems: Vec<String>,
}

/// One institution as a row.
pub struct InstitutionRow {
    /// Which.
    pub id: String,
    /// Its version.
    pub revision: u32,
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: String,
    /// Its code.
    pub code: String,
    /// Its address.
    pub address: String,
    /// Whom to ask for.
    pub person: String,
    /// Number by day.
    pub phone: String,
    /// Number at night.
    pub night_phone: String,
    /// Its mail address.
    pub mail: String,
    /// The partner it corresponds to; empty if none.
    pub partner: String,
    /// Whether it is in the register no longer.
    pub closed: bool,
    /// Why it was closed or reopened.
    pub reason: String,
}

impl InstitutionRow {
    /// Shows an institution.
    #[must_use]
    pub fn of(one: &Institution, locale: Locale) -> Self {
        let details = one.details.clone();
        Self {
            id: one.id.to_string(),
            revision: one.revision,
            name: details.name,
            kind: locale.text(details.kind.label_key()),
            code: details.code,
            address: details.address,
            person: details.person,
            phone: details.phone,
            night_phone: details.night_phone,
            mail: details.mail,
            partner: details
                .partner
                .map_or_else(String::new, |partner| partner.to_string()),
            closed: one.is_closed(),
            reason: one.reason.clone(),
        }
    }
}

/// The inputs of an institution.
pub struct InstitutionForm {
    /// Kinds.
    pub kinds: Vec<Choice>,
    /// Partners.
    pub partners: Vec<Choice>,
    sent: Filled,
}

impl InstitutionForm {
    /// Shows the inputs with what stands in them.
    #[must_use]
    pub fn of(sent: &Filled, partners: &[Partner], locale: Locale) -> Self {
        let said = |column: Column| sent.get(&column).map_or("", String::as_str);
        let mut choices: Vec<Choice> = partners
            .iter()
            .map(|partner| Choice {
                code: partner.id.to_string(),
                text: format!("{} ({})", partner.name(), partner.id),
                chosen: said(Column::Partner) == partner.id.as_str(),
            })
            .collect();
        let present = said(Column::Partner);
        if !present.is_empty() && !choices.iter().any(|choice| choice.chosen) {
            let (code, text) = (present.to_owned(), present.to_owned());
            choices.push(Choice { code, text, chosen: true });
        }
        Self {
            kinds: KINDS
                .into_iter()
                .map(|kind| Choice {
                    code: kind.as_str().to_owned(),
                    text: locale.text(kind.label_key()),
                    chosen: said(Column::Kind) == kind.as_str(),
                })
                .collect(),
            partners: choices,
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
}

impl InstitutionsPage {
    /// Shows the register with what was wrong with what was sent.
    #[must_use]
    pub fn of(
        f: Frame,
        (institutions, partners): (&[Institution], &[Partner]),
        (sent, problems): (&Filled, Vec<String>),
    ) -> Self {
        let locale = f.locale;
        let rows = institutions
            .iter()
            .map(|one| InstitutionRow::of(one, locale));
        let (closed, rows) = rows.partition(|row| row.closed);
        Self { rows, closed, form: InstitutionForm::of(sent, partners, locale), problems, f }
    }
}

/// One institution.
#[derive(Template)]
#[template(path = "institution.html")]
pub struct InstitutionPage {
    /// What stands around it.
    pub f: Frame,
    /// As a row.
    pub row: InstitutionRow,
    /// Its inputs.
    pub form: InstitutionForm,
    /// Its cases: id and words.
    pub cases: Vec<(String, String)>,
    /// Notes about it: day, text, and who wrote it when.
    pub notes: Vec<(String, Vec<String>, String)>,
    /// Its versions, the newest first.
    pub history: Vec<VersionRow>,
    /// The present day, for inputs.
    pub today: String,
    /// What was wrong with what was sent.
    pub problems: Vec<String>,
}

/// One version of an institution.
pub struct VersionRow {
    /// Its number.
    pub revision: u32,
    /// When it was made.
    pub at: String,
    /// By whom.
    pub by: String,
    /// By what.
    pub act: String,
    /// Why, if anybody said.
    pub reason: String,
    /// What was changed, with the text before.
    pub changed: Vec<(String, String)>,
}

/// What is known of an institution beside its versions.
pub struct Around<'a> {
    /// Notes, the newest first.
    pub notes: &'a [Note],
    /// Its cases: id and words.
    pub cases: Vec<(String, String)>,
    /// Partners that are trusted.
    pub partners: &'a [Partner],
    /// Names of people.
    pub names: &'a BTreeMap<UserId, String>,
}

impl InstitutionPage {
    /// Shows an institution by its versions, the newest first; none if there is no version.
    #[must_use]
    pub fn of(
        f: Frame,
        (history, around): (&[Institution], Around<'_>),
        now: Timestamp,
        (sent, problems): (Option<&Filled>, Vec<String>),
    ) -> Option<Self> {
        let newest = history.first()?;
        let (locale, known) = (f.locale, filled(newest));
        let before = history.iter().skip(1).map(Some).chain([None]);
        let notes = around.notes.iter().map(|note| {
            let when = japan_time(note.at);
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("name", &note.by.name), ("time", &when)];
            let lines = note.text.lines().map(str::to_owned).collect();
            (note.on.to_string(), lines, locale.text_with("institution-noted", &values))
        });
        Some(Self {
            row: InstitutionRow::of(newest, locale),
            form: InstitutionForm::of(sent.unwrap_or(&known), around.partners, locale),
            cases: around.cases,
            notes: notes.collect(),
            history: history
                .iter()
                .zip(before)
                .map(|(version, before)| VersionRow::of(version, before, around.names, locale))
                .collect(),
            today: today(now).to_string(),
            problems,
            f,
        })
    }
}

impl VersionRow {
    fn of(
        version: &Institution,
        before: Option<&Institution>,
        names: &BTreeMap<UserId, String>,
        locale: Locale,
    ) -> Self {
        let (now, then) = (filled(version), before.map(filled));
        let changed = Column::ALL.iter().filter_map(|column| {
            let old = then.as_ref()?.get(column)?;
            let differs = now.get(column) != Some(old);
            differs.then(|| (locale.text(column.label_key()), old.clone()))
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
            reason: version.reason.clone(),
            changed: changed.collect(),
        }
    }
}
