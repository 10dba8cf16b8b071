//! Two organisations, each with a store and an authority of its own, and what goes between them.

mod circular;
mod network;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::clock::{Clock as _, ManualClock, SharedClock};
use shirase_shared::ids::{FacilityId, MessageId, UserId};
use shirase_shared::testing::builders::night;

use super::{Compared, OldUntil, Post, PostError, Receipt};
use crate::audit::{Actor, verify};
use crate::config::Config;
use crate::enrolment::authority::Authority;
use crate::exchange::OrganisationKind;
use crate::exchange::PackageId;
use crate::exchange::incoming::{OwnCard, Refusal};
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::manifest::AckKind;
use crate::exchange::message::{Message, MessageError, MessageState};
use crate::exchange::partner::PartnerId;
use crate::exchange::samples::{file, person};
use crate::facilities::Facility;
use crate::keys::SigningKey;
use crate::reports::answer::NamedPerson;
use crate::store::{Carrier, Store, TakeError, Taken};

const BY: Actor = Actor::CommandLine;

struct Place {
    store: Store,
    post: Post,
    clock: Arc<ManualClock>,
    facility: FacilityId,
    dir: tempfile::TempDir,
}

impl Place {
    async fn new(id: &str, name: &str, kind: OrganisationKind) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let clock = Arc::new(ManualClock::new(night()));
        let facility: FacilityId = id.parse().unwrap();
        let mut new = Facility::create(facility.clone(), Default::default(), clock.now());
        name.clone_into(&mut new.facility.master.name);
        store.add_facility(&new.facility).await.unwrap();
        let post = Self::post(&store, &clock, (&dir, kind));

        Self { store, post, clock, facility, dir }
    }

    fn post(
        store: &Store,
        clock: &Arc<ManualClock>,
        (dir, kind): (&tempfile::TempDir, OrganisationKind),
    ) -> Post {
        let mut config = Config::default();
        config.organisation.kind = kind;
        let authority = Authority::open(dir.path(), night()).unwrap();
        let key = SigningKey::load_or_create(&dir.path().join("report.key")).unwrap();
        let shared: SharedClock = clock.clone();
        Post::new(&config, (store, &shared), &authority, Arc::new(key))
    }

    async fn card(&self) -> OwnCard {
        self.post.invite(&self.facility, BY).await.unwrap()
    }

    async fn accept(&self, id: &str, own: &OwnCard) -> Result<(), PostError> {
        let (text, id): (_, PartnerId) = (own.card.text(), id.parse().unwrap());
        let compared =
            Compared { card: text.as_bytes(), fingerprint: &own.id, by: "山田 花子" };
        self.post
            .accept((&self.facility, &id), &compared, BY)
            .await
            .map(drop)
    }

    fn message(&self, to: &str, kind: PackageKind, reply_to: Option<&PackageId>) -> Message {
        let reply_to = reply_to.cloned();
        Message { reply_to, ..write_to(to, &self.facility, kind, self.clock.now()) }
    }

    async fn send(&self, message: Message) -> PackageId {
        self.post.write(&message).await.unwrap();
        self.post
            .release(&self.facility, message.id, releaser())
            .await
            .unwrap()
    }

    /// Everything a partner does not have, as files; written down as such.
    async fn files(&self, to: &str) -> Vec<Vec<u8>> {
        let to = to.parse().unwrap();
        let waiting = self.post.waiting_files(&self.facility, &to).await.unwrap();
        for one in &waiting {
            self.post.exported(&one.stored, BY).await.unwrap();
        }
        waiting.into_iter().map(|one| one.bytes).collect()
    }

    async fn take(&self, bytes: &[u8]) -> Result<Receipt, PostError> {
        self.post.take(bytes.to_vec(), Carrier::File, BY).await
    }

    async fn acks(&self, id: &PackageId) -> Vec<(AckKind, String)> {
        let package = self.store.package(&self.facility, id).await.unwrap();
        package
            .acks
            .into_iter()
            .map(|ack| (ack.what, ack.by))
            .collect()
    }
}

fn write_to(to: &str, facility: &FacilityId, kind: PackageKind, now: Timestamp) -> Message {
    Message {
        facility: facility.clone(),
        id: MessageId::random(),
        partner: to.parse().unwrap(),
        kind,
        tlp: Tlp::Amber,
        drill: false,
        reply_to: None,
        subject: "被害状況について".to_owned(),
        text: "停止範囲をお知らせください。".to_owned(),
        files: vec![file("照会書.txt", "本文".as_bytes())],
        written_by: writer(),
        written_at: now,
        state: MessageState::Waiting,
    }
}

fn writer() -> NamedPerson {
    person(1, "市 花子")
}

fn releaser() -> NamedPerson {
    person(2, "市 太郎")
}

/// A city and a hospital that accepted each other's cards.
async fn paired() -> (Place, Place) {
    let city = Place::new("city", "半田市", OrganisationKind::Municipality).await;
    let hospital = Place::new("handa", "半田中央病院", OrganisationKind::Hospital).await;
    city.accept("handa-hp", &hospital.card().await)
        .await
        .unwrap();
    hospital
        .accept("handa-city", &city.card().await)
        .await
        .unwrap();

    (city, hospital)
}

#[tokio::test]
async fn a_question_and_its_answer_go_as_files_with_every_acknowledgement() {
    let (city, hospital) = paired().await;
    let question = city
        .send(city.message("handa-hp", PackageKind::Question, None))
        .await;
    let files = city.files("handa-hp").await;
    let receipt = hospital.take(&files[0]).await.unwrap();
    assert_eq!((receipt.taken, &receipt.id), (Taken::New, &question));
    // The stick is read twice: nothing changes, and the word of it stays one.
    assert_eq!(hospital.take(&files[0]).await.unwrap().taken, Taken::Again);
    hospital.clock.advance(SignedDuration::from_mins(10));
    assert!(
        hospital
            .post
            .read(&hospital.facility, &question, &person(7, "半田 太郎"))
            .await
            .unwrap()
    );
    assert!(
        !hospital
            .post
            .read(&hospital.facility, &question, &person(7, "半田 太郎"))
            .await
            .unwrap()
    );
    let back = hospital.files("handa-city").await;
    assert_eq!(back.len(), 2, "stored and read, once each");
    assert!(hospital.files("handa-city").await.is_empty(), "nothing answers an acknowledgement");
    // They come in the wrong order.
    for bytes in back.iter().rev() {
        assert_eq!(city.take(bytes).await.unwrap().kind, PackageKind::Acknowledgement);
    }
    let acks = city.acks(&question).await;
    let said = [(AckKind::Stored, String::new()), (AckKind::Read, "半田 太郎".to_owned())];
    assert_eq!(acks, said);
    assert!(city.files("handa-hp").await.is_empty(), "they have it");

    let answer =
        hospital.send(hospital.message("handa-city", PackageKind::Answer, Some(&question)));
    let answer = answer.await;
    city.take(&hospital.files("handa-city").await[0])
        .await
        .unwrap();
    let thread = city
        .store
        .packages(&city.facility, Some(&question))
        .await
        .unwrap();
    let ids: Vec<_> = thread.iter().map(|one| &one.id).collect();
    assert_eq!(ids, [&answer, &question]);
    let whole = city
        .store
        .whole_package(&city.facility, &answer)
        .await
        .unwrap();
    assert_eq!(whole.files()[0].bytes, "本文".as_bytes());
    for place in [&city, &hospital] {
        verify(&place.store, place.store.anchors_path(), &[])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn nothing_leaves_without_a_second_person() {
    let (city, _hospital) = paired().await;
    let message = city.message("handa-hp", PackageKind::Guidance, None);
    city.post.write(&message).await.unwrap();
    let own = city
        .post
        .release(&city.facility, message.id, writer())
        .await
        .unwrap_err();
    assert!(matches!(own, PostError::Message(MessageError::OwnMessage)), "{own}");
    assert!(city.files("handa-hp").await.is_empty());
    city.post
        .send_back(&city.facility, message.id, (&releaser(), "宛先の確認"))
        .await
        .unwrap();
    let late = city
        .post
        .release(&city.facility, message.id, releaser())
        .await
        .unwrap_err();
    assert!(matches!(late, PostError::Message(MessageError::NotWaiting(_))), "{late}");
    let state = city
        .store
        .message(&city.facility, message.id)
        .await
        .unwrap()
        .state;
    assert_eq!(state, MessageState::Returned { reason: "宛先の確認".to_owned() });
    assert!(city.files("handa-hp").await.is_empty());
}

#[tokio::test]
async fn two_who_release_at_once_send_it_once() {
    let (city, _hospital) = paired().await;
    let message = city.message("handa-hp", PackageKind::Notice, None);
    city.post.write(&message).await.unwrap();
    let release = |number| {
        city.post
            .release(&city.facility, message.id, person(number, "市 次郎"))
    };
    let (one, other) = tokio::join!(release(3), release(4));
    assert_eq!(
        [one.is_ok(), other.is_ok()]
            .iter()
            .filter(|ok| **ok)
            .count(),
        1
    );
    assert_eq!(city.files("handa-hp").await.len(), 1);
}

#[tokio::test]
async fn a_stranger_a_revoked_one_and_another_addressee_are_refused() {
    let (city, hospital) = paired().await;
    let stranger = Place::new("oki", "隠岐町", OrganisationKind::Municipality).await;
    stranger
        .accept("handa-hp", &hospital.card().await)
        .await
        .unwrap();
    stranger.card().await;
    stranger
        .send(stranger.message("handa-hp", PackageKind::Question, None))
        .await;
    let theirs = stranger.files("handa-hp").await.remove(0);
    let error = hospital.take(&theirs).await.unwrap_err();
    assert!(matches!(error, PostError::Refused(Refusal::UnknownSender { .. })), "{error}");
    let error = city.take(&theirs).await.unwrap_err();
    assert!(matches!(error, PostError::Refused(Refusal::NotForUs { .. })), "{error}");

    city.send(city.message("handa-hp", PackageKind::Question, None))
        .await;
    let held = city.files("handa-hp").await.remove(0);
    let id: PartnerId = "handa-city".parse().unwrap();
    let at = (&hospital.facility, &id);
    hospital.post.revoke(at, "鍵の紛失", BY).await.unwrap();
    let error = hospital.take(&held).await.unwrap_err();
    assert!(error.to_string().contains("was revoked"), "{error}");
    let to = hospital.message("handa-city", PackageKind::Question, None);
    let error = hospital.post.write(&to).await.unwrap_err();
    assert!(matches!(error, PostError::Revoked(_)), "{error}");
    // The same card, compared anew under another name, is heard again.
    hospital.accept("city-2", &city.card().await).await.unwrap();
    assert_eq!(hospital.take(&held).await.unwrap().partner.as_str(), "city-2");
}

#[tokio::test]
async fn an_acknowledgement_of_what_never_went_there_is_refused() {
    let (city, hospital) = paired().await;
    let other = Place::new("chita", "知多病院", OrganisationKind::Hospital).await;
    city.accept("chita-hp", &other.card().await).await.unwrap();
    other.accept("city", &city.card().await).await.unwrap();
    city.send(city.message("handa-hp", PackageKind::Question, None))
        .await;
    let question = city.files("handa-hp").await.remove(0);
    let receipt = hospital.take(&question).await.unwrap();
    let said = receipt
        .ack
        .unwrap()
        .manifest()
        .acknowledges
        .clone()
        .unwrap();
    let partner = other
        .store
        .partner(&other.facility, &"city".parse().unwrap())
        .await
        .unwrap();
    let forged = other.post.seal_ack(&said, &partner).await.unwrap();
    let error = city.take(&forged.to_file().unwrap()).await.unwrap_err();
    assert!(matches!(error, PostError::Take(TakeError::NothingToAcknowledge)), "{error}");
    assert!(city.acks(&receipt.id).await.is_empty());
}

#[tokio::test]
async fn two_packages_in_one_place_of_a_thread_are_a_fork() {
    let (city, hospital) = paired().await;
    let first = city
        .send(city.message("handa-hp", PackageKind::Question, None))
        .await;
    hospital
        .take(&city.files("handa-hp").await[0])
        .await
        .unwrap();
    // The city's collector comes back from a backup made before it sent more.
    let restored = tempfile::tempdir().unwrap();
    let copy = restored.path().join("shirase.db");
    city.store.copy_to(&copy).await.unwrap();
    let more = city.message("handa-hp", PackageKind::Question, Some(&first));
    city.send(more).await;
    let second = city.files("handa-hp").await.pop().unwrap();
    hospital.take(&second).await.unwrap();
    let old = Store::open(restored.path()).await.unwrap();
    let post = Place::post(&old, &city.clock, (&city.dir, OrganisationKind::Municipality));
    let other = city.message("handa-hp", PackageKind::Question, Some(&first));
    post.write(&other).await.unwrap();
    city.clock.advance(SignedDuration::from_secs(9));
    post.release(&city.facility, other.id, releaser())
        .await
        .unwrap();
    let forked = post
        .waiting_files(&city.facility, &"handa-hp".parse().unwrap())
        .await
        .unwrap();
    let error = hospital
        .take(&forked.last().unwrap().bytes)
        .await
        .unwrap_err();
    assert!(matches!(error, PostError::Take(TakeError::Fork { .. })), "{error}");
}

#[tokio::test]
async fn keys_are_exchanged_with_overlap_and_the_wrong_fingerprint_stops_it() {
    let (city, hospital) = paired().await;
    city.send(city.message("handa-hp", PackageKind::Question, None))
        .await;
    let by_old = city.files("handa-hp").await.remove(0);
    let mut facility = city.store.facility(&city.facility).await.unwrap().unwrap();
    "半田市役所".clone_into(&mut facility.master.name);
    let master = facility.master.clone();
    city.store
        .set_master(&city.facility, &master, city.clock.now())
        .await
        .unwrap();
    city.clock.advance(SignedDuration::from_secs(1));
    let new = city.card().await;
    let (text, id): (_, PartnerId) = (new.card.text(), "handa-city".parse().unwrap());
    let wrong = city
        .store
        .own_cards()
        .await
        .unwrap()
        .last()
        .unwrap()
        .id
        .clone();
    let compared =
        |fingerprint| Compared { card: text.as_bytes(), fingerprint, by: "山田 花子" };
    let at = (&hospital.facility, &id);
    let until = OldUntil::EndOf("2026-02-10".parse().unwrap());
    let error = hospital
        .post
        .rotate(at, &compared(&wrong), until, BY)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("Do not accept"), "{error}");
    let far = OldUntil::EndOf("2027-02-10".parse().unwrap());
    assert!(
        hospital
            .post
            .rotate(at, &compared(&new.id), far, BY)
            .await
            .is_err()
    );
    let rotated = hospital
        .post
        .rotate(at, &compared(&new.id), until, BY)
        .await
        .unwrap();
    assert_eq!((rotated.name(), rotated.former.len()), ("半田市役所", 1));
    assert!(hospital.take(&by_old).await.is_ok(), "the old card still counts");
    city.send(city.message("handa-hp", PackageKind::Question, None))
        .await;
    let by_old = city.files("handa-hp").await.pop().unwrap();
    hospital.clock.advance(SignedDuration::from_hours(48));
    // Sent by the newest card: the hospital never called the city by the old one.
    assert!(hospital.take(&by_old).await.is_ok());
}

#[tokio::test]
async fn ones_own_card_and_one_known_already_are_no_partner() {
    let (city, hospital) = paired().await;
    let own = hospital.card().await;
    assert!(matches!(hospital.accept("me", &own).await, Err(PostError::OwnCard)));
    let known = hospital.accept("again", &city.card().await).await;
    assert!(matches!(known, Err(PostError::Accepted(_))));
    let other = Place::new("x", "知多市", OrganisationKind::Municipality).await;
    let taken = hospital.accept("handa-city", &other.card().await).await;
    assert!(matches!(taken, Err(PostError::Store(_))));
    let nameless = Place::new("y", " ", OrganisationKind::Ceptoar).await;
    let error = nameless
        .post
        .invite(&nameless.facility, BY)
        .await
        .unwrap_err();
    assert!(matches!(error, PostError::Nameless(_)));
    assert_ne!(writer().user, UserId::random());
}
