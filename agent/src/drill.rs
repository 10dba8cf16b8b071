//! Carries out an ordered drill: a small tree of dummy files below a watched root, changed the way an encryptor would.
//!
//! ```text
//! ledger ─▶ mark directory ─▶ make files ─▶ (settle) ─▶ overwrite + rename, one by one ─▶ (settle) ─▶ unmark, remove
//! ```
//!
//! Always holds:
//! - nothing is touched but `shirase-drill-<id>/`, which the drill itself made; every file says 訓練 inside;
//! - the directory is in the ledger on disk before it exists, so that a crash leaves nothing behind for longer than
//!   until the next start;
//! - what happens elsewhere at the same time is a real event of its own: only this directory is marked.

mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shirase_shared::ids::DrillId;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::durable;
use crate::observation::{Fact, Observation, Operation};
use crate::paths::StateDir;
use crate::service;

use tree::Tree;

/// How the directory of a drill is called, before its id.
pub(crate) const DIRECTORY_PREFIX: &str = "shirase-drill-";

/// Whether a path lies in the directory of a drill, or is one.
#[cfg(target_os = "linux")]
pub(crate) fn is_drill(path: &Path) -> bool {
    path.components().any(|part| {
        part.as_os_str()
            .to_string_lossy()
            .starts_with(DIRECTORY_PREFIX)
    })
}

/// Pause between two files: fifty files a second, slower than any encryptor, fast enough for a burst.
const BETWEEN_FILES: Duration = Duration::from_millis(20);
/// Time for the sensors to see what was made before it is changed, and what was changed before it is removed.
const SETTLE: Duration = Duration::from_secs(2);

/// A drill could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// There is nowhere to put the files.
    #[error(
        "no watched root can be written by the agent's user, so there is no place for the drill's files"
    )]
    NoRoot,
    /// The ledger cannot be written.
    #[error("failed to write down the drill in `{}`", path.display())]
    Ledger {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or directory of the drill cannot be made, changed or removed.
    #[error("failed to {step} the drill's files")]
    Files {
        /// `make`, `change` or `remove`.
        step: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// One drill to carry out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// The exercise it belongs to.
    pub id: DrillId,
    /// Its own directory.
    pub dir: PathBuf,
    /// How many files.
    pub files: u32,
}

/// Drills whose files may still be there, on disk.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
}

impl Drill {
    /// Plans a drill below the first of `roots` that can be written.
    ///
    /// # Errors
    /// If there is none.
    pub fn plan(id: DrillId, files: u32, roots: &[PathBuf]) -> Result<Self, DrillError> {
        let root = roots
            .iter()
            .find(|root| service::writable(root))
            .ok_or(DrillError::NoRoot)?;

        Ok(Self { id, dir: root.join(format!("{DIRECTORY_PREFIX}{id}")), files })
    }

    /// Makes and changes the files; returns how many were changed. Call [`Drill::remove`] afterwards, whatever came of it.
    ///
    /// When `stop` comes, the rest is left out.
    ///
    /// # Errors
    /// If the files cannot be made or changed.
    pub async fn carry_out(&self, stop: &CancellationToken) -> Result<u64, DrillError> {
        let failed = |step| move |source| DrillError::Files { step, source };
        let drill = self.clone();
        let made = blocking(move || Tree::make(&drill.dir, drill.id, drill.files)).await;
        let tree = made.map_err(failed("make"))?;
        pause(SETTLE, stop).await;
        let changed = change(tree, stop).await.map_err(failed("change"))?;
        pause(SETTLE, stop).await;

        Ok(changed)
    }

    /// Removes the files.
    ///
    /// # Errors
    /// If some cannot be removed; the ledger keeps the drill then, and the next start tries again.
    pub async fn remove(&self) -> Result<(), DrillError> {
        let dir = self.dir.clone();
        let removed = blocking(move || remove(&dir)).await;
        removed.map_err(|source| DrillError::Files { step: "remove", source })
    }

    /// Whether an observation is only the removal of this drill's own files, which tells nothing.
    #[must_use]
    pub fn is_own_removal(&self, observation: &Observation) -> bool {
        let Fact::File(change) = &observation.fact else { return false };
        let is_removal = match change.operation {
            Operation::Deleted | Operation::MovedOut => true,
            Operation::Created
            | Operation::Written
            | Operation::Renamed { .. }
            | Operation::DirectoryRenamed { .. } => false,
        };

        is_removal && change.path().starts_with(&self.dir)
    }
}

impl Ledger {
    /// Names the ledger in a state directory; nothing is touched.
    #[must_use]
    pub fn new(state: &StateDir) -> Self {
        Self { path: state.drills() }
    }

    /// Writes a drill down before it begins.
    ///
    /// # Errors
    /// If that cannot be made durable; then the drill must not begin.
    pub fn begin(&self, drill: &Drill) -> Result<(), DrillError> {
        let mut open = self.open()?;
        open.push(drill.clone());
        self.write(&open)
    }

    /// Strikes a drill out once its files are gone.
    ///
    /// # Errors
    /// If that cannot be made durable.
    pub fn end(&self, drill: &Drill) -> Result<(), DrillError> {
        let mut open = self.open()?;
        open.retain(|entry| entry.id != drill.id);
        self.write(&open)
    }

    /// Removes what earlier drills left behind, and returns those drills. Called at start, before anything watches.
    ///
    /// # Errors
    /// If the ledger or a tree cannot be handled.
    pub fn clear_leftovers(&self) -> Result<Vec<Drill>, DrillError> {
        let left = self.open()?;
        for drill in &left {
            remove(&drill.dir).map_err(|source| DrillError::Files { step: "remove", source })?;
        }
        if !left.is_empty() {
            self.write(&[])?;
        }

        Ok(left)
    }

    fn open(&self) -> Result<Vec<Drill>, DrillError> {
        let failed = |source| DrillError::Ledger { path: self.path.clone(), source };
        durable::read_json(&self.path)
            .map(Option::unwrap_or_default)
            .map_err(failed)
    }

    fn write(&self, open: &[Drill]) -> Result<(), DrillError> {
        let failed = |source| DrillError::Ledger { path: self.path.clone(), source };
        durable::replace_json(&self.path, &open).map_err(failed)
    }
}

async fn change(mut tree: Tree, stop: &CancellationToken) -> io::Result<u64> {
    let mut changed = 0;
    while !stop.is_cancelled() {
        let (back, step) = blocking(move || {
            let step = tree.change_next();
            Ok((tree, step))
        })
        .await?;
        tree = back;
        match step? {
            tree::Step::Changed => changed += 1,
            tree::Step::AllDone => break,
        }
        pause(BETWEEN_FILES, stop).await;
    }

    Ok(changed)
}

/// Removes a drill's tree, and only that: a directory that is not called like one is left alone.
fn remove(dir: &Path) -> io::Result<()> {
    let name = dir
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let id = name.strip_prefix(DIRECTORY_PREFIX).unwrap_or_default();
    if id.parse::<DrillId>().is_err() {
        return Err(io::Error::other(format!("`{name}` is not a drill's directory")));
    }
    match std::fs::symlink_metadata(dir) {
        // `remove_dir_all` does not follow symbolic links below; this keeps it from following the first.
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(dir),
        Ok(_) => {
            Err(io::Error::other("something else stands in the place of the drill's directory"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

async fn pause(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep(time) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drill_leaves_the_root_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("real.txt"), "real").unwrap();
        let drill = plan(root.path());
        let changed = drill.carry_out(&CancellationToken::new()).await.unwrap();
        assert_eq!(changed, 12);
        assert_eq!(names(root.path()).len(), 2);
        drill.remove().await.unwrap();
        assert_eq!(names(root.path()), ["real.txt"]);
        assert_eq!(std::fs::read_to_string(root.path().join("real.txt")).unwrap(), "real");
    }

    #[tokio::test]
    async fn a_stopped_drill_changes_nothing_more() {
        let root = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        let drill = plan(root.path());
        assert_eq!(drill.carry_out(&stop).await.unwrap(), 0);
        drill.remove().await.unwrap();
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn what_a_crash_left_is_removed_at_the_next_start() {
        let root = tempfile::tempdir().unwrap();
        let state = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(&StateDir::new(state.path()));
        let drill = plan(root.path());
        ledger.begin(&drill).unwrap();
        Tree::make(&drill.dir, drill.id, drill.files).unwrap();
        assert_eq!(names(root.path()).len(), 1);
        assert_eq!(ledger.clear_leftovers().unwrap(), [drill]);
        assert!(names(root.path()).is_empty());
        assert!(ledger.clear_leftovers().unwrap().is_empty());
    }

    #[test]
    fn nothing_else_is_ever_removed() {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().join("karte");
        std::fs::create_dir(&real).unwrap();
        assert!(remove(&real).is_err());
        // Windows lets administrators alone make links.
        #[cfg(unix)]
        {
            let link = root
                .path()
                .join(format!("{DIRECTORY_PREFIX}{}", DrillId::random()));
            std::os::unix::fs::symlink(&real, &link).unwrap();
            assert!(remove(&link).is_err());
        }
        assert!(real.is_dir());
    }

    fn plan(root: &Path) -> Drill {
        let gone = root.join("gone");
        Drill::plan(DrillId::random(), 12, &[gone, root.to_owned()]).unwrap()
    }

    fn names(dir: &Path) -> Vec<String> {
        let name = |entry: io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().to_string_lossy().into_owned()
        };
        std::fs::read_dir(dir).unwrap().map(name).collect()
    }
}
