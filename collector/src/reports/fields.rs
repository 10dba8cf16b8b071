//! The fields of a report: their numbers, what each takes, and how a person writes it down.
//!
//! Always holds: a number means the same field for ever, it is the key in the database and in frozen answers.
//! This build knows the fields of the first contact to the ministry and the timeline that is attached to it.

mod entry;

use serde::{Deserialize, Serialize};

use super::answer::{AnswerProblem, LINES_MAX, TEXT_MAX, Value};

pub use entry::Entered;

/// One field of a report. The value of a variant is its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum Field {
    /// 報告日時
    ReportedAt = 3,
    /// 医療機関名・開設者・種別・病床数
    Facility = 4,
    /// 責任者・連絡担当者
    People = 7,
    /// 事案の種別
    Kind = 8,
    /// 件名・事案の概要
    Summary = 9,
    /// 発生日時
    OccurredAt = 10,
    /// 検知（発覚）日時・「知った」日時
    DetectedAt = 11,
    /// 発見契機と発見者
    Discovery = 12,
    /// 被害を受けたシステム・機器
    Systems = 14,
    /// サービスの状況
    ServiceState = 15,
    /// 診療への影響
    CareImpact = 16,
    /// 医療提供体制への支障
    CareHindered = 17,
    /// 個人情報漏えい
    DataLeak = 20,
    /// 時系列（別紙）
    Timeline = 29,
    /// 初動対応と日時
    FirstResponse = 38,
    /// 連絡済みの先
    Contacted = 41,
    /// 初動対応支援の要請
    HelpRequested = 42,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Value::Text`]
    Text,
    /// [`Value::DateTime`]
    DateTime,
    /// [`Value::Choices`] with at most one of these codes.
    One(&'static [&'static str]),
    /// [`Value::Choices`] with any of these codes.
    Any(&'static [&'static str]),
    /// [`Value::Lines`]
    Lines,
    /// [`Value::Systems`]
    Systems,
}

impl Field {
    /// Every field this build knows, by number.
    pub const ALL: [Self; 17] = [
        Self::ReportedAt,
        Self::Facility,
        Self::People,
        Self::Kind,
        Self::Summary,
        Self::OccurredAt,
        Self::DetectedAt,
        Self::Discovery,
        Self::Systems,
        Self::ServiceState,
        Self::CareImpact,
        Self::CareHindered,
        Self::DataLeak,
        Self::Timeline,
        Self::FirstResponse,
        Self::Contacted,
        Self::HelpRequested,
    ];

    /// Returns the field's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the field with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.number() == number)
    }

    /// Returns the key of its label in the locale files, for example `field-3`.
    #[must_use]
    pub fn label_key(self) -> String {
        format!("field-{}", self.number())
    }

    /// Returns the key of the label of one of its choices, for example `choice-8-ransomware`.
    #[must_use]
    pub fn choice_key(self, code: &str) -> String {
        format!("choice-{}-{code}", self.number())
    }

    /// Returns what the field takes.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::ReportedAt | Self::OccurredAt => Kind::DateTime,
            Self::Summary => Kind::Text,
            Self::Facility
            | Self::People
            | Self::DetectedAt
            | Self::Timeline
            | Self::FirstResponse
            | Self::Contacted => Kind::Lines,
            Self::Systems => Kind::Systems,
            Self::Kind => Kind::One(&[
                "ransomware",
                "unauthorised-access",
                "malware",
                "targeted-mail",
                "ddos",
                "precursor",
                "system-failure",
                "other",
            ]),
            Self::Discovery => {
                Kind::One(&["monitoring", "staff", "vendor", "police", "outside", "other"])
            }
            Self::ServiceState => Kind::One(&["stopped", "degraded", "running", "restored"]),
            Self::CareImpact => Kind::Any(&[
                "outpatient",
                "emergency",
                "surgery",
                "inpatient",
                "prescription",
                "laboratory",
                "imaging",
                "accounting",
                "class-1",
                "class-2",
                "class-3",
                "class-4",
                "none",
            ]),
            Self::CareHindered | Self::DataLeak => Kind::One(&["yes", "no", "feared"]),
            Self::HelpRequested => Kind::One(&["requested", "not-requested", "considering"]),
        }
    }

    /// Returns the codes a person may choose from; empty for fields without choices.
    #[must_use]
    pub const fn choices(self) -> &'static [&'static str] {
        match self.kind() {
            Kind::One(codes) | Kind::Any(codes) => codes,
            Kind::Text | Kind::DateTime | Kind::Lines | Kind::Systems => &[],
        }
    }

    /// Whether a person answers it. The report time is set by submitting.
    #[must_use]
    pub const fn is_answered_by_people(self) -> bool {
        !matches!(self, Self::ReportedAt)
    }

    /// Checks that a value is one this field takes.
    ///
    /// # Errors
    /// Names the field and what does not fit.
    pub fn check(self, value: &Value) -> Result<(), AnswerProblem> {
        match (self.kind(), value) {
            (_, Value::Nothing)
            | (Kind::DateTime, Value::DateTime { .. })
            | (Kind::Text, Value::Number { .. }) => Ok(()),
            (Kind::Text, Value::Text { text }) => within(text.chars().count(), TEXT_MAX),
            (Kind::One(codes), Value::Choices { chosen, note }) => {
                if 1 < chosen.len() {
                    let field = self.number();
                    return Err(AnswerProblem::TooManyChoices { field, given: chosen.len() });
                }
                self.check_choices(codes, chosen, note)
            }
            (Kind::Any(codes), Value::Choices { chosen, note }) => {
                self.check_choices(codes, chosen, note)
            }
            (Kind::Lines, Value::Lines { lines }) => {
                within(lines.len(), LINES_MAX)?;
                let count = |part: &String| part.chars().count();
                within(
                    lines
                        .iter()
                        .map(|l| count(&l.label) + count(&l.text))
                        .max()
                        .unwrap_or(0),
                    TEXT_MAX,
                )
            }
            (Kind::Systems, Value::Systems { systems }) => within(systems.len(), LINES_MAX),
            (
                Kind::Text
                | Kind::DateTime
                | Kind::One(_)
                | Kind::Any(_)
                | Kind::Lines
                | Kind::Systems,
                Value::Text { .. }
                | Value::DateTime { .. }
                | Value::Number { .. }
                | Value::Choices { .. }
                | Value::Lines { .. }
                | Value::Systems { .. },
            ) => Err(AnswerProblem::WrongType { field: self.number() }),
        }
    }

    fn check_choices(
        self,
        codes: &[&str],
        chosen: &[String],
        note: &str,
    ) -> Result<(), AnswerProblem> {
        if let Some(choice) = chosen.iter().find(|code| !codes.contains(&code.as_str())) {
            let field = self.number();
            return Err(AnswerProblem::NoSuchChoice { field, choice: choice.clone() });
        }
        within(note.chars().count(), TEXT_MAX)
    }
}

const fn within(found: usize, limit: usize) -> Result<(), AnswerProblem> {
    if limit < found { Err(AnswerProblem::TooLong) } else { Ok(()) }
}

impl From<Field> for u8 {
    fn from(field: Field) -> Self {
        field.number()
    }
}

/// A number this build knows no field for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no field {0}; use one of the numbers of the first contact")]
pub struct NoSuchField(u8);

impl TryFrom<u8> for Field {
    type Error = NoSuchField;

    fn try_from(number: u8) -> Result<Self, NoSuchField> {
        Self::from_number(number).ok_or(NoSuchField(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_table_and_read_back() {
        let numbers: Vec<_> = Field::ALL.iter().map(|field| field.number()).collect();
        assert_eq!(numbers, [3, 4, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 20, 29, 38, 41, 42]);
        for field in Field::ALL {
            let json = serde_json::to_string(&field).unwrap();
            assert_eq!(json, field.number().to_string());
            assert_eq!(serde_json::from_str::<Field>(&json).unwrap(), field);
        }
        assert!(serde_json::from_str::<Field>("5").is_err());
    }

    #[test]
    fn a_field_takes_only_its_own_type_and_choices() {
        let one =
            |code: &str| Value::Choices { chosen: vec![code.to_owned()], note: String::new() };
        assert_eq!(Field::Kind.check(&one("ransomware")), Ok(()));
        assert!(Field::Kind.check(&one("outpatient")).is_err());
        assert!(Field::Kind.check(&Value::text("ransomware")).is_err());
        let two = Value::Choices { chosen: vec!["yes".into(), "no".into()], note: String::new() };
        assert_eq!(
            Field::DataLeak.check(&two),
            Err(AnswerProblem::TooManyChoices { field: 20, given: 2 })
        );
        assert_eq!(
            Field::Summary.check(&Value::text("あ".repeat(4001))),
            Err(AnswerProblem::TooLong)
        );
        for field in Field::ALL {
            assert_eq!(field.check(&Value::Nothing), Ok(()), "{field:?} blocks an open answer");
        }
    }
}
