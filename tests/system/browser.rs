//! The console in headless Chromium: sign in, incident, correct, submit, approve, download; with screenshots.

use std::path::Path;
use std::process::Command;

use shirase_system_tests::organisation::{Organisation, Who};
use shirase_system_tests::rehearsal::watch;
use shirase_system_tests::site::{FACILITY, Identity};

use super::rehearsals::script;
use super::{encrypt, running};

/// The first contact must take fewer clicks and typed fields than this.
const MOST: usize = 40;
/// Characters of an id.
const UUID_CHARS: usize = 36;

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

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_municipality_keeps_to_its_language_and_its_width() {
    const PREFECTURE: Identity =
        Identity { kind: "municipality", name: "しらせ県保健医療局", reachable: true };
    let dir = tempfile::tempdir().unwrap();
    let mut prefecture = Organisation::begin(dir.path(), PREFECTURE, None)
        .await
        .unwrap();
    let institution =
        [("name", "半田中央病院"), ("kind", "hospital"), ("address", "愛知県半田市東洋町2-29")];
    prefecture
        .fill(Who::Writer, "institutions", ("/institutions", &institution))
        .await
        .unwrap();
    let page = prefecture.page(Who::Writer, "institutions").await.unwrap();
    let id = page
        .html
        .split("/institutions/")
        .skip(1)
        .filter_map(|link| link.split('"').next())
        .find(|id| id.len() == UUID_CHARS)
        .expect("the one just entered");
    let heard = [
        ("institution", id),
        ("subject", "電子カルテの停止"),
        ("from", "事務長"),
        ("taken_by", "医務課 佐藤"),
        ("what", "電子カルテが止まり、脅迫文が印刷されたとの電話。"),
    ];
    prefecture
        .fill(Who::Writer, "cases/new", ("/cases", &heard))
        .await
        .unwrap();
    let login = prefecture
        .site
        .add_user("looker", "管理 三郎", "administrator")
        .unwrap();
    let _unchanged = super::INTERFACES.read().await;
    let output = Command::new("node")
        .arg("look_around.mjs")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("browser"))
        .env("CONSOLE", prefecture.site.console_url())
        .env("LOGIN", "looker")
        .env("PASSWORD", &login.one_time_password)
        .env("START", format!("/facilities/{FACILITY}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{error}");
    prefecture.site.stop().unwrap();
}
