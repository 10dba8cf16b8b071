//! The log: lines for people or JSON lines for programs, on standard error.

use std::io;

use anyhow::{Context, Result, anyhow};
use tracing_subscriber::EnvFilter;

/// Environment variable with the filter, for example `info,shirase_collector::jobs=debug`.
const FILTER_VARIABLE: &str = "SHIRASE_LOG";
/// The filter when the variable is not set.
const DEFAULT_FILTER: &str = "info";

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Begins to log.
pub(super) fn begin(format: LogFormat) -> Result<()> {
    let text = std::env::var(FILTER_VARIABLE).unwrap_or_else(|_| DEFAULT_FILTER.to_owned());
    let filter = EnvFilter::try_new(&text)
        .with_context(|| format!("`{text}` in {FILTER_VARIABLE} is no log filter; try `info`"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let begun = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };

    begun.map_err(|error| anyhow!("failed to begin the log: {error}"))
}
