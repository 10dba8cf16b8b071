//! The console in headless Chromium: sign in, incident, correct, submit, approve, download; with screenshots.

use std::path::Path;
use std::process::Command;

use super::{encrypt, running};

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
