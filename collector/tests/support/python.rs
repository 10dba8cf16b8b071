//! The Python whose mail server and mail parser the tests are held against.

use std::process::{Command, Stdio};

/// Python interpreters that may have the package; the system's own first.
const PYTHONS: [&str; 2] = ["/usr/bin/python3", "python3"];

/// Finds a Python with aiosmtpd.
///
/// # Panics
/// When there is none: a test must not pass because its mail server is missing.
pub(crate) fn python() -> &'static str {
    let has = |python: &&str| {
        let mut import = Command::new(python);
        import
            .args(["-c", "import aiosmtpd"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    PYTHONS
        .into_iter()
        .find(has)
        .expect("no SMTP server to test against: install Debian's package `python3-aiosmtpd`")
}
