//! Systems whose service manager this build cannot list: it says so.

use std::collections::BTreeMap;

use super::{Bus, Listing};

/// What the sensor sees with.
pub(super) const NAME: &str = "none";
/// Why nothing is seen.
const WHY: &str = "this build cannot list the services of this system";

/// There is nothing to ask.
pub(super) fn is_there() -> bool {
    false
}

/// Nothing to ask.
pub(super) struct Manager {}

impl Manager {
    pub(super) fn new(_bus: Bus) -> Self {
        Self {}
    }

    #[expect(clippy::unused_async, reason = "the face is the same on every system")]
    pub(super) async fn list(&mut self) -> Result<Listing, String> {
        Err(WHY.to_owned())
    }

    #[expect(clippy::unused_async, reason = "the face is the same on every system")]
    pub(super) async fn installed(
        &mut self,
        _names: &[String],
    ) -> Result<BTreeMap<String, String>, String> {
        Err(WHY.to_owned())
    }

    #[expect(clippy::unused_async, reason = "the face is the same on every system")]
    pub(super) async fn own_service(&mut self) -> Result<Option<String>, String> {
        Err(WHY.to_owned())
    }
}
