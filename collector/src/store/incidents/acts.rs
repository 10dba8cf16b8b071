//! Writes down what a person does to an incident: its new status, an entry of its timeline and one of the audit log.

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, IncidentId, UserId};

use super::changes::Desk;
use crate::audit::{Actor, AuditEntry};
use crate::incidents::{Act, ActError, Status};
use crate::store::append_audit;
use crate::store::connect::{Store, StoreError, parsed, to_ms};

/// Why an act was not carried out. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ActFailure {
    /// It does not fit the incident, or lacks something.
    #[error(transparent)]
    Refused(#[from] ActError),
    /// The incident is not there, or the database failed.
    #[error("failed to write down what was done to the incident")]
    Store(#[from] StoreError),
}

impl Store {
    /// Carries out what a person does to an incident and returns where it then stands.
    ///
    /// Whoever calls tells the listeners (`Nudge::tell_incident`) after it.
    ///
    /// # Errors
    /// [`ActFailure::Refused`] when the act does not fit; [`StoreError::Missing`] when there is no such incident in
    /// this facility.
    pub async fn act_on_incident(
        &self,
        (facility, incident): (&FacilityId, IncidentId),
        act: &Act,
        by: UserId,
        now: Timestamp,
    ) -> Result<Status, ActFailure> {
        let mut tx = self.change().await.map_err(StoreError::from)?;
        let row: Option<(String, i64)> = sqlx::query_as(
            "SELECT status, number FROM incidents WHERE facility_id = ? AND incident_id = ?",
        )
        .bind(facility.as_str())
        .bind(incident.to_string())
        .fetch_optional(&mut *tx)
        .await
        .map_err(StoreError::from)?;
        let (status, number) = row.ok_or(StoreError::Missing("incident"))?;
        let status: Status = parsed("incident status", &status)?;
        let (next, entry) = act.upon(status, now)?;

        sqlx::query(
            "UPDATE incidents SET status = ?, updated_ms = ? WHERE facility_id = ? AND incident_id = ?",
        )
        .bind(next.as_str())
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(incident.to_string())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
        let mut desk = Desk { conn: &mut tx, facility, now, by: Some(by) };
        desk.write(incident, Some(by), &entry).await?;
        match act {
            Act::FalseAlarm { .. } => desk.withdraw_drafts(incident).await?,
            Act::Reopen { .. } => desk.bring_back_drafts(incident).await?,
            Act::Acknowledge
            | Act::Comment { .. }
            | Act::Close { .. }
            | Act::VendorCalled { .. }
            | Act::TakeStep { .. }
            | Act::Note { .. } => {}
        }
        let logged = AuditEntry::new(now, Actor::User(by), act.audit_action(), incident)
            .of(facility)
            .with("number", number)
            .with("from", status)
            .with("to", next);
        append_audit(&mut tx, &logged).await?;
        self.commit_audited(tx).await?;

        Ok(next)
    }
}
