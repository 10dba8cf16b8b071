//! By which way a report goes, who carries it, and what for.

use std::fmt;

/// By which way a report reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// By mail through the hospital's server.
    Mail,
    /// Into a folder the addressee can read.
    Folder,
    /// As a signed package to a partner's collector, over the network or as a file.
    Partner,
    /// Told on the telephone.
    Phone,
    /// By fax.
    Fax,
    /// Typed into the addressee's web form.
    Web,
    /// Handed over on paper or a storage medium.
    Medium,
}

/// Who carries a delivery out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The collector.
    Machine,
    /// A person with a call sheet.
    Person,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 7] =
        [Self::Mail, Self::Phone, Self::Fax, Self::Web, Self::Medium, Self::Folder, Self::Partner];

    /// Returns the name used in the database, in forms and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Folder => "folder",
            Self::Partner => "partner",
            Self::Phone => "phone",
            Self::Fax => "fax",
            Self::Web => "web",
            Self::Medium => "medium",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == name)
    }

    /// Returns the key of its label, for example `way-mail`.
    #[must_use]
    pub fn label_key(self) -> String {
        format!("way-{}", self.as_str())
    }

    /// Returns who carries it out.
    #[must_use]
    pub const fn carrier(self) -> Carrier {
        match self {
            Self::Mail | Self::Folder | Self::Partner => Carrier::Machine,
            Self::Phone | Self::Fax | Self::Web | Self::Medium => Carrier::Person,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a delivery is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It hands the report in at the office it is for: its deadlines are met by it.
    Report,
    /// Somebody else gets a copy.
    Copy,
}

impl Purpose {
    /// Returns the name used in the database and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Copy => "copy",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Report, Self::Copy]
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}
