//! What answers on the collector's listeners.
//!
//! ```text
//! ingest listener     mTLS      batches heartbeat manifests renewal policy ── every request: serial looked up (agent.rs)
//! enrolment listener  TLS       enrolment                             ── rate limited by address
//! exchange listener   TLS       packages of partners                  ── rate limited by address, believed by signature
//! console listener    TLS       pages of the table of routes          ── every request: session and role looked up
//! ```
//!
//! Always holds:
//! - whoever asks is known by certificate or session, never by what the request says of itself;
//! - every error is a [`shirase_shared::wire::Problem`] in JSON with a public face; its cause goes to the log alone.

pub mod listener;
pub mod error;
mod agent;
mod batches;
mod heartbeat;
mod manifests;
mod renewal;
mod policy;
mod enrolment;
mod throttle;
mod exchange;
mod taxii;
pub mod health;
pub mod serving;

mod routes;
mod csrf;
mod form;
mod session;
mod page_error;
mod console;
mod place;
mod console_sign_in;
mod console_contacts;
mod console_checklist;
mod console_circulars;
mod console_delivery;
mod console_duties;
mod console_exchange;
mod console_hosts;
mod console_policy;
mod console_settings;
mod console_sighting;
mod console_users;
mod console_audit;
mod console_official;
mod console_partners;
mod console_institutions;
mod console_case_entries;
mod console_cases;
mod console_overview;
mod console_incident;
mod console_report;
mod console_sharing;
mod console_received;
mod console_decision;
mod console_approval;
mod live;

pub use agent::{AgentIdentity, AgentParts, AgentState, OnStored, agent_router};
pub use console::{ConsoleState, EnrolmentPlace, SignInLimits, console_router};
pub use enrolment::{EnrolmentParts, EnrolmentState, enrolment_router};
pub use exchange::{ExchangeState, exchange_router};
pub use manifests::{MANIFESTS_DIR, manifest_path, prepare_manifests};
pub use taxii::{TaxiiState, taxii_router};

/// Who may call a route of the agents' listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentAccess {
    /// An enrolled host whose certificate is in force.
    Agent,
    /// Whoever reaches the listener; for enrolment the token decides, for a package its signature.
    Anyone,
}

/// Every route of the ingest listener. A test walks it.
pub const AGENT_ROUTES: &[(&str, &str, AgentAccess)] = &[
    ("POST", "/v1/batches", AgentAccess::Agent),
    ("POST", "/v1/heartbeat", AgentAccess::Agent),
    ("POST", "/v1/manifests", AgentAccess::Agent),
    ("POST", "/v1/renew", AgentAccess::Agent),
    ("GET", "/v1/policy", AgentAccess::Agent),
    ("GET", "/healthz", AgentAccess::Anyone),
];

/// Every route of the enrolment listener.
pub const ENROLMENT_ROUTES: &[(&str, &str, AgentAccess)] = &[
    ("POST", "/v1/enrol", AgentAccess::Anyone),
    ("GET", "/v1/authority", AgentAccess::Anyone),
    ("GET", "/healthz", AgentAccess::Anyone),
];

/// Every route of the exchange listener. The signature of a package decides, whoever brings it.
pub const EXCHANGE_ROUTES: &[(&str, &str, AgentAccess)] =
    &[("POST", "/v1/packages", AgentAccess::Anyone), ("GET", "/healthz", AgentAccess::Anyone)];

#[cfg(test)]
mod tests;
