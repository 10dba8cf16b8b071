//! A forged, foreign, older, damaged or wrong policy changes nothing; a good one outlives a sudden death.

use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use shirase_shared::policy::DocumentKind;
use shirase_shared::testing::builders::night;

use super::*;

struct Site {
    dir: tempfile::TempDir,
    key: Ed25519KeyPair,
    enrolment: Enrolment,
}

impl Site {
    fn new() -> Self {
        let key = new_key();
        let enrolment = Enrolment {
            host: HostId::random(),
            facility: "handa-hp".parse().unwrap(),
            order_key: BASE64.encode(key.public_key().as_ref()),
            manifest_recipient: String::new(),
            ingest_url: String::new(),
            enrolled_at: night(),
        };
        Self { dir: tempfile::tempdir().unwrap(), key, enrolment }
    }

    fn state(&self) -> StateDir {
        StateDir::new(self.dir.path())
    }

    fn book(&self) -> PolicyBook {
        PolicyBook::open(&self.enrolment, &self.state()).unwrap()
    }

    fn document(&self, revision: u64, facility_text: &str) -> PolicyDocument {
        PolicyDocument {
            document: DocumentKind::ShirasePolicy,
            facility: self.enrolment.facility.clone(),
            host: self.enrolment.host,
            revision: PolicyRevision(revision),
            facility_text: facility_text.to_owned(),
            host_text: String::new(),
        }
    }
}

fn new_key() -> Ed25519KeyPair {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap()
}

fn signed(key: &Ed25519KeyPair, document: &PolicyDocument) -> SignedPolicy {
    let policy = serde_json::to_string(document).unwrap();
    let signature = BASE64.encode(key.sign(policy.as_bytes()).as_ref());
    SignedPolicy { policy, signature }
}

fn budget(percent: u32) -> String {
    format!("[agent]\ncpu_budget_percent = {percent}\n")
}

#[track_caller]
fn takes(book: &mut PolicyBook, key: &Ed25519KeyPair, document: &PolicyDocument, percent: u32) {
    match book.take(&document.name(), &signed(key, document), "") {
        Outcome::InForce(laid) => assert_eq!(laid.config.agent.cpu_budget_percent, percent),
        Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
    assert_eq!(book.report().applied, Some(document.name()));
}

#[track_caller]
fn refuses(book: &mut PolicyBook, signed: &SignedPolicy, expected: Refusal) {
    let before = book.report().applied;
    let name = PolicyName { revision: PolicyRevision(999), sha256: "announced".to_owned() };
    match book.take(&name, signed, "") {
        Outcome::InForce(_) => panic!("taken, not refused as {expected:?}"),
        Outcome::Refused(refusal) => assert_eq!(refusal, expected),
    }
    let report = book.report();
    assert_eq!(report.applied, before, "what was in force stays");
    let refused = report.refused.unwrap();
    assert_eq!((refused.name, refused.why.as_str()), (name, expected.as_str()));
}

#[test]
fn what_is_not_the_collectors_newest_word_for_this_host_is_refused() {
    let site = Site::new();
    let mut book = site.book();
    takes(&mut book, &site.key, &site.document(5, &budget(7)), 7);
    let good = site.document(6, &budget(8));

    refuses(&mut book, &signed(&new_key(), &good), Refusal::Signature);
    let mut altered = signed(&site.key, &good);
    altered.policy = altered.policy.replace("= 8", "= 9");
    refuses(&mut book, &altered, Refusal::Signature);
    let nonsense = "x".repeat(DOCUMENT_MAX_BYTES + 1);
    let long = SignedPolicy { policy: nonsense, signature: String::new() };
    refuses(&mut book, &long, Refusal::TooLong);
    let other = PolicyDocument { host: HostId::random(), ..good.clone() };
    refuses(&mut book, &signed(&site.key, &other), Refusal::OtherHost);
    let other = PolicyDocument { facility: "other-hp".parse().unwrap(), ..good.clone() };
    refuses(&mut book, &signed(&site.key, &other), Refusal::OtherHost);
    refuses(&mut book, &signed(&site.key, &site.document(4, &budget(9))), Refusal::Older);
    refuses(&mut book, &signed(&site.key, &site.document(5, &budget(9))), Refusal::Forked);
    let wrong = site.document(6, "[uplink]\ncollector_url = 'https://evil.example'\n");
    refuses(&mut book, &signed(&site.key, &wrong), Refusal::Mistakes);
    let policy = r#"{"id":"x"}"#.to_owned();
    let signature = BASE64.encode(site.key.sign(policy.as_bytes()).as_ref());
    refuses(&mut book, &SignedPolicy { policy, signature }, Refusal::Unreadable);

    takes(&mut book, &site.key, &good, 8);
    assert_eq!(book.report().refused, None);
}

#[test]
fn a_policy_outlives_a_restart_and_its_number_a_damaged_copy() {
    let site = Site::new();
    takes(&mut site.book(), &site.key, &site.document(5, &budget(7)), 7);
    let mut book = site.book();
    assert_eq!(book.lay("", true).unwrap().config.agent.cpu_budget_percent, 7);
    assert_eq!(book.report().applied, Some(site.document(5, &budget(7)).name()));

    // Someone with access to the disk puts an older one, signed then, in its place.
    let older = signed(&site.key, &site.document(4, &budget(90)));
    durable::replace_json(&site.state().policy(), &older).unwrap();
    let mut book = site.book();
    assert_eq!(book.report().applied, None);
    assert_eq!(book.lay("", true).unwrap().config.agent.cpu_budget_percent, 25);
    std::fs::write(site.state().policy(), "torn").unwrap();
    let mut book = site.book();
    refuses(&mut book, &older, Refusal::Older);
    takes(&mut book, &site.key, &site.document(5, &budget(7)), 7);

    // Killed between the copy and the number.
    std::fs::remove_file(site.state().policy_floor()).unwrap();
    refuses(&mut site.book(), &older, Refusal::Older);
}

#[test]
fn another_enrolment_begins_from_nothing() {
    let mut site = Site::new();
    takes(&mut site.book(), &site.key, &site.document(500, &budget(7)), 7);
    site.key = new_key();
    site.enrolment.order_key = BASE64.encode(site.key.public_key().as_ref());
    let mut book = site.book();
    assert_eq!(book.report().applied, None);
    takes(&mut book, &site.key, &site.document(1, &budget(9)), 9);
}

#[test]
fn the_file_stands_over_it_and_may_take_none() {
    let site = Site::new();
    let mut book = site.book();
    let document = site.document(5, "[agent]\ncpu_budget_percent = 7\nmemory_budget_mib = 99\n");
    takes(&mut book, &site.key, &document, 7);
    let laid = book
        .lay("[agent]\ncpu_budget_percent = 30\n", true)
        .unwrap();
    let agent = &laid.config.agent;
    assert_eq!((agent.cpu_budget_percent, agent.memory_budget_mib), (30, 99));
    assert_eq!(book.report().drift, ["agent.cpu_budget_percent"]);

    let laid = book.lay("[policy]\ntake = false\n", false).unwrap();
    assert_eq!(laid.config.agent.memory_budget_mib, 256);
    let report = book.report();
    assert_eq!((report.taking, report.applied, report.drift.len()), (false, None, 0));
    assert_eq!(book.lay("", true).unwrap().config.agent.memory_budget_mib, 99);
    assert_eq!(book.report().applied, Some(document.name()));
}
