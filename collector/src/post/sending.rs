//! Seals what was released, approved or read, and keeps it until the partner has it.

use shirase_shared::ids::{DeliveryId, FacilityId, MessageId};

use super::{Post, PostError};
use crate::audit::Actor;
use crate::exchange::PackageId;
use crate::exchange::manifest::{AckKind, Acknowledged};
use crate::exchange::message::Message;
use crate::exchange::package::{Content, Envelope, Package, ReportContent};
use crate::exchange::partner::{Partner, PartnerId};
use crate::reports::answer::NamedPerson;
use crate::sharing::Approved;
use crate::store::{Carrier, Direction, Outgoing, Sealing, StoreError, StoredPackage};

impl Post {
    /// Keeps a message a person wrote until another one releases it.
    ///
    /// # Errors
    /// When it cannot stand, or the partner is unknown or revoked.
    pub async fn write(&self, message: &Message) -> Result<(), PostError> {
        message.check(self.own.kind)?;
        self.trusted(&message.facility, &message.partner).await?;
        if let Some(answered) = &message.reply_to {
            let answered = self.store.package(&message.facility, answered).await?;
            message.fits(&answered.partner, answered.manifest.drill)?;
        }

        Ok(self.store.add_message(message).await?)
    }

    /// Releases a message as a second person: it becomes a package and goes.
    ///
    /// # Errors
    /// When the same person wrote it, it waits no more, or it cannot be sealed.
    pub async fn release(
        &self,
        facility: &FacilityId,
        id: MessageId,
        by: NamedPerson,
    ) -> Result<PackageId, PostError> {
        let message = self.store.message(facility, id).await?;
        let partner = self.trusted(facility, &message.partner).await?;
        let released = message.release(by)?;
        let thread = match &released.message().reply_to {
            Some(answered) => Some(self.store.package(facility, answered).await?.thread),
            None => None,
        };
        let package = self
            .seal(Content::Message(&released), &partner, thread)
            .await?;
        let outgoing = outgoing(&package, &partner, None);
        let now = self.clock.now();
        self.store
            .release_message(&released, &outgoing, now)
            .await?;

        Ok(package.id().clone())
    }

    /// Sends a message back to whoever wrote it.
    ///
    /// # Errors
    /// When it waits no more, or the reason cannot stand.
    pub async fn send_back(
        &self,
        facility: &FacilityId,
        id: MessageId,
        (by, reason): (&NamedPerson, &str),
    ) -> Result<(), PostError> {
        let message = self.store.message(facility, id).await?;
        message.may_be_returned(reason)?;
        let who = (Actor::User(by.user), self.clock.now());

        Ok(self
            .store
            .return_message(&message, reason.trim(), who)
            .await?)
    }

    /// Seals an approved report for a delivery, once: asked again, the same package is returned.
    ///
    /// # Errors
    /// When the partner is unknown or revoked, or the report cannot be sealed.
    pub async fn post_report(
        &self,
        (facility, partner): (&FacilityId, &PartnerId),
        delivery: DeliveryId,
        report: &ReportContent<'_>,
    ) -> Result<StoredPackage, PostError> {
        let partner = self.trusted(facility, partner).await?;
        if let Some(known) = self.store.package_of_delivery(facility, delivery).await? {
            return Ok(known);
        }
        let incident = report.parcel.approved.frozen().incident.number;
        let thread = self
            .store
            .thread_of_incident((facility, &partner.id), incident)
            .await?;
        let package = self.seal(Content::Report(report), &partner, thread).await?;
        let outgoing = outgoing(&package, &partner, Some(delivery));
        let now = self.clock.now();
        self.store
            .put_package(&outgoing, (Actor::Machine, now))
            .await?;

        Ok(self.store.package(facility, package.id()).await?)
    }

    /// Seals an approved sharing product for a partner, once.
    ///
    /// # Errors
    /// When the partner is unknown or revoked, has it already, or it cannot be sealed.
    pub async fn send_product(
        &self,
        (facility, partner): (&FacilityId, &PartnerId),
        approved: &Approved,
        by: &NamedPerson,
    ) -> Result<PackageId, PostError> {
        let partner = self.trusted(facility, partner).await?;
        let product = approved.product().id;
        let sent = self.store.product_sent(facility, product).await?;
        if sent.iter().any(|one| one.partner == partner.id) {
            return Err(StoreError::Exists("sharing product at this partner").into());
        }
        let package = self
            .seal(Content::Product(approved), &partner, None)
            .await?;
        let outgoing = outgoing(&package, &partner, None);
        let who = (by, self.clock.now());
        self.store.put_product(product, &outgoing, who).await?;

        Ok(package.id().clone())
    }

    /// Records that a person read a package that came, and tells the partner. Asked again, nothing changes.
    ///
    /// # Errors
    /// When there is no such package, or the database fails.
    pub async fn read(
        &self,
        facility: &FacilityId,
        id: &PackageId,
        by: &NamedPerson,
    ) -> Result<bool, PostError> {
        let stored = self.store.package(facility, id).await?;
        if stored.direction != Direction::In {
            return Ok(false);
        }
        let partner = self.store.partner(facility, &stored.partner).await?;
        let said = Acknowledged {
            package: id.clone(),
            what: AckKind::Read,
            at: self.now_ms(),
            by: by.name.clone(),
        };
        let package = self.seal_ack(&said, &partner).await?;
        let ack = outgoing(&package, &partner, None);

        Ok(self
            .store
            .note_read((facility, id), (by.user, &said), &ack)
            .await?)
    }

    pub(super) async fn seal_ack(
        &self,
        said: &Acknowledged,
        partner: &Partner,
    ) -> Result<Package, PostError> {
        let own = self.card_for(partner).await?;
        let envelope = Envelope {
            sender: own.id,
            addressee: partner.current.id.clone(),
            made_at: said.at,
            thread: None,
            order: 0,
        };
        Ok(Package::seal(Content::Acknowledgement(said), envelope, &self.key)?)
    }

    async fn seal(
        &self,
        content: Content<'_>,
        partner: &Partner,
        thread: Option<PackageId>,
    ) -> Result<Package, PostError> {
        let own = self.card_for(partner).await?;
        let order = match &thread {
            Some(thread) => {
                let at = (&partner.facility, &partner.id);
                self.store.next_place(at, thread).await?
            }
            None => 1,
        };
        let envelope = Envelope {
            sender: own.id,
            addressee: partner.current.id.clone(),
            made_at: self.now_ms(),
            thread,
            order,
        };
        Ok(Package::seal(content, envelope, &self.key)?)
    }

    pub(super) async fn trusted(
        &self,
        facility: &FacilityId,
        id: &PartnerId,
    ) -> Result<Partner, PostError> {
        let partner = self.store.partner(facility, id).await?;
        if partner.revoked.is_some() {
            return Err(PostError::Revoked(partner.id));
        }

        Ok(partner)
    }

    /// Returns the time in whole milliseconds, as the database keeps it.
    pub(super) fn now_ms(&self) -> jiff::Timestamp {
        let now = self.clock.now();
        jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// Returns how a package goes to a partner: over the network where they have an address.
pub(super) fn outgoing<'a>(
    package: &'a Package,
    partner: &'a Partner,
    delivery: Option<DeliveryId>,
) -> Outgoing<'a> {
    let reachable = partner.current.card.is_reachable();
    let going = Sealing {
        partner: partner.id.clone(),
        direction: Direction::Out,
        carrier: if reachable { Carrier::Network } else { Carrier::File },
        delivery,
    };
    Outgoing { facility: &partner.facility, package, going, answered: false }
}
