//! A drill on real files under a real sensor: seen like an attack, marked as a drill, gone afterwards.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shirase_agent::canaries::Watchlist;
use shirase_agent::detectors::{Detectors, DetectorsConfig};
use shirase_agent::drill::Drill;
use shirase_agent::observation::Observation;
use shirase_agent::sensors::files::{BackendChoice, FilesConfig, RootConfig};
use shirase_agent::sensors::{
    self, OBSERVATIONS_CAPACITY, SensorBoard, SensorsConfig, SensorsParts,
};
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::event::{Anomaly, Event, Phase, Severity};
use shirase_shared::ids::{BootId, DrillId};
use shirase_shared::redact::Redactor;
use shirase_shared::testing::eventually;
use shirase_shared::wire::SensorState;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long a test waits for a state.
const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_is_seen_as_an_attack_of_its_own_and_blinds_nobody() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..30 {
        std::fs::write(root.path().join(format!("real-{number:02}.csv")), "a,b\n").unwrap();
    }
    let host = Host::watch(root.path()).await;
    let drill = Drill::plan(DrillId::random(), 60, &[root.path().to_owned()]).unwrap();
    let stop = CancellationToken::new();
    let (changed, ()) = tokio::join!(drill.carry_out(&stop), harm_real_files(root.path()));
    assert_eq!(changed.unwrap(), 60);
    drill.remove().await.unwrap();
    assert!(!drill.dir.exists(), "the drill's files are gone");
    let events = host.judge(&drill);
    let (drilled, real): (Vec<_>, Vec<_>) = events.iter().partition(|e| e.drill.is_some());
    assert!(drilled.iter().all(|event| event.drill == Some(drill.id)));
    let worst = |events: &[&Event]| events.iter().map(|event| event.severity).max();
    let most = |events: &[&Event]| events.iter().map(|event| event.files_affected).max();
    assert_eq!(worst(&drilled), Some(Severity::Critical), "{drilled:#?}");
    // A write that is seen only after the rename can count a file twice; never does one go uncounted.
    let drilled_files = most(&drilled).unwrap();
    assert!((60..=66).contains(&drilled_files), "{drilled:#?}");
    let real_files = most(&real).unwrap();
    assert!((30..=33).contains(&real_files), "what happens elsewhere is real: {real:#?}");
    assert!(drilled.iter().any(|event| event.phase == Phase::Opened));
    let Anomaly::MassChange(evidence) = &drilled.last().unwrap().anomaly else { panic!() };
    assert!(evidence.suffixes.contains_key("kunren"), "{evidence:#?}");
}

/// Harms the files beside the drill while it runs.
async fn harm_real_files(root: &Path) {
    tokio::time::sleep(Duration::from_secs(2)).await;
    for number in 0..30 {
        let path = root.join(format!("real-{number:02}.csv"));
        std::fs::write(&path, [0x9d; 64]).unwrap();
        std::fs::rename(&path, path.with_extension("csv.locked")).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A host under watch.
struct Host {
    clock: SharedClock,
    changes: mpsc::Receiver<Vec<Observation>>,
    _others: mpsc::Receiver<Observation>,
    stop: CancellationToken,
}

impl Host {
    async fn watch(root: &Path) -> Self {
        let clock: SharedClock = Arc::new(SystemClock::new(BootId::random()));
        // Nobody takes anything before the end.
        let (out, others) = mpsc::channel(OBSERVATIONS_CAPACITY);
        let (tell, changes) = mpsc::channel(4096);
        let (board, stop) = (SensorBoard::default(), CancellationToken::new());
        let root = RootConfig::new(root);
        let parts = SensorsParts {
            // This process harms the real files itself, which fanotify would leave out.
            config: SensorsConfig {
                roots: vec![root],
                files: FilesConfig { backend: BackendChoice::Notify, ..FilesConfig::default() },
                ..SensorsConfig::default()
            },
            clock: Arc::clone(&clock),
            out,
            changes: tell,
            board: board.clone(),
            since: None,
            ignored: Vec::new(),
            own: None,
            watchlist: Watchlist::default(),
        };
        tokio::spawn(sensors::run(parts, stop.clone()));
        eventually("the files sensor at work", DEADLINE, || async {
            let mut reports = board.reports().into_iter();
            reports.find(|report| report.name == "files" && report.state == SensorState::Well)
        })
        .await;
        Self { clock, changes, _others: others, stop }
    }

    /// Lets the detectors judge everything that was seen, until both bursts have ended.
    fn judge(mut self, drill: &Drill) -> Vec<Event> {
        let key = Redactor::new(&[7; 32]);
        let mut detectors = Detectors::new(&DetectorsConfig::default(), key);
        detectors.drill_started(drill.id, &drill.dir);
        let mut events = Vec::new();
        let changes = std::iter::from_fn(|| self.changes.try_recv().ok());
        for observation in changes.flatten() {
            if drill.is_own_removal(&observation) {
                continue;
            }
            events.extend(detectors.observe(&observation, observation.at));
            events.extend(detectors.tick(observation.at));
        }
        self.stop.cancel();
        let mut later = self.clock.moment();
        later.wall += jiff::SignedDuration::from_secs(120);
        later.monotonic_ms += 120_000;
        events.extend(detectors.tick(later));
        events.retain(|event| matches!(event.anomaly, Anomaly::MassChange(_)));
        events
    }
}
