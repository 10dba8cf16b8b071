//! What can be wrong with the text of a column, and the words that say what to do.

use serde::Serialize;

use super::TableColumn;
use crate::locale::Locale;

/// What is wrong with one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw<C> {
    /// Which.
    pub column: C,
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
    /// No id such as an exported table has.
    Id,
    /// No code of a medical institution.
    Code,
    /// Another one has this code.
    CodeTaken,
    /// No partner of that name.
    Partner,
}

impl FlawKind {
    /// Every kind.
    pub const ALL: [Self; 22] = [
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
        Self::Code,
        Self::CodeTaken,
        Self::Partner,
    ];

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn text_key(self) -> &'static str {
        match self {
            Self::Missing => "flaw-missing",
            Self::Choice => "flaw-choice",
            Self::Nameless => "flaw-nameless",
            Self::Unreachable => "flaw-unreachable",
            Self::DutyMissing => "flaw-duty-missing",
            Self::DutyOfOther => "flaw-duty-of-other",
            Self::TooLong => "flaw-too-long",
            Self::Hidden => "flaw-hidden",
            Self::Phone => "flaw-phone",
            Self::PhoneLength => "flaw-phone-length",
            Self::PhoneSeveral => "flaw-phone-several",
            Self::Mail => "flaw-mail",
            Self::Web => "flaw-web",
            Self::Date => "flaw-date",
            Self::DateAhead => "flaw-date-ahead",
            Self::DateOrder => "flaw-date-order",
            Self::Place => "flaw-place",
            Self::HalfVerified => "flaw-half-verified",
            Self::Id => "flaw-id",
            Self::Code => "flaw-code",
            Self::CodeTaken => "flaw-code-taken",
            Self::Partner => "flaw-partner",
        }
    }
}

impl<C: TableColumn> Flaw<C> {
    /// Says it: the column, what stands there, and what to do.
    #[must_use]
    pub fn words(&self, locale: Locale) -> String {
        let label = locale.text(self.column.label_key());
        let remedy = locale.text(self.kind.text_key());
        if self.said.is_empty() {
            return locale.text_with("flaw", &[("column", &label), ("remedy", &remedy)]);
        }
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("column", &label), ("said", &self.said), ("remedy", &remedy)];
        locale.text_with("flaw-said", &values)
    }
}
