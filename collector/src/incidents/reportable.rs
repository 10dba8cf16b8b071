//! Whether a report to the ministry could be due: a pure decision with its grounds.
//!
//! It decides only that a draft is prepared. Whether the draft is sent is for a named person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shirase_shared::event::Severity;

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
            // Never a ground; the names are there so that a new rule has to be decided on here.
            Rule::Pressure | Rule::Loss | Rule::Outage | Rule::Fork | Rule::SilentHost => {
                "reportable-no"
            }
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
        // A full disk, a blind sensor, a copied agent or a silent host may each have a harmless cause; together with
        // a mass change they are a part of one of the rules above.
        Rule::Pressure | Rule::Loss | Rule::Outage | Rule::Fork | Rule::SilentHost => false,
    }
}
