//! The list is closed, and every mistake is named.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::{KeyKind, PolicyKey};
use super::*;

const EVERYTHING: &str = r#"
[agent]
cpu_budget_percent = 30
memory_budget_mib = 300
[[sensors.roots]]
path = "/srv/ehr"
label = "ehr"
[[sensors.roots]]
path = 'D:\share'
[[sensors.services]]
name = "postgresql.service"
grace_secs = 90
[[sensors.processes]]
name = "java"
[[sensors.probes]]
name = "pacs"
dicom = "127.0.0.1:104"
called_ae = "PACS"
[sensors.protection]
guards = ["own-guard"]
[detectors.mass_change]
known_bad_suffixes = ["akira"]
known_bad_names = ["akira_readme.txt"]
[[detectors.mass_change.jobs]]
name = "retention"
root = "ehr"
from = "23:30"
until = "02:00"
[detectors.logon_burst]
usual_hours = ["mon-fri 07:00-20:00 +09:00"]
"#;

#[test]
fn the_shape_holds_the_listed_keys_and_no_other() {
    let policy = Policy::parse(EVERYTHING).unwrap();
    let mut found = BTreeSet::new();
    leaves("", &Value::Table(Table::try_from(&policy).unwrap()), &mut found);
    let listed: BTreeSet<_> = PolicyKey::ALL
        .iter()
        .map(|key| key.as_str().to_owned())
        .collect();
    assert_eq!(found, listed);
    for key in PolicyKey::ALL {
        assert_eq!(PolicyKey::from_name(key.as_str()), Some(key));
        let is_list = matches!(key.kind(), KeyKind::Names | KeyKind::Entries(_));
        assert!(is_list || matches!(key.kind(), KeyKind::Single));
    }
}

/// Notes the dotted name of everything that is no table.
fn leaves(name: &str, value: &Value, found: &mut BTreeSet<String>) {
    let Value::Table(table) = value else {
        found.insert(name.to_owned());
        return;
    };
    for (part, value) in table {
        let dotted = if name.is_empty() { part.clone() } else { format!("{name}.{part}") };
        leaves(&dotted, value, found);
    }
}

#[test]
fn what_no_policy_may_set_is_refused() {
    let root = "[[sensors.roots]]\npath = '/a'\n";
    for forbidden in [
        "[uplink]\ncollector_url = 'https://evil.example'",
        "[uplink]\nsecond_url = 'https://evil.example'",
        "[agent]\nstate_dir = '/tmp/x'",
        "[buffer]\nlimit_bytes = 1",
        "[policy]\ntake = true",
        "[sensors.files]\nignored = ['/']",
        "[sensors.files]\ncontent_checks_per_second = 0",
        "[sensors.protection]\nunwatched = ['auditd']",
        "[sensors.protection]\nlogs = ['/etc/shadow']",
        "[sensors.logons]\nsource = 'off'",
        "[sensors.logons]\nfiles = []",
        "[[sensors.backups]]\nname = 'x'",
        "[detectors.mass_change]\nhigh_files = 100000",
        "[detectors.mass_change]\nallowed_suffixes = ['akira']",
        "[detectors.logon_burst]\nexpected_sources = ['192.0.2.1']",
        &format!("{root}patient_data = false"),
        &format!("{root}canaries = 3"),
        &format!("{root}contain = 'suspend'"),
        "[[sensors.probes]]\nname = 'x'\nhl7 = 'h:1'\nmessage_file = '/etc/shadow'",
        "[[sensors.probes]]\nname = 'x'\npostgres = 'h:1'\npassword_file = '/etc/shadow'",
    ] {
        let problems = Policy::parse(forbidden).unwrap_err();
        assert_eq!(problems.len(), 1, "{forbidden}: {problems:#?}");
        assert!(0 < problems[0].line, "{forbidden}: {problems:#?}");
    }
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let text = "[[sensors.roots]]\npath = 'ehr'\n[[sensors.roots]]\npath = '/a'\nlabel = 'a b'\n\
                [[sensors.roots]]\npath = '/a/'\n[[sensors.services]]\nname = 'x'\ngrace_secs = 999999999\n\
                [sensors.protection]\nguards = ['a b']\n[detectors.mass_change]\nknown_bad_suffixes = ['pdf']\n";
    let problems = Policy::parse(text).unwrap_err();
    let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 5, 7, 10, 12, 14], "{problems:#?}");
}

#[test]
fn too_much_is_refused() {
    assert!(Policy::parse(&"#".repeat(TEXT_MAX_BYTES + 1)).is_err());
    let many: String = (0..=ENTRIES_MAX)
        .map(|n| format!("[[sensors.services]]\nname = 's{n}'\n"))
        .collect();
    let problems = Policy::parse(&many).unwrap_err();
    assert_eq!(problems[0].message, "has too many entries");
    assert_eq!(Policy::parse(""), Ok(Policy::default()));
}

#[test]
fn a_path_is_of_one_system() {
    for (path, system) in [
        ("/srv", Some(System::Posix)),
        (r"D:\share", Some(System::Windows)),
        (r"\\nas\share", Some(System::Windows)),
        ("srv", None),
        ("D:share", None),
        ("", None),
    ] {
        assert_eq!(System::of_path(path), system, "{path}");
    }
}
