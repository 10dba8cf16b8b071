//! A new authority: no host is shut out while it replaces the old one, and afterwards nobody trusts the old one.

use shirase_shared::testing::eventually;
use shirase_system_tests::site::{FACILITY, Site};

use super::{DEADLINE, encrypt, running};

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_is_replaced_while_the_agent_runs_and_the_former_one_is_retired() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = running(dir.path()).await;
    let trusted = dir.path().join("agent/state/authority.crt");
    let first = in_force(&site);
    site.collector(&["authority", "renew"], b"").unwrap();
    assert_eq!(in_force(&site), first, "not before a restart");
    let twice = site.collector(&["authority", "renew"], b"").unwrap_err();
    assert!(format!("{twice:#}").contains("restart the collector"), "{twice:#}");

    site.kill_collector().unwrap();
    site.start_collector().await.unwrap();
    let second = in_force(&site);
    assert_ne!(second, first);
    eventually("the host under the new authority", DEADLINE, || {
        let former = standing(&site, "former");
        async move { (former.is_some_and(|(_, hosts)| hosts == 0)).then_some(()) }
    })
    .await;
    let both = std::fs::read_to_string(&trusted).unwrap();
    assert_eq!(both.matches("BEGIN CERTIFICATE").count(), 2);

    site.collector(&["authority", "retire"], b"").unwrap();
    site.kill_collector().unwrap();
    site.start_collector().await.unwrap();
    assert_eq!(standing(&site, "former"), None);
    eventually("the host trusts the new one alone", DEADLINE, || {
        let now = std::fs::read_to_string(&trusted).unwrap();
        async move { (now.matches("BEGIN CERTIFICATE").count() == 1).then_some(()) }
    })
    .await;

    // What the agent sees arrives, and its next life begins with what it trusts now.
    site.kill_agent().unwrap();
    site.start_agent().unwrap();
    let watched = site.watched();
    tokio::task::spawn_blocking(move || encrypt(&watched, ".storm", 30))
        .await
        .unwrap();
    let hosts = site.list(&["host", "list"]).unwrap();
    let host = hosts[0]["id"].as_str().unwrap().to_owned();
    eventually("the event", DEADLINE, || {
        let rows = site.list(&["host", "events", FACILITY, &host]).unwrap();
        let told = rows.to_string().contains("mass_change");
        async move { told.then_some(()) }
    })
    .await;
    site.stop().unwrap();
}

fn in_force(site: &Site) -> String {
    standing(site, "in_force").expect("one is in force").0
}

/// Returns fingerprint and hosts of the authority that stands so.
fn standing(site: &Site, wanted: &str) -> Option<(String, u64)> {
    let rows = site.list(&["authority", "show"]).unwrap();
    let found = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["standing"] == wanted)?;

    Some((found["fingerprint"].as_str()?.to_owned(), found["hosts"].as_u64()?))
}
