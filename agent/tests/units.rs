//! The sensor of services and guards against a service manager that a test plays, on a real message bus.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use shirase_agent::observation::{
    Course, Fact, GuardBefore, GuardSeen, Observation, Runs, ServicesSeen, Starts,
};
use shirase_agent::sensors::SensorBoard;
use shirase_agent::sensors::units::{self, Bus, Traces, UnitsParts};
use shirase_shared::clock::SystemClock;
use shirase_shared::event::StopCause;
use shirase_shared::ids::BootId;
use shirase_shared::wire::SensorState;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, ObjectPath, Variant};

/// How long a test waits for a state.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the manager of the test says.
#[derive(Clone, Default)]
struct Says {
    system: String,
    running: Vec<&'static str>,
    files: BTreeMap<&'static str, &'static str>,
    jobs: BTreeMap<&'static str, &'static str>,
}

/// A bus of its own, with a manager on it.
struct Host {
    daemon: Child,
    says: Arc<Mutex<Says>>,
    address: String,
}

impl Host {
    async fn start(says: Says) -> Self {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs dbus-daemon; install the package `dbus`");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        let address = address.trim().to_owned();
        let says = Arc::new(Mutex::new(says));
        let bus = zbus::connection::Builder::address(address.as_str())
            .build()
            .await
            .unwrap();
        let calls = MessageStream::from(&bus);
        bus.request_name("org.freedesktop.systemd1").await.unwrap();
        tokio::spawn(answer(bus, calls, Arc::clone(&says)));
        Self { daemon, says, address }
    }

    fn now(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

/// Answers as systemd does, and refuses arguments systemd would refuse.
async fn answer(bus: Connection, mut calls: MessageStream, says: Arc<Mutex<Says>>) {
    while let Some(Ok(call)) = calls.next().await {
        if call.message_type() != Type::MethodCall {
            continue;
        }
        let says = says.lock().unwrap().clone();
        let header = call.header();
        let member = header.member().map(ToString::to_string).unwrap_or_default();
        let signature = header.signature().to_string();
        let reply = match (member.as_str(), signature.as_str()) {
            ("ListUnitsByPatterns", "(asas)") => list(&call, &says),
            ("ListUnitFilesByPatterns", "(asas)") => {
                let (_, names): (Vec<String>, Vec<String>) = call.body().deserialize().unwrap();
                let files = says
                    .files
                    .iter()
                    .filter(|(name, _)| names.contains(&(**name).to_owned()));
                let path = |name: &str| format!("/usr/lib/systemd/system/{name}");
                let files: Vec<_> = files.map(|(name, state)| (path(name), *state)).collect();
                Message::method_return(&header).build(&files)
            }
            ("Get", "(ss)") => {
                Message::method_return(&header).build(&Variant::from(says.system.as_str()))
            }
            _ => Message::error(&header, "org.freedesktop.DBus.Error.InvalidArgs")
                .build(&format!("{member}({signature})")),
        };
        bus.send(&reply.unwrap()).await.unwrap();
    }
}

fn list(call: &Message, says: &Says) -> zbus::Result<Message> {
    let none = || ObjectPath::try_from("/").unwrap();
    let unit = |name: &str, number: u32, job: &'static str| {
        (name.to_owned(), "", "loaded", "active", "running", "", none(), number, job, none())
    };
    let running = says.running.iter().map(|name| unit(name, 0, ""));
    let jobs = says.jobs.iter().map(|(name, job)| unit(name, 7, job));
    let units: Vec<_> = running.chain(jobs).collect();

    Message::method_return(&call.header()).build(&units)
}

/// The sensor and what it sees.
struct Sensor {
    seen: mpsc::Receiver<Observation>,
    board: SensorBoard,
    stop: CancellationToken,
    _state: tempfile::TempDir,
}

impl Sensor {
    fn start(host: &Host) -> Self {
        let state = tempfile::tempdir().unwrap();
        let (out, seen) = mpsc::channel(64);
        let (board, stop) = (SensorBoard::default(), CancellationToken::new());
        let parts = UnitsParts {
            guards: vec!["av.service".to_owned(), "absent.service".to_owned()],
            wanted: Vec::new(),
            kept: state.path().join("guards.json"),
            bus: Bus::At(host.address.clone()),
            own: watch::channel(None).0,
            clock: Arc::new(SystemClock::new(BootId::random())),
            out,
            board: board.clone(),
        };
        tokio::spawn(units::run(parts, stop.clone()));
        Self { seen, board, stop, _state: state }
    }

    async fn until<T>(&mut self, what: &str, wanted: impl Fn(&Fact) -> Option<T>) -> T {
        let looking = async {
            loop {
                let seen = self.seen.recv().await.expect("the sensor runs");
                if let Some(found) = wanted(&seen.fact) {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(DEADLINE, looking).await;
        found.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn services(fact: &Fact) -> Option<ServicesSeen> {
    if let Fact::Services(seen) = fact { Some(seen.clone()) } else { None }
}

fn guard(fact: &Fact) -> Option<GuardSeen> {
    if let Fact::Guard(seen) = fact { Some(seen.clone()) } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_services_and_a_guard_that_is_masked_are_seen() {
    let host = Host::start(Says {
        system: "running".to_owned(),
        running: vec!["av.service", "mariadb.service", "orthanc.service"],
        files: BTreeMap::from([("av.service", "enabled")]),
        ..Says::default()
    })
    .await;
    let mut sensor = Sensor::start(&host);
    let first = sensor.until("the guard", guard).await;
    assert_eq!((first.runs, first.starts), (Runs::Running, Starts::Yes));
    let report = sensor.board.reports().remove(0);
    assert_eq!((report.state, report.detail.as_str()), (SensorState::Well, "systemd, 1 guards"));

    host.now(|says| {
        says.running = vec!["orthanc.service"];
        says.files = BTreeMap::from([("av.service", "masked")]);
    });
    let seen = sensor.until("stopped services", services).await;
    assert_eq!(seen.stopped, ["av.service", "mariadb.service"]);
    let masked = sensor.until("the guard again", guard).await;
    let expected = GuardSeen {
        name: "av.service".to_owned(),
        runs: Runs::Stopped,
        starts: Starts::Masked,
        before: GuardBefore::Ran,
    };
    assert_eq!(masked, expected);

    host.now(|says| says.system = "stopping".to_owned());
    let ending = |fact: &Fact| services(fact).filter(|seen| seen.course == Course::Ending);
    sensor.until("the end of the system", ending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_that_goes_is_told_once_and_asked_again() {
    let mut host = Host::start(Says { system: "running".to_owned(), ..Says::default() }).await;
    let mut sensor = Sensor::start(&host);
    let is = |board: &SensorBoard, state| board.reports().iter().any(|seen| seen.state == state);
    shirase_shared::testing::eventually("a first look", DEADLINE, || async {
        is(&sensor.board, SensorState::Well).then_some(())
    })
    .await;
    host.daemon.kill().unwrap();
    let lost = |fact: &Fact| if let Fact::Lost(lost) = fact { Some(lost.clone()) } else { None };
    let told = sensor.until("the loss", lost).await;
    assert!(told.detail.contains("guards are not seen"), "{}", told.detail);
    assert!(is(&sensor.board, SensorState::Blind));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manager_tells_whether_the_machine_starts_anew() {
    let says = Says { system: "running".to_owned(), ..Says::default() };
    let host = Host::start(says).await;
    let cause =
        async |traces| units::stop_cause(Bus::At(host.address.clone()), traces, DEADLINE).await;
    assert_eq!(cause(Traces::default()).await, StopCause::Unsaid);
    let leaving = Traces { leaving: true, ..Traces::default() };
    assert_eq!(cause(leaving).await, StopCause::Removal);
    host.now(|says| {
        says.system = "stopping".to_owned();
        says.jobs.insert("reboot.target", "start");
    });
    assert_eq!(cause(leaving).await, StopCause::Reboot);
    host.now(|says| says.jobs.clear());
    assert_eq!(cause(leaving).await, StopCause::Shutdown);
}
