//! What is sent to printers.

use serde::{Deserialize, Serialize};

use super::Wording;
use crate::trace::forms;

/// A print job somebody made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintJob {
    /// The queue it went to.
    pub printer: String,
    /// Its title, in the clear: it stays on the host. Empty if the print service did not tell.
    pub title: String,
    /// Whether its title is that of a ransom note.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub wording: Wording,
}
