//! Tells text from what is none, and reads it whatever its encoding.
//!
//! Always holds: pure, and any bytes are read to an end: they come from whoever can write to a watched root.

use encoding_rs::{ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

/// Fewer bytes of text than this say nothing.
pub(super) const TEXT_MIN_BYTES: usize = 16;
/// One control character in this many bytes is no text any more; random bytes have one in ten.
const TEXT_CONTROL_SHARE: usize = 30;

/// Whether the bytes are text of some encoding: UTF-8, Shift JIS and EUC hardly have control characters, UTF-16 has
/// its mark at the front or every other byte zero.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    if has_utf16_mark(bytes) {
        let zeros = bytes.iter().filter(|byte| **byte == 0).count();
        return zeros * 8 > bytes.len() || bytes.len() < TEXT_MIN_BYTES;
    }
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    if 0 < zeros {
        // Without the mark, UTF-16 of Latin text is zero in two bytes of five or more, but only on one side.
        let side = |skip| {
            bytes
                .iter()
                .skip(skip)
                .step_by(2)
                .filter(|byte| **byte == 0)
                .count()
        };
        return bytes.len() < zeros * 5 / 2 && (side(0) == 0 || side(1) == 0);
    }
    let ordinary = b"\t\n\x0b\x0c\r\x1a\x1b\x1c";
    let control = |byte: &&u8| (**byte < 0x20 && !ordinary.contains(byte)) || **byte == 0x7f;

    bytes.iter().filter(control).count() * TEXT_CONTROL_SHARE <= bytes.len()
}

/// Whether the bytes begin with the mark of UTF-16.
pub(super) fn has_utf16_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

/// Reads text in the encodings a hospital's files have. What does not read becomes U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    let encoding = if bytes.starts_with(b"\xff\xfe") {
        UTF_16LE
    } else if bytes.starts_with(b"\xfe\xff") {
        UTF_16BE
    } else if bytes
        .windows(3)
        .any(|three| three == b"\x1b$B" || three == b"\x1b$@")
    {
        ISO_2022_JP
    } else if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        SHIFT_JIS
    };

    encoding.decode(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_is_read_whatever_its_encoding() {
        let text = "ファイルは暗号化されました";
        for encoding in [UTF_8, SHIFT_JIS, ISO_2022_JP] {
            let (bytes, ..) = encoding.encode(text);
            assert!(is_text(&bytes), "{}", encoding.name());
            assert_eq!(decode(&bytes), text, "{}", encoding.name());
        }
        let wide = |unit: u16| unit.to_le_bytes();
        let utf16: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(wide)
            .collect();
        assert_eq!(decode(&utf16), text);
    }

    #[test]
    fn any_bytes_are_read_to_an_end() {
        for byte in 0..=u8::MAX {
            assert!(!decode(&[byte; 33]).is_empty());
        }
    }
}
