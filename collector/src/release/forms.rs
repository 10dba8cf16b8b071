//! Fills official forms: from the answers as they stand, or from those that were approved; the latter are signed and kept.

use shirase_shared::ids::{FacilityId, ReportId};
use shirase_shared::tls::sha256_hex;

use super::files::{Known, frozen_profile};
use super::{ReleaseError, Releases};
use crate::approval::Tampered;
use crate::keys::Signed;
use crate::reports::ReportStatus;
use crate::reports::official::{FilledCopy, Filling, FormId, OfficialForm, fill, mapping_sha256};
use crate::reports::render::Document;

/// A filled form on its way to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledFile {
    /// A plain name for it.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// How far the report is.
    pub status: ReportStatus,
    /// SHA-256 of its content.
    pub sha256: String,
}

impl Releases {
    /// Returns a form filled with a report: for an approved one the signed copy that is kept, else one made now and
    /// marked 下書き in its mapped place.
    ///
    /// # Errors
    /// Names every place that cannot take what it should say; or the kept copy was tampered with.
    pub async fn official_copy(
        &self,
        facility: &FacilityId,
        id: ReportId,
        form: &FormId,
    ) -> Result<FilledFile, ReleaseError> {
        let form = self.0.store.official_form(facility, form).await?;
        let known = self.known(facility, id).await?;
        let stem = known.file_stem()?;
        let name = format!("{stem}-{}.{}", form.id, form.kind.as_str());
        let status = known.status;
        let bytes = match known.approved {
            Some(_) => self.kept_copy(facility, id, known, form).await?.bytes,
            None => self.filled(&known, form).await?,
        };

        Ok(FilledFile { name, sha256: sha256_hex(&bytes), bytes, status })
    }

    /// Returns the signed copy of a form that is kept for a released report, with a plain name for it.
    ///
    /// # Errors
    /// Names every place that cannot take what it should say; or the kept copy was tampered with.
    pub(super) async fn signed_copy(
        &self,
        facility: &FacilityId,
        id: ReportId,
        form: &FormId,
    ) -> Result<(String, FilledCopy), ReleaseError> {
        let form = self.0.store.official_form(facility, form).await?;
        let known = self.known(facility, id).await?;
        let name = format!("{}-{}.{}", known.file_stem()?, form.id, form.kind.as_str());

        Ok((name, self.kept_copy(facility, id, known, form).await?))
    }

    async fn filled(&self, known: &Known, form: OfficialForm) -> Result<Vec<u8>, ReleaseError> {
        let profile = frozen_profile(&known.frozen)?;
        let frozen = self.for_addressee(known.frozen.clone(), &profile).await?;
        let work = move |document: Document, _| {
            let filling = Filling { frozen: &frozen, document: &document };
            Ok(fill(form.kind, &form.bytes, &form.mapping, filling)?)
        };
        let Known { frozen, answers_sha256, stage, .. } = known.clone();
        self.with_document(frozen, answers_sha256, stage, work)
            .await
    }

    /// Returns the kept copy of an approved report, or makes, signs and keeps it.
    async fn kept_copy(
        &self,
        facility: &FacilityId,
        id: ReportId,
        known: Known,
        form: OfficialForm,
    ) -> Result<FilledCopy, ReleaseError> {
        let mut copy = FilledCopy {
            facility: facility.clone(),
            report: id,
            revision: known.frozen.revision,
            form: form.id.clone(),
            form_sha256: form.sha256.clone(),
            mapping_sha256: mapping_sha256(&form.mapping),
            answers_sha256: known.answers_sha256.clone(),
            sha256: String::new(),
            signature: String::new(),
            bytes: Vec::new(),
            made_at: self.now(),
        };
        if let Some(kept) = self.0.store.filled_copy(&copy).await? {
            return Ok(self.verified(kept, &copy.answers_sha256)?);
        }
        copy.bytes = self.filled(&known, form).await?;
        copy.sha256 = sha256_hex(&copy.bytes);
        copy.signature = self.0.report_key.sign_base64(copy.signed_text().as_bytes());
        self.0.store.add_filled_copy(&copy).await?;
        let kept = self.0.store.filled_copy(&copy).await?;
        let kept = kept.ok_or(crate::store::StoreError::Missing("filled form"))?;

        Ok(self.verified(kept, &copy.answers_sha256)?)
    }

    /// Checks a kept copy: its hash, its answers and its signature.
    fn verified(&self, copy: FilledCopy, answers_sha256: &str) -> Result<FilledCopy, Tampered> {
        let found = sha256_hex(&copy.bytes);
        if found != copy.sha256 {
            return Err(Tampered::File { expected: copy.sha256, found });
        }
        if copy.answers_sha256 != answers_sha256 {
            let expected = answers_sha256.to_owned();
            return Err(Tampered::Answers { expected, found: copy.answers_sha256 });
        }
        let key = self.0.report_key.public_base64();
        let text = copy.signed_text();
        let signed =
            Signed { public_key: &key, bytes: text.as_bytes(), signature: &copy.signature };
        if signed.is_genuine() { Ok(copy) } else { Err(Tampered::Signature) }
    }
}
