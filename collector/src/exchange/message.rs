//! A message to a partner: one person writes it, another one releases it.
//!
//! Always holds: [`Released`] has one constructor, which refuses the writer; a message is never changed after it was
//! written: what is wrong with it is sent back, and written anew.

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{FacilityId, MessageId, UserId};

use super::kind::{PackageKind, Tlp};
use super::manifest::{FILES_MAX, SUBJECT_MAX_CHARS, TEXT_MAX_CHARS};
use super::package::PackageFile;
use super::partner::PartnerId;
use super::{OrganisationKind, PackageId, line_problem, text_problem};
use crate::reports::answer::NamedPerson;

/// Longest reason for sending a message back.
const REASON_MAX_CHARS: usize = 500;

/// A message on its way to a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whose message.
    pub facility: FacilityId,
    /// Its identity.
    pub id: MessageId,
    /// To whom.
    pub partner: PartnerId,
    /// What it is.
    pub kind: PackageKind,
    /// How far it may be passed on.
    pub tlp: Tlp,
    /// Whether it is an exercise's (訓練).
    pub drill: bool,
    /// The package it answers.
    pub reply_to: Option<PackageId>,
    /// One line.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// What goes along.
    pub files: Vec<PackageFile>,
    /// Who wrote it.
    pub written_by: NamedPerson,
    /// When.
    pub written_at: Timestamp,
    /// How it stands.
    pub state: MessageState,
}

/// How a message stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits for a second person.
    Waiting,
    /// A second person released it; it became this package.
    Released {
        /// Which.
        package: PackageId,
    },
    /// It was sent back.
    Returned {
        /// Why.
        reason: String,
    },
}

impl MessageState {
    /// Returns the name used in the database and as a key of the locale files.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Released { .. } => "released",
            Self::Returned { .. } => "returned",
        }
    }
}

/// A message a second person released. Only [`Message::release`] makes one.
#[derive(Clone, Debug)]
pub struct Released {
    message: Message,
    by: NamedPerson,
}

/// Why a message was not taken, released or sent back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It is of a kind nobody writes.
    #[error("a {0} is not written by hand; write a question, an answer, guidance or a notice")]
    Kind(PackageKind),
    /// An organisation of this kind does not send that.
    #[error("a {organisation} does not send a {kind}; a hospital asks and answers")]
    NotOurs {
        /// What.
        kind: PackageKind,
        /// Who.
        organisation: OrganisationKind,
    },
    /// An answer answers nothing.
    #[error("an answer names the package it answers")]
    AnswersNothing,
    /// It answers what another partner sent.
    #[error("it answers a package of another partner; write to the one who sent it")]
    OtherPartner,
    /// It mixes an exercise with what is real.
    #[error("a thread is an exercise's (訓練) from its beginning to its end, or not at all")]
    Drill,
    /// A text cannot stand.
    #[error("the {part} {reason}")]
    Text {
        /// Which.
        part: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// Too much goes along.
    #[error("too many files go along; at most {FILES_MAX} are taken")]
    Files,
    /// Who wrote it cannot release it.
    #[error("whoever wrote a message cannot release it; another approver has to")]
    OwnMessage,
    /// It waits no more.
    #[error("the message was {0} already")]
    NotWaiting(&'static str),
}

impl Message {
    /// Checks what a person wrote for an organisation of a kind.
    ///
    /// # Errors
    /// Says what cannot stand.
    pub fn check(&self, organisation: OrganisationKind) -> Result<(), MessageError> {
        if !self.kind.is_written() {
            return Err(MessageError::Kind(self.kind));
        }
        if !self.kind.may_come_from(organisation) {
            return Err(MessageError::NotOurs { kind: self.kind, organisation });
        }
        if self.kind.is_of_exercises() && !self.drill {
            return Err(MessageError::Drill);
        }
        if self.kind.answers() && self.reply_to.is_none() {
            return Err(MessageError::AnswersNothing);
        }
        text("subject", line_problem(&self.subject, SUBJECT_MAX_CHARS))?;
        text("text", text_problem(&self.text, TEXT_MAX_CHARS))?;
        if self.text.trim().is_empty() {
            return Err(MessageError::Text { part: "text", reason: "is empty" });
        }
        if FILES_MAX < self.files.len() {
            return Err(MessageError::Files);
        }

        Ok(())
    }

    /// Checks that it can answer a package of a partner.
    ///
    /// # Errors
    /// When it goes to another partner, or only one of the two is an exercise's.
    pub fn fits(&self, partner: &PartnerId, drill: bool) -> Result<(), MessageError> {
        if self.partner != *partner {
            return Err(MessageError::OtherPartner);
        }
        if self.drill != drill {
            return Err(MessageError::Drill);
        }

        Ok(())
    }

    /// Whether a person may release it or send it back as an approver: everybody but its writer.
    #[must_use]
    pub fn may_be_released_by(&self, user: UserId) -> bool {
        self.state == MessageState::Waiting && self.written_by.user != user
    }

    /// Releases it.
    ///
    /// # Errors
    /// When it waits no more, or the same person wrote it.
    pub fn release(self, by: NamedPerson) -> Result<Released, MessageError> {
        self.must_wait()?;
        if self.written_by.user == by.user {
            return Err(MessageError::OwnMessage);
        }

        Ok(Released { message: self, by })
    }

    /// Checks that it can be sent back for a reason. Its writer may take it back too.
    ///
    /// # Errors
    /// When it waits no more, or the reason cannot stand.
    pub fn may_be_returned(&self, reason: &str) -> Result<(), MessageError> {
        self.must_wait()?;
        text("reason", line_problem(reason, REASON_MAX_CHARS))
    }

    const fn must_wait(&self) -> Result<(), MessageError> {
        match self.state {
            MessageState::Waiting => Ok(()),
            MessageState::Released { .. } | MessageState::Returned { .. } => {
                Err(MessageError::NotWaiting(self.state.as_str()))
            }
        }
    }
}

impl Released {
    /// Returns what was released.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// Returns who released it.
    #[must_use]
    pub const fn by(&self) -> &NamedPerson {
        &self.by
    }
}

fn text(part: &'static str, problem: Option<&'static str>) -> Result<(), MessageError> {
    problem.map_or(Ok(()), |reason| Err(MessageError::Text { part, reason }))
}
