//! The short form of the harness as a test: the real agent, a handful of attacks, some ordinary work.
//!
//! Bounds are in files, not in time, and every attack goes at thirty files a second, so that a busy machine does not decide
//! the outcome. The goals themselves are measured by the long form on a quiet machine.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Files an attack may harm before the alert here: one and a half seconds at thirty a second.
const FEW: f64 = 45.0;
/// The same where the goal itself allows 40.
const REMOVAL: f64 = 85.0;

#[test]
fn every_attack_of_the_short_form_is_detected_and_ordinary_work_stays_below_high() {
    let harness = Path::new(env!("CARGO_BIN_EXE_detection"));
    let agent = harness.with_file_name("shirase-agent");
    assert!(agent.is_file(), "shirase-agent is not built; run `cargo build --workspace` first");
    let out = tempfile::tempdir().unwrap();

    let run = Command::new(harness)
        .arg("--short")
        .arg("--agent")
        .arg(&agent)
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "the harness failed:\n{said}");

    let report = std::fs::read(out.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let attacks = report["attacks"].as_array().unwrap();
    assert!(6 <= attacks.len(), "only {} attacks were tried:\n{said}", attacks.len());
    for attack in attacks {
        assert_eq!(attack["detected"], attack["runs"], "missed: {attack}");
        let bound = if attack["goal"] == "removal" { REMOVAL } else { FEW };
        let most = attack["harmed"]["most"].as_f64().unwrap();
        assert!(most <= bound, "{most} files harmed before the alert, {bound} allowed: {attack}");
    }

    let ordinary = report["ordinary"].as_array().unwrap();
    let ran: Vec<_> = ordinary
        .iter()
        .filter(|run| run["not_run"].is_null())
        .collect();
    assert!(5 <= ran.len(), "only {} workloads took place:\n{said}", ran.len());
    for run in ran {
        assert_eq!(run["alerts"].as_array().unwrap().len(), 0, "a false alarm: {run}");
        assert_eq!(run["still_seeing"], true, "the agent went blind: {run}");
    }

    let page = std::fs::read_to_string(out.path().join("report.md")).unwrap();
    assert!(page.contains("## Goals") && page.contains("A01"), "{page}");
}

#[test]
fn nothing_is_done_to_a_directory_without_the_mark() {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("watched/precious.txt");
    std::fs::create_dir(dir.path().join("watched")).unwrap();
    std::fs::write(&victim, "precious").unwrap();
    let plan = serde_json::json!({
        "ground": dir.path(), "mark": "guessed", "journal": dir.path().join("journal"), "seed": 1, "process": 0,
        "deed": "delete", "note_first": false, "decoy_renames": 0, "start_ns": 0,
        "targets": [{"path": victim, "files": 1, "due_ns": 0}],
    });
    let file = dir.path().join("plan.json");
    std::fs::write(&file, plan.to_string()).unwrap();

    let run = Command::new(env!("CARGO_BIN_EXE_detection"))
        .arg("work")
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success() && said.contains("bears no mark"), "{said}");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
}
