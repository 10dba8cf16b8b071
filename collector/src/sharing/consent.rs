//! Whether the facility consents to sharing, and how far: an answer of the sheet (field 47) that a person gave.

use serde::{Deserialize, Serialize};

use crate::exchange::kind::Tlp;
use crate::reports::answer::{Answer, AnswerStatus, Source, Value};

/// A consent as it stood when a product was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The widest mark it allows.
    pub widest: Tlp,
    /// Revision of the answer.
    pub revision: u32,
}

/// Why there is no consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// Nobody answered.
    #[error("field 47 (consent to share) is not answered; a person has to answer it first")]
    Open,
    /// The answer is that nothing is shared.
    #[error("the answer to field 47 is that nothing may be shared")]
    Refused,
    /// The answer does not name the CEPTOAR.
    #[error("the answer to field 47 does not name the medical CEPTOAR")]
    NotCeptoar,
    /// The mark is wider than the answer allows.
    #[error("the answer to field 47 allows {allowed} at the widest", allowed = .0.mark())]
    Wider(Tlp),
}

impl ConsentError {
    /// Returns the key of its words.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Open => "sharing-consent-open",
            Self::Refused => "sharing-consent-refused",
            Self::NotCeptoar => "sharing-consent-not-ceptoar",
            Self::Wider(_) => "sharing-consent-wider",
        }
    }
}

impl Consent {
    /// Reads the answer to field 47. One without a mark allows TLP:AMBER.
    ///
    /// # Errors
    /// When it is no consent.
    pub fn of(answer: Option<&Answer>) -> Result<Self, ConsentError> {
        let answer = answer.ok_or(ConsentError::Open)?;
        let by_person = match answer.source {
            Source::Person { .. } => true,
            // What was told is no decision of the house.
            Source::Machine { .. } | Source::Told { .. } | Source::MasterData => false,
        };
        let Value::Choices { chosen, .. } = &answer.value else { return Err(ConsentError::Open) };
        let says = |code: &str| chosen.iter().any(|one| one == code);
        if says("refused") {
            return Err(ConsentError::Refused);
        }
        if !by_person || answer.status != AnswerStatus::Confirmed || chosen.is_empty() {
            return Err(ConsentError::Open);
        }
        if !says("ceptoar") {
            return Err(ConsentError::NotCeptoar);
        }
        let marks = Tlp::ALL
            .into_iter()
            .filter(|mark| says(&format!("tlp-{}", mark.as_str().replace('_', "-"))));

        Ok(Self { widest: marks.max().unwrap_or(Tlp::Amber), revision: answer.revision.0 })
    }

    /// Checks that a mark is no wider than what was consented to.
    ///
    /// # Errors
    /// When it is.
    pub fn covers(&self, tlp: Tlp) -> Result<(), ConsentError> {
        if tlp <= self.widest { Ok(()) } else { Err(ConsentError::Wider(self.widest)) }
    }
}
