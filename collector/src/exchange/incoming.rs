//! Decides whether a package that came may be kept, and whose it is.

use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::FacilityId;

use super::card::Card;
use super::kind::PackageKind;
use super::package::{Package, PackageError, Unproven};
use super::partner::{Distrust, Partner, PartnerId};
use super::{CardId, OrganisationKind};

/// How far ahead a sender's clock may be.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

/// A card of our own, under which partners know a facility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCard {
    /// Whose.
    pub facility: FacilityId,
    /// Its fingerprint.
    pub id: CardId,
    /// What it says.
    pub card: Card,
    /// When it was made.
    pub made_at: Timestamp,
}

/// A package that may be kept.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// For which facility.
    pub facility: FacilityId,
    /// From which partner.
    pub partner: PartnerId,
    /// What came.
    pub package: Package,
}

/// Why a package that came is not kept.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It does not read, or its signature is another's.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// It is for somebody else.
    #[error(
        "it is addressed to the card {addressee}, which is none of ours; the sender has to choose us as the addressee, or accept our newest card"
    )]
    NotForUs {
        /// To which card.
        addressee: String,
    },
    /// Nobody knows the sender.
    #[error(
        "it comes from the card {sender}, which is no partner's here; accept their card first (`partner accept`)"
    )]
    UnknownSender {
        /// From which card.
        sender: String,
    },
    /// The sender's card does not count.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// Its sender is not one who sends that.
    #[error("a {sender} does not send a {kind}; the sender's card says what it is")]
    NotTheirs {
        /// What came.
        kind: PackageKind,
        /// What the sender is.
        sender: OrganisationKind,
    },
    /// It was made in the future.
    #[error(
        "it was made at {made_at}, which lies ahead of this collector's clock; compare both clocks"
    )]
    Ahead {
        /// When, as it says.
        made_at: Timestamp,
    },
}

impl Refusal {
    /// Whether the same package may be kept later, when somebody has done something here.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::UnknownSender { .. } | Self::Ahead { .. } => true,
            Self::Package(_)
            | Self::NotForUs { .. }
            | Self::Distrust(_)
            | Self::NotTheirs { .. } => false,
        }
    }
}

/// Finds for which facility a package is, among all cards of our own.
///
/// # Errors
/// When it is for none.
pub fn addressed<'a>(unproven: &Unproven, own: &'a [OwnCard]) -> Result<&'a OwnCard, Refusal> {
    let addressee = &unproven.claims().addressee;
    own.iter()
        .find(|card| card.id == *addressee)
        .ok_or_else(|| Refusal::NotForUs { addressee: addressee.grouped() })
}

/// Decides whether a package for a facility may be kept.
///
/// # Errors
/// Says why not.
pub fn judge(
    unproven: Unproven,
    (facility, partners): (&FacilityId, &[Partner]),
    now: Timestamp,
) -> Result<Accepted, Refusal> {
    let sender = unproven.claims().sender.clone();
    // A card that counts no more with one partner may be in force with the next, made after a revocation.
    let (mut found, mut distrust) = (None, None);
    for partner in partners {
        match partner.trusted(&sender, now) {
            Ok(Some(pinned)) => found = Some((partner, pinned)),
            Ok(None) => {}
            Err(why) => distrust = Some(why),
        }
    }
    let Some((partner, pinned)) = found else {
        return Err(match distrust {
            Some(why) => why.into(),
            None => Refusal::UnknownSender { sender: sender.grouped() },
        });
    };
    let package = unproven.prove(&pinned.card.report_key)?;
    let manifest = package.manifest();
    let (kind, made_at) = (manifest.kind, manifest.made_at);
    if !kind.may_come_from(pinned.card.kind) {
        return Err(Refusal::NotTheirs { kind, sender: pinned.card.kind });
    }
    if AHEAD_MAX < made_at.duration_since(now) {
        return Err(Refusal::Ahead { made_at });
    }

    Ok(Accepted { facility: facility.clone(), partner: partner.id.clone(), package })
}
