//! Systems whose print service this build cannot ask: it says so.

use shirase_shared::wire::SensorState;
use tokio_util::sync::CancellationToken;

use super::{PRINTING, PrintingParts};

/// Says so and returns.
#[expect(clippy::unused_async, reason = "the face is the same on every system")]
pub(super) async fn run(parts: PrintingParts, _stop: CancellationToken) {
    let detail = "this build sees no print jobs on this system";
    parts.board.set(PRINTING, SensorState::Blind, detail);
}
