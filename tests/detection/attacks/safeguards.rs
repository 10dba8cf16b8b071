//! Strikes at what protects a host, against the real service: its logs, its backups, the agent's own key.
//!
//! `watch` looks at files alone, so these need the service. It is enrolled at a real collector, which is then killed:
//! what the agent sees stays in its buffer, where it is read from.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use shirase_system_tests::site::Site;

use super::running::{Act, Outcome};
use crate::agent::{Backend, Line};
use crate::attacks::Strike;
use crate::command::{monotonic_ns, run};
use crate::ground::Ground;
use crate::journal::Journal;
use crate::usage::Usage;

/// How long the service may take until it has looked at everything once.
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// How long it may take to tell: the sensors look every five seconds, and the slowest look rests ten times as long.
const TOLD_DEADLINE: Duration = Duration::from_secs(60);
/// Logs, and generations of a backup, there are.
const LOGS: u64 = 6;
const GENERATIONS: u64 = 14;
/// Bytes of each.
const BYTES: usize = 100_000;
/// How old a generation has to be to count as complete.
const COMPLETE_AFTER: Duration = Duration::from_secs(1);
/// Between one harm and the next.
const PACE: Duration = Duration::from_millis(50);

impl Strike {
    /// The kind of the event that has to come.
    const fn kind(self) -> &'static str {
        match self {
            Self::Logs | Self::OwnKey => "protection",
            Self::Backups => "backup",
        }
    }

    /// What says on the service's board that it looked once.
    const fn sensor(self) -> &'static str {
        match self {
            Self::Logs | Self::OwnKey => "logs and own files",
            Self::Backups => "backup dumps",
        }
    }

    /// Returns what is harmed; it is made here but for the agent's own.
    fn prepare(self, ground: &Ground) -> Result<Vec<PathBuf>> {
        let folder = ground.aside().join("safeguards");
        std::fs::create_dir_all(&folder).context("failed to make a folder")?;
        let names: Vec<String> = match self {
            Self::Logs => (0..LOGS)
                .map(|number| format!("service{number}.log"))
                .collect(),
            Self::Backups => (0..GENERATIONS)
                .map(|day| format!("ehr-202610{:02}.sql.gz", day + 1))
                .collect(),
            Self::OwnKey => Vec::new(),
        };
        let mut paths = Vec::new();
        for (age, name) in names.iter().rev().enumerate() {
            let path = folder.join(name);
            std::fs::write(&path, vec![b'x'; BYTES]).context("failed to make a safeguard")?;
            let days = u64::try_from(age)? + 1;
            let made = SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_491_200 - days * 86_400);
            let file = std::fs::File::options().write(true).open(&path)?;
            file.set_modified(made)
                .context("failed to date a safeguard")?;
            paths.push(path);
        }
        if self == Self::Backups {
            // What is not complete when the service looks first is nobody's loss.
            std::thread::sleep(COMPLETE_AFTER + Duration::from_millis(500));
        }

        Ok(paths)
    }

    /// What the configuration says of logs, and what it says besides.
    fn settings(self, ground: &Ground, paths: &[PathBuf]) -> (String, String) {
        let none = "\nlogs = []".to_owned();
        match self {
            Self::Logs => {
                let listed: Vec<_> = paths
                    .iter()
                    .map(|path| format!("'{}'", path.display()))
                    .collect();
                (format!("\nlogs = [{}]", listed.join(", ")), String::new())
            }
            Self::Backups => {
                let folder = ground.aside().join("safeguards");
                let table = format!(
                    "\n[[sensors.backups]]\nname = \"dumps\"\nkind = \"tree\"\npath = '{}'\n\
                     interval_secs = 5\ncomplete_after_secs = {}\n",
                    folder.display(),
                    COMPLETE_AFTER.as_secs()
                );
                (none, table)
            }
            Self::OwnKey => (none, String::new()),
        }
    }
}

/// The service. Killed when dropped.
struct Service {
    child: Child,
    binary: PathBuf,
    config: PathBuf,
}

impl Service {
    fn start(act: &Act<'_>, site: &Site) -> Result<Self> {
        let (binary, config) = (act.field.agent.binary.clone(), site.agent_config());
        let log = std::fs::File::create(act.folder.join("service.log"))
            .context("failed to make a log")?;
        let child = Command::new(&binary)
            .args(["run", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("failed to start the service")?;

        Ok(Self { child, binary, config })
    }

    fn ask(&self, words: &[&str]) -> Result<String> {
        run(Command::new(&self.binary)
            .args(words)
            .arg("--config")
            .arg(&self.config))
    }

    /// Waits until the sensor has looked once.
    fn wait_for(&self, sensor: &str) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < READY_DEADLINE {
            let status: Option<Value> = self
                .ask(&["status", "--json"])
                .ok()
                .and_then(|said| serde_json::from_str(&said).ok());
            let looked = |status: &Value| {
                let mut sensors = status["sensors"].as_array()?.iter();
                sensors.find(|found| found["name"] == sensor).map(|_| ())
            };
            if status.as_ref().and_then(looked).is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("the service's board does not show `{sensor}` within {READY_DEADLINE:?}")
    }

    /// Waits for an event of a kind that wakes people.
    fn wait_for_event(&self, kind: &str) -> Vec<Line> {
        let begun = Instant::now();
        while begun.elapsed() < TOLD_DEADLINE {
            let said = self.ask(&["buffer", "export"]).unwrap_or_default();
            let at_ns = monotonic_ns();
            let mut records = said
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let found = records.find(|record| {
                let severity = record["severity"].as_str().unwrap_or_default();
                record["kind"] == kind && ["high", "critical"].contains(&severity)
            });
            if let Some(record) = found {
                let value = json!({"type": "event", "severity": record["severity"],
                    "reason": record["reason"]});
                return vec![Line { at_ns, value }];
            }
            std::thread::sleep(Duration::from_millis(100));
        }

        Vec::new()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Lets the service watch, strikes, and waits for its word.
pub(super) fn strike(act: &Act<'_>, strike: Strike) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let folder = tempfile::Builder::new()
        .prefix("shirase-detection-site-")
        .tempdir()
        .context("failed to make a folder for the collector")?;
    let mut paths = strike.prepare(act.ground)?;
    let site = runtime.block_on(async {
        let mut site = Site::prepare(folder.path()).await?;
        site.start_collector().await?;
        site.enrol()?;
        site.kill_collector()?;
        anyhow::Ok(site)
    })?;
    configure(act, strike, &site, &paths)?;
    if strike == Strike::OwnKey {
        paths.push(folder.path().join("agent/state/host.key"));
    }
    let service = Service::start(act, &site)?;
    service.wait_for(strike.sensor())?;
    let journal_file = act.folder.join("journal-0.tsv");
    let mut journal = Journal::create(&journal_file, act.ground.dir())?;
    for path in &paths {
        journal.note("strike", path, 1)?;
        match strike {
            Strike::Logs => std::fs::File::create(path).map(drop),
            Strike::Backups => std::fs::remove_file(path),
            Strike::OwnKey => std::fs::write(path, b"another one"),
        }
        .with_context(|| format!("failed to strike at `{}`", path.display()))?;
        std::thread::sleep(PACE);
    }
    let lines = service.wait_for_event(strike.kind());
    let usage = Usage::of(service.child.id())?;

    Ok(Outcome { lines, journals: vec![journal_file], usage, watched_from_ns: 0 })
}

/// Lets the enrolled agent watch the ground and what is struck at.
fn configure(act: &Act<'_>, strike: Strike, site: &Site, paths: &[PathBuf]) -> Result<()> {
    let path = site.agent_config();
    let text = std::fs::read_to_string(&path).context("failed to read the configuration")?;
    let (logs, more) = strike.settings(act.ground, paths);
    let backend = match act.backend {
        Backend::Fanotify | Backend::Notify => act.backend.name(),
        Backend::Windows => bail!("the service of Windows is not run under wine"),
    };
    let watched = site.watched().display().to_string();
    let text = text
        .replace(&watched, &act.ground.watched().display().to_string())
        .replace("backend = \"auto\"", &format!("backend = \"{backend}\""));
    if !text.contains("\nlogs = []") {
        bail!("`{}` says nothing of logs", path.display());
    }
    let text = text.replacen("\nlogs = []", &logs, 1) + &more;

    std::fs::write(&path, text).context("failed to write the configuration")
}
