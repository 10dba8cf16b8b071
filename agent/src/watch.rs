//! The `watch` command: watches directories in the foreground and prints what the service would report.
//!
//! No collector, no root rights, nothing sent. With `--json` each line is one object, flushed at once: first
//! `ready`, when every directory is watched, then `event` and `loss` as they come.

mod state;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use shirase_shared::clock::SharedClock;
use shirase_shared::event::{Anomaly, Event, Phase, Severity};
use shirase_shared::ids::BurstId;
use shirase_shared::redact::Redactor;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::detectors::{Detectors, DetectorsConfig};
use crate::observation::{Observation, Sight};
use crate::sensors::files::{self, FilesConfig, FilesParts, FilesSensor, RootConfig};
use crate::sensors::{OBSERVATIONS_CAPACITY, SensorBoard};
use state::State;

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
    /// Where to keep the last sign of life and the redaction key, so that the next start looks at what changed
    /// meanwhile. `None` keeps nothing.
    pub state: Option<PathBuf>,
}

/// One line of output.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Ready { backend: &'a str, roots: Vec<RootLine<'a>> },
    Event(EventLine<'a>),
    Loss(EventLine<'a>),
}

#[derive(Serialize)]
struct RootLine<'a> {
    label: &'a str,
    path: String,
}

#[derive(Serialize)]
struct EventLine<'a> {
    kind: &'static str,
    phase: Phase,
    burst: Option<BurstId>,
    severity: Severity,
    detected_at: Timestamp,
    first_change_at: Option<Timestamp>,
    root: Option<&'a str>,
    files_affected: u64,
    reason: &'a str,
    evidence: Box<RawValue>,
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
        None => Redactor::new(&state::new_key()),
    };
    let (sender, mut observations) = mpsc::channel(OBSERVATIONS_CAPACITY);
    let roots: Vec<_> = options.dirs.iter().map(|path| root(path)).collect();
    let parts = FilesParts {
        roots: files::resolve(&roots),
        config: FilesConfig::default(),
        clock: clock.clone(),
        out: sender,
        board: SensorBoard::default(),
        since,
        ignored: options
            .state
            .iter()
            .filter_map(|dir| dir.canonicalize().ok())
            .collect(),
    };
    let sensor = tokio::task::spawn_blocking(|| files::begin(parts)).await??;
    let mut printer = Printer { out, json: options.json };
    let ready = printer.ready(&sensor).and_then(|()| check(&sensor));
    let detectors = Detectors::new(&DetectorsConfig::default(), redactor);
    let watched = match ready {
        Ok(()) => {
            watch(detectors, &mut observations, &mut printer, &clock, state.as_ref(), &stop).await
        }
        Err(error) => Err(error),
    };
    drop(observations);
    tokio::task::spawn_blocking(move || sensor.end()).await?;

    watched
}

fn root(path: &Path) -> RootConfig {
    RootConfig { path: path.to_owned(), label: None, patient_data: true }
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
    Seen(Box<Observation>),
    Closed,
}

async fn watch(
    mut detectors: Detectors,
    observations: &mut mpsc::Receiver<Observation>,
    printer: &mut Printer<'_, impl Write + Send>,
    clock: &SharedClock,
    state: Option<&State>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut kept_ms = 0;
    loop {
        let wake = tokio::select! {
            biased;
            () = stop.cancelled() => Wake::Stop,
            _ = ticks.tick() => Wake::Tick,
            seen = observations.recv() => seen.map_or(Wake::Closed, |seen| Wake::Seen(Box::new(seen))),
        };
        let now = clock.moment();
        let events = match wake {
            Wake::Stop => {
                return state.map_or(Ok(()), |state| state.alive(now.wall));
            }
            Wake::Closed => bail!("the files sensor ended by itself"),
            Wake::Tick => {
                if let Some(state) = state.filter(|_| kept_ms + ALIVE_EVERY_MS <= now.monotonic_ms)
                {
                    state.alive(now.wall)?;
                    kept_ms = now.monotonic_ms;
                }
                detectors.tick(now)
            }
            Wake::Seen(seen) => detectors.observe(&seen, now),
        };
        // Nobody asked for a manifest here.
        drop(detectors.take_touched());
        for event in &events {
            printer.event(event)?;
        }
    }
}

struct Printer<'a, W: Write> {
    out: &'a mut W,
    json: bool,
}

impl<W: Write> Printer<'_, W> {
    fn ready(&mut self, sensor: &FilesSensor) -> anyhow::Result<()> {
        let backend = FilesSensor::backend();
        let roots = sensor.roots().iter().map(|status| RootLine {
            label: &status.root.label,
            path: status.root.path.to_string_lossy().into_owned(),
        });
        if self.json {
            return self.line(&Line::Ready { backend: &backend, roots: roots.collect() });
        }
        let paths: Vec<_> = roots.map(|root| shown(&root.path)).collect();
        self.text(&format!("watching {} with {backend}; stop with Ctrl-C", paths.join(", ")))
    }

    fn event(&mut self, event: &Event) -> anyhow::Result<()> {
        if !self.json {
            let root = event.root.as_deref().unwrap_or("-");
            let phase = format!("{:?}", event.phase).to_lowercase();
            let (at, severity, kind) = (event.detected_at, event.severity, event.anomaly.kind());
            return self.text(&format!("{at} {severity} {kind} {phase} [{root}] {}", event.reason));
        }
        let line = EventLine {
            kind: event.anomaly.kind(),
            phase: event.phase,
            burst: event.burst,
            severity: event.severity,
            detected_at: event.detected_at,
            first_change_at: event.first_change_at,
            root: event.root.as_deref(),
            files_affected: event.files_affected,
            reason: &event.reason,
            evidence: evidence(&event.anomaly)?,
        };
        match event.anomaly {
            Anomaly::Loss(_) => self.line(&Line::Loss(line)),
            Anomaly::MassChange(_)
            | Anomaly::Outage(_)
            | Anomaly::Pressure(_)
            | Anomaly::Logon(_)
            | Anomaly::Protection(_)
            | Anomaly::Backup(_)
            | Anomaly::Stops(_)
            | Anomaly::Print(_)
            | Anomaly::Agent(_) => self.line(&Line::Event(line)),
        }
    }

    fn line(&mut self, line: &Line<'_>) -> anyhow::Result<()> {
        self.text(&serde_json::to_string(line)?)
    }

    fn text(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.out, "{text}").context("failed to write to the output")?;
        self.out.flush().context("failed to write to the output")
    }
}

fn evidence(anomaly: &Anomaly) -> anyhow::Result<Box<RawValue>> {
    let raw = match anomaly {
        Anomaly::MassChange(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Outage(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Pressure(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Loss(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Logon(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Protection(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Backup(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Stops(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Print(evidence) => serde_json::value::to_raw_value(evidence),
        Anomaly::Agent(evidence) => serde_json::value::to_raw_value(evidence),
    };

    raw.context("failed to put an event into JSON")
}

/// A path without anything that would move a terminal's cursor.
fn shown(path: &str) -> String {
    path.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
