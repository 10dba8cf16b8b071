//! Thirty mixed days: recordings of real ordinary work, laid into days at times drawn from a seed, and replayed.
//!
//! ```text
//! traces of single workloads ─▶ one trace a day, in the order of time ─▶ shirase-agent replay ─▶ nothing high
//! ```
//!
//! Each recording keeps its own rhythm and comes to lie in a folder of its own below one common root, so that what one
//! leaves behind in the detectors meets the next.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::Agent;
use crate::command::run;
use crate::conduct::go_on;
use crate::random::Random;

/// Days played.
pub(crate) const DAYS: u64 = 30;
/// Recordings laid into one day.
const RECORDINGS: usize = 60;
/// Observations of one recording that are taken; a longer one is cut.
const OBSERVATIONS_MAX: usize = 20_000;
const DAY_MS: u64 = 24 * 3600 * 1000;

/// One day, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DayRun {
    pub(crate) day: u64,
    pub(crate) sha256: String,
    pub(crate) recordings: usize,
    pub(crate) observations: u64,
    /// High and critical events, by their reasons.
    pub(crate) alerts: Vec<String>,
    /// Events below that.
    pub(crate) quieter: u64,
}

/// A recording of one workload.
struct Recording {
    name: String,
    /// Milliseconds from its first observation, and the observation's line.
    lines: Vec<(u64, Value)>,
}

/// Plays every day from the recordings in `traces` and hands each on as it is done.
pub(crate) fn play(
    agent: &Agent,
    traces: &Path,
    missing: &[u64],
    folder: &Path,
    mut keep: impl FnMut(DayRun) -> Result<()>,
) -> Result<()> {
    let recordings = read(traces)?;
    if recordings.is_empty() {
        anyhow::bail!(
            "no recordings of ordinary work in `{}`; run `--long --part ordinary --backend fanotify` first",
            traces.display()
        );
    }
    for day in missing {
        go_on()?;
        let (file, observations) = compose(&recordings, *day, folder)?;
        let said = run(Command::new(&agent.binary)
            .args(["replay", "--json"])
            .arg(&file))?;
        let events: Vec<Value> = said
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &Value| line["type"] == "event")
            .collect();
        let high = |event: &&Value| event["severity"] == "high" || event["severity"] == "critical";
        let alerts: Vec<_> = events
            .iter()
            .filter(high)
            .map(|event| event["reason"].as_str().unwrap_or_default().to_owned())
            .collect();
        // Kept only where a person has to look.
        if alerts.is_empty() {
            drop(fs::remove_file(&file));
        }
        keep(DayRun {
            day: *day,
            sha256: agent.build.sha256.clone(),
            recordings: RECORDINGS,
            observations,
            quieter: u64::try_from(events.len() - alerts.len())?,
            alerts,
        })?;
    }

    Ok(())
}

fn read(traces: &Path) -> Result<Vec<Recording>> {
    let mut files: Vec<PathBuf> = fs::read_dir(traces)
        .with_context(|| format!("failed to look into `{}`", traces.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    let mut recordings = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("failed to read `{}`", file.display()))?;
        let lines: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        // The proof at the end of a workload is an attack and no ordinary work.
        let work = lines.into_iter().filter(|line| {
            let fact = &line["fact"];
            fact.is_object() && fact["file"]["root"]["label"] == "watched"
        });
        let work: Vec<_> = work.take(OBSERVATIONS_MAX).collect();
        let Some(first) = work.first().and_then(|line| line["ms"].as_u64()) else { continue };
        let lines = work
            .into_iter()
            .map(|line| (line["ms"].as_u64().unwrap_or(first).saturating_sub(first), line));
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        recordings.push(Recording { name, lines: lines.collect() });
    }

    Ok(recordings)
}

/// Writes the trace of one day; returns it and how many observations it holds.
fn compose(recordings: &[Recording], day: u64, folder: &Path) -> Result<(PathBuf, u64)> {
    let mut random = Random::of("day", day);
    let mut all: Vec<(u64, Value)> = Vec::new();
    let day_begins: Timestamp = "2026-10-01T00:00:00Z".parse().context("a time")?;
    let ms_of = |day: u64| 1_000_000 + day * DAY_MS;
    let began = later(day_begins, day * DAY_MS);
    for slot in 0..RECORDINGS {
        // Every sort of work at least once on some days, drawn anew on each.
        let Some(recording) = random.pick(recordings) else { break };
        let begins = random.next() % (DAY_MS - 3_600_000);
        let place = format!("{}-{slot}", recording.name);
        for (ms, line) in &recording.lines {
            let mut line = line.clone();
            let at = begins + ms;
            line["ms"] = json!(ms_of(day) + at);
            line["at"] = json!(later(began, at).to_string());
            lay(&mut line["fact"]["file"], &place);
            all.push((at, line));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    let path = folder.join(format!("day-{day:02}.jsonl"));
    let mut out = BufWriter::new(
        File::create(&path).with_context(|| format!("failed to make `{}`", path.display()))?,
    );
    let header = json!({
        "format": "shirase-trace", "version": 1, "began_at": began.to_string(),
        "boot": "00000000-0000-0000-0000-000000000001", "agent": env!("CARGO_PKG_VERSION"), "names": "clear",
        "roots": [root()],
    });
    writeln!(out, "{header}")?;
    for (_, line) in &all {
        writeln!(out, "{line}")?;
    }
    let ended = later(began, DAY_MS).to_string();
    let observations = u64::try_from(all.len())?;
    let end = json!({"end": {"at": ended, "ms": ms_of(day + 1), "observations": observations, "omitted": 0}});
    writeln!(out, "{end}")?;
    out.flush().context("failed to write a day")?;

    Ok((path, observations))
}

fn root() -> Value {
    json!({"label": "share", "path": "/srv/share", "names": "hidden"})
}

/// Moves a change into a folder of its own below the common root.
fn lay(change: &mut Value, place: &str) {
    let below = |path: &Value| match path.as_str() {
        Some(text) => json!(format!("{place}/{text}")),
        None => path.clone(),
    };
    change["root"] = root();
    change["below"] = below(&change["below"]);
    for kind in ["renamed", "directory_renamed"] {
        if change["operation"][kind]["from"].is_string() {
            change["operation"][kind]["from"] = below(&change["operation"][kind]["from"]);
        }
    }
}

fn later(from: Timestamp, ms: u64) -> Timestamp {
    let by = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(0));
    from.checked_add(by).unwrap_or(from)
}
