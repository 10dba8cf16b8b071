//! The shape of a policy's text, and what is wrong with one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::config::{self, Checked, Problem};
use crate::settings::hours::Hours;
use crate::settings::job::Job;
use crate::settings::known_bad;
use crate::settings::probe::{self, ProbeConfig};
use crate::settings::target::{self, ProcessConfig, ServiceConfig, guard_problems};

/// Largest text of a policy.
pub const TEXT_MAX_BYTES: usize = 64 * 1024;
/// Most entries of one list.
const ENTRIES_MAX: usize = 200;
/// Longest label of a root, in characters.
const LABEL_MAX_CHARS: usize = 32;
/// Longest path, in bytes.
const PATH_MAX_BYTES: usize = 1024;
/// Longest grace of a service, in seconds: a week.
const GRACE_MAX_SECS: u64 = 7 * 86_400;

/// What a policy may say. Every key means what it means in an agent's own file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Budgets.
    pub agent: AgentPart,
    /// What is watched.
    pub sensors: SensorsPart,
    /// What is told.
    pub detectors: DetectorsPart,
}

/// The agent's budgets.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentPart {
    /// Processor time the agent should stay below, in per cent of one core.
    pub cpu_budget_percent: Option<u32>,
    /// Memory the agent should stay below, in MiB.
    pub memory_budget_mib: Option<u64>,
}

/// What is watched.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SensorsPart {
    /// Directories, with everything below them.
    pub roots: Vec<RootPart>,
    /// Services that must run.
    pub services: Vec<ServiceConfig>,
    /// Programs of which a process must run.
    pub processes: Vec<ProcessConfig>,
    /// What must answer.
    pub probes: Vec<ProbeConfig>,
    /// What protects the host.
    pub protection: ProtectionPart,
}

/// A directory under watch. Its names stay on the host, it gets no decoys, and nothing is suspended for it: that is for
/// the host's own file to say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RootPart {
    /// The directory, absolute, as its own system writes it.
    pub path: String,
    /// What the collector calls it.
    #[serde(default)]
    pub label: Option<String>,
}

/// What protects the host.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProtectionPart {
    /// Further services that protect it.
    pub guards: Vec<String>,
}

/// What is told.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectorsPart {
    /// Changes of many files.
    pub mass_change: MassChangePart,
    /// Logons.
    pub logon_burst: LogonBurstPart,
}

/// Changes of many files.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MassChangePart {
    /// Suffixes of an attacker.
    pub known_bad_suffixes: Vec<String>,
    /// File names of an attacker's notes.
    pub known_bad_names: Vec<String>,
    /// Work that is expected.
    pub jobs: Vec<Job>,
}

/// Logons.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogonBurstPart {
    /// Hours in which remote sessions are usual.
    pub usual_hours: Vec<Hours>,
}

/// Which operating system a path is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// `/srv/ehr`
    Posix,
    /// `D:\share` and `\\server\share`
    Windows,
}

impl System {
    /// Returns the system on which a path is absolute.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        if path.starts_with('/') {
            return Some(Self::Posix);
        }
        let mut chars = path.chars();
        let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.next() == Some(':')
            && matches!(chars.next(), Some('\\' | '/'));

        (drive || path.starts_with(r"\\")).then_some(Self::Windows)
    }

    /// Returns the system this program runs on.
    #[must_use]
    pub const fn here() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Posix }
    }
}

impl Policy {
    /// Reads a text.
    ///
    /// # Errors
    /// Every mistake, in the order of lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        if TEXT_MAX_BYTES < text.len() {
            let remedy = format!("give at most {TEXT_MAX_BYTES} bytes");
            return Err(vec![Problem::of("", "the text is too long", remedy)]);
        }

        config::parse(text)
    }

    fn root_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let (mut paths, mut labels) = (BTreeSet::new(), BTreeSet::new());
        for (index, RootPart { path, label }) in self.sensors.roots.iter().enumerate() {
            let key = format!("sensors.roots.{index}.path");
            let odd = PATH_MAX_BYTES < path.len() || path.chars().any(char::is_control);
            if odd || System::of_path(path).is_none() {
                let remedy = "write the whole path: `/srv/ehr`, or `D:\\share` for Windows";
                problems.push(Problem::of(&key, "is not an absolute path", remedy));
            } else if !paths.insert(path.trim_end_matches('/')) {
                problems.push(Problem::of(&key, "is listed twice", "keep one of the two"));
            }
            let Some(label) = label else { continue };
            let key = format!("sensors.roots.{index}.label");
            let legal = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            if !(1..=LABEL_MAX_CHARS).contains(&label.chars().count()) || !label.chars().all(legal)
            {
                let message = "is empty, too long or holds odd characters";
                let remedy = "use 1 to 32 letters, digits, `-`, `_` and `.`";
                problems.push(Problem::of(&key, message, remedy));
            } else if !labels.insert(label) {
                problems.push(Problem::of(&key, "is used twice", "give each root its own label"));
            }
        }
        problems
    }

    /// A policy names no file that an agent would read and send somewhere.
    fn file_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (index, probe) in self.sensors.probes.iter().enumerate() {
            let files =
                [("message_file", &probe.message_file), ("password_file", &probe.password_file)];
            for (name, _) in files.into_iter().filter(|(_, path)| path.is_some()) {
                let key = format!("sensors.probes.{index}.{name}");
                let message = "names a file of the host, which no policy may";
                let remedy = "set this probe in the host's own configuration file";
                problems.push(Problem::of(&key, message, remedy));
            }
        }
        problems
    }

    fn length_problems(&self) -> Vec<Problem> {
        let Self { sensors, detectors, .. } = self;
        let lengths = [
            ("sensors.roots", sensors.roots.len()),
            ("sensors.services", sensors.services.len()),
            ("sensors.processes", sensors.processes.len()),
            ("sensors.probes", sensors.probes.len()),
            ("sensors.protection.guards", sensors.protection.guards.len()),
            ("detectors.mass_change.jobs", detectors.mass_change.jobs.len()),
            ("detectors.logon_burst.usual_hours", detectors.logon_burst.usual_hours.len()),
        ];
        let remedy = format!("give at most {ENTRIES_MAX}");
        let long = lengths
            .into_iter()
            .filter(|(_, length)| ENTRIES_MAX < *length);
        long.map(|(key, _)| Problem::of(key, "has too many entries", remedy.clone()))
            .collect()
    }

    fn grace_problems(&self) -> Vec<Problem> {
        let services = self
            .sensors
            .services
            .iter()
            .map(|service| service.grace_secs);
        let processes = self
            .sensors
            .processes
            .iter()
            .map(|process| process.grace_secs);
        let tables =
            [("services", services.collect::<Vec<_>>()), ("processes", processes.collect())];
        let mut problems = Vec::new();
        for (table, graces) in tables {
            for (index, grace) in graces.into_iter().enumerate() {
                if grace.is_some_and(|secs| GRACE_MAX_SECS < secs) {
                    let key = format!("sensors.{table}.{index}.grace_secs");
                    problems.push(Problem::of(&key, "is longer than a week", "60 is usual"));
                }
            }
        }
        problems
    }

    fn job_problems(&self) -> Vec<Problem> {
        let key = "detectors.mass_change.jobs";
        let mut problems = Vec::new();
        let mut names = BTreeSet::new();
        for job in &self.detectors.mass_change.jobs {
            problems.extend(job.problems(key));
            if !job.name.is_empty() && !names.insert(&job.name) {
                problems.push(Problem::of(
                    key,
                    "has two jobs of one name",
                    "give each its own name",
                ));
            }
        }
        problems
    }
}

impl Checked for Policy {
    fn problems(&self) -> Vec<Problem> {
        let Self { sensors, detectors, .. } = self;
        let mut problems = self.root_problems();
        problems.extend(target::problems(&sensors.services, &sensors.processes));
        problems.extend(self.grace_problems());
        problems.extend(probe::problems(&sensors.probes));
        problems.extend(self.file_problems());
        problems.extend(guard_problems("sensors.protection.guards", &sensors.protection.guards));
        let table = "detectors.mass_change";
        let bad = &detectors.mass_change;
        problems.extend(known_bad::problems(table, &bad.known_bad_suffixes, &bad.known_bad_names));
        problems.extend(self.job_problems());
        problems.extend(self.length_problems());
        problems
    }
}

#[cfg(test)]
mod tests;
