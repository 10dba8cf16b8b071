//! What the records of one facility mean together: pure rules, one a file.
//!
//! ```text
//! Input (frozen, `as_of`) ─▶ rules that stand alone ─▶ rules that stand upon others ─▶ Vec<Conclusion>
//! ```
//!
//! Always holds:
//! - no I/O and no clock: a replayed day takes a moment and ends in the same place;
//! - rules use corrected time; records of a drill and of real life never stand in one conclusion;
//! - more input never takes a conclusion back, so the order in which late batches arrive changes nothing.
//!
//! Not here: which conclusions tell one story (see `incidents::assembler`).

mod input;
mod conclusion;
mod sighting;
mod rules;
mod catalogue;
mod explain;

pub use catalogue::{CATALOGUE, RuleEntry};
pub use conclusion::{
    Conclusion, Impact, NaturalKey, Reason, RecordKey, Rule, Span, Stop, UnknownRule, Worst,
};
pub use explain::{
    Arg, Names, Text, explain, explain_intrusion, explain_loss, explain_pressure, headline,
    severity_key,
};
pub use input::{CorrelateConfig, Input};
pub use sighting::{
    SIGHTING_LINE_MAX_CHARS, SIGHTING_TEXT_MAX_CHARS, Sighting, SightingPlace, SightingProblem,
    SightingWay, SightingWeight,
};

use std::collections::BTreeMap;

use catalogue::Run;
use input::Facts;

/// Returns everything that is concluded from `input`: what was known before, with what is new taken in.
#[must_use]
pub fn correlate(input: &Input) -> Vec<Conclusion> {
    let facts = Facts::of(input);
    let mut all: BTreeMap<NaturalKey, Conclusion> = input
        .known
        .iter()
        .map(|known| (known.natural_key.clone(), known.clone()))
        .collect();
    for entry in CATALOGUE {
        if let Run::Alone(run) = entry.run {
            take_in(&mut all, run(&facts));
        }
    }
    let base: Vec<Conclusion> = all.values().cloned().collect();
    for entry in CATALOGUE {
        if let Run::Upon(run) = entry.run {
            take_in(&mut all, run(&facts, &base));
        }
    }

    all.into_values().collect()
}

fn take_in(all: &mut BTreeMap<NaturalKey, Conclusion>, found: Vec<Conclusion>) {
    for newer in found {
        match all.get_mut(&newer.natural_key) {
            Some(known) => known.absorb(newer),
            None => {
                all.insert(newer.natural_key.clone(), newer);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
