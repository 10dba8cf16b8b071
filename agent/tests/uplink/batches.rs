//! What becomes of records, whatever is answered.

use shirase_shared::event::{Anomaly, Event, LossKind, Phase, Record, Severity};
use shirase_shared::ids::{BurstId, Sequence};
use shirase_shared::testing::builders::mass_change;
use shirase_shared::wire::{Ack, Refusal, RefusalReason, WIRE_HEADER, record_hash};

use crate::server::{Reply, Request};
use crate::site::{Authority, Site, config, script};

/// A collector whose first answer to a batch is `first` and which then does its work: the very same records come again,
/// and none leaves the buffer before they were acknowledged.
async fn check_sent_again(first: impl Fn(&Request) -> Reply + Send + 'static) {
    let authority = Authority::new();
    let mut asked = 0;
    let server = authority.serve(script(move |request| {
        asked += 1;
        if asked == 1 { first(request) } else { Reply::json(200, &request.ack()) }
    }));
    let mut site = Site::new(&authority, config(&server.url));
    site.append(3);
    site.start();
    let before = server.next("/v1/batches");
    let waiting = site.buffer.level().waiting;
    let again = server.next("/v1/batches");
    assert_eq!(waiting, 3, "nothing leaves before it was acknowledged");
    assert_eq!(again.batch().lines, before.batch().lines);
    site.eventually("an empty buffer", |state, buffer| {
        buffer.level().waiting == 0 && state.last_ack.is_some()
    })
    .await;
    assert_eq!(site.board.read().last_error, None);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_leave_once_they_are_acknowledged_and_travel_as_they_are_kept() {
    let authority = Authority::new();
    let server = authority.serve(script(|request| Reply::json(200, &request.ack())));
    let mut site = Site::new(&authority, config(&server.url));
    site.append(5);
    let kept = site.buffer.peek(10, 1 << 20).unwrap();
    site.start();
    let request = server.next("/v1/batches");
    assert_eq!(request.headers[WIRE_HEADER], "1");
    let hashes: Vec<_> = request
        .batch()
        .lines
        .iter()
        .map(|line| record_hash(line))
        .collect();
    assert_eq!(hashes, kept.into_iter().map(|line| line.hash).collect::<Vec<_>>());
    site.eventually("an empty buffer", |_, buffer| buffer.level().waiting == 0)
        .await;
    // An append wakes the uplink at once.
    site.append(1);
    assert_eq!(server.next("/v1/batches").sequences(), [6]);
    site.eventually("an empty buffer again", |_, buffer| buffer.level().waiting == 0)
        .await;
    assert_eq!(server.so_far("/v1/batches").len(), 0, "nothing is sent twice without need");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxys_page_with_status_200_proves_nothing() {
    check_sent_again(|_| {
        Reply::Answer(200, "text/html", b"<html>Welcome to Hospital Wi-Fi</html>".to_vec())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_proves_nothing() {
    check_sent_again(|_| Reply::Answer(404, "text/html", b"<h1>Not Found</h1>".to_vec())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_500_proves_nothing() {
    check_sent_again(|_| {
        Reply::Answer(500, "application/json", br#"{"error":"the disk is full"}"#.to_vec())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_under_a_failing_status_proves_nothing() {
    check_sent_again(|request| Reply::json(502, &request.ack())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    check_sent_again(|_| Reply::Answer(307, "text/plain", Vec::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_means_again() {
    check_sent_again(|_| Reply::Cut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_means_again() {
    check_sent_again(|_| Reply::Silence).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_digest_means_again() {
    check_sent_again(|request| {
        Reply::json(200, &Ack { digest: record_hash(b"other bytes"), ..request.ack() })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_means_again() {
    check_sent_again(|_| Reply::Answer(200, "application/json", vec![b' '; 8 << 20])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_is_set_aside_and_told_and_the_others_are_stored() {
    let authority = Authority::new();
    let server = authority.serve(script(|request| {
        if request.sequences().contains(&2) {
            let stream = request.batch().head.stream;
            return Reply::json(
                422,
                &Refusal { stream, sequence: Sequence(2), refused: RefusalReason::Malformed },
            );
        }
        Reply::json(200, &request.ack())
    }));
    let mut site = Site::new(&authority, config(&server.url));
    site.append(3);
    site.start();
    assert_eq!(server.next("/v1/batches").sequences(), [1, 2, 3]);
    let second = server.next("/v1/batches");
    assert_eq!(second.sequences(), [1, 3, 4]);
    let told: Record = serde_json::from_slice(&second.batch().lines[2]).unwrap();
    assert!(
        matches!(told.event.anomaly, Anomaly::Loss(loss) if loss.what == LossKind::RecordSetAside)
    );
    site.eventually("an empty buffer", |_, buffer| buffer.level().waiting == 0)
        .await;
    assert_eq!(site.buffer.level().set_aside, 1);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_too_large_for_someone_on_the_way_is_halved_until_it_passes() {
    let authority = Authority::new();
    let server = authority.serve(script(|request| {
        if 3 < request.sequences().len() {
            return Reply::Answer(413, "text/html", b"<h1>Request Entity Too Large</h1>".to_vec());
        }
        Reply::json(200, &request.ack())
    }));
    let mut site = Site::new(&authority, config(&server.url));
    site.append(10);
    site.start();
    site.eventually("an empty buffer", |_, buffer| buffer.level().waiting == 0)
        .await;
    let lengths: Vec<_> = server
        .so_far("/v1/batches")
        .iter()
        .map(|request| request.sequences().len())
        .collect();
    assert_eq!(lengths[..3], [10, 5, 2], "{lengths:?}");
    assert_eq!(site.buffer.level().set_aside, 0, "a status alone sets nothing aside");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_authority_gets_nothing() {
    let stranger = Authority::new();
    let server = stranger.serve(script(|request| Reply::json(200, &request.ack())));
    let authority = Authority::new();
    let mut site = Site::new(&authority, config(&server.url));
    site.append(1);
    site.start();
    site.eventually("two failures", |state, _| 2 <= state.failures_in_a_row)
        .await;
    assert!(server.so_far("/v1/batches").is_empty());
    assert_eq!(site.buffer.level().waiting, 1);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn critical_events_go_to_the_systems_log_once_while_nobody_answers() {
    let authority = Authority::new();
    let mut site = Site::new(&authority, config("https://127.0.0.1:1"));
    let critical = |files| Event {
        severity: Severity::Critical,
        ..mass_change(BurstId::random(), Phase::Opened, files, 0)
    };
    site.append(2);
    site.keep(critical(40));
    site.start();
    site.eventually("one line", |state, _| state.written_to_system_log == 1)
        .await;
    site.keep(critical(41));
    site.eventually("another line", |state, _| state.written_to_system_log == 2)
        .await;
    site.eventually("further failures", |state, _| 6 <= state.failures_in_a_row)
        .await;
    let lines = site.system_log.lock().unwrap().clone();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0].contains("no collector answers") && lines[0].contains("40 files gained"),
        "{lines:#?}"
    );
    assert_eq!(site.buffer.level().waiting, 4, "they wait for the collector all the same");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_collector_takes_over_and_gives_back() {
    let authority = Authority::new();
    let second = authority.serve(script(|request| Reply::json(200, &request.ack())));
    let well = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_well = std::sync::Arc::clone(&well);
    let first = authority.serve(Box::new(move |request| {
        if !is_well.load(std::sync::atomic::Ordering::SeqCst) {
            return Reply::Cut;
        }
        match request.path.as_str() {
            "/v1/batches" => Reply::json(200, &request.ack()),
            _ => Reply::json(200, &crate::site::heartbeat_answer()),
        }
    }));
    let config = shirase_agent::uplink::UplinkConfig {
        second_url: second.url.clone(),
        second_after_secs: 1,
        ..config(&first.url)
    };
    let mut site = Site::new(&authority, config);
    site.append(1);
    site.start();
    assert_eq!(first.next("/v1/batches").sequences(), [1]);
    assert_eq!(second.next("/v1/batches").sequences(), [1]);
    site.eventually("an empty buffer", |_, buffer| buffer.level().waiting == 0)
        .await;
    assert!(site.board.read().upstream.starts_with(&second.url));

    well.store(true, std::sync::atomic::Ordering::SeqCst);
    let alive = first.next("/v1/heartbeat");
    drop(alive);
    site.eventually("the first again", |state, _| state.upstream.starts_with(&first.url))
        .await;
    first.so_far("/v1/batches");
    site.append(1);
    assert_eq!(first.next("/v1/batches").sequences(), [2]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_an_answer() {
    let authority = Authority::new();
    let server = authority.serve(Box::new(|_| Reply::Silence));
    let config =
        shirase_agent::uplink::UplinkConfig { answer_timeout_secs: 60, ..config(&server.url) };
    let mut site = Site::new(&authority, config);
    site.append(1);
    site.start();
    server.next("/v1/batches");
    let buffer = site.buffer.clone();
    site.stop().await;
    assert_eq!(buffer.level().waiting, 1);
}
