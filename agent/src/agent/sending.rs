//! Runs the uplink; one that cannot begin is tried again, because watching and keeping go on without it.

use std::time::Duration;

use shirase_shared::error::Chain;
use shirase_shared::policy::{PolicyName, SignedPolicy};
use shirase_shared::wire::{SensorState, SignedOrder};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::shared::Shared;
use crate::uplink;

/// Pause before an uplink that could not begin is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(60);
/// Name of the uplink on the board, where it stands only while it cannot begin.
const NAME: &str = "uplink";

/// The stage that sends.
pub(super) struct Sending {
    pub(super) shared: Shared,
    pub(super) orders: mpsc::Sender<SignedOrder>,
    pub(super) policies: mpsc::Sender<(PolicyName, SignedPolicy)>,
}

impl Sending {
    /// Sends until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let parts = self
                .shared
                .uplink_parts(self.orders.clone(), self.policies.clone());
            match uplink::run(parts, stop.clone()).await {
                Ok(()) => return,
                Err(error) => {
                    let why = Chain(&error).to_string();
                    tracing::error!(
                        error = why,
                        "the uplink cannot begin; events are kept until it can"
                    );
                    self.shared.board.set(NAME, SensorState::Blind, why);
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(RETRY_PAUSE) => {}
            }
        }
    }
}
