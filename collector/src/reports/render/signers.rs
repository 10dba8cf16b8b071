//! Who released a report, in words: every signer with the time, deputies with whom they stood in for, and an emergency.

use jiff::Timestamp;

use super::{Maker, Stage, plain_line};
use crate::approval::{DecisionRecord, Manner, OwnAnswers};

/// One person who approved, as it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The name.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// In whose place (代行).
    pub deputy_for: Option<String>,
    /// Whether the person is an author too.
    pub own_answers: OwnAnswers,
}

impl Stage {
    /// Makes the stage of a report that these approvals released, the oldest first. Without any it is a draft of the
    /// moment `otherwise`.
    #[must_use]
    pub fn released(decisions: &[DecisionRecord], otherwise: Timestamp) -> Self {
        let signer = |record: &DecisionRecord| Signer {
            by: record.decided_name.clone(),
            at: record.decided_at,
            deputy_for: record.deputy_for.as_ref().map(|person| person.name.clone()),
            own_answers: record.own_answers,
        };
        let alone = decisions
            .iter()
            .find(|record| record.manner == Manner::Emergency);
        match decisions.last() {
            None => Self::Draft { at: otherwise },
            Some(last) => Self::Approved {
                at: last.decided_at,
                signers: decisions.iter().map(signer).collect(),
                emergency: alone.map(|record| record.reason.clone()),
            },
        }
    }
}

impl Maker<'_> {
    /// Says in a line of the foot, or in one cell, who released it.
    pub(super) fn approval_line(&self) -> String {
        let locale = self.locale;
        match self.stage {
            Stage::Draft { .. } | Stage::Submitted { .. } => locale.text("footer-not-approved"),
            Stage::Approved { signers, emergency, .. } => {
                let names: Vec<String> = signers.iter().map(|one| self.signer(one)).collect();
                let key = if emergency.is_some() { "footer-emergency" } else { "footer-approved" };
                locale.text_with(key, &[("signers", &names.join(&locale.text("signer-next")))])
            }
        }
    }

    /// Says the same on the page that tells how the document came to be, with the reason of an emergency.
    pub(super) fn approval_record(&self) -> String {
        let locale = self.locale;
        match self.stage {
            Stage::Draft { .. } => locale.text("record-draft"),
            Stage::Submitted { at } => {
                locale.text_with("record-submitted", &[("at", &self.time(*at))])
            }
            Stage::Approved { signers, emergency, .. } => {
                let mut lines: Vec<String> = signers.iter().map(|one| self.signer(one)).collect();
                if let Some(reason) = emergency {
                    lines.push(locale.text("record-emergency"));
                    if !self.profile.body.anonymous {
                        let reason = plain_line(reason);
                        let reason =
                            locale.text_with("record-emergency-why", &[("reason", &reason)]);
                        lines.push(reason);
                    }
                }
                if signers
                    .iter()
                    .any(|one| one.own_answers == OwnAnswers::Some)
                {
                    lines.push(locale.text("record-own-answers"));
                }
                lines.join("\n")
            }
        }
    }

    /// Returns what stands at the head of each page of a released report, if anything sets it apart.
    pub(super) fn approval_head(&self) -> Option<String> {
        let Stage::Approved { signers, emergency, .. } = self.stage else { return None };
        let own = signers
            .iter()
            .any(|one| one.own_answers == OwnAnswers::Some);
        match (emergency, own) {
            (Some(_), _) => Some(self.locale.text("header-emergency")),
            (None, true) => Some(self.locale.text("header-own-answers")),
            (None, false) => None,
        }
    }

    /// Returns the names of whoever released it, for programs and for forms.
    pub(super) fn approver_names(&self) -> Option<String> {
        let Stage::Approved { signers, .. } = self.stage else { return None };
        let names: Vec<String> = signers.iter().map(|one| self.signer_name(one)).collect();
        Some(names.join(&self.locale.text("signer-next")))
    }

    fn signer(&self, signer: &Signer) -> String {
        let (name, at) = (self.signer_name(signer), self.time(signer.at));
        let key = match signer.own_answers {
            OwnAnswers::None => "signer",
            OwnAnswers::Some => "signer-own",
        };
        self.locale.text_with(key, &[("name", &name), ("at", &at)])
    }

    fn signer_name(&self, signer: &Signer) -> String {
        if self.profile.body.anonymous {
            return self.locale.text("sender-anonymous");
        }
        let name = plain_line(&signer.by);
        match &signer.deputy_for {
            None => name,
            Some(approver) => {
                let approver = plain_line(approver);
                self.locale
                    .text_with("signer-deputy", &[("name", &name), ("for", &approver)])
            }
        }
    }
}
