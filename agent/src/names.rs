//! What a file name tells: its extension, what was appended to it, how two names are related.
//!
//! Always holds: pure, and no name can make it panic: names come from whoever can write to a watched root.

mod directories;

use std::path::Path;
use std::sync::LazyLock;

pub use directories::{is_note, is_outlandish};
pub use shirase_shared::settings::suffix::{Kind, kind};

use shirase_shared::settings::suffix::{self, Words, words};

/// Extensions that are no answer to the question what a file is: a document that turns into one lost its own.
const GENERIC: &[&str] = &["bin", "dat", "data", "blob", "img", "raw"];

/// Longest name of a DICOM instance, see DICOM PS3.5, 9.1.
const UID_MAX_BYTES: usize = 64;
/// Extensions of archives, backups and what is locked by itself.
static ARCHIVES: LazyLock<Words> = LazyLock::new(|| {
    words(
        "zip 7z rar gz tgz bz2 tbz2 xz txz zst lz4 tar lzh cab iso gpg pgp age enc aes p7m bak backup \
    dump dmp vbk vib vhd vhdx vmdk qcow2 ova",
    )
});

/// Words in the names of ransom notes; `readme` alone is a name like any other.
const NOTE_WORDS: &[&str] = &[
    "read_me",
    "read-me",
    "readme",
    "recover",
    "restor",
    "decrypt",
    "how_to",
    "how-to",
    "howto",
    "help",
    "unlock",
    "ransom",
    "instruction",
    "note",
    "important",
    "warning",
    "復元",
    "復号",
    "身代金",
    "警告",
    "重要",
];
/// Parts of an SS-MIX2 file name: patient, date, type, order, time, department, flag.
const SSMIX2_PARTS: usize = 7;

/// How a new name is related to the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Same extension, or two names without meaning.
    Unchanged,
    /// The old name with something unknown after it.
    Appended {
        /// What was appended, its last part, lower case.
        suffix: String,
    },
    /// The old name with something ordinary after it, or another ordinary extension.
    Ordinary {
        /// The new extension, lower case.
        suffix: String,
    },
    /// A known extension was dropped or became an unknown one.
    Lost {
        /// The new extension, lower case; empty if there is none.
        suffix: String,
    },
}

/// Returns the extension in lower case; none for `.profile`, `name` and `name.`.
#[must_use]
pub fn extension(name: &str) -> Option<String> {
    raw_extension(name).map(str::to_lowercase)
}

/// Returns the extension as it stands there.
fn raw_extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then_some(extension)
}

/// Returns whether two names have the same extension, or both none.
#[must_use]
pub fn same_extension(one: &str, other: &str) -> bool {
    match (raw_extension(one), raw_extension(other)) {
        (Some(one), Some(other)) => {
            one.eq_ignore_ascii_case(other) || one.to_lowercase() == other.to_lowercase()
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Returns what sort of file a name announces; an SS-MIX2 message and a DICOM instance called by its number are
/// documents without an extension.
#[must_use]
pub fn kind_of_name(name: &str) -> Option<Kind> {
    if is_ssmix2(name) || is_dicom_uid(name) {
        return Some(Kind::Document);
    }

    extension(name).and_then(|extension| kind(&extension))
}

/// Returns whether a suffix (lower case) is one that ordinary programs append, or one the configuration names.
#[must_use]
pub fn is_allowed_suffix(suffix: &str, configured: &[String]) -> bool {
    suffix::is_appended(suffix) || configured.iter().any(|own| own == suffix)
}

/// Returns whether a file is an archive, a backup or locked by itself, by its name.
#[must_use]
pub fn is_archive(name: &str) -> bool {
    extension(name).is_some_and(|extension| ARCHIVES.contains(extension.as_str()))
}

/// Returns whether a name has the seven parts of an SS-MIX2 message file.
#[must_use]
pub fn is_ssmix2(name: &str) -> bool {
    // Most names fail here, without anything being made of them.
    if name.bytes().filter(|b| *b == b'_').count() + 1 != SSMIX2_PARTS {
        return false;
    }
    let parts: Vec<_> = name.split('_').collect();
    parts.len() == SSMIX2_PARTS
        && !name.contains('.')
        && parts
            .get(1)
            .is_some_and(|date| *date == "-" || is_date(date))
        && parts.get(2).is_some_and(|kind| {
            kind.contains('-') && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        && parts.get(6).is_some_and(|flag| flag.len() == 1)
}

/// Returns whether a path ends like a directory of SS-MIX2 messages: `…/20260209/ADT-00`, `…/-/PPR-01`.
#[must_use]
pub fn is_message_directory(path: &Path) -> bool {
    let mut last = path.iter().rev().map(|part| part.to_string_lossy());
    let (Some(kind), Some(date)) = (last.next(), last.next()) else { return false };
    let bytes = kind.as_bytes();
    let letters = bytes.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let numbered = bytes.len() == 3
        || (bytes.len() == 6
            && bytes.get(3) == Some(&b'-')
            && bytes.iter().skip(4).all(u8::is_ascii_digit));

    letters == 3 && numbered && (date == "-" || is_date(&date))
}

/// Returns whether a name is the unique number of a DICOM instance: `1.2.840.113619.2.55.3.604688119`.
#[must_use]
pub fn is_dicom_uid(name: &str) -> bool {
    let digits = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let dots = name.bytes().filter(|b| *b == b'.').count();

    digits && 4 <= dots && name.len() <= UID_MAX_BYTES && name.starts_with(['0', '1', '2'])
}

/// Returns whether a name is one people give to ransom notes.
#[must_use]
pub fn is_called_note(name: &str) -> bool {
    let name = name.to_lowercase();
    NOTE_WORDS.iter().any(|word| name.contains(word))
}

fn is_date(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Tells how `to` is related to `from`, both file names without directories.
#[must_use]
pub fn relation(from: &str, to: &str, configured: &[String]) -> Relation {
    if let Some(rest) = to
        .strip_prefix(from)
        .filter(|rest| !rest.is_empty() && !from.is_empty())
    {
        let appended = rest.rsplit_once('.').map_or(rest, |(_, last)| last);
        let appended = appended.trim_start_matches(['-', '_']).to_lowercase();
        let ordinary = is_allowed_suffix(&appended, configured) || kind(&appended).is_some();

        return if ordinary {
            Relation::Ordinary { suffix: appended }
        } else {
            Relation::Appended { suffix: appended }
        };
    }
    if same_extension(from, to) && is_ssmix2(from) == is_ssmix2(to) {
        return Relation::Unchanged;
    }
    if kind_of_name(from).is_none() || (is_dicom_uid(from) && is_dicom_uid(to)) {
        return Relation::Unchanged;
    }
    let suffix = extension(to).unwrap_or_default();
    let telling = kind(&suffix).is_some() && !GENERIC.contains(&suffix.as_str());

    if telling || is_allowed_suffix(&suffix, configured) {
        Relation::Ordinary { suffix }
    } else {
        Relation::Lost { suffix }
    }
}

/// Returns the name an unknown suffix was appended to, if what is before it is a complete ordinary name.
///
/// `report.pdf.xyz` gives `report.pdf`: the shape an encryptor leaves, recognisable without knowing the past.
#[must_use]
pub fn name_before_suffix<'a>(name: &'a str, configured: &[String]) -> Option<&'a str> {
    let (before, last) = name.rsplit_once('.')?;
    let last = last.to_lowercase();
    if last.is_empty() || kind(&last).is_some() || is_allowed_suffix(&last, configured) {
        return None;
    }

    kind_of_name(before).map(|_| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_related_the_way_a_person_would_say() {
        check("a.docx", "a.docx.qzx", "appended qzx");
        check("a.docx", "a.docx_locked", "appended locked");
        check("a.docx", "a.docx.id-7.Lock2", "appended lock2");
        check("noextension", "noextension.abc", "appended abc");
        check("app.log", "app.log.1", "ordinary 1");
        check("app.log", "app.log.20260209", "ordinary 20260209");
        check("a.docx", "a.docx~", "ordinary ~");
        check("a.docx", "a.docx.mp3", "ordinary mp3");
        check("a.toml", "a.bak", "ordinary bak");
        check("a.docx", "8f3a91", "lost ");
        check("a.docx", "7.bin", "lost bin");
        check("a.docx", "a.qzx", "lost qzx");
        check("a.docx", "2026-a.DOCX", "unchanged");
        check(".a.pdf.Ab12Cd", "a.pdf", "unchanged");
        check("x.part", "x.dcm", "unchanged");
        check("1234567_20260209_ADT-00_999999999999999_20260209015000000_-_1", "k3j", "lost ");
        check("山田.pdf", "山田.pdf.暗号", "appended 暗号");
        check("", "", "unchanged");
    }

    #[test]
    fn the_shape_of_an_encrypted_name_is_seen_without_a_past() {
        assert_eq!(name_before_suffix("a.pdf.xyz", &[]), Some("a.pdf"));
        for ordinary in ["a.pdf", "a.pdf.gz", "a.pdf.1", "a.b.c", "a.xyz", "", ".", "..", "a.pdf."]
        {
            assert_eq!(name_before_suffix(ordinary, &[]), None, "{ordinary:?}");
        }
        assert_eq!(name_before_suffix("a.pdf.seal", &["seal".to_owned()]), None);
    }

    #[test]
    fn messages_images_and_notes_are_known_by_their_names() {
        for (path, is) in [
            ("123/456/1234567/20260209/ADT-00", true),
            ("1234567/-/PPR-01", true),
            ("1234567/20260209/OMD", true),
            ("1234567/20260209/adt-00", false),
            ("1234567/2026/ADT-00", false),
            ("ADT-00", false),
            ("", false),
        ] {
            assert_eq!(is_message_directory(Path::new(path)), is, "{path}");
        }
        assert_eq!(kind_of_name("1.2.392.200036.9116.2.6.1"), Some(Kind::Document));
        for other in ["1.2.3", "16384.1", "app.log.1", "1.2.3.4.5.6.x", ""] {
            assert!(!is_dicom_uid(other), "{other}");
        }
        assert!(is_called_note("HOW_TO_RESTORE.txt") && is_called_note("【重要】復元方法.txt"));
        assert!(!is_called_note("報告.txt"));
        assert!(same_extension("a.PDF", "b.pdf") && same_extension("a", ".b"));
        assert!(same_extension("a.É", "b.é") && !same_extension("a.pdf", "pdf"));
    }

    #[track_caller]
    fn check(from: &str, to: &str, expected: &str) {
        let said = match relation(from, to, &[]) {
            Relation::Unchanged => "unchanged".to_owned(),
            Relation::Appended { suffix } => format!("appended {suffix}"),
            Relation::Ordinary { suffix } => format!("ordinary {suffix}"),
            Relation::Lost { suffix } => format!("lost {suffix}"),
        };
        assert_eq!(said, expected, "{from} -> {to}");
    }
}
