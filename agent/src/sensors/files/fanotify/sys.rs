//! The system calls of fanotify(7) and of file handles, made safe.
//!
//! Nothing here knows what a change means. Numbers and layouts: `fanotify_init(2)`, `fanotify_mark(2)`,
//! `fanotify(7)` and `open_by_handle_at(2)` of man-pages 6.03.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Changes asked for: names that appear, go and change, writes, and closes after writing (a write through mapped
/// memory gives nothing but its close); of directories too.
const CHANGES: u64 = libc::FAN_CREATE
    | libc::FAN_DELETE
    | libc::FAN_RENAME
    | libc::FAN_MODIFY
    | libc::FAN_CLOSE_WRITE
    | libc::FAN_ONDIR;

/// Changes never told from an ignored directory. New directories in it are told, so that they can be ignored too.
const IGNORED: u64 = libc::FAN_CREATE
    | libc::FAN_DELETE
    | libc::FAN_RENAME
    | libc::FAN_MODIFY
    | libc::FAN_CLOSE_WRITE
    | libc::FAN_EVENT_ON_CHILD;

/// Longest handle of any file system, in bytes (`MAX_HANDLE_SZ`).
const HANDLE_MAX_BYTES: usize = 128;

/// A handle as the kernel writes it: its length, its kind, its bytes.
#[repr(C)]
struct RawHandle {
    bytes: u32,
    kind: i32,
    handle: [u8; HANDLE_MAX_BYTES],
}

/// How a group is opened: it tells names, directories and numbers of processes.
///
/// A descriptor of the process in each report (`FAN_REPORT_PIDFD`) would cost more than all the rest of reading it.
const GROUP: u32 =
    libc::FAN_CLASS_NOTIF | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK | libc::FAN_REPORT_DFID_NAME;

/// Opens a group. It needs `CAP_SYS_ADMIN`.
pub(super) fn init() -> io::Result<OwnedFd> {
    // Without the right a group opens too, but nothing it may mark is of use. This one says so.
    drop(open_group(GROUP | libc::FAN_REPORT_PIDFD)?);

    open_group(GROUP)
}

#[expect(unsafe_code, reason = "no safe binding has file handles and processes in one report")]
fn open_group(flags: u32) -> io::Result<OwnedFd> {
    let opened = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_LARGEFILE;
    // SAFETY: two numbers go in, a descriptor or -1 comes out.
    let group = unsafe { libc::fanotify_init(flags, opened.cast_unsigned()) };
    owned(group)
}

/// Marks the file system a path lies on: every change on it is told from now on, through whatever mount it is made.
pub(super) fn mark_filesystem(group: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    mark(group, libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM, CHANGES, path)
}

/// Takes a mark back.
pub(super) fn unmark_filesystem(group: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    mark(group, libc::FAN_MARK_REMOVE | libc::FAN_MARK_FILESYSTEM, CHANGES, path)
}

/// Has the kernel drop what happens to the entries of one directory (not of those below it), before anything of it
/// is queued. Linux 6.0 and newer.
pub(super) fn ignore_directory(group: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_IGNORE_SURV | libc::FAN_MARK_ONLYDIR;
    mark(group, flags, IGNORED, path)
}

#[expect(unsafe_code, reason = "no safe binding")]
fn mark(group: BorrowedFd<'_>, flags: u32, mask: u64, path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a string with an end that lives until the call returns.
    let result = unsafe {
        libc::fanotify_mark(group.as_raw_fd(), flags, mask, libc::AT_FDCWD, path.as_ptr())
    };
    succeeded(result)
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// There is something to read from the group.
    Readable,
    /// The other end of `stop` is closed.
    Stopped,
    /// Neither.
    ByNothing,
}

/// Waits until there is something to read from the group or the other end of `stop` is closed.
#[expect(unsafe_code, reason = "poll(2) without another crate's feature")]
pub(super) fn wait(group: BorrowedFd<'_>, stop: BorrowedFd<'_>) -> io::Result<Woken> {
    let entry =
        |fd: BorrowedFd<'_>| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut fds = [entry(group), entry(stop)];
    // SAFETY: the array lives until the call returns and holds as many entries as said.
    let ready = unsafe { libc::poll(fds.as_mut_ptr(), 2, -1) };
    match succeeded(ready) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Woken::ByNothing),
        Err(error) => Err(error),
        Ok(()) if fds[1].revents != 0 => Ok(Woken::Stopped),
        Ok(()) if fds[0].revents != 0 => Ok(Woken::Readable),
        Ok(()) => Ok(Woken::ByNothing),
    }
}

/// Reads what waits, as much as fits. Nothing waiting is `WouldBlock`.
pub(super) fn read(group: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(group, buffer)?)
}

/// Whether the process behind a pidfd has ended, or a pipe's other end is closed.
pub(super) fn has_ended(fd: BorrowedFd<'_>) -> bool {
    is_ready(fd, libc::POLLIN)
}

/// Whether a file of `/proc` that tells of changes, such as the mount table, changed since this was asked before.
pub(super) fn has_news(fd: BorrowedFd<'_>) -> bool {
    is_ready(fd, libc::POLLPRI)
}

#[expect(unsafe_code, reason = "poll(2) without another crate's feature")]
fn is_ready(fd: BorrowedFd<'_>, events: libc::c_short) -> bool {
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    // SAFETY: the one entry lives until the call returns.
    0 < unsafe { libc::poll(&raw mut entry, 1, 0) }
}

/// Returns the handle of a file or directory as fanotify tells it: the file system's number, then length, kind and
/// bytes.
#[expect(unsafe_code, reason = "no safe binding")]
pub(super) fn handle_of(path: &Path) -> io::Result<Vec<u8>> {
    let filesystem = rustix::fs::statvfs(path)?.f_fsid;
    let text = CString::new(path.as_os_str().as_bytes())?;
    let room = u32::try_from(HANDLE_MAX_BYTES).unwrap_or(u32::MAX);
    let mut raw = RawHandle { bytes: room, kind: 0, handle: [0; HANDLE_MAX_BYTES] };
    let mut mount: libc::c_int = 0;
    // SAFETY: the handle says how much room it has, path and mount number live until the call returns.
    let result = unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            text.as_ptr(),
            &raw mut raw,
            &raw mut mount,
            0,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let length = usize::try_from(raw.bytes)
        .unwrap_or_default()
        .min(HANDLE_MAX_BYTES);
    let mut handle = filesystem.to_ne_bytes().to_vec();
    handle.extend(raw.bytes.to_ne_bytes());
    handle.extend(raw.kind.to_ne_bytes());
    handle.extend(raw.handle.iter().take(length));

    Ok(handle)
}

/// Returns where the directory of a handle is now. `mount` is any descriptor on its file system. It needs
/// `CAP_DAC_READ_SEARCH`.
#[expect(unsafe_code, reason = "no safe binding")]
pub(super) fn path_of(mount: BorrowedFd<'_>, handle: &[u8]) -> io::Result<PathBuf> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
    let number = |at: usize| handle.get(at..at + 4).and_then(|four| four.try_into().ok());
    let bytes = u32::from_ne_bytes(number(8).ok_or_else(invalid)?);
    let kind = i32::from_ne_bytes(number(12).ok_or_else(invalid)?);
    let mut raw = RawHandle { bytes, kind, handle: [0; HANDLE_MAX_BYTES] };
    let told = handle.get(16..).ok_or_else(invalid)?;
    let room = raw.handle.get_mut(..told.len()).ok_or_else(invalid)?;
    room.copy_from_slice(told);
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    // SAFETY: the handle says its length, which was checked against its room, and lives until the call returns.
    let fd = unsafe {
        libc::syscall(libc::SYS_open_by_handle_at, mount.as_raw_fd(), &raw const raw, flags)
    };
    let fd = owned(RawFd::try_from(fd).map_err(|_| invalid())?)?;
    if rustix::fs::fstat(&fd)?.st_nlink == 0 {
        return Err(io::ErrorKind::NotFound.into());
    }

    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

#[expect(unsafe_code, reason = "the one place where a number becomes a descriptor")]
fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    succeeded(fd)?;
    // SAFETY: the kernel has just made it, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn succeeded(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_happens_in_an_ignored_directory_is_not_even_queued() {
        let home = tempfile::tempdir().unwrap();
        let (ignored, shown) = (home.path().join("db"), home.path().join("shown"));
        std::fs::create_dir(&ignored).unwrap();
        std::fs::create_dir(&shown).unwrap();
        let group = match init() {
            Ok(group) => group,
            Err(error) => return println!("not tried: {error}"),
        };
        mark_filesystem(group.as_fd(), home.path()).unwrap();
        if let Err(error) = ignore_directory(group.as_fd(), &ignored) {
            return println!("not tried: {error}");
        }
        let words = "for d in db shown; do echo x > $d/kept-$d; mv $d/kept-$d $d/moved-$d; done; mkdir db/new-db";
        let mut shell = Command::new("sh");
        assert!(
            shell
                .args(["-c", words])
                .current_dir(home.path())
                .status()
                .unwrap()
                .success()
        );
        let (mut buffer, mut queued) = (vec![0; 1 << 20], Vec::new());
        while let Ok(length) = read(group.as_fd(), &mut buffer) {
            queued.extend_from_slice(&buffer[..length]);
        }
        let has = |name: &str| {
            queued
                .windows(name.len())
                .any(|found| found == name.as_bytes())
        };
        assert!(has("kept-shown") && has("moved-shown"));
        assert!(!has("kept-db") && !has("moved-db"), "the kernel queued what should be ignored");
        assert!(has("new-db"), "a new directory has to be told, so that it can be ignored too");
    }
}
