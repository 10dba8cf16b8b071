//! A collector of a later version: what it adds is passed over, and nothing it says lets a record go that version 1 would
//! not have let go.

use shirase_shared::ids::{HostId, Sequence};
use shirase_shared::wire::{Order, SignedOrder};

use crate::server::Reply;
use crate::site::{Authority, Site, config, heartbeat_answer};

const ANSWER: &[u8] = include_bytes!("../../../shared/tests/wire/next/heartbeat-answer.json");

#[tokio::test(flavor = "multi_thread")]
async fn a_later_collectors_answer_to_a_sign_of_life_is_understood() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|request| match request.path.as_str() {
        "/v1/heartbeat" => Reply::Answer(200, "application/json", ANSWER.to_vec()),
        _ => Reply::Cut,
    }));
    let mut site = Site::new(&authority, config(&server.url));
    site.start();
    site.eventually("an answered heartbeat", |state, _| state.last_heartbeat.is_some())
        .await;
    // The orders it knows and the one it does not: who judges them says that it does not understand.
    let first: SignedOrder = site.orders.recv().await.unwrap();
    let order: Order = serde_json::from_str(&first.order).unwrap();
    assert_eq!(order.host, HostId::from_uuid(uuid::Uuid::from_u128(0x4000_8000_0000_0000_00f1)));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_with_anything_more_in_it_deletes_nothing() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|request| match request.path.as_str() {
        "/v1/heartbeat" => Reply::json(200, &heartbeat_answer()),
        "/v1/batches" => {
            let mut ack = serde_json::to_value(request.ack()).unwrap();
            ack["replicas"] = 3.into();
            Reply::json(200, &ack)
        }
        _ => Reply::Cut,
    }));
    let mut site = Site::new(&authority, config(&server.url));
    site.append(2);
    site.start();
    server.next("/v1/batches");
    // It is sent again, and again as a whole.
    let again = server.next("/v1/batches");
    assert_eq!(again.sequences(), [1, 2]);
    assert_eq!(site.buffer.level().waiting, 2);
    assert_eq!(site.buffer.last_sequence(), Sequence(2));
    site.stop().await;
}
