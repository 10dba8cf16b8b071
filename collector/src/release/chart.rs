//! The emergency chart of a facility, as data and as PDF.

use shirase_shared::ids::FacilityId;

use super::{ReleaseError, Releases};
use crate::contacts::{Chart, ChartSheet, offices};
use crate::facilities::Facility;
use crate::locale::{Lang, Locale};
use crate::store::StoreError;

impl Releases {
    /// Returns the emergency chart of a facility as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contact_chart(&self, facility: &FacilityId) -> Result<Chart, StoreError> {
        let now = self.0.clock.0.now();
        let contacts = self.0.store.contacts(facility).await?;
        Ok(Chart::of(&contacts, &offices(&self.0.profiles, now), now))
    }

    /// Returns it in words.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chart_sheet(
        &self,
        facility: &Facility,
        lang: Lang,
    ) -> Result<ChartSheet, StoreError> {
        let chart = self.contact_chart(&facility.id).await?;
        let now = self.0.clock.0.now();
        Ok(ChartSheet::of(&chart, facility.display_name(), now, Locale::new(lang)))
    }

    /// Returns it as a PDF, A4 landscape.
    ///
    /// # Errors
    /// When the database fails, or there is no font to set it in.
    pub async fn chart_pdf(
        &self,
        facility: &Facility,
        lang: Lang,
    ) -> Result<Vec<u8>, ReleaseError> {
        let sheet = self.chart_sheet(facility, lang).await?;
        let renderer = self.renderer().await?.clone();
        let now = self.0.clock.0.now();
        let identity = format!("shirase-contact-chart {} {now}", facility.id);
        let work = move || renderer.render_chart(&sheet, &identity, now);
        let made = tokio::task::spawn_blocking(work).await;

        Ok(made.map_err(ReleaseError::BrokenOff)??)
    }
}
