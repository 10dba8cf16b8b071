//! Opens the database and brings its schema up to date.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

/// File name of the database in the data directory.
pub const DATABASE_FILE: &str = "shirase.db";
/// Connections for questions. Each costs a page cache of about 2 MiB.
const READERS: u32 = 4;
/// How long a question waits for a lock before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database file cannot be opened or created.
    #[error("failed to open the database at `{}`", path.display())]
    Open {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("failed to bring the database schema up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A question or a change failed.
    #[error("failed to use the database")]
    Query(#[from] sqlx::Error),
    /// Something stored does not read back: the database was edited by hand or is damaged.
    #[error("the database holds an unreadable {what}")]
    Unreadable {
        /// What kind of thing.
        what: &'static str,
        /// Why it does not read.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was asked for is not there.
    #[error("no such {0}")]
    Missing(&'static str),
    /// Something of that name is there already.
    #[error("there is already such a {0}")]
    Exists(&'static str),
    /// The audit log's anchors cannot be read or written.
    #[error("failed to use the audit log's anchors file")]
    Anchors {
        /// Why.
        source: std::io::Error,
    },
    /// It changed since the caller looked.
    #[error("the {0} was changed by somebody else in the meantime")]
    Stale(&'static str),
}

impl StoreError {
    /// Wraps a stored text that does not parse.
    pub(crate) fn unreadable(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Unreadable { what, source: source.into() }
    }

    /// Whether the disk is full, so that the caller can say so.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Query(sqlx::Error::Database(error)) => error.message().contains("disk is full"),
            Self::Query(_)
            | Self::Open { .. }
            | Self::Migrate(_)
            | Self::Unreadable { .. }
            | Self::Missing(_)
            | Self::Exists(_)
            | Self::Anchors { .. }
            | Self::Stale(_) => false,
        }
    }
}

/// The collector's memory. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    /// The one connection that changes anything.
    pub(crate) writer: SqlitePool,
    /// Connections that only ask.
    pub(crate) readers: SqlitePool,
    /// File outside the database that vouches for the audit log.
    pub(super) anchors: PathBuf,
}

impl Store {
    /// Opens or creates the database in `data_dir` and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, or its schema is newer than this program.
    pub async fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let path = data_dir.join(DATABASE_FILE);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(|source| StoreError::Open { path: path.clone(), source })?;
        sqlx::migrate!("migrations/sqlite")
            .run(&writer)
            .await
            .map_err(StoreError::Migrate)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open { path, source })?;

        Ok(Self { writer, readers, anchors: data_dir.join(crate::audit::ANCHORS_FILE) })
    }

    /// Writes a consistent copy of the database, as of now, to a file that is not there yet.
    ///
    /// # Errors
    /// When the file is there, or cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let target = path.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO ?")
            .bind(target)
            .execute(&self.readers)
            .await?;
        Ok(())
    }

    /// Asks the database to look through itself; what it finds wrong, in its own words. Empty: nothing.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn integrity_faults(&self) -> Result<Vec<String>, StoreError> {
        let mut told: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_all(&self.readers)
            .await?;
        told.retain(|line| line != "ok");

        Ok(told)
    }

    /// Closes every connection, so that the database is one file again.
    pub async fn close(self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a change, waiting for any other writer first.
    ///
    /// A transaction that reads before it writes would fail at once instead of waiting while another process, such as
    /// a command beside the running collector, writes.
    pub(super) async fn change(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }
}

/// Turns a moment into what the database holds: milliseconds since 1970 UTC.
pub(super) fn to_ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// Reads a moment back.
pub(super) fn from_ms(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|error| StoreError::unreadable("time", error))
}

/// Reads a moment back where there may be none.
pub(super) fn from_ms_maybe(ms: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    ms.map(from_ms).transpose()
}

/// Reads an identifier or another short text back.
pub(super) fn parsed<T>(what: &'static str, text: &str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse()
        .map_err(|error: T::Err| StoreError::unreadable(what, error))
}

/// Reads a stored JSON text back.
pub(super) fn from_json<T: DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::unreadable(what, error))
}

/// Turns a domain value into the JSON text that is stored.
pub(super) fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::unreadable(what, error))
}

/// Turns a count into what the database holds. Counts beyond 2^63 do not occur; they would read as the largest.
pub(super) fn to_int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Reads a count back.
pub(super) fn from_int(stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(|error| StoreError::unreadable("count", error))
}

/// Fails unless the change touched something.
pub(super) fn touched(rows: u64, what: &'static str) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Missing(what)) } else { Ok(()) }
}
