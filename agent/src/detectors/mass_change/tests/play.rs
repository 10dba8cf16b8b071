//! Plays work on files to the detector, with a time of its own.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Anomaly, Event, MassChange, Severity};
use shirase_shared::ids::BootId;
use shirase_shared::redact::{Names, Redactor};
use shirase_shared::testing::builders::moment;

use crate::detectors::mass_change::{MassChangeConfig, MassChangeDetector, Touched};
use crate::observation::{Actor, FileChange, FoundFile, Operation, Root, Sign, Verdict};

/// Extensions of the files in the trees below, in turn.
const EXTENSIONS: &[&str] = &["docx", "pdf", "xlsx", "jpg", "dcm", "txt"];

/// Plays a harm on file after file, 4 ms each.
#[track_caller]
pub(super) fn fires(high_within: usize, worst: Severity, harm: impl FnMut(&mut Play, &str)) {
    fires_at(4, high_within, worst, harm);
}

#[track_caller]
pub(super) fn fires_at(
    pause_ms: u64,
    high_within: usize,
    worst: Severity,
    mut harm: impl FnMut(&mut Play, &str),
) {
    let mut play = Play::new();
    let mut high_after = None;
    for number in 0..120 {
        play.pass(pause_ms);
        harm(&mut play, &file(number));
        if high_after.is_none() && Some(Severity::High) <= play.worst() {
            high_after = Some(number + 1);
        }
    }
    assert!(
        high_after.is_some_and(|after| after <= high_within),
        "high after {high_after:?} files"
    );
    assert_eq!(play.worst(), Some(worst));
}

/// Plays ordinary work on 400 files, 4 ms each.
#[track_caller]
pub(super) fn quiet(what: &str, worst: Option<Severity>, mut work: impl FnMut(&mut Play, &str)) {
    let mut play = Play::new();
    for number in 0..400 {
        play.pass(4);
        work(&mut play, &file(number));
    }
    assert_eq!(play.worst(), worst, "{what}: {:#?}", play.events.last());
}

fn file(number: usize) -> String {
    format!("d{}/file{number}.{}", number % 20, EXTENSIONS[number % EXTENSIONS.len()])
}

/// A detector, a root and the time.
pub(super) struct Play {
    pub(super) detector: MassChangeDetector,
    config: MassChangeConfig,
    root: Arc<Root>,
    pub(super) started: Moment,
    passed_ms: u64,
    numbers: std::cell::Cell<u64>,
    pub(super) events: Vec<Event>,
    actor: Option<Arc<Actor>>,
}

impl Play {
    pub(super) fn new() -> Self {
        Self::with_names(Names::Hidden)
    }

    pub(super) fn with_names(names: Names) -> Self {
        Self::made(&MassChangeConfig::default(), names)
    }

    pub(super) fn with_config(config: &MassChangeConfig) -> Self {
        Self::made(config, Names::Hidden)
    }

    fn made(config: &MassChangeConfig, names: Names) -> Self {
        Self {
            detector: MassChangeDetector::new(config, redactor()),
            config: config.clone(),
            root: Arc::new(Root { label: "share".to_owned(), path: "/share".into(), names }),
            started: moment(0),
            passed_ms: 0,
            numbers: std::cell::Cell::new(0x9e37_79b9),
            events: Vec::new(),
            actor: None,
        }
    }

    /// From now on a process does it.
    pub(super) fn by(&mut self, pid: u32) {
        let program = Some(PathBuf::from("/tmp/evil"));
        let (uid, started, parents) = (Some(1001), Some(u64::from(pid)), Vec::new());
        self.actor =
            Some(Arc::new(Actor { pid, started, program, uid, unit: None, client: None, parents }));
    }

    /// Kills the agent and starts it again so long afterwards: nothing but what is kept is left.
    pub(super) fn restart(&mut self, away_ms: u64) {
        let kept = self.kept();
        self.passed_ms += away_ms;
        self.resume(&kept);
    }

    /// Starts the machine anew a minute later, with the wall clock set by so much as well.
    pub(super) fn reboot(&mut self, set_by: SignedDuration) {
        let kept = self.kept();
        let wall = self.now().wall + SignedDuration::from_mins(1) + set_by;
        self.started = Moment { wall, boot: BootId::random(), monotonic_ms: 5000 };
        self.passed_ms = 0;
        self.resume(&kept);
    }

    fn kept(&mut self) -> String {
        let now = self.now();
        serde_json::to_string(&self.detector.snapshot(now)).expect("JSON")
    }

    fn resume(&mut self, kept: &str) {
        let now = self.now();
        self.detector = MassChangeDetector::new(&self.config, redactor());
        let snapshot = serde_json::from_str(kept).expect("a snapshot");
        self.events.extend(self.detector.restore(snapshot, now));
    }

    /// Lets a long time pass, minute by minute.
    pub(super) fn pass_slowly(&mut self, ms: u64) {
        for _ in 0..ms / 60_000 {
            self.pass(60_000);
        }
    }

    pub(super) fn now(&self) -> Moment {
        let passed = i64::try_from(self.passed_ms).expect("a test is short");
        let wall = self.started.wall + SignedDuration::from_millis(passed);
        Moment { wall, monotonic_ms: self.started.monotonic_ms + self.passed_ms, ..self.started }
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.passed_ms += ms;
        let now = self.now();
        self.events.extend(self.detector.tick(now));
    }

    pub(super) fn finish(&mut self) {
        self.pass(31_000);
    }

    /// A name nobody would give.
    pub(super) fn number(&self) -> String {
        let next = self
            .numbers
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.numbers.set(next);
        format!("{next:x}")
    }

    pub(super) fn tell(
        &mut self,
        below: &str,
        operation: Operation,
        verdict: Verdict,
        size: Option<u64>,
    ) {
        let (root, below) = (self.root.clone(), PathBuf::from(below));
        let change = FileChange::new(root, below, operation);
        let change = FileChange { verdict, size, actor: self.actor.clone(), ..change };
        let now = self.now();
        self.events.extend(self.detector.change(now, &change, now));
    }

    pub(super) fn create(&mut self, path: &str) {
        self.tell(path, Operation::Created, Verdict::Unknown, None);
    }

    pub(super) fn write(&mut self, path: &str, verdict: Verdict, size: u64) {
        self.tell(path, Operation::Written, verdict, Some(size));
    }

    pub(super) fn delete(&mut self, path: &str) {
        self.tell(path, Operation::Deleted, Verdict::Unknown, None);
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) {
        self.rename_judged(from, to, Verdict::Unknown);
    }

    pub(super) fn rename_judged(&mut self, from: &str, to: &str, verdict: Verdict) {
        let operation = Operation::Renamed { from: PathBuf::from(from) };
        self.tell(to, operation, verdict, Some(100));
    }

    pub(super) fn found(&mut self, path: &str, sign: Sign) {
        let (root, below) = (self.root.clone(), PathBuf::from(path));
        let now = self.now();
        let found = FoundFile { root, below, changed_at: now.wall, sign };
        self.events.extend(self.detector.found(now, &found, now));
    }

    pub(super) fn worst(&self) -> Option<Severity> {
        self.events.iter().map(|event| event.severity).max()
    }

    pub(super) fn touched(&mut self) -> Vec<Touched> {
        self.detector.take_touched()
    }

    pub(super) fn last(&self) -> &MassChange {
        match self.events.last().map(|event| &event.anomaly) {
            Some(Anomaly::MassChange(evidence)) => evidence,
            other => panic!("not a mass change: {other:?}"),
        }
    }
}

fn redactor() -> Arc<Redactor> {
    Arc::new(Redactor::new(&[7; 32]))
}
