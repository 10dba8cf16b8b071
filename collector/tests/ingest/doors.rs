//! Who is let in: every route asks for a certificate in force, on every request.

use std::time::Duration;

use jiff::SignedDuration;
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, Method, StatusCode};
use shirase_collector::enrolment::authority::{Authority, RequestedKey};
use shirase_collector::http::{AGENT_ROUTES, AgentAccess, ENROLMENT_ROUTES};
use shirase_shared::clock::Clock;
use shirase_shared::event::Phase;
use shirase_shared::ids::BurstId;
use shirase_shared::testing::builders::mass_change;
use shirase_shared::testing::eventually::eventually;
use shirase_shared::wire::{Ack, HeartbeatAnswer};

use crate::site::{Site, problem, read};

async fn call(client: &Client, method: &str, url: String) -> reqwest::Result<reqwest::Response> {
    client
        .request(Method::from_bytes(method.as_bytes()).unwrap(), url)
        .send()
        .await
}

#[tokio::test]
async fn without_a_certificate_of_the_authority_no_route_of_the_ingest_listener_answers() {
    let site = Site::start().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = Authority::open(elsewhere.path(), site.clock.now()).unwrap();
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default()
        .serialize_request(&key)
        .unwrap()
        .pem()
        .unwrap();
    let agent = site.agent("handa-hp").await;
    let requested = RequestedKey::read(&csr).unwrap();
    let forged = foreign
        .certify_host(&requested, agent.host, site.clock.now())
        .unwrap();

    for client in [site.stranger(), site.client_with(&forged.pem, &key)] {
        for (method, path, _) in AGENT_ROUTES {
            let answer = call(&client, method, format!("https://{}{path}", site.ingest)).await;
            assert!(answer.is_err(), "{method} {path} answered {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_the_database_does_not_know_is_not_let_in_anywhere() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default()
        .serialize_request(&key)
        .unwrap()
        .pem()
        .unwrap();
    let requested = RequestedKey::read(&csr).unwrap();
    let unknown = site
        .authority
        .certify_host(&requested, agent.host, site.clock.now())
        .unwrap();
    let client = site.client_with(&unknown.pem, &key);
    for (method, path, access) in AGENT_ROUTES {
        let url = format!("https://{}{path}", site.ingest);
        let answer = call(&client, method, url).await.unwrap();
        match access {
            AgentAccess::Agent => {
                let told = problem(answer, StatusCode::FORBIDDEN).await;
                assert!(told.contains("not one this collector knows"), "{method} {path}: {told}");
            }
            AgentAccess::Anyone => assert_eq!(answer.status(), StatusCode::OK, "{method} {path}"),
        }
    }
}

#[tokio::test]
async fn a_revocation_takes_effect_on_the_next_request_of_an_open_connection() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let neighbour = site.agent("handa-hp").await;
    let beat = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    let connection = beat.remote_addr();
    let _: HeartbeatAnswer = read(beat, StatusCode::OK).await;
    site.store
        .revoke_host(&agent.facility, agent.host, site.clock.now())
        .await
        .unwrap();
    for (method, path, access) in AGENT_ROUTES {
        if *access == AgentAccess::Agent {
            let url = format!("{}{path}", agent.base);
            let answer = call(&agent.client, method, url).await.unwrap();
            assert_eq!(answer.remote_addr(), connection);
            let told = problem(answer, StatusCode::FORBIDDEN).await;
            assert!(told.contains("was revoked"), "{method} {path}: {told}");
        }
    }
    let beat = neighbour
        .post("/v1/heartbeat", &neighbour.heartbeat())
        .await;
    let _: HeartbeatAnswer = read(beat, StatusCode::OK).await;
    let again = site
        .store
        .revoke_host(&agent.facility, agent.host, site.clock.now())
        .await;
    assert!(again.is_err());
}

#[tokio::test]
async fn a_certificate_that_ends_while_its_connection_is_open_is_not_let_in_any_more() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let beat = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    let _: HeartbeatAnswer = read(beat, StatusCode::OK).await;
    site.clock.advance(SignedDuration::from_hours(24 * 91));
    let told = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    assert!(
        problem(told, StatusCode::FORBIDDEN)
            .await
            .contains("ended at")
    );
}

#[tokio::test]
async fn a_host_reaches_nothing_of_another_facility() {
    let site = Site::start().await;
    let ours = site.agent("handa-hp").await;
    let mut theirs = site.agent("osaka-hp").await;
    theirs.stream = ours.stream;
    let event = |files| mass_change(BurstId::random(), Phase::Opened, files, 0);
    for (agent, files) in [(&ours, 20), (&theirs, 30)] {
        let batch = agent.batch(1, agent.lines(vec![event(files)]));
        let _: Ack = read(agent.send(&batch).await, StatusCode::OK).await;
    }
    for (facility, agent) in [("handa-hp", &ours), ("osaka-hp", &theirs)] {
        let records = site.records(facility).await;
        assert_eq!(records.iter().map(|r| r.host).collect::<Vec<_>>(), [agent.host]);
        assert_eq!(site.woken(facility), 1);
        let id = facility.parse().unwrap();
        assert!(site.store.forks(&id).await.unwrap().is_empty(), "same stream id, other host");
        assert_eq!(site.store.hosts(&id).await.unwrap().len(), 1);
    }
    let foreign = site
        .store
        .revoke_host(&theirs.facility, ours.host, site.clock.now())
        .await;
    assert!(foreign.is_err(), "a host is revoked only by its own facility");
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_answered_in_words() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let answer = agent.post("/v2/batches", &()).await;
    problem(answer, StatusCode::NOT_FOUND).await;
    let answer = agent
        .client
        .get(format!("{}/v1/batches", agent.base))
        .send()
        .await
        .unwrap();
    problem(answer, StatusCode::METHOD_NOT_ALLOWED).await;
    for (method, path, _) in ENROLMENT_ROUTES {
        let url = format!("https://{}{path}", site.enrolment);
        let answer = call(&site.stranger(), method, url).await.unwrap();
        assert_ne!(answer.status(), StatusCode::NOT_FOUND, "{method} {path}");
        assert!(!answer.status().is_server_error(), "{method} {path}");
    }
    let answer = agent.post("/v1/heartbeat", &"nonsense").await;
    problem(answer, StatusCode::BAD_REQUEST).await;
}

#[tokio::test]
async fn a_silent_peer_does_not_keep_others_out() {
    let site = Site::start().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(tokio::net::TcpStream::connect(site.ingest).await.unwrap());
    }
    let agent = site.agent("handa-hp").await;
    let beat = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    let _: HeartbeatAnswer = read(beat, StatusCode::OK).await;
    drop(silent);
}

#[tokio::test]
async fn a_replaced_certificate_is_shown_to_new_connections_and_cuts_no_old_one() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let beat = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    let connection = beat.remote_addr();
    let before = site.shown_certificate().await;
    site.replace_certificate();
    assert_ne!(site.shown_certificate().await, before);
    let beat = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    assert_eq!(beat.remote_addr(), connection);
    let _: HeartbeatAnswer = read(beat, StatusCode::OK).await;
}

#[tokio::test]
async fn a_listener_told_to_stop_lets_go_of_idle_agents() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let beat = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
    let _: HeartbeatAnswer = read(beat, StatusCode::OK).await;
    site.stop.cancel();
    eventually("the listener to be closed", Duration::from_secs(10), || async {
        tokio::net::TcpStream::connect(site.ingest)
            .await
            .is_err()
            .then_some(())
    })
    .await;
}
