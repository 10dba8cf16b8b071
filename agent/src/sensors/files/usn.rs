//! The change journal backend: what NTFS and `ReFS` themselves write down of every change on a volume. Windows 10
//! and Server 2016 or newer, as administrator.
//!
//! ```text
//! volume's journal ─▶ reader (one thread a volume) ─▶ records ─▶ story (what is new in a record) ─▶ raw events
//!                       ▲                                          └─ places (file id ─▶ path)
//!                       └─ position: where to go on after a restart
//! ```
//!
//! What it can that `ReadDirectoryChangesW` cannot: the journal is on disk, so that what happened while the agent did
//! not run is told afterwards, with the time when; a rename is one event; a reader that falls behind loses nothing
//! before the journal's oldest record is gone, and then it knows. What it cannot: say who did it.
//!
//! Always holds: the reader may wait for the worker, because the journal is the queue.

mod places;
mod position;
mod records;
mod story;

#[cfg(windows)]
mod journal;
#[cfg(windows)]
mod reader;
#[cfg(windows)]
mod sys;

use std::ffi::OsString;

#[cfg(windows)]
pub(super) use journal::Usn;

/// Turns a name of the file system into one of this program. Windows keeps it as it is, whatever it holds.
#[cfg(windows)]
fn os_name(units: &[u16]) -> OsString {
    std::os::windows::ffi::OsStringExt::from_wide(units)
}

/// Turns a name of the file system into one of this program.
#[cfg(not(windows))]
fn os_name(units: &[u16]) -> OsString {
    String::from_utf16_lossy(units).into()
}
