//! Warns staff at set shares of each deadline's time, and everyone when a limit is missed.
//!
//! Always holds: reads stored state and acts on the difference; a warning is in the outbox, committed, before it is sent, and
//! keeps its id; nothing pauses a deadline, a closed incident's ones run on.

use std::sync::Arc;
use std::time::Duration;

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use tokio::time::Instant;

use super::notify::{next_attempt, random};
use super::{Job, Nudge, Outcome, What};
use crate::audit::{Carrier, Departure};
use crate::duties::duties;
use crate::facilities::Facility;
use crate::notify::courier::Courier;
use crate::notify::deadline::{Notice, Stage, Warning, missing};
use crate::notify::{Channel, ChannelKind, SendError};
use crate::reports::profile::Profiles;
use crate::store::{Store, StoreError};

/// Longest time one message may take, and after which a pass leaves the rest to the next one.
const SEND_LIMIT: Duration = Duration::from_secs(30);
const PASS_LIMIT: Duration = Duration::from_secs(60);
/// Longest text of an error that is kept.
const ERROR_MAX_CHARS: usize = 400;

/// Warns staff about deadlines.
pub struct DeadlinesJob {
    /// The collector's memory.
    pub store: Store,
    /// What each addressee wants, by when.
    pub profiles: Arc<Profiles>,
    /// Carries the messages.
    pub courier: Courier,
    /// Tells the time.
    pub clock: SharedClock,
    /// Where links lead, without a slash at the end.
    pub console_url: String,
    /// Tells the pages what was sent.
    pub nudge: Nudge,
}

impl Job for DeadlinesJob {
    const NAME: &'static str = "deadlines";
    const PERIOD: Duration = Duration::from_secs(60);
    const WOKEN_BY: &'static [What] = &[What::Report, What::Delivery];

    async fn activate(&mut self) -> Outcome {
        match self.pass().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(sent) => Outcome::Changed(sent),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

impl DeadlinesJob {
    async fn pass(&self) -> Result<usize, StoreError> {
        let begun = Instant::now();
        let mut sent = 0;
        for facility in self.store.facilities().await? {
            let channels = self.store.alert_channels(&facility.id).await?;
            self.fill_outbox(&facility, &channels).await?;
            let now = self.clock.now();
            for notice in self.store.due_notices(&facility.id, now).await? {
                if PASS_LIMIT < begun.elapsed() {
                    return Ok(sent);
                }
                sent += self.send(&facility, &channels, &notice).await?;
            }
        }

        Ok(sent)
    }

    async fn fill_outbox(
        &self,
        facility: &Facility,
        channels: &[Channel],
    ) -> Result<(), StoreError> {
        let outbox = self.store.notice_keys(&facility.id).await?;
        let now = self.clock.now();
        for incident in self
            .store
            .incidents_with_deadlines(&facility.id, now)
            .await?
        {
            let Some(found) = duties(&self.store, &self.profiles, &incident, now).await? else {
                continue;
            };
            let key = (&facility.id, incident.id);
            let new = missing(key, &found.overview.deadlines, channels, &outbox, now);
            if !new.is_empty() {
                self.store.put_notices(&new, now).await?;
            }
        }

        Ok(())
    }

    async fn send(
        &self,
        facility: &Facility,
        channels: &[Channel],
        notice: &Notice,
    ) -> Result<usize, StoreError> {
        let key = &notice.key;
        let now = self.clock.now();
        let channel = channels.iter().find(|channel| channel.id == key.channel);
        let warning = self.warning(facility, notice).await?;
        // The channel was removed, the deadline was met or moved: there is nothing to say any more.
        let (Some(channel), Some(warning)) = (channel, warning) else {
            self.store.notice_done(key, now).await?;
            return Ok(0);
        };
        let head = self.store.audit_head().await?;
        let sending = self.courier.warn(channel, &warning, head.as_ref());
        let outcome = tokio::time::timeout(SEND_LIMIT, sending)
            .await
            .unwrap_or_else(|_| {
                let why = format!("the server took longer than {SEND_LIMIT:?}");
                Err(SendError::Unreachable(why))
            });
        self.nudge
            .tell_incident(&facility.id, key.incident, What::Notification);
        let (incident, id) = (key.incident, &key.channel);
        match outcome {
            Ok(answer) => {
                self.store.notice_done(key, self.clock.now()).await?;
                if let (ChannelKind::Mail, Some(head)) = (channel.kind, head) {
                    let at = self.clock.now();
                    let carrier = Carrier::Mail;
                    self.store
                        .head_left(&Departure { carrier, head, at })
                        .await?;
                }
                tracing::info!(
                    incident.id = %incident, channel.id = %id, deadline = key.deadline, answer,
                    "warned staff about the deadline {} of incident {incident} over {id}", key.deadline
                );
                Ok(1)
            }
            Err(error) => {
                let why: String = error.to_string().chars().take(ERROR_MAX_CHARS).collect();
                let next = next_attempt(notice.attempts, self.clock.now(), random());
                self.store.notice_failed(key, next, &why).await?;
                tracing::warn!(
                    incident.id = %incident, channel.id = %id, deadline = key.deadline, error = why,
                    "staff not warned about a deadline of incident {incident} over {id}; tried again later"
                );
                Ok(0)
            }
        }
    }

    /// Reads the deadline as it is now; `None` if it has not the stage any more that was to be told.
    async fn warning(
        &self,
        facility: &Facility,
        notice: &Notice,
    ) -> Result<Option<Warning>, StoreError> {
        let key = &notice.key;
        let now = self.clock.now();
        let Some(incident) = self.store.incident(&facility.id, key.incident).await? else {
            return Ok(None);
        };
        let found = duties(&self.store, &self.profiles, &incident, now).await?;
        let deadlines = found
            .map(|found| found.overview.deadlines)
            .unwrap_or_default();
        let deadline = deadlines.into_iter().find(|deadline| {
            let same = deadline.due().is_some_and(|due| due.at == key.due);
            deadline.key() == key.deadline && same
        });
        let deadline = deadline
            .filter(|deadline| Stage::of(deadline.state(now)).is_some_and(|at| key.stage <= at));

        Ok(deadline.map(|deadline| Warning {
            key: key.clone(),
            created_at: notice.created_at,
            facility: facility.display_name().to_owned(),
            number: incident.number,
            drill: incident.drill.is_some(),
            deadline,
            now,
            link: format!(
                "{}/facilities/{}/incidents/{}#deadlines",
                self.console_url, facility.id, incident.id
            ),
        }))
    }
}
