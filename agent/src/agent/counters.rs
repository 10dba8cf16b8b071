//! Keeps the detectors' counters on disk, so that an attack gains nothing by having the agent stopped.
//!
//! Always holds: the file is replaced whole; one that does not read is set aside in the log and the counters begin anew.

use std::io;
use std::path::PathBuf;

use tokio::task::JoinHandle;

use crate::detectors::mass_change::Snapshot;
use crate::durable;

/// The file with the counters.
pub(crate) struct Counters {
    path: PathBuf,
    writing: Option<JoinHandle<io::Result<()>>>,
    failing: bool,
}

impl Counters {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, writing: None, failing: false }
    }

    /// Reads what the last run kept.
    pub(crate) fn read(&self) -> Option<Snapshot> {
        durable::read_json(&self.path).unwrap_or_else(|error| {
            tracing::warn!(%error, "the detectors' counters do not read; they begin anew");
            None
        })
    }

    /// Begins to write, unless the disk is still busy with the last time: then the next time writes all of it.
    pub(crate) async fn keep(&mut self, snapshot: Snapshot) {
        if self
            .writing
            .as_ref()
            .is_some_and(|task| !task.is_finished())
        {
            return;
        }
        self.settle().await;
        let path = self.path.clone();
        let write = move || durable::replace(&path, &serde_json::to_vec(&snapshot)?);
        self.writing = Some(tokio::task::spawn_blocking(write));
    }

    /// Writes for the last time and waits for it.
    pub(crate) async fn close(mut self, snapshot: Snapshot) {
        self.settle().await;
        self.keep(snapshot).await;
        self.settle().await;
    }

    /// Waits for what is being written, and says once if it failed.
    async fn settle(&mut self) {
        let Some(task) = self.writing.take() else { return };
        let written = task
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        match written {
            Ok(()) => self.failing = false,
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::warn!(%error, "the detectors' counters were not written; a restart would begin anew");
            }
            Err(error) => tracing::debug!(%error, "the detectors' counters were not written again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::redact::Redactor;
    use shirase_shared::testing::builders::moment;

    use super::*;
    use crate::detectors::{Detectors, DetectorsConfig};

    #[tokio::test]
    async fn what_is_kept_reads_back_and_a_torn_file_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("counters.json");
        let mut detectors = Detectors::new(&DetectorsConfig::default(), Redactor::new(&[7; 32]));
        let snapshot = detectors.snapshot(moment(0));
        let counters = Counters::new(path.clone());
        assert!(counters.read().is_none());
        counters.close(snapshot.clone()).await;
        assert_eq!(Counters::new(path.clone()).read(), Some(snapshot));
        std::fs::write(&path, "{\"version\":").unwrap();
        assert!(Counters::new(path).read().is_none());
    }
}
