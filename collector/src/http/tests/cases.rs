//! A municipality's case in the browser: heard by telephone, linked to what the hospital sends, recorded, closed.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, COOKIE};
use axum::http::{Request, StatusCode};
use shirase_shared::ids::{CaseId, IncidentId};

use super::exchange::Exchanged;
use super::site::{Answered, HOSTILE, Site, grants, now};
use crate::cases::{Heard, HeardWay, NewCase};
use crate::exchange::OrganisationKind;
use crate::exchange::package::PackageFile;
use crate::jobs::draft_reports::DraftReportsJob;
use crate::jobs::{Job as _, Outcome};
use crate::locale::{Lang, Locale};
use crate::people::Role;
use crate::reports::answer::NamedPerson;

const CASES: &str = "/facilities/handa/cases";

impl Site {
    /// Opens a case with one entry at the first institution of the register.
    pub(super) async fn case(&self) -> CaseId {
        let institution = self.store.institutions(&self.here).await.unwrap()[0].id;
        let hostile = HOSTILE.replace(['\u{202e}', '\u{7}'], "");
        let heard = Heard {
            way: HeardWay::Telephone,
            from: hostile.clone(),
            at: now(self),
            what: hostile.clone(),
            taken_by: hostile.clone(),
        };
        let new =
            NewCase { institution, subject: hostile.clone(), drill: false, heard, thread: None };
        let by = NamedPerson { user: shirase_shared::ids::UserId::random(), name: hostile.clone() };
        let case = self
            .store
            .open_case(&self.here, &new, (&by, now(self)))
            .await
            .unwrap()
            .id;
        let said = crate::cases::Statement {
            heading: crate::cases::Heading::Damage,
            kind: crate::cases::EntryKind::Question,
            text: hostile.clone(),
            source: crate::cases::Source::Page { at: format!("https://{hostile}") },
            legal_basis: hostile,
            on: crate::contacts::today(now(self)),
            follow_up: Some(crate::contacts::today(now(self))),
            corrects: None,
            settles: None,
        };
        let paper = PackageFile {
            name: "立入検査 記録&.pdf".parse().unwrap(),
            bytes: b"%PDF-1.7".to_vec(),
        };
        self.store
            .add_case_entry((&self.here, case), (&said, Some(&paper)), (&by, now(self)))
            .await
            .unwrap();
        case
    }
}

async fn city() -> Site {
    let site = Site::empty_as(OrganisationKind::Municipality).await;
    site.exchange().await;
    site
}

/// A case somebody opened in the browser, and who they are.
struct Told {
    site: Site,
    path: String,
    cookie: String,
    csrf: String,
}

impl Told {
    async fn by_telephone() -> Self {
        let site = city().await;
        let institution = site.institution("半田中央病院").await;
        let (_, cookie, csrf) = site
            .person("officer", grants(&site.here, Role::Author))
            .await;
        let form = site
            .get(&format!("{CASES}/new?institution={institution}"), &cookie)
            .await
            .body;
        assert!(form.contains("半田中央病院") && form.contains("selected"), "{form}");
        let sent = format!(
            "csrf={csrf}&institution={institution}&subject=電子カルテ停止&way=telephone&from=事務長&what=止まった&taken_by=佐藤"
        );
        let ahead = site
            .post(CASES, &cookie, &format!("{sent}&at=2030-01-01T00:00"))
            .await;
        assert_eq!(ahead.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            ahead.body.contains("日時が未来") && ahead.body.contains("value=\"電子カルテ停止\"")
        );
        let opened = site
            .post(CASES, &cookie, &format!("{sent}&at=2026-02-09T01:50"))
            .await;
        assert!(opened.location.ends_with("done=case-opened"), "{}", opened.body);
        let path = opened.location.split('?').next().unwrap().to_owned();
        Self { site, path, cookie, csrf }
    }

    async fn send(&self, fields: &str) -> Answered {
        let form = format!("csrf={}&{fields}", self.csrf);
        self.site
            .post(&format!("{}/entries", self.path), &self.cookie, &form)
            .await
    }

    async fn enter(&self, fields: &str) {
        let entered = self.send(fields).await;
        assert!(entered.location.ends_with("done=case-entered"), "{fields}: {}", entered.body);
    }

    async fn refuse(&self, fields: &str, expected: &[&str]) {
        let refused = self.send(fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields}");
        for expected in expected {
            assert!(refused.body.contains(expected), "{expected} in {}", refused.body);
        }
    }

    async fn page(&self, path: &str) -> String {
        self.site.get(path, &self.cookie).await.body
    }
}

#[tokio::test]
async fn what_belongs_to_an_entry_is_kept_beside_it_and_handed_out_to_be_saved() {
    let told = Told::by_telephone().await;
    let mut body = String::new();
    let fields = [
        ("csrf", told.csrf.as_str()),
        ("heading", "damage"),
        ("kind", "fact"),
        ("text", "立入検査の記録"),
        ("source", "own"),
        ("on", "2026-02-09"),
    ];
    for (name, value) in fields {
        let part =
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.push_str(&part);
    }
    body.push_str(
        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"記録.html\"\r\n\r\n<script>1</script>\r\n--XX--\r\n",
    );
    let sent = async |body: String| {
        let request = Request::post(format!("{}/entries", told.path))
            .header(COOKIE, &told.cookie)
            .header(CONTENT_TYPE, "multipart/form-data; boundary=XX")
            .body(Body::from(body))
            .unwrap();
        told.site.send(request).await
    };
    let entered = sent(body.clone()).await;
    assert!(entered.location.ends_with("done=case-entered"), "{}", entered.body);
    let page = told.page(&told.path).await;
    assert!(page.contains("記録.html") && page.contains("/entries/1/file"), "{page}");
    let path = format!("{}/entries/1/file", told.path);
    let file = told.site.get(&path, &told.cookie).await;
    assert_eq!(file.body, "<script>1</script>");
    assert_eq!(file.headers[CONTENT_TYPE], "application/octet-stream");
    assert!(
        file.headers[CONTENT_DISPOSITION]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    let none = told
        .site
        .get(&path.replace("/1/", "/2/"), &told.cookie)
        .await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);

    let hidden = sent(body.replace("記録.html", "../etc")).await;
    assert!(hidden.body.contains("添付ファイルの名前"), "{}", hidden.body);
}

const ASKED: &str = "heading=damage&kind=question&text=停止範囲は&source=own&legal_basis=医療法第25条&on=2026-02-09&follow_up=2026-02-09";
const ANSWERED: &str =
    "heading=damage&kind=answer&text=外来&source=told&settles=1&source_text=事務長";

#[tokio::test]
async fn what_was_told_by_telephone_becomes_a_case_with_what_is_open_in_it() {
    let told = Told::by_telephone().await;
    told.enter(ASKED).await;
    let overview = told.page(CASES).await;
    for expected in [
        "確認日が来ているもの 1件",
        "回答のない照会 1件",
        "半田中央病院",
        "最も古いもの 2026-02-09",
    ] {
        assert!(overview.contains(expected), "{expected} in {overview}");
    }
    let home = told.page("/").await;
    assert!(home.contains("確認日 1件") && home.contains("回答待ち 1件"), "{home}");
    let sourceless = ANSWERED.replace("&source_text=事務長", "");
    told.refuse(&sourceless, &["出典を書いてください", ">外来</textarea>"])
        .await;
    told.enter(ANSWERED).await;
    let overview = told.page(CASES).await;
    assert!(!overview.contains("回答のない照会 1件"), "{overview}");

    told.enter(
        "heading=recovery&kind=fact&text=見る&source=own&on=2026-02-09&follow_up=2026-02-10",
    )
    .await;
    let early = ["残っています", "id=\"k-close\"", ">報告済みなので</textarea>"];
    told.refuse("kind=close&text=報告済みなので", &early).await;
    told.enter("heading=recovery&kind=fact&text=復旧した&source=own&on=2026-02-09&settles=3")
        .await;
    told.enter("kind=close&text=報告済み").await;
    assert!(told.page(CASES).await.contains("終結した事案"));
    told.refuse(ASKED, &["終結しています"]).await;
    told.enter("kind=reopen&text=再発").await;
    let there = told
        .site
        .get(&told.path.replace("handa", "oki"), &told.cookie)
        .await;
    assert_eq!(there.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_entry_is_corrected_by_a_newer_one_and_both_stay() {
    let told = Told::by_telephone().await;
    told.enter(ASKED).await;
    told.enter(ANSWERED).await;
    let edit = told.page(&format!("{}/entries/2", told.path)).await;
    assert!(edit.contains(">外来</textarea>") && edit.contains("これまでどおり"), "{edit}");
    let corrected = ANSWERED.replace("外来", "外来と救急") + "&corrects=2";
    told.refuse(&corrected.replace("&source_text=事務長", ""), &["記載の訂正", "出典を書いて"])
        .await;
    told.enter(&corrected).await;
    let page = told.page(&told.path).await;
    for expected in [
        "<s>外来</s>",
        "外来と救急",
        "記載2の訂正",
        "記載3で訂正済み",
        "医療法第25条",
        "事務長 から聞き取り",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    told.refuse(&corrected, &["訂正できる記載ではありません"])
        .await;
    let path = format!("{}/entries/9", told.path);
    assert_eq!(told.site.get(&path, &told.cookie).await.status, StatusCode::NOT_FOUND);
    let log = told.site.store.audit_page(0, 1000).await.unwrap();
    assert_eq!(
        log.iter()
            .filter(|entry| entry.action == "case.entered")
            .count(),
        3
    );
    let quoted = log.iter().any(|entry| entry.detail.contains("外来"));
    assert!(!quoted, "no word of the record in the log");
}

#[tokio::test]
async fn a_thread_is_proposed_linked_by_a_person_and_shown_on_both_sides() {
    let site = Site::empty_as(OrganisationKind::Municipality).await;
    let Exchanged { package, .. } = site.exchange().await;
    site.institution("半田中央病院").await;
    let case = site.case().await;
    let (_, cookie, csrf) = site
        .person("officer", grants(&site.here, Role::Author))
        .await;
    let thread = format!("/facilities/handa/exchange/packages/{package}");
    let shown = site.get(&thread, &cookie).await.body;
    assert!(shown.contains("同じ医療機関で") && shown.contains("どの事案にも"), "{shown}");
    let inbox = "/facilities/handa/exchange";
    assert!(site.get(inbox, &cookie).await.body.contains("事案なし"));
    let link = format!("csrf={csrf}&case={case}");
    let linked = site.post(&format!("{thread}/case"), &cookie, &link).await;
    assert!(linked.location.ends_with("done=case-linked"), "{}", linked.body);
    let on_inbox = site.get(inbox, &cookie).await.body;
    assert!(on_inbox.contains(&format!("/cases/{case}")) && !on_inbox.contains("事案なし"));
    let on_case = site.get(&format!("{CASES}/{case}"), &cookie).await.body;
    assert!(on_case.contains(&format!("/exchange/packages/{package}")), "{on_case}");
    let other = site.case().await;
    let twice = format!("csrf={csrf}&case={other}");
    let twice = site.post(&format!("{thread}/case"), &cookie, &twice).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY, "one thread, one case");
    let out = site
        .post(&format!("{thread}/case"), &cookie, &format!("csrf={csrf}&case="))
        .await;
    assert!(out.location.ends_with("done=case-unlinked"), "{}", out.body);
    assert!(
        site.store
            .thread_cases(&site.here)
            .await
            .unwrap()
            .is_empty()
    );

    let born = site
        .get(&format!("{CASES}/new?package={package}"), &cookie)
        .await
        .body;
    assert!(born.contains("value=\"report\" selected"), "{born}");
    let institution = site.store.institutions(&site.here).await.unwrap()[0].id;
    let form = format!(
        "csrf={csrf}&package={package}&institution={institution}&subject=報告&way=report&from=x&at=2026-02-09T01:50&what=y&taken_by=z"
    );
    let opened = site.post(CASES, &cookie, &form).await;
    assert!(opened.location.ends_with("done=case-opened"), "{}", opened.body);
    assert_eq!(site.store.thread_cases(&site.here).await.unwrap().len(), 1);
    let again = site.post(CASES, &cookie, &form).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "the package has its case");
    assert_eq!(site.store.case_files(&site.here).await.unwrap().len(), 3, "nothing half done");
    let drill = format!("{form}&drill=yes").replace(&package.to_string(), "");
    let drill = site.post(CASES, &cookie, &drill).await;
    assert!(drill.location.ends_with("done=case-opened"), "{}", drill.body);
    site.post(&format!("{thread}/case"), &cookie, &format!("csrf={csrf}&case="))
        .await;
    let drill = drill
        .location
        .split('?')
        .next()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let mixed = site
        .post(&format!("{thread}/case"), &cookie, &format!("csrf={csrf}&case={drill}"))
        .await;
    assert_eq!(
        mixed.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a drill's case takes no real thread"
    );
}

#[tokio::test]
async fn what_people_wrote_into_a_case_is_harmless_and_no_key_stands_bare() {
    let site = Site::empty_as(OrganisationKind::Municipality).await;
    let Exchanged { package, .. } = site.exchange().await;
    let institution = site
        .institution(&HOSTILE.replace(['\u{202e}', '\u{7}'], ""))
        .await;
    let case = site.case().await;
    let (_, cookie, _) = site
        .person("officer", grants(&site.here, Role::Author))
        .await;
    for path in [
        CASES.to_owned(),
        format!("{CASES}/new"),
        format!("{CASES}/figures"),
        format!("{CASES}/{case}"),
        format!("{CASES}/{case}/entries/1"),
        format!("/facilities/handa/institutions/{institution}"),
        format!("/facilities/handa/exchange/packages/{package}"),
    ] {
        for lang in ["ja", "en"] {
            let cookies = format!("{cookie}; __Host-shirase-lang={lang}");
            let answer = site.get(&path, &cookies).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            for harm in ["<img src=x", "<script>", "onerror=alert(1)>", "7*7}}</textarea>"] {
                assert!(!answer.body.contains(harm), "{harm} on {path}");
            }
            for key in ["case-", "heard-", "figures-", "legal-", "institution-", "title-"] {
                let bare = answer.body.contains(&format!(">{key}"));
                assert!(!bare, "a key {key}… stands on {path} in {lang}");
            }
        }
    }
}

#[tokio::test]
async fn a_case_becomes_the_municipalitys_own_report_and_the_draft_follows_the_record() {
    let told = Told::by_telephone().await;
    let begin = format!("csrf={}", told.csrf);
    let report = format!("{}/report", told.path);
    let begun = told.site.post(&report, &told.cookie, &begin).await;
    assert!(begun.location.ends_with("done=case-report"), "{}", begun.body);
    let again = told.site.post(&report, &told.cookie, &begin).await;
    assert_eq!(again.location, begun.location, "one case, one incident");
    let incident: IncidentId = {
        let path = begun.location.split('?').next().unwrap();
        path.rsplit('/').next().unwrap().parse().unwrap()
    };

    let draft = async || {
        let site = &told.site;
        let (store, clock) = (site.store.clone(), site.state.clock.clone());
        let mut job =
            DraftReportsJob::new(store, clock, site.state.nudge.clone(), Locale::new(Lang::Ja));
        let outcome = job.activate().await;
        assert!(!matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
        let sheet = site.store.incident_sheet(&site.here, incident).await;
        serde_json::to_string(&sheet.unwrap().answers.into_iter().collect::<Vec<_>>()).unwrap()
    };
    let first = draft().await;
    assert!(first.contains("半田中央病院") && first.contains("事務長"), "{first}");
    assert!(!first.contains("監視している範囲"), "a municipality watches nothing there");
    told.enter("heading=damage&kind=fact&text=外来を縮小&source=told&source_text=事務長&legal_basis=医療法第25条&on=2026-02-09")
        .await;
    told.enter(
        "heading=prevention&kind=guidance&text=VPN装置の更新を求めた&source=own&on=2026-02-09",
    )
    .await;
    let second = draft().await;
    for expected in
        ["外来を縮小", "医療法第25条", "VPN装置の更新を求めた", "記録1", "事案第1号の記録1"]
    {
        assert!(second.contains(expected), "{expected} in {second}");
    }

    let page = told.page(&begun.location).await;
    assert!(page.contains("管内医療機関における"), "{page}");
    assert!(!page.contains("第一報（連絡）"), "an institution's duties are none of its own");
    assert!(!page.contains("保守会社"), "whom to call first is the institution's matter");
    let case = told.page(&told.path).await;
    assert!(case.contains("管内医療機関における") && !case.contains("報告を作り始める"), "{case}");
    let foreign = format!("csrf={}&profile=jp-mhlw-contact&kind=preliminary", told.csrf);
    let path = begun.location.split('?').next().unwrap();
    let refused = told
        .site
        .post(&format!("{path}/reports"), &told.cookie, &foreign)
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}
