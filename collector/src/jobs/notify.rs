//! Tells staff what they have not been told yet.
//!
//! ```text
//! open incidents × channels ─missing─▶ outbox ─due─▶ courier ─▶ sent, or tried again later
//! ```
//!
//! Always holds: reads stored state and acts on the difference, so that a missed, doubled or restarted run ends in the same
//! place; a message is in the outbox, committed, before it is sent.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};
use shirase_shared::backoff::Backoff;
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::ids::FacilityId;
use tokio::time::Instant;

use super::{Job, Nudge, Outcome, What};
use crate::audit::{Carrier, Departure};
use crate::facilities::Facility;
use crate::notify::courier::Courier;
use crate::notify::{Channel, ChannelKind, Notification, SendError, missing};
use crate::store::{Store, StoreError};

mod alert;

/// Pause after the first failed attempt at a message.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// Longest pause between two attempts: staff hear of it within this time after the mail server is back.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// Longest time one message may take, and after which a pass leaves the rest to the next one: both well below what the
/// runner of jobs allows, so that nothing is broken off between a server's yes and our commit.
const SEND_LIMIT: Duration = Duration::from_secs(30);
const PASS_LIMIT: Duration = Duration::from_secs(60);
/// Longest text of an error that is kept.
const ERROR_MAX_CHARS: usize = 400;

/// Tells staff about incidents.
pub struct NotifyJob {
    /// The collector's memory.
    pub store: Store,
    /// Carries the messages.
    pub courier: Courier,
    /// Tells the time.
    pub clock: SharedClock,
    /// Where links lead, without a slash at the end.
    pub console_url: String,
    /// Tells the pages what was sent.
    pub nudge: Nudge,
}

impl Job for NotifyJob {
    const NAME: &'static str = "notify";
    const PERIOD: Duration = Duration::from_secs(5);
    const WOKEN_BY: &'static [What] = &[What::Incident];

    async fn activate(&mut self) -> Outcome {
        match self.pass().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(sent) => Outcome::Changed(sent),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

/// Channels whose server did not answer in this pass: the rest waits without being tried.
#[derive(Default)]
struct Gone {
    mail: Option<String>,
}

impl NotifyJob {
    async fn pass(&mut self) -> Result<usize, StoreError> {
        let begun = Instant::now();
        let mut sent = 0;
        let mut gone = Gone::default();
        for facility in self.store.facilities().await? {
            let channels = self.store.alert_channels(&facility.id).await?;
            let open = self.store.open_incidents_reached(&facility.id).await?;
            let outbox = self.store.outbox_keys(&facility.id).await?;
            let new = missing(&open, &channels, &outbox);
            if !new.is_empty() {
                self.store.put_notifications(&new, self.clock.now()).await?;
            }
            for due in self
                .store
                .due_notifications(&facility.id, self.clock.now())
                .await?
            {
                if PASS_LIMIT < begun.elapsed() {
                    return Ok(sent);
                }
                sent += self.send(&facility, &channels, &due, &mut gone).await?;
            }
        }

        Ok(sent)
    }

    async fn send(
        &self,
        facility: &Facility,
        channels: &[Channel],
        due: &Notification,
        gone: &mut Gone,
    ) -> Result<usize, StoreError> {
        // A removed channel takes what waits in it along; this one was removed a moment ago.
        let Some(channel) = channels
            .iter()
            .find(|channel| channel.id == due.key.channel)
        else {
            return Ok(0);
        };
        let mut carried = None;
        let outcome = match (channel.kind, &gone.mail) {
            (ChannelKind::Mail, Some(why)) => Err(SendError::Unreachable(why.clone())),
            (ChannelKind::Mail, None) | (ChannelKind::Webhook, _) => {
                let alert = self.alert(facility, due).await?;
                let sending = self.courier.send(channel, &alert);
                if channel.kind == ChannelKind::Mail {
                    carried.clone_from(&alert.audit_head);
                }
                tokio::time::timeout(SEND_LIMIT, sending)
                    .await
                    .unwrap_or_else(|_| {
                        let why = format!("the server took longer than {SEND_LIMIT:?}");
                        Err(SendError::Unreachable(why))
                    })
            }
        };
        if let (Ok(_), Some(head)) = (&outcome, carried) {
            let (carrier, at) = (Carrier::Mail, self.clock.now());
            self.store
                .head_left(&Departure { carrier, head, at })
                .await?;
        }
        let sent = self
            .note(&facility.id, channel.kind, due, outcome, gone)
            .await;
        self.nudge
            .tell_incident(&facility.id, due.key.incident, What::Notification);

        sent
    }

    /// Commits what became of a message.
    async fn note(
        &self,
        facility: &FacilityId,
        kind: ChannelKind,
        due: &Notification,
        outcome: Result<String, SendError>,
        gone: &mut Gone,
    ) -> Result<usize, StoreError> {
        let (incident, channel_id) = (due.key.incident, &due.key.channel);
        match outcome {
            Ok(answer) => {
                self.store
                    .notification_sent(&due.key, self.clock.now())
                    .await?;
                tracing::info!(
                    incident.id = %incident, channel.id = %channel_id, severity = %due.key.escalation, answer,
                    "told staff of {facility} about incident {incident} over {channel_id}"
                );
                Ok(1)
            }
            Err(error) => {
                if error.server_is_gone() && kind == ChannelKind::Mail {
                    gone.mail = Some(error.to_string());
                }
                let why: String = error.to_string().chars().take(ERROR_MAX_CHARS).collect();
                let next = next_attempt(due.attempts, self.clock.now(), random());
                self.store.notification_failed(&due.key, next, &why).await?;
                tracing::warn!(
                    incident.id = %incident, channel.id = %channel_id, attempts = due.attempts + 1, error = why,
                    "staff of {facility} not told about incident {incident} over {channel_id}; tried again later"
                );
                Ok(0)
            }
        }
    }
}

/// Returns when a message that failed `attempts` times before is tried again.
pub(super) fn next_attempt(attempts: u32, now: Timestamp, random: u64) -> Timestamp {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    for _ in 0..attempts.min(20) {
        backoff.fail(0);
    }
    let pause = SignedDuration::try_from(backoff.fail(random)).unwrap_or(SignedDuration::MAX);

    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}

pub(super) fn random() -> u64 {
    let mut bytes = [0; 8];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        // Without randomness the pauses are only less spread out.
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_between_attempts_grows_up_to_ten_minutes() {
        let now: Timestamp = "2026-02-09T01:50:00Z".parse().unwrap();
        let pauses: Vec<_> = [0, 1, 2, 6, 1000]
            .into_iter()
            .map(|attempts| next_attempt(attempts, now, 0).duration_since(now).as_secs())
            .collect();
        assert_eq!(pauses, [5, 10, 20, 300, 300]);
        let longest = next_attempt(1000, now, u64::MAX)
            .duration_since(now)
            .as_secs();
        assert!((300..=600).contains(&longest), "{longest}");
    }
}
