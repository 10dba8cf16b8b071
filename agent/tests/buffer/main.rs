//! The buffer against what happens to it: a model, kill -9, power cuts, a full disk, damage.
//!
//! Nothing here trusts the buffer's own bookkeeping: what was kept is written down elsewhere the moment `append`
//! returned, and compared with what a fresh process finds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod worker;
mod ledger;
mod model;
mod damage;
mod room;

#[cfg(target_os = "linux")]
mod crash_image;
#[cfg(target_os = "linux")]
mod power_loss;
