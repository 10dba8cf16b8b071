//! For tests of every crate: events from few words, and waiting for a state instead of for time.

pub mod builders;
pub mod eventually;
pub mod schema;

pub use eventually::eventually;
