//! Reads what the law asks over an incident: one loader for pages, mails and commands, so that all show the same.
//!
//! Not here: deciding it (see `reports::overview`).

use jiff::Timestamp;

use crate::incidents::{Incident, Reportable};
use crate::reports::IncidentSheet;
use crate::reports::overview::{Asked, Overview};
use crate::reports::profile::Profiles;
use crate::store::{Store, StoreError};

/// The duties of one incident with the answers they follow from.
#[derive(Clone, Debug)]
pub struct Duties {
    /// Its answers.
    pub sheet: IncidentSheet,
    /// What follows from them.
    pub overview: Overview,
}

/// Loads the duties and deadlines of an incident; none while nothing of it could be reportable.
///
/// # Errors
/// When the database fails.
pub async fn duties(
    store: &Store,
    profiles: &Profiles,
    incident: &Incident,
    now: Timestamp,
) -> Result<Option<Duties>, StoreError> {
    match incident.is_reportable() {
        Reportable::Yes(_) => {}
        Reportable::No => return Ok(None),
    }
    let (facility, id) = (&incident.facility, incident.id);
    let sheet = store.incident_sheet(facility, id).await?;
    let asked = Asked {
        incident,
        entries: &store.incident_entries(facility, id).await?,
        answers: &sheet.answers,
        reports: &store.reports_of_incident(facility, id).await?,
        handed_in: &store.handed_in(facility, id).await?,
        now,
    };
    let overview = Overview::of(&asked, profiles);

    Ok(Some(Duties { sheet, overview }))
}
