//! Heartbeats: remembered, answered with the orders that are still open.

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use shirase_collector::keys::Signed;
use shirase_collector::orders::issue;
use shirase_shared::clock::Clock;
use shirase_shared::event::{AgentState, Anomaly, Phase};
use shirase_shared::ids::{BurstId, DrillId};
use shirase_shared::posture::{Few, Look, Posture, Unseen};
use shirase_shared::testing::builders::mass_change;
use shirase_shared::wire::{Ack, Action, Heartbeat, HeartbeatAnswer, Order};

use crate::site::{Agent, Site, read};

async fn beat(agent: &Agent, heartbeat: &Heartbeat) -> HeartbeatAnswer {
    read(agent.post("/v1/heartbeat", heartbeat).await, StatusCode::OK).await
}

#[tokio::test]
async fn a_heartbeat_is_remembered_with_the_name_and_the_clock_of_its_host() {
    let site = Site::start().await;
    let mut agent = site.agent("handa-hp").await;
    agent.moment.wall -= SignedDuration::from_secs(90);
    let mut heartbeat = agent.heartbeat();
    heartbeat.hostname = "ehr\u{7}2".to_owned();
    heartbeat.waiting = 12;
    let answer = beat(&agent, &heartbeat).await;
    assert_eq!(answer.now, site.clock.now());

    let seen = site.store.heartbeats(&agent.facility).await.unwrap();
    assert_eq!(seen[&agent.host].heartbeat, heartbeat);
    assert_eq!(seen[&agent.host].received_at.as_millisecond(), site.clock.now().as_millisecond());
    let host = site
        .store
        .host(&agent.facility, agent.host)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(host.name, "ehr2");
    let clocks = site
        .store
        .clock_offsets(&agent.facility, agent.host)
        .await
        .unwrap();
    assert_eq!(clocks[&agent.moment.boot].wall_error_ms / 1000, -90);
}

#[tokio::test]
async fn how_a_host_is_set_up_is_kept_until_its_agent_tells_it_anew() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let looked = |at: &str| Posture {
        looked_at: at.parse().unwrap(),
        listeners: Look::default(),
        remote_tools: Look::Seen(Few::of(vec!["AnyDesk".to_owned()])),
        accounts: Look::default(),
        usb_storage: Look::Unseen(Unseen::NoRight),
        logs_since: Look::default(),
    };
    let (first, second) = (looked("2026-11-26T00:00:00Z"), looked("2026-11-26T01:00:00Z"));
    for (told, kept) in [
        (None, None),
        (Some(&first), Some(&first)),
        (None, Some(&first)),
        (Some(&second), Some(&second)),
    ] {
        let heartbeat = Heartbeat { posture: told.cloned(), ..agent.heartbeat() };
        beat(&agent, &heartbeat).await;
        let seen = site.store.heartbeats(&agent.facility).await.unwrap();
        assert_eq!(seen[&agent.host].heartbeat.posture.as_ref(), kept);
    }
}

#[tokio::test]
async fn an_agent_that_trusts_others_is_told_the_authorities_and_one_that_says_nothing_is_not() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let mut heartbeat = agent.heartbeat();
    for (trusted, expected) in [
        (vec![], None),
        (vec!["ab".repeat(32)], Some(site.authority.trusted_pem())),
        (site.authority.trusted_prints(), None),
    ] {
        heartbeat.authorities = trusted;
        assert_eq!(beat(&agent, &heartbeat).await.authorities_pem, expected);
    }
}

#[tokio::test]
async fn a_drill_is_ordered_until_its_first_event_comes() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let neighbour = site.agent("handa-hp").await;
    let drill = DrillId::random();
    let host = (agent.facility.clone(), agent.host);
    let issued = issue(host, Action::Drill { drill, files: 40 }, &site.order_key, site.clock.now());
    site.store.add_order(&issued).await.unwrap();
    assert!(
        beat(&neighbour, &neighbour.heartbeat())
            .await
            .orders
            .is_empty()
    );
    for _ in 0..2 {
        let orders = beat(&agent, &agent.heartbeat()).await.orders;
        assert_eq!(orders, std::slice::from_ref(&issued.signed));
    }
    let signed = &issued.signed;
    let genuine = |text: &str| {
        let bytes = text.as_bytes();
        Signed { public_key: &agent.answer.order_key, bytes, signature: &signed.signature }
            .is_genuine()
    };
    assert!(genuine(&signed.order));
    assert!(!genuine(&signed.order.replace("40", "400")));
    let order: Order = serde_json::from_str(&signed.order).unwrap();
    assert_eq!((order.host, order.action), (agent.host, Action::Drill { drill, files: 40 }));
    assert_eq!(order.expires_at.duration_since(order.issued_at), SignedDuration::from_mins(10));
    let kept = site.store.orders(&agent.facility).await.unwrap().remove(0);
    assert!(kept.sent_at.is_some());

    let mut started = mass_change(BurstId::random(), Phase::Once, 0, 0);
    started.anomaly = Anomaly::Agent(AgentState::DrillStarted);
    started.drill = Some(drill);
    let batch = agent.batch(1, agent.lines(vec![started]));
    let _: Ack = read(agent.send(&batch).await, StatusCode::OK).await;
    assert!(beat(&agent, &agent.heartbeat()).await.orders.is_empty());
}

#[tokio::test]
async fn an_order_that_has_ended_or_is_in_force_is_not_handed_out() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let until: Timestamp = site.clock.now() + SignedDuration::from_hours(2);
    let action =
        Action::Maintenance {
            owner: "半田 花子".to_owned(), reason: "更新".to_owned(), until
        };
    let host = (agent.facility.clone(), agent.host);
    let issued = issue(host, action, &site.order_key, site.clock.now());
    site.store.add_order(&issued).await.unwrap();
    assert_eq!(beat(&agent, &agent.heartbeat()).await.orders.len(), 1);
    let mut in_force = agent.heartbeat();
    in_force.maintenance_until = Some(until);
    assert!(beat(&agent, &in_force).await.orders.is_empty());
    assert_eq!(beat(&agent, &agent.heartbeat()).await.orders.len(), 1);

    // Its end goes after it even to a host that has heard of neither: the other way round it would begin and stay.
    let action = Action::EndMaintenance { owner: "半田 花子".to_owned() };
    site.clock.advance(SignedDuration::from_secs(1));
    let host = (agent.facility.clone(), agent.host);
    let ended = issue(host, action, &site.order_key, site.clock.now());
    site.store.add_order(&ended).await.unwrap();
    let both = [issued.signed.clone(), ended.signed.clone()];
    assert_eq!(beat(&agent, &agent.heartbeat()).await.orders, both);
    assert_eq!(beat(&agent, &in_force).await.orders, [ended.signed]);
    site.clock.advance(SignedDuration::from_mins(11));
    assert!(beat(&agent, &agent.heartbeat()).await.orders.is_empty());
}
