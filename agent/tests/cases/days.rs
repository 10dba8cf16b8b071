//! Thirty ordinary days on a hospital's server: the quiet cases of the mass-change detector, others each day, in another
//! order and on shared roots, so that what one leaves behind meets what the next one does.

use std::path::PathBuf;

use shirase_agent::detectors::DetectorsConfig;
use shirase_shared::event::Severity;

use crate::Case;
use crate::language::{Stage, ms};

/// Days played one after the other by the same detectors.
const DAYS: u64 = 30;
/// Roots on which the work of a day is spread.
const ROOTS: [&str; 3] = ["ehr", "share", "home"];

#[test]
fn thirty_ordinary_days_raise_nothing_high() {
    // What needs a maintenance window is no work of an ordinary day.
    let work: Vec<_> = crate::cases()
        .into_iter()
        .filter(|(path, case)| {
            path.starts_with("mass_change") && case.quiet.is_some() && case.maintenance.is_none()
        })
        .collect();
    assert!(25 <= work.len(), "only {} sorts of ordinary work", work.len());
    let mut stage = Stage::new(&DetectorsConfig::default(), None);
    let mut loud = Vec::new();
    for day in 0..DAYS {
        let begun_ms = stage.passed_ms();
        for (name, case) in shuffled(&work, day) {
            let told = stage.told.len();
            work_on(&mut stage, case, seed(day, &name));
            let high = stage
                .told
                .iter()
                .skip(told)
                .filter(|told| Severity::High <= told.event.severity);
            loud.extend(high.map(|told| format!("day {day}, {name}: {}", told.event.reason)));
        }
        let spent_ms = stage.passed_ms() - begun_ms;
        stage.pass(ms("24h").saturating_sub(spent_ms));
    }
    assert!(loud.is_empty(), "{} events of severity high:\n{}", loud.len(), loud.join("\n"));
}

/// Lets some minutes pass, then plays a case on one of the roots.
fn work_on(stage: &mut Stage, case: &Case, seed: u64) {
    for _ in 0..seed % 20 {
        stage.pass(ms("1min"));
    }
    let root = usize::try_from(seed >> 8).unwrap_or(0) % ROOTS.len();
    stage.set_root(ROOTS[root]);
    stage.play(&case.events);
}

/// The work of a day in its own order, the same in each run: a third of all there is.
fn shuffled(work: &[(PathBuf, Case)], day: u64) -> Vec<(String, &Case)> {
    let mut order: Vec<_> = work
        .iter()
        .map(|(path, case)| (path.display().to_string(), case))
        .filter(|(name, _)| seed(day, name) >> 16 & 0xff < 86)
        .collect();
    order.sort_by_key(|(name, _)| seed(day, name));
    order
}

/// A number that depends on both and on nothing else (FNV-1a).
fn seed(day: u64, name: &str) -> u64 {
    let bytes = day.to_le_bytes().into_iter().chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
