//! The emergency steps of the guideline: what cuts an attacker off, in the order in which it has to happen.
//!
//! The order of the first three, backups before everything else, is that of the health ministry's papers for business
//! continuity (2024-06-06); the others are what the report asks for under 初動対応: 隔離, 権限停止, and what else could be the
//! cause.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::UserId;

use super::{Entry, StoredEntry};

/// A step, in the order of the guideline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmergencyStep {
    /// The path to the backup is cut.
    BackupPath,
    /// The lines to the outside are cut: internet, maintenance, other institutions.
    OutsideLines,
    /// The borders between the segments inside are closed.
    SegmentBorders,
    /// The machines that were hit are off the network, and left switched on.
    Isolation,
    /// Accounts that may be in other hands are locked.
    Accounts,
    /// Power, cables, failures and planned work are ruled out as the cause, or not.
    OtherCauses,
}

impl EmergencyStep {
    /// Every step, in its order.
    pub const ALL: [Self; 6] = [
        Self::BackupPath,
        Self::OutsideLines,
        Self::SegmentBorders,
        Self::Isolation,
        Self::Accounts,
        Self::OtherCauses,
    ];

    /// Returns the name used in JSON and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BackupPath => "backup_path",
            Self::OutsideLines => "outside_lines",
            Self::SegmentBorders => "segment_borders",
            Self::Isolation => "isolation",
            Self::Accounts => "accounts",
            Self::OtherCauses => "other_causes",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    /// Returns the key of what is to be done.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::BackupPath => "emergency-backup-path",
            Self::OutsideLines => "emergency-outside-lines",
            Self::SegmentBorders => "emergency-segment-borders",
            Self::Isolation => "emergency-isolation",
            Self::Accounts => "emergency-accounts",
            Self::OtherCauses => "emergency-other-causes",
        }
    }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It was done.
    Done,
    /// There is nothing to do: no such line, no such account.
    NotNeeded,
    /// It was undone: a line is open again.
    Undone,
}

impl StepOutcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Done, Self::NotNeeded, Self::Undone];

    /// Returns the name used in JSON and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotNeeded => "not_needed",
            Self::Undone => "undone",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }

    /// Returns the key of its name in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Done => "emergency-done",
            Self::NotNeeded => "emergency-not-needed",
            Self::Undone => "emergency-undone",
        }
    }
}

/// What a person said about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTaken<'a> {
    /// Which step.
    pub step: EmergencyStep,
    /// What became of it.
    pub outcome: StepOutcome,
    /// When, as that person says.
    pub at: Timestamp,
    /// Who says so.
    pub by: Option<UserId>,
    /// How, or why not; may be empty.
    pub text: &'a str,
}

/// Returns every word about a step, in the order they were written down.
pub fn steps_taken(entries: &[StoredEntry]) -> impl Iterator<Item = StepTaken<'_>> {
    entries.iter().filter_map(|entry| match &entry.what {
        Entry::StepTaken { step, outcome, at, text } => {
            Some(StepTaken { step: *step, outcome: *outcome, at: *at, by: entry.who, text })
        }
        Entry::Opened { .. }
        | Entry::Concluded { .. }
        | Entry::Grew { .. }
        | Entry::Raised { .. }
        | Entry::TookIn { .. }
        | Entry::BecamePart { .. }
        | Entry::Acknowledged
        | Entry::Commented { .. }
        | Entry::Closed { .. }
        | Entry::FalseAlarm { .. }
        | Entry::Reopened { .. }
        | Entry::VendorCalled { .. }
        | Entry::Noted { .. } => None,
    })
}

/// Returns how each step stands: the latest word counts.
#[must_use]
pub fn step_states(entries: &[StoredEntry]) -> BTreeMap<EmergencyStep, StepTaken<'_>> {
    steps_taken(entries)
        .map(|taken| (taken.step, taken))
        .collect()
}
