//! The audit log: who decided what and when, in a chain nobody can rewrite unseen.
//!
//! ```text
//! entry 1 ──hash──▶ entry 2 ──hash──▶ entry 3          in the database
//!    │                 │                 │
//!    ▼                 ▼                 ▼
//! {n,hash,at}       {n,hash,at}       {n,hash,at}      in `audit-anchors.jsonl`, outside it, synced after each commit
//! ```
//!
//! The hash of an entry is the SHA-256, in lower-case hexadecimal, of this JSON array without spaces:
//! `["shirase-audit-1", n, at_ms, facility or null, who, action, object, detail, previous]`, where `detail` is the
//! stored JSON text as one string and `previous` the hash of the entry before (64 zeros for the first).
//!
//! Always holds:
//! - an entry is written in the same transaction as the change it tells of;
//! - a changed, missing or added entry, a cut tail and a rewritten chain are each found by [`verify`], the last two
//!   by the anchors file, and where that was rewritten too, by any [`Head`] that left the machine before: on a report,
//!   in a mail to staff, in the system log, or in a copy of the anchors file.
//!
//! Not here: SQL (see `store::audit`).

mod head;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use shirase_shared::ids::{FacilityId, UserId};
use shirase_shared::tls::sha256_hex;

use crate::store::{Store, StoreError};

pub use head::{Carrier, Departure, Head, HeadError, KnownHead};

/// File name of the anchors in the data directory.
pub const ANCHORS_FILE: &str = "audit-anchors.jsonl";
/// Begins every hashed text, so that a later layout can never be taken for this one.
const LAYOUT: &str = "shirase-audit-1";
/// Stands for the hash before the first entry.
pub(crate) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Entries read at once while verifying.
const PAGE: u32 = 1000;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// A person who signed in.
    User(UserId),
    /// The collector itself.
    Machine,
    /// Somebody with a shell on the collector's machine.
    CommandLine,
}

impl Actor {
    /// Returns the person, if it was one who signed in.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Machine | Self::CommandLine => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Machine => f.write_str("machine"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = shirase_shared::ids::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "machine" => Ok(Self::Machine),
            "command line" => Ok(Self::CommandLine),
            id => id.parse().map(Self::User),
        }
    }
}

/// What is about to be written into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, by the collector's clock.
    pub at: Timestamp,
    /// The facility concerned, if one is.
    pub facility: Option<FacilityId>,
    /// Who.
    pub who: Actor,
    /// What, as `noun.past`: `incident.closed`, `user.created`.
    pub action: &'static str,
    /// On what: an id or a name.
    pub object: String,
    /// Particulars. Never a password, a token or a key.
    pub detail: BTreeMap<String, String>,
}

impl AuditEntry {
    /// Begins an entry that concerns the collector as a whole.
    #[must_use]
    pub fn new(at: Timestamp, who: Actor, action: &'static str, object: impl fmt::Display) -> Self {
        let object = object.to_string();
        Self { at, facility: None, who, action, object, detail: BTreeMap::new() }
    }

    /// Says which facility is concerned.
    #[must_use]
    pub fn of(mut self, facility: &FacilityId) -> Self {
        self.facility = Some(facility.clone());
        self
    }

    /// Adds a particular.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.detail.insert(key.to_owned(), value.to_string());
        self
    }
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEntry {
    /// Its number, from 1, without gaps.
    pub n: u64,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The facility concerned, if one is.
    pub facility: Option<String>,
    /// Who, as [`Actor`] shows itself.
    pub who: String,
    /// What.
    pub action: String,
    /// On what.
    pub object: String,
    /// Particulars as stored JSON.
    pub detail: String,
    /// Hash of the entry before.
    pub previous: String,
    /// Hash of this entry.
    pub hash: String,
}

impl LoggedEntry {
    /// Computes the hash this entry should carry.
    #[must_use]
    pub fn expected_hash(&self) -> String {
        let text = serde_json::json!([
            LAYOUT,
            self.n,
            self.at_ms,
            self.facility,
            self.who,
            self.action,
            self.object,
            self.detail,
            self.previous
        ]);
        sha256_hex(text.to_string().as_bytes())
    }
}

/// One line of the anchors file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Number of the entry.
    pub n: u64,
    /// Its hash.
    pub hash: String,
    /// When it was made.
    pub at: Timestamp,
}

/// A log that was found whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many entries it holds.
    pub entries: u64,
    /// Hash of the last one: note it down elsewhere, and nobody can rewrite the log unseen.
    pub head: String,
    /// The last entry an anchor vouches for.
    pub anchored_through: u64,
    /// How many heads known from outside it agrees with.
    pub known_heads: usize,
}

/// What is wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum AuditFault {
    /// An entry's content does not fit its hash.
    #[error("audit entry {n} was changed after it was written")]
    Changed {
        /// Its number.
        n: u64,
    },
    /// A number is missing.
    #[error("audit entry {n} is missing")]
    Missing {
        /// The number.
        n: u64,
    },
    /// An entry does not name the hash of the one before.
    #[error("audit entry {n} does not follow from the entry before it")]
    Unchained {
        /// Its number.
        n: u64,
    },
    /// The last entries are gone.
    #[error(
        "the audit log ends at entry {entries}, but entry {anchored} was anchored: its tail was cut off"
    )]
    CutTail {
        /// How many are left.
        entries: u64,
        /// How far the anchors go.
        anchored: u64,
    },
    /// The chain is sound in itself but is not the one that was anchored.
    #[error("audit entry {n} is not the one that was anchored: the log was rewritten")]
    Rewritten {
        /// The first entry that differs.
        n: u64,
    },
    /// The last entries are gone, and with them what a head known from outside stands for.
    #[error(
        "the audit log ends at entry {entries}, but `{source_name}` knows entry {n}: its tail was cut off"
    )]
    KnownIsGone {
        /// How many are left.
        entries: u64,
        /// The entry that is known.
        n: u64,
        /// Where it is known from.
        source_name: String,
    },
    /// The chain is sound in itself, but it is not the one of a head known from outside.
    #[error("audit entry {n} is not the one `{source_name}` knows: the log was rewritten")]
    KnownDiffers {
        /// The entry.
        n: u64,
        /// Where it is known from.
        source_name: String,
    },
    /// There are entries but no anchors.
    #[error("there is no anchors file `{}`; restore it from a copy", .0.display())]
    AnchorsMissing(PathBuf),
    /// A line of the anchors file is no anchor.
    #[error("line {line} of the anchors file cannot be read")]
    AnchorsDamaged {
        /// Counted from 1.
        line: usize,
    },
    /// The anchors file cannot be read at all.
    #[error("failed to read the anchors file `{}`", path.display())]
    AnchorsUnreadable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database did not answer.
    #[error("failed to read the audit log")]
    Store(#[from] StoreError),
}

impl AuditFault {
    /// Returns the key of what it means and what to do, in the locale files.
    #[must_use]
    pub const fn remedy_key(&self) -> &'static str {
        match self {
            Self::Changed { .. } | Self::Missing { .. } | Self::Unchained { .. } => {
                "audit-remedy-edited"
            }
            Self::CutTail { .. } | Self::KnownIsGone { .. } => "audit-remedy-cut",
            Self::Rewritten { .. } | Self::KnownDiffers { .. } => "audit-remedy-rewritten",
            Self::AnchorsMissing(_)
            | Self::AnchorsDamaged { .. }
            | Self::AnchorsUnreadable { .. } => "audit-remedy-anchors",
            Self::Store(_) => "audit-remedy-store",
        }
    }
}

/// Checks the whole log, entry by entry, against itself, against the anchors and against heads known from outside.
///
/// # Errors
/// The first fault found.
pub async fn verify(
    store: &Store,
    anchors: &Path,
    known: &[KnownHead],
) -> Result<Verified, AuditFault> {
    let read = std::fs::read_to_string(anchors);
    let mut chain = match read {
        Ok(text) => Chain::new(parse_anchors(&text)?, known),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let page = store.audit_page(0, 1).await?;
            if !page.is_empty() {
                return Err(AuditFault::AnchorsMissing(anchors.to_owned()));
            }
            Chain::new(BTreeMap::new(), known)
        }
        Err(source) => {
            return Err(AuditFault::AnchorsUnreadable { path: anchors.to_owned(), source });
        }
    };
    loop {
        let page = store.audit_page(chain.entries, PAGE).await?;
        if page.is_empty() {
            return chain.finish();
        }
        for entry in &page {
            chain.check(entry)?;
        }
    }
}

/// Returns every head in a file: in a copy of the anchors each line, in any other text each mark.
#[must_use]
pub fn heads_in(bytes: &[u8]) -> Vec<Head> {
    let text = String::from_utf8_lossy(bytes);
    let anchors = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut heads: Vec<Head> = anchors
        .map(|Anchor { n, hash, at: _ }| Head { n, hash })
        .collect();
    heads.extend(Head::find_all(&text));
    heads
}

/// Reads the anchors; a torn last line is one that was never acknowledged and is passed over.
fn parse_anchors(text: &str) -> Result<BTreeMap<u64, String>, AuditFault> {
    let whole = text
        .rfind('\n')
        .and_then(|end| text.get(..end))
        .unwrap_or_default();
    let mut anchors = BTreeMap::new();
    for (index, line) in whole.lines().enumerate() {
        let anchor: Anchor = serde_json::from_str(line)
            .map_err(|_| AuditFault::AnchorsDamaged { line: index + 1 })?;
        let before = anchors.insert(anchor.n, anchor.hash.clone());
        if before.is_some_and(|hash| hash != anchor.hash) {
            return Err(AuditFault::Rewritten { n: anchor.n });
        }
    }
    Ok(anchors)
}

/// What is known of the log so far, while it is walked.
struct Chain<'a> {
    anchors: BTreeMap<u64, String>,
    known: BTreeMap<u64, Vec<&'a KnownHead>>,
    entries: u64,
    head: String,
}

impl<'a> Chain<'a> {
    fn new(anchors: BTreeMap<u64, String>, heads: &'a [KnownHead]) -> Self {
        let mut known = BTreeMap::<u64, Vec<&KnownHead>>::new();
        for one in heads {
            known.entry(one.head.n).or_default().push(one);
        }
        Self { anchors, known, entries: 0, head: NO_HASH.to_owned() }
    }

    fn check(&mut self, entry: &LoggedEntry) -> Result<(), AuditFault> {
        let n = self.entries + 1;
        if entry.n != n {
            return Err(AuditFault::Missing { n });
        }
        if entry.expected_hash() != entry.hash {
            return Err(AuditFault::Changed { n });
        }
        if entry.previous != self.head {
            return Err(AuditFault::Unchained { n });
        }
        if self
            .anchors
            .get(&n)
            .is_some_and(|anchored| *anchored != entry.hash)
        {
            return Err(AuditFault::Rewritten { n });
        }
        let other = self
            .known
            .get(&n)
            .into_iter()
            .flatten()
            .find(|one| one.head.hash != entry.hash);
        if let Some(other) = other {
            return Err(AuditFault::KnownDiffers { n, source_name: other.source.clone() });
        }
        self.entries = n;
        self.head.clone_from(&entry.hash);

        Ok(())
    }

    fn finish(self) -> Result<Verified, AuditFault> {
        let anchored = self.anchors.last_key_value().map_or(0, |(n, _)| *n);
        if self.entries < anchored {
            return Err(AuditFault::CutTail { entries: self.entries, anchored });
        }
        let beyond = self.known.range(self.entries + 1..).next();
        if let Some(gone) = beyond.and_then(|(_, heads)| heads.first()) {
            return Err(AuditFault::KnownIsGone {
                entries: self.entries,
                n: gone.head.n,
                source_name: gone.source.clone(),
            });
        }
        let known_heads = self.known.values().map(Vec::len).sum();
        Ok(Verified {
            entries: self.entries,
            head: self.head,
            anchored_through: anchored,
            known_heads,
        })
    }
}

#[cfg(test)]
mod tests;
