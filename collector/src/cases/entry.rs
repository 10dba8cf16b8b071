//! One entry of an investigation record: what it says, under which heading, and where it is from.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::exchange::{FileName, HashIdError, PackageId};
use crate::reports::answer::NamedPerson;
use crate::tables::choices;

choices! {
    /// What an entry is about: the four things the notice of 2018 has a municipality look into, and the rest.
    Heading {
        /// 被害状況
        Damage "damage" "case-heading-damage";
        /// 対応状況
        Response "response" "case-heading-response";
        /// 復旧状況
        Recovery "recovery" "case-heading-recovery";
        /// 再発防止策
        Prevention "prevention" "case-heading-prevention";
        /// 全般
        General "general" "case-heading-general";
    }
}

choices! {
    /// What an entry is.
    EntryKind {
        /// What was found or told.
        Fact "fact" "case-entry-fact";
        /// Something that was asked (照会).
        Question "question" "case-entry-question";
        /// What was answered to it.
        Answer "answer" "case-entry-answer";
        /// What the institution was told to do (指導).
        Guidance "guidance" "case-entry-guidance";
        /// An earlier entry does not stand at all.
        Void "void" "case-entry-void";
        /// The case was closed.
        Close "close" "case-entry-close";
        /// It was opened again.
        Reopen "reopen" "case-entry-reopen";
    }
}

/// Where an entry is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// Somebody told it.
    Told {
        /// Who: a name with post, and how.
        by: String,
    },
    /// It stands in a package.
    Package {
        /// Which.
        id: PackageId,
    },
    /// It stands on a page, of the web or of paper.
    Page {
        /// Where: an address, or the title with its date.
        at: String,
    },
    /// The municipality saw or did it itself.
    Own,
}

/// What an entry answers or ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Settled {
    /// A question or a follow-up of the record.
    Entry(u32),
    /// A question that went out as a package.
    Package(PackageId),
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(n) => n.fmt(f),
            Self::Package(id) => id.fmt(f),
        }
    }
}

impl FromStr for Settled {
    type Err = HashIdError;

    /// A number is an entry; an id of a package has 64 digits, which no number of ours has.
    fn from_str(text: &str) -> Result<Self, HashIdError> {
        match text.parse() {
            Ok(n) => Ok(Self::Entry(n)),
            Err(_) => text.parse().map(Self::Package),
        }
    }
}

/// What a person enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub heading: Heading,
    /// What it is.
    pub kind: EntryKind,
    /// What it says.
    pub text: String,
    /// Where it is from.
    pub source: Source,
    /// The legal basis; empty where none is needed.
    pub legal_basis: String,
    /// The day it was told, seen or done.
    pub on: Date,
    /// The day to look again.
    pub follow_up: Option<Date>,
    /// The entry it stands in for.
    pub corrects: Option<u32>,
    /// What it answers or ends.
    pub settles: Option<Settled>,
}

/// A file kept beside an entry, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile {
    /// Its name.
    pub name: FileName,
    /// SHA-256 of its content, lower-case hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// One entry of a record. Never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number within the case, from 1.
    pub n: u32,
    /// What it says.
    pub said: Statement,
    /// The file kept beside it, if there is one.
    pub file: Option<KeptFile>,
    /// Who entered it.
    pub by: NamedPerson,
    /// When.
    pub at: Timestamp,
}
