//! A notice to many partners in the browser: written, sent back or released, seen at a glance.

use axum::http::StatusCode;

use super::site::{Site, grants};
use crate::exchange::OrganisationKind;
use crate::people::Role;

const CIRCULARS: &str = "/facilities/handa/circulars";

#[tokio::test]
async fn one_writes_it_to_all_and_another_sends_it() {
    let site = Site::empty_as(OrganisationKind::Municipality).await;
    site.exchange().await;
    let approver = || grants(&site.here, Role::Approver);
    let (_, writer, writer_csrf) = site.person("writer", approver()).await;
    let (_, other, other_csrf) = site.person("other", approver()).await;
    let sent =
        format!("csrf={writer_csrf}&kind=notice&subject=VPN装置&text=更新してください&tlp=green");
    let nobody = site.post(CIRCULARS, &writer, &sent).await;
    assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nobody.body.contains("送り先を一つ以上") && nobody.body.contains("value=\"VPN装置\""));
    let written = site
        .post(CIRCULARS, &writer, &format!("{sent}&all=yes"))
        .await;
    assert!(written.location.ends_with("done=circular-written"), "{}", written.body);
    let path = written.location.split('?').next().unwrap();
    let shown = site.get(path, &writer).await.body;
    assert!(
        shown.contains("承認待ち 1か所") && shown.contains("別の承認者の承認を待って"),
        "{shown}"
    );
    assert!(!shown.contains("承認して送る"), "its writer does not release it");
    let inbox = site.get("/facilities/handa/exchange", &writer).await.body;
    assert!(inbox.contains("一斉通知") && !inbox.contains("VPN装置"), "{inbox}");

    let released = site
        .post(&format!("{path}/release"), &other, &format!("csrf={other_csrf}"))
        .await;
    assert!(released.location.ends_with("done=circular-released"), "{}", released.body);
    let shown = site.get(path, &other).await.body;
    assert!(shown.contains("送信中 1か所") && shown.contains("1か所のうち0か所"), "{shown}");
    let remind = format!("csrf={writer_csrf}&subject=お願い&text=お読みください");
    let reminded = site.post(&format!("{path}/remind"), &writer, &remind).await;
    assert!(reminded.location.ends_with("done=circular-written"), "{}", reminded.body);
    let reason = format!("csrf={writer_csrf}&reason=早すぎた");
    let reminder = reminded.location.split('?').next().unwrap();
    let back = site
        .post(&format!("{reminder}/send-back"), &writer, &reason)
        .await;
    assert!(back.location.ends_with("done=message-returned"), "{}", back.body);
    let shown = site.get(reminder, &writer).await.body;
    assert!(shown.contains("差し戻し 1か所") && shown.contains("早すぎた"), "{shown}");
}

#[tokio::test]
async fn a_hospital_has_no_circulars() {
    let site = Site::empty_as(OrganisationKind::Hospital).await;
    let (_, cookie, _) = site
        .person("reader", grants(&site.here, Role::Approver))
        .await;
    assert_eq!(site.get(CIRCULARS, &cookie).await.status, StatusCode::NOT_FOUND);
}
