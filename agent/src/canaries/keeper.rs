//! Keeps the decoys as the configuration wants them: a reconciler that comes round once a minute.

mod report;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use shirase_shared::clock::{Moment, SharedClock};
use shirase_shared::error::Chain;
use shirase_shared::wire::SensorState;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::ledger::{Canary, Ledger};
use super::places::{Age, Place, Post, name, posts};
use super::plan::{Act, Allowance, Found, Standing, Wanted, plan};
use super::shape::{Refusal, examine};
use super::watchlist::followed;
use super::{NAME, Watchlist, files};
use crate::config::Config;
use crate::paths::StateDir;
use crate::sensors::SensorBoard;
use crate::sensors::files::{RootConfig, resolve};
use report::Report;

/// Pause between two rounds.
const PERIOD: Duration = Duration::from_secs(60);
/// How long what was found about the shape of a tree is taken for true, in milliseconds.
const SHAPE_MS: u64 = 60 * 60 * 1000;
/// Names tried for a decoy that should be listed first.
const CANDIDATES: usize = 12;
/// Names tried before giving up, if each is taken.
const TRIES: usize = 8;

/// Keeps the decoys.
pub(crate) struct Keeper {
    state: StateDir,
    clock: SharedClock,
    board: SensorBoard,
    watchlist: Watchlist,
    /// Since when each decoy is missing or harmed.
    trouble: BTreeMap<PathBuf, u64>,
    shapes: BTreeMap<PathBuf, (Result<(), Refusal>, u64)>,
    told: bool,
}

impl Keeper {
    pub(crate) fn new(
        state: StateDir,
        clock: SharedClock,
        board: SensorBoard,
        watchlist: Watchlist,
    ) -> Self {
        let (trouble, shapes) = (BTreeMap::new(), BTreeMap::new());
        Self { state, clock, board, watchlist, trouble, shapes, told: false }
    }

    /// Comes round once a minute and whenever the configuration changes, until `stop`.
    pub(crate) async fn run(
        mut self,
        mut in_force: watch::Receiver<Arc<Config>>,
        stop: CancellationToken,
    ) {
        loop {
            let config = Arc::clone(&in_force.borrow_and_update());
            let round = tokio::task::spawn_blocking(move || {
                self.round(&config);
                self
            });
            self = match round.await {
                Ok(keeper) => keeper,
                Err(error) => {
                    tracing::error!(%error, "the keeper of the decoys broke off; they stay as they are");
                    return stop.cancelled().await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
                Ok(()) = in_force.changed() => {}
            }
        }
    }

    /// Does what is to be done, and says on the board how the decoys are.
    fn round(&mut self, config: &Config) {
        let at = self.clock.moment();
        match self.reconcile(&config.sensors.roots, &config.sensors.files.ignored, at) {
            Ok(report) => {
                self.told = false;
                report.show(&self.board, &self.state.canaries_note());
            }
            Err(error) => {
                let why = Chain(error.as_ref()).to_string();
                if !self.told {
                    self.told = true;
                    tracing::error!(error = why, "the decoys are not kept; it is tried again");
                }
                self.board.set(NAME, SensorState::Blind, why);
            }
        }
    }

    fn reconcile(
        &mut self,
        configured: &[RootConfig],
        ignored: &[PathBuf],
        at: Moment,
    ) -> anyhow::Result<Report> {
        let mut ledger = Ledger::open(&self.state)?;
        let wants_any = configured.iter().any(|root| 0 < root.canaries);
        if !wants_any && ledger.canaries.is_empty() {
            self.watchlist.set(std::iter::empty());
            return Ok(Report::default());
        }
        self.follow(&mut ledger)?;
        self.watch(&ledger);
        let mut report = Report { is_in_use: true, ..Report::default() };
        let (mut wanted, mut shut) = (Vec::new(), ignored.to_vec());
        shut.push(self.state.dir().to_owned());
        for (root, config) in resolve(configured).iter().zip(configured) {
            // A root of its own says for itself whether decoys may stand in it.
            shut.push(root.path.clone());
            if config.canaries == 0 {
                continue;
            }
            let count = usize::try_from(config.canaries).unwrap_or(usize::MAX);
            let shape = self.shape(&root.path, at.monotonic_ms);
            if let Err(refusal) = shape {
                report
                    .refused
                    .push(format!("{}: {}", root.label, refusal.advice()));
            }
            let allowance = match shape {
                Ok(()) => Allowance::Allowed,
                Err(Refusal::Messages | Refusal::Images) => Allowance::Refused,
                Err(Refusal::Unreadable) => Allowance::Unknown,
            };
            wanted.push(Wanted { root: root.path.clone(), count, allowance });
        }
        let standing = self.look(&ledger, at.monotonic_ms);
        for act in plan(&standing, &wanted, self.calm_ms(at.monotonic_ms)) {
            self.carry_out(act, &mut ledger, &shut, at, &mut report)?;
        }
        self.renew(&ledger, at);
        self.watch(&ledger);
        report.count(&self.look(&ledger, at.monotonic_ms), &wanted);

        Ok(report)
    }

    /// Follows decoys into directories that were renamed.
    fn follow(&self, ledger: &mut Ledger) -> anyhow::Result<()> {
        let moved = self.watchlist.take_moved();
        for (from, to) in &moved {
            for canary in &mut ledger.canaries {
                canary.path = followed(&canary.path, from, to);
            }
        }
        if !moved.is_empty() {
            ledger.write()?;
        }

        Ok(())
    }

    fn watch(&self, ledger: &Ledger) {
        let known = |canary: &Canary| (canary.path.clone(), canary.digest.clone());
        self.watchlist.set(ledger.canaries.iter().map(known));
    }

    fn shape(&mut self, root: &Path, now_ms: u64) -> Result<(), Refusal> {
        match self.shapes.get(root) {
            Some((shape, at_ms)) if now_ms < at_ms + SHAPE_MS => *shape,
            Some(_) | None => {
                let shape = examine(root);
                if shape != Err(Refusal::Unreadable) {
                    self.shapes.insert(root.to_owned(), (shape, now_ms));
                }
                shape
            }
        }
    }

    fn look(&mut self, ledger: &Ledger, now_ms: u64) -> Vec<Standing> {
        let standing: Vec<_> = ledger
            .canaries
            .iter()
            .map(|canary| Standing {
                path: canary.path.clone(),
                root: canary.root.clone(),
                found: files::find(canary),
            })
            .collect();
        let troubled = |decoy: &&Standing| matches!(decoy.found, Found::Missing | Found::Harmed);
        let trouble = standing.iter().filter(troubled);
        let since = |path: &PathBuf| self.trouble.get(path).copied().unwrap_or(now_ms);
        self.trouble = trouble
            .map(|decoy| (decoy.path.clone(), since(&decoy.path)))
            .collect();
        standing
    }

    /// For how long nothing was touched or found harmed.
    fn calm_ms(&self, now_ms: u64) -> u64 {
        let last = self.trouble.values().max().copied();
        let last = last.max(self.watchlist.touched_ms());
        last.map_or(u64::MAX, |last| now_ms.saturating_sub(last))
    }

    fn carry_out(
        &self,
        act: Act,
        ledger: &mut Ledger,
        shut: &[PathBuf],
        at: Moment,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        match act {
            Act::Make { root, count } => {
                for _ in 0..count {
                    if let Err(error) = self.make(&root, ledger, shut, at) {
                        tracing::warn!(%error, "a decoy was not made");
                        report.failed = Some(error.to_string());
                        break;
                    }
                }
            }
            Act::Restore(path) => self.restore(&path, ledger, at)?,
            Act::Remove(path) => {
                self.alone(&path, || std::fs::remove_file(&path))?;
                ledger.canaries.retain(|canary| canary.path != path);
                ledger.write()?;
                tracing::info!("removed a decoy");
            }
            Act::Forget(path) => {
                ledger.canaries.retain(|canary| canary.path != path);
                ledger.write()?;
                tracing::warn!("a decoy is not as it was made; what is in its place stays there");
            }
        }

        Ok(())
    }

    /// Makes one more decoy of a root, at the first post that is free.
    fn make(
        &self,
        root: &Path,
        ledger: &mut Ledger,
        shut: &[PathBuf],
        at: Moment,
    ) -> io::Result<()> {
        let shut: Vec<_> = shut.iter().filter(|path| *path != root).cloned().collect();
        let here = ledger.canaries.iter().filter(|canary| canary.root == root);
        let all = posts(root, here.count() + 1, &shut);
        let taken = |post: &&Post| {
            ledger.canaries.iter().any(|canary| {
                canary.place == post.place && canary.path.parent() == Some(&post.directory)
            })
        };
        let free = all.iter().find(|post| !taken(post));
        let Some(post) = free.or(all.last()).cloned() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let canary = |seed: u64, content: &[u8]| Canary {
            root: root.to_owned(),
            path: post.directory.join(name(&post, seed)),
            place: post.place,
            kind: post.kind,
            seed,
            digest: files::fingerprint(content),
            old: post.age == Age::Old,
        };
        let seeds = std::iter::repeat_with(|| Uuid::new_v4().as_u64_pair().1);
        let free = |seed: &u64| !post.directory.join(name(&post, *seed)).exists();
        let tries = if post.place == Place::Listed { CANDIDATES } else { TRIES };
        let free: Vec<_> = seeds.take(tries).filter(free).collect();
        let seed = match post.place {
            Place::First | Place::Last => free.first().copied(),
            Place::Listed => self.listed_first(&post, &free, &canary, ledger, at)?,
        };
        let seed = seed.ok_or(io::ErrorKind::AlreadyExists)?;
        let content = post.kind.make(seed);
        let canary = canary(seed, &content);
        ledger.canaries.push(canary.clone());
        ledger.write()?;
        self.watch(ledger);
        let now = SystemTime::from(at.wall);
        let made = self.alone(&canary.path, || files::make(&canary, &content, now));
        if made.is_err() {
            ledger.canaries.pop();
            ledger.write()?;
        }

        made
    }

    /// Tries several names, empty, and returns the seed of the one its directory lists first. None of them stays, whatever
    /// goes wrong; a crash leaves empty files in the ledger, which the next round removes as surplus.
    fn listed_first(
        &self,
        post: &Post,
        seeds: &[u64],
        canary: &impl Fn(u64, &[u8]) -> Canary,
        ledger: &mut Ledger,
        at: Moment,
    ) -> io::Result<Option<u64>> {
        let kept = ledger.canaries.len();
        let mut tried: Vec<_> = seeds.iter().map(|seed| canary(*seed, b"")).collect();
        // Two seeds can give one name.
        tried.sort_by(|one, other| one.path.cmp(&other.path));
        tried.dedup_by(|one, other| one.path == other.path);
        ledger.canaries.extend(tried.iter().cloned());
        ledger.write()?;
        let now = SystemTime::from(at.wall);
        let mut made = Vec::with_capacity(tried.len());
        let mut outcome = Ok(());
        for canary in &tried {
            outcome = self.alone(&canary.path, || files::make(canary, b"", now));
            if outcome.is_err() {
                break;
            }
            made.push(canary.path.clone());
        }
        let first = files::listed_first(&post.directory, &made);
        // Only what was made here is removed; what could not be stays known, so that a later round tries again.
        made.retain(|path| self.alone(path, || std::fs::remove_file(path)).is_err());
        ledger.canaries.truncate(kept);
        let left = tried.iter().filter(|canary| made.contains(&canary.path));
        ledger.canaries.extend(left.cloned());
        ledger.write()?;
        outcome?;
        let first = tried
            .iter()
            .find(|canary| Some(&canary.path) == first.as_ref());

        Ok(first.or(tried.first()).map(|canary| canary.seed))
    }

    fn restore(&self, path: &Path, ledger: &mut Ledger, at: Moment) -> anyhow::Result<()> {
        let Some(canary) = ledger
            .canaries
            .iter_mut()
            .find(|canary| canary.path == path)
        else {
            return Ok(());
        };
        if !path.parent().is_some_and(Path::is_dir) {
            // Its directory is gone for good: another one is made elsewhere, in the next round.
            ledger.canaries.retain(|canary| canary.path != path);
            return Ok(ledger.write()?);
        }
        if files::find(canary) == Found::Harmed {
            files::set_aside(canary, &self.state.canaries_harmed())?;
            self.alone(path, || std::fs::remove_file(path))?;
        }
        let content = canary.kind.make(canary.seed);
        canary.digest = files::fingerprint(&content);
        let canary = canary.clone();
        ledger.write()?;
        let now = SystemTime::from(at.wall);
        self.alone(path, || files::make(&canary, &content, now))?;
        tracing::info!("put a decoy back that had been harmed or removed");

        Ok(())
    }

    /// Makes those look new again that should.
    fn renew(&self, ledger: &Ledger, at: Moment) {
        let now = SystemTime::from(at.wall);
        for canary in &ledger.canaries {
            if files::looks_old(canary, now) && files::find(canary) == Found::Whole {
                let renewed = self.alone(&canary.path, || files::renew(canary, now));
                if let Err(error) = renewed {
                    tracing::debug!(%error, "a decoy did not get a new time");
                }
            }
        }
    }

    /// Does something to a file without that being a touch.
    fn alone<T>(&self, path: &Path, act: impl FnOnce() -> T) -> T {
        self.watchlist.begin(path);
        let done = act();
        self.watchlist.end(path, self.clock.moment().monotonic_ms);
        done
    }
}

#[cfg(test)]
mod tests;
