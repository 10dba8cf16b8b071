//! Sees that the host runs out of disk or memory, that a certificate runs out, and that the clock moved.
//!
//! Always holds: pure; trouble ends only well above where it began, so that a value at the limit does not flutter.

mod certificates;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::{Anomaly, Event, Phase, Pressure, SCHEMA, Severity};
use shirase_shared::ids::BurstId;

use crate::observation::{CertificateSeen, DiskSample, HostSample};
use certificates::Certificates;

/// What is free must reach this many percent of the limit before the trouble has ended.
const RELIEF_PERCENT: u64 = 125;
/// Below this share of the limit it is severe.
const SEVERE_SHARE: u64 = 4;
/// Longest warning before the end of a certificate, in days.
const WARN_DAYS_MAX: u64 = 397;

/// When a host is under pressure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PressureConfig {
    /// A disk with less than this share free is nearly full, in percent, but only below `disk_free_bytes_max`.
    pub disk_free_percent: u64,
    /// A disk with more than this free is never called nearly full, whatever its share, in bytes.
    pub disk_free_bytes_max: u64,
    /// A disk with less than this free is nearly full, whatever its share, in bytes.
    pub disk_free_bytes_min: u64,
    /// Memory with less than this share available is nearly full, in percent.
    pub memory_available_percent: u64,
    /// A wall clock that moved this much against the monotonic one has jumped, in milliseconds.
    pub clock_jump_ms: u64,
    /// A probed service's certificate that is valid for fewer days than this is about to expire; severity medium from
    /// 7 days, high once expired. 0 tells of expired ones alone.
    pub certificate_warn_days: u64,
}

impl Default for PressureConfig {
    fn default() -> Self {
        Self {
            disk_free_percent: 5,
            disk_free_bytes_max: 50 << 30,
            disk_free_bytes_min: 512 << 20,
            memory_available_percent: 3,
            clock_jump_ms: 5000,
            certificate_warn_days: 30,
        }
    }
}

impl PressureConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let key = |name: &str| format!("detectors.pressure.{name}");
        let mut problems = Vec::new();
        for (name, percent) in [
            ("disk_free_percent", self.disk_free_percent),
            ("memory_available_percent", self.memory_available_percent),
        ] {
            if 100 <= percent {
                let message = format!("is {percent} percent");
                problems.push(Problem::of(&key(name), message, "give a number below 100"));
            }
        }
        if self.clock_jump_ms < 100 {
            let message = "is below 100, less than two readings differ by";
            problems.push(Problem::of(&key("clock_jump_ms"), message, "give 1000 or more"));
        }
        if WARN_DAYS_MAX < self.certificate_warn_days {
            let message = "is longer than most certificates live";
            let remedy = "give at most 397; 30 is the default";
            problems.push(Problem::of(&key("certificate_warn_days"), message, remedy));
        }
        problems
    }
}

/// The detector.
pub struct PressureDetector {
    config: PressureConfig,
    last: Option<Moment>,
    troubles: BTreeMap<Place, Trouble>,
    certificates: Certificates,
}

/// Where the pressure is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Disk(PathBuf),
    Memory,
}

struct Trouble {
    burst: BurstId,
    since: Moment,
    severity: Severity,
}

/// How much is left of something.
struct Left {
    free: u64,
    limit: u64,
}

impl PressureDetector {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &PressureConfig) -> Self {
        Self {
            config: config.clone(),
            last: None,
            troubles: BTreeMap::new(),
            certificates: Certificates::default(),
        }
    }

    /// Takes the host's vital signs.
    pub fn sample(&mut self, at: Moment, sample: &HostSample, now: Moment) -> Vec<Event> {
        let mut events: Vec<_> = self.clock(at, now).into_iter().collect();
        for disk in &sample.disks {
            let pressure = Pressure::DiskNearlyFull {
                mount: disk.mount.to_string_lossy().into_owned(),
                free_bytes: disk.free_bytes,
                total_bytes: disk.total_bytes,
            };
            let left = Left { free: disk.free_bytes, limit: self.disk_limit(disk) };
            events.extend(self.judge(Place::Disk(disk.mount.clone()), &left, pressure, now));
        }
        let (available, total) = (sample.memory_available_bytes, sample.memory_total_bytes);
        if 0 < total {
            let pressure =
                Pressure::MemoryNearlyFull { available_bytes: available, total_bytes: total };
            let limit = total / 100 * self.config.memory_available_percent;
            events.extend(self.judge(
                Place::Memory,
                &Left { free: available, limit },
                pressure,
                now,
            ));
        }
        events
    }

    /// Takes the certificate a probed service showed.
    pub fn certificate(&mut self, seen: &CertificateSeen, now: Moment) -> Option<Event> {
        let warn_days = self.config.certificate_warn_days;
        let tell = self.certificates.seen(seen, warn_days, now)?;
        let pressure = Pressure::CertificateExpiring {
            name: seen.target.name.clone(),
            not_after: seen.not_after,
        };

        Some(event(pressure, tell.phase, Some(tell.burst), tell.severity, tell.since, now))
    }

    fn disk_limit(&self, disk: &DiskSample) -> u64 {
        let share = disk.total_bytes / 100 * self.config.disk_free_percent;
        // A small disk is not full for being small.
        let least = self.config.disk_free_bytes_min.min(disk.total_bytes / 10);
        share.min(self.config.disk_free_bytes_max).max(least)
    }

    fn judge(
        &mut self,
        place: Place,
        left: &Left,
        pressure: Pressure,
        now: Moment,
    ) -> Option<Event> {
        let severity =
            if left.free < left.limit / SEVERE_SHARE { Severity::High } else { Severity::Medium };
        let full = left.free < left.limit;
        let relieved = left.limit / 100 * RELIEF_PERCENT <= left.free;
        let (burst, phase, since, severity) = match self.troubles.get_mut(&place) {
            None if full => {
                let burst = BurstId::random();
                let trouble = Trouble { burst, since: now, severity };
                self.troubles.insert(place, trouble);
                (burst, Phase::Opened, now, severity)
            }
            Some(trouble) if relieved => {
                let told = (trouble.burst, Phase::Ended, trouble.since, Severity::Low);
                self.troubles.remove(&place);
                told
            }
            Some(trouble) if trouble.severity < severity && full => {
                trouble.severity = severity;
                (trouble.burst, Phase::Grew, trouble.since, severity)
            }
            None | Some(_) => return None,
        };

        Some(event(pressure, phase, Some(burst), severity, since, now))
    }

    fn clock(&mut self, at: Moment, now: Moment) -> Option<Event> {
        let last = self.last.replace(at).filter(|last| last.boot == at.boot)?;
        let wall = at.wall.duration_since(last.wall).as_millis();
        let monotonic = i128::from(at.monotonic_ms) - i128::from(last.monotonic_ms);
        let by_ms = i64::try_from(wall - monotonic).unwrap_or(i64::MAX);
        if by_ms.unsigned_abs() < self.config.clock_jump_ms {
            return None;
        }
        let pressure = Pressure::ClockJump { by_ms };

        Some(event(pressure, Phase::Once, None, Severity::Medium, last, now))
    }
}

fn event(
    pressure: Pressure,
    phase: Phase,
    burst: Option<BurstId>,
    severity: Severity,
    since: Moment,
    now: Moment,
) -> Event {
    let mib = |bytes: u64| bytes >> 20;
    let reason = match (&pressure, phase) {
        (Pressure::DiskNearlyFull { mount, free_bytes, .. }, Phase::Ended) => {
            format!("disk `{mount}` has room again: {} MiB free", mib(*free_bytes))
        }
        (Pressure::DiskNearlyFull { mount, free_bytes, total_bytes }, _) => format!(
            "disk `{mount}` is nearly full: {} MiB free of {} MiB",
            mib(*free_bytes),
            mib(*total_bytes)
        ),
        (Pressure::MemoryNearlyFull { available_bytes, .. }, Phase::Ended) => {
            format!("memory is available again: {} MiB", mib(*available_bytes))
        }
        (Pressure::MemoryNearlyFull { available_bytes, total_bytes }, _) => format!(
            "memory is nearly used up: {} MiB available of {} MiB",
            mib(*available_bytes),
            mib(*total_bytes)
        ),
        (Pressure::CertificateExpiring { name, not_after }, Phase::Ended) => {
            format!("the certificate of `{name}` was renewed and is valid until {not_after}")
        }
        (Pressure::CertificateExpiring { name, not_after }, _) if *not_after <= now.wall => {
            format!("the certificate of `{name}` expired at {not_after}; renew it")
        }
        (Pressure::CertificateExpiring { name, not_after }, _) => {
            let days = (not_after.as_second() - now.wall.as_second()) / 86_400;
            format!("the certificate of `{name}` expires in {days} days, at {not_after}; renew it")
        }
        (Pressure::ClockJump { by_ms }, _) => {
            format!("the wall clock moved by {by_ms} ms against the monotonic one")
        }
    };

    Event {
        schema: SCHEMA,
        anomaly: Anomaly::Pressure(pressure),
        phase,
        burst,
        severity,
        detected_at: now.wall,
        first_change_at: Some(since.wall),
        moment: now,
        root: None,
        files_affected: 0,
        reason,
        drill: None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use shirase_shared::testing::builders::moment;

    use super::*;

    const GIB: u64 = 1 << 30;

    fn disk(free_bytes: u64) -> HostSample {
        let disk = DiskSample { mount: PathBuf::from("/data"), free_bytes, total_bytes: 100 * GIB };
        HostSample { disks: vec![disk], ..HostSample::default() }
    }

    #[test]
    fn a_disk_is_nearly_full_once_and_recovers_only_well_above() {
        let mut detector = PressureDetector::new(&PressureConfig::default());
        let free = [20, 6, 4, 5, 6, 1, 6, 7, 20];
        let mut told = Vec::new();
        for (step, free) in free.into_iter().enumerate() {
            let now = moment(i64::try_from(step).unwrap() * 10);
            for event in detector.sample(now, &disk(free * GIB), now) {
                told.push(format!("{step}:{:?} {}", event.phase, event.severity));
            }
        }
        assert_eq!(told, ["2:Opened medium", "5:Grew high", "7:Ended low"]);
    }

    #[test]
    fn a_clock_that_is_set_is_told_and_one_that_drifts_is_not() {
        let mut detector = PressureDetector::new(&PressureConfig::default());
        assert_eq!(detector.sample(moment(0), &disk(50 * GIB), moment(0)), []);
        let mut drifted = moment(10);
        drifted.wall += SignedDuration::from_millis(40);
        assert_eq!(detector.sample(drifted, &disk(50 * GIB), drifted), []);
        let mut set_back = moment(20);
        set_back.wall -= SignedDuration::from_secs(3600);
        let told = detector.sample(set_back, &disk(50 * GIB), set_back);
        assert_eq!(told[0].anomaly, Anomaly::Pressure(Pressure::ClockJump { by_ms: -3_600_040 }));
    }
}
