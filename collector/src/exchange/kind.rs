//! What a package is, how far it may go, and who may send it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::OrganisationKind;

/// What a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageKind {
    /// An approved report or one of its follow-ups.
    Report,
    /// 照会.
    Question,
    /// What was asked for.
    Answer,
    /// 指導.
    Guidance,
    /// 通知.
    Notice,
    /// Something was stored, or read by a named person.
    Acknowledgement,
    /// What others may learn from an incident.
    SharingProduct,
    /// An exercise to take part in.
    DrillInvitation,
    /// What came of it.
    DrillResult,
}

impl PackageKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Report,
        Self::Question,
        Self::Answer,
        Self::Guidance,
        Self::Notice,
        Self::Acknowledgement,
        Self::SharingProduct,
        Self::DrillInvitation,
        Self::DrillResult,
    ];

    /// The kinds a person writes to one partner and another one releases.
    pub const WRITTEN: [Self; 5] =
        [Self::Question, Self::Answer, Self::Guidance, Self::Notice, Self::DrillResult];

    /// Returns the name used in manifests and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Question => "question",
            Self::Answer => "answer",
            Self::Guidance => "guidance",
            Self::Notice => "notice",
            Self::Acknowledgement => "acknowledgement",
            Self::SharingProduct => "sharing_product",
            Self::DrillInvitation => "drill_invitation",
            Self::DrillResult => "drill_result",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the key of its label.
    #[must_use]
    pub fn label_key(self) -> String {
        format!("package-{}", self.as_str().replace('_', "-"))
    }

    /// Whether a person writes it and another one releases it.
    #[must_use]
    pub fn is_written(self) -> bool {
        Self::WRITTEN.contains(&self) || self == Self::DrillInvitation
    }

    /// Whether it belongs to an exercise and to nothing else.
    #[must_use]
    pub const fn is_of_exercises(self) -> bool {
        matches!(self, Self::DrillInvitation | Self::DrillResult)
    }

    /// Whether it is said to something that came.
    #[must_use]
    pub const fn answers(self) -> bool {
        matches!(self, Self::Answer | Self::DrillResult)
    }

    /// Whether an organisation of this kind may send it: 指導 is for who supervises, 通知 for who informs others.
    #[must_use]
    pub const fn may_come_from(self, sender: OrganisationKind) -> bool {
        match self {
            Self::Guidance => matches!(sender, OrganisationKind::Municipality),
            Self::Notice | Self::DrillInvitation => sender.informs(),
            Self::Report
            | Self::Question
            | Self::Answer
            | Self::Acknowledgement
            | Self::SharingProduct
            | Self::DrillResult => true,
        }
    }
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far something may be passed on: TLP 2.0 of FIRST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tlp {
    /// For the people addressed alone.
    Red,
    /// For the addressee's organisation alone.
    AmberStrict,
    /// For the addressee's organisation and those it serves.
    #[default]
    Amber,
    /// For the community.
    Green,
    /// For everybody.
    Clear,
}

impl Tlp {
    /// Every mark, the narrowest first.
    pub const ALL: [Self; 5] =
        [Self::Red, Self::AmberStrict, Self::Amber, Self::Green, Self::Clear];

    /// Returns the name used in manifests and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::AmberStrict => "amber_strict",
            Self::Amber => "amber",
            Self::Green => "green",
            Self::Clear => "clear",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.as_str() == name)
    }

    /// Returns the mark as it is printed.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Red => "TLP:RED",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Amber => "TLP:AMBER",
            Self::Green => "TLP:GREEN",
            Self::Clear => "TLP:CLEAR",
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_are_those_of_the_manifest() {
        for kind in PackageKind::ALL {
            assert_eq!(PackageKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for mark in Tlp::ALL {
            assert_eq!(Tlp::parse(mark.as_str()), Some(mark));
            assert_eq!(serde_json::to_value(mark).unwrap(), mark.as_str());
        }
    }

    #[test]
    fn a_hospital_guides_and_notifies_nobody() {
        let sends = |sender| {
            let kinds = PackageKind::ALL.into_iter();
            kinds
                .filter(|kind| !kind.may_come_from(sender))
                .map(PackageKind::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(sends(OrganisationKind::Hospital), "guidance notice drill_invitation");
        assert_eq!(sends(OrganisationKind::Group), "guidance");
        assert_eq!(sends(OrganisationKind::Municipality), "");
        assert_eq!(sends(OrganisationKind::Ceptoar), "guidance");
    }
}
