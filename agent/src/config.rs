//! The agent's configuration: what each key means stands here and in `deploy/agent.toml`, which a test compares.
//!
//! Always holds: a file with a mistake is never half in force; every mistake is named with line, key and remedy.

mod layered;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shirase_shared::config::{self, Checked, Known, Problem};

use crate::buffer::BufferConfig;
use crate::detectors::DetectorsConfig;
use crate::identity::Enrolment;
use crate::paths::{DEFAULT_STATE_DIR, StateDir};
use crate::sensors::{SensorsConfig, files};
use crate::uplink::UplinkConfig;

pub use layered::{Layered, layered, told};

/// The commented default configuration.
pub const DEFAULT_TEXT: &str = include_str!("../../deploy/agent.toml");

/// Returns the commented default configuration with the paths of this system.
#[must_use]
pub fn default_text() -> String {
    let state_dir = |dir: &str| format!("state_dir = {}", toml::Value::from(dir));
    DEFAULT_TEXT.replace(&state_dir(LINUX_STATE_DIR), &state_dir(DEFAULT_STATE_DIR))
}

/// The state directory in the shipped file.
const LINUX_STATE_DIR: &str = "/var/lib/shirase-agent";
/// Largest configuration read.
const CONFIG_MAX_BYTES: u64 = 1024 * 1024;

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The agent itself.
    pub agent: AgentConfig,
    /// What the collector may add.
    pub policy: PolicyConfig,
    /// What is watched.
    pub sensors: SensorsConfig,
    /// What is told.
    pub detectors: DetectorsConfig,
    /// What is kept until the collector has it.
    pub buffer: BufferConfig,
    /// Where it is sent.
    pub uplink: UplinkConfig,
}

/// The agent itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentConfig {
    /// Where the agent keeps its identity, its buffer and everything else it writes. Takes effect at the next start.
    pub state_dir: PathBuf,
    /// Processor time the agent should stay below, in per cent of one core, averaged over a minute. Reaching it is
    /// reported once; watching goes on. 0 reports nothing.
    pub cpu_budget_percent: u32,
    /// Memory the agent should stay below, in MiB. Reaching it is reported once; watching goes on. 0 reports nothing.
    pub memory_budget_mib: u64,
}

/// What the collector may add.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// Whether this host takes a policy. `false`: only what stands in this file counts, and the collector is told so.
    pub take: bool,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self { take: true }
    }
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            state_dir: PathBuf::from(DEFAULT_STATE_DIR),
            cpu_budget_percent: 25,
            memory_budget_mib: 256,
        }
    }
}

impl AgentConfig {
    /// Returns the state directory.
    #[must_use]
    pub fn state(&self) -> StateDir {
        StateDir::new(&self.state_dir)
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.state_dir.is_absolute() {
            let message = format!("`{}` is not an absolute path", self.state_dir.display());
            let remedy = "write the whole path from the root of the file system";
            problems.push(Problem::of("agent.state_dir", message, remedy));
        }
        problems
    }
}

impl Checked for Config {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.agent.problems();
        problems.extend(self.sensors.problems());
        problems.extend(self.detectors.problems());
        let roots = files::resolve(&self.sensors.roots);
        let labels: Vec<_> = roots.iter().map(|root| root.label.as_str()).collect();
        problems.extend(self.detectors.mass_change.lost_jobs(&labels));
        problems.extend(self.buffer.problems());
        problems.extend(self.uplink.problems());
        problems
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It does not read.
    #[error(
        "failed to read the configuration `{}`; name the right file with --config, or write one from what \
         `shirase-agent config` prints",
        path.display()
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It has mistakes.
    #[error("the configuration `{}` has {}", path.display(), Mistakes(problems))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Each of them.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// Returns one line for each thing that is wrong.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Read { source, .. } => vec![format!("{self}: {source}")],
            Self::Invalid { problems, .. } => problems.iter().map(ToString::to_string).collect(),
        }
    }
}

struct Mistakes<'a>(&'a [Problem]);

impl fmt::Display for Mistakes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "1 mistake:")?,
            count => write!(f, "{count} mistakes:")?,
        }
        for problem in self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads a configuration from text.
    ///
    /// # Errors
    /// Every mistake, in the order of lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        config::parse(text)
    }

    /// Reads a configuration file; returns its text too, for the copy of the last good one.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub fn load(path: &Path) -> Result<(Self, String), ConfigError> {
        let text =
            read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        match Self::parse(&text) {
            Ok(config) => Ok((config, text)),
            Err(problems) => Err(ConfigError::Invalid { path: path.to_owned(), problems }),
        }
    }

    /// Reads a file that was good when it was copied, perhaps to a newer version; what this one does not know is left out,
    /// and blank in the text.
    ///
    /// # Errors
    /// Says what else is wrong with the file.
    pub(crate) fn load_known(path: &Path) -> Result<Known<Self>, ConfigError> {
        let text =
            read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;

        config::parse_known(&text)
            .map_err(|problems| ConfigError::Invalid { path: path.to_owned(), problems })
    }

    /// Takes from the enrolment what the file leaves open.
    pub(crate) fn fill_in(&mut self, enrolment: &Enrolment) {
        if self.uplink.collector_url.is_empty() {
            self.uplink.collector_url.clone_from(&enrolment.ingest_url);
        }
    }

    /// Finds the state directory a file names, though the file may be broken elsewhere; the default if it names none.
    #[must_use]
    pub fn state_named_in(path: &Path) -> StateDir {
        let text = read(path).unwrap_or_default();
        let named = text.lines().find_map(|line| {
            let line = line.trim();
            let table: toml::Table = line
                .starts_with("state_dir")
                .then(|| line.parse().ok())
                .flatten()?;
            table.get("state_dir")?.as_str().map(PathBuf::from)
        });

        StateDir::new(named.unwrap_or_else(|| PathBuf::from(DEFAULT_STATE_DIR)))
    }
}

fn read(path: &Path) -> io::Result<String> {
    if CONFIG_MAX_BYTES < path.metadata()?.len() {
        return Err(io::Error::other(format!("larger than {CONFIG_MAX_BYTES} bytes")));
    }

    std::fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_the_default() {
        assert!(DEFAULT_TEXT.contains(LINUX_STATE_DIR));
        assert_eq!(Config::parse(&default_text()), Ok(Config::default()));
    }

    #[test]
    fn every_key_stands_in_the_shipped_file_with_its_default() {
        let default = toml::Value::try_from(Config::default()).unwrap();
        let mut missing = Vec::new();
        look_for("", &default, &mut missing);
        assert!(missing.is_empty(), "not in deploy/agent.toml: {missing:#?}");
    }

    #[test]
    fn a_job_on_a_root_that_is_not_watched_is_named() {
        let job = |root: &str| {
            format!(
                "[[sensors.roots]]\npath = '/srv/share'\n[[detectors.mass_change.jobs]]\nname = 'retention'\n\
                 root = '{root}'\nfrom = '23:30'\nuntil = '02:00'\n"
            )
        };
        assert!(Config::parse(&job("share")).is_ok());
        let problems = Config::parse(&job("shares")).unwrap_err();
        assert!(problems[0].to_string().contains("`shares`"), "{problems:?}");
    }

    #[test]
    fn a_broken_file_still_tells_where_the_state_lies() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.toml");
        std::fs::write(&path, "[[[\n state_dir = '/x/y' # here\n= =").unwrap();
        assert_eq!(Config::state_named_in(&path), StateDir::new("/x/y"));
        let default = StateDir::new(DEFAULT_STATE_DIR);
        assert_eq!(Config::state_named_in(&dir.path().join("none")), default);
    }

    /// Notes each key of `value` that the shipped file does not name, in its table and with its value.
    fn look_for(table: &str, value: &toml::Value, missing: &mut Vec<String>) {
        let toml::Value::Table(entries) = value else { panic!("{table} is no table") };
        for (key, value) in entries {
            let dotted = if table.is_empty() { key.clone() } else { format!("{table}.{key}") };
            if value.is_table() {
                look_for(&dotted, value, missing);
                continue;
            }
            let is_list = value.as_array().is_some_and(Vec::is_empty);
            let tables = is_list && DEFAULT_TEXT.contains(&format!("# [[{dotted}]]"));
            if !tables && !stands(table, &format!("{key} = {value}")) {
                missing.push(format!("{dotted} = {value}"));
            }
        }
    }

    /// Whether a line stands in a table of the shipped file, commented or not.
    fn stands(table: &str, line: &str) -> bool {
        let mut here = "";
        default_text()
            .lines()
            .map(|line| line.trim_start_matches(['#', ' ']))
            .any(|found| {
                if let Some(name) = found
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_suffix(']'))
                {
                    here = name;
                }
                here == table && found == line
            })
    }
}
