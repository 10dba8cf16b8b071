//! Reads the table of processes, stops them and lets them run again. Linux 5.3 and newer.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::{Process, Table};
use crate::observation::Kin;

/// Processes looked at in the table at the most.
const TABLE_MAX: usize = 65_536;

/// Returns the processes of this host.
pub(crate) fn table() -> Table {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());

    Table(
        numbers
            .take(TABLE_MAX)
            .filter_map(|pid| Some((pid, process(pid)?)))
            .collect(),
    )
}

fn process(pid: u32) -> Option<Process> {
    let (parent, started) = stat(pid)?;
    Some(Process { started, parent, program: fs::read_link(format!("/proc/{pid}/exe")).ok() })
}

/// Returns parent and start of a process: fields 4 and 22 of `/proc/PID/stat`, see proc(5).
fn stat(pid: u32) -> Option<(u32, u64)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in brackets and may hold anything.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;

    Some((parent, started))
}

/// Stops a process.
pub(crate) fn suspend(process: Kin) -> io::Result<()> {
    Ok(pidfd_send_signal(&open(process)?, Signal::STOP)?)
}

/// Lets a process run again.
pub(crate) fn resume(process: Kin) -> io::Result<()> {
    Ok(pidfd_send_signal(&open(process)?, Signal::CONT)?)
}

/// Whether a process is still the one that was seen.
pub(crate) fn is_alive(process: Kin) -> bool {
    open(process).is_ok()
}

/// Opens a process; `NotFound` if its number belongs to another one by now.
///
/// The start is read once the descriptor stands: if it agrees, the descriptor means that process, for no other can have
/// had its number in between.
fn open(process: Kin) -> io::Result<OwnedFd> {
    let gone = || io::Error::from(io::ErrorKind::NotFound);
    let number = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    let descriptor = pidfd_open(number.ok_or_else(gone)?, PidfdFlags::empty())?;
    let started = stat(process.pid).map(|(_, started)| started);
    if process.started.is_none() || started != process.started {
        return Err(gone());
    }

    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::time::Duration;

    use super::*;

    /// A process that ends with the test.
    struct Sleeper(Child);

    impl Sleeper {
        fn start() -> (Self, Kin) {
            let child = Command::new("sleep").arg("60").spawn().unwrap();
            let (parent, started) = stat(child.id()).unwrap();
            assert_eq!(parent, std::process::id());
            let kin = Kin { pid: child.id(), started: Some(started) };
            (Self(child), kin)
        }

        fn state(&self) -> String {
            let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("State:"));
            line.unwrap().trim().chars().take(1).collect()
        }

        fn comes_to(&self, state: &str) {
            let begun = std::time::Instant::now();
            while self.state() != state {
                assert!(begun.elapsed() < Duration::from_secs(10), "{}", self.state());
                std::thread::yield_now();
            }
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }

    #[test]
    fn a_real_process_is_stopped_and_runs_again() {
        let (sleeper, kin) = Sleeper::start();
        assert_eq!(table().same(kin).unwrap().parent, std::process::id());
        suspend(kin).unwrap();
        sleeper.comes_to("T");
        resume(kin).unwrap();
        sleeper.comes_to("S");
    }

    #[test]
    fn another_process_of_the_same_number_is_not_touched() {
        let (sleeper, kin) = Sleeper::start();
        for started in [kin.started.map(|started| started + 1), None] {
            let refused = suspend(Kin { started, ..kin }).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::NotFound);
        }
        assert!(is_alive(kin));
        assert_ne!(sleeper.state(), "T");
    }
}
