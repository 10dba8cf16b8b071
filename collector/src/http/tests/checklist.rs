//! The checklist in the browser: filled, corrected, refused, printed, compared.

use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use calamine::{Reader as _, Xlsx};

use super::site::{HOSTILE, Site, grants};
use crate::checklist::samples::next_year;
use crate::checklist::{Answered, Checklists, SheetKey};
use crate::http::console_router;
use crate::people::Role;

const PLACE: &str = "/facilities/handa/checklists";
const SHEET: &str = "/facilities/handa/checklists/jp-2025/institution";

#[tokio::test]
async fn an_item_is_answered_corrected_and_its_history_shown_beside_the_evidence() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let page = site.get(PLACE, &cookie).await.body;
    assert!(
        page.contains("全19項目: はい 0、いいえ 0（うち目標日超過 0）、該当なし 0、未回答 19"),
        "{page}"
    );
    assert!(page.contains("電子カルテ保守株式会社"), "a sheet for each vendor");
    let page = site.get(SHEET, &cookie).await.body;
    assert!(page.contains("ehr-db1") && page.contains("Debian GNU/Linux 12"), "{page}");
    assert!(page.contains("確定版とは照合していません"), "the doubt about the words is shown");

    let path = format!("{SHEET}/2-1");
    let form = format!("csrf={csrf}&revision=0&answer=no&checked_on=2026-02-08&said_by=鈴木");
    let refused = site.post(&path, &cookie, &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("「いいえ」のときは目標日を"), "{}", refused.body);
    assert!(refused.body.contains("value=\"鈴木\""), "what was sent stays in the form");
    assert!(
        site.store
            .checklist_answers(&site.here, "jp-2025")
            .await
            .unwrap()
            .is_empty()
    );

    let note = HOSTILE.replace('&', "%26");
    let answered = site
        .post(&path, &cookie, &format!("{form}&target_on=2026-06-30&note={note}"))
        .await;
    let back = format!("{SHEET}?done=checklist-answered#item-2-1");
    assert_eq!(answered.location, back, "{}", answered.body);
    let page = site.get(SHEET, &cookie).await.body;
    assert!(
        page.contains("目標日: 2026-06-30") && page.contains("目標日が年度を越えています"),
        "{page}"
    );
    assert!(!page.contains("<script>") && page.contains("鈴木が確認"), "{page}");

    let again = site
        .post(&path, &cookie, &format!("csrf={csrf}&revision=0&answer=yes"))
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT, "somebody looked at an older version");
    let corrected = site
        .post(&path, &cookie, &format!("csrf={csrf}&revision=1&answer=yes"))
        .await;
    assert_eq!(corrected.location, back);
    let page = site.get(SHEET, &cookie).await.body;
    assert!(page.contains("以前の回答 1件") && page.contains("2026-06-30"), "the old one stays");
    assert!(page.contains("はい 1、いいえ 0"), "{page}");
    for (item, rest) in [
        ("2-2", "answer=no&checked_on=2026-02-01&target_on=2026-02-05&note=事業者に照会中"),
        ("2-9", "answer=not_applicable&note=外部媒体を使う機器がない"),
        ("1-1", "answer=yes"),
    ] {
        let form = format!("csrf={csrf}&revision=0&{rest}");
        site.post(&format!("{SHEET}/{item}"), &cookie, &form).await;
    }
    assert!(
        site.get(SHEET, &cookie)
            .await
            .body
            .contains("目標日を過ぎています")
    );
    site.show("checklists", PLACE, &cookie).await;
    site.show("checklist", SHEET, &cookie).await;
    let log = site.store.audit_of(&site.here, None, 50).await.unwrap();
    assert_eq!(
        log.iter()
            .filter(|one| one.action == "checklist.answered")
            .count(),
        5
    );
}

#[tokio::test]
async fn a_vendors_sheet_is_its_own_and_what_is_not_there_is_not_found() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let key = SheetKey::of_company("電子カルテ保守株式会社").unwrap();
    let path = format!("{PLACE}/jp-2025/{key}");
    let page = site.get(&path, &cookie).await.body;
    assert!(page.contains("全14項目") && page.contains("確認できたのは"), "{page}");
    assert!(page.contains("ehr-db1"), "the host it maintains is its evidence");
    assert!(!page.contains("しらせの利用者"), "what is the institution's is not");
    let form = format!("csrf={csrf}&revision=0&answer=yes&said_by=電カル社 田中");
    let answered = site.post(&format!("{path}/2-6"), &cookie, &form).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.body);
    let answers = site
        .store
        .checklist_answers(&site.here, "jp-2025")
        .await
        .unwrap();
    let [(place, versions)] = answers.iter().collect::<Vec<_>>()[..] else { panic!("one") };
    assert_eq!((&place.0, place.1.as_str()), (&key, "2-6"));
    assert_eq!(versions[0].entry.answer, Answered::Yes);
    assert_eq!(versions[0].company, "電子カルテ保守株式会社");
    let stranger = SheetKey::of_company("誰も知らない会社").unwrap();
    for missing in [
        format!("{PLACE}/jp-1999/institution"),
        format!("{PLACE}/jp-2025/{stranger}"),
        format!("{PLACE}/jp-2025/nobody"),
    ] {
        assert_eq!(site.get(&missing, &cookie).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
    for missing in
        [format!("{path}/3-1"), format!("{SHEET}/9-9"), format!("{PLACE}/jp-2025/{stranger}/2-6")]
    {
        assert_eq!(
            site.post(&missing, &cookie, &form).await.status,
            StatusCode::NOT_FOUND,
            "{missing}"
        );
    }
    let elsewhere = SHEET.replace("handa", "oki");
    assert_eq!(site.get(&elsewhere, &cookie).await.status, StatusCode::NOT_FOUND);
    let (_, viewer, token) = site
        .person("viewer", grants(&site.here, Role::Viewer))
        .await;
    let page = site.get(SHEET, &viewer).await.body;
    assert!(
        !page.contains("<form method=\"post\" action=\"/facilities/handa/checklists"),
        "{page}"
    );
    let form = format!("csrf={token}&revision=0&answer=yes");
    let refused = site.post(&format!("{SHEET}/2-1"), &viewer, &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_list_is_printed_with_answers_evidence_and_chart() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let note = "=HYPERLINK(1)";
    let form = format!("csrf={csrf}&revision=0&answer=not_applicable&note={note}");
    site.post(&format!("{SHEET}/2-9"), &cookie, &form).await;
    let pdf = site.get(&format!("{PLACE}/jp-2025/pdf"), &cookie).await;
    assert!(pdf.body.starts_with("%PDF"), "{}", pdf.body);

    let path = format!("{PLACE}/jp-2025/xlsx");
    let request = axum::http::Request::get(&path)
        .header("cookie", &cookie)
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = tower::ServiceExt::oneshot(site.router.clone(), request)
        .await
        .unwrap();
    let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    assert!(kind.contains("spreadsheetml"), "{kind}");
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .unwrap();
    let mut book = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let names = book.sheet_names();
    assert_eq!(
        names,
        ["医療機関用", "電子カルテ保守株式会社", "画像システム株式会社", "証跡", "緊急連絡体制図"]
    );
    let mut cells = |name: &str| -> Vec<String> {
        let range = book.worksheet_range(name).unwrap();
        range.cells().map(|(_, _, cell)| cell.to_string()).collect()
    };
    let own = cells("医療機関用");
    assert!(own.iter().any(|cell| cell == "該当なし") && own.iter().any(|cell| cell == note));
    assert!(own.iter().any(|cell| cell == "2-⑬"), "{own:?}");
    assert!(cells("証跡").iter().any(|cell| cell == "ehr-db1"));
    assert!(
        cells("緊急連絡体制図")
            .iter()
            .any(|cell| cell.contains("厚生労働省"))
    );
}

#[tokio::test]
async fn what_changed_since_the_year_before_is_shown_and_printed() {
    let mut site = Site::filled().await;
    let files = [("jp-2026.toml".to_owned(), next_year())];
    let mut state = site.state.clone();
    state.checklists.lists = Arc::new(Checklists::with_files(&files).unwrap());
    site.router = console_router(state);
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let answer = async |site: &Site, place: &str, rest: &str| {
        let form = format!("csrf={csrf}&revision=0&{rest}");
        let answered = site.post(&format!("{PLACE}/{place}"), &cookie, &form).await;
        assert_eq!(answered.status, StatusCode::SEE_OTHER, "{place}: {}", answered.body);
    };
    let no = "answer=no&target_on=2026-03-31";
    answer(&site, "jp-2025/institution/2-1", no).await;
    answer(&site, "jp-2025/institution/2-4", "answer=yes").await;
    answer(&site, "jp-2025/institution/2-9", "answer=yes").await;
    answer(&site, "jp-2026/institution/2-1", "answer=yes").await;
    answer(&site, "jp-2026/institution/2-4", no).await;
    answer(&site, "jp-2026/institution/mail", "answer=not_applicable&note=なし").await;
    let path = format!("{PLACE}/jp-2026/changes");
    let page = site.get(&path, &cookie).await.body;
    for words in [
        "「いいえ」から改善",
        "「はい」から後退",
        "新しい項目",
        "今年度はない項目",
        "2-⑦ ← 2-⑦ 2-⑧",
        "（文言変更）",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let none = site
        .get(&format!("{PLACE}/jp-2025/changes"), &cookie)
        .await
        .body;
    assert!(none.contains("前年度のチェックリストがないため"), "{none}");
    site.show("checklist-changes", &path, &cookie).await;
    site.show("checklist-two-years", PLACE, &cookie).await;
    // Left where a person can look at them, as the pages are.
    if let Ok(folder) = std::env::var("SHIRASE_SHOW_PAGES") {
        for (lang, kind) in [("ja", "pdf"), ("en", "pdf"), ("ja", "xlsx")] {
            let request = axum::http::Request::get(format!("{PLACE}/jp-2026/{kind}"))
                .header("cookie", format!("{cookie}; __Host-shirase-lang={lang}"))
                .body(axum::body::Body::empty())
                .unwrap();
            let sent = tower::ServiceExt::oneshot(site.router.clone(), request)
                .await
                .unwrap();
            let bytes = axum::body::to_bytes(sent.into_body(), usize::MAX)
                .await
                .unwrap();
            std::fs::write(Path::new(&folder).join(format!("checklist-{lang}.{kind}")), bytes)
                .unwrap();
        }
    }
}
