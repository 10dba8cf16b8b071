//! What an administrator can set about deliveries.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;

use crate::notify::mail::is_mailbox;

/// Most attempts an administrator can ask for.
const ATTEMPTS_MOST: u32 = 100;

/// How released reports reach addressees.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliverConfig {
    /// Sender of delivered reports, over the server of `[mail]`. Empty: the sender of `[mail]`.
    pub from: String,
    /// Directory that holds a folder for each addressee served by folder. Empty: no delivery to folders.
    pub folder: PathBuf,
    /// Attempts of the collector before a delivery counts as failed and a person is asked. Pauses grow to ten minutes.
    pub attempts_max: u32,
}

impl Default for DeliverConfig {
    fn default() -> Self {
        Self { from: String::new(), folder: PathBuf::new(), attempts_max: 20 }
    }
}

impl DeliverConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.from.is_empty() && !is_mailbox(&self.from) {
            problems.push(Problem::of(
                "deliver.from",
                format!("`{}` is no mail address", self.from),
                "write \"name@example.jp\" or \"Name <name@example.jp>\"",
            ));
        }
        if !self.folder.as_os_str().is_empty() && self.folder.is_relative() {
            problems.push(Problem::of(
                "deliver.folder",
                format!("`{}` is not an absolute path", self.folder.display()),
                "give one such as /srv/shirase-out, or remove the line",
            ));
        }
        if self.attempts_max == 0 || ATTEMPTS_MOST < self.attempts_max {
            problems.push(Problem::of(
                "deliver.attempts_max",
                format!("{} is not between 1 and {ATTEMPTS_MOST}", self.attempts_max),
                "20 attempts take about two hours",
            ));
        }
        problems
    }
}
