//! A product on its way: drafted by some, submitted by one of them, approved by another.
//!
//! Always holds: from its submission to its approval nothing of it changes; sent back, it is a draft again.

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{FacilityId, IncidentId, ProductId, UserId};

use super::{Body, BodyError, Consent, ConsentError, Found, Known};
use crate::exchange::PackageId;
use crate::locale::Locale;
use crate::reports::answer::NamedPerson;

/// A product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Whose.
    pub facility: FacilityId,
    /// Its identity.
    pub id: ProductId,
    /// Its number within the facility, from 1.
    pub number: u64,
    /// The incident it tells of; none for one made from others.
    pub incident: Option<IncidentId>,
    /// The packages it was made from; none for one made from an incident.
    pub origins: Vec<PackageId>,
    /// What it says; once it was submitted, what was frozen.
    pub body: Body,
    /// Grows by one with every change.
    pub revision: u32,
    /// Everybody who wrote or submitted it.
    pub authors: Vec<NamedPerson>,
    /// The consent as it stood at the submission.
    pub consent: Option<Consent>,
    /// How it stands.
    pub state: ProductState,
    /// Why it was last sent back; empty if it was not.
    pub reason: String,
    /// When it was begun.
    pub made_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// How a product stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductState {
    /// It is being written.
    Draft,
    /// It is frozen and waits for a second person.
    Submitted(Decided),
    /// A second person approved it.
    Approved(Decided),
}

/// Who did something to what was frozen, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Who.
    pub by: NamedPerson,
    /// When.
    pub at: Timestamp,
    /// Hash of the frozen body.
    pub sha256: String,
}

impl ProductState {
    /// Returns the name used in the database and as a key of the locale files.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted(_) => "submitted",
            Self::Approved(_) => "approved",
        }
    }
}

/// Why something was not done to a product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProductError {
    /// What it says cannot stand.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It tells what must not be told.
    #[error("it tells what must not be told: {}", told(.0))]
    Names(Vec<Found>),
    /// The facility does not consent.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// It is frozen.
    #[error("the product was submitted; send it back before changing it")]
    Frozen,
    /// It waits for nobody.
    #[error("the product waits for no approval")]
    NotSubmitted,
    /// It was not approved.
    #[error("the product is not approved")]
    NotApproved,
    /// Its author would approve it.
    #[error("whoever wrote or submitted a product cannot approve it; another approver has to")]
    OwnProduct,
    /// It is marked wider than what it was made from.
    #[error("it is marked wider than a product it was made from")]
    WiderThanOrigin,
    /// What it was made from cannot be passed on, or not together.
    #[error(
        "one of them may not be passed on (TLP:RED, TLP:AMBER+STRICT), or an exercise's would be mixed with a real one"
    )]
    NotMergeable,
}

impl ProductError {
    /// Returns the key of its words; what was found says its own.
    #[must_use]
    pub const fn label_key(&self) -> &'static str {
        match self {
            Self::Body(error) => error.label_key(),
            Self::Names(_) => "sharing-found",
            Self::Consent(error) => error.label_key(),
            Self::Frozen => "sharing-refused-frozen",
            Self::NotSubmitted => "sharing-refused-not-submitted",
            Self::NotApproved => "sharing-refused-not-approved",
            Self::OwnProduct => "sharing-refused-own",
            Self::WiderThanOrigin => "sharing-refused-wider-origin",
            Self::NotMergeable => "sharing-refused-merge",
        }
    }

    /// Says what is wrong, each thing by itself.
    #[must_use]
    pub fn words(&self, locale: Locale) -> Vec<String> {
        let Self::Names(found) = self else { return vec![locale.text(self.label_key())] };
        let word = |one: &Found| {
            let kind = locale.text(one.kind.label_key());
            locale.text_with(self.label_key(), &[("kind", &kind), ("words", &one.words)])
        };
        found.iter().map(word).collect()
    }
}

fn told(found: &[Found]) -> String {
    let words: Vec<&str> = found.iter().map(|one| one.words.as_str()).collect();
    words.join(", ")
}

/// What a product is held against before it is frozen and again before it is approved.
#[derive(Clone, Copy, Debug)]
pub struct Measure<'a> {
    /// What must not be told.
    pub known: &'a Known,
    /// The facility's consent; of a product made from others nobody is asked again.
    pub consent: Option<&'a Result<Consent, ConsentError>>,
    /// The narrowest mark of what it was made from.
    pub narrowest: Option<crate::exchange::kind::Tlp>,
}

impl Product {
    /// Checks that it could be frozen as it stands.
    ///
    /// # Errors
    /// Says what has to be done first.
    pub fn measure(&self, by: Measure<'_>) -> Result<(), ProductError> {
        self.body.check()?;
        let found = by.known.found_in(&self.body);
        if !found.is_empty() {
            return Err(ProductError::Names(found));
        }
        match by.consent {
            Some(Ok(consent)) => consent.covers(self.body.tlp)?,
            Some(Err(error)) => return Err((*error).into()),
            None => {}
        }
        if by
            .narrowest
            .is_some_and(|narrowest| narrowest < self.body.tlp)
        {
            return Err(ProductError::WiderThanOrigin);
        }

        Ok(())
    }

    /// Checks that it may still be changed.
    ///
    /// # Errors
    /// When it is frozen.
    pub const fn must_be_draft(&self) -> Result<(), ProductError> {
        match self.state {
            ProductState::Draft => Ok(()),
            ProductState::Submitted(_) | ProductState::Approved(_) => Err(ProductError::Frozen),
        }
    }

    /// Returns its submission.
    ///
    /// # Errors
    /// When it waits for nobody.
    pub const fn submitted(&self) -> Result<&Decided, ProductError> {
        match &self.state {
            ProductState::Submitted(decided) => Ok(decided),
            ProductState::Draft | ProductState::Approved(_) => Err(ProductError::NotSubmitted),
        }
    }

    /// Checks that somebody may approve it: everybody but its authors.
    ///
    /// # Errors
    /// When it waits for nobody, or the same person wrote it.
    pub fn may_be_approved_by(&self, user: UserId) -> Result<(), ProductError> {
        let submitted = self.submitted()?;
        let own = submitted.by.user == user || self.authors.iter().any(|one| one.user == user);
        if own { Err(ProductError::OwnProduct) } else { Ok(()) }
    }
}
