//! What is said: one shape for each kind of field.
//!
//! Always holds: the JSON of a value this build did not change reads and writes back as the same text, so that answers
//! frozen by an earlier version keep their hash; parts that came later are left out while they are empty.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::locale::Locale;

/// What is said. Which variant a field takes is told by [`crate::reports::fields::Kind`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Value {
    /// Nothing yet.
    Nothing,
    /// A text of one or more paragraphs.
    Text {
        /// The text.
        text: String,
    },
    /// One or several of the field's own choices, none if still open.
    Choices {
        /// Codes such as `ransomware`, in the field's order.
        chosen: Vec<String>,
        /// What is to be said beside them.
        note: String,
    },
    /// One of the field's own choices, and when.
    Dated {
        /// A code such as `published`; none if still open.
        #[serde(default)]
        chosen: Option<String>,
        /// When it was, or is expected to be.
        #[serde(default)]
        at: Option<Timestamp>,
        /// What is to be said beside it.
        #[serde(default)]
        note: String,
    },
    /// A moment.
    DateTime {
        /// The moment.
        at: Timestamp,
    },
    /// A number, or a range while it is not certain.
    Number {
        /// At least this many.
        low: u64,
        /// At most this many; equal to `low` when it is certain.
        high: u64,
        /// What it was counted from.
        basis: String,
    },
    /// A number of people: those certain, and how many it can be at the most.
    People {
        /// Certain so far; `None` while nobody counted.
        #[serde(default)]
        confirmed: Option<u64>,
        /// At the most; `None` while nobody can say.
        #[serde(default)]
        maximum: Option<u64>,
        /// What they were counted from.
        #[serde(default)]
        basis: String,
    },
    /// Rows of a small table with a time.
    Lines {
        /// The rows, in the order in which they are read.
        lines: Vec<Line>,
    },
    /// Affected systems.
    Systems {
        /// One entry a system.
        systems: Vec<System>,
    },
    /// Rows of a table whose columns are the field's own.
    Rows {
        /// The rows, in the order in which they are read.
        rows: Vec<Row>,
    },
    /// The kind of report and its number.
    Round {
        /// 速報, 続報 or 確報.
        kind: RoundKind,
        /// 第n報.
        number: u32,
    },
    /// A flood of traffic that denies service.
    Flood {
        /// What is known of it.
        flood: Flood,
    },
}

/// One row: the cells that hold something, by the code of their column. A moment is RFC 3339, a choice its code.
pub type Row = BTreeMap<String, String>;

/// Kinds of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundKind {
    /// 速報: what is known now.
    Preliminary,
    /// 続報: what became known since.
    Interim,
    /// 確報: everything that is asked.
    Final,
}

impl RoundKind {
    /// Every kind, in the order of time.
    pub const ALL: [Self; 3] = [Self::Preliminary, Self::Interim, Self::Final];

    /// Returns the name used in JSON, in the database and in profiles.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preliminary => "preliminary",
            Self::Interim => "interim",
            Self::Final => "final",
        }
    }

    /// Returns the key of its label in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Preliminary => "round-preliminary",
            Self::Interim => "round-interim",
            Self::Final => "round-final",
        }
    }

    /// Reads the name used in JSON.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What is known of a flood of traffic. Whole units, so that it can be frozen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flood {
    /// Kinds of attack, by the field's codes.
    pub kinds: Vec<String>,
    /// Volume in megabits per second.
    pub megabits_per_second: Option<Range>,
    /// Packets per second.
    pub packets_per_second: Option<Range>,
    /// How long it went on.
    pub minutes: Option<Range>,
    /// What was done against it.
    pub mitigation: String,
}

impl Flood {
    fn is_empty(&self) -> bool {
        self.kinds.is_empty()
            && self.megabits_per_second.is_none()
            && self.packets_per_second.is_none()
            && self.minutes.is_none()
            && self.mitigation.trim().is_empty()
    }
}

/// A number that may not be certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// At least this many.
    pub low: u64,
    /// At most this many; equal to `low` when it is certain.
    pub high: u64,
}

/// One row: when, what, and what about it; each part may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it happened.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// What the row is about, for example 病院長 or 保守事業者.
    #[serde(default)]
    pub label: String,
    /// What is said.
    #[serde(default)]
    pub text: String,
}

/// One affected system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// The host's label.
    pub name: String,
    /// What it does for care, in words.
    #[serde(default)]
    pub role: String,
    /// Its operating system.
    #[serde(default)]
    pub os: String,
    /// Who maintains it.
    #[serde(default)]
    pub vendor: String,
    /// What happened to it.
    #[serde(default)]
    pub damage: String,
    /// What kind of device, by the codes of [`System::KINDS`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// How many of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Where it stands, by the codes of [`System::SETTINGS`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub setting: String,
}

impl System {
    /// Kinds of device, as the notification form of IPA divides them.
    pub const KINDS: &'static [&'static str] = &[
        "server",
        "pc",
        "mobile",
        "network",
        "storage",
        "medical-device",
        "account",
        "other",
        "unknown",
    ];
    /// Where a device can stand, as the notification form of IPA divides them.
    pub const SETTINGS: &'static [&'static str] =
        &["on-premises", "cloud", "saas", "hosting", "closed", "other", "unknown"];
}

impl System {
    /// Says what kind of device it is, how many of them and where they stand, as far as that is known.
    #[must_use]
    pub fn device(&self, locale: Locale) -> String {
        let word = |column: &str, code: &str, known: &[&str]| {
            let known = known.contains(&code);
            known.then(|| locale.text(&format!("cell-system-{column}-{code}")))
        };
        let parts = [
            word("kind", &self.kind, Self::KINDS),
            self.count
                .map(|count| locale.text_with("system-count", &[("count", &count)])),
            word("setting", &self.setting, Self::SETTINGS),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(&locale.text("draft-comma"))
    }
}

impl Value {
    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text { text } => text.trim().is_empty(),
            Self::Choices { chosen, note } => chosen.is_empty() && note.trim().is_empty(),
            Self::Dated { chosen, at, note } => {
                chosen.is_none() && at.is_none() && note.trim().is_empty()
            }
            Self::People { confirmed, maximum, basis } => {
                confirmed.is_none() && maximum.is_none() && basis.trim().is_empty()
            }
            Self::DateTime { .. } | Self::Number { .. } | Self::Round { .. } => false,
            Self::Lines { lines } => lines.is_empty(),
            Self::Systems { systems } => systems.is_empty(),
            Self::Rows { rows } => rows.is_empty(),
            Self::Flood { flood } => flood.is_empty(),
        }
    }

    /// Whether it says what the field asks for; a note alone does not.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        match self {
            Self::Choices { chosen, .. } => !chosen.is_empty(),
            Self::Dated { chosen, .. } => chosen.is_some(),
            Self::People { confirmed, maximum, .. } => confirmed.is_some() || maximum.is_some(),
            Self::Nothing
            | Self::Text { .. }
            | Self::DateTime { .. }
            | Self::Number { .. }
            | Self::Lines { .. }
            | Self::Systems { .. }
            | Self::Rows { .. }
            | Self::Round { .. }
            | Self::Flood { .. } => !self.is_empty(),
        }
    }

    /// Returns the codes chosen; none for values without choices.
    #[must_use]
    pub fn chosen(&self) -> &[String] {
        match self {
            Self::Choices { chosen, .. } => chosen,
            Self::Dated { chosen, .. } => chosen.as_slice(),
            Self::Flood { flood } => &flood.kinds,
            Self::Nothing
            | Self::Text { .. }
            | Self::DateTime { .. }
            | Self::Number { .. }
            | Self::People { .. }
            | Self::Lines { .. }
            | Self::Systems { .. }
            | Self::Rows { .. }
            | Self::Round { .. } => &[],
        }
    }

    /// Wraps a text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}
