//! Writes damage manifests on a thread of its own, because they wait for the disk.

use shirase_shared::error::Chain;
use shirase_shared::ids::BurstId;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::detectors::mass_change::Touched;
use crate::manifest::Recorder;

/// Pieces of work waiting for the disk. When full, the detectors wait; nothing is dropped.
const WORK_CAPACITY: usize = 1024;

enum Work {
    Record(Vec<Touched>),
    Finish(BurstId),
}

/// The detectors' end of the recorder.
pub(super) struct Recording {
    work: mpsc::Sender<Work>,
    thread: JoinHandle<()>,
}

impl Recording {
    /// Starts the thread.
    pub(super) fn start(recorder: Recorder) -> Self {
        let (work, waiting) = mpsc::channel(WORK_CAPACITY);
        let thread = tokio::task::spawn_blocking(move || write(recorder, waiting));

        Self { work, thread }
    }

    /// Adds touched files to the manifests of their bursts.
    pub(super) async fn record(&self, touched: Vec<Touched>) {
        self.hand_over(Work::Record(touched)).await;
    }

    /// Encrypts the manifest of a burst that has ended and lays it out for the uplink.
    pub(super) async fn finish(&self, burst: BurstId) {
        self.hand_over(Work::Finish(burst)).await;
    }

    /// Waits until everything handed over is on disk.
    pub(super) async fn close(self) {
        drop(self.work);
        if let Err(error) = self.thread.await {
            tracing::error!(%error, "the manifest recorder broke off");
        }
    }

    async fn hand_over(&self, work: Work) {
        if self.work.send(work).await.is_err() {
            tracing::error!("the manifest recorder is gone; a damage manifest stays incomplete");
        }
    }
}

fn write(mut recorder: Recorder, mut waiting: mpsc::Receiver<Work>) {
    while let Some(work) = waiting.blocking_recv() {
        let done = match work {
            Work::Record(touched) => recorder.record(&touched).map(|()| None),
            Work::Finish(burst) => recorder.finish(burst).map(|file| file.map(|_| burst)),
        };
        match done {
            Ok(Some(burst)) => {
                tracing::info!(burst.id = %burst, "finished the damage manifest of burst {burst}");
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = %Chain(&error), "a damage manifest was not written");
            }
        }
    }
}
