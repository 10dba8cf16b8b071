//! Incidents as they are read: with their conclusions, their timeline and their evidence.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::{DrillId, FacilityId, HostId, IncidentId};
use sqlx::{FromRow, SqliteConnection};

use super::connect::{
    Store, StoreError, from_int, from_json, from_ms, parsed, to_int, to_json, to_ms,
};
use super::events::RecordRow;
use crate::correlate::{Conclusion, CorrelateConfig, Input, NaturalKey, RecordKey};
use crate::incidents::{Incident, StoredEntry};
use crate::records::SeenRecord;

mod acts;
mod by_hand;
mod changes;
mod shown;

pub use acts::ActFailure;
pub use by_hand::JoinError;

/// How far the rules look back over records. A burst that lasts longer keeps what was concluded of it.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How far the rules look back over conclusions of incidents a person has ended.
const LOOK_BACK_OVER_CONCLUSIONS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How far the records have been looked at, across all facilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordMark(i64);

#[derive(FromRow)]
struct Row {
    facility_id: String,
    incident_id: String,
    number: i64,
    status: String,
    severity: String,
    rule: String,
    drill_id: Option<String>,
    first_ms: i64,
    opened_ms: i64,
    updated_ms: i64,
    merged_into: Option<String>,
}

impl TryFrom<Row> for Incident {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("incident id", &row.incident_id)?,
            number: from_int(row.number)?,
            status: parsed("incident status", &row.status)?,
            severity: from_json("severity", &format!("\"{}\"", row.severity))?,
            rule: parsed("rule", &row.rule)?,
            drill: row.drill_id.map(|id| parsed("drill id", &id)).transpose()?,
            first_at: from_ms(row.first_ms)?,
            opened_at: from_ms(row.opened_ms)?,
            updated_at: from_ms(row.updated_ms)?,
            merged_into: row
                .merged_into
                .map(|id| parsed("incident id", &id))
                .transpose()?,
            conclusions: Vec::new(),
        })
    }
}

impl Store {
    /// Returns every incident of a facility, the latest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn incidents(&self, facility: &FacilityId) -> Result<Vec<Incident>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT facility_id, incident_id, number, status, severity, rule, drill_id, first_ms, opened_ms,
                    updated_ms, merged_into
             FROM incidents WHERE facility_id = ? ORDER BY number DESC",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let mut conn = self.readers.acquire().await?;
        with_conclusions(&mut conn, facility, rows).await
    }

    /// Returns one incident of a facility.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn incident(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<Option<Incident>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT facility_id, incident_id, number, status, severity, rule, drill_id, first_ms, opened_ms,
                    updated_ms, merged_into
             FROM incidents WHERE facility_id = ? AND incident_id = ?",
        )
        .bind(facility.as_str())
        .bind(incident.to_string())
        .fetch_all(&self.readers)
        .await?;
        let mut conn = self.readers.acquire().await?;
        Ok(with_conclusions(&mut conn, facility, rows).await?.pop())
    }

    /// Returns the incident with a number, as people say it on the telephone.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn incident_by_number(
        &self,
        facility: &FacilityId,
        number: u64,
    ) -> Result<Option<Incident>, StoreError> {
        let id: Option<(String,)> = sqlx::query_as(
            "SELECT incident_id FROM incidents WHERE facility_id = ? AND number = ?",
        )
        .bind(facility.as_str())
        .bind(to_int(number))
        .fetch_optional(&self.readers)
        .await?;
        match id {
            Some((id,)) => self.incident(facility, parsed("incident id", &id)?).await,
            None => Ok(None),
        }
    }

    /// Returns what was done to an incident, in order of time, with what people did to incidents that became a part
    /// of it.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn incident_entries(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let rows: Vec<(String, i64, i64, Option<String>, String)> = sqlx::query_as(
            "WITH RECURSIVE parts (incident_id) AS (
                 VALUES (?2)
                 UNION
                 SELECT i.incident_id FROM incidents i JOIN parts p ON i.merged_into = p.incident_id
                 WHERE i.facility_id = ?1
             )
             SELECT t.incident_id, t.entry, t.at_ms, t.who, t.body_json
             FROM timeline t JOIN parts p ON t.incident_id = p.incident_id
             WHERE t.facility_id = ?1 AND (t.incident_id = ?2 OR t.who IS NOT NULL)
             ORDER BY t.at_ms, t.incident_id, t.entry",
        )
        .bind(facility.as_str())
        .bind(incident.to_string())
        .fetch_all(&self.readers)
        .await?;
        let entry =
            |(incident, entry, at, who, body): (String, i64, i64, Option<String>, String)| {
                Ok(StoredEntry {
                    incident: parsed("incident id", &incident)?,
                    entry: from_int(entry)?,
                    at: from_ms(at)?,
                    who: who.map(|id| parsed("user id", &id)).transpose()?,
                    what: from_json("timeline entry", &body)?,
                })
            };
        rows.into_iter().map(entry).collect()
    }

    /// Returns the records an incident stands on, in order of corrected time.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn incident_records(
        &self,
        incident: &Incident,
    ) -> Result<Vec<SeenRecord>, StoreError> {
        let mut keys: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
        let all: BTreeSet<RecordKey> = incident
            .conclusions
            .iter()
            .flat_map(|c| c.records.iter().copied())
            .collect();
        for key in all {
            let stream = (key.host.to_string(), key.stream.to_string());
            keys.entry(stream).or_default().push(key.sequence.0);
        }
        let mut records: Vec<SeenRecord> = Vec::new();
        for ((host, stream), sequences) in keys {
            let rows: Vec<RecordRow> = sqlx::query_as(
                "SELECT facility_id, host_id, stream_id, sequence, hash, event_json, kind, severity, burst_id,
                        drill_id, detected_ms, corrected_ms, uncertainty_ms, received_ms
                 FROM records WHERE facility_id = ? AND host_id = ? AND stream_id = ?
                      AND sequence IN (SELECT value FROM json_each(?))",
            )
            .bind(incident.facility.as_str())
            .bind(host)
            .bind(stream)
            .bind(to_json("sequences", &sequences)?)
            .fetch_all(&self.readers)
            .await?;
            for row in rows {
                records.push(row.try_into()?);
            }
        }
        records.sort_by(|a, b| {
            let order = |r: &SeenRecord| (r.corrected_at, r.host, r.stream, r.sequence);
            order(a).cmp(&order(b)).then_with(|| a.hash.cmp(&b.hash))
        });

        Ok(records)
    }

    /// Returns the facilities that got records since `mark`, and the mark to ask with next time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn facilities_with_news(
        &self,
        mark: RecordMark,
    ) -> Result<(BTreeSet<FacilityId>, RecordMark), StoreError> {
        // Rows are numbered inside the one writer's transactions, so a number is never seen before a lower one.
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT facility_id, MAX(rowid) FROM records WHERE ? < rowid GROUP BY facility_id",
        )
        .bind(mark.0)
        .fetch_all(&self.readers)
        .await?;
        let next = rows.iter().map(|(_, row)| *row).max().unwrap_or(mark.0);
        let facilities = rows.iter().map(|(id, _)| parsed("facility id", id));

        Ok((facilities.collect::<Result<_, StoreError>>()?, RecordMark(next)))
    }

    /// Reads everything the rules look at, as of `as_of`.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn correlation_input(
        &self,
        facility: &FacilityId,
        config: &CorrelateConfig,
        as_of: Timestamp,
    ) -> Result<Input, StoreError> {
        let mut input = self.silence_input(facility, config, as_of).await?;
        let from = to_ms(as_of - LOOK_BACK);
        let rows: Vec<RecordRow> = sqlx::query_as(
            "SELECT facility_id, host_id, stream_id, sequence, hash, event_json, kind, severity, burst_id, drill_id,
                    detected_ms, corrected_ms, uncertainty_ms, received_ms
             FROM records WHERE facility_id = ?1 AND ?2 <= corrected_ms
             UNION
             SELECT facility_id, host_id, stream_id, sequence, hash, event_json, kind, severity, burst_id, drill_id,
                    detected_ms, corrected_ms, uncertainty_ms, received_ms
             FROM records WHERE facility_id = ?1 AND ?2 <= received_ms",
        )
        .bind(facility.as_str())
        .bind(from)
        .fetch_all(&self.readers)
        .await?;
        input.records = rows
            .into_iter()
            .map(SeenRecord::try_from)
            .collect::<Result<_, _>>()?;
        input.forks = self.forks(facility).await?;
        input.ordered_drills = self.ordered_drills(facility).await?;

        Ok(input)
    }

    /// Reads what the rules need to tell whether a host is silent, and nothing that grows with the records.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn silence_input(
        &self,
        facility: &FacilityId,
        config: &CorrelateConfig,
        as_of: Timestamp,
    ) -> Result<Input, StoreError> {
        let hosts = self.hosts(facility).await?;
        let beats = self.heartbeats(facility).await?;
        let heartbeats: BTreeMap<HostId, Timestamp> = beats
            .into_iter()
            .map(|(host, seen)| (host, seen.received_at))
            .collect();
        // From the oldest sign of life on: then a silence begins at the same moment in every run.
        let since = heartbeats.values().copied().min().unwrap_or(as_of);

        Ok(Input {
            facility: facility.clone(),
            as_of,
            config: config.clone(),
            hosts: hosts.into_iter().map(|host| (host.id, host)).collect(),
            records: Vec::new(),
            heartbeats,
            listening: self.listening_spans(since).await?,
            forks: Vec::new(),
            ordered_drills: BTreeSet::new(),
            windows: self
                .windows(facility, as_of - LOOK_BACK_OVER_CONCLUSIONS)
                .await?,
            known: self
                .known_conclusions(facility, as_of - LOOK_BACK_OVER_CONCLUSIONS)
                .await?,
        })
    }

    async fn known_conclusions(
        &self,
        facility: &FacilityId,
        since: Timestamp,
    ) -> Result<Vec<Conclusion>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT c.body_json FROM conclusions c
             JOIN incidents i ON i.facility_id = c.facility_id AND i.incident_id = c.incident_id
             WHERE c.facility_id = ? AND (i.status IN ('open', 'acknowledged') OR ? <= c.updated_ms)
             ORDER BY c.natural_key",
        )
        .bind(facility.as_str())
        .bind(to_ms(since))
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|(body,)| from_json("conclusion", body))
            .collect()
    }

    async fn ordered_drills(
        &self,
        facility: &FacilityId,
    ) -> Result<BTreeSet<(HostId, DrillId)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT host_id, drill_id FROM orders WHERE facility_id = ? AND drill_id IS NOT NULL",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let drill = |(host, drill): (String, String)| {
            Ok((parsed("host id", &host)?, parsed("drill id", &drill)?))
        };
        rows.into_iter().map(drill).collect()
    }
}

/// Returns the incidents a run has to know: the live ones, and those that own one of `keys`.
async fn incidents_for(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    keys: &BTreeSet<&NaturalKey>,
) -> Result<Vec<Incident>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT facility_id, incident_id, number, status, severity, rule, drill_id, first_ms, opened_ms,
                updated_ms, merged_into
         FROM incidents
         WHERE facility_id = ?1 AND (status IN ('open', 'acknowledged') OR incident_id IN (
             SELECT incident_id FROM conclusions
             WHERE facility_id = ?1 AND natural_key IN (SELECT value FROM json_each(?2))))
         ORDER BY number",
    )
    .bind(facility.as_str())
    .bind(to_json("natural keys", keys)?)
    .fetch_all(&mut *conn)
    .await?;
    with_conclusions(conn, facility, rows).await
}

async fn with_conclusions(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    rows: Vec<Row>,
) -> Result<Vec<Incident>, StoreError> {
    let ids: Vec<&str> = rows.iter().map(|row| row.incident_id.as_str()).collect();
    let bodies: Vec<(String, String)> = sqlx::query_as(
        "SELECT incident_id, body_json FROM conclusions
         WHERE facility_id = ? AND incident_id IN (SELECT value FROM json_each(?)) ORDER BY natural_key",
    )
    .bind(facility.as_str())
    .bind(to_json("incident ids", &ids)?)
    .fetch_all(&mut *conn)
    .await?;
    let mut conclusions: BTreeMap<String, Vec<Conclusion>> = BTreeMap::new();
    for (incident, body) in bodies {
        conclusions
            .entry(incident)
            .or_default()
            .push(from_json("conclusion", &body)?);
    }
    let complete = |row: Row| {
        let conclusions = conclusions.remove(&row.incident_id).unwrap_or_default();
        Ok(Incident { conclusions, ..row.try_into()? })
    };
    rows.into_iter().map(complete).collect()
}

#[cfg(test)]
mod tests;
