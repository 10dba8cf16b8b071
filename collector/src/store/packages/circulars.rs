//! Notices to many partners: what was written once, and how far it came with each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{CircularId, FacilityId, MessageId};
use sqlx::FromRow;

use super::super::connect::{Store, StoreError, from_ms, parsed, to_ms};
use super::append_audit;
use super::messages::insert_message;
use crate::audit::{Actor, AuditEntry};
use crate::exchange::circular::{Circular, Recipient};
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::message::{Message, MessageState};
use crate::reports::answer::NamedPerson;

#[derive(FromRow)]
struct Row {
    facility_id: String,
    circular_id: String,
    kind: String,
    subject: String,
    body: String,
    tlp: String,
    drill: bool,
    reminds: Option<String>,
    written_by: String,
    written_name: String,
    written_ms: i64,
}

#[derive(FromRow)]
struct RecipientRow {
    circular_id: String,
    partner_id: String,
    state: String,
    package_id: Option<String>,
    reason: String,
    done_ms: Option<i64>,
}

impl RecipientRow {
    fn read(
        self,
        reads: &BTreeMap<String, Vec<(String, Timestamp)>>,
    ) -> Result<Recipient, StoreError> {
        let package = self.package_id.as_deref();
        let reads = package
            .and_then(|id| reads.get(id))
            .cloned()
            .unwrap_or_default();
        let package = package.map(|id| parsed("package", id)).transpose()?;
        let state = match (self.state.as_str(), package) {
            ("waiting", _) => MessageState::Waiting,
            ("released", Some(package)) => MessageState::Released { package },
            ("returned", _) => MessageState::Returned { reason: self.reason },
            (state, _) => {
                return Err(StoreError::unreadable("state of a message", state.to_owned()));
            }
        };
        Ok(Recipient {
            partner: parsed("partner", &self.partner_id)?,
            state,
            stored_at: self.done_ms.map(from_ms).transpose()?,
            reads,
        })
    }
}

impl Row {
    fn with(self, recipients: Vec<Recipient>) -> Result<Circular, StoreError> {
        let kind = PackageKind::parse(&self.kind);
        let kind = kind.ok_or_else(|| StoreError::unreadable("kind", self.kind.clone()))?;
        let tlp = Tlp::parse(&self.tlp);
        let tlp = tlp.ok_or_else(|| StoreError::unreadable("mark", self.tlp.clone()))?;
        Ok(Circular {
            facility: parsed("facility", &self.facility_id)?,
            id: parsed("circular", &self.circular_id)?,
            kind,
            subject: self.subject,
            text: self.body,
            tlp,
            drill: self.drill,
            reminds: self.reminds.map(|id| parsed("circular", &id)).transpose()?,
            written_by: NamedPerson {
                user: parsed("user", &self.written_by)?,
                name: self.written_name,
            },
            written_at: from_ms(self.written_ms)?,
            recipients,
        })
    }
}

impl Store {
    /// Keeps a circular with its messages until a second person decides on it.
    ///
    /// # Errors
    /// When the database fails: then nothing of it was kept.
    pub async fn add_circular(
        &self,
        circular: &Circular,
        messages: &[Message],
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        sqlx::query(
            "INSERT INTO circulars (facility_id, circular_id, kind, subject, body, tlp, drill, reminds, written_by,
               written_name, written_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(circular.facility.as_str())
        .bind(circular.id.to_string())
        .bind(circular.kind.as_str())
        .bind(&circular.subject)
        .bind(&circular.text)
        .bind(circular.tlp.as_str())
        .bind(circular.drill)
        .bind(circular.reminds.map(|id| id.to_string()))
        .bind(circular.written_by.user.to_string())
        .bind(&circular.written_by.name)
        .bind(to_ms(circular.written_at))
        .execute(&mut *tx)
        .await?;
        for message in messages {
            insert_message(&mut tx, message).await?;
            sqlx::query(
                "INSERT INTO circular_messages (facility_id, circular_id, message_id) VALUES (?, ?, ?)",
            )
            .bind(circular.facility.as_str())
            .bind(circular.id.to_string())
            .bind(message.id.to_string())
            .execute(&mut *tx)
            .await?;
        }
        let who = Actor::User(circular.written_by.user);
        let entry = AuditEntry::new(circular.written_at, who, "circular.written", circular.id)
            .of(&circular.facility)
            .with("recipients", messages.len());
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Returns every circular of a facility with how far it came, the newest first.
    ///
    /// # Errors
    /// When the database does not answer or holds something unreadable.
    pub async fn circulars(&self, facility: &FacilityId) -> Result<Vec<Circular>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM circulars WHERE facility_id = ? ORDER BY written_ms DESC, rowid DESC",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let mut recipients = self.recipients(facility).await?;
        rows.into_iter()
            .map(|row| {
                let own = recipients.remove(&row.circular_id).unwrap_or_default();
                row.with(own)
            })
            .collect()
    }

    /// Returns one circular.
    ///
    /// # Errors
    /// When there is none.
    pub async fn circular(
        &self,
        facility: &FacilityId,
        id: CircularId,
    ) -> Result<Circular, StoreError> {
        let all = self.circulars(facility).await?;
        let found = all.into_iter().find(|one| one.id == id);
        found.ok_or(StoreError::Missing("circular"))
    }

    async fn recipients(
        &self,
        facility: &FacilityId,
    ) -> Result<BTreeMap<String, Vec<Recipient>>, StoreError> {
        let rows: Vec<RecipientRow> = sqlx::query_as(
            "SELECT c.circular_id, m.partner_id, m.state, m.package_id, m.reason, p.done_ms
             FROM circular_messages c
             JOIN messages m ON m.facility_id = c.facility_id AND m.message_id = c.message_id
             LEFT JOIN packages p ON p.facility_id = m.facility_id AND p.package_id = m.package_id
             WHERE c.facility_id = ? ORDER BY m.partner_id",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let acks: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT a.package_id, a.by_name, a.at_ms FROM package_acks a
             WHERE a.facility_id = ?1 AND a.what = 'read' AND a.package_id IN (
                 SELECT m.package_id FROM circular_messages c
                 JOIN messages m ON m.facility_id = c.facility_id AND m.message_id = c.message_id
                 WHERE c.facility_id = ?1 AND m.package_id IS NOT NULL)
             ORDER BY a.at_ms",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let mut reads: BTreeMap<String, Vec<(String, Timestamp)>> = BTreeMap::new();
        for (package, by, at) in acks {
            reads.entry(package).or_default().push((by, from_ms(at)?));
        }
        let mut found: BTreeMap<String, Vec<Recipient>> = BTreeMap::new();
        for row in rows {
            let circular = row.circular_id.clone();
            found.entry(circular).or_default().push(row.read(&reads)?);
        }

        Ok(found)
    }

    /// Returns the messages of a circular that wait for their release.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting_of_circular(
        &self,
        facility: &FacilityId,
        id: CircularId,
    ) -> Result<Vec<MessageId>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT m.message_id FROM circular_messages c
             JOIN messages m ON m.facility_id = c.facility_id AND m.message_id = c.message_id
             WHERE c.facility_id = ? AND c.circular_id = ? AND m.state = 'waiting' ORDER BY m.partner_id",
        )
        .bind(facility.as_str())
        .bind(id.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(id,)| parsed("message", &id))
            .collect()
    }
}
