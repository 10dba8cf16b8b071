//! Cards, messages and packages for tests.

use std::sync::LazyLock;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, MessageId, UserId};
use shirase_shared::testing::builders::night;

use super::card::{Card, Introduction};
use super::kind::{PackageKind, Tlp};
use super::message::{Message, MessageState, Released};
use super::package::{Content, Envelope, Package, PackageFile};
use super::partner::{Partner, PinnedCard};
use super::{OrganisationKind, PackageId};
use crate::enrolment::authority::Authority;
use crate::keys::SigningKey;
use crate::reports::answer::NamedPerson;

static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [SigningKey::generate().unwrap(), SigningKey::generate().unwrap()]);
static AUTHORITY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    Authority::open(dir.path(), night()).unwrap().der().to_vec()
});

/// The key of the one who sends.
pub(crate) fn key() -> &'static SigningKey {
    &KEYS[0]
}

/// Somebody else's key.
pub(crate) fn other_key() -> &'static SigningKey {
    &KEYS[1]
}

pub(crate) fn card(name: &str, kind: OrganisationKind) -> Card {
    card_by(name, kind, key())
}

pub(crate) fn card_by(name: &str, kind: OrganisationKind, key: &SigningKey) -> Card {
    let address = "https://collector.example.jp:8446";
    let said =
        Introduction { name, kind, address, authority: &AUTHORITY, report_key: key.public() };
    Card::make(&said).unwrap()
}

pub(crate) fn city() -> Card {
    card("半田市", OrganisationKind::Municipality)
}

pub(crate) fn hospital() -> Card {
    card_by("半田中央病院", OrganisationKind::Hospital, other_key())
}

pub(crate) fn facility() -> FacilityId {
    "handa".parse().unwrap()
}

pub(crate) fn pinned(card: Card) -> PinnedCard {
    PinnedCard {
        id: card.id(),
        card,
        from: night(),
        until: None,
        compared_by: "山田 花子".to_owned(),
    }
}

/// The city as the hospital knows it.
pub(crate) fn partner() -> Partner {
    Partner {
        facility: facility(),
        id: "handa-city".parse().unwrap(),
        current: pinned(city()),
        former: Vec::new(),
        calls_us: None,
        added_at: night(),
        revoked: None,
    }
}

pub(crate) fn person(number: u128, name: &str) -> NamedPerson {
    NamedPerson { user: UserId::from_uuid(uuid::Uuid::from_u128(number)), name: name.to_owned() }
}

pub(crate) fn file(name: &str, bytes: &[u8]) -> PackageFile {
    PackageFile { name: name.parse().unwrap(), bytes: bytes.to_vec() }
}

pub(crate) fn message(kind: PackageKind) -> Message {
    let answers = kind == PackageKind::Answer;
    Message {
        facility: facility(),
        id: MessageId::random(),
        partner: "handa-city".parse().unwrap(),
        kind,
        tlp: Tlp::Amber,
        drill: false,
        reply_to: answers.then(|| PackageId::of(b"question")),
        subject: "被害状況について".to_owned(),
        text: "電子カルテの停止範囲をお知らせください。\n復旧の見込みも。".to_owned(),
        files: vec![file("照会書.pdf", b"%PDF-1.7 question")],
        written_by: person(1, "市 花子"),
        written_at: night(),
        state: MessageState::Waiting,
    }
}

pub(crate) fn released(kind: PackageKind) -> Released {
    message(kind).release(person(2, "市 太郎")).unwrap()
}

/// The envelope of the first package of a thread, from the city to the hospital.
pub(crate) fn envelope(made_at: Timestamp) -> Envelope {
    Envelope { sender: city().id(), addressee: hospital().id(), made_at, thread: None, order: 1 }
}

/// A question of the city to the hospital.
pub(crate) fn question() -> Package {
    let released = released(PackageKind::Question);
    Package::seal(Content::Message(&released), envelope(night()), key()).unwrap()
}
