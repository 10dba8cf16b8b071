//! What a place of a form says, read from a short text and answered from frozen answers.
//!
//! ```text
//! field:9              the whole answer as text        field:14.name      one part of every row, a line each
//! field:17.choice      the choices ticked, in words    field:14.name[2]   that part of the second row
//! field:8=ransomware   a tick                          meta:facility      something about the report
//! ```

mod content;

use std::fmt;
use std::str::FromStr;

use crate::reports::fields::Field;

pub(super) use content::{Content, Said, said};

/// What one place says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An answer, or a part of it.
    Field {
        /// The field.
        field: Field,
        /// Which part.
        part: Part,
        /// Which row of a list, from 1; all while absent.
        row: Option<usize>,
    },
    /// A column of the field's own table.
    Column {
        /// The field.
        field: Field,
        /// The column.
        code: &'static str,
        /// Which row, from 1; all while absent.
        row: Option<usize>,
    },
    /// Whether a choice is ticked.
    Tick {
        /// The field.
        field: Field,
        /// The choice.
        code: String,
    },
    /// Something about the report itself.
    Meta(Meta),
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            /// Every one, in the order in which a page offers them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name used in a mapping.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn read(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}

names! {
    /// A part of an answer.
    Part {
        /// All of it, as the document shows it.
        Text = "text",
        /// The choices that are ticked, in words.
        Choice = "choice",
        /// What is said beside the choices.
        Note = "note",
        /// A moment: the answer's own, or those of its rows.
        At = "at",
        /// What each row is about.
        Label = "label",
        /// What each row says.
        Said = "said",
        /// Names of systems.
        Name = "name",
        /// Their roles.
        Role = "role",
        /// Their operating systems.
        Os = "os",
        /// Who maintains them.
        Vendor = "vendor",
        /// What happened to them.
        Damage = "damage",
        /// The lower end of a number.
        Low = "low",
        /// The upper end of a number.
        High = "high",
        /// How sure the answer is, in words.
        Status = "status",
    }
}

names! {
    /// Something about the report.
    Meta {
        /// 下書き, 訓練, or nothing.
        Mark = "mark",
        /// Who reports.
        Facility = "facility",
        /// Its director.
        Director = "director",
        /// The incident's number.
        Incident = "incident",
        /// The report's id.
        Report = "report",
        /// The report's revision.
        Revision = "revision",
        /// The day it is dated.
        Date = "date",
        /// Who approved it.
        Approver = "approver",
        /// Hash of the answers.
        Hash = "hash",
        /// Revision, approver and profile in one line.
        Record = "record",
    }
}

/// A text that names nothing a place can say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhatError {
    /// It has another form.
    #[error(
        "`{0}` says nothing; write field:9, field:14.name, field:14.name[2], field:8=ransomware or meta:facility"
    )]
    Form(String),
    /// There is no such field.
    #[error("there is no field {0}")]
    Field(String),
    /// The field has no such choice.
    #[error("field {field} has no choice `{code}`; it has {}", known.join(", "))]
    Choice {
        /// The field.
        field: u8,
        /// What was asked for.
        code: String,
        /// What there is.
        known: Vec<&'static str>,
    },
}

impl FromStr for What {
    type Err = WhatError;

    fn from_str(text: &str) -> Result<Self, WhatError> {
        let text = text.trim();
        let form = || WhatError::Form(text.chars().take(60).collect());
        if let Some(name) = text.strip_prefix("meta:") {
            return Meta::read(name).map(Self::Meta).ok_or_else(form);
        }
        let rest = text.strip_prefix("field:").ok_or_else(form)?;
        if let Some((number, code)) = rest.split_once('=') {
            let field = field(number)?;
            if !field.choices().contains(&code) {
                let known = field.choices().to_vec();
                let code = code.chars().take(40).collect();
                return Err(WhatError::Choice { field: field.number(), code, known });
            }
            return Ok(Self::Tick { field, code: code.to_owned() });
        }
        let (number, part) = rest.split_once('.').unwrap_or((rest, "text"));
        let (part, row) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
            Some((part, row)) => (part, Some(row.parse().map_err(|_| form())?)),
            None => (part, None),
        };
        if row == Some(0) {
            return Err(form());
        }
        let field = field(number)?;
        if let Some(part) = Part::read(part) {
            return Ok(Self::Field { field, part, row });
        }
        let column = field.columns().iter().find(|column| column.code == part);
        let code = column.ok_or_else(form)?.code;

        Ok(Self::Column { field, code, row })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meta(meta) => write!(f, "meta:{}", meta.as_str()),
            Self::Tick { field, code } => write!(f, "field:{}={code}", field.number()),
            Self::Field { field, part, row } => {
                write!(f, "field:{}.{}", field.number(), part.as_str())?;
                row.map_or(Ok(()), |row| write!(f, "[{row}]"))
            }
            Self::Column { field, code, row } => {
                write!(f, "field:{}.{code}", field.number())?;
                row.map_or(Ok(()), |row| write!(f, "[{row}]"))
            }
        }
    }
}

fn field(number: &str) -> Result<Field, WhatError> {
    let found = number.parse().ok().and_then(Field::from_number);
    found.ok_or_else(|| WhatError::Field(number.chars().take(20).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_place_says_reads_back() {
        for text in [
            "field:9.text",
            "field:33.value[1]",
            "field:14.name[2]",
            "field:8=ransomware",
            "meta:mark",
        ] {
            assert_eq!(text.parse::<What>().unwrap().to_string(), text);
        }
        assert_eq!("field:9".parse::<What>().unwrap().to_string(), "field:9.text");
        for wrong in ["", "9", "field:", "field:250", "field:9.x", "field:14.name[0]", "meta:x"] {
            assert!(wrong.parse::<What>().is_err(), "{wrong}");
        }
        let error = "field:8=virus".parse::<What>().unwrap_err().to_string();
        assert!(error.contains("ransomware"), "{error}");
    }
}
