//! Gathers what an alert about an incident tells.

use super::NotifyJob;
use crate::facilities::Facility;
use crate::notify::Notification;
use crate::notify::letter::Alert;
use crate::notify::telling::Telling;
use crate::store::StoreError;

impl NotifyJob {
    /// Reads the incident as it is now. The severity told is the one that was reached when the message became due.
    pub(super) async fn alert(
        &self,
        facility: &Facility,
        due: &Notification,
    ) -> Result<Alert, StoreError> {
        let found = self.store.incident(&facility.id, due.key.incident).await?;
        let incident = found.ok_or(StoreError::Missing("incident"))?;
        let telling = Telling::load(&self.store, facility, self.clock.now()).await?;

        Ok(Alert {
            key: due.key.clone(),
            message_id: due.message_id.clone(),
            created_at: due.created_at,
            facility: facility.display_name().to_owned(),
            number: incident.number,
            drill: incident.drill,
            headline: telling.title(&incident),
            places: telling.places(&incident),
            since: incident.first_at,
            reasons: incident
                .conclusions
                .iter()
                .map(|one| telling.reason(one))
                .collect(),
            call: telling.call(&incident),
            link: format!(
                "{}/facilities/{}/incidents/{}",
                self.console_url, facility.id, incident.id
            ),
            audit_head: self.store.audit_head().await?,
        })
    }
}
