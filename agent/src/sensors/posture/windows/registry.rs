//! Reads numbers of the registry.

use std::ptr;

use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD, RegGetValueW};

use crate::wide::wide;

/// Returns a number below `HKEY_LOCAL_MACHINE`; `None` if there is none that can be read.
#[expect(unsafe_code, reason = "the registry has no safe binding here")]
pub(super) fn number(key: &str, value: &str) -> Option<u32> {
    let (key, value) = (wide(key), wide(value));
    let mut number = 0_u32;
    let mut size = u32::try_from(size_of::<u32>()).ok()?;
    // SAFETY: both texts end with a zero; the number has the room that is said.
    let read = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_DWORD,
            ptr::null_mut(),
            (&raw mut number).cast(),
            &raw mut size,
        )
    };

    (read == ERROR_SUCCESS).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_there_is_read_and_another_is_none() {
        let key = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management";
        assert_eq!(number(key, "NoSuchValue"), None);
        assert_eq!(number(r"SYSTEM\NoSuchKey", "Start"), None);
        let start = number(r"SYSTEM\CurrentControlSet\Services\EventLog", "Start");
        assert!(start.is_some_and(|start| start <= 4), "{start:?}");
    }
}
