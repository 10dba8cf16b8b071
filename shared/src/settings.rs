//! Settings both sides read: an agent from its file, a collector from a policy that it writes for its hosts.
//!
//! Always holds: what is checked here is checked alike on both sides, so that a collector refuses what an agent would.

pub mod address;
pub mod target;
pub mod probe;
pub mod job;
pub mod hours;
pub mod suffix;
pub mod known_bad;
