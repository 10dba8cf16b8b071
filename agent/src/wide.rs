//! Texts as Windows takes and gives them: UTF-16 that ends with a zero.

/// Writes a text for Windows. A zero inside would end it early and becomes a blank.
pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.replace('\0', " ").encode_utf16().chain([0]).collect()
}

/// Reads a text of Windows, at most `max` units of it; empty for none.
///
/// # Safety
/// `begin` is null, or the text there can be read up to its zero or for `max` units.
#[expect(unsafe_code, reason = "Windows says of a text where it begins, and no more")]
pub(crate) unsafe fn read(begin: *const u16, max: usize) -> String {
    if begin.is_null() {
        return String::new();
    }
    let mut units = Vec::new();
    while units.len() < max {
        // SAFETY: what was read so far held no zero, and this is below `max`.
        let unit = unsafe { *begin.add(units.len()) };
        if unit == 0 {
            break;
        }
        units.push(unit);
    }

    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "reads what was just written")]
    fn what_is_written_reads_back_to_its_end_or_the_bound() {
        let text = wide("知らせ\0x");
        // SAFETY: the text lives, and ends with a zero.
        let (whole, part) = unsafe { (read(text.as_ptr(), 99), read(text.as_ptr(), 3)) };
        assert_eq!((whole.as_str(), part.as_str()), ("知らせ x", "知らせ"));
        // SAFETY: nothing is read of it.
        assert_eq!(unsafe { read(std::ptr::null(), 9) }, "");
    }
}
