//! Commands about a municipality's register.

use std::path::PathBuf;

use clap::Subcommand;
use shirase_shared::ids::FacilityId;

use super::ListArgs;
use super::contact::parse_lang;
use crate::locale::Lang;

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
    Export {
        /// Whose register.
        facility: FacilityId,
        /// Where to write it; an existing file is left alone. `-` is standard output.
        #[arg(long, value_name = "FILE|-")]
        out: PathBuf,
        /// Language of headings and choices: ja or en.
        #[arg(long, default_value = "ja", value_parser = parse_lang)]
        lang: Lang,
    },
    /// Take a CSV in, whole or not at all: UTF-8, or `Shift_JIS` as Excel writes it in Japan. Exit status 1 if it has mistakes;
    /// each is named with line and column. Institutions that are not in it stay.
    Import {
        /// Whose register.
        facility: FacilityId,
        /// The file.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Only say what would be done.
        #[arg(long)]
        check: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}
