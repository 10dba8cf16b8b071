//! The form of an entry: new, or in place of another one.

use askama::Template;
use jiff::civil::Date;

use super::super::frame::Frame;
use super::super::settings::Choice;
use super::file::{EntryRow, letter_words};
use super::title_of;
use crate::cases::{CaseFile, EntryKind, Heading, Settled, Source, Statement, usual_bases};
use crate::exchange::PackageId;
use crate::facilities::FacilityKind;
use crate::locale::Locale;

/// The inputs of an entry.
pub struct EntryForm {
    /// Headings.
    pub headings: Vec<Choice>,
    /// Kinds.
    pub kinds: Vec<Choice>,
    /// Kinds of source.
    pub sources: Vec<Choice>,
    /// Packages to name as the source.
    pub packages: Vec<Choice>,
    /// What is open, to answer or to end.
    pub open: Vec<Choice>,
    /// Legal bases that are usual here.
    pub bases: Vec<String>,
    /// What stands in the text.
    pub text: String,
    /// Who told, or where it stands.
    pub source_text: String,
    /// What stands as the legal basis.
    pub basis: String,
    /// The day.
    pub on: String,
    /// The day to look again.
    pub follow_up: String,
    /// The entry it corrects; empty for a new one.
    pub corrects: String,
    /// The present day.
    pub today: String,
}

impl EntryForm {
    /// Shows the inputs with what stands in them.
    #[must_use]
    pub fn of(
        (file, institution): (&CaseFile, FacilityKind),
        sent: Option<&Statement>,
        today: Date,
        locale: Locale,
    ) -> Self {
        let choice = |code: String, text: String, chosen: bool| Choice { code, text, chosen };
        let heading = sent.map_or(Heading::Damage, |said| said.heading);
        let kind = sent.map_or(EntryKind::Fact, |said| said.kind);
        let corrects = sent.and_then(|said| said.corrects);
        let kinds = EntryKind::ALL.iter().filter(|kind| match kind {
            EntryKind::Void => corrects.is_some(),
            EntryKind::Close | EntryKind::Reopen => false,
            EntryKind::Fact | EntryKind::Question | EntryKind::Answer | EntryKind::Guidance => true,
        });
        let (source, source_text) = match sent.map(|said| &said.source) {
            Some(Source::Told { by }) => ("told", by.clone()),
            Some(Source::Page { at }) => ("page", at.clone()),
            Some(Source::Package { .. }) => ("package", String::new()),
            Some(Source::Own) => ("own", String::new()),
            None => ("told", String::new()),
        };
        let from = |id: &PackageId| {
            sent.is_some_and(|said| said.source == Source::Package { id: id.clone() })
        };
        let bases = usual_bases(institution).map(|key| locale.text(key));
        Self {
            headings: Heading::ALL
                .iter()
                .map(|one| choice(one.to_string(), locale.text(one.label_key()), *one == heading))
                .collect(),
            kinds: kinds
                .map(|one| choice(one.to_string(), locale.text(one.label_key()), *one == kind))
                .collect(),
            sources: ["told", "package", "page", "own"]
                .map(|code| {
                    let text = locale.text(&format!("case-source-{code}"));
                    choice(code.to_owned(), text, code == source)
                })
                .into(),
            packages: file
                .letters
                .iter()
                .map(|one| choice(one.id.to_string(), letter_words(one, locale), from(&one.id)))
                .collect(),
            open: open_choices(file, sent, locale),
            bases: bases.collect(),
            text: sent.map_or_else(String::new, |said| said.text.clone()),
            source_text,
            basis: sent.map_or_else(String::new, |said| said.legal_basis.clone()),
            on: sent.map_or(today, |said| said.on).to_string(),
            follow_up: sent
                .and_then(|said| said.follow_up)
                .map_or_else(String::new, |day| day.to_string()),
            corrects: corrects.map_or_else(String::new, |n| n.to_string()),
            today: today.to_string(),
        }
    }
}

/// What an entry can answer or end: what is open, and what the entry that is corrected settled itself.
fn open_choices(file: &CaseFile, sent: Option<&Statement>, locale: Locale) -> Vec<Choice> {
    let chosen = sent.and_then(|said| said.settles.as_ref());
    let short = |text: &str| {
        text.lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(40)
            .collect::<String>()
    };
    let mut open: Vec<(Settled, String)> = file
        .open_questions()
        .into_iter()
        .map(|question| {
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("day", &question.since), ("text", &short(&question.text))];
            let words = locale.text_with("case-open-question", &values);
            (question.what, words)
        })
        .collect();
    for follow_up in file.follow_ups() {
        let what = Settled::Entry(follow_up.n);
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("day", &follow_up.on), ("text", &short(&follow_up.text))];
        let words = locale.text_with("case-open-follow-up", &values);
        if !open.iter().any(|(other, _)| *other == what) {
            open.push((what, words));
        }
    }
    if let Some(settles) = chosen
        && !open.iter().any(|(other, _)| other == settles)
    {
        open.push((settles.clone(), locale.text("case-open-as-before")));
    }
    open.into_iter()
        .map(|(what, text)| Choice { chosen: Some(&what) == chosen, code: what.to_string(), text })
        .collect()
}

/// The form in which an entry is corrected.
#[derive(Template)]
#[template(path = "case_entry.html")]
pub struct EntryPage {
    /// What stands around it.
    pub f: Frame,
    /// The case.
    pub id: String,
    /// Number and subject.
    pub title: String,
    /// The entry as it is.
    pub row: EntryRow,
    /// The inputs.
    pub form: EntryForm,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
}

impl EntryPage {
    /// Shows the form for an entry; none if it cannot be corrected.
    #[must_use]
    pub fn of(
        f: Frame,
        (file, institution, n): (&CaseFile, FacilityKind, u32),
        today: Date,
        (sent, problem): (Option<&Statement>, Option<String>),
    ) -> Option<Self> {
        let entry = file.entry(n)?;
        let correction = Statement { corrects: Some(n), ..entry.said.clone() };
        let locale = f.locale;
        Some(Self {
            id: file.case.id.to_string(),
            title: title_of(file, locale),
            row: EntryRow::of(entry, file, locale),
            form: EntryForm::of(
                (file, institution),
                Some(sent.unwrap_or(&correction)),
                today,
                locale,
            ),
            problem,
            f,
        })
    }
}
