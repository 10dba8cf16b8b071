//! A report is approved and exported from a terminal: by the same rules as in the console.

#![expect(clippy::unwrap_used, reason = "a test speaks by panicking")]

#[path = "support/terminal.rs"]
mod terminal;
#[path = "support/ward.rs"]
mod ward;

use std::path::PathBuf;

use calamine::Reader as _;
use shirase_collector::approval::Verdict;
use shirase_collector::jobs::draft_reports::DraftReportsJob;
use shirase_collector::jobs::{Job, Nudge};
use shirase_collector::keys::{REPORT_KEY_FILE, SigningKey};
use shirase_collector::locale::{Lang, Locale};
use shirase_collector::people::{Role, User};
use shirase_collector::release::{Releases, read_profiles};
use shirase_collector::reports::Report;
use shirase_collector::reports::answer::NamedPerson;
use shirase_shared::event::Severity;
use shirase_shared::tls::sha256_hex;
use terminal::{PASSWORD, code, person, proof, run};
use ward::Ward;

async fn drafted(ward: &Ward) -> Report {
    let clock = ward.clock.clone();
    let locale = Locale::new(Lang::Ja);
    let mut job = DraftReportsJob::new(ward.store.clone(), clock, Nudge::default(), locale);
    job.activate().await;
    ward.store
        .reports(&ward.facility)
        .await
        .unwrap()
        .pop()
        .expect("a draft")
}

async fn submit(ward: &Ward, author: &User, report: &Report) {
    let key = SigningKey::load_or_create(&ward.dir.path().join(REPORT_KEY_FILE)).unwrap();
    let profiles = read_profiles(ward.dir.path()).unwrap().into();
    let font = PathBuf::new();
    let releases =
        Releases::new(ward.store.clone(), ward.clock.clone(), profiles, key.into(), &font);
    let by = NamedPerson { user: author.id, name: author.name.clone() };
    let verdict = Verdict {
        facility: ward.facility.clone(),
        report: report.id,
        revision: report.revision,
        by,
    };
    releases.submit(&verdict).await.unwrap();
}

#[tokio::test]
async fn a_second_person_approves_at_the_terminal_and_the_stored_file_is_exported() {
    let mut ward = Ward::open("しらせ総合病院").await;
    let author = person(&ward, "author", Role::Author).await;
    person(&ward, "approver", Role::Approver).await;
    ward.burst(Severity::Critical).await;
    let report = drafted(&ward).await;
    let out = ward.dir.path().join("report.pdf");
    let out = out.to_str().unwrap();
    let approve = |login, stdin: &str| {
        run(&ward, &["report", "approve", "handa-hp", "1", "--as", login], stdin)
    };

    let (done, said) = run(&ward, &["report", "export", "handa-hp", "1", "--out", out], "");
    assert!(!done && said.contains("--draft"), "{said}");
    let draft = format!("{out}.draft");
    let (done, said) =
        run(&ward, &["report", "export", "handa-hp", "1", "--draft", "--out", &draft], "");
    assert!(done, "{said}");

    submit(&ward, &author, &report).await;
    for (login, stdin, part) in [
        ("author", proof(0), "not an approver"),
        ("approver", format!("wrong\n{}\n", code(0)), "is wrong"),
        ("approver", format!("{PASSWORD}\n000000x\n"), "is wrong"),
        ("nobody", format!("{PASSWORD}\n{}\n", code(0)), "is wrong"),
        ("approver", format!("{PASSWORD}\n"), "six-digit code was expected"),
    ] {
        let (done, said) = approve(login, &stdin);
        assert!(!done && said.contains(part), "{login}: {said}");
        assert!(!said.contains(PASSWORD), "{said}");
    }
    let good = proof(0);
    let (done, said) = approve("approver", &good);
    assert!(done && said.contains("approved"), "{said}");
    let (done, said) = approve("approver", &good);
    assert!(!done, "a code was taken twice: {said}");
    let (done, said) = approve("approver", &proof(1));
    assert!(!done && said.contains("nothing to decide"), "{said}");

    let (done, said) = run(&ward, &["report", "export", "handa-hp", "1", "--out", out], "");
    assert!(done, "{said}");
    assert!(std::fs::read(out).unwrap().starts_with(b"%PDF-"));
    let (done, said) = run(&ward, &["report", "export", "handa-hp", "1", "--out", out], "");
    assert!(!done && said.contains("report.pdf"), "an existing file was replaced: {said}");
    every_kind_is_exported(&ward);
    an_official_form_is_filled(&ward);
    let (done, said) = run(&ward, &["audit", "verify"], "");
    assert!(done, "{said}");
}

fn every_kind_is_exported(ward: &Ward) {
    for (format, begins) in [
        ("docx", "PK"),
        ("xlsx", "PK"),
        ("html", "<!doctype html>"),
        ("json", "{"),
        ("eml", "Content-Type: multipart/mixed"),
    ] {
        let folder = ward.dir.path().join(format);
        std::fs::create_dir(&folder).unwrap();
        let out = folder.join(format!("report.{format}"));
        let path = out.to_str().unwrap();
        let export = ["report", "export", "handa-hp", "1", "--format", format];
        let more = ["--profile", "jp-mhlw-contact", "--attachments", "--out", path];
        let (done, said) = run(ward, &[&export[..], &more].concat(), "");
        assert!(done && said.contains("SHA-256"), "{said}");
        assert!(std::fs::read(&out).unwrap().starts_with(begins.as_bytes()), "{format}");
        let beside = std::fs::read_dir(&folder).unwrap().count();
        assert!(3 <= beside, "{format}: {beside} files; {said}");
    }
    let json = std::fs::read(ward.dir.path().join("json/report.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    for file in json["attachments"].as_array().unwrap() {
        let path = ward
            .dir
            .path()
            .join("json")
            .join(file["name"].as_str().unwrap());
        let found = sha256_hex(&std::fs::read(path).unwrap());
        assert_eq!(file["sha256"], found.as_str(), "the document lists what lies beside it");
    }
    let unknown = ["report", "export", "handa-hp", "1", "--format", "odt", "--out", "x"];
    let (done, said) = run(ward, &unknown, "");
    assert!(!done && said.contains("pdf, docx, xlsx, html, json, eml"), "{said}");
}

fn an_official_form_is_filled(ward: &Ward) {
    let path = |name: &str| ward.dir.path().join(name).to_str().unwrap().to_owned();
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet().set_name("様式").unwrap();
    sheet.write_string(0, 0, "医療機関名").unwrap();
    std::fs::write(path("form.xlsx"), book.save_to_buffer().unwrap()).unwrap();
    std::fs::write(path("form.exe"), b"MZ").unwrap();
    let mapped = "[[place]]\nat = \"様式!B1\"\nsay = \"meta:facility\"\n";
    std::fs::write(path("mapping.toml"), mapped).unwrap();
    std::fs::write(path("wrong.toml"), mapped.replace("様式!", "別紙!")).unwrap();
    let form = |more: &[&str]| {
        let (first, rest) = more.split_first().unwrap();
        run(ward, &[&["official-form", first, "handa-hp", "contact"], rest].concat(), "")
    };

    let (done, said) = form(&["import", "--file", &path("form.exe")]);
    assert!(!done && said.contains("not an Office file"), "{said}");
    let (done, said) = form(&["import", "--file", &path("form.xlsx"), "--json"]);
    assert!(done && said.contains("\"kind\": \"xlsx\""), "{said}");
    let (done, said) = form(&["map", "--mapping", &path("wrong.toml")]);
    assert!(!done && said.contains("there are 様式"), "{said}");
    let (done, said) = form(&["map", "--mapping", &path("mapping.toml")]);
    assert!(done && said.contains("in order"), "{said}");
    let (done, said) = form(&["map"]);
    assert!(done && said.contains("meta:facility"), "{said}");
    let (done, said) = form(&["check", "--report", "1", "--json"]);
    assert!(done && said.contains("\"problems\": []"), "{said}");
    let (out, again) = (path("filled.xlsx"), path("again.xlsx"));
    for out in [&out, &again] {
        let export =
            ["report", "export", "handa-hp", "1", "--official-form", "contact", "--out", out];
        let (done, said) = run(ward, &export, "");
        assert!(done, "{said}");
    }
    let filled = std::fs::read(out).unwrap();
    assert!(filled == std::fs::read(again).unwrap(), "the kept copy is given out again");
    let mut book: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(filled)).unwrap();
    let range = book.worksheet_range("様式").unwrap();
    assert_eq!(range.get_value((0, 1)).unwrap().to_string(), "しらせ総合病院");
}

#[tokio::test]
async fn two_approve_one_releases_alone_and_another_reviews_all_at_the_terminal() {
    let mut ward = Ward::open("しらせ総合病院").await;
    person(&ward, "author", Role::Author).await;
    for login in ["chief", "second"] {
        person(&ward, login, Role::Approver).await;
    }
    person(&ward, "admin", Role::Administrator).await;
    ward.burst(Severity::Critical).await;
    drafted(&ward).await;
    let plain = |arguments: &[&str]| run(&ward, arguments, "");
    let act = |what: &str, login: &str, steps: u64, more: &[&str]| {
        let first = ["report", what, "handa-hp", "1", "--as", login];
        run(&ward, &[&first[..], more].concat(), &proof(steps))
    };

    let (done, said) = plain(&["approval", "set", "handa-hp", "--approvers", "10"]);
    assert!(!done && said.contains("between 1 and 9"), "{said}");
    let only = ["approval", "set", "handa-hp", "--approvers", "2", "--approver", "chief"];
    let (done, said) = plain(&only);
    assert!(!done && said.contains("only 1 are named"), "{said}");
    let (done, said) = plain(&["approval", "set", "handa-hp", "--approvers", "2"]);
    assert!(done && said.contains("People who have to approve: 2"), "{said}");
    let (done, said) = act("submit", "author", 0, &[]);
    assert!(done && said.contains("submitted; revision"), "{said}");
    let (done, said) = act("approve", "chief", 0, &[]);
    assert!(done && said.contains("others have to approve too"), "{said}");
    let (_, said) = plain(&["report", "list"]);
    assert!(said.contains("1 of 2"), "{said}");
    let (_, said) = plain(&["report", "show", "handa-hp", "1"]);
    assert!(said.contains("may approve now: second さん"), "{said}");
    let (done, said) = act("withdraw", "chief", 1, &["--reason", "人数を確かめる"]);
    assert!(done && said.contains("is a draft again"), "{said}");

    let (done, said) = act("submit", "author", 1, &[]);
    assert!(done, "{said}");
    let alone = ["--emergency", "--reason", "院長と連絡がとれない"];
    let (done, said) = act("approve", "second", 0, &alone);
    assert!(!done && said.contains("allow no emergency release"), "{said}");
    let (done, said) = plain(&["approval", "set", "handa-hp", "--emergency", "allowed"]);
    assert!(
        done && said.contains("People who have to approve: 2"),
        "what is left out stays: {said}"
    );
    let (done, said) = act("approve", "second", 1, &alone);
    assert!(done && said.contains("another person has to look at it"), "{said}");
    let (_, said) = plain(&["report", "list"]);
    assert!(said.contains("not yet, emergency, to review"), "{said}");
    let (done, said) = act("review", "admin", 0, &["--outcome", "in_order"]);
    assert!(done && said.contains("the review is recorded"), "{said}");
    let (_, said) = plain(&["report", "show", "handa-hp", "1", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&said).unwrap();
    let approval = &shown["approval"];
    assert_eq!(approval["sending"], "not_yet");
    assert_eq!(approval["emergency"]["review"]["outcome"], "in_order");
    let decided: Vec<_> = approval["decisions"].as_array().unwrap().iter().collect();
    let kinds: Vec<_> = decided
        .iter()
        .map(|one| one["decision"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["approved", "withdrawn", "approved"]);
    assert_eq!(decided[1]["reason"], "人数を確かめる");

    let (done, said) = plain(&["approval", "away", "handa-hp", "chief", "--until", "yesterday"]);
    assert!(!done && said.contains("is no time"), "{said}");
    let until = ["approval", "away", "handa-hp", "chief", "--until", "2099-01-01T08:30"];
    let (done, said) = plain(&until);
    assert!(done && said.contains("until 2099-01-01 08:30:00 JST"), "{said}");
    let (done, said) = plain(&["approval", "show", "handa-hp"]);
    assert!(done && said.contains("away: chief さん"), "{said}");
    let (done, said) = plain(&["approval", "back", "handa-hp", "chief"]);
    assert!(done && said.contains("1 absence(s) ended"), "{said}");
    let (done, said) = plain(&["audit", "verify"]);
    assert!(done, "{said}");
}
