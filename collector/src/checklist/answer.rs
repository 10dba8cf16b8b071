//! What people answer: yes, no with a target date, or not applicable with a reason.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use shirase_shared::ids::FacilityId;

use super::{Item, SheetKey};
use crate::audit::Actor;
use crate::locale::{Locale, visible};

/// Longest name of whoever said so, and longest note, in characters.
const NAME_MAX_CHARS: usize = 200;
const NOTE_MAX_CHARS: usize = 1000;

/// An answer to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answered {
    /// It is done.
    Yes,
    /// It is not done yet; there is a day by which it will be.
    No,
    /// It does not concern this sheet.
    NotApplicable,
}

impl Answered {
    /// Every answer, in the order a form shows them.
    pub const ALL: [Self; 3] = [Self::Yes, Self::No, Self::NotApplicable];

    /// Returns the name used in the database and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Yes => "checklist-yes",
            Self::No => "checklist-no",
            Self::NotApplicable => "checklist-not-applicable",
        }
    }

    /// Reads its name back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The answer.
    pub answer: Answered,
    /// The day on which it was looked into.
    pub checked_on: Date,
    /// By when it will be done; only with no.
    pub target_on: Option<Date>,
    /// Who made sure, by name: it can be somebody of a company who never signs in here. Empty: whoever entered it.
    pub said_by: String,
    /// Anything else; with not applicable the reason.
    pub note: String,
}

/// One version of an answer. The one with the highest revision is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Whose it is.
    pub facility: FacilityId,
    /// The list.
    pub list: String,
    /// The sheet of it.
    pub sheet: SheetKey,
    /// The company the sheet is about; empty for the institution.
    pub company: String,
    /// The item.
    pub item: String,
    /// Its version, from 1.
    pub revision: u32,
    /// The Japanese words that were answered: a list's file can be corrected later.
    pub asked: String,
    /// What was answered.
    pub entry: Entry,
    /// Who entered it.
    pub set_by: Actor,
    /// When.
    pub set_at: Timestamp,
}

impl Filled {
    /// Whether the item reads otherwise now.
    #[must_use]
    pub fn answers_other_words(&self, item: &Item) -> bool {
        self.asked != item.text.ja
    }
}

/// How an item stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nobody answered.
    Open,
    /// Yes.
    Yes,
    /// No, and the day by which it will be done is ahead.
    Planned,
    /// No, and that day is over.
    Overdue,
    /// Not applicable.
    NotApplicable,
}

impl Standing {
    /// Judges an answer on a day.
    #[must_use]
    pub fn of(entry: Option<&Entry>, day: Date) -> Self {
        let Some(entry) = entry else { return Self::Open };
        match entry.answer {
            Answered::Yes => Self::Yes,
            Answered::NotApplicable => Self::NotApplicable,
            Answered::No if entry.target_on.is_some_and(|target| target < day) => Self::Overdue,
            Answered::No => Self::Planned,
        }
    }
}

/// How many items of a sheet stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Items on the sheet.
    pub all: usize,
    /// Not answered.
    pub open: usize,
    /// Yes.
    pub yes: usize,
    /// No, planned.
    pub planned: usize,
    /// No, the day over.
    pub overdue: usize,
    /// Not applicable.
    pub not_applicable: usize,
}

impl Tally {
    /// Counts.
    #[must_use]
    pub fn of(standings: impl Iterator<Item = Standing>) -> Self {
        let mut tally = Self::default();
        for standing in standings {
            tally.all += 1;
            *match standing {
                Standing::Open => &mut tally.open,
                Standing::Yes => &mut tally.yes,
                Standing::Planned => &mut tally.planned,
                Standing::Overdue => &mut tally.overdue,
                Standing::NotApplicable => &mut tally.not_applicable,
            } += 1;
        }
        tally
    }
}

/// What stands in the inputs of a form, by name.
pub type Inputs = BTreeMap<&'static str, String>;

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// None was chosen.
    NoAnswer,
    /// The day it was looked into is no day.
    CheckedUnreadable,
    /// The day it was looked into is ahead.
    CheckedAhead,
    /// No without a day by which it will be done.
    TargetMissing,
    /// That day is no day.
    TargetUnreadable,
    /// That day lies before the one on which it was looked into.
    TargetBefore,
    /// Not applicable without a reason.
    ReasonMissing,
    /// A name that is too long.
    NameTooLong,
    /// A note that is too long.
    NoteTooLong,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Self; 9] = [
        Self::NoAnswer,
        Self::CheckedUnreadable,
        Self::CheckedAhead,
        Self::TargetMissing,
        Self::TargetUnreadable,
        Self::TargetBefore,
        Self::ReasonMissing,
        Self::NameTooLong,
        Self::NoteTooLong,
    ];

    /// Says it, and what to do.
    #[must_use]
    pub fn words(self, locale: Locale) -> String {
        locale.text(match self {
            Self::NoAnswer => "checklist-flaw-no-answer",
            Self::CheckedUnreadable => "checklist-flaw-checked",
            Self::CheckedAhead => "checklist-flaw-checked-ahead",
            Self::TargetMissing => "checklist-flaw-target-missing",
            Self::TargetUnreadable => "checklist-flaw-target",
            Self::TargetBefore => "checklist-flaw-target-before",
            Self::ReasonMissing => "checklist-flaw-reason",
            Self::NameTooLong => "checklist-flaw-name",
            Self::NoteTooLong => "checklist-flaw-note",
        })
    }
}

/// Reads the inputs of a form: `answer`, `checked_on`, `target_on`, `said_by`, `note`.
///
/// What could hide in a text is written out. Without a day it was looked into today. A target counts only with no: with another answer it is left out.
///
/// # Errors
/// Returns everything that is wrong.
pub fn read(inputs: &Inputs, today: Date) -> Result<Entry, Vec<Flaw>> {
    let said = |name: &str| inputs.get(name).map_or("", |text| text.trim());
    let mut flaws = Vec::new();
    let answer = Answered::parse(said("answer"));
    if answer.is_none() {
        flaws.push(Flaw::NoAnswer);
    }
    let checked_on = match said("checked_on") {
        "" => today,
        text => text.parse().unwrap_or_else(|_| {
            flaws.push(Flaw::CheckedUnreadable);
            today
        }),
    };
    if today < checked_on {
        flaws.push(Flaw::CheckedAhead);
    }
    let target_on = if answer == Some(Answered::No) {
        read_target(said("target_on"), checked_on, &mut flaws)
    } else {
        None
    };
    let plain = |name: &str| visible(&said(name).replace('\r', ""));
    let (said_by, note) = (plain("said_by"), plain("note"));
    if answer == Some(Answered::NotApplicable) && note.is_empty() {
        flaws.push(Flaw::ReasonMissing);
    }
    if NAME_MAX_CHARS < said_by.chars().count() {
        flaws.push(Flaw::NameTooLong);
    }
    if NOTE_MAX_CHARS < note.chars().count() {
        flaws.push(Flaw::NoteTooLong);
    }

    match answer {
        Some(answer) if flaws.is_empty() => {
            Ok(Entry { answer, checked_on, target_on, said_by, note })
        }
        Some(_) | None => Err(flaws),
    }
}

fn read_target(text: &str, checked_on: Date, flaws: &mut Vec<Flaw>) -> Option<Date> {
    if text.is_empty() {
        flaws.push(Flaw::TargetMissing);
        return None;
    }
    let Ok(target) = text.parse::<Date>() else {
        flaws.push(Flaw::TargetUnreadable);
        return None;
    };
    if target < checked_on {
        flaws.push(Flaw::TargetBefore);
    }
    Some(target)
}
