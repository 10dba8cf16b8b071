//! How a delivery stands, what an attempt comes to, and what a person may decide: the whole life of a delivery as tables.

use std::fmt;

use super::{Attempt, Refusal, Way};

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// To be done: by the collector or by a person.
    Waiting,
    /// The addressee has it.
    Delivered,
    /// The text was handed over and no answer came: a person decides.
    Unknown,
    /// The other side does not take it.
    Refused,
    /// It did not get through, and is not tried any more by itself.
    Failed,
    /// A person gave it up, or its report is not released any more.
    Stopped,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Delivered, Self::Unknown, Self::Refused, Self::Failed, Self::Stopped];

    /// Returns the name used in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Returns the key of its name in the locale files.
    #[must_use]
    pub fn label_key(self) -> String {
        format!("delivery-{}", self.as_str())
    }

    /// Whether a person has to look at it.
    #[must_use]
    pub const fn asks_a_person(self) -> bool {
        match self {
            Self::Unknown | Self::Refused | Self::Failed => true,
            Self::Waiting | Self::Delivered | Self::Stopped => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it.
    Delivered,
    /// Certainly nothing was handed over; the same can be tried later.
    NotYet,
    /// The other side does not take it.
    Refused,
    /// It was handed over and no answer came.
    Unknown,
}

impl Outcome {
    /// Returns the name used in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::NotYet => "not_yet",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Delivered, Self::NotYet, Self::Refused, Self::Unknown]
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

/// Returns how a delivery stands after an attempt of the machine, and whether it is tried again.
#[must_use]
pub const fn after(outcome: Outcome, failures: u32, attempts_max: u32) -> State {
    match outcome {
        Outcome::Delivered => State::Delivered,
        Outcome::Refused => State::Refused,
        Outcome::Unknown => State::Unknown,
        Outcome::NotYet if failures < attempts_max => State::Waiting,
        Outcome::NotYet => State::Failed,
    }
}

/// Returns what an attempt whose end nobody saw came to: the collector was killed in the middle of it.
#[must_use]
pub const fn broken_off(way: Way, attempt: &Attempt) -> Outcome {
    match (way, attempt.handing_over_at) {
        // A folder is written whole or not at all, and writing the same once more changes nothing.
        // The same holds for a package, which is sealed once.
        (Way::Folder | Way::Partner, _) | (_, None) => Outcome::NotYet,
        (Way::Mail | Way::Phone | Way::Fax | Way::Web | Way::Medium, Some(_)) => Outcome::Unknown,
    }
}

/// What a person decides about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The addressee has it.
    Delivered,
    /// It is sent once more, with the same id.
    Again,
    /// It is given up.
    Stop,
}

impl Choice {
    /// Returns the name used in forms, on the command line and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Again => "again",
            Self::Stop => "stop",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Delivered, Self::Again, Self::Stop]
            .into_iter()
            .find(|choice| choice.as_str() == name)
    }

    /// Returns the state it leads to.
    ///
    /// # Errors
    /// When it does not fit how the delivery stands.
    pub const fn on(self, state: State) -> Result<State, Refusal> {
        match (self, state) {
            (Self::Delivered, State::Unknown) => Ok(State::Delivered),
            (Self::Again, State::Unknown | State::Refused | State::Failed) => Ok(State::Waiting),
            (Self::Stop, State::Waiting | State::Unknown | State::Refused | State::Failed) => {
                Ok(State::Stopped)
            }
            (Self::Delivered | Self::Again | Self::Stop, state) => Err(Refusal::NotNow(state)),
        }
    }
}
