//! The service on Windows: the service manager, console signals, the Event Log, access lists of files.
//!
//! Seen to work under Wine alone so far; what a real Windows refuses shows there first.

mod log;
mod manager;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;
use std::time::Duration;

use shirase_shared::ids::BootId;
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};
use uuid::Uuid;
use windows_sys::Win32::Foundation::{FILETIME, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES};
use windows_sys::Win32::Storage::FileSystem::CreateDirectoryW;
use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessTimes};

use super::{HostFacts, OwnUse};
use crate::wide::wide;

pub(crate) use log::{log_writer, write_system_log};
pub(crate) use manager::{host, install, notify_ready, notify_stopping, start, uninstall};

/// Who may do anything with what the agent writes: the system, administrators, and whoever made it. In the language of
/// security descriptors (SDDL); inherited by everything below, and nothing is inherited from above.
const OWN_FILES: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)";
/// The oldest build of Windows the agent is made for: Windows 10; Server 2016 is 14393.
const OLDEST_BUILD: u32 = 10_240;
/// Windows tells time in units of this many per millisecond.
const FILETIME_PER_MS: u64 = 10_000;

/// Names this start. Windows has no name for the start of the machine, and the agent's clock begins with its process.
pub(crate) fn boot_id() -> BootId {
    BootId::from_uuid(Uuid::new_v4())
}

/// Returns the names the machine gives itself.
pub(crate) fn host_facts() -> HostFacts {
    HostFacts {
        hostname: sysinfo::System::host_name().unwrap_or_default(),
        os: sysinfo::System::long_os_version().unwrap_or_else(|_| "Windows".to_owned()),
    }
}

/// A program that runs cannot be replaced here.
pub(crate) const fn program_replaced() -> bool {
    false
}

/// The manager asks for no sign of life; it sees when the process ends.
pub(crate) const fn notify_alive() {}

/// Nobody asks for a sign of life.
pub(crate) const fn watchdog_interval() -> Option<Duration> {
    None
}

/// Says why this system is too old, if it is.
pub(crate) fn too_old() -> Option<String> {
    let build = sysinfo::System::kernel_version().ok()?;
    is_too_old(&build).then(|| {
        format!(
            "this is Windows build {build}; the agent needs Windows 10 (build {OLDEST_BUILD}) or Windows Server 2016 at \
             the least. On an older server watch its shares from a newer machine, and list its services as probes"
        )
    })
}

fn is_too_old(build: &str) -> bool {
    // What cannot be read is not held against the system.
    build
        .trim()
        .parse()
        .is_ok_and(|build: u32| build < OLDEST_BUILD)
}

/// Ctrl-C, Ctrl-Break, a closed window, a shutdown, the manager's word: the end of the service.
pub(crate) struct Termination {
    c: CtrlC,
    pause: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Termination {
    /// Takes the signals over from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            c: ctrl_c()?,
            pause: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for any.
    pub(crate) async fn requested(mut self) {
        tokio::select! {
            _ = self.c.recv() => {}
            _ = self.pause.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
            () = manager::STOP.notified() => {}
        }
    }
}

/// The manager's word that the configuration changed (`sc.exe control shirase-agent paramchange`).
pub(crate) struct Reloads;

impl Reloads {
    /// Never fails.
    #[expect(clippy::unnecessary_wraps, reason = "the other systems can fail")]
    pub(crate) const fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next.
    pub(crate) async fn requested(&mut self) {
        manager::RELOAD.notified().await;
    }
}

/// Makes a directory, and those above it, for the system and administrators alone; one that exists keeps what is in it.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
        create_private_dir(parent)?;
    }
    let descriptor = Descriptor::parse(OWN_FILES)?;
    descriptor.create_dir(path)
}

/// Makes or empties a file; what may be done with it is inherited from its directory.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
}

/// The file system writes names through its own journal; there is nothing to ask for.
#[expect(clippy::unnecessary_wraps, reason = "the other systems can fail")]
pub(crate) const fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Takes a lock for as long as the file is held; `WouldBlock` if another process has it.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        std::fs::TryLockError::Error(error) => error,
    })?;

    Ok(file)
}

/// Returns what this process has used so far.
#[expect(unsafe_code, reason = "no safe binding")]
pub(crate) fn own_use() -> io::Result<OwnUse> {
    const ZERO: FILETIME = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
    let [mut made, mut ended, mut kernel, mut user] = [ZERO; 4];
    let size = u32::try_from(size_of::<PROCESS_MEMORY_COUNTERS>()).unwrap_or(0);
    let mut memory = PROCESS_MEMORY_COUNTERS { cb: size, ..PROCESS_MEMORY_COUNTERS::default() };
    // SAFETY: the handle of the own process needs no closing; everything written to lives until the calls return.
    let told = unsafe {
        let own = GetCurrentProcess();
        GetProcessTimes(own, &raw mut made, &raw mut ended, &raw mut kernel, &raw mut user) != 0
            && K32GetProcessMemoryInfo(own, &raw mut memory, size) != 0
    };
    if !told {
        return Err(io::Error::last_os_error());
    }
    let ticks =
        |time: FILETIME| (u64::from(time.dwHighDateTime) << 32) | u64::from(time.dwLowDateTime);

    Ok(OwnUse {
        cpu_ms: (ticks(kernel) + ticks(user)) / FILETIME_PER_MS,
        memory_bytes: u64::try_from(memory.WorkingSetSize).unwrap_or(u64::MAX),
    })
}

/// Whether this process may make files in a directory: it tries.
pub(crate) fn writable(dir: &Path) -> bool {
    let probe = dir.join(format!(".shirase-{}", Uuid::new_v4()));
    let made = OpenOptions::new().write(true).create_new(true).open(&probe);
    made.is_ok_and(|file| {
        drop(file);
        std::fs::remove_file(&probe).is_ok()
    })
}

/// Who may do what, in the system's own form.
pub(crate) struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    /// Reads one written in SDDL.
    #[expect(unsafe_code, reason = "no safe binding")]
    pub(crate) fn parse(text: &str) -> io::Result<Self> {
        let text = wide(text);
        let mut made = ptr::null_mut();
        // SAFETY: the text ends with a zero; what is made is freed when this is dropped.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                ptr::null_mut(),
            )
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(made)) }
    }

    /// Returns the form in which it is given to whatever makes something. It must not outlive this.
    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }

    #[expect(unsafe_code, reason = "no safe binding")]
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let text: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        let attributes = self.attributes();
        // SAFETY: the text ends with a zero, and both live until the call returns.
        let made = unsafe { CreateDirectoryW(text.as_ptr(), &raw const attributes) };
        if made == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl Drop for Descriptor {
    #[expect(unsafe_code, reason = "the system made it and wants it back")]
    fn drop(&mut self) {
        // SAFETY: it came from the system, and this is its only owner.
        unsafe { LocalFree(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_before_2016_are_too_old() {
        assert!(is_too_old("9600") && is_too_old("7601"), "2012 R2 and 2008 R2");
        assert!(!is_too_old("14393") && !is_too_old("20348") && !is_too_old("10240"));
        assert!(!is_too_old("unknown"));
    }

    #[test]
    fn own_use_is_told() {
        let told = own_use().unwrap();
        assert!(1 << 20 < told.memory_bytes, "{told:?}");
    }

    #[test]
    fn a_private_directory_is_made_with_those_above_it_and_can_be_written() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a/b");
        create_private_dir(&dir).unwrap();
        create_private_dir(&dir).unwrap();
        assert!(writable(&dir) && !writable(&dir.join("none")));
    }

    #[test]
    fn a_lock_is_held_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = lock_file(&path).unwrap();
        assert_eq!(lock_file(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        assert!(lock_file(&path).is_ok());
    }
}
