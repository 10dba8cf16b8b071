//! Compares a file's first bytes with what its name promises.

use std::path::Path;

use super::text::{TEXT_MIN_BYTES, is_text};
use crate::names;
use crate::observation::{Verdict, file_name};

/// First bytes by which files are told apart, with their place and the extensions that promise them.
const MAGIC: &[(usize, &[u8], &[&str])] = &[
    (0, b"%PDF", &["pdf"]),
    (
        0,
        b"PK\x03\x04",
        &[
            "zip", "docx", "docm", "dotx", "xlsx", "xlsm", "xlsb", "pptx", "pptm", "odt", "ods",
            "odp", "jar", "war", "ear", "epub", "apk", "vsdx", "whl",
        ],
    ),
    (0, b"PK\x05\x06", &["zip", "jar"]),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", &["doc", "xls", "ppt", "msg", "msi"]),
    (0, b"\x89PNG\r\n\x1a\n", &["png"]),
    (0, b"\xff\xd8\xff", &["jpg", "jpeg"]),
    (0, b"GIF8", &["gif"]),
    (0, b"BM", &["bmp"]),
    (0, b"II*\0", &["tif", "tiff"]),
    (0, b"MM\0*", &["tif", "tiff"]),
    (0, b"\x1f\x8b", &["gz", "tgz"]),
    (0, b"\xfd7zXZ\0", &["xz"]),
    (0, b"BZh", &["bz2"]),
    (0, b"\x28\xb5\x2f\xfd", &["zst"]),
    (0, b"\x04\x22\x4d\x18", &["lz4"]),
    (0, b"7z\xbc\xaf\x27\x1c", &["7z"]),
    (0, b"Rar!\x1a\x07", &["rar"]),
    (128, b"DICM", &["dcm", "dicom"]),
    (0, b"\x08\0", &["dcm", "dicom"]),
    (0, b"\x02\0", &["dcm", "dicom"]),
    (0, b"\x7fELF", &["so", "ko"]),
    (0, b"MZ", &["exe", "dll", "sys"]),
    (0, b"SQLite format 3\0", &["sqlite", "sqlite3"]),
    (0, b"{\\rtf", &["rtf"]),
    (4, b"ftyp", &["mp4", "mov", "m4a", "heic"]),
    (0, b"RIFF", &["wav", "avi", "webp"]),
    (0, b"ID3", &["mp3"]),
    (0, b"\xff\xfb", &["mp3"]),
    (0, b"\xff\xf3", &["mp3"]),
    (0, b"\xff\xfa", &["mp3"]),
    (0, b"!BDN", &["pst", "ost"]),
    (0, b"KDMV", &["vmdk"]),
    (0, b"QFI\xfb", &["qcow2"]),
    (0, b"vhdxfile", &["vhdx"]),
];

/// Extensions of text whose files are sometimes something else: a program's own log, for example.
const LAX_TEXT: &[&str] = &["log", "map", "m", "r", "ts", "list", "lst", "key", "url"];
/// Extensions of text that stand among the documents.
const TEXT_DOCUMENTS: &[&str] = &["csv", "tsv", "svg"];

/// What a name promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// The first bytes of a kind, by its extension.
    Magic(String),
    /// Text.
    Text,
    /// An HL7 message, as every file of an SS-MIX2 storage.
    Message,
}

impl Promise {
    /// Returns what the name of a file promises, or else the name it had before, or else the place where it lies.
    pub(super) fn of(path: &Path, before: &str) -> Option<Self> {
        let place = || {
            path.parent()
                .is_some_and(names::is_message_directory)
                .then_some(Self::Message)
        };

        Self::of_name(&file_name(path))
            .or_else(|| Self::of_name(before))
            .or_else(place)
    }

    /// Returns what a name promises.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let extension = names::extension(name).unwrap_or_default();
        let extension = extension.as_str();
        if names::is_ssmix2(name) || extension == "hl7" {
            return Some(Self::Message);
        }
        if MAGIC
            .iter()
            .any(|(_, _, extensions)| extensions.contains(&extension))
        {
            return Some(Self::Magic(extension.to_owned()));
        }
        let text = names::kind(extension) == Some(names::Kind::Text)
            || TEXT_DOCUMENTS.contains(&extension);

        (text && !LAX_TEXT.contains(&extension)).then_some(Self::Text)
    }
}

/// Judges the first bytes of a file by what is promised.
pub(super) fn judge(promise: Option<&Promise>, head: &[u8]) -> Verdict {
    let Some(promise) = promise else {
        return if is_text(head) && head.len() >= TEXT_MIN_BYTES {
            Verdict::Agrees
        } else {
            Verdict::Unknown
        };
    };
    if head.is_empty() {
        return Verdict::Unknown;
    }
    match promise {
        Promise::Magic(extension) if has_magic_of(head, extension) => Verdict::Agrees,
        // Another known kind, or text in the place of an image: misnamed, a placeholder, but not harmed.
        Promise::Magic(_) if head.len() < TEXT_MIN_BYTES || is_known(head) || is_text(head) => {
            Verdict::Unknown
        }
        Promise::Magic(_) => Verdict::Lost,
        Promise::Message if head.starts_with(b"MSH|") => Verdict::Agrees,
        Promise::Message if head.len() < TEXT_MIN_BYTES || is_text(head) => Verdict::Unknown,
        Promise::Message => Verdict::Lost,
        Promise::Text if head.len() < TEXT_MIN_BYTES => Verdict::Unknown,
        Promise::Text if is_text(head) => Verdict::Agrees,
        Promise::Text if is_known(head) => Verdict::Unknown,
        Promise::Text => Verdict::Lost,
    }
}

fn has_magic_of(head: &[u8], extension: &str) -> bool {
    MAGIC
        .iter()
        .filter(|(_, _, extensions)| extensions.contains(&extension))
        .any(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
}

/// Whether the bytes begin like any kind of file we know; two bytes are no proof.
fn is_known(head: &[u8]) -> bool {
    MAGIC
        .iter()
        .filter(|(_, magic, _)| 2 < magic.len())
        .any(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::content::noise;

    #[test]
    fn what_fits_agrees() {
        check("a.pdf", b"%PDF-1.7\n............", Verdict::Agrees);
        check("a.DOCX", b"PK\x03\x04...............", Verdict::Agrees);
        check("a.dcm", &[[0; 128].as_slice(), b"DICM"].concat(), Verdict::Agrees);
        check("a.txt", "診療情報提供書\r\n山田太郎".as_bytes(), Verdict::Agrees);
        check(
            "sjis.csv",
            b"\x8e\x81\x96\xbc,\x90\xb6\x94N\x8c\x8e\x93\xfa\r\n1,2,3\r\n",
            Verdict::Agrees,
        );
        check("utf16.txt", b"\xff\xfea\0b\0c\0d\0e\0f\0g\0h\0i\0", Verdict::Agrees);
        let message = "12345_20260209_ADT-00_999_20260209015000_-_1";
        check(message, b"MSH|^~\\&|HIS123|SEND|GW|RCV|2026||ADT", Verdict::Agrees);
        check("a.gz", b"\x1f\x8b\x08.................", Verdict::Agrees);
        check(
            "a.mp3",
            b"\xff\xfb\x90\x64\x00\x0f\xf0\x00\x00\x69\x00\x00\x00\x08\x00\x00",
            Verdict::Agrees,
        );
    }

    #[test]
    fn ciphertext_under_a_known_name_is_lost_magic() {
        let cipher = noise(512, 1);
        let message = "12345_20260209_ADT-00_999_20260209015000_-_1";
        for name in [
            "a.pdf", "a.xlsx", "a.png", "a.dcm", "a.txt", "a.csv", "a.gz", "a.sqlite", "a.hl7",
            message,
        ] {
            check(name, &cipher, Verdict::Lost);
        }
        check("a.txt", &[0; 64], Verdict::Lost);
        for name in ["a.log", "a.dat", "noname", "a.qzx"] {
            check(name, &cipher, Verdict::Unknown);
        }
    }

    #[test]
    fn a_misnamed_file_is_not_a_harmed_one() {
        check("a.png", b"\xff\xd8\xff\xe0..................", Verdict::Unknown);
        check("a.jpg", b"version https://git-lfs.github.com/spec/v1", Verdict::Unknown);
        check("a.pdf", b"", Verdict::Unknown);
        check("a.pdf", b"\0\x01", Verdict::Unknown);
    }

    #[test]
    fn behind_an_ordinary_suffix_the_old_name_counts() {
        let cipher = noise(512, 2);
        let zip = b"PK\x03\x04................";
        assert_eq!(renamed("a.docx.bak", "a.docx", zip), Verdict::Agrees);
        assert_eq!(renamed("a.docx.bak", "a.docx", &cipher), Verdict::Lost);
        assert_eq!(renamed("a.log.gz", "a.log", &cipher), Verdict::Lost);
        let line = b"2026-02-09 01:50:00 started";
        assert_eq!(renamed("app.log.1", "app.log", line), Verdict::Agrees);
    }

    #[test]
    fn in_an_ssmix2_storage_the_place_promises_a_message() {
        let cipher = noise(512, 3);
        let place = "001/234/0012345678/20260209/ADT-00/k3jf9a";
        assert_eq!(renamed(place, "k3jf9a", &cipher), Verdict::Lost);
        assert_eq!(renamed(place, "k3jf9a", b"MSH|^~\\&|HIS123|SEND|GW"), Verdict::Agrees);
        assert_eq!(renamed("a/b/k3jf9a", "k3jf9a", &cipher), Verdict::Unknown);
    }

    fn renamed(path: &str, before: &str, head: &[u8]) -> Verdict {
        judge(Promise::of(Path::new(path), before).as_ref(), head)
    }

    #[track_caller]
    fn check(name: &str, head: &[u8], expected: Verdict) {
        assert_eq!(renamed(name, name, head), expected, "{name}");
    }
}
