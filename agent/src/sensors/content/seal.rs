//! Tells an archive that opens with a password alone from one that anybody opens.
//!
//! ZIP says so before each entry, RAR before each file or the whole, 7-Zip at its end, `GnuPG`, age and OpenSSL by what
//! they are. Where 7-Zip locks what is inside but not the list of it, it says so nowhere in clear; but then all data is
//! padded to blocks of 16 bytes, which happens by chance in one archive of sixteen.
//!
//! Always holds: pure; nothing here keeps what it was shown.

use crate::observation::Seal;

/// Bytes of a ZIP entry's fixed head.
const ZIP_HEAD_BYTES: usize = 30;
/// Bytes before a 7-Zip archive's data.
pub(super) const SEVEN_HEAD_BYTES: u64 = 32;
/// Longest list of a 7-Zip archive that is read.
pub(super) const SEVEN_LIST_MAX_BYTES: u64 = 4096;
/// What names AES in a 7-Zip archive's list.
const SEVEN_AES: &[u8] = &[0x06, 0xf1, 0x07, 0x01];
/// 7-Zip's list is packed itself; what follows says how and where.
const SEVEN_PACKED_LIST: u8 = 0x17;
const SEVEN_PACK_INFO: u8 = 0x06;
/// Bytes of one block of AES.
const BLOCK_BYTES: u64 = 16;
const RAR4: &[u8] = b"Rar!\x1a\x07\0";
const RAR5: &[u8] = b"Rar!\x1a\x07\x01\0";
/// Blocks of a RAR archive, or entries of a ZIP, that are looked at.
const ENTRIES_MAX: usize = 16;
/// What a file begins with that is locked as a whole. `Salted__` is OpenSSL's; the rest are those of `GnuPG` and age.
const LOCKED: &[&[u8]] = &[
    b"Salted__",
    b"age-encryption.org/v1",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
    &[0x8c, 0x0d, 0x04],
    &[0xc3, 0x0d, 0x04],
];

/// Judges an archive by its first block.
pub(super) fn judge(head: &[u8]) -> Seal {
    let locked = LOCKED.iter().any(|begin| head.starts_with(begin))
        || zip(head)
        || head.strip_prefix(RAR4).is_some_and(rar4)
        || head.strip_prefix(RAR5).is_some_and(rar5);

    of(locked)
}

/// Returns where the list of a 7-Zip archive begins, and how long it is; it has to be seen by [`judge_list`].
pub(super) fn list_of(head: &[u8]) -> Option<(u64, u64)> {
    let rest = head.strip_prefix(b"7z\xbc\xaf\x27\x1c")?;
    let number = |at: usize| {
        rest.get(at..at + 8)?
            .try_into()
            .ok()
            .map(u64::from_le_bytes)
    };
    // Behind the version and a checksum.
    let (offset, length) = (number(6)?, number(14)?);
    let begins = SEVEN_HEAD_BYTES.checked_add(offset)?;

    (0 < length && length <= SEVEN_LIST_MAX_BYTES).then_some((begins, length))
}

/// Judges the list at the end of a 7-Zip archive.
pub(super) fn judge_list(list: &[u8]) -> Seal {
    let named = list
        .windows(SEVEN_AES.len())
        .any(|found| found == SEVEN_AES);
    let padded = || match list {
        [SEVEN_PACKED_LIST, SEVEN_PACK_INFO, rest @ ..] => {
            seven_number(rest).is_some_and(|data| 0 < data && data % BLOCK_BYTES == 0)
        }
        _ => false,
    };

    of(named || padded())
}

const fn of(locked: bool) -> Seal {
    if locked { Seal::Locked } else { Seal::Unknown }
}

/// Whether one of the first entries is locked. A directory never is; what lies behind the first block is not known.
fn zip(head: &[u8]) -> bool {
    let mut rest = head;
    for _ in 0..ENTRIES_MAX {
        let Some(entry) = rest.strip_prefix(b"PK\x03\x04") else { return false };
        let short = |at: usize| Some(usize::from(u16::from_le_bytes(part(entry, at)?)));
        let Some(flags) = short(2) else { return false };
        if flags & 1 != 0 {
            return true;
        }
        let packed = || usize::try_from(u32::from_le_bytes(part(entry, 14)?)).ok();
        let (Some(packed), Some(name), Some(extra)) = (packed(), short(22), short(24)) else {
            return false;
        };
        let Some(next) = rest
            .get(ZIP_HEAD_BYTES + name + extra..)
            .and_then(|rest| rest.get(packed..))
        else {
            return false;
        };
        rest = next;
    }

    false
}

/// Whether the whole is locked, or the first file.
fn rar4(mut rest: &[u8]) -> bool {
    for _ in 0..ENTRIES_MAX {
        let kind = rest.get(2).copied();
        let (Some(flags), Some(size)) = (part(rest, 3), part(rest, 5)) else { return false };
        let (flags, size) = (u16::from_le_bytes(flags), usize::from(u16::from_le_bytes(size)));
        match kind {
            Some(0x73) if flags & 0x80 != 0 => return true,
            Some(0x74) => return flags & 0x04 != 0,
            Some(0x73) if 7 <= size => rest = rest.get(size..).unwrap_or_default(),
            Some(_) | None => return false,
        }
    }

    false
}

/// Whether the whole is locked, or the first file.
fn rar5(mut rest: &[u8]) -> bool {
    for _ in 0..ENTRIES_MAX {
        let Some(block) = rest.get(4..).and_then(Rar5::read) else { return false };
        match block.kind {
            4 => return true,
            2 => return block.has_lock(),
            _ => rest = rest.get(4 + block.length..).unwrap_or_default(),
        }
    }

    false
}

/// One block of a RAR archive of version 5.
struct Rar5<'a> {
    kind: u64,
    /// What stands behind what is common to all of its kind.
    extra: &'a [u8],
    /// Bytes of it without its checksum, the data behind it included.
    length: usize,
}

impl<'a> Rar5<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        let size = usize::try_from(vint(bytes, &mut at)?).ok()?;
        let ends = at.checked_add(size)?;
        let (kind, flags) = (vint(bytes, &mut at)?, vint(bytes, &mut at)?);
        let extra = if flags & 1 == 0 { 0 } else { vint(bytes, &mut at)? };
        let data = if flags & 2 == 0 { 0 } else { vint(bytes, &mut at)? };
        let begins = ends.checked_sub(usize::try_from(extra).ok()?)?;
        let length = ends.checked_add(usize::try_from(data).ok()?)?;

        Some(Self { kind, extra: bytes.get(begins..ends)?, length })
    }

    fn has_lock(&self) -> bool {
        let (mut at, mut left) = (0, ENTRIES_MAX);
        while at < self.extra.len() && 0 < left {
            left -= 1;
            let Some(size) = vint(self.extra, &mut at).and_then(|size| usize::try_from(size).ok())
            else {
                return false;
            };
            let mut kind_at = at;
            if vint(self.extra, &mut kind_at) == Some(1) {
                return true;
            }
            at = at.saturating_add(size);
        }

        false
    }
}

/// A number of seven bits a byte, the least first.
fn vint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }

    None
}

/// A number as 7-Zip writes it: the first byte's leading ones say how many bytes follow.
fn seven_number(bytes: &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    let more = usize::try_from(first.leading_ones()).ok()?;
    let mut little = [0; 8];
    little.get_mut(..more)?.copy_from_slice(rest.get(..more)?);
    let high = match more {
        0..=6 => u64::from(first & (0x7f >> more)) << (8 * more),
        _ => 0,
    };

    Some(u64::from_le_bytes(little) | high)
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, flags: u8, data: &[u8]) -> Vec<u8> {
        let length = |of: usize| u32::try_from(of).unwrap().to_le_bytes();
        let mut all = b"PK\x03\x04\x14\0".to_vec();
        all.extend([flags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        all.extend(length(data.len()));
        all.extend(length(data.len()));
        all.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        all.extend([0, 0]);
        all.extend(name.as_bytes());
        all.extend(data);
        all
    }

    #[test]
    fn an_archive_is_locked_where_one_of_its_first_entries_is() {
        let open = [entry("d/", 0, b""), entry("d/a.txt", 0, b"abc")].concat();
        let locked = [entry("d/", 0, b""), entry("d/a.txt", 1, b"abc")].concat();
        assert_eq!((judge(&open), judge(&locked)), (Seal::Unknown, Seal::Locked));
        assert_eq!(judge(b"Salted__12345678"), Seal::Locked);
        assert_eq!(judge(b"%PDF-1.7"), Seal::Unknown);
    }

    #[test]
    fn rar_says_so_for_the_whole_or_for_a_file() {
        // Checksum, size, kind 4: everything behind it is locked.
        let whole = [RAR5, &[0; 4], &[3, 4, 0, 0]].concat();
        // A main block, then a file whose extra area holds a record of kind 1.
        let file = |record: u8| {
            [RAR5, &[0; 4], &[3, 1, 0, 0], &[0; 4], &[6, 2, 1, 2, 0, 1, record]].concat()
        };
        assert_eq!(judge(&whole), Seal::Locked);
        assert_eq!((judge(&file(1)), judge(&file(3))), (Seal::Locked, Seal::Unknown));
        let old = |flags: u8| [RAR4, &[0, 0, 0x73, flags, 0, 13, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!((judge(&old(0x80)), judge(&old(0))), (Seal::Locked, Seal::Unknown));
    }

    #[test]
    fn seven_zip_says_so_in_its_list_or_by_its_padding() {
        assert_eq!(judge_list(&[1, 4, 6, 0x06, 0xf1, 0x07, 0x01, 0]), Seal::Locked);
        for (data, seal) in [(0x20, Seal::Locked), (0x21, Seal::Unknown), (0, Seal::Unknown)] {
            assert_eq!(judge_list(&[SEVEN_PACKED_LIST, SEVEN_PACK_INFO, data, 1]), seal);
        }
        assert_eq!(seven_number(&[0x80, 0xff]), Some(0xff));
        assert_eq!(seven_number(&[0xc1, 0x34, 0x12]), Some(0x1_1234));
        let head = [
            b"7z\xbc\xaf\x27\x1c\0\x04".as_slice(),
            &[9; 4],
            &[100, 0, 0, 0, 0, 0, 0, 0],
            &[30, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        assert_eq!(list_of(&head), Some((132, 30)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..4_usize) {
            let begin: [&[u8]; 4] = [b"PK\x03\x04", RAR4, RAR5, b"7z\xbc\xaf\x27\x1c"];
            let bytes = [begin[kind], bytes.as_slice()].concat();
            judge(&bytes);
            judge_list(&bytes);
            list_of(&bytes);
        }
    }
}
