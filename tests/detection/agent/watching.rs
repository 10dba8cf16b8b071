//! One running `shirase-agent watch --json`: what it said, and when each line came out.
//!
//! The moment of a line is when this harness received it, not what the agent says it decided at: scheduling and the
//! pipe are part of what a person waits for.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::wine::Held;
use super::{Agent, Backend};
use crate::command::monotonic_ns;

/// How long the agent may take until it watches: a million files under wine on a busy machine.
const READY_DEADLINE: Duration = Duration::from_secs(120);
/// How long it may take to end.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// What `watch` is asked to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WatchOptions {
    pub(crate) state: Option<PathBuf>,
    pub(crate) record: Option<PathBuf>,
}

/// One line the agent printed.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// When it was received.
    pub(crate) at_ns: u64,
    pub(crate) value: Value,
}

impl Line {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.value
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn number(&self, field: &str) -> u64 {
        self.value.get(field).and_then(Value::as_u64).unwrap_or(0)
    }

    /// Whether people would be told at once. What was lost is told beside it and is no detection.
    pub(crate) fn is_alert(&self) -> bool {
        self.text("type") == "event" && ["high", "critical"].contains(&self.text("severity"))
    }

    pub(crate) fn is_loss(&self) -> bool {
        self.text("type") == "loss"
    }
}

/// The running agent. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Watching {
    child: Child,
    said: Arc<Said>,
    log: PathBuf,
    /// What Wine needs besides.
    held: Option<Held>,
}

#[derive(Debug, Default)]
struct Said {
    lines: Mutex<Vec<Line>>,
    news: Condvar,
}

impl Said {
    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watching {
    /// Starts it and waits until it watches. `log` takes what it says besides.
    pub(crate) fn start(
        agent: &Agent,
        backend: Backend,
        dirs: &[PathBuf],
        options: &WatchOptions,
        log: &Path,
    ) -> Result<Self> {
        let stderr =
            File::create(log).with_context(|| format!("failed to make `{}`", log.display()))?;
        let mut command = agent.watch(backend, dirs, options)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("failed to start {command:?}"))?;
        let said = Arc::new(Said::default());
        let out = child.stdout.take().context("the agent has no output")?;
        let hears = said.clone();
        std::thread::spawn(move || hear(out, &hears));
        let mut watching = Self { child, said, log: log.to_owned(), held: None };
        watching
            .wait(READY_DEADLINE, |line| line.text("type") == "ready")
            .with_context(|| watching.end_of_log())?;
        if backend == Backend::Windows {
            let folder = log.parent().context("the log lies in no folder")?;
            watching.held = Some(Held::open(dirs, folder)?);
        }

        Ok(watching)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn lines(&self) -> Vec<Line> {
        self.said.lines().clone()
    }

    /// Waits for a line that fits; returns the first one.
    pub(crate) fn wait(
        &mut self,
        deadline: Duration,
        fits: impl Fn(&Line) -> bool,
    ) -> Option<Line> {
        let until = Instant::now() + deadline;
        let mut lines = self.said.lines();
        loop {
            if let Some(line) = lines.iter().find(|line| fits(line)) {
                return Some(line.clone());
            }
            let left = until.saturating_duration_since(Instant::now());
            // An agent that ended says nothing more.
            let ended = self.child.try_wait().ok().flatten().is_some();
            if left.is_zero() || (ended && Arc::strong_count(&self.said) == 1) {
                return None;
            }
            let pause = left.min(Duration::from_millis(100));
            lines = self
                .said
                .news
                .wait_timeout(lines, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id()).context("odd process id")?;
        let pid = Pid::from_raw(id).context("odd process id")?;
        kill_process(pid, signal).context("failed to signal the agent")
    }

    /// Whether it still runs.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the agent ended with {status}: {}", self.end_of_log()),
        }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill_9(mut self) -> Result<()> {
        self.child.kill().context("failed to kill the agent")?;
        self.child.wait().context("failed to reap the agent")?;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<Vec<Line>> {
        self.still_runs()?;
        self.signal(Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_DEADLINE {
            if self.child.try_wait()?.is_some() {
                return Ok(self.lines());
            }
            std::thread::sleep(Duration::from_millis(5));
        }

        bail!("the agent did not end within {STOP_DEADLINE:?}: {}", self.end_of_log())
    }

    fn end_of_log(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let end = lines
            .get(lines.len().saturating_sub(6)..)
            .unwrap_or_default();
        format!("the agent does not watch; the end of what it said: {}", end.join(" / "))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(self.held.take());
    }
}

fn hear(out: ChildStdout, said: &Said) {
    for line in BufReader::new(out).lines() {
        let Ok(line) = line else { break };
        let at_ns = monotonic_ns();
        let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
        said.lines().push(Line { at_ns, value });
        said.news.notify_all();
    }
    said.news.notify_all();
}
