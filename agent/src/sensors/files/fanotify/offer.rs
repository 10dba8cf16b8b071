//! Asks the kernel what it offers, and says in words what it refuses.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use super::sys;
use crate::sensors::files::Unusable;
use crate::sensors::files::backend::Refused;
use crate::sensors::files::raw::Trouble;

/// Changes the kernel should keep at the least while nobody reads: 128 bytes each, so 32 MiB at the most.
const KERNEL_QUEUE: u64 = 262_144;
/// Where the kernel says and is told how many it keeps for groups opened from then on.
const KERNEL_QUEUE_FILE: &str = "/proc/sys/fs/fanotify/max_queued_events";

impl Refused {
    pub(super) fn of_path(error: &io::Error) -> Self {
        Self::Trouble(match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => Trouble::Missing,
            Some(libc::EACCES | libc::EPERM) => Trouble::Denied,
            Some(_) | None => Trouble::Other(error.kind().to_string()),
        })
    }

    pub(super) fn of_mark(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Trouble(Trouble::Missing);
        }

        Self::Unable(error.to_string())
    }
}

impl Unusable {
    pub(super) fn of_group(error: &io::Error) -> Self {
        Self(match error.raw_os_error() {
            Some(libc::EPERM) => "the right to use fanotify is missing (CAP_SYS_ADMIN)".to_owned(),
            Some(libc::EINVAL | libc::ENOSYS) => {
                "this kernel's fanotify is too old (Linux 5.17 is needed)".to_owned()
            }
            Some(libc::EMFILE) => {
                "too many fanotify groups are open (fs.fanotify.max_user_groups)".to_owned()
            }
            Some(_) | None => format!("fanotify: {error}"),
        })
    }
}

/// Marks, asks where a handle is, and takes the mark back: what a kernel or a container refuses shows here.
pub(super) fn try_mark(group: &OwnedFd, path: &Path) -> Result<(), Unusable> {
    let told = |what: &str, error: &io::Error| Unusable(format!("{what}: {error}"));
    sys::mark_filesystem(group.as_fd(), path)
        .map_err(|error| told("fanotify cannot mark this file system", &error))?;
    let fd = std::fs::File::open(path).map_err(|error| told("it cannot be opened", &error))?;
    let located = sys::handle_of(path).and_then(|handle| sys::path_of(fd.as_fd(), &handle));
    sys::unmark_filesystem(group.as_fd(), path).map_err(|error| told("fanotify", &error))?;

    match located {
        Ok(_) => Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            Err(Unusable("the right to open by handle is missing (CAP_DAC_READ_SEARCH)".to_owned()))
        }
        Err(error) => Err(told("directories cannot be found by handle", &error)),
    }
}

/// Has the kernel keep more changes for groups opened from now on, where that is allowed. Returns how many it keeps.
pub(super) fn raise_queue() -> u64 {
    let kept = || -> Option<u64> {
        std::fs::read_to_string(KERNEL_QUEUE_FILE)
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let before = kept().unwrap_or_default();
    if before < KERNEL_QUEUE
        && let Err(error) = std::fs::write(KERNEL_QUEUE_FILE, KERNEL_QUEUE.to_string())
    {
        tracing::debug!(error = %error, "the kernel's queue of file changes stays as it is");
    }

    kept().unwrap_or(before)
}
