//! An addressee's own XLSX or DOCX, uploaded by a facility and filled from frozen answers.
//!
//! ```text
//! upload ─checks─▶ stored form ─mapping (cells, controls ─▶ what they say)─▶ copy, patched in place
//! ```
//!
//! Always holds:
//! - the program ships no such file and calls none official: what a facility uploads is its own responsibility;
//! - a copy differs from the form in the mapped places alone: every other part keeps its bytes, and so does the rest of a
//!   patched sheet;
//! - a drop-down takes only what it offers, a locked cell and a formula are never written, a draft or a drill is filled
//!   only where a place for its mark is mapped;
//! - an uploaded file with macros, links to elsewhere, a password or a bomb in it is refused.
//!
//! Not here: where forms and copies are kept (see `store::official`), who may upload one (see the routes).

mod upload;
mod xml;
mod mapping;
mod saying;
mod cells;
mod sheet;
mod workbook;
mod letter;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{FacilityId, ReportId, UserId};
use shirase_shared::tls::sha256_hex;

use super::answer::Revision;
use crate::approval::Frozen;
use crate::locale::{Lang, Locale};
use crate::reports::render::Document;
use crate::reports::render::archive::ArchiveError;

pub use cells::{Area, CellName};
pub use letter::Control;
pub use mapping::{As, MAPPING_MAX, Mapping, MappingProblem, Place};
pub use saying::{Meta, Part, What, WhatError};
pub use upload::UPLOAD_MAX_BYTES;
pub use workbook::{SheetView, ViewCell};

/// First line of the text a copy's signature is over.
const SIGNED_LAYOUT: &str = "shirase-official-copy-1";

/// Name of an official form within its facility, `[a-z0-9-]`, 1 to 32 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FormId(String);

impl FormId {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FormId {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || 32 < text.len() || !text.chars().all(legal) {
            return Err(FormError::Name(text.chars().take(80).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for FormId {
    type Error = FormError;

    fn try_from(text: String) -> Result<Self, FormError> {
        text.parse()
    }
}

impl From<FormId> for String {
    fn from(id: FormId) -> Self {
        id.0
    }
}

impl fmt::Display for FormId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of file a form is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FormKind {
    /// A workbook.
    Xlsx,
    /// A text document.
    Docx,
}

impl FormKind {
    /// Returns the name used in the database and in file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Docx => "docx",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Xlsx, Self::Docx]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// An uploaded form with its mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficialForm {
    /// Whose.
    pub facility: FacilityId,
    /// Its name.
    pub id: FormId,
    /// What kind of file.
    pub kind: FormKind,
    /// Name of the file that was uploaded.
    pub file_name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// What each mapped place says.
    pub mapping: Mapping,
    /// Who uploaded it; nobody for the command line.
    pub uploaded_by: Option<UserId>,
    /// When.
    pub uploaded_at: Timestamp,
}

/// A copy that was filled for an approved report, signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledCopy {
    /// Whose.
    pub facility: FacilityId,
    /// The report it tells.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// The form.
    pub form: FormId,
    /// Hash of the form's file.
    pub form_sha256: String,
    /// Hash of the mapping it was filled by.
    pub mapping_sha256: String,
    /// Hash of the frozen answers.
    pub answers_sha256: String,
    /// Hash of the copy.
    pub sha256: String,
    /// Ed25519 in base64 over [`FilledCopy::signed_text`].
    pub signature: String,
    /// The copy.
    pub bytes: Vec<u8>,
    /// When it was made.
    pub made_at: Timestamp,
}

impl FilledCopy {
    /// Returns the text its signature is over.
    #[must_use]
    pub fn signed_text(&self) -> String {
        let Self { report, revision, form_sha256, mapping_sha256, answers_sha256, sha256, .. } =
            self;
        format!(
            "{SIGNED_LAYOUT}\nreport {report}\nrevision {revision}\nanswers-sha256 {answers_sha256}\n\
             form-sha256 {form_sha256}\nmapping-sha256 {mapping_sha256}\nfile-sha256 {sha256}\n"
        )
    }
}

/// Why a form was refused, or not filled.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// The name has other characters or is too long.
    #[error("`{0}` is no name for a form; use 1 to 32 of the characters a-z, 0-9 and -")]
    Name(String),
    /// The file is too large.
    #[error("the file has {bytes} bytes; at most {UPLOAD_MAX_BYTES} are taken")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// The container does not read, or breaks a limit.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It is encrypted or of the old binary kind.
    #[error(
        "the file is protected by a password, or of the old kind (.xls, .doc); save it as XLSX or DOCX without a password"
    )]
    OldOrEncrypted,
    /// It is neither a workbook nor a text document.
    #[error("the file is neither an XLSX workbook nor a DOCX document")]
    WrongKind,
    /// It holds macros.
    #[error("the file holds macros (`{0}`); save it without them")]
    Macros(String),
    /// It loads something from elsewhere or holds a foreign object.
    #[error(
        "the file refers to something outside itself or holds an embedded object (`{0}`); remove it"
    )]
    Foreign(String),
    /// A part is no XML this program reads.
    #[error("its part `{part}` does not read: {reason}")]
    Xml {
        /// Which.
        part: String,
        /// Why.
        reason: String,
    },
    /// The mapping does not fit the form.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Mapping(Vec<MappingProblem>),
}

/// Accepts an upload after every check; returns what kind of file it is.
///
/// # Errors
/// Says what is wrong with the file and what to do.
pub fn accept(bytes: &[u8]) -> Result<FormKind, FormError> {
    upload::accept(bytes)
}

/// What a form looks like, for the page on which it is mapped.
#[derive(Clone, Debug)]
pub enum FormView {
    /// The sheets of a workbook.
    Workbook(Vec<SheetView>),
    /// The content controls and bookmarks of a text document.
    Letter(Vec<Control>),
}

/// Shows a form.
///
/// # Errors
/// When a part does not read.
pub fn view(kind: FormKind, bytes: &[u8]) -> Result<FormView, FormError> {
    match kind {
        FormKind::Xlsx => Ok(FormView::Workbook(workbook::view(bytes)?)),
        FormKind::Docx => Ok(FormView::Letter(letter::controls(bytes)?)),
    }
}

/// What a copy is filled from.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// The answers.
    pub frozen: &'a Frozen,
    /// The document made of them.
    pub document: &'a Document,
}

impl Filling<'_> {
    fn locale(&self) -> Locale {
        Locale::new(Lang::read(self.document.lang))
    }
}

/// Fills a copy of a form.
///
/// # Errors
/// Names every place that cannot take what it should say; then nothing is filled.
pub fn fill(
    kind: FormKind,
    bytes: &[u8],
    mapping: &Mapping,
    filling: Filling<'_>,
) -> Result<Vec<u8>, FormError> {
    let said = saying::said(mapping, filling)?;
    match kind {
        FormKind::Xlsx => workbook::fill(bytes, &said),
        FormKind::Docx => letter::fill(bytes, &said),
    }
}

/// Checks that every mapped place exists and can be written, without any answers.
///
/// # Errors
/// When the form does not read.
pub fn check(
    kind: FormKind,
    bytes: &[u8],
    mapping: &Mapping,
) -> Result<Vec<MappingProblem>, FormError> {
    let mut problems = mapping.faults();
    problems.extend(match kind {
        FormKind::Xlsx => workbook::check(bytes, mapping)?,
        FormKind::Docx => letter::check(bytes, mapping)?,
    });

    Ok(problems)
}

/// Returns the hash of a mapping.
#[must_use]
pub fn mapping_sha256(mapping: &Mapping) -> String {
    sha256_hex(mapping.to_json().as_bytes())
}

#[cfg(test)]
mod tests;
