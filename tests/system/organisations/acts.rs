//! What people of an organisation do more than once in the night.

use std::path::PathBuf;

use shirase_system_tests::organisation::{Organisation, Who, last};

use crate::{DEADLINE, pdf_text, walk_if_there};

/// Submits a sharing product and approves it as the other person.
pub(super) async fn released(there: &mut Organisation, product: &str) {
    there
        .fill(Who::Writer, product, ("/submit", &[]))
        .await
        .unwrap();
    there
        .fill(Who::Releaser, product, ("/approve", &[]))
        .await
        .unwrap();
}

/// Waits for the draft the machine makes and returns its id.
pub(super) async fn first_report(hospital: &Organisation) -> String {
    shirase_shared::testing::eventually("the first draft", DEADLINE, || {
        let reports = hospital.reports().unwrap();
        async move { Some(reports.first()?["id"].as_str()?.to_owned()) }
    })
    .await
}

pub(super) async fn deliver(
    from: &mut Organisation,
    report: &str,
    (way, organisation, address): (&str, &str, &str),
) {
    let filled = [("way", way), ("organisation", organisation), ("address", address)];
    let path = format!("reports/{report}/deliveries");
    from.fill(Who::Writer, &path, ("/deliveries", &filled))
        .await
        .unwrap();
}

pub(super) async fn register(prefecture: &mut Organisation, name: &str, partner: &str) {
    let filled = [
        ("name", name),
        ("kind", "hospital"),
        ("address", "しらせ県しらせ市1-1"),
        ("phone", "052-000-0000"),
        ("partner", partner),
    ];
    prefecture
        .fill(Who::Writer, "institutions", ("/institutions", &filled))
        .await
        .unwrap();
}

/// Opens a case over a package, at the one institution of the register.
pub(super) async fn open_case(prefecture: &mut Organisation, package: &str) -> String {
    let path = format!("cases/new?package={package}");
    let opened = prefecture
        .fill(Who::Writer, &path, ("/cases", &[]))
        .await
        .unwrap();
    last(&opened.path).to_owned()
}

pub(super) async fn read(there: &mut Organisation, package: &str) {
    let path = format!("exchange/packages/{package}");
    there
        .fill(Who::Writer, &path, ("/read", &[]))
        .await
        .unwrap();
}

/// Waits for the PDF in a folder a report is handed in to.
async fn report_in(folder: &std::path::Path) -> PathBuf {
    shirase_shared::testing::eventually("the PDF in the ministry's folder", DEADLINE, || {
        let found = walk_if_there(folder).into_iter().find(|path| {
            // What is still being written lies in a folder of that name.
            let whole = !path.to_string_lossy().contains("/.part-");
            whole && path.extension().is_some_and(|extension| extension == "pdf")
        });
        async move { found }
    })
    .await
}

/// Hands a report in to the ministry's folder and looks whether its PDF there says all this.
pub(super) async fn ministry_has(
    prefecture: &mut Organisation,
    report: &str,
    folder: &str,
    wanted: &[&str],
) {
    let ministry = prefecture.site.handed_in().join(folder);
    std::fs::create_dir(&ministry).unwrap();
    deliver(prefecture, report, ("folder", "厚生労働省", folder)).await;
    let text = pdf_text(&report_in(&ministry).await).replace([' ', '\n'], "");
    for words in wanted {
        assert!(text.contains(words), "no {words} in the municipality's report:\n{text}");
    }
}

/// Carries what waits for the hospital without network there and its word back, with what goes wrong on the way.
pub(super) async fn by_stick(
    prefecture: &mut Organisation,
    other: &mut Organisation,
    stick: PathBuf,
) {
    // From the island nothing reaches the prefecture; commands work on what its collector keeps.
    prefecture.site.kill_collector().unwrap();
    let files = prefecture
        .fill_stick("island-hp", &stick.join("out"))
        .unwrap();
    let [whole] = files.as_slice() else { panic!("one notice, one file: {files:?}") };
    let bytes = std::fs::read(whole).unwrap();
    let short = stick.join("short.zip");
    std::fs::write(&short, &bytes[..bytes.len() / 2]).unwrap();
    assert!(other.take_stick(&[short]).is_err(), "half a package is none");
    let forged = stick.join("forged.zip");
    let mut bytes = bytes;
    let at = bytes.len() / 3;
    bytes[at] ^= 1;
    std::fs::write(&forged, &bytes).unwrap();
    assert!(other.take_stick(&[forged]).is_err(), "a changed package is none");
    other.take_stick(&files).unwrap();
    other.take_stick(&files).unwrap();
    let notice = other.came("notice", "緊急更新").await;
    read(other, &notice).await;
    let back = other.fill_stick("prefecture", &stick.join("back")).unwrap();
    assert_eq!(back.len(), 2, "stored once and read once, though it came twice: {back:?}");
    // The stick is emptied in the wrong order.
    let backwards: Vec<PathBuf> = back.into_iter().rev().collect();
    prefecture.take_stick(&backwards).unwrap();
    prefecture.site.start_collector().await.unwrap();
}
