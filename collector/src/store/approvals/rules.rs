//! Rules of approval and absences of approvers, each change with its entry in the audit log.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shirase_shared::ids::{AbsenceId, FacilityId, UserId};
use sqlx::{FromRow, SqliteConnection};

use crate::approval::{Absence, Rule, RuleLayer, RuleProblem};
use crate::audit::{Actor, AuditEntry};
use crate::facilities::SelfApproval;
use crate::reports::answer::NamedPerson;
use crate::store::append_audit;
use crate::store::connect::{from_json, from_ms, from_ms_maybe, parsed, to_json, to_ms, touched};
use crate::store::{Store, StoreError};

/// What stands for the facility's own layer.
const WHOLE_FACILITY: &str = "";

/// One layer as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredRule {
    /// What it says.
    pub layer: RuleLayer,
    /// When it was last changed; `None` while nobody set it.
    pub updated_at: Option<Timestamp>,
}

/// A change of one layer.
#[derive(Clone, Debug)]
pub struct RuleChange<'a> {
    /// Whose.
    pub facility: &'a FacilityId,
    /// For which profile; the facility's own if left out.
    pub profile: Option<&'a str>,
    /// What it says from now on; an empty layer leaves everything to the one before.
    pub layer: &'a RuleLayer,
    /// When the layer the person saw was last changed.
    pub seen: Option<Timestamp>,
    /// What the files of all profiles say, by id: a rule nobody could meet is refused.
    pub files: &'a BTreeMap<String, RuleLayer>,
}

/// Why a layer was not stored.
#[derive(Debug, thiserror::Error)]
pub enum RuleFailure {
    /// A report could never be released by it.
    #[error("{}{problem}", for_profile(profile.as_deref()))]
    Problem {
        /// The profile for which that is so, if not for all.
        profile: Option<String>,
        /// What is wrong.
        problem: RuleProblem,
    },
    /// The database could not do it, or somebody else was faster.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for RuleFailure {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Query(error))
    }
}

fn for_profile(profile: Option<&str>) -> String {
    profile.map_or_else(String::new, |profile| format!("for `{profile}`: "))
}

impl Store {
    /// Returns the facility's own layer and those for single profiles, by id.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn approval_rules(
        &self,
        facility: &FacilityId,
    ) -> Result<(StoredRule, BTreeMap<String, StoredRule>), StoreError> {
        let mut tx = self.readers.begin().await?;
        let rules = read_rules(&mut tx, facility).await?;
        tx.commit().await?;

        Ok(rules)
    }

    /// Returns who holds the role of an approver at a facility and can sign in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn approvers(&self, facility: &FacilityId) -> Result<BTreeSet<UserId>, StoreError> {
        let mut conn = self.readers.acquire().await?;
        people_in_role(&mut conn, facility).await
    }

    /// Replaces one layer.
    ///
    /// # Errors
    /// Refuses a rule nobody could meet, for any profile, and one that changed since the person looked.
    pub async fn set_approval_rule(
        &self,
        change: &RuleChange<'_>,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), RuleFailure> {
        let RuleChange { facility, profile, layer, seen, files } = change;
        let mut tx = self.change().await?;
        let (mut whole, mut single) = read_rules(&mut tx, facility).await?;
        let before = match profile {
            None => std::mem::replace(
                &mut whole,
                StoredRule { layer: (*layer).clone(), updated_at: None },
            ),
            Some(profile) => {
                let new = StoredRule { layer: (*layer).clone(), updated_at: None };
                single
                    .insert((*profile).to_owned(), new)
                    .unwrap_or_default()
            }
        };
        if before.updated_at.map(to_ms) != seen.map(to_ms) {
            return Err(StoreError::Stale("rule of approval").into());
        }
        let in_role = people_in_role(&mut tx, facility).await?;
        check(layer, &whole.layer, (&single, files), &in_role)
            .map_err(|(profile, problem)| RuleFailure::Problem { profile, problem })?;
        if let (None, Some(allowed)) = (profile, layer.self_approval) {
            set_self_approval(&mut tx, facility, allowed).await?;
        }
        sqlx::query(
            "INSERT INTO approval_rules (facility_id, profile, layer_json, updated_ms) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET layer_json = excluded.layer_json, updated_ms = excluded.updated_ms",
        )
        .bind(facility.as_str())
        .bind(profile.unwrap_or(WHOLE_FACILITY))
        .bind(to_json("rule of approval", layer)?)
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await?;
        let entry = AuditEntry::new(now, by, "approval_rule.set", facility)
            .of(facility)
            .with("profile", profile.unwrap_or("all"))
            .with("before", to_json("rule of approval", &before.layer)?)
            .with("now", to_json("rule of approval", layer)?);
        append_audit(&mut tx, &entry).await?;

        Ok(self.commit_audited(tx).await?)
    }

    /// Returns absences of approvers that are on or still to come, by their beginning.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn absences(
        &self,
        facility: &FacilityId,
        now: Timestamp,
    ) -> Result<Vec<Absence>, StoreError> {
        let mut conn = self.readers.acquire().await?;
        read_absences(&mut conn, facility, now).await
    }

    /// Notes that an approver is away for a time.
    ///
    /// # Errors
    /// When there is no such person.
    pub async fn add_absence(
        &self,
        absence: &Absence,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let done = sqlx::query(
            "INSERT INTO absences (facility_id, absence_id, user_id, from_ms, until_ms)
             SELECT ?, ?, user_id, ?, ? FROM users WHERE user_id = ?",
        )
        .bind(absence.facility.as_str())
        .bind(absence.id.to_string())
        .bind(to_ms(absence.from))
        .bind(to_ms(absence.until))
        .bind(absence.who.user.to_string())
        .execute(&mut *tx)
        .await?;
        touched(done.rows_affected(), "user")?;
        let entry = AuditEntry::new(now, by, "absence.noted", absence.who.user)
            .of(&absence.facility)
            .with("absence", absence.id)
            .with("from", absence.from)
            .with("until", absence.until);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Ends an absence before its time.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none that goes on.
    pub async fn end_absence(
        &self,
        (facility, id): (&FacilityId, AbsenceId),
        by: Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let done = sqlx::query(
            "UPDATE absences SET ended_ms = ? WHERE facility_id = ? AND absence_id = ? AND ended_ms IS NULL AND ? < until_ms",
        )
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.to_string())
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await?;
        touched(done.rows_affected(), "absence")?;
        append_audit(&mut tx, &AuditEntry::new(now, by, "absence.ended", id).of(facility)).await?;
        self.commit_audited(tx).await
    }
}

type Single<'a> = (&'a BTreeMap<String, StoredRule>, &'a BTreeMap<String, RuleLayer>);

/// Checks the layer that was changed, and every rule it is a part of.
fn check(
    changed: &RuleLayer,
    whole: &RuleLayer,
    (single, files): Single<'_>,
    in_role: &BTreeSet<UserId>,
) -> Result<(), (Option<String>, RuleProblem)> {
    changed.check().map_err(|problem| (None, problem))?;
    Rule::of(&[whole])
        .check(in_role)
        .map_err(|problem| (None, problem))?;
    let nothing = RuleLayer::default();
    for profile in files.keys().chain(single.keys()) {
        let file = files.get(profile).unwrap_or(&nothing);
        let own = single.get(profile).map_or(&nothing, |rule| &rule.layer);
        Rule::of(&[whole, file, own])
            .check(in_role)
            .map_err(|problem| (Some(profile.clone()), problem))?;
    }

    Ok(())
}

async fn set_self_approval(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    allowed: SelfApproval,
) -> Result<(), StoreError> {
    let number = match allowed {
        SelfApproval::Refused => 0_i64,
        SelfApproval::Allowed => 1,
    };
    let done = sqlx::query("UPDATE facilities SET self_approval = ? WHERE facility_id = ?")
        .bind(number)
        .bind(facility.as_str())
        .execute(conn)
        .await?;
    touched(done.rows_affected(), "facility")
}

async fn read_rules(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
) -> Result<(StoredRule, BTreeMap<String, StoredRule>), StoreError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT profile, layer_json, updated_ms FROM approval_rules WHERE facility_id = ?",
    )
    .bind(facility.as_str())
    .fetch_all(&mut *conn)
    .await?;
    let mut rules = BTreeMap::new();
    for (profile, json, ms) in rows {
        let layer: RuleLayer = from_json("rule of approval", &json)?;
        rules.insert(profile, StoredRule { layer, updated_at: Some(from_ms(ms)?) });
    }
    let mut whole = rules.remove(WHOLE_FACILITY).unwrap_or_default();
    // The facility's own word on this stands in its own column, where master data are set too.
    let found: Option<(i64,)> =
        sqlx::query_as("SELECT self_approval FROM facilities WHERE facility_id = ?")
            .bind(facility.as_str())
            .fetch_optional(conn)
            .await?;
    let (number,) = found.ok_or(StoreError::Missing("facility"))?;
    whole.layer.self_approval =
        Some(if number == 0 { SelfApproval::Refused } else { SelfApproval::Allowed });

    Ok((whole, rules))
}

/// Puts the layers of one profile together.
pub(super) async fn rule_in_force(
    conn: &mut SqliteConnection,
    (facility, profile): (&FacilityId, &str),
    file: &RuleLayer,
) -> Result<Rule, StoreError> {
    let (whole, single) = read_rules(conn, facility).await?;
    let own = single.get(profile).cloned().unwrap_or_default();

    Ok(Rule::of(&[&whole.layer, file, &own.layer]))
}

pub(super) async fn people_in_role(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
) -> Result<BTreeSet<UserId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT r.user_id FROM roles r JOIN users u ON u.user_id = r.user_id
         WHERE r.facility_id = ? AND r.role = 'approver' AND u.disabled_ms IS NULL",
    )
    .bind(facility.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(text,)| parsed("user id", text)).collect()
}

#[derive(FromRow)]
struct AbsenceRow {
    absence_id: String,
    user_id: String,
    name: String,
    from_ms: i64,
    until_ms: i64,
    ended_ms: Option<i64>,
}

pub(super) async fn read_absences(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    now: Timestamp,
) -> Result<Vec<Absence>, StoreError> {
    let rows: Vec<AbsenceRow> = sqlx::query_as(
        "SELECT a.absence_id, a.user_id, u.name, a.from_ms, a.until_ms, a.ended_ms
         FROM absences a JOIN users u ON u.user_id = a.user_id
         WHERE a.facility_id = ? AND ? < a.until_ms AND a.ended_ms IS NULL ORDER BY a.from_ms, a.absence_id",
    )
    .bind(facility.as_str())
    .bind(to_ms(now))
    .fetch_all(conn)
    .await?;
    let read = |row: AbsenceRow| {
        Ok(Absence {
            id: parsed("absence id", &row.absence_id)?,
            facility: facility.clone(),
            who: NamedPerson { user: parsed("user id", &row.user_id)?, name: row.name },
            from: from_ms(row.from_ms)?,
            until: from_ms(row.until_ms)?,
            ended_at: from_ms_maybe(row.ended_ms)?,
        })
    };
    rows.into_iter().map(read).collect()
}
