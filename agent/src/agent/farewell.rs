//! Asks for what the agent is being stopped, while the stages already come down.

use std::time::Duration;

use shirase_shared::event::StopCause;

use crate::paths::StateDir;
use crate::sensors::units::{self, Bus, Traces};
use crate::service;

/// How long the question may take: the collector hears of the stop after it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Returns for what the agent is being stopped; a service manager that does not answer in time says nothing.
pub(super) async fn cause(state: StateDir) -> StopCause {
    let traces =
        Traces { replaced: service::program_replaced(), leaving: state.leaving().exists() };

    units::stop_cause(Bus::System, traces, PATIENCE).await
}
