//! The agents' side of the collector: real listeners, real mTLS, a real database, one of each per test.

mod site;

mod enrolment;
mod batches;
mod doors;
mod heartbeats;
mod manifests;
