//! Every path the agent uses, in one place.
//!
//! Always holds: everything the agent writes lies below its state directory (0700), but the configuration that
//! `enroll` writes, the dummy files of a drill and the decoys.

use std::io;
use std::path::{Path, PathBuf};

use crate::service;

/// Where the service keeps its state unless the configuration says otherwise.
pub const DEFAULT_STATE_DIR: &str =
    if cfg!(windows) { r"C:\ProgramData\Shirase\agent" } else { "/var/lib/shirase-agent" };
/// Where the service looks for its configuration unless told otherwise.
pub const DEFAULT_CONFIG: &str =
    if cfg!(windows) { r"C:\ProgramData\Shirase\agent.toml" } else { "/etc/shirase/agent.toml" };

/// The state directory could not be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to prepare the state directory `{}`; run as the service's user (usually root) or choose another directory \
     with --state or `agent.state_dir`",
    path.display()
)]
pub struct StateDirError {
    path: PathBuf,
    source: io::Error,
}

/// The state directory and what lies where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Names a state directory; nothing is touched.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// Makes the directory and its sub-directories, readable by their owner alone, and proves that they can be written.
    ///
    /// # Errors
    /// Names the directory and what to do.
    pub fn prepare(&self) -> Result<(), StateDirError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StateDirError { path, source }
        };
        for dir in [self.dir(), &self.manifests(), &self.manifest_outbox(), &self.backups()] {
            service::create_private_dir(dir).map_err(failed(dir))?;
        }
        let probe = self.0.join(".writable");
        service::create_private_file(&probe).map_err(failed(&self.0))?;
        std::fs::remove_file(&probe).map_err(failed(&self.0))
    }

    /// The directory itself.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// Events not yet stored by the collector.
    #[must_use]
    pub fn buffer(&self) -> PathBuf {
        self.0.join("buffer")
    }

    /// Socket of the running service for `status` and its kin.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// Held while a service uses this directory.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("agent.lock")
    }

    /// The last configuration that was good.
    #[must_use]
    pub fn last_good_config(&self) -> PathBuf {
        self.0.join("last-good.toml")
    }

    /// Who was an administrator of this host at the last look.
    #[must_use]
    pub fn known_administrators(&self) -> PathBuf {
        self.0.join("administrators.json")
    }

    /// The last sign of life, and in which boot it was given.
    #[must_use]
    pub fn alive(&self) -> PathBuf {
        self.0.join("alive.json")
    }

    /// Put there by the package's scripts while the package is being removed.
    #[must_use]
    pub fn leaving(&self) -> PathBuf {
        self.0.join("leaving")
    }

    /// The detectors' counters of the last day, and what they learned.
    #[must_use]
    pub fn counters(&self) -> PathBuf {
        self.0.join("counters.json")
    }

    /// Orders that were carried out and have not expired.
    #[must_use]
    pub fn orders_seen(&self) -> PathBuf {
        self.0.join("orders-seen.json")
    }

    /// The policy in force, as the collector signed it.
    #[must_use]
    pub fn policy(&self) -> PathBuf {
        self.0.join("policy.json")
    }

    /// The highest number of a policy that was in force.
    #[must_use]
    pub fn policy_floor(&self) -> PathBuf {
        self.0.join("policy-floor.json")
    }

    /// The maintenance window in force.
    #[must_use]
    pub fn maintenance(&self) -> PathBuf {
        self.0.join("maintenance.json")
    }

    /// Drills whose files may still lie in a watched root.
    #[must_use]
    pub fn drills(&self) -> PathBuf {
        self.0.join("drills.json")
    }

    /// Guards that were seen running.
    #[must_use]
    pub fn guards(&self) -> PathBuf {
        self.0.join("guards.json")
    }

    /// How the watched logs and the agent's own files were at the last look.
    #[must_use]
    pub fn watched_files(&self) -> PathBuf {
        self.0.join("watched-files.json")
    }

    /// How each backup was at the last look.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.0.join("backups")
    }

    /// Decoys that were made.
    #[must_use]
    pub fn canaries(&self) -> PathBuf {
        self.0.join("canaries.json")
    }

    /// The same for people to read.
    #[must_use]
    pub fn canaries_note(&self) -> PathBuf {
        self.0.join("canaries.txt")
    }

    /// Copies of decoys as somebody left them.
    #[must_use]
    pub fn canaries_harmed(&self) -> PathBuf {
        self.0.join("canaries-harmed")
    }

    /// Processes that were suspended and not released.
    #[must_use]
    pub fn contained(&self) -> PathBuf {
        self.0.join("contained.json")
    }

    /// What the collector answered at enrolment.
    #[must_use]
    pub fn enrolment(&self) -> PathBuf {
        self.0.join("enrolment.json")
    }

    /// The host's certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.0.join("host.crt")
    }

    /// The host's private key; it never leaves the host.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.0.join("host.key")
    }

    /// The certificates of the authorities the agent trusts: one, or two while one replaces the other.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.0.join("authority.crt")
    }

    /// Key under which paths are hashed before they are told; it never leaves the host.
    #[must_use]
    pub fn redaction_key(&self) -> PathBuf {
        self.0.join("redaction.key")
    }

    /// What bursts have harmed so far.
    #[must_use]
    pub fn manifests(&self) -> PathBuf {
        self.0.join("manifests")
    }

    /// Encrypted damage manifests waiting for the collector.
    #[must_use]
    pub fn manifest_outbox(&self) -> PathBuf {
        self.manifests().join("outbox")
    }
}
