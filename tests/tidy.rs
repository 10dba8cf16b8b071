//! The rules of ARCHITECTURE section 4 as a test, so that the picture stays true.

#![expect(clippy::unwrap_used, reason = "a test speaks by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// A path prefix and the words its code must not contain: who decides does no I/O and reads no clock.
const PURE: &[(&str, &[&str])] = &[
    ("agent/src/detectors", IMPURE),
    ("collector/src/approval", IMPURE),
    ("collector/src/cases", IMPURE),
    ("collector/src/checklist", IMPURE),
    ("collector/src/correlate", IMPURE),
    ("collector/src/exchange.rs", IMPURE),
    ("collector/src/exchange/card", IMPURE),
    ("collector/src/exchange/hash_id", IMPURE),
    ("collector/src/exchange/incoming", IMPURE),
    ("collector/src/exchange/kind", IMPURE),
    ("collector/src/exchange/manifest", IMPURE),
    ("collector/src/exchange/message", IMPURE),
    ("collector/src/exchange/name", IMPURE),
    ("collector/src/exchange/package", IMPURE),
    ("collector/src/exchange/partner", IMPURE),
    ("collector/src/incidents/", IMPURE),
    ("collector/src/institutions", IMPURE),
    ("collector/src/reports/answer", IMPURE),
    ("collector/src/reports/deadline", IMPURE),
    ("collector/src/reports/draft", IMPURE),
    ("collector/src/reports/duty", IMPURE),
    ("collector/src/reports/fields", IMPURE),
    ("collector/src/reports/official", IMPURE),
    ("collector/src/reports/interview", IMPURE),
    ("collector/src/reports/overview", IMPURE),
    ("collector/src/reports/profile", IMPURE),
    ("collector/src/reports/round", IMPURE),
    ("collector/src/console/", IMPURE),
    ("collector/src/sharing", IMPURE),
    ("collector/src/tables", IMPURE),
    ("shared/src/event.rs", IMPURE),
    ("shared/src/posture.rs", IMPURE),
    ("shared/src/wire.rs", IMPURE),
];

const IMPURE: &[&str] = &[
    "tokio::",
    "std::fs",
    "std::net",
    "Instant::now",
    "Timestamp::now",
    "SystemTime::now",
    "sqlx::",
    "axum::",
    "reqwest::",
    "sled::",
];

/// A heavy dependency and the only places that may name it.
const DOORS: &[(&str, &[&str])] = &[
    ("axum", &["collector/src/http"]),
    ("sqlx::", &["collector/src/store"]),
    ("sled::", &["agent/src/buffer/engine"]),
    ("typst", &["collector/src/reports/render/pdf"]),
    ("zbus", &["agent/src/sensors/services/linux", "agent/src/sensors/units/linux"]),
    ("lettre", &["collector/src/notify/mail", "collector/src/reports/render/mail"]),
    ("zip", &["collector/src/reports/render/archive"]),
    ("rust_xlsxwriter", &["collector/src/reports/render/xlsx"]),
    ("toml_edit", &["collector/src/policy/adding.rs"]),
    (
        "quick_xml",
        &[
            "agent/src/sensors/event_log",
            "collector/src/reports/official",
            "collector/src/reports/render/docx",
        ],
    ),
    ("notify::", &["agent/src/sensors/files", "collector/src"]),
    (
        "reqwest::",
        &[
            "agent/src/uplink",
            "agent/src/enrolment",
            "agent/src/sensors/probes/http",
            "collector/src/notify/webhook",
            "collector/src/post/client",
        ],
    ),
    ("shirase_agent", &["agent/"]),
    ("shirase_collector", &["collector/"]),
];

/// The one reason not to run a test by itself: another test starts it as a process of its own, to kill it.
const CHILD: &str = "#[ignore = \"started as a child process by the tests beside it\"]";

/// Longest file that is not questioned, in lines.
const LINES_MAX: usize = 600;

/// What may stand in the root where everybody sees it.
const ROOT: &[&str] = &[
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "agent",
    "collector",
    "deploy",
    "shared",
    "target",
    "tests",
];

#[test]
fn who_decides_does_no_io_and_reads_no_clock() {
    let mut found = Vec::new();
    for (path, code) in sources() {
        for (prefix, words) in PURE.iter().filter(|(prefix, _)| path.starts_with(prefix)) {
            let broken = words.iter().filter(|word| code.contains(**word));
            found.extend(broken.map(|word| format!("{path} ({prefix}) names `{word}`")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn each_heavy_dependency_has_one_door() {
    let mut found = Vec::new();
    for (path, code) in sources() {
        for (word, doors) in DOORS {
            let open =
                doors.iter().any(|door| path.starts_with(door)) || path.starts_with("tests/");
            if !open && names(&code, word) {
                found.push(format!("{path} names `{word}`, which belongs to {doors:?}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    let mut found = Vec::new();
    for (path, _) in sources() {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        if !text.starts_with("//!") {
            found.push(format!("{path} does not begin with `//!`"));
        }
        if LINES_MAX < text.lines().count() {
            found.push(format!("{path} has {} lines", text.lines().count()));
        }
        if path.ends_with("/mod.rs") {
            found.push(format!("{path}: `foo.rs` beside `foo/`, never `mod.rs`"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_left_for_later_or_skipped() {
    let mut found = Vec::new();
    for path in files(&root())
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
    {
        if path == "tests/tidy.rs" {
            continue;
        }
        let text = fs::read_to_string(root().join(&path))
            .unwrap()
            .replace(CHILD, "");
        for word in ["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "FIXME", "XXX"] {
            if text.contains(word) {
                found.push(format!("{path} contains `{word}`"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_root_holds_what_people_look_for_and_nothing_else() {
    let visible = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let visible = visible.map(|name| name.to_string_lossy().into_owned());
    let odd: Vec<_> = visible
        .filter(|name| !name.starts_with('.') && !ROOT.contains(&name.as_str()))
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn every_key_of_a_locale_stands_in_both_languages() {
    let keys = |language: &str| -> Vec<(String, String)> {
        let folder = root().join("collector/locales").join(language);
        let mut all = Vec::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            for line in fs::read_to_string(&path).unwrap().lines() {
                if let Some((key, _)) = line.split_once(" =")
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                {
                    all.push((name.clone(), key.to_owned()));
                }
            }
        }
        all.sort();
        all
    };
    let (japanese, english) = (keys("ja"), keys("en"));
    assert!(!japanese.is_empty());
    let lonely: Vec<_> = japanese
        .iter()
        .filter(|key| !english.contains(key))
        .collect();
    let only_english: Vec<_> = english
        .iter()
        .filter(|key| !japanese.contains(key))
        .collect();
    assert!(lonely.is_empty() && only_english.is_empty(), "{lonely:?} {only_english:?}");
}

/// Whether code uses a crate or a path, not merely a word that contains it.
fn names(code: &str, word: &str) -> bool {
    let path = if word.ends_with("::") { word.to_owned() } else { format!("{word}::") };
    code.match_indices(&path).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// Every Rust source of the three crates with comments and unit tests taken away.
fn sources() -> Vec<(String, String)> {
    let tests = |path: &str| {
        path.contains("/src/") && (path.ends_with("/tests.rs") || path.contains("/tests/"))
    };
    let wanted = |path: &String| {
        path.ends_with(".rs")
            && !tests(path)
            && ["agent/src", "collector/src", "shared/src", "tests/"]
                .iter()
                .any(|prefix| path.starts_with(prefix))
    };
    let code = |path: String| {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let body = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        let lines = body
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        (path, code)
    };
    let found: Vec<_> = files(&root())
        .into_iter()
        .filter(wanted)
        .map(code)
        .collect();
    assert!(found.len() > 30, "only {} sources found", found.len());
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name == "target" || name == "node_modules" || name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                let below = path.strip_prefix(root()).unwrap();
                found.push(below.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}
