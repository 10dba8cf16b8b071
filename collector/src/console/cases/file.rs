//! One case: how it became known, what is open, and its record.

use askama::Template;
use jiff::civil::Date;
use shirase_shared::ids::IncidentId;

use super::super::frame::Frame;
use super::super::incident::ReportLink;
use super::super::ui::{Badge, Tone};
use super::entry::EntryForm;
use super::{name_of, title_of};
use crate::cases::{CaseFile, Entry, EntryKind, Heading, Letter, Settled, Source, Statement};
use crate::facilities::FacilityKind;
use crate::institutions::Institution;
use crate::locale::{Locale, japan_time};

/// Digits of a hash that are shown.
const SHOWN_DIGITS: usize = 12;

/// One case.
#[derive(Template)]
#[template(path = "case.html")]
pub struct CasePage {
    /// What stands around it.
    pub f: Frame,
    /// Its id.
    pub id: String,
    /// Number and subject.
    pub title: String,
    /// The institution: id and name.
    pub institution: (String, String),
    /// Whether it is an exercise's.
    pub drill: bool,
    /// Whether somebody still works on it.
    pub open: bool,
    /// How it became known: label and words.
    pub heard: Vec<(&'static str, String)>,
    /// What was told, in lines.
    pub what: Vec<String>,
    /// Questions without an answer.
    pub questions: Vec<OpenRow>,
    /// Days to look again.
    pub follow_ups: Vec<OpenRow>,
    /// Its record, one part a heading.
    pub parts: Vec<Part>,
    /// Its threads: id, subject, and the packages in words.
    pub threads: Vec<(String, String, Vec<String>)>,
    /// The reports to the ministry, once they were begun.
    pub reporting: Option<Reporting>,
    /// The form of a new entry.
    pub form: EntryForm,
    /// What stands in the form that closes or reopens it.
    pub ending: String,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
}

/// The municipality's own reports over a case.
pub struct Reporting {
    /// The incident they belong to.
    pub incident: IncidentId,
    /// Its number.
    pub number: u64,
    /// The reports.
    pub reports: Vec<ReportLink>,
}

/// Something that is open.
pub struct OpenRow {
    /// The day, coloured where it is over.
    pub day: Badge,
    /// What it is.
    pub text: String,
    /// The entry it stands in; none for a package.
    pub entry: Option<u32>,
    /// The package it is; none for an entry.
    pub package: Option<String>,
}

/// The entries under one heading.
pub struct Part {
    /// The heading's key.
    pub heading: &'static str,
    /// Its entries, the oldest first.
    pub entries: Vec<EntryRow>,
}

/// One entry.
pub struct EntryRow {
    /// Its number.
    pub n: u32,
    /// The day it is about.
    pub on: String,
    /// What it is.
    pub kind: Badge,
    /// What it says, in lines.
    pub text: Vec<String>,
    /// Where it is from, in words.
    pub source: String,
    /// The package it is from.
    pub package: Option<String>,
    /// A page of the web it is from.
    pub link: Option<String>,
    /// The legal basis.
    pub basis: String,
    /// Day to look again, what it corrects and settles, in words.
    pub more: Vec<String>,
    /// Who entered it and when.
    pub by: String,
    /// The file kept beside it: its name, its size and the beginning of its SHA-256.
    pub file: Option<(String, String)>,
    /// Whether another entry stands in for it.
    pub void: bool,
    /// Whether it can be corrected.
    pub may_be_corrected: bool,
}

impl CasePage {
    /// Shows a case on a day.
    #[must_use]
    pub fn of(
        f: Frame,
        (file, institutions): (&CaseFile, &[Institution]),
        today: Date,
        (sent, problem): (Option<&Statement>, Option<String>),
    ) -> Self {
        let (locale, case) = (f.locale, &file.case);
        let heard = &case.heard;
        let time = japan_time(case.opened_at);
        let opened: [(&str, &dyn std::fmt::Display); 2] =
            [("name", &case.opened_by.name), ("time", &time)];
        let kind = institutions.iter().find(|one| one.id == case.institution);
        let kind = kind.map_or(FacilityKind::Unknown, |one| one.details.kind);
        let turns = |said: &&Statement| matches!(said.kind, EntryKind::Close | EntryKind::Reopen);
        let ending = sent
            .filter(turns)
            .map_or_else(String::new, |said| said.text.clone());
        let sent = sent.filter(|said| !turns(said));
        Self {
            id: case.id.to_string(),
            title: title_of(file, locale),
            institution: (case.institution.to_string(), name_of(case.institution, institutions)),
            drill: case.drill,
            open: file.is_open(),
            heard: vec![
                ("case-heard-way", locale.text(heard.way.label_key())),
                ("case-heard-from", heard.from.clone()),
                ("case-heard-at", japan_time(heard.at)),
                ("case-heard-taken-by", heard.taken_by.clone()),
                ("case-opened", locale.text_with("case-opened-by", &opened)),
            ],
            what: heard.what.lines().map(str::to_owned).collect(),
            questions: questions(file),
            follow_ups: follow_ups(file, today),
            parts: parts(file, locale),
            threads: threads(file, locale),
            reporting: None,
            form: EntryForm::of((file, kind), sent, today, locale),
            ending,
            problem,
            f,
        }
    }
}

fn questions(file: &CaseFile) -> Vec<OpenRow> {
    let row = |question: crate::cases::OpenQuestion| {
        let (entry, package) = match &question.what {
            Settled::Entry(n) => (Some(*n), None),
            Settled::Package(id) => (None, Some(id.to_string())),
        };
        let day = Badge { tone: Tone::Medium, text: question.since.to_string() };
        OpenRow { day, text: question.text, entry, package }
    };
    file.open_questions().into_iter().map(row).collect()
}

fn follow_ups(file: &CaseFile, today: Date) -> Vec<OpenRow> {
    let row = |follow_up: crate::cases::FollowUp| {
        let tone = if follow_up.on <= today { Tone::High } else { Tone::Quiet };
        let day = Badge { tone, text: follow_up.on.to_string() };
        OpenRow { day, text: follow_up.text, entry: Some(follow_up.n), package: None }
    };
    file.follow_ups().into_iter().map(row).collect()
}

fn parts(file: &CaseFile, locale: Locale) -> Vec<Part> {
    let part = |heading: &Heading| {
        let entries = file
            .entries
            .iter()
            .filter(|entry| entry.said.heading == *heading);
        let entries = entries
            .map(|entry| EntryRow::of(entry, file, locale))
            .collect();
        Part { heading: heading.label_key(), entries }
    };
    Heading::ALL.iter().map(part).collect()
}

fn threads(file: &CaseFile, locale: Locale) -> Vec<(String, String, Vec<String>)> {
    let mut threads = Vec::<(String, String, Vec<String>)>::new();
    for letter in &file.letters {
        let words = letter_words(letter, locale);
        let thread = letter.thread.to_string();
        match threads.iter_mut().find(|(id, ..)| *id == thread) {
            Some((.., letters)) => letters.push(words),
            None => threads.push((thread, letter.subject.clone(), vec![words])),
        }
    }
    threads
}

pub(super) fn letter_words(letter: &Letter, locale: Locale) -> String {
    let way = locale.text(if letter.came { "exchange-came" } else { "exchange-went" });
    let kind = locale.text(&letter.kind.label_key());
    format!("{} {way} {kind} {}", japan_time(letter.made_at), letter.subject)
}

impl EntryRow {
    pub(super) fn of(entry: &Entry, file: &CaseFile, locale: Locale) -> Self {
        let said = &entry.said;
        let time = japan_time(entry.at);
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("name", &entry.by.name), ("time", &time)];
        let package = match &said.source {
            Source::Package { id } => Some(id.to_string()),
            Source::Told { .. } | Source::Page { .. } | Source::Own => None,
        };
        let link = match &said.source {
            Source::Page { at } if at.starts_with("https://") || at.starts_with("http://") => {
                Some(at.clone())
            }
            Source::Page { .. } | Source::Told { .. } | Source::Package { .. } | Source::Own => {
                None
            }
        };
        Self {
            n: entry.n,
            on: said.on.to_string(),
            kind: Badge { tone: tone(said.kind), text: locale.text(said.kind.label_key()) },
            text: said.text.lines().map(str::to_owned).collect(),
            source: source_words(&said.source, file, locale),
            package,
            link,
            basis: said.legal_basis.clone(),
            more: more(entry, file, locale),
            by: locale.text_with("case-entered-by", &values),
            file: entry.file.as_ref().map(|kept| {
                let short: String = kept.sha256.chars().take(SHOWN_DIGITS).collect();
                let values: [(&str, &dyn std::fmt::Display); 2] =
                    [("kilobytes", &kept.bytes.div_ceil(1000)), ("sha256", &short)];
                (kept.name.as_str().to_owned(), locale.text_with("case-file-facts", &values))
            }),
            void: file.replaced_by(entry.n).is_some(),
            may_be_corrected: file.may_be_corrected(entry.n),
        }
    }
}

const fn tone(kind: EntryKind) -> Tone {
    match kind {
        EntryKind::Fact | EntryKind::Void => Tone::Quiet,
        EntryKind::Question => Tone::Medium,
        EntryKind::Answer => Tone::Low,
        EntryKind::Guidance => Tone::High,
        EntryKind::Close | EntryKind::Reopen => Tone::Well,
    }
}

fn source_words(source: &Source, file: &CaseFile, locale: Locale) -> String {
    match source {
        Source::Told { by } => locale.text_with("case-source-told-by", &[("by", by)]),
        Source::Page { at } => locale.text_with("case-source-page-at", &[("at", at)]),
        Source::Own => locale.text("case-source-own"),
        Source::Package { id } => {
            let letter = file.letters.iter().find(|letter| letter.id == *id);
            let what =
                letter.map_or_else(|| id.short().to_owned(), |letter| letter_words(letter, locale));
            locale.text_with("case-source-package-of", &[("what", &what)])
        }
    }
}

/// Returns the day to look again, what an entry corrects and settles, and what stands in for it.
fn more(entry: &Entry, file: &CaseFile, locale: Locale) -> Vec<String> {
    let said = &entry.said;
    let mut more = Vec::new();
    if let Some(day) = said.follow_up {
        more.push(locale.text_with("case-follows-up", &[("day", &day)]));
    }
    match &said.settles {
        Some(Settled::Entry(n)) => more.push(locale.text_with("case-settles", &[("n", n)])),
        Some(Settled::Package(id)) => {
            let letter = file.letters.iter().find(|letter| letter.id == *id);
            let what = letter.map_or_else(|| id.short().to_owned(), |one| one.subject.clone());
            more.push(locale.text_with("case-settles-package", &[("what", &what)]));
        }
        None => {}
    }
    if let Some(n) = said.corrects {
        more.push(locale.text_with("case-corrects", &[("n", &n)]));
    }
    if let Some(n) = file.replaced_by(entry.n) {
        more.push(locale.text_with("case-replaced", &[("n", &n)]));
    }
    more
}
