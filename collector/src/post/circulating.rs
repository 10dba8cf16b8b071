//! One notice to many partners: written once, released by a second person, one package a partner.

use jiff::Timestamp;
use shirase_shared::ids::{CircularId, FacilityId, MessageId};

use super::{Post, PostError};
use crate::exchange::PackageId;
use crate::exchange::circular::Circular;
use crate::exchange::joint_drill::{DrillLetter, DrillWord, Participation, participations};
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::manifest::AckKind;
use crate::exchange::message::{Message, MessageError, MessageState};
use crate::exchange::package::PackageFile;
use crate::exchange::partner::PartnerId;
use crate::reports::answer::{NamedPerson, Value};
use crate::reports::fields::Field;
use crate::reports::told::told_answers;
use crate::store::StoreError;

/// Most partners one circular goes to at once.
const PARTNERS_MAX: usize = 2_000;

/// A notice as a person writes it.
#[derive(Clone, Debug)]
pub struct NewCircular {
    /// Whose.
    pub facility: FacilityId,
    /// A notice, or an invitation to an exercise.
    pub kind: PackageKind,
    /// One line.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// How far it may be passed on.
    pub tlp: Tlp,
    /// Whether it is an exercise's (訓練).
    pub drill: bool,
    /// What goes along.
    pub files: Vec<PackageFile>,
    /// To whom.
    pub partners: Vec<PartnerId>,
    /// Who writes it.
    pub by: NamedPerson,
}

/// What became of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circulated {
    /// How many went out.
    pub released: usize,
    /// Messages that still wait, with why.
    pub failed: Vec<(MessageId, String)>,
}

impl Post {
    /// Keeps a notice to many partners until a second person releases it.
    ///
    /// # Errors
    /// When it cannot stand, goes to nobody or to too many, or one partner is unknown or revoked: then nothing is kept.
    pub async fn circulate(&self, new: NewCircular) -> Result<CircularId, PostError> {
        let recipients = new.partners.iter().map(|partner| (partner.clone(), None));
        let recipients = recipients.collect();
        self.keep_circular(&new, recipients, None).await
    }

    /// Keeps a reminder to everybody to whom a circular went and who did not read it, as a new circular: a message in the
    /// thread of each.
    ///
    /// # Errors
    /// When everybody read it, or the reminder cannot stand.
    pub async fn remind(
        &self,
        (facility, id): (&FacilityId, CircularId),
        (subject, text): (String, String),
        by: NamedPerson,
    ) -> Result<CircularId, PostError> {
        let circular = self.store.circular(facility, id).await?;
        let unread: Vec<_> = circular
            .unread()
            .map(|(partner, package)| (partner.clone(), Some(package.clone())))
            .collect();
        let new = NewCircular {
            facility: facility.clone(),
            kind: PackageKind::Notice,
            subject,
            text,
            tlp: circular.tlp,
            drill: circular.drill,
            files: Vec::new(),
            partners: Vec::new(),
            by,
        };
        self.keep_circular(&new, unread, Some(id)).await
    }

    async fn keep_circular(
        &self,
        new: &NewCircular,
        recipients: Vec<(PartnerId, Option<PackageId>)>,
        reminds: Option<CircularId>,
    ) -> Result<CircularId, PostError> {
        if recipients.is_empty() || PARTNERS_MAX < recipients.len() {
            let reason = "go to nobody, or to more than 2,000";
            return Err(PostError::Text { part: "addressees", reason });
        }
        let now = self.now_ms();
        let mut messages = Vec::with_capacity(recipients.len());
        for (partner, reply_to) in recipients {
            self.trusted(&new.facility, &partner).await?;
            let message = Message {
                facility: new.facility.clone(),
                id: MessageId::random(),
                partner,
                kind: new.kind,
                tlp: new.tlp,
                drill: new.drill,
                reply_to,
                subject: new.subject.clone(),
                text: new.text.clone(),
                files: new.files.clone(),
                written_by: new.by.clone(),
                written_at: now,
                state: MessageState::Waiting,
            };
            message.check(self.own.kind)?;
            messages.push(message);
        }
        let circular = Circular {
            facility: new.facility.clone(),
            id: CircularId::random(),
            kind: new.kind,
            subject: new.subject.clone(),
            text: new.text.clone(),
            tlp: new.tlp,
            drill: new.drill,
            reminds,
            written_by: new.by.clone(),
            written_at: now,
            recipients: Vec::new(),
        };
        self.store.add_circular(&circular, &messages).await?;

        Ok(circular.id)
    }

    /// Releases what waits of a circular as a second person. What cannot go says why and waits on; the rest goes.
    ///
    /// # Errors
    /// When the same person wrote it, or the database fails.
    pub async fn release_circular(
        &self,
        facility: &FacilityId,
        id: CircularId,
        by: &NamedPerson,
    ) -> Result<Circulated, PostError> {
        let waiting = self.store.waiting_of_circular(facility, id).await?;
        let mut done = Circulated::default();
        for message in waiting {
            match self.release(facility, message, by.clone()).await {
                Ok(_) => done.released += 1,
                Err(PostError::Message(MessageError::OwnMessage)) => {
                    return Err(MessageError::OwnMessage.into());
                }
                // Another approver was faster: it is on its way.
                Err(
                    PostError::Message(MessageError::NotWaiting(_))
                    | PostError::Store(StoreError::Stale(_)),
                ) => {}
                Err(error) => done.failed.push((message, error.to_string())),
            }
        }

        Ok(done)
    }

    /// Sends what waits of a circular back to whoever wrote it, and returns how many messages that were.
    ///
    /// # Errors
    /// When the reason cannot stand, or the database fails.
    pub async fn send_circular_back(
        &self,
        facility: &FacilityId,
        id: CircularId,
        (by, reason): (&NamedPerson, &str),
    ) -> Result<usize, PostError> {
        let waiting = self.store.waiting_of_circular(facility, id).await?;
        let count = waiting.len();
        for message in waiting {
            self.send_back(facility, message, (by, reason)).await?;
        }

        Ok(count)
    }

    /// Returns how everybody fares in an exercise an invitation was sent for.
    ///
    /// # Errors
    /// When there is no such circular, or the database fails.
    pub async fn participations(
        &self,
        invitation: &Circular,
    ) -> Result<Vec<Participation>, PostError> {
        let facility = &invitation.facility;
        let mut letters = Vec::new();
        for package in self
            .store
            .drill_packages(facility, invitation.written_at)
            .await?
        {
            let what = match package.manifest.kind {
                PackageKind::Answer => DrillWord::Answer,
                PackageKind::DrillResult => DrillWord::Result,
                PackageKind::Report => {
                    let whole = self.store.whole_package(facility, &package.id).await?;
                    DrillWord::Report { detected_at: detected_at(whole.files()) }
                }
                PackageKind::Question
                | PackageKind::Guidance
                | PackageKind::Notice
                | PackageKind::Acknowledgement
                | PackageKind::SharingProduct
                | PackageKind::DrillInvitation => continue,
            };
            let read = package.acks.iter().filter(|ack| ack.what == AckKind::Read);
            letters.push(DrillLetter {
                what,
                made_at: package.manifest.made_at,
                stored_at: package.stored_at,
                thread: package.thread,
                read_at: read.map(|ack| ack.at).min(),
                partner: package.partner,
            });
        }

        Ok(participations(invitation, &letters))
    }
}

/// Returns the first moment a report says that it was detected: field 11.
fn detected_at(files: &[PackageFile]) -> Option<Timestamp> {
    let mut told = files
        .iter()
        .filter_map(|file| told_answers(&file.bytes).ok());
    let answers = told.next()?;
    let Value::Lines { lines } = &answers.get(&Field::DetectedAt)?.value else { return None };
    lines.iter().filter_map(|line| line.at).min()
}
