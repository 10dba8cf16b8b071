//! Carries a message over whichever channel it is for.

use jiff::Timestamp;
use uuid::Uuid;

use super::deadline::Warning;
use super::letter::{Alert, Post, test_letter};
use super::mail::{MailConfig, Mailer};
use super::matter::MatterTold;
use super::webhook::{Poster, PosterError};
use super::{Channel, ChannelKind, SendError};
use crate::audit::Head;

/// Everything needed to reach staff.
#[derive(Clone)]
pub struct Courier {
    mail: MailConfig,
    poster: Poster,
}

impl Courier {
    /// Gets ready; connects to nothing and reads no password yet, so that a new password needs no restart.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(mail: &MailConfig) -> Result<Self, PosterError> {
        Ok(Self { mail: mail.clone(), poster: Poster::new()? })
    }

    /// Sends an alert and returns the server's answer.
    ///
    /// # Errors
    /// Says why it did not leave.
    pub async fn send(&self, channel: &Channel, alert: &Alert) -> Result<String, SendError> {
        match channel.kind {
            ChannelKind::Mail => self.mailer()?.send(&channel.target, &alert.letter()).await,
            ChannelKind::Webhook => {
                let body = alert
                    .with_post(|post| serde_json::to_value(post))
                    .map_err(unwritable)?;
                self.poster
                    .send(&channel.target, &alert.message_id, &body)
                    .await
            }
        }
    }

    /// Sends a warning about a deadline and returns the server's answer.
    ///
    /// # Errors
    /// Says why it did not leave.
    pub async fn warn(
        &self,
        channel: &Channel,
        warning: &Warning,
        head: Option<&Head>,
    ) -> Result<String, SendError> {
        match channel.kind {
            ChannelKind::Mail => {
                let letter = warning.letter().carrying(head);
                self.mailer()?.send(&channel.target, &letter).await
            }
            ChannelKind::Webhook => {
                let message_id = warning.key.message_id();
                let post = Post {
                    kind: "deadline",
                    message_id: &message_id,
                    text: &warning.subject(),
                    facility: &channel.facility,
                    facility_name: &warning.facility,
                    incident: None,
                    deadline: Some(warning.post()),
                };
                let body = serde_json::to_value(&post).map_err(unwritable)?;
                self.poster.send(&channel.target, &message_id, &body).await
            }
        }
    }

    /// Tells of what waits for a person and returns the server's answer.
    ///
    /// # Errors
    /// Says why it did not leave.
    pub async fn tell_matter(
        &self,
        channel: &Channel,
        told: &MatterTold,
        head: Option<&Head>,
    ) -> Result<String, SendError> {
        match channel.kind {
            ChannelKind::Mail => {
                self.mailer()?
                    .send(&channel.target, &told.letter(head))
                    .await
            }
            ChannelKind::Webhook => {
                let body = serde_json::to_value(told.post()).map_err(unwritable)?;
                let message_id = told.key.message_id();
                self.poster.send(&channel.target, &message_id, &body).await
            }
        }
    }

    /// Sends a test message and returns the server's answer.
    ///
    /// # Errors
    /// Says why it did not leave.
    pub async fn test(
        &self,
        channel: &Channel,
        facility: &str,
        (now, head): (Timestamp, Option<&Head>),
    ) -> Result<String, SendError> {
        let message_id = format!("<test.{}@alerts.shirase.invalid>", Uuid::new_v4());
        let letter = test_letter(facility, &channel.id, &message_id, now).carrying(head);
        match channel.kind {
            ChannelKind::Mail => self.mailer()?.send(&channel.target, &letter).await,
            ChannelKind::Webhook => {
                let post = Post {
                    kind: "test",
                    message_id: &message_id,
                    text: &letter.subject,
                    facility: &channel.facility,
                    facility_name: facility,
                    incident: None,
                    deadline: None,
                };
                self.poster.send(&channel.target, &message_id, &post).await
            }
        }
    }

    fn mailer(&self) -> Result<Mailer, SendError> {
        Mailer::new(&self.mail).map_err(|error| {
            SendError::Unreachable(shirase_shared::error::Chain(&error).to_string())
        })
    }
}

fn unwritable(error: serde_json::Error) -> SendError {
    SendError::Refused(format!("the message cannot be written as JSON: {error}"))
}
