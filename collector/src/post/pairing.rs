//! Pairing: own cards, and partners' cards that two people compared.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::FacilityId;

use super::{Post, PostError};
use crate::audit::Actor;
use crate::exchange::card::{Card, Introduction};
use crate::exchange::incoming::OwnCard;
use crate::exchange::partner::{Partner, PartnerId, PinnedCard};
use crate::exchange::{CardId, line_problem};
use crate::locale::japan;
use crate::store::{Rotation, StoreError};

/// Longest name of whoever compared, and longest reason.
const LINE_MAX_CHARS: usize = 200;

/// A card with the fingerprint two people compared.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// The card's file.
    pub card: &'a [u8],
    /// The fingerprint as the partner read it out.
    pub fingerprint: &'a CardId,
    /// Who compared it here, by name.
    pub by: &'a str,
}

/// Until when a replaced card counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldUntil {
    /// It does not count any more.
    Now,
    /// To the end of this day in Japan.
    EndOf(Date),
}

impl Post {
    /// Makes the facility's card as things stand, for a partner to accept. The same content gives the same card.
    ///
    /// # Errors
    /// When the facility is unknown or has no name.
    pub async fn invite(&self, facility: &FacilityId, who: Actor) -> Result<OwnCard, PostError> {
        let found = self.store.facility(facility).await?;
        let found = found.ok_or(StoreError::Missing("facility"))?;
        if found.master.name.trim().is_empty() {
            return Err(PostError::Nameless(facility.clone()));
        }
        let card = Card::make(&Introduction {
            name: &found.master.name,
            kind: self.own.kind,
            address: &self.own.address,
            authority: &self.own.authority,
            report_key: self.key.public(),
        })?;
        let made_at = self.clock.now();
        let own = OwnCard { facility: facility.clone(), id: card.id(), card, made_at };
        self.store.put_own_card(&own, who).await?;

        Ok(own)
    }

    /// Makes a partner of whoever's card was compared.
    ///
    /// # Errors
    /// When the card does not read, its fingerprint is another, or the card or the name is taken.
    pub async fn accept(
        &self,
        (facility, id): (&FacilityId, &PartnerId),
        compared: &Compared<'_>,
        who: Actor,
    ) -> Result<Partner, PostError> {
        let current = self.pinned(facility, compared).await?;
        let partner = Partner {
            facility: facility.clone(),
            id: id.clone(),
            added_at: current.from,
            current,
            former: Vec::new(),
            calls_us: None,
            revoked: None,
        };
        self.store.add_partner(&partner, who).await?;

        Ok(partner)
    }

    /// Replaces a partner's card; the old one counts beside it for some days.
    ///
    /// # Errors
    /// As [`Self::accept`], or when those days are over or too many.
    pub async fn rotate(
        &self,
        (facility, id): (&FacilityId, &PartnerId),
        compared: &Compared<'_>,
        until: OldUntil,
        who: Actor,
    ) -> Result<Partner, PostError> {
        let pinned = self.pinned(facility, compared).await?;
        let partner = self.store.partner(facility, id).await?;
        let now = pinned.from;
        let until = match until {
            OldUntil::Now => now,
            OldUntil::EndOf(day) => {
                end_of(day).ok_or(crate::exchange::partner::RotationError::Overlap)?
            }
        };
        partner.may_rotate(&pinned.id, until, now)?;
        let rotation = Rotation { card: &pinned.card, until, compared_by: &pinned.compared_by };

        Ok(self
            .store
            .rotate_partner((facility, id), &rotation, (who, now))
            .await?)
    }

    /// Trusts a partner no more: nothing of theirs is taken, nothing goes there.
    ///
    /// # Errors
    /// When there is no such partner, or the reason cannot stand.
    pub async fn revoke(
        &self,
        at: (&FacilityId, &PartnerId),
        reason: &str,
        who: Actor,
    ) -> Result<(), PostError> {
        line("reason", reason)?;
        let now = self.clock.now();

        Ok(self
            .store
            .revoke_partner(at, reason.trim(), (who, now))
            .await?)
    }

    async fn pinned(
        &self,
        facility: &FacilityId,
        compared: &Compared<'_>,
    ) -> Result<PinnedCard, PostError> {
        line("name of whoever compared", compared.by)?;
        let card = Card::read_compared(compared.card, compared.fingerprint)?;
        let id = card.id();
        let own = self.store.own_cards().await?;
        if own
            .iter()
            .any(|own| own.facility == *facility && own.id == id)
        {
            return Err(PostError::OwnCard);
        }
        let partners = self.store.partners(facility).await?;
        let holder = partners
            .into_iter()
            .find(|partner| partner.revoked.is_none() && partner.current.id == id);
        if let Some(holder) = holder {
            return Err(PostError::Accepted(holder.id));
        }

        Ok(PinnedCard {
            id,
            card,
            from: self.clock.now(),
            until: None,
            compared_by: compared.by.trim().to_owned(),
        })
    }
}

fn line(part: &'static str, text: &str) -> Result<(), PostError> {
    let problem = line_problem(text, LINE_MAX_CHARS);
    problem.map_or(Ok(()), |reason| Err(PostError::Text { part, reason }))
}

/// Returns the moment a day in Japan ends.
fn end_of(day: Date) -> Option<Timestamp> {
    let next = day.checked_add(SignedDuration::from_hours(24)).ok()?;
    japan().to_timestamp(next.at(0, 0, 0, 0)).ok()
}
