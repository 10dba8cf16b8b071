//! Fleet policy: what a collector may set on the hosts of a facility, and what it may not.
//!
//! ```text
//! facility's text ─┐                         signed document                       the host's own file
//!                  ├▶ checked, numbered ═══════════════════════▶ checked again ─▶ lies over it, key by key
//! host's text ─────┘                                                               └▶ what differs = drift
//! ```
//!
//! Always holds:
//! - the list of keys is closed: a policy cannot name an upstream, an identity, a key, a path of the agent's own, a root
//!   without patient data, a decoy, containment, or anything that runs; it writes nothing on a host's disks;
//! - the nearer word wins key by key: the host's own file over the host's text over the facility's. Lists of entries and
//!   of names add up;
//! - drift and refusals are told by the names of keys and reasons, never by values or paths.

mod shape;
mod key;
mod layers;
mod document;
mod report;

pub use document::{
    DocumentKind, PolicyDocument, PolicyName, PolicyRevision, SignedPolicy, digest,
};
pub use key::{KeyKind, PolicyKey};
pub use layers::{Laid, Source, lay, source, without_defaults};
pub use report::{PolicyReport, Refusal, RefusedPolicy};
pub use shape::{Policy, RootPart, System, TEXT_MAX_BYTES};
