//! The closed list of keys a policy may set.

use std::fmt;

/// A key a policy may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKey {
    /// Processor time the agent should stay below.
    CpuBudget,
    /// Memory the agent should stay below.
    MemoryBudget,
    /// Directories under watch.
    Roots,
    /// Services that must run.
    Services,
    /// Programs of which a process must run.
    Processes,
    /// What must answer.
    Probes,
    /// Further services that protect the host.
    Guards,
    /// Suffixes of an attacker.
    KnownBadSuffixes,
    /// File names of an attacker's notes.
    KnownBadNames,
    /// Work that is expected on a root.
    Jobs,
    /// Hours of remote sessions.
    UsualHours,
}

/// How the values of a key from two places come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The nearer one stands.
    Single,
    /// Both lists of names count.
    Names,
    /// Both lists of entries count; of two with the same one of these fields, the nearer stands.
    Entries(&'static [&'static str]),
}

impl PolicyKey {
    /// Every key, in the order of the configuration file.
    pub const ALL: [Self; 11] = [
        Self::CpuBudget,
        Self::MemoryBudget,
        Self::Roots,
        Self::Services,
        Self::Processes,
        Self::Probes,
        Self::Guards,
        Self::KnownBadSuffixes,
        Self::KnownBadNames,
        Self::Jobs,
        Self::UsualHours,
    ];

    /// Returns its dotted name, as in the configuration file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CpuBudget => "agent.cpu_budget_percent",
            Self::MemoryBudget => "agent.memory_budget_mib",
            Self::Roots => "sensors.roots",
            Self::Services => "sensors.services",
            Self::Processes => "sensors.processes",
            Self::Probes => "sensors.probes",
            Self::Guards => "sensors.protection.guards",
            Self::KnownBadSuffixes => "detectors.mass_change.known_bad_suffixes",
            Self::KnownBadNames => "detectors.mass_change.known_bad_names",
            Self::Jobs => "detectors.mass_change.jobs",
            Self::UsualHours => "detectors.logon_burst.usual_hours",
        }
    }

    /// Returns the key with this name; another version may know others.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == name)
    }

    /// Returns how its values come together.
    #[must_use]
    pub const fn kind(self) -> KeyKind {
        match self {
            Self::CpuBudget | Self::MemoryBudget | Self::UsualHours => KeyKind::Single,
            Self::Guards | Self::KnownBadSuffixes | Self::KnownBadNames => KeyKind::Names,
            Self::Roots => KeyKind::Entries(&["path", "label"]),
            Self::Services | Self::Processes | Self::Probes => KeyKind::Entries(&["name"]),
            Self::Jobs => KeyKind::Entries(&["name"]),
        }
    }
}

impl fmt::Display for PolicyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
