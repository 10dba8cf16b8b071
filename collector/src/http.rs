//! Everything that speaks HTTP, and nothing else does.

mod routes;
mod csrf;
mod session;
mod page_error;
mod console;
mod console_sign_in;

pub use console::{ConsoleState, SignInLimits, console_router};
pub use session::ClientAddress;
