//! Events in which the agent speaks about itself.

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::{
    AgentState, Anomaly, Budget, Event, Loss, Phase, Protection, ProtectionKind, SCHEMA, Severity,
    StopCause,
};
use shirase_shared::ids::DrillId;

/// Makes an event about the agent's own state.
pub(crate) fn agent(state: AgentState, at: Moment) -> Event {
    let (severity, reason) = words(&state);
    event(Anomaly::Agent(state), severity, reason, at)
}

/// Makes an event about the agent's own state in the course of a drill.
pub(crate) fn in_drill(state: AgentState, drill: DrillId, at: Moment) -> Event {
    Event { drill: Some(drill), ..agent(state, at) }
}

/// Makes the event that the agent's last life ended by force.
pub(crate) fn killed(last_alive: Option<Timestamp>, at: Moment) -> Event {
    let last = last_alive.map_or_else(String::new, |at| format!("; last sign of life at {at}"));
    let reason =
        format!("the agent was ended by force or broke off, and nobody had asked it to stop{last}");
    let protection = Protection {
        what: ProtectionKind::OwnServiceKilled,
        name: env!("CARGO_PKG_NAME").to_owned(),
        detail: String::new(),
    };

    event(Anomaly::Protection(protection), Severity::Medium, reason, at)
}

/// Makes an event about something the agent itself lost or could not do.
pub(crate) fn loss(loss: Loss, severity: Severity, reason: String, at: Moment) -> Event {
    event(Anomaly::Loss(loss), severity, reason, at)
}

fn event(anomaly: Anomaly, severity: Severity, reason: String, moment: Moment) -> Event {
    Event {
        schema: SCHEMA,
        anomaly,
        phase: Phase::Once,
        burst: None,
        severity,
        detected_at: moment.wall,
        first_change_at: None,
        moment,
        root: None,
        files_affected: 0,
        reason,
        drill: None,
    }
}

fn words(state: &AgentState) -> (Severity, String) {
    match state {
        AgentState::Started { version, after_reboot, last_alive } => {
            (Severity::Low, started(version, *after_reboot, *last_alive))
        }
        AgentState::Stopping { cause } => {
            (Severity::Low, format!("the agent was asked to stop{}", purpose(*cause)))
        }
        AgentState::ConfigInvalid { problems } => (
            Severity::Medium,
            format!(
                "the configuration file is invalid ({}); the last good one stays in force",
                problems.first().map_or("no particulars", String::as_str)
            ),
        ),
        AgentState::ConfigLoaded => (Severity::Low, "a new configuration is in force".to_owned()),
        AgentState::DrillStarted => (Severity::Low, "an ordered drill began (訓練)".to_owned()),
        AgentState::DrillEnded { files } => {
            (Severity::Low, format!("the drill's {files} dummy files are gone again (訓練)"))
        }
        AgentState::OrderRefused { why } => {
            (Severity::Medium, format!("an order of the collector was refused: {why}"))
        }
        AgentState::Contained { actor, processes, detail } => {
            let processes = counted(*processes);
            (Severity::High, format!("{processes} of `{}` suspended: {detail}", actor.program))
        }
        AgentState::Released { processes, detail } => {
            (Severity::Medium, format!("{} let run again: {detail}", counted(*processes)))
        }
        AgentState::BudgetReached { budget, used, limit } => {
            let unit = match budget {
                Budget::CpuPercent => "% of one processor core",
                Budget::MemoryMib => "MiB of memory",
            };
            (Severity::Low, format!("the agent uses {used} {unit}; its budget is {limit}"))
        }
    }
}

const fn purpose(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Restart => " and to start again",
        StopCause::Upgrade => " for another version",
        StopCause::Removal => ": its package is being removed",
        StopCause::Reboot => ": the machine starts anew",
        StopCause::Shutdown => ": the machine is switched off",
        StopCause::Unsaid => "",
    }
}

fn counted(processes: u64) -> String {
    format!("{processes} {}", if processes == 1 { "process" } else { "processes" })
}

fn started(version: &str, after_reboot: bool, last_alive: Option<Timestamp>) -> String {
    let reboot = if after_reboot { " after a restart of the machine" } else { "" };
    let before = last_alive.map_or_else(
        || ", for the first time".to_owned(),
        |at| format!("; last sign of life at {at}"),
    );

    format!("the agent {version} started{reboot}{before}")
}
