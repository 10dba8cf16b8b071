//! Packages as files, for a USB stick.

use shirase_shared::ids::FacilityId;

use super::{Post, PostError};
use crate::audit::Actor;
use crate::exchange::partner::PartnerId;
use crate::store::StoredPackage;

/// A package as a file.
#[derive(Clone, Debug)]
pub struct Exported {
    /// What is known of it.
    pub stored: StoredPackage,
    /// A plain name for the file.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Post {
    /// Returns everything a partner does not have yet as files, the oldest first.
    ///
    /// # Errors
    /// When the partner is unknown or revoked, or a stored package was changed.
    pub async fn waiting_files(
        &self,
        facility: &FacilityId,
        partner: &PartnerId,
    ) -> Result<Vec<Exported>, PostError> {
        let partner = self.trusted(facility, partner).await?;
        let mut files = Vec::new();
        for stored in self.store.waiting_packages(facility, &partner.id).await? {
            files.push(self.file(stored).await?);
        }

        Ok(files)
    }

    /// Returns one package as a file.
    ///
    /// # Errors
    /// When it was changed since it was stored.
    pub async fn file(&self, stored: StoredPackage) -> Result<Exported, PostError> {
        let package = self
            .store
            .whole_package(&stored.facility, &stored.id)
            .await?;
        let (name, bytes) = (package.file_name(), package.to_file()?);

        Ok(Exported { stored, name, bytes })
    }

    /// Records that a package was written as a file.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exported(&self, package: &StoredPackage, who: Actor) -> Result<(), PostError> {
        let now = self.clock.now();

        Ok(self.store.package_exported(package, (who, now)).await?)
    }
}
