//! The endpoint agent: watches one host and tells the collector what looks wrong.
//!
//! ```text
//! sensors ──observation──▶ detectors ──event──▶ buffer ──batch──▶ uplink ══▶ collector
//!                              └──touched file──▶ manifest
//! ```

pub mod observation;
pub mod names;
pub mod sensors;
pub mod detectors;
pub mod manifest;

pub mod watch;
