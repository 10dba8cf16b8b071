//! Work that is expected on a root at certain times, as settings say it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::Problem;

/// Work that is expected on a root at certain times.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What people call it.
    pub name: String,
    /// Label of the root it works on.
    pub root: String,
    /// Days on which it begins; none means every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it may begin, in local time.
    pub from: TimeOfDay,
    /// When it is over, in local time; before `from` means on the next day.
    pub until: TimeOfDay,
    /// What it does to files that were there before.
    #[serde(default = "Work::all")]
    pub expects: Vec<Work>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// What ordinary mass work can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// It deletes, moves away or empties files.
    Removals,
    /// It gives files other suffixes or none.
    Renames,
}

impl Work {
    /// Returns every kind.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![Self::Removals, Self::Renames]
    }
}

/// A time of day, written `02:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    minutes: i64,
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = |text: &str, below: i64| -> Option<i64> {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten();
            number.filter(|number| *number < below)
        };
        let minutes = text
            .split_once(':')
            .and_then(|(hours, minutes)| Some(number(hours, 24)? * 60 + number(minutes, 60)?));

        minutes
            .map(|minutes| Self { minutes })
            .ok_or_else(|| format!("`{text}` is no time of day; write `02:30`"))
    }
}

impl TimeOfDay {
    /// Returns the minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> i64 {
        self.minutes
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl Job {
    /// Returns every rule it breaks; `key` is the list it stands in.
    #[must_use]
    pub fn problems(&self, key: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.name.is_empty() || self.root.is_empty() {
            let remedy = "name the job and the label of the root it works on";
            problems.push(Problem::of(key, "has a job without `name` or `root`", remedy));
        }
        if self.from == self.until {
            let message = format!("has the job `{}` that ends when it begins", self.name);
            problems.push(Problem::of(key, message, "give a later `until`; 24 hours are no job"));
        }
        if self.expects.is_empty() {
            let message = format!("has the job `{}` that does nothing", self.name);
            problems.push(Problem::of(key, message, "give `removals`, `renames` or both"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_that_is_none_is_named() {
        for wrong in ["", "2:30", "24:00", "12:60", "12.30", "aa:bb", "+1:00"] {
            let error = TimeOfDay::try_from(wrong.to_owned()).unwrap_err();
            assert!(error.contains("02:30"), "{wrong}: {error}");
        }
        assert_eq!(TimeOfDay::try_from("02:05".to_owned()).unwrap().to_string(), "02:05");
    }
}
