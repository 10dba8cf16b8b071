//! The command line as a person meets it: checking, asking, and a service that goes on whatever the file says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "cli/service.rs"]
mod service;
#[cfg(target_os = "linux")]
#[path = "cli/guarded.rs"]
mod guarded;
#[path = "cli/safeguards.rs"]
mod safeguards;

use std::process::{Command, Output};
use std::time::Duration;

use service::{Service, eventually};

/// How long a test waits for a state.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn three_mistakes_give_three_messages_and_status_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.toml");
    std::fs::write(
        &path,
        "[agent]\ncpu_budget_percent = \"many\"\n[uplink]\nheartbeet_secs = 30\n[buffer]\nreserve_percent = 99\n",
    )
    .unwrap();
    let output = agent(&["check", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = err(&output);
    assert!(said.contains("3 mistakes"), "{said}");
    for (line, key) in [(2, "cpu_budget_percent"), (4, "heartbeet_secs"), (6, "reserve_percent")] {
        let found = said
            .lines()
            .find(|text| text.contains(&format!("line {line}:")));
        let found = found.unwrap_or_else(|| panic!("line {line} is not named: {said}"));
        assert!(found.contains(key) && found.contains(';'), "no key or remedy: {found}");
    }
}

#[test]
fn a_good_file_passes_with_warnings_about_what_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.toml");
    std::fs::write(&path, "[[sensors.roots]]\npath = '/no/such/directory'\n").unwrap();
    let output = agent(&["check", "--config", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", err(&output));
    let said = out(&output);
    assert!(said.contains("/no/such/directory") && said.contains("is good"), "{said}");

    let output = agent(&["check", "--config", dir.path().join("none").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("failed to read the configuration"), "{}", err(&output));
}

#[test]
fn the_printed_configuration_is_the_shipped_file() {
    let output = agent(&["config"]);
    assert!(output.status.success());
    assert_eq!(out(&output), include_str!("../../deploy/agent.toml"));
}

#[test]
fn asking_a_service_that_does_not_run_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    for command in [
        &["status", "--state", state][..],
        &["buffer", "verify", "--state", state],
        &["explain", "1", "--state", state],
    ] {
        let output = agent(command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(err(&output).contains("does not run"), "{command:?}: {}", err(&output));
    }
}

#[test]
fn a_host_that_is_not_enrolled_is_told_to_enrol() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.toml");
    let state = dir.path().join("state");
    std::fs::write(&path, format!("[agent]\nstate_dir = '{}'\n", state.display())).unwrap();
    let output = agent(&["run", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("not enrolled"), "{}", err(&output));
}

#[test]
fn a_service_without_collector_keeps_what_it_sees_and_tells_how_it_is() {
    let service = Service::start();
    let status = eventually("a failed attempt to reach the collector", DEADLINE, || {
        service
            .status()
            .filter(|status| !status["last_error"].is_null())
    });
    assert_eq!(status["facility"], "handa-hp");
    assert_eq!(status["last_answer_at"], serde_json::Value::Null);
    let watching = |status: &serde_json::Value| {
        let sensors = status["sensors"].as_array().unwrap();
        sensors
            .iter()
            .any(|sensor| sensor["name"] == "files" && sensor["state"] == "well")
    };
    eventually("the files sensor at work", DEADLINE, || service.status().filter(watching));
    service.encrypt_files();
    let event = eventually("a mass change in the buffer", DEADLINE, || {
        service
            .waiting()
            .into_iter()
            .find(|event| event["kind"] == "mass_change")
    });
    assert_eq!(
        event["evidence"]["suffixes"]["locked"]
            .as_u64()
            .map(|n| 0 < n),
        Some(true)
    );
    let verified = service.ask(&["buffer", "verify"]);
    assert!(verified.status.success(), "{}", err(&verified));
    assert!(out(&verified).contains("\"damaged\": []"), "{}", out(&verified));
    let explained = service.ask(&["explain", &event["sequence"].to_string()]);
    let said = out(&explained);
    assert!(said.contains("mass_change") && said.contains("locked"), "{said}");
    assert!(said.contains("waits for the collector") && said.contains("JST"), "{said}");
    let unknown = service.ask(&["explain", "999999"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("no such event"), "{}", err(&unknown));

    let kept = service.waiting().len();
    let service = service.restart();
    let after = eventually("the second start in the buffer", DEADLINE, || {
        let events = service.waiting();
        let starts = events
            .iter()
            .filter(|event| event["evidence"]["state"] == "started")
            .count();
        (starts == 2).then_some(events)
    });
    assert!(kept < after.len(), "{kept} events were kept, {} are there", after.len());
    let last_start = after
        .iter()
        .rfind(|event| event["evidence"]["state"] == "started")
        .unwrap();
    assert!(last_start["evidence"]["last_alive"].is_string(), "{last_start}");
    assert!(
        after
            .iter()
            .any(|event| event["evidence"]["state"] == "stopping")
    );
}

#[test]
fn a_broken_configuration_changes_nothing_and_is_said_everywhere() {
    let service = Service::start();
    let good = std::fs::read_to_string(service.config()).unwrap();
    std::fs::write(service.config(), format!("{good}\n[agent\nnonsense = = 1\n")).unwrap();
    service.hang_up();
    let status = eventually("the mistakes in the status", DEADLINE, || {
        service
            .status()
            .filter(|status| status["config_problems"] != serde_json::json!([]))
    });
    assert!(
        status["config_problems"][0]
            .as_str()
            .unwrap()
            .contains("line "),
        "{status}"
    );
    service.has_agent_event("config_invalid", DEADLINE);
    assert!(out(&service.ask(&["status"])).contains("IS INVALID"));

    let service = service.restart();
    let status = service.status().unwrap();
    assert_ne!(status["config_problems"], serde_json::json!([]), "a restart goes on as well");

    let root = service.make_root("second");
    let mended = format!("{good}\n[[sensors.roots]]\npath = '{}'\n", root.display());
    std::fs::write(service.config(), mended).unwrap();
    let seen = "the mended file in force without a signal";
    eventually(seen, DEADLINE, || {
        service
            .status()
            .filter(|status| status["config_problems"] == serde_json::json!([]))
    });
    service.has_agent_event("config_loaded", DEADLINE);
}

#[test]
fn a_second_agent_does_not_take_the_same_state() {
    let service = Service::start();
    let output = agent(&["run", "--config", service.config().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("another agent runs"), "{}", err(&output));
}

fn agent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shirase-agent"))
        .args(arguments)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
