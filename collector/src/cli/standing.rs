//! Where the approval of a report stands, for a terminal and for programs.

use std::fmt::Write as _;

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::UserId;

use super::Desk;
use crate::approval::{DecisionRecord, Manner, Outlook, OwnAnswers, Rule, Sending};
use crate::console::approval::rule_words;
use crate::locale::{Lang, Locale, japan_time, visible};
use crate::reports::answer::Revision;
use crate::reports::profile::Profiles;
use crate::reports::{Report, ReportStatus};

/// Where the approval of a report stands. Keys stay.
#[derive(Serialize)]
pub(super) struct Standing {
    #[serde(skip)]
    status: ReportStatus,
    given: usize,
    needed: u8,
    rule: Rule,
    #[serde(skip)]
    rule_words: Vec<String>,
    may_approve: Vec<MayApprove>,
    sending: &'static str,
    decisions: Vec<Decision>,
    emergency: Option<Emergency>,
}

#[derive(Serialize)]
struct MayApprove {
    name: String,
    deputy_for: Option<String>,
}

#[derive(Serialize)]
struct Decision {
    decision: &'static str,
    revision: Revision,
    by: String,
    at: Timestamp,
    deputy_for: Option<String>,
    emergency: bool,
    own_answers: bool,
    reason: String,
}

#[derive(Serialize)]
struct Emergency {
    revision: Revision,
    by: String,
    at: Timestamp,
    reason: String,
    review: Option<Reviewed>,
}

#[derive(Serialize)]
struct Reviewed {
    outcome: &'static str,
    by: String,
    at: Timestamp,
    note: String,
}

impl Desk<'_> {
    /// Reads where the approval of a report stands.
    pub(super) async fn standing(&self, report: &Report, profiles: &Profiles) -> Result<Standing> {
        let now = self.clock.now();
        let file = profiles.profile(&report.profile);
        let file = file
            .map(|profile| profile.body.approval.clone())
            .unwrap_or_default();
        let key = (&report.facility, report.id);
        let state = self.store.approval_state(key, &file, now).await?;
        let names = self.store.user_names().await?;
        let name = |user: UserId| {
            names
                .get(&user)
                .cloned()
                .unwrap_or_else(|| user.to_string())
        };
        let standing = &state.standing;
        let submitted = standing.status == ReportStatus::Submitted;
        let outlook = Outlook::of(standing, &state.in_role, now);
        let may = outlook.may().filter(|_| submitted);

        Ok(Standing {
            status: standing.status,
            given: standing.given.len(),
            needed: standing.rule.approvers,
            rule_words: rule_words(&standing.rule, &name, Locale::new(Lang::En)),
            rule: standing.rule.clone(),
            may_approve: may
                .map(|(user, approver)| MayApprove {
                    name: name(user),
                    deputy_for: approver.map(&name),
                })
                .collect(),
            sending: match standing.sending {
                Sending::NotYet => "not_yet",
                Sending::UnderWay => "under_way",
                Sending::Done => "done",
            },
            decisions: state
                .decisions
                .iter()
                .map(|record| decision(record, &name))
                .collect(),
            emergency: state.emergency.map(|release| Emergency {
                revision: release.revision,
                by: release.by.name,
                at: release.at,
                reason: release.reason,
                review: release.review.map(|review| Reviewed {
                    outcome: review.outcome.as_str(),
                    by: review.by.name,
                    at: review.at,
                    note: review.note,
                }),
            }),
        })
    }
}

fn decision(record: &DecisionRecord, name: &dyn Fn(UserId) -> String) -> Decision {
    let kept = &record.decided_name;
    Decision {
        decision: record.decision.as_str(),
        revision: record.revision,
        by: if kept.is_empty() { name(record.decided_by) } else { kept.clone() },
        at: record.decided_at,
        deputy_for: record.deputy_for.as_ref().map(|person| person.name.clone()),
        emergency: record.manner == Manner::Emergency,
        own_answers: record.own_answers == OwnAnswers::Some,
        reason: record.reason.clone(),
    }
}

impl Standing {
    /// Says it in a cell of a table.
    pub(super) fn in_short(&self) -> String {
        let waits = self
            .emergency
            .as_ref()
            .is_some_and(|release| release.review.is_none());
        let said = match self.status {
            ReportStatus::Submitted => format!("{} of {}", self.given, self.needed),
            ReportStatus::Approved => self.sending.replace('_', " "),
            ReportStatus::Draft | ReportStatus::Withdrawn => String::new(),
        };
        let review = if waits { "emergency, to review" } else { "" };
        [said.as_str(), review]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Tells it to a person at a terminal.
    pub(super) fn told(&self) -> String {
        let mut text = String::from("\napproval\n");
        for line in &self.rule_words {
            line_of(&mut text, line);
        }
        if self.status == ReportStatus::Submitted {
            line_of(&mut text, &format!("approvals so far: {} of {}", self.given, self.needed));
            let may: Vec<String> = self
                .may_approve
                .iter()
                .map(|one| named(&one.name, one.deputy_for.as_deref()))
                .collect();
            let may = if may.is_empty() { "nobody".to_owned() } else { may.join(", ") };
            line_of(&mut text, &format!("may approve now: {may}"));
        }
        for one in &self.decisions {
            let mut said = format!(
                "{} revision {} {} by {}",
                japan_time(one.at),
                one.revision,
                one.decision,
                named(&one.by, one.deputy_for.as_deref())
            );
            for (is_so, words) in
                [(one.emergency, " alone in an emergency"), (one.own_answers, ", an author")]
            {
                said.push_str(if is_so { words } else { "" });
            }
            if !one.reason.is_empty() {
                said.push_str(": ");
                said.push_str(&one.reason);
            }
            line_of(&mut text, &said);
        }
        match self.emergency.as_ref().map(|release| &release.review) {
            None => {}
            Some(None) => line_of(&mut text, "the emergency release waits for its review"),
            Some(Some(review)) => {
                let Reviewed { outcome, by, at, note } = review;
                let said =
                    format!("{} emergency reviewed by {by}: {outcome} {note}", japan_time(*at));
                line_of(&mut text, said.trim_end());
            }
        }
        if self.status == ReportStatus::Approved {
            line_of(&mut text, &format!("delivery: {}", self.sending.replace('_', " ")));
        }
        text
    }
}

fn named(name: &str, deputy_for: Option<&str>) -> String {
    deputy_for.map_or_else(|| name.to_owned(), |approver| format!("{name} (deputy of {approver})"))
}

/// Adds one line; foreign text stays on it.
fn line_of(text: &mut String, line: &str) {
    let line = visible(line).replace(['\n', '\r', '\t'], " ");
    // Writing to a string cannot fail.
    writeln!(text, "   {line}").unwrap_or_default();
}
