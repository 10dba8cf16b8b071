//! Systems whose service manager this build cannot ask: it says so, and expected processes are looked for instead.

use super::Answer;

/// What the sensor sees with.
pub(super) const NAME: &str = "none";

/// Nothing to ask.
#[derive(Default)]
pub(super) struct Manager {}

impl Manager {
    #[expect(clippy::unused_async, reason = "the face is the same on every system")]
    pub(super) async fn state(&mut self, _service: &str) -> Result<Answer, String> {
        Err("this build cannot ask the service manager; list `sensors.processes` instead"
            .to_owned())
    }
}
