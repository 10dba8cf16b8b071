//! A real agent on a host whose logs, backups and own files are attacked.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::service::{Service, eventually};

/// How long a test waits for a state: a few looks of a sensor on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Nine nightly dumps, a log, and a stamp that is two days old.
fn hospital(dir: &Path) -> String {
    let backup = dir.join("backup");
    fs::create_dir(&backup).unwrap();
    for night in 1..=9 {
        fs::write(backup.join(format!("ehr-2026110{night}.dump")), vec![7; 5000]).unwrap();
    }
    fs::write(dir.join("ehr-audit.log"), "somebody looked at something\n".repeat(50)).unwrap();
    let stamp = fs::File::create(dir.join("stamp")).unwrap();
    stamp
        .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .unwrap();
    let dir = dir.display();
    format!(
        "[sensors.protection]\nlogs = ['{dir}/ehr-audit.log']\n\
         [[sensors.backups]]\nname = 'nightly'\nkind = 'tree'\npath = '{dir}/backup'\ncomplete_after_secs = 0\ninterval_secs = 5\n\
         [[sensors.backups]]\nname = 'weekly'\nkind = 'job'\npath = '{dir}/stamp'\ninterval_secs = 5\n"
    )
}

fn of_kind(service: &Service, kind: &str, what: &str) -> Option<Value> {
    let is = |event: &Value| event["kind"] == kind && event["evidence"]["what"] == what;
    service.waiting().into_iter().find(is)
}

fn sees(service: &Service, sensor: &str) {
    eventually(sensor, DEADLINE, || {
        let status = service.status()?;
        let sensors = status["sensors"].as_array()?.clone();
        sensors
            .into_iter()
            .find(|seen| seen["name"] == sensor && seen["state"] == "well")
    });
}

#[test]
fn a_host_whose_safeguards_are_taken_away_says_so() {
    let service = Service::start_with(hospital);
    sees(&service, "backup nightly");
    sees(&service, "logs and own files");
    let wait = |kind, what| eventually(what, DEADLINE, || of_kind(&service, kind, what));
    assert_eq!(wait("backup", "job_overdue")["severity"], "high");

    // What a rotation does is seen and not told.
    fs::rename(service.path("ehr-audit.log"), service.path("ehr-audit.log.1")).unwrap();
    fs::write(service.path("ehr-audit.log"), "a new day\n".repeat(90)).unwrap();
    fs::remove_file(service.path("backup/ehr-20261101.dump")).unwrap();
    eventually("a look at the new log", DEADLINE, || {
        let kept = fs::read_to_string(service.path("state/watched-files.json")).ok()?;
        let kept: Value = serde_json::from_str(&kept).ok()?;
        let log = service.path("ehr-audit.log").to_string_lossy().into_owned();
        (kept["logs"][log]["bytes"] == 900).then_some(())
    });
    eventually("a look at the backup without its oldest file", DEADLINE, || {
        let mut kept = fs::read_dir(service.path("state/backups")).ok()?.flatten();
        let kept = kept.find(|file| file.file_name().to_string_lossy().ends_with(".json"))?;
        let kept: Value = serde_json::from_str(&fs::read_to_string(kept.path()).ok()?).ok()?;
        (kept["items"].as_array()?.len() == 8).then_some(())
    });

    fs::write(service.path("ehr-audit.log"), "").unwrap();
    let cut = wait("protection", "log_truncated");
    assert_eq!(cut["severity"], "medium");
    assert_eq!(cut["evidence"]["name"], "ehr-audit.log");
    assert_eq!(cut["evidence"]["detail"], "900 bytes before, 0 now");
    fs::write(service.path("state/redaction.key"), [9; 32]).unwrap();
    assert_eq!(wait("protection", "own_files_touched")["severity"], "high");
    for night in (3..=9).rev() {
        fs::remove_file(service.path(&format!("backup/ehr-2026110{night}.dump"))).unwrap();
    }
    let critical = |event: &Value| event["kind"] == "backup" && event["severity"] == "critical";
    let harmed =
        eventually("a critical event", DEADLINE, || service.waiting().into_iter().find(critical));
    let reason = harmed["reason"].as_str().unwrap();
    assert!(reason.contains("of 8 complete files"), "{reason}");
}

#[test]
fn what_is_done_while_the_agent_is_stopped_is_told_at_its_start() {
    let service = Service::start_with(hospital);
    sees(&service, "backup nightly");
    sees(&service, "logs and own files");
    let service = service.restart_after(|dir| {
        fs::remove_file(dir.join("ehr-audit.log")).unwrap();
        fs::remove_dir_all(dir.join("backup")).unwrap();
    });
    let wait = |kind, what| eventually(what, DEADLINE, || of_kind(&service, kind, what));
    wait("protection", "log_removed");
    assert_eq!(wait("backup", "tree_harmed")["severity"], "critical");
}
