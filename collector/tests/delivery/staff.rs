//! Staff hear of a delivery that stopped, once for every time it stops.

use std::sync::Arc;

use jiff::SignedDuration;
use shirase_collector::deliver::{Choice, State, Way};
use shirase_collector::jobs::matters::MattersJob;
use shirase_collector::jobs::{Job as _, Outcome};
use shirase_collector::notify::courier::Courier;
use shirase_collector::notify::{Channel, ChannelKind};
use shirase_collector::release::read_profiles;
use shirase_shared::event::Severity;

use crate::released::plain_mail;
use crate::smtp_play::Play;
use crate::ward::Ward;
use crate::webhook_server::WebhookServer;

#[tokio::test]
async fn staff_hear_that_a_delivery_stopped_and_again_when_it_stops_again() {
    let (ward, report) = Ward::released().await;
    let server = Play::start(ward.dir.path(), &["cut-after", "text-refused", "take"]);
    let hook = WebhookServer::start(&[200]);
    let channel = Channel {
        facility: ward.facility.clone(),
        id: "night".parse().unwrap(),
        kind: ChannelKind::Webhook,
        target: hook.url("/hooks/x"),
        min_severity: Severity::Critical,
    };
    ward.store.put_alert_channel(&channel).await.unwrap();
    let mail = plain_mail(server.port);
    let mut job = MattersJob {
        store: ward.store.clone(),
        profiles: Arc::new(read_profiles(ward.dir.path()).unwrap()),
        courier: Courier::new(&mail).unwrap(),
        clock: ward.clock.clone(),
        console_url: "https://c.example.jp:8443".to_owned(),
    };
    let id = ward
        .choose(&report, Way::Mail, "uketsuke@mhlw.example")
        .await;
    assert_eq!(job.activate().await, Outcome::NothingToDo, "what waits asks nobody");
    for (number, state) in [State::Unknown, State::Refused].into_iter().enumerate() {
        ward.deliver(&mail).await;
        assert_eq!(ward.delivery(id).await.0.state, state);
        assert_eq!(job.activate().await, Outcome::Changed(1));
        assert_eq!(job.activate().await, Outcome::NothingToDo, "told once");
        let post = hook.posts()[number].clone();
        let body = &post.body;
        assert_eq!(body["message_id"], post.idempotency_key.as_str());
        assert_eq!((&body["kind"], &body["state"]), (&"delivery".into(), &state.as_str().into()));
        assert!(
            body["link"]
                .as_str()
                .unwrap()
                .ends_with(&format!("/deliveries/{id}")),
            "{body}"
        );
        ward.decide(id, Choice::Again, "電話で確かめた").await;
        ward.clock.advance(SignedDuration::from_mins(1));
    }
    ward.deliver(&mail).await;
    assert_eq!(ward.delivery(id).await.0.state, State::Delivered);
    assert_eq!(job.activate().await, Outcome::NothingToDo, "what arrived asks nobody");
}
