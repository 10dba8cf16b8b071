//! Reads what a fanotify group reports, see fanotify(7): a run of events, each a head and records about it.
//!
//! Always holds: pure; whatever the bytes are, reading them ends and touches nothing beyond them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// Bytes of an event's head.
const HEAD_BYTES: usize = 24;
/// Bytes of a record's head: kind, one unused, length.
const RECORD_HEAD_BYTES: usize = 4;
/// Bytes before those of the handle itself: the file system's number, the handle's length and kind.
const HANDLE_HEAD_BYTES: usize = 16;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report<'a> {
    /// What happened, `FAN_*`.
    pub(super) mask: u64,
    /// The process that did it.
    pub(super) pid: u32,
    bytes: &'a [u8],
    records_at: usize,
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The directory's handle, see `sys::handle_of`.
    pub(super) directory: &'a [u8],
    /// The entry's name.
    pub(super) name: &'a OsStr,
}

/// Returns the events in what was read at once.
pub(super) fn reports(bytes: &[u8]) -> impl Iterator<Item = Report<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let report = Report::first(rest)?;
        rest = rest.get(report.bytes.len()..)?;
        Some(report)
    })
}

impl<'a> Report<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let length = usize::try_from(u32::from_ne_bytes(part(bytes, 0)?)).ok()?;
        let version = *bytes.get(4)?;
        let records_at = usize::from(u16::from_ne_bytes(part(bytes, 6)?));
        let whole = HEAD_BYTES <= length && HEAD_BYTES <= records_at;
        if !whole || version != libc::FANOTIFY_METADATA_VERSION {
            return None;
        }

        Some(Self {
            mask: u64::from_ne_bytes(part(bytes, 8)?),
            pid: u32::from_ne_bytes(part(bytes, 20)?),
            bytes: bytes.get(..length)?,
            records_at,
        })
    }

    /// Whether one of these happened.
    pub(super) const fn has(&self, mask: u64) -> bool {
        self.mask & mask != 0
    }

    /// Returns the entry concerned, of anything but a rename.
    pub(super) fn place(&self) -> Option<Place<'a>> {
        self.named(libc::FAN_EVENT_INFO_TYPE_DFID_NAME)
    }

    /// Returns the entry before a rename.
    pub(super) fn before(&self) -> Option<Place<'a>> {
        self.named(libc::FAN_EVENT_INFO_TYPE_OLD_DFID_NAME)
    }

    /// Returns the entry after a rename.
    pub(super) fn after(&self) -> Option<Place<'a>> {
        self.named(libc::FAN_EVENT_INFO_TYPE_NEW_DFID_NAME)
    }

    fn named(&self, kind: u8) -> Option<Place<'a>> {
        let rest = self.record(kind)?.get(RECORD_HEAD_BYTES..)?;
        let length = usize::try_from(u32::from_ne_bytes(part(rest, 8)?)).ok()?;
        let end = HANDLE_HEAD_BYTES.checked_add(length)?;
        let (directory, name) = rest.split_at_checked(end)?;
        let name = name.split(|byte| *byte == 0).next()?;

        Some(Place { directory, name: OsStr::from_bytes(name) })
    }

    fn record(&self, kind: u8) -> Option<&'a [u8]> {
        let mut rest = self.bytes.get(self.records_at..)?;
        loop {
            let length = usize::from(u16::from_ne_bytes(part(rest, 2)?));
            let record = rest.get(..length.max(RECORD_HEAD_BYTES))?;
            if record.first() == Some(&kind) {
                return Some(record);
            }
            rest = rest.get(record.len()..)?;
        }
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let length = u16::try_from(RECORD_HEAD_BYTES + padded).expect("short");
        let mut record = vec![kind, 0];
        record.extend(length.to_ne_bytes());
        record.extend(body);
        record.resize(RECORD_HEAD_BYTES + padded, 0);
        record
    }

    fn named(kind: u8, directory: u8, name: &str) -> Vec<u8> {
        let mut body = vec![7; 8];
        body.extend(8_u32.to_ne_bytes());
        body.extend(1_i32.to_ne_bytes());
        body.extend([directory; 8]);
        body.extend(name.as_bytes());
        body.push(0);
        record(kind, &body)
    }

    fn event(mask: u64, pid: u32, records: &[Vec<u8>]) -> Vec<u8> {
        let records = records.concat();
        let length = u32::try_from(HEAD_BYTES + records.len()).expect("short");
        let mut event = length.to_ne_bytes().to_vec();
        event.extend([libc::FANOTIFY_METADATA_VERSION, 0]);
        event.extend(u16::try_from(HEAD_BYTES).expect("short").to_ne_bytes());
        event.extend(mask.to_ne_bytes());
        event.extend((-1_i32).to_ne_bytes());
        event.extend(pid.to_ne_bytes());
        event.extend(records);
        event
    }

    #[test]
    fn a_rename_has_both_names_and_a_process() {
        let other = record(libc::FAN_EVENT_INFO_TYPE_PIDFD, &5_i32.to_ne_bytes());
        let old = named(libc::FAN_EVENT_INFO_TYPE_OLD_DFID_NAME, 1, "カルテ.pdf");
        let new = named(libc::FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, 2, "b");
        let mut bytes = event(libc::FAN_RENAME, 42, &[other, old, new]);
        bytes.extend(event(libc::FAN_Q_OVERFLOW, 0, &[]));
        let all: Vec<_> = reports(&bytes).collect();
        let [rename, overflow] = all.as_slice() else { panic!("two events: {all:?}") };
        assert_eq!(rename.pid, 42);
        let (old, new) = (rename.before().expect("old"), rename.after().expect("new"));
        assert_eq!((old.name, new.name), (OsStr::new("カルテ.pdf"), OsStr::new("b")));
        assert_eq!((old.directory.len(), old.directory[16]), (24, 1));
        assert_eq!(new.directory[16], 2);
        assert!(overflow.has(libc::FAN_Q_OVERFLOW) && overflow.place().is_none());
    }

    #[test]
    fn a_report_cut_short_ends_the_reading() {
        let whole =
            event(libc::FAN_CREATE, 1, &[named(libc::FAN_EVENT_INFO_TYPE_DFID_NAME, 1, "a")]);
        for length in 0..whole.len() {
            assert_eq!(reports(&whole[..length]).count(), 0);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = bytes;
            // A plausible head, so that the records are reached.
            if let Some(head) = bytes.get_mut(..8) {
                let length = head[0];
                head.copy_from_slice(&[length, 0, 0, 0, libc::FANOTIFY_METADATA_VERSION, 0, 24, 0]);
            }
            for report in reports(&bytes) {
                prop_assert!(!report.bytes.is_empty());
                let names = [report.place(), report.before(), report.after()];
                prop_assert!(names.iter().flatten().all(|place| place.name.len() <= bytes.len()));
            }
        }
    }
}
