//! Carries deliveries out that the collector does itself: by mail, into folders, and as packages to partners.
//!
//! ```text
//! waiting and due ─▶ attempt begun, committed ─▶ parcel checked ─▶ mail: handing over, committed ─▶ text ─▶ outcome, committed
//! ```
//!
//! Always holds:
//! - every pass first ends what a kill left open: certainly not handed over is tried again, anything else is 結果不明;
//! - nothing is sent twice by itself once its text may have arrived;
//! - tries are bounded, pauses grow, and what went wrong stands in the delivery with the other side's words.

mod partner;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use tokio::time::Instant;

use super::notify::{next_attempt, random};
use super::{Job, Nudge, Outcome, What};
use crate::deliver::folder::FolderError;
use crate::deliver::smtp::{ComposeError, compose};
use crate::deliver::{
    DeliverConfig, Delivery, Outcome as Ending, Parcel, State, Way, after, folder,
};
use crate::notify::mail::{HandOverError, MailConfig, Mailer, Patience};
use crate::post::Post;
use crate::release::Releases;
use crate::store::{Begun, Ended, Store, StoreError};
use partner::Posted;

/// After this long a pass begins no further delivery: one more takes up to a minute and a half, and the runner of jobs
/// allows two in all.
const PASS_LIMIT: Duration = Duration::from_secs(20);
/// Longest text of an answer that is kept.
const ANSWER_MAX_CHARS: usize = 400;

/// Carries deliveries out.
pub struct DeliverJob {
    /// The collector's memory.
    pub store: Store,
    /// Reads and checks what was released.
    pub releases: Releases,
    /// The hospital's mail server.
    pub mail: MailConfig,
    /// What is set about deliveries.
    pub config: DeliverConfig,
    /// Seals packages for partners.
    pub post: Post,
    /// How long a mail server may take.
    pub patience: Patience,
    /// Tells the time.
    pub clock: SharedClock,
    /// Tells the pages what became of it.
    pub nudge: Nudge,
}

/// What an attempt came to, before it is weighed how often it was tried.
struct Said {
    outcome: Ending,
    /// Whether trying the same again can help.
    again: bool,
    answer: String,
    /// Since when the addressee has it, where they say so themselves.
    there_since: Option<Timestamp>,
}

impl Said {
    fn not_yet(answer: impl ToString) -> Self {
        Self { again: true, ..Self::of(Ending::NotYet, answer.to_string()) }
    }

    const fn of(outcome: Ending, answer: String) -> Self {
        Self { outcome, again: false, answer, there_since: None }
    }

    /// Nothing was handed over, and only a person can change that.
    fn never(answer: impl ToString) -> Self {
        Self { again: false, ..Self::not_yet(answer) }
    }
}

impl Job for DeliverJob {
    const NAME: &'static str = "deliver";
    const PERIOD: Duration = Duration::from_secs(5);
    const WOKEN_BY: &'static [What] = &[What::Report];

    async fn activate(&mut self) -> Outcome {
        match self.pass().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(ended) => Outcome::Changed(ended),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

impl DeliverJob {
    async fn pass(&self) -> Result<usize, StoreError> {
        let begun = Instant::now();
        let mut ended = self.end_broken_off().await?;
        for facility in self.store.facilities().await? {
            let now = self.clock.now();
            for due in self.store.due_deliveries(&facility.id, now).await? {
                if PASS_LIMIT < begun.elapsed() {
                    return Ok(ended);
                }
                ended += self.attempt(&due).await?;
            }
        }

        Ok(ended)
    }

    async fn end_broken_off(&self) -> Result<usize, StoreError> {
        let attempts_max = self.config.attempts_max;
        let concerned = self
            .store
            .end_broken_off_attempts(attempts_max, self.clock.now())
            .await?;
        for delivery in &concerned {
            self.tell(delivery);
        }

        Ok(concerned.len())
    }

    async fn attempt(&self, due: &Delivery) -> Result<usize, StoreError> {
        if due.way == Way::Partner && self.posted(due).await? == Posted::OnItsWay {
            return Ok(0);
        }
        let begun = self
            .store
            .begin_delivery_attempt(&due.facility, due.id, self.clock.now())
            .await?;
        let Begun::Attempt(delivery, attempt) = begun else {
            return Ok(1);
        };
        let said = self.carry_out(&delivery, attempt).await;
        let attempts_max = match (said.again, delivery.way) {
            (false, _) => 0,
            // A partner who is away comes back; the package waits.
            (true, Way::Partner) => u32::MAX,
            (true, _) => self.config.attempts_max,
        };
        let state = after(said.outcome, delivery.failures + 1, attempts_max);
        let now = self.clock.now();
        let next_at =
            (state == State::Waiting).then(|| next_attempt(delivery.failures, now, random()));
        let answer = said.answer.chars().take(ANSWER_MAX_CHARS).collect();
        let (outcome, there_since) = (said.outcome, said.there_since);
        let ended = Ended { attempt, outcome, state, answer, next_at, there_since };
        let place = (&delivery.facility, delivery.id);
        let delivery = self.store.end_delivery_attempt(place, &ended, now).await?;
        self.tell(&delivery);

        Ok(1)
    }

    async fn carry_out(&self, delivery: &Delivery, attempt: u32) -> Said {
        let parcel = self
            .releases
            .parcel(&delivery.facility, delivery.report, delivery.form.as_ref())
            .await;
        let parcel = match parcel {
            Ok(parcel) => parcel,
            Err(error) => return Said::never(Chain(&error)),
        };
        match delivery.way {
            Way::Mail => self.mail(delivery, attempt, &parcel).await,
            Way::Folder => self.put(delivery.clone(), parcel).await,
            Way::Partner => self.give(delivery, &parcel).await,
            Way::Phone | Way::Fax | Way::Web | Way::Medium => {
                Said::never("a person carries this delivery out")
            }
        }
    }

    async fn mail(&self, delivery: &Delivery, attempt: u32, parcel: &Parcel) -> Said {
        let mailer = match Mailer::new(&self.mail) {
            Ok(mailer) => mailer.with_patience(self.patience),
            // A server, a password file or a certificate that is missing can be there a minute later.
            Err(error) => return Said::not_yet(Chain(&error)),
        };
        let from = sender(&self.config, &self.mail);
        let outgoing = match compose(from, delivery, parcel) {
            Ok(outgoing) => outgoing,
            Err(
                error @ (ComposeError::Mismatch(_)
                | ComposeError::NoMail
                | ComposeError::Unreadable
                | ComposeError::Address(_)),
            ) => return Said::never(Chain(&error)),
        };
        let place = (&delivery.facility, delivery.id, attempt);
        let before_text = async {
            let noted = self.store.handing_over(place, self.clock.now()).await;
            noted.map_err(|error| Chain(&error).to_string())
        };
        match mailer.hand_over(&outgoing, before_text).await {
            Ok(answer) => Said::of(Ending::Delivered, answer),
            Err(HandOverError::NotYet(why) | HandOverError::Later(why)) => Said::not_yet(why),
            Err(HandOverError::Refused(answer)) => Said::of(Ending::Refused, answer),
            Err(HandOverError::Unknown(answer)) => Said::of(Ending::Unknown, answer),
        }
    }

    async fn put(&self, delivery: Delivery, parcel: Parcel) -> Said {
        let base: PathBuf = self.config.folder.clone();
        let written =
            tokio::task::spawn_blocking(move || folder::write(&base, &delivery, &parcel)).await;
        match written {
            Ok(Ok(path)) => Said::of(Ending::Delivered, path.display().to_string()),
            Ok(Err(error)) => Self::not_written(&error),
            Err(error) => Said::not_yet(format!("the writing was broken off: {error}")),
        }
    }

    fn not_written(error: &FolderError) -> Said {
        let why = Chain(error);
        if error.is_transient() { Said::not_yet(why) } else { Said::never(why) }
    }

    fn tell(&self, delivery: &Delivery) {
        let (id, way, answer) = (delivery.id, delivery.way, &delivery.note);
        let facility = &delivery.facility;
        match delivery.state {
            State::Delivered => tracing::info!(
                delivery.id = %id, report.id = %delivery.report, %way, answer,
                "delivered a report of {facility}: {id}"
            ),
            State::Waiting => tracing::warn!(
                delivery.id = %id, report.id = %delivery.report, %way, attempts = delivery.attempts, error = answer,
                "a report of {facility} is not delivered yet: {id}; tried again later"
            ),
            State::Unknown | State::Refused | State::Failed | State::Stopped => tracing::error!(
                delivery.id = %id, report.id = %delivery.report, %way, state = %delivery.state, error = answer,
                "a report of {facility} needs a person: delivery {id} is {}", delivery.state
            ),
        }
        self.nudge
            .tell_incident(facility, delivery.incident, What::Delivery);
    }
}

/// Returns the sender of delivered reports.
#[must_use]
pub fn sender<'a>(config: &'a DeliverConfig, mail: &'a MailConfig) -> &'a str {
    if config.from.is_empty() { &mail.from } else { &config.from }
}
