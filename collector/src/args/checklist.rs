//! Commands about checklists.

use clap::Subcommand;

use super::ListArgs;

/// Checklists.
#[derive(Debug, Subcommand)]
pub enum ChecklistCommand {
    /// Show the checklists in use, the hospital's own over those built in, with where the words of each item were read.
    List(ListArgs),
    /// Read the hospital's own checklists and name every mistake with its file, key and line. Exit status 1 if there is one.
    Check(ListArgs),
}
