//! What organisations send each other: who they are, what a package holds, and whether one may be believed.
//!
//! ```text
//! card ─(two people compare its fingerprint)─▶ partner          message, report ─(released)─▶ package ═▶ partner
//!                                                                 package ─▶ unproven ─(key, addressee)─▶ proven ─▶ inbox
//! ```
//!
//! Always holds:
//! - a package is named by the SHA-256 of its manifest, which names every file by its own; the sender's report key signs
//!   that name, so that nothing of a package can be changed, left out, or taken from one addressee to another;
//! - only what a second person released, an approved report, or an acknowledgement becomes a package: the types that
//!   [`package::Package::seal`] takes have no other constructor;
//! - a package that came is data: it is kept, shown and answered, and nothing in it changes or runs anything;
//! - each side keeps its own authority: a partner's keys are believed for packages to this facility alone.
//!
//! Pure. Not here: storing (see `store::exchange`), sending and taking in (see `post`).

mod organisation;
mod config;
mod hash_id;
mod name;

pub mod card;
pub mod partner;

pub mod kind;
pub mod manifest;
pub mod package;
pub mod message;
pub mod circular;
pub mod joint_drill;
pub mod incoming;

pub use config::ExchangeConfig;
pub use hash_id::{CardId, HashIdError, PackageId};
pub use name::{FileName, FileNameError, line_problem, text_problem};
pub use organisation::{OrganisationConfig, OrganisationKind};

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
