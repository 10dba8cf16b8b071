//! The second factor: a six-digit code from the clock and a shared secret (RFC 6238).

use jiff::Timestamp;
use totp_rs::{Builder, Totp};

use shirase_shared::secret::Secret;

/// How long one code stands, in seconds.
pub const TOTP_STEP_SECS: u64 = 30;
/// Codes before and after the present one that are taken as well.
const SKEW_STEPS: u16 = 1;
/// Bytes of the shared secret (160 bits, as the RFC recommends).
const SECRET_BYTES: usize = 20;
/// What the app on the telephone shows as the issuer.
const ISSUER: &str = "Shirase";

/// Makes a shared secret of the first 20 of these random bytes.
#[must_use]
pub fn totp_secret_from(random: &[u8]) -> Secret<String> {
    let mut bytes = [0; SECRET_BYTES];
    for (byte, random) in bytes.iter_mut().zip(random) {
        *byte = *random;
    }

    Secret::new(totp_rs::Secret::new_stack(bytes).to_base32())
}

/// Returns the address a QR code carries to the app on the telephone.
#[must_use]
pub fn totp_uri(login: &str, secret: &Secret<String>) -> String {
    let account: String = url_text(login);
    format!(
        "otpauth://totp/{ISSUER}:{account}?secret={}&issuer={ISSUER}&period={TOTP_STEP_SECS}",
        secret.reveal()
    )
}

/// Checks a code and returns the step it stands for, to be stored so that it is not taken again.
///
/// A step at or before `last_step` is refused, and so is anything that is not six digits.
#[must_use]
pub fn check_totp(
    secret: &Secret<String>,
    code: &str,
    last_step: u64,
    now: Timestamp,
) -> Option<u64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let totp = totp(secret)?;
    let seconds = u64::try_from(now.as_second()).ok()?;
    let step = totp.check(&digits, seconds)?;

    (last_step < step).then_some(step)
}

fn totp(secret: &Secret<String>) -> Option<Totp> {
    let secret = totp_rs::Secret::try_from_base32(secret.reveal()).ok()?;
    Builder::new()
        .with_secret(secret)
        .with_step_duration(TOTP_STEP_SECS)
        .with_skew(SKEW_STEPS)
        .build()
        .ok()
}

/// Percent-encodes everything but letters, digits and a few marks.
fn url_text(text: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(out, "%{byte:02X}").unwrap_or_default();
        }
    }
    out
}

/// Returns the code of one moment, as the app on a telephone would show it.
#[cfg(test)]
pub(crate) fn code_at(secret: &Secret<String>, at: Timestamp) -> String {
    let seconds = u64::try_from(at.as_second()).expect("after 1970");
    totp(secret)
        .expect("a legal secret")
        .generate(seconds)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base32 of the RFC's `12345678901234567890`.
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_values_of_the_rfc_are_met() {
        let secret = Secret::new(RFC.to_owned());
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")]
        {
            let at = Timestamp::from_second(seconds).unwrap();
            assert_eq!(code_at(&secret, at), code);
            assert!(check_totp(&secret, code, 0, at).is_some());
        }
    }

    #[test]
    fn a_code_is_good_once_and_one_step_to_each_side() {
        let secret = totp_secret_from(b"twenty bytes and more");
        let at = Timestamp::from_second(1_770_000_000).unwrap();
        let later = |steps: i64| Timestamp::from_second(1_770_000_000 + 30 * steps).unwrap();
        let code = code_at(&secret, at);
        let step = check_totp(&secret, &code, 0, at).unwrap();
        assert_eq!(check_totp(&secret, &code, step, at), None, "taken twice");
        assert_eq!(check_totp(&secret, &code, 0, later(1)), Some(step));
        assert_eq!(check_totp(&secret, &code, 0, later(-1)), Some(step));
        assert_eq!(check_totp(&secret, &code, 0, later(2)), None);
        for odd in ["", "12345", "abcdef", "1234567", "１２３４５６"] {
            assert_eq!(check_totp(&secret, odd, 0, at), None, "{odd:?}");
        }
    }

    #[test]
    fn a_hostile_login_stays_inside_its_place_in_the_address() {
        let uri = totp_uri("a&secret=x/\u{202e}", &Secret::new(RFC.to_owned()));
        assert!(
            uri.starts_with("otpauth://totp/Shirase:a%26secret%3Dx%2F%E2%80%AE?secret=GEZ"),
            "{uri}"
        );
    }
}
