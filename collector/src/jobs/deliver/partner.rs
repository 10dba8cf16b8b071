//! A report as a package to a partner: sealed once, then delivered when the partner's own word says that it is stored.

use jiff::Timestamp;
use shirase_shared::error::Chain;

use super::{DeliverJob, Ending, Said};
use crate::deliver::{Delivery, Parcel};
use crate::exchange::kind::PackageKind;
use crate::exchange::manifest::AckKind;
use crate::exchange::package::ReportContent;
use crate::exchange::partner::PartnerId;
use crate::locale::{Lang, Locale};
use crate::post::PostError;
use crate::store::{StoreError, StoredPackage};

/// How far the package of a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Posted {
    /// There is none yet.
    No,
    /// It waits for the partner's word: `jobs::exchange` or a person with a stick brings it.
    OnItsWay,
    /// The partner has it.
    There,
}

impl DeliverJob {
    /// Returns how far the package of a delivery is.
    pub(super) async fn posted(&self, delivery: &Delivery) -> Result<Posted, StoreError> {
        let place = (&delivery.facility, delivery.id);
        let found = self.store.package_of_delivery(place.0, place.1).await?;
        Ok(match found {
            None => Posted::No,
            Some(package) if package.done_at.is_some() => Posted::There,
            Some(_) => Posted::OnItsWay,
        })
    }

    /// Seals the report for its partner, or notes that the partner has it.
    pub(super) async fn give(&self, delivery: &Delivery, parcel: &Parcel) -> Said {
        if let Err(error) = parcel.check(delivery) {
            return Said::never(Chain(&error));
        }
        let partner: PartnerId = match delivery.addressee.address.parse() {
            Ok(partner) => partner,
            Err(error) => return Said::never(Chain(&error)),
        };
        let subject = self.subject(parcel);
        let content = ReportContent { parcel, subject: &subject };
        let at = (&delivery.facility, &partner);
        match self.post.post_report(at, delivery.id, &content).await {
            Ok(package) => told(&package, self.clock.now()),
            // Another package took the place in the thread at this moment, or the database did not answer.
            Err(PostError::Store(error @ (StoreError::Stale(_) | StoreError::Query(_)))) => {
                Said::not_yet(Chain(&error))
            }
            Err(error) => Said::never(Chain(&error)),
        }
    }

    /// What the package of a report is called: the report's own title and the sender's number of the incident.
    fn subject(&self, parcel: &Parcel) -> String {
        let locale = Locale::new(Lang::Ja);
        let frozen = parcel.approved.frozen();
        let profile = self.releases.profiles().profile(&frozen.profile.id);
        let title = profile.map_or_else(
            || locale.text(&PackageKind::Report.label_key()),
            |profile| profile.body.title.in_lang(Lang::Ja).to_owned(),
        );
        locale.text_with(
            "package-subject",
            &[("title", &title), ("number", &frozen.incident.number), ("file", &parcel.stem)],
        )
    }
}

/// Says how a package of ours stands.
fn told(package: &StoredPackage, now: Timestamp) -> Said {
    let Some(at) = package.done_at else {
        return Said::not_yet(format!("package {}: no word of the partner yet", package.id));
    };
    let word = package.acks.iter().find(|ack| ack.what == AckKind::Stored);
    // Their clock counts between the sealing and now.
    let at = word
        .map_or(at, |word| word.at)
        .clamp(package.stored_at, now.max(package.stored_at));
    let answer = format!("package {}: stored by the partner at {at}", package.id);

    Said { there_since: Some(at), ..Said::of(Ending::Delivered, answer) }
}
