//! The sensors on a real directory, real sockets and the real kernel.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise and looks for one fact among many"
)]

use std::collections::VecDeque;
use std::fs;
use std::io::{Read as _, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shirase_agent::canaries::Watchlist;
use shirase_agent::detectors::{Detectors, DetectorsConfig};
use shirase_agent::observation::{
    Fact, FileChange, Observation, Operation, Presence, RescanCause, Sight, Verdict,
};
use shirase_agent::sensors::files::{
    self, BackendChoice, FilesConfig, FilesParts, FilesSensor, RootConfig,
};
use shirase_agent::sensors::probes::{self, ProbeConfig};
use shirase_agent::sensors::services::{self, ServiceConfig};
use shirase_agent::sensors::{CHANGES_CAPACITY, SensorBoard, host};
use shirase_agent::watch;
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::event::{Event, LossKind, Severity};
use shirase_shared::redact::Redactor;
use shirase_shared::testing::eventually;
use shirase_shared::wire::SensorState;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_encryptor_is_told_from_a_real_directory() {
    let home = tempfile::tempdir().unwrap();
    for number in 0..40 {
        pdf(&home.path().join(format!("d{}/{number}.pdf", number % 4)));
    }
    let mut watch = Watch::begin(home.path());
    for number in 0..40 {
        let path = home.path().join(format!("d{}/{number}.pdf", number % 4));
        fs::rename(&path, path.with_extension("pdf.qzx")).unwrap();
    }
    let mut detectors = Detectors::new(&DetectorsConfig::default(), Redactor::new(&[7; 32]));
    let mut events = Vec::<Event>::new();
    while !events
        .iter()
        .any(|event| event.severity == Severity::Critical)
    {
        let seen = watch.next("a critical event").await;
        events.extend(detectors.observe(&seen, watch.clock.moment()));
    }
    assert_eq!(events[0].severity, Severity::High);
    assert!(events[0].files_affected <= 5, "{:?}", events[0]);
    watch.end().await;
}

#[tokio::test]
async fn each_change_is_one_observation() {
    let home = tempfile::tempdir().unwrap();
    pdf(&home.path().join("old.pdf"));
    pdf(&home.path().join("gone.pdf"));
    fs::write(home.path().join("emptied.csv"), "1,2,3\n").unwrap();
    let mut watch = Watch::begin(home.path());

    fs::rename(home.path().join("old.pdf"), home.path().join("new.pdf.xyz")).unwrap();
    let change = watch.change("a rename").await;
    assert_eq!(change.operation, Operation::Renamed { from: PathBuf::from("old.pdf") });
    assert_eq!(
        (change.below.as_path(), change.verdict),
        (Path::new("new.pdf.xyz"), Verdict::Agrees)
    );

    fs::remove_file(home.path().join("gone.pdf")).unwrap();
    assert_eq!(watch.change("a deletion").await.operation, Operation::Deleted);

    let emptied = fs::OpenOptions::new()
        .write(true)
        .open(home.path().join("emptied.csv"))
        .unwrap();
    emptied.set_len(0).unwrap();
    let change = watch.change("a truncation that nobody closes").await;
    assert_eq!((change.operation, change.size), (Operation::Written, Some(0)));
    drop(emptied);
    assert_eq!(watch.change("its close").await.operation, Operation::Written);

    let elsewhere = tempfile::tempdir_in(home.path().parent().unwrap()).unwrap();
    fs::rename(home.path().join("new.pdf.xyz"), elsewhere.path().join("x")).unwrap();
    assert_eq!(watch.change("a move away").await.operation, Operation::MovedOut);
    watch.end().await;
}

#[tokio::test]
async fn an_overwritten_file_has_lost_its_magic() {
    let home = tempfile::tempdir().unwrap();
    pdf(&home.path().join("a.pdf"));
    let mut watch = Watch::begin(home.path());
    fs::write(home.path().join("a.pdf"), noise()).unwrap();
    let change = watch.change("an overwrite").await;
    assert_eq!((change.operation, change.verdict), (Operation::Written, Verdict::Lost));
    watch.end().await;
}

#[tokio::test]
async fn files_of_new_directories_are_seen_however_deep() {
    let home = tempfile::tempdir().unwrap();
    let mut watch = Watch::begin(home.path());
    let deep = home.path().join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    pdf(&deep.join("x.pdf"));
    watch
        .until(
            "the file in the new directory",
            |fact| matches!(fact, Fact::File(change) if change.below == Path::new("a/b/c/x.pdf")),
        )
        .await;
    // By now the new directory is watched itself.
    eventually("a change in the new directory", DEADLINE, || {
        pdf(&deep.join("y.pdf"));
        let seen = watch.drain();
        async move {
            let found = |fact: &Fact| {
                matches!(fact, Fact::File(c) if c.below == Path::new("a/b/c/y.pdf")
                    && c.operation == Operation::Written)
            };
            seen.iter().any(found).then_some(())
        }
    })
    .await;
    watch.end().await;
}

#[cfg(unix)]
#[tokio::test]
async fn hostile_names_are_just_names() {
    use std::os::unix::ffi::OsStringExt as _;

    let home = tempfile::tempdir().unwrap();
    let names: [Vec<u8>; 5] = [
        b"\x1b[2J\nfake log line.pdf".to_vec(),
        b"\xff\xfe\x80.pdf".to_vec(),
        vec![b'a'; 255],
        "\u{202e}fdp.exe".as_bytes().to_vec(),
        b"%s%n{}$(reboot)`'\".pdf".to_vec(),
    ];
    let mut watch = Watch::begin(home.path());
    let mut detectors = Detectors::new(&DetectorsConfig::default(), Redactor::new(&[7; 32]));
    for name in names {
        let path = home.path().join(std::ffi::OsString::from_vec(name));
        fs::write(&path, noise()).unwrap();
        fs::rename(&path, home.path().join("b.\u{7}\u{202e}x")).unwrap();
        let mut renamed = false;
        while !renamed {
            let seen = watch.next("the rename of a hostile name").await;
            renamed = matches!(&seen.fact, Fact::File(c) if matches!(c.operation, Operation::Renamed { .. }));
            for event in detectors.observe(&seen, watch.clock.moment()) {
                let text = serde_json::to_string(&event).unwrap();
                assert!(!text.chars().any(char::is_control), "{text}");
            }
        }
    }
    watch.end().await;
}

#[tokio::test]
async fn a_root_that_goes_and_returns_is_watched_again() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("share");
    pdf(&root.join("a.pdf"));
    let mut watch = Watch::begin(&root);
    fs::remove_dir_all(&root).unwrap();
    watch.until("the root is gone", is_sight(Sight::Gone)).await;
    assert_eq!(watch.state(), SensorState::Blind);

    pdf(&root.join("b.pdf"));
    // The rescan has a thread of its own: the two come in either order.
    let (mut back, mut rescanned) = (false, false);
    while !(back && rescanned) {
        match watch.next("the root is back and was rescanned").await.fact {
            Fact::Root(seen) => back = seen.sight == Sight::Whole,
            Fact::Rescanned(done) => rescanned = done.cause == RescanCause::RootBack,
            _ => {}
        }
    }
    fs::rename(root.join("b.pdf"), root.join("c.pdf")).unwrap();
    watch
        .until(
            "a change in the root that is back",
            |fact| matches!(fact, Fact::File(c) if c.below == Path::new("c.pdf")),
        )
        .await;
    assert_eq!(watch.state(), SensorState::Well);
    watch.end().await;
}

#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_read_is_said_and_the_rest_is_watched() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().unwrap();
    let closed = home.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let lock = |mode| fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).unwrap();
    lock(0o000);
    if fs::read_dir(&closed).is_ok() {
        println!("not tried: root may read everything");
        return;
    }
    let mut part = Watch::begin(home.path());
    part.until("a directory cannot be read", is_sight(Sight::Partial))
        .await;
    assert_eq!(part.state(), SensorState::Degraded);
    pdf(&home.path().join("a.pdf"));
    assert_eq!(part.change("a file beside it").await.below, Path::new("a.pdf"));
    part.end().await;

    let mut whole = Watch::begin(&closed);
    whole
        .until("the root cannot be read", is_sight(Sight::Unreadable))
        .await;
    lock(0o700);
    whole
        .until("the root can be read again", is_sight(Sight::Whole))
        .await;
    whole.end().await;
}

#[tokio::test]
async fn the_agents_own_files_are_not_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    fs::create_dir(&state).unwrap();
    let mut watch = Watch::begin_with(home.path(), |parts| parts.ignored.push(state.clone()));
    pdf(&state.join("own.pdf"));
    fs::rename(state.join("own.pdf"), home.path().join("out.pdf")).unwrap();
    let change = watch.change("the first thing outside").await;
    assert_eq!(
        (change.below.as_path(), change.operation),
        (Path::new("out.pdf"), Operation::Created)
    );
    watch.end().await;
}

#[tokio::test]
async fn what_changed_while_nobody_watched_is_looked_at_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let clock = clock();
    let since = clock.now();
    for number in 0..5 {
        let path = home.path().join(format!("{number}.pdf.qzx"));
        fs::write(path, noise()).unwrap();
    }
    fs::write(home.path().join("overwritten.pdf"), noise()).unwrap();
    pdf(&home.path().join("well.pdf"));
    let mut watch = Watch::begin_with(home.path(), |parts| parts.since = Some(since));
    let mut found = Vec::new();
    let done = loop {
        match watch.next("the end of the rescan").await.fact {
            Fact::Found(file) => found.push(file.below),
            Fact::Rescanned(done) => break done,
            _ => {}
        }
    };
    assert_eq!((done.cause, done.looked_at, done.suspicious), (RescanCause::Start, 7, 6));
    assert_eq!(found.len(), 6, "{found:?}");
    watch.end().await;
}

#[tokio::test]
async fn watch_says_ready_and_then_what_it_sees() {
    let home = tempfile::tempdir().unwrap();
    for number in 0..10 {
        pdf(&home.path().join(format!("{number}.pdf")));
    }
    let (stop, printed) = (CancellationToken::new(), Printed::default());
    let options = watch::Options {
        dirs: vec![home.path().to_owned()],
        json: true,
        state: None,
        backend: BackendChoice::Notify,
        record: None,
    };
    let (mut out, token) = (printed.clone(), stop.clone());
    let running = tokio::spawn(async move { watch::run(options, clock(), &mut out, token).await });
    printed.wait_for("ready").await;
    for number in 0..10 {
        let path = home.path().join(format!("{number}.pdf"));
        fs::rename(&path, path.with_extension("pdf.qzx")).unwrap();
    }
    let event = printed.wait_for("event").await;
    assert_eq!((&event["kind"], &event["phase"]), (&"mass_change".into(), &"opened".into()));
    assert_eq!(event["severity"], "high");
    assert!(event["evidence"]["suffix_appended"].as_u64() >= Some(3), "{event}");
    let text = event.to_string();
    assert!(!text.contains(".pdf.qzx"), "names stay on the host: {text}");
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn watch_names_the_directory_it_cannot_watch() {
    let options = watch::Options {
        dirs: vec!["/no/such/place".into()],
        json: true,
        state: None,
        backend: BackendChoice::Notify,
        record: None,
    };
    let mut out = Vec::new();
    let error = watch::run(options, clock(), &mut out, CancellationToken::new()).await;
    assert!(error.unwrap_err().to_string().contains("/no/such/place"));
    assert!(out.is_empty());
}

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

fn clock() -> SharedClock {
    Arc::new(SystemClock::new(host::boot_id()))
}

fn pdf(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, b"%PDF-1.7\n................").unwrap();
}

/// Bytes that are no text and begin like nothing.
fn noise() -> Vec<u8> {
    (0..600_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0] & 0x1f)
        .collect()
}

fn is_sight(sight: Sight) -> impl Fn(&Fact) -> bool {
    move |fact| matches!(fact, Fact::Root(seen) if seen.sight == sight)
}

/// A running files sensor and what it sees.
struct Watch {
    sensor: FilesSensor,
    seen: mpsc::Receiver<Vec<Observation>>,
    /// What came together and was not asked for yet.
    waiting: VecDeque<Observation>,
    board: SensorBoard,
    clock: SharedClock,
}

impl Watch {
    fn begin(root: &Path) -> Self {
        Self::begin_with(root, |_| {})
    }

    fn begin_with(root: &Path, adapt: impl FnOnce(&mut FilesParts)) -> Self {
        let (out, seen) = mpsc::channel(CHANGES_CAPACITY);
        let root = RootConfig::new(root);
        let (board, clock) = (SensorBoard::default(), clock());
        let mut parts = FilesParts {
            name: "files".to_owned(),
            roots: files::resolve(&[root]),
            // This process makes the changes itself, which fanotify leaves out; see `fanotify.rs` beside this file.
            config: FilesConfig { backend: BackendChoice::Notify, ..FilesConfig::default() },
            clock: clock.clone(),
            out,
            board: board.clone(),
            since: None,
            ignored: Vec::new(),
            memory: None,
            watchlist: Watchlist::default(),
        };
        adapt(&mut parts);
        let sensor = files::begin(parts).unwrap();
        Self { sensor, seen, waiting: VecDeque::new(), board, clock }
    }

    async fn next(&mut self, what: &str) -> Observation {
        loop {
            if let Some(next) = self.waiting.pop_front() {
                return next;
            }
            let next = tokio::time::timeout(DEADLINE, self.seen.recv()).await;
            let next = next.unwrap_or_else(|_| panic!("waited in vain for {what}"));
            self.waiting.extend(next.expect("the sensor runs"));
        }
    }

    async fn change(&mut self, what: &str) -> FileChange {
        loop {
            if let Fact::File(change) = self.next(what).await.fact {
                return change;
            }
        }
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&Fact) -> bool) {
        while !wanted(&self.next(what).await.fact) {}
    }

    fn drain(&mut self) -> Vec<Fact> {
        while let Ok(observations) = self.seen.try_recv() {
            self.waiting.extend(observations);
        }
        self.waiting
            .drain(..)
            .map(|observation| observation.fact)
            .collect()
    }

    fn state(&self) -> SensorState {
        self.board.reports()[0].state
    }

    async fn end(self) {
        let Self { sensor, seen, .. } = self;
        drop(seen);
        tokio::task::spawn_blocking(move || sensor.end())
            .await
            .unwrap();
    }
}

/// What `watch` printed.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Printed {
    /// Waits for the first line of a type.
    async fn wait_for(&self, wanted: &str) -> serde_json::Value {
        eventually(wanted, DEADLINE, || async {
            let printed = self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let text = String::from_utf8(printed).expect("text");
            let lines = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            let mut lines = lines.filter(|line: &serde_json::Value| line["type"] == wanted);
            lines.next()
        })
        .await
    }
}
