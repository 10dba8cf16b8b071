//! `profile list|check`, `duty list`, `deadline list`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use shirase_shared::config::Problem;
use shirase_shared::ids::{DeliveryId, FacilityId, IncidentId};

use super::Desk;
use super::table::{self, Row};
use super::terminal::Terminal;
use crate::args::{DeadlineCommand, DutyCommand, ProfileCommand};
use crate::config::Config;
use crate::duties::duties;
use crate::locale::{Lang, Locale, japan_time};
use crate::release::{PROFILES_DIR, ProfilesError, read_profiles};
use crate::reports::deadline::{Deadline, MetWith, State, Term};
use crate::reports::duty::{Duty, Missing, Standing};
use crate::reports::fields::Field;
use crate::reports::profile::{Addressee, Condition, Confidence, Obligation, Profile};

#[derive(Serialize)]
struct ProfileRow {
    id: String,
    series: String,
    enabled: bool,
    addressee: Addressee,
    title_ja: String,
    title_en: String,
    fields: Vec<Field>,
    annexes: Vec<Field>,
    deadlines: Vec<String>,
    valid_from: Date,
    valid_to: Option<Date>,
    source_url: String,
    last_verified: Date,
    confidence: Confidence,
    version: String,
}

impl Row for ProfileRow {
    const HEADS: &'static [&'static str] =
        &["PROFILE", "SERIES", "ON", "FIELDS", "VERIFIED", "CONFIDENCE", "TITLE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.series.clone(),
            if self.enabled { "on" } else { "off" }.to_owned(),
            self.fields.len().to_string(),
            self.last_verified.to_string(),
            match self.confidence {
                Confidence::Confirmed => "confirmed",
                Confidence::Secondary => "secondary (未確認)",
                Confidence::Unverified => "unverified (未確認)",
            }
            .to_owned(),
            self.title_ja.clone(),
        ]
    }
}

impl ProfileRow {
    fn of(profile: &Profile) -> Self {
        let body = &profile.body;
        Self {
            id: body.id.clone(),
            series: body.series.clone(),
            enabled: body.enabled,
            addressee: body.addressee,
            title_ja: body.title.ja.clone(),
            title_en: body.title.en.clone(),
            fields: body.fields.clone(),
            annexes: body.annexes.clone(),
            deadlines: body.deadlines.iter().map(|rule| rule.id.clone()).collect(),
            valid_from: body.valid_from,
            valid_to: body.valid_to,
            source_url: body.duty.source_url.clone(),
            last_verified: body.duty.last_verified,
            confidence: body.duty.confidence,
            version: profile.version.clone(),
        }
    }
}

/// A mistake in a file of the hospital's own.
#[derive(Serialize)]
pub(super) struct ProblemRow {
    file: String,
    line: usize,
    key: String,
    problem: String,
    remedy: String,
}

impl Row for ProblemRow {
    const HEADS: &'static [&'static str] = &["FILE", "LINE", "KEY", "MISTAKE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.file.clone(),
            self.line.to_string(),
            self.key.clone(),
            format!("{}; {}", self.problem, self.remedy),
        ]
    }
}

/// Returns the mistakes of one file as rows.
pub(super) fn problem_rows(file: &str, problems: Vec<Problem>) -> Vec<ProblemRow> {
    let row = |problem: Problem| ProblemRow {
        file: file.to_owned(),
        line: problem.line,
        key: problem.key,
        problem: problem.message,
        remedy: problem.remedy,
    };
    problems.into_iter().map(row).collect()
}

/// Shows or checks profiles: from the files alone, without the database.
pub(super) fn profile(
    path: &Path,
    command: ProfileCommand,
    terminal: &mut Terminal,
) -> Result<ExitCode> {
    let data_dir = Config::read(path)?.data_dir;
    match command {
        ProfileCommand::List(list) => {
            let profiles = read_profiles(&data_dir)?;
            let rows: Vec<ProfileRow> = profiles.all().map(ProfileRow::of).collect();
            table::print(&rows, list, terminal)?;
            Ok(ExitCode::SUCCESS)
        }
        ProfileCommand::Check(list) => {
            let rows: Vec<ProblemRow> = match read_profiles(&data_dir) {
                Ok(_) => Vec::new(),
                Err(error @ ProfilesError::Read { .. }) => return Err(error.into()),
                Err(ProfilesError::Mistakes(errors)) => errors
                    .into_iter()
                    .flat_map(|error| problem_rows(&error.file, error.problems))
                    .collect(),
            };
            if rows.is_empty() && !list.json {
                let place = data_dir.join(PROFILES_DIR);
                terminal.line(&format!("the profiles in `{}` are in order", place.display()))?;
                return Ok(ExitCode::SUCCESS);
            }
            table::print(&rows, list, terminal)?;
            Ok(if rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

#[derive(Serialize)]
struct DutyRow {
    profile: String,
    title_ja: String,
    title_en: String,
    obligation: Obligation,
    /// `applies`, `open`, `not_now` or `off`.
    standing: &'static str,
    /// The conditions that hold, or where it does not apply those that do not.
    reasons: Vec<Condition>,
    reasons_ja: Vec<String>,
    /// Numbers of the fields and names of the moments it waits for.
    missing: Vec<String>,
    confidence: Confidence,
}

impl Row for DutyRow {
    const HEADS: &'static [&'static str] = &["STANDING", "PROFILE", "WHAT", "WHY", "WAITS FOR"];

    fn cells(&self) -> Vec<String> {
        vec![
            match self.standing {
                "applies" => "該当 applies",
                "open" => "未確定 open",
                "not_now" => "該当しない no",
                _ => "対象外 off",
            }
            .to_owned(),
            self.profile.clone(),
            self.title_ja.clone(),
            self.reasons_ja.join("、"),
            self.missing.join(", "),
        ]
    }
}

impl DutyRow {
    fn of(duty: &Duty, profile: &Profile) -> Self {
        let body = &profile.body;
        let holds = duty.standing != Standing::NotNow;
        let words = |condition: &Condition| Locale::new(Lang::Ja).text(&condition.text_key(holds));
        let missing = |missing: &Missing| match missing {
            Missing::Answer(field) => field.number().to_string(),
            Missing::Moment(moment) => moment.as_str().to_owned(),
        };
        Self {
            profile: duty.profile.clone(),
            title_ja: body.title.ja.clone(),
            title_en: body.title.en.clone(),
            obligation: duty.obligation,
            standing: duty.standing.as_str(),
            reasons: duty.reasons.iter().copied().collect(),
            reasons_ja: duty.reasons.iter().map(words).collect(),
            missing: duty.missing.iter().map(missing).collect(),
            confidence: body.duty.confidence,
        }
    }
}

#[derive(Serialize)]
struct DeadlineRow {
    facility: FacilityId,
    incident: IncidentId,
    number: u64,
    drill: bool,
    deadline: String,
    label_ja: String,
    label_en: String,
    /// `limit`, `guide` or `promptly`.
    term: &'static str,
    state: &'static str,
    warned_percent: Option<u8>,
    late: Option<bool>,
    runs_from: Option<Timestamp>,
    /// The moment was not recorded and is counted from the alert.
    assumed: bool,
    due: Option<Timestamp>,
    last_day: Option<Date>,
    moved_from: Option<Date>,
    computed_holiday: bool,
    met_at: Option<Timestamp>,
    /// The delivery that met it, where one did.
    met_by_delivery: Option<DeliveryId>,
    confidence: Confidence,
}

impl Row for DeadlineRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "NO.", "TERM", "STATE", "UNTIL", "RUNS FROM", "DRILL", "WHAT"];

    fn cells(&self) -> Vec<String> {
        let until = match (self.last_day, self.due) {
            (Some(day), _) => day.to_string(),
            (None, Some(at)) => japan_time(at),
            (None, None) => String::new(),
        };
        let from = self.runs_from.map(japan_time).unwrap_or_default();
        vec![
            self.facility.to_string(),
            self.number.to_string(),
            match self.term {
                "guide" => "目安 guide",
                "limit" => "期限 limit",
                other => other,
            }
            .to_owned(),
            self.state.to_owned(),
            until,
            if self.assumed { format!("{from}?") } else { from },
            if self.drill { "訓練" } else { "" }.to_owned(),
            self.label_ja.clone(),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn duty(self, command: DutyCommand) -> Result<()> {
        let DutyCommand::List { facility, incident, list } = command;
        let incident = self.one_incident(&facility, &incident).await?;
        let profiles = read_profiles(&self.config.data_dir)?;
        let found = duties(&self.store, &profiles, &incident, self.clock.now()).await?;
        let all = found.map(|found| found.overview.duties).unwrap_or_default();
        let rows: Vec<DutyRow> = all
            .iter()
            .filter_map(|duty| Some(DutyRow::of(duty, profiles.profile(&duty.profile)?)))
            .collect();
        table::print(&rows, list, self.terminal)
    }

    pub(super) async fn deadline(self, command: DeadlineCommand) -> Result<()> {
        let DeadlineCommand::List { facility, all, list } = command;
        let now = self.clock.now();
        let profiles = read_profiles(&self.config.data_dir)?;
        let mut rows = Vec::new();
        for facility in self.facilities(facility.as_ref()).await? {
            let incidents = if all {
                self.store.incidents(&facility.id).await?
            } else {
                self.store
                    .incidents_with_deadlines(&facility.id, now)
                    .await?
            };
            for incident in incidents {
                let Some(found) = duties(&self.store, &profiles, &incident, now).await? else {
                    continue;
                };
                for deadline in &found.overview.deadlines {
                    let state = deadline.state(now);
                    if all || state.is_open() {
                        let of = (incident.id, incident.number, incident.drill.is_some());
                        rows.push(row(&facility.id, of, deadline, state));
                    }
                }
            }
        }
        rows.sort_by_key(|row| (row.drill, row.due));
        table::print(&rows, list, self.terminal)
    }
}

fn row(
    facility: &FacilityId,
    (incident, number, drill): (IncidentId, u64, bool),
    deadline: &Deadline,
    state: State,
) -> DeadlineRow {
    let due = deadline.due();
    DeadlineRow {
        facility: facility.clone(),
        incident,
        number,
        drill,
        deadline: deadline.key(),
        label_ja: deadline.label.ja.clone(),
        label_en: deadline.label.en.clone(),
        term: match deadline.term {
            Term::Limit(_) => "limit",
            Term::Guide(_) => "guide",
            Term::Promptly => "promptly",
        },
        state: state.as_str(),
        warned_percent: match state {
            State::Running { warned_percent } => Some(warned_percent),
            State::Waiting
            | State::Promptly
            | State::Missed
            | State::GuidePassed
            | State::Met { .. } => None,
        },
        late: match state {
            State::Met { late } => Some(late),
            State::Waiting
            | State::Running { .. }
            | State::Promptly
            | State::Missed
            | State::GuidePassed => None,
        },
        runs_from: deadline.start.map(|start| start.at),
        assumed: deadline.start.is_some_and(|start| start.assumed),
        due: due.map(|due| due.at),
        last_day: due.and_then(|due| due.last_day),
        moved_from: due.and_then(|due| due.moved_from),
        computed_holiday: due.is_some_and(|due| due.computed_holiday),
        met_at: deadline.met_at,
        met_by_delivery: match &deadline.met_with {
            Some(MetWith::Delivery(handover)) => Some(handover.delivery),
            Some(MetWith::VendorCalled | MetWith::PersonsTold) | None => None,
        },
        confidence: deadline.confidence,
    }
}
