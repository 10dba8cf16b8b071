//! Makes observations of a plain damage manifest: what was touched while a burst was on.
//!
//! A manifest does not say everything a sensor saw: not what was written before and nothing ordinary from before the
//! burst. What its evidence proves is put back: lost magic, emptied files, random content, decoys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shirase_shared::clock::Moment;
use shirase_shared::ids::BootId;
use shirase_shared::redact::Names;

use super::reading::Lines;
use super::{Header, Seen, TraceError, forms};
use crate::observation::{
    Actor, Fact, FileChange, FoundFile, Observation, Operation, Role, Root, Sign, Texture, Verdict,
    Wording,
};

/// Monotonic time of the first line; a manifest has wall time alone.
const FIRST_MS: u64 = 60_000;
/// What a file is said to hold where the manifest only says that it was not empty.
const SOME_BYTES: u64 = 4096;

/// A line of a manifest. Only touched files have an operation.
#[derive(Deserialize)]
struct Touched {
    at: Timestamp,
    root: String,
    path: String,
    path_hex: Option<String>,
    operation: String,
    from: Option<String>,
    files: Option<u64>,
    #[serde(default)]
    evidence: Vec<String>,
    actor: Option<Actor>,
}

impl Touched {
    fn full(&self) -> PathBuf {
        let bytes = self
            .path_hex
            .as_ref()
            .and_then(|text| hex::decode(text).ok());
        bytes.map_or_else(|| PathBuf::from(&self.path), forms::of_bytes)
    }

    fn has(&self, evidence: &str) -> bool {
        self.evidence.iter().any(|known| known == evidence)
    }
}

/// Whether a first line is that of a manifest.
pub(super) fn begins(line: &Value) -> bool {
    ["at", "root", "path", "operation"]
        .iter()
        .all(|key| line.get(key).is_some())
}

/// Reads the whole manifest, which is bounded by the agent that wrote it, in the order of time.
pub(super) fn read(
    first: Vec<u8>,
    lines: &mut Lines,
    known: &[Root],
) -> Result<(Header, Vec<Seen>), TraceError> {
    let mut touched = Vec::<Touched>::new();
    let mut next = Some(first);
    while let Some(line) = next {
        let value: Value =
            serde_json::from_slice(&line).map_err(|error| lines.damaged(&error.to_string()))?;
        if value.get("operation").is_some() {
            let touch = serde_json::from_value(value);
            touched.push(touch.map_err(|error| lines.damaged(&error.to_string()))?);
        } else if value.get("note").is_none() && value.get("files").is_none() {
            return Err(lines.damaged("it is neither a touched file, a note nor the end"));
        }
        next = lines.next()?;
    }
    touched.sort_by_key(|touch| touch.at);
    let roots = roots(&touched, known);
    let began_at = touched
        .first()
        .map_or(Timestamp::UNIX_EPOCH, |touch| touch.at);
    let boot = BootId::from_uuid(uuid::Uuid::nil());
    let began = Moment { wall: began_at, boot, monotonic_ms: FIRST_MS };
    let mut seen = Vec::with_capacity(touched.len());
    for touch in &touched {
        let Some(root) = roots.get(&touch.root) else { continue };
        let passed = touch.at.duration_since(began_at).as_millis();
        let now =
            super::later(Moment { wall: began_at, ..began }, u64::try_from(passed).unwrap_or(0));
        let fact = fact(touch, root).map_err(|why| lines.damaged(&why))?;
        seen.push(Seen { observation: Observation { at: now, fact }, now });
    }
    let roots = roots.values().map(|root| root.as_ref().clone()).collect();

    Ok((Header::new(began, roots), seen))
}

/// Finds where each root was: as configured, else the directory that all its files have in common.
fn roots(touched: &[Touched], known: &[Root]) -> BTreeMap<String, Arc<Root>> {
    let mut common = BTreeMap::<&str, PathBuf>::new();
    for touch in touched {
        let from = touch.from.as_ref().map(PathBuf::from);
        for path in std::iter::once(touch.full()).chain(from) {
            let parent = path.parent().unwrap_or(&path).to_owned();
            let shared = match common.get(touch.root.as_str()) {
                Some(known) => in_common(known, &parent),
                None => parent,
            };
            common.insert(&touch.root, shared);
        }
    }
    let root = |(label, path): (&str, PathBuf)| {
        let configured = known.iter().find(|root| root.label == label).cloned();
        let root = configured.unwrap_or_else(|| Root {
            label: label.to_owned(),
            path,
            names: Names::Hidden,
        });
        (label.to_owned(), Arc::new(root))
    };

    common.into_iter().map(root).collect()
}

fn in_common(one: &Path, other: &Path) -> PathBuf {
    one.components()
        .zip(other.components())
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one)
        .collect()
}

fn fact(touch: &Touched, root: &Arc<Root>) -> Result<Fact, String> {
    let full = touch.full();
    let inside = |path: &Path| path.strip_prefix(&root.path).unwrap_or(path).to_owned();
    let below = inside(&full);
    let from = || {
        let from = touch
            .from
            .as_deref()
            .ok_or("it does not say what the file was called")?;
        Ok::<_, String>(inside(Path::new(from)))
    };
    let operation = match touch.operation.as_str() {
        "created" => Operation::Created,
        "written" => Operation::Written,
        "deleted" => Operation::Deleted,
        "moved_out" => Operation::MovedOut,
        "renamed" => Operation::Renamed { from: from()? },
        "directory_renamed" => {
            Operation::DirectoryRenamed { from: from()?, files: touch.files.unwrap_or(1) }
        }
        "found" => {
            let suffix = touch.has("suffix_appended");
            let sign = if suffix { Sign::SuffixAppended } else { Sign::MagicLost };
            let (root, changed_at) = (Arc::clone(root), touch.at);
            return Ok(Fact::Found(FoundFile { root, below, changed_at, sign }));
        }
        other => return Err(format!("the operation `{other}` is not known")),
    };
    let mut change = FileChange::new(Arc::clone(root), below, operation);
    change.actor = touch.actor.clone().map(Arc::new);
    let lost = touch.has("magic_lost") || touch.has("misfit") || touch.has("substituted");
    change.verdict = if lost { Verdict::Lost } else { Verdict::Unknown };
    change.texture = if touch.has("randomised") { Texture::Random } else { Texture::Unknown };
    change.wording = if touch.has("ransom_note") { Wording::RansomNote } else { Wording::Unknown };
    change.role = if touch.has("canary") { Role::Canary } else { Role::Ordinary };
    change.size = match change.operation {
        Operation::Written if touch.has("truncated") => Some(0),
        Operation::Written => Some(SOME_BYTES),
        Operation::Created
        | Operation::Deleted
        | Operation::MovedOut
        | Operation::Renamed { .. }
        | Operation::DirectoryRenamed { .. } => None,
    };

    Ok(Fact::File(change))
}
