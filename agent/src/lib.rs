//! The endpoint agent: watches one host and tells the collector what looks wrong.
//!
//! ```text
//! sensors ──observation──▶ detectors ──event──▶ buffer ──batch──▶ uplink ══▶ collector
//!              ▲               └──touched file──▶ manifest          │
//!              └── orders, drill ◀── signed by the collector ───────┘
//! ```

pub mod args;
pub mod commands;
pub mod config;
pub mod paths;

pub mod enrolment;
pub mod identity;

pub mod observation;
pub mod trace;
pub mod names;
pub mod sensors;
pub mod canaries;
mod own_health;
pub mod detectors;
pub mod containment;
pub mod manifest;
pub mod buffer;
pub mod uplink;

pub mod orders;
pub mod policy;
pub mod drill;
pub mod control;
pub mod agent;
pub mod watch;
pub mod replay;

mod condition;
mod own_events;
mod durable;
mod service;
#[cfg(any(windows, test))]
mod wide;
mod printing;
mod shown;
