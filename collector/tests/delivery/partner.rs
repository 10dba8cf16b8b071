//! To a partner: a report goes as one signed package and is delivered when the partner's own word says so.

use jiff::SignedDuration;
use shirase_collector::audit::Actor;
use shirase_collector::deliver::{Choice, State, Way};
use shirase_collector::exchange::kind::PackageKind;
use shirase_collector::exchange::package::Package;
use shirase_collector::notify::mail::MailConfig;
use shirase_collector::post::{Compared, Post};
use shirase_collector::store::{Carrier, StoredPackage};

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
