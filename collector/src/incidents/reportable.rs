//! Whether a report to the ministry could be due: a pure decision with its grounds.
//!
//! It decides only that a draft is prepared. Whether the draft is sent is for a named person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shirase_shared::event::{Anomaly, BackupKind, Severity};

use crate::correlate::{Conclusion, NaturalKey, Reason, Rule, Worst};

/// Whether a report could be due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reportable", content = "grounds", rename_all = "snake_case")]
pub enum Reportable {
    /// It could, on these grounds: at least one, the weightiest rule first.
    Yes(Vec<Ground>),
    /// Nothing of it could be an attack on, or a loss for, care.
    No,
}

/// Why a report could be due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// The rule that gives it.
    pub rule: Rule,
    /// The conclusions it stands on.
    pub conclusions: BTreeSet<NaturalKey>,
}

impl Ground {
    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn text_key(&self) -> &'static str {
        match self.rule {
            Rule::RansomwareImpact => "reportable-ransomware-impact",
            Rule::Spreading => "reportable-spreading",
            Rule::MassChange => "reportable-mass-change",
            Rule::CareOutage => "reportable-care-outage",
            Rule::BackupLoss => "reportable-backup-loss",
            Rule::PrintBurst => "reportable-print-burst",
            Rule::Sighting => "reportable-sighting",
            // Never a ground; the names are there so that a new rule has to be decided on here.
            Rule::Pressure
            | Rule::Loss
            | Rule::Outage
            | Rule::Fork
            | Rule::SilentHost
            | Rule::Logon
            | Rule::ServicesStopped
            | Rule::ProtectionLoss => "reportable-no",
        }
    }
}

/// Decides whether a report could be due over these conclusions of one incident.
#[must_use]
pub fn is_reportable(conclusions: &[Conclusion]) -> Reportable {
    let grounds: Vec<Ground> = Rule::ALL
        .into_iter()
        .rev()
        .filter_map(|rule| {
            let counting = conclusions.iter().filter(|c| c.rule == rule && counts(c));
            let conclusions: BTreeSet<_> = counting.map(|c| c.natural_key.clone()).collect();
            (!conclusions.is_empty()).then_some(Ground { rule, conclusions })
        })
        .collect();

    if grounds.is_empty() { Reportable::No } else { Reportable::Yes(grounds) }
}

fn counts(conclusion: &Conclusion) -> bool {
    match conclusion.rule {
        Rule::RansomwareImpact | Rule::Spreading => true,
        Rule::MassChange => Severity::High <= conclusion.severity,
        // An agent says "down" only once the grace of the target is over.
        Rule::CareOutage => {
            matches!(conclusion.reason, Reason::Outage { worst: Worst::Down, .. })
        }
        // Nobody needs a report over a backup that is late. Lost ones decide whether care can be restored.
        Rule::BackupLoss => Severity::High <= conclusion.severity && !is_late(&conclusion.reason),
        // Handa, 2021: the printers told of the attack before anyone else did.
        Rule::PrintBurst => Severity::High <= conclusion.severity,
        // Whoever entered it says that care or patients' data may be affected: that is the notice's threshold.
        Rule::Sighting => Severity::High <= conclusion.severity,
        // A full disk, a blind sensor, a copied agent or a silent host may each have a harmless cause, and so may a forgotten
        // password or a service that was switched off; together with a mass change they are a part of its incident.
        Rule::Pressure
        | Rule::Loss
        | Rule::Outage
        | Rule::Fork
        | Rule::SilentHost
        | Rule::Logon
        | Rule::ServicesStopped
        | Rule::ProtectionLoss => false,
    }
}

fn is_late(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Intrusion { evidence: Anomaly::Backup(backup), .. }
            if backup.what == BackupKind::JobOverdue
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::correlate;
    use crate::correlate::fixtures::scene;

    #[test]
    fn a_draft_is_for_what_could_be_an_attack_or_a_loss_for_care() {
        check("0 ehr1 change a 300 high .x", "mass_change");
        check("0 ehr1 change a 30 medium .x", "");
        check("0 ehr1 down pg o", "care_outage");
        check("0 ehr1 down pg o\n9 ehr1 up pg o", "care_outage");
        check("0 ehr1 change a 30 medium .x\n9 ehr2 change b 30 medium .x", "spreading");
        check(
            "0 ehr1 change a 300 high .x\n9 ehr2 down pg o",
            "ransomware_impact mass_change care_outage",
        );
        check("0 ehr1 change a 300 high .x drill", "mass_change");
        check("0 backup1 backup harmed", "backup_loss");
        check("0 ehr1 print", "print_burst");
    }

    #[test]
    fn there_is_none_for_a_full_disk_a_loss_a_fork_a_flapping_service_or_silence() {
        for night in [
            "0 ehr1 disk",
            "0 ehr1 clock",
            "0 ehr1 loss",
            "0 ehr1 fork 7",
            "0 ehr1 unread later",
            "0 ehr1 flap pg o",
            "0 ehr1 up pg o",
            "0 misc1 down cups o",
            "0 backup1 down bareos o",
            "0 backup1 backup late",
            "0 ehr1 logon",
            "0 ehr1 stops",
            "0 ehr1 unguarded",
            "0 ehr1 heard\n100 ehr2 heard",
        ] {
            assert!(!correlate(&scene(night)).is_empty(), "{night}");
            check(night, "");
        }
    }

    #[track_caller]
    fn check(night: &str, expected: &str) {
        let grounds = match is_reportable(&correlate(&scene(night))) {
            Reportable::Yes(grounds) => grounds,
            Reportable::No => Vec::new(),
        };
        let rules: Vec<&str> = grounds.iter().map(|ground| ground.rule.as_str()).collect();
        assert_eq!(rules.join(" "), expected, "{night}");
    }
}
