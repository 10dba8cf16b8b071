//! How deliveries and attempts stand in their tables.

use jiff::Timestamp;
use shirase_shared::ids::{DeliveryId, FacilityId, ReportId};
use sqlx::{FromRow, SqliteConnection};

use crate::deliver::{Addressee, Attempt, Delivery, Outcome, Purpose, State, Way};
use crate::store::StoreError;
use crate::store::connect::{from_ms, from_ms_maybe, parsed, to_ms};
use crate::store::reports::rows::revision;

#[derive(FromRow)]
pub(super) struct DeliveryRow {
    facility_id: String,
    delivery_id: String,
    report_id: String,
    incident_id: String,
    profile: String,
    revision: i64,
    answers_sha256: String,
    drill: i64,
    way: String,
    purpose: String,
    organisation: String,
    person: String,
    address: String,
    contact_id: Option<String>,
    verified_on: Option<String>,
    drill_partner: i64,
    form_id: Option<String>,
    message_id: String,
    state: String,
    attempts: i64,
    failures: i64,
    next_ms: Option<i64>,
    delivered_ms: Option<i64>,
    delivered_by: Option<String>,
    receipt: String,
    note: String,
    created_ms: i64,
    created_by: String,
    updated_ms: i64,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let verified_on = row
            .verified_on
            .map(|day| parsed("date", &day))
            .transpose()?;
        let contact = row
            .contact_id
            .map(|id| parsed("contact id", &id))
            .transpose()?;
        let form = row.form_id.map(|id| parsed("form name", &id)).transpose()?;
        let delivered_by = row
            .delivered_by
            .map(|by| parsed("user id", &by))
            .transpose()?;
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("delivery id", &row.delivery_id)?,
            report: parsed("report id", &row.report_id)?,
            incident: parsed("incident id", &row.incident_id)?,
            profile: row.profile,
            revision: revision(row.revision)?,
            answers_sha256: row.answers_sha256,
            drill: row.drill != 0,
            way: Way::parse(&row.way).ok_or_else(|| StoreError::unreadable("way", row.way))?,
            purpose: Purpose::parse(&row.purpose)
                .ok_or_else(|| StoreError::unreadable("purpose", row.purpose))?,
            addressee: Addressee {
                organisation: row.organisation,
                person: row.person,
                address: row.address,
                drill_partner: row.drill_partner != 0,
                contact,
                verified_on,
            },
            form,
            message_id: row.message_id,
            state: State::parse(&row.state)
                .ok_or_else(|| StoreError::unreadable("state", row.state))?,
            attempts: count(row.attempts)?,
            failures: count(row.failures)?,
            next_at: from_ms_maybe(row.next_ms)?,
            delivered_at: from_ms_maybe(row.delivered_ms)?,
            delivered_by,
            receipt: row.receipt,
            note: row.note,
            created_at: from_ms(row.created_ms)?,
            created_by: parsed("user id", &row.created_by)?,
            updated_at: from_ms(row.updated_ms)?,
        })
    }
}

#[derive(FromRow)]
pub(super) struct AttemptRow {
    attempt: i64,
    begun_ms: i64,
    handing_over_ms: Option<i64>,
    ended_ms: Option<i64>,
    outcome: Option<String>,
    answer: String,
    who: Option<String>,
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        let outcome = row.outcome.map(|name| {
            Outcome::parse(&name).ok_or_else(|| StoreError::unreadable("outcome", name))
        });
        Ok(Self {
            number: count(row.attempt)?,
            begun_at: from_ms(row.begun_ms)?,
            handing_over_at: from_ms_maybe(row.handing_over_ms)?,
            ended_at: from_ms_maybe(row.ended_ms)?,
            outcome: outcome.transpose()?,
            answer: row.answer,
            by: row.who.map(|by| parsed("user id", &by)).transpose()?,
        })
    }
}

pub(super) fn count(stored: i64) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|error| StoreError::unreadable("count", error))
}

pub(super) async fn read(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: DeliveryId,
) -> Result<Delivery, StoreError> {
    let sql = "SELECT * FROM deliveries WHERE facility_id = ? AND delivery_id = ?";
    let row: Option<DeliveryRow> = sqlx::query_as(sql)
        .bind(facility.as_str())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.ok_or(StoreError::Missing("delivery"))?.try_into()
}

pub(super) async fn of_report(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    report: ReportId,
) -> Result<Vec<Delivery>, StoreError> {
    let sql = "SELECT * FROM deliveries WHERE facility_id = ? AND report_id = ? ORDER BY created_ms, delivery_id";
    let rows: Vec<DeliveryRow> = sqlx::query_as(sql)
        .bind(facility.as_str())
        .bind(report.to_string())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Delivery::try_from).collect()
}

pub(super) async fn read_attempts(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: DeliveryId,
) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT * FROM delivery_attempts WHERE facility_id = ? AND delivery_id = ? ORDER BY attempt";
    let rows: Vec<AttemptRow> = sqlx::query_as(sql)
        .bind(facility.as_str())
        .bind(id.to_string())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Attempt::try_from).collect()
}

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    delivery: &Delivery,
) -> Result<(), StoreError> {
    let Addressee { organisation, person, address, drill_partner, contact, verified_on } =
        &delivery.addressee;
    sqlx::query(
        "INSERT INTO deliveries (facility_id, delivery_id, report_id, incident_id, profile, revision, answers_sha256,
           drill, way, purpose, organisation, person, address, contact_id, verified_on, drill_partner, form_id,
           message_id, state, next_ms, created_ms, created_by, updated_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(delivery.facility.as_str())
    .bind(delivery.id.to_string())
    .bind(delivery.report.to_string())
    .bind(delivery.incident.to_string())
    .bind(&delivery.profile)
    .bind(i64::from(delivery.revision.0))
    .bind(&delivery.answers_sha256)
    .bind(i64::from(delivery.drill))
    .bind(delivery.way.as_str())
    .bind(delivery.purpose.as_str())
    .bind(organisation)
    .bind(person)
    .bind(address)
    .bind(contact.map(|id| id.to_string()))
    .bind(verified_on.map(|day| day.to_string()))
    .bind(i64::from(*drill_partner))
    .bind(delivery.form.as_ref().map(|form| form.as_str()))
    .bind(&delivery.message_id)
    .bind(delivery.state.as_str())
    .bind(delivery.next_at.map(to_ms))
    .bind(to_ms(delivery.created_at))
    .bind(delivery.created_by.to_string())
    .bind(to_ms(delivery.updated_at))
    .execute(conn)
    .await?;

    Ok(())
}

pub(super) async fn insert_attempt(
    conn: &mut SqliteConnection,
    delivery: &Delivery,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO delivery_attempts (facility_id, delivery_id, attempt, begun_ms, handing_over_ms, ended_ms, outcome, answer, who)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(delivery.facility.as_str())
    .bind(delivery.id.to_string())
    .bind(i64::from(attempt.number))
    .bind(to_ms(attempt.begun_at))
    .bind(attempt.handing_over_at.map(to_ms))
    .bind(attempt.ended_at.map(to_ms))
    .bind(attempt.outcome.map(Outcome::as_str))
    .bind(&attempt.answer)
    .bind(attempt.by.map(|by| by.to_string()))
    .execute(conn)
    .await?;

    Ok(())
}

pub(super) async fn end_attempt(
    conn: &mut SqliteConnection,
    delivery: &Delivery,
    number: u32,
    (outcome, answer): (Outcome, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE delivery_attempts SET ended_ms = ?, outcome = ?, answer = ?
         WHERE facility_id = ? AND delivery_id = ? AND attempt = ? AND ended_ms IS NULL",
    )
    .bind(to_ms(now))
    .bind(outcome.as_str())
    .bind(answer)
    .bind(delivery.facility.as_str())
    .bind(delivery.id.to_string())
    .bind(i64::from(number))
    .execute(conn)
    .await?;

    Ok(())
}

/// Writes everything of a delivery that changes in its life.
pub(super) async fn put_state(
    conn: &mut SqliteConnection,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = ?, attempts = ?, failures = ?, next_ms = ?, delivered_ms = ?, delivered_by = ?,
           receipt = ?, note = ?, updated_ms = ?
         WHERE facility_id = ? AND delivery_id = ?",
    )
    .bind(delivery.state.as_str())
    .bind(i64::from(delivery.attempts))
    .bind(i64::from(delivery.failures))
    .bind(delivery.next_at.map(to_ms))
    .bind(delivery.delivered_at.map(to_ms))
    .bind(delivery.delivered_by.map(|by| by.to_string()))
    .bind(&delivery.receipt)
    .bind(&delivery.note)
    .bind(to_ms(now))
    .bind(delivery.facility.as_str())
    .bind(delivery.id.to_string())
    .execute(conn)
    .await?;

    Ok(())
}
