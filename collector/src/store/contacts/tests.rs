//! Versions of contacts in a real database.

use shirase_shared::ids::FacilityId;

use super::*;
use crate::contacts::{Column, Filled, Standing, parse_table, plan, read, today};
use crate::facilities::{Facility, Master};

fn now() -> Timestamp {
    "2026-11-25T00:00:00Z".parse().unwrap()
}

fn who() -> (Actor, Timestamp) {
    (Actor::CommandLine, now())
}

fn police(phone: &str) -> Entry {
    let cells: Filled = [
        (Column::Kind, "police".to_owned()),
        (Column::Organisation, "半田警察署".to_owned()),
        (Column::Phone, phone.to_owned()),
    ]
    .into();
    read(&cells, today(now())).unwrap()
}

async fn place() -> (tempfile::TempDir, Store, FacilityId) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    for id in ["handa", "oki"] {
        let new = Facility::create(id.parse().unwrap(), Master::default(), now());
        store.add_facility(&new.facility).await.unwrap();
    }
    (dir, store, "handa".parse().unwrap())
}

#[tokio::test]
async fn every_version_stays_with_who_and_when_and_the_log_names_no_number() {
    let (dir, store, here) = place().await;
    let added = store
        .add_contact(&here, &police("0569-00-0110"), who())
        .await
        .unwrap();
    let verified = Verified { on: today(now()), by: "佐藤 花子".to_owned() };
    let sure = store
        .verify_contact((&here, added.id, 1), &verified, who())
        .await
        .unwrap();
    assert_eq!(sure.standing(today(now())), Standing::Verified);
    let changed = store
        .change_contact((&here, added.id, 2), &police("0569-00-0119"), who())
        .await
        .unwrap();
    assert_eq!(changed.standing(today(now())), Standing::Unverified, "the new number is unknown");
    let old = store
        .change_contact((&here, added.id, 2), &police("0569-00-0000"), who())
        .await;
    assert!(matches!(old, Err(StoreError::Stale("contact"))), "{old:?}");
    store
        .retire_contact((&here, added.id, 3), who())
        .await
        .unwrap();

    let history = store.contact_history(&here, added.id).await.unwrap();
    let acts: Vec<_> = history
        .iter()
        .map(|one| (one.revision, one.act, one.details.phone.as_str()))
        .collect();
    assert_eq!(
        acts,
        [
            (4, ContactAct::Retired, "0569-00-0119"),
            (3, ContactAct::Changed, "0569-00-0119"),
            (2, ContactAct::Verified, "0569-00-0110"),
            (1, ContactAct::Added, "0569-00-0110"),
        ]
    );
    let current = store.contacts(&here).await.unwrap();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0].standing(today(now())), Standing::Retired);
    let log = store.audit_of(&here, None, 10).await.unwrap();
    assert_eq!(log.len(), 4);
    assert!(log.iter().all(|entry| !entry.detail.contains("0569")), "{log:?}");
    drop(dir);
}

#[tokio::test]
async fn another_facility_sees_and_changes_nothing() {
    let (_dir, store, here) = place().await;
    let there: FacilityId = "oki".parse().unwrap();
    let added = store
        .add_contact(&here, &police("0569-00-0110"), who())
        .await
        .unwrap();
    assert!(store.contacts(&there).await.unwrap().is_empty());
    assert!(
        store
            .contact_history(&there, added.id)
            .await
            .unwrap()
            .is_empty()
    );
    let tried = store.retire_contact((&there, added.id, 1), who()).await;
    assert!(matches!(tried, Err(StoreError::Missing("contact"))), "{tried:?}");
}

#[tokio::test]
async fn a_table_is_taken_in_whole_and_once() {
    let (_dir, store, here) = place().await;
    store
        .add_contact(&here, &police("0569-00-0110"), who())
        .await
        .unwrap();
    let text = "kind,organisation,phone\npolice,半田警察署,0569-00-0119\nppc,個人情報保護委員会,03-0000-0000\n";
    let lines = parse_table(text.as_bytes()).unwrap();
    for expected in
        [Imported { added: 1, changed: 1, same: 0 }, Imported { added: 0, changed: 0, same: 2 }]
    {
        let known = store.contacts(&here).await.unwrap();
        let plans = plan(&lines, &known, today(now())).unwrap();
        let done = store.import_contacts(&here, &plans, who()).await.unwrap();
        assert_eq!(done, expected);
    }
    let police = Entry { details: police("0569-00-0000").details, ..police("110") };
    let gone = [Plan::Add(police.clone()), Plan::Change(ContactId::random(), police)];
    let tried = store.import_contacts(&here, &gone, who()).await;
    assert!(matches!(tried, Err(StoreError::Missing("contact"))), "{tried:?}");
    assert_eq!(store.contacts(&here).await.unwrap().len(), 2, "nothing of it stayed");
}
