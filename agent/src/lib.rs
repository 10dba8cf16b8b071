//! The endpoint agent: watches one host and tells the collector what looks wrong.
//!
//! ```text
//! sensors ──observation──▶ detectors ──event──▶ buffer ──batch──▶ uplink ══▶ collector
//! ```

pub mod args;
pub mod paths;
pub mod identity;

pub mod buffer;
pub mod uplink;

pub mod orders;
pub mod drill;

mod own_events;
mod durable;
mod service;
mod shown;
