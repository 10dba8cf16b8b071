//! The agents' side of the collector: real listeners, real mTLS, a real database, one of each per test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod site;

mod enrolment;
mod batches;
mod doors;
mod heartbeats;
mod policies;
mod manifests;
mod versions;
