//! A municipality's cases: as they were opened, with their entries and the threads of the exchange that belong to them.

mod rows;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{CaseId, FacilityId};
use shirase_shared::tls::sha256_hex;
use sqlx::SqliteConnection;

use super::append_audit;
use super::connect::{Store, StoreError, parsed, to_int, to_json, to_ms};
use super::institutions::newest;
use crate::audit::{Actor, AuditEntry};
use crate::cases::{Case, CaseFile, Entry, KeptFile, NewCase, Refusal, Settled, Statement};
use crate::contacts::today;
use crate::exchange::PackageId;
use crate::exchange::package::PackageFile;
use crate::reports::answer::NamedPerson;

/// Why something was not done to a case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// It cannot stand.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CaseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Opens a case, with the thread it was born from if there is one.
    ///
    /// # Errors
    /// When it cannot stand, its institution is closed, or the thread belongs to another case.
    pub async fn open_case(
        &self,
        facility: &FacilityId,
        new: &NewCase,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<Case, CaseError> {
        new.check(now)?;
        let mut tx = self.change().await?;
        let institution = newest(&mut tx, facility, new.institution).await?;
        if institution.is_closed() {
            return Err(Refusal::ClosedInstitution.into());
        }
        let last: Option<i64> =
            sqlx::query_scalar("SELECT MAX(number) FROM cases WHERE facility_id = ?")
                .bind(facility.as_str())
                .fetch_one(&mut *tx)
                .await?;
        let case = Case {
            facility: facility.clone(),
            id: CaseId::random(),
            number: super::connect::from_int(last.unwrap_or(0))? + 1,
            institution: new.institution,
            subject: new.subject.clone(),
            drill: new.drill,
            heard: new.heard.clone(),
            opened_by: by.clone(),
            opened_at: now,
        };
        insert(&mut tx, &case).await?;
        if let Some(thread) = &new.thread {
            link(&mut tx, (facility, thread, Some(case.id)), (by, now)).await?;
        }
        self.commit_audited(tx).await?;

        Ok(case)
    }

    /// Returns every case of a facility with all that belongs to it, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn case_files(&self, facility: &FacilityId) -> Result<Vec<CaseFile>, StoreError> {
        let mut conn = self.readers.acquire().await?;
        rows::files(&mut conn, facility, None).await
    }

    /// Returns one case with all that belongs to it.
    ///
    /// # Errors
    /// When there is none.
    pub async fn case_file(
        &self,
        facility: &FacilityId,
        id: CaseId,
    ) -> Result<CaseFile, StoreError> {
        let mut conn = self.readers.acquire().await?;
        one(&mut conn, facility, id).await
    }

    /// Adds an entry to a case, with a file to keep beside it if there is one.
    ///
    /// # Errors
    /// When there is no such case, or the entry cannot stand beside what is there.
    pub async fn add_case_entry(
        &self,
        (facility, id): (&FacilityId, CaseId),
        (said, kept): (&Statement, Option<&PackageFile>),
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<Entry, CaseError> {
        let mut tx = self.change().await?;
        let file = one(&mut tx, facility, id).await?;
        file.check(said, today(now))?;
        let n = file.entries.last().map_or(1, |entry| entry.n + 1);
        let file = kept.map(|kept| KeptFile {
            name: kept.name.clone(),
            sha256: sha256_hex(&kept.bytes),
            bytes: u64::try_from(kept.bytes.len()).unwrap_or(u64::MAX),
        });
        let entry = Entry { n, said: said.clone(), file, by: by.clone(), at: now };
        rows::insert_entry(&mut tx, (facility, id), &entry).await?;
        if let (Some(file), Some(kept)) = (&entry.file, kept) {
            rows::insert_file(&mut tx, (facility, id, n), (file, &kept.bytes)).await?;
        }
        let mut logged = AuditEntry::new(now, Actor::User(by.user), "case.entered", id)
            .of(facility)
            .with("entry", n)
            .with("kind", said.kind)
            .with("heading", said.heading);
        if let Some(file) = &entry.file {
            logged = logged.with("file_sha256", &file.sha256);
        }
        append_audit(&mut tx, &logged).await?;
        self.commit_audited(tx).await?;

        Ok(entry)
    }

    /// Returns the file kept beside an entry.
    ///
    /// # Errors
    /// When there is none.
    pub async fn case_entry_file(
        &self,
        facility: &FacilityId,
        id: CaseId,
        n: u32,
    ) -> Result<PackageFile, StoreError> {
        let mut conn = self.readers.acquire().await?;
        rows::file(&mut conn, (facility, id, n)).await
    }

    /// Says which case a thread belongs to; none takes it out again.
    ///
    /// # Errors
    /// When there is no such case or thread, only one of them is an exercise's, or the thread belongs to another case.
    pub async fn link_thread(
        &self,
        (facility, thread): (&FacilityId, &PackageId),
        case: Option<CaseId>,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), CaseError> {
        let mut tx = self.change().await?;
        link(&mut tx, (facility, thread, case), (by, now)).await?;

        Ok(self.commit_audited(tx).await?)
    }

    /// Returns which case each linked thread belongs to.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn thread_cases(
        &self,
        facility: &FacilityId,
    ) -> Result<BTreeMap<PackageId, CaseId>, StoreError> {
        let mut conn = self.readers.acquire().await?;
        rows::links(&mut conn, facility).await
    }
}

async fn one(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: CaseId,
) -> Result<CaseFile, StoreError> {
    let mut files = rows::files(conn, facility, Some(id)).await?;
    files.pop().ok_or(StoreError::Missing("case"))
}

/// Writes a case with its entry in the audit log. The log names the case, never what was told.
async fn insert(conn: &mut SqliteConnection, case: &Case) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO cases (facility_id, case_id, number, institution_id, subject, drill, heard_json, by_user, by_name, opened_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(case.facility.as_str())
    .bind(case.id.to_string())
    .bind(to_int(case.number))
    .bind(case.institution.to_string())
    .bind(&case.subject)
    .bind(case.drill)
    .bind(to_json("case", &case.heard)?)
    .bind(case.opened_by.user.to_string())
    .bind(&case.opened_by.name)
    .bind(to_ms(case.opened_at))
    .execute(&mut *conn)
    .await?;
    let who = Actor::User(case.opened_by.user);
    let entry = AuditEntry::new(case.opened_at, who, "case.opened", case.id)
        .of(&case.facility)
        .with("number", case.number)
        .with("institution", case.institution)
        .with("way", case.heard.way);
    append_audit(conn, &entry).await
}

async fn link(
    conn: &mut SqliteConnection,
    (facility, thread, case): (&FacilityId, &PackageId, Option<CaseId>),
    (by, now): (&NamedPerson, Timestamp),
) -> Result<(), CaseError> {
    let links = rows::links(conn, facility).await?;
    let present = links.get(thread).copied();
    if present == case {
        return Ok(());
    }
    if present.is_some() && case.is_some() {
        return Err(Refusal::OtherCase.into());
    }
    if let Some(case) = case {
        let file = one(conn, facility, case).await?;
        if rows::thread_drill(conn, (facility, thread)).await? != file.case.drill {
            return Err(Refusal::Drill.into());
        }
    }
    rows::insert_link(conn, (facility, thread, case), (by, now)).await?;
    let (action, object) = match (case, present) {
        (Some(case), _) => ("case.linked", case),
        (None, Some(case)) => ("case.unlinked", case),
        (None, None) => return Ok(()),
    };
    let entry = AuditEntry::new(now, Actor::User(by.user), action, object)
        .of(facility)
        .with("thread", thread);

    Ok(append_audit(conn, &entry).await?)
}

fn settled(text: Option<String>) -> Result<Option<Settled>, StoreError> {
    text.map(|text| parsed("reference to what is settled", &text))
        .transpose()
}

#[cfg(test)]
mod tests;
