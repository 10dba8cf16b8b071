//! Passwords: argon2id, one-time ones, and what a new one has to be.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};

use shirase_shared::secret::Secret;

/// Shortest password anybody may choose (guideline 7.0: 13 without a second factor).
pub const PASSWORD_MIN_CHARS: usize = 13;
/// Longest one; hashing a novel would only cost time.
pub const PASSWORD_MAX_CHARS: usize = 256;
/// argon2id memory in KiB, passes and lanes as OWASP recommends: 19 MiB, 2, 1.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Letters of a one-time password: none that is taken for another when read aloud or from paper.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789+";
/// Letters in a one-time password (5 bits each: 100 bits) and how many stand together.
const ONE_TIME_LETTERS: usize = 20;
const GROUP: usize = 5;

/// Why a new password is not taken.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Fewer than [`PASSWORD_MIN_CHARS`].
    #[error("the password has fewer than {PASSWORD_MIN_CHARS} characters")]
    TooShort,
    /// More than [`PASSWORD_MAX_CHARS`].
    #[error("the password has more than {PASSWORD_MAX_CHARS} characters")]
    TooLong,
    /// It is the one it should replace.
    #[error("the new password is the old one")]
    Unchanged,
    /// The login stands in it.
    #[error("the password contains the login name")]
    ContainsLogin,
    /// One or two characters repeated.
    #[error("the password repeats very few characters")]
    Monotonous,
}

/// Checks what a person wants as a new password.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_new_password(new: &str, login: &str, old: &str) -> Result<(), PasswordProblem> {
    let chars = new.chars().count();
    if chars < PASSWORD_MIN_CHARS {
        return Err(PasswordProblem::TooShort);
    }
    if PASSWORD_MAX_CHARS < chars {
        return Err(PasswordProblem::TooLong);
    }
    if new == old {
        return Err(PasswordProblem::Unchanged);
    }
    if new.to_lowercase().contains(&login.to_lowercase()) {
        return Err(PasswordProblem::ContainsLogin);
    }
    if new.chars().collect::<std::collections::BTreeSet<_>>().len() < 5 {
        return Err(PasswordProblem::Monotonous);
    }

    Ok(())
}

/// Hashes a password. Takes about 50 ms and 19 MiB: call it on a blocking thread.
///
/// # Errors
/// Only when the system gives no randomness or no memory.
pub fn hash_password(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(hasher().hash_password(password.as_bytes())?.to_string())
}

/// Whether a password fits a stored hash. As slow as [`hash_password`].
#[must_use]
pub fn verify_password(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Returns a hash no password fits, so that an unknown login takes as long as a known one.
#[must_use]
pub fn decoy_hash() -> &'static str {
    static DECOY: LazyLock<String> = LazyLock::new(|| {
        let nobody = new_one_time_password();
        hash_password(nobody.reveal()).unwrap_or_default()
    });
    DECOY.as_str()
}

/// Makes a password to be given out once.
#[must_use]
pub fn new_one_time_password() -> Secret<String> {
    let mut bytes = [0; ONE_TIME_LETTERS];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives randomness");
    let letters = bytes.iter().map(|byte| {
        char::from(
            ALPHABET
                .get(usize::from(byte % 32))
                .copied()
                .unwrap_or(b'a'),
        )
    });
    let mut text = String::new();
    for (index, letter) in letters.enumerate() {
        if 0 < index && index % GROUP == 0 {
            text.push('-');
        }
        text.push(letter);
    }

    Secret::new(text)
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .expect("the constants above are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_alone() {
        let hash = hash_password("正しい馬の電池とホチキス").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_password("正しい馬の電池とホチキス", &hash));
        assert!(!verify_password("正しい馬の電池とホチキ", &hash));
        assert!(!verify_password("", &hash) && !verify_password("x", "no hash at all"));
    }

    #[test]
    fn weak_passwords_are_refused_by_name() {
        fn check(new: &str) -> Result<(), PasswordProblem> {
            check_new_password(new, "sato", "old-password-1")
        }
        assert_eq!(check("short-1"), Err(PasswordProblem::TooShort));
        assert_eq!(check("old-password-1"), Err(PasswordProblem::Unchanged));
        assert_eq!(check("I-am-SATO-of-Handa"), Err(PasswordProblem::ContainsLogin));
        assert_eq!(check("aaaaaaaaaaaaaaaa"), Err(PasswordProblem::Monotonous));
        assert_eq!(check(&"ab3de".repeat(60)), Err(PasswordProblem::TooLong));
        assert_eq!(check("院内の桜が三月に咲いて綺麗"), Ok(()));
    }

    #[test]
    fn one_time_passwords_differ_and_read_well() {
        let one = new_one_time_password();
        let groups: Vec<_> = one.reveal().split('-').map(str::len).collect();
        assert_eq!(groups, [5, 5, 5, 5]);
        assert_ne!(one, new_one_time_password());
        assert_eq!(format!("{one:?}"), "Secret(..)");
    }
}
