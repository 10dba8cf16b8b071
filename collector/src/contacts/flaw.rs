//! What can be wrong with the texts of a contact, and the words that say what to do.

use serde::Serialize;

use super::kind::Column;
use crate::locale::Locale;

/// What is wrong with one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// Which.
    pub column: Column,
    /// What.
    pub kind: FlawKind,
    /// What stands there, shortened.
    pub said: String,
}

/// Kinds of flaw. Each has words that say what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlawKind {
    /// It must not be empty.
    Missing,
    /// It is none of the choices.
    Choice,
    /// Neither an organisation nor a person is named.
    Nameless,
    /// No number, no address and no page.
    Unreachable,
    /// A member of staff without a duty.
    DutyMissing,
    /// A duty of somebody who is not on the staff.
    DutyOfOther,
    /// Too many characters.
    TooLong,
    /// Line breaks or characters that hide.
    Hidden,
    /// No telephone number.
    Phone,
    /// Too few or too many digits.
    PhoneLength,
    /// More than one number.
    PhoneSeveral,
    /// No mail address.
    Mail,
    /// No web address.
    Web,
    /// No date.
    Date,
    /// A verification in the future.
    DateAhead,
    /// It ends before it begins.
    DateOrder,
    /// No number from 1.
    Place,
    /// A verification without a day or without a person.
    HalfVerified,
    /// No id of a contact.
    Id,
}

impl FlawKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::Missing,
        Self::Choice,
        Self::Nameless,
        Self::Unreachable,
        Self::DutyMissing,
        Self::DutyOfOther,
        Self::TooLong,
        Self::Hidden,
        Self::Phone,
        Self::PhoneLength,
        Self::PhoneSeveral,
        Self::Mail,
        Self::Web,
        Self::Date,
        Self::DateAhead,
        Self::DateOrder,
        Self::Place,
        Self::HalfVerified,
        Self::Id,
    ];

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn text_key(self) -> &'static str {
        match self {
            Self::Missing => "contact-flaw-missing",
            Self::Choice => "contact-flaw-choice",
            Self::Nameless => "contact-flaw-nameless",
            Self::Unreachable => "contact-flaw-unreachable",
            Self::DutyMissing => "contact-flaw-duty-missing",
            Self::DutyOfOther => "contact-flaw-duty-of-other",
            Self::TooLong => "contact-flaw-too-long",
            Self::Hidden => "contact-flaw-hidden",
            Self::Phone => "contact-flaw-phone",
            Self::PhoneLength => "contact-flaw-phone-length",
            Self::PhoneSeveral => "contact-flaw-phone-several",
            Self::Mail => "contact-flaw-mail",
            Self::Web => "contact-flaw-web",
            Self::Date => "contact-flaw-date",
            Self::DateAhead => "contact-flaw-date-ahead",
            Self::DateOrder => "contact-flaw-date-order",
            Self::Place => "contact-flaw-place",
            Self::HalfVerified => "contact-flaw-half-verified",
            Self::Id => "contact-flaw-id",
        }
    }
}

impl Flaw {
    /// Says it: the column, what stands there, and what to do.
    #[must_use]
    pub fn words(&self, locale: Locale) -> String {
        let label = locale.text(self.column.label_key());
        let remedy = locale.text(self.kind.text_key());
        if self.said.is_empty() {
            return locale.text_with("contact-flaw", &[("column", &label), ("remedy", &remedy)]);
        }
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("column", &label), ("said", &self.said), ("remedy", &remedy)];
        locale.text_with("contact-flaw-said", &values)
    }
}
