//! The sharing product (共有情報) of the medical CEPTOAR: what others may learn from an incident, and nothing else.
//!
//! ```text
//! incident ─▶ candidates ─(a person ticks)─▶ Body ─▶ names (refuses) ─▶ freeze ─(another approves)─▶ Approved ─▶ package
//!                                             ▲                          └─▶ STIX bundle, one page, canonical JSON
//! products received ─▶ merge ─(CEPTOAR)───────┘     received ─▶ search in what is stored ─▶ accepted for detection
//! ```
//!
//! Always holds:
//! - a [`Body`] has a closed list of fields, each of a form that cannot hold a name, a path or an address inside a house,
//!   but one: the short text, which [`Known::found_in`] checks against everything the collector knows;
//! - what is rendered is made from the frozen [`Body`] alone, so that nothing else can get into a file;
//! - an [`Approved`] product has one constructor, which reads the stored record and checks hash, people and signatures;
//! - whoever wrote or submitted a product cannot approve it;
//! - a product made from others is never marked wider than the narrowest of them.
//!
//! Not here: SQL (see `store::sharing`), rendering the page (see `reports::render::pdf`), gathering (see `release`).

mod indicator;
mod technique;
mod span;
mod body;

mod consent;
mod names;
mod candidates;
mod merge;

mod product;
mod approved;
mod paper;
pub mod stix;

mod search;
pub mod taxii;

pub use approved::{Approved, Mismatch, ProductFile, StoredProduct, signed_text};
pub use body::{
    AttackKind, BODY_FILE, Body, BodyError, INDICATORS_MAX, Layout, Shared, TECHNIQUES_MAX,
};
pub use candidates::{Candidate, Candidates, candidates};
pub use consent::{Consent, ConsentError};
pub use indicator::{Indicator, IndicatorError, IndicatorKind, typed};
pub use merge::{Origin, may_pass_on, merged, offered};
pub use names::{Found, FoundKind, Known};
pub use paper::{ProductPaper, title, tlp_words};
pub use product::{Decided, Measure, Product, ProductError, ProductState};
pub use search::{Finding, KINDS as SEARCHED_KINDS, Looked, look, merge_findings};
pub use span::{Span, Third};
pub use technique::{TECHNIQUES, Technique, TechniqueId};

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
