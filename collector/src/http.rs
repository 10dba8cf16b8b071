//! Everything that speaks HTTP, and nothing else does.

mod routes;
mod csrf;
mod session;
mod page_error;
mod console;
mod place;
mod console_sign_in;
mod console_hosts;
mod console_settings;
mod console_users;
mod console_audit;

pub use console::{ConsoleState, EnrolmentPlace, SignInLimits, console_router};
