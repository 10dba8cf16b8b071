//! A night that happened somewhere, played hour by hour through a real collector.
//!
//! ```text
//! script (TOML: at, happens, saw, did, then)
//!   at ──▶ SetClock        the collector's clock
//!   saw ─▶ PlayedHost      batches over mTLS, as an agent sends them
//!   did ─▶ Desk            people's sessions, forms sent back as a browser would
//!   then ◀─ `duty list`, `deadline list`: exactly these, or the difference is shown
//! ```
//!
//! Always holds: what is expected stands in the script, where a reader from a hospital can follow it, and nowhere else.

mod script;
mod host;
mod desk;
mod papers;
mod play;

pub use papers::{Paper, look_in, mail_words};
pub use play::{Ended, Watched, play, watch};
pub use script::{Did, Due, Hour, Saw, Script, Then, Words};
