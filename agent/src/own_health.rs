//! Watches the agent itself: processor time and memory against its budgets, the buffer, the last answer.
//!
//! Always holds: reaching a budget is told once, and again only after use fell well below it; it stops nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::event::{AgentState, Budget, Event};
use shirase_shared::wire::SensorState;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::buffer::Buffer;
use crate::config::{AgentConfig, Config};
use crate::own_events;
use crate::sensors::SensorBoard;
use crate::service::{self, OwnUse};
use crate::shown::Bytes;
use crate::uplink::UplinkBoard;

/// Name of this sensor on the board.
const NAME: &str = "own_health";
/// Pause between two looks.
const PERIOD: Duration = Duration::from_secs(10);
/// Looks over which processor time is averaged: a minute.
const LOOKS: usize = 7;
/// Share of a budget below which it counts as kept again, in per cent.
const KEPT_AGAIN_PERCENT: u64 = 80;
/// Share of the buffer's limit from which this sensor is not well, in per cent.
const BUFFER_FULL_PERCENT: u64 = 75;

/// What the sensor needs.
pub(crate) struct OwnHealth {
    pub(crate) clock: SharedClock,
    pub(crate) board: SensorBoard,
    pub(crate) buffer: Buffer,
    pub(crate) uplink: UplinkBoard,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) in_force: watch::Receiver<Arc<Config>>,
}

impl OwnHealth {
    /// Looks every ten seconds until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut meter = Meter::default();
        while !stop.is_cancelled() {
            self.look(&mut meter).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    async fn look(&self, meter: &mut Meter) {
        let moment = self.clock.moment();
        let taken = match service::own_use() {
            Ok(taken) => taken,
            Err(error) => {
                self.board
                    .set(NAME, SensorState::Blind, format!("own use is not told: {error}"));
                return;
            }
        };
        let budgets = self.in_force.borrow().agent.clone();
        let found = meter.observe(moment.monotonic_ms, taken, &budgets);
        let level = self.buffer.level();
        let share = level.used_bytes.saturating_mul(100) / level.limit_bytes.max(1);
        let well = meter.over.is_empty() && share < BUFFER_FULL_PERCENT;
        let detail = format!(
            "{} % of a core, {}; buffer {share} % full; collector answered {}",
            found.cpu_percent,
            Bytes(taken.memory_bytes),
            answered(self.uplink.read().last_heartbeat, moment.wall)
        );
        let state = if well { SensorState::Well } else { SensorState::Degraded };
        self.board.set(NAME, state, detail);
        for reached in found.reached {
            let event = own_events::agent(reached, moment);
            tracing::warn!("{}", event.reason);
            // A closed channel means that the agent is stopping.
            drop(self.events.send(event).await);
        }
    }
}

fn answered(last: Option<Timestamp>, now: Timestamp) -> String {
    match last {
        Some(at) => format!("{} s ago", now.duration_since(at).as_secs().max(0)),
        None => "not yet".to_owned(),
    }
}

/// Averages use and remembers which budgets are reached.
#[derive(Default)]
struct Meter {
    /// Monotonic time and processor time of the last looks, in milliseconds.
    looks: VecDeque<(u64, u64)>,
    over: Vec<Budget>,
}

/// What one look found.
#[derive(Debug, PartialEq)]
struct Found {
    cpu_percent: u64,
    /// Budgets that were kept until now.
    reached: Vec<AgentState>,
}

impl Meter {
    fn observe(&mut self, now_ms: u64, taken: OwnUse, budgets: &AgentConfig) -> Found {
        if self.looks.len() == LOOKS {
            self.looks.pop_front();
        }
        self.looks.push_back((now_ms, taken.cpu_ms));
        let cpu_percent = self.looks.front().map_or(0, |(first_ms, first_cpu)| {
            let passed = now_ms.saturating_sub(*first_ms).max(1);
            taken.cpu_ms.saturating_sub(*first_cpu).saturating_mul(100) / passed
        });
        let uses = [
            (Budget::CpuPercent, cpu_percent, u64::from(budgets.cpu_budget_percent)),
            (Budget::MemoryMib, taken.memory_bytes >> 20, budgets.memory_budget_mib),
        ];
        let mut reached = Vec::new();
        for (budget, used, limit) in uses {
            let was_over = self.over.contains(&budget);
            if 0 < limit && limit <= used && !was_over {
                self.over.push(budget);
                reached.push(AgentState::BudgetReached { budget, used, limit });
            } else if was_over
                && used.saturating_mul(100) < limit.saturating_mul(KEPT_AGAIN_PERCENT)
                || limit == 0
            {
                self.over.retain(|over| *over != budget);
            }
        }

        Found { cpu_percent, reached }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reached_budget_is_told_once_until_use_fell_well_below_it() {
        let budgets = AgentConfig {
            cpu_budget_percent: 25,
            memory_budget_mib: 100,
            ..AgentConfig::default()
        };
        let mut meter = Meter::default();
        let mut cpu_ms = 0;
        let mut told = Vec::new();
        // Ten seconds a step: per cent of a core used in it, and MiB of memory.
        for (step, (cpu, mib)) in (0_u64..).zip([
            (0, 50),
            (10, 50),
            (60, 50),
            (60, 101),
            (60, 99),
            (60, 101),
            (0, 79),
            (0, 101),
        ]) {
            cpu_ms += cpu * 100;
            let taken = OwnUse { cpu_ms, memory_bytes: mib << 20 };
            for state in meter.observe(step * 10_000, taken, &budgets).reached {
                let AgentState::BudgetReached { budget, .. } = state else { panic!("{state:?}") };
                told.push((step, budget));
            }
        }
        let expected = [(2, Budget::CpuPercent), (3, Budget::MemoryMib), (7, Budget::MemoryMib)];
        assert_eq!(told, expected);
    }

    #[test]
    fn without_a_budget_nothing_is_told() {
        let budgets =
            AgentConfig { cpu_budget_percent: 0, memory_budget_mib: 0, ..AgentConfig::default() };
        let taken = OwnUse { cpu_ms: 1_000_000, memory_bytes: 1 << 40 };
        assert!(
            Meter::default()
                .observe(1000, taken, &budgets)
                .reached
                .is_empty()
        );
    }
}
