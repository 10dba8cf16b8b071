//! Takes what agents send: checks it, puts it on the collector's time line, stores it, then answers.
//!
//! ```text
//! body ──limits──▶ Batch ──reading──▶ lines that fit ──clock_offset──▶ NewRecord ──store (one transaction)──▶ Ack
//!                              └────▶ Refusal of one line by its number: nothing of the batch is stored
//! ```
//!
//! Always holds:
//! - the answer comes after the commit;
//! - a line this version cannot read but whose stream and number fit is stored all the same: a newer agent loses nothing;
//! - a line is refused only by a number that is certain to be its own.

pub mod limits;
pub mod clock_offset;
mod reading;
mod intake;
pub mod listening;

pub use intake::{Intake, IntakeError, Taken, note_clock, take_batch};
pub use reading::{Line, Reading, read_batch};
