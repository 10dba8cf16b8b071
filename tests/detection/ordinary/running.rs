//! Runs one workload once beside the agent and keeps what it said.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Ordinary, OrdinaryRun, Stage};
use crate::agent::{Backend, Line, WatchOptions, Watching};
use crate::attacks::{Field, Server};
use crate::command::{missing as not_there, which};
use crate::ground::Ground;
use crate::random::Random;
use crate::tree::{self, TreeSize};
use crate::usage::Usage;

/// How long the agent may take to work off what it saw.
const SETTLE_DEADLINE: Duration = Duration::from_secs(30);
/// How long it has to be idle to have done so; longer than the half second between its own looks.
const SETTLED: Duration = Duration::from_millis(1200);
/// How long the proof at the end may take.
const PROOF_DEADLINE: Duration = Duration::from_secs(15);
/// Files of that proof.
const PROOF: TreeSize = TreeSize { directories: 2, files_each: 10, bytes: (2_000, 4_000) };

/// Runs `workload` once; `record` takes the trace, for the mixed days.
pub(crate) fn run(
    workload: &Ordinary,
    backend: Backend,
    seed: u64,
    field: &Field,
    record: Option<PathBuf>,
) -> Result<OrdinaryRun> {
    let mut run = OrdinaryRun {
        name: workload.name.to_owned(),
        backend,
        seed,
        sha256: field.agent.build.sha256.clone(),
        not_run: missing(workload),
        alerts: Vec::new(),
        quieter: Vec::new(),
        losses: Vec::new(),
        still_seeing: false,
        secs: 0.0,
        cpu_ms: 0,
        resident_kib: 0,
    };
    if run.not_run.is_some() {
        return Ok(run);
    }
    let name = format!("{}-{}-{seed}", workload.name, backend.name());
    let ground = Ground::make(&field.grounds, &name)?;
    let logs = field.logs.join(&name);
    drop(std::fs::remove_dir_all(&logs));
    std::fs::create_dir_all(&logs)
        .with_context(|| format!("failed to make `{}`", logs.display()))?;
    let stage = Stage::new(ground, seed, logs.clone());
    (workload.prepare)(&stage).with_context(|| format!("failed to prepare {name}"))?;
    let mut random = Random::of("proof", seed);
    let proof = tree::make(&stage.ground.control(), PROOF, &mut random)?;

    let dirs = [stage.ground.watched(), stage.ground.control()];
    let options = WatchOptions { state: None, record };
    let mut watching =
        Watching::start(&field.agent, backend, &dirs, &options, &logs.join("agent.log"))?;
    let before = Usage::of(watching.pid())?;
    let begun = Instant::now();
    (workload.act)(&stage).with_context(|| format!("failed in {name}"))?;
    run.secs = begun.elapsed().as_secs_f64();
    settle(&mut watching)?;
    let after = Usage::of(watching.pid())?;
    run.cpu_ms = after.cpu_us.saturating_sub(before.cpu_us) / 1000;
    run.resident_kib = after.resident_kib;
    for leaf in &proof {
        stage.ground.check(&leaf.path)?;
        let mut harmed = leaf.path.clone().into_os_string();
        harmed.push(".qzx");
        // Not by this process, which may have done the work: what it does on both roots would be one doer's.
        crate::command::run(Command::new("mv").arg(&leaf.path).arg(harmed))?;
        std::thread::sleep(Duration::from_millis(5));
    }
    let is_proof = |line: &Line| line.text("root") == "control";
    run.still_seeing = watching
        .wait(PROOF_DEADLINE, |line| line.is_alert() && is_proof(line))
        .is_some();
    // Before the ground goes: its removal is no part of the work.
    let lines = watching.stop()?;
    drop(stage);
    for line in lines.iter().filter(|line| !is_proof(line)) {
        let told = format!("{}: {}", line.text("severity"), line.text("reason"));
        match line.text("type") {
            "event" if line.is_alert() => run.alerts.push(told),
            "event" => run.quieter.push(told),
            "loss" => run.losses.push(told),
            _ => {}
        }
    }
    if run.alerts.is_empty() && run.still_seeing {
        drop(std::fs::remove_dir_all(&logs));
    }

    Ok(run)
}

/// Says which program a workload needs and this machine lacks.
pub(crate) fn missing(workload: &Ordinary) -> Option<String> {
    let program = |name: &&&str| which(name).is_none() && super::database::find(name).is_none();
    let samba = workload.needs.contains(&"smbd").then(Server::missing);
    samba.flatten().or_else(|| {
        workload
            .needs
            .iter()
            .find(program)
            .map(|name| not_there(name))
    })
}

/// Waits until the agent has nothing more to do.
fn settle(watching: &mut Watching) -> Result<()> {
    let begun = Instant::now();
    let mut used = Usage::of(watching.pid())?.cpu_us;
    let mut idle_since = Instant::now();
    while idle_since.elapsed() < SETTLED && begun.elapsed() < SETTLE_DEADLINE {
        std::thread::sleep(Duration::from_millis(100));
        watching.still_runs()?;
        let now = Usage::of(watching.pid())?.cpu_us;
        // Its own looks at the clock cost a tick now and then.
        if used + 10_000 < now {
            idle_since = Instant::now();
        }
        used = now;
    }
    Ok(())
}
