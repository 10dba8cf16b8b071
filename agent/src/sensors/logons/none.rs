//! Systems whose logons this build cannot see: it says so.

use shirase_shared::wire::SensorState;
use tokio_util::sync::CancellationToken;

use super::{LOGONS, LogonSource, LogonsParts};

/// Says so and returns.
#[expect(clippy::unused_async, reason = "the face is the same on every system")]
pub(super) async fn run(parts: LogonsParts, _stop: CancellationToken) {
    if parts.config.source != LogonSource::Off {
        let detail = "this build sees no logons on this system";
        parts.board.set(LOGONS, SensorState::Blind, detail);
    }
}
