//! Asks Windows for its accounts. On a domain controller these are the domain's, with what this controller saw of them.

use std::io;
use std::ptr;

use jiff::Timestamp;
use windows_sys::Win32::NetworkManagement::NetManagement::{
    FILTER_NORMAL_ACCOUNT, MAX_PREFERRED_LENGTH, NERR_Success, NetApiBufferFree, NetUserEnum,
    UF_ACCOUNTDISABLE, USER_INFO_2,
};

use crate::sensors::posture::idle::{DAY_SECS, Usable};
use crate::wide;

/// `usri2_acct_expires` of an account that never does.
const NEVER: u32 = u32::MAX;
/// Longest name of an account, in units of UTF-16 (`UNLEN`).
const NAME_MAX_UNITS: usize = 256;

/// Returns the accounts somebody can sign in with.
#[expect(unsafe_code, reason = "the accounts of Windows have no safe binding")]
pub(super) fn usable(now: Timestamp) -> io::Result<Vec<Usable>> {
    let mut buffer: *mut u8 = ptr::null_mut();
    let (mut read, mut total) = (0, 0);
    // SAFETY: the system makes the list and says how long it is; it is given back below.
    let status = unsafe {
        NetUserEnum(
            ptr::null(),
            2,
            FILTER_NORMAL_ACCOUNT,
            &raw mut buffer,
            MAX_PREFERRED_LENGTH,
            &raw mut read,
            &raw mut total,
            ptr::null_mut(),
        )
    };
    if status != NERR_Success {
        return Err(io::Error::from_raw_os_error(status.cast_signed()));
    }
    let mut found = Vec::new();
    if !buffer.is_null() {
        let count = usize::try_from(read).unwrap_or(0);
        // SAFETY: as many entries of level 2 as were read lie there, with their names, until it is given back.
        let entries = unsafe { std::slice::from_raw_parts(buffer.cast::<USER_INFO_2>(), count) };
        found.extend(entries.iter().filter_map(|entry| account(entry, now)));
        // SAFETY: the system made it, and nothing of it is used any more.
        unsafe { NetApiBufferFree(buffer.cast()) };
    }

    Ok(found)
}

/// Returns an account that is neither disabled nor expired.
#[expect(unsafe_code, reason = "the accounts of Windows have no safe binding")]
fn account(entry: &USER_INFO_2, now: Timestamp) -> Option<Usable> {
    let seconds = now.as_second();
    let expires = entry.usri2_acct_expires;
    let is_over = expires != NEVER && expires != 0 && i64::from(expires) <= seconds;
    if entry.usri2_flags & UF_ACCOUNTDISABLE != 0 || is_over {
        return None;
    }
    let last = i64::from(entry.usri2_last_logon);
    // SAFETY: the list it stands in is there, and with it its texts, each with its zero.
    let name = unsafe { wide::read(entry.usri2_name, NAME_MAX_UNITS) };

    Some(Usable {
        name,
        last: Timestamp::from_second(last).ok().filter(|_| last != 0),
        password_day: Some((seconds - i64::from(entry.usri2_password_age)) / DAY_SECS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &[u16], flags: u32, expires: u32) -> USER_INFO_2 {
        USER_INFO_2 {
            usri2_name: name.as_ptr().cast_mut(),
            usri2_flags: flags,
            usri2_acct_expires: expires,
            usri2_last_logon: 1_780_000_000,
            usri2_password_age: 86_400,
            ..Default::default()
        }
    }

    #[test]
    fn who_is_disabled_or_expired_is_no_account() {
        let name: Vec<u16> = "yamada\0".encode_utf16().collect();
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let usable = account(&entry(&name, 0x200, NEVER), now).unwrap();
        assert_eq!(usable.name, "yamada");
        assert_eq!(usable.last, Timestamp::from_second(1_780_000_000).ok());
        assert_eq!(usable.password_day, Some((1_790_000_000 - 86_400) / 86_400));
        assert!(account(&entry(&name, 0x202, NEVER), now).is_none());
        assert!(account(&entry(&name, 0x200, 1_700_000_000), now).is_none());
    }
}
