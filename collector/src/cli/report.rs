//! `report list|show`, and the way to the other commands about reports.

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{DrillId, FacilityId, IncidentId, ReportId};

use super::Desk;
use super::release::{Export, Wanted};
use super::standing::Standing;
use super::table::{self, Row};
use crate::args::{ListArgs, OneReport, ReportCommand};
use crate::locale::{Lang, Locale, japan_time, visible};
use crate::release::read_profiles;
use crate::reports::answer::{Answer, Revision, RoundKind, Value};
use crate::reports::profile::Profiles;
use crate::reports::{Report, Sheet};

#[derive(Serialize)]
struct ReportRow {
    facility: FacilityId,
    id: ReportId,
    incident: IncidentId,
    number: Option<u64>,
    profile: String,
    round: u32,
    round_kind: RoundKind,
    status: &'static str,
    approval: Standing,
    revision: Revision,
    drill: Option<DrillId>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Row for ReportRow {
    const HEADS: &'static [&'static str] = &[
        "FACILITY", "INCIDENT", "ROUND", "STATUS", "APPROVAL", "REVISION", "PROFILE", "CHANGED",
        "DRILL", "ID",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.facility.to_string(),
            self.number
                .map_or_else(String::new, |number| number.to_string()),
            self.round.to_string(),
            self.status.to_owned(),
            self.approval.in_short(),
            self.revision.to_string(),
            self.profile.clone(),
            japan_time(self.updated_at),
            if self.drill.is_some() { "訓練" } else { "" }.to_owned(),
            self.id.to_string(),
        ]
    }
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: ReportRow,
    answers: Vec<AnswerJson>,
}

#[derive(Serialize)]
struct AnswerJson {
    field: u8,
    label_ja: String,
    label_en: String,
    #[serde(flatten)]
    answer: Answer,
}

impl Desk<'_> {
    pub(super) async fn report(mut self, command: ReportCommand) -> Result<()> {
        match command {
            ReportCommand::List { facility, list } => {
                let profiles = read_profiles(&self.config.data_dir)?;
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let mut reports = self.store.reports(&facility.id).await?;
                    reports.sort_by_key(|report| std::cmp::Reverse(report.created_at));
                    for report in reports {
                        rows.push(self.row(report, &profiles).await?);
                    }
                }
                table::print(&rows, list, self.terminal)
            }
            ReportCommand::Show { report: OneReport { facility, report, profile }, json } => {
                let report = self
                    .report_of(&facility, &report, profile.as_deref())
                    .await?;
                let sheet = self.store.sheet(&facility, report.id).await?;
                self.show(sheet, json).await
            }
            ReportCommand::Submit { report, person } => self.submit(&report, &person).await,
            ReportCommand::Approve { report, person, emergency: _, reason } => {
                self.approve(&report, &person, reason.as_deref()).await
            }
            ReportCommand::Reject { report, person, reason } => {
                self.reject(&report, &person, &reason).await
            }
            ReportCommand::Withdraw { report, person, reason } => {
                self.withdraw(&report, &person, &reason).await
            }
            ReportCommand::Review { report, person, outcome, note } => {
                self.review(&report, &person, (outcome, &note)).await
            }
            ReportCommand::Export {
                facility,
                report,
                profile,
                format,
                out,
                attachments,
                draft,
                official_form,
            } => {
                let report = self
                    .report_of(&facility, &report, profile.as_deref())
                    .await?;
                let wanted = if draft { Wanted::Draft } else { Wanted::Approved };
                self.export(&report, &out, &Export { format, attachments, wanted, official_form })
                    .await
            }
        }
    }

    async fn row(&self, report: Report, profiles: &Profiles) -> Result<ReportRow> {
        let incident = self
            .store
            .incident(&report.facility, report.incident)
            .await?;

        let approval = self.standing(&report, profiles).await?;

        Ok(ReportRow {
            facility: report.facility,
            id: report.id,
            incident: report.incident,
            number: incident.map(|incident| incident.number),
            profile: report.profile,
            round: report.round.number,
            round_kind: report.round.kind,
            status: report.status.as_str(),
            approval,
            revision: report.revision,
            drill: report.drill,
            created_at: report.created_at,
            updated_at: report.updated_at,
        })
    }

    /// Finds a report by its id, or by the number of its incident if that has only one.
    pub(super) async fn one_report(&self, facility: &FacilityId, wanted: &str) -> Result<Report> {
        self.report_of(facility, wanted, None).await
    }

    /// The same where an incident has several reports, one a profile.
    pub(super) async fn report_of(
        &self,
        facility: &FacilityId,
        wanted: &str,
        profile: Option<&str>,
    ) -> Result<Report> {
        self.one_facility(facility).await?;
        let id: Option<ReportId> = wanted.parse().ok();
        let incident = match wanted.parse() {
            Ok(number) => self.store.incident_by_number(facility, number).await?,
            Err(_) => None,
        };
        let of_incident = incident.map(|incident| incident.id);
        let reports = self.store.reports(facility).await?;
        let follows = |r: &Report| profile.is_none_or(|profile| r.profile == profile);
        let fits = |r: &Report| follows(r) && (Some(r.id) == id || Some(r.incident) == of_incident);
        let mut found = reports.into_iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(report), None) => Ok(report),
            (Some(_), Some(_)) => bail!(
                "incident {wanted} of `{facility}` has several reports; give --profile, or the id that `report list` shows"
            ),
            (None, _) => {
                bail!("`{facility}` has no report `{wanted}`; `report list` shows those there are")
            }
        }
    }

    async fn show(&mut self, sheet: Sheet, json: bool) -> Result<()> {
        let label = |lang, key: &str| Locale::new(lang).text(key);
        let answers = sheet.answers.into_iter().map(|(field, answer)| AnswerJson {
            field: field.number(),
            label_ja: label(Lang::Ja, &field.label_key()),
            label_en: label(Lang::En, &field.label_key()),
            answer,
        });
        let answers: Vec<_> = answers.collect();
        let profiles = read_profiles(&self.config.data_dir)?;
        let shown = Shown { row: self.row(sheet.report, &profiles).await?, answers };
        if json {
            return table::json(&shown, self.terminal);
        }
        let Shown { row, answers } = shown;
        let approval = row.approval.told();
        table::print(&[row], ListArgs { json: false }, self.terminal)?;
        self.terminal.print(&approval)?;
        for one in &answers {
            self.terminal.print(&told(one))?;
        }

        Ok(())
    }
}

/// Tells one answer to a person at a terminal.
fn told(one: &AnswerJson) -> String {
    let status = Locale::new(Lang::Ja).text(one.answer.status.label_key());
    let mut text = format!("\n{}. {} / {} [{status}]\n", one.field, one.label_ja, one.label_en);
    for line in said(&one.answer.value).lines() {
        text.push_str("   ");
        text.push_str(&visible(line));
        text.push('\n');
    }
    text
}

fn said(value: &Value) -> String {
    match value {
        Value::Nothing => String::new(),
        Value::Text { text } => text.clone(),
        Value::Choices { chosen, note } => format!("{}\n{note}", chosen.join(", ")),
        Value::DateTime { at } => japan_time(*at),
        Value::Dated { .. } | Value::People { .. } | Value::Round { .. } | Value::Flood { .. } => {
            rows(std::slice::from_ref(value))
        }
        Value::Rows { rows: found } => rows(found),
        Value::Number { low, high, basis } if low == high => format!("{low}\n{basis}"),
        Value::Number { low, high, basis } => format!("{low} - {high}\n{basis}"),
        Value::Lines { lines } => rows(lines),
        Value::Systems { systems } => rows(systems),
    }
}

/// Shows rows as JSON lines: exact, and every part is there.
fn rows<T: Serialize>(rows: &[T]) -> String {
    let lines: Vec<_> = rows
        .iter()
        .filter_map(|row| serde_json::to_string(row).ok())
        .collect();
    lines.join("\n")
}
