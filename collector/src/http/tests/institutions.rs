//! The register of institutions in the browser: a municipality keeps it, a hospital has no such page.

use axum::http::StatusCode;
use shirase_shared::ids::InstitutionId;

use super::site::{HOSTILE, Site, grants};
use crate::exchange::OrganisationKind;
use crate::people::Role;

const PLACE: &str = "/facilities/handa/institutions";
const TABLE: &str = "/facilities/handa/institutions/table";

impl Site {
    /// Registers a hospital that corresponds to the partner `handa-city`, if that one is paired.
    pub(super) async fn institution(&self, name: &str) -> InstitutionId {
        let partners = self.store.partners(&self.here).await.unwrap();
        let details = crate::institutions::Details {
            name: name.to_owned(),
            kind: crate::facilities::FacilityKind::Hospital,
            code: String::new(),
            address: String::new(),
            person: String::new(),
            phone: "0569-00-0000".to_owned(),
            night_phone: String::new(),
            mail: String::new(),
            partner: partners.first().map(|partner| partner.id.clone()),
        };
        let who = (crate::audit::Actor::CommandLine, super::site::now(self));
        self.store
            .add_institution(&self.here, &details, who)
            .await
            .unwrap()
            .id
    }
}

#[tokio::test]
async fn a_hospital_has_no_register_and_no_way_to_it() {
    let site = Site::empty().await;
    let (_, cookie, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    assert_eq!(site.get(PLACE, &cookie).await.status, StatusCode::NOT_FOUND);
    let form = format!("csrf={csrf}&name=x&kind=hospital");
    assert_eq!(site.post(PLACE, &cookie, &form).await.status, StatusCode::NOT_FOUND);
    let home = site.get("/facilities/handa", &cookie).await.body;
    assert!(!home.contains("/institutions") && !home.contains("/cases"), "{home}");
}

#[tokio::test]
async fn an_institution_is_registered_changed_noted_closed_and_never_gone() {
    let site = Site::empty_as(OrganisationKind::Municipality).await;
    let all = grants(&site.here, Role::Administrator).with(&site.here, Role::Author);
    let (_, cookie, csrf) = site.person("admin", all).await;
    let home = site.get("/facilities/handa", &cookie).await.body;
    assert!(home.contains("/facilities/handa/institutions"), "{home}");
    let name = HOSTILE
        .replace(['\u{202e}', '\u{7}'], "")
        .replace('&', "%26");
    let form = format!("csrf={csrf}&name={name}&kind=hospital&phone=0569-00-011");
    let refused = site.post(PLACE, &cookie, &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("桁数が合いません"), "{}", refused.body);
    assert!(refused.body.contains("value=\"0569-00-011\""), "what was sent stays in the form");
    let added = site
        .post(PLACE, &cookie, &format!("{form}0&code=2310000001"))
        .await;
    let path = added.location.split('?').next().unwrap().to_owned();
    assert!(path.starts_with(PLACE) && added.location.ends_with("done=institution-added"));

    let note = format!("csrf={csrf}&on=2026-02-09&text=立入検査の日程を相談した。%0A次回は5月。");
    let noted = site.post(&format!("{path}/notes"), &cookie, &note).await;
    assert!(noted.location.ends_with("done=institution-noted"), "{}", noted.body);
    let ahead = format!("csrf={csrf}&on=2030-01-01&text=x");
    let ahead = site.post(&format!("{path}/notes"), &cookie, &ahead).await;
    assert_eq!(ahead.status, StatusCode::UNPROCESSABLE_ENTITY, "a note is not ahead of its day");
    let changed = format!(
        "csrf={csrf}&revision=1&name=半田中央病院&kind=hospital&phone=0569-00-0119&code=2310000001"
    );
    let changed = site.post(&path, &cookie, &changed).await;
    assert!(changed.location.ends_with("done=institution-changed"), "{}", changed.body);
    let stale = format!("csrf={csrf}&revision=1&reason=廃止");
    let stale = site.post(&format!("{path}/close"), &cookie, &stale).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "somebody looked at an older version");
    let close = format!("csrf={csrf}&revision=2&reason=廃止");
    let closed = site.post(&format!("{path}/close"), &cookie, &close).await;
    assert!(closed.location.ends_with("done=institution-closed"), "{}", closed.body);

    let page = site.get(&path, &cookie).await.body;
    for expected in
        ["0569-00-0110", "0569-00-0119", "廃止", "立入検査の日程を相談した。", "台帳に戻す"]
    {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    assert!(!page.contains("<script>") && !page.contains(">institution-"), "{page}");
    assert!(
        site.get(PLACE, &cookie)
            .await
            .body
            .contains("終了した医療機関")
    );
    let there = site.get(&path.replace("handa", "oki"), &cookie).await;
    assert_eq!(there.status, StatusCode::NOT_FOUND);
    let log = site.store.audit_page(0, 1000).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    for act in
        ["institution.added", "institution.changed", "institution.noted", "institution.closed"]
    {
        assert!(acts.contains(&act), "{act} in {acts:?}");
    }
    assert!(log.iter().all(|entry| !entry.detail.contains("0569")), "no number in the log");
}

#[tokio::test]
async fn a_table_is_imported_whole_or_not_at_all() {
    let site = Site::empty_as(OrganisationKind::Municipality).await;
    let (_, cookie, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    let who = (cookie.as_str(), csrf.as_str());
    let bad = "名称,種別,医療機関コード\n半田中央病院,病院,2310000001\n乙医院,医院,23";
    let answer = site.upload(TABLE, who, bad.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for expected in ["3行目: 種別「医院」", "3行目: 医療機関コード「23」"] {
        assert!(answer.body.contains(expected), "{}", answer.body);
    }
    assert!(
        site.store
            .institutions(&site.here)
            .await
            .unwrap()
            .is_empty()
    );
    let good = "名称,種別,医療機関コード\n半田中央病院,病院,2310000001\n乙医院,診療所,";
    let answer = site.upload(TABLE, who, good.as_bytes()).await;
    assert!(answer.location.ends_with("done=institutions-imported"), "{}", answer.body);
    let table = site.get(&format!("{PLACE}/table"), &cookie).await.body;
    assert!(table.contains("乙医院") && table.contains("\r\n"), "{table}");
    let again = site.upload(TABLE, who, table.as_bytes()).await;
    assert!(again.location.ends_with("done=institutions-imported"), "{}", again.body);
    let kept = site.store.institutions(&site.here).await.unwrap();
    assert_eq!(kept.iter().map(|one| one.revision).collect::<Vec<_>>(), [1, 1], "nothing changed");
    let twin = site
        .upload(
            TABLE,
            who,
            "名称,種別,医療機関コード\n別,病院,2310000001\n丁,病院,2310000001".as_bytes(),
        )
        .await;
    assert!(twin.body.contains("3行目: 2行目と同じ"), "{}", twin.body);
    let second = crate::institutions::Details {
        name: "二つ目".to_owned(),
        ..kept
            .iter()
            .find(|one| !one.details.code.is_empty())
            .unwrap()
            .details
            .clone()
    };
    let by = (crate::audit::Actor::CommandLine, super::site::now(&site));
    assert!(
        site.store
            .add_institution(&site.here, &second, by)
            .await
            .is_err(),
        "one code, one institution"
    );
}
