//! The ministry's cyber security checklist: dated lists, what people answered, and what the collector knows beside it.
//!
//! ```text
//! built in ◀─ replaced by ─ <data>/checklists/<id>.toml        hosts, events, book, users
//!     │ items, by fiscal year                                         │ evidence (pure)
//!     ▼                                                               ▼
//! sheets (institution, one a vendor) ◀─ answers of people ─▶ paper ─▶ page, PDF, XLSX
//!                                             └─▶ compare with the year before
//! ```
//!
//! Always holds:
//! - evidence answers nothing: only a person says yes, no or not applicable;
//! - an answer is corrected by a newer one and never overwritten; each keeps the words it answered;
//! - a list says of every item where its words were read, and what nobody could read says so wherever it is shown.
//!
//! Not here: SQL (see `store::checklists`), reading files and gathering (see `release::inspection`), pages (see `console`).

mod list;
mod check;
mod answer;
mod sheet;
mod evidence;
mod compare;
mod paper;

pub use answer::{Answered, Entry, Filled, Flaw, Inputs, Standing, Tally, read};
pub use compare::{Change, Comparison, Turn, compare};
pub use evidence::{Evidence, EvidenceWeight, Known, Scope, evidence};
pub use list::{
    Basis, Body, Checklist, ChecklistError, Checklists, Group, Item, SheetKind, Wording,
};
pub use paper::{
    Paper, PaperChange, PaperChanges, PaperEvidence, PaperGroup, PaperItem, PaperParts, PaperSheet,
};
pub use sheet::{Sheet, SheetKey, SheetKeyError, sheets};

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
