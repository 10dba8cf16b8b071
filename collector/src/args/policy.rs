//! Commands about fleet policy.

use std::path::PathBuf;

use clap::Subcommand;
use shirase_shared::ids::FacilityId;
use shirase_shared::policy::PolicyRevision;

use super::ListArgs;

/// Fleet policy: what hosts watch and know beside what their own files say.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print the text in force; with `--hosts`, how each host stands to it.
    Show {
        /// Whose hosts.
        facility: FacilityId,
        /// What is said of this host alone, by id or name.
        #[arg(long)]
        host: Option<String>,
        /// A certain revision.
        #[arg(long, value_parser = revision)]
        revision: Option<PolicyRevision>,
        /// How each host stands: desired, actual, drift.
        #[arg(long, conflicts_with = "revision")]
        hosts: bool,
        /// How, with `--hosts`.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Save a new text. Names every mistake an agent would refuse it for, and saves nothing then.
    Set {
        /// Whose hosts.
        facility: FacilityId,
        /// For this host alone, by id or name.
        #[arg(long)]
        host: Option<String>,
        /// The text, TOML; `-` for standard input. An empty one takes back what was said.
        #[arg(long, value_name = "FILE|-")]
        file: PathBuf,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Show every saved text: who, when, why.
    History {
        /// Whose hosts.
        facility: FacilityId,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
}

fn revision(text: &str) -> Result<PolicyRevision, String> {
    text.parse()
        .map(PolicyRevision)
        .map_err(|_| "give a number".to_owned())
}
