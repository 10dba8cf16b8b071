//! Cases, entries and links as they stand in the database.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{CaseId, FacilityId};
use sqlx::{FromRow, SqliteConnection};

use super::super::connect::{StoreError, from_int, from_json, from_ms, parsed, to_json, to_ms};
use super::settled;
use crate::cases::{Case, CaseFile, Entry, EntryKind, Heading, KeptFile, Letter, Statement};
use crate::exchange::PackageId;
use crate::exchange::manifest::Manifest;
use crate::exchange::package::PackageFile;
use crate::reports::answer::NamedPerson;

#[derive(FromRow)]
struct CaseRow {
    facility_id: String,
    case_id: String,
    number: i64,
    institution_id: String,
    subject: String,
    drill: bool,
    heard_json: String,
    by_user: String,
    by_name: String,
    opened_ms: i64,
}

impl TryFrom<CaseRow> for Case {
    type Error = StoreError;

    fn try_from(row: CaseRow) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("case id", &row.case_id)?,
            number: from_int(row.number)?,
            institution: parsed("institution id", &row.institution_id)?,
            subject: row.subject,
            drill: row.drill,
            heard: from_json("case", &row.heard_json)?,
            opened_by: NamedPerson { user: parsed("user", &row.by_user)?, name: row.by_name },
            opened_at: from_ms(row.opened_ms)?,
        })
    }
}

#[derive(FromRow)]
struct EntryRow {
    case_id: String,
    n: i64,
    heading: String,
    kind: String,
    body: String,
    source_json: String,
    legal_basis: String,
    on_day: String,
    follow_up: Option<String>,
    corrects: Option<i64>,
    settles: Option<String>,
    by_user: String,
    by_name: String,
    set_ms: i64,
    file_name: Option<String>,
    file_sha256: Option<String>,
    file_bytes: Option<i64>,
}

impl TryFrom<EntryRow> for Entry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let unknown = |what, text: String| StoreError::unreadable(what, text);
        let said = Statement {
            heading: Heading::parse(&row.heading).ok_or_else(|| unknown("heading", row.heading))?,
            kind: EntryKind::parse(&row.kind).ok_or_else(|| unknown("kind of entry", row.kind))?,
            text: row.body,
            source: from_json("source", &row.source_json)?,
            legal_basis: row.legal_basis,
            on: parsed("date", &row.on_day)?,
            follow_up: row.follow_up.map(|day| parsed("date", &day)).transpose()?,
            corrects: row.corrects.map(number).transpose()?,
            settles: settled(row.settles)?,
        };
        let file = match (row.file_name, row.file_sha256, row.file_bytes) {
            (Some(name), Some(sha256), Some(bytes)) => Some(KeptFile {
                name: parsed("name of a file", &name)?,
                sha256,
                bytes: from_int(bytes)?,
            }),
            (_, _, _) => None,
        };
        Ok(Self {
            n: number(row.n)?,
            said,
            file,
            by: NamedPerson { user: parsed("user", &row.by_user)?, name: row.by_name },
            at: from_ms(row.set_ms)?,
        })
    }
}

fn number(stored: i64) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|error| StoreError::unreadable("number of an entry", error))
}

#[derive(FromRow)]
struct LetterRow {
    package_id: String,
    thread: String,
    direction: String,
    manifest_json: String,
}

impl TryFrom<LetterRow> for Letter {
    type Error = StoreError;

    fn try_from(row: LetterRow) -> Result<Self, StoreError> {
        let manifest: Manifest = from_json("manifest", &row.manifest_json)?;
        Ok(Self {
            id: parsed("package", &row.package_id)?,
            thread: parsed("package", &row.thread)?,
            came: row.direction == crate::store::Direction::In.as_str(),
            kind: manifest.kind,
            reply_to: manifest.reply_to,
            subject: manifest.subject,
            made_at: manifest.made_at,
        })
    }
}

/// Reads cases with all that belongs to them, the newest first; one alone if it is named.
pub(super) async fn files(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    only: Option<CaseId>,
) -> Result<Vec<CaseFile>, StoreError> {
    let only = only.map(|id| id.to_string());
    let cases: Vec<CaseRow> = sqlx::query_as(
        "SELECT * FROM cases WHERE facility_id = ?1 AND (?2 IS NULL OR case_id = ?2) ORDER BY number DESC",
    )
    .bind(facility.as_str())
    .bind(&only)
    .fetch_all(&mut *conn)
    .await?;
    let rows: Vec<EntryRow> = sqlx::query_as(
        "SELECT e.*, f.name AS file_name, f.sha256 AS file_sha256, length(f.bytes) AS file_bytes
         FROM case_entries AS e
         LEFT JOIN case_files AS f ON f.facility_id = e.facility_id AND f.case_id = e.case_id AND f.n = e.n
         WHERE e.facility_id = ?1 AND (?2 IS NULL OR e.case_id = ?2) ORDER BY e.n",
    )
    .bind(facility.as_str())
    .bind(&only)
    .fetch_all(&mut *conn)
    .await?;
    let mut entries = BTreeMap::<CaseId, Vec<Entry>>::new();
    for row in rows {
        let case = parsed("case id", &row.case_id)?;
        entries.entry(case).or_default().push(row.try_into()?);
    }
    let mut letters = letters(conn, facility).await?;
    let file = |row: CaseRow| {
        let case = Case::try_from(row)?;
        let entries = entries.remove(&case.id).unwrap_or_default();
        let letters = letters.remove(&case.id).unwrap_or_default();
        Ok(CaseFile { case, entries, letters })
    };
    cases.into_iter().map(file).collect()
}

/// Reads the packages of linked threads by their case, the oldest first.
async fn letters(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
) -> Result<BTreeMap<CaseId, Vec<Letter>>, StoreError> {
    let links = links(conn, facility).await?;
    let mut found = BTreeMap::<CaseId, Vec<Letter>>::new();
    for (thread, case) in links {
        let rows: Vec<LetterRow> = sqlx::query_as(
            "SELECT package_id, thread, direction, manifest_json FROM packages
             WHERE facility_id = ? AND thread = ? AND kind <> 'acknowledgement' ORDER BY made_ms, rowid",
        )
        .bind(facility.as_str())
        .bind(thread.as_str())
        .fetch_all(&mut *conn)
        .await?;
        let of_case = found.entry(case).or_default();
        for row in rows {
            of_case.push(row.try_into()?);
        }
    }
    for letters in found.values_mut() {
        letters.sort_by_key(|letter| letter.made_at);
    }

    Ok(found)
}

/// Reads which case each thread belongs to now.
pub(super) async fn links(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
) -> Result<BTreeMap<PackageId, CaseId>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT thread, case_id FROM case_threads AS t WHERE facility_id = ? AND case_id IS NOT NULL AND n = (
           SELECT MAX(n) FROM case_threads WHERE facility_id = t.facility_id AND thread = t.thread)",
    )
    .bind(facility.as_str())
    .fetch_all(conn)
    .await?;
    let read = |(thread, case): (String, String)| {
        Ok((parsed("package", &thread)?, parsed("case id", &case)?))
    };
    rows.into_iter().map(read).collect()
}

/// Returns whether a thread is an exercise's.
pub(super) async fn thread_drill(
    conn: &mut SqliteConnection,
    (facility, thread): (&FacilityId, &PackageId),
) -> Result<bool, StoreError> {
    let manifest: Option<String> = sqlx::query_scalar(
        "SELECT manifest_json FROM packages WHERE facility_id = ? AND thread = ?
         AND kind <> 'acknowledgement' ORDER BY rowid LIMIT 1",
    )
    .bind(facility.as_str())
    .bind(thread.as_str())
    .fetch_optional(conn)
    .await?;
    let manifest = manifest.ok_or(StoreError::Missing("thread"))?;
    let manifest: Manifest = from_json("manifest", &manifest)?;

    Ok(manifest.drill)
}

pub(super) async fn insert_link(
    conn: &mut SqliteConnection,
    (facility, thread, case): (&FacilityId, &PackageId, Option<CaseId>),
    (by, now): (&NamedPerson, Timestamp),
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO case_threads (facility_id, thread, n, case_id, by_user, by_name, set_ms)
         VALUES (?1, ?2, 1 + (SELECT COUNT(*) FROM case_threads WHERE facility_id = ?1 AND thread = ?2), ?3, ?4, ?5, ?6)",
    )
    .bind(facility.as_str())
    .bind(thread.as_str())
    .bind(case.map(|id| id.to_string()))
    .bind(by.user.to_string())
    .bind(&by.name)
    .bind(to_ms(now))
    .execute(conn)
    .await?;

    Ok(())
}

pub(super) async fn insert_entry(
    conn: &mut SqliteConnection,
    (facility, case): (&FacilityId, CaseId),
    entry: &Entry,
) -> Result<(), StoreError> {
    let said = &entry.said;
    sqlx::query(
        "INSERT INTO case_entries (facility_id, case_id, n, heading, kind, body, source_json, legal_basis, on_day,
           follow_up, corrects, settles, by_user, by_name, set_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(facility.as_str())
    .bind(case.to_string())
    .bind(i64::from(entry.n))
    .bind(said.heading.as_str())
    .bind(said.kind.as_str())
    .bind(&said.text)
    .bind(to_json("source", &said.source)?)
    .bind(&said.legal_basis)
    .bind(said.on.to_string())
    .bind(said.follow_up.map(|day| day.to_string()))
    .bind(said.corrects.map(i64::from))
    .bind(said.settles.as_ref().map(ToString::to_string))
    .bind(entry.by.user.to_string())
    .bind(&entry.by.name)
    .bind(to_ms(entry.at))
    .execute(conn)
    .await?;

    Ok(())
}

pub(super) async fn insert_file(
    conn: &mut SqliteConnection,
    (facility, case, n): (&FacilityId, CaseId, u32),
    (file, bytes): (&KeptFile, &[u8]),
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO case_files (facility_id, case_id, n, name, sha256, bytes) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(facility.as_str())
    .bind(case.to_string())
    .bind(i64::from(n))
    .bind(file.name.as_str())
    .bind(&file.sha256)
    .bind(bytes)
    .execute(conn)
    .await?;

    Ok(())
}

/// Reads the file kept beside an entry.
pub(super) async fn file(
    conn: &mut SqliteConnection,
    (facility, case, n): (&FacilityId, CaseId, u32),
) -> Result<PackageFile, StoreError> {
    let found: Option<(String, Vec<u8>)> = sqlx::query_as(
        "SELECT name, bytes FROM case_files WHERE facility_id = ? AND case_id = ? AND n = ?",
    )
    .bind(facility.as_str())
    .bind(case.to_string())
    .bind(i64::from(n))
    .fetch_optional(conn)
    .await?;
    let (name, bytes) = found.ok_or(StoreError::Missing("file"))?;

    Ok(PackageFile { name: parsed("name of a file", &name)?, bytes })
}
