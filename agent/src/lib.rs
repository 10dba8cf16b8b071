//! The endpoint agent: watches one host and tells the collector what looks wrong.

pub mod buffer;
