//! A running files sensor, and what its tests put before it.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shirase_agent::canaries::Watchlist;
use shirase_agent::observation::{Fact, FileChange, Observation, Sight};
use shirase_agent::sensors::files::{
    self, BackendChoice, FilesConfig, FilesParts, FilesSensor, RootConfig,
};
use shirase_agent::sensors::{CHANGES_CAPACITY, SensorBoard, host};
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::wire::SensorState;
use tokio::sync::mpsc;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn clock() -> SharedClock {
    Arc::new(SystemClock::new(host::boot_id()))
}

pub(crate) fn pdf(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, b"%PDF-1.7\n................").unwrap();
}

/// Bytes that are no text and begin like nothing.
pub(crate) fn noise() -> Vec<u8> {
    (0..600_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0] & 0x1f)
        .collect()
}

pub(crate) fn is_sight(sight: Sight) -> impl Fn(&Fact) -> bool {
    move |fact| matches!(fact, Fact::Root(seen) if seen.sight == sight)
}

/// A running files sensor and what it sees.
pub(crate) struct Watch {
    sensor: FilesSensor,
    seen: mpsc::Receiver<Vec<Observation>>,
    /// What came together and was not asked for yet.
    waiting: VecDeque<Observation>,
    board: SensorBoard,
    pub(crate) clock: SharedClock,
}

impl Watch {
    pub(crate) fn begin(root: &Path) -> Self {
        Self::begin_with(root, |_| {})
    }

    pub(crate) fn begin_with(root: &Path, adapt: impl FnOnce(&mut FilesParts)) -> Self {
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

    pub(crate) async fn next(&mut self, what: &str) -> Observation {
        loop {
            if let Some(next) = self.waiting.pop_front() {
                return next;
            }
            let next = tokio::time::timeout(DEADLINE, self.seen.recv()).await;
            let next = next.unwrap_or_else(|_| panic!("waited in vain for {what}"));
            self.waiting.extend(next.expect("the sensor runs"));
        }
    }

    pub(crate) async fn change(&mut self, what: &str) -> FileChange {
        loop {
            if let Fact::File(change) = self.next(what).await.fact {
                return change;
            }
        }
    }

    pub(crate) async fn until(&mut self, what: &str, wanted: impl Fn(&Fact) -> bool) {
        while !wanted(&self.next(what).await.fact) {}
    }

    pub(crate) fn drain(&mut self) -> Vec<Fact> {
        while let Ok(observations) = self.seen.try_recv() {
            self.waiting.extend(observations);
        }
        self.waiting
            .drain(..)
            .map(|observation| observation.fact)
            .collect()
    }

    pub(crate) fn state(&self) -> SensorState {
        self.board.reports()[0].state
    }

    pub(crate) async fn end(self) {
        let Self { sensor, seen, .. } = self;
        drop(seen);
        tokio::task::spawn_blocking(move || sensor.end())
            .await
            .unwrap();
    }
}
