//! The `watch` command: watches directories in the foreground and prints what the service would report.
//!
//! No collector, no root rights, nothing sent. With `--json` each line is one object, flushed at once: first
//! `ready`, when every directory is watched, then `event` and `loss` as they come.

mod state;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;
use shirase_shared::clock::SharedClock;
use shirase_shared::redact::Redactor;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::Counters;
use crate::canaries::Watchlist;
use crate::detectors::{Detectors, DetectorsConfig};
use crate::observation::{Observation, Sight};
use crate::printing::Printer;
use crate::sensors::files::{
    self, BackendChoice, FilesConfig, FilesParts, FilesSensor, RootConfig,
};
use crate::sensors::{CHANGES_CAPACITY, SensorBoard};
use crate::trace::{Anonymiser, Header, Limit, Seen, TraceWriter};
use state::State;
pub(crate) use state::new_key;

/// Pause between two looks at what came to its end.
const TICK: Duration = Duration::from_millis(500);

/// How often the last sign of life is kept.
const ALIVE_EVERY_MS: u64 = 10_000;

/// What to watch and how to say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The directories.
    pub dirs: Vec<PathBuf>,
    /// Whether to print JSON, one object a line.
    pub json: bool,
    /// Where to keep the last sign of life, the redaction key and the counters, so that the next start looks at what
    /// changed meanwhile and goes on counting. `None` keeps nothing.
    pub state: Option<PathBuf>,
    /// What the kernel is asked with.
    pub backend: BackendChoice,
    /// What to record, if anything.
    pub record: Option<Recording>,
}

/// A trace to write while watching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The file, outside the watched directories.
    pub file: PathBuf,
    /// How large it may become.
    pub limit: Limit,
    /// Whether keyed words take the place of names.
    pub anonymise: bool,
}

/// One line of output.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Ready { backend: &'a str, roots: Vec<RootLine<'a>> },
}

#[derive(Serialize)]
struct RootLine<'a> {
    label: &'a str,
    path: String,
}

/// Watches until `stop`.
///
/// # Errors
/// When a directory is missing or cannot be read (it is named), when files cannot be watched at all, or when the
/// output is closed.
pub async fn run(
    options: Options,
    clock: SharedClock,
    out: &mut (impl Write + Send),
    stop: CancellationToken,
) -> anyhow::Result<()> {
    for dir in &options.dirs {
        std::fs::read_dir(dir).with_context(|| {
            format!("failed to watch `{}`; give a directory you may read", dir.display())
        })?;
    }
    let state = options.state.as_deref().map(State::open).transpose()?;
    let since = state.as_ref().and_then(|state| state.last_alive);
    let redactor = match &state {
        Some(state) => Redactor::new(&state.key),
        None => Redactor::new(&new_key()),
    };
    let (sender, mut observations) = mpsc::channel(CHANGES_CAPACITY);
    let roots: Vec<_> = options.dirs.iter().map(RootConfig::new).collect();
    let parts = FilesParts {
        name: files::NAME.to_owned(),
        roots: files::resolve(&roots),
        config: FilesConfig { backend: options.backend, ..FilesConfig::default() },
        clock: clock.clone(),
        out: sender,
        board: SensorBoard::default(),
        since,
        memory: options.state.clone(),
        ignored: options
            .state
            .iter()
            .filter_map(|dir| dir.canonicalize().ok())
            .collect(),
        watchlist: Watchlist::default(),
    };
    let sensor = tokio::task::spawn_blocking(|| files::begin(parts)).await??;
    let mut printer = Printer { out, json: options.json };
    let mut trace = options
        .record
        .as_ref()
        .map(|recording| begin_trace(recording, &sensor, &clock))
        .transpose()?;
    let ready = ready(&mut printer, &sensor).and_then(|()| check(&sensor));
    let detectors = Detectors::new(&DetectorsConfig::default(), redactor);
    let watched = match ready {
        Ok(()) => {
            let counters = state.as_ref().map(State::counters);
            let mut watching =
                Watching { detectors, trace: trace.as_mut(), state: state.as_ref(), counters };
            watching
                .run(&mut observations, &mut printer, &clock, &stop)
                .await
        }
        Err(error) => Err(error),
    };
    drop(observations);
    tokio::task::spawn_blocking(move || sensor.end()).await?;
    if let Some(trace) = trace {
        let end = trace.finish(clock.moment())?;
        let (seen, omitted) = (end.observations, end.omitted);
        tracing::info!("recorded {seen} observations; {omitted} were beyond the limit");
    }

    watched
}

/// Refuses to begin when a directory is not watched at all.
fn check(sensor: &FilesSensor) -> anyhow::Result<()> {
    for status in sensor.roots() {
        if Sight::Unreadable <= status.sight {
            bail!("failed to watch `{}`: {}", status.root.path.display(), status.detail);
        }
    }

    Ok(())
}

enum Wake {
    Stop,
    Tick,
    Seen(Vec<Observation>),
    Closed,
}

/// What is needed while watching.
struct Watching<'a> {
    detectors: Detectors,
    trace: Option<&'a mut TraceWriter>,
    state: Option<&'a State>,
    counters: Option<Counters>,
}

impl Watching<'_> {
    async fn run(
        &mut self,
        observations: &mut mpsc::Receiver<Vec<Observation>>,
        printer: &mut Printer<'_, impl Write + Send>,
        clock: &SharedClock,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut kept_ms = 0;
        if let Some(kept) = self.counters.as_ref().and_then(Counters::read) {
            for event in &self.detectors.restore(kept, clock.moment()) {
                printer.event(event)?;
            }
        }
        loop {
            let wake = tokio::select! {
                biased;
                () = stop.cancelled() => Wake::Stop,
                _ = ticks.tick() => Wake::Tick,
                seen = observations.recv() => seen.map_or(Wake::Closed, Wake::Seen),
            };
            let now = clock.moment();
            let events = match wake {
                Wake::Stop => {
                    if let Some(counters) = self.counters.take() {
                        counters.close(self.detectors.snapshot(now)).await;
                    }
                    return self.state.map_or(Ok(()), |state| state.alive(now.wall));
                }
                Wake::Closed => bail!("the files sensor ended by itself"),
                Wake::Tick => {
                    if let Some(state) = self
                        .state
                        .filter(|_| kept_ms + ALIVE_EVERY_MS <= now.monotonic_ms)
                    {
                        state.alive(now.wall)?;
                        kept_ms = now.monotonic_ms;
                    }
                    if let Some(trace) = &mut self.trace {
                        trace.flush()?;
                    }
                    if let Some(counters) = &mut self.counters
                        && let Some(snapshot) = self.detectors.due_snapshot(now)
                    {
                        counters.keep(snapshot).await;
                    }
                    self.detectors.tick(now)
                }
                Wake::Seen(seen) => {
                    let mut events = Vec::new();
                    for observation in seen {
                        events.extend(self.detectors.observe(&observation, now));
                        if let Some(trace) = &mut self.trace {
                            trace.write(&Seen { observation, now })?;
                        }
                    }
                    events
                }
            };
            // Nobody asked for a manifest here.
            drop(self.detectors.take_touched());
            for event in &events {
                printer.event(event)?;
            }
        }
    }
}

/// Begins to record, outside what is watched: a recording that sees itself grow never ends.
fn begin_trace(
    recording: &Recording,
    sensor: &FilesSensor,
    clock: &SharedClock,
) -> anyhow::Result<TraceWriter> {
    let file = std::path::absolute(&recording.file)?;
    let parent = file.parent().unwrap_or(&file);
    let real = parent.canonicalize().with_context(|| {
        format!("failed to record into `{}`; make that directory first", parent.display())
    })?;
    let roots: Vec<_> = sensor
        .roots()
        .iter()
        .map(|status| status.root.clone())
        .collect();
    if let Some(root) = roots.iter().find(|root| real.starts_with(&root.path)) {
        bail!(
            "`{}` lies in the watched directory `{}` and would record itself; name a file elsewhere",
            file.display(),
            root.path.display()
        );
    }
    let roots = roots.iter().map(|root| root.as_ref().clone()).collect();
    let anonymiser = match recording.anonymise {
        true => Some(Anonymiser::new()?),
        false => None,
    };

    Ok(TraceWriter::create(&file, Header::new(clock.moment(), roots), anonymiser, recording.limit)?)
}

/// Says that every directory is watched.
fn ready(printer: &mut Printer<'_, impl Write>, sensor: &FilesSensor) -> anyhow::Result<()> {
    let backend = sensor.backend();
    let roots = sensor.roots().iter().map(|status| RootLine {
        label: &status.root.label,
        path: status.root.path.to_string_lossy().into_owned(),
    });
    if printer.json {
        return printer.line(&Line::Ready { backend, roots: roots.collect() });
    }
    let paths: Vec<_> = roots.map(|root| shown(&root.path)).collect();
    printer.text(&format!("watching {} with {backend}; stop with Ctrl-C", paths.join(", ")))
}

/// A path without anything that would move a terminal's cursor.
fn shown(path: &str) -> String {
    path.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
