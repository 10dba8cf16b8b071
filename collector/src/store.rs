//! What the collector remembers: one SQLite database in the data directory.
//!
//! ```text
//! writer: one connection, WAL, synchronous=FULL   ◀── every change, one transaction a call
//! readers: a small pool                           ◀── every question
//! ```
//!
//! Always holds:
//! - a method speaks domain words and takes or returns domain types; no row, no SQL leaves this module;
//! - a method that returns `Ok` has committed and synced;
//! - every question about something that grows names its facility.
//!
//! Not here: deciding anything. PostgreSQL's dialect will stand beside SQLite's in `connect` and in
//! `migrations/postgres`.

mod connect;
mod reports;
mod approvals;
mod deliveries;
mod official;
mod users;
mod sessions;
mod audit;

mod facilities;
mod contacts;
mod institutions;
mod cases;
mod checklists;
mod hosts;
mod tokens;
mod events;
mod orders;
mod policies;
mod manifests;
mod incidents;
mod console;
mod retention;
mod outbox;
mod notifications;
mod deadline_notices;
mod matters;
mod partners;
mod packages;
mod sharing;

pub use approvals::{
    ApprovalState, DecisionError, NewApproval, NewSubmission, RuleChange, RuleFailure, StoredRule,
    Weighed, Wish,
};
pub(crate) use audit::append_audit;
pub use cases::CaseError;
pub use checklists::ItemPlace;
pub use connect::{DATABASE_FILE, Store, StoreError};
pub use contacts::Imported;
pub use deliveries::{Begun, DeliveryError, Ended};
pub use hosts::{CertificateHolder, IssuedCertificate};
pub use incidents::{ActFailure, JoinError, RecordMark};
pub use institutions::InstitutionChange;
pub use notifications::ChannelState;
pub use packages::{Ack, Carrier, Direction, Outgoing, Sealing, StoredPackage, TakeError, Taken};
pub use partners::Rotation;
pub use reports::{AnswerError, NewReport, RoundRefused};
pub use retention::{OldEvents, Removed};
pub use sharing::{Accepted, NewProduct, Received, Searched, Sent, SharingError};
