//! Arguments of the commands that write a table people fill in, and take it in again.

use std::path::PathBuf;

use clap::Args;
use shirase_shared::ids::FacilityId;

use crate::locale::Lang;

/// Where a table goes.
#[derive(Debug, Args)]
pub struct TableExport {
    /// Whose.
    pub facility: FacilityId,
    /// Where to write it; an existing file is left alone. `-` is standard output.
    #[arg(long, value_name = "FILE|-")]
    pub out: PathBuf,
    /// Language of headings and choices: ja or en.
    #[arg(long, default_value = "ja", value_parser = parse_lang)]
    pub lang: Lang,
}

/// Where a table comes from.
#[derive(Debug, Args)]
pub struct TableImport {
    /// Whose.
    pub facility: FacilityId,
    /// The file.
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    pub check: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn parse_lang(text: &str) -> Result<Lang, String> {
    match text {
        "ja" => Ok(Lang::Ja),
        "en" => Ok(Lang::En),
        _ => Err("use ja or en".to_owned()),
    }
}
