//! The envelope of a mail that was made elsewhere: from whom, to whom, when and under which id.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Address;
use lettre::address::{AddressError, Envelope};
use lettre::message::header::{Date, From, Headers, MessageId, To};
use lettre::message::{Mailbox, Mailboxes};

/// What stands around a mail.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Sender, with or without a name.
    pub from: &'a str,
    /// One address.
    pub to: &'a str,
    /// Its id, with angle brackets.
    pub message_id: &'a str,
    /// Its date, the same however often it is tried.
    pub at: Timestamp,
}

/// A mail that is ready to be handed over.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(super) envelope: Envelope,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why there is no envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The sender is no address.
    #[error(
        "the sender is no mail address; set `deliver.from`, or `mail.from`, to one such as \"Name <name@example.jp>\""
    )]
    From(#[source] AddressError),
    /// The addressee is no address.
    #[error(
        "the addressee's mail address does not stand; stop this delivery and make one with the right address"
    )]
    To(#[source] AddressError),
}

/// Begins a mail with its envelope: the head so far is in [`Outgoing::bytes`], more headers and the text follow.
///
/// # Errors
/// Names the address that does not stand.
pub fn envelope(around: &Around<'_>) -> Result<Outgoing, EnvelopeError> {
    let from: Mailbox = around.from.parse().map_err(EnvelopeError::From)?;
    let to: Address = around.to.parse().map_err(EnvelopeError::To)?;
    let mut head = Headers::new();
    head.set(From::from(Mailboxes::from(from.clone())));
    head.set(To::from(Mailboxes::from(Mailbox::new(None, to.clone()))));
    head.set(Date::from(SystemTime::from(around.at)));
    head.set(MessageId::from(around.message_id.to_owned()));
    let envelope = Envelope::new(Some(from.email), vec![to]).map_err(|_| {
        // Cannot happen with one addressee; said all the same, never assumed.
        EnvelopeError::To(AddressError::MissingParts)
    })?;

    Ok(Outgoing { envelope, bytes: head.to_string().into_bytes() })
}
