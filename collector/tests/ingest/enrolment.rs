//! Coming in: tokens good, wrong, expired, revoked, used before, and answers lost on the way.

use jiff::SignedDuration;
use rcgen::KeyPair;
use reqwest::StatusCode;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use shirase_shared::clock::Clock;
use shirase_shared::secret::Secret;
use shirase_shared::tls::Fingerprint;
use shirase_shared::wire::{EnrolAnswer, HeartbeatAnswer, RenewAnswer, RenewRequest};

use crate::site::{Site, problem, read};

#[tokio::test]
async fn a_token_lets_a_host_in_and_is_stored_only_as_its_hash() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let answer = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let _: HeartbeatAnswer = read(answer, StatusCode::OK).await;

    let hosts = site.store.hosts(&agent.facility).await.unwrap();
    assert_eq!((hosts.len(), hosts[0].id), (1, agent.host));
    assert!(hosts[0].certificate_expires_at.is_some());
    assert_eq!(agent.answer.authority_pem, site.authority.pem());
    assert_eq!(agent.answer.order_key, site.order_key.public_base64());
    let facility = site.store.facility(&agent.facility).await.unwrap().unwrap();
    assert_eq!(agent.answer.manifest_recipient, facility.manifest_recipient);

    let token = site.token("handa-hp").await;
    let digits = token.reveal().replace('-', "");
    for file in ["shirase.db", "shirase.db-wal"] {
        let bytes = std::fs::read(site.dir.path().join(file)).unwrap();
        for secret in [token.reveal().as_str(), digits.as_str()] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "the token lies readable in {file}");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_by_the_same_key_alone() {
    let site = Site::start().await;
    site.facility("handa-hp").await;
    let token = site.token("handa-hp").await;
    let key = KeyPair::generate().unwrap();
    let first: EnrolAnswer = read(site.ask(&token, &key).await, StatusCode::OK).await;
    let spaced = Secret::new(format!(" {}\n", token.reveal().to_uppercase()));
    let second: EnrolAnswer = read(site.ask(&spaced, &key).await, StatusCode::OK).await;
    assert_eq!(first.host, second.host);
    assert_eq!(site.store.hosts(&first.facility).await.unwrap().len(), 1);
    for answer in [first, second] {
        let agent = site.agent_of(answer, &key);
        let answer = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
        let _: HeartbeatAnswer = read(answer, StatusCode::OK).await;
    }

    let other = site.ask(&token, &KeyPair::generate().unwrap()).await;
    let told = problem(other, StatusCode::CONFLICT).await;
    assert!(told.contains("already used by another key"), "{told}");
    let hosts = site
        .store
        .hosts(&"handa-hp".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(hosts.len(), 1);
}

#[tokio::test]
async fn wrong_expired_and_revoked_tokens_each_say_so() {
    let site = Site::start().await;
    site.facility("handa-hp").await;
    let facility = "handa-hp".parse().unwrap();
    let key = KeyPair::generate().unwrap();

    for wrong in ["", "x", &"0".repeat(64)] {
        let answer = site.ask(&Secret::new(wrong.to_owned()), &key).await;
        let told = problem(answer, StatusCode::FORBIDDEN).await;
        assert!(told.contains("unknown"), "{told}");
    }
    let revoked = site.token("handa-hp").await;
    let name = site.store.tokens(&facility).await.unwrap()[0]
        .sha256
        .clone();
    site.store
        .revoke_token(&facility, &name, site.clock.now())
        .await
        .unwrap();
    let told = problem(site.ask(&revoked, &key).await, StatusCode::FORBIDDEN).await;
    assert!(told.contains("revoked"), "{told}");

    let late = site.token("handa-hp").await;
    site.clock.advance(SignedDuration::from_hours(2));
    let told = problem(site.ask(&late, &key).await, StatusCode::GONE).await;
    assert!(told.contains("expired"), "{told}");
    assert!(site.store.hosts(&facility).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_revoked_host_does_not_come_back_with_its_old_token() {
    let site = Site::start().await;
    site.facility("handa-hp").await;
    let token = site.token("handa-hp").await;
    let key = KeyPair::generate().unwrap();
    let answer: EnrolAnswer = read(site.ask(&token, &key).await, StatusCode::OK).await;
    site.store
        .revoke_host(&answer.facility, answer.host, site.clock.now())
        .await
        .unwrap();
    let told = problem(site.ask(&token, &key).await, StatusCode::FORBIDDEN).await;
    assert!(told.contains("host enrolled with this token was revoked"), "{told}");
}

#[tokio::test]
async fn two_hosts_of_one_name_are_two_hosts() {
    let site = Site::start().await;
    let first = site.agent("handa-hp").await;
    let second = site.agent("handa-hp").await;
    assert_ne!(first.host, second.host);
    let hosts = site.store.hosts(&first.facility).await.unwrap();
    assert_eq!(
        hosts
            .iter()
            .map(|host| host.name.as_str())
            .collect::<Vec<_>>(),
        ["ehr1", "ehr1"]
    );
}

#[tokio::test]
async fn nonsense_is_answered_in_words_and_a_guesser_is_slowed_down() {
    let site = Site::start().await;
    let client = site.stranger();
    let url = format!("https://{}/v1/enrol", site.enrolment);
    let answer = client.post(&url).body("<html>").send().await.unwrap();
    assert!(!problem(answer, StatusCode::BAD_REQUEST).await.is_empty());
    let request = serde_json::json!({
        "token": "0", "csr_pem": "-----BEGIN NONSENSE-----", "hostname": "a", "os": "b",
    });
    let answer = client.post(&url).json(&request).send().await.unwrap();
    let told = problem(answer, StatusCode::BAD_REQUEST).await;
    assert!(told.contains("signing request"), "{told}");
    let answer = client.get(&url).send().await.unwrap();
    problem(answer, StatusCode::METHOD_NOT_ALLOWED).await;

    let mut slowed = 0;
    for _ in 0..40 {
        let answer = client.post(&url).json(&request).send().await.unwrap();
        slowed += usize::from(answer.status() == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(15 <= slowed, "only {slowed} of 40 were slowed down");
}

#[tokio::test]
async fn the_authority_shows_itself_to_be_compared_with_its_fingerprint() {
    let site = Site::start().await;
    let url = format!("https://{}/v1/authority", site.enrolment);
    let pem = site
        .stranger()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    assert_eq!(Fingerprint::of(&der), site.authority.fingerprint());
}

#[tokio::test]
async fn a_certificate_is_renewed_for_a_new_key_and_the_host_stays_the_same() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    site.clock.advance(SignedDuration::from_hours(24 * 80));
    let key = KeyPair::generate().unwrap();
    let csr = rcgen::CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    let request = RenewRequest { csr_pem: csr.pem().unwrap() };
    let renewed: RenewAnswer = read(agent.post("/v1/renew", &request).await, StatusCode::OK).await;

    site.clock.advance(SignedDuration::from_hours(24 * 20));
    let told = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    let told = problem(told, StatusCode::FORBIDDEN).await;
    assert!(told.contains("ended at"), "{told}");
    let answer = EnrolAnswer { certificate_pem: renewed.certificate_pem, ..agent.answer.clone() };
    let renewed = site.agent_of(answer, &key);
    let answer = renewed.post("/v1/heartbeat", &renewed.heartbeat()).await;
    let _: HeartbeatAnswer = read(answer, StatusCode::OK).await;
    assert_eq!(site.store.hosts(&agent.facility).await.unwrap().len(), 1);
}
