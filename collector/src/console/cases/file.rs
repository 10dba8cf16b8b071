//! One case: how it became known, what is open, its record, and the form of an entry.

use askama::Template;
use jiff::civil::Date;

use super::super::frame::Frame;
use super::super::settings::Choice;
use super::super::ui::{Badge, Tone};
use super::{name_of, title_of};
use crate::cases::{
    CaseFile, Entry, EntryKind, Heading, Letter, Settled, Source, Statement, usual_bases,
};
use crate::facilities::FacilityKind;
use crate::institutions::Institution;
use crate::locale::{Locale, japan_time};

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
    /// The form of a new entry.
    pub form: EntryForm,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
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
    /// Whether it counts no longer.
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
            form: EntryForm::of((file, kind), sent, today, locale),
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

fn letter_words(letter: &Letter, locale: Locale) -> String {
    let way = locale.text(if letter.came { "exchange-came" } else { "exchange-went" });
    let kind = locale.text(&letter.kind.label_key());
    format!("{} {way} {kind} {}", japan_time(letter.made_at), letter.subject)
}

impl EntryRow {
    fn of(entry: &Entry, file: &CaseFile, locale: Locale) -> Self {
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
            void: file.replaced_by(entry.n).is_some() || said.kind == EntryKind::Void,
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
        let from = |id: &crate::exchange::PackageId| {
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
