//! When a profile applies and how much time it gives, as its file says it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::body::{Confidence, Words};

/// When a profile applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Applies {
    /// Any of these groups of conditions, all of one group together. Empty: on every incident that could be reportable.
    pub any: Vec<Vec<Condition>>,
}

/// What a duty or a deadline depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A medical information system does not work as it should.
    Fault,
    /// It is a cyber attack.
    Attack,
    /// It is no cyber attack.
    NoAttack,
    /// Nobody has said that it is no cyber attack.
    Suspicion,
    /// Personal information leaked, or may have.
    Leak,
    /// The provision of care is hindered, or may be.
    Care,
    /// Files were encrypted.
    Encrypted,
    /// Data cannot be restored.
    Unrecoverable,
    /// Ransomware.
    Ransomware,
    /// Denial of service.
    Ddos,
    /// An attack that is neither.
    OtherAttack,
    /// The municipality asked.
    Requested,
    /// The institution is designated as critical infrastructure.
    Designated,
    /// 500 people or more.
    #[serde(rename = "people_from_500")]
    PeopleFrom500,
    /// Fewer than 500 people.
    #[serde(rename = "people_below_500")]
    PeopleBelow500,
    /// 1,000 people or more.
    #[serde(rename = "people_from_1000")]
    PeopleFrom1000,
    /// Sensitive or unique identification data.
    Sensitive,
    /// A report of the same series is out already.
    Reported,
}

impl Condition {
    /// Every condition.
    pub const ALL: [Self; 18] = [
        Self::Fault,
        Self::Attack,
        Self::NoAttack,
        Self::Suspicion,
        Self::Leak,
        Self::Care,
        Self::Encrypted,
        Self::Unrecoverable,
        Self::Ransomware,
        Self::Ddos,
        Self::OtherAttack,
        Self::Requested,
        Self::Designated,
        Self::PeopleFrom500,
        Self::PeopleBelow500,
        Self::PeopleFrom1000,
        Self::Sensitive,
        Self::Reported,
    ];

    /// Returns the name used in profiles and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Attack => "attack",
            Self::NoAttack => "no_attack",
            Self::Suspicion => "suspicion",
            Self::Leak => "leak",
            Self::Care => "care",
            Self::Encrypted => "encrypted",
            Self::Unrecoverable => "unrecoverable",
            Self::Ransomware => "ransomware",
            Self::Ddos => "ddos",
            Self::OtherAttack => "other_attack",
            Self::Requested => "requested",
            Self::Designated => "designated",
            Self::PeopleFrom500 => "people_from_500",
            Self::PeopleBelow500 => "people_below_500",
            Self::PeopleFrom1000 => "people_from_1000",
            Self::Sensitive => "sensitive",
            Self::Reported => "reported",
        }
    }

    /// Returns the key of what it says when it holds, and when it does not.
    #[must_use]
    pub fn text_key(self, holds: bool) -> String {
        let name = self.as_str().replace('_', "-");
        if holds { format!("condition-{name}") } else { format!("condition-not-{name}") }
    }
}

/// How binding a profile is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obligation {
    /// A law or a notice asks for it.
    #[default]
    Required,
    /// A form that can be attached to what is asked for.
    Form,
    /// Nobody asks for it; it helps.
    Voluntary,
}

impl Obligation {
    /// Returns the key of its label in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Required => "obligation-required",
            Self::Form => "obligation-form",
            Self::Voluntary => "obligation-voluntary",
        }
    }
}

/// One deadline of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlineRule {
    /// Its name within the profile.
    pub id: String,
    /// What is due.
    pub label: Words,
    /// A limit, a guide value, or a word without a number.
    pub term: TermKind,
    /// The moment it runs from.
    pub runs_from: RunsFrom,
    /// So many hours.
    #[serde(default)]
    pub hours: Option<u32>,
    /// So many days.
    #[serde(default)]
    pub days: Option<u32>,
    /// So many months.
    #[serde(default)]
    pub months: Option<u32>,
    /// How days are counted.
    #[serde(default)]
    pub counting: Counting,
    /// Whether it moves to the next working day in Japan.
    #[serde(default)]
    pub moves_to_working_day: bool,
    /// What has to hold besides the duty itself.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Shares of the time at which staff are warned, in per cent.
    #[serde(default = "half_and_most")]
    pub warn_at_percent: Vec<u8>,
    /// What meets it.
    #[serde(default)]
    pub met_by: MetBy,
    /// Where that was read.
    pub source_url: String,
    /// When it was last checked.
    pub last_verified: Date,
    /// How sure it is.
    pub confidence: Confidence,
}

fn half_and_most() -> Vec<u8> {
    vec![50, 80]
}

/// How much time a deadline gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Hours.
    Hours(u32),
    /// Days.
    Days(u32),
    /// Months.
    Months(u32),
}

impl DeadlineRule {
    /// Returns how much time it gives; none for a word without a number.
    #[must_use]
    pub fn amount(&self) -> Option<Amount> {
        let hours = self.hours.map(Amount::Hours);
        hours
            .or(self.days.map(Amount::Days))
            .or(self.months.map(Amount::Months))
    }
}

/// How binding a deadline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermKind {
    /// A limit the law sets: missed when it passed.
    Limit,
    /// A guide value (目安): never missed, only passed.
    Guide,
    /// A word such as 速やかに, without a number.
    Promptly,
}

/// The moment a deadline runs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunsFrom {
    /// An attack was suspected.
    Suspected,
    /// The institution knew.
    Aware,
    /// The threshold was judged to be reached.
    Judged,
    /// The municipality asked.
    Requested,
    /// The first report of the series was released.
    Reported,
    /// The last day of the year in which the institution knew.
    YearEnd,
}

/// How days are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// Whole spans of 24 hours from the moment.
    #[default]
    Elapsed,
    /// The day of the moment is day 1; the last day ends at midnight in Japan.
    FirstDayIsOne,
}

/// What meets a deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetBy {
    /// A released report of the profile, or a later kind of report in its series.
    #[default]
    Report,
    /// A released 確報 of the profile.
    FinalReport,
    /// Field 25: the people concerned were told.
    PersonsTold,
    /// The maintenance company was called.
    VendorCalled,
}
