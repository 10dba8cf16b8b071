//! What is put behind the name of a directory: a note by people and administrators, or the mark of an encryptor.
//!
//! A directory has no content to compare its name with, and one that is renamed takes all its files along: the suffix
//! itself has to tell. What could be either is left to the second directory.

use std::sync::LazyLock;

use shirase_shared::settings::suffix::{Words, words};

/// What people and administrators put behind a directory's name besides the suffixes programs append.
static NOTES: LazyLock<Words> = LazyLock::new(|| {
    words(
        "org bk bkp bck bkup back cp cpy test tst dev stg prd prod local hold keep hidden unused \
    delete del trash remove removed skip ng ok fix fixed wip draft final latest original archive \
    archived closed restored recovered 旧 新 済 完了 未使用 予備 控え 保管 削除 削除予定 廃止 移行前 移行後",
    )
});
/// Beside a number: a version, a year, a turn.
static COUNTED: LazyLock<Words> = LazyLock::new(|| {
    words(
        "v ver r rev rel rc no n q h fy w part vol day step copy old bak new tmp gen disk node srv b \
    beta a alpha p s m d st nd rd th 年 年度 月 日",
    )
});
/// Parts of suffixes that say what was done.
const TAKEN_WORDS: &[&str] =
    &["crypt", "encr", "cipher", "lock", "ransom", "wncry", "hostage", "暗号", "身代金"];
/// Letters in a word without a vowel from which nobody can say it.
const UNSPEAKABLE_LETTERS: usize = 3;
/// Changes between letters and digits from which nobody chose them.
const MIXED_CHANGES: usize = 2;
/// A shorter mixture is a turn or a size.
const MIXED_CHARS: usize = 4;

/// Returns whether a suffix (lower case) is one people put behind the name of a directory: `org`, `v2`, `2025年度`, `旧`.
#[must_use]
pub fn is_note(suffix: &str) -> bool {
    let known = |word: &str| NOTES.contains(word) || COUNTED.contains(word);
    let mut words = suffix
        .split(|c: char| c.is_ascii_digit() || c == '-' || c == '_')
        .filter(|word| !word.is_empty());
    let counted = suffix.contains(|c: char| c.is_ascii_digit()) && words.all(known);
    let same = suffix.chars().all(|c| suffix.starts_with(c));

    NOTES.contains(suffix) || counted || same
}

/// Returns whether a suffix (lower case) is of the kind encryptors give: it says what was done, holds an address, or
/// nobody can say it.
#[must_use]
pub fn is_outlandish(suffix: &str) -> bool {
    if is_note(suffix) {
        return false;
    }
    let says = TAKEN_WORDS.iter().any(|word| suffix.contains(word));
    let address = suffix.contains(['@', '[', '{']);

    says || address || is_unspeakable(suffix) || is_mixed(suffix)
}

/// Whether a word of Latin letters has no vowel.
fn is_unspeakable(suffix: &str) -> bool {
    let letters = suffix.chars().filter(char::is_ascii_alphabetic).count();
    let vowels = suffix.contains(['a', 'e', 'i', 'o', 'u', 'y']);

    suffix.is_ascii() && UNSPEAKABLE_LETTERS <= letters && !vowels
}

/// Whether letters and digits take turns as nobody chooses them. A number in base sixteen is a version's.
fn is_mixed(suffix: &str) -> bool {
    let bytes = suffix.as_bytes();
    let change = |pair: &&[u8]| match pair {
        [one, other] => {
            (one.is_ascii_alphabetic() && other.is_ascii_digit())
                || (one.is_ascii_digit() && other.is_ascii_alphabetic())
        }
        _ => false,
    };
    let changes = bytes.windows(2).filter(change).count();
    let hexadecimal = bytes.iter().all(u8::is_ascii_hexdigit);

    MIXED_CHARS <= bytes.len() && MIXED_CHANGES <= changes && !hexadecimal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_put_behind_a_directory_is_no_encryptors_suffix() {
        for note in [
            "org",
            "v2",
            "ver3",
            "rev_12",
            "旧",
            "2025年度",
            "r7",
            "fy2025h1",
            "xxx",
            "bkp",
            "1st",
            "del2",
        ] {
            assert!(is_note(note) && !is_outlandish(note), "{note}");
        }
        for taken in [
            "qzx",
            "locked",
            "encrypted",
            "x7f3k",
            "id-7f3z",
            "wncry",
            "暗号化",
            "[a@b.invalid]",
            "c8x2",
        ] {
            assert!(is_outlandish(taken), "{taken}");
        }
        for either in
            ["akira", "play", "hive", "project", "d", "ab", "win2016", "3f2a9c1", "x86_64", ""]
        {
            assert!(!is_outlandish(either), "{either}");
        }
    }
}
