//! Roots on network file systems: each has eyes of its own, so that a server that does not answer blinds nothing else.
//!
//! Nobody touches such a root but threads that may hang (see `hanging`): a guard asks every few seconds, in a thread it
//! leaves behind if there is no answer, and says so; the sensor of that root begins when there is one, and waits with its
//! file system.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use shirase_shared::error::Chain;
use shirase_shared::wire::SensorState;

use super::worker::{self, FilesSensor};
use super::{FilesError, FilesParts};
use crate::observation::{Fact, Observation, Root, RootSeen, Sight};
use crate::sensors::hanging::{is_distant, left_behind, look_at};

/// How long a file system may take to answer before it counts as hanging. Far more than a busy server takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two questions.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// How often somebody who waits for an answer looks whether he is to stop.
const SLICE: Duration = Duration::from_millis(250);
/// How long a sensor may take to begin before its guard goes on asking: it looks at every directory of the root.
const BEGIN_PATIENCE: Duration = Duration::from_secs(1);
/// How long stopping waits for a sensor whose file system may hang.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// Splits roots into those on this machine's own disks and those that may hang.
pub(super) fn partition(roots: Vec<Arc<Root>>) -> (Vec<Arc<Root>>, Vec<Arc<Root>>) {
    roots
        .into_iter()
        .partition(|root| !is_distant(&root.path) && look_at(&root.path, open).is_some())
}

/// Returns those that lie on this machine's own disks, by their names alone.
pub(super) fn near(roots: &[Arc<Root>]) -> Vec<Arc<Root>> {
    let near = roots.iter().filter(|root| !is_distant(&root.path));
    near.cloned().collect()
}

/// Whether one of these roots, which were near, lies on a file system that may hang by now: mounted late, as over a network
/// that was not there yet. Touches none of them.
pub(super) fn have_moved(near: &[Arc<Root>]) -> bool {
    near.iter().any(|root| is_distant(&root.path))
}

/// Opens a directory, which goes to the server where a look at the name may not, and says how it is seen.
fn open(path: &Path) -> Sight {
    match std::fs::read_dir(path) {
        Ok(_) => Sight::Whole,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Sight::Unreadable,
        Err(_) => Sight::Gone,
    }
}

/// The eyes on one root that may hang.
#[derive(Debug)]
pub(super) struct Distant {
    stop: Sender<()>,
    ended: Receiver<()>,
}

impl Distant {
    /// Begins to watch a root, as soon as its file system answers; `parts` are for this one alone.
    pub(super) fn attend(root: Arc<Root>, parts: FilesParts) -> Result<Self, FilesError> {
        let (stop, stopped) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let name = format!("mount of {}", root.label);
        let guard =
            Guard { root, name, parts, sensor: None, beginning: None, failure: None, stopped };
        thread::Builder::new()
            .name("guards a mount".to_owned())
            .spawn(move || {
                guard.run();
                drop(end);
            })
            .map_err(|source| FilesError::Thread { name: "guards a mount", source })?;

        Ok(Self { stop, ended })
    }

    /// Stops watching all of them, within two seconds. What hangs is left behind: it ends when its file system answers.
    pub(super) fn end_all(all: Vec<Self>) {
        let (stops, ends): (Vec<_>, Vec<_>) =
            all.into_iter().map(|one| (one.stop, one.ended)).unzip();
        drop(stops);
        let deadline = Instant::now() + END_PATIENCE;
        for ended in ends {
            let left = deadline.saturating_duration_since(Instant::now());
            if ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                tracing::warn!(
                    "a network file system does not answer; what watched it is left behind"
                );
            }
        }
    }
}

/// What waiting for an answer came to.
enum Waited {
    Answered(Sight),
    Silent,
    /// Nobody wants to know any more.
    Stopped,
}

/// How the root is seen, as far as its guard can tell.
#[derive(Debug, PartialEq)]
struct Standing {
    state: SensorState,
    sight: Sight,
    detail: String,
}

impl Standing {
    /// Judges by the answer, if there was one, and by what kept the sensor from beginning.
    fn of(answer: Option<Sight>, failure: Option<&str>) -> Self {
        let (state, sight, detail) = match (answer, failure) {
            (None, _) => (
                SensorState::Blind,
                Sight::Unreadable,
                "its file system does not answer; look whether its server is up and the network to it",
            ),
            (Some(_), Some(failure)) => (SensorState::Blind, Sight::Unreadable, failure),
            (Some(sight), None) => (SensorState::Well, sight, "its file system answers"),
        };

        Self { state, sight, detail: detail.to_owned() }
    }
}

struct Guard {
    root: Arc<Root>,
    /// What it is called on the board.
    name: String,
    /// What the sensor is begun with.
    parts: FilesParts,
    sensor: Option<FilesSensor>,
    /// Where the sensor comes from while it begins.
    beginning: Option<Receiver<Result<FilesSensor, FilesError>>>,
    /// Why it could not begin.
    failure: Option<String>,
    stopped: Receiver<()>,
}

impl Guard {
    fn run(mut self) {
        let unknown = "its file system was asked and has not answered yet";
        self.parts
            .board
            .set(&self.name, SensorState::Degraded, unknown);
        let mut pending: Option<Receiver<Sight>> = None;
        let mut blind = false;
        loop {
            let asked = pending.take().unwrap_or_else(|| self.ask());
            let answer = match self.wait(&asked) {
                Waited::Stopped => break,
                Waited::Answered(sight) => {
                    self.keep_watching();
                    Some(sight)
                }
                Waited::Silent => {
                    pending = is_open(&asked).then_some(asked);
                    None
                }
            };
            let standing = Standing::of(answer, self.failure.as_deref());
            self.parts
                .board
                .set(&self.name, standing.state, standing.detail.as_str());
            let was_blind = std::mem::replace(&mut blind, standing.state == SensorState::Blind);
            // What the sensor sees for itself it tells for itself.
            if was_blind != blind && !self.tell(standing) {
                break;
            }
            if answer.is_some() && !self.rest() {
                break;
            }
        }
        self.finish();
    }

    /// Tells how the root is seen from now on. Returns whether anybody listens.
    fn tell(&self, standing: Standing) -> bool {
        let Standing { sight, detail, .. } = standing;
        let fact = Fact::Root(RootSeen { root: self.root.clone(), sight, detail });
        let seen = Observation { at: self.parts.clock.moment(), fact };
        self.parts.out.blocking_send(vec![seen]).is_ok()
    }

    fn ask(&self) -> Receiver<Sight> {
        let root = self.root.clone();
        left_behind(move || open(&root.path))
    }

    /// Waits for an answer while somebody wants it.
    fn wait(&self, asked: &Receiver<Sight>) -> Waited {
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            match asked.recv_timeout(SLICE) {
                Ok(sight) => return Waited::Answered(sight),
                Err(RecvTimeoutError::Timeout) => {}
                // There was no thread to ask with; there may be one the next time.
                Err(RecvTimeoutError::Disconnected) => thread::sleep(SLICE),
            }
            waited += SLICE;
            if self.is_stopped() {
                return Waited::Stopped;
            }
        }

        Waited::Silent
    }

    /// Waits until the next question. Returns whether to go on.
    fn rest(&self) -> bool {
        self.stopped.recv_timeout(ASK_EVERY) == Err(RecvTimeoutError::Timeout)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Begins to watch, in a thread that may hang in the middle of it, and again in the next round if that failed.
    fn keep_watching(&mut self) {
        if self.sensor.is_some() {
            return;
        }
        let beginning = self.beginning.take().unwrap_or_else(|| {
            let parts = self.parts.clone();
            left_behind(move || worker::begin(parts))
        });
        match beginning.recv_timeout(BEGIN_PATIENCE) {
            Ok(Ok(sensor)) => (self.sensor, self.failure) = (Some(sensor), None),
            Ok(Err(error)) => self.failure = Some(format!("it is not watched: {}", Chain(&error))),
            Err(RecvTimeoutError::Disconnected) => {
                self.failure = Some("it is not watched: there is no thread to be had".to_owned());
            }
            Err(RecvTimeoutError::Timeout) => self.beginning = Some(beginning),
        }
    }

    /// Ends the sensor if there is one, and waits with it if it hangs.
    fn finish(self) {
        let begun = self.beginning.and_then(|begun| begun.recv().ok()?.ok());
        if let Some(sensor) = self.sensor.or(begun) {
            sensor.end();
        }
    }
}

/// Whether an answer may still come.
fn is_open(asked: &Receiver<Sight>) -> bool {
    asked.try_recv() == Err(TryRecvError::Empty)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shirase_shared::clock::SystemClock;
    use shirase_shared::ids::BootId;
    use shirase_shared::testing::eventually;
    use tokio::sync::mpsc;

    use super::*;
    use crate::canaries::Watchlist;
    use crate::sensors::SensorBoard;
    use crate::sensors::files::{BackendChoice, FilesConfig, RootConfig, resolve};

    const DEADLINE: Duration = Duration::from_secs(20);

    fn parts(
        root: &Path,
        backend: BackendChoice,
    ) -> (FilesParts, Arc<Root>, mpsc::Receiver<Vec<Observation>>) {
        let roots = resolve(&[RootConfig::new(root)]);
        let only = roots.first().cloned().unwrap();
        let (out, seen) = mpsc::channel(64);
        let parts = FilesParts {
            name: "files on it".to_owned(),
            roots,
            config: FilesConfig { backend, ..FilesConfig::default() },
            clock: Arc::new(SystemClock::new(BootId::random())),
            out,
            board: SensorBoard::default(),
            since: None::<Timestamp>,
            ignored: Vec::new(),
            memory: None,
            watchlist: Watchlist::default(),
        };
        (parts, only, seen)
    }

    fn state_of(board: &SensorBoard, name: &str) -> Option<SensorState> {
        let reports = board.reports();
        let found = reports.into_iter().find(|report| report.name == name);
        found.map(|report| report.state)
    }

    async fn board_says(board: &SensorBoard, name: &str) {
        let well = || async { (state_of(board, name) == Some(SensorState::Well)).then_some(()) };
        eventually(name, DEADLINE, well).await;
    }

    #[tokio::test]
    async fn what_answers_is_watched_and_ends_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let (parts, root, mut seen) = parts(dir.path(), BackendChoice::Notify);
        let (board, mount) = (parts.board.clone(), format!("mount of {}", root.label));
        let distant = Distant::attend(root, parts).unwrap();
        board_says(&board, "files on it").await;
        board_says(&board, &mount).await;
        std::fs::write(dir.path().join("a.pdf"), "%PDF-1.7").unwrap();
        let file = tokio::time::timeout(DEADLINE, async {
            while let Some(seen) = seen.recv().await {
                if seen.iter().any(|one| matches!(one.fact, Fact::File(_))) {
                    return true;
                }
            }
            false
        });
        assert!(file.await.unwrap(), "the sensor ended");
        Distant::end_all(vec![distant]);
        let closed = async { while seen.recv().await.is_some() {} };
        tokio::time::timeout(DEADLINE, closed).await.unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_watched_says_so_and_why() {
        let dir = tempfile::tempdir().unwrap();
        let foreign = if cfg!(windows) { BackendChoice::Fanotify } else { BackendChoice::Usn };
        let (parts, root, mut seen) = parts(dir.path(), foreign);
        let distant = Distant::attend(root, parts).unwrap();
        let told = seen.recv().await.unwrap().pop().unwrap();
        let Fact::Root(told) = told.fact else { panic!("{told:?}") };
        assert_eq!(told.sight, Sight::Unreadable);
        assert!(
            told.detail
                .contains("set sensors.files.backend to \"auto\""),
            "{told:?}"
        );
        Distant::end_all(vec![distant]);
    }

    #[test]
    fn an_answer_without_a_sensor_is_no_sight() {
        let of = |answer, failure| Standing::of(answer, failure).sight;
        assert_eq!(of(None, None), Sight::Unreadable);
        assert_eq!(of(Some(Sight::Whole), Some("no queue")), Sight::Unreadable);
        assert_eq!(of(Some(Sight::Gone), None), Sight::Gone);
        assert_eq!(of(Some(Sight::Whole), None), Sight::Whole);
    }
}
