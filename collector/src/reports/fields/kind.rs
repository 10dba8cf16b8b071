//! What each field takes, as the table of fields says.

use super::Field;
use crate::reports::answer::System;

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`crate::reports::answer::Value::Text`]
    Text,
    /// [`crate::reports::answer::Value::DateTime`]
    DateTime,
    /// [`crate::reports::answer::Value::Choices`] with at most one of these codes.
    One(&'static [&'static str]),
    /// [`crate::reports::answer::Value::Choices`] with any of these codes.
    Any(&'static [&'static str]),
    /// [`crate::reports::answer::Value::Dated`] with at most one of these codes.
    Dated(&'static [&'static str]),
    /// [`crate::reports::answer::Value::People`]
    People,
    /// [`crate::reports::answer::Value::Lines`]
    Lines,
    /// [`crate::reports::answer::Value::Systems`]
    Systems,
    /// [`crate::reports::answer::Value::Rows`] with these columns.
    Rows(&'static [Column]),
    /// [`crate::reports::answer::Value::Round`]
    Round,
    /// [`crate::reports::answer::Value::Flood`] with any of these codes.
    Flood(&'static [&'static str]),
}

/// One column of a field's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its code: the key of a cell and of its label, `column-33-kind`.
    pub code: &'static str,
    /// What stands in it.
    pub cell: Cell,
}

/// What a cell takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text of one line.
    Text,
    /// A moment.
    Time,
    /// A whole number.
    Number,
    /// One of these codes.
    One(&'static [&'static str]),
}

const fn column(code: &'static str, cell: Cell) -> Column {
    Column { code, cell }
}

const YES_NO: &[&str] = &["yes", "no"];
const YES_NO_FEARED: &[&str] = &["yes", "no", "feared"];

const ADDRESSEES: &[&str] = &[
    "mhlw",
    "prefecture",
    "ppc",
    "police",
    "ipa",
    "jpcert",
    "ceptoar",
    "nco",
    "vendor",
    "foreign",
    "other",
];
const DESIGNATIONS: &[&str] = &[
    "advanced-treatment",
    "regional-support",
    "disaster-base",
    "emergency",
    "critical-care",
    "infrastructure",
    "none",
];
const KINDS: &[&str] = &[
    "ransomware",
    "unauthorised-access",
    "malware",
    "targeted-mail",
    "ddos",
    "precursor",
    "system-failure",
    "other",
];
const DISCOVERIES: &[&str] = &["monitoring", "staff", "vendor", "police", "outside", "other"];
const IMPACTS: &[&str] = &[
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
];
const LEAK_CLASSES: &[&str] =
    &["leak", "loss", "damage", "rule-7-1", "rule-7-2", "rule-7-3", "rule-7-4"];
const DATA_ITEMS: &[&str] = &[
    "name",
    "birth",
    "sex",
    "address",
    "contact",
    "insurance",
    "history",
    "results",
    "financial",
    "my-number",
    "sensitive",
    "staff",
    "other",
];
const ENTRIES: &[&str] = &[
    "vpn",
    "remote-desktop",
    "maintenance-line",
    "contractor",
    "mail",
    "web",
    "removable-media",
    "vulnerability",
    "stolen-password",
    "other",
    "unknown",
];
const FAMILIES: &[&str] = &["encrypts", "leak-threat", "note-only", "destroys", "unknown"];
const FLOODS: &[&str] = &[
    "T1498",
    "T1498.001",
    "T1498.002",
    "T1499",
    "T1499.001",
    "T1499.002",
    "T1499.003",
    "T1499.004",
    "other",
];
const RANSOMS: &[&str] =
    &["demanded", "not-demanded", "contacted", "not-contacted", "paid", "not-paid"];
const GUARDS: &[&str] = &["running", "stopped", "removed", "absent"];
const CONSENTS: &[&str] = &[
    "nco",
    "ceptoar",
    "refused",
    "tlp-red",
    "tlp-amber-strict",
    "tlp-amber",
    "tlp-green",
    "tlp-clear",
];

const INDICATORS: &[Column] = &[
    column(
        "kind",
        Cell::One(&[
            "hash", "address", "domain", "url", "mail", "program", "service", "account", "suffix",
            "other",
        ]),
    ),
    column("value", Cell::Text),
    column("seen", Cell::Time),
    column("note", Cell::Text),
];
const BACKUPS: &[Column] = &[
    column("name", Cell::Text),
    column("generations", Cell::Number),
    column("offline", Cell::One(&["yes", "no", "unknown"])),
    column("last_good", Cell::Time),
    column("harmed", Cell::One(&["yes", "no", "unknown"])),
    column("note", Cell::Text),
];
const EVIDENCE: &[Column] = &[
    column("object", Cell::Text),
    column("method", Cell::Text),
    column("at", Cell::Time),
    column("hash", Cell::Text),
    column("keeper", Cell::Text),
];
const THIRD_PARTIES: &[Column] = &[
    column("name", Cell::Text),
    column(
        "relation",
        Cell::One(&["vendor", "supplier", "laboratory", "network", "payer", "other"]),
    ),
    column("effect", Cell::Text),
    column("told", Cell::Time),
];
const PREVENTION: &[Column] = &[
    column("measure", Cell::Text),
    column("state", Cell::One(&["done", "planned"])),
    column("at", Cell::Time),
];
const CONTROLS: &[Column] = &[
    column(
        "control",
        Cell::One(&[
            "checklist",
            "continuity-plan",
            "patches",
            "two-factor",
            "ledger",
            "backups",
            "training",
            "other",
        ]),
    ),
    column("state", Cell::One(&["yes", "partly", "no", "unknown"])),
    column("note", Cell::Text),
];
const ATTACHMENTS: &[Column] =
    &[column("name", Cell::Text), column("what", Cell::Text), column("hash", Cell::Text)];

/// Columns of every list with a time.
pub(super) const LINE_COLUMNS: &[Column] =
    &[column("at", Cell::Time), column("label", Cell::Text), column("text", Cell::Text)];
/// Columns of affected systems.
pub(super) const SYSTEM_COLUMNS: &[Column] = &[
    column("name", Cell::Text),
    column("kind", Cell::One(System::KINDS)),
    column("count", Cell::Number),
    column("role", Cell::Text),
    column("os", Cell::Text),
    column("setting", Cell::One(System::SETTINGS)),
    column("vendor", Cell::Text),
    column("damage", Cell::Text),
];

impl Field {
    /// Returns what the field takes.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Round => Kind::Round,
            Self::Addressees => Kind::Any(ADDRESSEES),
            Self::ReportedAt | Self::OccurredAt => Kind::DateTime,
            Self::Designation => Kind::Any(DESIGNATIONS),
            Self::Kind => Kind::One(KINDS),
            Self::Discovery => Kind::One(DISCOVERIES),
            Self::ServiceState => Kind::One(&["stopped", "degraded", "running", "restored"]),
            Self::CareImpact => Kind::Any(IMPACTS),
            Self::CareHindered | Self::DataLeak | Self::SecondaryHarm => Kind::One(YES_NO_FEARED),
            Self::ServiceLevel | Self::Maintenance => Kind::One(YES_NO),
            Self::LeakClass => Kind::Any(LEAK_CLASSES),
            Self::DataItems => Kind::Any(DATA_ITEMS),
            Self::Persons => Kind::People,
            Self::Publication => Kind::Dated(&["published", "planned", "not-planned"]),
            Self::Entry => Kind::Any(ENTRIES),
            Self::Family => Kind::Any(FAMILIES),
            Self::Indicators => Kind::Rows(INDICATORS),
            Self::Flood => Kind::Flood(FLOODS),
            Self::Ransom => Kind::Any(RANSOMS),
            Self::Guard => Kind::Any(GUARDS),
            Self::Backups => Kind::Rows(BACKUPS),
            Self::Evidence => Kind::Rows(EVIDENCE),
            Self::Recovery => Kind::Dated(&["not-begun", "under-way", "partly", "restored"]),
            Self::HelpRequested => Kind::One(&["requested", "not-requested", "considering"]),
            Self::ThirdParties => Kind::Rows(THIRD_PARTIES),
            Self::Prevention => Kind::Rows(PREVENTION),
            Self::PriorControls => Kind::Rows(CONTROLS),
            Self::Consent => Kind::Any(CONSENTS),
            Self::Attachments => Kind::Rows(ATTACHMENTS),
            Self::Restorable => Kind::One(&["yes", "partly", "no"]),
            Self::Summary
            | Self::Place
            | Self::Workaround
            | Self::Cause
            | Self::RansomNote
            | Self::LegalBasis
            | Self::Other => Kind::Text,
            Self::Facility
            | Self::Identifiers
            | Self::People
            | Self::DetectedAt
            | Self::NoticeToPersons
            | Self::Timeline
            | Self::Extensions
            | Self::FirstResponse
            | Self::Contacted
            | Self::HeardHow
            | Self::FoundDamage
            | Self::FoundResponse
            | Self::FoundRecovery
            | Self::FoundPrevention
            | Self::Guidance
            | Self::Authorship => Kind::Lines,
            Self::Systems => Kind::Systems,
        }
    }

    /// Returns the columns of the field's table; empty for fields that are none.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self.kind() {
            Kind::Rows(columns) => columns,
            Kind::Lines => LINE_COLUMNS,
            Kind::Systems => SYSTEM_COLUMNS,
            Kind::Text
            | Kind::DateTime
            | Kind::One(_)
            | Kind::Any(_)
            | Kind::Dated(_)
            | Kind::People
            | Kind::Round
            | Kind::Flood(_) => &[],
        }
    }

    /// Returns the key of a column's title in the locale files, for example `column-33-kind`.
    #[must_use]
    pub fn column_key(self, column: &str) -> String {
        match self.kind() {
            Kind::Lines => format!("column-line-{column}"),
            Kind::Systems => format!("column-system-{column}"),
            Kind::Rows(_)
            | Kind::Text
            | Kind::DateTime
            | Kind::One(_)
            | Kind::Any(_)
            | Kind::Dated(_)
            | Kind::People
            | Kind::Round
            | Kind::Flood(_) => format!("column-{}-{}", self.number(), column.replace('_', "-")),
        }
    }

    /// Returns the key of a cell's choice in the locale files, for example `cell-33-kind-hash`.
    #[must_use]
    pub fn cell_key(self, column: &str, code: &str) -> String {
        match self.kind() {
            Kind::Systems => format!("cell-system-{column}-{code}"),
            Kind::Lines
            | Kind::Rows(_)
            | Kind::Text
            | Kind::DateTime
            | Kind::One(_)
            | Kind::Any(_)
            | Kind::Dated(_)
            | Kind::People
            | Kind::Round
            | Kind::Flood(_) => {
                format!("cell-{}-{}-{code}", self.number(), column.replace('_', "-"))
            }
        }
    }
}
