//! The register of institutions, with every version of each, and the notes about them.

use jiff::Timestamp;
use jiff::civil::Date;
use shirase_shared::ids::{FacilityId, InstitutionId};
use sqlx::{FromRow, SqliteConnection};

use super::append_audit;
use super::connect::{Store, StoreError, from_json, from_ms, parsed, to_json, to_ms};
use super::contacts::Imported;
use crate::audit::{Actor, AuditEntry};
use crate::institutions::{Details, Institution, InstitutionAct, Note, Plan};
use crate::reports::answer::NamedPerson;

#[derive(FromRow)]
struct Row {
    facility_id: String,
    institution_id: String,
    revision: i64,
    details_json: String,
    act: String,
    reason: String,
    set_by: String,
    set_ms: i64,
}

impl TryFrom<Row> for Institution {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("institution id", &row.institution_id)?,
            revision: u32::try_from(row.revision)
                .map_err(|error| StoreError::unreadable("revision", error))?,
            details: from_json("institution", &row.details_json)?,
            act: InstitutionAct::parse(&row.act)
                .ok_or_else(|| StoreError::unreadable("act on an institution", row.act))?,
            reason: row.reason,
            set_by: parsed("actor", &row.set_by)?,
            set_at: from_ms(row.set_ms)?,
        })
    }
}

#[derive(FromRow)]
struct NoteRow {
    n: i64,
    on_day: String,
    body: String,
    by_user: String,
    by_name: String,
    set_ms: i64,
}

impl Store {
    /// Returns every institution of the register as it is now, closed ones as well, by name.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn institutions(
        &self,
        facility: &FacilityId,
    ) -> Result<Vec<Institution>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM institutions AS i WHERE facility_id = ? AND revision = (
               SELECT MAX(revision) FROM institutions
               WHERE facility_id = i.facility_id AND institution_id = i.institution_id)",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let found: Result<Vec<Institution>, StoreError> =
            rows.into_iter().map(Institution::try_from).collect();
        let mut found = found?;
        found.sort_by(|a, b| a.details.name.cmp(&b.details.name).then(a.id.cmp(&b.id)));

        Ok(found)
    }

    /// Returns every version of one institution, the newest first; none if there is no such institution.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn institution_history(
        &self,
        facility: &FacilityId,
        id: InstitutionId,
    ) -> Result<Vec<Institution>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM institutions WHERE facility_id = ? AND institution_id = ? ORDER BY revision DESC",
        )
        .bind(facility.as_str())
        .bind(id.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Institution::try_from).collect()
    }

    /// Enters a new institution.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if another one has its code.
    pub async fn add_institution(
        &self,
        facility: &FacilityId,
        details: &Details,
        (who, now): (Actor, Timestamp),
    ) -> Result<Institution, StoreError> {
        let mut tx = self.change().await?;
        let institution = first_version(facility, details, (who, now));
        insert(&mut tx, &institution).await?;
        self.commit_audited(tx).await?;

        Ok(institution)
    }

    /// Gives an institution another version: changed, closed, or reopened. `seen` is the revision the caller looked at.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such institution, [`StoreError::Stale`] if it is at another revision or
    /// not in a state for this, [`StoreError::Exists`] if another one has its code.
    pub async fn change_institution(
        &self,
        (facility, id, seen): (&FacilityId, InstitutionId, u32),
        change: &InstitutionChange,
        (who, now): (Actor, Timestamp),
    ) -> Result<Institution, StoreError> {
        let mut tx = self.change().await?;
        let known = newest(&mut tx, facility, id).await?;
        let reopens = matches!(change, InstitutionChange::Reopened(_));
        if known.revision != seen || known.is_closed() != reopens {
            return Err(StoreError::Stale("institution"));
        }
        let (act, details, reason) = match change {
            InstitutionChange::Details(details) => {
                (InstitutionAct::Changed, details.clone(), String::new())
            }
            InstitutionChange::Closed(reason) => {
                (InstitutionAct::Closed, known.details.clone(), reason.clone())
            }
            InstitutionChange::Reopened(reason) => {
                (InstitutionAct::Reopened, known.details.clone(), reason.clone())
            }
        };
        let next = next_version(known, (act, details, reason), (who, now));
        insert(&mut tx, &next).await?;
        self.commit_audited(tx).await?;

        Ok(next)
    }

    /// Takes a whole table in, or nothing of it.
    ///
    /// # Errors
    /// When the database fails, [`StoreError::Stale`] if one of them was closed since the table was planned,
    /// [`StoreError::Exists`] if another one has its code by now.
    pub async fn import_institutions(
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
                Plan::Add(details) => {
                    done.added += 1;
                    insert(&mut tx, &first_version(facility, details, (who, now))).await?;
                }
                Plan::Change(id, details) => {
                    done.changed += 1;
                    let known = newest(&mut tx, facility, *id).await?;
                    if known.is_closed() {
                        return Err(StoreError::Stale("institution"));
                    }
                    let change = (InstitutionAct::Changed, details.clone(), String::new());
                    let next = next_version(known, change, (who, now));
                    insert(&mut tx, &next).await?;
                }
            }
        }
        self.commit_audited(tx).await?;

        Ok(done)
    }

    /// Keeps a note about an institution.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such institution.
    pub async fn note_institution(
        &self,
        (facility, id): (&FacilityId, InstitutionId),
        (on, text): (Date, &str),
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        newest(&mut tx, facility, id).await?;
        sqlx::query(
            "INSERT INTO institution_notes (facility_id, institution_id, n, on_day, body, by_user, by_name, set_ms)
             VALUES (?1, ?2, 1 + (SELECT COUNT(*) FROM institution_notes WHERE facility_id = ?1 AND institution_id = ?2),
               ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(facility.as_str())
        .bind(id.to_string())
        .bind(on.to_string())
        .bind(text)
        .bind(by.user.to_string())
        .bind(&by.name)
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await?;
        let who = Actor::User(by.user);
        let entry = AuditEntry::new(now, who, "institution.noted", id).of(facility);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Returns the notes about an institution, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn institution_notes(
        &self,
        facility: &FacilityId,
        id: InstitutionId,
    ) -> Result<Vec<Note>, StoreError> {
        let rows: Vec<NoteRow> = sqlx::query_as(
            "SELECT * FROM institution_notes WHERE facility_id = ? AND institution_id = ? ORDER BY on_day DESC, n DESC",
        )
        .bind(facility.as_str())
        .bind(id.to_string())
        .fetch_all(&self.readers)
        .await?;
        let read = |row: NoteRow| {
            Ok(Note {
                n: u32::try_from(row.n).map_err(|error| StoreError::unreadable("note", error))?,
                on: parsed("date", &row.on_day)?,
                text: row.body,
                by: NamedPerson { user: parsed("user", &row.by_user)?, name: row.by_name },
                at: from_ms(row.set_ms)?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}

/// What becomes of an institution.
#[derive(Clone, Debug)]
pub enum InstitutionChange {
    /// Something about it is known better.
    Details(Details),
    /// It is closed, for this reason.
    Closed(String),
    /// It is reopened, for this reason.
    Reopened(String),
}

fn first_version(
    facility: &FacilityId,
    details: &Details,
    (who, now): (Actor, Timestamp),
) -> Institution {
    Institution {
        facility: facility.clone(),
        id: InstitutionId::random(),
        revision: 1,
        details: details.clone(),
        act: InstitutionAct::Added,
        reason: String::new(),
        set_by: who,
        set_at: now,
    }
}

fn next_version(
    known: Institution,
    (act, details, reason): (InstitutionAct, Details, String),
    (who, now): (Actor, Timestamp),
) -> Institution {
    let revision = known.revision + 1;
    Institution { revision, details, act, reason, set_by: who, set_at: now, ..known }
}

pub(super) async fn newest(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: InstitutionId,
) -> Result<Institution, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT * FROM institutions WHERE facility_id = ? AND institution_id = ? ORDER BY revision DESC LIMIT 1",
    )
    .bind(facility.as_str())
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    row.ok_or(StoreError::Missing("institution"))?.try_into()
}

/// Writes a version with its entry in the audit log. The log names the institution, never a number or an address.
async fn insert(conn: &mut SqliteConnection, one: &Institution) -> Result<(), StoreError> {
    refuse_twin(conn, one).await?;
    sqlx::query(
        "INSERT INTO institutions (facility_id, institution_id, revision, details_json, act, reason, set_by, set_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(one.facility.as_str())
    .bind(one.id.to_string())
    .bind(i64::from(one.revision))
    .bind(to_json("institution", &one.details)?)
    .bind(one.act.as_str())
    .bind(&one.reason)
    .bind(one.set_by.to_string())
    .bind(to_ms(one.set_at))
    .execute(&mut *conn)
    .await?;
    let entry = AuditEntry::new(one.set_at, one.set_by, one.act.audit_action(), one.id)
        .of(&one.facility)
        .with("name", &one.details.name)
        .with("revision", one.revision);
    append_audit(conn, &entry).await
}

/// Refuses a code that another institution has now.
async fn refuse_twin(conn: &mut SqliteConnection, one: &Institution) -> Result<(), StoreError> {
    if one.details.code.is_empty() {
        return Ok(());
    }
    let twin: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM institutions AS i WHERE facility_id = ? AND institution_id <> ?
         AND json_extract(details_json, '$.code') = ? AND revision = (
           SELECT MAX(revision) FROM institutions
           WHERE facility_id = i.facility_id AND institution_id = i.institution_id) LIMIT 1",
    )
    .bind(one.facility.as_str())
    .bind(one.id.to_string())
    .bind(&one.details.code)
    .fetch_optional(conn)
    .await?;

    if twin.is_some() { Err(StoreError::Exists("institution with this code")) } else { Ok(()) }
}
