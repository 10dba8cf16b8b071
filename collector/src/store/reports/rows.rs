//! How reports and answers stand in their tables.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{DrillId, FacilityId, IncidentId, ReportId};
use sqlx::{FromRow, SqliteConnection};

use crate::reports::answer::{Answer, Revision, RoundKind};
use crate::reports::fields::Field;
use crate::reports::{Report, ReportStatus, Round};
use crate::store::StoreError;
use crate::store::connect::{from_json, from_ms, parsed, to_json, to_ms};

/// An incident by its whole key.
pub(in crate::store) type SheetKey<'a> = (&'a FacilityId, IncidentId);

/// Reports with the revision of their incident's answers.
pub(super) const REPORTS: &str = "SELECT r.*, COALESCE(s.revision, 0) AS sheet_revision,
            COALESCE(s.updated_ms, 0) AS sheet_updated_ms
     FROM reports r LEFT JOIN sheets s ON s.facility_id = r.facility_id AND s.incident_id = r.incident_id";
/// The answers in force.
const IN_FORCE: &str = "SELECT field, revision, answer_json FROM sheet_answers AS a
     WHERE facility_id = ? AND incident_id = ? AND revision =
         (SELECT MAX(revision) FROM sheet_answers
          WHERE facility_id = a.facility_id AND incident_id = a.incident_id AND field = a.field)
     ORDER BY field";

#[derive(FromRow)]
pub(super) struct Row {
    facility_id: String,
    report_id: String,
    incident_id: String,
    profile: String,
    series: String,
    round: i64,
    round_kind: String,
    status: String,
    revision: i64,
    sheet_revision: i64,
    drill_id: Option<String>,
    created_ms: i64,
    updated_ms: i64,
    sheet_updated_ms: i64,
}

impl TryFrom<Row> for Report {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let drill = row
            .drill_id
            .as_deref()
            .map(|text| parsed::<DrillId>("drill id", text));
        let status = ReportStatus::parse(&row.status)
            .ok_or_else(|| StoreError::unreadable("report status", row.status))?;
        let (shown, updated_ms) = match status {
            ReportStatus::Draft | ReportStatus::Withdrawn => {
                (row.sheet_revision, row.updated_ms.max(row.sheet_updated_ms))
            }
            ReportStatus::Submitted | ReportStatus::Approved => (row.revision, row.updated_ms),
        };
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("report id", &row.report_id)?,
            incident: parsed("incident id", &row.incident_id)?,
            profile: row.profile,
            round: Round {
                series: row.series,
                number: u32::try_from(row.round)
                    .map_err(|error| StoreError::unreadable("round", error))?,
                kind: RoundKind::parse(&row.round_kind)
                    .ok_or_else(|| StoreError::unreadable("kind of report", row.round_kind))?,
            },
            status,
            revision: revision(shown)?,
            drill: drill.transpose()?,
            created_at: from_ms(row.created_ms)?,
            updated_at: from_ms(updated_ms)?,
        })
    }
}

#[derive(FromRow)]
struct AnswerRow {
    field: i64,
    revision: i64,
    answer_json: String,
}

impl AnswerRow {
    fn read(self) -> Result<(Field, Answer), StoreError> {
        let mut answer: Answer = from_json("answer", &self.answer_json)?;
        answer.revision = revision(self.revision)?;

        Ok((field(self.field)?, answer))
    }
}

pub(in crate::store) async fn read_report(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: ReportId,
) -> Result<Report, StoreError> {
    let sql = format!("{REPORTS} WHERE r.facility_id = ? AND r.report_id = ?");
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(facility.as_str())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;

    row.ok_or(StoreError::Missing("report"))?.try_into()
}

pub(in crate::store) async fn sheet_revision(
    conn: &mut SqliteConnection,
    (facility, incident): SheetKey<'_>,
) -> Result<Revision, StoreError> {
    let found: Option<(i64,)> =
        sqlx::query_as("SELECT revision FROM sheets WHERE facility_id = ? AND incident_id = ?")
            .bind(facility.as_str())
            .bind(incident.to_string())
            .fetch_optional(conn)
            .await?;
    revision(found.map_or(0, |(number,)| number))
}

pub(in crate::store) async fn answers_in_force(
    conn: &mut SqliteConnection,
    (facility, incident): SheetKey<'_>,
) -> Result<BTreeMap<Field, Answer>, StoreError> {
    let rows: Vec<AnswerRow> = sqlx::query_as(IN_FORCE)
        .bind(facility.as_str())
        .bind(incident.to_string())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(AnswerRow::read).collect()
}

/// Writes one version of an answer, with the revision it is set in.
pub(in crate::store) async fn write_answer(
    conn: &mut SqliteConnection,
    (facility, incident): SheetKey<'_>,
    (field, answer): (Field, &Answer),
    revision: Revision,
    now: Timestamp,
) -> Result<(), StoreError> {
    let answer = Answer { revision, ..answer.clone() };
    sqlx::query(
        "INSERT INTO sheet_answers (facility_id, incident_id, field, revision, answer_json, set_by, set_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(facility.as_str())
    .bind(incident.to_string())
    .bind(i64::from(field.number()))
    .bind(i64::from(revision.0))
    .bind(to_json("answer", &answer)?)
    .bind(answer.source.user().map(|user| user.to_string()))
    .bind(to_ms(now))
    .execute(conn)
    .await?;

    Ok(())
}

pub(in crate::store) async fn set_status(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: ReportId,
    status: ReportStatus,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE reports SET status = ?, updated_ms = ? WHERE facility_id = ? AND report_id = ?",
    )
    .bind(status.as_str())
    .bind(to_ms(now))
    .bind(facility.as_str())
    .bind(id.to_string())
    .execute(conn)
    .await?;

    Ok(())
}

/// Notes the revision a report froze.
pub(in crate::store) async fn set_revision(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: ReportId,
    revision: Revision,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE reports SET revision = ?, updated_ms = ? WHERE facility_id = ? AND report_id = ?",
    )
    .bind(i64::from(revision.0))
    .bind(to_ms(now))
    .bind(facility.as_str())
    .bind(id.to_string())
    .execute(conn)
    .await?;

    Ok(())
}

pub(in crate::store) async fn set_sheet_revision(
    conn: &mut SqliteConnection,
    (facility, incident): SheetKey<'_>,
    revision: Revision,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sheets (facility_id, incident_id, revision, updated_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET revision = excluded.revision, updated_ms = excluded.updated_ms",
    )
    .bind(facility.as_str())
    .bind(incident.to_string())
    .bind(i64::from(revision.0))
    .bind(to_ms(now))
    .execute(conn)
    .await?;

    Ok(())
}

pub(super) async fn read_proposals(
    conn: &mut SqliteConnection,
    (facility, incident): SheetKey<'_>,
) -> Result<BTreeMap<Field, Answer>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT field, answer_json FROM sheet_proposals WHERE facility_id = ? AND incident_id = ?",
    )
    .bind(facility.as_str())
    .bind(incident.to_string())
    .fetch_all(conn)
    .await?;
    let read = |(number, json): (i64, String)| Ok((field(number)?, from_json("proposal", &json)?));
    rows.into_iter().map(read).collect()
}

pub(super) async fn propose(
    conn: &mut SqliteConnection,
    (facility, incident): SheetKey<'_>,
    (field, answer): (Field, &Answer),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sheet_proposals (facility_id, incident_id, field, answer_json, made_ms)
         VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET answer_json = excluded.answer_json, made_ms = excluded.made_ms",
    )
    .bind(facility.as_str())
    .bind(incident.to_string())
    .bind(i64::from(field.number()))
    .bind(to_json("proposal", answer)?)
    .bind(to_ms(now))
    .execute(conn)
    .await?;

    Ok(())
}

pub(super) async fn drop_proposal(
    conn: &mut SqliteConnection,
    (facility, incident): SheetKey<'_>,
    field: Field,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM sheet_proposals WHERE facility_id = ? AND incident_id = ? AND field = ?",
    )
    .bind(facility.as_str())
    .bind(incident.to_string())
    .bind(i64::from(field.number()))
    .execute(conn)
    .await?;

    Ok(())
}

pub(in crate::store) fn revision(number: i64) -> Result<Revision, StoreError> {
    u32::try_from(number)
        .map(Revision)
        .map_err(|error| StoreError::unreadable("revision", error))
}

pub(super) fn field(number: i64) -> Result<Field, StoreError> {
    let number = u8::try_from(number).ok();
    number
        .and_then(Field::from_number)
        .ok_or_else(|| StoreError::unreadable("field", "a newer version of this program wrote it"))
}
