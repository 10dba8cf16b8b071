//! Logs that are cut or deleted by anything that is not a rotation.

use std::collections::BTreeSet;
use std::path::Path;

use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Phase, Protection, ProtectionKind, Severity};
use shirase_shared::ids::BurstId;

use super::{Around, Telling, is_recent};
use crate::observation::{Beside, Kinship, LogNow, LogSeen, file_name};

/// Two logs harmed within this time are harmed on purpose, and a story without a further one for as long is over.
const STORY_MS: u64 = 10 * 60_000;
/// Logs told in one story.
const LOGS_MAX: usize = 64;
/// A packed copy is no smaller than the log by more than this factor.
const PACKED_BY_MAX: u64 = 1000;
/// The smallest gzip file.
const PACKED_MIN_BYTES: u64 = 18;
/// Endings of packed files.
const PACKED: &[&str] = &[".gz", ".xz", ".zst", ".bz2", ".lz4"];
/// Where logs lie whose whole path may be told.
const SYSTEM_LOGS: &str = "/var/log";

/// Logs that were harmed.
#[derive(Default)]
pub(super) struct Logs {
    waiting: Vec<Harmed>,
    story: Option<Story>,
}

struct Harmed {
    at: Moment,
    what: ProtectionKind,
    name: String,
    detail: String,
}

struct Story {
    burst: BurstId,
    first: Moment,
    last: Harmed,
    names: BTreeSet<String>,
}

impl Logs {
    pub(super) fn note(&mut self, at: Moment, seen: &LogSeen) {
        if let Some((what, detail)) = harm(seen) {
            self.waiting
                .push(Harmed { at, what, name: shown(&seen.path), detail });
        }
    }

    pub(super) fn decide(&mut self, around: &Around, now: Moment) -> Vec<Event> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut events: Vec<_> = waiting
            .into_iter()
            .filter_map(|harmed| self.tell(harmed, around, now))
            .collect();
        let rests = |story: &mut Story| {
            STORY_MS <= now.monotonic_ms.saturating_sub(story.last.at.monotonic_ms)
        };
        events.extend(self.story.take_if(rests).map(|story| ended(story, now)));
        events
    }

    fn tell(&mut self, harmed: Harmed, around: &Around, now: Moment) -> Option<Event> {
        let (at, burst) = (harmed.at, BurstId::random());
        let protection = harmed.protection();
        let what = harmed.words();
        let phase = if self.story.is_some() { Phase::Grew } else { Phase::Opened };
        let (name, last) = (harmed.name.clone(), harmed);
        let story = match self.story.take() {
            Some(story) => Story { last, ..story },
            None => Story { burst, first: at, last, names: BTreeSet::new() },
        };
        let story = self.story.insert(story);
        let fresh = story.names.insert(name);
        if !fresh || LOGS_MAX < story.names.len() {
            return None;
        }
        let count = story.names.len();
        let (severity, beside) = if around.mass_change(now) {
            (Severity::High, ", while files were changed in bulk on this host")
        } else if is_recent(around.guard_ms, now) {
            (Severity::High, ", while a guard was stopped")
        } else if 1 < count {
            (Severity::High, "")
        } else {
            (Severity::Medium, "")
        };
        let many = match count {
            1 => String::new(),
            _ => format!("; {count} logs since {}", story.first.wall),
        };
        let reason = format!(
            "{what} at {}{beside}{many}; a rotation, which leaves the old log or a copy of it beside the new one, would \
             have been quiet",
            at.wall
        );
        let telling =
            Telling { phase, burst: Some(story.burst), severity, first: story.first, reason };

        Some(telling.event(protection, now))
    }
}

impl Harmed {
    fn protection(&self) -> Protection {
        Protection { what: self.what, name: self.name.clone(), detail: self.detail.clone() }
    }

    fn words(&self) -> String {
        let verb = match self.what {
            ProtectionKind::LogRemoved => "deleted",
            ProtectionKind::LogTruncated
            | ProtectionKind::GuardStopped
            | ProtectionKind::GuardRemoved
            | ProtectionKind::OwnFilesTouched
            | ProtectionKind::OwnServiceTouched
            | ProtectionKind::OwnServiceKilled => "cut",
        };
        format!("log `{}` was {verb} ({})", self.name, self.detail)
    }
}

fn ended(story: Story, now: Moment) -> Event {
    let minutes = STORY_MS / 60_000;
    let reason = format!(
        "no further log was cut or deleted for {minutes} minutes; {} since {}",
        story.names.len(),
        story.first.wall
    );
    let telling = Telling {
        phase: Phase::Ended,
        burst: Some(story.burst),
        severity: Severity::Low,
        first: story.first,
        reason,
    };

    telling.event(story.last.protection(), now)
}

/// Returns what was done to a log, unless it was rotated.
fn harm(seen: &LogSeen) -> Option<(ProtectionKind, String)> {
    let before = seen.bytes_before;
    let moved = seen.beside.iter().any(|file| file.kinship == Kinship::Same);
    let copied = seen.beside.iter().any(|file| is_copy(file, before));
    let (cut, removed) = (ProtectionKind::LogTruncated, ProtectionKind::LogRemoved);
    match seen.now {
        _ if before == 0 => None,
        LogNow::Shorter { .. } if copied => None,
        LogNow::Shorter { bytes } => Some((cut, format!("{before} bytes before, {bytes} now"))),
        LogNow::Replaced { .. } if moved || copied => None,
        // Written anew with as much in it as before.
        LogNow::Replaced { bytes } if before <= bytes => None,
        LogNow::Replaced { bytes } => {
            let detail = format!("another file with {bytes} bytes in place of {before}");
            Some((cut, detail))
        }
        LogNow::Gone if moved || copied => None,
        LogNow::Gone => Some((removed, format!("{before} bytes before"))),
        // The journal removes its oldest file when it has reached its limit, never half of itself.
        LogNow::Thinned { bytes } if before <= bytes.saturating_mul(2) => None,
        LogNow::Thinned { bytes } => {
            Some((removed, format!("the journal had {before} bytes before and has {bytes} now")))
        }
    }
}

/// Whether a file can hold what a log of this size held.
fn is_copy(file: &Beside, before: u64) -> bool {
    let packed = PACKED.iter().any(|ending| file.name.ends_with(ending));
    match file.kinship {
        Kinship::Same => false,
        Kinship::Fresh if packed => {
            PACKED_MIN_BYTES <= file.bytes && before <= file.bytes.saturating_mul(PACKED_BY_MAX)
        }
        Kinship::Fresh => before <= file.bytes,
    }
}

/// The path of a system log in full, of any other its name alone.
fn shown(path: &Path) -> String {
    match path.starts_with(SYSTEM_LOGS) {
        true => path.to_string_lossy().into_owned(),
        false => file_name(path),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_rotation_leaves_what_the_log_held_and_an_intruder_does_not() {
        let beside = |name: &str, bytes, kinship| Beside { name: name.to_owned(), bytes, kinship };
        let moved = || beside("auth.log.1", 5000, Kinship::Same);
        let copy = || beside("auth.log-20261125", 5000, Kinship::Fresh);
        let packed = || beside("auth.log.1.gz", 400, Kinship::Fresh);
        let short = || beside("auth.log.1", 90, Kinship::Fresh);
        let empty = || beside("auth.log.2.gz", 0, Kinship::Fresh);
        let shorter = LogNow::Shorter { bytes: 0 };
        let replaced = LogNow::Replaced { bytes: 100 };
        check(5000, replaced, vec![moved()], None);
        check(5000, replaced, vec![packed()], None);
        check(5000, LogNow::Gone, vec![moved()], None);
        check(5000, shorter, vec![copy()], None);
        check(5000, shorter, vec![packed()], None);
        check(0, LogNow::Gone, vec![], None);
        check(5000, LogNow::Replaced { bytes: 6000 }, vec![], None);
        check(80_000, LogNow::Thinned { bytes: 70_000 }, vec![], None);
        check(5000, shorter, vec![], Some(ProtectionKind::LogTruncated));
        check(5000, shorter, vec![short(), empty()], Some(ProtectionKind::LogTruncated));
        // The same file cannot be its own copy.
        check(5000, shorter, vec![moved()], Some(ProtectionKind::LogTruncated));
        check(5000, replaced, vec![], Some(ProtectionKind::LogTruncated));
        check(5000, LogNow::Gone, vec![short()], Some(ProtectionKind::LogRemoved));
        check(80_000, LogNow::Thinned { bytes: 8000 }, vec![], Some(ProtectionKind::LogRemoved));
    }

    #[track_caller]
    fn check(before: u64, now: LogNow, beside: Vec<Beside>, expected: Option<ProtectionKind>) {
        let path = PathBuf::from("/var/log/auth.log");
        let seen = LogSeen { path, bytes_before: before, now, beside };
        assert_eq!(harm(&seen).map(|(kind, _)| kind), expected, "{seen:?}");
    }
}
