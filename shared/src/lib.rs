//! The words agent and collector both speak.
//!
//! ```text
//! event (what was seen) ─▶ wire (how it travels, how it is answered) ─▶ ids (what it is called for ever)
//! ```
//!
//! Always holds: nothing here does I/O; only [`clock`] reads a clock. A type in this crate is part of the
//! agreement between two programs of different age: fields are added, never repurposed.

pub mod ids;
pub mod event;
pub mod wire;

pub mod clock;
pub mod redact;
pub mod config;
pub mod settings;
pub mod policy;
pub mod posture;
pub mod backoff;
pub mod secret;
pub mod error;
pub mod tls;

#[cfg(feature = "testing")]
pub mod testing;
