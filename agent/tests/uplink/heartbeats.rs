//! Signs of life and what their answers bring.

use jiff::Timestamp;
use shirase_shared::ids::Sequence;
use shirase_shared::policy::{PolicyName, PolicyRevision, SignedPolicy};
use shirase_shared::posture::{Look, Posture};
use shirase_shared::wire::{Heartbeat, HeartbeatAnswer, SignedOrder};

use crate::server::Reply;
use crate::site::{Authority, Site, config, heartbeat_answer};

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_tells_how_the_host_is() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|request| match request.path.as_str() {
        "/v1/heartbeat" => Reply::json(200, &heartbeat_answer()),
        _ => Reply::Cut,
    }));
    let mut site = Site::new(&authority, config(&server.url));
    site.append(2);
    site.start();
    let heartbeat: Heartbeat = serde_json::from_slice(&server.next("/v1/heartbeat").body).unwrap();
    assert_eq!((heartbeat.stream, heartbeat.last_sequence), (site.buffer.stream(), Sequence(2)));
    assert_eq!((heartbeat.waiting, heartbeat.hostname.as_str()), (2, "ehr-1"));
    assert!(
        0 < heartbeat.buffer_used_bytes
            && heartbeat.buffer_used_bytes <= heartbeat.buffer_limit_bytes
    );
    // They go on although batches fail.
    server.next("/v1/heartbeat");
    site.eventually("a heartbeat noted", |state, _| state.last_heartbeat.is_some())
        .await;
    assert!(site.board.read().last_error.is_some(), "the batches' own trouble stays visible");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_the_host_is_set_up_is_told_until_it_is_taken_and_then_once_for_each_look() {
    let authority = Authority::new();
    let mut refused = false;
    let server = authority.serve(Box::new(move |request| match request.path.as_str() {
        "/v1/heartbeat" if !std::mem::replace(&mut refused, true) => Reply::Cut,
        "/v1/heartbeat" => Reply::json(200, &heartbeat_answer()),
        _ => Reply::Cut,
    }));
    let mut site = Site::new(&authority, config(&server.url));
    let looked = |hour: i64| Posture {
        looked_at: Timestamp::from_second(hour * 3600).unwrap(),
        listeners: Look::default(),
        remote_tools: Look::default(),
        accounts: Look::default(),
        usb_storage: Look::default(),
        logs_since: Look::default(),
    };
    let told = || {
        let beat = server.next("/v1/heartbeat");
        let heartbeat: Heartbeat = serde_json::from_slice(&beat.body).unwrap();
        heartbeat.posture
    };
    *site.posture.lock().unwrap() = Some(looked(1));
    site.start();
    assert_eq!(told(), Some(looked(1)), "this one gets no answer");
    assert_eq!(told(), Some(looked(1)));
    assert_eq!(told(), None);
    *site.posture.lock().unwrap() = Some(looked(2));
    while told().is_none() {}
    assert_eq!(told(), None);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_knows_less_than_the_collector_begins_a_new_stream() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|request| match request.path.as_str() {
        "/v1/heartbeat" => {
            let heartbeat: Heartbeat = serde_json::from_slice(&request.body).unwrap();
            // A collector that has 9 of the first stream it hears of, and knows no other.
            let stored_through = (heartbeat.last_sequence == Sequence(2)).then_some(Sequence(9));
            Reply::json(200, &HeartbeatAnswer { stored_through, ..heartbeat_answer() })
        }
        _ => Reply::Cut,
    }));
    let mut site = Site::new(&authority, config(&server.url));
    let before = site.buffer.stream();
    site.append(2);
    site.start();
    site.eventually("another stream", |_, buffer| buffer.stream() != before)
        .await;
    assert_eq!(site.buffer.last_sequence(), Sequence(0));
    let waiting = site.buffer.peek(10, 1 << 20).unwrap();
    assert!(
        waiting.iter().all(|line| line.stream == before),
        "records keep the stream they were numbered in"
    );
    assert_eq!(waiting.len(), 2);
    site.append(1);
    assert_eq!(site.buffer.last_sequence(), Sequence(1));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_knows_as_much_changes_nothing() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|request| match request.path.as_str() {
        "/v1/heartbeat" => Reply::json(
            200,
            &HeartbeatAnswer { stored_through: Some(Sequence(2)), ..heartbeat_answer() },
        ),
        _ => Reply::Cut,
    }));
    let mut site = Site::new(&authority, config(&server.url));
    let before = site.buffer.stream();
    site.append(2);
    site.start();
    server.next("/v1/heartbeat");
    server.next("/v1/heartbeat");
    assert_eq!(site.buffer.stream(), before);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_passed_on_and_dropped_ones_are_counted() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|request| match request.path.as_str() {
        "/v1/heartbeat" => {
            let order =
                |text: &str| SignedOrder { order: text.to_owned(), signature: "s".to_owned() };
            Reply::json(
                200,
                &HeartbeatAnswer { orders: vec![order("one"), order("two")], ..heartbeat_answer() },
            )
        }
        _ => Reply::Cut,
    }));
    let mut site = Site::new(&authority, config(&server.url));
    site.start();
    // The channel holds one: the second of the first answer has no place.
    site.eventually("a dropped order", |state, _| 1 <= state.orders_dropped)
        .await;
    assert_eq!(site.orders.recv().await.unwrap().order, "one");
    assert_eq!(site.orders.recv().await.unwrap().order, "one", "the collector repeats them");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_announced_is_asked_for_and_passed_on() {
    let authority = Authority::new();
    let name = PolicyName { revision: PolicyRevision(3), sha256: "abc".to_owned() };
    let signed = SignedPolicy { policy: "p".to_owned(), signature: "s".to_owned() };
    let (announced, given) = (name.clone(), signed.clone());
    let server = authority.serve(Box::new(move |request| match request.path.as_str() {
        "/v1/heartbeat" => {
            let sent: Heartbeat = serde_json::from_slice(&request.body).unwrap();
            assert!(
                sent.policy
                    .is_some_and(|policy| policy.taking && policy.applied.is_none())
            );
            let desired_policy = Some(announced.clone());
            Reply::json(200, &HeartbeatAnswer { desired_policy, ..heartbeat_answer() })
        }
        "/v1/policy" => Reply::json(200, &given),
        _ => Reply::Cut,
    }));
    let mut site = Site::new(&authority, config(&server.url));
    site.start();
    assert_eq!(site.policies.recv().await.unwrap(), (name, signed));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_that_is_answered_with_a_page_is_an_error_people_see() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|_| Reply::Answer(200, "text/html", b"<html>".to_vec())));
    let mut site = Site::new(&authority, config(&server.url));
    site.start();
    site.eventually("an error", |state, _| {
        state
            .heartbeat_error
            .as_ref()
            .is_some_and(|error| error.contains("text/html"))
    })
    .await;
    site.stop().await;
}
