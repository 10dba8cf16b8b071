//! Commands about the address book.

use std::path::PathBuf;

use clap::Subcommand;
use shirase_shared::ids::FacilityId;

use super::ListArgs;
use super::table::{TableExport, TableImport, parse_lang};
use crate::contacts::Column;
use crate::locale::Lang;

/// The address book.
#[derive(Debug, Subcommand)]
pub enum ContactCommand {
    /// Show whom to call, in the order of the book.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// Only those somebody should make sure of.
        #[arg(long)]
        flagged: bool,
        /// Those that are retired or not valid yet as well.
        #[arg(long)]
        all: bool,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show every version of one contact, the newest first.
    History {
        /// Whose book.
        facility: FacilityId,
        /// Its id, the beginning of it, or its name.
        contact: String,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Enter a contact. It is unverified unless `verified_on` and `verified_by` are given.
    Add {
        /// Whose book.
        facility: FacilityId,
        /// A column and its text, for example `kind=vendor`; repeat for more. Columns: `kind`, `duty`, `system`,
        /// `organisation`, `department`, `person`, `phone`, `night_phone`, `fax`, `mail`, `web`, `hours`, `note`, `caller`,
        /// `place`, `drill_partner`, `valid_from`, `valid_to`, `verified_on`, `verified_by`.
        #[arg(long = "set", value_name = "COLUMN=TEXT", required = true, value_parser = parse_cell)]
        cells: Vec<(Column, String)>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change a contact. Its earlier version is kept; a new number is unverified until somebody makes sure of it.
    Change {
        /// Whose book.
        facility: FacilityId,
        /// Its id, the beginning of it, or its name.
        contact: String,
        /// A column and its new text; empty clears it. The others stay.
        #[arg(long = "set", value_name = "COLUMN=TEXT", required = true, value_parser = parse_cell)]
        cells: Vec<(Column, String)>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Record that somebody made sure that a contact can be reached as the book says.
    Verify {
        /// Whose book.
        facility: FacilityId,
        /// Its id, the beginning of it, or its name.
        contact: String,
        /// Who made sure.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// On which day; today if left out.
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Option<String>,
    },
    /// Take a contact out of use today. Its versions stay.
    Retire {
        /// Whose book.
        facility: FacilityId,
        /// Its id, the beginning of it, or its name.
        contact: String,
    },
    /// Write the book as CSV that Excel opens and `import` reads.
    Export(TableExport),
    /// Take a CSV in, whole or not at all: UTF-8, or `Shift_JIS` as Excel writes it in Japan. Exit status 1 if it has mistakes;
    /// each is named with line and column. Contacts that are not in it stay.
    Import(TableImport),
    /// Write the emergency chart (連絡体制図) as PDF, A4 landscape.
    Chart {
        /// Whose.
        facility: FacilityId,
        /// Where to write it; an existing file is left alone.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Language: ja or en.
        #[arg(long, default_value = "ja", value_parser = parse_lang)]
        lang: Lang,
    },
}

fn parse_cell(text: &str) -> Result<(Column, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "write it as COLUMN=TEXT, for example kind=vendor".to_owned())?;
    let settable = |column: &Column| *column != Column::Id;
    match Column::parse(name.trim()).filter(settable) {
        Some(column) => Ok((column, value.to_owned())),
        None => {
            let names = Column::ALL.iter().copied().filter(settable);
            let names: Vec<_> = names.map(Column::as_str).collect();
            Err(format!("there is no column `{name}`; use one of {}", names.join(", ")))
        }
    }
}
