//! What can speak for harm to a file, and how much each kind says.

use std::path::PathBuf;

use shirase_shared::clock::Moment;

/// What speaks for harm to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// It gained a suffix no ordinary program appends.
    SuffixAppended,
    /// Its extension was lost or became an unknown one.
    ExtensionLost,
    /// A new file carrying its name appeared and it was deleted.
    Replaced,
    /// Its first bytes no longer fit its name.
    MagicLost,
    /// It was deleted or moved away.
    Deleted,
    /// It was cut to nothing.
    Truncated,
    /// It is the same small new text as in other directories.
    Note,
    /// It gained an ordinary suffix or was put in place, and its content could not be vouched for.
    Unproven,
}

impl Evidence {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::SuffixAppended,
        Self::ExtensionLost,
        Self::Replaced,
        Self::MagicLost,
        Self::Deleted,
        Self::Truncated,
        Self::Note,
        Self::Unproven,
    ];

    /// Returns the name used in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SuffixAppended => "suffix_appended",
            Self::ExtensionLost => "extension_lost",
            Self::Replaced => "replaced",
            Self::MagicLost => "magic_lost",
            Self::Deleted => "deleted",
            Self::Truncated => "truncated",
            Self::Note => "note",
            Self::Unproven => "unproven",
        }
    }

    /// A bit of its own, for sets of evidence.
    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::SuffixAppended => 1,
            Self::ExtensionLost => 2,
            Self::Replaced => 4,
            Self::MagicLost => 8,
            Self::Deleted => 16,
            Self::Truncated => 32,
            Self::Note => 64,
            Self::Unproven => 128,
        }
    }

    pub(super) const fn weight(self) -> Weight {
        match self {
            Self::SuffixAppended | Self::ExtensionLost | Self::Replaced => Weight::Name,
            Self::MagicLost => Weight::Content,
            Self::Deleted | Self::Truncated => Weight::Removal,
            Self::Note => Weight::None,
            Self::Unproven => Weight::Weak,
        }
    }
}

/// How much a kind of evidence says. Ordered: a file counts once, at its heaviest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Nothing by itself.
    None,
    /// Something when there is much of it.
    Weak,
    /// Much, of files that were there before, in large numbers.
    Removal,
    /// Harm, by the name it left.
    Name,
    /// Harm, by the content itself.
    Content,
}

/// Whether a removed file is one a hospital would miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// Source, logs, caches, unknown ones.
    Common,
    /// Documents, images, messages, databases.
    Valued,
}

/// Evidence about one file.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) at: Moment,
    /// The file, by what it was called when it was well.
    pub(super) file: u64,
    pub(super) directory: u64,
    pub(super) evidence: Evidence,
    pub(super) value: Value,
    /// Files it stands for: more than one for a renamed directory.
    pub(super) files: u64,
    /// What it counts for in the windows: a renamed directory is more than a file, but not as much as all in it.
    pub(super) units: u64,
    /// Suffix gained, in the form it may be shown.
    pub(super) suffix: Option<String>,
    /// Extension the file had, in the form it may be shown.
    pub(super) extension: Option<String>,
    /// Where it is now, below the root.
    pub(super) below: PathBuf,
    pub(super) touch: super::Touch,
}

/// Returns the weight of a set of evidence.
pub(super) fn heaviest(known: u8) -> Weight {
    let there = |evidence: &&Evidence| known & evidence.bit() != 0;
    let weights = Evidence::ALL
        .iter()
        .filter(there)
        .map(|evidence| evidence.weight());
    weights.max().unwrap_or(Weight::None)
}

/// Returns what a file with this evidence counts for in the windows.
///
/// Nobody empties files in bulk but for logs, which are of no value; deleting has more good reasons.
pub(super) fn units(known: u8) -> u64 {
    if heaviest(known) == Weight::Removal && known & Evidence::Truncated.bit() != 0 { 2 } else { 1 }
}
