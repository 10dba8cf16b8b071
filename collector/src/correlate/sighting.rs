//! What a person noticed: an incident that no agent told of, or not yet.
//!
//! In Handa (2021), Osaka (2022) and Musashi-Kosugi (2026) printers, clerks and nurses noticed first. What they say opens
//! an incident by hand; it becomes a conclusion like those of the rules, so that everything that follows is the same road.
//!
//! Always holds: the words are a person's and name that person; nothing ever changes them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::event::Severity;
use shirase_shared::ids::{CaseId, DrillId, FacilityId, HostId};

use super::conclusion::{Conclusion, NaturalKey, Reason, Rule};
use crate::exchange::{line_problem, text_problem};
use crate::facilities::CareRole;
use crate::tables::choices;

/// Longest subject, and longest word about who noticed it, in characters.
pub const SIGHTING_LINE_MAX_CHARS: usize = 200;
/// Longest text, in characters.
pub const SIGHTING_TEXT_MAX_CHARS: usize = 2_000;

choices! {
    /// How the institution came to know.
    SightingWay {
        /// 職員が気づいた
        Staff "staff" "sighting-way-staff";
        /// 保守事業者からの連絡
        Vendor "vendor" "sighting-way-vendor";
        /// 警察からの連絡
        Police "police" "sighting-way-police";
        /// 患者、取引先、他機関、報道など外部から
        Outside "outside" "sighting-way-outside";
        /// その他
        Other "other" "sighting-way-other";
    }
}

choices! {
    /// How much it matters, in the words of whoever enters it.
    SightingWeight {
        /// 診療が止まっている、又は攻撃と分かる
        Critical "critical" "sighting-weight-critical";
        /// 診療又は患者の情報に影響のおそれ
        High "high" "sighting-weight-high";
        /// 気になる
        Medium "medium" "sighting-weight-medium";
    }
}

impl SightingWeight {
    /// Returns the severity of what is concluded from it.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Critical => Severity::Critical,
            Self::High => Severity::High,
            Self::Medium => Severity::Medium,
        }
    }
}

/// What a person noticed, as it was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// One line: what the incident is called.
    pub subject: String,
    /// How the institution came to know.
    pub way: SightingWay,
    /// Who noticed it: a name or a post, such as 3階病棟看護師長.
    pub noticed_by: String,
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// What was noticed.
    pub what: String,
    /// What it is taken for: a choice of field 8; empty when nobody can say.
    #[serde(default)]
    pub kind: String,
    /// When it was entered.
    pub entered_at: Timestamp,
    /// The municipality's case it stands for.
    #[serde(default)]
    pub case: Option<CaseId>,
}

/// Where a sighting belongs and how much it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SightingPlace {
    /// The servers it is about, as far as these have an agent.
    pub hosts: BTreeSet<HostId>,
    /// What those do for care.
    pub care_roles: BTreeSet<CareRole>,
    /// How much it matters.
    pub weight: SightingWeight,
    /// Set when it is an exercise.
    pub drill: Option<DrillId>,
}

/// Why a sighting cannot stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SightingProblem {
    /// The subject is missing, too long, or hides something.
    #[error("the subject is missing, too long, or holds characters that cannot be seen")]
    Subject,
    /// Who noticed it is missing, too long, or hides something.
    #[error("who noticed it is missing, too long, or holds characters that cannot be seen")]
    NoticedBy,
    /// The text is missing, too long, or hides something.
    #[error("what was noticed is missing, too long, or holds characters that cannot be seen")]
    What,
    /// It was noticed later than now.
    #[error("the time lies ahead")]
    Ahead,
}

impl SightingProblem {
    /// Returns the key of what a page says about it.
    #[must_use]
    pub const fn text_key(self) -> &'static str {
        match self {
            Self::Subject => "sighting-wrong-subject",
            Self::NoticedBy => "sighting-wrong-noticed-by",
            Self::What => "sighting-wrong-what",
            Self::Ahead => "sighting-wrong-ahead",
        }
    }
}

impl Sighting {
    /// Checks what a person entered.
    ///
    /// # Errors
    /// Says what cannot stand.
    pub fn check(&self) -> Result<(), SightingProblem> {
        let bad_line = |text: &str| line_problem(text, SIGHTING_LINE_MAX_CHARS).is_some();
        if bad_line(&self.subject) {
            return Err(SightingProblem::Subject);
        }
        if bad_line(&self.noticed_by) {
            return Err(SightingProblem::NoticedBy);
        }
        let hidden = text_problem(&self.what, SIGHTING_TEXT_MAX_CHARS).is_some();
        if self.what.trim().is_empty() || hidden {
            return Err(SightingProblem::What);
        }
        if self.entered_at < self.noticed_at {
            return Err(SightingProblem::Ahead);
        }

        Ok(())
    }

    /// Returns what is concluded from it. `key` names it for ever among the facility's conclusions.
    #[must_use]
    pub fn conclude(self, facility: &FacilityId, key: &str, place: SightingPlace) -> Conclusion {
        Conclusion {
            natural_key: NaturalKey::new(format!("sighting/{key}")),
            rule: Rule::Sighting,
            severity: place.weight.severity(),
            facility: facility.clone(),
            hosts: place.hosts,
            records: BTreeSet::new(),
            about: None,
            parts: BTreeSet::new(),
            first_at: self.noticed_at,
            last_at: self.noticed_at,
            drill: place.drill,
            sources: BTreeSet::new(),
            care_roles: place.care_roles,
            reason: Reason::Sighting { sighting: self },
        }
    }
}
