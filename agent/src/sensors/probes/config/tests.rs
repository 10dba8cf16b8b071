//! Every wrong combination is named with its key, and the shipped example is right.

use std::collections::BTreeSet;

use shirase_shared::settings::probe::{COMMON, KINDS};

use super::*;
use crate::config::{Config, DEFAULT_TEXT};

/// Where absolute paths begin.
const ROOT: &str = if cfg!(windows) { "C:/" } else { "/" };

#[test]
fn good_probes_have_no_problem() {
    for good in [
        "tcp = '[::1]:104'",
        "url = 'https://ehr.example/'\ncertificate = 'trusted'\nexpect_status = 401\nexpect_text = 'x'",
        "hl7 = 'h:2575'\nsending_application = 'A^1.2^ISO'\nacknowledgement = 'enhanced'\ntls = 'on'\ncertificate = 'any'",
        "hl7 = 'h:2575'\nmessage_file = '/etc/shirase/ping.hl7'",
        "dicom = 'pacs:104'\ncalled_ae = 'PACS'\ncalling_ae = 'SHIRASE'\ntls = 'on'",
        "postgres = 'db:5432'\nuser = 'shirase'\ndatabase = 'ehr'\npassword_file = '/etc/p'\ntls = 'off'",
    ] {
        check(good, &[]);
    }
}

#[test]
fn every_wrong_combination_is_named() {
    check("", &["name"]);
    check("tcp = 'h:1'\nurl = 'http://h/'", &["name"]);
    check("hl7 = 'h:1'\ndicom = 'h:1'\npostgres = 'h:1'", &["name"]);
    check("tcp = 'nowhere'", &["tcp"]);
    check("hl7 = 'h:0'", &["hl7"]);
    check("dicom = '::1'", &["dicom"]);
    check("postgres = 'h:x'", &["postgres"]);
    check("url = 'gopher://x'", &["url"]);
    check("url = 'http://x/'\ncertificate = 'trusted'", &["certificate"]);
    check("hl7 = 'h:1'\ncertificate = 'trusted'", &["certificate"]);
    check("hl7 = 'h:1'\ntls = 'off'\ncertificate = 'trusted'", &["certificate"]);
    check("tcp = 'h:1'\ntls = 'on'", &["tls"]);
    check("tcp = 'h:1'\ncertificate = 'any'", &["certificate"]);
    check("url = 'http://x/'\ncalled_ae = 'X'", &["called_ae"]);
    check("dicom = 'h:1'\nexpect_status = 200\nuser = 'x'", &["expect_status", "user"]);
    check("postgres = 'h:1'\nsending_application = 'X'", &["sending_application"]);
    check(
        "dicom = 'h:1'\ncalled_ae = 'SEVENTEEN_CHARS_1'\ncalling_ae = ''",
        &["called_ae", "calling_ae"],
    );
    check("hl7 = 'h:1'\nsending_facility = 'A|B'", &["sending_facility"]);
    check("hl7 = 'h:1'\nmessage_file = 'ping.hl7'", &["message_file"]);
    check("hl7 = 'h:1'\nmessage_file = '/p'\nsending_facility = 'A'", &["sending_facility"]);
    check("hl7 = 'h:1'\nmessage_file = '/p'\nacknowledgement = 'original'", &["acknowledgement"]);
    check("postgres = 'h:1'\npassword_file = 'secret'\nuser = ''", &["user", "password_file"]);
    check(
        "url = 'http://x/'\nexpect_status = 99\nexpect_text = ''",
        &["expect_status", "expect_text"],
    );
    check(
        "tcp = 'h:1'\ninterval_secs = 0\ntimeout_secs = 601\ngrace_secs = 604801",
        &["interval_secs", "timeout_secs", "grace_secs"],
    );
}

#[test]
fn a_name_is_used_once_and_is_plain() {
    let probe = |name: &str| ProbeConfig {
        name: name.to_owned(),
        tcp: Some("h:1".to_owned()),
        ..ProbeConfig::default()
    };
    let keys: Vec<_> = problems(&[probe("a"), probe(""), probe("a"), probe("b\u{7}")])
        .into_iter()
        .map(|problem| problem.key)
        .collect();
    let at = |index: usize| format!("sensors.probes.{index}.name");
    assert_eq!(keys, [at(1), at(2), at(3)]);
}

#[test]
fn a_mistake_is_told_with_its_line_and_what_to_do() {
    let text = "[[sensors.probes]]\nname = 'pacs'\ndicom = 'pacs:104'\nexpect_status = 200\ncalled_ae = 'SEVENTEEN_CHARS_1'\n";
    let told: Vec<_> = Config::parse(text)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "line 4: `sensors.probes.0.expect_status`: is not an option of a probe by `dicom`; remove the line; \
             its own options are `called_ae`, `calling_ae`, `tls`, `certificate`",
            "line 5: `sensors.probes.0.called_ae`: has 17 characters, more than the 16 of an AE title; give 1 to 16 \
             plain characters, as the node's list has it",
        ]
    );
}

#[test]
fn the_shipped_example_names_every_key_and_is_right() {
    let example: Vec<_> = DEFAULT_TEXT
        .lines()
        .skip_while(|line| *line != "# [[sensors.probes]]")
        .take_while(|line| line.starts_with('#'))
        .map(|line| line.strip_prefix("# ").unwrap_or_default())
        .collect();
    let example = example.join("\n");
    // The example is Linux's.
    let example = example.replace("\"/", &format!("\"{ROOT}"));
    let config = Config::parse(&example).unwrap();
    assert_eq!(config.sensors.probes.len(), KINDS.len());
    let mut named = BTreeSet::new();
    for probe in &config.sensors.probes {
        named.extend(
            toml::Table::try_from(probe)
                .unwrap()
                .into_iter()
                .map(|(key, _)| key),
        );
    }
    // Its own comment says why it stands alone.
    named.extend(
        example
            .contains("# message_file = ")
            .then(|| "message_file".to_owned()),
    );
    let every: BTreeSet<String> = KINDS
        .iter()
        .flat_map(|(kind, _, options)| [&[*kind], *options].concat())
        .chain(COMMON.iter().copied())
        .map(str::to_owned)
        .collect();
    assert_eq!(named, every);
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let text = text.replace("'/", &format!("'{ROOT}"));
    let probe: ProbeConfig = toml::from_str(&format!("name = 'x'\n{text}")).unwrap();
    let problems = problems(&[probe]);
    let keys: Vec<_> = problems
        .iter()
        .map(|problem| problem.key.strip_prefix("sensors.probes.0.").unwrap())
        .collect();
    assert_eq!(keys, expected, "{text}: {problems:#?}");
    assert!(problems.iter().all(|problem| !problem.remedy.is_empty()));
}
