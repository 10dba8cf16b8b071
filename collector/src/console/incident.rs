//! One incident: why the system thinks so, whom to call first, what happened, what can be done.

use std::collections::BTreeSet;

use askama::Template;
use jiff::Timestamp;

use shirase_shared::event::Severity;
use shirase_shared::ids::{BurstId, HostId, IncidentId, ReportId};

use super::frame::Frame;
use super::ui::{Badge, Tone};
use crate::correlate::{Names, explain, headline};
use crate::facilities::{CareRole, Host, Master};
use crate::incidents::{Entry, Incident, ItemKind, Status, StoredEntry, TimelineItem};
use crate::locale::{Locale, japan, japan_time};
use crate::records::ManifestSeen;
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
    /// Now, as a form for date and time takes it.
    pub now_field: String,
    /// The worst that was found in the reports: who still has to act, in words.
    pub next: String,
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

const fn severity_class(severity: Severity) -> &'static str {
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

/// The first step on every suspicion: the maintenance company is called at once.
pub struct FirstStep {
    /// Whom to call, the best match first.
    pub vendors: Vec<VendorCall>,
    /// Calls made so far, in words.
    pub calls: Vec<String>,
}

/// A company to call.
pub struct VendorCall {
    /// Company and person.
    pub whom: String,
    /// What it maintains.
    pub system: String,
    /// The number to call first: the one that answers at night.
    pub number: String,
    /// The number for working hours, if it is another.
    pub day_number: String,
}

impl FirstStep {
    /// Finds whom to call: the companies that maintain what is concerned, or all of them while that is not known.
    #[must_use]
    pub fn of(
        roles: &BTreeSet<CareRole>,
        master: &Master,
        entries: &[StoredEntry],
        locale: Locale,
    ) -> Self {
        let matching = master
            .vendors
            .iter()
            .any(|vendor| roles.contains(&vendor.system));
        let fits =
            |vendor: &&crate::facilities::Vendor| !matching || roles.contains(&vendor.system);
        let call = |vendor: &crate::facilities::Vendor| {
            let night = !vendor.phone_24h.is_empty();
            let number = if night { &vendor.phone_24h } else { &vendor.phone };
            let day = if night { vendor.phone.clone() } else { String::new() };
            VendorCall {
                whom: format!("{} {}", vendor.company, vendor.person)
                    .trim()
                    .to_owned(),
                system: locale.text(vendor.system.label_key()),
                number: number.clone(),
                day_number: day,
            }
        };
        let called = |entry: &StoredEntry| match &entry.what {
            Entry::VendorCalled { whom, number, called_at } => Some(locale.text_with(
                "step-called",
                &[("time", &japan_time(*called_at)), ("whom", whom), ("number", number)],
            )),
            Entry::Opened { .. }
            | Entry::Concluded { .. }
            | Entry::Grew { .. }
            | Entry::Raised { .. }
            | Entry::TookIn { .. }
            | Entry::BecamePart { .. }
            | Entry::Acknowledged
            | Entry::Commented { .. }
            | Entry::Closed { .. }
            | Entry::FalseAlarm { .. }
            | Entry::Reopened { .. } => None,
        };
        Self {
            vendors: master.vendors.iter().filter(fits).map(call).collect(),
            calls: entries.iter().filter_map(called).collect(),
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
                severity_class(severity)
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
    pub fn of(report: &Report, locale: Locale) -> Self {
        Self {
            id: report.id,
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
    use crate::facilities::Vendor;

    #[test]
    fn a_time_typed_is_japans() {
        let at: Timestamp = "2026-02-08T16:50:00Z".parse().unwrap();
        assert_eq!(time_field(at), "2026-02-09T01:50");
        assert_eq!(read_time_field("2026-02-09T01:50"), Some(at));
        assert_eq!(read_time_field("yesterday"), None);
    }

    #[test]
    fn the_company_of_the_system_concerned_is_called_and_its_night_number_first() {
        let vendor = |system, company: &str, phone: &str, night: &str| Vendor {
            system,
            company: company.to_owned(),
            person: String::new(),
            phone: phone.to_owned(),
            phone_24h: night.to_owned(),
            mail: String::new(),
        };
        let master = Master {
            vendors: vec![
                vendor(CareRole::Pacs, "画像社", "03", ""),
                vendor(CareRole::Ehr, "電カル社", "05", "0120"),
            ],
            ..Master::default()
        };
        let whom = |roles: &[CareRole]| {
            let roles = roles.iter().copied().collect();
            let step = FirstStep::of(&roles, &master, &[], Locale::default());
            step.vendors
                .into_iter()
                .map(|v| format!("{} {}", v.whom, v.number))
                .collect::<Vec<_>>()
        };
        assert_eq!(whom(&[CareRole::Ehr]), ["電カル社 0120"]);
        assert_eq!(whom(&[CareRole::Lab]), ["画像社 03", "電カル社 0120"]);
    }
}
