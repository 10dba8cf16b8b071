//! What each place of a form says: data a person makes once, kept beside the form.
//!
//! ```toml
//! [[place]]
//! at = "様式2!C5"            # a cell; for a DOCX the tag of a content control or the name of a bookmark
//! say = "field:9"            # what it says, see `What`
//! [[place]]
//! at = "様式2!C9"
//! say = "field:17.choice"
//! words = { yes = "有", no = "無", feared = "おそれ" }   # the form's own words
//! [[place]]
//! at = "様式2!B12"
//! say = "field:8=ransomware"  # a tick
//! ticked = "■"
//! unticked = "□"
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shirase_shared::config::{Checked, Problem, parse};

use super::saying::{What, WhatError};

/// Most places of one mapping.
pub const MAPPING_MAX: usize = 500;
/// Longest text of a place.
const TEXT_MAX: usize = 200;

/// What the places of one form say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The places.
    #[serde(default)]
    pub place: Vec<Place>,
}

/// One place and what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Where: `Sheet!C5`, or the tag of a content control, or the name of a bookmark.
    pub at: String,
    /// What it says, as text; see [`What`].
    pub say: String,
    /// How the cell takes it.
    #[serde(default, rename = "as", skip_serializing_if = "As::is_text")]
    pub kind: As,
    /// The form's own words for choices, by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
    /// What a ticked box holds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ticked: String,
    /// What an unticked box holds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unticked: String,
}

/// How a cell takes what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum As {
    /// As text.
    #[default]
    Text,
    /// As a number.
    Number,
    /// As a day, for a cell that shows dates.
    Date,
    /// As a moment in Japan, for a cell that shows dates and times.
    DateTime,
}

impl As {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

/// A place that cannot be filled as mapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{at}: {what}")]
pub struct MappingProblem {
    /// Where.
    pub at: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl MappingProblem {
    pub(super) fn new(at: &str, what: impl Into<String>) -> Self {
        Self { at: at.to_owned(), what: what.into() }
    }
}

impl Checked for Mapping {
    fn problems(&self) -> Vec<Problem> {
        let found = self.faults();
        found
            .into_iter()
            .map(|fault| Problem::of(&fault.at, fault.what, "see `official-form map --help`"))
            .collect()
    }
}

impl Mapping {
    /// Reads a mapping a person wrote as TOML.
    ///
    /// # Errors
    /// Names every mistake with its line and key.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Problem>> {
        parse(text)
    }

    /// Returns the text that is stored and hashed.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the place at `at`, if one is mapped there.
    #[must_use]
    pub fn at(&self, at: &str) -> Option<&Place> {
        self.place.iter().find(|place| place.at == at)
    }

    /// Maps a place, or takes it out of the mapping when it is to say nothing.
    pub fn put(&mut self, place: Place) {
        self.place.retain(|other| other.at != place.at);
        if !place.say.trim().is_empty() {
            self.place.push(place);
        }
        self.place.sort_by(|a, b| a.at.cmp(&b.at));
    }

    /// Returns what is wrong with it, whatever the form.
    #[must_use]
    pub fn faults(&self) -> Vec<MappingProblem> {
        let mut problems = Vec::new();
        if MAPPING_MAX < self.place.len() {
            problems.push(MappingProblem::new("place", format!("at most {MAPPING_MAX} are taken")));
        }
        let mut seen = BTreeSet::new();
        for place in &self.place {
            let mut fault = |what: String| problems.push(MappingProblem::new(&place.at, what));
            if !seen.insert(&place.at) {
                fault("is mapped twice".to_owned());
            }
            let texts = place
                .words
                .values()
                .chain([&place.at, &place.ticked, &place.unticked]);
            if texts
                .into_iter()
                .any(|text| TEXT_MAX < text.chars().count())
            {
                fault(format!("holds a text of more than {TEXT_MAX} characters"));
            }
            match place.what() {
                Ok(What::Tick { .. }) if place.ticked.is_empty() && place.unticked.is_empty() => {
                    fault("is a tick; say in `ticked` what it holds when ticked".to_owned());
                }
                Ok(_) => {}
                Err(error) => fault(error.to_string()),
            }
        }
        problems
    }
}

impl Place {
    /// Reads what it says.
    ///
    /// # Errors
    /// Names what does not read.
    pub fn what(&self) -> Result<What, WhatError> {
        self.say.parse()
    }
}
