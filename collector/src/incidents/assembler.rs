//! Turns conclusions into incidents: one story, one incident.
//!
//! ```text
//! conclusions ──┬─ owned by a closed incident ─▶ stay there: `Update`, never a reopening
//!               └─ free ─▶ links ─▶ stories ─┬─ no incident yet ─▶ Open
//!                                            ├─ one              ─▶ Attach, Update, Restate
//!                                            └─ several          ─▶ Merge into the one with the lowest number
//! ```
//!
//! Always holds:
//! - pure: conclusions, stored incidents and people's decisions in, changes out; a second run finds nothing to do;
//! - more conclusions only ever add links, so stories grow and join and never part: whatever the order in which late
//!   batches arrive, or how many collectors run, the end is the same;
//! - what a person closed takes nothing new into itself but more of what it holds already.

mod links;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use ring::digest;
use shirase_shared::event::Severity;
use shirase_shared::ids::{DrillId, FacilityId, IncidentId};

use super::{Incident, Status};
use crate::correlate::{Conclusion, NaturalKey, Rule};

/// One thing to change so that the stored incidents fit the conclusions.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A story nobody has an incident for.
    Open {
        /// Its identity, made from its first conclusion.
        incident: IncidentId,
        /// What it is called and how much it matters.
        standing: Standing,
        /// The drill all of it belongs to.
        drill: Option<DrillId>,
        /// What it stands on.
        conclusions: Vec<Conclusion>,
    },
    /// A new conclusion belongs to a stored incident.
    Attach {
        /// To which.
        incident: IncidentId,
        /// Which.
        conclusion: Conclusion,
    },
    /// A known conclusion says more than before.
    Update {
        /// Of which incident.
        incident: IncidentId,
        /// What it says now.
        conclusion: Conclusion,
        /// Whether it matters more than before.
        weight: Weight,
    },
    /// An incident matters more, is named by another rule, or began earlier than was known.
    Restate {
        /// Which.
        incident: IncidentId,
        /// How it stood.
        from: Standing,
        /// How it stands.
        to: Standing,
    },
    /// Two incidents turned out to be one story.
    Merge {
        /// The one that ends.
        from: IncidentId,
        /// The one that goes on.
        into: IncidentId,
    },
}

/// What an incident is called and how much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The rule of the weightiest conclusion.
    pub rule: Rule,
    /// The highest severity.
    pub severity: Severity,
    /// Corrected time of the first change.
    pub first_at: Timestamp,
}

/// Whether a conclusion that says more also matters more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As before.
    Same,
    /// Its severity rose.
    Heavier,
}

impl Change {
    /// Returns the incident people should look at because of it.
    #[must_use]
    pub const fn incident(&self) -> IncidentId {
        match self {
            Self::Open { incident, .. }
            | Self::Attach { incident, .. }
            | Self::Update { incident, .. }
            | Self::Restate { incident, .. } => *incident,
            Self::Merge { into, .. } => *into,
        }
    }
}

/// Returns the conclusion that names a story: the most severe, then the weightiest rule, then the earliest.
pub(crate) fn weightiest<'a>(
    conclusions: impl Iterator<Item = &'a Conclusion>,
) -> Option<&'a Conclusion> {
    conclusions.max_by(|a, b| {
        let weight = |c: &Conclusion| (c.severity, c.rule);
        weight(a)
            .cmp(&weight(b))
            .then_with(|| b.first_at.cmp(&a.first_at))
            .then_with(|| b.natural_key.cmp(&a.natural_key))
    })
}

/// Returns what has to change so that `stored` fits `conclusions`.
///
/// `stored` must hold every live incident of the facility and every incident that owns one of the conclusions.
/// `window` is how far apart in time happenings on one host may lie and still be one story.
#[must_use]
pub fn assemble(
    conclusions: &[Conclusion],
    stored: &[Incident],
    window: SignedDuration,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut board = Board::of(conclusions, stored);
    board.settle(&mut changes);
    for story in links::stories(&board.free, &board.owners, window) {
        board.tell(&story, &mut changes);
    }

    changes
}

/// What the assembler works on.
struct Board<'a> {
    incidents: BTreeMap<IncidentId, &'a Incident>,
    /// Which incident owns a stored conclusion.
    owners: BTreeMap<NaturalKey, IncidentId>,
    /// Stored conclusions as they were.
    before: BTreeMap<NaturalKey, &'a Conclusion>,
    /// Every conclusion, stored or new, as it is now; those of closed incidents leave in [`Board::settle`].
    free: BTreeMap<NaturalKey, Conclusion>,
}

impl<'a> Board<'a> {
    fn of(conclusions: &[Conclusion], stored: &'a [Incident]) -> Self {
        let mut board = Self {
            incidents: stored
                .iter()
                .map(|incident| (incident.id, incident))
                .collect(),
            owners: BTreeMap::new(),
            before: BTreeMap::new(),
            free: BTreeMap::new(),
        };
        for incident in stored {
            for conclusion in &incident.conclusions {
                board
                    .owners
                    .insert(conclusion.natural_key.clone(), incident.id);
                board
                    .before
                    .insert(conclusion.natural_key.clone(), conclusion);
                board
                    .free
                    .insert(conclusion.natural_key.clone(), conclusion.clone());
            }
        }
        for newer in conclusions {
            match board.free.get_mut(&newer.natural_key) {
                Some(known) => known.absorb(newer.clone()),
                None => {
                    board.free.insert(newer.natural_key.clone(), newer.clone());
                }
            }
        }

        board
    }

    fn status_of(&self, key: &NaturalKey) -> Option<Status> {
        let owner = self.owners.get(key)?;
        self.incidents.get(owner).map(|incident| incident.status)
    }

    /// Whether a person ended the incident that owns this conclusion.
    fn is_settled(&self, key: &NaturalKey) -> bool {
        self.status_of(key).is_some_and(|status| !status.is_live())
    }

    /// Leaves with closed incidents what is theirs: their own conclusions, and composite ones that say nothing but
    /// what a person has decided on already.
    fn settle(&mut self, changes: &mut Vec<Change>) {
        let settled: Vec<NaturalKey> = self
            .free
            .keys()
            .filter(|key| self.is_settled(key))
            .cloned()
            .collect();
        let swallowed: Vec<(NaturalKey, IncidentId)> = self
            .free
            .values()
            .filter_map(|conclusion| {
                let owner = self.settled_owner(conclusion)?;
                Some((conclusion.natural_key.clone(), owner))
            })
            .collect();
        for key in settled {
            let Some(conclusion) = self.free.remove(&key) else { continue };
            let Some(owner) = self.owners.get(&key).copied() else { continue };
            self.update(owner, conclusion, changes);
        }
        for (key, incident) in swallowed {
            let Some(conclusion) = self.free.remove(&key) else { continue };
            changes.push(Change::Attach { incident, conclusion });
        }
    }

    /// Returns the ended incident a new composite conclusion belongs to: that of a burst a person called a false alarm,
    /// or that of its burst if a person has ended everything it stands on.
    fn settled_owner(&self, conclusion: &Conclusion) -> Option<IncidentId> {
        if self.owners.contains_key(&conclusion.natural_key) {
            return None;
        }
        let about = conclusion.about.as_ref()?;
        let owner = self.owners.get(about).copied()?;
        let is_over = match self.status_of(about)? {
            Status::FalseAlarm => true,
            Status::Closed => conclusion.parts.iter().all(|part| self.is_settled(part)),
            Status::Open | Status::Acknowledged | Status::Merged => false,
        };

        is_over.then_some(owner)
    }

    /// Says what has to change for one story.
    fn tell(&self, story: &BTreeSet<NaturalKey>, changes: &mut Vec<Change>) {
        let told: Vec<&Conclusion> = story.iter().filter_map(|key| self.free.get(key)).collect();
        let Some(standing) = standing(&told) else { return };
        let mut owners: Vec<&Incident> = story
            .iter()
            .filter_map(|key| self.incidents.get(self.owners.get(key)?).copied())
            .collect();
        owners.sort_by_key(|incident| incident.number);
        owners.dedup_by_key(|incident| incident.number);
        let Some(survivor) = owners.first() else {
            let Some(first) = told.first() else { return };
            changes.push(Change::Open {
                incident: incident_id(&first.facility, &first.natural_key),
                standing,
                drill: first.drill,
                conclusions: told.into_iter().cloned().collect(),
            });
            return;
        };
        for other in owners.iter().skip(1) {
            changes.push(Change::Merge { from: other.id, into: survivor.id });
        }
        for conclusion in told {
            if self.owners.contains_key(&conclusion.natural_key) {
                self.update(survivor.id, conclusion.clone(), changes);
            } else {
                let conclusion = conclusion.clone();
                changes.push(Change::Attach { incident: survivor.id, conclusion });
            }
        }
        let from = Standing {
            rule: survivor.rule,
            severity: survivor.severity,
            first_at: survivor.first_at,
        };
        if from != standing {
            changes.push(Change::Restate { incident: survivor.id, from, to: standing });
        }
    }

    fn update(&self, incident: IncidentId, conclusion: Conclusion, changes: &mut Vec<Change>) {
        let Some(before) = self.before.get(&conclusion.natural_key) else { return };
        if **before == conclusion {
            return;
        }
        let weight =
            if before.severity < conclusion.severity { Weight::Heavier } else { Weight::Same };
        changes.push(Change::Update { incident, conclusion, weight });
    }
}

fn standing(told: &[&Conclusion]) -> Option<Standing> {
    let named_by = weightiest(told.iter().copied())?;
    Some(Standing {
        rule: named_by.rule,
        severity: named_by.severity,
        first_at: told.iter().map(|conclusion| conclusion.first_at).min()?,
    })
}

/// Makes the identity of an incident from the conclusion that opened it, so that two collectors that open the same
/// story at once open the same incident.
fn incident_id(facility: &FacilityId, first: &NaturalKey) -> IncidentId {
    let text = format!("shirase-incident-1\n{facility}\n{first}");
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut bytes = [0_u8; 16];
    for (byte, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *byte = *from;
    }

    IncidentId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests;
