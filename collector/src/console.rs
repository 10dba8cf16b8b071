//! What the pages show: plain views of domain values, and the templates that turn them into HTML.
//!
//! Always holds:
//! - a view is made from values alone, without I/O and without a clock;
//! - templates escape everything; the few fragments that are HTML already are made in [`ui`] from keys and enums,
//!   never from words somebody typed;
//! - whatever could hide in a text (control characters, direction marks) is written out by [`html`], for every page.
//!
//! Not here: requests and answers (see `http`).

mod ui;
mod frame;
mod sign_in;
pub mod overview;
pub mod duties;
pub mod incident;
pub mod report;
pub mod delivery;
pub mod approval;
pub mod hosts;
pub mod policy;
pub mod contacts;
pub mod checklist;
pub mod circulars;
pub mod exchange;
pub mod institutions;
pub mod cases;
pub mod sharing;
pub mod settings;
pub mod official;
pub mod users;
pub mod audit;

pub use frame::{FacilityNav, Flash, Frame, Tab};
pub use sign_in::{Message, PasswordPage, SecondFactorPage, SetupPage, SignInPage, StaticPage};
pub use ui::{Badge, Heading, Tone};

use askama::Template;

use crate::locale::visible;

/// Renders a page and writes out what could hide in it.
///
/// # Errors
/// Only when a template itself is broken.
pub fn html(page: &impl Template) -> Result<String, askama::Error> {
    Ok(visible(&page.render()?))
}
