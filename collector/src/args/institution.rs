//! Commands about a municipality's register.

use clap::Subcommand;
use shirase_shared::ids::FacilityId;

use super::ListArgs;
use super::table::{TableExport, TableImport};

/// The register of medical institutions under a municipality's jurisdiction.
#[derive(Debug, Subcommand)]
pub enum InstitutionCommand {
    /// Show the institutions.
    List {
        /// Whose register.
        facility: FacilityId,
        /// Those that are closed as well.
        #[arg(long)]
        all: bool,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Write the register as CSV that Excel opens and `import` reads.
    Export(TableExport),
    /// Take a CSV in, whole or not at all: UTF-8, or `Shift_JIS` as Excel writes it in Japan. Exit status 1 if it has mistakes;
    /// each is named with line and column. Institutions that are not in it stay.
    Import(TableImport),
}
