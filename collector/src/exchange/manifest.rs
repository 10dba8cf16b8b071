//! The manifest of a package: what it is, from whom to whom, and which files belong to it.
//!
//! Its text is canonical JSON (see `approval::canonical`). Whatever is not exactly the canonical text of what was read is
//! refused, so that two readers never understand one text differently.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shirase_shared::ids::ReportId;

use super::hash_id::is_hash;
use super::kind::{PackageKind, Tlp};
use super::{CardId, FileName, PackageId, line_problem, text_problem};
use crate::approval::canonical::canonical;

/// Names the layout, so that a later one can never be taken for this.
pub(super) const LAYOUT: &str = "shirase-package-1";
/// Largest manifest.
pub const MANIFEST_MAX_BYTES: usize = 256 * 1024;
/// Most files of a package.
pub const FILES_MAX: usize = 32;
/// Largest file.
pub const FILE_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Largest sum of all files.
pub const FILES_MAX_BYTES: u64 = 24 * 1024 * 1024;
/// Longest subject, in characters.
pub const SUBJECT_MAX_CHARS: usize = 200;
/// Longest text, in characters.
pub const TEXT_MAX_CHARS: usize = 20_000;
/// Longest name of a person.
const PERSON_MAX_CHARS: usize = 120;
/// Longest name of a profile.
const PROFILE_MAX_CHARS: usize = 64;

/// What a package is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Names the layout.
    pub layout: String,
    /// What it is.
    pub kind: PackageKind,
    /// The sender's card.
    pub sender: CardId,
    /// The addressee's card.
    pub addressee: CardId,
    /// When it was made, by the sender's clock.
    pub made_at: Timestamp,
    /// How far it may be passed on.
    pub tlp: Tlp,
    /// Whether it is an exercise's (訓練).
    pub drill: bool,
    /// The package that began the thread; `None` for that one itself.
    pub thread: Option<PackageId>,
    /// The package it answers.
    pub reply_to: Option<PackageId>,
    /// Its place among the sender's packages of the thread, from 1; 0 for an acknowledgement.
    pub order: u32,
    /// One line.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// Who wrote it and who released it, by name; none of a sharing product, which names nobody.
    pub released: Option<ReleasedBy>,
    /// The report it carries.
    pub report: Option<ReportRef>,
    /// What it acknowledges.
    pub acknowledges: Option<Acknowledged>,
    /// Its files.
    pub files: Vec<FileEntry>,
}

/// Who wrote a package and who released it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedBy {
    /// Who wrote it; for a report everybody who approved it stands in the report itself, and this is empty.
    pub written_by: String,
    /// Who released it.
    pub released_by: String,
}

/// Which report a package carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportRef {
    /// Its id at the sender.
    pub report: ReportId,
    /// The revision that was approved.
    pub revision: u32,
    /// The profile it follows.
    pub profile: String,
    /// The sender's number of the incident.
    pub incident_number: u64,
    /// Hash of its frozen answers.
    pub answers_sha256: String,
}

/// What happened to a package at its addressee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// Which package.
    pub package: PackageId,
    /// What happened.
    pub what: AckKind,
    /// When, by the addressee's clock.
    pub at: Timestamp,
    /// Who read it, by name; empty for the machine that stored it.
    pub by: String,
}

/// What an acknowledgement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckKind {
    /// It is on the addressee's disk.
    Stored,
    /// A named person read it.
    Read,
}

impl AckKind {
    /// Returns the name used in manifests and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Read => "read",
        }
    }
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name.
    pub name: FileName,
    /// Its hash.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// Why a text is no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is larger than a manifest is.
    #[error("its manifest has more than {MANIFEST_MAX_BYTES} bytes; it was not made by Shirase")]
    TooLarge,
    /// It is no JSON, or a member is missing, unknown or of another type.
    #[error("its manifest does not read ({0}); have the partner send it anew")]
    Unreadable(String),
    /// It was made by another version.
    #[error(
        "its manifest has the layout `{0}`, which this version does not know; update the collector"
    )]
    Layout(String),
    /// It is of a kind this version does not know.
    #[error("it is of the kind `{0}`, which this version does not know; update the collector")]
    UnknownKind(String),
    /// It reads, but is not written the one way a manifest is.
    #[error(
        "its manifest is not in canonical form; it was changed on the way or not made by Shirase"
    )]
    NotCanonical,
    /// A member cannot stand.
    #[error("its manifest's `{member}` {reason}; have the partner send it anew")]
    Member {
        /// Which.
        member: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Manifest {
    /// Reads a manifest strictly.
    ///
    /// # Errors
    /// Says what is wrong and what to do.
    pub fn read(bytes: &[u8]) -> Result<Self, ManifestError> {
        if MANIFEST_MAX_BYTES < bytes.len() {
            return Err(ManifestError::TooLarge);
        }
        let unreadable = |error: serde_json::Error| ManifestError::Unreadable(error.to_string());
        let value: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
        let said = |member: &str| {
            value
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        if said("layout") != LAYOUT {
            return Err(ManifestError::Layout(shown(said("layout"))));
        }
        let kind = said("kind");
        if PackageKind::parse(kind).is_none() {
            return Err(ManifestError::UnknownKind(shown(kind)));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        if manifest.text()?.as_bytes() != bytes {
            return Err(ManifestError::NotCanonical);
        }
        manifest.check()?;

        Ok(manifest)
    }

    /// Returns its canonical text.
    ///
    /// # Errors
    /// Never in practice: it holds texts and whole numbers.
    pub fn text(&self) -> Result<String, ManifestError> {
        canonical(self).map_err(|error| ManifestError::Unreadable(error.to_string()))
    }

    /// Checks what its members say together.
    ///
    /// # Errors
    /// Names the first member that cannot stand.
    pub fn check(&self) -> Result<(), ManifestError> {
        member("subject", line_problem(&self.subject, SUBJECT_MAX_CHARS))?;
        member("text", text_problem(&self.text, TEXT_MAX_CHARS))?;
        self.check_order()?;
        self.check_people()?;
        self.check_report()?;
        self.check_files()?;
        let acknowledges = self.kind == PackageKind::Acknowledgement;
        if acknowledges != self.acknowledges.is_some() {
            return Err(wrong("acknowledges", "does not go with its kind"));
        }
        if let Some(said) = &self.acknowledges {
            let problem = match said.what {
                AckKind::Stored if said.by.is_empty() => None,
                AckKind::Stored => Some("names a person where a machine stored it"),
                AckKind::Read => line_problem(&said.by, PERSON_MAX_CHARS),
            };
            member("acknowledges", problem)?;
            let bare = self.text.is_empty() && self.files.is_empty() && self.thread.is_none();
            if !bare || self.reply_to.as_ref() != Some(&said.package) {
                return Err(wrong("acknowledges", "carries more than an acknowledgement does"));
            }
        }

        Ok(())
    }

    fn check_order(&self) -> Result<(), ManifestError> {
        let fits = match (self.kind, &self.thread, self.order) {
            (PackageKind::Acknowledgement, None, 0) => true,
            (PackageKind::Acknowledgement, _, _) | (_, _, 0) => false,
            // What begins a thread is its first and answers nothing.
            (_, None, order) => order == 1 && self.reply_to.is_none(),
            (_, Some(_), _) => true,
        };
        if !fits {
            return Err(wrong("order", "does not fit its thread"));
        }
        if self.kind == PackageKind::Answer && self.reply_to.is_none() {
            return Err(wrong("reply_to", "is missing, though it is an answer"));
        }

        Ok(())
    }

    fn check_people(&self) -> Result<(), ManifestError> {
        if self.kind.is_written() && self.text.trim().is_empty() {
            return Err(wrong("text", "is empty"));
        }
        let Some(released) = &self.released else {
            let nameless = matches!(
                self.kind,
                PackageKind::Acknowledgement | PackageKind::Report | PackageKind::SharingProduct
            );
            return if nameless { Ok(()) } else { Err(wrong("released", "is missing")) };
        };
        if self.kind == PackageKind::SharingProduct {
            return Err(wrong("released", "names people, though a sharing product names nobody"));
        }
        member("released", line_problem(&released.written_by, PERSON_MAX_CHARS))?;
        member("released", line_problem(&released.released_by, PERSON_MAX_CHARS))
    }

    fn check_report(&self) -> Result<(), ManifestError> {
        if (self.kind == PackageKind::Report) != self.report.is_some() {
            return Err(wrong("report", "does not go with its kind"));
        }
        let Some(report) = &self.report else { return Ok(()) };
        member("report", line_problem(&report.profile, PROFILE_MAX_CHARS))?;
        if !is_hash(&report.answers_sha256) {
            return Err(wrong("report", "names no hash of answers"));
        }
        if self.files.is_empty() {
            return Err(wrong("files", "is empty, though it is a report"));
        }

        Ok(())
    }

    fn check_files(&self) -> Result<(), ManifestError> {
        if FILES_MAX < self.files.len() {
            return Err(wrong("files", "names more than 32 files"));
        }
        let mut sum: u64 = 0;
        let mut names: Vec<String> = Vec::new();
        for file in &self.files {
            if !is_hash(&file.sha256) {
                return Err(wrong("files", "names no hash of a file"));
            }
            if FILE_MAX_BYTES < file.bytes {
                return Err(wrong("files", "names a file of more than 16 MiB"));
            }
            sum += file.bytes;
            names.push(file.name.folded());
        }
        names.sort();
        names.dedup();
        if names.len() != self.files.len() {
            return Err(wrong("files", "names one file twice"));
        }
        if FILES_MAX_BYTES < sum {
            return Err(wrong("files", "names more than 24 MiB in all"));
        }

        Ok(())
    }
}

const fn wrong(member: &'static str, reason: &'static str) -> ManifestError {
    ManifestError::Member { member, reason }
}

fn member(member: &'static str, problem: Option<&'static str>) -> Result<(), ManifestError> {
    problem.map_or(Ok(()), |reason| Err(wrong(member, reason)))
}

fn shown(text: &str) -> String {
    crate::locale::visible(text).chars().take(40).collect()
}
