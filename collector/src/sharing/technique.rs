//! The techniques of MITRE ATT&CK a product can name: a short list, so that a name is always the right one.
//!
//! Ids and names are MITRE's (ATT&CK, © The MITRE Corporation, used under its terms of use). A person chooses; the machine
//! only proposes.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Technique {
    /// Its id, for example `T1486`.
    pub id: &'static str,
    /// MITRE's name of it.
    pub name: &'static str,
    /// The tactics it serves, as MITRE's STIX names them.
    pub tactics: &'static [&'static str],
}

const fn one(id: &'static str, name: &'static str, tactics: &'static [&'static str]) -> Technique {
    Technique { id, name, tactics }
}

/// Every technique, in the order of an attack.
pub const TECHNIQUES: &[Technique] = &[
    one("T1190", "Exploit Public-Facing Application", &["initial-access"]),
    one("T1133", "External Remote Services", &["persistence", "initial-access"]),
    one("T1566", "Phishing", &["initial-access"]),
    one("T1189", "Drive-by Compromise", &["initial-access"]),
    one("T1091", "Replication Through Removable Media", &["lateral-movement", "initial-access"]),
    one("T1199", "Trusted Relationship", &["initial-access"]),
    one("T1195", "Supply Chain Compromise", &["initial-access"]),
    one("T1078", "Valid Accounts", &["persistence", "privilege-escalation", "initial-access"]),
    one("T1110", "Brute Force", &["credential-access"]),
    one("T1003", "OS Credential Dumping", &["credential-access"]),
    one("T1059", "Command and Scripting Interpreter", &["execution"]),
    one("T1136", "Create Account", &["persistence"]),
    one("T1098", "Account Manipulation", &["persistence", "privilege-escalation"]),
    one("T1021.001", "Remote Desktop Protocol", &["lateral-movement"]),
    one("T1021.002", "SMB/Windows Admin Shares", &["lateral-movement"]),
    one("T1210", "Exploitation of Remote Services", &["lateral-movement"]),
    one("T1570", "Lateral Tool Transfer", &["lateral-movement"]),
    one("T1562.001", "Disable or Modify Tools", &["defense-evasion"]),
    one("T1070", "Indicator Removal", &["defense-evasion"]),
    one("T1219", "Remote Access Tools", &["command-and-control"]),
    one("T1041", "Exfiltration Over C2 Channel", &["exfiltration"]),
    one("T1567", "Exfiltration Over Web Service", &["exfiltration"]),
    one("T1489", "Service Stop", &["impact"]),
    one("T1490", "Inhibit System Recovery", &["impact"]),
    one("T1486", "Data Encrypted for Impact", &["impact"]),
    one("T1485", "Data Destruction", &["impact"]),
    one("T1561", "Disk Wipe", &["impact"]),
    one("T1498", "Network Denial of Service", &["impact"]),
    one("T1499", "Endpoint Denial of Service", &["impact"]),
    one("T1657", "Financial Theft", &["impact"]),
];

/// The id of a technique of that list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TechniqueId(&'static str);

/// Why a text names no technique.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no technique of ATT&CK this version knows; update the collector")]
struct NoTechnique(String);

impl TechniqueId {
    /// Finds a technique by its id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let found = TECHNIQUES.iter().find(|one| one.id == id)?;
        Some(Self(found.id))
    }

    /// Returns the id as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Returns the technique. Every id of this type is one of the list.
    #[must_use]
    pub fn technique(self) -> Option<&'static Technique> {
        TECHNIQUES.iter().find(|one| one.id == self.0)
    }
}

impl Technique {
    /// Returns the page MITRE has about it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://attack.mitre.org/techniques/{}", self.id.replace('.', "/"))
    }
}

impl Serialize for TechniqueId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for TechniqueId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        let unknown = || D::Error::custom(NoTechnique(id.chars().take(16).collect()));
        Self::parse(&id).ok_or_else(unknown)
    }
}

impl fmt::Display for TechniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
