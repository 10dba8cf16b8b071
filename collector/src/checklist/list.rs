//! What the file of one fiscal year's checklist says.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shirase_shared::config::{Problem, parse};
use shirase_shared::tls::sha256_hex;

use super::check;
use crate::reports::profile::{Confidence, Words};

/// The lists this program brings along, each with the name of its file.
pub(super) const BUILT_IN: &[(&str, &str)] =
    &[("jp-2025.toml", include_str!("../../checklists/jp-2025.toml"))];

/// What a checklist's file says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Its name, for example `jp-2025`. The file has the same name.
    pub id: String,
    /// The fiscal year it is for: that in which `valid_from` lies.
    pub fiscal_year: i16,
    /// The first day of that year.
    pub valid_from: Date,
    /// The last day of that year: targets should not lie beyond it.
    pub valid_to: Date,
    /// Where it was read.
    pub source_url: String,
    /// When that was last read.
    pub last_verified: Date,
    /// How sure it is as a whole.
    pub confidence: Confidence,
    /// What it is called.
    pub title: Words,
    /// What a reader has to know of its words.
    pub note: Words,
    /// What a reader has to know of the vendor's sheet.
    pub vendor_note: Words,
    /// Its parts, in their order.
    pub groups: Vec<Group>,
    /// Its items, in their order.
    pub items: Vec<Item>,
}

/// Items under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name in the file.
    pub id: String,
    /// The heading.
    pub heading: Words,
}

/// One thing that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name, for example `2-1`: what answers are kept under.
    pub id: String,
    /// Its number on paper, for example `2-①`.
    pub number: String,
    /// The group it stands in.
    pub group: String,
    /// What is asked. The English words are a translation of this program's.
    pub text: Words,
    /// Where the Japanese words were read.
    pub wording: Wording,
    /// Whether the words are shorter than those of the paper.
    #[serde(default)]
    pub shortened: bool,
    /// The sheets it stands on.
    pub sheets: Vec<SheetKind>,
    /// What this collector knows that bears on it.
    #[serde(default)]
    pub evidence: Vec<Basis>,
    /// Items of the year before that it continues. Left out, it is the one of the same name; empty, it is new.
    #[serde(default)]
    pub follows: Option<Vec<String>>,
}

/// Where the words of an item were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    /// In the final paper of that year.
    Official,
    /// In a draft of that year's paper.
    Draft,
    /// In the paper of an earlier year.
    Earlier,
    /// Nowhere: they are from memory and have to be checked.
    Unread,
}

/// Who fills a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SheetKind {
    /// The institution, for itself.
    Institution,
    /// The institution with a company that maintains a system, one sheet each.
    Vendor,
}

/// Something this collector knows that can bear on an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// What the hosts do for care.
    CareSystems,
    /// Who is named in the address book as answering for safety.
    SafetyManager,
    /// The hosts with an agent, and when each was last heard.
    Hosts,
    /// Remote sessions out of hours.
    RemoteSessions,
    /// How many administrators hosts have, and new ones.
    Administrators,
    /// The accounts of this collector.
    Accounts,
    /// Operating systems, agents, restarts.
    Versions,
    /// Antivirus and its like, stopped and removed ones.
    Guards,
    /// How long passwords of this collector are.
    Passwords,
    /// Who of this collector's people has a second factor.
    SecondFactor,
    /// Whether logons and logs are watched, logs that were cut, and how long records stay.
    Logs,
    /// Bursts of failed logons.
    LogonFailures,
    /// The emergency chart.
    ContactChart,
    /// Backups that are looked after, and lost ones.
    Backups,
    /// Drills.
    Drills,
    /// Products for remote control that run on hosts.
    RemoteTools,
    /// Accounts of hosts nobody signs in with.
    IdleAccounts,
    /// Whether hosts keep USB storage out.
    UsbStorage,
    /// Programs of hosts that wait for others to connect.
    Listeners,
}

impl Item {
    /// Whether it stands on a sheet of this kind.
    #[must_use]
    pub fn stands_on(&self, kind: SheetKind) -> bool {
        self.sheets.contains(&kind)
    }

    /// Returns the names of the items of the year before that it continues.
    #[must_use]
    pub fn predecessors(&self) -> Vec<&str> {
        match &self.follows {
            None => vec![self.id.as_str()],
            Some(names) => names.iter().map(String::as_str).collect(),
        }
    }

    /// Returns the key of what has to be said about its words, if something has.
    #[must_use]
    pub const fn doubt_key(&self) -> Option<&'static str> {
        match (self.wording, self.shortened) {
            (Wording::Official, false) => None,
            (Wording::Official, true) => Some("checklist-wording-official-short"),
            (Wording::Draft, false) => Some("checklist-wording-draft"),
            (Wording::Draft, true) => Some("checklist-wording-draft-short"),
            (Wording::Earlier, false) => Some("checklist-wording-earlier"),
            (Wording::Earlier, true) => Some("checklist-wording-earlier-short"),
            (Wording::Unread, false) => Some("checklist-wording-unread"),
            (Wording::Unread, true) => Some("checklist-wording-unread-short"),
        }
    }
}

/// One checklist, ready for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checklist {
    /// What it says.
    pub body: Body,
    /// SHA-256 of its file's text.
    pub version: String,
}

impl Checklist {
    /// Reads a list.
    ///
    /// # Errors
    /// Returns every mistake with its line, its key and what to do.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        Ok(Self { body: parse(text)?, version: sha256_hex(text.as_bytes()) })
    }

    /// Returns the items of one kind of sheet, in their order.
    pub fn items(&self, kind: SheetKind) -> impl Iterator<Item = &Item> {
        self.body
            .items
            .iter()
            .filter(move |item| item.stands_on(kind))
    }

    /// Returns an item by its name.
    #[must_use]
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.body.items.iter().find(|item| item.id == id)
    }
}

/// A checklist's file with mistakes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the checklist `{file}` has mistakes: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" / "))]
pub struct ChecklistError {
    /// Name of the file.
    pub file: String,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Every checklist this collector knows, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checklists(BTreeMap<String, Checklist>);

impl Checklists {
    /// Takes the built-in lists, replaces those a hospital has its own file for, and adds those of other years.
    ///
    /// `files` are names such as `jp-2026.toml` with their texts.
    ///
    /// # Errors
    /// Names every file with mistakes; no list is used then.
    pub fn with_files(files: &[(String, String)]) -> Result<Self, Vec<ChecklistError>> {
        let built_in = BUILT_IN
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
        let mut lists: BTreeMap<String, Checklist> = BTreeMap::new();
        let mut errors = Vec::new();
        for (file, text) in built_in.chain(files.iter().cloned()) {
            let read = Checklist::read(&text).and_then(|list| check::name(&file, list));
            match read.and_then(|list| check::year(list, lists.values())) {
                Ok(list) => {
                    lists.insert(list.body.id.clone(), list);
                }
                Err(problems) => errors.push(ChecklistError { file, problems }),
            }
        }

        if errors.is_empty() { Ok(Self(lists)) } else { Err(errors) }
    }

    /// Returns a list by its id.
    #[must_use]
    pub fn list(&self, id: &str) -> Option<&Checklist> {
        self.0.get(id)
    }

    /// Returns every list, the newest year first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<&Checklist> {
        let mut lists: Vec<&Checklist> = self.0.values().collect();
        lists.sort_by_key(|list| std::cmp::Reverse(list.body.fiscal_year));
        lists
    }

    /// Returns the list of the year before one, or of the last year before it that there is one for.
    #[must_use]
    pub fn before(&self, list: &Checklist) -> Option<&Checklist> {
        let earlier = |other: &&Checklist| other.body.fiscal_year < list.body.fiscal_year;
        self.newest_first().into_iter().find(earlier)
    }

    /// Whether there is a list for a day.
    #[must_use]
    pub fn covers(&self, day: Date) -> bool {
        let Self(lists) = self;
        lists
            .values()
            .any(|list| list.body.valid_from <= day && day <= list.body.valid_to)
    }
}
