//! The uplink against a server that answers as collectors, proxies and broken networks do, under real mutual TLS.
//!
//! The server speaks HTTP/1.1 only; HTTP/2 is seen in the system tests, with the real collector.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod server;
mod site;
mod batches;
mod heartbeats;
mod errands;
mod trust;
mod versions;
