//! The answers to checklists, with every version of each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;
use sqlx::{FromRow, SqliteConnection};

use super::append_audit;
use super::connect::{Store, StoreError, from_ms, parsed, to_ms};
use crate::audit::{Actor, AuditEntry};
use crate::checklist::{Answered, Entry, Filled, SheetKey};

/// One answer's place.
#[derive(Clone, Debug)]
pub struct ItemPlace<'a> {
    /// The facility.
    pub facility: &'a FacilityId,
    /// The list.
    pub list: &'a str,
    /// The sheet of it.
    pub sheet: &'a SheetKey,
    /// The item.
    pub item: &'a str,
}

#[derive(FromRow)]
struct Row {
    facility_id: String,
    list_id: String,
    sheet: String,
    item_id: String,
    revision: i64,
    company: String,
    asked: String,
    answer: String,
    checked_on: String,
    target_on: Option<String>,
    said_by: String,
    note: String,
    set_by: String,
    set_ms: i64,
}

impl TryFrom<Row> for Filled {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let answer = Answered::parse(&row.answer)
            .ok_or_else(|| StoreError::unreadable("answer to a checklist", row.answer))?;
        let target = row.target_on.map(|day| parsed("date", &day));
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            list: row.list_id,
            sheet: parsed("sheet", &row.sheet)?,
            company: row.company,
            item: row.item_id,
            revision: u32::try_from(row.revision)
                .map_err(|error| StoreError::unreadable("revision", error))?,
            asked: row.asked,
            entry: Entry {
                answer,
                checked_on: parsed("date", &row.checked_on)?,
                target_on: target.transpose()?,
                said_by: row.said_by,
                note: row.note,
            },
            set_by: parsed("actor", &row.set_by)?,
            set_at: from_ms(row.set_ms)?,
        })
    }
}

impl Store {
    /// Returns every version of every answer to a list, by sheet and item, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn checklist_answers(
        &self,
        facility: &FacilityId,
        list: &str,
    ) -> Result<BTreeMap<(SheetKey, String), Vec<Filled>>, StoreError> {
        let sql = "SELECT * FROM checklist_answers WHERE facility_id = ? AND list_id = ? ORDER BY sheet, item_id, revision DESC";
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .bind(list)
            .fetch_all(&self.readers)
            .await?;
        let mut found: BTreeMap<(SheetKey, String), Vec<Filled>> = BTreeMap::new();
        for row in rows {
            let filled = Filled::try_from(row)?;
            let key = (filled.sheet.clone(), filled.item.clone());
            found.entry(key).or_default().push(filled);
        }
        Ok(found)
    }

    /// Answers an item, on top of what was answered before. `seen` is the revision the caller looked at, 0 if none;
    /// `asked` are the words that are answered and the company they were put to.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if somebody answered in the meantime.
    pub async fn answer_checklist(
        &self,
        (place, seen): (&ItemPlace<'_>, u32),
        (asked, company): (&str, &str),
        entry: &Entry,
        (who, now): (Actor, Timestamp),
    ) -> Result<Filled, StoreError> {
        let mut tx = self.change().await?;
        let known = newest(&mut tx, place).await?;
        if known != seen {
            return Err(StoreError::Stale("checklist"));
        }
        let filled = Filled {
            facility: place.facility.clone(),
            list: place.list.to_owned(),
            sheet: place.sheet.clone(),
            company: company.to_owned(),
            item: place.item.to_owned(),
            revision: known + 1,
            asked: asked.to_owned(),
            entry: entry.clone(),
            set_by: who,
            set_at: now,
        };
        insert(&mut tx, &filled).await?;
        self.commit_audited(tx).await?;

        Ok(filled)
    }
}

async fn newest(conn: &mut SqliteConnection, place: &ItemPlace<'_>) -> Result<u32, StoreError> {
    let sql = "SELECT COALESCE(MAX(revision), 0) FROM checklist_answers
               WHERE facility_id = ? AND list_id = ? AND sheet = ? AND item_id = ?";
    let revision: i64 = sqlx::query_scalar(sql)
        .bind(place.facility.as_str())
        .bind(place.list)
        .bind(place.sheet.to_string())
        .bind(place.item)
        .fetch_one(conn)
        .await?;
    u32::try_from(revision).map_err(|error| StoreError::unreadable("revision", error))
}

/// Writes a version with its entry in the audit log. The log tells the answer, never the note.
async fn insert(conn: &mut SqliteConnection, filled: &Filled) -> Result<(), StoreError> {
    let Filled { entry, .. } = filled;
    sqlx::query(
        "INSERT INTO checklist_answers (facility_id, list_id, sheet, item_id, revision, company, asked, answer, checked_on,
                                        target_on, said_by, note, set_by, set_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(filled.facility.as_str())
    .bind(&filled.list)
    .bind(filled.sheet.to_string())
    .bind(&filled.item)
    .bind(i64::from(filled.revision))
    .bind(&filled.company)
    .bind(&filled.asked)
    .bind(entry.answer.as_str())
    .bind(entry.checked_on.to_string())
    .bind(entry.target_on.map(|day| day.to_string()))
    .bind(&entry.said_by)
    .bind(&entry.note)
    .bind(filled.set_by.to_string())
    .bind(to_ms(filled.set_at))
    .execute(&mut *conn)
    .await?;
    let object = format!("{} {}", filled.list, filled.item);
    let mut audit = AuditEntry::new(filled.set_at, filled.set_by, "checklist.answered", object)
        .of(&filled.facility)
        .with("sheet", &filled.sheet)
        .with("answer", entry.answer.as_str())
        .with("checked_on", entry.checked_on)
        .with("revision", filled.revision);
    if let Some(target) = entry.target_on {
        audit = audit.with("target_on", target);
    }
    if !filled.company.is_empty() {
        audit = audit.with("company", &filled.company);
    }
    append_audit(conn, &audit).await
}

#[cfg(test)]
mod tests;
