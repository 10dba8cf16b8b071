//! The command line of the harness.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::agent::{Backend, Profile};

/// Attacks the agent in every way we know, lets it watch ordinary work, weighs what it costs, and reports.
///
/// Everything happens below directories this program made and marked itself. Results are kept per scenario and per
/// build of the agent: a run that was broken off goes on where it was.
#[derive(Debug, Parser)]
#[command(name = "detection")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) work: Option<Work>,
    #[command(flatten)]
    pub(crate) run: RunArguments,
}

/// What the harness starts itself as.
#[derive(Debug, Subcommand)]
pub(crate) enum Work {
    /// Carry out one process's share of an attack. Started by the harness
    #[command(hide = true)]
    Work {
        /// The plan, written by the harness.
        plan: PathBuf,
    },
    /// Put a measured load on a ground. Started by the harness
    #[command(hide = true)]
    Load {
        /// The plan, written by the harness.
        plan: PathBuf,
    },
}

/// What to run.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct RunArguments {
    /// A handful of scenarios at a gentle rate, in about a minute. The default
    #[arg(long, conflicts_with = "long")]
    pub(crate) short: bool,
    /// Everything, with thirty seeds an attack: hours
    #[arg(long)]
    pub(crate) long: bool,
    /// Which parts. Default: attacks and ordinary work; with `--long` all
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) part: Vec<Part>,
    /// Only these scenarios, by name; can be given more than once. `A03*` takes all that begin so
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// With which eyes the agent sees. Default: all that can be tried here
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) backend: Vec<Backend>,
    /// Test the release build, which is built first
    #[arg(long)]
    pub(crate) release: bool,
    /// Test this binary instead of building one; say `--release` as well if it is one
    #[arg(long, value_name = "FILE")]
    pub(crate) agent: Option<PathBuf>,
    /// The Windows build, tried under wine
    #[arg(long, value_name = "FILE")]
    pub(crate) windows_agent: Option<PathBuf>,
    /// Seeds per attack. Default: 1, with `--long` 30
    #[arg(long)]
    pub(crate) seeds: Option<u64>,
    /// Where results and the report go
    #[arg(long, value_name = "DIR", default_value = "target/detection")]
    pub(crate) out: PathBuf,
    /// Where grounds are made. Default: the system's folder for temporary files
    #[arg(long, value_name = "DIR")]
    pub(crate) grounds: Option<PathBuf>,
    /// Make grounds in a file system of their own, mounted from an image (root). The default with `--long`
    #[arg(long)]
    pub(crate) volume: bool,
    /// Forget kept results of this build first
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Run nothing, write the report from what is kept
    #[arg(long)]
    pub(crate) report_only: bool,
    /// Print the names of all scenarios and end
    #[arg(long)]
    pub(crate) list: bool,
}

/// A part of the harness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The attacks.
    Attacks,
    /// Ordinary work.
    Ordinary,
    /// Thirty mixed days, replayed from recordings of ordinary work.
    Days,
    /// What the agent costs.
    Cost,
}

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Short,
    Long,
}

impl RunArguments {
    pub(crate) const fn form(&self) -> Form {
        if self.long { Form::Long } else { Form::Short }
    }

    pub(crate) const fn profile(&self) -> Profile {
        if self.release { Profile::Release } else { Profile::Debug }
    }

    pub(crate) fn takes(&self, part: Part) -> bool {
        if self.part.is_empty() {
            return self.long || [Part::Attacks, Part::Ordinary].contains(&part);
        }
        self.part.contains(&part)
    }

    /// Whether a scenario is wanted; `is_short` says whether the short form has it.
    pub(crate) fn wants(&self, name: &str, is_short: bool) -> bool {
        if self.only.is_empty() {
            return is_short || self.long;
        }
        self.only
            .iter()
            .any(|wanted| match wanted.strip_suffix('*') {
                Some(begin) => name.starts_with(begin),
                None => name == wanted,
            })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_star_takes_all_that_begin_so() {
        let run = Arguments::parse_from(["detection", "--only", "A03*,A01"]).run;
        assert!(run.wants("A03-1000", false) && run.wants("A01", false));
        assert!(!run.wants("A01-unthrottled", true));
    }
}
