//! The `replay` command: runs recorded observations through the detectors, without the kernel and without waiting.
//!
//! ```text
//! trace or manifest ─▶ Seen, with the times of the recording ─▶ Player (detectors, ticks between) ─▶ the lines of `watch`
//! ```
//!
//! Always holds: what the detectors decide depends on the recording and the configuration alone, so that another
//! threshold or a maintenance window can be tried on what really happened. Ends of bursts may be told up to half a
//! second apart from the live ones, because the recording does not hold the ticks.

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Severity};
use shirase_shared::redact::Redactor;

use crate::config::Config;
use crate::detectors::{Detectors, DetectorsConfig};
use crate::observation::Root;
use crate::printing::Printer;
use crate::sensors::files;
use crate::trace::{Anonymiser, Limit, Recorded, Seen, TraceWriter};
use crate::watch;

/// Pause between two looks at what came to its end, as while watching.
const TICK_MS: u64 = 500;
/// How long a manifest is followed after its last line: the slowest burst has ended by then.
const AFTER_MANIFEST: SignedDuration = SignedDuration::from_hours(2);

/// What to replay and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// A trace or a plain manifest.
    pub file: PathBuf,
    /// Whether to print JSON, one object a line.
    pub json: bool,
    /// How many times faster than it happened; `None` does not wait at all.
    pub speed: Option<f64>,
    /// A configuration to try; `None` takes the defaults.
    pub config: Option<PathBuf>,
    /// A maintenance window to try.
    pub maintenance: Option<Window>,
    /// Where to write a copy in which keyed words take the place of names.
    pub anonymise: Option<PathBuf>,
}

/// A span in which ordinary mass work is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub until: Timestamp,
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let remedy = "give two times with their zone, for example \
                      2026-02-09T01:00:00+09:00..2026-02-09T05:00:00+09:00";
        let Some((from, until)) = text.split_once("..") else { return Err(remedy.to_owned()) };
        let time = |text: &str| {
            let time = text.trim().parse::<Timestamp>();
            time.map_err(|error| format!("`{text}` is no time ({error}); {remedy}"))
        };
        let window = Self { from: time(from)?, until: time(until)? };
        if window.until <= window.from {
            return Err(format!("it ends before it begins; {remedy}"));
        }

        Ok(window)
    }
}

/// Runs recorded observations through the detectors with the times of the recording.
pub struct Player {
    detectors: Detectors,
    window: Option<Window>,
    now: Option<Moment>,
}

impl Player {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &DetectorsConfig, redactor: Redactor, window: Option<Window>) -> Self {
        Self { detectors: Detectors::new(config, redactor), window, now: None }
    }

    /// Lets time pass until the observation was seen, takes it, and returns what all that leads to.
    pub fn play(&mut self, seen: &Seen) -> Vec<Event> {
        let mut events = self.pass(seen.now);
        let now = self.now.unwrap_or(seen.now);
        events.extend(self.detectors.observe(&seen.observation, now));
        self.forget_touched();
        events
    }

    /// Lets time pass until then.
    pub fn pass(&mut self, until: Moment) -> Vec<Event> {
        let mut events = Vec::new();
        let mut now = match self.now {
            // Another start of the system counts its time anew; what was seen before belongs to another story.
            Some(now) if now.boot == until.boot => now,
            Some(_) | None => until,
        };
        while now.monotonic_ms + TICK_MS <= until.monotonic_ms {
            now = after(now, TICK_MS);
            self.open_window(now);
            events.extend(self.detectors.tick(now));
        }
        self.now = Some(if now.monotonic_ms <= until.monotonic_ms { until } else { now });
        self.open_window(until);
        self.forget_touched();
        events
    }

    fn open_window(&mut self, now: Moment) {
        if let Some(window) = self.window.take_if(|window| window.from <= now.wall) {
            self.detectors.maintenance_until(Some(window.until));
        }
    }

    /// Nobody asked for a manifest here.
    fn forget_touched(&mut self) {
        drop(self.detectors.take_touched());
    }
}

fn after(now: Moment, ms: u64) -> Moment {
    let by = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let wall = now.wall.checked_add(by).unwrap_or(now.wall);

    Moment { wall, monotonic_ms: now.monotonic_ms + ms, ..now }
}

/// The first and the last line of the output.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Ready { backend: &'a str, roots: Vec<RootLine<'a>>, began_at: Timestamp },
    Summary(Summary),
}

#[derive(Serialize)]
struct RootLine<'a> {
    label: &'a str,
    path: String,
}

/// What a replay came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Summary {
    observations: u64,
    /// Observations the recording does not hold because it had reached its limit.
    omitted: u64,
    seconds: u64,
    events: u64,
    worst: Option<Severity>,
}

/// Replays a recording.
///
/// # Errors
/// If the recording or the configuration does not read (what stands before the fault was replayed and printed), or the
/// output is closed.
pub fn run(options: &Options, out: &mut impl Write) -> anyhow::Result<()> {
    let (detectors, known) = match &options.config {
        Some(path) => {
            let (config, _) = Config::load(path)?;
            let roots = files::resolve(&config.sensors.roots);
            (config.detectors, roots.iter().map(|root| root.as_ref().clone()).collect())
        }
        None => (DetectorsConfig::default(), Vec::<Root>::new()),
    };
    let mut recorded = Recorded::open(&options.file, &known)?;
    let mut copy = match &options.anonymise {
        Some(path) => {
            let anonymiser = Anonymiser::new()?;
            let (header, limit) = (recorded.header.clone(), Limit { bytes: u64::MAX });
            Some(TraceWriter::create(path, header, Some(anonymiser), limit)?)
        }
        None => None,
    };
    let mut printer = Printer { out, json: options.json };
    ready(&mut printer, &recorded)?;
    let redactor = Redactor::new(&watch::new_key());
    let player = Player::new(&detectors, redactor, options.maintenance);
    let mut replay = Replay {
        player,
        speed: options.speed,
        summary: Summary::default(),
        first: None,
        last: None,
    };
    let played = replay.play(&mut recorded, &mut printer, copy.as_mut());
    replay.sum_up(&mut printer)?;
    if let Some(copy) = copy {
        let end = replay.last.unwrap_or(Moment {
            wall: recorded.header.began_at,
            boot: recorded.header.boot,
            monotonic_ms: 0,
        });
        copy.finish(end)?;
    }

    played
}

fn ready(printer: &mut Printer<'_, impl Write>, recorded: &Recorded) -> anyhow::Result<()> {
    let header = &recorded.header;
    let backend = if recorded.is_manifest() { "manifest" } else { "trace" };
    if printer.json {
        let roots = header.roots.iter().map(|root| RootLine {
            label: &root.label,
            path: root.path.to_string_lossy().into_owned(),
        });
        let roots = roots.collect();
        return printer.line(&Line::Ready { backend, roots, began_at: header.began_at });
    }
    let labels: Vec<_> = header
        .roots
        .iter()
        .map(|root| root.label.as_str())
        .collect();
    let (roots, began) = (labels.join(", "), header.began_at);
    printer.text(&format!("replaying a {backend} of {roots}, recorded from {began}"))?;
    if recorded.is_manifest() {
        let note =
            "a manifest holds what was touched during a burst: what came before it is not in it";
        printer.text(note)?;
    }

    Ok(())
}

/// A replay under way.
struct Replay {
    player: Player,
    speed: Option<f64>,
    summary: Summary,
    first: Option<Moment>,
    last: Option<Moment>,
}

impl Replay {
    fn play(
        &mut self,
        recorded: &mut Recorded,
        printer: &mut Printer<'_, impl Write>,
        mut copy: Option<&mut TraceWriter>,
    ) -> anyhow::Result<()> {
        while let Some(seen) = recorded.read()? {
            self.wait(seen.now);
            let events = self.player.play(&seen);
            if let Some(copy) = &mut copy {
                copy.write(&seen)?;
            }
            self.summary.observations += 1;
            self.last = Some(seen.now);
            self.first.get_or_insert(seen.now);
            self.tell(&events, printer)?;
        }
        let Some(last) = self.last else { return Ok(()) };
        let end = match recorded.end() {
            Some(end) => {
                self.summary.omitted = end.omitted;
                Moment { wall: end.at, monotonic_ms: end.ms, ..last }
            }
            None => after(last, u64::try_from(AFTER_MANIFEST.as_millis()).unwrap_or(0)),
        };
        let events = self.player.pass(end);
        if recorded.end().is_some() {
            self.last = Some(end);
        }

        self.tell(&events, printer)
    }

    /// Waits as long as it took, by so much faster.
    fn wait(&self, now: Moment) {
        let (Some(speed), Some(last)) = (self.speed, self.last) else { return };
        let passed = Duration::from_millis(now.monotonic_ms.saturating_sub(last.monotonic_ms));
        if let Ok(pause) = Duration::try_from_secs_f64(passed.as_secs_f64() / speed) {
            std::thread::sleep(pause);
        }
    }

    fn tell(
        &mut self,
        events: &[Event],
        printer: &mut Printer<'_, impl Write>,
    ) -> anyhow::Result<()> {
        for event in events {
            self.summary.events += 1;
            self.summary.worst = self.summary.worst.max(Some(event.severity));
            printer.event(event)?;
        }

        Ok(())
    }

    fn sum_up(&mut self, printer: &mut Printer<'_, impl Write>) -> anyhow::Result<()> {
        if let (Some(first), Some(last)) = (self.first, self.last) {
            self.summary.seconds = last.monotonic_ms.saturating_sub(first.monotonic_ms) / 1000;
        }
        if printer.json {
            return printer.line(&Line::Summary(self.summary.clone()));
        }
        let Summary { observations, omitted, seconds, events, worst } = self.summary;
        let worst = worst.map_or("none".to_owned(), |worst| worst.to_string());
        printer.text(&format!(
            "{observations} observations over {seconds} s ({omitted} more were not recorded): {events} events, worst {worst}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_needs_two_times_in_order() {
        let window: Window = "2026-02-09T01:00:00+09:00..2026-02-08T20:00:00Z"
            .parse()
            .unwrap();
        assert_eq!(window.from.to_string(), "2026-02-08T16:00:00Z");
        for wrong in ["", "..", "2026-02-09..", "2026-02-09T02:00:00Z..2026-02-09T01:00:00Z"] {
            let error = wrong.parse::<Window>().unwrap_err();
            assert!(error.contains("give two times"), "{wrong}: {error}");
        }
    }
}
