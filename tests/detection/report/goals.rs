//! The goals of the project, each with what was measured, and whether that is enough.

use serde::Serialize;

use super::Gathered;
use super::summary::AttackSum;
use crate::agent::Backend;
use crate::attacks::Goal;
use crate::days;

/// One goal.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct GoalRow {
    pub(crate) goal: &'static str,
    /// What was measured, one a backend, in their order.
    pub(crate) cells: Vec<Cell>,
}

/// What was measured with one backend.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cell {
    pub(crate) backend: Backend,
    pub(crate) measured: String,
    /// None where nothing was measured or the goal says nothing about this backend.
    pub(crate) met: Option<bool>,
}

type Judge = fn(&Gathered, Backend) -> (String, Option<bool>);

/// Every goal, in the order of the issue.
const GOALS: &[(&str, Judge)] = &[
    ("Every attack is detected", detected),
    (
        "Files harmed before the alert at 280 files/s: median ≤ 5, 95 % ≤ 10, most ≤ 15 (the worst attack counts)",
        few,
    ),
    ("The slow attack is told within 10 files", slow),
    ("Deletion, truncation and bulk moves are told within 40 files", removal),
    ("No high or critical event in any ordinary workload", ordinary),
    ("None in thirty replayed mixed days", thirty_days),
    ("50,000 renames unthrottled: none lost in silence", silence),
    ("50,000 renames unthrottled: told within 100 ms of the first ten", storm),
    ("The service at 1,000 operations/s: at most 0.5 % of one core", service_cpu),
    (
        "The service at 1,000 operations/s: at most 30 MB (anonymous and kernel memory)",
        service_memory,
    ),
    ("`watch` resident: at most 16 MB", watch_memory),
    ("Idle: under 0.1 % of one core", idle),
    ("One million watched files cost no more", million),
    ("What the watched program pays: within 1 µs an operation of a bare reader's cost", paired),
];

pub(super) fn judge(gathered: &Gathered) -> Vec<GoalRow> {
    let row = |(goal, judge): &(&'static str, Judge)| {
        let cells = Backend::ALL.map(|backend| {
            let (measured, met) = judge(gathered, backend);
            Cell { backend, measured, met }
        });
        GoalRow { goal, cells: cells.to_vec() }
    };

    GOALS.iter().map(row).collect()
}

const NOTHING: (String, Option<bool>) = (String::new(), None);

fn sums(gathered: &Gathered, backend: Backend) -> Vec<AttackSum> {
    let all = gathered.attack_sums().into_iter();
    all.filter(|sum| sum.backend == backend).collect()
}

fn detected(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let sums = sums(gathered, backend);
    let runs: usize = sums.iter().map(|sum| sum.runs).sum();
    if runs == 0 {
        return NOTHING;
    }
    let seen: usize = sums.iter().map(|sum| sum.detected).sum();
    let missed: Vec<_> = sums
        .iter()
        .filter(|sum| sum.detected < sum.runs)
        .map(|sum| sum.name)
        .collect();
    let which =
        if missed.is_empty() { String::new() } else { format!("; missed: {}", missed.join(", ")) };

    (format!("{seen} of {runs} runs of {} attacks{which}", sums.len()), Some(seen == runs))
}

/// The worst of each number over all attacks that are held to a goal.
fn worst(gathered: &Gathered, backend: Backend, goal: Goal) -> (String, Option<bool>) {
    let held: Vec<_> = sums(gathered, backend)
        .into_iter()
        .filter(|sum| sum.goal == goal)
        .collect();
    if held.is_empty() {
        return NOTHING;
    }
    let most = |pick: fn(&crate::figures::Spread) -> f64| {
        let values = held.iter().filter_map(|sum| sum.harmed.as_ref().map(pick));
        values.fold(0.0, f64::max)
    };
    let broken: Vec<_> = held
        .iter()
        .filter(|sum| sum.met != Some(true))
        .map(|sum| sum.name)
        .collect();
    let numbers = format!(
        "median {}, 95 % {}, most {}",
        most(|s| s.median),
        most(|s| s.p95),
        most(|s| s.most)
    );
    let which = if broken.is_empty() {
        String::new()
    } else {
        format!("; not kept by {}", broken.join(", "))
    };

    (format!("{numbers} over {} attacks{which}", held.len()), Some(broken.is_empty()))
}

fn few(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    worst(gathered, backend, Goal::Few)
}

fn slow(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    worst(gathered, backend, Goal::Slow)
}

fn removal(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    worst(gathered, backend, Goal::Removal)
}

fn ordinary(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let runs: Vec<_> = gathered
        .ordinary
        .iter()
        .filter(|((_, of), _)| *of == backend)
        .filter_map(|(_, runs)| runs.last())
        .collect();
    let ran: Vec<_> = runs.iter().filter(|run| run.not_run.is_none()).collect();
    if ran.is_empty() {
        return NOTHING;
    }
    let loud: Vec<_> = ran
        .iter()
        .filter(|run| !run.alerts.is_empty())
        .map(|run| run.name.as_str())
        .collect();
    let blind = ran.iter().filter(|run| !run.still_seeing).count();
    let mut told = format!("{} false alarms in {} workloads", loud.len(), ran.len());
    if !loud.is_empty() {
        told = format!("{told}: {}", loud.join(", "));
    }
    if 0 < blind {
        told = format!("{told}; {blind} in which the agent saw nothing any more");
    }
    if ran.len() < runs.len() {
        told = format!("{told}; {} not run", runs.len() - ran.len());
    }

    (told, Some(loud.is_empty() && blind == 0))
}

fn thirty_days(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    if backend != Backend::Fanotify || gathered.days.is_empty() {
        return NOTHING;
    }
    let days = gathered.days.len();
    let loud: usize = gathered.days.iter().map(|day| day.alerts.len()).sum();
    let seen: u64 = gathered.days.iter().map(|day| day.observations).sum();
    // With none in so many days, the rate is below this with 95 % certainty (Poisson).
    let bound = if loud == 0 {
        format!(
            "; fewer than {:.2} a day (95 %)",
            3.0 / crate::attacks::approximately(u64::try_from(days).unwrap_or(1))
        )
    } else {
        String::new()
    };

    (
        format!("{loud} in {days} days of {seen} observations{bound}"),
        Some(loud == 0 && days::DAYS <= u64::try_from(days).unwrap_or(0)),
    )
}

fn silence(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let of = |figure: &str| gathered.figure("storm", backend, figure);
    let (Some(lost), Some(told)) = (of("lost_in_silence"), of("losses_told")) else {
        return NOTHING;
    };

    (format!("{lost} lost in silence; {told} times a loss was told"), Some(lost == 0.0))
}

fn storm(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let of = |figure: &str| gathered.figure("storm", backend, figure);
    let (Some(median), Some(most)) = (of("after_tenth_ms"), of("after_tenth_ms_most")) else {
        return of("missed")
            .map_or(NOTHING, |missed| (format!("not told in {missed} storms"), Some(false)));
    };
    let missed = of("missed").unwrap_or(0.0);

    (format!("median {median:.0} ms, most {most:.0} ms"), Some(most <= 100.0 && missed == 0.0))
}

fn at_most(gathered: &Gathered, backend: Backend, limit: Limit<'_>) -> (String, Option<bool>) {
    let Limit { name, figure, most, unit, per } = limit;
    gathered
        .figure(name, backend, figure)
        .map_or(NOTHING, |value| {
            let value = value / per;
            (format!("{value:.2} {unit}"), Some(value <= most))
        })
}

/// A figure that must not be exceeded.
struct Limit<'a> {
    name: &'static str,
    figure: &'a str,
    most: f64,
    unit: &'a str,
    per: f64,
}

fn service_cpu(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let figure = "loaded_cpu_percent";
    let limit = Limit { name: "service", figure, most: 0.5, unit: "%", per: 1.0 };
    let (told, met) = at_most(gathered, backend, limit);
    match gathered.figure("bare-reader", backend, figure) {
        Some(reader) if met.is_some() => {
            (format!("{told}; a reader that throws all away takes {reader:.2} %"), met)
        }
        _ => (told, met),
    }
}

/// A megabyte is a million bytes here, and a KiB 1,024.
const KIB_PER_MB: f64 = 1_000_000.0 / 1024.0;

fn service_memory(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let figure = "loaded_held_kib";
    at_most(
        gathered,
        backend,
        Limit { name: "service", figure, most: 30.0, unit: "MB", per: KIB_PER_MB },
    )
}

fn watch_memory(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let figure = "loaded_resident_kib";
    at_most(
        gathered,
        backend,
        Limit { name: "watch", figure, most: 16.0, unit: "MB", per: KIB_PER_MB },
    )
}

fn idle(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let of = |name| gathered.figure(name, backend, "idle_cpu_percent");
    let (Some(service), Some(watch)) = (of("service"), of("watch")) else { return NOTHING };

    (format!("service {service:.3} %, watch {watch:.3} %"), Some(service < 0.1 && watch < 0.1))
}

fn million(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let pair = |figure: &str| {
        let few = gathered.figure("service", backend, figure)?;
        Some((few, gathered.figure("service-many-files", backend, figure)?))
    };
    let (Some(held), Some(cpu), Some(files)) = (
        pair("loaded_held_kib"),
        pair("loaded_cpu_percent"),
        gathered.figure("service-many-files", backend, "files"),
    ) else {
        return NOTHING;
    };
    // What two runs of the same differ by anyhow.
    let same = held.1 <= held.0 * 1.05 && cpu.1 <= cpu.0 * 1.1 + 0.02;
    let (few, many) = (held.0 / KIB_PER_MB, held.1 / KIB_PER_MB);
    let told = format!(
        "{files} files: {many:.2} MB and {:.2} % against {few:.2} MB and {:.2} % with 2,500",
        cpu.1, cpu.0
    );

    (told, Some(same && 1_000_000.0 <= files))
}

fn paired(gathered: &Gathered, backend: Backend) -> (String, Option<bool>) {
    let kinds = ["paired-rename", "paired-overwrite", "paired-create-delete"];
    let over = |name| {
        let reader = gathered.figure(name, backend, "agent_over_reader_us");
        let nobody = gathered.figure(name, backend, "agent_over_nobody_us")?;
        Some((reader, nobody))
    };
    let found: Vec<_> = kinds
        .iter()
        .filter_map(|name| Some((name, over(name)?)))
        .collect();
    if found.is_empty() {
        return NOTHING;
    }
    let told = found.iter().map(|(name, (reader, nobody))| {
        let what = name.trim_start_matches("paired-");
        match reader {
            Some(reader) => {
                format!("{what} {reader:+.2} µs over the reader ({nobody:+.2} over nothing)")
            }
            None => format!("{what} {nobody:+.2} µs over nothing"),
        }
    });
    let readers: Vec<f64> = found
        .iter()
        .filter_map(|(_, (reader, _))| *reader)
        .collect();
    let met = (readers.len() == kinds.len()).then(|| readers.iter().all(|over| *over <= 1.0));

    (told.collect::<Vec<_>>().join("; "), met)
}
