//! All kept runs, and the few numbers that sum up those of one attack.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::agent::Backend;
use crate::attacks::{self, Attack, AttackRun, Goal, approximately};
use crate::cost::{self, CostRun};
use crate::days::DayRun;
use crate::figures::Spread;
use crate::ordinary::{self, OrdinaryRun};
use crate::results::Store;

/// Runs that were made elsewhere, by another harness of the same agent: one [`AttackRun`] or [`OrdinaryRun`] a line.
const FOREIGN: &str = "windows.jsonl";

/// Everything that is kept of one build.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) attacks: BTreeMap<(&'static str, Backend), Vec<AttackRun>>,
    pub(crate) ordinary: BTreeMap<(&'static str, Backend), Vec<OrdinaryRun>>,
    pub(crate) cost: BTreeMap<(&'static str, Backend), Vec<CostRun>>,
    pub(crate) days: Vec<DayRun>,
}

/// What many runs of one attack come to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AttackSum {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) backend: Backend,
    pub(crate) goal: Goal,
    pub(crate) runs: usize,
    pub(crate) detected: usize,
    /// Files harmed before the alert in the runs that were detected.
    pub(crate) harmed: Option<Spread>,
    pub(crate) to_alert_ms: Option<Spread>,
    /// Files a second that were reached, the median.
    pub(crate) rate: f64,
    /// Runs in which the agent said that it lost something.
    pub(crate) with_losses: usize,
    /// Processor time of the agent in a run, the median.
    pub(crate) cpu_ms: f64,
    /// What the first alert of one run said.
    pub(crate) reason: String,
    /// Whether it keeps what its goal asks for; none if nothing was run.
    pub(crate) met: Option<bool>,
}

impl Gathered {
    pub(crate) fn from(out: &Path, store: &Store) -> Self {
        let mut all = Self::default();
        for backend in Backend::ALL {
            for attack in attacks::catalogue() {
                let runs = store.read("attacks", backend, attack.name);
                all.attacks.insert((attack.name, backend), runs);
            }
            for workload in ordinary::catalogue() {
                let runs = store.read("ordinary", backend, workload.name);
                all.ordinary.insert((workload.name, backend), runs);
            }
            for measurement in cost::catalogue() {
                let runs = store.read("cost", backend, measurement.name);
                all.cost.insert((measurement.name, backend), runs);
            }
        }
        all.days = store.read("days", Backend::Fanotify, "days");
        all.take_foreign(&std::fs::read_to_string(out.join(FOREIGN)).unwrap_or_default());
        all
    }

    /// Adds runs of the Windows column that were made elsewhere.
    fn take_foreign(&mut self, text: &str) {
        for line in text.lines() {
            if let Ok(run) = serde_json::from_str::<AttackRun>(line) {
                for ((name, backend), runs) in &mut self.attacks {
                    if *name == run.name && *backend == Backend::Windows {
                        runs.push(run.clone());
                    }
                }
            } else if let Ok(run) = serde_json::from_str::<OrdinaryRun>(line) {
                for ((name, backend), runs) in &mut self.ordinary {
                    if *name == run.name && *backend == Backend::Windows {
                        runs.push(run.clone());
                    }
                }
            }
        }
    }

    /// Sums up every attack with every backend, in the order of the catalogue.
    pub(crate) fn attack_sums(&self) -> Vec<AttackSum> {
        let mut sums = Vec::new();
        for attack in attacks::catalogue() {
            for backend in Backend::ALL {
                let runs = self.attacks.get(&(attack.name, backend));
                if let Some(runs) = runs.filter(|runs| !runs.is_empty()) {
                    sums.push(AttackSum::of(&attack, backend, runs));
                }
            }
        }
        sums
    }

    /// Returns a figure of a measurement, or why there is none.
    pub(crate) fn figure(&self, name: &'static str, backend: Backend, figure: &str) -> Option<f64> {
        let runs = self.cost.get(&(name, backend))?;
        runs.last()?.figures.get(figure).copied()
    }
}

impl AttackSum {
    fn of(attack: &Attack, backend: Backend, runs: &[AttackRun]) -> Self {
        let harmed = runs.iter().filter_map(|run| run.harmed_before);
        let harmed = Spread::of(harmed.map(approximately));
        let detected = runs.iter().filter(|run| run.harmed_before.is_some());
        let median = |values: Vec<f64>| Spread::of(values).map_or(0.0, |spread| spread.median);
        let detected = detected.count();
        let all = detected == runs.len();
        let reason = runs.iter().map(|run| run.reason.clone());

        Self {
            name: attack.name,
            about: attack.about,
            backend,
            goal: attack.goal,
            runs: runs.len(),
            detected,
            harmed,
            to_alert_ms: Spread::of(runs.iter().filter_map(|run| run.to_alert_ms)),
            rate: median(runs.iter().map(|run| run.rate).collect()),
            with_losses: runs.iter().filter(|run| !run.losses.is_empty()).count(),
            cpu_ms: median(runs.iter().map(|run| approximately(run.cpu_ms)).collect()),
            reason: reason
                .into_iter()
                .find(|reason| !reason.is_empty())
                .unwrap_or_default(),
            met: Some(all && harmed.is_some_and(|harmed| attack.goal.allows(&harmed))),
        }
    }
}

impl Goal {
    /// Whether so many files may be harmed.
    pub(crate) fn allows(self, harmed: &Spread) -> bool {
        match self {
            Self::Few => harmed.median <= 5.0 && harmed.p95 <= 10.0 && harmed.most <= 15.0,
            Self::Slow => harmed.most <= 10.0,
            Self::Removal => harmed.most <= 40.0,
            Self::Seen => true,
        }
    }

    /// What it asks for, in a few words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Few => "median ≤ 5, 95 % ≤ 10, most ≤ 15",
            Self::Slow => "most ≤ 10",
            Self::Removal => "most ≤ 40",
            Self::Seen => "seen",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_holds_each_of_its_numbers() {
        let spread = |median, p95, most| Spread { least: 1.0, median, p95, most };
        assert!(Goal::Few.allows(&spread(5.0, 10.0, 15.0)));
        assert!(!Goal::Few.allows(&spread(6.0, 10.0, 15.0)));
        assert!(!Goal::Few.allows(&spread(5.0, 11.0, 15.0)));
        assert!(!Goal::Few.allows(&spread(5.0, 10.0, 16.0)));
        assert!(!Goal::Removal.allows(&spread(3.0, 4.0, 41.0)));
    }
}
