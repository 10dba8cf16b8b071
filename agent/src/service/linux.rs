//! The service on Linux: systemd's notifications, Unix signals, `/dev/log`, modes of files.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sd_notify::NotifyState;
use shirase_shared::ids::BootId;
use tokio::signal::unix::{Signal, SignalKind, signal};
use uuid::Uuid;

use super::{HostFacts, OwnUse};

/// Where the system's log listens.
const SYSTEM_LOG: &str = "/dev/log";
/// Syslog facility `daemon` (3) and severity `critical` (2) as one number, RFC 3164 section 4.1.1.
const DAEMON_CRITICAL: u8 = 3 * 8 + 2;
/// Longest syslog packet, RFC 3164 section 4.1.
const SYSTEM_LOG_MAX_BYTES: usize = 1024;

/// Returns what the kernel calls this start of the machine; a random name where it has none (some containers).
pub(crate) fn boot_id() -> BootId {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or_else(|| BootId::from_uuid(Uuid::new_v4()))
}

/// Returns the names the machine gives itself.
pub(crate) fn host_facts() -> HostFacts {
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();

    HostFacts { hostname: hostname.trim().to_owned(), os: pretty_name(&release) }
}

fn pretty_name(release: &str) -> String {
    release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or_else(|| "Linux".to_owned(), |name| name.trim_matches('"').to_owned())
}

/// Does the work of a service. systemd starts it like any other program.
pub(crate) fn host(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    work()
}

/// The package brings the unit.
pub(crate) fn install(_: &Path) -> anyhow::Result<Vec<String>> {
    anyhow::bail!(
        "on Linux the package brings the service; enable it with `systemctl enable --now shirase-agent`"
    )
}

/// The package does that as well.
pub(crate) fn start() -> anyhow::Result<Vec<String>> {
    anyhow::bail!("on Linux start the service with `systemctl start shirase-agent`")
}

/// The package takes the unit away.
pub(crate) fn uninstall() -> anyhow::Result<Vec<String>> {
    anyhow::bail!("on Linux the service goes with its package; remove that")
}

/// Where the log goes.
pub(crate) const fn log_writer() -> fn() -> io::Stderr {
    io::stderr
}

/// Every Linux will do; what is missing on an old one is told by whatever misses it.
pub(crate) const fn too_old() -> Option<String> {
    None
}

/// Tells systemd that the service is up. Without systemd nothing happens.
pub(crate) fn notify_ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("watching")]);
}

/// Tells systemd that the service is going down.
pub(crate) fn notify_stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells systemd's watchdog that the service is alive.
pub(crate) fn notify_alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Returns how often [`notify_alive`] must be called, if systemd asks for it: half the time after which it kills.
pub(crate) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

/// Writes one line to the system's own log, for the night when no collector answers.
pub(crate) fn write_system_log(message: &str, at: Timestamp) -> io::Result<()> {
    write_datagram(Path::new(SYSTEM_LOG), message, at)
}

/// `<PRI>Mmm dd hh:mm:ss TAG[PID]: message`; the daemons that read `/dev/log` take their own time of arrival.
fn write_datagram(socket: &Path, message: &str, at: Timestamp) -> io::Result<()> {
    let pid = std::process::id();
    let time = at.strftime("%b %e %H:%M:%S");
    let printable: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut packet = format!("<{DAEMON_CRITICAL}>{time} shirase-agent[{pid}]: {printable}");
    while SYSTEM_LOG_MAX_BYTES < packet.len() {
        packet.pop();
    }
    let out = UnixDatagram::unbound()?;
    out.set_nonblocking(true)?;
    out.send_to(packet.as_bytes(), socket)?;

    Ok(())
}

/// SIGTERM and SIGINT: the end of the service.
pub(crate) struct Termination {
    term: Signal,
    interrupt: Signal,
}

impl Termination {
    /// Takes the signals over from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for either.
    pub(crate) async fn requested(mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// SIGHUP: the configuration is to be read again.
pub(crate) struct Reloads(Signal);

impl Reloads {
    /// Takes the signal over from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next one.
    pub(crate) async fn requested(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Makes a directory, and those above it, readable by their owner alone; one that exists keeps what is in it.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes or empties a file that only its owner can read. A symbolic link in its place is refused.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(no_follow)
        .open(path)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Takes a lock for as long as the file is held; `WouldBlock` if another process has it.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;

    Ok(file)
}

/// Returns what this process has used so far.
pub(crate) fn own_use() -> io::Result<OwnUse> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let millis = u64::try_from(time.tv_nsec / 1_000_000).unwrap_or(0);
    let status = std::fs::read_to_string("/proc/self/status")?;

    Ok(OwnUse { cpu_ms: seconds * 1000 + millis, memory_bytes: resident_bytes(&status)? })
}

fn resident_bytes(status: &str) -> io::Result<u64> {
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<u64>()
                .ok()
        })
        .map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other("the kernel does not tell the resident size"))
}

/// Whether the program's file is another one by now, or none.
pub(crate) fn program_replaced() -> bool {
    // The kernel marks the name of a file that was removed or replaced.
    std::fs::read_link("/proc/self/exe")
        .is_ok_and(|path| path.as_os_str().as_encoded_bytes().ends_with(b" (deleted)"))
}

/// Returns the user this process runs as.
pub(crate) fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether this process may make files in a directory.
pub(crate) fn writable(dir: &Path) -> bool {
    rustix::fs::access(dir, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_log_gets_one_printable_line_with_priority_and_tag() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let daemon = UnixDatagram::bind(&path).unwrap();
        let at = "2026-02-08T16:50:00Z".parse().unwrap();
        write_datagram(&path, "mass change\nroot share", at).unwrap();
        let mut packet = [0; 2048];
        let length = daemon.recv(&mut packet).unwrap();
        let line = String::from_utf8_lossy(&packet[..length]).into_owned();
        let pid = std::process::id();
        assert_eq!(
            line,
            format!("<26>Feb  8 16:50:00 shirase-agent[{pid}]: mass change root share")
        );

        write_datagram(&path, &"訓".repeat(2000), at).unwrap();
        assert!(daemon.recv(&mut packet).unwrap() <= SYSTEM_LOG_MAX_BYTES);
    }

    #[test]
    fn the_system_is_called_by_its_pretty_name() {
        let release = "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(pretty_name(release), "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(pretty_name(""), "Linux");
    }

    #[test]
    fn own_use_is_told() {
        let before = own_use().unwrap();
        assert!(1 << 20 < before.memory_bytes, "{before:?}");
        assert_eq!(resident_bytes("VmPeak:  9 kB\nVmRSS:\t    12 kB\n").unwrap(), 12 * 1024);
        assert!(resident_bytes("").is_err());
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
