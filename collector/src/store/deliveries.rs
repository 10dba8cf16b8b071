//! Deliveries and their attempts. The rules are `deliver`'s; here they are applied inside one transaction.

mod acts;
mod rows;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{DeliveryId, FacilityId, IncidentId, ReportId};
use sqlx::SqliteConnection;

use super::append_audit;
use super::connect::{Store, StoreError, from_ms, parsed, to_ms};
use super::reports::rows::read_report;
use crate::audit::{Actor, AuditEntry};
use crate::deliver::{
    Attempt, Carrier, Delivery, Handover, Outcome, Purpose, Refusal, Standing, State, Way, Wish,
    fits, judge, message_id,
};
use crate::reports::{Report, ReportStatus};
use rows::{DeliveryRow, insert, of_report, read, read_attempts};

/// Why a wish, a record or a decision about a delivery was not stored.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The rules of delivery refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for DeliveryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Query(error))
    }
}

/// What the beginning of an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Go on with this attempt.
    Attempt(Box<Delivery>, u32),
    /// It does not go any more: it was stopped, decided on, or its report is not released any more.
    NotAnyMore,
}

/// How an attempt of the machine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its number.
    pub attempt: u32,
    /// What it came to.
    pub outcome: Outcome,
    /// How the delivery stands now.
    pub state: State,
    /// The other side's words, or what went wrong.
    pub answer: String,
    /// When the machine tries again.
    pub next_at: Option<Timestamp>,
    /// Since when the addressee has it, where their own word tells an earlier moment.
    pub there_since: Option<Timestamp>,
}

impl Store {
    /// Stores a person's wish to deliver a released report.
    ///
    /// # Errors
    /// Refuses what the rules of delivery refuse.
    pub async fn create_delivery(
        &self,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Delivery, DeliveryError> {
        let mut tx = self.change().await?;
        let report = read_report(&mut tx, &wish.facility, wish.report).await?;
        let others = of_report(&mut tx, &wish.facility, wish.report).await?;
        let drill = report.drill.is_some();
        judge(Standing { status: report.status, drill, others: &others }, wish)?;
        let id = DeliveryId::random();
        let delivery = Delivery {
            facility: wish.facility.clone(),
            id,
            report: report.id,
            incident: report.incident,
            profile: report.profile.clone(),
            revision: report.revision,
            answers_sha256: released_hash(&mut tx, &report).await?,
            drill,
            way: wish.way,
            purpose: wish.purpose,
            addressee: wish.addressee.clone(),
            form: wish.form.clone(),
            message_id: message_id(id),
            state: State::Waiting,
            attempts: 0,
            failures: 0,
            next_at: (wish.way.carrier() == Carrier::Machine).then_some(now),
            delivered_at: None,
            delivered_by: None,
            receipt: String::new(),
            note: String::new(),
            created_at: now,
            created_by: wish.by.user,
            updated_at: now,
        };
        insert(&mut tx, &delivery).await?;
        let entry = entry(&delivery, Actor::User(wish.by.user), "delivery.chosen", now)
            .with("way", delivery.way)
            .with("organisation", &delivery.addressee.organisation)
            .with("address", &delivery.addressee.address)
            .with("purpose", delivery.purpose.as_str())
            .with("drill", delivery.drill)
            .with("answers_sha256", &delivery.answers_sha256);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(delivery)
    }

    /// Returns one delivery.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the facility has none of that id.
    pub async fn delivery(
        &self,
        facility: &FacilityId,
        id: DeliveryId,
    ) -> Result<Delivery, StoreError> {
        let mut conn = self.readers.acquire().await?;
        read(&mut conn, facility, id).await
    }

    /// Returns the attempts at a delivery, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn delivery_attempts(
        &self,
        facility: &FacilityId,
        id: DeliveryId,
    ) -> Result<Vec<Attempt>, StoreError> {
        let mut conn = self.readers.acquire().await?;
        read_attempts(&mut conn, facility, id).await
    }

    /// Returns the deliveries of a report, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn deliveries_of_report(
        &self,
        facility: &FacilityId,
        report: ReportId,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut conn = self.readers.acquire().await?;
        of_report(&mut conn, facility, report).await
    }

    /// Returns every delivery of a facility, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn deliveries(&self, facility: &FacilityId) -> Result<Vec<Delivery>, StoreError> {
        let sql =
            "SELECT * FROM deliveries WHERE facility_id = ? ORDER BY created_ms DESC, delivery_id";
        let rows: Vec<DeliveryRow> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    /// Returns the deliveries the machine is to try now, the longest waiting first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn due_deliveries(
        &self,
        facility: &FacilityId,
        now: Timestamp,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = sqlx::query_as(
            "SELECT * FROM deliveries WHERE facility_id = ? AND state = 'waiting' AND next_ms <= ?
             ORDER BY next_ms, delivery_id",
        )
        .bind(facility.as_str())
        .bind(to_ms(now))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    /// Returns the deliveries that wait for a person's decision, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn stopped_deliveries(
        &self,
        facility: &FacilityId,
    ) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = sqlx::query_as(
            "SELECT * FROM deliveries WHERE facility_id = ? AND state IN ('unknown', 'refused', 'failed')
             ORDER BY updated_ms, delivery_id",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    /// Returns by which delivery each report of an incident was handed in, the first of each.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn handed_in(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<BTreeMap<ReportId, Handover>, StoreError> {
        type Row = (String, String, i64, String, String, String);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT report_id, delivery_id, delivered_ms, way, organisation, receipt FROM deliveries
             WHERE facility_id = ? AND incident_id = ? AND state = 'delivered' AND purpose = ? AND delivered_ms IS NOT NULL
             ORDER BY delivered_ms DESC, delivery_id",
        )
        .bind(facility.as_str())
        .bind(incident.to_string())
        .bind(Purpose::Report.as_str())
        .fetch_all(&self.readers)
        .await?;
        let handover = |(report, delivery, ms, way, organisation, receipt): Row| {
            let way = Way::parse(&way).ok_or_else(|| StoreError::unreadable("way", way.clone()))?;
            let delivery = parsed("delivery id", &delivery)?;
            let handover = Handover { delivery, at: from_ms(ms)?, way, organisation, receipt };
            Ok((parsed("report id", &report)?, handover))
        };
        // The last one put in is the earliest.
        rows.into_iter().map(handover).collect()
    }
}

/// Returns the hash of the answers that were released.
async fn released_hash(conn: &mut SqliteConnection, report: &Report) -> Result<String, StoreError> {
    let found: Option<(String,)> = sqlx::query_as(
        "SELECT answers_sha256 FROM decisions WHERE facility_id = ? AND report_id = ? AND revision = ?
         AND decision = 'approved' LIMIT 1",
    )
    .bind(report.facility.as_str())
    .bind(report.id.to_string())
    .bind(i64::from(report.revision.0))
    .fetch_optional(conn)
    .await?;
    found
        .map(|(hash,)| hash)
        .ok_or(StoreError::Missing("approval of this report"))
}

fn entry(delivery: &Delivery, who: Actor, action: &'static str, now: Timestamp) -> AuditEntry {
    AuditEntry::new(now, who, action, delivery.id)
        .of(&delivery.facility)
        .with("report", delivery.report)
}

/// Whether the report may still go where the delivery says.
fn still_stands(report: &Report, delivery: &Delivery) -> Result<(), Refusal> {
    if report.status != ReportStatus::Approved || report.revision != delivery.revision {
        return Err(Refusal::NotApproved(report.status));
    }
    fits(report.drill.is_some(), &delivery.addressee)
}
