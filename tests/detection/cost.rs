//! What the agent costs its host: processor and memory of the service and of `watch`, and what every other program pays.

mod paired;
mod storm;
mod service;
mod million;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::agent::Backend;
use crate::attacks::Field;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effort {
    /// How long a steady state is measured, in seconds.
    pub(crate) steady_secs: u64,
    /// Rounds of a paired benchmark, and of the storm.
    pub(crate) rounds: usize,
    pub(crate) storms: usize,
    /// Operations in one block of a paired benchmark.
    pub(crate) block: u64,
    /// Files of the large tree.
    pub(crate) many_files: u64,
}

impl Effort {
    pub(crate) const SHORT: Self =
        Self { steady_secs: 15, rounds: 3, storms: 1, block: 5_000, many_files: 100_000 };
    pub(crate) const LONG: Self =
        Self { steady_secs: 60, rounds: 15, storms: 5, block: 20_000, many_files: 1_000_000 };
}

/// One measurement, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CostRun {
    pub(crate) name: String,
    pub(crate) backend: Backend,
    pub(crate) sha256: String,
    /// Why it did not take place, if it did not.
    pub(crate) not_run: Option<String>,
    /// Figures by name, with the unit in the name.
    pub(crate) figures: BTreeMap<String, f64>,
    /// How it was measured, in words.
    pub(crate) how: String,
}

/// What a measurement needs.
#[derive(Clone, Copy)]
pub(crate) struct Bench<'a> {
    pub(crate) backend: Backend,
    pub(crate) field: &'a Field,
    pub(crate) effort: Effort,
    /// A folder for logs.
    pub(crate) logs: &'a Path,
}

/// A measurement.
#[derive(Clone, Copy)]
pub(crate) struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) measure: fn(&Bench<'_>) -> Result<Figures>,
}

/// What a measurement yields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) values: BTreeMap<String, f64>,
    pub(crate) how: String,
}

impl Figures {
    fn set(&mut self, name: &str, value: f64) {
        self.values.insert(name.to_owned(), value);
    }
}

/// Returns all measurements.
pub(crate) fn catalogue() -> Vec<Measurement> {
    let measurement = |name, about, measure| Measurement { name, about, measure };
    vec![
        measurement("storm", "50,000 renames as fast as they go", storm::measure),
        measurement("paired-rename", "what a rename pays", paired::rename),
        measurement("paired-overwrite", "what overwriting 4 KiB pays", paired::overwrite),
        measurement(
            "paired-create-delete",
            "what creating and deleting a file pays",
            paired::create_delete,
        ),
        measurement(
            "bare-reader",
            "a reader that throws all away, idle and at 1,000 operations a second",
            service::bare_reader,
        ),
        measurement("watch", "`watch`, idle and at 1,000 operations a second", service::watch),
        measurement(
            "service",
            "the service, idle and at 1,000 operations a second",
            service::service,
        ),
        measurement(
            "service-many-files",
            "the same with a million files under watch",
            million::service,
        ),
    ]
}

impl Measurement {
    /// Measures; what cannot be measured here is a result as well.
    pub(crate) fn run(&self, bench: &Bench<'_>) -> CostRun {
        let measured = (self.measure)(bench);
        let (not_run, figures) = match measured {
            Ok(figures) => (None, figures),
            Err(error) => (Some(format!("{error:#}")), Figures::default()),
        };

        CostRun {
            name: self.name.to_owned(),
            backend: bench.backend,
            sha256: bench.field.agent.build.sha256.clone(),
            not_run,
            figures: figures.values,
            how: figures.how,
        }
    }
}
