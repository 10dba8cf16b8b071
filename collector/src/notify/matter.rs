//! Tells staff of what waits for a person: a report released by one person alone, a delivery nobody knows the end of, a
//! partner's package nobody has read.
//!
//! Always holds: pure; each matter is told once over every channel, whatever severity the channel asks for: nobody who may be
//! woken at all is left out of it.

mod delivery;
mod package;
mod release;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{DeliveryId, FacilityId, IncidentId, ReportId};

use super::letter::{Both, Letter, one_line};
use super::{Channel, ChannelId};
use crate::approval::EmergencyRelease;
use crate::audit::Head;
use crate::deliver::{Carrier, Delivery};
use crate::exchange::PackageId;
use crate::locale::{Lang, Locale};
use crate::reports::answer::Revision;

pub use package::PackageCame;

/// Longest foreign text in a line of a letter, in characters.
const LINE_MAX_CHARS: usize = 400;

/// What waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// One person released this revision alone; another has to look at it.
    Release(ReportId, Revision),
    /// The delivery stopped after this attempt, the first being 1, and a person has to decide.
    Delivery(DeliveryId, u32),
    /// A partner sent it, and nobody here has said that they read it.
    Package(PackageId),
}

impl Matter {
    /// Returns the matter of a release that waits for its review.
    #[must_use]
    pub const fn of_release(release: &EmergencyRelease) -> Self {
        Self::Release(release.report, release.revision)
    }

    /// Returns the matter of a delivery, if the collector made it and it asks for a person.
    ///
    /// Who records the end of a delivery by hand knows it already.
    #[must_use]
    pub fn of_delivery(delivery: &Delivery) -> Option<Self> {
        let stopped = delivery.way.carrier() == Carrier::Machine && delivery.state.asks_a_person();
        stopped.then_some(Self::Delivery(delivery.id, delivery.attempts))
    }
}

/// What makes a notice the same notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatterKey {
    /// Whose staff.
    pub facility: FacilityId,
    /// What waits.
    pub matter: Matter,
    /// Over which channel.
    pub channel: ChannelId,
}

impl MatterKey {
    /// Returns the message's id for ever.
    #[must_use]
    pub fn message_id(&self) -> String {
        let Self { facility, channel, .. } = self;
        match &self.matter {
            Matter::Release(report, revision) => {
                format!("<{report}.{revision}.{channel}.{facility}@releases.shirase.invalid>")
            }
            Matter::Delivery(delivery, attempt) => {
                format!("<{delivery}.{attempt}.{channel}.{facility}@deliveries.shirase.invalid>")
            }
            Matter::Package(package) => {
                format!("<{package}.{channel}.{facility}@packages.shirase.invalid>")
            }
        }
    }
}

/// One notice in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatterNotice {
    /// What it is about and for whom.
    pub key: MatterKey,
    /// When it became due.
    pub created_at: Timestamp,
    /// How often sending failed.
    pub attempts: u32,
}

/// Returns the notices that are missing from the outbox: all channels hear of every matter that waits.
#[must_use]
pub fn missing(
    open: &[Matter],
    channels: &[Channel],
    outbox: &BTreeSet<MatterKey>,
) -> Vec<MatterKey> {
    let keys = open.iter().flat_map(|matter| {
        channels.iter().map(|channel| MatterKey {
            facility: channel.facility.clone(),
            matter: matter.clone(),
            channel: channel.id.clone(),
        })
    });
    keys.filter(|key| !outbox.contains(key)).collect()
}

/// A matter as it stands when it is told.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The release, with its review if somebody was faster than the mail.
    Release(Box<EmergencyRelease>),
    /// The delivery, and the other side's words or what went wrong at the last attempt.
    Delivery(Box<Delivery>, String),
    /// What came.
    Package(Box<PackageCame>),
}

impl Subject {
    /// The incident it is about; a package is about none of ours.
    const fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Release(release) => Some(release.incident),
            Self::Delivery(delivery, _) => Some(delivery.incident),
            Self::Package(_) => None,
        }
    }

    /// Names the thread mail programs show it in.
    fn thread_id(&self) -> String {
        let of_incident = |id: IncidentId| format!("<{id}@alerts.shirase.invalid>");
        match self {
            Self::Release(release) => of_incident(release.incident),
            Self::Delivery(delivery, _) => of_incident(delivery.incident),
            Self::Package(came) => format!("<{}@threads.shirase.invalid>", came.thread),
        }
    }
}

/// Everything a notice tells.
#[derive(Clone, Debug)]
pub struct MatterTold {
    /// What makes it the same message.
    pub key: MatterKey,
    /// When it became due.
    pub created_at: Timestamp,
    /// Name of the institution.
    pub facility: String,
    /// Number of the incident; 0 for a package.
    pub number: u64,
    /// Whether it is an exercise.
    pub drill: bool,
    /// What the report is called, or what kind of package it is.
    pub title: Both,
    /// How it stands.
    pub subject: Subject,
    /// Page where a person acts.
    pub link: String,
}

/// What a webhook is told of any matter. Fields are added, never repurposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostMatter {
    /// `emergency_release`, `delivery` or `package`.
    pub kind: &'static str,
    /// Same id, same message.
    pub message_id: String,
    /// The mail's subject, for chat systems that show one text.
    pub text: String,
    /// Short name of the institution.
    pub facility: FacilityId,
    /// Its name.
    pub facility_name: String,
    /// Which incident; left out for a package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// Its number; left out for a package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Whether it is an exercise.
    pub is_drill: bool,
    /// What the report is called.
    pub title: Both,
    /// The page.
    pub link: String,
    /// What only this kind tells.
    #[serde(flatten)]
    pub details: PostDetails,
}

/// What only one kind of matter tells a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PostDetails {
    /// An emergency release.
    Release(release::PostRelease),
    /// A delivery.
    Delivery(delivery::PostDelivery),
    /// A package.
    Package(package::PostPackage),
}

impl MatterTold {
    /// Writes the mail.
    #[must_use]
    pub fn letter(&self, head: Option<&Head>) -> Letter {
        Letter {
            subject: self.subject_line(),
            body: Letter::in_both(|lang| self.part(lang)),
            message_id: self.key.message_id(),
            thread_id: self.subject.thread_id(),
            created_at: self.created_at,
        }
        .carrying(head)
    }

    /// Returns what a webhook is told.
    #[must_use]
    pub fn post(&self) -> PostMatter {
        let (kind, details) = match &self.subject {
            Subject::Release(release) => {
                ("emergency_release", PostDetails::Release(release::post(release)))
            }
            Subject::Delivery(delivery, answer) => {
                ("delivery", PostDetails::Delivery(delivery::post(delivery, answer)))
            }
            Subject::Package(came) => ("package", PostDetails::Package(package::post(came))),
        };
        PostMatter {
            kind,
            message_id: self.key.message_id(),
            text: self.subject_line(),
            facility: self.key.facility.clone(),
            facility_name: line(&self.facility),
            incident: self.subject.incident(),
            number: self.subject.incident().map(|_| self.number),
            is_drill: self.drill,
            title: self.title.clone(),
            link: self.link.clone(),
            details,
        }
    }

    fn subject_line(&self) -> String {
        let locale = Locale::new(Lang::Ja);
        let facility = line(&self.facility);
        let said = match &self.subject {
            Subject::Release(_) => locale.text_with(
                "emergency-subject",
                &[("facility", &facility), ("number", &self.number)],
            ),
            Subject::Delivery(delivery, _) => {
                delivery::subject(delivery, (&facility, self.number), locale)
            }
            Subject::Package(came) => package::subject(came, (&facility, &self.title.ja), locale),
        };
        if self.drill {
            format!("{}{said}", locale.text("notify-subject-drill-mark"))
        } else {
            said
        }
    }

    fn part(&self, lang: Lang) -> String {
        let locale = Locale::new(lang);
        let mut lines = Vec::new();
        if self.drill {
            lines.extend([locale.text("notify-drill"), String::new()]);
        }
        let (facility, title) = (line(&self.facility), line(self.title.in_lang(lang)));
        let what = match &self.subject {
            Subject::Release(_) => "emergency-mail-what",
            Subject::Delivery(..) => "delivery-mail-what",
            Subject::Package(_) => "package-mail-what",
        };
        lines.push(locale.text_with(
            what,
            &[("facility", &facility), ("number", &self.number), ("title", &title)],
        ));
        lines.extend(match &self.subject {
            Subject::Release(release) => release::lines(release, locale),
            Subject::Delivery(delivery, answer) => delivery::lines(delivery, answer, locale),
            Subject::Package(came) => package::lines(came, locale),
        });
        lines.push(locale.text_with("matter-mail-link", &[("link", &self.link)]));
        lines.push(String::new());

        lines.join("\n")
    }
}

fn line(text: &str) -> String {
    one_line(text, LINE_MAX_CHARS)
}

#[cfg(test)]
mod tests;
