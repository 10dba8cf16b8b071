//! File systems that may hang, and how to ask one without hanging with it.
//!
//! Whoever touches a network file system waits for as long as its server is away, in the kernel, where nothing can be
//! broken off. What must go on asks in a thread that may be left behind.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// How long a path that may lead anywhere may take to answer somebody who cannot wait.
const PATIENCE: Duration = Duration::from_secs(3);
/// Kinds of file systems that wait for another machine or another process, as the mount table calls them. All that begins
/// with `fuse.` does as well.
#[cfg(target_os = "linux")]
const DISTANT: &[&str] = &[
    "9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "fuse", "gpfs", "lustre", "nfs",
    "nfs4", "orangefs", "smb3",
];

/// Whether a path lies on such a file system, by its name alone.
#[cfg(target_os = "linux")]
pub(super) fn is_distant(path: &Path) -> bool {
    use super::mounts;

    mounts::kind_at(path, &mounts::table()).is_some_and(|kind| is_distant_kind(&kind))
}

/// Whether file systems of this kind may hang.
#[cfg(target_os = "linux")]
pub(super) fn is_distant_kind(kind: &str) -> bool {
    kind.starts_with("fuse.") || DISTANT.contains(&kind)
}

/// On Windows a share has a name of its own kind.
#[cfg(windows)]
pub(super) fn is_distant(path: &Path) -> bool {
    use std::path::{Component, Prefix};

    let Some(Component::Prefix(prefix)) = path.components().next() else { return false };
    matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..))
}

#[cfg(not(any(target_os = "linux", windows)))]
pub(super) const fn is_distant(_: &Path) -> bool {
    false
}

/// Looks at a path; nothing if it does not answer within three seconds, and the look is left behind.
pub(crate) fn look_at<T: Send + 'static>(
    path: &Path,
    look: impl FnOnce(&Path) -> T + Send + 'static,
) -> Option<T> {
    let path = path.to_owned();
    left_behind(move || look(&path)).recv_timeout(PATIENCE).ok()
}

/// Returns the real path of what may lie on a file system that hangs; the path itself if there is none or no answer.
pub(super) fn canonical(path: &Path) -> PathBuf {
    let real = look_at(path, |path| path.canonicalize());
    real.and_then(Result::ok).unwrap_or_else(|| path.to_owned())
}

/// Runs something in a thread nobody waits for. No answer ever comes where there is no thread to be had.
pub(super) fn left_behind<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Receiver<T> {
    let (answer, answered) = mpsc::channel();
    let spawned = thread::Builder::new()
        .name("asks a mount".to_owned())
        .spawn(move || {
            let result = work();
            // Who asked may be gone by now.
            drop(answer.send(result));
        });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread to ask a file system with");
    }

    answered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_answer_is_left_behind() {
        let (release, held) = mpsc::channel::<()>();
        let asked = left_behind(move || held.recv().is_err());
        assert_eq!(asked.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(release);
        assert_eq!(asked.recv(), Ok(true));
    }

    #[test]
    fn a_real_path_is_found_and_a_missing_one_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        assert_eq!(canonical(&missing), missing);
        assert_eq!(canonical(&dir.path().join(".")), dir.path().canonicalize().unwrap());
        assert_eq!(look_at(&missing, Path::exists), Some(false));
    }

    #[test]
    fn an_own_disk_is_not_distant() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_distant(dir.path()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn shares_and_what_programs_serve_are_distant() {
        for kind in ["nfs4", "cifs", "fuse", "fuse.sshfs"] {
            assert!(is_distant_kind(kind), "{kind}");
        }
        for kind in ["ext4", "xfs", "fuseblk", "overlay"] {
            assert!(!is_distant_kind(kind), "{kind}");
        }
    }
}
