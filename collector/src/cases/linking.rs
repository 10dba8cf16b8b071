//! Which case a thread could belong to. The machine proposes, a person links.

use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::CaseId;

use super::record::CaseFile;
use crate::exchange::partner::PartnerId;
use crate::institutions::Institution;

/// How far apart hearing of an incident and a package about it may be.
const WINDOW: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A case a thread could belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Which.
    pub case: CaseId,
    /// How long after hearing of it the thread began; negative if before.
    pub after: SignedDuration,
}

/// Returns the institutions in the register that correspond to a partner.
#[must_use]
pub fn institutions_of<'a>(
    partner: &PartnerId,
    institutions: &'a [Institution],
) -> Vec<&'a Institution> {
    let corresponds =
        |one: &&Institution| !one.is_closed() && one.details.partner.as_ref() == Some(partner);
    institutions.iter().filter(corresponds).collect()
}

/// Proposes open cases of the partner's institutions that became known at about the same time, the nearest first.
#[must_use]
pub fn propose(
    (partner, began, drill): (&PartnerId, Timestamp, bool),
    files: &[CaseFile],
    institutions: &[Institution],
) -> Vec<Proposal> {
    let there = institutions_of(partner, institutions);
    let mut proposals: Vec<Proposal> = files
        .iter()
        .filter(|file| file.is_open() && file.case.drill == drill)
        .filter(|file| there.iter().any(|one| one.id == file.case.institution))
        .map(|file| Proposal {
            case: file.case.id,
            after: began.duration_since(file.case.heard.at),
        })
        .filter(|proposal| proposal.after.abs() <= WINDOW)
        .collect();
    proposals.sort_by_key(|proposal| proposal.after.abs());
    proposals
}
