//! The address book of a facility, with every version of every contact.

use jiff::Timestamp;
use shirase_shared::ids::{ContactId, FacilityId};
use sqlx::{FromRow, SqliteConnection};

use super::append_audit;
use super::connect::{Store, StoreError, from_json, from_ms, parsed, to_json, to_ms};
use crate::audit::{Actor, AuditEntry};
use crate::contacts::{Contact, ContactAct, Details, Entry, Plan, Verified, today, vendors};
use crate::facilities::Facility;

/// The versions in force.
const CURRENT: &str = "SELECT * FROM contacts AS c WHERE facility_id = ? AND revision = (
    SELECT MAX(revision) FROM contacts WHERE facility_id = c.facility_id AND contact_id = c.contact_id)";

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Contacts that are new.
    pub added: usize,
    /// Contacts with another version.
    pub changed: usize,
    /// Contacts that were as the table says.
    pub same: usize,
}

#[derive(FromRow)]
struct Row {
    facility_id: String,
    contact_id: String,
    revision: i64,
    details_json: String,
    verified_on: Option<String>,
    verified_by: Option<String>,
    act: String,
    set_by: String,
    set_ms: i64,
}

impl TryFrom<Row> for Contact {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let verified = match (row.verified_on, row.verified_by) {
            (Some(on), Some(by)) => Some(Verified { on: parsed("date", &on)?, by }),
            (_, _) => None,
        };
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("contact id", &row.contact_id)?,
            revision: u32::try_from(row.revision)
                .map_err(|error| StoreError::unreadable("revision", error))?,
            details: from_json("contact", &row.details_json)?,
            verified,
            act: ContactAct::parse(&row.act)
                .ok_or_else(|| StoreError::unreadable("act on a contact", row.act))?,
            set_by: parsed("actor", &row.set_by)?,
            set_at: from_ms(row.set_ms)?,
        })
    }
}

impl Store {
    /// Returns every contact of a facility as it is now, retired ones as well, in the order of the book.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn contacts(&self, facility: &FacilityId) -> Result<Vec<Contact>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(CURRENT)
            .bind(facility.as_str())
            .fetch_all(&self.readers)
            .await?;
        in_order(rows)
    }

    /// Returns a facility with the vendors its address book names now.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable contact.
    pub async fn with_vendors(
        &self,
        facility: &Facility,
        now: Timestamp,
    ) -> Result<Facility, StoreError> {
        let contacts = self.contacts(&facility.id).await?;
        let mut facility = facility.clone();
        facility.master.vendors = vendors(&contacts, &facility.master, today(now));

        Ok(facility)
    }

    /// Returns every version of one contact, the newest first; none if there is no such contact.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn contact_history(
        &self,
        facility: &FacilityId,
        id: ContactId,
    ) -> Result<Vec<Contact>, StoreError> {
        let sql = "SELECT * FROM contacts WHERE facility_id = ? AND contact_id = ? ORDER BY revision DESC";
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .bind(id.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Contact::try_from).collect()
    }

    /// Enters a new contact.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_contact(
        &self,
        facility: &FacilityId,
        entry: &Entry,
        (who, now): (Actor, Timestamp),
    ) -> Result<Contact, StoreError> {
        let mut tx = self.change().await?;
        let contact = first_version(facility, entry, (who, now));
        insert(&mut tx, &contact).await?;
        self.commit_audited(tx).await?;

        Ok(contact)
    }

    /// Gives a contact another version. `seen` is the revision the caller looked at.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such contact, [`StoreError::Stale`] if it is at another revision.
    pub async fn change_contact(
        &self,
        (facility, id, seen): (&FacilityId, ContactId, u32),
        entry: &Entry,
        (who, now): (Actor, Timestamp),
    ) -> Result<Contact, StoreError> {
        let change = |known: &Contact| {
            let verified = known.verification_after(&entry.details, entry.verified.clone());
            (ContactAct::Changed, entry.details.clone(), verified)
        };
        self.next_version((facility, id, seen), change, (who, now))
            .await
    }

    /// Notes that somebody made sure of a contact as it stands at revision `seen`.
    ///
    /// # Errors
    /// As [`Self::change_contact`].
    pub async fn verify_contact(
        &self,
        (facility, id, seen): (&FacilityId, ContactId, u32),
        verified: &Verified,
        (who, now): (Actor, Timestamp),
    ) -> Result<Contact, StoreError> {
        let change =
            |known: &Contact| (ContactAct::Verified, known.details.clone(), Some(verified.clone()));
        self.next_version((facility, id, seen), change, (who, now))
            .await
    }

    /// Takes a contact out of use from the day of `now` on. Its versions stay.
    ///
    /// # Errors
    /// As [`Self::change_contact`].
    pub async fn retire_contact(
        &self,
        (facility, id, seen): (&FacilityId, ContactId, u32),
        (who, now): (Actor, Timestamp),
    ) -> Result<Contact, StoreError> {
        let change = |known: &Contact| {
            let today = today(now);
            let last = today.max(known.details.valid_from);
            let details = Details { valid_to: Some(last), ..known.details.clone() };
            (ContactAct::Retired, details, known.verified.clone())
        };
        self.next_version((facility, id, seen), change, (who, now))
            .await
    }

    async fn next_version(
        &self,
        (facility, id, seen): (&FacilityId, ContactId, u32),
        change: impl FnOnce(&Contact) -> (ContactAct, Details, Option<Verified>),
        (who, now): (Actor, Timestamp),
    ) -> Result<Contact, StoreError> {
        let mut tx = self.change().await?;
        let known = newest(&mut tx, facility, id).await?;
        if known.revision != seen {
            return Err(StoreError::Stale("contact"));
        }
        let (act, details, verified) = change(&known);
        let revision = known.revision + 1;
        let next = Contact { revision, details, verified, act, set_by: who, set_at: now, ..known };
        insert(&mut tx, &next).await?;
        self.commit_audited(tx).await?;

        Ok(next)
    }

    /// Takes a whole table in, or nothing of it.
    ///
    /// # Errors
    /// When the database fails, or a contact of the table is gone.
    pub async fn import_contacts(
        &self,
        facility: &FacilityId,
        plans: &[Plan],
        (who, now): (Actor, Timestamp),
    ) -> Result<Imported, StoreError> {
        let mut tx = self.change().await?;
        let mut done = Imported::default();
        for plan in plans {
            match plan {
                Plan::Same(_) => done.same += 1,
                Plan::Add(entry) => {
                    done.added += 1;
                    insert(&mut tx, &first_version(facility, entry, (who, now))).await?;
                }
                Plan::Change(id, entry) => {
                    done.changed += 1;
                    let known = newest(&mut tx, facility, *id).await?;
                    let verified = known.verification_after(&entry.details, entry.verified.clone());
                    let next = Contact {
                        revision: known.revision + 1,
                        details: entry.details.clone(),
                        verified,
                        act: ContactAct::Changed,
                        set_by: who,
                        set_at: now,
                        ..known
                    };
                    insert(&mut tx, &next).await?;
                }
            }
        }
        self.commit_audited(tx).await?;

        Ok(done)
    }
}

fn first_version(facility: &FacilityId, entry: &Entry, (who, now): (Actor, Timestamp)) -> Contact {
    Contact {
        facility: facility.clone(),
        id: ContactId::random(),
        revision: 1,
        details: entry.details.clone(),
        verified: entry.verified.clone(),
        act: ContactAct::Added,
        set_by: who,
        set_at: now,
    }
}

async fn newest(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: ContactId,
) -> Result<Contact, StoreError> {
    let sql = "SELECT * FROM contacts WHERE facility_id = ? AND contact_id = ? ORDER BY revision DESC LIMIT 1";
    let row: Option<Row> = sqlx::query_as(sql)
        .bind(facility.as_str())
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.ok_or(StoreError::Missing("contact"))?.try_into()
}

/// Writes a version with its entry in the audit log. The log names the contact, never a number or an address.
async fn insert(conn: &mut SqliteConnection, contact: &Contact) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO contacts (facility_id, contact_id, revision, kind, details_json, verified_on, verified_by, act, set_by, set_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(contact.facility.as_str())
    .bind(contact.id.to_string())
    .bind(i64::from(contact.revision))
    .bind(contact.details.kind.as_str())
    .bind(to_json("contact", &contact.details)?)
    .bind(contact.verified.as_ref().map(|verified| verified.on.to_string()))
    .bind(contact.verified.as_ref().map(|verified| verified.by.clone()))
    .bind(contact.act.as_str())
    .bind(contact.set_by.to_string())
    .bind(to_ms(contact.set_at))
    .execute(&mut *conn)
    .await?;
    let mut entry =
        AuditEntry::new(contact.set_at, contact.set_by, contact.act.audit_action(), contact.id)
            .of(&contact.facility)
            .with("kind", contact.details.kind)
            .with("name", contact.details.name())
            .with("revision", contact.revision);
    if let (ContactAct::Verified, Some(verified)) = (contact.act, &contact.verified) {
        entry = entry
            .with("verified_on", verified.on)
            .with("verified_by", &verified.by);
    }
    append_audit(conn, &entry).await
}

fn in_order(rows: Vec<Row>) -> Result<Vec<Contact>, StoreError> {
    let contacts: Result<Vec<Contact>, StoreError> =
        rows.into_iter().map(Contact::try_from).collect();
    let mut contacts = contacts?;
    contacts.sort_by(|a, b| a.details.before(&b.details).then(a.id.cmp(&b.id)));

    Ok(contacts)
}

#[cfg(test)]
mod tests;
