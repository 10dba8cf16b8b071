//! Names somebody vouches for as an attacker's: suffixes of encrypted files, and file names of ransom notes.

use super::suffix;
use crate::config::Problem;

/// Most suffixes, and most names.
const COUNT_MAX: usize = 1000;
/// Longest of either, in characters.
const CHARS_MAX: usize = 100;
/// Shortest suffix, in characters: a letter is no attacker's.
const SUFFIX_CHARS_MIN: usize = 2;
/// Names that programs and people give every day.
const ORDINARY_NAMES: &[&str] = &[
    "readme",
    "readme.txt",
    "readme.md",
    "readme.html",
    "index.html",
    "index.htm",
    "license",
    "license.txt",
    "note.txt",
    "notes.txt",
    "memo.txt",
    "test.txt",
    "desktop.ini",
    "thumbs.db",
    "changelog",
    "changelog.txt",
];

/// Returns every rule that known bad suffixes and names break; keys stand below `table`.
#[must_use]
pub fn problems(table: &str, suffixes: &[String], names: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let key = format!("{table}.known_bad_suffixes");
    problems.extend(too_many(&key, suffixes.len()));
    problems.extend(
        suffixes
            .iter()
            .filter_map(|suffix| suffix_problem(&key, suffix)),
    );
    let key = format!("{table}.known_bad_names");
    problems.extend(too_many(&key, names.len()));
    problems.extend(names.iter().filter_map(|name| name_problem(&key, name)));
    problems
}

fn too_many(key: &str, count: usize) -> Option<Problem> {
    let remedy = format!("give at most {COUNT_MAX}");
    (COUNT_MAX < count).then(|| Problem::of(key, "has too many entries", remedy))
}

fn suffix_problem(key: &str, suffix: &str) -> Option<Problem> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "./\\".contains(c);
    let chars = suffix.chars().count();
    if !(SUFFIX_CHARS_MIN..=CHARS_MAX).contains(&chars) || suffix.contains(odd) {
        let message = format!("`{}` is no suffix", shown(suffix));
        return Some(Problem::of(key, message, "write `akira`, not `.akira`; 2 to 100 characters"));
    }
    let lower = suffix.to_lowercase();
    let ordinary = suffix::kind(&lower).is_some() || suffix::is_appended(&lower);
    let message = || format!("`{}` is a suffix of ordinary files", shown(suffix));
    let remedy = "leave it out: every such file would be called harmed";
    ordinary.then(|| Problem::of(key, message(), remedy))
}

fn name_problem(key: &str, name: &str) -> Option<Problem> {
    let odd = |c: char| c.is_control() || "/\\".contains(c);
    let chars = name.chars().count();
    if !(SUFFIX_CHARS_MIN..=CHARS_MAX).contains(&chars) || name.contains(odd) || name.trim() != name
    {
        let message = format!("`{}` is no file name", shown(name));
        return Some(Problem::of(key, message, "write the name alone, without a directory"));
    }
    let ordinary = ORDINARY_NAMES.contains(&name.to_lowercase().as_str());
    let message = || format!("`{}` is a name of ordinary files", shown(name));
    let remedy = "leave it out: every such file would be called a ransom note";
    ordinary.then(|| Problem::of(key, message(), remedy))
}

/// The beginning of a text, fit for a line.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_call_ordinary_files_harmed_is_refused() {
        let told = |suffixes: &[&str], names: &[&str]| {
            let own = |list: &[&str]| {
                list.iter()
                    .map(|text| (*text).to_owned())
                    .collect::<Vec<_>>()
            };
            problems("t", &own(suffixes), &own(names)).len()
        };
        assert_eq!(told(&["akira", "LockBit", "暗号"], &["HOW_TO_DECRYPT.txt", "復元方法.txt"]), 0);
        for wrong in ["", "x", ".akira", "a/b", "a b", "pdf", "DOCX", "bak", "2026", "a\u{7}b"] {
            assert_eq!(told(&[wrong], &[]), 1, "{wrong}");
        }
        for wrong in ["", "a", "../x.txt", "c:\\x.txt", "README.txt", " a.txt", "a\nb.txt"] {
            assert_eq!(told(&[], &[wrong]), 1, "{wrong}");
        }
        let many: Vec<_> = (0..=COUNT_MAX).map(|n| format!("x{n}")).collect();
        assert_eq!(problems("t", &many, &[]).len(), 1);
    }
}
