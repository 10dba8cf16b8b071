//! Records as they were sent, streams and forks.

use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::event::{Event, Severity};
use shirase_shared::ids::{FacilityId, HostId, Sequence, StreamId};
use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteConnection};

use super::connect::{
    Store, StoreError, from_int, from_json, from_ms, from_ms_maybe, parsed, to_int, to_json, to_ms,
};
use crate::records::{BatchStored, Fork, NewRecord, SeenRecord, StreamSeen};

/// Records in one statement: fewer statements cost less, and fifteen values each stay far below SQLite's limit.
const INSERT_ROWS: usize = 100;

#[derive(FromRow)]
pub(in crate::store) struct RecordRow {
    facility_id: String,
    host_id: String,
    stream_id: String,
    sequence: i64,
    hash: String,
    event_json: Option<String>,
    kind: String,
    severity: Option<String>,
    burst_id: Option<String>,
    drill_id: Option<String>,
    detected_ms: Option<i64>,
    corrected_ms: i64,
    uncertainty_ms: i64,
    received_ms: i64,
}

impl TryFrom<RecordRow> for SeenRecord {
    type Error = StoreError;

    fn try_from(row: RecordRow) -> Result<Self, StoreError> {
        let event: Option<Event> = row
            .event_json
            .map(|json| from_json("event", &json))
            .transpose()?;
        let severity: Option<Severity> = row
            .severity
            .map(|text| from_json("severity", &format!("\"{text}\"")))
            .transpose()?;

        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            host: parsed("host id", &row.host_id)?,
            stream: parsed("stream id", &row.stream_id)?,
            sequence: Sequence(from_int(row.sequence)?),
            hash: row.hash,
            kind: row.kind,
            severity,
            burst: row.burst_id.map(|id| parsed("burst id", &id)).transpose()?,
            drill: row.drill_id.map(|id| parsed("drill id", &id)).transpose()?,
            event,
            detected_at: from_ms_maybe(row.detected_ms)?,
            corrected_at: from_ms(row.corrected_ms)?,
            uncertainty: Duration::from_millis(from_int(row.uncertainty_ms)?),
            received_at: from_ms(row.received_ms)?,
        })
    }
}

impl Store {
    /// Stores the records of one batch, in order of sequence, in one transaction. What is there already is left as it is.
    ///
    /// A record whose key is there under another hash is stored too, and its key is noted as a fork.
    ///
    /// # Errors
    /// When the database fails: then nothing of the batch is stored.
    pub async fn store_batch(&self, records: &[NewRecord]) -> Result<BatchStored, StoreError> {
        let mut stored = BatchStored::default();
        let mut change = self.change().await?;
        for chunk in records.chunks(INSERT_ROWS) {
            stored.new += insert_records(&mut change, chunk).await?;
        }
        stored.known = records.len() - stored.new;
        if let (Some(first), Some(last)) = (records.first(), records.last())
            && 0 < stored.new
        {
            stored.forked = note_forks(&mut change, (&first.seen, &last.seen)).await?;
        }
        change.commit().await?;

        Ok(stored)
    }

    /// Returns the records of a facility whose corrected time is `from` or later, in order of that time.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn records_since(
        &self,
        facility: &FacilityId,
        from: Timestamp,
    ) -> Result<Vec<SeenRecord>, StoreError> {
        let rows: Vec<RecordRow> = sqlx::query_as(
            "SELECT facility_id, host_id, stream_id, sequence, hash, event_json, kind, severity, burst_id, drill_id,
                    detected_ms, corrected_ms, uncertainty_ms, received_ms
             FROM records WHERE facility_id = ? AND ? <= corrected_ms
             ORDER BY corrected_ms, host_id, stream_id, sequence, hash",
        )
        .bind(facility.as_str())
        .bind(to_ms(from))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(SeenRecord::try_from).collect()
    }

    /// Returns the records of some kinds since `from` that begin a story or are one, in the order of corrected time.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn stories_since(
        &self,
        facility: &FacilityId,
        from: Timestamp,
        kinds: &[&str],
    ) -> Result<Vec<SeenRecord>, StoreError> {
        let rows: Vec<RecordRow> = sqlx::query_as(
            "SELECT facility_id, host_id, stream_id, sequence, hash, event_json, kind, severity, burst_id, drill_id,
                    detected_ms, corrected_ms, uncertainty_ms, received_ms
             FROM records WHERE facility_id = ? AND ? <= corrected_ms AND kind IN (SELECT value FROM json_each(?))
                      AND json_extract(event_json, '$.phase') IN ('opened', 'once')
             ORDER BY corrected_ms, host_id, stream_id, sequence, hash",
        )
        .bind(facility.as_str())
        .bind(to_ms(from))
        .bind(to_json("kinds", &kinds)?)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(SeenRecord::try_from).collect()
    }

    /// Returns the records with one key: none, one, or the two sides of a fork.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn records(
        &self,
        (facility, host): (&FacilityId, HostId),
        stream: StreamId,
        sequence: Sequence,
    ) -> Result<Vec<SeenRecord>, StoreError> {
        let rows: Vec<RecordRow> = sqlx::query_as(
            "SELECT facility_id, host_id, stream_id, sequence, hash, event_json, kind, severity, burst_id, drill_id,
                    detected_ms, corrected_ms, uncertainty_ms, received_ms
             FROM records WHERE facility_id = ? AND host_id = ? AND stream_id = ? AND sequence = ? ORDER BY hash",
        )
        .bind(facility.as_str())
        .bind(host.to_string())
        .bind(stream.to_string())
        .bind(to_int(sequence.0))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(SeenRecord::try_from).collect()
    }

    /// Returns the line a record was read from, as the agent sent it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn raw_record(&self, record: &SeenRecord) -> Result<Option<Vec<u8>>, StoreError> {
        let raw = sqlx::query_scalar(
            "SELECT raw FROM records WHERE facility_id = ? AND host_id = ? AND stream_id = ? AND sequence = ? AND hash = ?",
        )
        .bind(record.facility.as_str())
        .bind(record.host.to_string())
        .bind(record.stream.to_string())
        .bind(to_int(record.sequence.0))
        .bind(&record.hash)
        .fetch_optional(&self.readers)
        .await?;
        Ok(raw)
    }

    /// Returns the highest number stored of a stream; `None` if nothing of it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored_through(
        &self,
        facility: &FacilityId,
        host: HostId,
        stream: StreamId,
    ) -> Result<Option<Sequence>, StoreError> {
        let highest: Option<i64> = sqlx::query_scalar(
            "SELECT max(sequence) FROM records WHERE facility_id = ? AND host_id = ? AND stream_id = ?",
        )
        .bind(facility.as_str())
        .bind(host.to_string())
        .bind(stream.to_string())
        .fetch_one(&self.readers)
        .await?;
        highest
            .map(|number| Ok(Sequence(from_int(number)?)))
            .transpose()
    }

    /// Returns every stream of a facility, as far as it is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn streams(&self, facility: &FacilityId) -> Result<Vec<StreamSeen>, StoreError> {
        let rows: Vec<(String, String, i64, i64, i64)> = sqlx::query_as(
            "SELECT host_id, stream_id, count(*), min(sequence), max(sequence)
             FROM records WHERE facility_id = ? GROUP BY host_id, stream_id ORDER BY host_id, stream_id",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let stream = |(host, stream, count, first, last): (String, String, i64, i64, i64)| {
            Ok(StreamSeen {
                host: parsed("host id", &host)?,
                stream: parsed("stream id", &stream)?,
                records: from_int(count)?,
                first: Sequence(from_int(first)?),
                last: Sequence(from_int(last)?),
            })
        };
        rows.into_iter().map(stream).collect()
    }

    /// Returns every key of a facility that came with more than one hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forks(&self, facility: &FacilityId) -> Result<Vec<Fork>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT host_id, stream_id, sequence, noticed_ms FROM forks WHERE facility_id = ?
             ORDER BY noticed_ms, host_id, stream_id, sequence",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let fork = |(host, stream, sequence, noticed): (String, String, i64, i64)| {
            Ok(Fork {
                host: parsed("host id", &host)?,
                stream: parsed("stream id", &stream)?,
                sequence: Sequence(from_int(sequence)?),
                noticed_at: from_ms(noticed)?,
            })
        };
        rows.into_iter().map(fork).collect()
    }
}

/// Returns how many of the records were new.
async fn insert_records(
    change: &mut SqliteConnection,
    records: &[NewRecord],
) -> Result<usize, StoreError> {
    let mut events = Vec::with_capacity(records.len());
    for record in records {
        let event = record.seen.event.as_ref();
        events.push(event.map(|event| to_json("event", event)).transpose()?);
    }
    let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(
        "INSERT INTO records (facility_id, host_id, stream_id, sequence, hash, raw, event_json, kind, severity,
             burst_id, drill_id, detected_ms, corrected_ms, uncertainty_ms, received_ms) ",
    );
    insert.push_values(records.iter().zip(events), |mut row, (record, event)| {
        let NewRecord { seen, raw } = record;
        row.push_bind(seen.facility.as_str())
            .push_bind(seen.host.to_string())
            .push_bind(seen.stream.to_string())
            .push_bind(to_int(seen.sequence.0))
            .push_bind(&seen.hash)
            .push_bind(raw)
            .push_bind(event)
            .push_bind(&seen.kind)
            .push_bind(seen.severity.map(Severity::as_str))
            .push_bind(seen.burst.map(|id| id.to_string()))
            .push_bind(seen.drill.map(|id| id.to_string()))
            .push_bind(seen.detected_at.map(to_ms))
            .push_bind(to_ms(seen.corrected_at))
            .push_bind(i64::try_from(seen.uncertainty.as_millis()).unwrap_or(i64::MAX))
            .push_bind(to_ms(seen.received_at));
    });
    insert.push(" ON CONFLICT DO NOTHING");
    let done = insert.build().execute(change).await?;

    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// Notes the keys between two records of one batch that are there under more than one hash; returns how many are new.
async fn note_forks(
    change: &mut SqliteConnection,
    (first, last): (&SeenRecord, &SeenRecord),
) -> Result<usize, StoreError> {
    let done = sqlx::query(
        "INSERT INTO forks (facility_id, host_id, stream_id, sequence, noticed_ms)
         SELECT facility_id, host_id, stream_id, sequence, ? FROM records
         WHERE facility_id = ? AND host_id = ? AND stream_id = ? AND sequence BETWEEN ? AND ?
         GROUP BY facility_id, host_id, stream_id, sequence HAVING 1 < count(*)
         ON CONFLICT DO NOTHING",
    )
    .bind(to_ms(first.received_at))
    .bind(first.facility.as_str())
    .bind(first.host.to_string())
    .bind(first.stream.to_string())
    .bind(to_int(first.sequence.0))
    .bind(to_int(last.sequence.0))
    .execute(change)
    .await?;

    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests;
