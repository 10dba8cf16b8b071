//! The command line, as an administrator types it: the real binary on a data directory of its own.

#![expect(clippy::unwrap_used, reason = "a test speaks by panicking")]

mod place;

mod evidence;
mod people;
mod service;
mod settings;
