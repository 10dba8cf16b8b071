//! What a person can do to an incident, and when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EmergencyStep, Entry, Moment, Status, StepOutcome};

/// Longest text a person can write into a timeline, in characters.
const TEXT_MAX_CHARS: usize = 4000;
/// Longest name or telephone number, in characters.
const SHORT_MAX_CHARS: usize = 200;

/// What a person does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Takes it up.
    Acknowledge,
    /// Writes something down.
    Comment {
        /// What.
        text: String,
    },
    /// Says that it is over.
    Close {
        /// What was done. May be empty.
        text: String,
    },
    /// Says that it was nothing. Withdraws its draft.
    FalseAlarm {
        /// Why.
        reason: String,
    },
    /// Opens it again. Brings a draft back that a false alarm had withdrawn.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Called the maintenance company: the first step (直ちに) on every suspicion.
    VendorCalled {
        /// Which company and person.
        whom: String,
        /// Under which number.
        number: String,
        /// When.
        at: Timestamp,
    },
    /// Took an emergency step, or says why not. The latest word about a step counts.
    TakeStep {
        /// Which.
        step: EmergencyStep,
        /// What became of it.
        outcome: StepOutcome,
        /// When.
        at: Timestamp,
        /// How, or why not. May be empty.
        text: String,
    },
    /// Records a moment from which duties and deadlines run. The latest word counts.
    Note {
        /// Which.
        moment: Moment,
        /// When it was.
        at: Timestamp,
        /// What is to be said about it. May be empty.
        text: String,
    },
}

/// Why an act is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// It does not fit where the incident stands.
    #[error("the incident is {status}; {remedy}")]
    Unfit {
        /// Where it stands.
        status: Status,
        /// What to do instead.
        remedy: &'static str,
    },
    /// A text that must be there is missing.
    #[error("{field} is empty; write it down")]
    Empty {
        /// Which.
        field: &'static str,
    },
    /// A text is too long.
    #[error("{field} is longer than {most} characters; shorten it")]
    TooLong {
        /// Which.
        field: &'static str,
        /// How long it may be.
        most: usize,
    },
    /// A call or a moment is said to be later than now.
    #[error("the time lies in the future; check it")]
    InTheFuture,
}

impl ActError {
    /// Returns the key of what a page says about it.
    #[must_use]
    pub const fn text_key(&self) -> &'static str {
        match self {
            Self::Unfit { .. } => "incident-act-unfit",
            Self::Empty { .. } => "incident-act-empty",
            Self::TooLong { .. } => "incident-act-too-long",
            Self::InTheFuture => "incident-act-in-the-future",
        }
    }
}

impl Act {
    /// Returns what the audit log calls it.
    #[must_use]
    pub const fn audit_action(&self) -> &'static str {
        match self {
            Self::Acknowledge => "incident.acknowledged",
            Self::Comment { .. } => "incident.commented",
            Self::Close { .. } => "incident.closed",
            Self::FalseAlarm { .. } => "incident.false_alarm",
            Self::Reopen { .. } => "incident.reopened",
            Self::VendorCalled { .. } => "incident.vendor_called",
            Self::TakeStep { .. } => "incident.step_taken",
            Self::Note { .. } => "incident.moment_recorded",
        }
    }

    /// Decides what the act makes of an incident with this status: its next status and what its timeline says.
    ///
    /// # Errors
    /// When the act does not fit the status, or its texts are missing or too long.
    pub fn upon(&self, status: Status, now: Timestamp) -> Result<(Status, Entry), ActError> {
        if status == Status::Merged {
            return Err(unfit(status, "act on the incident it became a part of"));
        }
        match self {
            Self::Acknowledge => match status {
                Status::Open => Ok((Status::Acknowledged, Entry::Acknowledged)),
                Status::Acknowledged => Err(unfit(status, "somebody has taken it up already")),
                Status::Closed | Status::FalseAlarm | Status::Merged => {
                    Err(unfit(status, "reopen it first"))
                }
            },
            Self::Comment { text } => {
                let text = needed("the comment", text, TEXT_MAX_CHARS)?;
                Ok((status, Entry::Commented { text }))
            }
            Self::Close { text } => {
                live(status)?;
                let text = fitting("the closing remark", text, TEXT_MAX_CHARS)?;
                Ok((Status::Closed, Entry::Closed { text }))
            }
            Self::FalseAlarm { reason } => {
                live(status)?;
                let reason = needed("the reason", reason, TEXT_MAX_CHARS)?;
                Ok((Status::FalseAlarm, Entry::FalseAlarm { reason }))
            }
            Self::Reopen { reason } => {
                if status.is_live() {
                    return Err(unfit(status, "there is nothing to reopen"));
                }
                let reason = needed("the reason", reason, TEXT_MAX_CHARS)?;
                Ok((Status::Open, Entry::Reopened { reason }))
            }
            Self::VendorCalled { whom, number, at } => {
                if now < *at {
                    return Err(ActError::InTheFuture);
                }
                let whom = needed("whom you called", whom, SHORT_MAX_CHARS)?;
                let number = fitting("the number", number, SHORT_MAX_CHARS)?;
                Ok((status, Entry::VendorCalled { whom, number, called_at: *at }))
            }
            Self::TakeStep { step, outcome, at, text } => {
                if now < *at {
                    return Err(ActError::InTheFuture);
                }
                let text = fitting("the remark", text, SHORT_MAX_CHARS)?;
                let (step, outcome) = (*step, *outcome);
                Ok((status, Entry::StepTaken { step, outcome, at: *at, text }))
            }
            Self::Note { moment, at, text } => {
                if now < *at {
                    return Err(ActError::InTheFuture);
                }
                let text = fitting("the remark", text, TEXT_MAX_CHARS)?;
                Ok((status, Entry::Noted { moment: *moment, at: *at, text }))
            }
        }
    }
}

const fn unfit(status: Status, remedy: &'static str) -> ActError {
    ActError::Unfit { status, remedy }
}

const fn live(status: Status) -> Result<(), ActError> {
    if status.is_live() { Ok(()) } else { Err(unfit(status, "reopen it first")) }
}

fn needed(field: &'static str, text: &str, most: usize) -> Result<String, ActError> {
    let text = fitting(field, text, most)?;
    if text.is_empty() { Err(ActError::Empty { field }) } else { Ok(text) }
}

fn fitting(field: &'static str, text: &str, most: usize) -> Result<String, ActError> {
    let text = text.trim();
    if most < text.chars().count() {
        return Err(ActError::TooLong { field, most });
    }

    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shirase_shared::testing::builders::night;

    #[test]
    fn each_act_fits_some_statuses_and_leads_to_one() {
        let text = || "because".to_owned();
        let comment = Act::Comment { text: text() };
        let close = Act::Close { text: String::new() };
        let nothing = Act::FalseAlarm { reason: text() };
        let reopen = Act::Reopen { reason: text() };
        let call = Act::VendorCalled { whom: text(), number: String::new(), at: night() };
        //             open           acknowledged   closed    false alarm    merged
        check(&Act::Acknowledge, ["acknowledged", "-", "-", "-", "-"]);
        check(&comment, ["open", "acknowledged", "closed", "false_alarm", "-"]);
        check(&close, ["closed", "closed", "-", "-", "-"]);
        check(&nothing, ["false_alarm", "false_alarm", "-", "-", "-"]);
        check(&reopen, ["-", "-", "open", "open", "-"]);
        check(&call, ["open", "acknowledged", "closed", "false_alarm", "-"]);
    }

    #[test]
    fn a_false_alarm_needs_its_reason_and_a_call_its_past() {
        let empty = Act::FalseAlarm { reason: "  \n".to_owned() };
        assert_eq!(empty.upon(Status::Open, night()), Err(ActError::Empty { field: "the reason" }));
        let long = Act::Comment { text: "あ".repeat(TEXT_MAX_CHARS + 1) };
        assert!(matches!(long.upon(Status::Open, night()), Err(ActError::TooLong { .. })));
        let later = night() + jiff::SignedDuration::from_secs(1);
        let call = Act::VendorCalled { whom: "x".to_owned(), number: String::new(), at: later };
        assert_eq!(call.upon(Status::Open, night()), Err(ActError::InTheFuture));
        let step = Act::TakeStep {
            step: EmergencyStep::BackupPath,
            outcome: StepOutcome::Done,
            at: later,
            text: String::new(),
        };
        assert_eq!(step.upon(Status::Open, night()), Err(ActError::InTheFuture));
    }

    #[track_caller]
    fn check(act: &Act, expected: [&str; 5]) {
        let led = Status::ALL.map(|status| match act.upon(status, night()) {
            Ok((next, _)) => next.as_str(),
            Err(_) => "-",
        });
        assert_eq!(led, expected, "{act:?}");
    }
}
