//! What a person noticed, entered in the browser, and an incident joined to another.

use axum::http::StatusCode;

use super::site::{Site, grants};
use crate::people::Role;

const NEW: &str = "/facilities/handa/incidents/new";
const ENTER: &str = "/facilities/handa/incidents";

fn once_of(form: &str) -> &str {
    let (_, rest) = form.split_once("name=\"once\" value=\"").unwrap();
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn what_is_entered_opens_one_incident_and_what_is_wrong_stays_in_the_form() {
    let site = Site::empty().await;
    let (_, cookie, csrf) = site.person("nurse", grants(&site.here, Role::Author)).await;
    let form = site.get(NEW, &cookie).await.body;
    let once = once_of(&form);
    let sent = format!(
        "csrf={csrf}&once={once}&subject=電子カルテが開けない&way=staff&noticed_by=看護師長&what=白い画面&kind=&weight=high&role=ehr"
    );
    let ahead = format!("{sent}&noticed_at=2099-01-01T00:00");
    let refused = site.post(ENTER, &cookie, &ahead).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body.contains("今より後")
            && refused.body.contains("value=\"電子カルテが開けない\"")
    );
    let now = format!("{sent}&noticed_at=2026-02-09T01:50");
    let opened = site.post(ENTER, &cookie, &now).await;
    assert!(opened.location.ends_with("done=sighting"), "{}", opened.body);
    let again = site.post(ENTER, &cookie, &now).await;
    assert_eq!(again.location, opened.location, "a nervous finger opens nothing new");
    let shown = site.get(&opened.location, &cookie).await.body;
    assert!(shown.contains("電子カルテが開けない（人が気づいた異常）"), "{shown}");
    assert!(shown.contains("看護師長") && shown.contains("白い画面"));

    let path = opened.location.split('?').next().unwrap();
    let joined = site
        .post(&format!("{path}/join"), &cookie, &format!("csrf={csrf}&number=%231"))
        .await;
    assert!(joined.body.contains("同じインシデント"), "{}", joined.body);
}

#[tokio::test]
async fn a_strange_choice_server_or_role_is_refused() {
    let site = Site::empty().await;
    let (_, cookie, csrf) = site.person("nurse", grants(&site.here, Role::Author)).await;
    let good = "subject=a&way=staff&noticed_by=b&what=c&kind=&weight=high&noticed_at=2026-02-09T01:50&once=6d3f0b7e-2b0a-4a52-9f0e-0d6f0c1c2a11";
    for (from, to) in [
        ("way=staff", "way=gossip"),
        ("weight=high", "weight=low"),
        ("kind=", "kind=flu"),
        ("once=6d3f0b7e", "once=x"),
        ("subject=a", "subject=a&role=kitchen"),
        ("subject=a", "subject=a&host=0b7e6d3f-2b0a-4a52-9f0e-0d6f0c1c2a11"),
    ] {
        let form = format!("csrf={csrf}&{}", good.replace(from, to));
        let answer = site.post(ENTER, &cookie, &form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{to}");
    }
    assert!(site.store.incidents(&site.here).await.unwrap().is_empty());
}
