//! What a process costs: processor time, memory, and, where the system lets a group be made, what the kernel holds for it.

mod group;

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

pub(crate) use group::Group;

/// What a process used so far and holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Processor time in its own code and in the kernel on its behalf, in microseconds.
    pub(crate) cpu_us: u64,
    /// Resident memory, in KiB: all that is mapped, files of the binary included.
    pub(crate) resident_kib: u64,
    /// Of it anonymous, in KiB: what nobody else could share.
    pub(crate) anonymous_kib: u64,
}

impl Usage {
    /// Reads it from `/proc`.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let proc = Path::new("/proc").join(pid.to_string());
        let stat = std::fs::read_to_string(proc.join("stat"))
            .with_context(|| format!("process {pid} is gone"))?;
        let status = std::fs::read_to_string(proc.join("status"))
            .with_context(|| format!("process {pid} is gone"))?;
        let ticks = cpu_ticks(&stat).context("an odd /proc/PID/stat")?;

        Ok(Self {
            // Linux counts in hundredths of a second here, whatever its own clock.
            cpu_us: ticks * 10_000,
            resident_kib: kib(&status, "VmRSS:").unwrap_or(0),
            anonymous_kib: kib(&status, "RssAnon:").unwrap_or(0),
        })
    }
}

/// User and system time of `/proc/PID/stat`. The name in it may hold anything, so counting begins behind it.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn kib(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with(key))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 4 0 9 1 1";
        assert_eq!(cpu_ticks(stat), Some(42));
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(0 < usage.anonymous_kib && usage.anonymous_kib <= usage.resident_kib);
    }
}
