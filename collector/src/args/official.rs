//! Commands about official forms: an addressee's own file, uploaded once, mapped, filled.

use std::path::PathBuf;

use clap::Subcommand;
use shirase_shared::ids::FacilityId;

use super::ListArgs;
use crate::reports::official::FormId;

/// Official forms.
#[derive(Debug, Subcommand)]
pub enum OfficialFormCommand {
    /// Take in an addressee's own XLSX or DOCX. One of the same name is replaced and keeps its mapping.
    Import {
        /// Whose.
        facility: FacilityId,
        /// A name for it: 1 to 32 of the characters a-z, 0-9 and -.
        form: FormId,
        /// The file as the addressee gives it out, without macros and without a password.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what each place of a form holds, from a TOML file; without one print the mapping there is.
    Map {
        /// Whose.
        facility: FacilityId,
        /// Its name.
        form: FormId,
        /// The mapping: `[[place]]` with `at`, `say` and perhaps `words`, `ticked`, `unticked`, `as`.
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check that every mapped place is there and can be written, and with a report that it takes what that says. Exit
    /// status 1 if not.
    Check {
        /// Whose.
        facility: FacilityId,
        /// Its name.
        form: FormId,
        /// A report to try, by its id or the number of its incident.
        #[arg(long)]
        report: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the forms.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Remove a form. Copies that were filled for approved reports stay.
    Remove {
        /// Whose.
        facility: FacilityId,
        /// Its name.
        form: FormId,
    },
}
