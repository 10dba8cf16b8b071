//! Tables people fill in, on a page or in Excel: columns, what can be wrong with a cell, and the file.
//!
//! ```text
//! page, line of a CSV, command ─▶ Filled (column → text) ─▶ reader (one cell at a time) ─▶ value, or every flaw by its column
//! ```
//!
//! The address book and the register of institutions are such tables. Not here: what a line of theirs means.

mod column;
mod flaw;
mod reader;
mod file;

pub use column::TableColumn;
pub(crate) use column::choices;
pub use file::{Fault, FaultKind, Line, Plan, parse_table};
pub(crate) use file::{cells, plan_lines, write_table};
pub use flaw::{Flaw, FlawKind};
pub use reader::Filled;
pub(crate) use reader::{Reader, half_width};

/// Largest table that is taken in, in bytes.
pub const TABLE_MAX_BYTES: usize = 4 * 1024 * 1024;
