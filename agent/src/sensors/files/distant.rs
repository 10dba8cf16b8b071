//! Roots on network file systems: each has eyes of its own, so that a server that does not answer blinds nothing else.
//!
//! Nobody touches such a root but threads that may hang (see `hanging`): a guard asks every few seconds, in a thread it
//! leaves behind if there is no answer, and says so; the sensor of that root begins when there is one, and waits with its
//! file system.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

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
/// How long stopping waits for a sensor whose file system may hang.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// Splits roots into those on this machine's own disks and those that may hang.
#[must_use]
pub fn partition(roots: Vec<Arc<Root>>) -> (Vec<Arc<Root>>, Vec<Arc<Root>>) {
    roots
        .into_iter()
        .partition(|root| !is_distant(&root.path) && look_at(&root.path, open).is_some())
}

/// Opens a directory: that goes to the server where a look at the name may not. Whether it is there is for others to see.
fn open(path: &Path) {
    drop(std::fs::read_dir(path));
}

/// The eyes on one root that may hang.
#[derive(Debug)]
pub struct Distant {
    stop: Sender<()>,
    ended: Receiver<()>,
}

impl Distant {
    /// Begins to watch the one root of `parts`, as soon as its file system answers.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn attend(parts: FilesParts) -> Result<Option<Self>, FilesError> {
        let Some(root) = parts.roots.first().cloned() else { return Ok(None) };
        let (stop, stopped) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let name = format!("mount of {}", root.label);
        let guard = Guard { root, name, parts: Some(parts), sensor: None, stopped };
        thread::Builder::new()
            .name("guards a mount".to_owned())
            .spawn(move || {
                guard.run();
                drop(end);
            })
            .map_err(|source| FilesError::Thread { name: "guards a mount", source })?;

        Ok(Some(Self { stop, ended }))
    }

    /// Stops watching. What hangs is left behind: it ends by itself when its file system answers.
    pub fn end(self) {
        drop(self.stop);
        if self.ended.recv_timeout(END_PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a network file system does not answer; what watched it is left behind");
        }
    }
}

/// Whether its file system answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    /// Nobody wants to know any more.
    Stopped,
}

struct Guard {
    root: Arc<Root>,
    /// What it is called on the board.
    name: String,
    /// What the sensor is begun with; taken then.
    parts: Option<FilesParts>,
    /// Where the sensor comes from once it has begun.
    sensor: Option<Receiver<Result<FilesSensor, FilesError>>>,
    stopped: Receiver<()>,
}

impl Guard {
    fn run(mut self) {
        let Some(parts) = &self.parts else { return };
        let (board, out, clock) = (parts.board.clone(), parts.out.clone(), parts.clock.clone());
        let mut pending: Option<Receiver<()>> = None;
        let mut told = None;
        board.set(
            &self.name,
            SensorState::Degraded,
            "its file system was asked and has not answered yet",
        );
        loop {
            let asked = pending.take().unwrap_or_else(|| self.ask());
            let answer = self.wait(&asked);
            match answer {
                Answer::Stopped => break,
                Answer::No => pending = is_open(&asked).then_some(asked),
                Answer::Yes => self.begin(),
            }
            if told != Some(answer) {
                let (state, sight, detail) = words(answer);
                board.set(&self.name, state, detail);
                // That it answers is news only after it did not: its own sensor tells how it is seen.
                if answer == Answer::No || told.is_some() {
                    let (root, detail) = (self.root.clone(), detail.to_owned());
                    let fact = Fact::Root(RootSeen { root, sight, detail });
                    let seen = Observation { at: clock.moment(), fact };
                    if out.blocking_send(vec![seen]).is_err() {
                        break;
                    }
                }
                told = Some(answer);
            }
            if answer == Answer::Yes && !self.rest() {
                break;
            }
        }
        self.finish();
    }

    fn ask(&self) -> Receiver<()> {
        let root = self.root.clone();
        left_behind(move || open(&root.path))
    }

    /// Waits for an answer while somebody wants it.
    fn wait(&self, asked: &Receiver<()>) -> Answer {
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            match asked.recv_timeout(SLICE) {
                Ok(()) => return Answer::Yes,
                Err(RecvTimeoutError::Timeout) => {}
                // There was no thread to ask with; there may be one the next time.
                Err(RecvTimeoutError::Disconnected) => thread::sleep(SLICE),
            }
            waited += SLICE;
            if self.is_stopped() {
                return Answer::Stopped;
            }
        }

        Answer::No
    }

    /// Waits until the next question. Returns whether to go on.
    fn rest(&self) -> bool {
        self.stopped.recv_timeout(ASK_EVERY) == Err(RecvTimeoutError::Timeout)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.try_recv() == Err(mpsc::TryRecvError::Disconnected)
    }

    /// Begins to watch, once, in a thread of its own: it may hang in the middle of it.
    fn begin(&mut self) {
        if let Some(parts) = self.parts.take() {
            self.sensor = Some(left_behind(move || worker::begin(parts)));
        }
    }

    /// Ends the sensor if there is one; whoever began it but did not come back keeps it.
    fn finish(self) {
        let Some(begun) = self.sensor else { return };
        left_behind(move || match begun.recv() {
            Ok(Ok(sensor)) => sensor.end(),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a root on a network file system was not watched")
            }
            Err(mpsc::RecvError) => {}
        });
    }
}

/// Whether an answer may still come.
fn is_open(asked: &Receiver<()>) -> bool {
    asked.try_recv() == Err(mpsc::TryRecvError::Empty)
}

const fn words(answer: Answer) -> (SensorState, Sight, &'static str) {
    match answer {
        Answer::Yes => (SensorState::Well, Sight::Whole, "its file system answers"),
        Answer::No | Answer::Stopped => (
            SensorState::Blind,
            Sight::Unreadable,
            "its file system does not answer; look whether its server is up and the network to it",
        ),
    }
}
