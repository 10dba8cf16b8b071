//! Runs one attack once: tree, agent, attackers, and then what the journal says about the moment of the alert.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::{Attack, AttackRun, Twist, safeguards, samba};
use crate::agent::{Agent, Backend, Line, WatchOptions, Watching};
use crate::command::monotonic_ns;
use crate::conduct::go_on;
use crate::deed::Deed;
use crate::ground::Ground;
use crate::journal::Harms;
use crate::random::Random;
use crate::tree::{self, Leaf};
use crate::usage::Usage;
use crate::worker::{Plan, Target};

/// How long an alert may come after the last harm before the attack counts as missed.
const TAIL: Duration = Duration::from_secs(6);
/// The same after the agent was started again: it looks at the whole tree first.
const RESTART_TAIL: Duration = Duration::from_secs(30);
/// How long the attack goes on after the alert.
const AFTER_ALERT: Duration = Duration::from_millis(150);
/// Longest time all attackers may take.
const ATTACK_DEADLINE: Duration = Duration::from_secs(900);

/// Where runs take place.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) agent: Agent,
    /// Folder in which grounds are made.
    pub(crate) grounds: PathBuf,
    /// Folder for logs and journals, not on the grounds' own file system if that is another.
    pub(crate) logs: PathBuf,
}

/// What the attackers left behind.
pub(super) struct Attackers {
    children: Vec<Child>,
    journals: Vec<PathBuf>,
}

/// Runs `attack` with each seed, side by side where that disturbs nobody; hands each result on as it comes.
pub(crate) fn run_seeds(
    attack: &Attack,
    backend: Backend,
    seeds: &[u64],
    field: &Field,
    mut keep: impl FnMut(AttackRun) -> Result<()>,
) -> Result<()> {
    for group in seeds.chunks(attack.side_by_side()) {
        go_on()?;
        let runs: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = group
                .iter()
                .map(|seed| scope.spawn(|| run(attack, backend, *seed, field)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| bail_panicked()))
                .collect()
        });
        for run in runs {
            keep(run?)?;
        }
    }

    Ok(())
}

fn bail_panicked() -> Result<AttackRun> {
    bail!("a run panicked")
}

/// Runs `attack` once.
pub(crate) fn run(
    attack: &Attack,
    backend: Backend,
    seed: u64,
    field: &Field,
) -> Result<AttackRun> {
    let name = format!("{}-{}-{seed}", attack.name, backend.name());
    let ground = Ground::make(&field.grounds, &name)?;
    let mut random = Random::of(attack.name, seed);
    let mut leaves = tree::make(&ground.watched(), attack.tree, &mut random)?;
    attack.order.sort(&mut leaves, &mut random);
    let targets = targets(attack, &leaves);
    let folder = field.logs.join(&name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to make `{}`", folder.display()))?;

    let act = Act { attack, backend, seed, field, ground: &ground, folder: &folder };
    let outcome = match attack.twist {
        Twist::None => act.plainly(&targets),
        Twist::Suspended => act.suspended(&targets),
        Twist::Killed => act.killed(&targets),
        Twist::Samba => act.through_samba(&targets),
        Twist::Safeguards(strike) => safeguards::strike(&act, strike),
    }
    .with_context(|| format!("failed to run {name}"))?;
    let run = act.judge(outcome, u64::try_from(leaves.len())?)?;
    // Kept only where something went otherwise than hoped.
    if run.harmed_before.is_some() {
        drop(std::fs::remove_dir_all(&folder));
    }

    Ok(run)
}

/// What one run left to judge.
pub(super) struct Outcome {
    pub(super) lines: Vec<Line>,
    pub(super) journals: Vec<PathBuf>,
    pub(super) usage: Usage,
    /// Nothing before this counts as having been told.
    pub(super) watched_from_ns: u64,
}

/// One run of one attack.
pub(super) struct Act<'a> {
    attack: &'a Attack,
    pub(super) backend: Backend,
    seed: u64,
    pub(super) field: &'a Field,
    pub(super) ground: &'a Ground,
    /// Where its logs and journals go.
    pub(super) folder: &'a Path,
}

impl Act<'_> {
    fn watch(&self, options: &WatchOptions) -> Result<Watching> {
        let log = self.folder.join("agent.log");
        Watching::start(&self.field.agent, self.backend, &[self.ground.watched()], options, &log)
    }

    fn plainly(&self, targets: &[Target]) -> Result<Outcome> {
        let mut watching = self.watch(&WatchOptions::default())?;
        let mut attackers = self.start(targets)?;
        self.follow(&mut watching, &mut attackers)?;

        finish(watching, attackers, 0)
    }

    fn suspended(&self, targets: &[Target]) -> Result<Outcome> {
        let mut watching = self.watch(&WatchOptions::default())?;
        watching.signal(Signal::STOP)?;
        let mut attackers = self.start(targets)?;
        attackers.finish()?;
        watching.signal(Signal::CONT)?;
        watching.wait(TAIL, Line::is_alert);

        finish(watching, attackers, 0)
    }

    fn killed(&self, targets: &[Target]) -> Result<Outcome> {
        // On the ground's own disk, but outside what is watched.
        let options = WatchOptions { state: Some(self.ground.aside().join("state")), record: None };
        let first = self.watch(&options)?;
        let alive = self.ground.aside().join("state").join("watch-alive");
        wait_for_file(&alive, Duration::from_secs(20))?;
        first.kill_9()?;
        let mut attackers = self.start(targets)?;
        attackers.finish()?;
        let restarted_ns = monotonic_ns();
        let mut second = self.watch(&options)?;
        second.wait(RESTART_TAIL, Line::is_alert);

        finish(second, attackers, restarted_ns)
    }

    fn through_samba(&self, targets: &[Target]) -> Result<Outcome> {
        let server = samba::Server::start(self.ground, self.folder)?;
        let mut watching = self.watch(&WatchOptions::default())?;
        let journal = self.folder.join("journal-0.tsv");
        let client = samba::Client { server: &server, ground: self.ground, journal: &journal };
        let stop = |at: Option<&Line>| at.is_some();
        let mut told = None;
        client.attack(&self.attack.deed, targets, self.seed, || {
            told = watching.lines().into_iter().find(Line::is_alert);
            stop(told.as_ref())
        })?;
        watching.wait(TAIL, Line::is_alert);
        let attackers = Attackers { children: Vec::new(), journals: vec![journal] };

        finish(watching, attackers, 0)
    }

    /// Starts the attackers, each with its share of the targets.
    fn start(&self, targets: &[Target]) -> Result<Attackers> {
        let processes = self.attack.processes;
        let mut attackers = Attackers { children: Vec::new(), journals: Vec::new() };
        let own = std::env::current_exe().context("failed to find this program")?;
        let start_ns = monotonic_ns() + 100_000_000 + 20_000_000 * u64::try_from(processes)?;
        for process in 0..processes {
            let plan_file = self.folder.join(format!("plan-{process}.json"));
            let journal = self.folder.join(format!("journal-{process}.tsv"));
            let plan = Plan {
                ground: self.ground.dir().to_owned(),
                mark: self.ground.mark().to_owned(),
                journal: journal.clone(),
                seed: self.seed,
                process,
                deed: self.attack.deed.clone(),
                note_first: self.attack.note_first,
                decoy_renames: self.attack.decoy_renames,
                start_ns,
                targets: targets
                    .iter()
                    .skip(process)
                    .step_by(processes)
                    .cloned()
                    .collect(),
            };
            plan.write(&plan_file)?;
            let child = Command::new(&own)
                .arg("work")
                .arg(&plan_file)
                .spawn()
                .context("failed to start an attacker")?;
            attackers.children.push(child);
            attackers.journals.push(journal);
        }

        Ok(attackers)
    }

    /// Waits for the alert while the attackers work, and for a while after they have ended.
    fn follow(&self, watching: &mut Watching, attackers: &mut Attackers) -> Result<()> {
        let begun = Instant::now();
        while attackers.work()? {
            watching.still_runs()?;
            if watching
                .wait(Duration::from_millis(20), Line::is_alert)
                .is_some()
            {
                std::thread::sleep(AFTER_ALERT);
                attackers.end();
                return Ok(());
            }
            if ATTACK_DEADLINE < begun.elapsed() {
                bail!("the attackers did not end within {ATTACK_DEADLINE:?}");
            }
        }
        watching.wait(TAIL, Line::is_alert);

        Ok(())
    }

    fn judge(&self, outcome: Outcome, files: u64) -> Result<AttackRun> {
        let harms = Harms::read(&outcome.journals)?;
        let begun = harms
            .first_ns()
            .context("the attackers harmed nothing: the run proves nothing")?;
        let alert = outcome.lines.iter().find(|line| line.is_alert());
        if let Some(early) =
            alert.filter(|alert| alert.at_ns < begun && self.attack.decoy_renames == 0)
        {
            bail!("an alert came before the first harm: {}", early.text("reason"));
        }
        let since = begun.max(outcome.watched_from_ns);
        let losses = outcome.lines.iter().filter(|line| line.is_loss());
        let lasted = harms.last_ns().unwrap_or(begun).saturating_sub(begun);
        let harmed = harms.files();
        let span = Duration::from_nanos(lasted).as_secs_f64();

        Ok(AttackRun {
            name: self.attack.name.to_owned(),
            backend: self.backend,
            seed: self.seed,
            sha256: self.field.agent.build.sha256.clone(),
            files,
            harmed_before: alert.map(|alert| harms.before(alert.at_ns)),
            harmed,
            to_alert_ms: alert.map(|alert| {
                Duration::from_nanos(alert.at_ns.saturating_sub(since)).as_secs_f64() * 1000.0
            }),
            reason: alert.map_or("", |alert| alert.text("reason")).to_owned(),
            severity: alert.map_or("", |alert| alert.text("severity")).to_owned(),
            losses: losses.map(|line| line.text("reason").to_owned()).collect(),
            rate: if span > 0.0 { approximately(harmed) / span } else { 0.0 },
            cpu_ms: outcome.usage.cpu_us / 1000,
            resident_kib: outcome.usage.resident_kib,
        })
    }
}

fn finish(watching: Watching, mut attackers: Attackers, watched_from_ns: u64) -> Result<Outcome> {
    attackers.end();
    let usage = Usage::of(watching.pid())?;
    let lines = watching.stop()?;
    let journals = std::mem::take(&mut attackers.journals);

    Ok(Outcome { lines, journals, usage, watched_from_ns })
}

impl Attackers {
    /// Whether any still works.
    ///
    /// # Errors
    /// When one failed: an attack that did not take place proves nothing.
    fn work(&mut self) -> Result<bool> {
        let mut working = false;
        for child in &mut self.children {
            match child.try_wait()? {
                None => working = true,
                Some(status) if status.success() => {}
                Some(status) => bail!("an attacker ended with {status}"),
            }
        }
        Ok(working)
    }

    fn finish(&mut self) -> Result<()> {
        let begun = Instant::now();
        while self.work()? {
            if ATTACK_DEADLINE < begun.elapsed() {
                bail!("the attackers did not end within {ATTACK_DEADLINE:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Ends those that still work.
    fn end(&mut self) {
        for child in &mut self.children {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
        self.children.clear();
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.end();
    }
}

/// Returns what is harmed, in order, with the moment each is due.
fn targets(attack: &Attack, leaves: &[Leaf]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    if attack.deed.is_to_directories() {
        for leaf in leaves {
            let Some(folder) = leaf.path.parent() else { continue };
            match targets.iter_mut().find(|target| target.path == folder) {
                Some(target) => target.files += 1,
                None => targets.push(Target { path: folder.to_owned(), files: 1, due_ns: 0 }),
            }
        }
        if attack.deed == Deed::Note {
            targets.iter_mut().for_each(|target| target.files = 1);
        }
    } else {
        let leaves = leaves.iter().take(attack.files_max);
        targets.extend(leaves.map(|leaf| Target { path: leaf.path.clone(), files: 1, due_ns: 0 }));
    }
    if let Some(rate) = attack.rate {
        let mut files = 0;
        for target in &mut targets {
            target.due_ns = duration_ns(approximately(files) / rate);
            files += target.files;
        }
    }
    targets
}

fn duration_ns(secs: f64) -> u64 {
    u64::try_from(Duration::from_secs_f64(secs).as_nanos()).unwrap_or(u64::MAX)
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of files are far below 2^52")]
pub(crate) fn approximately(count: u64) -> f64 {
    count as f64
}

/// Waits for the whole sign of life: it is written beside and moved into its place.
fn wait_for_file(file: &Path, deadline: Duration) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < deadline {
        if file.exists() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("the agent kept no sign of life in `{}`", file.display())
}
