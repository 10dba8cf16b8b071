//! Tells staff of every report one person released alone, until another person looked at it.
//!
//! Always holds: reads stored state and acts on the difference; a notice is in the outbox, committed, before it is sent, and
//! keeps its id.

use std::sync::Arc;
use std::time::Duration;

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use tokio::time::Instant;

use super::notify::{next_attempt, random};
use super::{Job, Outcome, What};
use crate::facilities::Facility;
use crate::notify::courier::Courier;
use crate::notify::emergency::{EmergencyNotice, EmergencyTold, missing};
use crate::notify::letter::Both;
use crate::notify::{Channel, SendError};
use crate::reports::profile::Profiles;
use crate::store::{Store, StoreError};

/// Longest time one message may take, and after which a pass leaves the rest to the next one.
const SEND_LIMIT: Duration = Duration::from_secs(30);
const PASS_LIMIT: Duration = Duration::from_secs(60);
/// Longest text of an error that is kept.
const ERROR_MAX_CHARS: usize = 400;

/// Tells staff of emergency releases.
pub struct EmergenciesJob {
    /// The collector's memory.
    pub store: Store,
    /// What reports are called.
    pub profiles: Arc<Profiles>,
    /// Carries the messages.
    pub courier: Courier,
    /// Tells the time.
    pub clock: SharedClock,
    /// Where links lead, without a slash at the end.
    pub console_url: String,
}

impl Job for EmergenciesJob {
    const NAME: &'static str = "emergencies";
    const PERIOD: Duration = Duration::from_secs(15);
    const WOKEN_BY: &'static [What] = &[What::Report];

    async fn activate(&mut self) -> Outcome {
        match self.pass().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(sent) => Outcome::Changed(sent),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

impl EmergenciesJob {
    async fn pass(&self) -> Result<usize, StoreError> {
        let begun = Instant::now();
        let mut sent = 0;
        for facility in self.store.facilities().await? {
            let open = self.store.open_reviews(&facility.id).await?;
            let channels = self.store.alert_channels(&facility.id).await?;
            let outbox = self.store.emergency_notice_keys(&facility.id).await?;
            let new = missing(&open, &channels, &outbox);
            let now = self.clock.now();
            if !new.is_empty() {
                self.store.put_emergency_notices(&new, now).await?;
            }
            for notice in self.store.due_emergency_notices(&facility.id, now).await? {
                if PASS_LIMIT < begun.elapsed() {
                    return Ok(sent);
                }
                sent += self.send(&facility, &channels, &notice).await?;
            }
        }

        Ok(sent)
    }

    async fn send(
        &self,
        facility: &Facility,
        channels: &[Channel],
        notice: &EmergencyNotice,
    ) -> Result<usize, StoreError> {
        let key = &notice.key;
        let channel = channels.iter().find(|channel| channel.id == key.channel);
        let told = self.told(facility, notice).await?;
        // The channel was removed: there is nobody to tell over it any more.
        let (Some(channel), Some(told)) = (channel, told) else {
            self.store
                .emergency_notice_done(key, self.clock.now())
                .await?;
            return Ok(0);
        };
        let sending = self.courier.tell_release(channel, &told);
        let outcome = tokio::time::timeout(SEND_LIMIT, sending)
            .await
            .unwrap_or_else(|_| {
                let why = format!("the server took longer than {SEND_LIMIT:?}");
                Err(SendError::Unreachable(why))
            });
        let (report, id) = (key.report, &key.channel);
        match outcome {
            Ok(answer) => {
                self.store
                    .emergency_notice_done(key, self.clock.now())
                    .await?;
                tracing::info!(
                    report.id = %report, channel.id = %id, answer,
                    "told staff over {id} of the emergency release of report {report}"
                );
                Ok(1)
            }
            Err(error) => {
                let why: String = error.to_string().chars().take(ERROR_MAX_CHARS).collect();
                let next = next_attempt(notice.attempts, self.clock.now(), random());
                self.store.emergency_notice_failed(key, next, &why).await?;
                tracing::warn!(
                    report.id = %report, channel.id = %id, error = why,
                    "staff not told over {id} of the emergency release of report {report}; tried again later"
                );
                Ok(0)
            }
        }
    }

    async fn told(
        &self,
        facility: &Facility,
        notice: &EmergencyNotice,
    ) -> Result<Option<EmergencyTold>, StoreError> {
        let key = &notice.key;
        let releases = self
            .store
            .emergency_releases(&facility.id, key.report)
            .await?;
        let release = releases
            .into_iter()
            .find(|release| release.revision == key.revision);
        let Some(release) = release else { return Ok(None) };
        let incident = self.store.incident(&facility.id, release.incident).await?;
        let Some(incident) = incident else { return Ok(None) };
        let report = self.store.report(&facility.id, key.report).await?;
        let title = self.profiles.profile(&report.profile).map_or_else(
            || Both { ja: report.profile.clone(), en: report.profile.clone() },
            |profile| {
                let title = &profile.body.title;
                Both { ja: title.ja.clone(), en: title.en.clone() }
            },
        );

        Ok(Some(EmergencyTold {
            key: key.clone(),
            created_at: notice.created_at,
            facility: facility.display_name().to_owned(),
            number: incident.number,
            drill: incident.drill.is_some(),
            title,
            release,
            link: format!("{}/facilities/{}/reports/{}", self.console_url, facility.id, key.report),
        }))
    }
}
