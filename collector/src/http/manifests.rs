//! `POST /v1/manifests`: keeps the ciphertext of a damage manifest.
//!
//! ```text
//! body ─▶ <data>/manifests/incoming-<random> ─▶ fsync ─▶ <sha256>.age ─▶ fsync of the directory ─▶ row ─▶ receipt
//! ```
//!
//! Always holds: only age files are kept, so that no agent puts a clear text here by mistake; a receipt follows the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use futures_util::StreamExt;
use ring::digest::{Context, SHA256};
use shirase_shared::ids::BurstId;
use shirase_shared::wire::{MANIFEST_MAX_BYTES, ManifestReceipt, manifest_header};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::agent::{AgentState, Identity};
use super::error::ApiError;
use crate::keys::sync_directory;
use crate::records::ManifestSeen;

/// Directory of the manifests in the data directory.
pub const MANIFESTS_DIR: &str = "manifests";
/// How every age file begins.
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// Prefix of files that are still arriving.
const INCOMING: &str = "incoming-";
/// How long nothing of a manifest may arrive.
const PIECE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

/// Returns where the ciphertext with this hash lies.
#[must_use]
pub fn manifest_path(data_dir: &Path, sha256: &str) -> PathBuf {
    data_dir.join(MANIFESTS_DIR).join(format!("{sha256}.age"))
}

/// Makes the directory of the manifests and removes what arrived only in part before the last stop.
///
/// # Errors
/// When the directory cannot be made or read.
pub fn prepare_manifests(data_dir: &Path) -> io::Result<()> {
    let directory = data_dir.join(MANIFESTS_DIR);
    std::fs::create_dir_all(&directory)?;
    for entry in std::fs::read_dir(&directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(INCOMING) {
            std::fs::remove_file(entry.path())?;
        }
    }

    Ok(())
}

pub(super) async fn receive(
    State(state): State<AgentState>,
    identity: Identity,
    request: Request,
) -> Result<Json<ManifestReceipt>, ApiError> {
    let burst: BurstId = header(request.headers(), manifest_header::BURST)?;
    let files: u64 = header(request.headers(), manifest_header::FILES)?;
    let data_dir = &state.parts.data_dir;
    let arriving = Arriving::new(&data_dir.join(MANIFESTS_DIR));
    let (sha256, bytes) = arriving.write(request).await?;
    arriving
        .keep(&manifest_path(data_dir, &sha256))
        .await
        .map_err(ApiError::of_disk)?;
    let manifest = ManifestSeen {
        facility: identity.facility.clone(),
        host: identity.host,
        burst,
        sha256: sha256.clone(),
        bytes,
        files,
        received_at: identity.received_at,
    };
    state.parts.store.add_manifest(&manifest).await?;
    tracing::info!(
        host.id = %identity.host, burst.id = %burst, manifest.bytes = bytes,
        "stored the damage manifest of burst {burst}"
    );
    (state.parts.on_stored)(&identity.facility);

    Ok(Json(ManifestReceipt { sha256 }))
}

fn header<T: FromStr>(headers: &HeaderMap, name: &'static str) -> Result<T, ApiError> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| ApiError::BadRequest(format!("the header `{name}` is missing or wrong")))
}

/// A file that vanishes unless it is kept.
struct Arriving {
    path: PathBuf,
    directory: PathBuf,
}

impl Arriving {
    fn new(directory: &Path) -> Self {
        let path = directory.join(format!("{INCOMING}{}", BurstId::random()));
        Self { path, directory: directory.to_owned() }
    }

    /// Writes the body and syncs it; returns its SHA-256 and length.
    async fn write(&self, request: Request) -> Result<(String, u64), ApiError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file: File = options.open(&self.path).await.map_err(ApiError::of_disk)?;
        let mut body = request.into_body().into_data_stream();
        let mut hash = Context::new(&SHA256);
        let mut beginning = Vec::with_capacity(AGE_MAGIC.len());
        let mut length = 0_usize;
        loop {
            let piece = tokio::time::timeout(PIECE_TIMEOUT, body.next()).await;
            let Some(piece) = piece.map_err(|_| ApiError::TooSlow)? else {
                break;
            };
            let piece = piece.map_err(|error| ApiError::BrokenOff(error.into()))?;
            length += piece.len();
            if MANIFEST_MAX_BYTES < length {
                return Err(ApiError::TooLarge(format!(
                    "the manifest is larger than {MANIFEST_MAX_BYTES} bytes"
                )));
            }
            let missing = AGE_MAGIC.len() - beginning.len();
            beginning.extend(piece.iter().take(missing));
            if !AGE_MAGIC.starts_with(&beginning) {
                return Err(not_encrypted());
            }
            hash.update(&piece);
            file.write_all(&piece).await.map_err(ApiError::of_disk)?;
        }
        if beginning != AGE_MAGIC {
            return Err(not_encrypted());
        }
        file.flush().await.map_err(ApiError::of_disk)?;
        file.sync_all().await.map_err(ApiError::of_disk)?;
        let bytes = u64::try_from(length).unwrap_or(u64::MAX);

        Ok((hex::encode(hash.finish().as_ref()), bytes))
    }

    /// Gives the file its lasting name.
    async fn keep(self, name: &Path) -> io::Result<()> {
        fs::rename(&self.path, name).await?;
        let directory = self.directory.clone();
        tokio::task::spawn_blocking(move || sync_directory(&directory)).await?
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        // After `keep` there is nothing under this name; otherwise `prepare_manifests` tries again.
        drop(std::fs::remove_file(&self.path));
    }
}

fn not_encrypted() -> ApiError {
    ApiError::BadRequest("this is no age file; only encrypted manifests are taken".to_owned())
}
