//! Forged, cut, changed, re-addressed, replayed, swollen: none of it passes, and each refusal says what to do.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use shirase_shared::testing::builders::night;

use super::incoming::{self, Accepted, OwnCard, Refusal};
use super::kind::PackageKind;
use super::manifest::{AckKind, Acknowledged, Manifest};
use super::message::{MessageError, MessageState};
use super::package::{Content, Envelope, PACKAGE_MAX_BYTES, Package, PackageError, Unproven};
use super::partner::{Partner, Revocation, RotationError, Standing};
use super::samples::{
    card, city, envelope, facility, file, hospital, key, message, other_key, partner, person,
    pinned, question, released,
};
use super::{OrganisationKind, PackageId};
use crate::keys::SigningKey;
use crate::reports::render::archive::{pack, unpack};

#[test]
fn what_was_sealed_reads_back_whole() {
    let sealed = question();
    let read = Unproven::read(&sealed.to_file().unwrap()).unwrap();
    assert_eq!(read.id(), sealed.id());
    let proven = read.prove(&key().public_base64()).unwrap();
    assert_eq!(proven, sealed);
    assert_eq!(proven.files()[0].bytes, b"%PDF-1.7 question");
    let released = proven.manifest().released.as_ref().unwrap();
    assert_eq!(
        (released.written_by.as_str(), released.released_by.as_str()),
        ("市 花子", "市 太郎")
    );
    assert!(proven.file_name().ends_with(".shirase.zip"), "{}", proven.file_name());
}

#[test]
fn the_same_package_is_made_of_the_same_bytes_and_any_difference_renames_it() {
    let at = |seconds| envelope(night() + SignedDuration::from_secs(seconds));
    let released = released(PackageKind::Question);
    let seal = |envelope| Package::seal(Content::Message(&released), envelope, key()).unwrap();
    assert_eq!(seal(at(0)).to_file().unwrap(), seal(at(0)).to_file().unwrap());
    let mut ids = vec![seal(at(0)).id().clone(), seal(at(1)).id().clone()];
    ids.push(
        seal(Envelope { order: 2, thread: Some(ids[0].clone()), ..at(0) })
            .id()
            .clone(),
    );
    ids.push(
        seal(Envelope { addressee: city().id(), ..at(0) })
            .id()
            .clone(),
    );
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_package_cut_anywhere_is_refused() {
    let whole = question().to_file().unwrap();
    for length in 0..whole.len() {
        let cut = whole.get(..length).unwrap();
        let passed = Unproven::read(cut).is_ok();
        assert!(!passed, "{length} of {} bytes passed", whole.len());
    }
}

#[test]
fn a_package_with_any_bit_turned_is_refused_or_says_the_same() {
    let sealed = question();
    let whole = sealed.to_file().unwrap();
    for at in 0..whole.len() {
        let mut turned = whole.clone();
        turned[at] ^= 0x10;
        let Ok(read) = Unproven::read(&turned) else { continue };
        // Dates and rights in the container are nobody's statement.
        if let Ok(proven) = read.prove(&key().public_base64()) {
            assert_eq!(proven, sealed, "byte {at}");
        }
    }
}

#[test]
fn the_signature_belongs_to_one_key_and_one_manifest() {
    let sealed = question().to_file().unwrap();
    let forged = |bytes: &[u8], by: &SigningKey| {
        let error = Unproven::read(bytes)
            .unwrap()
            .prove(&by.public_base64())
            .unwrap_err();
        assert!(matches!(error, PackageError::Forged), "{error}");
    };
    forged(&sealed, other_key());
    let other = changed(|parts| {
        let text = String::from_utf8(parts["manifest.json"].clone()).unwrap();
        let text = text.replace("被害状況", "緊急停止");
        parts.insert("manifest.json".to_owned(), text.into_bytes());
    });
    forged(&other, key());
    let unsigned = changed(|parts| {
        parts.insert("signature.txt".to_owned(), b"not base64".to_vec());
    });
    forged(&unsigned, key());
    // A signature over the same bytes for another purpose is none here.
    let elsewhere = changed(|parts| {
        let signature = key().sign_base64(&parts["manifest.json"]);
        parts.insert("signature.txt".to_owned(), signature.into_bytes());
    });
    forged(&elsewhere, key());
}

#[test]
fn parts_that_are_missing_foreign_or_exchanged_are_found() {
    let name = "files/照会書.pdf";
    refused(&changed(|p| drop(p.remove("manifest.json"))), "`manifest.json`");
    refused(&changed(|p| drop(p.remove("signature.txt"))), "`signature.txt`");
    refused(&changed(|p| drop(p.remove(name))), "lacks the part");
    refused(&changed(|p| drop(p.insert(name.to_owned(), b"x".to_vec()))), "is not the one");
    refused(&changed(|p| drop(p.insert("files/more.pdf".to_owned(), vec![]))), "does not name");
    refused(&changed(|p| drop(p.insert("run.sh".to_owned(), vec![]))), "does not name");
    refused(&changed(|p| drop(p.insert("signature.txt".to_owned(), vec![b'A'; 5000]))), "forged");
}

#[test]
fn no_name_leads_outside() {
    for bad in ["../../etc/passwd", "/etc/passwd", "files/../x", "files/a/b", "files/..\\x", "C:x"]
    {
        let bytes = changed(|p| drop(p.insert(bad.to_owned(), b"x".to_vec())));
        assert!(Unproven::read(&bytes).is_err(), "{bad} passed");
    }
    manifest_refused("照会書.pdf", "../照会書.pdf", "does not read");
    manifest_refused("照会書.pdf", "照会書.pdf\\u202egpj.exe", "");
    manifest_refused("照会書.pdf", "nul", "does not read");
}

#[test]
fn what_swells_or_is_too_large_is_refused_before_it_is_held() {
    let bomb = changed(|p| drop(p.insert("files/照会書.pdf".to_owned(), vec![0; 40 << 20])));
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    assert!(matches!(Unproven::read(&bomb), Err(PackageError::Container(_))));
    let huge = vec![b'x'; PACKAGE_MAX_BYTES + 1];
    assert!(matches!(Unproven::read(&huge), Err(PackageError::TooLarge)));
    manifest_refused("\"bytes\":17", "\"bytes\":17000000", "16 MiB");
    let many: Vec<_> = (0..33).map(|n| file(&format!("{n}.txt"), b"x")).collect();
    let mut message = message(PackageKind::Question);
    message.files = many;
    assert_eq!(message.check(OrganisationKind::Ceptoar), Err(MessageError::Files));
    let released = message.release(person(2, "x")).unwrap();
    let error = Package::seal(Content::Message(&released), envelope(night()), key()).unwrap_err();
    assert!(error.to_string().contains("32 files"), "{error}");
}

#[test]
fn a_manifest_reads_one_way_or_not_at_all() {
    manifest_refused("shirase-package-1", "shirase-package-2", "update the collector");
    manifest_refused("\"kind\":\"question\"", "\"kind\":\"order\"", "kind `order`");
    manifest_refused("\"kind\":\"question\"", "\"kind\":\"acknowledgement\"", "does not");
    manifest_refused("\"kind\":\"question\"", "\"kind\":\"report\"", "`report`");
    manifest_refused("\"kind\":\"question\"", "\"kind\":\"answer\"", "`reply_to`");
    manifest_refused("\"drill\":false", "\"drill\":false,\"drill\":true", "");
    manifest_refused("\"drill\":false", "\"drill\": false", "canonical");
    manifest_refused("\"drill\":false", "\"command\":\"rm\",\"drill\":false", "unknown field");
    manifest_refused("\"order\":1", "\"order\":0", "`order`");
    manifest_refused("\"order\":1", "\"order\":2", "`order`");
    manifest_refused("\"order\":1", "\"order\":1.0", "");
    manifest_refused("\"released_by\":\"市 太郎\"", "\"released_by\":\"\"", "`released`");
    manifest_refused("\"tlp\":\"amber\"", "\"tlp\":\"blue\"", "does not read");
    manifest_refused("被害状況について", "被害\\n状況", "`subject`");
    manifest_refused("復旧の見込みも", "復旧\\u0000", "`text`");
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    assert!(Manifest::read(deep.as_bytes()).is_err());
    assert!(Manifest::read(&[0xff, 0xfe]).is_err());
    assert!(Manifest::read("x".repeat(300_000).as_bytes()).is_err());
}

#[test]
fn a_partners_package_is_taken_and_a_strangers_is_not() {
    let taken = judged(&question(), &[partner()]).unwrap();
    assert_eq!((taken.partner.as_str(), taken.package.id()), ("handa-city", question().id()));
    check_refusal(&question(), &[], "no partner's here");
    let mut stranger = partner();
    stranger.current = pinned(card("知多市", OrganisationKind::Municipality));
    check_refusal(&question(), &[stranger], "no partner's here");
    let mut revoked = partner();
    revoked.revoked = Some(Revocation { at: night(), reason: "鍵の紛失".to_owned() });
    check_refusal(&question(), &[revoked.clone()], "was revoked");
    // The same organisation, accepted anew after that, is heard again.
    assert!(judged(&question(), &[revoked.clone(), partner()]).is_ok());
    assert!(judged(&question(), &[partner(), revoked]).is_ok());
}

#[test]
fn a_card_named_by_another_key_is_a_forgery() {
    let mut impostor = partner();
    impostor.current.card = card_of_impostor();
    check_refusal(&question(), &[impostor], "forged");
}

#[test]
fn an_old_card_counts_until_its_day_and_no_longer() {
    let mut rotated = partner();
    let until = night() + SignedDuration::from_hours(24);
    rotated.current = pinned(card("半田市役所", OrganisationKind::Municipality));
    rotated.former = vec![partner().current];
    rotated.former[0].until = Some(until);
    assert_eq!(rotated.standing(night()), Standing::Rotating);
    assert!(judged(&question(), &[rotated.clone()]).is_ok());
    assert_eq!(rotated.standing(until), Standing::Trusted);
    let late = incoming::judge(read(&question()), (&facility(), &[rotated.clone()]), until);
    let late = late.unwrap_err();
    assert!(
        matches!(late, Refusal::Distrust(_)) && late.to_string().contains("old card"),
        "{late}"
    );
    let may = |id: &super::CardId, hours: i64| {
        rotated.may_rotate(id, night() + SignedDuration::from_hours(hours), night())
    };
    assert_eq!(may(&hospital().id(), 24 * 90), Ok(()));
    assert_eq!(may(&hospital().id(), 24 * 90 + 1), Err(RotationError::Overlap));
    assert_eq!(may(&hospital().id(), -1), Err(RotationError::Overlap));
    assert!(matches!(may(&city().id(), 1), Err(RotationError::Known(_))));
}

#[test]
fn what_is_for_another_is_not_ours() {
    let own = |card: super::card::Card| OwnCard {
        facility: facility(),
        id: card.id(),
        card,
        made_at: night(),
    };
    let read = read(&question());
    let cards = [own(city()), own(hospital())];
    assert_eq!(incoming::addressed(&read, &cards).unwrap().id, hospital().id());
    let error = incoming::addressed(&read, &cards[..1]).unwrap_err();
    assert!(matches!(error, Refusal::NotForUs { .. }), "{error}");
}

#[test]
fn nobody_sends_what_is_not_theirs_or_from_tomorrow() {
    let mut hospital = partner();
    let named = card("半田市", OrganisationKind::Hospital);
    let guidance = released(PackageKind::Guidance);
    let sender = named.id();
    hospital.current = pinned(named);
    let sealed = |made_at| {
        let envelope = Envelope { sender: sender.clone(), ..envelope(made_at) };
        Package::seal(Content::Message(&guidance), envelope, key()).unwrap()
    };
    check_refusal(&sealed(night()), &[hospital.clone()], "does not send a guidance");
    let question = released(PackageKind::Question);
    let ahead = Envelope { sender, ..envelope(night() + SignedDuration::from_hours(25)) };
    let ahead = Package::seal(Content::Message(&question), ahead, key()).unwrap();
    check_refusal(&ahead, &[hospital], "clock");
}

#[test]
fn an_acknowledgement_carries_nothing_else() {
    let said = |what, by: &str| Acknowledged {
        package: question().id().clone(),
        what,
        at: night(),
        by: by.to_owned(),
    };
    let seal = |said: &Acknowledged, order| {
        let envelope = Envelope { order, ..envelope(night()) };
        Package::seal(Content::Acknowledgement(said), envelope, key())
    };
    assert!(seal(&said(AckKind::Stored, ""), 0).is_ok());
    assert!(seal(&said(AckKind::Read, "半田 太郎"), 0).is_ok());
    assert!(seal(&said(AckKind::Read, ""), 0).is_err());
    assert!(seal(&said(AckKind::Stored, "半田"), 0).is_err());
    assert!(seal(&said(AckKind::Stored, ""), 1).is_err());
}

#[test]
fn two_people_stand_behind_a_message() {
    let waiting = message(PackageKind::Question);
    assert!(!waiting.may_be_released_by(person(1, "").user));
    assert_eq!(
        waiting.clone().release(person(1, "市 花子")).unwrap_err(),
        MessageError::OwnMessage
    );
    let mut gone = waiting.clone();
    gone.state = MessageState::Returned { reason: "誤記".to_owned() };
    assert!(matches!(gone.clone().release(person(2, "x")), Err(MessageError::NotWaiting(_))));
    assert!(gone.may_be_returned("誤記").is_err() && waiting.may_be_returned("").is_err());
    assert!(waiting.may_be_returned("宛先が違います").is_ok());
    let says = |kind, organisation| message(kind).check(organisation);
    assert!(says(PackageKind::Question, OrganisationKind::Hospital).is_ok());
    assert!(says(PackageKind::Answer, OrganisationKind::Hospital).is_ok());
    assert!(says(PackageKind::Guidance, OrganisationKind::Hospital).is_err());
    assert!(says(PackageKind::Report, OrganisationKind::Municipality).is_err());
    let mut answer = message(PackageKind::Answer);
    let (city, other) = ("handa-city".parse().unwrap(), "oki".parse().unwrap());
    assert_eq!(answer.fits(&city, false), Ok(()));
    assert_eq!(answer.fits(&city, true), Err(MessageError::Drill));
    assert_eq!(answer.fits(&other, false), Err(MessageError::OtherPartner));
    answer.reply_to = None;
    assert_eq!(answer.check(OrganisationKind::Hospital), Err(MessageError::AnswersNothing));
    let mut empty = message(PackageKind::Question);
    empty.text = " \n".to_owned();
    assert!(empty.check(OrganisationKind::Hospital).is_err());
}

/// A card with another key, as one who got at the store of partners would put it there.
fn card_of_impostor() -> super::card::Card {
    super::samples::card_by("半田市", OrganisationKind::Municipality, other_key())
}

fn read(package: &Package) -> Unproven {
    Unproven::read(&package.to_file().unwrap()).unwrap()
}

fn judged(package: &Package, partners: &[Partner]) -> Result<Accepted, Refusal> {
    incoming::judge(read(package), (&facility(), partners), night())
}

#[track_caller]
fn check_refusal(package: &Package, partners: &[Partner], expected: &str) {
    let error = judged(package, partners).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

/// Packs the question anew after its parts were changed.
fn changed(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Vec<u8> {
    let mut parts = unpack(&question().to_file().unwrap()).unwrap();
    change(&mut parts);
    let parts: Vec<_> = parts
        .iter()
        .map(|(n, bytes)| (n.as_str(), bytes.clone()))
        .collect();
    pack(&parts).unwrap()
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let error = Unproven::read(bytes).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

/// Checks that the question's manifest is refused once a part of its text is another.
#[track_caller]
fn manifest_refused(from: &str, to: &str, expected: &str) {
    let text = question().manifest().text().unwrap();
    let other = text.replacen(from, to, 1);
    assert_ne!(text, other, "`{from}` does not stand in {text}");
    let error = Manifest::read(other.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert_eq!(PackageId::of(text.as_bytes()), *question().id());
}
