//! Official forms with their mappings, and the copies filled for approved reports.

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;
use sqlx::FromRow;

use super::append_audit;
use super::connect::{Store, StoreError, from_json, from_ms, parsed, to_ms, touched};
use super::reports::rows::revision;
use crate::audit::{Actor, AuditEntry};
use crate::reports::official::{
    FilledCopy, FormId, FormKind, Mapping, OfficialForm, mapping_sha256,
};

#[derive(FromRow)]
struct FormRow {
    facility_id: String,
    form_id: String,
    kind: String,
    file_name: String,
    sha256: String,
    bytes: Vec<u8>,
    mapping_json: String,
    uploaded_by: Option<String>,
    uploaded_ms: i64,
}

impl TryFrom<FormRow> for OfficialForm {
    type Error = StoreError;

    fn try_from(row: FormRow) -> Result<Self, StoreError> {
        let uploaded_by = row
            .uploaded_by
            .map(|user| parsed("user id", &user))
            .transpose()?;
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("form name", &row.form_id)?,
            kind: FormKind::parse(&row.kind)
                .ok_or_else(|| StoreError::unreadable("kind of form", row.kind))?,
            file_name: row.file_name,
            sha256: row.sha256,
            bytes: row.bytes,
            mapping: from_json("mapping", &row.mapping_json)?,
            uploaded_by,
            uploaded_at: from_ms(row.uploaded_ms)?,
        })
    }
}

#[derive(FromRow)]
struct CopyRow {
    facility_id: String,
    report_id: String,
    revision: i64,
    form_id: String,
    form_sha256: String,
    mapping_sha256: String,
    answers_sha256: String,
    sha256: String,
    signature: String,
    bytes: Vec<u8>,
    made_ms: i64,
}

impl TryFrom<CopyRow> for FilledCopy {
    type Error = StoreError;

    fn try_from(row: CopyRow) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            report: parsed("report id", &row.report_id)?,
            revision: revision(row.revision)?,
            form: parsed("form name", &row.form_id)?,
            form_sha256: row.form_sha256,
            mapping_sha256: row.mapping_sha256,
            answers_sha256: row.answers_sha256,
            sha256: row.sha256,
            signature: row.signature,
            bytes: row.bytes,
            made_at: from_ms(row.made_ms)?,
        })
    }
}

impl Store {
    /// Stores an uploaded form; one of the same name is replaced and keeps its mapping if the new one has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_official_form(
        &self,
        form: &OfficialForm,
        who: Actor,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        sqlx::query(
            "INSERT INTO official_forms (facility_id, form_id, kind, file_name, sha256, bytes, mapping_json, uploaded_by, uploaded_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (facility_id, form_id) DO UPDATE SET kind = excluded.kind, file_name = excluded.file_name,
                sha256 = excluded.sha256, bytes = excluded.bytes, uploaded_by = excluded.uploaded_by,
                uploaded_ms = excluded.uploaded_ms",
        )
        .bind(form.facility.as_str())
        .bind(form.id.as_str())
        .bind(form.kind.as_str())
        .bind(&form.file_name)
        .bind(&form.sha256)
        .bind(&form.bytes)
        .bind(form.mapping.to_json())
        .bind(form.uploaded_by.map(|user| user.to_string()))
        .bind(to_ms(form.uploaded_at))
        .execute(&mut *tx)
        .await?;
        let entry = AuditEntry::new(form.uploaded_at, who, "official_form.imported", &form.id)
            .of(&form.facility)
            .with("sha256", &form.sha256);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Stores what the places of a form say.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such form.
    pub async fn map_official_form(
        &self,
        (facility, id): (&FacilityId, &FormId),
        mapping: &Mapping,
        who: Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let sql =
            "UPDATE official_forms SET mapping_json = ? WHERE facility_id = ? AND form_id = ?";
        let done = sqlx::query(sql)
            .bind(mapping.to_json())
            .bind(facility.as_str())
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        touched(done.rows_affected(), "official form")?;
        let entry = AuditEntry::new(now, who, "official_form.mapped", id)
            .of(facility)
            .with("places", mapping.place.len())
            .with("mapping_sha256", mapping_sha256(mapping));
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Removes a form. Copies that were filled for approved reports stay.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such form.
    pub async fn remove_official_form(
        &self,
        (facility, id): (&FacilityId, &FormId),
        who: Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let sql = "DELETE FROM official_forms WHERE facility_id = ? AND form_id = ?";
        let done = sqlx::query(sql)
            .bind(facility.as_str())
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        touched(done.rows_affected(), "official form")?;
        let entry = AuditEntry::new(now, who, "official_form.removed", id).of(facility);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Returns every form of a facility, by name.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn official_forms(
        &self,
        facility: &FacilityId,
    ) -> Result<Vec<OfficialForm>, StoreError> {
        let sql = "SELECT * FROM official_forms WHERE facility_id = ? ORDER BY form_id";
        let rows: Vec<FormRow> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(OfficialForm::try_from).collect()
    }

    /// Returns one form.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such form.
    pub async fn official_form(
        &self,
        facility: &FacilityId,
        id: &FormId,
    ) -> Result<OfficialForm, StoreError> {
        let sql = "SELECT * FROM official_forms WHERE facility_id = ? AND form_id = ?";
        let row: Option<FormRow> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.ok_or(StoreError::Missing("official form"))?.try_into()
    }

    /// Stores a copy filled for an approved report; the first one made of the same form and mapping stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_filled_copy(&self, copy: &FilledCopy) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        sqlx::query(
            "INSERT OR IGNORE INTO filled_forms (facility_id, report_id, revision, form_id, form_sha256, mapping_sha256, answers_sha256, sha256, signature, bytes, made_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(copy.facility.as_str())
        .bind(copy.report.to_string())
        .bind(i64::from(copy.revision.0))
        .bind(copy.form.as_str())
        .bind(&copy.form_sha256)
        .bind(&copy.mapping_sha256)
        .bind(&copy.answers_sha256)
        .bind(&copy.sha256)
        .bind(&copy.signature)
        .bind(&copy.bytes)
        .bind(to_ms(copy.made_at))
        .execute(&mut *tx)
        .await?;
        let entry =
            AuditEntry::new(copy.made_at, Actor::Machine, "official_form.filled", copy.report)
                .of(&copy.facility)
                .with("form", &copy.form)
                .with("revision", copy.revision)
                .with("file_sha256", &copy.sha256);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Returns the copy made of a form with a mapping for one revision of a report, if there is one.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn filled_copy(&self, wanted: &FilledCopy) -> Result<Option<FilledCopy>, StoreError> {
        let row: Option<CopyRow> = sqlx::query_as(
            "SELECT * FROM filled_forms WHERE facility_id = ? AND report_id = ? AND revision = ? AND form_id = ?
             AND form_sha256 = ? AND mapping_sha256 = ?",
        )
        .bind(wanted.facility.as_str())
        .bind(wanted.report.to_string())
        .bind(i64::from(wanted.revision.0))
        .bind(wanted.form.as_str())
        .bind(&wanted.form_sha256)
        .bind(&wanted.mapping_sha256)
        .fetch_optional(&self.readers)
        .await?;
        row.map(FilledCopy::try_from).transpose()
    }
}
