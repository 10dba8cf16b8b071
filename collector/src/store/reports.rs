//! Reports, their answers with every version, and what the machine proposes beside a person's answer.

pub(super) mod rows;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{DrillId, FacilityId, IncidentId, ReportId};

use super::append_audit;
use super::connect::{Store, StoreError, from_json, from_ms, parsed, to_ms};
use crate::audit::{Actor, AuditEntry};
use crate::reports::answer::{Answer, AnswerProblem, Revision, Source};
use crate::reports::fields::Field;
use crate::reports::{AnswerChange, AnswerVersion, Refresh, Report, ReportStatus, Sheet};
use rows::{
    Row, answers_in_force, drop_proposal, propose, read_proposals, read_report, revision,
    set_revision, set_status, write_answer,
};

/// Why a person's answer was not stored.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It cannot stand.
    #[error(transparent)]
    Problem(#[from] AnswerProblem),
    /// The database could not do it, or somebody else was faster.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for AnswerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Query(error))
    }
}

impl Store {
    /// Returns every report of a facility, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn reports(&self, facility: &FacilityId) -> Result<Vec<Report>, StoreError> {
        let sql = "SELECT * FROM reports WHERE facility_id = ? ORDER BY created_ms DESC, report_id";
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Report::try_from).collect()
    }

    /// Returns one report.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the facility has no such report.
    pub async fn report(&self, facility: &FacilityId, id: ReportId) -> Result<Report, StoreError> {
        let mut conn = self.readers.acquire().await?;
        read_report(&mut conn, facility, id).await
    }

    /// Returns the facility a report belongs to, for a caller who knows its id alone and then asks for it by both.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn facility_of_report(&self, id: ReportId) -> Result<Option<FacilityId>, StoreError> {
        let found: Option<(String,)> =
            sqlx::query_as("SELECT facility_id FROM reports WHERE report_id = ?")
                .bind(id.to_string())
                .fetch_optional(&self.readers)
                .await?;
        found
            .map(|(text,)| parsed("facility id", &text))
            .transpose()
    }

    /// Returns the reports of one incident.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn reports_of_incident(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<Vec<Report>, StoreError> {
        let sql =
            "SELECT * FROM reports WHERE facility_id = ? AND incident_id = ? ORDER BY profile";
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .bind(incident.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Report::try_from).collect()
    }

    /// Returns a report with its answers in force and the machine's proposals.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the facility has no such report.
    pub async fn sheet(&self, facility: &FacilityId, id: ReportId) -> Result<Sheet, StoreError> {
        // One transaction, so that the answers are those of the revision shown.
        let mut tx = self.readers.begin().await?;
        let report = read_report(&mut tx, facility, id).await?;
        let answers = answers_in_force(&mut tx, facility, id).await?;
        let proposals = read_proposals(&mut tx, facility, id).await?;
        tx.commit().await?;

        Ok(Sheet { report, answers, proposals })
    }

    /// Returns every version of one answer, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn answer_history(
        &self,
        facility: &FacilityId,
        id: ReportId,
        field: Field,
    ) -> Result<Vec<AnswerVersion>, StoreError> {
        let rows: Vec<(i64, String, i64)> = sqlx::query_as(
            "SELECT revision, answer_json, set_ms FROM answers
             WHERE facility_id = ? AND report_id = ? AND field = ? ORDER BY revision",
        )
        .bind(facility.as_str())
        .bind(id.to_string())
        .bind(i64::from(field.number()))
        .fetch_all(&self.readers)
        .await?;
        let read = |(number, json, set_ms): (i64, String, i64)| {
            let mut answer: Answer = from_json("answer", &json)?;
            answer.revision = revision(number)?;
            Ok(AnswerVersion { answer, set_at: from_ms(set_ms)? })
        };
        rows.into_iter().map(read).collect()
    }

    /// Returns the incident's draft for a profile, made now if there is none. A withdrawn one becomes a draft again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ensure_draft(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
        profile: &str,
        drill: Option<DrillId>,
        now: Timestamp,
    ) -> Result<Report, StoreError> {
        let mut tx = self.change().await?;
        let sql = "SELECT * FROM reports WHERE facility_id = ? AND incident_id = ? AND profile = ?";
        let found: Option<Row> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .bind(incident.to_string())
            .bind(profile)
            .fetch_optional(&mut *tx)
            .await?;
        let found = found.map(Report::try_from).transpose()?;
        let (id, action) = match found {
            Some(report) if report.status != ReportStatus::Withdrawn => return Ok(report),
            Some(report) => {
                set_status(&mut tx, facility, report.id, ReportStatus::Draft, now).await?;
                (report.id, "report.reopened")
            }
            None => {
                let id = ReportId::random();
                sqlx::query(
                    "INSERT INTO reports (facility_id, report_id, incident_id, profile, status, revision, drill_id, created_ms, updated_ms)
                     VALUES (?, ?, ?, ?, 'draft', 0, ?, ?, ?)",
                )
                .bind(facility.as_str())
                .bind(id.to_string())
                .bind(incident.to_string())
                .bind(profile)
                .bind(drill.map(|drill| drill.to_string()))
                .bind(to_ms(now))
                .bind(to_ms(now))
                .execute(&mut *tx)
                .await?;
                (id, "report.drafted")
            }
        };
        let entry = AuditEntry::new(now, Actor::Machine, action, id)
            .of(facility)
            .with("incident", incident)
            .with("profile", profile);
        append_audit(&mut tx, &entry).await?;
        let report = read_report(&mut tx, facility, id).await?;
        self.commit_audited(tx).await?;

        Ok(report)
    }

    /// Brings a draft up to what the machine knows now. Where a person has answered, it only proposes.
    ///
    /// Changed answers make one new revision together. Nothing happens unless the report is a draft.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_draft(
        &self,
        facility: &FacilityId,
        id: ReportId,
        drafted: &BTreeMap<Field, Answer>,
        now: Timestamp,
    ) -> Result<Refresh, StoreError> {
        let mut tx = self.change().await?;
        let report = read_report(&mut tx, facility, id).await?;
        if report.status != ReportStatus::Draft {
            return Ok(Refresh::default());
        }
        let in_force = answers_in_force(&mut tx, facility, id).await?;
        let proposed_before = read_proposals(&mut tx, facility, id).await?;
        let mut refresh = Refresh::default();
        for (&field, new) in drafted {
            let proposed = proposed_before.get(&field);
            match in_force.get(&field) {
                Some(old) if old.source.user().is_some() => {
                    let agrees = old.value == new.value;
                    if agrees && proposed.is_some() {
                        drop_proposal(&mut tx, facility, id, field).await?;
                    } else if !agrees && !proposed.is_some_and(|before| before.says_the_same(new)) {
                        propose(&mut tx, (facility, id), (field, new), now).await?;
                        refresh.proposed.push(field);
                    }
                }
                Some(old) if old.says_the_same(new) => {}
                Some(_) | None => {
                    let revision = report.revision.next();
                    write_answer(&mut tx, (facility, id), (field, new), revision, now).await?;
                    refresh.changed.push(field);
                }
            }
        }
        if !refresh.changed.is_empty() {
            set_revision(&mut tx, facility, id, report.revision.next(), now).await?;
        }
        tx.commit().await?;

        Ok(refresh)
    }

    /// Stores a person's answer and returns the report's new revision.
    ///
    /// Two people may work on different fields at once: stale is an answer to a field that changed since
    /// `change.expected`.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the field changed since, or the report is no draft any more; says what is missing if
    /// the answer cannot stand.
    pub async fn set_answer(
        &self,
        change: &AnswerChange,
        now: Timestamp,
    ) -> Result<Revision, AnswerError> {
        let AnswerChange { facility, report: id, field, value, status, basis, by, expected } =
            change;
        let mut tx = self.change().await?;
        let report = read_report(&mut tx, facility, *id).await?;
        let in_force = answers_in_force(&mut tx, facility, *id).await?;
        let since = in_force
            .get(field)
            .map(|answer| answer.revision)
            .unwrap_or_default();
        if report.status != ReportStatus::Draft || report.revision < *expected || *expected < since
        {
            return Err(StoreError::Stale("report").into());
        }
        let source = Source::Person { user: by.user, name: by.name.clone(), basis: basis.clone() };
        let revision = report.revision.next();
        let answer = Answer { value: value.clone(), status: *status, source, as_of: now, revision };
        answer.check()?;
        field.check(value)?;
        write_answer(&mut tx, (facility, *id), (*field, &answer), revision, now).await?;
        drop_proposal(&mut tx, facility, *id, *field).await?;
        set_revision(&mut tx, facility, *id, revision, now).await?;
        let entry = AuditEntry::new(now, Actor::User(by.user), "report.answered", id)
            .of(facility)
            .with("field", field.number())
            .with("revision", revision)
            .with("status", status.as_str());
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(revision)
    }

    /// Withdraws a report whose incident was a false alarm. An approved one stays: it is out.
    ///
    /// Returns whether anything changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw_report(
        &self,
        facility: &FacilityId,
        id: ReportId,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.change().await?;
        let report = read_report(&mut tx, facility, id).await?;
        match report.status {
            ReportStatus::Approved | ReportStatus::Withdrawn => return Ok(false),
            ReportStatus::Draft | ReportStatus::Submitted => {}
        }
        set_status(&mut tx, facility, id, ReportStatus::Withdrawn, now).await?;
        let entry = AuditEntry::new(now, Actor::Machine, "report.withdrawn", id)
            .of(facility)
            .with("reason", reason);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(true)
    }
}
