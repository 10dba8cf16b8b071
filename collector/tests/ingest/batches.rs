//! Batches: stored once, acknowledged by their digest, refused by number, forks kept.

use std::io::Read;

use jiff::SignedDuration;
use reqwest::StatusCode;
use shirase_shared::clock::Clock;
use shirase_shared::event::{Event, Phase, Severity};
use shirase_shared::ids::{BurstId, Sequence};
use shirase_shared::testing::builders::mass_change;
use shirase_shared::wire::{
    Ack, BATCH_MAX_COMPRESSED_BYTES, BATCH_MAX_RECORDS, HeartbeatAnswer, RECORD_MAX_BYTES, Refusal,
    RefusalReason, WIRE_HEADER, batch_digest, record_hash,
};

use crate::site::{Agent, Site, problem, read};

fn events(agent: &Agent, count: u64) -> Vec<Event> {
    let burst = BurstId::random();
    (0..count)
        .map(|number| {
            let mut event = mass_change(burst, Phase::Grew, 30 + number, 0);
            event.moment = agent.moment;
            event.detected_at = agent.moment.wall;
            event
        })
        .collect()
}

fn digest(lines: &[Vec<u8>]) -> String {
    let hashes: Vec<String> = lines.iter().map(|line| record_hash(line)).collect();
    batch_digest(hashes.iter().map(String::as_str))
}

#[tokio::test]
async fn a_batch_sent_twice_is_stored_once_and_acknowledged_twice_alike() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let lines = agent.lines(events(&agent, 3));
    let batch = agent.batch(1, lines.clone());
    let first: Ack = read(agent.send(&batch).await, StatusCode::OK).await;
    assert_eq!((first.stream, first.stored_through), (agent.stream, Sequence(3)));
    assert_eq!(first.digest, digest(&lines));
    let second: Ack = read(agent.send(&batch).await, StatusCode::OK).await;
    assert_eq!(first, second);

    let records = site.records("handa-hp").await;
    assert_eq!(records.len(), 3);
    assert_eq!(site.woken("handa-hp"), 1, "a resent batch wakes nobody");
    for (record, line) in records.iter().zip(&lines) {
        assert_eq!((record.host, record.hash.clone()), (agent.host, record_hash(line)));
        assert!(record.event.is_some() && record.severity == Some(Severity::High));
        assert_eq!(site.store.raw_record(record).await.unwrap().as_ref(), Some(line));
    }
    assert!(site.store.forks(&agent.facility).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_number_with_another_content_is_a_fork_and_both_are_kept() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let original = agent.batch(1, agent.lines(events(&agent, 3)));
    let mut lines = original.lines.clone();
    lines[1] = agent.lines(events(&agent, 2)).remove(1);
    let copy = agent.batch(1, lines.clone());
    let _: Ack = read(agent.send(&original).await, StatusCode::OK).await;
    let ack: Ack = read(agent.send(&copy).await, StatusCode::OK).await;
    assert_eq!(ack.digest, digest(&lines));

    let forks = site.store.forks(&agent.facility).await.unwrap();
    assert_eq!(forks.iter().map(|fork| fork.sequence).collect::<Vec<_>>(), [Sequence(2)]);
    let host = (&agent.facility, agent.host);
    let both = site
        .store
        .records(host, agent.stream, Sequence(2))
        .await
        .unwrap();
    assert_eq!(both.len(), 2);
    let streams = site.store.streams(&agent.facility).await.unwrap();
    assert_eq!((streams[0].records, streams[0].last), (4, Sequence(3)));
}

#[tokio::test]
async fn an_event_of_a_newer_agent_is_kept_as_it_came() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let mut lines = agent.lines(events(&agent, 1));
    let newer = String::from_utf8(lines[0].clone()).unwrap();
    let newer = newer
        .replace("mass_change", "canary")
        .replace("\"sequence\":1", "\"sequence\":2");
    lines.push(newer.clone().into_bytes());
    let ack: Ack = read(agent.send(&agent.batch(1, lines)).await, StatusCode::OK).await;
    assert_eq!(ack.stored_through, Sequence(2));
    let host = (&agent.facility, agent.host);
    let kept = site
        .store
        .records(host, agent.stream, Sequence(2))
        .await
        .unwrap()
        .remove(0);
    assert_eq!((kept.kind.as_str(), kept.event.is_none()), ("canary", true));
    assert_eq!(kept.severity, Some(Severity::High));
    assert_eq!(site.store.raw_record(&kept).await.unwrap().unwrap(), newer.into_bytes());
}

#[tokio::test]
async fn a_bad_line_is_refused_by_its_number_and_nothing_of_the_batch_is_stored() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let mut lines = agent.lines(events(&agent, 3));
    lines[1] = b"{\"stream\":torn".to_vec();
    let answer = agent.send(&agent.batch(1, lines.clone())).await;
    let refusal: Refusal = read(answer, StatusCode::UNPROCESSABLE_ENTITY).await;
    let expected = (agent.stream, Sequence(2), RefusalReason::Malformed);
    assert_eq!((refusal.stream, refusal.sequence, refusal.refused), expected);
    assert!(site.records("handa-hp").await.is_empty());

    // At the end its number is not certain: what comes before is stored, then it stands first.
    let bad_last = vec![lines[0].clone(), lines[1].clone()];
    let ack: Ack = read(agent.send(&agent.batch(1, bad_last)).await, StatusCode::OK).await;
    assert_eq!((ack.stored_through, ack.digest), (Sequence(1), digest(&lines[..1])));
    let answer = agent.send(&agent.batch(2, vec![lines[1].clone()])).await;
    let refusal: Refusal = read(answer, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(refusal.sequence, Sequence(2));

    let mut long = agent.lines(events(&agent, 1)).remove(0);
    long.pop();
    long.extend(format!(",\"padding\":\"{}\"}}", "x".repeat(RECORD_MAX_BYTES)).bytes());
    let answer = agent.send(&agent.batch(1, vec![long])).await;
    let refusal: Refusal = read(answer, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!((refusal.sequence, refusal.refused), (Sequence(1), RefusalReason::TooLong));
}

#[tokio::test]
async fn bombs_torn_oversized_and_foreign_bodies_each_get_a_clear_answer() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let bomb = zstd::encode_all(std::io::repeat(b'a').take(512 << 20), 1).unwrap();
    let told = problem(agent.send_body(bomb).await, StatusCode::PAYLOAD_TOO_LARGE).await;
    assert!(told.contains("unpacked"), "{told}");
    let noise: Vec<u8> = (0_u64..)
        .flat_map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes())
        .take(BATCH_MAX_COMPRESSED_BYTES + 1)
        .collect();
    problem(agent.send_body(noise).await, StatusCode::PAYLOAD_TOO_LARGE).await;

    let lines = agent.lines(events(&agent, 2));
    let mut torn = agent.batch(1, lines.clone()).encode().unwrap();
    torn.truncate(torn.len() / 2);
    for body in [torn, Vec::new(), b"<html>502 Bad Gateway</html>".to_vec()] {
        problem(agent.send_body(body).await, StatusCode::BAD_REQUEST).await;
    }
    let empty = agent.send(&agent.batch(1, Vec::new())).await;
    assert!(
        problem(empty, StatusCode::BAD_REQUEST)
            .await
            .contains("no record")
    );
    let many = agent.batch(1, vec![b"{}".to_vec(); BATCH_MAX_RECORDS + 1]);
    problem(agent.send(&many).await, StatusCode::PAYLOAD_TOO_LARGE).await;

    let mut foreign = agent.batch(1, lines.clone());
    foreign.head.wire = 2;
    let told = problem(agent.send(&foreign).await, StatusCode::BAD_REQUEST).await;
    assert!(told.contains("version 2"), "{told}");
    let request = agent
        .client
        .post(format!("{}/v1/batches", agent.base))
        .header(WIRE_HEADER, "7");
    let told = problem(request.send().await.unwrap(), StatusCode::BAD_REQUEST).await;
    assert!(told.contains("version 7"), "{told}");
    assert!(site.records("handa-hp").await.is_empty());

    let good: Ack = read(agent.send(&agent.batch(1, lines)).await, StatusCode::OK).await;
    assert_eq!(good.stored_through, Sequence(2), "after all that the next batch is stored");
}

#[tokio::test]
async fn a_host_whose_clock_is_a_day_ahead_is_put_right() {
    let site = Site::start().await;
    let mut agent = site.agent("handa-hp").await;
    agent.moment.wall += SignedDuration::from_hours(24);
    let mut told = events(&agent, 1);
    told[0].moment.monotonic_ms -= 30_000;
    let batch = agent.batch(1, agent.lines(told));
    let _: Ack = read(agent.send(&batch).await, StatusCode::OK).await;
    let record = site.records("handa-hp").await.remove(0);
    assert_eq!(record.detected_at.unwrap().as_millisecond(), agent.moment.wall.as_millisecond());
    let ago = site.clock.now().duration_since(record.corrected_at);
    assert_eq!(ago.as_secs(), 30, "thirty seconds before it was sent");
    assert!(record.uncertainty.as_secs() < 5);
}

#[tokio::test]
async fn the_answer_to_a_heartbeat_tells_how_far_a_stream_is_stored() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let ask = async || {
        let answer = agent.post("/v1/heartbeat", &agent.heartbeat()).await;
        read::<HeartbeatAnswer>(answer, StatusCode::OK)
            .await
            .stored_through
    };
    assert_eq!(ask().await, None);
    let batch = agent.batch(1, agent.lines(events(&agent, 7)));
    let _: Ack = read(agent.send(&batch).await, StatusCode::OK).await;
    assert_eq!(ask().await, Some(Sequence(7)));
}
