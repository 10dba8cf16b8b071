//! How far somebody has come with signing in.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use shirase_shared::ids::UserId;

/// A session not used for this long is over.
pub const SESSION_IDLE: SignedDuration = SignedDuration::from_mins(30);
/// A session is over after this long, used or not.
pub const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(12);
/// A sign-in not completed after this long is over.
pub const SIGN_IN_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// The stages of signing in, in their order. Each ends with a new session under a new cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The password was right but has to be replaced.
    PasswordChange,
    /// The second factor has to be set up.
    SecondFactorSetup,
    /// The second factor has to be shown.
    SecondFactor,
    /// Signed in.
    Full,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 4] =
        [Self::PasswordChange, Self::SecondFactorSetup, Self::SecondFactor, Self::Full];

    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChange => "password_change",
            Self::SecondFactorSetup => "second_factor_setup",
            Self::SecondFactor => "second_factor",
            Self::Full => "full",
        }
    }

    /// Returns what comes after the right password.
    #[must_use]
    pub const fn after_password(must_change: bool, second_factor: bool) -> Self {
        if must_change { Self::PasswordChange } else { Self::after_change(second_factor) }
    }

    /// Returns what comes after the change of a password that was given out once.
    #[must_use]
    pub const fn after_change(second_factor: bool) -> Self {
        if second_factor { Self::SecondFactor } else { Self::SecondFactorSetup }
    }

    /// Returns how long a session of this stage lives at most.
    #[must_use]
    pub const fn life(self) -> SignedDuration {
        match self {
            Self::PasswordChange | Self::SecondFactorSetup | Self::SecondFactor => SIGN_IN_LIFE,
            Self::Full => SESSION_LIFE,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no stage.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no stage of a session")]
pub struct StageError(String);

impl FromStr for Stage {
    type Err = StageError;

    fn from_str(text: &str) -> Result<Self, StageError> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.as_str() == text)
            .ok_or_else(|| StageError(text.chars().take(80).collect()))
    }
}

/// One session. Its cookie's value is known to the browser alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user: UserId,
    /// What every form of it has to carry.
    pub csrf: String,
    /// How far the sign-in has come.
    pub stage: Stage,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
    /// When it is over at the latest.
    pub expires: Timestamp,
}

impl Session {
    /// Begins one.
    #[must_use]
    pub fn begin(user: UserId, stage: Stage, csrf: String, now: Timestamp) -> Self {
        Self { user, csrf, stage, created: now, seen: now, expires: now + stage.life() }
    }

    /// Whether it still counts.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires && now.duration_since(self.seen) < SESSION_IDLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_when_old() {
        let at = Timestamp::UNIX_EPOCH;
        let mut session = Session::begin(UserId::random(), Stage::Full, String::new(), at);
        assert!(session.is_live(at + SignedDuration::from_mins(29)));
        assert!(!session.is_live(at + SignedDuration::from_mins(30)));
        session.seen = at + SignedDuration::from_mins(719);
        assert!(session.is_live(at + SignedDuration::from_mins(719)));
        assert!(!session.is_live(at + SESSION_LIFE));
        let half = Session::begin(UserId::random(), Stage::SecondFactor, String::new(), at);
        assert!(!half.is_live(at + SIGN_IN_LIFE));
    }

    #[test]
    fn nobody_gets_past_the_second_factor() {
        for must_change in [false, true] {
            for second_factor in [false, true] {
                assert_ne!(Stage::after_password(must_change, second_factor), Stage::Full);
            }
        }
        assert_eq!(Stage::after_password(true, true), Stage::PasswordChange);
        assert_eq!(Stage::after_change(true), Stage::SecondFactor);
    }
}
