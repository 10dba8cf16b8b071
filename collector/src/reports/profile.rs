//! Which answers one addressee wants, in what order, on what basis: dated data that a hospital can correct.
//!
//! ```text
//! built in  ◀── replaced by ── <data>/profiles/<id>.toml
//! ```
//!
//! Always holds:
//! - a profile's version is the SHA-256 of its file's text, and that text is frozen with the answers;
//! - what nobody confirmed says so, and a number nobody confirmed is empty;
//! - no profile calls itself an official format.
//!
//! Not here: reading files (see `release`).

mod body;
mod rules;
mod built_in;
mod check;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::Offset;
use shirase_shared::config::{Problem, parse};
use shirase_shared::tls::sha256_hex;

use super::fields::Field;
use crate::approval::FrozenProfile;
use crate::locale::Lang;

pub use body::{Addressee, Body, Confidence, Contact, Duty, Group, ReportedBy, RoundRule, Words};
use built_in::BUILT_IN;
pub use rules::{
    Amount, Applies, Condition, Counting, DeadlineRule, MetBy, Obligation, RunsFrom, TermKind,
};

/// Id of the first contact to the ministry.
pub const MHLW_CONTACT: &str = "jp-mhlw-contact";
/// Series of the reports to the ministry.
pub const MHLW_SERIES: &str = "jp-mhlw";
/// Id of a municipality's first report to the ministry.
pub const MUNICIPALITY_FIRST: &str = "jp-municipality-first";
/// Series of a municipality's reports to the ministry.
pub const MUNICIPALITY_SERIES: &str = "jp-municipality";

/// One profile, ready for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What it says.
    pub body: Body,
    /// SHA-256 of its text.
    pub version: String,
    /// The text it was read from.
    pub text: String,
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// Returns every mistake with its line, its key and what to do.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        let mut body: Body = parse(text)?;
        if body.fields.is_empty() {
            let grouped = body.groups.iter().flat_map(|group| &group.fields);
            body.fields = grouped.copied().collect();
        }
        if body.series.is_empty() {
            body.series.clone_from(&body.id);
        }

        Ok(Self { body, version: sha256_hex(text.as_bytes()), text: text.to_owned() })
    }

    /// Returns the contact in force on the day of `now` in Japan.
    #[must_use]
    pub fn contact(&self, now: Timestamp) -> Option<&Contact> {
        let today = Offset::constant(9).to_datetime(now).date();
        self.body.contacts.iter().rev().find(|contact| {
            contact.valid_from <= today && contact.valid_to.is_none_or(|last| today <= last)
        })
    }

    /// Whether it counts on the day of `now` in Japan, whether or not it is switched on.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        let today = Offset::constant(9).to_datetime(now).date();
        let Body { valid_from, valid_to, .. } = &self.body;
        *valid_from <= today && valid_to.is_none_or(|last| today <= last)
    }

    /// Returns what is frozen of it.
    #[must_use]
    pub fn frozen(&self) -> FrozenProfile {
        FrozenProfile {
            id: self.body.id.clone(),
            version: self.version.clone(),
            text: self.text.clone(),
        }
    }

    /// Returns the label of a field where this addressee has its own.
    #[must_use]
    pub fn label(&self, field: Field, lang: Lang) -> Option<&str> {
        self.body
            .labels
            .get(&field.number().to_string())
            .map(|words| words.in_lang(lang))
    }
}

/// A profile's file with mistakes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile `{file}` has mistakes: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" / "))]
pub struct ProfileError {
    /// Name of the file.
    pub file: String,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Every profile this collector knows, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profiles(BTreeMap<String, Profile>);

impl Profiles {
    /// Takes the built-in profiles and replaces those a hospital has its own file for.
    ///
    /// `files` are names such as `jp-mhlw-contact.toml` with their texts.
    ///
    /// # Errors
    /// Names every file with mistakes; no profile is used then.
    pub fn with_files(files: &[(String, String)]) -> Result<Self, Vec<ProfileError>> {
        let built_in = BUILT_IN
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
        let mut profiles = BTreeMap::new();
        let mut errors = Vec::new();
        for (file, text) in built_in.chain(files.iter().cloned()) {
            match Profile::read(&text).and_then(|profile| check::name(&file, profile)) {
                Ok(profile) => {
                    profiles.insert(profile.body.id.clone(), profile);
                }
                Err(problems) => errors.push(ProfileError { file, problems }),
            }
        }

        if errors.is_empty() { Ok(Self(profiles)) } else { Err(errors) }
    }

    /// Returns a profile by its id.
    #[must_use]
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        self.0.get(id)
    }

    /// Returns the profiles of one series, by id.
    pub fn of_series<'a>(&'a self, series: &'a str) -> impl Iterator<Item = &'a Profile> {
        self.all()
            .filter(move |profile| profile.body.series == series)
    }

    /// Returns every profile, by id.
    pub fn all(&self) -> impl Iterator<Item = &Profile> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests;
