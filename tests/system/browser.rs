//! The console in headless Chromium: sign in, incident, correct, submit, approve, download; with screenshots.

use std::path::Path;
use std::process::Command;

use shirase_system_tests::rehearsal::watch;
use shirase_system_tests::site::FACILITY;

use super::rehearsals::script;
use super::{encrypt, running};

/// The first contact must take fewer clicks and typed fields than this.
const MOST: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn an_author_and_an_approver_take_an_incident_to_its_pdf_in_a_real_browser() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = running(dir.path()).await;
    let author = site.add_user("author", "作成 花子", "author").unwrap();
    let approver = site.add_user("approver", "承認 一郎", "approver").unwrap();
    let administrator = site
        .add_user("admin", "管理 三郎", "administrator")
        .unwrap();
    let watched = site.watched();
    tokio::task::spawn_blocking(move || encrypt(&watched, ".kaedelock", 60))
        .await
        .unwrap();

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shots = root.parent().unwrap().join("target/screenshots");
    std::fs::create_dir_all(&shots).unwrap();
    let _unchanged = super::INTERFACES.read().await;
    let output = Command::new("node")
        .arg("walk.mjs")
        .current_dir(root.join("browser"))
        .env("CONSOLE", site.console_url())
        .env("SHOTS", &shots)
        .env("AUTHOR", &author.one_time_password)
        .env("APPROVER", &approver.one_time_password)
        .env("ADMIN", &administrator.one_time_password)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{error}");
    let pdf = shots.join("report.pdf");
    assert!(super::pdf_text(&pdf).contains("承認 一郎"), "{text}");
    site.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn osakas_first_contact_takes_fewer_than_forty_clicks_and_fields() {
    let script = script("osaka-2022");
    let dir = tempfile::tempdir().unwrap();
    let mut night = watch(&script, dir.path(), "2022-10-31 07:10")
        .await
        .unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shots = root.parent().unwrap().join("target/screenshots");
    let _unchanged = super::INTERFACES.read().await;
    let output = Command::new("node")
        .arg("first_contact.mjs")
        .current_dir(root.join("browser"))
        .env("CONSOLE", night.site.console_url())
        .env("INCIDENT", format!("/facilities/{FACILITY}/incidents/{}", night.incident))
        .env("SHOTS", &shots)
        .env("AHEAD", night.clock.ahead_secs().to_string())
        .env("AUTHOR", &night.logins["night"].one_time_password)
        .env("APPROVER", &night.logins["head"].one_time_password)
        .env("MOST", MOST.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{error}");
    println!("{text}");
    night.site.stop().unwrap();
}
