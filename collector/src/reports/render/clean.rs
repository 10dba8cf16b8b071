//! Makes text fit for a document that leaves the house: nothing hidden, nobody named, no raw path.
//!
//! What agents send holds no patient data, but people type what they see: a path of the records' storage copied from a
//! screen, a patient's number, a name after 患者氏名. Documents are made of what went through here.
//!
//! Always holds: what was left out is marked as left out; counts, hashes and times pass untouched.
//!
//! Not here: a name without anything around it that says so; no program can tell it from any other.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::reports::text;

/// Stands for what was left out.
pub const LEFT_OUT: &str = "〔患者を特定し得るため省略〕";

/// Paths and file names of standardised storage: `…/123/456/1234567/20260209/OMP-01/…` and the seven parts of a name.
static STORAGE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let stop = r#"\s"'<>|、。，；「」『』（）()"#;
    [
        // A name: patient, day or -, data type, key, and so on.
        format!(r"[^{stop}]*[0-9A-Za-z]+_(?:[0-9]{{8}}|-)_[A-Z]{{2,4}}(?:-[0-9]{{2}})?_[^{stop}]*"),
        // A path: day or -, then a data type.
        format!(
            r"[^{stop}]*[/\\][0-9A-Za-z-]+[/\\](?:[0-9]{{8}}|-)[/\\][A-Z]{{2,4}}-?[0-9]{{2}}(?:[/\\][^{stop}]*)?"
        ),
        // A path that stops at the patient: three, three, and the whole number, which begins with both.
        format!(
            r"[^{stop}]*[/\\](?P<first>[0-9A-Za-z]{{3}})[/\\](?P<next>[0-9A-Za-z]{{3}})[/\\](?P<whole>[0-9A-Za-z]{{6,}})[^{stop}]*"
        ),
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

/// Who is meant in general where a name could stand: 患者の皆様.
const EVERYBODY: &[&str] = &["皆", "皆々", "家族", "御家族", "本人", "御本人", "全員", "関係者"];

/// A number or a name that the words before it call a patient's.
static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?i)((?:患者|カルテ|診察券|受診者)\s*(?:の)?\s*(?:ID|ＩＤ|番号|No\.?|コード)\s*(?:は|が|[:：=＝＃#])?\s*)([0-9０-９A-Za-z][0-9０-９A-Za-z-]{2,})",
        r"(?i)((?:patient\s*(?:id|no\.?|number)|\bMRN|\bPID)\s*(?:is\b|[:：=＝#])?\s*)([0-9][0-9A-Za-z-]{2,})",
        r"((?:患者|受診者)\s*(?:の)?\s*(?:氏名|名前|名)\s*(?:は|[:：=＝])\s*)([^\s、。，,;；）)「」]{1,24}(?:[ 　][^\s、。，,;；）)「」]{1,12})?)",
        r"((?:患者|受診者)(?:の)?\s*)([\p{Han}\p{Katakana}ー]{1,10}?[ 　]?[\p{Han}\p{Katakana}ー]{0,10}?)(?:様|さん|氏|殿)",
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

/// Removes what hides in a text and what tells of a patient.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut text = text::plain(text);
    for pattern in STORAGE.iter() {
        let left_out = |found: &Captures<'_>| {
            let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
            let begins = format!("{}{}", part("first"), part("next"));
            let patient = part("whole").starts_with(&begins);
            if patient { LEFT_OUT.to_owned() } else { found[0].to_owned() }
        };
        text = pattern.replace_all(&text, left_out).into_owned();
    }
    for pattern in NAMED.iter() {
        let left_out = |found: &Captures<'_>| {
            let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
            if EVERYBODY.contains(&part(2)) {
                return part(0).to_owned();
            }
            format!("{}{LEFT_OUT}", part(1))
        };
        text = pattern.replace_all(&text, left_out).into_owned();
    }
    text
}

/// As [`clean`], on one line.
#[must_use]
pub fn clean_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a text no spreadsheet takes for a formula, whatever it begins with.
///
/// Half-width and full-width signs count, and so do a tab and a line end before anything else.
#[must_use]
pub fn no_formula(text: &str) -> String {
    let dangerous = text
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '−', '＠', '|', '%']);
    if dangerous { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_of_the_records_storage_are_left_out() {
        for hostile in [
            "/ssmix/123/456/1234567/20260209/OMP-01/1234567_20260209_OMP-01_000000000000012_20260209015000000_01_1",
            r"D:\SSMIX2\001\234\00123456\-\ADT-00\00123456_-_ADT-00_999_20260209015000000_-_1",
            "1234567_-_PPR-01_0_20260209015000000_01_1.locked",
            "/data/ssmix/123/456/123456789",
            r"\\sv01\ssmix\123\456\1234567890\20260209",
        ] {
            let said = clean(&format!("保守端末で {hostile} を確認した。"));
            assert_eq!(said, format!("保守端末で {LEFT_OUT} を確認した。"), "{hostile}");
        }
    }

    #[test]
    fn a_number_or_name_called_a_patients_is_left_out() {
        check("患者ID: 0012345 の記録", "患者ID: 〔〕 の記録");
        check("患者番号は９８７６５４であった", "患者番号は〔〕であった");
        check("診察券番号 12-3456、内科", "診察券番号 〔〕、内科");
        check("patient id 4711-22 opened", "patient id 〔〕 opened");
        check("患者氏名：山田 太郎、内科", "患者氏名：〔〕、内科");
        check("患者の山田太郎様より電話", "患者の〔〕より電話");
    }

    #[test]
    fn counts_hashes_times_and_ordinary_paths_stay() {
        for text in [
            "本人の数は1,200人（最大13,000人）",
            "2026年2月9日（月）01:50:00",
            "患者への影響はない。患者数は412人",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "部門共有の「外来」フォルダ、/var/lib/postgresql/15/main",
            "事案第7号、受付番号 MS-20260209-01",
            "患者の皆様への説明、患者さんの御家族への連絡、患者御家族様",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn nothing_begins_like_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＠x", "|x"] {
            assert!(no_formula(text).starts_with('\''), "{text}");
        }
        assert_eq!(no_formula("1-2=3"), "1-2=3");
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(clean(text), expected.replace("〔〕", LEFT_OUT));
    }
}
