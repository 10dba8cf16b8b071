//! Watches directories for changed files.
//!
//! ```text
//! kernel ─▶ fanotify, usn or portable (drain, nothing else) ─bounded queue▶ worker (pairs renames, scans new directories,
//!           keeps an eye on the roots, has files looked into) ─▶ observations, those of a moment together
//!                                        └─ on overflow, start, return of a root ─▶ rescan ─▶ observations
//! ```
//!
//! Always holds:
//! - the thread that drains the kernel's queue never waits for anything of ours: what does not fit is counted, told
//!   as a loss, and answered with a rescan;
//! - one change is one observation: the halves of a rename are paired, a run of writes ends in one look;
//! - a root that cannot be read, is partly readable, disappears or returns is a state with an observation, never an end.
//!
//! Not here: what a change means (see `detectors`).

mod queue;
mod raw;
mod backend;
#[cfg(target_os = "linux")]
mod fanotify;
#[cfg(any(windows, test))]
mod usn;
mod portable;
mod pairing;
mod rescan;
mod roots;
mod distant;
mod near_and_far;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use shirase_shared::redact::Names;
use tokio::sync::mpsc;

use super::SensorBoard;
use crate::canaries::{self, Watchlist};
use crate::containment::Contain;
use crate::observation::{Observation, Root};

pub use backend::BackendChoice;
pub use near_and_far::run;
pub use roots::resolve;
pub use worker::{FilesSensor, RootStatus, begin};

/// Name of this sensor on the board.
pub const NAME: &str = "files";
/// What the sensor of one root on a network file system is called on the board.
pub(crate) fn name_on(label: &str) -> String {
    format!("{NAME} on {label}")
}

/// Longest label of a root, in characters.
const LABEL_MAX_CHARS: usize = 32;

/// A directory under watch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RootConfig {
    /// The directory, absolute. Everything below it is watched too.
    pub path: PathBuf,
    /// What the collector calls it. Default: the last part of the path.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether names below it may tell of patients. `false` lets clear file names leave this host; default `true`.
    #[serde(default = "yes")]
    pub patient_data: bool,
    /// Decoys kept below it, 0 to 32: hidden files nobody has a reason to touch. Never where a program takes in whatever
    /// it finds; trees of SS-MIX2 messages and DICOM images are refused. Default 0.
    #[serde(default)]
    pub canaries: u32,
    /// What is done about a process that certainly harms files below it, beside telling: `off`, or `suspend` until
    /// `shirase-agent release`. Linux with fanotify. Default `off`.
    #[serde(default)]
    pub contain: Contain,
}

impl RootConfig {
    /// Names a directory to watch, with everything else as it is by default.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            label: None,
            patient_data: yes(),
            canaries: 0,
            contain: Contain::Off,
        }
    }
}

const fn yes() -> bool {
    true
}

/// How files are watched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesConfig {
    /// What the kernel is asked with.
    pub backend: BackendChoice,
    /// Directories nobody needs to hear of, with everything below them: those of a database above all, whose files
    /// change all day. Absolute.
    pub ignored: Vec<PathBuf>,
    /// Most files per second that are looked into. 0 looks into none.
    pub content_checks_per_second: u32,
    /// Most bytes per second read from them; beyond that only the first 512 of each file are. 0 reads no more than those.
    pub content_bytes_per_second: u64,
    /// Most files one rescan looks at. Larger trees are seen in part, and the loss event says so.
    pub rescan_max_files: u64,
    /// Longest time one rescan takes, in seconds.
    pub rescan_max_secs: u64,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            backend: BackendChoice::Auto,
            ignored: Vec::new(),
            content_checks_per_second: 2000,
            content_bytes_per_second: 4 * 1024 * 1024,
            rescan_max_files: 500_000,
            rescan_max_secs: 120,
        }
    }
}

impl FilesConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(path) = self.ignored.iter().find(|path| !path.is_absolute()) {
            problems.push(Problem::of(
                "sensors.files.ignored",
                format!("`{}` is not an absolute path", path.display()),
                "write the whole path from the root of the file system",
            ));
        }
        if self.rescan_max_files == 0 {
            let key = "sensors.files.rescan_max_files";
            problems.push(Problem::of(key, "is 0", "give at least 1; 500000 is the default"));
        }
        if self.rescan_max_secs == 0 {
            let key = "sensors.files.rescan_max_secs";
            problems.push(Problem::of(key, "is 0", "give at least 1; 120 is the default"));
        }
        problems
    }
}

/// What the files sensor needs.
#[derive(Clone)]
pub struct FilesParts {
    /// What the sensor is called on the board: [`NAME`], or more where there are several.
    pub name: String,
    /// What to watch, see [`resolve`].
    pub roots: Vec<Arc<Root>>,
    /// How.
    pub config: FilesConfig,
    /// The time.
    pub clock: SharedClock,
    /// Where observations go, those of a moment together; make it with [`super::CHANGES_CAPACITY`].
    pub out: mpsc::Sender<Vec<Observation>>,
    /// Where the sensor says how it is.
    pub board: SensorBoard,
    /// What changed since then is looked at once at start.
    pub since: Option<Timestamp>,
    /// Directories never looked at.
    pub ignored: Vec<PathBuf>,
    /// Where to keep how far was seen, so that what happens until the next start is told then, where the system keeps
    /// it. `None` keeps nothing.
    pub memory: Option<PathBuf>,
    /// Which files are decoys.
    pub watchlist: Watchlist,
}

/// Why files cannot be watched at all.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The kernel refuses a queue.
    #[error(
        "failed to open the kernel's queue of file changes; raise fs.inotify.max_user_instances"
    )]
    Backend(#[source] notify::Error),
    /// The configured backend cannot be used.
    #[error("failed to watch files as configured; set sensors.files.backend to \"auto\"")]
    Unusable(#[from] Unusable),
    /// No thread.
    #[error("failed to start the thread `{name}`")]
    Thread {
        /// Its name.
        name: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// Why a backend cannot be used here, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// Returns every rule the configured roots break.
#[must_use]
pub fn root_problems(roots: &[RootConfig]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, root) in roots.iter().enumerate() {
        let key = format!("sensors.roots.{index}.path");
        if !root.path.is_absolute() {
            problems.push(Problem::of(
                &key,
                format!("`{}` is not an absolute path", root.path.display()),
                "write the whole path from the root of the file system",
            ));
        }
        if roots
            .iter()
            .take(index)
            .any(|earlier| earlier.path == root.path)
        {
            problems.push(Problem::of(&key, "is listed twice", "keep one of the two"));
        }
        if canaries::COUNT_MAX < root.canaries {
            problems.push(Problem::of(
                &format!("sensors.roots.{index}.canaries"),
                format!("is {}", root.canaries),
                format!("give 0 to {}; 6 to 12 are enough for a share", canaries::COUNT_MAX),
            ));
        }
        let Some(label) = &root.label else { continue };
        let key = format!("sensors.roots.{index}.label");
        if label.is_empty() || *label != safe_label(label) {
            problems.push(Problem::of(
                &key,
                "is empty, too long or holds odd characters",
                "use 1 to 32 letters, digits, `-`, `_` and `.`",
            ));
        }
        if roots
            .iter()
            .take(index)
            .any(|earlier| earlier.label.as_ref() == Some(label))
        {
            problems.push(Problem::of(&key, "is used twice", "give each root its own label"));
        }
    }
    problems
}

/// Returns a label without anything that could disturb a page, a mail or a log.
fn safe_label(text: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    text.chars().take(LABEL_MAX_CHARS).map(safe).collect()
}

/// Whether names may leave, from the configuration's word.
const fn names_of(root: &RootConfig) -> Names {
    if root.patient_data { Names::Hidden } else { Names::Clear }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_root_is_named_with_its_key() {
        let root = |path: &str, label: Option<&str>| RootConfig {
            label: label.map(str::to_owned),
            ..RootConfig::new(match path.strip_prefix('/') {
                Some(below) => std::path::absolute("/").unwrap().join(below),
                None => PathBuf::from(path),
            })
        };
        let roots = [
            root("data", None),
            root("/a", Some("x")),
            root("/a", Some("x")),
            root("/b", Some("a\u{202e}b")),
        ];
        let problems = root_problems(&roots);
        let keys: Vec<_> = problems
            .iter()
            .map(|problem| problem.key.as_str())
            .collect();
        assert_eq!(
            keys,
            [
                "sensors.roots.0.path",
                "sensors.roots.2.path",
                "sensors.roots.2.label",
                "sensors.roots.3.label"
            ],
        );
    }
}
