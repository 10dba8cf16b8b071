//! Fleet policy: said once on the collector, in force on the host without a restart, and never undone by less than a
//! higher number.

use std::path::Path;

use serde_json::Value;
use shirase_shared::testing::eventually;
use shirase_system_tests::site::{FACILITY, Site, fill};

use super::{DEADLINE, encrypt, running};

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_adds_a_root_and_a_bad_suffix_and_outlives_sudden_deaths_and_old_copies() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = running(dir.path()).await;
    let extra = dir.path().join("extra");
    fill(&extra, 3, 10).unwrap();
    let refused = site
        .collector(&["policy", "set", FACILITY, "--file", "-", "--reason", "x"], b"[uplink]\n")
        .unwrap_err();
    assert!(format!("{refused:#}").contains("mistake"), "{refused:#}");

    let first = set(&site, &text(&extra, "kaede9"));
    applied(&site, first).await;
    let held = dir.path().join("agent/state/policy.json");
    let old = std::fs::read(&held).unwrap();
    let told = status(&site);
    assert!(
        told["sources"]
            .to_string()
            .contains("sensors.roots: this file (1), policy (1)"),
        "{told}"
    );

    let harmed = extra.clone();
    tokio::task::spawn_blocking(move || encrypt(&harmed, ".storm", 30))
        .await
        .unwrap();
    event(&site, |event| event["root"] == "extra" && event["severity"] != "low").await;
    let one = site.watched().join("one.pdf");
    std::fs::write(&one, b"%PDF-1.4\n").unwrap();
    std::fs::rename(&one, site.watched().join("one.pdf.kaede9")).unwrap();
    event(&site, |event| {
        event["reason"]
            .to_string()
            .contains("known to be an attacker's (`.kaede9`)")
    })
    .await;

    // It learns of the next one in its next life; a copy of the old one in its place opens no way back.
    site.kill_agent().unwrap();
    let second = set(&site, &text(&extra, "momiji7"));
    site.start_agent().unwrap();
    applied(&site, second).await;
    site.kill_agent().unwrap();
    std::fs::write(&held, &old).unwrap();
    site.start_agent().unwrap();
    applied(&site, second).await;
    eventually("the newer one on the disk", DEADLINE, || {
        let held = std::fs::read_to_string(&held).unwrap();
        async move { held.contains("momiji7").then_some(()) }
    })
    .await;
    site.stop().unwrap();
}

fn text(root: &Path, suffix: &str) -> String {
    format!(
        "[[sensors.roots]]\npath = '{}'\nlabel = 'extra'\n[detectors.mass_change]\nknown_bad_suffixes = ['{suffix}']\n",
        root.display()
    )
}

/// Saves a policy and returns its number.
fn set(site: &Site, text: &str) -> u64 {
    site.collector(
        &["policy", "set", FACILITY, "--file", "-", "--reason", "a new share"],
        text.as_bytes(),
    )
    .unwrap();
    let history = site.list(&["policy", "history", FACILITY]).unwrap();
    history[0]["revision"].as_u64().unwrap()
}

/// Waits until the collector shows the policy as in force, and the agent says so itself.
async fn applied(site: &Site, revision: u64) {
    eventually("the policy in force", DEADLINE, || {
        let rows = site.list(&["policy", "show", FACILITY, "--hosts"]).unwrap();
        let row = rows[0].clone();
        async move { (row["actual"] == revision && row["state"] == "applied").then_some(()) }
    })
    .await;
    eventually("the agent's own word", DEADLINE, || {
        let told = status(site);
        async move { (told["policy"]["applied"]["revision"] == revision).then_some(()) }
    })
    .await;
}

fn status(site: &Site) -> Value {
    let state = site.dir.join("agent/state");
    let told = site.agent(&["status", "--json", "--state", state.to_str().unwrap()], b"");
    told.ok()
        .and_then(|told| serde_json::from_str(&told).ok())
        .unwrap_or_default()
}

/// Waits for an event of the host.
async fn event(site: &Site, wanted: impl Fn(&Value) -> bool) {
    let hosts = site.list(&["host", "list"]).unwrap();
    let host = hosts[0]["id"].as_str().unwrap().to_owned();
    eventually("the event", DEADLINE, || {
        let rows = site.list(&["host", "events", FACILITY, &host]).unwrap();
        let found = rows
            .as_array()
            .unwrap()
            .iter()
            .any(|row| wanted(&row["event"]));
        async move { found.then_some(()) }
    })
    .await;
}
