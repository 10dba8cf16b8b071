//! All facilities at a glance, the alerts of all of them, and one facility with its incidents.

use askama::Template;

use shirase_shared::event::Severity;
use shirase_shared::ids::FacilityId;

use super::frame::Frame;
use super::incident::IncidentRow;
use super::ui::{Badge, Tone};
use crate::locale::Locale;

/// Numbers of one facility.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Live incidents that matter this much, drills not counted.
    pub critical: u64,
    /// The same.
    pub high: u64,
    /// The same.
    pub medium: u64,
    /// The same.
    pub low: u64,
    /// Live incidents of drills.
    pub drills: u64,
    /// Reports that await a decision.
    pub submitted: u64,
    /// Reports still being written.
    pub drafts: u64,
    /// Emergency releases that wait for their review.
    pub reviews: u64,
    /// Hosts let in.
    pub hosts: u64,
    /// Hosts that are silent.
    pub silent: u64,
    /// Hosts that do not see everything.
    pub degraded: u64,
    /// Contacts that can be called.
    pub contacts: u64,
    /// Contacts among them that somebody should make sure of.
    pub contacts_flagged: u64,
}

/// Cases of a municipality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaseCounts {
    /// Somebody works on them.
    pub open: usize,
    /// Those of them that have to be looked at again today or before.
    pub due: usize,
    /// Questions without an answer.
    pub questions: usize,
}

impl Counts {
    /// Counts live incidents of a severity.
    pub const fn add(&mut self, severity: Severity, count: u64) {
        match severity {
            Severity::Low => self.low += count,
            Severity::Medium => self.medium += count,
            Severity::High => self.high += count,
            Severity::Critical => self.critical += count,
        }
    }

    /// Says how the facility is, in words on a colour.
    #[must_use]
    pub fn state(&self, locale: Locale) -> Badge {
        let (tone, text) = if 0 < self.critical {
            (Tone::Critical, locale.text("state-critical"))
        } else if 0 < self.high {
            (Tone::High, locale.text("state-high"))
        } else if 0 < self.silent {
            (Tone::High, locale.text("state-silent"))
        } else if 0 < self.medium + self.low {
            (Tone::Medium, locale.text("state-medium"))
        } else if self.hosts == 0 {
            (Tone::Quiet, locale.text("state-no-hosts"))
        } else if 0 < self.degraded {
            (Tone::Medium, locale.text("state-degraded"))
        } else {
            (Tone::Well, locale.text("state-well"))
        };
        Badge { tone, text }
    }

    /// Returns the class of the facility's card.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        if 0 < self.critical {
            "critical"
        } else if 0 < self.high + self.silent {
            "high"
        } else if 0 < self.medium + self.low + self.degraded {
            "medium"
        } else if self.hosts == 0 {
            "quiet"
        } else {
            "well"
        }
    }
}

/// One facility as a card.
pub struct FacilityCard {
    /// Which.
    pub id: FacilityId,
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: Badge,
    /// Class of its card.
    pub class: &'static str,
    /// Its numbers.
    pub counts: Counts,
    /// Its cases; none where no cases are kept.
    pub cases: Option<CaseCounts>,
}

/// All facilities a person may see.
#[derive(Template)]
#[template(path = "overview.html")]
pub struct OverviewPage {
    /// What stands around it.
    pub f: Frame,
    /// The facilities, the worst first.
    pub facilities: Vec<FacilityCard>,
}

/// The cards alone, to be fetched again when something changed.
#[derive(Template)]
#[template(path = "overview_part.html")]
pub struct OverviewPart {
    /// What stands around it.
    pub f: Frame,
    /// The facilities.
    pub facilities: Vec<FacilityCard>,
}

/// Alerts of all facilities a person may see.
#[derive(Template)]
#[template(path = "alerts.html")]
pub struct AlertsPage {
    /// What stands around it.
    pub f: Frame,
    /// The alerts, newest first.
    pub alerts: Vec<IncidentRow>,
}

/// The list alone, to be fetched again when something changed.
#[derive(Template)]
#[template(path = "alerts_part.html")]
pub struct AlertsPart {
    /// What stands around it.
    pub f: Frame,
    /// The alerts.
    pub alerts: Vec<IncidentRow>,
}

/// One facility: how it is and its incidents.
#[derive(Template)]
#[template(path = "facility.html")]
pub struct FacilityPage {
    /// What stands around it.
    pub f: Frame,
    /// How it is.
    pub card: FacilityCard,
    /// Emergency releases that wait for their review: what each is, and where.
    pub reviews: Vec<(String, String)>,
    /// Incidents somebody has to do something about.
    pub live: Vec<IncidentRow>,
    /// The others, newest first.
    pub past: Vec<IncidentRow>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Lang;

    #[test]
    fn the_worst_thing_names_the_state() {
        let quiet = Counts { hosts: 3, ..Counts::default() };
        assert_eq!((quiet.class(), Counts::default().class()), ("well", "quiet"));
        assert_eq!(Counts { silent: 1, ..quiet }.class(), "high");
        let worst = Counts { critical: 1, high: 2, silent: 3, ..quiet };
        assert_eq!(worst.class(), "critical");
        assert_eq!(worst.state(Locale::new(Lang::En)).tone, Tone::Critical);
        assert_eq!(Counts { drills: 4, ..quiet }.class(), "well", "a drill alarms nobody");
    }
}
