//! The pages around signing in.

use askama::Template;

use super::frame::Frame;

/// Asks for login and password.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// What stands around it.
    pub f: Frame,
    /// What was typed as login before.
    pub login: String,
    /// What went wrong, in words.
    pub problem: Option<String>,
}

/// Asks for a new password.
#[derive(Template)]
#[template(path = "password.html")]
pub struct PasswordPage {
    /// What stands around it.
    pub f: Frame,
    /// Shortest password.
    pub min_chars: usize,
    /// Whether the present one was given out once.
    pub forced: bool,
    /// What went wrong, in words.
    pub problem: Option<String>,
}

/// Shows the second factor's secret and asks for the first code.
#[derive(Template)]
#[template(path = "second_factor_setup.html")]
pub struct SetupPage {
    /// What stands around it.
    pub f: Frame,
    /// The secret in groups of four letters.
    pub secret: String,
    /// The path of the QR code's dark squares.
    pub qr_path: String,
    /// How many squares it is wide.
    pub qr_width: usize,
    /// What went wrong, in words.
    pub problem: Option<String>,
}

/// Asks for a code.
#[derive(Template)]
#[template(path = "second_factor.html")]
pub struct SecondFactorPage {
    /// What stands around it.
    pub f: Frame,
    /// What went wrong, in words.
    pub problem: Option<String>,
}

/// Says something and offers a way on: errors, things shown once.
#[derive(Template)]
#[template(path = "static_page.html")]
pub struct StaticPage {
    /// What stands around it.
    pub f: Frame,
    /// What it says.
    pub message: Message,
    /// Where to go on.
    pub back: String,
}

/// What a [`StaticPage`] says.
#[derive(Clone, Debug)]
pub enum Message {
    /// A sentence.
    Text(String),
    /// Something shown this one time, with what to do with it.
    Once {
        /// What it is and what to do with it.
        text: String,
        /// Name and value of each thing shown.
        values: Vec<(String, String)>,
    },
}
