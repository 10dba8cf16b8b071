//! Sees that one thing is printed on many printers again and again, as ransom notes are.
//!
//! ```text
//! job ─▶ flow of its title ─┬─ words of a note, on several printers ─────────────▶ high
//!      └▶ flow of the rest  ├─ same title, many jobs, several printers ──────────▶ high (medium before the first day)
//!                           └─ a title, or much of everything, where never before ▶ medium
//! ```
//!
//! Always holds: pure; spans are measured by monotonic time. Titles and printers stay on the host. One printer alone is
//! never a burst, however many labels it prints; what was ordinary before is ordinary again.

mod flow;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::{Anomaly, Event, Phase, PrintBurst, SCHEMA, Severity};

use crate::observation::{PrintJob, Wording};
use flow::{Flow, Told};

/// Titles remembered; the one that was not printed for longest is forgotten first.
const TITLES_MAX: usize = 1024;
/// Printers on which a title with the words of a ransom note is one.
const NOTE_PRINTERS: usize = 3;
/// More than so many times what was usual is unusual.
const JOBS_FACTOR: usize = 3;
/// The same for printers.
const PRINTERS_FACTOR: usize = 2;
/// Pause between two looks at what came to its end.
const LOOK_EVERY_MS: u64 = 5_000;

/// When printing is an anomaly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrintBurstConfig {
    /// Span in which jobs are counted, in seconds.
    pub window_secs: u64,
    /// Jobs with one title within that span, over at least `printers`, that make a burst of severity high; jobs with
    /// any titles make it medium.
    pub jobs: usize,
    /// Printers over which so many jobs must be spread.
    pub printers: usize,
    /// Printers that get the same title within that span, however few jobs each, that make a burst of severity medium
    /// if nothing of that title was ever spread so far.
    pub spread_printers: usize,
    /// How long what is usual is learned before something can be unusual, in hours. Until then only notes and floods
    /// are told, floods as medium.
    pub learning_hours: u64,
    /// Beginnings of titles that go to many printers every day, such as a morning list's. Jobs with them are passed
    /// over.
    pub expected_titles: Vec<String>,
}

impl Default for PrintBurstConfig {
    fn default() -> Self {
        Self {
            window_secs: 60,
            jobs: 100,
            printers: 5,
            spread_printers: 8,
            learning_hours: 24,
            expected_titles: Vec::new(),
        }
    }
}

impl PrintBurstConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let key = |name: &str| format!("detectors.print_burst.{name}");
        let mut problems = Vec::new();
        if !(10..=600).contains(&self.window_secs) {
            let message = format!("{} is not between 10 and 600", self.window_secs);
            problems.push(Problem::of(&key("window_secs"), message, "60 is the default"));
        }
        if !(10..=flow::JOBS_MAX).contains(&self.jobs) {
            let message = format!("{} is not between 10 and {}", self.jobs, flow::JOBS_MAX);
            problems.push(Problem::of(&key("jobs"), message, "100 is the default"));
        }
        for (name, value) in
            [("printers", self.printers), ("spread_printers", self.spread_printers)]
        {
            if value < 2 {
                let remedy = "give at least 2: one printer alone is never a burst";
                problems.push(Problem::of(&key(name), format!("{value} is below 2"), remedy));
            }
        }
        if self
            .expected_titles
            .iter()
            .any(|title| title.trim().is_empty())
        {
            let remedy = "give the beginning of a title, or leave it out";
            let message = "has an empty entry, which every title begins with";
            problems.push(Problem::of(&key("expected_titles"), message, remedy));
        }
        problems
    }
}

/// The detector.
pub struct PrintBurstDetector {
    config: PrintBurstConfig,
    began_ms: Option<u64>,
    looked_ms: u64,
    titles: BTreeMap<String, Flow>,
    /// Jobs no burst of a title tells.
    rest: Flow,
}

impl PrintBurstDetector {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &PrintBurstConfig) -> Self {
        let (config, titles) = (config.clone(), BTreeMap::new());
        Self { config, began_ms: None, looked_ms: 0, titles, rest: Flow::default() }
    }

    /// Takes a job.
    pub fn job(&mut self, at: Moment, job: &PrintJob, now: Moment) -> Vec<Event> {
        let expected = |beginning: &String| job.title.starts_with(beginning.as_str());
        if self.config.expected_titles.iter().any(expected) {
            return Vec::new();
        }
        let learned = self.has_learned(now);
        // Jobs whose titles nobody knows have none in common.
        let mut events =
            if job.title.is_empty() { Vec::new() } else { self.titled(at, job, learned, now) };
        if self
            .titles
            .get(&job.title)
            .is_some_and(|flow| flow.told.is_some())
        {
            // What came before it was told belongs to it, not to everything else.
            return events;
        }
        let config = &self.config;
        self.rest.add(at, &job.printer, config.window_secs * 1000);
        let severity = judge_rest(config, &self.rest, learned);
        let judged = (severity, Wording::Unknown);
        events.extend(step(config, &mut self.rest, judged, Kind::Rest, now));
        events
    }

    fn titled(&mut self, at: Moment, job: &PrintJob, learned: bool, now: Moment) -> Vec<Event> {
        let mut events = Vec::new();
        if !self.titles.contains_key(&job.title) {
            events.extend(self.make_room(now));
        }
        let config = &self.config;
        let flow = self.titles.entry(job.title.clone()).or_default();
        flow.add(at, &job.printer, config.window_secs * 1000);
        let severity = judge_title(config, flow, job.wording, learned);
        events.extend(step(config, flow, (severity, job.wording), Kind::Title, now));
        events
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        self.began_ms.get_or_insert(now.monotonic_ms);
        if now.monotonic_ms < self.looked_ms + LOOK_EVERY_MS {
            return Vec::new();
        }
        self.looked_ms = now.monotonic_ms;
        let config = &self.config;
        let mut events = Vec::new();
        for flow in self.titles.values_mut() {
            events.extend(rest(config, flow, Kind::Title, now));
        }
        events.extend(rest(config, &mut self.rest, Kind::Rest, now));
        self.titles
            .retain(|_, flow| !flow.is_forgotten(now.monotonic_ms));
        events
    }

    fn has_learned(&mut self, now: Moment) -> bool {
        let began_ms = *self.began_ms.get_or_insert(now.monotonic_ms);
        let long_ms = self.config.learning_hours * 3_600_000;

        long_ms <= now.monotonic_ms.saturating_sub(began_ms)
    }

    /// Forgets a quarter of the titles, those not printed for longest, so that made up ones do not each cost a search.
    fn make_room(&mut self, now: Moment) -> Vec<Event> {
        if self.titles.len() < TITLES_MAX {
            return Vec::new();
        }
        let rank = |flow: &Flow| (flow.told.is_some(), flow.last_ms());
        let mut ranks: Vec<_> = self.titles.values().map(rank).collect();
        ranks.sort_unstable();
        let last = ranks.get(TITLES_MAX / 4).copied().unwrap_or_default();
        let mut events = Vec::new();
        self.titles.retain(|_, flow| {
            let stays = last < rank(flow);
            if let Some(told) = flow.told.as_ref().filter(|_| !stays) {
                events.push(event(&self.config, told, Phase::Ended, Kind::Title, now));
            }
            stays
        });
        events
    }
}

/// Whether jobs have their title in common.
#[derive(Clone, Copy)]
enum Kind {
    Title,
    Rest,
}

fn judge_title(
    config: &PrintBurstConfig,
    flow: &Flow,
    wording: Wording,
    learned: bool,
) -> Option<Severity> {
    let (now, usual) = (flow.recent(), flow.usual());
    let note = match wording {
        Wording::RansomNote => NOTE_PRINTERS <= now.printers,
        Wording::Ordinary | Wording::Unknown => false,
    };
    let flood = config.jobs <= now.jobs
        && config.printers <= now.printers
        && usual.jobs * JOBS_FACTOR < now.jobs;
    let spread =
        config.spread_printers <= now.printers && usual.printers * PRINTERS_FACTOR < now.printers;
    if note || (flood && learned) {
        return Some(Severity::High);
    }

    (flood || (spread && learned)).then_some(Severity::Medium)
}

fn judge_rest(config: &PrintBurstConfig, flow: &Flow, learned: bool) -> Option<Severity> {
    let (now, usual) = (flow.recent(), flow.usual());
    let much = config.jobs <= now.jobs
        && config.spread_printers <= now.printers
        && usual.jobs * JOBS_FACTOR < now.jobs;

    (much && learned).then_some(Severity::Medium)
}

/// Opens a burst, lets it grow, or does neither.
fn step(
    config: &PrintBurstConfig,
    flow: &mut Flow,
    (severity, wording): (Option<Severity>, Wording),
    kind: Kind,
    now: Moment,
) -> Option<Event> {
    let phase = flow.tell(severity, wording)?;
    let told = flow.told.as_ref()?;

    Some(event(config, told, phase, kind, now))
}

/// Ends a burst nothing was added to, and learns what was usual.
fn rest(config: &PrintBurstConfig, flow: &mut Flow, kind: Kind, now: Moment) -> Option<Event> {
    let told = flow.settle(now.monotonic_ms, config.window_secs * 1000)?;

    Some(event(config, &told, Phase::Ended, kind, now))
}

fn event(config: &PrintBurstConfig, told: &Told, phase: Phase, kind: Kind, now: Moment) -> Event {
    let printers = told.printers.len();
    let common = match (kind, told.wording) {
        (Kind::Title, Wording::RansomNote) => {
            "with the same title, which reads like a ransom note's,"
        }
        (Kind::Title, Wording::Ordinary | Wording::Unknown) => "with the same title",
        (Kind::Rest, _) => "with different titles",
    };
    let since = told.first.strftime("%Y-%m-%d %H:%M:%S UTC");
    let seconds = now.wall.duration_since(told.first).as_secs().max(0);
    let quiet = match phase {
        Phase::Ended => "nothing more for a while".to_owned(),
        Phase::Opened | Phase::Grew | Phase::Once if told.wording == Wording::RansomNote => {
            format!(
                "quiet would be fewer than {NOTE_PRINTERS} printers, or a title listed in `expected_titles`"
            )
        }
        Phase::Opened | Phase::Grew | Phase::Once => format!(
            "quiet would be one printer alone, fewer than {} jobs and fewer than {} printers in {} s, what is usual on this host, \
             or a title listed in `expected_titles`",
            config.jobs, config.spread_printers, config.window_secs
        ),
    };
    let jobs = u64::try_from(told.jobs).unwrap_or(u64::MAX);
    let burst = PrintBurst {
        jobs,
        printers: u64::try_from(printers).unwrap_or(u64::MAX),
        same_title: match kind {
            Kind::Title => jobs,
            Kind::Rest => 0,
        },
        window_secs: config.window_secs,
    };

    Event {
        schema: SCHEMA,
        anomaly: Anomaly::Print(burst),
        phase,
        burst: Some(told.burst),
        severity: told.severity,
        detected_at: now.wall,
        first_change_at: Some(told.first),
        moment: now,
        root: None,
        files_affected: 0,
        reason: format!(
            "{jobs} print jobs {common} went to {printers} printers since {since} ({seconds} s); {quiet}"
        ),
        drill: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_that_one_printer_could_reach_is_a_mistake() {
        assert_eq!(PrintBurstConfig::default().problems(), []);
        let config = PrintBurstConfig {
            window_secs: 1,
            jobs: 1,
            printers: 1,
            spread_printers: 0,
            expected_titles: vec![" ".to_owned()],
            ..PrintBurstConfig::default()
        };
        let problems = config.problems();
        let keys: Vec<_> = problems
            .iter()
            .filter_map(|problem| problem.key.rsplit('.').next())
            .collect();
        assert_eq!(keys, ["window_secs", "jobs", "printers", "spread_printers", "expected_titles"]);
    }
}
