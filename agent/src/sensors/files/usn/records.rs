//! Reads what a journal gives at once: the number to go on from, and records of versions 2 and 3 (`USN_RECORD_V2`,
//! `USN_RECORD_V3` in `winioctl.h`).
//!
//! Always holds: pure; whatever the bytes are, reading them ends, touches nothing beyond them, and says whether all of
//! them were understood.

use std::ffi::OsString;

use jiff::{SignedDuration, Timestamp};

use super::os_name;

/// Data was written over.
pub(super) const DATA_OVERWRITE: u32 = 0x1;
/// Data was added.
pub(super) const DATA_EXTEND: u32 = 0x2;
/// Data was cut.
pub(super) const DATA_TRUNCATION: u32 = 0x4;
/// It was made.
pub(super) const FILE_CREATE: u32 = 0x100;
/// It was deleted.
pub(super) const FILE_DELETE: u32 = 0x200;
/// It is renamed; the record has the old name.
pub(super) const RENAME_OLD_NAME: u32 = 0x1000;
/// It was renamed; the record has the new name.
pub(super) const RENAME_NEW_NAME: u32 = 0x2000;
/// The last handle was closed.
pub(super) const CLOSE: u32 = 0x8000_0000;

/// Every reason the journal is asked for.
#[cfg_attr(not(windows), expect(dead_code, reason = "there is a journal to ask on Windows alone"))]
pub(super) const REASONS: u32 = DATA_OVERWRITE
    | DATA_EXTEND
    | DATA_TRUNCATION
    | FILE_CREATE
    | FILE_DELETE
    | RENAME_OLD_NAME
    | RENAME_NEW_NAME
    | CLOSE;

/// What the file system calls a directory.
const ATTRIBUTE_DIRECTORY: u32 = 0x10;
/// Bytes of the number in front of the records.
const NUMBER_BYTES: usize = 8;
/// Ticks of 100 ns from the first day of 1601, where Windows begins to count, to that of 1970.
const TICKS_TO_1970: i64 = 116_444_736_000_000_000;
/// Ticks a second.
const TICKS_PER_SEC: i64 = 10_000_000;

/// What the file system calls a file or a directory. Never given again while the volume lives.
pub(super) type FileId = u128;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// What changed.
    pub(super) file: FileId,
    /// The directory it is in.
    pub(super) parent: FileId,
    /// Its name there.
    pub(super) name: OsString,
    /// Everything that was done since it was opened.
    pub(super) reasons: u32,
    /// When.
    pub(super) at: Timestamp,
    /// Whether it is a directory.
    pub(super) is_directory: bool,
}

impl Record {
    /// Whether one of these was done.
    pub(super) const fn has(&self, reasons: u32) -> bool {
        self.reasons & reasons != 0
    }
}

/// What was read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// Where to read on.
    pub(super) next: i64,
    /// The records.
    pub(super) records: Vec<Record>,
    /// Whether every one was understood.
    pub(super) whole: bool,
}

/// Reads what a journal gave. `None` if not even the number to go on from is there.
pub(super) fn read(bytes: &[u8]) -> Option<Read> {
    let next = i64::from_le_bytes(part(bytes, 0)?);
    let mut read = Read { next, records: Vec::new(), whole: true };
    let mut rest = bytes.get(NUMBER_BYTES..).unwrap_or_default();
    while !rest.is_empty() {
        let length = part(rest, 0).map(u32::from_le_bytes);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let Some((record, behind)) = length
            .filter(|length| NUMBER_BYTES <= *length)
            .and_then(|length| rest.split_at_checked(length))
        else {
            read.whole = false;
            break;
        };
        match record_of(record) {
            Some(record) => read.records.push(record),
            None => read.whole = false,
        }
        rest = behind;
    }

    Some(read)
}

fn record_of(bytes: &[u8]) -> Option<Record> {
    // The two versions differ in how long an id is, and so in where everything behind it stands.
    let (file, parent, behind) = match u16::from_le_bytes(part(bytes, 4)?) {
        2 => {
            let short = |at| Some(FileId::from(u64::from_le_bytes(part(bytes, at)?)));
            (short(8)?, short(16)?, 24)
        }
        3 => {
            let long = |at| Some(FileId::from_le_bytes(part(bytes, at)?));
            (long(8)?, long(24)?, 40)
        }
        _ => return None,
    };
    let number = |at: usize| Some(u32::from_le_bytes(part(bytes, behind + at)?));
    let short = |at: usize| Some(usize::from(u16::from_le_bytes(part(bytes, behind + at)?)));
    let (length, offset) = (short(32)?, short(34)?);
    let name = bytes.get(offset..offset.checked_add(length)?)?;
    let units: Vec<_> = name
        .chunks_exact(2)
        .filter_map(|unit| unit.try_into().ok().map(u16::from_le_bytes))
        .collect();

    Some(Record {
        file,
        parent,
        name: os_name(&units),
        reasons: number(16)?,
        at: time(i64::from_le_bytes(part(bytes, behind + 8)?))?,
        is_directory: number(28)? & ATTRIBUTE_DIRECTORY != 0,
    })
}

fn time(ticks: i64) -> Option<Timestamp> {
    let ticks = ticks.checked_sub(TICKS_TO_1970)?;
    let nanos = i32::try_from(ticks.rem_euclid(TICKS_PER_SEC) * 100).ok()?;

    Timestamp::from_duration(SignedDuration::new(ticks.div_euclid(TICKS_PER_SEC), nanos)).ok()
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-02-09T01:00:00Z in ticks.
    const TICKS: i64 = TICKS_TO_1970 + 1_770_598_800 * TICKS_PER_SEC;

    /// Writes a record as a journal does.
    pub(crate) fn written(version: u16, record: &Record) -> Vec<u8> {
        let name: Vec<_> = record
            .name
            .to_string_lossy()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut body = Vec::new();
        for id in [record.file, record.parent] {
            let bytes = id.to_le_bytes();
            body.extend(&bytes[..if version == 2 { 8 } else { 16 }]);
        }
        body.extend(4096_i64.to_le_bytes());
        body.extend(TICKS.to_le_bytes());
        let attributes = if record.is_directory { ATTRIBUTE_DIRECTORY } else { 0x20 };
        for number in [record.reasons, 0, 0, attributes] {
            body.extend(number.to_le_bytes());
        }
        let offset = 8 + body.len() + 4;
        for short in [name.len(), offset] {
            body.extend(u16::try_from(short).expect("short").to_le_bytes());
        }
        body.extend(name);
        let length = (8 + body.len()).next_multiple_of(8);
        let mut bytes = u32::try_from(length).expect("short").to_le_bytes().to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(body);
        bytes.resize(length, 0);
        bytes
    }

    fn record(name: &str, reasons: u32) -> Record {
        let at = "2026-02-09T01:00:00Z".parse().expect("a time");
        let (file, parent) = (0x0002_0000_0000_8ab9, 0x0005_0000_0000_0005);
        Record { file, parent, name: name.into(), reasons, at, is_directory: false }
    }

    fn given(records: &[Vec<u8>]) -> Vec<u8> {
        [8192_i64.to_le_bytes().to_vec(), records.concat()].concat()
    }

    #[test]
    fn both_versions_tell_the_same() {
        let one = record("カルテ.pdf", FILE_CREATE | CLOSE);
        let two = Record { is_directory: true, ..record("d", RENAME_NEW_NAME) };
        for version in [2, 3] {
            let read = read(&given(&[written(version, &one), written(version, &two)]));
            let expected =
                Read { next: 8192, records: vec![one.clone(), two.clone()], whole: true };
            assert_eq!(read, Some(expected));
        }
    }

    #[test]
    fn a_record_of_an_unknown_version_is_passed_over_and_told() {
        let mut odd = written(2, &record("a", CLOSE));
        odd[4] = 9;
        let read = read(&given(&[odd, written(3, &record("b", CLOSE))])).expect("a number");
        assert_eq!((read.records.len(), read.whole), (1, false));
    }

    #[test]
    fn nothing_but_the_number_is_nothing_new() {
        let read = read(&given(&[])).expect("a number");
        assert_eq!((read.next, read.records.len(), read.whole), (8192, 0, true));
        assert_eq!(super::read(&[1, 2, 3]), None);
    }

    #[test]
    fn a_record_cut_short_is_told() {
        let whole = given(&[written(2, &record("a", CLOSE))]);
        for length in NUMBER_BYTES + 1..whole.len() {
            let read = read(&whole[..length]).expect("a number");
            assert_eq!((read.records.len(), read.whole), (0, false), "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(
            version in 2_u16..4,
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut bytes = bytes;
            // A plausible head, so that the fields are reached.
            let length = u32::try_from(bytes.len().saturating_sub(8)).expect("short");
            if let Some(head) = bytes.get_mut(8..14) {
                head[..4].copy_from_slice(&length.to_le_bytes());
                head[4..].copy_from_slice(&version.to_le_bytes());
            }
            if let Some(read) = read(&bytes) {
                prop_assert!(read.records.len() <= bytes.len());
            }
        }
    }
}
