//! Judges the policy the collector sends, and keeps the last good one.
//!
//! ```text
//! SignedPolicy ─▶ signature ─▶ host ─▶ number (never back) ─▶ mistakes ─▶ goes with the file? ─▶ kept ─▶ in force
//!                                                                   └▶ Refusal: the one in force stays
//! ```
//!
//! Always holds:
//! - what is in force is on the disk first, with its signature, which is checked again at every start;
//! - the highest number that was in force is kept apart from it, so that a damaged or removed copy opens no way back.
//!   It counts for one collector: an enrolment anew, with another key or identity, begins from nothing;
//! - a policy that is refused changes nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;
use shirase_shared::ids::{FacilityId, HostId};
use shirase_shared::policy::{
    Policy, PolicyDocument, PolicyKey, PolicyName, PolicyReport, PolicyRevision, Refusal,
    RefusedPolicy, SignedPolicy, TEXT_MAX_BYTES,
};
use toml::Table;

use crate::config::{Config, ConfigError, Layered, layered};
use crate::durable;
use crate::identity::{Enrolment, IdentityError};
use crate::paths::StateDir;

/// Longest document: both texts, each byte of which JSON may write as six.
const DOCUMENT_MAX_BYTES: usize = 2 * 6 * TEXT_MAX_BYTES + 4096;

/// A policy that was checked, and its texts as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Which it is.
    pub name: PolicyName,
    /// What it says.
    pub table: Table,
}

/// Keeps the key, the policy in force and the highest number there was.
pub struct PolicyBook {
    key: UnparsedPublicKey<Vec<u8>>,
    key_text: String,
    facility: FacilityId,
    host: HostId,
    path: PathBuf,
    floor_path: PathBuf,
    floor: Option<PolicyRevision>,
    in_force: Option<Checked>,
    /// The last one that was not taken.
    refused: Option<RefusedPolicy>,
    taking: bool,
    drift: BTreeSet<PolicyKey>,
}

/// The highest number that was in force, as it lies on disk, and for whom it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Floor {
    order_key: String,
    facility: FacilityId,
    host: HostId,
    revision: PolicyRevision,
}

/// What came of a policy or of a changed file.
#[derive(Debug)]
pub enum Outcome {
    /// This is in force from now on.
    InForce(Box<Layered>),
    /// Nothing changes.
    Refused(Refusal),
}

impl PolicyBook {
    /// Opens the book of this host. A copy that is damaged or no longer fits is passed over, and said so.
    ///
    /// # Errors
    /// If the order key is none.
    pub fn open(enrolment: &Enrolment, state: &StateDir) -> Result<Self, IdentityError> {
        let mut book = Self {
            key: UnparsedPublicKey::new(&ED25519, enrolment.order_key()?),
            key_text: enrolment.order_key.clone(),
            facility: enrolment.facility.clone(),
            host: enrolment.host,
            path: state.policy(),
            floor_path: state.policy_floor(),
            floor: None,
            in_force: None,
            refused: None,
            taking: true,
            drift: BTreeSet::new(),
        };
        book.floor = book.read_floor();
        match durable::read_json::<SignedPolicy>(&book.path) {
            Ok(None) => {}
            Ok(Some(signed)) => match book.examine(&signed) {
                Ok(checked) => {
                    book.floor = book.floor.max(Some(checked.name.revision));
                    book.in_force = Some(checked);
                }
                Err(refusal) => {
                    tracing::warn!(
                        "the kept policy is not used and is asked for anew: {}",
                        refusal.in_words()
                    );
                }
            },
            Err(error) => {
                tracing::warn!(%error, "the kept policy does not read and is asked for anew");
            }
        }

        Ok(book)
    }

    fn read_floor(&self) -> Option<PolicyRevision> {
        match durable::read_json::<Floor>(&self.floor_path) {
            Ok(floor) => floor
                .filter(|floor| floor.order_key == self.key_text)
                .filter(|floor| floor.facility == self.facility && floor.host == self.host)
                .map(|floor| floor.revision),
            Err(error) => {
                tracing::warn!(%error, "the highest number of a policy does not read; the kept policy's own counts");
                None
            }
        }
    }

    /// Returns which policy is in force.
    #[must_use]
    pub fn in_force(&self) -> Option<&Checked> {
        self.in_force.as_ref()
    }

    /// What the host says of its policy.
    #[must_use]
    pub fn report(&self) -> PolicyReport {
        PolicyReport {
            taking: self.taking,
            applied: self
                .in_force
                .as_ref()
                .filter(|_| self.taking)
                .map(|checked| checked.name.clone()),
            drift: self.drift.iter().map(ToString::to_string).collect(),
            refused: self.refused.clone(),
        }
    }

    /// Lays the host's own good file over the policy in force. One that does not go with it is left out.
    ///
    /// # Errors
    /// If the file alone has mistakes, which was asked before.
    pub fn lay(&mut self, file: &str, taking: bool) -> Result<Layered, Vec<Problem>> {
        self.taking = taking;
        // Another file may take what the one before did not.
        self.refused = None;
        self.drift.clear();
        let Some(policy) = self.in_force.clone().filter(|_| taking) else {
            return layered(file, &Table::new());
        };
        match layered(file, &policy.table) {
            Ok(laid) => {
                self.drift.clone_from(&laid.drift);
                Ok(laid)
            }
            Err(problems) => {
                tracing::error!(
                    "policy {} does not go with the configuration file and is left out: {}",
                    policy.name.revision,
                    problems
                        .first()
                        .map(ToString::to_string)
                        .unwrap_or_default()
                );
                self.in_force = None;
                self.note_refused(&policy.name, Refusal::DoesNotFit);
                layered(file, &Table::new())
            }
        }
    }

    /// Judges a policy that was announced as `announced`, and keeps it if it is good.
    pub fn take(&mut self, announced: &PolicyName, signed: &SignedPolicy, file: &str) -> Outcome {
        match self.judge(signed, file) {
            Ok(laid) => Outcome::InForce(Box::new(laid)),
            Err(refusal) => {
                self.note_refused(announced, refusal);
                Outcome::Refused(refusal)
            }
        }
    }

    fn judge(&mut self, signed: &SignedPolicy, file: &str) -> Result<Layered, Refusal> {
        let checked = self.examine(signed)?;
        let held = self.in_force.as_ref().map(|held| &held.name);
        if let Some(held) = held.filter(|held| held.revision == checked.name.revision)
            && *held != checked.name
        {
            return Err(Refusal::Forked);
        }
        let laid = layered(file, &checked.table).map_err(|problems| {
            for problem in problems {
                tracing::warn!("policy {}: {problem}", checked.name.revision);
            }
            Refusal::DoesNotFit
        })?;
        self.keep(signed, checked.name.revision).map_err(|error| {
            tracing::error!(%error, "policy {} was not written down", checked.name.revision);
            Refusal::Disk
        })?;
        self.floor = Some(checked.name.revision);
        self.in_force = Some(checked);
        self.refused = None;
        self.drift.clone_from(&laid.drift);

        Ok(laid)
    }

    /// The copy first: its number counts at the next start even if the floor was not written any more.
    fn keep(&self, signed: &SignedPolicy, revision: PolicyRevision) -> std::io::Result<()> {
        durable::replace_json(&self.path, signed)?;
        let floor = Floor {
            order_key: self.key_text.clone(),
            facility: self.facility.clone(),
            host: self.host,
            revision,
        };
        durable::replace_json(&self.floor_path, &floor)
    }

    /// Everything that can be said of a document by itself.
    fn examine(&self, signed: &SignedPolicy) -> Result<Checked, Refusal> {
        if DOCUMENT_MAX_BYTES < signed.policy.len() {
            return Err(Refusal::TooLong);
        }
        let signature = BASE64
            .decode(&signed.signature)
            .map_err(|_| Refusal::Signature)?;
        self.key
            .verify(signed.policy.as_bytes(), &signature)
            .map_err(|_| Refusal::Signature)?;
        let document: PolicyDocument =
            serde_json::from_str(&signed.policy).map_err(|_| Refusal::Unreadable)?;
        if document.host != self.host || document.facility != self.facility {
            return Err(Refusal::OtherHost);
        }
        if self.floor.is_some_and(|floor| document.revision < floor) {
            return Err(Refusal::Older);
        }
        for text in [&document.facility_text, &document.host_text] {
            Policy::parse(text).map_err(|_| Refusal::Mistakes)?;
        }
        let table = document.table().map_err(|_| Refusal::Mistakes)?;

        Ok(Checked { name: document.name(), table })
    }

    fn note_refused(&mut self, name: &PolicyName, why: Refusal) {
        let why = why.as_str().to_owned();
        self.refused = Some(RefusedPolicy { name: name.clone(), why });
    }
}

/// Returns the configuration as a service would have it in force: the file over the policy that is kept for this host, if
/// it is enrolled and whoever asks may read that.
///
/// # Errors
/// Says what is wrong with the file.
pub fn as_in_force(path: &Path) -> Result<(Layered, PolicyReport), ConfigError> {
    let (config, file) = Config::load(path)?;
    let state = config.agent.state();
    let book = Enrolment::load(&state).and_then(|enrolment| PolicyBook::open(&enrolment, &state));
    let (laid, report) = match book {
        Ok(mut book) => (book.lay(&file, config.policy.take), book.report()),
        Err(_) => (layered(&file, &Table::new()), PolicyReport::default()),
    };
    match laid {
        Ok(laid) => Ok((laid, report)),
        Err(problems) => Err(ConfigError::Invalid { path: path.to_owned(), problems }),
    }
}

#[cfg(test)]
mod tests;
