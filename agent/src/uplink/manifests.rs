//! Uploads finished damage manifests, which are ciphertext already.
//!
//! ```text
//! outbox/<name>.age + outbox/<name>.json {"burst":…,"files":…} ──▶ POST /v1/manifests ──▶ receipt ──▶ both removed
//! ```
//!
//! Always holds: a manifest is removed only when the receipt's SHA-256 equals that of the bytes sent.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shirase_shared::error::Chain;
use shirase_shared::ids::BurstId;
use shirase_shared::tls::sha256_hex;
use shirase_shared::wire::MANIFEST_MAX_BYTES;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::client::ClientError;
use super::state::Parts;

/// Pause between two looks into the outbox.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What a manifest tells, beside its ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// The burst.
    pub burst: BurstId,
    /// How many files it lists.
    pub files: u64,
}

/// Returns where the sidecar of a manifest lies. It must be written before the manifest gets its final name.
#[must_use]
pub fn sidecar_path(manifest: &Path) -> PathBuf {
    manifest.with_extension("json")
}

/// Why a manifest was not uploaded. It stays in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The sidecar does not say what it should.
    #[error("`{}` does not name a burst and a number of files", path.display())]
    Sidecar {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It is larger than a collector takes.
    #[error(
        "the manifest has {bytes} bytes, more than the {MANIFEST_MAX_BYTES} a collector takes; copy it by hand"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The collector stored something else.
    #[error("the receipt is for other bytes than were sent")]
    OtherBytes,
    /// The collector did not answer usably.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It is stored but cannot be removed here.
    #[error("failed to remove `{}` after its upload", path.display())]
    Remove {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

enum Wake {
    Stop,
    Look,
}

pub(super) async fn run(parts: &Parts, stop: &CancellationToken) {
    let mut pause = Duration::ZERO;
    loop {
        let wake = tokio::select! {
            biased;
            () = stop.cancelled() => Wake::Stop,
            () = sleep(pause) => Wake::Look,
        };
        pause = LOOK_EVERY;
        match wake {
            Wake::Stop => return,
            Wake::Look => tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = upload_all(parts) => {}
            },
        }
    }
}

async fn upload_all(parts: &Parts) {
    let waiting = waiting(&parts.manifests);
    let mut left = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
    parts.board.update(|state| state.manifests_waiting = left);
    for path in waiting {
        match upload(parts, &path).await {
            Ok(burst) => {
                left = left.saturating_sub(1);
                tracing::info!("uploaded the damage manifest of burst {burst}");
                parts.board.update(|state| state.manifests_waiting = left);
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "damage manifest not uploaded; kept");
                // The collector is away; the others would fare no better.
                if matches!(error, ManifestError::Client(ClientError::NoAnswer { .. })) {
                    return;
                }
            }
        }
    }
}

async fn upload(parts: &Parts, path: &Path) -> Result<BurstId, ManifestError> {
    let sidecar_path = sidecar_path(path);
    let sidecar = read(&sidecar_path)?;
    let sidecar: Sidecar = serde_json::from_slice(&sidecar)
        .map_err(|source| ManifestError::Sidecar { path: sidecar_path.clone(), source })?;
    let ciphertext = read(path)?;
    if MANIFEST_MAX_BYTES < ciphertext.len() {
        return Err(ManifestError::TooLarge { bytes: ciphertext.len() });
    }
    let ours = sha256_hex(&ciphertext);
    let client = parts.chosen().1;
    let receipt = client
        .manifest(sidecar.burst, sidecar.files, ciphertext)
        .await?;
    if receipt.sha256 != ours {
        return Err(ManifestError::OtherBytes);
    }
    // First the manifest: a sidecar alone is never looked at.
    for path in [path, &sidecar_path] {
        std::fs::remove_file(path)
            .map_err(|source| ManifestError::Remove { path: path.to_owned(), source })?;
    }

    Ok(sidecar.burst)
}

/// Returns the finished manifests, oldest name first. An outbox that is not there yet is empty.
fn waiting(outbox: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(outbox) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "age"))
        .collect();
    found.sort();
    found
}

fn read(path: &Path) -> Result<Vec<u8>, ManifestError> {
    std::fs::read(path).map_err(|source| ManifestError::Read { path: path.to_owned(), source })
}
