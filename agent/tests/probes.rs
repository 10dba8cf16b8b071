//! The probes against peers on real sockets: well, ill, mute and gone.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use shirase_agent::observation::Presence;
use shirase_agent::sensors::host;
use shirase_agent::sensors::probes::{Answer, ProbeConfig, Prober};
use shirase_shared::clock::SystemClock;

#[tokio::test]
async fn an_interface_is_up_when_it_acknowledges_and_not_when_it_refuses() {
    let well = answer_hl7(|id| format!("MSH|^~\\&|A|B|||2026||ACK|1|P|2.5\rMSA|AA|{id}\r"));
    assert_eq!(ask(hl7(&well)).await, up("acknowledged with AA"));

    let ill = answer_hl7(|id| format!("MSH|^~\\&|A|B|||2026||ACK|1|P|2.5\rMSA|AE|{id}|full\r"));
    assert_eq!(ask(hl7(&ill)).await, down("answered AE (error): full"));

    let other = answer_hl7(|_| "MSH|^~\\&|A|B|||2026||ACK|1|P|2.5\rMSA|AA|OTHER\r".to_owned());
    let (presence, detail) = ask(hl7(&other)).await;
    assert_eq!(presence, Presence::Down, "an answer to another message: {detail}");
}

#[tokio::test]
async fn who_accepts_and_never_answers_is_down_in_every_language() {
    for kind in ["hl7", "dicom", "postgres", "url"] {
        let address = serve(|mut stream| {
            // Reads until the probe gives up.
            while stream.read(&mut [0; 4096]).is_ok_and(|read| 0 < read) {}
        });
        let probe = match kind {
            "hl7" => hl7(&address),
            "dicom" => ProbeConfig { dicom: Some(address), ..probe() },
            "postgres" => ProbeConfig { postgres: Some(address), ..probe() },
            _ => ProbeConfig { url: Some(format!("http://{address}/")), ..probe() },
        };
        let (presence, detail) = ask(probe).await;
        assert_eq!(presence, Presence::Down, "{kind}: {detail}");
        assert!(detail.contains("answer within 1 s"), "{kind}: {detail}");
    }
}

#[tokio::test]
async fn who_closes_at_once_or_talks_nonsense_is_down() {
    for said in ["", "220 ftp.example.jp ready\r\n"] {
        for kind in ["hl7", "dicom", "postgres"] {
            let address = serve(move |mut stream| {
                // The probe may be gone already.
                drop(stream.write_all(said.as_bytes()));
            });
            let probe = match kind {
                "hl7" => hl7(&address),
                "dicom" => ProbeConfig { dicom: Some(address), ..probe() },
                _ => ProbeConfig { postgres: Some(address), ..probe() },
            };
            let (presence, detail) = ask(probe).await;
            assert_eq!(presence, Presence::Down, "{kind} {said:?}: {detail}");
        }
    }
}

#[tokio::test]
async fn a_server_that_starts_up_is_down_and_one_that_asks_for_a_password_is_up() {
    let starting = serve(|mut stream| {
        read_startup(&mut stream);
        let fields = b"SFATAL\0C57P03\0Mthe database system is starting up\0\0";
        stream.write_all(&message(b'E', fields)).unwrap();
    });
    let (presence, detail) = ask(ProbeConfig { postgres: Some(starting), ..probe() }).await;
    assert_eq!(presence, Presence::Down);
    assert!(detail.contains("starting up"), "{detail}");

    let asking = serve(|mut stream| {
        read_startup(&mut stream);
        let mut body = 10_u32.to_be_bytes().to_vec();
        body.extend(b"SCRAM-SHA-256\0\0");
        stream.write_all(&message(b'R', &body)).unwrap();
    });
    let (presence, detail) = ask(ProbeConfig { postgres: Some(asking), ..probe() }).await;
    assert_eq!(presence, Presence::Up, "{detail}");
}

#[tokio::test]
async fn a_page_without_the_expected_text_is_down() {
    let page = |body: &'static str| {
        let address = serve(move |mut stream| {
            drop(stream.read(&mut [0; 4096]));
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            stream
                .write_all(format!("{head}{body}").as_bytes())
                .unwrap();
        });
        ProbeConfig {
            url: Some(format!("http://{address}/login")),
            expect_text: Some("ログイン".to_owned()),
            ..probe()
        }
    };
    assert_eq!(ask(page("<h1>ログイン</h1>")).await.0, Presence::Up);
    let (presence, detail) = ask(page("<h1>Database error</h1>")).await;
    assert_eq!(presence, Presence::Down, "{detail}");
}

// === Helpers ===

fn probe() -> ProbeConfig {
    ProbeConfig { name: "peer".to_owned(), timeout_secs: 1, ..ProbeConfig::default() }
}

fn hl7(address: &str) -> ProbeConfig {
    ProbeConfig { hl7: Some(address.to_owned()), ..probe() }
}

fn up(detail: &str) -> (Presence, String) {
    (Presence::Up, detail.to_owned())
}

fn down(detail: &str) -> (Presence, String) {
    (Presence::Down, detail.to_owned())
}

async fn ask(probe: ProbeConfig) -> (Presence, String) {
    let clock = Arc::new(SystemClock::new(host::boot_id()));
    let Answer { presence, detail, .. } = Prober::new(&probe, clock).unwrap().ask().await.unwrap();
    (presence, detail)
}

/// A peer that serves one connection. Returns its address.
fn serve(serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        serve(stream);
    });
    address
}

/// An interface that answers one message, made from its control id.
fn answer_hl7(answer: impl FnOnce(&str) -> String + Send + 'static) -> String {
    serve(move |mut stream| {
        let mut block = Vec::new();
        while !block.ends_with(b"\x1c\r") {
            let mut part = [0; 1024];
            let read = stream.read(&mut part).unwrap();
            assert_ne!(read, 0, "the message ends with its frame");
            block.extend(&part[..read]);
        }
        let text = String::from_utf8(block).unwrap();
        let id = text.split('|').nth(9).unwrap();
        let block = format!("\x0b{}\x1c\r", answer(id));
        stream.write_all(block.as_bytes()).unwrap();
    })
}

/// Reads what a client of PostgreSQL says first: its length, then the rest.
fn read_startup(stream: &mut TcpStream) {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let rest = usize::try_from(u32::from_be_bytes(length)).unwrap() - 4;
    stream.read_exact(&mut vec![0; rest]).unwrap();
}

/// A message of a PostgreSQL server: its kind, its length with these four bytes, its body.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind], length.to_be_bytes().as_slice(), body].concat()
}
