//! Incidents people open and join by hand.

use jiff::{SignedDuration, Timestamp};
use shirase_shared::event::Severity;
use shirase_shared::ids::{FacilityId, IncidentId, UserId};

use super::changes::Desk;
use super::incidents_for;
use crate::audit::{Actor, AuditEntry};
use crate::correlate::{Conclusion, NaturalKey};
use crate::incidents::assembler::assemble;
use crate::incidents::{Entry, Incident, Moment};
use crate::store::append_audit;
use crate::store::connect::{Store, StoreError, parsed};

/// Why two incidents are not joined. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// It is the same incident.
    #[error("an incident cannot become a part of itself")]
    Same,
    /// No incident of this facility has the number.
    #[error("there is no incident with this number")]
    NoSuchNumber,
    /// One of them is closed, called a false alarm, or a part of another already.
    #[error("both incidents must be open; reopen them first")]
    NotLive,
    /// One is an exercise's and the other is not.
    #[error("an exercise and a real incident are never joined")]
    Drill,
    /// The database failed.
    #[error("failed to join the incidents")]
    Store(#[from] StoreError),
}

impl JoinError {
    /// Returns the key of what a page says about it; `None` when the database failed.
    #[must_use]
    pub const fn text_key(&self) -> Option<&'static str> {
        match self {
            Self::Same => Some("join-refused-same"),
            Self::NoSuchNumber => Some("join-refused-number"),
            Self::NotLive => Some("join-refused-status"),
            Self::Drill => Some("join-refused-drill"),
            Self::Store(_) => None,
        }
    }
}

impl Store {
    /// Opens an incident over what a person noticed, and returns its identity.
    ///
    /// The moment at which the institution came to know is recorded with it where it could be reportable; the person
    /// can correct it. A second call with the same conclusion returns the incident that is there. Whoever calls tells
    /// the listeners (`Nudge::tell_incident`) after it.
    ///
    /// # Errors
    /// When the database fails: then nothing was changed.
    pub async fn open_incident(
        &self,
        conclusion: Conclusion,
        by: UserId,
        now: Timestamp,
    ) -> Result<IncidentId, StoreError> {
        let facility = conclusion.facility.clone();
        let mut tx = self.change().await?;
        let key = [&conclusion.natural_key].into_iter().collect();
        let stored = incidents_for(&mut tx, &facility, &key).await?;
        let holds = |incident: &&Incident| {
            let mut held = incident.conclusions.iter();
            held.any(|held| held.natural_key == conclusion.natural_key)
        };
        if let Some(there) = stored.iter().find(holds) {
            return Ok(there.id);
        }
        // With no other incident in view nothing is linked yet: whether it belongs to one is for the next run, or for
        // people, to say.
        let changes = assemble(std::slice::from_ref(&conclusion), &[], SignedDuration::ZERO);
        let mut desk = Desk { conn: &mut tx, facility: &facility, now, by: Some(by) };
        for change in &changes {
            desk.carry_out(change).await?;
        }
        let Some(incident) = changes.first().map(|change| change.incident()) else {
            return Err(StoreError::Missing("incident"));
        };
        if Severity::High <= conclusion.severity {
            let (moment, at) = (Moment::Aware, conclusion.first_at);
            let entry = Entry::Noted { moment, at, text: String::new() };
            desk.write(incident, Some(by), &entry).await?;
        }
        let logged = AuditEntry::new(now, Actor::User(by), "incident.opened_by_hand", incident)
            .of(&facility)
            .with("severity", conclusion.severity);
        append_audit(&mut tx, &logged).await?;
        self.commit_audited(tx).await?;

        Ok(incident)
    }

    /// Returns the incident that holds a conclusion, if one does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident_holding(
        &self,
        facility: &FacilityId,
        key: &NaturalKey,
    ) -> Result<Option<Incident>, StoreError> {
        let id: Option<(String,)> = sqlx::query_as(
            "SELECT incident_id FROM conclusions WHERE facility_id = ? AND natural_key = ?",
        )
        .bind(facility.as_str())
        .bind(key.as_str())
        .fetch_optional(&self.readers)
        .await?;
        match id {
            Some((id,)) => self.incident(facility, parsed("incident id", &id)?).await,
            None => Ok(None),
        }
    }

    /// Makes an incident a part of the one with the number `into`, and returns that one's identity.
    ///
    /// # Errors
    /// [`JoinError`] says why not; [`StoreError::Missing`] when `from` is not there.
    pub async fn join_incidents(
        &self,
        (facility, from): (&FacilityId, IncidentId),
        into: u64,
        by: UserId,
        now: Timestamp,
    ) -> Result<IncidentId, JoinError> {
        let from = self
            .incident(facility, from)
            .await?
            .ok_or(StoreError::Missing("incident"))?;
        let into = self.incident_by_number(facility, into).await?;
        let into = into.ok_or(JoinError::NoSuchNumber)?;
        let mut tx = self.change().await.map_err(StoreError::from)?;
        // Read again under the lock: somebody may have closed one of them.
        let live = incidents_for(&mut tx, facility, &std::collections::BTreeSet::new()).await?;
        let find = |id| live.iter().find(|incident: &&Incident| incident.id == id);
        if from.id == into.id {
            return Err(JoinError::Same);
        }
        let (Some(from), Some(into)) = (find(from.id), find(into.id)) else {
            return Err(JoinError::NotLive);
        };
        if from.drill.is_some() != into.drill.is_some() {
            return Err(JoinError::Drill);
        }
        let mut desk = Desk { conn: &mut tx, facility, now, by: Some(by) };
        desk.merge(from.id, into.id).await?;
        let mut joined = into.clone();
        joined.conclusions.extend(from.conclusions.iter().cloned());
        for change in assemble(&[], &[joined], SignedDuration::ZERO) {
            desk.carry_out(&change).await?;
        }
        let logged = AuditEntry::new(now, Actor::User(by), "incident.joined", from.id)
            .of(facility)
            .with("number", from.number)
            .with("into", into.number);
        append_audit(&mut tx, &logged).await?;
        self.commit_audited(tx).await?;

        Ok(into.id)
    }
}

#[cfg(test)]
mod tests;
