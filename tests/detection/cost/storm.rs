//! Fifty thousand files renamed as fast as the kernel can: is any of it lost in silence, and how soon is it told?

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Bench, Figures};
use crate::agent::{Line, WatchOptions, Watching};
use crate::attacks::approximately;
use crate::conduct::go_on;
use crate::figures::Spread;
use crate::ground::Ground;
use crate::load::{self, Kind, Load};
use crate::usage::Usage;

/// Files renamed.
const FILES: u64 = 50_000;
/// How long the end of the burst may take: half a minute of quiet, and what is still to be worked off.
const END_DEADLINE: Duration = Duration::from_secs(120);

/// What one storm showed.
struct Storm {
    us_each: f64,
    after_tenth_ms: Option<f64>,
    told_files: u64,
    losses: u64,
    cpu_us: u64,
    resident_kib: u64,
}

pub(super) fn measure(bench: &Bench<'_>) -> Result<Figures> {
    let mut storms = Vec::new();
    for round in 0..bench.effort.storms {
        go_on()?;
        storms.push(storm(bench, round)?);
    }
    let mut figures = Figures::default();
    let mut note = |name: &str, values: Vec<f64>| {
        if let Some(spread) = Spread::of(values) {
            figures.set(name, spread.median);
            figures.set(&format!("{name}_most"), spread.most);
        }
    };
    note("us_each", storms.iter().map(|storm| storm.us_each).collect());
    note(
        "after_tenth_ms",
        storms
            .iter()
            .filter_map(|storm| storm.after_tenth_ms)
            .collect(),
    );
    note(
        "agent_cpu_ms",
        storms
            .iter()
            .map(|storm| approximately(storm.cpu_us) / 1000.0)
            .collect(),
    );
    note(
        "resident_kib",
        storms
            .iter()
            .map(|storm| approximately(storm.resident_kib))
            .collect(),
    );
    note(
        "missing_files",
        storms
            .iter()
            .map(|storm| approximately(FILES.saturating_sub(storm.told_files)))
            .collect(),
    );
    let silent = storms
        .iter()
        .filter(|storm| storm.losses == 0 && storm.told_files < FILES)
        .map(|storm| approximately(FILES - storm.told_files));
    // Beginning with zero: the sum of nothing would be a negative one.
    let silent = silent.fold(0.0, |sum, files| sum + files);
    figures.set("lost_in_silence", silent);
    figures.set("losses_told", storms.iter().map(|storm| approximately(storm.losses)).sum());
    let unseen = storms.iter().filter(|storm| storm.after_tenth_ms.is_none());
    figures.set("missed", approximately(u64::try_from(unseen.count())?));
    figures.how = format!(
        "{} storms of {FILES} renames; files the agent told of in its last word against files renamed",
        storms.len()
    );

    Ok(figures)
}

fn storm(bench: &Bench<'_>, round: usize) -> Result<Storm> {
    let ground = Ground::make(&bench.field.grounds, &format!("storm-{round}"))?;
    load::prepare(&ground, Kind::Storm, FILES)?;
    let log = bench.logs.join("storm-agent.log");
    let mut watching = Watching::start(
        &bench.field.agent,
        bench.backend,
        &[ground.watched()],
        &WatchOptions::default(),
        &log,
    )?;
    let load = Load {
        ground: ground.dir().to_owned(),
        mark: ground.mark().to_owned(),
        kind: Kind::Storm,
        operations: FILES,
        rate: None,
    };
    let took = load::start(&load, bench.logs)?;
    // On a machine that is behind, the first burst may end before everything was told.
    let begun = Instant::now();
    while begun.elapsed() < END_DEADLINE {
        let lines = watching.lines();
        let ended = lines.iter().any(|line| line.text("phase") == "ended");
        if ended && FILES <= told_files(&lines) {
            break;
        }
        watching.still_runs()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    let usage = Usage::of(watching.pid())?;
    let lines = watching.stop()?;
    let alert = lines.iter().find(|line| line.is_alert());
    let after = alert.map(|alert| alert.at_ns.saturating_sub(took.tenth_ns));
    let losses = lines.iter().filter(|line| Line::is_loss(line)).count();

    Ok(Storm {
        us_each: took.us_each(),
        after_tenth_ms: after.map(|ns| Duration::from_nanos(ns).as_secs_f64() * 1000.0),
        told_files: told_files(&lines),
        losses: u64::try_from(losses).context("odd number of losses")?,
        cpu_us: usage.cpu_us,
        resident_kib: usage.resident_kib,
    })
}

/// Files the agent told of: each in one burst or, where one was cut short, in the next.
fn told_files(lines: &[Line]) -> u64 {
    let mut bursts = std::collections::BTreeMap::new();
    for line in lines
        .iter()
        .filter(|line| line.text("kind") == "mass_change")
    {
        bursts.insert(line.text("burst").to_owned(), line.number("files_affected"));
    }

    bursts.into_values().sum()
}
