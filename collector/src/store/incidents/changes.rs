//! Writes down what the assembler decided, in one transaction with the state it decided upon.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, IncidentId, UserId};
use sqlx::SqliteConnection;

use super::incidents_for;
use crate::correlate::{Conclusion, NaturalKey};
use crate::incidents::assembler::{Change, Standing, Weight};
use crate::incidents::{Entry, Incident};
use crate::store::connect::{Store, StoreError, to_json, to_ms};
use crate::store::reports::take_over_answers;

impl Store {
    /// Lets `decide` compare the stored incidents with `conclusions`, and carries out what it returns.
    ///
    /// `decide` sees every live incident of the facility and every incident that owns one of the conclusions. Nobody
    /// else writes between its look and the commit, so a person's decision is never overrun.
    ///
    /// # Errors
    /// When the database fails: then nothing was changed.
    pub async fn reconcile_incidents(
        &self,
        facility: &FacilityId,
        conclusions: &[Conclusion],
        now: Timestamp,
        decide: impl FnOnce(&[Incident]) -> Vec<Change> + Send,
    ) -> Result<Vec<Change>, StoreError> {
        let mut tx = self.change().await?;
        let keys: BTreeSet<&NaturalKey> = conclusions.iter().map(|c| &c.natural_key).collect();
        let stored = incidents_for(&mut tx, facility, &keys).await?;
        let changes = decide(&stored);
        let mut desk = Desk { conn: &mut tx, facility, now, by: None };
        for change in &changes {
            desk.carry_out(change).await?;
        }
        tx.commit().await?;

        Ok(changes)
    }
}

/// Where changes to the incidents of one facility are written down.
pub(super) struct Desk<'a> {
    pub(super) conn: &'a mut SqliteConnection,
    pub(super) facility: &'a FacilityId,
    pub(super) now: Timestamp,
    /// Who makes the change; none when the machine does.
    pub(super) by: Option<UserId>,
}

impl Desk<'_> {
    pub(super) async fn carry_out(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Open { incident, standing, drill, conclusions } => {
                self.open(*incident, *standing, drill.map(|id| id.to_string()))
                    .await?;
                for conclusion in conclusions {
                    self.attach(*incident, conclusion).await?;
                }
                Ok(())
            }
            Change::Attach { incident, conclusion } => {
                self.attach(*incident, conclusion).await?;
                self.touch(*incident).await
            }
            Change::Update { incident, conclusion, weight } => {
                self.update(conclusion).await?;
                match weight {
                    Weight::Same => {}
                    Weight::Heavier => {
                        let entry = Entry::Grew {
                            natural_key: conclusion.natural_key.clone(),
                            rule: conclusion.rule,
                            severity: conclusion.severity,
                        };
                        self.write(*incident, self.by, &entry).await?;
                    }
                }
                self.touch(*incident).await
            }
            Change::Restate { incident, from, to } => self.restate(*incident, *from, *to).await,
            Change::Merge { from, into } => self.merge(*from, *into).await,
        }
    }

    async fn open(
        &mut self,
        incident: IncidentId,
        standing: Standing,
        drill: Option<String>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO incidents (facility_id, incident_id, number, status, severity, rule, drill_id, first_ms,
                                    opened_ms, updated_ms)
             SELECT ?1, ?2, COALESCE(MAX(number), 0) + 1, 'open', ?3, ?4, ?5, ?6, ?7, ?7
             FROM incidents WHERE facility_id = ?1",
        )
        .bind(self.facility.as_str())
        .bind(incident.to_string())
        .bind(standing.severity.as_str())
        .bind(standing.rule.as_str())
        .bind(drill)
        .bind(to_ms(standing.first_at))
        .bind(to_ms(self.now))
        .execute(&mut *self.conn)
        .await?;
        let entry = Entry::Opened { rule: standing.rule, severity: standing.severity };
        self.write(incident, self.by, &entry).await
    }

    async fn attach(
        &mut self,
        incident: IncidentId,
        conclusion: &Conclusion,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO conclusions (facility_id, natural_key, incident_id, body_json, updated_ms)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(self.facility.as_str())
        .bind(conclusion.natural_key.as_str())
        .bind(incident.to_string())
        .bind(to_json("conclusion", conclusion)?)
        .bind(to_ms(self.now))
        .execute(&mut *self.conn)
        .await?;
        let entry = Entry::Concluded {
            natural_key: conclusion.natural_key.clone(),
            rule: conclusion.rule,
            severity: conclusion.severity,
        };
        self.write(incident, self.by, &entry).await
    }

    async fn update(&mut self, conclusion: &Conclusion) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE conclusions SET body_json = ?, updated_ms = ? WHERE facility_id = ? AND natural_key = ?",
        )
        .bind(to_json("conclusion", conclusion)?)
        .bind(to_ms(self.now))
        .bind(self.facility.as_str())
        .bind(conclusion.natural_key.as_str())
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    async fn restate(
        &mut self,
        incident: IncidentId,
        from: Standing,
        to: Standing,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE incidents SET severity = ?, rule = ?, first_ms = ?, updated_ms = ?
             WHERE facility_id = ? AND incident_id = ?",
        )
        .bind(to.severity.as_str())
        .bind(to.rule.as_str())
        .bind(to_ms(to.first_at))
        .bind(to_ms(self.now))
        .bind(self.facility.as_str())
        .bind(incident.to_string())
        .execute(&mut *self.conn)
        .await?;
        if to.severity <= from.severity {
            return Ok(());
        }
        let entry = Entry::Raised { from: from.severity, to: to.severity, rule: to.rule };
        self.write(incident, self.by, &entry).await
    }

    pub(super) async fn merge(
        &mut self,
        from: IncidentId,
        into: IncidentId,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE conclusions SET incident_id = ? WHERE facility_id = ? AND incident_id = ?",
        )
        .bind(into.to_string())
        .bind(self.facility.as_str())
        .bind(from.to_string())
        .execute(&mut *self.conn)
        .await?;
        sqlx::query(
            "UPDATE incidents SET status = 'merged', merged_into = ?, updated_ms = ?
             WHERE facility_id = ? AND incident_id = ?",
        )
        .bind(into.to_string())
        .bind(to_ms(self.now))
        .bind(self.facility.as_str())
        .bind(from.to_string())
        .execute(&mut *self.conn)
        .await?;
        take_over_answers(self.conn, self.facility, (from, into), self.now).await?;
        self.join_reports(from, into).await?;
        let entry = Entry::TookIn { incident: from, number: self.number(from).await? };
        self.write(into, self.by, &entry).await?;
        let entry = Entry::BecamePart { incident: into, number: self.number(into).await? };
        self.write(from, self.by, &entry).await
    }

    /// Moves the drafts along. Where the incident that goes on has one of
    /// its own, the other is withdrawn; what was approved stays where it was approved.
    async fn join_reports(&mut self, from: IncidentId, into: IncidentId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE reports SET incident_id = ?1, updated_ms = ?4
             WHERE facility_id = ?2 AND incident_id = ?3 AND status IN ('draft', 'submitted')
               AND profile NOT IN (SELECT profile FROM reports WHERE facility_id = ?2 AND incident_id = ?1)",
        )
        .bind(into.to_string())
        .bind(self.facility.as_str())
        .bind(from.to_string())
        .bind(to_ms(self.now))
        .execute(&mut *self.conn)
        .await?;
        self.withdraw_drafts(from).await
    }

    /// Withdraws what nobody has released yet.
    pub(super) async fn withdraw_drafts(&mut self, incident: IncidentId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE reports SET status = 'withdrawn', updated_ms = ?
             WHERE facility_id = ? AND incident_id = ? AND status IN ('draft', 'submitted')",
        )
        .bind(to_ms(self.now))
        .bind(self.facility.as_str())
        .bind(incident.to_string())
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// Brings back as drafts what was withdrawn.
    pub(super) async fn bring_back_drafts(
        &mut self,
        incident: IncidentId,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE reports SET status = 'draft', updated_ms = ?
             WHERE facility_id = ? AND incident_id = ? AND status = 'withdrawn'",
        )
        .bind(to_ms(self.now))
        .bind(self.facility.as_str())
        .bind(incident.to_string())
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    async fn number(&mut self, incident: IncidentId) -> Result<u64, StoreError> {
        let (number,): (i64,) = sqlx::query_as(
            "SELECT number FROM incidents WHERE facility_id = ? AND incident_id = ?",
        )
        .bind(self.facility.as_str())
        .bind(incident.to_string())
        .fetch_one(&mut *self.conn)
        .await?;
        crate::store::connect::from_int(number)
    }

    async fn touch(&mut self, incident: IncidentId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE incidents SET updated_ms = ? WHERE facility_id = ? AND incident_id = ?",
        )
        .bind(to_ms(self.now))
        .bind(self.facility.as_str())
        .bind(incident.to_string())
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// Adds an entry to the timeline of an incident.
    pub(super) async fn write(
        &mut self,
        incident: IncidentId,
        who: Option<UserId>,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO timeline (facility_id, incident_id, entry, at_ms, who, body_json)
             SELECT ?1, ?2, COALESCE(MAX(entry), 0) + 1, ?3, ?4, ?5
             FROM timeline WHERE facility_id = ?1 AND incident_id = ?2",
        )
        .bind(self.facility.as_str())
        .bind(incident.to_string())
        .bind(to_ms(self.now))
        .bind(who.map(|id| id.to_string()))
        .bind(to_json("timeline entry", entry)?)
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }
}
