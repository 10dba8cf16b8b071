//! The post office of a collector: pairs with partners, seals what was released, takes in what comes, hands out files.
//!
//! ```text
//! card ─▶ accept ─▶ partner          message, report ─▶ seal ─▶ store ─▶ courier (network), export (file) ═▶ partner
//!                                     bytes ─▶ judge ─▶ store ─▶ acknowledgement ─▶ partner
//! ```
//!
//! Always holds:
//! - what came is on the disk before it is acknowledged, and the same package again gets the same acknowledgement;
//! - a package waits until the partner's signed word that it has it; a web page with status 200 is no such word.
//!
//! Not here: what may be sent and believed (see `exchange`), who is signed in (the callers check that).

mod pairing;
mod sending;
mod circulating;
mod taking;
mod files;

mod client;
mod carrying;

use std::sync::Arc;

use shirase_shared::clock::SharedClock;
use shirase_shared::ids::FacilityId;

use crate::config::Config;
use crate::enrolment::authority::Authority;
use crate::exchange::OrganisationKind;
use crate::exchange::card::CardError;
use crate::exchange::incoming::{OwnCard, Refusal};
use crate::exchange::message::MessageError;
use crate::exchange::package::PackageError;
use crate::exchange::partner::{Partner, PartnerId, RotationError};
use crate::keys::SigningKey;
use crate::store::{Store, StoreError, TakeError};

pub use carrying::{Carried, Stored};
pub use circulating::{Circulated, NewCircular};
pub use files::Exported;
pub use pairing::{Compared, OldUntil};
pub use taking::Receipt;

/// Why the post office did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// A card cannot stand.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The card is our own.
    #[error("this is a card of this facility itself; take the file the partner sent")]
    OwnCard,
    /// Another partner has the card.
    #[error("the partner `{0}` has this card already")]
    Accepted(PartnerId),
    /// The facility has no name yet.
    #[error(
        "the facility has no name yet, which would stand on its card; enter it first (`facility set {0} --name`)"
    )]
    Nameless(FacilityId),
    /// No card of our own was made yet.
    #[error(
        "`{0}` has no card yet, so that no partner knows it; make one first (`partner invite`)"
    )]
    NoCard(FacilityId),
    /// The partner is trusted no more.
    #[error("the partner `{0}` was revoked; nothing goes there")]
    Revoked(PartnerId),
    /// A card does not replace another.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// A text cannot stand.
    #[error("the {part} {reason}")]
    Text {
        /// Which.
        part: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// A message cannot stand or be decided on.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// What came is not kept.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What came does not fit what is here.
    #[error(transparent)]
    Take(#[from] TakeError),
    /// A package cannot be sealed or packed.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the post office works with. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    store: Store,
    clock: SharedClock,
    key: Arc<SigningKey>,
    own: Arc<Own>,
}

/// What stands on our own cards.
struct Own {
    kind: OrganisationKind,
    address: String,
    authority: Vec<u8>,
}

impl Post {
    /// Gathers what is needed.
    #[must_use]
    pub fn new(
        config: &Config,
        (store, clock): (&Store, &SharedClock),
        authority: &Authority,
        key: Arc<SigningKey>,
    ) -> Self {
        let own = Own {
            kind: config.organisation.kind,
            address: config.exchange_url(),
            authority: authority.der().to_vec(),
        };
        Self { store: store.clone(), clock: Arc::clone(clock), key, own: Arc::new(own) }
    }

    /// Returns what kind of organisation this collector serves.
    #[must_use]
    pub fn organisation(&self) -> OrganisationKind {
        self.own.kind
    }

    /// Returns the card by which a partner knows a facility: the one it last called us by, else our newest.
    async fn card_for(&self, partner: &Partner) -> Result<OwnCard, PostError> {
        let key = self.key.public_base64();
        let own = self.store.own_cards().await?;
        let mut ours: Vec<OwnCard> = own
            .into_iter()
            .filter(|own| own.facility == partner.facility && own.card.report_key == key)
            .collect();
        let called = partner.calls_us.as_ref();
        let at = ours
            .iter()
            .position(|own| Some(&own.id) == called)
            .unwrap_or(0);
        if ours.is_empty() {
            return Err(PostError::NoCard(partner.facility.clone()));
        }

        Ok(ours.swap_remove(at))
    }
}

#[cfg(test)]
mod tests;
