//! When it happened, rounded: thirds of a month (上旬, 中旬, 下旬), so that a day in the press points at nobody.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::locale::Locale;

/// A third of a month. Written `2026-02/1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Third {
    year: i16,
    month: i8,
    part: i8,
}

/// Why a text is no third of a month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no third of a month; write one such as 2026-02/1")]
pub struct ThirdError(String);

impl Third {
    /// Returns the third a day lies in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        let part = match day.day() {
            ..=10 => 1,
            11..=20 => 2,
            21.. => 3,
        };
        Self { year: day.year(), month: day.month(), part }
    }

    /// Returns its first day.
    #[must_use]
    pub fn first_day(self) -> Date {
        Date::constant(self.year, self.month, (self.part - 1) * 10 + 1)
    }

    /// Returns its last day.
    #[must_use]
    pub fn last_day(self) -> Date {
        match self.part {
            1 | 2 => Date::constant(self.year, self.month, self.part * 10),
            _ => self.first_day().last_of_month(),
        }
    }

    /// Returns it in words.
    #[must_use]
    pub fn words(self, locale: Locale) -> String {
        let key = match self.part {
            1 => "sharing-third-early",
            2 => "sharing-third-middle",
            _ => "sharing-third-late",
        };
        let (year, month) = (self.year.to_string(), self.month.to_string());
        locale.text_with(key, &[("year", &year), ("month", &month)])
    }
}

impl fmt::Display for Third {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}/{}", self.year, self.month, self.part)
    }
}

impl FromStr for Third {
    type Err = ThirdError;

    fn from_str(text: &str) -> Result<Self, ThirdError> {
        let wrong = || ThirdError(text.chars().take(16).collect());
        let (month, part) = text.split_once('/').ok_or_else(wrong)?;
        let first: Date = format!("{month}-01").parse().map_err(|_| wrong())?;
        let part: i8 = part.parse().map_err(|_| wrong())?;
        let read = Self { year: first.year(), month: first.month(), part };
        let sound = (1..=3).contains(&part) && read.to_string() == text;
        if sound { Ok(read) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Third {
    type Error = ThirdError;

    fn try_from(text: String) -> Result<Self, ThirdError> {
        text.parse()
    }
}

impl From<Third> for String {
    fn from(third: Third) -> Self {
        third.to_string()
    }
}

/// From one third to another, or within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Where it begins.
    pub from: Third,
    /// Where it ends; never before its beginning.
    pub to: Third,
}

impl Span {
    /// Rounds two days in either order.
    #[must_use]
    pub fn of(one: Date, other: Date) -> Self {
        Self { from: Third::of(one.min(other)), to: Third::of(one.max(other)) }
    }

    /// Returns the span that covers both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    /// Returns it in words.
    #[must_use]
    pub fn words(self, locale: Locale) -> String {
        if self.from == self.to {
            return self.from.words(locale);
        }
        let (from, to) = (self.from.words(locale), self.to.words(locale));
        locale.text_with("sharing-span", &[("from", &from), ("to", &to)])
    }
}
