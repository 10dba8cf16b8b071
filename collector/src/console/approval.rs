//! The settings of approval: who has to approve, for the facility and for single profiles, and who is away.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use jiff::Timestamp;
use shirase_shared::ids::UserId;

use super::frame::Frame;
use super::settings::Choice;
use crate::approval::{Absence, Emergency, NamedApprover, Rule, RuleLayer};
use crate::facilities::SelfApproval;
use crate::locale::{Locale, japan_time};

/// The settings of approval of one facility, with the form of one layer.
#[derive(Template)]
#[template(path = "approval.html")]
pub struct ApprovalPage {
    /// What stands around it.
    pub f: Frame,
    /// The profile whose layer the form holds: id and title. The facility's own while there is none.
    pub profile: Option<(String, String)>,
    /// The form.
    pub form: RuleForm,
    /// The rule in force by it, a line each.
    pub in_force: Vec<String>,
    /// Profiles with the rule in force for each.
    pub profiles: Vec<ProfileRule>,
    /// Absences that are on or to come.
    pub absences: Vec<AbsenceView>,
    /// Whom the reader may mark as away: id and name.
    pub may_be_away: Vec<(UserId, String)>,
    /// The moment of the page as a form takes it.
    pub now_field: String,
    /// What is worth knowing about the rule, such as that too few people hold the role.
    pub care: String,
    /// What was wrong with what was sent.
    pub problem: String,
}

/// One layer as a form.
pub struct RuleForm {
    /// How many have to approve; empty leaves it to the layer before.
    pub approvers: String,
    /// After how many minutes deputies may approve; empty leaves it to the layer before.
    pub deputies_after_mins: String,
    /// Whether an author may approve.
    pub self_approval: Vec<Choice>,
    /// Whether one person may release it alone.
    pub emergency: Vec<Choice>,
    /// Whether people are named here at all.
    pub names_people: bool,
    /// Everybody in the role.
    pub people: Vec<PersonChoice>,
    /// The version of the layer this form was filled from.
    pub seen: String,
}

/// Somebody who can be named.
pub struct PersonChoice {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Whether they are named.
    pub named: bool,
    /// The others, each with whether they stand in for them.
    pub deputies: Vec<(UserId, String, bool)>,
}

/// The rule in force for one profile.
pub struct ProfileRule {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The rule in force, a line each.
    pub rule: Vec<String>,
    /// Whether the facility set something for it.
    pub own: bool,
}

/// An absence as shown.
pub struct AbsenceView {
    /// Its identity.
    pub id: String,
    /// Who is away.
    pub name: String,
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Whether it is on.
    pub on: bool,
    /// Whether the reader may end it.
    pub may_end: bool,
}

impl AbsenceView {
    /// Shows an absence to somebody.
    #[must_use]
    pub fn of(absence: &Absence, (reader, administrator): (UserId, bool), now: Timestamp) -> Self {
        Self {
            id: absence.id.to_string(),
            name: absence.who.name.clone(),
            from: japan_time(absence.from),
            until: japan_time(absence.until),
            on: absence.is_on(now),
            may_end: administrator || absence.who.user == reader,
        }
    }
}

impl RuleForm {
    /// Fills the form from a layer; the facility's own shows what is in force where it says nothing.
    #[must_use]
    pub fn of(
        layer: &RuleLayer,
        whole: bool,
        people: &BTreeMap<UserId, String>,
        (seen, locale): (Option<Timestamp>, Locale),
    ) -> Self {
        let rule = Rule::of(&[layer]);
        let number = |own: Option<u32>, in_force: u32| match own {
            Some(number) => number.to_string(),
            None if whole => in_force.to_string(),
            None => String::new(),
        };
        let layer_emergency = layer.emergency.or(whole.then_some(rule.emergency));
        let layer_self = layer.self_approval.or(whole.then_some(rule.self_approval));
        let named = layer.named.as_deref().unwrap_or_default();
        Self {
            approvers: number(layer.approvers.map(u32::from), u32::from(rule.approvers)),
            deputies_after_mins: number(layer.deputies_after_mins, rule.deputies_after_mins),
            self_approval: choices(layer_self.map(|s| s == SelfApproval::Allowed), whole, locale),
            emergency: choices(layer_emergency.map(|e| e == Emergency::Allowed), whole, locale),
            names_people: whole || layer.named.is_some(),
            people: people
                .iter()
                .map(|(user, name)| PersonChoice {
                    user: *user,
                    name: name.clone(),
                    named: named.iter().any(|one| one.user == *user),
                    deputies: people
                        .iter()
                        .filter(|(other, _)| *other != user)
                        .map(|(other, name)| {
                            (*other, name.clone(), stands_in(named, *user, *other))
                        })
                        .collect(),
                })
                .collect(),
            seen: seen
                .map(|at| at.as_millisecond().to_string())
                .unwrap_or_default(),
        }
    }
}

fn stands_in(named: &[NamedApprover], approver: UserId, deputy: UserId) -> bool {
    let found = named.iter().find(|one| one.user == approver);
    found.is_some_and(|one| one.deputies.contains(&deputy))
}

fn choices(allowed: Option<bool>, whole: bool, locale: Locale) -> Vec<Choice> {
    let choice = |code: &str, key: &str, chosen| Choice {
        code: code.to_owned(),
        text: locale.text(key),
        chosen,
    };
    let inherit = (!whole).then(|| choice("", "rule-inherit", allowed.is_none()));
    inherit
        .into_iter()
        .chain([
            choice("refused", "rule-refused", allowed == Some(false)),
            choice("allowed", "rule-allowed", allowed == Some(true)),
        ])
        .collect()
}

/// Puts a rule into words, a line each.
#[must_use]
pub fn rule_words(rule: &Rule, name: &dyn Fn(UserId) -> String, locale: Locale) -> Vec<String> {
    let mut lines = vec![locale.text_with("rule-words-approvers", &[("count", &rule.approvers)])];
    if rule.named.is_empty() {
        lines.push(locale.text("rule-words-everybody"));
    } else {
        let separator = locale.text("list-separator");
        let people = rule.named.iter().map(|named| {
            let deputies: Vec<String> = named.deputies.iter().map(|user| name(*user)).collect();
            let who = name(named.user);
            if deputies.is_empty() {
                return who;
            }
            let deputies = deputies.join(&separator);
            locale.text_with("rule-words-with-deputies", &[("name", &who), ("deputies", &deputies)])
        });
        let people: Vec<String> = people.collect();
        lines.push(locale.text_with("rule-words-named", &[("people", &people.join(&separator))]));
        let deputies: BTreeSet<UserId> = rule
            .named
            .iter()
            .flat_map(|named| named.deputies.iter().copied())
            .collect();
        if !deputies.is_empty() {
            lines.push(match rule.deputies_after_mins {
                0 => locale.text("rule-words-deputies-away"),
                mins => locale.text_with("rule-words-deputies-after", &[("count", &mins)]),
            });
        }
    }
    if rule.self_approval == SelfApproval::Allowed {
        lines.push(locale.text("rule-words-self-approval"));
    }
    lines.push(locale.text(match rule.emergency {
        Emergency::Refused => "rule-words-no-emergency",
        Emergency::Allowed => "rule-words-emergency",
    }));
    lines
}
