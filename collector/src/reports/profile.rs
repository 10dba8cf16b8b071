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

mod check;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Deserialize;
use shirase_shared::config::{Problem, parse};
use shirase_shared::tls::sha256_hex;

use super::fields::Field;
use crate::approval::FrozenProfile;
use crate::locale::Lang;

/// Id of the first contact to the ministry.
pub const MHLW_CONTACT: &str = "jp-mhlw-contact";
/// The profiles built in, each with the name of its file.
const BUILT_IN: &[(&str, &str)] =
    &[("jp-mhlw-contact.toml", include_str!("../../profiles/jp-mhlw-contact.toml"))];

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

/// What a profile's file says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Its name, for example `jp-mhlw-contact`. The file has the same name.
    pub id: String,
    /// The first day it counts.
    pub valid_from: Date,
    /// The last day it counts; open while absent.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Numbers of the fields, in the order in which they are told.
    pub fields: Vec<Field>,
    /// Fields that follow as annexes.
    #[serde(default)]
    pub annexes: Vec<Field>,
    /// Heading of the document.
    pub title: Words,
    /// What is said before the fields.
    pub opening: Words,
    /// The duty it serves.
    pub duty: Duty,
    /// Labels of this addressee, by number of the field, where they differ from the ordinary ones.
    #[serde(default)]
    pub labels: BTreeMap<String, Words>,
    /// Whom it goes to, by time.
    pub contacts: Vec<Contact>,
}

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Words {
    /// Returns the text in one language.
    #[must_use]
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ja => &self.ja,
            Lang::En => &self.en,
        }
    }
}

/// The duty a profile serves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// The law or notice.
    pub legal_basis: Words,
    /// From when it runs.
    pub starts: Words,
    /// How much time there is, in the words of the notice.
    pub deadline: Words,
    /// Where that was read.
    pub source_url: String,
    /// When it was last checked.
    pub last_verified: Date,
    /// How sure it is.
    pub confidence: Confidence,
}

/// An office and how to reach it, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name of the office.
    pub office: Words,
    /// Telephone; empty until confirmed.
    #[serde(default)]
    pub phone: String,
    /// Mail address; empty until confirmed.
    #[serde(default)]
    pub mail: String,
    /// The first day it counts.
    pub valid_from: Date,
    /// The last day it counts; open while absent.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Where that was read.
    pub source_url: String,
    /// When it was last checked.
    pub last_verified: Date,
    /// How sure it is.
    pub confidence: Confidence,
}

/// How sure a fact about an addressee is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Read in the source it names.
    Confirmed,
    /// Read in another text that quotes or dates it.
    Secondary,
    /// Nobody checked it.
    Unverified,
}

impl Confidence {
    /// Whether it has to be shown as 未確認.
    #[must_use]
    pub const fn is_doubtful(self) -> bool {
        match self {
            Self::Confirmed => false,
            Self::Secondary | Self::Unverified => true,
        }
    }
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// Returns every mistake with its line, its key and what to do.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        let body: Body = parse(text)?;

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

    /// Returns every profile, by id.
    pub fn all(&self) -> impl Iterator<Item = &Profile> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests;
