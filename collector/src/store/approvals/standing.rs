//! Where a report stands with its approval: read in one transaction, judged by `approval`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, ReportId, UserId};
use sqlx::SqliteConnection;

use super::emergencies::release_of;
use super::rows::{read_decisions, read_submission};
use super::rules::{people_in_role, read_absences, rule_in_force};
use super::sending::sending;
use crate::approval::{
    Absence, Decision, DecisionRecord, EmergencyRelease, Frozen, Given, RuleLayer, Standing,
    Submission, away,
};
use crate::reports::profile::Profile;
use crate::reports::{Report, ReportStatus};
use crate::store::connect::from_json;
use crate::store::reports::rows::read_report;
use crate::store::{Store, StoreError};

/// Everything a page or a command tells about the approval of a report.
#[derive(Clone, Debug)]
pub struct ApprovalState {
    /// Where it stands, for the rules.
    pub standing: Standing,
    /// Who holds the role of an approver.
    pub in_role: BTreeSet<UserId>,
    /// Absences that are on or still to come.
    pub absences: Vec<Absence>,
    /// Every decision, the oldest first.
    pub decisions: Vec<DecisionRecord>,
    /// The last emergency release of this report.
    pub emergency: Option<EmergencyRelease>,
}

/// The same inside a transaction, with what was frozen.
pub(super) struct Known {
    pub(super) standing: Standing,
    pub(super) submission: Option<Submission>,
    pub(super) decisions: Vec<DecisionRecord>,
    in_role: BTreeSet<UserId>,
    absences: Vec<Absence>,
}

impl Store {
    /// Returns where the approval of a report stands. `file` is what its profile's file says about approval: it counts
    /// while nothing is frozen.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the facility has no such report.
    pub async fn approval_state(
        &self,
        (facility, report): (&FacilityId, ReportId),
        file: &RuleLayer,
        now: Timestamp,
    ) -> Result<ApprovalState, StoreError> {
        let mut tx = self.readers.begin().await?;
        let known = known(&mut tx, (facility, report), file, now).await?;
        let emergency = release_of(&mut tx, facility, report).await?;
        tx.commit().await?;
        let Known { standing, decisions, in_role, absences, .. } = known;

        Ok(ApprovalState { standing, in_role, absences, decisions, emergency })
    }
}

/// Reads everything the rules ask for.
pub(super) async fn known(
    conn: &mut SqliteConnection,
    (facility, id): (&FacilityId, ReportId),
    file: &RuleLayer,
    now: Timestamp,
) -> Result<Known, StoreError> {
    let report = read_report(conn, facility, id).await?;
    let frozen_at = match report.status {
        ReportStatus::Submitted | ReportStatus::Approved => Some(report.revision),
        ReportStatus::Draft | ReportStatus::Withdrawn => None,
    };
    let submission = match frozen_at {
        Some(revision) => read_submission(conn, facility, id, i64::from(revision.0)).await?,
        None => None,
    };
    let mut authors: Vec<UserId> = Vec::new();
    let mut file = Some(file.clone());
    if let Some(submission) = &submission {
        let frozen: Frozen = from_json("frozen answers", &submission.frozen_json)?;
        authors.extend(frozen.authors.iter().map(|author| author.user));
        authors.push(submission.submitted_by);
        // The rule of the profile's text that was frozen, whatever became of the file since.
        file = Profile::read(&frozen.profile.text)
            .ok()
            .map(|profile| profile.body.approval);
    }
    let file = file.unwrap_or_default();
    let rule = rule_in_force(conn, (facility, &report.profile), &file).await?;
    let in_role = people_in_role(conn, facility).await?;
    let absences = read_absences(conn, facility, now).await?;
    let decisions = read_decisions(conn, facility, id).await?;
    let given = decisions
        .iter()
        .filter(|record| Some(record.revision) == frozen_at)
        .filter(|record| record.decision == Decision::Approved)
        .map(|record| Given {
            by: record.decided_by,
            deputy_for: record.deputy_for.as_ref().map(|person| person.user),
        })
        .collect();
    let standing = Standing {
        status: report.status,
        revision: report.revision,
        authors,
        submitted_at: submission
            .as_ref()
            .map_or(now, |submission| submission.submitted_at),
        away: away(&absences, &rule, &in_role, now),
        rule,
        given,
        sending: sending(conn, &report).await?,
        followed: is_followed(conn, &report).await?,
    };

    Ok(Known { standing, submission, decisions, in_role, absences })
}

/// Returns what somebody is called, or their id if the account is gone.
pub(super) async fn user_name(
    conn: &mut SqliteConnection,
    user: UserId,
) -> Result<String, StoreError> {
    let found: Option<(String,)> = sqlx::query_as("SELECT name FROM users WHERE user_id = ?")
        .bind(user.to_string())
        .fetch_optional(conn)
        .await?;
    Ok(found.map_or_else(|| user.to_string(), |(name,)| name))
}

/// Whether a later report to the same addressee builds on this one.
async fn is_followed(conn: &mut SqliteConnection, report: &Report) -> Result<bool, StoreError> {
    let (later,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM reports
         WHERE facility_id = ? AND incident_id = ? AND series = ? AND ? < round AND status <> 'withdrawn'",
    )
    .bind(report.facility.as_str())
    .bind(report.incident.to_string())
    .bind(&report.round.series)
    .bind(i64::from(report.round.number))
    .fetch_one(conn)
    .await?;
    Ok(0 < later)
}
