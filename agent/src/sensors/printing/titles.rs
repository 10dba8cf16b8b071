//! Whether the title of a print job is that of a ransom note.

use crate::observation::Wording;

/// What titles of notes hold, without case and with blanks for anything between words. No ordinary work is called so.
const WORDS: &[&str] = &[
    "ransom",
    "decrypt",
    "lockbit",
    "blackcat",
    "restore my files",
    "restore files",
    "restore your files",
    "recover my files",
    "recover your files",
    "your files are",
    "your data are",
    "your data is stolen",
    "files encrypted",
    "how to back files",
];

/// Judges a title.
pub(super) fn wording(title: &str) -> Wording {
    let plain: String = title
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if WORDS.iter().any(|word| plain.contains(word)) {
        Wording::RansomNote
    } else {
        Wording::Ordinary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_told_from_work() {
        for note in [
            "Restore-My-Files.txt - Notepad",
            "HOW_TO_DECRYPT.hta",
            "README restore files",
            "LockBit_Ransomware",
            "YOUR FILES ARE ENCRYPTED",
        ] {
            assert_eq!(wording(note), Wording::RansomNote, "{note}");
        }
        for work in [
            "検体ラベル",
            "Microsoft Word - 退院サマリ",
            "README",
            "処方箋 0001",
            "(stdin)",
            "label 17",
        ] {
            assert_eq!(wording(work), Wording::Ordinary, "{work}");
        }
    }
}
