//! Compares a file's first bytes with what its name promises.
//!
//! Always holds: at most 512 bytes of a file are read, only of regular files, never through a link, under a budget
//! per second; nothing of what was read leaves this module but the verdict. A file that is not looked at is
//! [`Verdict::Unknown`], never an error.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::names;
use crate::observation::{Fact, FileChange, Observation, Operation, Verdict, file_name};

/// Bytes read of a file at the most.
const HEAD_BYTES: usize = 512;
/// Time spent reading in one second at the most: a slow disk must not hold up the changes behind.
const READING_PER_SECOND: Duration = Duration::from_millis(300);
/// Fewer bytes of text than this say nothing.
const TEXT_MIN_BYTES: usize = 16;
/// One control character in this many bytes is no text any more; random bytes have one in ten.
const TEXT_CONTROL_SHARE: usize = 30;

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
    (0, b"!BDN", &["pst", "ost"]),
    (0, b"KDMV", &["vmdk"]),
    (0, b"QFI\xfb", &["qcow2"]),
    (0, b"vhdxfile", &["vhdx"]),
];

/// Extensions of text whose files are sometimes something else: a program's own log, for example.
const LAX_TEXT: &[&str] = &["log", "map", "m", "r", "ts", "list", "lst", "key", "url"];

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise<'a> {
    /// The first bytes of one of these kinds.
    Magic(&'a str),
    /// Text.
    Text,
    /// An HL7 message, as every file of an SS-MIX2 storage.
    Message,
}

fn promise<'a>(name: &str, extension: &'a str) -> Option<Promise<'a>> {
    if names::is_ssmix2(name) || extension == "hl7" {
        return Some(Promise::Message);
    }
    if MAGIC
        .iter()
        .any(|(_, _, extensions)| extensions.contains(&extension))
    {
        return Some(Promise::Magic(extension));
    }
    let text = names::kind(extension) == Some(names::Kind::Text) || extension == "csv";

    (text && !LAX_TEXT.contains(&extension)).then_some(Promise::Text)
}

/// Judges the first bytes of a file by its name, or by `before`, the name it had, if the new one promises nothing.
#[must_use]
pub fn judge(name: &str, before: &str, head: &[u8]) -> Verdict {
    let extensions = [name, before].map(|name| names::extension(name).unwrap_or_default());
    let [now, then] = &extensions;
    let Some(promise) = promise(name, now).or_else(|| promise(before, then)) else {
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

/// Whether the bytes are text of some encoding: UTF-8, Shift JIS and EUC hardly have control characters, UTF-16 has
/// its mark at the front or every other byte zero.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        let zeros = head.iter().filter(|byte| **byte == 0).count();
        return zeros * 8 > head.len() || head.len() < TEXT_MIN_BYTES;
    }
    let zeros = head.iter().filter(|byte| **byte == 0).count();
    if 0 < zeros {
        // Without the mark, UTF-16 of Latin text is zero in two bytes of five or more, but only on one side.
        let side = |skip| {
            head.iter()
                .skip(skip)
                .step_by(2)
                .filter(|byte| **byte == 0)
                .count()
        };
        return head.len() < zeros * 5 / 2 && (side(0) == 0 || side(1) == 0);
    }
    let ordinary = b"\t\n\x0b\x0c\r\x1a\x1b\x1c";
    let control = |byte: &&u8| (**byte < 0x20 && !ordinary.contains(byte)) || **byte == 0x7f;

    head.iter().filter(control).count() * TEXT_CONTROL_SHARE <= head.len()
}

/// Looks at a file. `before` is the path it had, or the same.
pub(super) fn look(path: &Path, before: &Path) -> (Verdict, Option<u64>) {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return (Verdict::Unknown, None) };
    if !metadata.is_file() {
        return (Verdict::Unknown, None);
    }
    let size = Some(metadata.len());
    if metadata.len() == 0 {
        return (Verdict::Unknown, size);
    }
    let Ok(file) = open(path) else { return (Verdict::Unknown, size) };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let limit = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    if file.take(limit).read_to_end(&mut head).is_err() {
        return (Verdict::Unknown, size);
    }

    (judge(&file_name(path), &file_name(before), &head), size)
}

/// Opens without following a link and without waiting on a pipe that took the file's place.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// Keeps to the budget.
pub(super) struct Checker {
    per_second: u32,
    second: Instant,
    checked: u32,
    reading: Duration,
}

impl Checker {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, second: Instant::now(), checked: 0, reading: Duration::ZERO }
    }

    fn check(&mut self, change: &mut FileChange) {
        let path = change.path();
        let before = match &change.operation {
            Operation::Written => path.clone(),
            Operation::Renamed { from } => change.root.path.join(from),
            Operation::Created
            | Operation::Deleted
            | Operation::MovedOut
            | Operation::DirectoryRenamed { .. } => return,
        };
        (change.verdict, change.size) = self.look(&path, &before);
    }

    fn look(&mut self, path: &Path, before: &Path) -> (Verdict, Option<u64>) {
        let started = Instant::now();
        if Duration::from_secs(1) <= started.duration_since(self.second) {
            (self.second, self.checked, self.reading) = (started, 0, Duration::ZERO);
        }
        if self.per_second <= self.checked || READING_PER_SECOND < self.reading {
            return (Verdict::Unknown, None);
        }
        self.checked += 1;
        let looked = look(path, before);
        self.reading += started.elapsed();
        looked
    }
}

/// Adds the verdict to the changes that need one and hands everything on in order, until either side is closed.
///
/// What came together is handed on together: waking the detectors once for each change costs more than judging it.
pub(super) fn run(
    changes: &Receiver<Vec<Observation>>,
    out: &mpsc::Sender<Observation>,
    mut checker: Checker,
) {
    while let Ok(mut batch) = changes.recv() {
        for observation in &mut batch {
            if let Fact::File(change) = &mut observation.fact {
                checker.check(change);
            }
        }
        for observation in batch {
            if out.blocking_send(observation).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes as random as those of an encrypted file, the same in each run.
    fn ciphertext() -> Vec<u8> {
        let mut state = 0x2545_f491_u32;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        };
        (0..HEAD_BYTES).map(|_| next()).collect()
    }

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
    }

    #[test]
    fn ciphertext_under_a_known_name_is_lost_magic() {
        let cipher = ciphertext();
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
        let cipher = ciphertext();
        assert_eq!(judge("a.docx.bak", "a.docx", b"PK\x03\x04................"), Verdict::Agrees);
        assert_eq!(judge("a.docx.bak", "a.docx", &cipher), Verdict::Lost);
        assert_eq!(judge("a.log.gz", "a.log", &cipher), Verdict::Lost);
        assert_eq!(judge("app.log.1", "app.log", b"2026-02-09 01:50:00 started"), Verdict::Agrees);
    }

    #[test]
    fn beyond_its_budget_nothing_is_looked_at() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.pdf");
        std::fs::write(&path, b"%PDF-1.7............").unwrap();
        let mut checker = Checker::new(2);
        let verdicts = [(); 3].map(|()| checker.look(&path, &path).0);
        assert_eq!(verdicts, [Verdict::Agrees, Verdict::Agrees, Verdict::Unknown]);
    }

    #[cfg(unix)]
    #[test]
    fn neither_a_link_nor_a_pipe_is_opened() {
        let home = tempfile::tempdir().unwrap();
        let (target, link) = (home.path().join("a.pdf"), home.path().join("b.pdf"));
        std::fs::write(&target, b"%PDF-1.7............").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(look(&link, &link), (Verdict::Unknown, None));
        let socket = home.path().join("c.pdf");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(look(&socket, &socket), (Verdict::Unknown, None));
    }

    #[track_caller]
    fn check(name: &str, head: &[u8], expected: Verdict) {
        assert_eq!(judge(name, name, head), expected, "{name}");
    }
}
