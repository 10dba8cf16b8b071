//! Tells staff about incidents: who is told what, and over which channel.
//!
//! ```text
//! open incidents × alert channels ──due──▶ outbox (notifications) ──letter──▶ mail │ webhook
//! ```
//!
//! Always holds:
//! - one message for each incident, severity newly reached and channel; its row in the outbox is committed before anything
//!   is sent, and its `Message-ID` is fixed in that row;
//! - the one moment in which a message can leave twice is a crash between the mail server's acceptance and our commit; then
//!   both carry the same `Message-ID`, by which mail programs show them as one;
//! - no patient identifier: a message is made of names an administrator chose, counts and times.
//!
//! Not here: delivering reports. Staff are notified, reports are delivered.

pub mod letter;
pub mod deadline;
pub mod matter;
pub mod mail;
pub mod webhook;
pub mod courier;
pub mod telling;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::event::Severity;
use shirase_shared::ids::{FacilityId, IncidentId};

pub(crate) use mail::check_address;

/// Name of a channel within its facility, `[a-z0-9-]`, 1 to 32 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelId(String);

/// Why a text is not a channel's name, or a channel cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChannelError {
    /// The name has other characters or is too long.
    #[error("`{0}` is no channel name; use 1 to 32 of the characters a-z, 0-9 and -")]
    Name(String),
    /// The kind is unknown.
    #[error("`{0}` is no kind of channel; use `mail` or `webhook`")]
    Kind(String),
    /// The severity is unknown.
    #[error("`{0}` is no severity; use low, medium, high or critical")]
    Severity(String),
    /// The target does not fit the kind.
    #[error("`{target}` is no target for {kind}: {reason}")]
    Target {
        /// Kind of the channel.
        kind: ChannelKind,
        /// What was given, shortened.
        target: String,
        /// What is wrong and what to give instead.
        reason: String,
    },
}

impl FromStr for ChannelId {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, ChannelError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || 32 < text.len() || !text.chars().all(legal) {
            return Err(ChannelError::Name(text.chars().take(80).collect()));
        }

        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ChannelId {
    type Error = ChannelError;

    fn try_from(text: String) -> Result<Self, ChannelError> {
        text.parse()
    }
}

impl From<ChannelId> for String {
    fn from(id: ChannelId) -> Self {
        id.0
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Over what a channel reaches people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A mail to one address.
    Mail,
    /// A JSON POST to one URL.
    Webhook,
}

impl ChannelKind {
    /// Returns the name used in the database and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChannelKind {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, ChannelError> {
        match text {
            "mail" => Ok(Self::Mail),
            "webhook" => Ok(Self::Webhook),
            other => Err(ChannelError::Kind(other.chars().take(80).collect())),
        }
    }
}

/// Reads a severity as people write it.
///
/// # Errors
/// Names the four there are.
pub fn parse_severity(text: &str) -> Result<Severity, ChannelError> {
    [Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| ChannelError::Severity(text.chars().take(80).collect()))
}

/// One way to reach the staff of one facility.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Whose staff.
    pub facility: FacilityId,
    /// Its name.
    pub id: ChannelId,
    /// Over what.
    pub kind: ChannelKind,
    /// Address or URL. A webhook's URL can hold a token: `Debug` and logs leave it out.
    pub target: String,
    /// Only incidents of this severity or a higher one.
    pub min_severity: Severity,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Channel({} {} of {}, from {})",
            self.kind, self.id, self.facility, self.min_severity
        )
    }
}

impl Channel {
    /// Returns the target as it may be shown: of a webhook no more than the server, since its path can be a token.
    #[must_use]
    pub fn shown_target(&self) -> String {
        match self.kind {
            ChannelKind::Mail => self.target.clone(),
            ChannelKind::Webhook => webhook::shown_url(&self.target),
        }
    }

    /// Checks that the target fits the kind.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn checked(self) -> Result<Self, ChannelError> {
        let checked = match self.kind {
            ChannelKind::Mail => check_address(&self.target),
            ChannelKind::Webhook => webhook::check_url(&self.target),
        };
        match checked {
            Ok(()) => Ok(self),
            Err(reason) => Err(ChannelError::Target {
                kind: self.kind,
                // No more of a webhook than its beginning: the rest can be a token.
                target: self.target.chars().take(24).collect(),
                reason,
            }),
        }
    }
}

/// What makes a message the same message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotificationKey {
    /// Whose staff.
    pub facility: FacilityId,
    /// About what.
    pub incident: IncidentId,
    /// Which severity was reached.
    pub escalation: Severity,
    /// Over which channel.
    pub channel: ChannelId,
}

impl NotificationKey {
    /// Returns the message's id for ever: the same key gives the same id, whoever asks and however often.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!(
            "<{}.{}.{}.{}@alerts.shirase.invalid>",
            self.incident, self.escalation, self.channel, self.facility
        )
    }
}

/// One message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What it is about and for whom.
    pub key: NotificationKey,
    /// Its id in the mail and in the webhook's JSON.
    pub message_id: String,
    /// When it became due.
    pub created_at: Timestamp,
    /// How often sending failed.
    pub attempts: u32,
    /// When it left.
    pub sent_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: String,
}

/// As much of an incident as decides whether staff are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which incident.
    pub incident: IncidentId,
    /// How severe it is now.
    pub severity: Severity,
}

/// Returns the messages that are missing from the outbox.
///
/// A severity counts as newly reached when no message of the same channel told of it or of a higher one, so that an incident
/// whose severity goes down and up again stays quiet.
#[must_use]
pub fn missing(
    open: &[Reached],
    channels: &[Channel],
    outbox: &BTreeSet<NotificationKey>,
) -> Vec<NotificationKey> {
    let mut missing = Vec::new();
    for reached in open {
        for channel in channels
            .iter()
            .filter(|channel| channel.min_severity <= reached.severity)
        {
            let told = |key: &&NotificationKey| {
                key.incident == reached.incident
                    && key.channel == channel.id
                    && key.facility == channel.facility
            };
            if outbox
                .iter()
                .filter(told)
                .all(|key| key.escalation < reached.severity)
            {
                missing.push(NotificationKey {
                    facility: channel.facility.clone(),
                    incident: reached.incident,
                    escalation: reached.severity,
                    channel: channel.id.clone(),
                });
            }
        }
    }
    missing
}

/// Why a message did not leave.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nothing answers there, or not in time: the next message to the same server would fare no better.
    #[error("{0}")]
    Unreachable(String),
    /// The server answered and does not take this message, or it cannot be made.
    #[error("{0}")]
    Refused(String),
}

impl SendError {
    /// Whether other messages over the same server can wait for the next pass.
    #[must_use]
    pub const fn server_is_gone(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(id: &str, min_severity: Severity) -> Channel {
        Channel {
            facility: "handa".parse().unwrap(),
            id: id.parse().unwrap(),
            kind: ChannelKind::Mail,
            target: "a@example.jp".to_owned(),
            min_severity,
        }
    }

    /// Lets one incident pass through `severities` and returns what each step sends.
    #[track_caller]
    fn check(severities: &[Severity], expected: &[&[&str]]) {
        let incident = IncidentId::from_uuid(uuid::Uuid::from_u128(1));
        let channels = [channel("all", Severity::Low), channel("night", Severity::Critical)];
        let mut outbox = BTreeSet::new();
        let mut steps = Vec::new();
        for severity in severities {
            let reached = [Reached { incident, severity: *severity }];
            let new = missing(&reached, &channels, &outbox);
            steps.push(
                new.iter()
                    .map(|k| format!("{}:{}", k.channel, k.escalation))
                    .collect::<Vec<_>>(),
            );
            outbox.extend(new);
        }
        assert_eq!(steps, expected);
    }

    #[test]
    fn each_severity_is_told_once_to_those_who_want_it() {
        check(&[Severity::High, Severity::High], &[&["all:high"], &[]]);
        check(
            &[Severity::Medium, Severity::High, Severity::Critical, Severity::Critical],
            &[&["all:medium"], &["all:high"], &["all:critical", "night:critical"], &[]],
        );
    }

    #[test]
    fn going_down_and_up_again_stays_quiet() {
        check(
            &[Severity::Critical, Severity::Low, Severity::High],
            &[&["all:critical", "night:critical"], &[], &[]],
        );
    }

    #[test]
    fn a_channel_takes_only_targets_of_its_kind() {
        let with = |kind, target: &str| {
            Channel { kind, target: target.to_owned(), ..channel("x", Severity::Low) }.checked()
        };
        assert!(with(ChannelKind::Mail, "tantou@example.jp").is_ok());
        for bad in ["", "x", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>", "a b@c.jp"] {
            assert!(with(ChannelKind::Mail, bad).is_err(), "{bad:?}");
        }
        assert!(with(ChannelKind::Webhook, "https://chat.example.jp/hook/abc").is_ok());
        assert!(with(ChannelKind::Webhook, "http://127.0.0.1:9000/x").is_ok());
        for bad in ["", "http://chat.example.jp/", "ftp://x/", "file:///etc/passwd", "chat.jp"] {
            assert!(with(ChannelKind::Webhook, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_webhook_token_is_not_shown_by_debug_or_by_an_error() {
        let target = "ftp://chat.example.jp/services/T000/SECRET".to_owned();
        let channel = Channel { kind: ChannelKind::Webhook, target, ..channel("x", Severity::Low) };
        assert!(!format!("{channel:?}").contains("SECRET"));
        assert!(
            !channel
                .checked()
                .unwrap_err()
                .to_string()
                .contains("SECRET")
        );
    }
}
