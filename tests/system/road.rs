//! From the first changed file to the approved PDF, without a drill.

use shirase_shared::testing::eventually;
use shirase_system_tests::program::output;
use shirase_system_tests::site::FACILITY;
use shirase_system_tests::story::{People, Teller, follow};

use super::{DEADLINE, encrypt, pdf_text, running};

#[tokio::test(flavor = "multi_thread")]
async fn files_changed_in_bulk_end_in_an_approved_report_and_a_manifest_only_the_hospital_opens() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = running(dir.path()).await;
    let people = People {
        author: site.add_user("author", "作成 花子", "author").unwrap(),
        approver: site.add_user("approver", "承認 一郎", "approver").unwrap(),
    };
    let watched = site.watched();
    let harmed = tokio::task::spawn_blocking(move || encrypt(&watched, ".kaedelock", 120)).await;
    assert_eq!(harmed.unwrap(), 120);

    let pdf = dir.path().join("report.pdf");
    let mut lines = Vec::new();
    let mut say = |line: &str| lines.push(line.to_owned());
    let outcome = follow(&mut site, &people, &pdf, &mut Teller::begin(&mut say))
        .await
        .unwrap();
    assert!(0 <= outcome.detected_ms, "{outcome:?}");
    assert!(outcome.detected_ms <= outcome.at_collector_ms, "{outcome:?}");
    assert!(outcome.at_collector_ms <= outcome.draft_ms, "{outcome:?}");

    let text = pdf_text(&pdf);
    for wanted in
        ["しらせ総合病院", "知良 瀬一", "作成 花子", "承認 一郎", "kaedelock", "電子カルテ"]
    {
        assert!(text.contains(wanted), "no {wanted} in the report:\n{text}");
    }
    for unwanted in ["下書き", "訓練", "文書0000", "部門00"] {
        assert!(!text.contains(unwanted), "{unwanted} in the report:\n{text}");
    }
    let exported = dir.path().join("exported.pdf");
    let out = exported.to_str().unwrap();
    site.collector(&["report", "export", FACILITY, &outcome.report, "--out", out], b"")
        .unwrap();
    assert_eq!(std::fs::read(&exported).unwrap(), std::fs::read(&pdf).unwrap());

    let mail = site.mail.messages().concat();
    assert!(!mail.contains("文書0000") && !mail.contains("部門00"), "a name left the host: {mail}");
    let key = std::fs::read_to_string(site.dir.join("manifest-key.txt")).unwrap();
    let key = key
        .split_whitespace()
        .find(|word| word.starts_with("AGE-SECRET-KEY-"))
        .unwrap();
    let manifest = eventually("the damage manifest after the burst", DEADLINE, || {
        let list = site
            .list(&["manifest", "list", "--facility", FACILITY])
            .unwrap();
        async move { list.as_array()?.first().cloned() }
    })
    .await;
    let name = manifest["sha256"].as_str().unwrap();
    let open = ["manifest", "open", name, "--identity", "-"];
    let opened = site.collector(&open, key.as_bytes()).unwrap();
    assert!(opened.contains("文書0000"), "the manifest does not name the files: {opened}");
    let other =
        "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    assert!(site.collector(&open, other.as_bytes()).is_err());

    site.collector(&["audit", "verify"], b"").unwrap();
    let mut raw = std::process::Command::new("grep");
    raw.arg("-rlaF").arg("文書0000").arg(site.data_dir());
    assert!(output(raw, b"").is_err(), "a clear file name lies in the collector's data");
    site.stop().unwrap();
}
