//! `delivery send|list|show|record|decide` as somebody at a terminal types them.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use shirase_collector::deliver::{DeliverConfig, Outcome as Ending, State};
use shirase_collector::jobs::{Job as _, Outcome};
use shirase_collector::notify::mail::MailConfig;
use shirase_collector::people::Role;
use shirase_shared::ids::DeliveryId;

use crate::released::plain_mail;
use crate::smtp_play::Play;
use crate::terminal::{person, proof, run};
use crate::ward::Ward;

/// Returns the id a command tells in its first line.
fn told(said: &str) -> DeliveryId {
    let line = said.lines().find(|line| line.starts_with("delivery "));
    let id = line.and_then(|line| line.split(' ').nth(1));
    id.and_then(|id| id.parse().ok())
        .unwrap_or_else(|| panic!("no delivery's id in: {said}"))
}

/// The commands use the machine's clock, the ward its own: what they chose is due for the ward's jobs after this.
fn catch_up(ward: &Ward) {
    ward.clock.advance(SignedDuration::from_hours(24 * 3650));
}

fn send(ward: &Ward, steps: u64, more: &[&str]) -> (bool, String) {
    let first = ["delivery", "send", "handa-hp", "1", "--as", "author"];
    run(ward, &[&first[..], more].concat(), &proof(steps))
}

/// Nobody's code is taken twice, and only that of this half minute and its neighbours: many commands need several people.
async fn authors(ward: &Ward) {
    for login in ["author", "second", "third"] {
        person(ward, login, Role::Author).await;
    }
}

#[tokio::test]
async fn a_call_is_chosen_looked_at_and_recorded_with_what_the_office_said() {
    let (ward, _) = Ward::released().await;
    authors(&ward).await;
    person(&ward, "viewer", Role::Viewer).await;
    let office = ["--organisation", "厚生労働省 医政局", "--address", "03-0000-1111"];

    let (done, said) = run(&ward, &["delivery", "list"], "");
    assert!(done && !said.contains("03-0000-1111"), "{said}");
    let (done, said) = send(&ward, 0, &["--way", "pigeon"]);
    assert!(!done && said.contains("mail, phone, fax"), "{said}");
    let (done, said) =
        send(&ward, 0, &["--way", "mail", "--organisation", "医政局", "--address", "x"]);
    assert!(!done && said.contains("mail address"), "{said}");
    let as_viewer = ["delivery", "send", "handa-hp", "1", "--as", "viewer", "--way", "phone"];
    let (done, said) = run(&ward, &[&as_viewer[..], &office].concat(), &proof(0));
    assert!(!done && said.contains("neither an author nor an approver"), "{said}");
    let (done, said) = send(&ward, 1, &[&["--way", "phone"], &office[..]].concat());
    assert!(done && said.contains("/sheet"), "{said}");
    let id = told(&said).to_string();

    let (_, said) = run(&ward, &["delivery", "list", "--facility", "handa-hp"], "");
    assert!(said.contains("waiting") && said.contains("厚生労働省 医政局"), "{said}");
    let record = |steps: u64, more: &[&str]| {
        let first = ["delivery", "record", "handa-hp", &id, "--as", "second"];
        run(&ward, &[&first[..], more].concat(), &proof(steps))
    };
    let (done, said) = record(0, &["--outcome", "unknown"]);
    assert!(!done && said.contains("delivered, not_yet or refused"), "{said}");
    let (done, said) = record(0, &["--outcome", "delivered", "--at", "soon"]);
    assert!(!done && said.contains("2026-02-09T03:10"), "{said}");
    let answer =
        ["--spoke-with", "担当 次郎", "--answer", "受け付けました", "--receipt", "医政-77"];
    let (done, said) = record(1, &[&["--outcome", "delivered"], &answer[..]].concat());
    assert!(done && said.contains("is delivered now"), "{said}");

    let (_, said) = run(&ward, &["delivery", "show", "handa-hp", &id], "");
    for part in ["delivered", "医政-77", "03-0000-1111", "担当 次郎"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    let (_, said) = run(&ward, &["delivery", "show", "handa-hp", &id, "--json"], "");
    let shown: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&shown["state"], &shown["tries"][0]["outcome"]),
        (&"delivered".into(), &"delivered".into())
    );
    let stop = ["delivery", "decide", "handa-hp", &id, "stop", "--as", "third"];
    let (done, said) = run(&ward, &stop, &proof(0));
    assert!(!done && said.contains("delivered"), "{said}");
    let (done, said) = run(&ward, &["audit", "verify"], "");
    assert!(done, "{said}");
}

#[tokio::test]
async fn what_nobody_knows_is_decided_at_the_terminal_and_goes_again_under_the_same_id() {
    let (ward, _) = Ward::released().await;
    authors(&ward).await;
    let server = Play::start(ward.dir.path(), &["cut-after", "take"]);
    let mail = plain_mail(server.port);
    let to = ["--way", "mail", "--organisation", "医政局", "--address", "uketsuke@mhlw.example"];
    let (done, said) = send(&ward, 0, &to);
    assert!(done && said.contains("delivers it within seconds"), "{said}");
    let id = told(&said);
    catch_up(&ward);
    ward.deliver(&mail).await;
    assert_eq!(ward.delivery(id).await.0.state, State::Unknown);

    let text = id.to_string();
    let decide = |choice: &str, steps: u64, more: &[&str]| {
        let first = ["delivery", "decide", "handa-hp", &text, choice, "--as", "second"];
        run(&ward, &[&first[..], more].concat(), &proof(steps))
    };
    let (done, said) = decide("maybe", 0, &[]);
    assert!(!done && said.contains("delivered, again or stop"), "{said}");
    let (done, said) = decide("delivered", 0, &[]);
    assert!(!done && said.contains("`note`"), "whom they asked is not said: {said}");
    let (done, said) = decide("again", 1, &["--note", "電話で確かめた。届いていない"]);
    assert!(done && said.contains("is waiting now"), "{said}");
    ward.deliver(&mail).await;
    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!(delivery.state, State::Delivered, "{}", delivery.note);
    assert_eq!(attempts.last().unwrap().outcome, Some(Ending::Delivered));
    assert!(
        server
            .taken()
            .iter()
            .all(|mail| mail.message_id == delivery.message_id)
    );
}

#[tokio::test]
async fn the_filled_official_form_goes_along() {
    let (ward, _) = Ward::released().await;
    authors(&ward).await;
    let form = form_of_the_office(&ward);
    let base = ward.dir.path().join("out");
    std::fs::create_dir_all(base.join("mhlw")).unwrap();
    let to = ["--way", "folder", "--organisation", "医政局", "--address", "mhlw"];
    let (done, said) = send(&ward, 0, &[&to[..], &["--official-form", "unknown"]].concat());
    assert!(!done && said.contains("official form `unknown`"), "{said}");
    let (done, said) = send(&ward, 1, &[&to[..], &["--official-form", form]].concat());
    assert!(done, "{said}");
    let id = told(&said);
    catch_up(&ward);
    let config = DeliverConfig { folder: base.clone(), ..DeliverConfig::default() };
    let mut job = ward.deliver_job(&MailConfig::default(), &config);
    assert_eq!(job.activate().await, Outcome::Changed(1));
    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!(delivery.state, State::Delivered, "{}", delivery.note);

    let folder = PathBuf::from(&attempts[0].answer);
    let files = std::fs::read_dir(&folder).unwrap();
    let filled = files
        .map(|file| file.unwrap().path())
        .find(|path| is_form(path))
        .expect("the filled form lies in the folder");
    let sums = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    assert!(sums.contains(filled.file_name().unwrap().to_str().unwrap()), "{sums}");
}

/// Has an official form of one mapped cell, and returns its name.
fn form_of_the_office(ward: &Ward) -> &'static str {
    let path = |name: &str| ward.dir.path().join(name).to_str().unwrap().to_owned();
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet().set_name("様式").unwrap();
    sheet.write_string(0, 0, "医療機関名").unwrap();
    std::fs::write(path("form.xlsx"), book.save_to_buffer().unwrap()).unwrap();
    let mapped = "[[place]]\nat = \"様式!B1\"\nsay = \"meta:facility\"\n";
    std::fs::write(path("mapping.toml"), mapped).unwrap();
    for rest in [["import", "--file", "form.xlsx"], ["map", "--mapping", "mapping.toml"]] {
        let [what, flag, file] = rest;
        let command = ["official-form", what, "handa-hp", "contact", flag, &path(file)];
        let (done, said) = run(ward, &command, "");
        assert!(done, "{said}");
    }
    "contact"
}

/// Whether a workbook holds the name of the facility where the mapping puts it.
fn is_form(path: &Path) -> bool {
    use calamine::Reader as _;

    let Ok(mut book) = calamine::open_workbook::<calamine::Xlsx<_>, _>(path) else { return false };
    book.worksheet_range("様式").is_ok_and(|range| {
        range.get_value((0, 1)).map(ToString::to_string).as_deref() == Some("しらせ総合病院")
    })
}
