//! The incident a case stands for, so that the municipality's reports take the road of every report.

use jiff::Timestamp;
use std::collections::BTreeSet;

use super::{Case, CaseFile};
use crate::correlate::{
    Conclusion, NaturalKey, SIGHTING_TEXT_MAX_CHARS, Sighting, SightingPlace, SightingWay,
    SightingWeight,
};
use shirase_shared::ids::{CaseId, DrillId};

/// What the natural key of a case's conclusion begins with.
const KEY: &str = "case";

impl CaseFile {
    /// Returns what is concluded from the case: what the municipality heard, at the moment it heard it.
    #[must_use]
    pub fn conclude(&self) -> Conclusion {
        let case = &self.case;
        let sighting = Sighting {
            subject: case.subject.clone(),
            way: SightingWay::Outside,
            noticed_by: case.heard.from.clone(),
            noticed_at: earlier(case),
            what: case
                .heard
                .what
                .chars()
                .take(SIGHTING_TEXT_MAX_CHARS)
                .collect(),
            kind: String::new(),
            entered_at: case.opened_at,
            case: Some(case.id),
        };
        let place = SightingPlace {
            hosts: BTreeSet::new(),
            care_roles: BTreeSet::new(),
            weight: SightingWeight::High,
            drill: case.drill.then(|| DrillId::from_uuid(case.id.as_uuid())),
        };
        sighting.conclude(&case.facility, &format!("{KEY}/{}", case.id), place)
    }
}

/// Returns the natural key of the conclusion a case leads to.
#[must_use]
pub fn conclusion_of(case: CaseId) -> NaturalKey {
    NaturalKey::new(format!("sighting/{KEY}/{case}"))
}

/// When it was heard; a clock that was set back since must not make that lie ahead.
fn earlier(case: &Case) -> Timestamp {
    case.heard.at.min(case.opened_at)
}
