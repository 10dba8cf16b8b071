//! Looks after backups: files that were complete and change or go, snapshots that go, jobs that were not done.
//!
//! ```text
//! names, sizes, times of a tree ─┐
//! list of snapshots ─────────────┼─▶ compared with the last look (on disk) ─▶ observation
//! newest file of a job ──────────┘
//! ```
//!
//! Always holds:
//! - no content is read and no link is followed; sizes and times alone decide, so that an encryptor that keeps the size
//!   of a backup's only generation is for `sensors.roots` to see;
//! - bounded in files and time; a tree that takes long is looked at more seldom, so that it costs a five-hundredth of the
//!   time at the most;
//! - a file system that is not mounted is not an empty one: each has its own last look.

#[cfg(unix)]
mod linux;
#[cfg(unix)]
use linux as platform;

#[cfg(not(unix))]
mod none;
#[cfg(not(unix))]
use none as platform;

mod compare;
mod config;
mod kept;
mod snapshots;
mod tree;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use shirase_shared::clock::SharedClock;
use shirase_shared::event::LossKind;
use shirase_shared::wire::SensorState;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::SensorBoard;
use crate::observation::{BackupSeen, BackupState, Fact, Generations, JobSeen, Lost, Observation};
use compare::{Baseline, Habit, compare};
pub use config::{BackupConfig, BackupWatch, Medium, SnapshotSource, problems};
use kept::Shelf;

/// A look may take this share of the time.
const SHARE: u32 = 500;
/// Longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// What the sensor needs.
pub struct BackupParts {
    /// The backup.
    pub config: BackupConfig,
    /// Directory in which to keep what was seen.
    pub kept: PathBuf,
    /// The time.
    pub clock: SharedClock,
    /// Where observations go.
    pub out: mpsc::Sender<Observation>,
    /// Where the sensor says how it is.
    pub board: SensorBoard,
}

/// Looks at intervals until `stop`.
pub async fn run(parts: BackupParts, stop: CancellationToken) {
    let BackupParts { config, kept, clock, out, board } = parts;
    let name = format!("backup {}", config.name);
    let shelf = Shelf::new(&kept, &config.name);
    let mut blind = false;
    loop {
        let begun = Instant::now();
        let (looking, shelf, now) = (config.clone(), shelf.clone(), clock.now());
        let looked = tokio::task::spawn_blocking(move || look(&looking, &shelf, now)).await;
        let facts = match looked.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(looked) => {
                blind = false;
                board.set(&name, looked.state, looked.detail);
                looked.facts
            }
            Err(why) => {
                board.set(&name, SensorState::Blind, why.clone());
                let detail = format!("{name} is not seen: {why}");
                let lost = Lost { what: LossKind::SensorBlind, count: None, detail };
                let told =
                    std::mem::replace(&mut blind, true) || config.medium == Medium::Removable;
                if told { Vec::new() } else { vec![Fact::Lost(lost)] }
            }
        };
        for fact in facts {
            if out
                .send(Observation { at: clock.moment(), fact })
                .await
                .is_err()
            {
                return;
            }
        }
        let pause = Duration::from_secs(config.interval_secs).max(begun.elapsed() * SHARE);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause.min(PAUSE_MAX)) => {}
        }
    }
}

/// What one look came to.
struct Looked {
    state: SensorState,
    detail: String,
    facts: Vec<Fact>,
}

fn look(config: &BackupConfig, shelf: &Shelf, now: Timestamp) -> Result<Looked, String> {
    match config.kind {
        BackupWatch::Tree => look_at_tree(config, shelf, now),
        BackupWatch::Snapshots => look_at_snapshots(config, shelf, now),
        BackupWatch::Job => look_at_job(config),
    }
}

fn look_at_tree(config: &BackupConfig, shelf: &Shelf, now: Timestamp) -> Result<Looked, String> {
    let root = config.path.as_deref().unwrap_or(Path::new("/"));
    let last = shelf.last()?;
    let (filesystem, found) = match tree::place(root) {
        Ok(place) => {
            if last
                .as_ref()
                .is_some_and(|last| last.mounted && !place.mounted)
            {
                return Err("its file system is not mounted".to_owned());
            }
            (place, tree::walk(root)?)
        }
        // A directory that was removed, unlike one whose disk is not there, has lost everything.
        Err(tree::NoPlace::Removed) if last.as_ref().is_some_and(|last| !last.mounted) => {
            let filesystem = last.map(|last| last.filesystem).unwrap_or_default();
            (tree::Place { filesystem, mounted: false }, tree::Found::default())
        }
        Err(tree::NoPlace::Removed) => return Err("its directory is not there".to_owned()),
        Err(tree::NoPlace::Unreadable(why)) => return Err(why),
    };
    let count = found.items.len();
    let newest = found.items.iter().map(|item| item.written).max();
    let mut fresh = Baseline::new(now, found.items);
    (fresh.filesystem, fresh.mounted) = (filesystem.filesystem, filesystem.mounted);
    let seen = settle(config, shelf, fresh, now)?;
    let mut facts = vec![of(config, BackupState::Files(seen))];
    if let Some(max_age_hours) = config.max_age_hours {
        let newest = newest.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        facts.push(of(config, BackupState::Job(JobSeen { newest, max_age_hours })));
    }
    let (state, detail) = match found.extent {
        tree::Extent::Whole => (SensorState::Well, format!("{count} files")),
        tree::Extent::Limited => (
            SensorState::Degraded,
            format!("the first {count} files; the rest is beyond the limit of one look"),
        ),
    };

    Ok(Looked { state, detail, facts })
}

fn look_at_snapshots(
    config: &BackupConfig,
    shelf: &Shelf,
    now: Timestamp,
) -> Result<Looked, String> {
    let items = snapshots::list(config.from, config.path.as_deref(), config.volume.as_deref())?;
    let count = items.len();
    let seen = settle(config, shelf, Baseline::new(now, items), now)?;
    let facts = vec![of(config, BackupState::Snapshots(seen))];

    Ok(Looked { state: SensorState::Well, detail: format!("{count} snapshots"), facts })
}

fn look_at_job(config: &BackupConfig) -> Result<Looked, String> {
    let path = config.path.as_deref().unwrap_or(Path::new("/"));
    let newest = tree::newest(path)?.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let max_age_hours = config.max_age_hours.unwrap_or(config::MAX_AGE_HOURS);
    let detail = newest.map_or("no file".to_owned(), |at| format!("newest file from {at}"));
    let facts = vec![of(config, BackupState::Job(JobSeen { newest, max_age_hours }))];

    Ok(Looked { state: SensorState::Well, detail, facts })
}

/// Compares with the last look of the same file system and puts this one in its place.
fn settle(
    config: &BackupConfig,
    shelf: &Shelf,
    mut fresh: Baseline,
    now: Timestamp,
) -> Result<Generations, String> {
    let Some(last) = shelf.of_filesystem(&fresh.filesystem)? else {
        let left = u64::try_from(fresh.items.len()).unwrap_or(u64::MAX);
        shelf.keep(&fresh, kept::Worth::Writing);
        return Ok(Generations { before: left, left, ..Generations::default() });
    };
    let secs = i64::try_from(config.complete_after_secs).unwrap_or(i64::MAX);
    let complete_after = SignedDuration::from_secs(secs);
    let habit = Habit { keep_min: config.keep_min, complete_after };
    let mut seen = compare(&last, &fresh.items, habit);
    fresh.days = last.days.clone();
    seen.usual = fresh.days.usual(now);
    fresh.days.add(now, seen.gone + seen.rewritten);
    let same = fresh.items == last.items;
    shelf.keep(&fresh, if same { kept::Worth::Little } else { kept::Worth::Writing });

    Ok(seen)
}

fn of(config: &BackupConfig, state: BackupState) -> Fact {
    Fact::Backup(BackupSeen { name: config.name.clone(), state })
}
