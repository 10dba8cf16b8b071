//! To a partner: a report goes as one signed package and is delivered when the partner's own word says so.

use jiff::SignedDuration;
use shirase_collector::audit::Actor;
use shirase_collector::cases::{
    EntryKind, Heading, Heard, HeardWay, NewCase, Source, Statement, propose,
};
use shirase_collector::deliver::{Choice, State, Way};
use shirase_collector::exchange::kind::PackageKind;
use shirase_collector::exchange::package::Package;
use shirase_collector::facilities::FacilityKind;
use shirase_collector::institutions::Details;
use shirase_collector::notify::mail::MailConfig;
use shirase_collector::post::{Compared, Post};
use shirase_collector::reports::answer::NamedPerson;
use shirase_collector::store::{Carrier, StoredPackage};
use shirase_shared::ids::UserId;

use crate::ward::Ward;

const BY: Actor = Actor::CommandLine;

/// Lets each accept the other's card, under the name `there`.
async fn pair(one: &Ward, other: &Ward) {
    for (here, there) in [(one, other), (other, one)] {
        let own = there.post().invite(&there.facility, BY).await.unwrap();
        let text = own.card.text();
        let compared =
            Compared { card: text.as_bytes(), fingerprint: &own.id, by: "佐藤 花子" };
        let id = "there".parse().unwrap();
        here.post()
            .accept((&here.facility, &id), &compared, BY)
            .await
            .unwrap();
    }
}

/// What a ward would write on a stick for the other.
async fn waiting(ward: &Ward) -> Vec<(StoredPackage, Vec<u8>)> {
    let files = ward
        .post()
        .waiting_files(&ward.facility, &"there".parse().unwrap())
        .await;
    let pairs = files
        .unwrap()
        .into_iter()
        .map(|file| (file.stored, file.bytes));
    pairs.collect()
}

async fn take(post: &Post, bytes: &[u8]) -> Option<Package> {
    post.take(bytes.to_vec(), Carrier::File, BY)
        .await
        .unwrap()
        .ack
}

#[tokio::test]
async fn the_partners_word_delivers_it_and_tells_since_when() {
    let (ward, report) = Ward::released().await;
    let city = Ward::open("半田市").await;
    pair(&ward, &city).await;
    let id = ward.choose(&report, Way::Partner, "there").await;
    for _ in 0..3 {
        ward.deliver(&MailConfig::default()).await;
        ward.clock.advance(SignedDuration::from_mins(30));
    }
    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!((delivery.state, attempts.len()), (State::Waiting, 1), "{attempts:?}");
    let files = waiting(&ward).await;
    let [(stored, bytes)] = files.as_slice() else { panic!("{} packages", files.len()) };
    assert_eq!(stored.manifest.kind, PackageKind::Report);
    let names: Vec<_> = stored
        .manifest
        .files
        .iter()
        .map(|file| file.name.to_string())
        .collect();
    for end in [".pdf", ".docx", ".xlsx", ".html", ".json", "-signatures.json", "-timeline.csv"] {
        assert!(names.iter().any(|name| name.ends_with(end)), "no {end} in {names:?}");
    }
    let told = stored.manifest.report.as_ref().unwrap();
    assert_eq!((told.report, told.revision), (report.id, delivery.revision.0));

    city.clock.advance(SignedDuration::from_mins(40));
    let word = take(&city.post(), bytes).await.unwrap();
    ward.clock.advance(SignedDuration::from_hours(5));
    assert!(take(&ward.post(), &word.to_file().unwrap()).await.is_none());
    ward.deliver(&MailConfig::default()).await;
    let (delivery, _) = ward.delivery(id).await;
    assert_eq!(delivery.state, State::Delivered, "{}", delivery.note);
    let since = delivery.delivered_at.unwrap();
    assert!(since < ward.now() - SignedDuration::from_hours(4), "the word's time counts: {since}");
    assert!(waiting(&ward).await.is_empty());
}

#[tokio::test]
async fn what_is_stopped_is_not_handed_over_and_what_nobody_knows_fails() {
    let (ward, report) = Ward::released().await;
    let city = Ward::open("半田市").await;
    pair(&ward, &city).await;
    let unknown = ward.choose(&report, Way::Partner, "nobody").await;
    let id = ward.choose(&report, Way::Partner, "there").await;
    ward.deliver(&MailConfig::default()).await;
    assert_eq!(ward.delivery(unknown).await.0.state, State::Failed);
    assert_eq!(waiting(&ward).await.len(), 1);
    ward.decide(id, Choice::Stop, "宛先の誤り").await;
    assert!(waiting(&ward).await.is_empty(), "it stays here");
}

#[tokio::test]
async fn a_report_that_came_is_proposed_for_the_case_heard_of_by_telephone_and_linked_by_a_person()
{
    let (ward, report) = Ward::released().await;
    let city = Ward::open("半田市").await;
    pair(&ward, &city).await;
    let by = NamedPerson { user: UserId::random(), name: "佐藤 花子".to_owned() };
    let details = Details {
        name: "半田中央病院".to_owned(),
        kind: FacilityKind::Hospital,
        code: String::new(),
        address: String::new(),
        person: String::new(),
        phone: String::new(),
        night_phone: String::new(),
        mail: String::new(),
        partner: Some("there".parse().unwrap()),
    };
    let added = city
        .store
        .add_institution(&city.facility, &details, (BY, city.now()))
        .await;
    let heard = Heard {
        way: HeardWay::Telephone,
        from: "半田中央病院 事務部".to_owned(),
        at: city.now(),
        what: "電子カルテが開かない。".to_owned(),
        taken_by: "佐藤 花子".to_owned(),
    };
    let subject = "電子カルテの停止".to_owned();
    let institution = added.unwrap().id;
    let new = NewCase { institution, subject, drill: false, heard, thread: None };
    let opened = city
        .store
        .open_case(&city.facility, &new, (&by, city.now()))
        .await;
    let case = opened.unwrap().id;

    ward.choose(&report, Way::Partner, "there").await;
    ward.deliver(&MailConfig::default()).await;
    let (_, bytes) = waiting(&ward).await.pop().unwrap();
    take(&city.post(), &bytes).await;
    let came = city.store.packages(&city.facility, None).await.unwrap();
    let came = came
        .iter()
        .find(|one| one.manifest.kind == PackageKind::Report)
        .unwrap();
    let files = city.store.case_files(&city.facility).await.unwrap();
    assert!(files[0].letters.is_empty(), "the machine links nothing by itself");
    let register = city.store.institutions(&city.facility).await.unwrap();
    let about = (&came.partner, came.manifest.made_at, came.manifest.drill);
    let proposed: Vec<_> = propose(about, &files, &register)
        .iter()
        .map(|one| one.case)
        .collect();
    assert_eq!(proposed, [case]);
    let link =
        city.store
            .link_thread((&city.facility, &came.thread), Some(case), (&by, city.now()));
    link.await.unwrap();
    let file = city.store.case_file(&city.facility, case).await.unwrap();
    assert_eq!(file.letters.iter().map(|one| one.kind).collect::<Vec<_>>(), [PackageKind::Report]);
    let said = Statement {
        heading: Heading::Damage,
        kind: EntryKind::Fact,
        text: "報告の第1報による。".to_owned(),
        source: Source::Package { id: came.id.clone() },
        legal_basis: String::new(),
        on: shirase_collector::contacts::today(city.now()),
        follow_up: None,
        corrects: None,
        settles: None,
    };
    let entered = city
        .store
        .add_case_entry((&city.facility, case), (&said, None), (&by, city.now()))
        .await;
    assert_eq!(entered.unwrap().n, 1);
}
