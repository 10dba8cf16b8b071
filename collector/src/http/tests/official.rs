//! Official forms in the browser: uploaded, mapped on the page that shows the sheet, filled; hostile ones refused.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE};
use axum::http::{Request, StatusCode};
use rust_xlsxwriter::{DataValidation, Workbook};

use super::site::{Answered, Site, grants};
use crate::people::Role;
use crate::reports::official::UPLOAD_MAX_BYTES;

const PLACE: &str = "/facilities/handa/official-forms";

fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("様式2").unwrap();
    sheet
        .write_string(0, 0, "<script>alert(1)</script>")
        .unwrap();
    sheet.write_string(1, 0, "漏えい").unwrap();
    let list = DataValidation::new()
        .allow_list_strings(&["有", "無", "おそれ"])
        .unwrap();
    sheet.add_data_validation(1, 1, 1, 1, &list).unwrap();
    sheet.write_string(1, 1, "").unwrap();
    book.save_to_buffer().unwrap()
}

async fn upload(site: &Site, cookie: &str, csrf: &str, (name, file): (&str, &[u8])) -> Answered {
    let mut body = Vec::new();
    for (field, text) in [("csrf", csrf), ("id", "ransomware")] {
        let part =
            format!("--XX\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{text}\r\n");
        body.extend(part.into_bytes());
    }
    let head = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    body.extend(head.into_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--XX--\r\n");
    let request = Request::post(PLACE)
        .header(COOKIE, cookie)
        .header(CONTENT_TYPE, "multipart/form-data; boundary=XX")
        .body(Body::from(body))
        .unwrap();
    site.send(request).await
}

#[tokio::test]
async fn a_form_is_uploaded_mapped_and_filled_in_the_browser() {
    let site = Site::filled().await;
    let admin = grants(&site.here, Role::Administrator).with(&site.here, Role::Author);
    let (_, cookie, csrf) = site.person("admin", admin).await;
    let (_, report) = site.incident().await;
    let answer = upload(&site, &cookie, &csrf, ("様式.xlsx", &workbook())).await;
    assert_eq!(
        answer.location,
        format!("{PLACE}/ransomware?done=form-imported"),
        "{}",
        answer.body
    );
    let page = site.get(&format!("{PLACE}/ransomware"), &cookie).await.body;
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "{page}");
    assert!(!page.contains("<script>alert"), "the form's text is escaped");
    let link = "?sheet=0&#38;at=%E6%A7%98%E5%BC%8F2%21B2";
    assert!(page.contains(link), "each cell leads to its place: {page}");

    let at = "%E6%A7%98%E5%BC%8F2%21B2";
    let page = site
        .get(&format!("{PLACE}/ransomware?sheet=0&at={at}"), &cookie)
        .await
        .body;
    assert!(page.contains("有、無、おそれ"), "the drop-down is shown");
    assert!(page.contains("field:20.choice") && page.contains("meta:mark"), "{page}");
    let map = |say: &str, at: &str| format!("csrf={csrf}&at={at}&sheet=0&say={say}&row=&as=text");
    let path = format!("{PLACE}/ransomware/map");
    for (say, at) in [("field:20.choice", at), ("meta:mark", "%E6%A7%98%E5%BC%8F2%21C1")] {
        let answer = site.post(&path, &cookie, &map(say, at)).await;
        let back = format!("{PLACE}/ransomware?done=saved&sheet=0&at={at}#map");
        assert_eq!(answer.location, back, "{}", answer.body);
    }
    let page = site
        .get(&format!("{PLACE}/ransomware?done=saved&sheet=0&at={at}"), &cookie)
        .await
        .body;
    assert!(page.contains("<option value=\"おそれ\" selected>"), "the words are matched: {page}");
    let wrong = site.post(&path, &cookie, &map("field:250", at)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);

    let place = format!("/facilities/handa/reports/{report}");
    let page = site.get(&place, &cookie).await.body;
    assert!(page.contains(&format!("{place}/official-forms/ransomware")), "the report offers it");
    let filled = site
        .get(&format!("{place}/official-forms/ransomware"), &cookie)
        .await;
    assert_eq!(filled.status, StatusCode::OK, "{}", filled.body);
    assert!(filled.body.starts_with("PK"));
    for (format, kind) in [
        ("docx", "wordprocessingml"),
        ("xlsx", "spreadsheetml"),
        ("html", "text/html"),
        ("json", "application/json"),
        ("eml", "message/rfc822"),
        ("timeline-csv", "text/csv"),
    ] {
        let file = site.get(&format!("{place}/files/{format}"), &cookie).await;
        let told = file.headers["content-type"].to_str().unwrap();
        assert!(file.status == StatusCode::OK && told.contains(kind), "{format}: {told}");
        let disposition = file.headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; filename=\"handa-"), "{disposition}");
    }
    let unknown = site.get(&format!("{place}/files/exe"), &cookie).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let schema = site.get("/static/report-document-1.schema.json", "").await;
    assert!(schema.body.contains("shirase-report-document-1"));
    let answer = site
        .post(&format!("{PLACE}/ransomware/remove"), &cookie, &format!("csrf={csrf}"))
        .await;
    assert_eq!(answer.location, format!("{PLACE}?done=form-removed"));
}

#[tokio::test]
async fn a_bad_upload_is_refused_on_the_page() {
    let site = Site::empty().await;
    let (_, cookie, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    for (file, expected) in [
        (&b"%PDF-1.7"[..], "ZIP container"),
        (&[0xd0, 0xcf, 0x11, 0xe0, 1, 2, 3][..], "password"),
        (&b""[..], "選ばれていません"),
    ] {
        let answer = upload(&site, &cookie, &csrf, ("x.xlsx", file)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(expected), "{}", answer.body);
    }
    let foreign = upload(&site, &cookie, "wrong", ("x.xlsx", &workbook())).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let large = vec![b'x'; UPLOAD_MAX_BYTES + 1024 * 1024];
    let answer = upload(&site, &cookie, &csrf, ("x.xlsx", &large)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        site.store
            .official_forms(&site.here)
            .await
            .unwrap()
            .is_empty()
    );
}
