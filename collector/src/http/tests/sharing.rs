//! Sharing products on the pages: written, refused, approved by another, sent, received, looked for, accepted.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use shirase_shared::clock::Clock as _;
use shirase_shared::event::{Actor as Process, Anomaly, Event, Logon, LogonKind, Phase, Severity};
use shirase_shared::ids::{BurstId, IncidentId, ProductId};
use shirase_shared::redact::PathFacts;
use shirase_shared::testing::builders::{mass_change, night};

use super::exchange::Exchanged;
use super::site::{Site, grants};
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::package::{Content, Envelope, Package, PackageFile};
use crate::exchange::samples::{city, key, person};
use crate::exchange::{OrganisationKind, PackageId};
use crate::people::Role;
use crate::reports::AnswerChange;
use crate::reports::answer::{AnswerStatus, NamedPerson, Value};
use crate::reports::fields::Field;
use crate::reports::render::tests::pages;
use crate::sharing::samples::body;
use crate::sharing::{Body, samples};
use crate::store::{Carrier, Direction, NewProduct};

const PLACE: &str = "/facilities/handa/sharing";
const SUMMARY: &str = "夜間に外部から侵入され、ファイルが暗号化された。";
/// What is planted wherever the collector keeps something.
const PLANTED: &[&str] = &[
    "半田中央病院",
    "handa",
    "愛知県",
    "佐藤",
    "花子",
    "ehr-db1",
    "192.168.10.5",
    "10.9.8.7",
    "0012345678",
    "山田太郎",
    "0569-00-0000",
    "hospital.example",
    "電子カルテ保守",
    "知多リハビリ病院",
    "kyoto-scan",
    "patients",
    "smbd.service",
    "hikitsugi",
];

/// What the collector knows or recognises, as it is written and as it is named.
const REFUSED: &[(&str, &str)] = &[
    ("半田中央病院", "半田中央病院"),
    ("ｈａｎｄａ", "handa"),
    ("愛知県内", "愛知県"),
    ("佐藤さん", "佐藤"),
    ("花子さん", "花子"),
    ("EHR-DB1", "ehr-db1"),
    ("192.168.10.5", "192.168.10.5"),
    ("０012345678", "0012345678"),
    ("山田太郎", "山田 太郎"),
    ("0569-00-0000", "0569-00-0000"),
    ("hospital.example", "hospital.example"),
    ("電子カルテ保守", "電子カルテ保守"),
    ("知多リハビリ病院", "知多リハビリ病院"),
    ("tel 052-123-4567", "052-123-4567"),
    ("患者番号12345", "患者番号12345"),
    ("/srv/patients/a", "/srv/patients/a"),
];

impl Site {
    /// Approves a product made from nothing, and receives another from the city.
    pub(super) async fn shared(&self, exchanged: &Exchanged) -> (ProductId, PackageId) {
        let by = person(11, "共有 太郎");
        let new = NewProduct { incident: None, origins: Vec::new(), body: body() };
        let (store, releases) = (&self.store, &self.state.releases);
        let begun = store.begin_product(&self.here, &new, (&by, self.clock.now()));
        let id = begun.await.unwrap();
        releases
            .submit_product((&self.here, id, 1), &by)
            .await
            .unwrap();
        let other = person(12, "承認 次郎");
        let organisation = OrganisationKind::Ceptoar;
        let approved = releases.approve_product((&self.here, id), organisation, &other);
        approved.await.unwrap();

        (id, self.receive(exchanged, body()).await)
    }

    /// Receives a product from the city.
    pub(super) async fn receive(&self, exchanged: &Exchanged, body: Body) -> PackageId {
        let approved = samples::approved(body, self.clock.now());
        let envelope = Envelope {
            sender: city().id(),
            addressee: exchanged.own.clone(),
            made_at: self.clock.now(),
            thread: None,
            order: 1,
        };
        let package = Package::seal(Content::Product(&approved), envelope, key()).unwrap();
        let bytes = package.to_file().unwrap();
        let taken = self
            .state
            .post
            .take(bytes, Carrier::Network, crate::audit::Actor::Machine);
        taken.await.unwrap().id
    }

    async fn consents(&self, incident: IncidentId, chosen: &[&str]) {
        let sheet = self
            .store
            .incident_sheet(&self.here, incident)
            .await
            .unwrap();
        let chosen = chosen.iter().map(|code| (*code).to_owned()).collect();
        let change = AnswerChange {
            facility: self.here.clone(),
            incident,
            report: None,
            field: Field::Consent,
            value: Value::Choices { chosen, note: String::new() },
            status: AnswerStatus::Confirmed,
            basis: String::new(),
            reason: "院長の判断".to_owned(),
            by: person(1, "院長"),
            expected: sheet.revision,
        };
        self.store
            .set_answer(&change, self.clock.now())
            .await
            .unwrap();
    }

    /// Plants names, addresses and numbers in everything an event can carry.
    async fn plant(&self) {
        let mut harm = mass_change(BurstId::random(), Phase::Grew, 5000, 50);
        harm.severity = Severity::Critical;
        harm.root = Some("patients".to_owned());
        harm.reason = "ehr-db1: /srv/patients/0012345678/山田太郎.pdf".to_owned();
        let Anomaly::MassChange(change) = &mut harm.anomaly else { unreachable!() };
        change.suffixes = BTreeMap::from([("locked".to_owned(), 5000), ("handa".to_owned(), 9)]);
        for client in ["192.168.10.5", "203.0.113.77"] {
            change.actors.push(Process {
                program: "rclone.exe".to_owned(),
                unit: Some("smbd.service".to_owned()),
                user: Some("hikitsugi".to_owned()),
                client: Some(client.to_owned()),
                ..Process::default()
            });
        }
        change.samples.push(PathFacts {
            root: "patients".to_owned(),
            depth: 3,
            extension: Some("pdf".to_owned()),
            hash: "0012345678".to_owned(),
            path: Some("0012345678/山田太郎.pdf".to_owned()),
        });
        let logon = Logon {
            what: LogonKind::FailureBurst,
            count: 90,
            accounts: vec!["hikitsugi".to_owned()],
            sources: vec!["10.9.8.7".to_owned(), "198.51.100.24".to_owned()],
        };
        let once = mass_change(BurstId::random(), Phase::Once, 0, 20);
        let logon = Event { anomaly: Anomaly::Logon(logon), burst: None, ..once };
        let hosts = self.store.hosts(&self.here).await.unwrap();
        let host = hosts.iter().find(|host| host.name == "ehr-db1").unwrap().id;
        self.records(host, vec![harm, logon]).await;
        self.contact(&[
            ("kind", "partner"),
            ("organisation", "知多リハビリ病院"),
            ("person", "山田 太郎"),
            ("phone", "0569-11-1111"),
            ("mail", "kyoto-scan@hospital.example"),
        ])
        .await;
        self.work().await;
    }
}

/// A form of a draft with these ticks.
fn form(csrf: &str, revision: u32, (summary, ticks): (&str, &str)) -> String {
    format!(
        "csrf={csrf}&revision={revision}&attack=ransomware&first_day=2026-02-09&last_day=2026-02-09&tlp=amber&summary={summary}&technique=T1486&technique=T1110{ticks}"
    )
}

const TICKS: &str = "&indicator=suffix:locked&indicator=address:203.0.113.77&indicator=tool:rclone.exe&more_note_name=RECOVER-FILES.txt";

#[tokio::test]
async fn a_product_is_written_by_one_approved_by_another_and_nothing_planted_is_in_it() {
    let site = Site::filled().await;
    site.plant().await;
    site.exchange().await;
    let (incident, _) = site.incident().await;
    let approver = || grants(&site.here, Role::Approver);
    let (_, writer, csrf) = site.person("writer", approver()).await;
    let (_, other, other_csrf) = site.person("other", approver()).await;
    let begun = site
        .post(PLACE, &writer, &format!("csrf={csrf}&incident={incident}"))
        .await;
    let path = begun.location.split('?').next().unwrap().to_owned();
    assert!(path.starts_with(&format!("{PLACE}/products/")), "{} {}", begun.status, begun.body);
    let page = site.get(&path, &writer).await.body;
    for offered in ["suffix:locked", "address:203.0.113.77", "address:198.51.100.24"] {
        assert!(page.contains(offered), "{offered} {page}");
    }
    for inner in ["192.168.10.5", "10.9.8.7", "checked", "0012345678", "hikitsugi"] {
        assert!(!page.contains(inner), "{inner}: nothing inner is offered, nothing is ticked");
    }

    let hand = Hand { site: &site, path: &path, cookie: &writer, csrf: &csrf };
    let revision = hand.refused_by_name().await;
    let revision = hand.refused_without_consent(incident, revision).await;
    hand.frozen(revision, (other.as_str(), other_csrf.as_str()))
        .await;
    hand.sent_once().await;
    nothing_planted_went(&site).await;
    let pdf = format!("{path}/files/product.pdf");
    assert_eq!(site.get(&pdf, &writer).await.headers["content-type"], "application/pdf");
}

/// Somebody at work on a draft.
struct Hand<'a> {
    site: &'a Site,
    path: &'a str,
    cookie: &'a str,
    csrf: &'a str,
}

impl Hand<'_> {
    /// Everything planted is refused by name, wherever it is written. Returns the revision.
    async fn refused_by_name(&self) -> u32 {
        let Self { site, path, cookie: writer, csrf } = *self;
        let mut revision = 1;
        for (planted, named) in REFUSED {
            let ticks = "&indicator=suffix:handa";
            let words = format!("{SUMMARY} {planted} を確認");
            let saved = site
                .post(path, writer, &form(csrf, revision, (&words, ticks)))
                .await;
            assert_eq!(saved.status, StatusCode::SEE_OTHER, "{planted}: {}", saved.body);
            revision += 1;
            let page = site.get(path, writer).await.body;
            assert!(page.contains("承認に出す前に直すこと"), "{planted}");
            assert!(page.contains(&format!("「{named}」")), "{planted}: {page}");
            assert!(page.contains("「.handa」"), "a suffix with the house's name: {page}");
            let submit = format!("csrf={csrf}&revision={revision}");
            let refused = site.post(&format!("{path}/submit"), writer, &submit).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{planted}");
        }
        let wrong = form(csrf, revision, (SUMMARY, "&more_address=192.168.10.5"));
        let refused = site.post(path, writer, &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("「192.168.10.5」"), "{}", refused.body);
        revision
    }

    /// Without the facility's consent nothing goes on; with it, it does. Returns the revision.
    async fn refused_without_consent(&self, incident: IncidentId, mut revision: u32) -> u32 {
        let Self { site, path, cookie: writer, csrf } = *self;
        let saved = site
            .post(path, writer, &form(csrf, revision, (SUMMARY, TICKS)))
            .await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
        revision += 1;
        let submit = format!("csrf={csrf}&revision={revision}");
        for (chosen, words) in [
            (None, "項目47「情報共有への同意」に、確認済の回答がありません"),
            (Some(["nco", "tlp-green"]), "「医療セプターでの共有に同意」がありません"),
            (Some(["ceptoar", "tlp-red"]), "同意した範囲より広くなっています"),
        ] {
            if let Some(chosen) = chosen {
                site.consents(incident, &chosen).await;
            }
            let refused = site.post(&format!("{path}/submit"), writer, &submit).await;
            assert!(refused.body.contains(words), "{words}: {}", refused.body);
        }
        site.consents(incident, &["ceptoar", "tlp-amber"]).await;
        site.show("sharing-draft", path, writer).await;
        let done = site.post(&format!("{path}/submit"), writer, &submit).await;
        assert!(done.location.ends_with("done=sharing-submitted"), "{}", done.body);
        revision + 1
    }

    /// What is frozen does not change, and its author never approves it.
    async fn frozen(&self, revision: u32, (other, other_csrf): (&str, &str)) {
        let Self { site, path, cookie: writer, csrf } = *self;
        let late = site
            .post(path, writer, &form(csrf, revision, (SUMMARY, TICKS)))
            .await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", late.body);
        let own = site
            .post(&format!("{path}/approve"), writer, &format!("csrf={csrf}"))
            .await;
        assert!(
            own.body
                .contains("作成した人・承認に出した人は承認できません"),
            "{}",
            own.body
        );
        site.show("sharing-submitted", path, other).await;
        let by_other = format!("csrf={other_csrf}");
        let done = site
            .post(&format!("{path}/approve"), other, &by_other)
            .await;
        assert!(done.location.ends_with("done=sharing-approved"), "{}", done.body);
    }

    async fn sent_once(&self) {
        let Self { site, path, cookie: writer, csrf } = *self;
        let send = format!("csrf={csrf}&partner=handa-city");
        let sent = site.post(&format!("{path}/send"), writer, &send).await;
        assert!(sent.location.ends_with("done=sharing-sent"), "{}", sent.body);
        let again = site.post(&format!("{path}/send"), writer, &send).await;
        assert!(again.body.contains("送付済です"), "{}", again.body);
        site.show("sharing-approved", path, writer).await;
        site.show("sharing-list", PLACE, writer).await;
    }
}

/// Looks into everything that went.
async fn nothing_planted_went(site: &Site) {
    let packages = site.store.packages(&site.here, None).await.unwrap();
    let went = packages.iter().find(|one| {
        one.direction == Direction::Out && one.manifest.kind == PackageKind::SharingProduct
    });
    let package = site
        .store
        .whole_package(&site.here, &went.unwrap().id)
        .await
        .unwrap();
    assert_eq!(package.manifest().tlp, Tlp::Amber);
    nothing_planted("manifest", &package.manifest().text().unwrap());
    assert_eq!(package.files().len(), 3);
    for PackageFile { name, bytes } in package.files() {
        let text = match name.as_str() {
            "product.pdf" => {
                let pages = pages(bytes);
                assert_eq!(pages.len(), 1, "one page");
                assert!(pages[0].matches("TLP:AMBER").count() == 2, "in header and footer");
                leave("product.pdf", bytes);
                pages
                    .concat()
                    .replace(|c: char| c.is_whitespace() || c == '\u{200b}', "")
            }
            _ => String::from_utf8(bytes.clone()).unwrap(),
        };
        nothing_planted(name.as_str(), &text);
        assert!(text.contains("locked") && text.contains("RECOVER-FILES.txt"), "{name}: {text}");
    }
}

fn nothing_planted(what: &str, text: &str) {
    let text = text.to_lowercase();
    for planted in PLANTED
        .iter()
        .chain(&["writer", "other", "承認", "院長", "上書き"])
    {
        assert!(!text.contains(planted), "{planted} stands in {what}: {text}");
    }
}

/// Leaves a file where a person can look at it, if the environment names a folder.
fn leave(name: &str, bytes: &[u8]) {
    if let Ok(folder) = std::env::var("SHIRASE_SHOW_PAGES") {
        std::fs::write(std::path::Path::new(&folder).join(name), bytes).unwrap();
    }
}

#[tokio::test]
async fn a_product_that_came_is_looked_for_and_accepted_by_a_click() {
    let site = Site::filled().await;
    let exchanged = site.exchange().await;
    let id = site.receive(&exchanged, body()).await;
    let (_, author, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let path = format!("{PLACE}/received/{id}");
    let before = site.get(&path, &author).await.body;
    assert!(before.contains("まだ調べていません") && before.contains("203.0.113.77"), "{before}");
    let searched = site
        .post(&format!("{path}/search"), &author, &format!("csrf={csrf}"))
        .await;
    assert!(searched.location.ends_with("done=sharing-searched"), "{}", searched.body);
    let page = site.get(&path, &author).await.body;
    assert!(page.contains("あり：2件") && page.contains("ehr-db1"), "{page}");
    assert!(page.contains("調べられません"), "names of notes are in no event: {page}");
    let accept = format!("csrf={csrf}&indicator=suffix:locked");
    for _ in 0..2 {
        let done = site.post(&format!("{path}/accept"), &author, &accept).await;
        assert!(done.location.ends_with("done=sharing-accepted"), "{}", done.body);
    }
    let elsewhere = format!("csrf={csrf}&indicator=suffix:another");
    let refused = site
        .post(&format!("{path}/accept"), &author, &elsewhere)
        .await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let accepted = site.store.accepted_indicators(&site.here).await.unwrap();
    let keys: Vec<String> = accepted.iter().map(|one| one.what.key()).collect();
    assert_eq!(keys, ["suffix:locked"]);
    assert!(accepted[0].by.starts_with("author"), "{accepted:?}");
    site.show("sharing-received", &path, &author).await;
    let dropped = site.post(&format!("{path}/drop"), &author, &accept).await;
    assert!(dropped.location.ends_with("done=sharing-dropped"), "{}", dropped.body);
    assert!(
        site.store
            .accepted_indicators(&site.here)
            .await
            .unwrap()
            .is_empty()
    );
    // The other facility has none of it.
    let (_, stranger, _) = site
        .person("stranger", grants(&site.there, Role::Author))
        .await;
    assert_eq!(site.get(&path, &stranger).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_ceptoar_makes_one_of_several_under_the_narrowest_mark() {
    let site = Site::empty_as(OrganisationKind::Ceptoar).await;
    let exchanged = site.exchange().await;
    let mut green = Body { tlp: Tlp::Green, ..body() };
    green.indicators.truncate(2);
    let first = site.receive(&exchanged, green).await;
    let second = site.receive(&exchanged, body()).await;
    let strict = site
        .receive(&exchanged, Body { tlp: Tlp::AmberStrict, ..body() })
        .await;
    let (_, author, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let page = site.get(PLACE, &author).await.body;
    assert!(page.contains("他に渡せません") && page.contains(first.as_str()), "{page}");
    site.show("sharing-ceptoar", PLACE, &author).await;
    for (chosen, words) in
        [(vec![], "一つ以上選んでください"), (vec![&second, &strict], "まとめられません")]
    {
        let named: String = chosen.iter().map(|id| format!("&package={id}")).collect();
        let refused = site
            .post(PLACE, &author, &format!("csrf={csrf}{named}"))
            .await;
        assert!(refused.body.contains(words), "{words} {}", refused.body);
    }
    let both = format!("csrf={csrf}&package={first}&package={second}");
    let begun = site.post(PLACE, &author, &both).await;
    let path = begun.location.split('?').next().unwrap().to_owned();
    let page = site.get(&path, &author).await.body;
    assert!(page.contains("TLP:AMBER") && page.contains("第1号"), "{page}");
    let id: ProductId = path.rsplit('/').next().unwrap().parse().unwrap();
    let product = site.store.product(&site.here, id).await.unwrap();
    assert_eq!((product.body.tlp, product.body.indicators.len()), (Tlp::Amber, 6));
    // Marked wider by hand it goes no further.
    let wide = Body { tlp: Tlp::Green, ..product.body };
    let by: NamedPerson = person(3, "編集");
    let place = (&site.here, id, 1);
    site.store
        .change_product(place, &wide, (&by, night()))
        .await
        .unwrap();
    let submitted = site
        .state
        .releases
        .submit_product((&site.here, id, 2), &by)
        .await;
    assert!(submitted.unwrap_err().to_string().contains("marked wider"));
}

#[tokio::test]
async fn the_lists_are_filtered_by_mark_and_day() {
    let site = Site::empty().await;
    let exchanged = site.exchange().await;
    let amber = site.receive(&exchanged, body()).await;
    let green = site
        .receive(&exchanged, Body { tlp: Tlp::Green, ..body() })
        .await;
    let (_, reader, _) = site
        .person("reader", grants(&site.here, Role::Viewer))
        .await;
    for (query, shown) in [
        ("", [true, true]),
        ("?tlp=green", [false, true]),
        ("?tlp=&from=2026-02-09&to=2026-02-09", [true, true]),
        ("?tlp=amber&from=2026-02-10&to=", [false, false]),
        ("?tlp=amber&from=&to=2026-02-08", [false, false]),
    ] {
        let page = site.get(&format!("{PLACE}{query}"), &reader).await.body;
        assert_eq!([&amber, &green].map(|id| page.contains(id.as_str())), shown, "{query}");
    }
}
