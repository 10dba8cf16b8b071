//! Carries one waiting package to its partner over the network.

use serde::{Deserialize, Serialize};
use shirase_shared::error::Chain;

use super::{Post, PostError, client};
use crate::audit::Actor;
use crate::exchange::PackageId;
use crate::exchange::kind::PackageKind;
use crate::store::{Carrier, StoredPackage};

/// What answers an acknowledgement, which nothing acknowledges in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Which package is on the disk.
    pub stored: PackageId,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The partner has it.
    There,
    /// It waits on; why.
    NotYet(String),
    /// Nothing goes to this partner over the network.
    Never(String),
}

impl Post {
    /// Tries to bring a package to its partner. Only the partner's own word that it is stored ends it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn carry(&self, stored: &StoredPackage) -> Result<Carried, PostError> {
        let partner = self
            .store
            .partner(&stored.facility, &stored.partner)
            .await?;
        if partner.revoked.is_some() {
            return Ok(Carried::Never("the partner was revoked".to_owned()));
        }
        let card = &partner.current.card;
        if !card.is_reachable() {
            return Ok(Carried::Never("the partner takes files alone".to_owned()));
        }
        let file = self.file(stored.clone()).await?;
        let answer = match client::send(card, file.bytes).await {
            Ok(answer) => answer,
            Err(why) => return Ok(Carried::NotYet(why)),
        };
        let at = (&stored.facility, &stored.id);
        if stored.manifest.kind == PackageKind::Acknowledgement {
            let told: Option<Stored> = serde_json::from_slice(&answer).ok();
            if told.is_some_and(|told| told.stored == stored.id) {
                self.store.package_done(at, self.clock.now()).await?;
                return Ok(Carried::There);
            }
            return Ok(Carried::NotYet("the answer does not name the package".to_owned()));
        }
        if let Err(error) = self.take(answer, Carrier::Network, Actor::Machine).await {
            return Ok(Carried::NotYet(format!(
                "the answer is no acknowledgement: {}",
                Chain(&error)
            )));
        }
        let known = self.store.package(&stored.facility, &stored.id).await?;
        if known.done_at.is_none() {
            return Ok(Carried::NotYet("the answer acknowledges another package".to_owned()));
        }

        Ok(Carried::There)
    }
}
