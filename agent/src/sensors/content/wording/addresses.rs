//! Addresses of people who do not want to be found, by their shape.

/// Points for an address that leads to somebody who hides.
const HIDDEN_POINTS: i32 = 4;
/// Points for an address to pay to; a project that asks for donations has one too.
const PAYMENT_POINTS: i32 = 2;
/// Characters of an onion address of the third and of the second version, before `.onion`.
const ONION_LENGTHS: [usize; 2] = [56, 16];
/// Hexadecimal digits of a Tox address.
const TOX_LENGTH: usize = 76;
/// Hexadecimal digits of a Session address, which begins with `05`.
const SESSION_LENGTH: usize = 66;
/// Characters of a Monero address, which begins with `4` or `8`.
const MONERO_LENGTHS: [usize; 2] = [95, 106];
/// Characters of a Bitcoin address of the old kind, which begins with `1` or `3`.
const BITCOIN_LENGTHS: std::ops::RangeInclusive<usize> = 26..=35;
/// Characters of one of the new kind, which begins with `bc1`.
const BECH32_LENGTHS: std::ops::RangeInclusive<usize> = 42..=62;

/// What a text has of such addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    onion: bool,
    messenger: bool,
    payment: bool,
}

impl Addresses {
    /// Looks at every run of letters and digits.
    pub(super) fn find(text: &str) -> Self {
        let mut found = Self::default();
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
            let from = rest.get(start..).unwrap_or_default();
            let length = from
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(from.len());
            let (word, after) = from.split_at(length);
            found.onion |= is_onion(word, after);
            found.messenger |= is_messenger(word);
            found.payment |= is_payment(word);
            rest = after;
        }
        found
    }

    /// Whether one of them leads to somebody who hides.
    pub(super) const fn is_hidden(self) -> bool {
        self.onion || self.messenger
    }

    /// Whether one of them can be paid to.
    pub(super) const fn is_payment(self) -> bool {
        self.payment
    }

    pub(super) const fn points(self) -> i32 {
        let hidden = if self.is_hidden() { HIDDEN_POINTS } else { 0 };
        hidden + if self.payment { PAYMENT_POINTS } else { 0 }
    }
}

fn is_onion(word: &str, after: &str) -> bool {
    let base32 = |byte: u8| matches!(byte.to_ascii_lowercase(), b'a'..=b'z' | b'2'..=b'7');
    let names_onion = after
        .get(..6)
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case(".onion"));

    ONION_LENGTHS.contains(&word.len()) && word.bytes().all(base32) && names_onion
}

fn is_messenger(word: &str) -> bool {
    let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex && (word.len() == TOX_LENGTH || (word.len() == SESSION_LENGTH && word.starts_with("05")))
}

fn is_payment(word: &str) -> bool {
    let base58 =
        |byte: u8| byte.is_ascii_alphanumeric() && !matches!(byte, b'0' | b'O' | b'I' | b'l');
    let bech32 = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9') && !b"1bio".contains(&byte);
    // Both cases and a digit: a long word or a hexadecimal number has not all of them.
    let mixed = word.bytes().any(|byte| byte.is_ascii_uppercase())
        && word.bytes().any(|byte| byte.is_ascii_lowercase())
        && word.bytes().any(|byte| byte.is_ascii_digit());
    let old = word.starts_with(['1', '3']) && BITCOIN_LENGTHS.contains(&word.len());
    let monero = word.starts_with(['4', '8']) && MONERO_LENGTHS.contains(&word.len());
    let new = word
        .strip_prefix("bc1")
        .is_some_and(|rest| BECH32_LENGTHS.contains(&word.len()) && rest.bytes().all(bech32));

    new || (mixed && word.bytes().all(base58) && (old || monero))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_shape() {
        let onion = format!("http://{}.onion/chat", "abcdefg2".repeat(7));
        assert!(Addresses::find(&onion).onion);
        assert!(Addresses::find("HTTP://ABCDEFGHIJKLMN23.ONION").onion);
        assert!(Addresses::find(&"0A1b".repeat(19)).messenger);
        assert!(Addresses::find(&format!("05{}", "0a1b".repeat(16))).messenger);
        assert!(Addresses::find("1BoatSLRHtKNngkdXEeobR76b53LETtpyT").payment);
        assert!(Addresses::find("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq").payment);
        assert!(Addresses::find(&format!("4{}", "Ab1".repeat(31) + "z")).payment);
    }

    #[test]
    fn ordinary_numbers_and_words_are_none() {
        let hash = "0a1b".repeat(16);
        for text in [
            "",
            "会いたい",
            "MSH|^~\\&|HIS|123456789012345678901234567890|",
            &hash,
            "d41d8cd98f00b204e9800998ecf8427e",
            "https://www.mhlw.go.jp/stf/page-12.html",
            "3333333333333333333333333333333",
            "an.onion a day",
            "1abcdefghijkmnopqrstuvwxyzabcde",
        ] {
            assert_eq!(Addresses::find(text), Addresses::default(), "{text}");
        }
    }
}
