//! Writes the audit log and anchors it outside the database.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

use shirase_shared::error::Chain;
use shirase_shared::ids::FacilityId;

use super::connect::{Store, StoreError, from_ms, to_ms};
use crate::audit::{Anchor, AuditEntry, Carrier, Departure, Head, LoggedEntry, NO_HASH};

/// Bytes at the end of the anchors file that surely hold a whole line.
const TAIL_BYTES: u64 = 4096;
/// Entries anchored in one go; more of them take another one.
const ANCHORS_AT_ONCE: u32 = 1000;

/// Appends an entry inside the caller's transaction. End that with [`Store::commit_audited`].
///
/// # Errors
/// When the database refuses; the caller's transaction is then rolled back.
pub(crate) async fn append_audit(
    conn: &mut SqliteConnection,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let last = sqlx::query("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1")
        .fetch_optional(&mut *conn)
        .await?;
    let (n, previous) = match last {
        Some(row) => (row.try_get::<i64, _>(0)? + 1, row.try_get(1)?),
        None => (1, NO_HASH.to_owned()),
    };
    let detail = serde_json::to_string(&entry.detail)
        .map_err(|error| StoreError::unreadable("audit detail", error))?;
    let mut logged = LoggedEntry {
        n: n.unsigned_abs(),
        at_ms: to_ms(entry.at),
        facility: entry.facility.as_ref().map(ToString::to_string),
        who: entry.who.to_string(),
        action: entry.action.to_owned(),
        object: entry.object.clone(),
        detail,
        previous,
        hash: String::new(),
    };
    logged.hash = logged.expected_hash();
    sqlx::query(
        "INSERT INTO audit (n, at_ms, facility_id, who, action, object, detail_json, previous, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(n)
    .bind(logged.at_ms)
    .bind(&logged.facility)
    .bind(&logged.who)
    .bind(&logged.action)
    .bind(&logged.object)
    .bind(&logged.detail)
    .bind(&logged.previous)
    .bind(&logged.hash)
    .execute(conn)
    .await?;

    Ok(())
}

impl Store {
    /// Writes an entry that belongs to no other change.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        append_audit(&mut tx, entry).await?;
        self.commit_audited(tx).await
    }

    /// Commits a transaction that holds audit entries, then anchors them.
    ///
    /// A failed anchor does not undo the change: it is logged, and the next commit anchors what is missing.
    ///
    /// # Errors
    /// When the commit fails: nothing was changed then.
    pub(crate) async fn commit_audited(
        &self,
        tx: Transaction<'_, Sqlite>,
    ) -> Result<(), StoreError> {
        tx.commit().await?;
        if let Err(error) = self.anchor_audit().await {
            tracing::error!(error = %Chain(&error), "the audit log could not be anchored; check the disk");
        }

        Ok(())
    }

    /// Anchors every entry the anchors file does not hold yet.
    async fn anchor_audit(&self) -> Result<(), StoreError> {
        let newest = last_anchor(&self.anchors).map_err(anchors_failed)?;
        let mut through = newest.map_or(0, |anchor| anchor.n);
        loop {
            let page = self.audit_page(through, ANCHORS_AT_ONCE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            through = last.n;
            let head = Head { n: last.n, hash: last.hash.clone() };
            let mut anchors = Vec::with_capacity(page.len());
            for entry in page {
                let at = from_ms(entry.at_ms)?;
                anchors.push(Anchor { n: entry.n, hash: entry.hash, at });
            }
            let path = self.anchors.clone();
            let written = tokio::task::spawn_blocking(move || append_anchors(&path, &anchors));
            written
                .await
                .map_err(io::Error::other)
                .flatten()
                .map_err(anchors_failed)?;
            // The system log is another place: who can rewrite this database may not reach the journal.
            tracing::info!(audit.entry = head.n, "the audit log stands at {head}");
        }
    }

    /// Returns the newest entry's number and hash, which letters and documents carry out of this machine.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_head(&self) -> Result<Option<Head>, StoreError> {
        let head: Option<(i64, String)> =
            sqlx::query_as("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1")
                .fetch_optional(&self.readers)
                .await?;

        Ok(head.map(|(n, hash)| Head { n: n.unsigned_abs(), hash }))
    }

    /// Notes that a head left the machine.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head_left(&self, departure: &Departure) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit_departures (carrier, n, hash, left_ms) VALUES (?, ?, ?, ?)
             ON CONFLICT (carrier) DO UPDATE SET n = excluded.n, hash = excluded.hash, left_ms = excluded.left_ms",
        )
        .bind(departure.carrier.as_str())
        .bind(departure.head.n.cast_signed())
        .bind(&departure.head.hash)
        .bind(to_ms(departure.at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Returns the last head each carrier took away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn departures(&self) -> Result<Vec<Departure>, StoreError> {
        let rows: Vec<(String, i64, String, i64)> =
            sqlx::query_as("SELECT carrier, n, hash, left_ms FROM audit_departures")
                .fetch_all(&self.readers)
                .await?;
        let mut departures = Vec::new();
        for (carrier, n, hash, left_ms) in rows {
            // A carrier of a later version is passed over.
            let known = Carrier::ALL.into_iter().find(|one| one.as_str() == carrier);
            let Some(carrier) = known else { continue };
            let head = Head { n: n.unsigned_abs(), hash };
            departures.push(Departure { carrier, head, at: from_ms(left_ms)? });
        }
        Ok(departures)
    }

    /// Returns the newest anchor in the file outside the database.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn newest_anchor(&self) -> Result<Option<Anchor>, StoreError> {
        let path = self.anchors.clone();
        let read = tokio::task::spawn_blocking(move || last_anchor(&path)).await;
        read.map_err(io::Error::other)
            .flatten()
            .map_err(anchors_failed)
    }

    /// Returns entries after number `after`, in order.
    pub(crate) async fn audit_page(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LoggedEntry>, StoreError> {
        let rows = sqlx::query("SELECT * FROM audit WHERE ? < n ORDER BY n LIMIT ?")
            .bind(after.cast_signed())
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read_entry).collect()
    }

    /// Returns the newest entries of one facility, the newest first, those before number `before` if given.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_of(
        &self,
        facility: &FacilityId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LoggedEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM audit WHERE facility_id = ? AND n < ? ORDER BY n DESC LIMIT ?",
        )
        .bind(facility.as_str())
        .bind(before.map_or(i64::MAX, u64::cast_signed))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_entry).collect()
    }

    /// Returns where the anchors are kept.
    #[must_use]
    pub fn anchors_path(&self) -> &Path {
        &self.anchors
    }
}

fn anchors_failed(source: io::Error) -> StoreError {
    StoreError::Anchors { source }
}

fn read_entry(row: &SqliteRow) -> Result<LoggedEntry, StoreError> {
    Ok(LoggedEntry {
        n: row.try_get::<i64, _>("n")?.unsigned_abs(),
        at_ms: row.try_get("at_ms")?,
        facility: row.try_get("facility_id")?,
        who: row.try_get("who")?,
        action: row.try_get("action")?,
        object: row.try_get("object")?,
        detail: row.try_get("detail_json")?,
        previous: row.try_get("previous")?,
        hash: row.try_get("hash")?,
    })
}

/// Returns the last whole anchor in the file, if there is one.
fn last_anchor(path: &PathBuf) -> io::Result<Option<Anchor>> {
    match File::open(path) {
        Ok(mut file) => Ok(tail(&mut file)?.0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the last whole anchor and where its line ends.
fn tail(file: &mut File) -> io::Result<(Option<Anchor>, u64)> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        return Ok((None, 0));
    };
    let whole = bytes.get(..end).unwrap_or_default();
    let line = whole
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let anchor: Anchor = serde_json::from_slice(line).map_err(io::Error::other)?;

    Ok((Some(anchor), start + u64::try_from(end).unwrap_or(0) + 1))
}

/// Appends what the file does not hold yet and syncs it. Another process (the command line) may do so at the same time.
fn append_anchors(path: &Path, anchors: &[Anchor]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.lock()?;
    let (newest, end) = tail(&mut file)?;
    let through = newest.map_or(0, |anchor| anchor.n);
    let mut lines = Vec::new();
    for anchor in anchors.iter().filter(|anchor| through < anchor.n) {
        serde_json::to_writer(&mut lines, anchor)?;
        lines.push(b'\n');
    }
    // A torn line of a crash is cut off: its entry is anchored again.
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    file.write_all(&lines)?;
    file.sync_all()
}
