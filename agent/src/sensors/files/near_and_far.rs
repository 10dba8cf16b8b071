//! Watches all roots: those on this machine's own disks with one sensor, each of the others with one of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::distant::{self, Distant};
use super::{FilesParts, name_on, worker};
use crate::observation::{Observation, Root};
use crate::sensors::CHANGES_CAPACITY;
use crate::sensors::hanging::left_behind;

/// How long stopping waits for the sensor of the own disks.
const END_PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether something was mounted over a root.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Watches until `stop`; begins anew when a network file system was mounted over a root.
///
/// # Errors
/// When the kernel gives no queue for the roots on own disks, or no thread.
pub async fn run(mut parts: FilesParts, stop: CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        watch(&parts, &stop).await?;
        // What changes while nobody watches is looked at then.
        parts.since = Some(parts.clock.now());
    }

    Ok(())
}

async fn watch(parts: &FilesParts, stop: &CancellationToken) -> anyhow::Result<()> {
    let roots = parts.roots.clone();
    let split = tokio::task::spawn_blocking(move || distant::partition(roots)).await?;
    let (near, distant) = split;
    // What hangs may keep its end of a channel for long; it is not to be the one the detectors wait for to close.
    let (from_distant, waiting) = mpsc::channel(CHANGES_CAPACITY);
    let over = CancellationToken::new();
    let passing = tokio::spawn(pass_on(waiting, parts.out.clone(), over.clone()));
    let attend = |root: Arc<Root>| {
        let name = name_on(&root.label);
        let roots = vec![root.clone()];
        Distant::attend(
            root,
            FilesParts { name, roots, out: from_distant.clone(), ..parts.clone() },
        )
    };
    let distant = distant
        .into_iter()
        .map(attend)
        .collect::<Result<Vec<_>, _>>()?;
    let begun = FilesParts { roots: near.clone(), ..parts.clone() };
    let files = tokio::task::spawn_blocking(|| worker::begin(begun)).await??;
    tokio::select! {
        () = stop.cancelled() => {}
        () = moved(&near) => tracing::info!("a network file system was mounted over a root; files are watched anew"),
    }
    let end = move || {
        // It may hang as well, if something was mounted over its root a moment ago.
        let ended = left_behind(move || files.end());
        Distant::end_all(distant);
        if ended.recv_timeout(END_PATIENCE).is_err() {
            tracing::warn!("a file system does not answer; what watched it is left behind");
        }
    };
    tokio::task::spawn_blocking(end).await?;
    over.cancel();

    Ok(passing.await?)
}

/// Waits until one of the roots is no longer near.
async fn moved(near: &[Arc<Root>]) {
    while !distant::have_moved(near) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Passes observations on until it is over and nothing waits.
async fn pass_on(
    mut from: mpsc::Receiver<Vec<Observation>>,
    to: mpsc::Sender<Vec<Observation>>,
    over: CancellationToken,
) {
    loop {
        let next = tokio::select! {
            biased;
            next = from.recv() => next,
            () = over.cancelled() => return,
        };
        let Some(seen) = next else { return };
        if to.send(seen).await.is_err() {
            return;
        }
    }
}
