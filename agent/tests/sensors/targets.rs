//! What must answer: ports, pages, services.

use std::io::{Read as _, Write};
use std::net::TcpListener;

use shirase_agent::observation::{Fact, Presence};
use shirase_agent::sensors::SensorBoard;
use shirase_agent::sensors::probes::{self, ProbeConfig};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::watching::{DEADLINE, clock};

#[tokio::test]
async fn a_port_and_a_page_that_go_away_are_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || {
        // Two questions: the TCP probe's and the page's, in any order; then the port closes.
        for stream in listener.incoming().take(2).flatten() {
            let mut stream = stream;
            // Reads the question first: a close with unread bytes would tear the answer.
            drop(stream.read(&mut [0; 4096]));
            // The TCP probe hangs up without a word; writing to it may fail.
            drop(stream.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwell",
            ));
        }
    });
    let probe = |name: &str, tcp: Option<String>, url: Option<String>| ProbeConfig {
        name: name.to_owned(),
        tcp,
        url,
        expect_status: Some(200),
        expect_text: Some("well".to_owned()),
        interval_secs: 1,
        timeout_secs: 2,
        ..ProbeConfig::default()
    };
    let (out, mut seen) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let board = SensorBoard::default();
    let url = format!("http://{address}/health");
    for probe in [probe("port", Some(address), None), probe("page", None, Some(url))] {
        tokio::spawn(probes::run(probe, clock(), out.clone(), board.clone(), stop.clone()));
    }
    let mut told = Vec::new();
    while told.len() < 4 {
        let next = tokio::time::timeout(DEADLINE, seen.recv())
            .await
            .expect("in time");
        match next.expect("the probes run").fact {
            Fact::Target(target) => told.push((target.target.name, target.presence)),
            other => panic!("not a target: {other:?}"),
        }
    }
    told.sort_by_key(|(name, presence)| (name.clone(), *presence == Presence::Down));
    let (page, port) = ("page".to_owned(), "port".to_owned());
    assert_eq!(
        told,
        [
            (page.clone(), Presence::Up),
            (page, Presence::Down),
            (port.clone(), Presence::Up),
            (port, Presence::Down),
        ]
    );
    stop.cancel();
    answering.join().unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_host_without_a_service_manager_says_so_once() {
    use std::path::Path;

    use shirase_agent::sensors::services::{self, ServiceConfig};
    use shirase_shared::event::LossKind;
    use shirase_shared::wire::SensorState;

    if Path::new("/run/systemd/system").exists() {
        println!("not tried: systemd runs here");
        return;
    }
    let (out, mut seen) = mpsc::channel(16);
    let (stop, board) = (CancellationToken::new(), SensorBoard::default());
    let service = ServiceConfig { name: "postgresql.service".to_owned(), grace_secs: None };
    let watched = services::Watched { services: vec![service], processes: Vec::new() };
    tokio::spawn(services::run(watched, clock(), out, board.clone(), stop.clone()));
    let next = tokio::time::timeout(DEADLINE, seen.recv())
        .await
        .expect("in time");
    match next.expect("the sensor runs").fact {
        Fact::Lost(lost) => assert_eq!(lost.what, LossKind::SensorBlind),
        other => panic!("not a loss: {other:?}"),
    }
    assert_eq!(board.reports()[0].state, SensorState::Blind);
    stop.cancel();
}

// === Helpers ===
