//! Messages between their writing and their release.

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, MessageId};
use sqlx::{FromRow, SqliteConnection};

use super::super::connect::{Store, StoreError, from_ms, parsed, to_ms, touched};
use super::outgoing::{Outgoing, put_out, sealed_entry};
use super::{append_audit, rows};
use crate::audit::{Actor, AuditEntry};
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::message::{Message, MessageState, Released};
use crate::exchange::package::PackageFile;
use crate::reports::answer::NamedPerson;

#[derive(FromRow)]
struct Row {
    facility_id: String,
    message_id: String,
    partner_id: String,
    kind: String,
    tlp: String,
    drill: bool,
    reply_to: Option<String>,
    subject: String,
    body: String,
    written_by: String,
    written_name: String,
    written_ms: i64,
    state: String,
    package_id: Option<String>,
    reason: String,
}

impl Row {
    fn with(self, files: Vec<PackageFile>) -> Result<Message, StoreError> {
        let unknown = |what, text: &str| StoreError::unreadable(what, text.to_owned());
        let package = self
            .package_id
            .map(|id| parsed("package", &id))
            .transpose()?;
        let state = match (self.state.as_str(), package) {
            ("waiting", _) => MessageState::Waiting,
            ("released", Some(package)) => MessageState::Released { package },
            ("returned", _) => MessageState::Returned { reason: self.reason },
            (state, _) => return Err(unknown("state of a message", state)),
        };

        Ok(Message {
            facility: parsed("facility", &self.facility_id)?,
            id: parsed("message", &self.message_id)?,
            partner: parsed("partner", &self.partner_id)?,
            kind: PackageKind::parse(&self.kind).ok_or_else(|| unknown("kind", &self.kind))?,
            tlp: Tlp::parse(&self.tlp).ok_or_else(|| unknown("mark", &self.tlp))?,
            drill: self.drill,
            reply_to: self.reply_to.map(|id| parsed("package", &id)).transpose()?,
            subject: self.subject,
            text: self.body,
            files,
            written_by: NamedPerson {
                user: parsed("user", &self.written_by)?,
                name: self.written_name,
            },
            written_at: from_ms(self.written_ms)?,
            state,
        })
    }
}

impl Store {
    /// Keeps a message until a second person decides on it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_message(&self, message: &Message) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        insert_message(&mut tx, message).await?;
        self.commit_audited(tx).await
    }

    /// Returns one message with its files.
    ///
    /// # Errors
    /// When there is none.
    pub async fn message(
        &self,
        facility: &FacilityId,
        id: MessageId,
    ) -> Result<Message, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT * FROM messages WHERE facility_id = ? AND message_id = ?")
                .bind(facility.as_str())
                .bind(id.to_string())
                .fetch_optional(&self.readers)
                .await?;
        let row = row.ok_or(StoreError::Missing("message"))?;
        let mut conn = self.readers.acquire().await?;
        let files = files_of(&mut conn, facility, id).await?;

        row.with(files)
    }

    /// Returns the messages of a facility without their files, those that wait first, then the newest. Those of a circular
    /// are left out: it shows them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn messages(&self, facility: &FacilityId) -> Result<Vec<Message>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM messages m WHERE facility_id = ?
               AND NOT EXISTS (SELECT 1 FROM circular_messages c
                   WHERE c.facility_id = m.facility_id AND c.message_id = m.message_id)
             ORDER BY state = 'waiting' DESC, written_ms DESC",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| row.with(Vec::new())).collect()
    }

    /// Records a release together with the package it became.
    ///
    /// # Errors
    /// `Stale` when somebody else decided on it, or another package took its place in the thread, meanwhile.
    pub async fn release_message(
        &self,
        released: &Released,
        outgoing: &Outgoing<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let message = released.message();
        let who = Actor::User(released.by().user);
        let mut tx = self.change().await?;
        end(&mut tx, message, ("released", Some(outgoing.package.id().as_str()), ""), now).await?;
        put_out(&mut tx, outgoing, now).await?;
        append_audit(&mut tx, &entry((now, who), "message.released", message)).await?;
        append_audit(&mut tx, &sealed_entry(outgoing, (who, now))).await?;
        self.commit_audited(tx).await
    }

    /// Records that a message was sent back.
    ///
    /// # Errors
    /// `Stale` when somebody else decided on it meanwhile.
    pub async fn return_message(
        &self,
        message: &Message,
        reason: &str,
        (who, now): (Actor, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        end(&mut tx, message, ("returned", None, reason), now).await?;
        let entry = entry((now, who), "message.returned", message).with("reason", reason);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }
}

/// Writes a message down with its files, and into the log that it was written.
pub(super) async fn insert_message(
    conn: &mut SqliteConnection,
    message: &Message,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO messages (facility_id, message_id, partner_id, kind, tlp, drill, reply_to, subject, body,
           written_by, written_name, written_ms, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
    )
    .bind(message.facility.as_str())
    .bind(message.id.to_string())
    .bind(message.partner.as_str())
    .bind(message.kind.as_str())
    .bind(message.tlp.as_str())
    .bind(message.drill)
    .bind(message.reply_to.as_ref().map(|id| id.as_str().to_owned()))
    .bind(&message.subject)
    .bind(&message.text)
    .bind(message.written_by.user.to_string())
    .bind(&message.written_by.name)
    .bind(to_ms(message.written_at))
    .execute(&mut *conn)
    .await?;
    for file in &message.files {
        sqlx::query(
            "INSERT INTO message_files (facility_id, message_id, name, bytes) VALUES (?, ?, ?, ?)",
        )
        .bind(message.facility.as_str())
        .bind(message.id.to_string())
        .bind(file.name.as_str())
        .bind(&file.bytes)
        .execute(&mut *conn)
        .await?;
    }
    let who = Actor::User(message.written_by.user);
    let entry = entry((message.written_at, who), "message.written", message);
    append_audit(conn, &entry).await?;
    Ok(())
}

async fn end(
    conn: &mut SqliteConnection,
    message: &Message,
    (state, package, reason): (&str, Option<&str>, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let ended = sqlx::query(
        "UPDATE messages SET state = ?, package_id = ?, reason = ?, ended_ms = ?
         WHERE facility_id = ? AND message_id = ? AND state = 'waiting'",
    )
    .bind(state)
    .bind(package)
    .bind(reason)
    .bind(to_ms(now))
    .bind(message.facility.as_str())
    .bind(message.id.to_string())
    .execute(conn)
    .await?;
    touched(ended.rows_affected(), "message").map_err(|_| StoreError::Stale("message"))
}

async fn files_of(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: MessageId,
) -> Result<Vec<PackageFile>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "SELECT name, bytes FROM message_files WHERE facility_id = ? AND message_id = ? ORDER BY name",
    )
    .bind(facility.as_str())
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(rows::file).collect()
}

fn entry((now, who): (Timestamp, Actor), action: &'static str, message: &Message) -> AuditEntry {
    AuditEntry::new(now, who, action, message.id)
        .of(&message.facility)
        .with("partner", &message.partner)
        .with("kind", message.kind)
}
