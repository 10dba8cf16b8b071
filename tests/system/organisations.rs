//! One night of four organisations: a hospital is attacked, its municipality hears of it, asks, guides and reports, and
//! informs every hospital; the CEPTOAR passes on what others can look for, and the second hospital, reached by file alone,
//! finds it and is warned when it comes; then the final reports. Each organisation is in a network namespace of its own,
//! where the tests run as root; elsewhere all are on loopback.

mod acts;

use std::path::PathBuf;

use shirase_system_tests::network::Network;
use shirase_system_tests::organisation::{Organisation, Who, last};
use shirase_system_tests::site::{FACILITY, Identity, fill};

use super::encrypt;
use acts::{by_stick, deliver, first_report, ministry_has, open_case, read, register, released};

const HOSPITAL: Identity = Identity { reachable: true, ..Identity::HOSPITAL };
const OTHER: Identity =
    Identity { kind: "hospital", name: "離島診療所病院", reachable: false };
const CEPTOAR: Identity = Identity { kind: "ceptoar", name: "医療セプター", reachable: true };
const PREFECTURE: Identity =
    Identity { kind: "municipality", name: "しらせ県保健医療局", reachable: true };

#[tokio::test(flavor = "multi_thread")]
async fn an_attack_at_one_hospital_reaches_its_municipality_the_ministry_and_the_other_hospital() {
    let dir = tempfile::tempdir().unwrap();
    // Held until the network is gone again, which is dropped before it.
    let _alone = super::INTERFACES.write().await;
    let network = Network::build().unwrap();
    if network.is_none() {
        eprintln!("not root: all organisations are on loopback, and no cable is pulled");
    }
    let begin = async |number: u8, name: &str, identity| {
        let place = network
            .as_ref()
            .map(|network| network.place(number).unwrap());
        Organisation::begin(&dir.path().join(name), identity, place)
            .await
            .unwrap()
    };
    let mut hospital = begin(1, "hospital", HOSPITAL).await;
    let mut other = begin(2, "other", OTHER).await;
    let mut prefecture = begin(3, "prefecture", PREFECTURE).await;
    let mut ceptoar = begin(4, "ceptoar", CEPTOAR).await;
    hospital
        .pair(&prefecture, ("prefecture", "shirase-hp"))
        .unwrap();
    other
        .pair(&prefecture, ("prefecture", "island-hp"))
        .unwrap();

    hospital.pair(&ceptoar, ("ceptoar", "shirase-hp")).unwrap();
    other.pair(&ceptoar, ("ceptoar", "island-hp")).unwrap();

    struck_before(&mut other).await;
    let (came, report) = attacked(&mut hospital, &mut prefecture).await;
    let (case, own) = reported_on(&mut prefecture, &came).await;
    asked_and_guided(&mut hospital, &mut prefecture, (&came, &case)).await;
    let circular = informed(&mut hospital, &mut prefecture).await;
    by_stick(&mut prefecture, &mut other, dir.path().join("stick")).await;
    prefecture.awaits(&circular, "2か所のうち2か所").await;
    let stick = dir.path().join("stick-of-products");
    shared(&mut hospital, &mut ceptoar, (&mut other, stick)).await;
    warned(&mut other).await;
    ended(&mut hospital, &mut prefecture, (&report, &case)).await;
    concluded(&mut prefecture, (&case, &own)).await;

    // What was kept is whole everywhere.
    for mut one in [hospital, other, prefecture, ceptoar] {
        one.site.collector(&["audit", "verify"], b"").unwrap();
        one.site.stop().unwrap();
    }
}

/// Puts an agent on the hospital's server.
async fn equipped(hospital: &mut Organisation) {
    fill(&hospital.site.watched(), 6, 20).unwrap();
    hospital.site.enrol().unwrap();
    hospital.site.start_agent().unwrap();
    hospital.site.agent_heard().await.unwrap();
}

/// The second hospital saw the same some time ago: its collector holds what its agent told then.
async fn struck_before(other: &mut Organisation) {
    equipped(other).await;
    let watched = other.site.watched();
    tokio::task::spawn_blocking(move || encrypt(&watched, ".kaedelock", 20))
        .await
        .unwrap();
    told(other, "kaedelock").await;
}

/// Waits until an event of the only host says this.
async fn told(hospital: &Organisation, words: &str) {
    let hosts = hospital.site.list(&["host", "list"]).unwrap();
    let host = hosts[0]["id"].as_str().unwrap().to_owned();
    shirase_shared::testing::eventually("the agent's word", super::DEADLINE, || {
        let events = hospital
            .site
            .list(&["host", "events", FACILITY, &host])
            .unwrap();
        let told = events.to_string().contains(words);
        async move { told.then_some(()) }
    })
    .await;
}

/// The attack, and the hospital's first report while the municipality cannot be reached. Returns the package it came in,
/// and the report.
async fn attacked(hospital: &mut Organisation, prefecture: &mut Organisation) -> (String, String) {
    equipped(hospital).await;
    prefecture.site.cut_off().unwrap();
    let watched = hospital.site.watched();
    tokio::task::spawn_blocking(move || encrypt(&watched, ".kaedelock", 120))
        .await
        .unwrap();
    let report = first_report(hospital).await;
    // The hospital says on the sheet how far it may be told.
    let consent = [("choice", "ceptoar"), ("choice", "tlp-green"), ("status", "confirmed")];
    let field = format!("reports/{report}/fields/47");
    hospital
        .fill(Who::Writer, &field, ("/fields/47", &consent))
        .await
        .unwrap();
    hospital.release_report(&report).await.unwrap();
    deliver(hospital, &report, ("partner", "しらせ県", "prefecture")).await;
    prefecture.site.reconnect().await.unwrap();
    (prefecture.came("report", "").await, report)
}

/// The municipality opens a case over it and reports to the ministry: what the hospital said is told as that. Returns the
/// path of the case, and the municipality's report.
async fn reported_on(prefecture: &mut Organisation, came: &str) -> (String, String) {
    register(prefecture, "しらせ総合病院", "shirase-hp").await;
    let case = format!("cases/{}", open_case(prefecture, came).await);
    let begun = prefecture
        .fill(Who::Writer, &case, ("/report", &[]))
        .await
        .unwrap();
    let incident = format!("incidents/{}", last(&begun.path));
    prefecture.awaits(&incident, "/reports/").await;
    let fact = [
        ("heading", "damage"),
        ("kind", "fact"),
        ("text", "外来を紙で継続していることを電話で確認した"),
        ("source", "told"),
        ("source_text", "しらせ総合病院 事務長"),
        ("legal_basis", "医療法第25条第1項"),
    ];
    prefecture
        .fill(Who::Writer, &case, ("/entries", &fact))
        .await
        .unwrap();
    let own = first_report(prefecture).await;
    prefecture
        .awaits(&format!("reports/{own}"), "外来を紙で継続")
        .await;
    prefecture.release_report(&own).await.unwrap();
    let wanted = [
        "管内医療機関における",
        "しらせ県保健医療局",
        "しらせ総合病院",
        "kaedelock",
        "医療機関の報告",
        "外来を紙で継続",
        "医療法第25条第1項",
    ];
    ministry_has(prefecture, &own, "first", &wanted).await;
    (case, own)
}

/// A question and its answer, then guidance.
async fn asked_and_guided(
    hospital: &mut Organisation,
    prefecture: &mut Organisation,
    (came, case): (&str, &str),
) {
    let asked = ("停止範囲について", "停止しているシステムの範囲をお知らせください。");
    prefecture
        .message(("question", "shirase-hp"), Some(came), asked)
        .await
        .unwrap();
    let question = hospital.came("question", "停止範囲").await;
    prefecture.awaits(case, "停止範囲について").await;
    shirase_shared::testing::eventually("a mail about the question", super::DEADLINE, || {
        let mails = hospital.site.mail.messages();
        let told = mails
            .iter()
            .any(|mail| mail.contains("packages.shirase.invalid"));
        async move { told.then_some(()) }
    })
    .await;
    let answer = ("停止範囲の回答", "電子カルテとファイル共有です。");
    hospital
        .message(("answer", "prefecture"), Some(&question), answer)
        .await
        .unwrap();
    let answered = prefecture.came("answer", "停止範囲の回答").await;
    let guidance = ("再発防止について", "VPN装置の更新とバックアップの切り離しを求めます。");
    prefecture
        .message(("guidance", "shirase-hp"), Some(&answered), guidance)
        .await
        .unwrap();
    hospital.came("guidance", "再発防止").await;
}

/// A notice to every hospital, read at the one with a network. Returns the path of the circular.
async fn informed(hospital: &mut Organisation, prefecture: &mut Organisation) -> String {
    let notice = [
        ("kind", "notice"),
        ("subject", "VPN装置の緊急更新について"),
        ("text", "至急、更新してください。"),
        ("tlp", "green"),
        ("all", "yes"),
    ];
    let written = prefecture
        .fill(Who::Writer, "circulars", ("/circulars", &notice))
        .await
        .unwrap();
    let circular = format!("circulars/{}", last(&written.path));
    prefecture
        .fill(Who::Releaser, &circular, ("/release", &[]))
        .await
        .unwrap();
    let here = hospital.came("notice", "緊急更新").await;
    read(hospital, &here).await;
    prefecture.awaits(&circular, "2か所のうち1か所").await;
    circular
}

/// The hospital shares what others can look for; the CEPTOAR makes its own product of it and passes it on, to the hospital
/// without network on a stick, which looks for it in what it kept.
async fn shared(
    hospital: &mut Organisation,
    ceptoar: &mut Organisation,
    (other, stick): (&mut Organisation, PathBuf),
) {
    let reports = hospital.reports().unwrap();
    let incident = reports[0]["incident"].as_str().unwrap();
    let begun = hospital
        .fill(Who::Writer, &format!("incidents/{incident}"), ("/sharing", &[]))
        .await
        .unwrap();
    let product = format!("sharing/products/{}", last(&begun.path));
    let suffix = begun
        .html
        .split("name=\"indicator\" value=\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|value| value.contains("kaedelock"))
        .expect("the suffix is offered")
        .to_owned();
    let words = "夜間にファイルが暗号化された。";
    let filled = [("summary", words), ("tlp", "green"), ("indicator", suffix.as_str())];
    hospital
        .fill(Who::Writer, &product, (last(&begun.path), &filled))
        .await
        .unwrap();
    released(hospital, &product).await;
    hospital
        .fill(Who::Writer, &product, ("/send", &[("partner", "ceptoar")]))
        .await
        .unwrap();

    let came = ceptoar.came("sharing_product", "").await;
    let merged = ceptoar
        .fill(Who::Writer, "sharing", ("/sharing", &[("package", &came)]))
        .await
        .unwrap();
    let product = format!("sharing/products/{}", last(&merged.path));
    let filled = [("summary", words), ("tlp", "green"), ("indicator", suffix.as_str())];
    ceptoar
        .fill(Who::Writer, &product, (last(&merged.path), &filled))
        .await
        .unwrap();
    released(ceptoar, &product).await;
    ceptoar
        .fill(Who::Writer, &product, ("/send", &[("partner", "island-hp")]))
        .await
        .unwrap();
    let files = ceptoar.fill_stick("island-hp", &stick).unwrap();
    other.take_stick(&files).unwrap();
    let here = other.came("sharing_product", "").await;
    let received = format!("sharing/received/{here}");
    let page = other.page(Who::Writer, &received).await.unwrap();
    assert!(page.html.contains("kaedelock"), "{}", page.html);
    for name in ["しらせ総合病院", "知良"] {
        assert!(!page.html.contains(name), "{name} left the hospital: {}", page.html);
    }
    other
        .fill(Who::Writer, &received, ("/search", &[]))
        .await
        .unwrap();
    other
        .fill(Who::Writer, &received, ("/accept", &[]))
        .await
        .unwrap();
    let page = other.page(Who::Writer, &received).await.unwrap();
    assert!(page.form("/drop").is_ok(), "accepted, it can be dropped: {}", page.html);
    assert!(page.html.contains("あり："), "what its own agent told is found: {}", page.html);
}

/// What the second hospital accepted becomes its policy, and its agent knows the next such file at once.
async fn warned(other: &mut Organisation) {
    other
        .fill(
            Who::Administrator,
            "policy?add=accepted",
            ("/policy", &[("reason", "医療セプターの注意喚起")]),
        )
        .await
        .unwrap();
    shirase_shared::testing::eventually("the policy in force", super::DEADLINE, || {
        let rows = other
            .site
            .list(&["policy", "show", FACILITY, "--hosts"])
            .unwrap();
        let applied = rows[0]["state"] == "applied";
        async move { applied.then_some(()) }
    })
    .await;
    let one = other.site.watched().join("一.pdf");
    std::fs::write(&one, b"%PDF-1.4\n").unwrap();
    std::fs::rename(&one, other.site.watched().join("一.pdf.kaedelock")).unwrap();
    told(other, "known to be an attacker's (`.kaedelock`)").await;
}

/// The hospital's final report.
async fn ended(
    hospital: &mut Organisation,
    prefecture: &mut Organisation,
    (report, case): (&str, &str),
) {
    let made = hospital
        .choose(Who::Writer, &format!("reports/{report}"), ("/reports", ("kind", "final")))
        .await
        .unwrap();
    let last_one = last(&made.path).to_owned();
    let prevention = [
        ("p-0-measure", "VPN装置を更新し、バックアップを切り離した"),
        ("p-0-state", "done"),
        ("status", "confirmed"),
    ];
    let field = format!("reports/{last_one}/fields/45");
    hospital
        .fill(Who::Writer, &field, ("/fields/45", &prevention))
        .await
        .unwrap();
    hospital.release_report(&last_one).await.unwrap();
    deliver(hospital, &last_one, ("partner", "しらせ県", "prefecture")).await;
    prefecture.came("report", "確報").await;
    // It came in the thread of the first, and so belongs to the case without anybody's doing.
    prefecture.awaits(case, "確報").await;
}

/// The municipality's own report on the result: what it found, and what the hospital's final report says.
async fn concluded(prefecture: &mut Organisation, (case, own): (&str, &str)) {
    let found = [
        ("heading", "prevention"),
        ("kind", "fact"),
        ("text", "立入検査でバックアップの切り離しを確認した"),
        ("source", "own"),
        ("legal_basis", "医療法第25条第1項"),
    ];
    prefecture
        .fill(Who::Writer, case, ("/entries", &found))
        .await
        .unwrap();
    let made = prefecture
        .choose(Who::Writer, &format!("reports/{own}"), ("/reports", ("kind", "final")))
        .await
        .unwrap();
    let result = last(&made.path).to_owned();
    let page = format!("reports/{result}");
    prefecture
        .awaits(&page, "バックアップの切り離しを確認")
        .await;
    prefecture.awaits(&page, "VPN装置を更新し").await;
    prefecture.release_report(&result).await.unwrap();
    let wanted = [
        "調査・指導の結果",
        "しらせ総合病院",
        "VPN装置を更新し",
        "医療機関の報告",
        "立入検査でバックアップの切り離しを確認した",
    ];
    ministry_has(prefecture, &result, "result", &wanted).await;
}
