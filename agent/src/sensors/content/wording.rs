//! Reads a small text for the words of a ransom note, in English and Japanese.
//!
//! What makes a note is who speaks to whom: it tells the reader that *his* files were taken or encrypted, what he
//! must do to have them back, how to reach somebody who hides, and what happens otherwise. A hospital's own memo about
//! ransomware uses many of the same words, but speaks of others, and says whom in the house to call.
//!
//! Each list counts once however many of its words are there. Written for this project from what is common knowledge.
//!
//! Always holds: pure; a name is never looked at.

mod addresses;
mod lists;

use super::text::decode;
use crate::observation::Wording;
use addresses::Addresses;
use lists::{CLAIM, DEED, DEMAND, HIDDEN, MEMO_WORDS, REMEDY, THREAT};

/// Points from which a text is a note, if it also speaks to its reader.
const NOTE_POINTS: i32 = 7;

/// Words of a memo that count at the most.
const MEMO_WORDS_MAX: usize = 3;
/// Points for each of them.
const MEMO_POINTS: i32 = -4;

/// A text in the two forms in which words are looked for.
struct Text {
    /// Lower case, every run of blanks and line ends one blank.
    spaced: String,
    /// The same without any: Japanese is broken anywhere.
    dense: String,
}

impl Text {
    fn of(text: &str) -> Self {
        let lower = text.to_lowercase().replace(['\u{2019}', '`'], "'");
        let words: Vec<_> = lower.split_whitespace().collect();
        Self { spaced: words.join(" "), dense: words.concat() }
    }
}

/// Judges the whole of a small text.
pub(super) fn judge(bytes: &[u8]) -> Wording {
    let raw = decode(bytes);
    let addresses = Addresses::find(&raw);
    let text = Text::of(&without_tags(&raw));
    let speaks = CLAIM.is_in(&text) && DEED.is_in(&text);
    if !speaks && !addresses.is_hidden() {
        // Nearly every text ends here; looking for all the words takes longest of all that is done with a file.
        return Wording::Ordinary;
    }
    let hides = addresses.is_hidden() || HIDDEN.is_in(&text);
    let (helps, threatens) = (REMEDY.is_in(&text), THREAT.is_in(&text));
    // An address to pay to, or to write to, is that of a criminal only beside a threat: others ask for donations.
    let reached = hides || (threatens && (addresses.is_payment() || (helps && raw.contains('@'))));
    let is_addressed = (speaks && reached && (helps || DEMAND.is_in(&text)))
        || (addresses.is_hidden() && helps && threatens);
    let lists = [&CLAIM, &DEED, &REMEDY, &DEMAND, &THREAT, &HIDDEN];
    let points: i32 = lists.iter().map(|list| list.points_of(&text)).sum();
    let points = points + addresses.points() + memo_points(&text);

    if is_addressed && NOTE_POINTS <= points { Wording::RansomNote } else { Wording::Ordinary }
}

fn memo_points(text: &Text) -> i32 {
    let found = MEMO_WORDS
        .iter()
        .filter(|words| text.spaced.contains(**words) || text.dense.contains(**words))
        .count();

    i32::try_from(found.min(MEMO_WORDS_MAX)).unwrap_or_default() * MEMO_POINTS
}

/// Takes the tags of a web page away and puts numbered characters in their place; plain text stays as it is.
fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let (shown, length) = tag(from).or_else(|| numbered(from)).unwrap_or_else(|| {
            let first = from.chars().next().unwrap_or(' ');
            (first, first.len_utf8())
        });
        plain.push(shown);
        rest = from.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// A tag at the front, with its length; it counts as a blank.
fn tag(text: &str) -> Option<(char, usize)> {
    let opens = text.starts_with('<')
        && text
            .chars()
            .nth(1)
            .is_some_and(|c| c.is_ascii_alphabetic() || "/!?".contains(c));
    let end = text.find('>').filter(|_| opens)?;

    Some((' ', end + 1))
}

/// A character written as its number at the front, `&#26412;` or `&#x672c;`, with its length.
fn numbered(text: &str) -> Option<(char, usize)> {
    let end = text.find(';').filter(|end| *end < 12)?;
    let number = text.get(..end)?.strip_prefix("&#")?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };

    Some((char::from_u32(code)?, end + 1))
}

#[cfg(test)]
mod tests;
