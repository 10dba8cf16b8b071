//! Takes in what comes, over the network or as a file, with the same checks, and acknowledges it.

use shirase_shared::ids::FacilityId;

use super::sending::outgoing;
use super::{Post, PostError};
use crate::audit::Actor;
use crate::exchange::PackageId;
use crate::exchange::incoming::{Accepted, addressed, judge};
use crate::exchange::kind::PackageKind;
use crate::exchange::manifest::{AckKind, Acknowledged};
use crate::exchange::package::{Package, Unproven};
use crate::exchange::partner::PartnerId;
use crate::store::{Carrier, Outgoing, Taken};

/// What became of a package that came.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// For which facility it was.
    pub facility: FacilityId,
    /// From which partner.
    pub partner: PartnerId,
    /// Which package.
    pub id: PackageId,
    /// What it is.
    pub kind: PackageKind,
    /// Whether it is new.
    pub taken: Taken,
    /// The signed word that it is stored; none for an acknowledgement.
    pub ack: Option<Package>,
}

impl Post {
    /// Takes a package in: reads, judges, stores, acknowledges.
    ///
    /// # Errors
    /// Says why it is not kept and what to do.
    pub async fn take(
        &self,
        bytes: Vec<u8>,
        carrier: Carrier,
        who: Actor,
    ) -> Result<Receipt, PostError> {
        let read = tokio::task::spawn_blocking(move || Unproven::read(&bytes)).await;
        let unproven = match read {
            Ok(read) => read.map_err(crate::exchange::incoming::Refusal::from)?,
            Err(error) => {
                return Err(crate::store::StoreError::unreadable("package", error).into());
            }
        };
        let own = self.store.own_cards().await?;
        let facility = addressed(&unproven, &own)?.facility.clone();
        let partners = self.store.partners(&facility).await?;
        let now = self.clock.now();
        let accepted = judge(unproven, (&facility, &partners), now)?;
        let taken = self
            .store
            .take_package(&accepted, carrier, (who, now))
            .await?;
        let ack = self.stored_ack(&accepted, carrier).await?;

        Ok(Receipt {
            facility,
            partner: accepted.partner,
            id: accepted.package.id().clone(),
            kind: accepted.package.manifest().kind,
            taken,
            ack,
        })
    }

    /// Returns the word that a package is stored: the one given before, or a new one.
    async fn stored_ack(
        &self,
        accepted: &Accepted,
        carrier: Carrier,
    ) -> Result<Option<Package>, PostError> {
        let Accepted { facility, partner, package } = accepted;
        if package.manifest().kind == PackageKind::Acknowledgement {
            return Ok(None);
        }
        if let Some(given) = self.store.stored_ack(facility, package.id()).await? {
            return Ok(Some(self.store.whole_package(facility, &given).await?));
        }
        let partner = self.store.partner(facility, partner).await?;
        let said = Acknowledged {
            package: package.id().clone(),
            what: AckKind::Stored,
            at: self.now_ms(),
            by: String::new(),
        };
        let ack = self.seal_ack(&said, &partner).await?;
        // Over the network the answer carries it; lost with that, it is asked for again.
        let answered = carrier == Carrier::Network;
        let going = Outgoing { answered, ..outgoing(&ack, &partner, None) };
        self.store.put_stored_ack(&said, &going).await?;

        Ok(Some(ack))
    }
}
