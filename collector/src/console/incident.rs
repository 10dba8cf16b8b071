//! One incident: why the system thinks so, whom to call first, what happened, what can be done.

mod first_step;
mod sighting;
mod steps;
mod row;

pub use first_step::{FirstStep, VendorCall};
pub use row::IncidentRow;
pub use sighting::{SightingInputs, SightingPage};
pub use steps::StepRow;

use std::collections::BTreeSet;

use askama::Template;
use jiff::Timestamp;

use shirase_shared::ids::{BurstId, CaseId, HostId, IncidentId, ReportId};

use super::duties::DutiesView;
use super::frame::Frame;
use super::report::round_words;
use super::ui::{Badge, Tone};
use crate::correlate::{Names, explain};
use crate::facilities::Host;
use crate::incidents::{Incident, ItemKind, Status, TimelineItem};
use crate::locale::{Locale, japan, japan_time};
use crate::records::ManifestSeen;
use crate::reports::profile::Profiles;
use crate::reports::{Report, ReportStatus};

/// One incident.
#[derive(Template)]
#[template(path = "incident.html")]
pub struct IncidentPage {
    /// What stands around it.
    pub f: Frame,
    /// Its head.
    pub head: IncidentRow,
    /// The first step.
    pub step: FirstStep,
    /// The guideline's emergency steps.
    pub emergency: Vec<StepRow>,
    /// Why the system thinks so, weightiest first.
    pub reasons: Vec<ReasonView>,
    /// What the systems concerned do for care.
    pub care_roles: String,
    /// What happened and was done, earliest first.
    pub timeline: Vec<TimelineRow>,
    /// Hosts concerned.
    pub hosts: Vec<(HostId, String, String)>,
    /// Lists of damaged files.
    pub manifests: Vec<ManifestRow>,
    /// Its reports.
    pub reports: Vec<ReportLink>,
    /// What may be done in its status.
    pub allowed: Allowed,
    /// The incident it became a part of.
    pub merged_into: Option<IncidentId>,
    /// The municipality's case it stands for.
    pub case: Option<CaseId>,
    /// Now, as a form for date and time takes it.
    pub now_field: String,
    /// What the law asks; none while nothing of it could be reportable.
    pub law: Option<DutiesView>,
    /// The worst that was found in the reports: who still has to act, in words.
    pub next: String,
}

impl IncidentPage {
    /// What a person can say about a step, as form value and key of its label.
    fn emergency_outcomes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        steps::outcomes()
    }
}

/// What may be done to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Take it up.
    pub acknowledge: bool,
    /// Close it, or call it a false alarm.
    pub end: bool,
    /// Open it again.
    pub reopen: bool,
    /// Write something down.
    pub comment: bool,
}

impl Allowed {
    /// Returns what fits a status.
    #[must_use]
    pub const fn of(status: Status) -> Self {
        Self {
            acknowledge: matches!(status, Status::Open),
            end: status.is_live(),
            reopen: matches!(status, Status::Closed | Status::FalseAlarm),
            comment: !matches!(status, Status::Merged),
        }
    }
}

/// Why the system thinks so.
pub struct ReasonView {
    /// What rule says it.
    pub rule: String,
    /// How much it matters.
    pub severity: Badge,
    /// Why, in words.
    pub why: String,
    /// How many records it stands on.
    pub records: usize,
}

impl ReasonView {
    /// Shows every conclusion of an incident, the weightiest first.
    #[must_use]
    pub fn all(incident: &Incident, names: &Names, locale: Locale) -> Vec<Self> {
        let mut conclusions: Vec<_> = incident.conclusions.iter().collect();
        conclusions.sort_by(|a, b| {
            (b.severity, b.rule, a.first_at).cmp(&(a.severity, a.rule, b.first_at))
        });
        let view = |conclusion: &crate::correlate::Conclusion| Self {
            rule: locale.text(conclusion.rule.title_key()),
            severity: Badge::severity(conclusion.severity, locale),
            why: explain(conclusion).say(locale, names),
            records: conclusion.records.len(),
        };
        conclusions.into_iter().map(view).collect()
    }
}

/// One line of the timeline.
pub struct TimelineRow {
    /// Class of its mark.
    pub class: &'static str,
    /// On the collector's time line.
    pub at: String,
    /// By the host's own clock, with how far it may be off.
    pub host_time: String,
    /// Who or what told it.
    pub who: String,
    /// What happened.
    pub text: String,
    /// Why, where there is more to say.
    pub why: String,
    /// The record it stands on, to link to.
    pub anchor: String,
}

impl TimelineRow {
    /// Shows a line.
    #[must_use]
    pub fn of(item: &TimelineItem, names: &Names, locale: Locale) -> Self {
        let person = item.who.map(|id| {
            names
                .users
                .get(&id)
                .cloned()
                .unwrap_or_else(|| locale.text("who-gone"))
        });
        let host = item.host.map(|id| {
            names
                .hosts
                .get(&id)
                .cloned()
                .unwrap_or_else(|| id.to_string())
        });
        let class = match (&item.what, item.severity) {
            (ItemKind::Person { .. }, _) => "person",
            (ItemKind::Record { .. } | ItemKind::Machine { .. }, Some(severity)) => {
                row::severity_class(severity)
            }
            (ItemKind::Record { .. } | ItemKind::Machine { .. }, None) => "low",
        };
        let host_time = item.host_time.map(|at| {
            let off = item.uncertainty.map_or(0, |by| by.as_millis()) as f64 / 1000.0;
            let (time, off) = (japan_time(at), format!("{off:.1}"));
            locale.text_with("timeline-host-time", &[("time", &time), ("seconds", &off)])
        });
        let anchor = match &item.what {
            ItemKind::Record { key, .. } => record_anchor(key.host, key.sequence.0),
            ItemKind::Machine { incident, entry } | ItemKind::Person { incident, entry } => {
                format!("entry-{incident}-{entry}")
            }
        };

        Self {
            class,
            at: japan_time(item.at),
            host_time: host_time.unwrap_or_default(),
            who: person
                .or(host)
                .unwrap_or_else(|| locale.text("who-machine")),
            text: item.text.say(locale, names),
            why: item
                .why
                .as_ref()
                .map(|why| why.say(locale, names))
                .unwrap_or_default(),
            anchor,
        }
    }
}

/// Returns the name under which a record stands in a timeline.
#[must_use]
pub fn record_anchor(host: HostId, sequence: u64) -> String {
    format!("record-{host}-{sequence}")
}

/// A list of damaged files.
pub struct ManifestRow {
    /// Name of its host.
    pub host: String,
    /// How many files it lists.
    pub files: u64,
    /// When it came.
    pub received: String,
    /// Its hash.
    pub sha256: String,
}

/// Shows the lists of damaged files that belong to `bursts`.
#[must_use]
pub fn manifest_rows(
    manifests: &[ManifestSeen],
    bursts: &BTreeSet<BurstId>,
    names: &Names,
) -> Vec<ManifestRow> {
    let of_these = manifests
        .iter()
        .filter(|manifest| bursts.contains(&manifest.burst));
    let row = |manifest: &ManifestSeen| ManifestRow {
        host: names
            .hosts
            .get(&manifest.host)
            .cloned()
            .unwrap_or_else(|| manifest.host.to_string()),
        files: manifest.files,
        received: japan_time(manifest.received_at),
        sha256: manifest.sha256.clone(),
    };
    of_these.map(row).collect()
}

/// A link to a report.
pub struct ReportLink {
    /// Which.
    pub id: ReportId,
    /// Heading of the document, and which of the reports it is.
    pub title: String,
    /// How far it is.
    pub status: Badge,
    /// Its revision.
    pub revision: u32,
    /// When it last changed.
    pub updated: String,
}

impl ReportLink {
    /// Shows a link.
    #[must_use]
    pub fn of(report: &Report, profiles: &Profiles, locale: Locale) -> Self {
        let profile = profiles.profile(&report.profile);
        let title = profile
            .map_or(report.profile.as_str(), |profile| profile.body.title.in_lang(locale.lang()));
        Self {
            id: report.id,
            title: format!("{} {title}", round_words(report, locale)),
            status: report_badge(report.status, locale),
            revision: report.revision.0,
            updated: japan_time(report.updated_at),
        }
    }
}

/// Shows how far a report is.
#[must_use]
pub fn report_badge(status: ReportStatus, locale: Locale) -> Badge {
    let (tone, text) = match status {
        ReportStatus::Draft => (Tone::Medium, locale.text("report-draft")),
        ReportStatus::Submitted => (Tone::High, locale.text("report-submitted")),
        ReportStatus::Approved => (Tone::Well, locale.text("report-approved")),
        ReportStatus::Withdrawn => (Tone::Quiet, locale.text("report-withdrawn")),
    };
    Badge { tone, text }
}

/// Shows the hosts an incident concerns.
#[must_use]
pub fn host_rows(
    incident: &Incident,
    hosts: &[Host],
    locale: Locale,
) -> Vec<(HostId, String, String)> {
    let concerned = incident.hosts();
    let row = |host: &Host| {
        let roles: Vec<_> = host
            .roles
            .iter()
            .map(|role| locale.text(role.label_key()))
            .collect();
        (host.id, host.name.clone(), roles.join(&locale.text("list-separator")))
    };
    hosts
        .iter()
        .filter(|host| concerned.contains(&host.id))
        .map(row)
        .collect()
}

/// Returns a moment as a form for date and time takes it, by Japan's clocks.
#[must_use]
pub fn time_field(at: Timestamp) -> String {
    japan()
        .to_datetime(at)
        .strftime("%Y-%m-%dT%H:%M")
        .to_string()
}

/// Reads what a form for date and time sends.
#[must_use]
pub fn read_time_field(text: &str) -> Option<Timestamp> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    japan().to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_typed_is_japans() {
        let at: Timestamp = "2026-02-08T16:50:00Z".parse().unwrap();
        assert_eq!(time_field(at), "2026-02-09T01:50");
        assert_eq!(read_time_field("2026-02-09T01:50"), Some(at));
        assert_eq!(read_time_field("yesterday"), None);
    }
}
