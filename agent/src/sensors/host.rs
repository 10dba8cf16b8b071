//! Looks at the host itself: disks, memory, load, and with each look the clocks; and when its packages last changed.
//!
//! A clock jump and a reboot need no look of their own: every observation carries wall time, boot and monotonic time,
//! and the detector compares two of them.

#[cfg(target_os = "linux")]
use std::collections::BTreeSet;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use shirase_shared::ids::BootId;
use shirase_shared::wire::SensorState;
use sysinfo::{MemoryRefreshKind, System};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::SensorBoard;
#[cfg(target_os = "linux")]
use super::{hanging, mounts};
use crate::observation::{DiskSample, Fact, HostSample, Observation};

/// Name of this sensor on the board.
const NAME: &str = "host";
/// Name on the board of what tells when packages last changed. The collector shows it beside the checklist.
const PACKAGES: &str = "packages";
/// What Debian's package manager writes anew with every package it installs, updates or removes.
const DPKG_STATUS: &str = "/var/lib/dpkg/status";
/// File systems that are always full by nature.
const NO_DISKS: &[&str] = &["squashfs", "iso9660", "udf", "overlay", "tmpfs", "devtmpfs", "erofs"];

/// The host itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostConfig {
    /// Pause between two looks at disks, memory and clocks, in seconds.
    pub interval_secs: u64,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self { interval_secs: 10 }
    }
}

impl HostConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let key = "sensors.host.interval_secs";
        let problem = || Problem::of(key, "is 0", "give at least 1 second; 10 is the default");
        if self.interval_secs == 0 { vec![problem()] } else { Vec::new() }
    }
}

/// Looks at intervals until `stop`.
pub async fn run(
    config: HostConfig,
    clock: SharedClock,
    out: mpsc::Sender<Observation>,
    board: SensorBoard,
    stop: CancellationToken,
) {
    loop {
        let packages = board.clone();
        let looked = tokio::task::spawn_blocking(move || {
            // On a system without this package manager nothing is said.
            if let Some(at) = changed(Path::new(DPKG_STATUS)) {
                packages.set(PACKAGES, SensorState::Well, format!("dpkg, last change {at}"));
            }
            look()
        });
        match looked.await {
            Ok(Ok(sample)) => {
                board.set(NAME, SensorState::Well, format!("load {:.2}", sample.load_one));
                let observation = Observation { at: clock.moment(), fact: Fact::Host(sample) };
                if out.send(observation).await.is_err() {
                    return;
                }
            }
            Ok(Err(why)) => board.set(NAME, SensorState::Blind, why),
            Err(error) => board.set(NAME, SensorState::Blind, error.to_string()),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(config.interval_secs)) => {}
        }
    }
}

/// Returns when a file was last written, to the second; `None` if it is not there.
fn changed(path: &Path) -> Option<Timestamp> {
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    let at = Timestamp::try_from(written).ok()?;
    Timestamp::from_second(at.as_second()).ok()
}

/// Looks once.
fn look() -> Result<HostSample, String> {
    let mut system = System::new().map_err(|error| format!("no memory figures: {error}"))?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    Ok(HostSample {
        disks: disks()?,
        memory_available_bytes: system.available_memory(),
        memory_total_bytes: system.total_memory(),
        load_one: System::load_average().map_or(0.0, |load| load.one),
    })
}

/// Returns the disks of this machine that can be written to. Network file systems are left out: their disks are another
/// machine's, and asking after them may hang.
#[cfg(target_os = "linux")]
fn disks() -> Result<Vec<DiskSample>, String> {
    use rustix::fs::{StatVfsMountFlags, statvfs};

    let mut seen = BTreeSet::new();
    let disk = |(mount, kind): (PathBuf, String)| {
        if NO_DISKS.contains(&kind.as_str()) || hanging::is_distant_kind(&kind) {
            return None;
        }
        let told = statvfs(&mount).ok()?;
        let counts = 0 < told.f_blocks && !told.f_flag.contains(StatVfsMountFlags::RDONLY);
        // One that is mounted in several places is one disk.
        let sample = DiskSample {
            mount,
            free_bytes: told.f_bavail.saturating_mul(told.f_frsize),
            total_bytes: told.f_blocks.saturating_mul(told.f_frsize),
        };
        (counts && seen.insert((told.f_fsid, told.f_blocks))).then_some(sample)
    };

    let table =
        std::fs::read(mounts::TABLE).map_err(|error| format!("no disk figures: {error}"))?;

    Ok(mounts::mounts(&table).filter_map(disk).collect())
}

#[cfg(not(target_os = "linux"))]
fn disks() -> Result<Vec<DiskSample>, String> {
    use sysinfo::{DiskRefreshKind, Disks};

    let usage = DiskRefreshKind::nothing().with_storage();
    let disks = Disks::new_with_refreshed_list_specifics(usage)
        .map_err(|error| format!("no disk figures: {error}"))?;
    let counted = |disk: &&sysinfo::Disk| {
        let system = disk.file_system().to_string_lossy();
        !NO_DISKS.contains(&system.as_ref()) && !disk.is_read_only() && 0 < disk.total_space()
    };
    let sample = |disk: &sysinfo::Disk| DiskSample {
        mount: disk.mount_point().to_owned(),
        free_bytes: disk.available_space(),
        total_bytes: disk.total_space(),
    };

    Ok(disks.iter().filter(counted).map(sample).collect())
}

/// Returns what the operating system calls this start of the machine; a random name where it has none.
#[must_use]
pub fn boot_id() -> BootId {
    let told = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    told.ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or_else(BootId::random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_list_tells_when_it_was_written_and_a_missing_one_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("status");
        assert_eq!(changed(&list), None);
        std::fs::write(&list, "Package: x").unwrap();
        let at: Timestamp = "2026-11-20T03:00:00.5Z".parse().unwrap();
        std::fs::File::options()
            .write(true)
            .open(&list)
            .unwrap()
            .set_modified(at.into())
            .unwrap();
        assert_eq!(changed(&list), Some("2026-11-20T03:00:00Z".parse().unwrap()));
    }

    #[test]
    fn this_host_has_memory() {
        let sample = look().expect("figures");
        assert!(0 < sample.memory_available_bytes, "{sample:?}");
        assert!(sample.memory_available_bytes <= sample.memory_total_bytes, "{sample:?}");
        if cfg!(target_os = "linux") {
            assert_eq!(boot_id(), boot_id());
        }
    }
}
