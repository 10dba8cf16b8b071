//! A municipality's cases: the overview, the form of a new one, and where a thread could belong.

mod entry;
mod file;
mod figures;

use askama::Template;
use jiff::civil::Date;
use shirase_shared::ids::InstitutionId;

use super::frame::Frame;
use super::settings::Choice;
use super::ui::{Badge, Tone};
use crate::cases::{CaseFile, HeardWay, Proposal, overview};
use crate::exchange::PackageId;
use crate::institutions::Institution;
use crate::locale::{Locale, japan_time};

pub use entry::{EntryForm, EntryPage};
pub use figures::FiguresPage;
pub use file::{CasePage, Reporting};

/// Returns the name of an institution in the register.
#[must_use]
pub fn name_of(id: InstitutionId, institutions: &[Institution]) -> String {
    let found = institutions.iter().find(|one| one.id == id);
    found.map_or_else(|| id.to_string(), |one| one.details.name.clone())
}

/// Returns what a case is called: its number and what it is about.
#[must_use]
pub fn title_of(file: &CaseFile, locale: Locale) -> String {
    let values: [(&str, &dyn std::fmt::Display); 2] =
        [("number", &file.case.number), ("subject", &file.case.subject)];
    locale.text_with("case-title", &values)
}

/// All cases.
#[derive(Template)]
#[template(path = "cases.html")]
pub struct CasesPage {
    /// What stands around it.
    pub f: Frame,
    /// Those that are open.
    pub open: Vec<CaseRow>,
    /// Those that are closed.
    pub closed: Vec<CaseRow>,
    /// How many are due.
    pub due: usize,
    /// How many questions wait for an answer.
    pub questions: usize,
}

/// One case as a row.
pub struct CaseRow {
    /// Which.
    pub id: String,
    /// Number and subject.
    pub title: String,
    /// Where it happened.
    pub institution: String,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// When it became known, and how.
    pub heard: String,
    /// The nearest day to look again.
    pub next: Option<Badge>,
    /// Questions without an answer, in words.
    pub questions: Option<Badge>,
}

impl CasesPage {
    /// Shows all cases on a day.
    #[must_use]
    pub fn of(f: Frame, files: &[CaseFile], institutions: &[Institution], today: Date) -> Self {
        let locale = f.locale;
        let standings = overview(files, today);
        let open = standings.iter().map(|standing| {
            let tone = if standing.due { Tone::High } else { Tone::Quiet };
            let next = standing
                .next
                .map(|day| Badge { tone, text: day.to_string() });
            let questions = standing.oldest_question.map(|since| {
                let values: [(&str, &dyn std::fmt::Display); 2] =
                    [("count", &standing.questions), ("since", &since)];
                let text = locale.text_with("case-questions-since", &values);
                Badge { tone: Tone::Medium, text }
            });
            CaseRow { next, questions, ..CaseRow::of(standing.file, institutions, locale) }
        });
        let closed = files.iter().filter(|file| !file.is_open());
        Self {
            open: open.collect(),
            closed: closed
                .map(|file| CaseRow::of(file, institutions, locale))
                .collect(),
            due: standings.iter().filter(|standing| standing.due).count(),
            questions: standings.iter().map(|standing| standing.questions).sum(),
            f,
        }
    }
}

impl CaseRow {
    fn of(file: &CaseFile, institutions: &[Institution], locale: Locale) -> Self {
        let case = &file.case;
        let way = locale.text(case.heard.way.label_key());
        Self {
            id: case.id.to_string(),
            title: title_of(file, locale),
            institution: name_of(case.institution, institutions),
            drill: case.drill,
            heard: format!("{} {way}", japan_time(case.heard.at)),
            next: None,
            questions: None,
        }
    }
}

/// What stands in the form of a new case.
#[derive(Clone, Debug, Default)]
pub struct CaseInputs {
    /// Where it happened.
    pub institution: String,
    /// One line.
    pub subject: String,
    /// How it became known.
    pub way: String,
    /// Who told.
    pub from: String,
    /// When.
    pub at: String,
    /// What was told.
    pub what: String,
    /// Who took it.
    pub taken_by: String,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// The package it is born from; empty for none.
    pub package: String,
}

/// The form of a new case.
#[derive(Template)]
#[template(path = "case_new.html")]
pub struct CaseNewPage {
    /// What stands around it.
    pub f: Frame,
    /// Institutions to choose from.
    pub institutions: Vec<Choice>,
    /// Ways to hear of it.
    pub ways: Vec<Choice>,
    /// What stands in the inputs.
    pub sent: CaseInputs,
    /// The present time, for the input.
    pub now_field: String,
    /// Whether the partner of the package corresponds to no institution, or to several.
    pub unsure: bool,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
}

impl CaseNewPage {
    /// Shows the form.
    #[must_use]
    pub fn of(
        f: Frame,
        institutions: &[Institution],
        sent: CaseInputs,
        (now_field, problem): (String, Option<String>),
    ) -> Self {
        let locale = f.locale;
        let open = institutions.iter().filter(|one| !one.is_closed());
        let choices = open.map(|one| Choice {
            code: one.id.to_string(),
            text: format!("{} ({})", one.details.name, locale.text(one.details.kind.label_key())),
            chosen: one.id.to_string() == sent.institution,
        });
        let ways = HeardWay::ALL.iter().map(|way| Choice {
            code: way.as_str().to_owned(),
            text: locale.text(way.label_key()),
            chosen: way.as_str() == sent.way,
        });
        Self {
            institutions: choices.collect(),
            ways: ways.collect(),
            unsure: !sent.package.is_empty() && sent.institution.is_empty(),
            now_field,
            sent,
            problem,
            f,
        }
    }
}

/// Where a thread belongs, on its page.
pub struct ThreadCase {
    /// The package the thread began with.
    pub thread: String,
    /// The case it belongs to: id and words.
    pub linked: Option<(String, String)>,
    /// Cases it could belong to, the likeliest first: id, words, and why.
    pub proposals: Vec<(String, String, String)>,
    /// Other open cases, to choose from.
    pub others: Vec<Choice>,
}

impl ThreadCase {
    /// Shows where a thread belongs, or could.
    #[must_use]
    pub fn of(
        (thread, drill): (&PackageId, bool),
        linked: Option<&CaseFile>,
        (files, proposals): (&[CaseFile], &[Proposal]),
        (institutions, locale): (&[Institution], Locale),
    ) -> Self {
        let words = |file: &CaseFile| {
            format!("{} – {}", title_of(file, locale), name_of(file.case.institution, institutions))
        };
        let proposed = proposals.iter().filter_map(|proposal| {
            let file = files.iter().find(|file| file.case.id == proposal.case)?;
            let hours = proposal.after.as_hours();
            let why = match hours {
                0 => locale.text("case-proposed-same"),
                1.. => locale.text_with("case-proposed-after", &[("hours", &hours)]),
                _ => locale.text_with("case-proposed-before", &[("hours", &hours.abs())]),
            };
            Some((file.case.id.to_string(), words(file), why))
        });
        let others = files.iter().filter(|file| {
            file.case.drill == drill
                && !proposals
                    .iter()
                    .any(|proposal| proposal.case == file.case.id)
        });
        Self {
            thread: thread.to_string(),
            linked: linked.map(|file| (file.case.id.to_string(), words(file))),
            proposals: proposed.collect(),
            others: others
                .map(|file| Choice {
                    code: file.case.id.to_string(),
                    text: words(file),
                    chosen: false,
                })
                .collect(),
        }
    }
}
