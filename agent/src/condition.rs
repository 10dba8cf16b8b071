//! What the agent knows about itself at this moment: shared by those who learn it and those who tell it.
//!
//! Always holds: bounded; nothing here is needed to keep or to send an event.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use shirase_shared::event::Record;
use shirase_shared::ids::DrillId;
use shirase_shared::policy::PolicyReport;

/// Events remembered after they were kept, so that `explain` finds them when the collector has them already.
const RECENT_MAX: usize = 200;

/// Shared by its clones.
#[derive(Clone, Default)]
pub(crate) struct Condition(Arc<Mutex<Facts>>);

#[derive(Default)]
struct Facts {
    config_problems: Vec<String>,
    policy: PolicyReport,
    sources: Vec<String>,
    maintenance_until: Option<Timestamp>,
    drill: Option<DrillId>,
    recent: VecDeque<Record>,
}

impl Condition {
    /// Notes what is wrong with the configuration file; nothing, if it is in force.
    pub(crate) fn note_config(&self, problems: Vec<String>) {
        self.facts().config_problems = problems;
    }

    /// What is wrong with the configuration file.
    pub(crate) fn config_problems(&self) -> Vec<String> {
        self.facts().config_problems.clone()
    }

    /// Notes what is said of the policy, and where what is in force comes from, a line a key.
    pub(crate) fn note_policy(&self, policy: PolicyReport, sources: Vec<String>) {
        let mut facts = self.facts();
        facts.policy = policy;
        facts.sources = sources;
    }

    /// What is said of the policy.
    pub(crate) fn policy(&self) -> PolicyReport {
        self.facts().policy.clone()
    }

    /// Where what is in force comes from, a line a key.
    pub(crate) fn sources(&self) -> Vec<String> {
        self.facts().sources.clone()
    }

    /// Notes a maintenance window; a later end wins.
    pub(crate) fn note_maintenance(&self, until: Timestamp) {
        let mut facts = self.facts();
        facts.maintenance_until = facts.maintenance_until.max(Some(until));
    }

    /// When the maintenance window ends, if one is in force.
    pub(crate) fn maintenance_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.facts().maintenance_until.filter(|until| now < *until)
    }

    /// Notes which drill is being carried out.
    pub(crate) fn note_drill(&self, drill: Option<DrillId>) {
        self.facts().drill = drill;
    }

    /// Which drill is being carried out.
    pub(crate) fn drill(&self) -> Option<DrillId> {
        self.facts().drill
    }

    /// Remembers an event that was kept; the oldest is forgotten for it.
    pub(crate) fn remember(&self, record: Record) {
        let mut facts = self.facts();
        if RECENT_MAX <= facts.recent.len() {
            facts.recent.pop_front();
        }
        facts.recent.push_back(record);
    }

    /// The events remembered, oldest first.
    pub(crate) fn recent(&self) -> Vec<Record> {
        self.facts().recent.iter().cloned().collect()
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
