//! Recognises, with a bounded look, directories in which a decoy would do harm: a program takes in what it finds there,
//! and a decoy would become somebody's message or image.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::names;
use crate::observation::file_name;

/// Directories looked into at the most.
const DIRECTORIES_MAX: usize = 400;
/// Entries of one directory looked at.
const ENTRIES_MAX: usize = 500;
/// Directories below one that are looked into, spread over all of them: a storage looks the same everywhere.
const BRANCHES: usize = 8;
/// Files without a telling name whose first bytes are read.
const READ_MAX: usize = 64;
/// Longest time for all of it.
const TIME_MAX: Duration = Duration::from_secs(2);

/// Why no decoy is put into a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It holds HL7 messages.
    Messages,
    /// It holds DICOM images.
    Images,
    /// It cannot be read.
    Unreadable,
}

impl Refusal {
    /// Says it to an administrator.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Messages => {
                "refused, because it holds HL7 or SS-MIX2 messages and a decoy would be taken in as one; \
                 name directories with ordinary documents as roots of their own"
            }
            Self::Images => {
                "refused, because it holds DICOM images and a decoy would be taken in as one; \
                 name directories with ordinary documents as roots of their own"
            }
            Self::Unreadable => "not placed, because it cannot be read",
        }
    }
}

/// Looks through a tree.
pub(super) fn examine(root: &Path) -> Result<(), Refusal> {
    std::fs::read_dir(root).map_err(|_| Refusal::Unreadable)?;
    let begun = Instant::now();
    let mut open = VecDeque::from([root.to_owned()]);
    let (mut seen, mut reads) = (0, 0);
    // From both ends in turn: broad, for what lies near the top, and deep, for what lies far below.
    while let Some(directory) = if seen % 2 == 0 { open.pop_front() } else { open.pop_back() } {
        seen += 1;
        if DIRECTORIES_MAX < seen || TIME_MAX < begun.elapsed() {
            break;
        }
        if names::is_message_directory(&directory) {
            return Err(Refusal::Messages);
        }
        let mut below = Vec::new();
        for entry in std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten()
            .take(ENTRIES_MAX)
        {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => below.push(entry.path()),
                Ok(kind) if kind.is_file() => look(&entry.path(), &mut reads)?,
                Ok(_) | Err(_) => {}
            }
        }
        below.sort();
        open.extend(spread(&below, BRANCHES));
    }

    Ok(())
}

/// Returns up to `count` of them, the first and the last among them.
pub(super) fn spread(all: &[PathBuf], count: usize) -> Vec<PathBuf> {
    if all.len() <= count {
        return all.to_vec();
    }
    let last = count.saturating_sub(1).max(1);
    (0..count)
        .filter_map(|place| all.get(place * (all.len() - 1) / last).cloned())
        .collect()
}

fn look(path: &Path, reads: &mut usize) -> Result<(), Refusal> {
    let name = file_name(path);
    let extension = names::extension(&name).unwrap_or_default();
    if names::is_ssmix2(&name) || extension == "hl7" {
        return Err(Refusal::Messages);
    }
    if ["dcm", "dicom"].contains(&extension.as_str()) || name.eq_ignore_ascii_case("DICOMDIR") {
        return Err(Refusal::Images);
    }
    // Images are often called by their number alone.
    if *reads < READ_MAX && names::kind(&extension).is_none() {
        *reads += 1;
        match first_bytes(path) {
            Some(head) if head.get(128..132) == Some(b"DICM") => return Err(Refusal::Images),
            Some(head) if head.starts_with(b"MSH|") => return Err(Refusal::Messages),
            Some(_) | None => {}
        }
    }

    Ok(())
}

fn first_bytes(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)
        .ok()?
        .take(132)
        .read_to_end(&mut head)
        .ok()?;
    Some(head)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn trees_that_programs_read_are_known_by_their_shape() {
        let message = "0012345678_20260209_ADT-00_999_20260209015000000_01_1";
        let dicom = [&[0; 128][..], b"DICM"].concat();
        for (path, body, expected) in [
            (
                format!("001/234/0012345678/20260209/ADT-00/{message}"),
                &b"MSH|"[..],
                Err(Refusal::Messages),
            ),
            ("001/234/0012345678/-/PPR-01/.keep".to_owned(), b"", Err(Refusal::Messages)),
            ("in/a.hl7".to_owned(), b"x", Err(Refusal::Messages)),
            ("spool/000017".to_owned(), b"MSH|^~\\&|", Err(Refusal::Messages)),
            ("2026/02/09/1.2.392.200036".to_owned(), &dicom, Err(Refusal::Images)),
            ("pacs/a.dcm".to_owned(), b"", Err(Refusal::Images)),
            ("cd/DICOMDIR".to_owned(), b"", Err(Refusal::Images)),
            ("総務/議事録.docx".to_owned(), b"PK", Ok(())),
        ] {
            let home = tempfile::tempdir().unwrap();
            for other in 0..5 {
                let other = home.path().join(format!("{other:03}/empty"));
                fs::create_dir_all(other).unwrap();
            }
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, body).unwrap();
            assert_eq!(examine(home.path()), expected, "{}", path.display());
        }
        assert_eq!(examine(Path::new("/no/such/directory")), Err(Refusal::Unreadable));
    }

    #[test]
    fn a_spread_has_both_ends() {
        let all: Vec<_> = (0..100)
            .map(|number| PathBuf::from(number.to_string()))
            .collect();
        let some = spread(&all, 8);
        assert_eq!((some.len(), &some[0], &some[7]), (8, &all[0], &all[99]));
        assert_eq!(spread(&all[..3], 8).len(), 3);
    }
}
