//! What the pages show and do, with hostile names everywhere.

use axum::http::StatusCode;
use jiff::SignedDuration;
use shirase_shared::wire::Action;

use super::site::{HOSTILE, Site, grants};
use crate::facilities::CareRole;
use crate::people::{Grants, Role};

#[tokio::test]
async fn hostile_names_are_harmless_on_every_page() {
    let site = Site::filled().await;
    let all = Role::ALL
        .into_iter()
        .fold(Grants::default(), |all, role| all.with(&site.here, role));
    let (_, cookie, csrf) = site.person("everything", all).await;
    let (incident, report) = site.incident().await;
    let text = HOSTILE
        .replace('%', "%25")
        .replace('&', "%26")
        .replace('+', "%2B");
    let path = format!("/facilities/handa/incidents/{incident}/comment");
    let answer = site
        .post(&path, &cookie, &format!("csrf={csrf}&text={text}"))
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let path = format!("/facilities/handa/reports/{report}/fields/9");
    let form = format!("csrf={csrf}&text={text}&status=estimated&basis={text}&revision=99");
    site.post(&path, &cookie, &form).await;
    let sheet = site.store.sheet(&site.here, report).await.unwrap();
    let form = format!(
        "csrf={csrf}&text={text}&status=estimated&basis={text}&revision={}",
        sheet.report.revision
    );
    assert_eq!(site.post(&path, &cookie, &form).await.status, StatusCode::SEE_OTHER);

    let mut shown = 0;
    for path in [
        "/".to_owned(),
        "/alerts".to_owned(),
        "/facilities/handa".to_owned(),
        format!("/facilities/handa/incidents/{incident}"),
        format!("/facilities/handa/reports/{report}"),
        format!("/facilities/handa/reports/{report}/fields/9"),
        "/facilities/handa/checklists".to_owned(),
        "/facilities/handa/checklists/jp-2025/institution".to_owned(),
        "/facilities/handa/hosts".to_owned(),
        "/facilities/handa/settings".to_owned(),
        "/facilities/handa/users".to_owned(),
        "/facilities/handa/audit".to_owned(),
        format!("/language/en?back=/{HOSTILE}")
            .replace([' ', '\u{202e}', '\u{7}', '<', '>', '"', '{', '}'], "%3C"),
    ] {
        let answer = site.get(&path, &cookie).await;
        assert!(answer.status.is_success() || answer.status.is_redirection(), "{path}");
        let body = &answer.body;
        for harm in
            ["<img src=x", "<script>", "onerror=alert(1)>", "\u{202e}", "\u{7}", "7*7}}</textarea>"]
        {
            assert!(!body.contains(harm), "{harm:?} on {path}");
        }
        assert!(!body.contains(" style=") && !body.contains(" onclick="), "inline on {path}");
        shown += usize::from(body.contains("alert(1)"));
    }
    assert!(6 <= shown, "the hostile names were not even shown: {shown}");
}

#[tokio::test]
async fn an_incident_shows_its_first_step_its_reasons_and_what_was_done() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (incident, report) = site.incident().await;
    let place = format!("/facilities/handa/incidents/{incident}");
    let page = site.get(&place, &cookie).await.body;
    for words in [
        "電子カルテ保守株式会社",
        "0120-000-111",
        "最初にすること",
        "4812",
        "ehr-db1",
        "JST",
        &format!("/facilities/handa/reports/{report}"),
        &"cd".repeat(32),
    ] {
        assert!(page.contains(words), "{words} is not shown");
    }
    let form = format!("csrf={csrf}&whom=電カル社&number=0120&at=2026-02-09T01:54");
    let path = format!("{place}/vendor-called");
    let answer = site.post(&path, &cookie, &form).await;
    assert_eq!(answer.location, format!("{place}?done=vendor-called"));
    let page = site.get(&answer.location, &cookie).await.body;
    assert!(page.contains("連絡済み: 2026-02-09 01:54:00 JST"), "the call is not shown");
    assert!(page.contains("連絡したことを記録しました"));
    let future = format!("csrf={csrf}&whom=x&at=2026-02-10T01:54");
    assert_eq!(site.post(&path, &cookie, &future).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let empty = format!("csrf={csrf}&reason=");
    let path = format!("{place}/false-alarm");
    assert_eq!(site.post(&path, &cookie, &empty).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_report_is_corrected_submitted_and_approved_by_a_second_person() {
    let site = Site::filled().await;
    let (_, author, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (_, approver, sign) = site
        .person("approver", grants(&site.here, Role::Approver))
        .await;
    let (_, report) = site.incident().await;
    let place = format!("/facilities/handa/reports/{report}");
    let revision = |sheet: &crate::reports::Sheet| sheet.report.revision;
    let sheet = site.store.sheet(&site.here, report).await.unwrap();

    let form = |status: &str, text: &str, basis: &str| {
        format!(
            "csrf={csrf}&text={text}&status={status}&basis={basis}&revision={}",
            revision(&sheet)
        )
    };
    let path = format!("{place}/fields/9");
    let refused = site
        .post(&path, &author, &form("estimated", "件名", ""))
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("根拠が必要") && refused.body.contains("件名"));
    let answer = site
        .post(&path, &author, &form("confirmed", "電子カルテが停止", ""))
        .await;
    assert_eq!(answer.location, format!("{place}?done=saved#field-9"));
    let stale = site
        .post(&path, &author, &form("confirmed", "別の人", ""))
        .await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "a stale revision was taken");

    let sheet = site.store.sheet(&site.here, report).await.unwrap();
    let submit = format!("csrf={csrf}&revision={}", revision(&sheet));
    let answer = site
        .post(&format!("{place}/submit"), &author, &submit)
        .await;
    assert_eq!(answer.location, format!("{place}?done=submitted"));
    let page = site.get(&place, &approver).await.body;
    assert!(page.contains("この内容を承認する") && page.contains("電子カルテが停止"));
    let frozen = site
        .store
        .sheet(&site.here, report)
        .await
        .unwrap()
        .report
        .revision;
    let submission = site
        .store
        .submission(&site.here, report, frozen)
        .await
        .unwrap()
        .unwrap();
    assert!(page.contains(&submission.answers_sha256), "the hash is not shown");

    let approve = |hash: &str| format!("csrf={sign}&revision={frozen}&answers_sha256={hash}");
    let path = format!("{place}/approve");
    let blind = site.post(&path, &approver, &approve("00")).await;
    assert_eq!(blind.status, StatusCode::CONFLICT, "approved without having seen it");
    let answer = site
        .post(&path, &approver, &approve(&submission.answers_sha256))
        .await;
    assert_eq!(answer.location, format!("{place}?done=approved"), "{}", answer.body);
    let pdf = site.get(&format!("{place}/pdf"), &author).await;
    assert_eq!(pdf.headers["content-type"], "application/pdf");
    assert!(pdf.body.starts_with("%PDF-"));
}

#[tokio::test]
async fn secrets_are_shown_once() {
    let site = Site::empty().await;
    let (_, admin, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    let form = format!("csrf={csrf}&label=EHR&hours=4");
    let page = site
        .post("/facilities/handa/tokens", &admin, &form)
        .await
        .body;
    assert!(page.contains("sudo shirase-agent enroll --collector https://collector.example:8445"));
    let token = page
        .split("<pre class=\"once mono\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    assert!(40 < token.len());
    let hosts = site.get("/facilities/handa/hosts", &admin).await.body;
    assert!(!hosts.contains(token) && hosts.contains("EHR"));

    let form = format!("csrf={csrf}&login=jiro&name=次郎&role=author");
    let page = site
        .post("/facilities/handa/users", &admin, &form)
        .await
        .body;
    let password = page
        .split("<pre class=\"once mono\">")
        .nth(2)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    assert_eq!(password.len(), 23);
    assert!(
        !site
            .get("/facilities/handa/users", &admin)
            .await
            .body
            .contains(password)
    );
}

#[tokio::test]
async fn a_maintenance_window_is_ordered_in_the_name_of_who_is_signed_in() {
    let site = Site::empty().await;
    let host = site.host("ehr1", &[CareRole::Ehr]).await;
    let (_, admin, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    let path = format!("/facilities/handa/hosts/{host}/maintenance");
    for wrong in ["hours=4&reason=", "hours=99&reason=x", "hours=many&reason=x"] {
        let answer = site
            .post(&path, &admin, &format!("csrf={csrf}&{wrong}"))
            .await;
        assert!(answer.status.is_client_error(), "{wrong}: {}", answer.status);
    }
    assert!(site.store.orders(&site.here).await.unwrap().is_empty());
    let form = format!("csrf={csrf}&hours=4&reason=PACSの更新");
    assert!(
        site.post(&path, &admin, &form)
            .await
            .status
            .is_redirection()
    );
    let issued = site.store.orders(&site.here).await.unwrap().remove(0);
    let Action::Maintenance { owner, reason, until } = issued.order.action else {
        panic!("no window: {:?}", issued.order.action)
    };
    assert!(owner.starts_with("admin "), "{owner}");
    assert_eq!(reason, "PACSの更新");
    assert_eq!(until.duration_since(issued.order.issued_at), SignedDuration::from_hours(4));
    let form = format!("csrf={csrf}");
    site.post(&format!("{path}/end"), &admin, &form).await;
    let audit = site.get("/facilities/handa/audit", &admin).await.body;
    assert!(audit.contains("maintenance.ordered") && audit.contains("maintenance.ended"));
}

#[tokio::test]
async fn master_data_is_saved_and_what_is_wrong_is_said() {
    let site = Site::empty().await;
    let (_, admin, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    let version = |facility: &crate::facilities::Facility| facility.updated_at.as_millisecond();
    let facility = site.store.facility(&site.here).await.unwrap().unwrap();
    let form = |code: &str, version: i64| {
        format!(
            "csrf={csrf}&version={version}&name=新病院&kind=hospital&beds=12&code={code}\
             &person_duty=director&person_name=院長&person_phone=1&person_phone_24h=2&person_mail=a\
             &person_duty=contact&person_name=&person_phone=&person_phone_24h=&person_mail=\
             &vendor_system=ehr&vendor_company=社&vendor_person=&vendor_phone=3&vendor_phone_24h=4&vendor_mail="
        )
    };
    let path = "/facilities/handa/settings";
    let wrong = site
        .post(path, &admin, &form("12", version(&facility)))
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("code:") && wrong.body.contains("新病院"));
    site.clock.advance(SignedDuration::from_secs(1));
    let saved = site
        .post(path, &admin, &form("2310000002", version(&facility)))
        .await;
    assert_eq!(saved.location, format!("{path}?done=saved"));
    let after = site.store.facility(&site.here).await.unwrap().unwrap();
    let master = &after.master;
    assert_eq!((master.people.len(), master.vendors.len(), master.beds), (1, 1, Some(12)));
    assert_eq!(
        (master.people[0].phone_24h.as_str(), master.vendors[0].phone_24h.as_str()),
        ("2", "4")
    );
    let stale = site
        .post(path, &admin, &form("2310000002", version(&facility)))
        .await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
}
