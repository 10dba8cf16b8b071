//! What can speak for harm to a file, and how much each kind says.

use std::path::PathBuf;
use std::sync::Arc;

use shirase_shared::clock::Moment;

use super::Touch;
use crate::observation::Actor;

/// What speaks for harm to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// It gained a suffix no ordinary program appends.
    SuffixAppended,
    /// Its extension was lost or became an unknown one.
    ExtensionLost,
    /// A new file carrying its name appeared and it was deleted.
    Replaced,
    /// It is a directory that gained a suffix no ordinary program appends.
    DirectoryRenamed,
    /// It is a directory that gained a suffix of the kind encryptors give, and so did the path of every file in it.
    DirectoryTaken,
    /// Its first bytes no longer fit its name.
    MagicLost,
    /// It was overwritten with what looks random, whatever its first bytes.
    Randomised,
    /// It was deleted.
    Deleted,
    /// It was moved out of the root.
    MovedOut,
    /// It was cut to nothing.
    Truncated,
    /// It is gone, and a new archive that opens with a password alone lies where it was.
    LockedAway,
    /// It is the same small new text as in other directories.
    Note,
    /// Its words are those of a ransom note.
    RansomNote,
    /// It is a decoy.
    Canary,
    /// It is new, and its content does not fit its name.
    Misfit,
    /// It lies among SS-MIX2 messages without being called like one.
    MessageBroken,
    /// It gained an ordinary suffix or was put in place, and its content could not be vouched for.
    Unproven,
    /// It is new and was given its name by a rename, as what takes an old file's place, and its content does not fit.
    Substituted,
    /// It got a suffix, or has a name, that somebody vouches for as an attacker's.
    KnownBad,
}

impl Evidence {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::SuffixAppended,
        Self::ExtensionLost,
        Self::Replaced,
        Self::DirectoryRenamed,
        Self::DirectoryTaken,
        Self::MagicLost,
        Self::Randomised,
        Self::Deleted,
        Self::MovedOut,
        Self::Truncated,
        Self::LockedAway,
        Self::Note,
        Self::RansomNote,
        Self::Canary,
        Self::Misfit,
        Self::MessageBroken,
        Self::Unproven,
        Self::Substituted,
        Self::KnownBad,
    ];

    /// Returns the name used in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SuffixAppended => "suffix_appended",
            Self::ExtensionLost => "extension_lost",
            Self::Replaced => "replaced",
            Self::DirectoryRenamed => "directory_renamed",
            Self::DirectoryTaken => "directory_taken",
            Self::MagicLost => "magic_lost",
            Self::Randomised => "randomised",
            Self::Deleted => "deleted",
            Self::MovedOut => "moved_out",
            Self::Truncated => "truncated",
            Self::LockedAway => "locked_away",
            Self::Note => "note",
            Self::RansomNote => "ransom_note",
            Self::Canary => "canary",
            Self::Misfit => "misfit",
            Self::MessageBroken => "message_broken",
            Self::Unproven => "unproven",
            Self::Substituted => "substituted",
            Self::KnownBad => "known_bad",
        }
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub(super) const fn weight(self) -> Weight {
        match self {
            Self::SuffixAppended
            | Self::ExtensionLost
            | Self::Replaced
            | Self::DirectoryRenamed
            | Self::DirectoryTaken => Weight::Name,
            // No program of the hospital's gives such a name, so nothing that is expected covers it.
            Self::MagicLost | Self::Randomised | Self::KnownBad => Weight::Content,
            Self::Canary => Weight::Canary,
            Self::Deleted | Self::MovedOut | Self::Truncated | Self::LockedAway => Weight::Removal,
            Self::Misfit | Self::Substituted => Weight::Doubt,
            Self::Unproven => Weight::Weak,
            Self::MessageBroken => Weight::Shape,
            Self::Note | Self::RansomNote => Weight::None,
        }
    }

    /// Whether it is harm to a file, so that file and directory count towards a burst.
    #[must_use]
    pub const fn is_harm(self) -> bool {
        match self {
            Self::SuffixAppended
            | Self::ExtensionLost
            | Self::Replaced
            | Self::DirectoryRenamed
            | Self::DirectoryTaken
            | Self::MagicLost
            | Self::Randomised
            | Self::Deleted
            | Self::MovedOut
            | Self::Truncated
            | Self::LockedAway
            | Self::Canary
            | Self::Misfit
            | Self::Substituted
            | Self::KnownBad => true,
            Self::Note | Self::RansomNote | Self::MessageBroken | Self::Unproven => false,
        }
    }
}

/// How much a kind of evidence says. Ordered: a file counts once, at its heaviest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Nothing by itself.
    None,
    /// Something where SS-MIX2 names have always been whole.
    Shape,
    /// Something when there is much of it.
    Weak,
    /// Much, in large numbers, unless new files always look so here.
    Doubt,
    /// Much, of files that were there before, in large numbers.
    Removal,
    /// Harm, by the name it left.
    Name,
    /// Harm, by the content itself, or by a name that is an attacker's.
    Content,
    /// Somebody who has no business here.
    Canary,
}

/// Whether a removed file is one a hospital would miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// Source, logs, caches, unknown ones.
    Common,
    /// Documents, images, messages, databases.
    Valued,
}

/// A set of kinds of evidence about one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known(u32);

impl Known {
    pub(super) const fn of(evidence: Evidence) -> Self {
        Self(1 << evidence as u32)
    }

    /// Everything there can be.
    pub(super) const ALL: Self = Self(u32::MAX);

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn has(self, evidence: Evidence) -> bool {
        self.0 & Self::of(evidence).0 != 0
    }

    pub(super) const fn with(self, evidence: Evidence) -> Self {
        Self(self.0 | Self::of(evidence).0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn each(self) -> impl Iterator<Item = Evidence> {
        Evidence::ALL
            .into_iter()
            .filter(move |evidence| self.has(*evidence))
    }
}

/// What a file counts for, by everything known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) weight: Weight,
    pub(super) value: Value,
    pub(super) units: u32,
}

impl Tally {
    pub(super) fn of(known: Known, value: Value) -> Self {
        let weight = known
            .each()
            .map(Evidence::weight)
            .max()
            .unwrap_or(Weight::None);
        let harmed = || {
            known
                .each()
                .any(|kind| matches!(kind.weight(), Weight::Name | Weight::Content))
        };
        let units = match weight {
            // Nobody empties files in bulk but for logs, which are of no value; deleting has more good reasons, unless
            // what was there lies locked beside it.
            Weight::Removal if known.has(Evidence::Truncated) => 2,
            Weight::Removal if known.has(Evidence::LockedAway) => 2,
            // Somebody has seen before what comes after it: as much as three files, which are enough.
            Weight::Content if known.has(Evidence::KnownBad) => 3,
            // As much as three files, of which it has as many at the least.
            Weight::Name if known.has(Evidence::DirectoryTaken) => 3,
            // More than a file, but not as much as all in it.
            Weight::Name if known.has(Evidence::DirectoryRenamed) => 2,
            // Programs save that way and people copy that way, but what they save fits: four are enough within ten seconds.
            Weight::Doubt if known.has(Evidence::Substituted) => 3,
            // A decoy that is harmed as well as touched.
            Weight::Canary if harmed() => 2,
            Weight::None
            | Weight::Shape
            | Weight::Weak
            | Weight::Doubt
            | Weight::Removal
            | Weight::Name
            | Weight::Content
            | Weight::Canary => 1,
        };

        Self { weight, value, units }
    }
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
    /// Suffix gained, in the form it may be shown.
    pub(super) suffix: Option<String>,
    /// Extension the file had, in the form it may be shown.
    pub(super) extension: Option<String>,
    /// Where it is now, below the root.
    pub(super) below: PathBuf,
    pub(super) touch: Touch,
    pub(super) actor: Option<Arc<Actor>>,
}
