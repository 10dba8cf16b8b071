//! Looks through a root for files that look harmed, without knowing what they were before.
//!
//! A file counts when it changed since the last good moment and either its name has an unknown suffix behind an
//! ordinary name, or its content does not fit what its name promises (the first bytes, or a block without shape where
//! all must have one), or what its place promises: a message, where an SS-MIX2 storage keeps them. Elsewhere a file
//! that got a random name and no extension is not recognised here: that would need a record of every file before.
//!
//! Always holds: bounded in files and time, on a thread of its own; detection goes on meanwhile.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use tokio::sync::mpsc;

use super::{FilesConfig, FilesError};
use crate::names::name_before_suffix;
use crate::observation::{
    Extent, Fact, FoundFile, Observation, RescanCause, Rescanned, Root, Sign, Texture, Verdict,
    file_name,
};
use crate::sensors::content::{self, Depth};

/// Rescans asked for and not begun. More of them are dropped: the same roots are waiting already.
const REQUESTS_CAPACITY: usize = 64;

/// How often a resting thread looks whether it should end.
const REST_STEP: Duration = Duration::from_millis(200);

/// What a rescan needs.
pub(super) struct Parts {
    pub(super) limits: FilesConfig,
    pub(super) clock: SharedClock,
    pub(super) out: mpsc::Sender<Vec<Observation>>,
    pub(super) ignored: Vec<PathBuf>,
    pub(super) stopping: Arc<AtomicBool>,
}

/// Asks for a rescan of one root.
pub(super) struct Request {
    pub(super) root: Arc<Root>,
    pub(super) since: Timestamp,
    pub(super) cause: RescanCause,
}

/// The thread that rescans.
pub(super) struct Rescanner(SyncSender<Request>);

impl Rescanner {
    pub(super) fn start(parts: Parts) -> Result<Self, FilesError> {
        let (sender, requests) = sync_channel(REQUESTS_CAPACITY);
        std::thread::Builder::new()
            .name("rescan".to_owned())
            .spawn(move || run(&parts, &requests))
            .map_err(|source| FilesError::Thread { name: "rescan", source })?;

        Ok(Self(sender))
    }

    pub(super) fn request(&self, request: Request) {
        if self.0.try_send(request).is_err() {
            tracing::debug!("a rescan was not queued: enough of them are waiting");
        }
    }
}

fn run(parts: &Parts, requests: &Receiver<Request>) {
    while let Ok(first) = requests.recv() {
        // Requests for the same root become one, from the earliest moment on.
        let mut waiting = BTreeMap::from([(first.root.label.clone(), first)]);
        while let Ok(request) = requests.try_recv() {
            let since = request.since;
            let kept = waiting.entry(request.root.label.clone()).or_insert(request);
            kept.since = kept.since.min(since);
        }
        for request in waiting.into_values() {
            if parts.stopping.load(Ordering::Relaxed) {
                return;
            }
            let started = Instant::now();
            rescan(parts, &request);
            rest(parts, started.elapsed());
        }
    }
}

/// Rests as long as the work took, so that a storm of losses does not become a storm of reading. What is asked for
/// meanwhile waits, and keeps its earliest moment.
fn rest(parts: &Parts, worked: Duration) {
    let until = Instant::now() + worked;
    while Instant::now() < until && !parts.stopping.load(Ordering::Relaxed) {
        std::thread::sleep(
            until
                .saturating_duration_since(Instant::now())
                .min(REST_STEP),
        );
    }
}

fn rescan(parts: &Parts, request: &Request) {
    let root = &request.root;
    let started = parts.clock.moment().monotonic_ms;
    let limit_ms = parts.limits.rescan_max_secs.saturating_mul(1000);
    let mut done = Rescanned {
        root: root.clone(),
        cause: request.cause,
        looked_at: 0,
        changed: 0,
        suspicious: 0,
        extent: Extent::Whole,
    };
    let mut open = vec![root.path.clone()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            let now = parts.clock.moment();
            let spent = limit_ms < now.monotonic_ms.saturating_sub(started);
            if spent || parts.limits.rescan_max_files <= done.looked_at {
                done.extent = Extent::Limited;
                break;
            }
            if parts.stopping.load(Ordering::Relaxed) {
                return;
            }
            let path = entry.path();
            if parts
                .ignored
                .iter()
                .any(|ignored| path.starts_with(ignored))
            {
                continue;
            }
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                open.push(path);
                continue;
            }
            done.looked_at += 1;
            let Some(changed_at) = changed_since(&metadata, request.since) else { continue };
            done.changed += 1;
            let Some(sign) = sign(&path) else { continue };
            done.suspicious += 1;
            let below = path.strip_prefix(&root.path).unwrap_or(&path).to_owned();
            let found = FoundFile { root: root.clone(), below, changed_at, sign };
            if parts
                .out
                .blocking_send(vec![Observation { at: now, fact: Fact::Found(found) }])
                .is_err()
            {
                return;
            }
        }
        if done.extent == Extent::Limited {
            break;
        }
    }
    let at = parts.clock.moment();
    drop(
        parts
            .out
            .blocking_send(vec![Observation { at, fact: Fact::Rescanned(done) }]),
    );
}

fn sign(path: &Path) -> Option<Sign> {
    let name = file_name(path);
    if name_before_suffix(&name, &[]).is_some() {
        return Some(Sign::SuffixAppended);
    }
    let looked = content::look(path, &name, Depth::Whole);
    let harmed = looked.is_promised && looked.texture == Texture::Random;

    (looked.verdict == Verdict::Lost || harmed).then_some(Sign::MagicLost)
}

/// Returns when the file was changed, if that was at `since` or later. Where the system keeps the time of change
/// (and not only of writing), that is taken: an encryptor can set the other back.
#[cfg(unix)]
fn changed_since(metadata: &Metadata, since: Timestamp) -> Option<Timestamp> {
    use std::os::unix::fs::MetadataExt as _;

    let changed = Timestamp::from_second(metadata.ctime()).ok()?;
    (since.as_second() <= changed.as_second()).then_some(changed)
}

#[cfg(not(unix))]
fn changed_since(metadata: &Metadata, since: Timestamp) -> Option<Timestamp> {
    let changed = Timestamp::try_from(metadata.modified().ok()?).ok()?;
    (since <= changed).then_some(changed)
}
