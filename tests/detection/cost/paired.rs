//! What a program that changes files pays: the same block of operations with nothing watching, with a bare reader of the
//! kernel's queue, and with the agent, in turn, many times. Compared are blocks of the same round.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Bench, Figures};
use crate::agent::{Backend, WatchOptions, Watching};
use crate::command::{run, which};
use crate::conduct::go_on;
use crate::figures::Spread;
use crate::ground::Ground;
use crate::load::{self, Kind, Load};
use crate::usage::Usage;

/// The bare reader's source.
const READER: &str = include_str!("reader.c");

pub(super) fn rename(bench: &Bench<'_>) -> Result<Figures> {
    measure(bench, Kind::Rename)
}

pub(super) fn overwrite(bench: &Bench<'_>) -> Result<Figures> {
    measure(bench, Kind::Overwrite)
}

pub(super) fn create_delete(bench: &Bench<'_>) -> Result<Figures> {
    measure(bench, Kind::CreateDelete)
}

/// Who watches during a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watcher {
    Nobody,
    Reader,
    Agent,
}

/// Microseconds an operation of each block, by who watched.
#[derive(Default)]
struct Blocks {
    nobody: Vec<f64>,
    reader: Vec<f64>,
    agent: Vec<f64>,
    agent_cpu: Vec<f64>,
}

fn measure(bench: &Bench<'_>, kind: Kind) -> Result<Figures> {
    let ground = Ground::make(&bench.field.grounds, &format!("paired-{}", kind.name()))?;
    load::prepare(&ground, kind, bench.effort.block)?;
    let reader = match bench.backend {
        Backend::Fanotify => Some(build_reader(bench.logs)?),
        // A bare reader of inotify would have to find its way through the tree as the agent does.
        Backend::Notify | Backend::Windows => None,
    };
    let mut blocks = Blocks::default();
    // One round to warm up, which is not counted.
    for round in 0..=bench.effort.rounds {
        go_on()?;
        let mut order = [Watcher::Nobody, Watcher::Reader, Watcher::Agent];
        order.rotate_left(round % 3);
        for watcher in order {
            let spent = match (watcher, &reader) {
                (Watcher::Nobody, _) => (block(bench, &ground, kind)?, 0.0),
                (Watcher::Reader, Some(reader)) => {
                    let reading = Reader::start(reader, &ground.watched())?;
                    let spent = block(bench, &ground, kind)?;
                    drop(reading);
                    (spent, 0.0)
                }
                (Watcher::Reader, None) => continue,
                (Watcher::Agent, _) => beside_agent(bench, &ground, kind)?,
            };
            if round == 0 {
                continue;
            }
            match watcher {
                Watcher::Nobody => blocks.nobody.push(spent.0),
                Watcher::Reader => blocks.reader.push(spent.0),
                Watcher::Agent => {
                    blocks.agent.push(spent.0);
                    blocks.agent_cpu.push(spent.1);
                }
            }
        }
    }

    blocks.sum_up(bench)
}

impl Blocks {
    fn sum_up(&self, bench: &Bench<'_>) -> Result<Figures> {
        let mut figures = Figures::default();
        let mut note = |name: &str, values: Vec<f64>| {
            if let Some(spread) = Spread::of(values) {
                figures.set(&format!("{name}_us"), spread.median);
                figures.set(&format!("{name}_least_us"), spread.least);
                figures.set(&format!("{name}_most_us"), spread.most);
            }
        };
        let less = |more: &[f64], less: &[f64]| -> Vec<f64> {
            more.iter()
                .zip(less)
                .map(|(more, less)| more - less)
                .collect()
        };
        note("nobody", self.nobody.clone());
        note("reader", self.reader.clone());
        note("agent", self.agent.clone());
        note("agent_cpu", self.agent_cpu.clone());
        note("agent_over_nobody", less(&self.agent, &self.nobody));
        note("agent_over_reader", less(&self.agent, &self.reader));
        if self.nobody.is_empty() {
            bail!("no round was measured");
        }
        figures.how = format!(
            "medians of {} rounds of {} operations in turn; the load on the first processor of {}",
            self.nobody.len(),
            bench.effort.block,
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        );

        Ok(figures)
    }
}

fn block(bench: &Bench<'_>, ground: &Ground, kind: Kind) -> Result<f64> {
    let load = Load {
        ground: ground.dir().to_owned(),
        mark: ground.mark().to_owned(),
        kind,
        // An even number of passes, so that every block begins with the same names.
        operations: bench.effort.block / 5_000 * 5_000,
        rate: None,
    };
    Ok(load::start(&load, bench.logs)?.us_each())
}

/// Returns what an operation took beside the agent, and what of the agent's processor time it took, in microseconds.
fn beside_agent(bench: &Bench<'_>, ground: &Ground, kind: Kind) -> Result<(f64, f64)> {
    let log = bench.logs.join("paired-agent.log");
    let watching = Watching::start(
        &bench.field.agent,
        bench.backend,
        &[ground.watched()],
        &WatchOptions::default(),
        &log,
    )?;
    let before = Usage::of(watching.pid())?.cpu_us;
    let spent = block(bench, ground, kind)?;
    // What it still works off belongs to the operations.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let used = Usage::of(watching.pid())?.cpu_us.saturating_sub(before);
    watching.stop()?;

    Ok((
        spent,
        crate::attacks::approximately(used) / crate::attacks::approximately(bench.effort.block),
    ))
}

pub(super) fn build_reader(folder: &Path) -> Result<std::path::PathBuf> {
    which("cc").context("the bare reader needs a C compiler (Debian package gcc)")?;
    let (source, binary) = (folder.join("reader.c"), folder.join("reader"));
    std::fs::write(&source, READER).context("failed to write the reader's source")?;
    run(Command::new("cc")
        .args(["-O2", "-Wall", "-o"])
        .arg(&binary)
        .arg(&source))?;

    Ok(binary)
}

/// The running bare reader. Killed when dropped.
struct Reader(Child);

impl Reader {
    fn start(binary: &Path, root: &Path) -> Result<Self> {
        let mut child = Command::new(binary)
            .arg(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start the bare reader")?;
        let out = child.stdout.take().context("the reader has no output")?;
        let reader = Self(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        if line.trim() != "ready" {
            bail!("the bare reader does not read (root?)");
        }

        Ok(reader)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
