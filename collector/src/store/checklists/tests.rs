//! Versions of answers in a real database.

use jiff::civil::date;

use super::*;
use crate::facilities::{Facility, Master};

fn now() -> Timestamp {
    "2026-11-25T00:00:00Z".parse().unwrap()
}

fn entry(answer: Answered) -> Entry {
    Entry {
        answer,
        checked_on: date(2026, 11, 24),
        target_on: (answer == Answered::No).then(|| date(2027, 3, 31)),
        said_by: "鈴木 一郎".to_owned(),
        note: "端末は12月に".to_owned(),
    }
}

#[tokio::test]
async fn every_version_stays_with_who_and_when_and_the_log_tells_no_note() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    for id in ["handa", "oki"] {
        let new = Facility::create(id.parse().unwrap(), Master::default(), now());
        store.add_facility(&new.facility).await.unwrap();
    }
    let here: FacilityId = "handa".parse().unwrap();
    let vendor = SheetKey::of_company("みらい電子カルテ").unwrap();
    let place = |sheet| ItemPlace { facility: &here, list: "jp-2025", sheet, item: "2-1" };
    let who = (Actor::CommandLine, now());
    let own = SheetKey::Institution;
    let asked = ("台帳管理を行っている。", "");
    store
        .answer_checklist((&place(&own), 0), asked, &entry(Answered::No), who)
        .await
        .unwrap();
    let stale = store
        .answer_checklist((&place(&own), 0), asked, &entry(Answered::Yes), who)
        .await;
    assert!(matches!(stale, Err(StoreError::Stale(_))), "{stale:?}");
    store
        .answer_checklist((&place(&own), 1), asked, &entry(Answered::Yes), who)
        .await
        .unwrap();
    let of_vendor = ("台帳管理を行っている。", "みらい電子カルテ");
    store
        .answer_checklist((&place(&vendor), 0), of_vendor, &entry(Answered::No), who)
        .await
        .unwrap();

    let found = store.checklist_answers(&here, "jp-2025").await.unwrap();
    let versions = &found[&(own, "2-1".to_owned())];
    let answers: Vec<_> = versions
        .iter()
        .map(|one| (one.revision, one.entry.answer))
        .collect();
    assert_eq!(answers, [(2, Answered::Yes), (1, Answered::No)]);
    assert_eq!(versions[1].entry, entry(Answered::No));
    assert_eq!(found[&(vendor, "2-1".to_owned())][0].company, "みらい電子カルテ");
    let there: FacilityId = "oki".parse().unwrap();
    assert!(
        store
            .checklist_answers(&there, "jp-2025")
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .checklist_answers(&here, "jp-2026")
            .await
            .unwrap()
            .is_empty()
    );

    let log = store.audit_of(&here, None, 10).await.unwrap();
    let told: Vec<_> = log
        .iter()
        .filter(|one| one.action == "checklist.answered")
        .collect();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|one| !one.detail.contains("12月")), "{told:?}");
    assert!(told.iter().any(|one| one.detail.contains("2027-03-31")), "{told:?}");
}
