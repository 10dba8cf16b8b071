//! Reports, the answers of each incident with every version, and what the machine proposes beside a person's answer.

pub(super) mod rows;
mod joined;
mod rounds;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, IncidentId, ReportId};
use sqlx::SqliteConnection;

use super::append_audit;
use super::connect::{Store, StoreError, from_json, from_ms, parsed};
use crate::approval::Frozen;
use crate::audit::{Actor, AuditEntry};
use crate::reports::answer::{Answer, AnswerProblem, AnswerStatus, Revision, Source};
use crate::reports::fields::Field;
use crate::reports::{
    AnswerChange, AnswerVersion, IncidentSheet, Refresh, Report, ReportStatus, Sheet,
};
use rows::{
    REPORTS, Row, answers_in_force, drop_proposal, propose, read_proposals, read_report, revision,
    set_sheet_revision, set_status, sheet_revision, write_answer,
};

pub(in crate::store) use joined::take_over_answers;
pub use rounds::{NewReport, RoundRefused};

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
        let sql =
            format!("{REPORTS} WHERE r.facility_id = ? ORDER BY r.created_ms DESC, r.report_id");
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
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

    /// Returns the reports of one incident, by series and in the order of their rounds.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn reports_of_incident(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<Vec<Report>, StoreError> {
        let sql = format!(
            "{REPORTS} WHERE r.facility_id = ? AND r.incident_id = ? ORDER BY r.series, r.round"
        );
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(facility.as_str())
            .bind(incident.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Report::try_from).collect()
    }

    /// Returns the answers of an incident; empty while nothing was drafted or answered.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn incident_sheet(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<IncidentSheet, StoreError> {
        // One transaction, so that the answers are those of the revision shown.
        let mut tx = self.readers.begin().await?;
        let sheet = IncidentSheet {
            revision: sheet_revision(&mut tx, (facility, incident)).await?,
            answers: answers_in_force(&mut tx, (facility, incident)).await?,
            proposals: read_proposals(&mut tx, (facility, incident)).await?,
        };
        tx.commit().await?;

        Ok(sheet)
    }

    /// Returns a report with the answers it shows: the incident's while it is a draft, else those it froze.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the facility has no such report.
    pub async fn sheet(&self, facility: &FacilityId, id: ReportId) -> Result<Sheet, StoreError> {
        let mut tx = self.readers.begin().await?;
        let report = read_report(&mut tx, facility, id).await?;
        let key = (facility, report.incident);
        let (answers, proposals) = match report.status {
            ReportStatus::Draft | ReportStatus::Withdrawn => {
                (answers_in_force(&mut tx, key).await?, read_proposals(&mut tx, key).await?)
            }
            ReportStatus::Submitted | ReportStatus::Approved => {
                (frozen_answers(&mut tx, &report).await?, BTreeMap::new())
            }
        };
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
        incident: IncidentId,
        field: Field,
    ) -> Result<Vec<AnswerVersion>, StoreError> {
        let rows: Vec<(i64, String, i64)> = sqlx::query_as(
            "SELECT revision, answer_json, set_ms FROM sheet_answers
             WHERE facility_id = ? AND incident_id = ? AND field = ? ORDER BY revision",
        )
        .bind(facility.as_str())
        .bind(incident.to_string())
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

    /// Brings the answers of an incident up to what the machine knows now. Where a person has answered, it only
    /// proposes.
    ///
    /// Changed answers make one new revision together.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_sheet(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
        drafted: &BTreeMap<Field, Answer>,
        now: Timestamp,
    ) -> Result<Refresh, StoreError> {
        let mut tx = self.change().await?;
        let key = (facility, incident);
        let next = sheet_revision(&mut tx, key).await?.next();
        let in_force = answers_in_force(&mut tx, key).await?;
        let proposed_before = read_proposals(&mut tx, key).await?;
        let mut refresh = Refresh::default();
        for (&field, new) in drafted {
            let proposed = proposed_before.get(&field);
            match in_force.get(&field) {
                Some(old) if old.source.user().is_some() => {
                    let agrees = old.value == new.value || !new.value.is_decided();
                    if agrees && proposed.is_some() {
                        drop_proposal(&mut tx, key, field).await?;
                    } else if !agrees && !proposed.is_some_and(|before| before.says_the_same(new)) {
                        propose(&mut tx, key, (field, new), now).await?;
                        refresh.proposed.push(field);
                    }
                }
                Some(old) if old.says_the_same(new) => {}
                Some(_) | None => {
                    write_answer(&mut tx, key, (field, new), next, now).await?;
                    refresh.changed.push(field);
                }
            }
        }
        if !refresh.changed.is_empty() {
            set_sheet_revision(&mut tx, key, next, now).await?;
        }
        tx.commit().await?;

        Ok(refresh)
    }

    /// Stores a person's answer and returns the new revision of the incident's answers.
    ///
    /// Two people may work on different fields at once: stale is an answer to a field that changed since
    /// `change.expected`.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the field changed since, or the report it was changed on is no draft any more; says what
    /// is missing if the answer cannot stand.
    pub async fn set_answer(
        &self,
        change: &AnswerChange,
        now: Timestamp,
    ) -> Result<Revision, AnswerError> {
        let AnswerChange { facility, incident, field, value, status, by, .. } = change;
        let mut tx = self.change().await?;
        if let Some(report) = change.report {
            let report = read_report(&mut tx, facility, report).await?;
            if report.status != ReportStatus::Draft || report.incident != *incident {
                return Err(StoreError::Stale("report").into());
            }
        }
        let key = (facility, *incident);
        let now_at = sheet_revision(&mut tx, key).await?;
        let in_force = answers_in_force(&mut tx, key).await?;
        let old = in_force.get(field);
        let since = old.map(|answer| answer.revision).unwrap_or_default();
        if now_at < change.expected || change.expected < since {
            return Err(StoreError::Stale("answer").into());
        }
        let revision = now_at.next();
        let answer = Answer {
            value: value.clone(),
            status: *status,
            source: Source::Person {
                user: by.user,
                name: by.name.clone(),
                basis: change.basis.clone(),
            },
            as_of: now,
            revision,
            reason: change.reason.trim().to_owned(),
        };
        answer.check()?;
        field.check(value)?;
        if needs_reason(old, &answer) && answer.reason.is_empty() {
            return Err(AnswerProblem::NoReason.into());
        }
        write_answer(&mut tx, key, (*field, &answer), revision, now).await?;
        drop_proposal(&mut tx, key, *field).await?;
        set_sheet_revision(&mut tx, key, revision, now).await?;
        let entry = AuditEntry::new(now, Actor::User(by.user), "report.answered", incident)
            .of(facility)
            .with("field", field.number())
            .with("revision", revision)
            .with("status", status.as_str());
        let entry = match answer.reason.as_str() {
            "" => entry,
            reason => entry.with("reason", reason),
        };
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

/// A confirmed answer of a person does not become another one without a word about it.
fn needs_reason(old: Option<&Answer>, new: &Answer) -> bool {
    old.is_some_and(|old| {
        old.status == AnswerStatus::Confirmed
            && old.source.user().is_some()
            && (old.value != new.value || old.status != new.status)
    })
}

/// Returns what a report froze when it was submitted.
async fn frozen_answers(
    conn: &mut SqliteConnection,
    report: &Report,
) -> Result<BTreeMap<Field, Answer>, StoreError> {
    let found: Option<(String,)> = sqlx::query_as(
        "SELECT frozen_json FROM submissions WHERE facility_id = ? AND report_id = ? AND revision = ?",
    )
    .bind(report.facility.as_str())
    .bind(report.id.to_string())
    .bind(i64::from(report.revision.0))
    .fetch_optional(conn)
    .await?;
    let (json,) = found.ok_or(StoreError::Missing("frozen answers of this report"))?;
    let frozen: Frozen = from_json("frozen answers", &json)?;

    Ok(frozen
        .answers
        .into_iter()
        .map(|entry| (entry.field, entry.answer))
        .collect())
}

#[cfg(test)]
mod tests;
