//! Carries waiting packages to partners who have an address.
//!
//! Always holds: a package is tried until the partner says that it has it; pauses grow to ten minutes; a partner who is
//! away, or a package that cannot be read, holds nobody else up.

use std::collections::BTreeSet;
use std::time::Duration;

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use tokio::time::Instant;

use super::notify::{next_attempt, random};
use super::{Job, Nudge, Outcome, What};
use crate::post::{Carried, Post, PostError};
use crate::store::{Store, StoredPackage};

/// After this long a pass begins no further attempt: one more takes up to a minute, and the runner allows two in all.
const PASS_LIMIT: Duration = Duration::from_secs(45);
/// Longest reason that is kept.
const WHY_MAX_CHARS: usize = 400;

/// Carries packages.
pub struct ExchangeJob {
    /// The collector's memory.
    pub store: Store,
    /// Sends and takes in.
    pub post: Post,
    /// Tells the time.
    pub clock: SharedClock,
    /// Tells the pages what became of it.
    pub nudge: Nudge,
}

impl Job for ExchangeJob {
    const NAME: &'static str = "exchange";
    const PERIOD: Duration = Duration::from_secs(5);
    const WOKEN_BY: &'static [What] = &[What::Exchange];

    async fn activate(&mut self) -> Outcome {
        match self.pass().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(there) => Outcome::Changed(there),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

impl ExchangeJob {
    async fn pass(&self) -> Result<usize, PostError> {
        let begun = Instant::now();
        let mut there = 0;
        let mut away = BTreeSet::new();
        let mut failed = None;
        for due in self.store.due_packages(self.clock.now()).await? {
            if PASS_LIMIT < begun.elapsed() {
                break;
            }
            let partner = (due.facility.clone(), due.partner.clone());
            if away.contains(&partner) {
                continue;
            }
            match self.attempt(&due).await {
                Ok(true) => there += 1,
                Ok(false) => {
                    away.insert(partner);
                }
                // What of this one does not read is no reason for the others to wait.
                Err(error) => {
                    tracing::error!(
                        package.id = %due.id, partner.id = %due.partner, error = %Chain(&error),
                        "the package {} cannot be carried; the others go on", due.id
                    );
                    failed = failed.or(Some(error));
                }
            }
        }

        failed.map_or(Ok(there), Err)
    }

    async fn attempt(&self, due: &StoredPackage) -> Result<bool, PostError> {
        let carried = self.post.carry(due).await?;
        let (next_at, why) = match carried {
            Carried::There => {
                tracing::info!(
                    package.id = %due.id, partner.id = %due.partner,
                    "`{}` has the {} {}", due.partner, due.manifest.kind, due.id
                );
                self.nudge.tell_of(&due.facility, What::Delivery);
                return Ok(true);
            }
            Carried::NotYet(why) => {
                (Some(next_attempt(due.attempts, self.clock.now(), random())), why)
            }
            Carried::Never(why) => (None, why),
        };
        tracing::warn!(
            package.id = %due.id, partner.id = %due.partner, attempts = due.attempts + 1, error = why,
            "`{}` does not have the {} {} yet", due.partner, due.manifest.kind, due.id
        );
        let why: String = why.chars().take(WHY_MAX_CHARS).collect();
        let at = (&due.facility, &due.id);
        self.store.package_failed(at, (next_at, &why)).await?;

        Ok(false)
    }
}
