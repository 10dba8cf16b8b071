//! Both languages say the same things, and every key the program asks for is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

#[test]
fn both_languages_have_the_same_keys_with_the_same_variables() {
    for (ja, en) in FILES {
        assert_eq!(keys(ja), keys(en));
    }
}

#[test]
fn every_file_reads_without_error_and_no_key_stands_in_two() {
    for side in [0, 1] {
        let mut seen = BTreeSet::new();
        for file in FILES {
            let text = if side == 0 { file.0 } else { file.1 };
            if let Err((_, errors)) = FluentResource::try_new(text.to_owned()) {
                panic!("{errors:?}");
            }
            for key in keys(text).into_keys() {
                assert!(seen.insert(key.clone()), "`{key}` stands twice");
            }
        }
    }
}

#[test]
fn every_key_the_program_asks_for_exists() {
    let known: BTreeSet<String> = FILES
        .iter()
        .flat_map(|(ja, _)| keys(ja).into_keys())
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut asked = BTreeSet::new();
    collect(&root.join("src"), &mut asked);
    collect(&root.join("templates"), &mut asked);
    let missing: Vec<_> = asked.difference(&known).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(!asked.is_empty());
}

#[test]
fn japan_is_nine_hours_ahead() {
    let at = "2026-02-08T16:50:00Z".parse().unwrap();
    assert_eq!(japan_time(at), "2026-02-09 01:50:00 JST");
}

#[test]
fn characters_that_hide_are_written_out() {
    assert_eq!(visible("a\u{202e}b\u{0}c\u{200b}\n"), "a[U+202E]b[U+0000]c[U+200B]\n");
    assert_eq!(visible("半田病院 ①"), "半田病院 ①");
}

#[test]
fn a_missing_key_is_shown_itself() {
    assert_eq!(Locale::new(Lang::En).text("no-such-key-at-all"), "no-such-key-at-all");
}

/// Returns each key of a file with the variables its words use.
fn keys(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys = BTreeMap::<String, BTreeSet<String>>::new();
    let mut current = String::new();
    for line in text.lines() {
        let starts = line.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        if starts && let Some((key, _)) = line.split_once('=') {
            key.trim().clone_into(&mut current);
            keys.entry(current.clone()).or_default();
        }
        for part in line.split('$').skip(1) {
            let name = part
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            keys.entry(current.clone()).or_default().insert(name);
        }
    }
    keys
}

/// Collects every literal key asked for below a directory.
fn collect(dir: &Path, asked: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, asked);
        } else if path.extension().is_some_and(|e| e == "rs" || e == "html")
            && !path.ends_with("tests.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            for call in [".text(\"", ".text_with(\"", ".label(\"", "ui::heading(\""] {
                for after in text.split(call).skip(1) {
                    let key = after.split('"').next().unwrap_or_default();
                    asked.insert(key.to_owned());
                }
            }
        }
    }
}
