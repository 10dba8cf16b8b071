//! Runs the agent as a service of the operating system: its signals, its log, its notion of private files.
//!
//! Always holds: `#[cfg]` for the whole service appears here; each body has the same names.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

pub(crate) use platform::{
    Reloads, Termination, boot_id, create_private_dir, create_private_file, host, host_facts,
    install, lock_file, log_writer, notify_alive, notify_ready, notify_stopping, own_use,
    program_replaced, start, sync_dir, too_old, uninstall, watchdog_interval, writable,
    write_system_log,
};
// Who vouches for a client of the control socket differs too much for one name.
#[cfg(windows)]
pub(crate) use platform::Descriptor;
#[cfg(unix)]
pub(crate) use platform::own_user;

/// What the machine calls itself: labels, never an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostFacts {
    /// Its name.
    pub(crate) hostname: String,
    /// Operating system and version.
    pub(crate) os: String,
}

/// What this process has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnUse {
    /// Processor time of all its threads, in milliseconds.
    pub(crate) cpu_ms: u64,
    /// Resident memory in bytes.
    pub(crate) memory_bytes: u64,
}
