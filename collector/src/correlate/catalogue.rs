//! The list of all rules, in the order they run.

use super::conclusion::{Conclusion, Rule};
use super::input::Facts;
use super::rules::{
    care_outage, fork, intrusion, loss, mass_change, outage, pressure, ransomware_impact,
    silent_host, spreading,
};

/// One rule and how it runs.
pub struct RuleEntry {
    /// Which.
    pub rule: Rule,
    pub(super) run: Run,
}

/// What a rule looks at.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// The input alone.
    Alone(fn(&Facts<'_>) -> Vec<Conclusion>),
    /// The input and what the rules of the first kind concluded, now or in earlier runs.
    Upon(fn(&Facts<'_>, &[Conclusion]) -> Vec<Conclusion>),
}

/// Every rule. The tests walk this table: each rule has a fixture that fires and one that does not.
pub const CATALOGUE: &[RuleEntry] = &[
    RuleEntry { rule: Rule::MassChange, run: Run::Alone(mass_change::run) },
    RuleEntry { rule: Rule::CareOutage, run: Run::Alone(care_outage::run) },
    RuleEntry { rule: Rule::Outage, run: Run::Alone(outage::run) },
    RuleEntry { rule: Rule::SilentHost, run: Run::Alone(silent_host::run) },
    RuleEntry { rule: Rule::Fork, run: Run::Alone(fork::run) },
    RuleEntry { rule: Rule::Logon, run: Run::Alone(intrusion::logon) },
    RuleEntry { rule: Rule::PrintBurst, run: Run::Alone(intrusion::print_burst) },
    RuleEntry { rule: Rule::ServicesStopped, run: Run::Alone(intrusion::services_stopped) },
    RuleEntry { rule: Rule::ProtectionLoss, run: Run::Alone(intrusion::protection_loss) },
    RuleEntry { rule: Rule::BackupLoss, run: Run::Alone(intrusion::backup_loss) },
    RuleEntry { rule: Rule::Loss, run: Run::Alone(loss::run) },
    RuleEntry { rule: Rule::Pressure, run: Run::Alone(pressure::run) },
    RuleEntry { rule: Rule::Spreading, run: Run::Upon(spreading::run) },
    RuleEntry { rule: Rule::RansomwareImpact, run: Run::Upon(ransomware_impact::run) },
];
