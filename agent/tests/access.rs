//! The sensors of logons, rights and printing on real files and a socket.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use shirase_agent::observation::{Fact, Observation, Outcome, RightsChange, Standing, Wording};
use shirase_agent::sensors::logons::{self, LogonSource, LogonsConfig, LogonsParts};
use shirase_agent::sensors::printing::{self, PrintingConfig, PrintingParts};
use shirase_agent::sensors::{OBSERVATIONS_CAPACITY, SensorBoard};
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::event::LossKind;
use shirase_shared::ids::BootId;
use shirase_shared::testing::eventually;
use shirase_shared::wire::SensorState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn attempts_in_a_log_become_observations_through_rotation() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("auth.log");
    fs::write(
        &log,
        "Nov 25 19:00:00 vm sshd[1]: Failed password for old from 10.0.0.1 port 1 ssh2\n",
    )
    .unwrap();
    let config = LogonsConfig {
        source: LogonSource::Files,
        files: vec![log.clone()],
        administrators_interval_secs: 0,
        ..LogonsConfig::default()
    };
    let mut host = Host::with_logons(config, None);
    host.is("logons", SensorState::Well).await;
    let line = "Nov 25 19:42:17 vm sshd[8107]: Failed password for invalid user ghost from 10.0.0.9 port 37632 ssh2\n";
    append(&log, line.as_bytes());
    let Fact::Logon(failed) = host.next("a failed attempt").await else { panic!("no logon") };
    assert_eq!((failed.account.name.as_str(), failed.outcome), ("ghost", Outcome::Failed));
    assert_eq!(failed.account.standing, Standing::Nobody);
    assert_eq!(failed.source.as_deref(), Some("10.0.0.9"));

    append(&log, b"\xff\xfe no line of syslog\n");
    let last =
        "Nov 25 19:43:00 vm sshd[8108]: Accepted password for root from 10.0.0.9 port 37633 ssh2\n";
    append(&log, last.as_bytes());
    fs::rename(&log, home.path().join("auth.log.1")).unwrap();
    let first = "2026-11-25T19:44:00.1+09:00 vm sudo: yamada : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh\n";
    append(&log, first.as_bytes());
    let Fact::Logon(accepted) = host.next("a success").await else { panic!("no logon") };
    assert_eq!((accepted.account.name.as_str(), accepted.outcome), ("root", Outcome::Succeeded));
    assert_eq!(accepted.account.standing, Standing::System);
    let Fact::Logon(sudo) = host.next("failures of sudo").await else { panic!("no logon") };
    assert_eq!((sudo.times, sudo.service.as_str()), (3, "sudo"));
    host.stop.cancel();
}

#[tokio::test]
async fn a_host_whose_logs_cannot_be_read_says_so() {
    let home = tempfile::tempdir().unwrap();
    let config = LogonsConfig {
        source: LogonSource::Files,
        files: vec![home.path().join("auth.log")],
        administrators_interval_secs: 0,
        ..LogonsConfig::default()
    };
    let mut host = Host::with_logons(config, None);
    host.is("logons", SensorState::Blind).await;
    let Fact::Lost(lost) = host.next("a loss").await else { panic!("no loss") };
    assert_eq!(lost.what, LossKind::SensorBlind);
    assert!(lost.detail.contains("auth.log"), "{}", lost.detail);
    host.stop.cancel();
}

#[tokio::test]
async fn who_became_an_administrator_while_nobody_looked_is_told() {
    let home = tempfile::tempdir().unwrap();
    let kept = home.path().join("administrators.json");
    fs::write(&kept, r#"{"ghost":"group `sudo`"}"#).unwrap();
    let config = LogonsConfig { source: LogonSource::Off, ..LogonsConfig::default() };
    let mut host = Host::with_logons(config, Some(&kept));
    let mut told = Vec::new();
    while !told.contains(&("ghost".to_owned(), RightsChange::Withdrawn)) {
        let Fact::Rights(seen) = host.next("changed rights").await else { panic!("no rights") };
        told.push((seen.account.name, seen.change));
    }
    assert!(told.contains(&("root".to_owned(), RightsChange::Granted)), "{told:?}");
    eventually("the new administrators kept", DEADLINE, || async {
        let text = fs::read_to_string(&kept).unwrap();
        (text.contains("root") && !text.contains("ghost")).then_some(())
    })
    .await;
    host.stop.cancel();
}

#[tokio::test]
async fn each_print_job_is_told_once_and_a_silent_service_is_a_loss() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("cups.sock");
    let jobs = Arc::new(Mutex::new(vec![(1, "ward1", "old")]));
    let answers = Arc::new(Mutex::new("200 OK"));
    let mut host = Host::with_printing(&socket);
    host.is("printing", SensorState::Well).await;
    let serving = tokio::spawn(serve(
        UnixListener::bind(&socket).unwrap(),
        Arc::clone(&jobs),
        Arc::clone(&answers),
    ));
    eventually("CUPS asked", DEADLINE, || async {
        host.board
            .reports()
            .iter()
            .any(|report| report.detail == "asks CUPS")
            .then_some(())
    })
    .await;
    jobs.lock()
        .unwrap()
        .extend([(2, "ward1", "Restore-My-Files.txt"), (3, "ward2", "検体ラベル")]);
    let Fact::Print(note) = host.next("the first job").await else { panic!("no job") };
    assert_eq!((note.printer.as_str(), note.wording), ("ward1", Wording::RansomNote));
    let Fact::Print(label) = host.next("the second job").await else { panic!("no job") };
    assert_eq!((label.title.as_str(), label.wording), ("検体ラベル", Wording::Ordinary));
    *answers.lock().unwrap() = "503 Service Unavailable";
    let Fact::Lost(lost) = host.next("a loss").await else { panic!("a job was told twice") };
    assert!(lost.detail.contains("503"), "{}", lost.detail);
    host.is("printing", SensorState::Blind).await;
    *answers.lock().unwrap() = "200 OK";
    host.is("printing", SensorState::Well).await;
    host.stop.cancel();
    serving.abort();
}

/// Id, printer and title of each.
type Jobs = Arc<Mutex<Vec<(i32, &'static str, &'static str)>>>;

/// Answers Get-Jobs with all jobs from the asked id on, as CUPS does.
async fn serve(listener: UnixListener, jobs: Jobs, answer: Arc<Mutex<&'static str>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = vec![0; 4096];
        let mut length = 0;
        // The question ends with the keyword list and the end tag.
        while !question[..length].ends_with(b"time-at-creation\x03") {
            let read = stream.read(&mut question[length..]).await.unwrap();
            assert_ne!(read, 0, "a question that is cut off");
            length += read;
        }
        let at = question
            .windows(12)
            .position(|bytes| bytes == b"first-job-id")
            .unwrap();
        let first = i32::from_be_bytes(question[at + 14..at + 18].try_into().unwrap());
        let mut body = b"\x02\x00\x00\x00\x00\x00\x00\x01".to_vec();
        for (id, printer, title) in jobs.lock().unwrap().iter().filter(|job| first <= job.0) {
            body.push(0x02);
            value(
                &mut body,
                0x45,
                "job-printer-uri",
                format!("ipp://h/printers/{printer}").as_bytes(),
            );
            value(&mut body, 0x42, "job-name", title.as_bytes());
            // Job 1 is of 1970, before anybody looked.
            let made = if *id == 1 { 0 } else { i32::MAX };
            value(&mut body, 0x21, "time-at-creation", &made.to_be_bytes());
            value(&mut body, 0x21, "job-id", &id.to_be_bytes());
        }
        body.push(0x03);
        let status = *answer.lock().unwrap();
        let head = format!("HTTP/1.0 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
    }
}

fn value(body: &mut Vec<u8>, tag: u8, name: &str, value: &[u8]) {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
    body.push(tag);
    body.extend(length(name.as_bytes()));
    body.extend(name.as_bytes());
    body.extend(length(value));
    body.extend(value);
}

fn append(path: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// A host under watch.
struct Host {
    observations: mpsc::Receiver<Observation>,
    board: SensorBoard,
    stop: CancellationToken,
}

impl Host {
    fn with_logons(config: LogonsConfig, kept: Option<&Path>) -> Self {
        let (out, observations) = mpsc::channel(OBSERVATIONS_CAPACITY);
        let (board, stop) = (SensorBoard::default(), CancellationToken::new());
        let parts = LogonsParts {
            config,
            clock: clock(),
            out,
            board: board.clone(),
            since: None,
            known_administrators: kept.map(Path::to_owned),
        };
        tokio::spawn(logons::run(parts, stop.clone()));
        Self { observations, board, stop }
    }

    fn with_printing(socket: &Path) -> Self {
        let (out, observations) = mpsc::channel(OBSERVATIONS_CAPACITY);
        let (board, stop) = (SensorBoard::default(), CancellationToken::new());
        let parts = PrintingParts {
            config: PrintingConfig { cups_socket: socket.to_owned(), interval_secs: 1 },
            clock: clock(),
            out,
            board: board.clone(),
            since: Some(Timestamp::from_second(1_000_000).unwrap()),
        };
        tokio::spawn(printing::run(parts, stop.clone()));
        Self { observations, board, stop }
    }

    async fn is(&self, name: &str, state: SensorState) {
        eventually(&format!("{name} {state:?}"), DEADLINE, || async {
            let mut reports = self.board.reports().into_iter();
            reports.find(|report| report.name == name && report.state == state)
        })
        .await;
    }

    async fn next(&mut self, what: &str) -> Fact {
        let next = tokio::time::timeout(DEADLINE, self.observations.recv()).await;
        next.unwrap_or_else(|_| panic!("waited too long for {what}"))
            .unwrap()
            .fact
    }
}

fn clock() -> SharedClock {
    Arc::new(SystemClock::new(BootId::random()))
}
