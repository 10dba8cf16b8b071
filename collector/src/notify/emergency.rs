//! Tells staff that one person released a report alone, and that another has to look at it.
//!
//! Always holds: pure; each emergency release is told once over every channel, whatever severity the channel asks for:
//! nobody who may be woken at all is left out of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{FacilityId, IncidentId, ReportId};

use super::letter::{Both, Letter};
use super::{Channel, ChannelId};
use crate::approval::EmergencyRelease;
use crate::locale::{Lang, Locale, japan_time, visible};
use crate::reports::answer::Revision;

/// Longest foreign text in a line of a letter, in characters.
const LINE_MAX_CHARS: usize = 400;

/// What makes a notice the same notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EmergencyKey {
    /// Whose staff.
    pub facility: FacilityId,
    /// Which report was released.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// Over which channel.
    pub channel: ChannelId,
}

impl EmergencyKey {
    /// Returns the message's id for ever.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!(
            "<{}.{}.{}.{}@releases.shirase.invalid>",
            self.report, self.revision, self.channel, self.facility
        )
    }
}

/// One notice in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmergencyNotice {
    /// What it is about and for whom.
    pub key: EmergencyKey,
    /// When it became due.
    pub created_at: Timestamp,
    /// How often sending failed.
    pub attempts: u32,
}

/// Returns the notices that are missing from the outbox: all channels hear of every release that waits for its review.
#[must_use]
pub fn missing(
    open: &[EmergencyRelease],
    channels: &[Channel],
    outbox: &BTreeSet<EmergencyKey>,
) -> Vec<EmergencyKey> {
    let keys = open.iter().flat_map(|release| {
        channels.iter().map(|channel| EmergencyKey {
            facility: channel.facility.clone(),
            report: release.report,
            revision: release.revision,
            channel: channel.id.clone(),
        })
    });
    keys.filter(|key| !outbox.contains(key)).collect()
}

/// Everything a notice tells.
#[derive(Clone, Debug)]
pub struct EmergencyTold {
    /// What makes it the same message.
    pub key: EmergencyKey,
    /// When it became due.
    pub created_at: Timestamp,
    /// Name of the institution.
    pub facility: String,
    /// Number of the incident.
    pub number: u64,
    /// Whether it is an exercise.
    pub drill: bool,
    /// What is called what.
    pub title: Both,
    /// The release, with its review if somebody was faster than the mail.
    pub release: EmergencyRelease,
    /// Page of the report.
    pub link: String,
}

/// What a webhook is told. Fields are added, never repurposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostEmergency {
    /// `emergency_release`.
    pub kind: &'static str,
    /// Same id, same message.
    pub message_id: String,
    /// The mail's subject, for chat systems that show one text.
    pub text: String,
    /// Short name of the institution.
    pub facility: FacilityId,
    /// Its name.
    pub facility_name: String,
    /// Which incident.
    pub incident: IncidentId,
    /// Its number.
    pub number: u64,
    /// Whether it is an exercise.
    pub is_drill: bool,
    /// Which report.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// What it is called.
    pub title: Both,
    /// Who released it.
    pub released_by: String,
    /// When, UTC.
    pub released_at: Timestamp,
    /// Why alone.
    pub reason: String,
    /// Whether another person looked at it already.
    pub is_reviewed: bool,
    /// Its page.
    pub link: String,
}

impl EmergencyTold {
    /// Writes the mail.
    #[must_use]
    pub fn letter(&self) -> Letter {
        let body = format!(
            "{}\n----------------------------------------\n\n{}",
            self.part(Lang::Ja),
            self.part(Lang::En)
        );
        Letter {
            subject: self.subject(),
            body,
            message_id: self.key.message_id(),
            thread_id: format!("<{}@alerts.shirase.invalid>", self.release.incident),
            created_at: self.created_at,
        }
    }

    /// Returns what a webhook is told.
    #[must_use]
    pub fn post(&self) -> PostEmergency {
        PostEmergency {
            kind: "emergency_release",
            message_id: self.key.message_id(),
            text: self.subject(),
            facility: self.key.facility.clone(),
            facility_name: one_line(&self.facility),
            incident: self.release.incident,
            number: self.number,
            is_drill: self.drill,
            report: self.key.report,
            revision: self.key.revision,
            title: self.title.clone(),
            released_by: one_line(&self.release.by.name),
            released_at: self.release.at,
            reason: one_line(&self.release.reason),
            is_reviewed: self.release.review.is_some(),
            link: self.link.clone(),
        }
    }

    /// Returns the mail's subject.
    #[must_use]
    pub fn subject(&self) -> String {
        let key = if self.drill { "emergency-subject-drill" } else { "emergency-subject" };
        let facility = one_line(&self.facility);
        Locale::new(Lang::Ja).text_with(key, &[("facility", &facility), ("number", &self.number)])
    }

    fn part(&self, lang: Lang) -> String {
        let locale = Locale::new(lang);
        let mut lines = Vec::new();
        if self.drill {
            lines.extend([locale.text("notify-drill"), String::new()]);
        }
        let (facility, title) = (one_line(&self.facility), one_line(self.title.in_lang(lang)));
        lines.push(locale.text_with(
            "emergency-mail-what",
            &[("facility", &facility), ("number", &self.number), ("title", &title)],
        ));
        let (name, time) = (one_line(&self.release.by.name), japan_time(self.release.at));
        lines.push(locale.text_with("emergency-mail-who", &[("name", &name), ("time", &time)]));
        let reason = one_line(&self.release.reason);
        lines.push(locale.text_with("emergency-mail-why", &[("reason", &reason)]));
        lines.push(String::new());
        lines.push(match &self.release.review {
            None => locale.text("emergency-mail-review"),
            Some(review) => {
                locale.text_with("emergency-mail-reviewed", &[("name", &one_line(&review.by.name))])
            }
        });
        lines.push(locale.text_with("emergency-mail-link", &[("link", &self.link)]));
        lines.push(String::new());

        lines.join("\n")
    }
}

fn one_line(text: &str) -> String {
    visible(text)
        .replace(['\n', '\t', '\r'], " ")
        .chars()
        .take(LINE_MAX_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use shirase_shared::event::Severity;
    use shirase_shared::ids::UserId;

    use super::*;
    use crate::notify::ChannelKind;
    use crate::reports::answer::NamedPerson;

    fn release(revision: u32) -> EmergencyRelease {
        let user = UserId::from_uuid(uuid::Uuid::from_u128(1));
        EmergencyRelease {
            incident: IncidentId::from_uuid(uuid::Uuid::from_u128(2)),
            report: ReportId::from_uuid(uuid::Uuid::from_u128(3)),
            revision: Revision(revision),
            by: NamedPerson { user, name: "当直 次郎".to_owned() },
            at: "2026-02-08T18:12:00Z".parse().unwrap(),
            reason: "院長・事務長とも\r\nBcc: x@y と連絡がとれない".to_owned(),
            review: None,
        }
    }

    fn channel(id: &str, min_severity: Severity) -> Channel {
        Channel {
            facility: "handa".parse().unwrap(),
            id: id.parse().unwrap(),
            kind: ChannelKind::Mail,
            target: "a@example.jp".to_owned(),
            min_severity,
        }
    }

    #[test]
    fn each_release_is_told_once_over_every_channel() {
        let channels = [channel("all", Severity::Low), channel("night", Severity::Critical)];
        let mut outbox = BTreeSet::new();
        let first = missing(&[release(5)], &channels, &outbox);
        assert_eq!(first.len(), 2);
        outbox.extend(first);
        assert!(missing(&[release(5)], &channels, &outbox).is_empty());
        assert_eq!(missing(&[release(5), release(7)], &channels, &outbox).len(), 2);
    }

    #[test]
    fn the_letter_says_who_why_and_what_is_left_to_do_in_one_line_each() {
        let key = missing(&[release(5)], &[channel("all", Severity::Low)], &BTreeSet::new());
        let told = EmergencyTold {
            key: key.into_iter().next().unwrap(),
            created_at: release(5).at,
            facility: "半田中央病院".to_owned(),
            number: 7,
            drill: false,
            title: Both { ja: "第一報（連絡）".to_owned(), en: "First contact".to_owned() },
            release: release(5),
            link: "https://collector.example/facilities/handa/reports/3".to_owned(),
        };
        let letter = told.letter();
        assert!(letter.subject.contains("緊急承認") && letter.subject.contains("半田中央病院"));
        for part in ["当直 次郎", "2026-02-09 03:12:00 JST", "事後確認", "First contact"] {
            assert!(letter.body.contains(part), "{part} in {}", letter.body);
        }
        assert!(!letter.body.contains("\r") && !letter.body.contains("\nBcc"));
        let post = serde_json::to_value(told.post()).unwrap();
        assert_eq!(
            (&post["kind"], &post["is_reviewed"]),
            (&"emergency_release".into(), &false.into())
        );
        let drill = EmergencyTold { drill: true, ..told };
        assert!(drill.subject().starts_with("【訓練】"));
        assert!(drill.letter().body.starts_with("【訓練】"));
    }
}
