//! Cases through a real database: numbered, never changed, and one thread in one case.

use shirase_shared::ids::UserId;
use shirase_shared::testing::builders::night;

use super::*;
use crate::cases::{EntryKind, Heading, Heard, HeardWay, Source};
use crate::exchange::package::PackageFile;
use crate::facilities::{Facility, FacilityKind, Master};
use crate::institutions::Details;
use crate::store::InstitutionChange;

struct Place {
    store: Store,
    city: FacilityId,
    new: NewCase,
    by: NamedPerson,
    _dir: tempfile::TempDir,
}

async fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let city: FacilityId = "handa-city".parse().unwrap();
    let created = Facility::create(city.clone(), Master::default(), night());
    store.add_facility(&created.facility).await.unwrap();
    let details = Details {
        name: "半田中央病院".to_owned(),
        kind: FacilityKind::Hospital,
        code: String::new(),
        address: String::new(),
        person: String::new(),
        phone: String::new(),
        night_phone: String::new(),
        mail: String::new(),
        partner: None,
    };
    let who = (Actor::CommandLine, night());
    let institution = store
        .add_institution(&city, &details, who)
        .await
        .unwrap()
        .id;
    let heard = Heard {
        way: HeardWay::Press,
        from: "夕刊".to_owned(),
        at: night(),
        what: "病院で障害".to_owned(),
        taken_by: "佐藤".to_owned(),
    };
    let new =
        NewCase { institution, subject: "障害".to_owned(), drill: false, heard, thread: None };
    let by = NamedPerson { user: UserId::random(), name: "山田 花子".to_owned() };

    Place { store, city, new, by, _dir: dir }
}

fn fact(text: &str) -> Statement {
    Statement {
        heading: Heading::Recovery,
        kind: EntryKind::Fact,
        text: text.to_owned(),
        source: Source::Told { by: "事務長".to_owned() },
        legal_basis: "医療法第25条".to_owned(),
        on: today(night()),
        follow_up: Some(today(night())),
        corrects: None,
        settles: None,
    }
}

#[tokio::test]
async fn cases_are_numbered_and_what_was_entered_reads_back_as_it_was() {
    let Place { store, city, new, by, _dir } = place().await;
    let first = store.open_case(&city, &new, (&by, night())).await.unwrap();
    let second = store.open_case(&city, &new, (&by, night())).await.unwrap();
    assert_eq!((first.number, second.number), (1, 2));
    let here = (&city, first.id);
    let paper = PackageFile {
        name: "立入検査記録.pdf".parse().unwrap(),
        bytes: b"%PDF-1.7".to_vec(),
    };
    let entered = store
        .add_case_entry(here, (&fact("復旧は12日"), Some(&paper)), (&by, night()))
        .await
        .unwrap();
    let voided =
        Statement {
            kind: EntryKind::Void, corrects: Some(1), follow_up: None, ..fact("聞き違い")
        };
    store
        .add_case_entry(here, (&voided, None), (&by, night()))
        .await
        .unwrap();
    let again = store
        .add_case_entry(here, (&voided, None), (&by, night()))
        .await
        .unwrap_err();
    assert!(matches!(again, CaseError::Refused(Refusal::NothingToCorrect)), "{again}");
    let file = store.case_file(&city, first.id).await.unwrap();
    assert_eq!((&file.case, &file.entries[0]), (&first, &entered));
    assert_eq!(file.entries.len(), 2);
    assert_eq!(file.entries[0].file.as_ref().map(|file| file.bytes), Some(8));
    assert_eq!(store.case_entry_file(&city, first.id, 1).await.unwrap(), paper);
    assert!(store.case_entry_file(&city, first.id, 2).await.is_err());
    assert!(store.case_entry_file(&city, second.id, 1).await.is_err());
    let all = store.case_files(&city).await.unwrap();
    assert_eq!(all.iter().map(|file| file.case.number).collect::<Vec<_>>(), [2, 1]);
    let elsewhere: FacilityId = "nowhere".parse().unwrap();
    assert!(store.case_file(&elsewhere, first.id).await.is_err());
}

#[tokio::test]
async fn no_case_is_opened_at_a_closed_institution_or_from_tomorrow() {
    let Place { store, city, mut new, by, _dir } = place().await;
    new.heard.at = night() + jiff::SignedDuration::from_secs(1);
    let ahead = store
        .open_case(&city, &new, (&by, night()))
        .await
        .unwrap_err();
    assert!(matches!(ahead, CaseError::Refused(Refusal::Ahead)), "{ahead}");
    new.heard.at = night();
    let close = InstitutionChange::Closed("廃止".to_owned());
    let who = (Actor::CommandLine, night());
    store
        .change_institution((&city, new.institution, 1), &close, who)
        .await
        .unwrap();
    let closed = store
        .open_case(&city, &new, (&by, night()))
        .await
        .unwrap_err();
    assert!(matches!(closed, CaseError::Refused(Refusal::ClosedInstitution)), "{closed}");
    let unknown = PackageId::of(b"nothing");
    let linked = store
        .link_thread((&city, &unknown), None, (&by, night()))
        .await;
    assert!(linked.is_ok(), "taking out what is in no case changes nothing");
    assert!(store.case_files(&city).await.unwrap().is_empty());
}
