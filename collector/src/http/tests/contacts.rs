//! The address book in the browser: entered, corrected, verified with one click, imported, drawn as a chart.

use axum::http::StatusCode;
use jiff::SignedDuration;

use super::site::{HOSTILE, Site, grants};
use crate::people::Role;

const PLACE: &str = "/facilities/handa/contacts";
const TABLE: &str = "/facilities/handa/contacts/table";

#[tokio::test]
async fn a_contact_is_entered_verified_with_one_click_changed_and_retired() {
    let site = Site::empty().await;
    let (_, cookie, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator).with(&site.here, Role::Author))
        .await;
    let name = HOSTILE
        .replace(['\u{202e}', '\u{7}'], "")
        .replace('&', "%26");
    let form = format!("csrf={csrf}&kind=police&organisation={name}&phone=0569-00-011");
    let refused = site.post(PLACE, &cookie, &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("桁数が合いません"), "{}", refused.body);
    assert!(refused.body.contains("value=\"0569-00-011\""), "what was sent stays in the form");
    let added = site.post(PLACE, &cookie, &format!("{form}0")).await;
    assert_eq!(added.location, format!("{PLACE}?done=contact-added"), "{}", added.body);

    let page = site.get(PLACE, &cookie).await.body;
    assert!(page.contains("確認が必要な連絡先が1件") && !page.contains("<script>"), "{page}");
    assert!(page.contains("当直・夜間の窓口が登録されていません"), "{page}");
    let overview = site.get("/", &cookie).await.body;
    assert!(overview.contains("要確認 1件"), "{overview}");
    let contact = site.store.contacts(&site.here).await.unwrap()[0].clone();
    let path = format!("{PLACE}/{}", contact.id);
    let click = format!("csrf={csrf}&revision=1");
    let verified = site.post(&format!("{path}/verify"), &cookie, &click).await;
    assert_eq!(verified.location, format!("{PLACE}?done=contact-verified"), "{}", verified.body);
    assert!(!site.get("/", &cookie).await.body.contains("要確認"));
    let again = site.post(&format!("{path}/verify"), &cookie, &click).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "somebody looked at an older version");

    let form = format!("csrf={csrf}&revision=2&kind=police&organisation=x&phone=0569-00-0119");
    let changed = site.post(&path, &cookie, &form).await;
    assert_eq!(changed.location, format!("{path}?done=contact-changed"), "{}", changed.body);
    let page = site.get(&path, &cookie).await.body;
    assert!(page.contains("0569-00-0110") && page.contains("0569-00-0119"), "the old one stays");
    assert!(page.contains("未確認"), "{page}");
    let retired = site
        .post(&format!("{path}/retire"), &cookie, &format!("csrf={csrf}&revision=3"))
        .await;
    assert_eq!(retired.location, format!("{PLACE}?done=contact-retired"));
    assert!(site.get(PLACE, &cookie).await.body.contains("使用終了"));
    let there = site.get(&path.replace("handa", "oki"), &cookie).await;
    assert_eq!(there.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_year_later_the_contact_is_flagged_on_the_book_the_chart_and_the_overview() {
    let site = Site::empty().await;
    let (_, cookie, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    let form = format!(
        "csrf={csrf}&kind=vendor&organisation=みらい電子カルテ&phone=0569-00-0110&system=ehr&confirmed=yes"
    );
    site.post(PLACE, &cookie, &form).await;
    let pages = async |site: &Site, cookie: &str| {
        let mut pages = Vec::new();
        for path in ["/", PLACE, &format!("{PLACE}/chart")] {
            pages.push(site.get(path, cookie).await.body);
        }
        pages
    };
    for page in pages(&site, &cookie).await {
        assert!(!page.contains("要確認 1件") && !page.contains("1年以上未確認"), "{page}");
    }
    site.clock.advance(SignedDuration::from_hours(24 * 366));
    let (_, cookie, _) = site.person("later", grants(&site.here, Role::Viewer)).await;
    let pages = pages(&site, &cookie).await;
    assert!(pages[0].contains("要確認 1件"), "{}", pages[0]);
    assert!(pages[1].contains("1年以上未確認"), "{}", pages[1]);
    assert!(pages[2].contains("1年以上未確認") && pages[2].contains("確認が必要: 1件"));
    assert!(!pages[1].contains("/verify"), "a viewer verifies nothing");
    let pdf = site.get(&format!("{PLACE}/chart/pdf"), &cookie).await;
    assert!(pdf.body.starts_with("%PDF"), "{}", pdf.body);
}

#[tokio::test]
async fn a_table_is_imported_whole_or_not_at_all_and_exported() {
    let site = Site::empty().await;
    let (_, cookie, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    let who = (cookie.as_str(), csrf.as_str());
    let bad = "区分,組織,電話（日中）\n警察,半田警察署,0569-00-0110\n弁護士,山田法律事務所,12\n";
    let answer = site.upload(TABLE, who, bad.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("3行目: 電話（日中）「12」"), "{}", answer.body);
    assert!(site.store.contacts(&site.here).await.unwrap().is_empty());
    let (good, _, _) = encoding_rs::SHIFT_JIS.encode(bad);
    let good = [&good[..good.len() - 3], b"052-000-0000\n"].concat();
    let answer = site.upload(TABLE, who, &good).await;
    assert_eq!(answer.location, format!("{PLACE}?done=contacts-imported"), "{}", answer.body);
    let table = site.get(&format!("{PLACE}/table"), &cookie).await;
    assert!(table.body.contains("山田法律事務所") && table.body.contains("\r\n"));
    let taken = site
        .post(&format!("{PLACE}/take-over"), &cookie, &format!("csrf={csrf}"))
        .await;
    assert_eq!(taken.location, format!("{PLACE}?done=contacts-taken"), "{}", taken.body);
    let contacts = site.store.contacts(&site.here).await.unwrap();
    assert!(2 < contacts.len(), "the people and companies of the master data");
    site.post(&format!("{PLACE}/take-over"), &cookie, &format!("csrf={csrf}"))
        .await;
    assert_eq!(site.store.contacts(&site.here).await.unwrap().len(), contacts.len());
}
