//! The configuration, lists, and what is not there.

use std::path::Path;

use serde_json::Value;

use crate::place::Place;

#[test]
fn config_prints_a_file_that_check_finds_in_order() {
    let place = Place::new();
    let printed = place.ok(&["config"]);
    std::fs::write(place.config(), &printed).unwrap();
    assert!(place.ok(&["check"]).contains("in order"));
    assert!(!Path::new("/var/lib/shirase-collector/shirase.db").exists(), "check opened something");
}

#[test]
fn check_names_three_mistakes_with_line_key_and_remedy() {
    let place = Place::new();
    let broken = "dat_dir = \"/x\"\n[ingest]\nlisten = \"here\"\n[mail]\nport = \"many\"\n";
    std::fs::write(place.config(), broken).unwrap();
    let said = place.run(&["check"], "");
    assert_eq!(said.code, 1);
    for part in ["line 1: `dat_dir`", "line 3: `listen`", "line 5: `port`"] {
        assert!(said.out.contains(part), "no {part} in\n{}", said.out);
    }
    assert!(!place.data().exists(), "check made something");
    assert!(place.refused(&["serve"], "").contains("3 mistake(s)"));
    std::fs::remove_file(place.config()).unwrap();
    assert!(
        place
            .refused(&["facility", "list"], "")
            .contains("--config")
    );
}

#[test]
fn what_is_not_there_is_named_and_lists_are_empty_arrays() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    for kind in ["host", "incident", "report", "manifest", "maintenance"] {
        assert!(place.list(&[kind, "list"]).is_empty());
    }
    for (arguments, part) in [
        (&["drill", "start", "handa-hp"][..], "enrol one first"),
        (
            &[
                "maintenance",
                "begin",
                "handa-hp",
                "--hours",
                "4",
                "--owner",
                "佐藤",
                "--reason",
                "更新",
            ],
            "enrol one first",
        ),
        (
            &[
                "maintenance",
                "begin",
                "handa-hp",
                "--hours",
                "400",
                "--owner",
                "佐藤",
                "--reason",
                "更新",
            ],
            "1 to 72 hours",
        ),
        (
            &["maintenance", "begin", "handa-hp", "--hours", "4", "--owner", " ", "--reason", "x"],
            "who answers for it",
        ),
        (&["maintenance", "end", "handa-hp", "--owner", "佐藤"], "enrol one first"),
        (&["host", "revoke", "handa-hp", "ehr1"], "host list"),
        (&["incident", "show", "handa-hp", "7"], "incident list"),
        (&["report", "show", "handa-hp", "7"], "report list"),
        (&["report", "approve", "handa-hp", "7", "--as", "sato"], "report list"),
        (&["report", "export", "handa-hp", "7", "--out", "x.pdf"], "report list"),
        (&["host", "list", "--facility", "nowhere"], "facility list"),
        (&["manifest", "open", "nonsense", "--identity", "-"], "neither a file"),
    ] {
        let said = place.refused(arguments, "");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn profiles_are_listed_and_every_mistake_in_them_is_named() {
    let place = Place::new();
    let profiles = place.list(&["profile", "list"]);
    let ids: Vec<&str> = profiles
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"jp-mhlw-contact") && ids.contains(&"jp-ppc-final"), "{ids:?}");
    let act = profiles
        .iter()
        .find(|one| one["id"] == "jp-cyber-act")
        .unwrap();
    assert_eq!((&act["enabled"], &act["confidence"]), (&false.into(), &"secondary".into()));
    assert!(place.ok(&["profile", "list"]).contains("未確認"));
    assert!(place.ok(&["profile", "check"]).contains("in order"));

    let own = place.data().join("profiles");
    std::fs::create_dir_all(&own).unwrap();
    let broken = "id = \"jp-ipa\"\naddressee = \"nobody\"\nvalid_from = \"soon\"\n";
    std::fs::write(own.join("jp-ipa.toml"), broken).unwrap();
    let said = place.run(&["profile", "check", "--json"], "");
    assert_eq!(said.code, 1, "{}", said.err);
    let problems: Value = serde_json::from_str(&said.out).unwrap();
    let lines: Vec<u64> = problems
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["file"] == "jp-ipa.toml")
        .map(|one| one["line"].as_u64().unwrap())
        .collect();
    assert!(lines.contains(&2) && lines.contains(&3), "{problems}");
    std::fs::remove_file(own.join("jp-ipa.toml")).unwrap();
    assert!(place.list(&["deadline", "list"]).is_empty());
}
