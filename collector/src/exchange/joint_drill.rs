//! An exercise of several organisations: who was invited, who takes part, who detected, reported and acknowledged when.
//!
//! Always holds: every moment is read from a package; nobody enters one. Only an exercise's packages count.

use jiff::Timestamp;

use super::PackageId;
use super::circular::{Circular, Reach, Recipient};
use super::partner::PartnerId;

/// A package a partner sent, as far as an exercise asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillLetter {
    /// From whom.
    pub partner: PartnerId,
    /// The thread it belongs to.
    pub thread: PackageId,
    /// What it is.
    pub what: DrillWord,
    /// When it was made, by the sender's clock.
    pub made_at: Timestamp,
    /// When it was stored here.
    pub stored_at: Timestamp,
    /// When somebody here said that they read it.
    pub read_at: Option<Timestamp>,
}

/// What a package says about an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrillWord {
    /// An answer to the invitation.
    Answer,
    /// A report of the exercise, with the moment at which it says that it was detected.
    Report {
        /// When, if the report reads.
        detected_at: Option<Timestamp>,
    },
    /// What came of it, in words.
    Result,
}

/// How one partner fares in an exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participation {
    /// Who.
    pub partner: PartnerId,
    /// How far the invitation came.
    pub invited: Reach,
    /// When they answered it.
    pub answered_at: Option<Timestamp>,
    /// When they detected it, by their first report.
    pub detected_at: Option<Timestamp>,
    /// When that report was made.
    pub reported_at: Option<Timestamp>,
    /// When it was stored here.
    pub received_at: Option<Timestamp>,
    /// When somebody here read it.
    pub acknowledged_at: Option<Timestamp>,
    /// When what came of it was stored here: the last word.
    pub result_at: Option<Timestamp>,
}

/// Returns how everybody fares whom an invitation was sent to, in the order of its recipients.
///
/// An answer counts in the invitation's own thread; a report from the moment the invitation was written, and the earliest
/// one is theirs.
#[must_use]
pub fn participations(invitation: &Circular, letters: &[DrillLetter]) -> Vec<Participation> {
    let of = |recipient: &Recipient| {
        let own = letters
            .iter()
            .filter(|letter| letter.partner == recipient.partner)
            .filter(|letter| invitation.written_at <= letter.stored_at);
        let answers = own.clone().filter(|letter| {
            letter.what == DrillWord::Answer && Some(&letter.thread) == recipient.package()
        });
        let results = own.clone().filter(|letter| {
            letter.what == DrillWord::Result && Some(&letter.thread) == recipient.package()
        });
        let reports = own.filter_map(|letter| match letter.what {
            DrillWord::Report { detected_at } => Some((letter, detected_at)),
            DrillWord::Answer | DrillWord::Result => None,
        });
        let first = reports.min_by_key(|(letter, _)| letter.made_at);
        Participation {
            partner: recipient.partner.clone(),
            invited: recipient.reach(),
            answered_at: answers.map(|letter| letter.stored_at).min(),
            detected_at: first.and_then(|(_, detected)| detected),
            reported_at: first.map(|(letter, _)| letter.made_at),
            received_at: first.map(|(letter, _)| letter.stored_at),
            acknowledged_at: first.and_then(|(letter, _)| letter.read_at),
            result_at: results.map(|letter| letter.stored_at).max(),
        }
    };
    invitation.recipients.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::circular::samples::{circular, package, released};
    use jiff::SignedDuration;

    fn letter(what: DrillWord, minutes: i64) -> DrillLetter {
        let begun = circular(Vec::new()).written_at;
        let made_at = begun + SignedDuration::from_mins(minutes);
        let (stored_at, read_at) = (made_at + SignedDuration::from_secs(5), None);
        let partner = "handa".parse().unwrap();
        DrillLetter { partner, thread: package(), what, made_at, stored_at, read_at }
    }

    #[test]
    fn the_first_report_after_the_invitation_is_theirs() {
        let invitation = circular(vec![released("handa"), released("oki")]);
        let detected_at = Some(letter(DrillWord::Answer, 59).made_at);
        let letters = [
            letter(DrillWord::Report { detected_at: None }, -90),
            letter(DrillWord::Answer, 10),
            letter(DrillWord::Report { detected_at: None }, 95),
            letter(DrillWord::Report { detected_at }, 60),
            letter(DrillWord::Result, 200),
        ];
        let elsewhere = DrillLetter {
            thread: "cd".repeat(32).parse().unwrap(),
            ..letter(DrillWord::Answer, 1)
        };
        let alone = participations(&invitation, &[elsewhere]);
        assert_eq!(alone[0].answered_at, None, "an answer to something else");
        let [handa, oki] = &participations(&invitation, &letters)[..] else { panic!() };
        assert_eq!(handa.reported_at, Some(letters[3].made_at));
        assert_eq!(handa.detected_at, detected_at);
        assert_eq!(handa.answered_at, Some(letters[1].stored_at));
        assert_eq!(handa.acknowledged_at, None);
        assert_eq!(handa.result_at, Some(letters[4].stored_at));
        assert_eq!((oki.answered_at, oki.reported_at), (None, None));
    }
}
