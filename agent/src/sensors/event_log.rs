//! Reads an event log of Windows as it grows, from where the last reading ended.
//!
//! ```text
//! event log ─▶ subscription (its own thread) ─XML▶ entry ─▶ security (who logs on, who becomes an administrator)
//! ```
//!
//! Always holds: what an entry says is told by modules without I/O; entries that are gone before they were read, and a
//! log that cannot be read, are told as a loss.

mod entry;
pub(super) mod security;

#[cfg(windows)]
mod subscription;

#[cfg(windows)]
pub(super) use entry::Entry;
#[cfg(windows)]
pub(super) use subscription::{Subscription, oldest};
