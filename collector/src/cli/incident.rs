//! `incident list|show`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::event::Severity;
use shirase_shared::ids::{
    BurstId, DrillId, FacilityId, HostId, IncidentId, Sequence, StreamId, UserId,
};

use super::Desk;
use super::table::{self, Row};
use crate::args::IncidentCommand;
use crate::correlate::{Conclusion, Rule};
use crate::incidents::{Entry, Incident, Status, StoredEntry};
use crate::locale::japan_time;
use crate::notify::telling::Telling;
use crate::notify::{ChannelId, Notification};
use crate::records::SeenRecord;

#[derive(Serialize)]
struct IncidentRow {
    facility: FacilityId,
    id: IncidentId,
    number: u64,
    title: String,
    title_en: String,
    status: Status,
    severity: Severity,
    rule: Rule,
    drill: Option<DrillId>,
    hosts: Vec<HostId>,
    first_at: Timestamp,
    opened_at: Timestamp,
    updated_at: Timestamp,
    merged_into: Option<IncidentId>,
}

impl Row for IncidentRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "NO.", "STATUS", "SEVERITY", "FIRST CHANGE", "DRILL", "TITLE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.facility.to_string(),
            self.number.to_string(),
            self.status.to_string(),
            self.severity.to_string(),
            japan_time(self.first_at),
            if self.drill.is_some() { "訓練" } else { "" }.to_owned(),
            self.title.clone(),
        ]
    }
}

impl IncidentRow {
    fn of(incident: &Incident, telling: &Telling) -> Self {
        let title = telling.title(incident);
        Self {
            facility: incident.facility.clone(),
            id: incident.id,
            number: incident.number,
            title: title.ja,
            title_en: title.en,
            status: incident.status,
            severity: incident.severity,
            rule: incident.rule,
            drill: incident.drill,
            hosts: incident.hosts().into_iter().collect(),
            first_at: incident.first_at,
            opened_at: incident.opened_at,
            updated_at: incident.updated_at,
            merged_into: incident.merged_into,
        }
    }
}

/// Everything about one incident.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: IncidentRow,
    host_names: BTreeMap<HostId, String>,
    conclusions: Vec<ConclusionJson>,
    timeline: Vec<EntryJson>,
    records: Vec<RecordJson>,
    notifications: Vec<NotificationJson>,
}

#[derive(Serialize)]
struct ConclusionJson {
    rule: Rule,
    severity: Severity,
    natural_key: String,
    reason_ja: String,
    reason_en: String,
    first_at: Timestamp,
    last_at: Timestamp,
}

#[derive(Serialize)]
struct EntryJson {
    incident: IncidentId,
    entry: u64,
    at: Timestamp,
    who: Option<UserId>,
    name: Option<String>,
    what: Entry,
}

#[derive(Serialize)]
struct RecordJson {
    host: HostId,
    stream: StreamId,
    sequence: Sequence,
    hash: String,
    kind: String,
    severity: Option<Severity>,
    burst: Option<BurstId>,
    detected_at: Option<Timestamp>,
    corrected_at: Timestamp,
    received_at: Timestamp,
}

#[derive(Serialize)]
struct NotificationJson {
    channel: ChannelId,
    escalation: Severity,
    message_id: String,
    created_at: Timestamp,
    sent_at: Option<Timestamp>,
    attempts: u32,
    last_error: String,
}

impl Desk<'_> {
    pub(super) async fn incident(self, command: IncidentCommand) -> Result<()> {
        match command {
            IncidentCommand::List { facility, list } => {
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let telling = Telling::load(&self.store, &facility, self.clock.now()).await?;
                    let mut incidents = self.store.incidents(&facility.id).await?;
                    incidents.sort_by_key(|incident| std::cmp::Reverse(incident.number));
                    rows.extend(incidents.iter().map(|i| IncidentRow::of(i, &telling)));
                }
                table::print(&rows, list, self.terminal)
            }
            IncidentCommand::Show { facility, incident, json } => {
                let incident = self.one_incident(&facility, &incident).await?;
                let shown = self.shown(&incident).await?;
                if json {
                    return table::json(&shown, self.terminal);
                }
                self.terminal.print(&told(&shown))
            }
        }
    }

    /// Finds an incident by its number or its id.
    pub(super) async fn one_incident(
        &self,
        facility: &FacilityId,
        wanted: &str,
    ) -> Result<Incident> {
        self.one_facility(facility).await?;
        let found = match (wanted.parse::<u64>(), wanted.parse::<IncidentId>()) {
            (Ok(number), _) => self.store.incident_by_number(facility, number).await?,
            (Err(_), Ok(id)) => self.store.incident(facility, id).await?,
            (Err(_), Err(_)) => None,
        };
        found.with_context(|| {
            format!(
                "`{facility}` has no incident `{wanted}`; `incident list` shows those there are"
            )
        })
    }

    async fn shown(&self, incident: &Incident) -> Result<Shown> {
        let facility = self.one_facility(&incident.facility).await?;
        let telling = Telling::load(&self.store, &facility, self.clock.now()).await?;
        let names = self.store.user_names().await?;
        let entries = self
            .store
            .incident_entries(&incident.facility, incident.id)
            .await?;
        let sent = self
            .store
            .notifications_of(&incident.facility, incident.id)
            .await?;
        let records = self.store.incident_records(incident).await?;

        Ok(Shown {
            row: IncidentRow::of(incident, &telling),
            host_names: incident
                .hosts()
                .into_iter()
                .map(|h| (h, telling.host_name(h)))
                .collect(),
            conclusions: incident
                .conclusions
                .iter()
                .map(|c| conclusion(c, &telling))
                .collect(),
            timeline: entries
                .into_iter()
                .map(|entry| entry_json(entry, &names))
                .collect(),
            records: records.into_iter().map(record).collect(),
            notifications: sent.into_iter().map(notification).collect(),
        })
    }
}

fn conclusion(conclusion: &Conclusion, telling: &Telling) -> ConclusionJson {
    let reason = telling.reason(conclusion);
    ConclusionJson {
        rule: conclusion.rule,
        severity: conclusion.severity,
        natural_key: conclusion.natural_key.to_string(),
        reason_ja: reason.ja,
        reason_en: reason.en,
        first_at: conclusion.first_at,
        last_at: conclusion.last_at,
    }
}

fn entry_json(stored: StoredEntry, names: &BTreeMap<UserId, String>) -> EntryJson {
    let StoredEntry { incident, entry, at, who, what } = stored;
    EntryJson { incident, entry, at, who, name: who.and_then(|who| names.get(&who).cloned()), what }
}

fn record(seen: SeenRecord) -> RecordJson {
    RecordJson {
        host: seen.host,
        stream: seen.stream,
        sequence: seen.sequence,
        hash: seen.hash,
        kind: seen.kind,
        severity: seen.severity,
        burst: seen.burst,
        detected_at: seen.detected_at,
        corrected_at: seen.corrected_at,
        received_at: seen.received_at,
    }
}

fn notification(sent: Notification) -> NotificationJson {
    NotificationJson {
        channel: sent.key.channel,
        escalation: sent.key.escalation,
        message_id: sent.message_id,
        created_at: sent.created_at,
        sent_at: sent.sent_at,
        attempts: sent.attempts,
        last_error: sent.last_error,
    }
}

/// Tells an incident to a person at a terminal.
fn told(shown: &Shown) -> String {
    let row = &shown.row;
    let mut lines = vec![
        format!(
            "{}第{}号 {}{}",
            if row.drill.is_some() { "【訓練】" } else { "" },
            row.number,
            row.title,
            row.merged_into
                .map_or_else(String::new, |id| format!(" (part of {id})")),
        ),
        format!("  {}", row.title_en),
        format!("  {}, {}, first change {}", row.status, row.severity, japan_time(row.first_at)),
        format!("  id {}", row.id),
        "hosts".to_owned(),
    ];
    lines.extend(
        shown
            .host_names
            .iter()
            .map(|(id, name)| format!("  {name} ({id})")),
    );
    lines.push("why".to_owned());
    for one in &shown.conclusions {
        lines.push(format!("  {} [{} {}]", one.reason_ja, one.rule, one.severity));
        lines.push(format!("    {}", one.reason_en));
    }
    lines.push("timeline".to_owned());
    for one in &shown.timeline {
        let who = one.name.as_deref().unwrap_or("machine");
        // The same words as in the JSON: short, and every kind has them.
        let what = serde_json::to_string(&one.what).unwrap_or_default();
        lines.push(format!("  {} {who} {what}", japan_time(one.at)));
    }
    lines.push(format!("records: {}", shown.records.len()));
    lines.push("staff alerts".to_owned());
    for one in &shown.notifications {
        let state = match one.sent_at {
            Some(at) => format!("sent {}", japan_time(at)),
            None => format!("waiting, {} attempt(s), {}", one.attempts, one.last_error),
        };
        lines.push(format!("  {} over {}: {state}", one.escalation, one.channel));
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&crate::locale::visible(&line).replace('\n', " "));
        text.push('\n');
    }
    text
}
