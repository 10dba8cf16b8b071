//! Sees that backups are destroyed, that snapshots go before their time, and that a backup was not made.
//!
//! ```text
//! generations ─▶ harmed beyond what is usual ─▶ share of all ─▶ opened ─▶ grew ─▶ ended (six hours without more)
//! newest file ─▶ older than it may be ─▶ opened ─▶ twice as old: grew ─▶ made: ended
//! ```
//!
//! Always holds: pure; what a rotation removes, the oldest first and leaving enough, is no harm, and what goes on most
//! days is no news.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::{Anomaly, BackupKind, BackupLoss, Event, Phase, SCHEMA, Severity};
use shirase_shared::ids::BurstId;

use crate::observation::{BackupSeen, BackupState, Generations, JobSeen};

/// Harm that is this far apart belongs to two stories.
const REST_MS: u64 = 6 * 3_600_000;
/// How long after a mass change a harmed backup is part of the same story.
const BESIDE_MS: u64 = 30 * 60_000;

/// When backups that are lost are an anomaly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupLossConfig {
    /// Files of a backup, or snapshots, harmed beyond what is usual that make an event of severity high. Fewer are a line
    /// in the timeline, or medium if they are a large share.
    pub high_count: u64,
    /// What share of all of them they must be at least for that, in percent. Half of all is critical.
    pub high_percent: u64,
}

impl Default for BackupLossConfig {
    fn default() -> Self {
        Self { high_count: 3, high_percent: 10 }
    }
}

impl BackupLossConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.high_count == 0 {
            let (key, remedy) =
                ("detectors.backup_loss.high_count", "give at least 1; 3 is the default");
            problems.push(Problem::of(key, "is 0", remedy));
        }
        if 50 < self.high_percent {
            let key = "detectors.backup_loss.high_percent";
            let message = "is above 50, where it is critical already";
            problems.push(Problem::of(key, message, "give 50 or less; 10 is the default"));
        }
        problems
    }
}

/// The detector.
pub struct BackupLossDetector {
    config: BackupLossConfig,
    backups: BTreeMap<String, Backup>,
    mass_change_ms: Option<u64>,
    maintenance_until: Option<Timestamp>,
}

/// What is known of one backup.
#[derive(Default)]
struct Backup {
    story: Option<Story>,
    job: Option<Job>,
}

/// Harm to files or snapshots, told or not.
struct Story {
    what: BackupKind,
    first: Moment,
    last_ms: u64,
    before: u64,
    last_good: Option<Timestamp>,
    sum: Generations,
    /// Whether all of it happened within a maintenance window.
    planned: bool,
    told: Option<Told>,
}

struct Told {
    burst: BurstId,
    severity: Severity,
    harmed: u64,
    left: u64,
}

/// A backup that is made at intervals.
struct Job {
    seen: JobSeen,
    since: Moment,
    told: Option<(BurstId, Severity, Moment)>,
}

impl BackupLossDetector {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &BackupLossConfig) -> Self {
        Self {
            config: config.clone(),
            backups: BTreeMap::new(),
            mass_change_ms: None,
            maintenance_until: None,
        }
    }

    /// Takes how a backup was found.
    pub fn seen(&mut self, at: Moment, seen: &BackupSeen, now: Moment) -> Vec<Event> {
        let planned = self.maintenance_until.is_some_and(|until| now.wall < until);
        let backup = self.backups.entry(seen.name.clone()).or_default();
        match &seen.state {
            BackupState::Files(found) => backup.add(BackupKind::TreeHarmed, found, planned, at),
            BackupState::Snapshots(found) => {
                backup.add(BackupKind::SnapshotsRemoved, found, planned, at);
            }
            BackupState::Job(job) => {
                let fresh = || Job { seen: job.clone(), since: at, told: None };
                backup.job.get_or_insert_with(fresh).seen = job.clone();
            }
        }

        self.tick(now)
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let around = Around {
            mass_change: self
                .mass_change_ms
                .is_some_and(|ms| now.monotonic_ms.saturating_sub(ms) <= BESIDE_MS),
            maintenance: self.maintenance_until.is_some_and(|until| now.wall < until),
        };
        let mut events = Vec::new();
        for (name, backup) in &mut self.backups {
            events.extend(backup.decide(name, &self.config, around, now));
            events.extend(
                backup
                    .job
                    .as_mut()
                    .and_then(|job| job.decide(name, around, now)),
            );
        }
        events
    }

    /// Files were harmed in bulk just now, by no drill.
    pub fn mass_change(&mut self, now: Moment) {
        self.mass_change_ms = Some(now.monotonic_ms);
    }

    /// Expects backups to be moved and thrown away until then.
    pub fn maintenance_until(&mut self, until: Option<Timestamp>) {
        self.maintenance_until = until;
    }
}

/// What happens around a loss.
#[derive(Clone, Copy)]
struct Around {
    mass_change: bool,
    maintenance: bool,
}

impl Backup {
    fn add(&mut self, what: BackupKind, found: &Generations, planned: bool, at: Moment) {
        if found.harmed() == 0 {
            if let Some(story) = &mut self.story {
                story.sum.left = found.left;
            }
            return;
        }
        let story = self.story.get_or_insert_with(|| Story {
            what,
            first: at,
            last_ms: 0,
            before: found.before,
            last_good: found.since,
            sum: Generations::default(),
            planned,
            told: None,
        });
        story.last_ms = at.monotonic_ms;
        story.planned &= planned;
        story.before = story.before.max(found.before);
        let sum = &mut story.sum;
        sum.gone += found.gone;
        sum.emptied += found.emptied;
        sum.rewritten += found.rewritten;
        (sum.left, sum.usual) = (found.left, found.usual);
    }

    fn decide(
        &mut self,
        name: &str,
        config: &BackupLossConfig,
        around: Around,
        now: Moment,
    ) -> Option<Event> {
        let story = self.story.as_mut()?;
        if REST_MS <= now.monotonic_ms.saturating_sub(story.last_ms) {
            let story = self.story.take()?;
            let burst = story.told.as_ref()?.burst;
            let reason = format!("backup `{name}`: {}, and no more for six hours", story.words());
            return Some(story.event(name, (Phase::Ended, burst), Severity::Low, reason, now));
        }
        let severity = story.severity(config, around)?;
        let (burst, phase) = match &story.told {
            None => (BurstId::random(), Phase::Opened),
            Some(told) if told.severity < severity || story.is_much_more(told) => {
                (told.burst, Phase::Grew)
            }
            Some(_) => return None,
        };
        let severity = severity.max(story.told.as_ref().map_or(severity, |told| told.severity));
        let (harmed, left) = (story.sum.harmed(), story.sum.left);
        story.told = Some(Told { burst, severity, harmed, left });
        let reason = story.reason(name, around);

        Some(story.event(name, (phase, burst), severity, reason, now))
    }
}

impl Story {
    /// Returns how bad it is; `None` if it is as on other days.
    fn severity(&self, config: &BackupLossConfig, around: Around) -> Option<Severity> {
        let (sum, harmed) = (&self.sum, self.sum.harmed());
        if harmed <= sum.usual && sum.emptied == 0 && 0 < sum.left {
            return None;
        }
        let share = |percent: u64| percent * self.before <= harmed * 100;
        let many = config.high_count <= harmed;
        let severity = match (many, share(config.high_percent)) {
            (true, true) if share(50) || sum.left == 0 => Severity::Critical,
            (true, true) => Severity::High,
            (false, true) if sum.left == 0 => Severity::High,
            (true, false) | (false, true) => Severity::Medium,
            (false, false) => Severity::Low,
        };
        let severity = match severity {
            Severity::High | Severity::Medium if around.mass_change && many => Severity::Critical,
            _ if self.planned && !around.mass_change => Severity::Low,
            Severity::Low | Severity::Medium | Severity::High | Severity::Critical => severity,
        };

        Some(severity)
    }

    /// Whether twice as much is harmed as was told, or nothing is left now.
    const fn is_much_more(&self, told: &Told) -> bool {
        told.harmed * 2 <= self.sum.harmed() || (self.sum.left == 0 && 0 < told.left)
    }

    /// Returns what happened, in words.
    fn words(&self) -> String {
        let things = match self.what {
            BackupKind::SnapshotsRemoved => "snapshots",
            BackupKind::TreeHarmed | BackupKind::JobOverdue => "complete files",
        };
        let sum = &self.sum;
        let parts = [(sum.gone, "deleted"), (sum.emptied, "emptied"), (sum.rewritten, "rewritten")];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(count, _)| 0 < *count)
            .map(|(count, verb)| format!("{count} {verb}"))
            .collect();
        let (before, left) = (self.before, sum.left);

        format!("of {before} {things} {}, {left} left as they were", parts.join(" and "))
    }

    fn reason(&self, name: &str, around: Around) -> String {
        let since = self.first.wall;
        let last_good = match self.last_good {
            Some(at) => format!(" (all were well at {at})"),
            None => String::new(),
        };
        let usual = match self.sum.usual {
            0 => String::new(),
            usual => format!(" and not more than the {usual} of other days"),
        };
        let beside = match (around.mass_change, self.planned) {
            (true, _) => ", while files were changed in bulk on this host",
            (false, true) => ", within a maintenance window",
            (false, false) => "",
        };

        format!(
            "backup `{name}`: {} since {since}{last_good}{beside}; a rotation, the oldest first and leaving enough{usual}, \
             would have been quiet",
            self.words()
        )
    }

    fn event(
        &self,
        name: &str,
        (phase, burst): (Phase, BurstId),
        severity: Severity,
        reason: String,
        now: Moment,
    ) -> Event {
        let evidence = BackupLoss {
            what: self.what,
            name: name.to_owned(),
            count: self.sum.harmed(),
            last_good: self.last_good,
            detail: self.words(),
        };
        let files = match self.what {
            BackupKind::TreeHarmed => self.sum.harmed(),
            BackupKind::SnapshotsRemoved | BackupKind::JobOverdue => 0,
        };
        let first = self.first.wall;
        let files_affected = files;

        Event { files_affected, ..event(evidence, (phase, burst), severity, first, reason, now) }
    }
}

impl Job {
    fn decide(&mut self, name: &str, around: Around, now: Moment) -> Option<Event> {
        let max_age = SignedDuration::from_hours(hours(self.seen.max_age_hours));
        // A file from the future is one whose clock was wrong: it is as new as can be.
        let made = self.seen.newest.map(|at| at.min(now.wall));
        let due = made.unwrap_or(self.since.wall) + max_age;
        let late = now.wall.duration_since(due);
        let severity = match late {
            late if late <= SignedDuration::ZERO => None,
            _ if around.maintenance => Some(Severity::Low),
            late if late < max_age => Some(Severity::Medium),
            _ => Some(Severity::High),
        };
        let (burst, phase, first) = match (&self.told, severity) {
            (None, None) => return None,
            (None, Some(_)) => (BurstId::random(), Phase::Opened, now),
            (Some((burst, _, first)), None) => (*burst, Phase::Ended, *first),
            (Some((burst, told, first)), Some(severity)) if *told < severity => {
                (*burst, Phase::Grew, *first)
            }
            (Some(_), Some(_)) => return None,
        };
        self.told = severity.map(|severity| (burst, severity, first));
        let newest = match made {
            Some(at) => format!("its newest file is from {at}"),
            None => format!("there has been no file of it since {}", self.since.wall),
        };
        let reason = match severity {
            None => format!("backup `{name}` was made again: {newest}"),
            Some(_) => format!(
                "backup `{name}` is overdue: {newest}, {} hours ago, and one was due within {} hours; a newer file ends it",
                now.wall
                    .duration_since(made.unwrap_or(self.since.wall))
                    .as_hours(),
                self.seen.max_age_hours
            ),
        };
        let evidence = BackupLoss {
            what: BackupKind::JobOverdue,
            name: name.to_owned(),
            count: 0,
            last_good: made,
            detail: newest,
        };
        let severity = severity.unwrap_or(Severity::Low);

        Some(event(evidence, (phase, burst), severity, first.wall, reason, now))
    }
}

fn hours(hours: u64) -> i64 {
    i64::try_from(hours).unwrap_or(i64::MAX).min(24 * 366)
}

fn event(
    evidence: BackupLoss,
    (phase, burst): (Phase, BurstId),
    severity: Severity,
    first: Timestamp,
    reason: String,
    now: Moment,
) -> Event {
    Event {
        schema: SCHEMA,
        anomaly: Anomaly::Backup(evidence),
        phase,
        burst: Some(burst),
        severity,
        detected_at: now.wall,
        first_change_at: Some(first),
        moment: now,
        root: None,
        files_affected: 0,
        reason,
        drill: None,
    }
}
