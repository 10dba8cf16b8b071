//! Tells staff of what waits for a person: a report one person released alone, a delivery that stopped, a package that came.
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
use crate::audit::{Carrier, Departure};
use crate::exchange::PackageId;
use crate::exchange::manifest::AckKind;
use crate::facilities::Facility;
use crate::locale::{Lang, Locale};
use crate::notify::courier::Courier;
use crate::notify::letter::Both;
use crate::notify::matter::{Matter, MatterNotice, MatterTold, PackageCame, Subject, missing};
use crate::notify::{Channel, ChannelKind, SendError};
use crate::reports::profile::Profiles;
use crate::store::{Store, StoreError};

/// Longest time one message may take, and after which a pass leaves the rest to the next one.
const SEND_LIMIT: Duration = Duration::from_secs(30);
const PASS_LIMIT: Duration = Duration::from_secs(60);
/// Longest text of an error that is kept.
const ERROR_MAX_CHARS: usize = 400;

/// Tells staff of what waits for a person.
pub struct MattersJob {
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

impl Job for MattersJob {
    const NAME: &'static str = "matters";
    const PERIOD: Duration = Duration::from_secs(15);
    const WOKEN_BY: &'static [What] = &[What::Report, What::Exchange];

    async fn activate(&mut self) -> Outcome {
        match self.pass().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(sent) => Outcome::Changed(sent),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

impl MattersJob {
    async fn pass(&self) -> Result<usize, StoreError> {
        let begun = Instant::now();
        let mut sent = 0;
        for facility in self.store.facilities().await? {
            let open = self.store.open_matters(&facility.id).await?;
            let channels = self.store.alert_channels(&facility.id).await?;
            let outbox = self.store.matter_keys(&facility.id).await?;
            let new = missing(&open, &channels, &outbox);
            let now = self.clock.now();
            if !new.is_empty() {
                self.store.put_matters(&new, now).await?;
            }
            for notice in self.store.due_matters(&facility.id, now).await? {
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
        notice: &MatterNotice,
    ) -> Result<usize, StoreError> {
        let key = &notice.key;
        let channel = channels.iter().find(|channel| channel.id == key.channel);
        let told = self.told(facility, notice).await?;
        // The channel was removed: there is nobody to tell over it any more.
        let (Some(channel), Some(told)) = (channel, told) else {
            self.store.matter_done(key, self.clock.now()).await?;
            return Ok(0);
        };
        let head = self.store.audit_head().await?;
        let sending = self.courier.tell_matter(channel, &told, head.as_ref());
        let outcome = tokio::time::timeout(SEND_LIMIT, sending)
            .await
            .unwrap_or_else(|_| {
                let why = format!("the server took longer than {SEND_LIMIT:?}");
                Err(SendError::Unreachable(why))
            });
        let (message, id) = (key.message_id(), &key.channel);
        match outcome {
            Ok(answer) => {
                let at = self.clock.now();
                self.store.matter_done(key, at).await?;
                if let (ChannelKind::Mail, Some(head)) = (channel.kind, head) {
                    let carrier = Carrier::Mail;
                    self.store
                        .head_left(&Departure { carrier, head, at })
                        .await?;
                }
                tracing::info!(
                    message.id = message, channel.id = %id, answer,
                    "told staff over {id} of what waits for a person: {}", told.link
                );
                Ok(1)
            }
            Err(error) => {
                let why: String = error.to_string().chars().take(ERROR_MAX_CHARS).collect();
                let next = next_attempt(notice.attempts, self.clock.now(), random());
                self.store.matter_failed(key, next, &why).await?;
                tracing::warn!(
                    message.id = message, channel.id = %id, error = why,
                    "staff not told over {id} of what waits for a person; tried again later"
                );
                Ok(0)
            }
        }
    }

    /// Reads a matter as it stands now; `None` if its report or incident is gone.
    async fn told(
        &self,
        facility: &Facility,
        notice: &MatterNotice,
    ) -> Result<Option<MatterTold>, StoreError> {
        let (subject, report, page) = match &notice.key.matter {
            Matter::Package(id) => return self.package_told(facility, notice, id).await,
            Matter::Release(report, revision) => {
                let (report, revision) = (*report, *revision);
                let releases = self.store.emergency_releases(&facility.id, report).await?;
                let found = releases
                    .into_iter()
                    .find(|release| release.revision == revision);
                let Some(release) = found else { return Ok(None) };
                (Subject::Release(Box::new(release)), report, format!("reports/{report}"))
            }
            Matter::Delivery(id, _) => {
                let id = *id;
                let delivery = self.store.delivery(&facility.id, id).await?;
                let attempts = self.store.delivery_attempts(&facility.id, id).await?;
                let answer = attempts
                    .last()
                    .map_or_else(String::new, |attempt| attempt.answer.clone());
                let report = delivery.report;
                (Subject::Delivery(Box::new(delivery), answer), report, format!("deliveries/{id}"))
            }
        };
        let report = self.store.report(&facility.id, report).await?;
        let incident = self.store.incident(&facility.id, report.incident).await?;
        let Some(incident) = incident else { return Ok(None) };
        let title = self.profiles.profile(&report.profile).map_or_else(
            || Both { ja: report.profile.clone(), en: report.profile.clone() },
            |profile| {
                let title = &profile.body.title;
                Both { ja: title.ja.clone(), en: title.en.clone() }
            },
        );

        Ok(Some(MatterTold {
            key: notice.key.clone(),
            created_at: notice.created_at,
            facility: facility.display_name().to_owned(),
            number: incident.number,
            drill: incident.drill.is_some(),
            title,
            subject,
            link: format!("{}/facilities/{}/{page}", self.console_url, facility.id),
        }))
    }

    /// Reads a package as it stands now; `None` if somebody read it meanwhile.
    async fn package_told(
        &self,
        facility: &Facility,
        notice: &MatterNotice,
        id: &PackageId,
    ) -> Result<Option<MatterTold>, StoreError> {
        let package = self.store.package(&facility.id, id).await?;
        if package.acks.iter().any(|ack| ack.what == AckKind::Read) {
            return Ok(None);
        }
        let partner = self.store.partner(&facility.id, &package.partner).await?;
        let manifest = package.manifest;
        let kind = |lang| Locale::new(lang).text(&manifest.kind.label_key());
        let came = PackageCame {
            id: id.clone(),
            thread: package.thread,
            kind: manifest.kind,
            partner: partner.name().to_owned(),
            subject: manifest.subject.clone(),
            tlp: manifest.tlp,
        };

        Ok(Some(MatterTold {
            key: notice.key.clone(),
            created_at: notice.created_at,
            facility: facility.display_name().to_owned(),
            number: 0,
            drill: manifest.drill,
            title: Both { ja: kind(Lang::Ja), en: kind(Lang::En) },
            subject: Subject::Package(Box::new(came)),
            link: format!("{}/facilities/{}/exchange/packages/{id}", self.console_url, facility.id),
        }))
    }
}
