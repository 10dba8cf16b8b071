//! Who has to approve a report: a rule made of layers, and who is away.
//!
//! ```text
//! built in ◀─ the facility's settings ◀─ the profile's file ◀─ the facility's settings for that profile
//! ```
//!
//! Always holds: pure; the layer further right wins where it says something, so that a rule can be told with where each
//! part of it comes from.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{AbsenceId, FacilityId, UserId};

use crate::facilities::SelfApproval;
use crate::reports::answer::NamedPerson;

/// Most people who have to approve one report.
pub const APPROVERS_MAX: u8 = 9;
/// Most approvers a rule names, and most deputies of one.
const NAMED_MAX: usize = 30;
/// Longest time deputies wait, in minutes: a week.
pub const WAIT_MAX_MINS: u32 = 7 * 24 * 60;

/// Whether one person may release a report alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emergency {
    /// Never.
    #[default]
    Refused,
    /// With a reason and the second factor, and looked at by another person afterwards.
    Allowed,
}

/// Somebody who approves, with who stands in for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedApprover {
    /// Who.
    pub user: UserId,
    /// Who may approve in their place, in this order.
    #[serde(default)]
    pub deputies: Vec<UserId>,
}

/// What one layer says; `None` leaves it to the layer before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleLayer {
    /// How many people have to approve.
    pub approvers: Option<u8>,
    /// Who approves; an empty list is everybody in the role.
    pub named: Option<Vec<NamedApprover>>,
    /// How long after the submission deputies may approve although nobody is away, in minutes; 0 is never.
    pub deputies_after_mins: Option<u32>,
    /// Whether an author may approve.
    pub self_approval: Option<SelfApproval>,
    /// Whether one person may release it in an emergency.
    pub emergency: Option<Emergency>,
}

/// Who has to approve, all layers together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// How many people have to approve, from 1.
    pub approvers: u8,
    /// Who approves; empty: everybody in the role.
    pub named: Vec<NamedApprover>,
    /// How long after the submission deputies may approve although nobody is away, in minutes; 0 is never.
    pub deputies_after_mins: u32,
    /// Whether an author may approve.
    pub self_approval: SelfApproval,
    /// Whether one person may release it in an emergency.
    pub emergency: Emergency,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            approvers: 1,
            named: Vec::new(),
            deputies_after_mins: 0,
            self_approval: SelfApproval::Refused,
            emergency: Emergency::Refused,
        }
    }
}

impl Rule {
    /// Puts layers together, the weakest first.
    #[must_use]
    pub fn of(layers: &[&RuleLayer]) -> Self {
        layers.iter().fold(Self::default(), |rule, layer| Self {
            approvers: layer
                .approvers
                .unwrap_or(rule.approvers)
                .clamp(1, APPROVERS_MAX),
            named: layer.named.clone().unwrap_or(rule.named),
            deputies_after_mins: layer
                .deputies_after_mins
                .unwrap_or(rule.deputies_after_mins),
            self_approval: layer.self_approval.unwrap_or(rule.self_approval),
            emergency: layer.emergency.unwrap_or(rule.emergency),
        })
    }

    /// Returns from when deputies may approve what was submitted then; `None`: only while somebody is away.
    #[must_use]
    pub fn deputies_from(&self, submitted_at: Timestamp) -> Option<Timestamp> {
        let wait = SignedDuration::from_mins(i64::from(self.deputies_after_mins));
        (0 < self.deputies_after_mins)
            .then(|| submitted_at.saturating_add(wait).unwrap_or(Timestamp::MAX))
    }

    /// Returns everybody it names, deputies too.
    #[must_use]
    pub fn everybody_named(&self) -> BTreeSet<UserId> {
        let people = self.named.iter().flat_map(|named| {
            let deputies = named.deputies.iter().copied();
            std::iter::once(named.user).chain(deputies)
        });
        people.collect()
    }

    /// Checks that it can be met at all by people who hold the role.
    ///
    /// # Errors
    /// Says what to change.
    pub fn check(&self, in_role: &BTreeSet<UserId>) -> Result<(), RuleProblem> {
        let mut seen = BTreeSet::new();
        for named in &self.named {
            let twice = !seen.insert(named.user);
            let own = named.deputies.contains(&named.user);
            if twice || own || NAMED_MAX < named.deputies.len() {
                return Err(if own { RuleProblem::OwnDeputy } else { RuleProblem::Twice });
            }
        }
        if NAMED_MAX < self.named.len() {
            return Err(RuleProblem::Twice);
        }
        if !self.everybody_named().is_subset(in_role) {
            return Err(RuleProblem::NotInRole);
        }
        if !self.named.is_empty() && self.named.len() < usize::from(self.approvers) {
            return Err(RuleProblem::TooFew { needed: self.approvers, named: self.named.len() });
        }

        Ok(())
    }
}

impl RuleLayer {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Says which one is out of its range.
    pub fn check(&self) -> Result<(), RuleProblem> {
        if self
            .approvers
            .is_some_and(|count| !(1..=APPROVERS_MAX).contains(&count))
        {
            return Err(RuleProblem::Approvers);
        }
        if self
            .deputies_after_mins
            .is_some_and(|mins| WAIT_MAX_MINS < mins)
        {
            return Err(RuleProblem::Wait);
        }

        Ok(())
    }
}

/// Why a rule cannot stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// The number of approvers is out of range.
    #[error("the number of approvers is not between 1 and {APPROVERS_MAX}")]
    Approvers,
    /// The waiting time is out of range.
    #[error(
        "deputies wait at most {WAIT_MAX_MINS} minutes; 0 means that they only act for who is away"
    )]
    Wait,
    /// More approvals are asked for than there are people named, so no report could ever be released.
    #[error(
        "{needed} people have to approve, but only {named} are named; name more or ask for fewer"
    )]
    TooFew {
        /// How many have to approve.
        needed: u8,
        /// How many are named.
        named: usize,
    },
    /// Somebody is their own deputy.
    #[error("nobody is their own deputy; remove the name from the deputies")]
    OwnDeputy,
    /// Somebody is named twice, or too many people are.
    #[error("each approver is named once, with at most {NAMED_MAX} others")]
    Twice,
    /// Somebody named does not hold the role.
    #[error("everybody named has to hold the role `approver` at the facility; grant it first")]
    NotInRole,
}

impl RuleProblem {
    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn text_key(self) -> &'static str {
        match self {
            Self::Approvers => "rule-problem-approvers",
            Self::Wait => "rule-problem-wait",
            Self::TooFew { .. } => "rule-problem-too-few",
            Self::OwnDeputy => "rule-problem-own-deputy",
            Self::Twice => "rule-problem-twice",
            Self::NotInRole => "rule-problem-not-in-role",
        }
    }
}

/// A time in which somebody does not approve and deputies may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Absence {
    /// Its identity.
    pub id: AbsenceId,
    /// Where.
    pub facility: FacilityId,
    /// Who is away.
    pub who: NamedPerson,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// When it was ended early.
    pub ended_at: Option<Timestamp>,
}

impl Absence {
    /// Whether it counts at a moment.
    #[must_use]
    pub fn is_on(&self, now: Timestamp) -> bool {
        let until = self
            .ended_at
            .map_or(self.until, |ended| ended.min(self.until));
        self.from <= now && now < until
    }
}

/// Returns who is away at a moment: marked so, or named and no longer able to sign in as an approver.
#[must_use]
pub fn away(
    absences: &[Absence],
    rule: &Rule,
    in_role: &BTreeSet<UserId>,
    now: Timestamp,
) -> BTreeSet<UserId> {
    let marked = absences.iter().filter(|absence| absence.is_on(now));
    let gone = rule.named.iter().map(|named| named.user);
    marked
        .map(|absence| absence.who.user)
        .chain(gone.filter(|user| !in_role.contains(user)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn named(number: u128, deputies: &[u128]) -> NamedApprover {
        NamedApprover {
            user: user(number),
            deputies: deputies.iter().map(|number| user(*number)).collect(),
        }
    }

    #[test]
    fn a_later_layer_wins_only_where_it_says_something() {
        let facility = RuleLayer {
            approvers: Some(2),
            deputies_after_mins: Some(30),
            emergency: Some(Emergency::Allowed),
            ..RuleLayer::default()
        };
        let file = RuleLayer { approvers: Some(1), ..RuleLayer::default() };
        let own = RuleLayer { emergency: Some(Emergency::Refused), ..RuleLayer::default() };
        assert_eq!(Rule::of(&[]), Rule::default());
        let rule = Rule::of(&[&facility, &file, &own]);
        assert_eq!((rule.approvers, rule.deputies_after_mins), (1, 30));
        assert_eq!(rule.emergency, Emergency::Refused);
        let zero = RuleLayer { approvers: Some(0), ..RuleLayer::default() };
        assert_eq!(Rule::of(&[&zero]).approvers, 1, "no layer can take the last approver away");
    }

    #[test]
    fn a_rule_nobody_can_meet_is_refused() {
        let in_role: BTreeSet<UserId> = (1..=4).map(user).collect();
        let check = |approvers, people: Vec<NamedApprover>| {
            Rule { approvers, named: people, ..Rule::default() }.check(&in_role)
        };
        assert_eq!(check(9, vec![]), Ok(()), "everybody in the role may be many tomorrow");
        assert_eq!(check(2, vec![named(1, &[3]), named(2, &[3, 4])]), Ok(()));
        let few = RuleProblem::TooFew { needed: 2, named: 1 };
        assert_eq!(check(2, vec![named(1, &[2])]), Err(few));
        assert_eq!(check(1, vec![named(1, &[1])]), Err(RuleProblem::OwnDeputy));
        assert_eq!(check(1, vec![named(1, &[]), named(1, &[])]), Err(RuleProblem::Twice));
        assert_eq!(check(1, vec![named(1, &[9])]), Err(RuleProblem::NotInRole));
        let layer = RuleLayer { approvers: Some(10), ..RuleLayer::default() };
        assert_eq!(layer.check(), Err(RuleProblem::Approvers));
        let layer =
            RuleLayer { deputies_after_mins: Some(WAIT_MAX_MINS + 1), ..RuleLayer::default() };
        assert_eq!(layer.check(), Err(RuleProblem::Wait));
    }

    #[test]
    fn an_absence_counts_from_its_beginning_until_it_ends_or_is_ended() {
        let at = |minute: i64| Timestamp::from_second(1_000_000 + 60 * minute).unwrap();
        let absence = Absence {
            id: AbsenceId::from_uuid(uuid::Uuid::from_u128(7)),
            facility: "handa".parse().unwrap(),
            who: NamedPerson { user: user(1), name: "院長".to_owned() },
            from: at(10),
            until: at(20),
            ended_at: None,
        };
        let on = |absence: &Absence| (0..30).filter(|minute| absence.is_on(at(*minute))).count();
        assert_eq!(on(&absence), 10);
        assert_eq!(on(&Absence { ended_at: Some(at(13)), ..absence.clone() }), 3);
        assert_eq!(on(&Absence { ended_at: Some(at(99)), ..absence.clone() }), 10);
        let rule = Rule { named: vec![named(1, &[2]), named(3, &[2])], ..Rule::default() };
        let in_role = BTreeSet::from([user(1), user(2)]);
        let gone = away(&[absence], &rule, &in_role, at(12));
        assert_eq!(gone, BTreeSet::from([user(1), user(3)]), "who left counts as away");
    }
}
