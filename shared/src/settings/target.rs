//! Services and programs that must run, as settings name them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::config::Problem;

/// A service that must run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Its name to the service manager, for example `postgresql.service`.
    pub name: String,
    /// How long it may be away before that is an outage, in seconds. Default: `detectors.outage.grace_secs`.
    #[serde(default)]
    pub grace_secs: Option<u64>,
}

/// A program of which at least one process must run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessConfig {
    /// Name of its executable file without directory, for example `java`.
    pub name: String,
    /// How long it may be away before that is an outage, in seconds. Default: `detectors.outage.grace_secs`.
    #[serde(default)]
    pub grace_secs: Option<u64>,
}

/// Returns every rule the configured services and processes break.
#[must_use]
pub fn problems(services: &[ServiceConfig], processes: &[ProcessConfig]) -> Vec<Problem> {
    let services = services
        .iter()
        .map(|service| service.name.as_str())
        .collect::<Vec<_>>();
    let processes = processes
        .iter()
        .map(|process| process.name.as_str())
        .collect::<Vec<_>>();
    let mut problems = name_problems("sensors.services", &services);
    problems.extend(name_problems("sensors.processes", &processes));
    problems
}

fn name_problems(table: &str, names: &[&str]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let key = format!("{table}.{index}.name");
        if name.is_empty() || name.contains('/') || name.chars().any(char::is_control) {
            problems.push(Problem::of(&key, "is empty or a path", "give the bare name"));
        }
        if !seen.insert(name) {
            problems.push(Problem::of(&key, "is listed twice", "keep one of the two"));
        }
    }
    problems
}

/// Returns every rule the names of further guards break.
#[must_use]
pub fn guard_problems(table: &str, guards: &[String]) -> Vec<Problem> {
    let odd = |c: char| c == '/' || c == '*' || c.is_control() || c.is_whitespace();
    let wrong = guards
        .iter()
        .enumerate()
        .filter(|(_, name)| name.is_empty() || name.contains(odd));
    let problem = |(index, _)| {
        let message = "is empty, a path or a pattern";
        Problem::of(&format!("{table}.{index}"), message, "give the bare name of a service")
    };

    wrong.map(problem).collect()
}
