//! One notice (通知) to many partners: who has it, who read it, and who has to be reminded.
//!
//! ```text
//! written once ─▶ one message a partner ─(released by another person)─▶ packages ─▶ stored ─▶ read by named people
//!                                                                                    └─ unread ─▶ a reminder in the thread
//! ```
//!
//! Always holds: what went out is a package of its own for each partner; how far it came is read from the packages'
//! acknowledgements, never entered.

use jiff::Timestamp;
use shirase_shared::ids::{CircularId, FacilityId, UserId};

use super::PackageId;
use super::kind::{PackageKind, Tlp};
use super::message::MessageState;
use super::partner::PartnerId;
use crate::reports::answer::NamedPerson;

/// One notice to many partners, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circular {
    /// Whose.
    pub facility: FacilityId,
    /// Its identity.
    pub id: CircularId,
    /// A notice (通知), or an invitation to an exercise (訓練の案内).
    pub kind: PackageKind,
    /// One line.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// How far it may be passed on.
    pub tlp: Tlp,
    /// Whether it is an exercise's (訓練).
    pub drill: bool,
    /// The circular this one reminds of.
    pub reminds: Option<CircularId>,
    /// Who wrote it.
    pub written_by: NamedPerson,
    /// When.
    pub written_at: Timestamp,
    /// To whom, in the order of their names.
    pub recipients: Vec<Recipient>,
}

/// One partner a circular goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Which.
    pub partner: PartnerId,
    /// How its message stands.
    pub state: MessageState,
    /// Since when the partner has it.
    pub stored_at: Option<Timestamp>,
    /// Who read it there and when, the first one first.
    pub reads: Vec<(String, Timestamp)>,
}

/// How far a circular came with one partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It waits for its release here.
    Waiting,
    /// It was sent back to whoever wrote it.
    Returned,
    /// It is on its way.
    Underway,
    /// The partner's collector has it, and nobody there said that they read it.
    Arrived,
    /// A named person there read it.
    Read,
}

impl Reach {
    /// Every one, from the beginning of the road to its end.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Returned, Self::Underway, Self::Arrived, Self::Read];

    /// Returns the key of its label in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Waiting => "circular-reach-waiting",
            Self::Returned => "circular-reach-returned",
            Self::Underway => "circular-reach-underway",
            Self::Arrived => "circular-reach-arrived",
            Self::Read => "circular-reach-read",
        }
    }
}

impl Recipient {
    /// Returns how far it came.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match (&self.state, self.stored_at, self.reads.is_empty()) {
            (MessageState::Waiting, _, _) => Reach::Waiting,
            (MessageState::Returned { .. }, _, _) => Reach::Returned,
            (MessageState::Released { .. }, _, false) => Reach::Read,
            (MessageState::Released { .. }, Some(_), true) => Reach::Arrived,
            (MessageState::Released { .. }, None, true) => Reach::Underway,
        }
    }

    /// Returns the package it became.
    #[must_use]
    pub const fn package(&self) -> Option<&PackageId> {
        match &self.state {
            MessageState::Released { package } => Some(package),
            MessageState::Waiting | MessageState::Returned { .. } => None,
        }
    }
}

impl Circular {
    /// Returns how many recipients it has come this far with.
    #[must_use]
    pub fn count(&self, reach: Reach) -> usize {
        let mut all = self.recipients.iter();
        all.by_ref().filter(|one| one.reach() == reach).count()
    }

    /// Whether a person may release what waits of it: everybody but its writer.
    #[must_use]
    pub fn may_be_released_by(&self, user: UserId) -> bool {
        0 < self.count(Reach::Waiting) && self.written_by.user != user
    }

    /// Returns whom to remind: those it went to where nobody read it, whether or not it has arrived.
    pub fn unread(&self) -> impl Iterator<Item = (&PartnerId, &PackageId)> {
        self.recipients
            .iter()
            .filter(|one| matches!(one.reach(), Reach::Underway | Reach::Arrived))
            .filter_map(|one| Some((&one.partner, one.package()?)))
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use shirase_shared::testing::builders::night;

    pub(in crate::exchange) fn package() -> PackageId {
        "ab".repeat(32).parse().unwrap()
    }

    pub(in crate::exchange) fn released(partner: &str) -> Recipient {
        let state = MessageState::Released { package: package() };
        let partner = partner.parse().unwrap();
        Recipient { partner, state, stored_at: None, reads: Vec::new() }
    }

    pub(in crate::exchange) fn circular(recipients: Vec<Recipient>) -> Circular {
        let user = UserId::from_uuid(uuid::Uuid::from_u128(1));
        Circular {
            facility: "pref".parse().unwrap(),
            id: CircularId::random(),
            kind: PackageKind::Notice,
            subject: "通知".to_owned(),
            text: "本文".to_owned(),
            tlp: Tlp::Green,
            drill: false,
            reminds: None,
            written_by: NamedPerson { user, name: "担当".to_owned() },
            written_at: night(),
            recipients,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{circular, package};
    use super::*;
    use shirase_shared::testing::builders::night;

    fn recipient(state: MessageState, stored: bool, read: bool) -> Recipient {
        Recipient {
            partner: "handa".parse().unwrap(),
            state,
            stored_at: stored.then(night),
            reads: if read { vec![("院長".to_owned(), night())] } else { Vec::new() },
        }
    }

    #[test]
    fn how_far_it_came_is_read_from_what_was_acknowledged() {
        let released = || MessageState::Released { package: package() };
        let returned = MessageState::Returned { reason: "誤記".to_owned() };
        for (recipient, expected) in [
            (recipient(MessageState::Waiting, false, false), Reach::Waiting),
            (recipient(returned, false, false), Reach::Returned),
            (recipient(released(), false, false), Reach::Underway),
            (recipient(released(), true, false), Reach::Arrived),
            // A person's word tells that it arrived, even where the machine's was lost.
            (recipient(released(), false, true), Reach::Read),
        ] {
            assert_eq!(recipient.reach(), expected);
        }
    }

    #[test]
    fn only_those_it_went_to_and_who_did_not_read_it_are_reminded() {
        let released = || MessageState::Released { package: package() };
        let circular = circular(vec![
            recipient(MessageState::Waiting, false, false),
            recipient(released(), false, false),
            recipient(released(), true, false),
            recipient(released(), true, true),
        ]);
        assert_eq!(circular.unread().count(), 2);
        assert_eq!(circular.count(Reach::Read), 1);
    }

    #[test]
    fn the_writer_releases_nothing() {
        let circular = circular(vec![recipient(MessageState::Waiting, false, false)]);
        assert!(!circular.may_be_released_by(circular.written_by.user));
        assert!(circular.may_be_released_by(UserId::from_uuid(uuid::Uuid::from_u128(2))));
    }
}
