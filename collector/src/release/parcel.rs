//! Packs a released report for its way to an addressee.

use shirase_shared::ids::{FacilityId, ReportId};

use super::{ReleaseError, Releases};
use crate::deliver::Parcel;
use crate::deliver::parcel::FormFile;
use crate::reports::official::FormId;
use crate::store::StoreError;

impl Releases {
    /// Returns a released report, ready to go, after checking everything stored about it.
    ///
    /// # Errors
    /// When it is not released, or its record or a file was tampered with.
    pub async fn parcel(
        &self,
        facility: &FacilityId,
        id: ReportId,
        form: Option<&FormId>,
    ) -> Result<Parcel, ReleaseError> {
        let known = self.known(facility, id).await?;
        let stem = known.file_stem()?;
        let approved = known
            .approved
            .ok_or(ReleaseError::Store(StoreError::Missing("approval of this report")))?;
        let form = match form {
            None => None,
            Some(form) => {
                let (name, copy) = self.signed_copy(facility, id, form).await?;
                let signed_text = copy.signed_text();
                let (bytes, signature) = (copy.bytes, copy.signature);
                Some(FormFile { name, bytes, signed_text, signature })
            }
        };

        Ok(Parcel { approved, stem, public_key: self.0.report_key.public_base64(), form })
    }
}
