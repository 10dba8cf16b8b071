//! What a person did by hand or decided, and what such a record must hold.

use jiff::Timestamp;
use shirase_shared::ids::{DeliveryId, FacilityId, UserId};

use super::{Carrier, Choice, Delivery, Outcome, Refusal, State};

/// What a person decided, with why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Whose delivery.
    pub facility: FacilityId,
    /// Which.
    pub delivery: DeliveryId,
    /// The decision.
    pub choice: Choice,
    /// How they know, or why; one line.
    pub note: String,
    /// The addressee's 受付番号, if it was given.
    pub receipt: String,
    /// Who.
    pub by: UserId,
}

/// What a person did by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose delivery.
    pub facility: FacilityId,
    /// Which.
    pub delivery: DeliveryId,
    /// Delivered, not reached, or not taken.
    pub outcome: Outcome,
    /// When, as the person says.
    pub at: Timestamp,
    /// Who answered at the other side.
    pub spoke_with: String,
    /// What they said; one line.
    pub answer: String,
    /// The addressee's 受付番号.
    pub receipt: String,
    /// Who did it.
    pub by: UserId,
}

/// Longest line a person may record, in characters.
pub const LINE_MAX: usize = 500;

impl Record {
    /// Checks what was recorded against the delivery and the moment of the release.
    ///
    /// # Errors
    /// Says what cannot stand.
    pub fn check(
        &self,
        delivery: &Delivery,
        released_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if delivery.way.carrier() != Carrier::Person {
            return Err(Refusal::NotByHand);
        }
        if delivery.state != State::Waiting {
            return Err(Refusal::NotNow(delivery.state));
        }
        // A form knows minutes: the minute in which the report was released counts as after it.
        let minute = jiff::SignedDuration::from_mins(1);
        if self.at < released_at - minute || now + minute < self.at {
            return Err(Refusal::Time);
        }
        line("spoke_with", &self.spoke_with, Wanted::from(self.outcome == Outcome::Delivered))?;
        line("answer", &self.answer, Wanted::No)?;
        line("receipt", &self.receipt, Wanted::No)
    }

    /// Returns how the delivery stands then.
    #[must_use]
    pub const fn leads_to(&self) -> State {
        match self.outcome {
            Outcome::Delivered => State::Delivered,
            Outcome::Refused => State::Refused,
            Outcome::NotYet | Outcome::Unknown => State::Waiting,
        }
    }
}

impl Decided {
    /// Checks its texts: who says that something arrived says how they know.
    ///
    /// # Errors
    /// Names the text that cannot stand.
    pub fn check(&self) -> Result<(), Refusal> {
        line("note", &self.note, Wanted::from(self.choice == Choice::Delivered))?;
        line("receipt", &self.receipt, Wanted::No)
    }
}

/// Whether a text has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Yes,
    No,
}

impl From<bool> for Wanted {
    fn from(wanted: bool) -> Self {
        if wanted { Self::Yes } else { Self::No }
    }
}

/// Checks a text of one line.
pub(crate) fn line(name: &'static str, text: &str, wanted: Wanted) -> Result<(), Refusal> {
    let missing = wanted == Wanted::Yes && text.trim().is_empty();
    if missing || LINE_MAX < text.chars().count() || text.chars().any(char::is_control) {
        return Err(Refusal::Text(name));
    }

    Ok(())
}
