//! An incident as it stands in a list.

use shirase_shared::event::Severity;
use shirase_shared::ids::IncidentId;

use crate::console::ui::{Badge, Tone};
use crate::correlate::{Names, explain, headline};
use crate::incidents::{Incident, Status};
use crate::locale::{Locale, japan_time};

/// An incident in a list.
pub struct IncidentRow {
    /// Its identity.
    pub id: IncidentId,
    /// Where it is shown.
    pub href: String,
    /// Name of its facility.
    pub facility: String,
    /// Its number.
    pub number: u64,
    /// Its headline.
    pub title: String,
    /// Why, in one sentence.
    pub why: String,
    /// Its severity.
    pub severity: Badge,
    /// Class of its row.
    pub class: &'static str,
    /// Where it stands.
    pub status: Badge,
    /// Whether it is live.
    pub live: bool,
    /// Whether it belongs to a drill.
    pub drill: bool,
    /// First change.
    pub first: String,
    /// When it was opened.
    pub opened: String,
    /// When it last changed.
    pub updated: String,
}

impl IncidentRow {
    /// Shows an incident of a facility called `facility`.
    #[must_use]
    pub fn of(incident: &Incident, facility: &str, names: &Names, locale: Locale) -> Self {
        let named = incident.headline();
        let title = named.map_or_else(
            || locale.text(incident.rule.title_key()),
            |conclusion| headline(conclusion).say(locale, names),
        );
        Self {
            id: incident.id,
            href: format!("/facilities/{}/incidents/{}", incident.facility, incident.id),
            facility: facility.to_owned(),
            number: incident.number,
            title,
            why: named
                .map(|conclusion| explain(conclusion).say(locale, names))
                .unwrap_or_default(),
            severity: Badge::severity(incident.severity, locale),
            class: class(incident),
            status: status_badge(incident.status, locale),
            live: incident.status.is_live(),
            drill: incident.drill.is_some(),
            first: japan_time(incident.first_at),
            opened: japan_time(incident.opened_at),
            updated: japan_time(incident.updated_at),
        }
    }
}

const fn class(incident: &Incident) -> &'static str {
    if incident.drill.is_some() {
        return "drill";
    }
    if !incident.status.is_live() {
        return "quiet";
    }
    severity_class(incident.severity)
}

pub(super) const fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn status_badge(status: Status, locale: Locale) -> Badge {
    let tone = match status {
        Status::Open => Tone::High,
        Status::Acknowledged => Tone::Medium,
        Status::Closed => Tone::Well,
        Status::FalseAlarm | Status::Merged => Tone::Quiet,
    };
    Badge { tone, text: locale.text(status.label_key()) }
}
