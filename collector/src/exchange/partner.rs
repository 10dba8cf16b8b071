//! A partner: another organisation whose card two people compared, and until when each of its cards counts.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shirase_shared::ids::FacilityId;

use super::CardId;
use super::card::Card;

/// Longest time in which a partner's old card counts beside its new one.
pub const OVERLAP_MAX: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The short name a facility gives a partner: 1 to 32 of the characters a-z, 0-9 and -.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartnerId(String);

/// Why a text is no short name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no short name of a partner; use 1 to 32 of the characters a-z, 0-9 and -")]
pub struct PartnerIdError(String);

impl PartnerId {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PartnerId {
    type Err = PartnerIdError;

    fn from_str(text: &str) -> Result<Self, PartnerIdError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || 32 < text.len() || !text.chars().all(legal) {
            return Err(PartnerIdError(text.chars().take(80).collect()));
        }

        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for PartnerId {
    type Error = PartnerIdError;

    fn try_from(text: String) -> Result<Self, PartnerIdError> {
        text.parse()
    }
}

impl From<PartnerId> for String {
    fn from(id: PartnerId) -> Self {
        id.0
    }
}

impl fmt::Display for PartnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A card of a partner, as it was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PinnedCard {
    /// Its fingerprint.
    pub id: CardId,
    /// What it says.
    pub card: Card,
    /// Since when it counts.
    pub from: Timestamp,
    /// Until when it counts; `None` for the one in force.
    pub until: Option<Timestamp>,
    /// Who compared the fingerprint, by name.
    pub compared_by: String,
}

/// That a partner is trusted no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revocation {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Another organisation a facility exchanges packages with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Partner {
    /// Whose partner.
    pub facility: FacilityId,
    /// What it is called here.
    pub id: PartnerId,
    /// The card in force.
    pub current: PinnedCard,
    /// Earlier cards, the newest first.
    pub former: Vec<PinnedCard>,
    /// The card of ours it last called us by; `None` before it sent anything.
    pub calls_us: Option<CardId>,
    /// Since when it is known.
    pub added_at: Timestamp,
    /// Whether and why it is trusted no more.
    pub revoked: Option<Revocation>,
}

/// How far a partner is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its card counts.
    Trusted,
    /// Its card counts, and so does an older one for some days.
    Rotating,
    /// It is trusted no more.
    Revoked,
}

impl Standing {
    /// Returns the key of its label.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Trusted => "partner-trusted",
            Self::Rotating => "partner-rotating",
            Self::Revoked => "partner-revoked",
        }
    }
}

/// Why a card a package names does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// The partner is trusted no more.
    #[error("the partner `{partner}` was revoked; accept a new card of theirs if that is over")]
    Revoked {
        /// Which.
        partner: PartnerId,
    },
    /// The card was replaced, and the days in which both counted are over.
    #[error(
        "the partner `{partner}` sent by an old card that counted until {until}; ask them to send by their new one"
    )]
    Replaced {
        /// Which.
        partner: PartnerId,
        /// Until when it counted.
        until: Timestamp,
    },
}

/// Why a card does not replace the one in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// The partner is trusted no more.
    #[error("`{0}` was revoked; accept the card as a new partner instead")]
    Revoked(PartnerId),
    /// It is known already.
    #[error("`{0}` has this card already")]
    Known(PartnerId),
    /// The overlap is too long or over.
    #[error("the old card can count from now on for at most 90 days; give a day in that time")]
    Overlap,
}

impl Partner {
    /// Returns what it is called on its card.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.current.card.name
    }

    /// Returns how far it is trusted.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.revoked.is_some() {
            return Standing::Revoked;
        }
        let overlaps = |card: &PinnedCard| card.until.is_some_and(|until| now < until);
        if self.former.iter().any(overlaps) { Standing::Rotating } else { Standing::Trusted }
    }

    /// Returns the card of this fingerprint if the partner has one; an error if it does not count any more.
    ///
    /// # Errors
    /// When the partner was revoked or the card replaced.
    pub fn trusted(&self, id: &CardId, now: Timestamp) -> Result<Option<&PinnedCard>, Distrust> {
        let mut known = std::iter::once(&self.current).chain(&self.former);
        let Some(found) = known.find(|card| card.id == *id) else { return Ok(None) };
        if self.revoked.is_some() {
            return Err(Distrust::Revoked { partner: self.id.clone() });
        }
        match found.until {
            Some(until) if until <= now => {
                Err(Distrust::Replaced { partner: self.id.clone(), until })
            }
            Some(_) | None => Ok(Some(found)),
        }
    }

    /// Checks that a card may replace the one in force, which then counts until `until`.
    ///
    /// # Errors
    /// Says why not.
    pub fn may_rotate(
        &self,
        to: &CardId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), RotationError> {
        if self.revoked.is_some() {
            return Err(RotationError::Revoked(self.id.clone()));
        }
        if self.current.id == *to || self.former.iter().any(|card| card.id == *to) {
            return Err(RotationError::Known(self.id.clone()));
        }
        if until < now || OVERLAP_MAX < until.duration_since(now) {
            return Err(RotationError::Overlap);
        }

        Ok(())
    }
}
