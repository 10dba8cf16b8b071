//! What is done to one file or directory. File operations with a payload that is mere noise: no key, no cipher.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

mod doing;

use serde::{Deserialize, Serialize};

pub(crate) use doing::Doer;

/// One way to harm files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Append a suffix, content untouched.
    Rename(Suffix),
    /// Overwrite in place.
    Overwrite(Pattern),
    /// Overwrite in place, then append a suffix.
    OverwriteAndRename(Pattern, Suffix),
    /// Overwrite, then take a random name without extension.
    RandomName,
    /// Write a new file beside, named after the old one, then delete the old one.
    CopyAndDelete(Suffix),
    /// Write a new file beside and rename it over the old one, whose name stays.
    ReplaceOver,
    /// Delete.
    Delete,
    /// Cut to nothing by name.
    Truncate,
    /// Put a ransom note into the directory.
    Note,
    /// Pack the directory's files into one archive, as `zip -m -P` does, and delete them.
    Archive,
    /// The same with an archive that anybody opens.
    ArchiveOpen,
    /// Append a suffix to the directory.
    DirectoryRename(Suffix),
    /// Move into one folder under numbers.
    MoveTogether,
    /// Overwrite through a memory mapping, then append a suffix if there is one.
    Mapped(Option<Suffix>),
    /// Overwrite through a hard link from outside the watched directory.
    ThroughHardLink,
    /// Overwrite through a symbolic link from outside the watched directory.
    ThroughSymbolicLink,
    /// Move out of the watched directory, overwrite there, move back with a suffix.
    OutAndBack(Suffix),
    /// Move out of the watched directory for good.
    MoveOut,
    /// The same with a directory and everything in it.
    MoveOutWhole,
}

/// What is appended to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Suffix {
    /// The same for all.
    Same,
    /// Another for each file.
    Random,
    /// An ordinary one, `.gz`, to hide behind.
    Ordinary,
    /// One that could be anybody's word.
    Word,
}

/// Which bytes of a file are overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pattern {
    /// All.
    Whole,
    /// The first 4 KiB.
    Head,
    /// All but the first 4 KiB, so that the file still begins like what it was.
    AllButHead,
    /// The first KiB of every sixteen.
    Stripes,
    /// The first KiB of every sixteen, but the first 4 KiB of the file stay.
    StripesButHead,
    /// Every other sixteen bytes.
    Alternating,
}

impl Pattern {
    /// Returns the spans to overwrite in a file of `length` bytes.
    pub(crate) fn spans(self, length: u64) -> Vec<(u64, u64)> {
        const HEAD: u64 = 4096;
        let (from, every, width) = match self {
            Self::Whole => (0, length.max(1), length),
            Self::Head => (0, length.max(1), length.min(HEAD)),
            Self::AllButHead => (HEAD.min(length), length.max(1), length),
            Self::Stripes => (0, 16 * 1024, 1024),
            Self::StripesButHead => (HEAD.min(length), 16 * 1024, 1024),
            Self::Alternating => (0, 32, 16),
        };
        let mut spans = Vec::new();
        let mut at = from;
        while at < length {
            spans.push((at, width.min(length - at)));
            at += every;
        }
        spans
    }
}

impl Deed {
    /// Whether it is done to directories and not to files.
    pub(crate) const fn is_to_directories(&self) -> bool {
        match self {
            Self::Note
            | Self::Archive
            | Self::ArchiveOpen
            | Self::DirectoryRename(_)
            | Self::MoveOutWhole => true,
            Self::Rename(_)
            | Self::Overwrite(_)
            | Self::OverwriteAndRename(..)
            | Self::RandomName
            | Self::CopyAndDelete(_)
            | Self::ReplaceOver
            | Self::Delete
            | Self::Truncate
            | Self::MoveTogether
            | Self::Mapped(_)
            | Self::ThroughHardLink
            | Self::ThroughSymbolicLink
            | Self::OutAndBack(_)
            | Self::MoveOut => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_touch_what_they_say() {
        assert_eq!(Pattern::Whole.spans(5000), [(0, 5000)]);
        assert_eq!(Pattern::Head.spans(5000), [(0, 4096)]);
        assert_eq!(Pattern::AllButHead.spans(5000), [(4096, 904)]);
        assert_eq!(Pattern::AllButHead.spans(100), []);
        assert_eq!(Pattern::Stripes.spans(20_000), [(0, 1024), (16_384, 1024)]);
        assert_eq!(Pattern::Alternating.spans(40), [(0, 16), (32, 8)]);
    }
}
