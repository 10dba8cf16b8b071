//! The cyber security checklist: the lists there are, one sheet to be filled, and what changed since the year before.

use std::collections::BTreeMap;

use askama::Template;
use jiff::civil::Date;

use super::frame::Frame;
use super::settings::Choice;
use super::ui::{Badge, Tone};
use crate::checklist::{
    Answered, Checklist, Entry, Filled, Inputs, Paper, PaperChanges, PaperItem, PaperSheet,
    Standing,
};
use crate::locale::Locale;

/// Most lines of evidence that are open from the start.
const OPEN_EVIDENCE_MAX: usize = 4;

/// The lists there are.
#[derive(Template)]
#[template(path = "checklists.html")]
pub struct ChecklistsPage {
    /// What stands around it.
    pub f: Frame,
    /// Whether there is a list for today.
    pub covered: bool,
    /// The lists, the newest year first.
    pub lists: Vec<ListCard>,
}

/// One list with how its sheets stand.
pub struct ListCard {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// The days it is for.
    pub from: String,
    /// The last of them.
    pub to: String,
    /// Whether there is a list of a year before.
    pub has_before: bool,
    /// Its sheets.
    pub sheets: Vec<PaperSheet>,
}

impl ListCard {
    /// Shows a list.
    #[must_use]
    pub fn of(list: &Checklist, has_before: bool, sheets: Vec<PaperSheet>, locale: Locale) -> Self {
        Self {
            id: list.body.id.clone(),
            title: list.body.title.in_lang(locale.lang()).to_owned(),
            from: list.body.valid_from.to_string(),
            to: list.body.valid_to.to_string(),
            has_before,
            sheets,
        }
    }
}

/// One sheet, to be read and filled.
#[derive(Template)]
#[template(path = "checklist.html")]
pub struct SheetPage {
    /// What stands around it.
    pub f: Frame,
    /// Id of its list.
    pub list: String,
    /// Everything in words; of sheets this one alone.
    pub paper: Paper,
    /// The sheet.
    pub sheet: PaperSheet,
    /// The sheets of the list: key, words, whether it is this one.
    pub links: Vec<(String, String, bool)>,
    /// The parts: heading and items.
    pub groups: Vec<(String, Vec<ItemView>)>,
    /// The item that was refused, if one was: name and number.
    pub refused: Option<(String, String)>,
}

/// One item with its form and its history.
pub struct ItemView {
    /// In words.
    pub said: PaperItem,
    /// How it stands.
    pub badge: Badge,
    /// How many lines of evidence want to be looked at.
    pub look: usize,
    /// Whether evidence is open from the start.
    pub evidence_open: bool,
    /// The form.
    pub form: ItemForm,
    /// Earlier answers, the newest first.
    pub earlier: Vec<EarlierRow>,
}

/// The inputs of an answer.
pub struct ItemForm {
    /// The version the reader sees.
    pub revision: u32,
    /// The answers to choose from.
    pub choices: Vec<Choice>,
    /// When it was looked into.
    pub checked_on: String,
    /// By when it will be done.
    pub target_on: String,
    /// Who made sure.
    pub said_by: String,
    /// Anything else.
    pub note: String,
    /// What was wrong with what was sent.
    pub problems: Vec<String>,
}

/// An answer that another took the place of.
pub struct EarlierRow {
    /// Its version.
    pub revision: u32,
    /// What it was.
    pub answer: String,
    /// When it was looked into.
    pub checked: String,
    /// By when it was to be done.
    pub target: String,
    /// Its note.
    pub note: String,
    /// Who said and who entered it, and when.
    pub by: String,
    /// The words that were answered, where the item reads otherwise now.
    pub asked: String,
}

/// What was sent and refused.
pub struct Refused<'a> {
    /// The item.
    pub item: &'a str,
    /// What stood in the inputs.
    pub inputs: &'a Inputs,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

/// What the views of items are made from.
pub struct ItemsInput<'a> {
    /// The list.
    pub list: &'a Checklist,
    /// Every version of every answer of the sheet, by item, the newest first.
    pub versions: &'a BTreeMap<String, Vec<Filled>>,
    /// Says who entered a version.
    pub by: &'a dyn Fn(&Filled) -> String,
    /// What was refused, if something was.
    pub refused: Option<&'a Refused<'a>>,
    /// Today.
    pub day: Date,
    /// The language.
    pub locale: Locale,
}

impl ItemView {
    /// Shows an item.
    #[must_use]
    pub fn of(said: PaperItem, input: &ItemsInput<'_>) -> Self {
        let versions = input.versions.get(&said.id).map_or(&[][..], Vec::as_slice);
        let refused = input.refused.filter(|refused| refused.item == said.id);
        let asked = input.list.item(&said.id);
        let earlier = versions.iter().skip(1).map(|version| EarlierRow {
            revision: version.revision,
            answer: input.locale.text(version.entry.answer.label_key()),
            checked: version.entry.checked_on.to_string(),
            target: version
                .entry
                .target_on
                .map(|day| day.to_string())
                .unwrap_or_default(),
            note: version.entry.note.clone(),
            by: (input.by)(version),
            asked: asked
                .filter(|item| version.answers_other_words(item))
                .map(|_| version.asked.clone())
                .unwrap_or_default(),
        });
        let look = said.evidence.iter().filter(|one| !one.mark.is_empty());
        Self {
            badge: Badge { tone: tone(said.standing), text: said.answer.clone() },
            look: look.count(),
            evidence_open: said.evidence.len() <= OPEN_EVIDENCE_MAX,
            form: ItemForm::of(versions.first(), refused, (input.day, input.locale)),
            earlier: earlier.collect(),
            said,
        }
    }
}

impl ItemForm {
    fn of(
        newest: Option<&Filled>,
        refused: Option<&Refused<'_>>,
        (day, locale): (Date, Locale),
    ) -> Self {
        let known: Inputs = match refused {
            Some(refused) => refused.inputs.clone(),
            None => newest
                .map(|newest| inputs(&newest.entry))
                .unwrap_or_default(),
        };
        let said = |name: &str| known.get(name).cloned().unwrap_or_default();
        let chosen = said("answer");
        Self {
            revision: newest.map_or(0, |newest| newest.revision),
            choices: Answered::ALL
                .iter()
                .map(|one| Choice {
                    code: one.as_str().to_owned(),
                    text: locale.text(one.label_key()),
                    chosen: chosen == one.as_str(),
                })
                .collect(),
            // An answer given anew was looked into anew: the day is today unless somebody says otherwise.
            checked_on: if refused.is_some() { said("checked_on") } else { day.to_string() },
            target_on: said("target_on"),
            said_by: said("said_by"),
            note: said("note"),
            problems: refused
                .map(|refused| refused.problems.clone())
                .unwrap_or_default(),
        }
    }
}

/// Returns an answer as the inputs of a form hold it.
fn inputs(entry: &Entry) -> Inputs {
    let target = entry
        .target_on
        .map(|day| day.to_string())
        .unwrap_or_default();
    [
        ("answer", entry.answer.as_str().to_owned()),
        ("target_on", target),
        ("said_by", entry.said_by.clone()),
        ("note", entry.note.clone()),
    ]
    .into()
}

const fn tone(standing: Standing) -> Tone {
    match standing {
        Standing::Open => Tone::Low,
        Standing::Yes => Tone::Well,
        Standing::Planned => Tone::Medium,
        Standing::Overdue => Tone::High,
        Standing::NotApplicable => Tone::Quiet,
    }
}

/// What changed since the year before.
#[derive(Template)]
#[template(path = "checklist_changes.html")]
pub struct ChangesPage {
    /// What stands around it.
    pub f: Frame,
    /// Id of the list.
    pub list: String,
    /// What it is called.
    pub title: String,
    /// The comparison; none if there is no list of a year before.
    pub changes: Option<PaperChanges>,
}
