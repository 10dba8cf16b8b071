//! `manifest list|open`.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{BurstId, FacilityId, HostId};
use shirase_shared::secret::Secret;

use super::Desk;
use super::table::{self, Row};
use super::terminal::Terminal;
use crate::args::ListArgs;
use crate::config::Config;
use crate::facilities::open_manifest;
use crate::locale::japan_time;

#[derive(Serialize)]
struct ManifestRow {
    facility: FacilityId,
    sha256: String,
    host: HostId,
    host_name: String,
    burst: BurstId,
    files: u64,
    bytes: u64,
    received_at: Timestamp,
}

impl Row for ManifestRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "HOST", "FILES", "BYTES", "RECEIVED", "SHA-256"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.facility.to_string(),
            self.host_name.clone(),
            self.files.to_string(),
            self.bytes.to_string(),
            japan_time(self.received_at),
            self.sha256.clone(),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn manifests(self, wanted: Option<&FacilityId>, list: ListArgs) -> Result<()> {
        let mut rows = Vec::new();
        for facility in self.facilities(wanted).await? {
            let hosts = self.store.hosts(&facility.id).await?;
            for seen in self.store.manifests(&facility.id).await? {
                let host = hosts.iter().find(|host| host.id == seen.host);
                rows.push(ManifestRow {
                    host_name: host.map_or_else(|| seen.host.to_string(), |h| h.name.clone()),
                    facility: seen.facility,
                    sha256: seen.sha256,
                    host: seen.host,
                    burst: seen.burst,
                    files: seen.files,
                    bytes: seen.bytes,
                    received_at: seen.received_at,
                });
            }
        }
        table::print(&rows, list, self.terminal)
    }
}

/// Opens a manifest file, or the stored one of that hash, and copies its text to standard output.
///
/// Needs no database: a hospital can do it on another machine, with the file and its key alone.
pub(super) fn open(
    config: &Path,
    manifest: &str,
    identity: &Path,
    terminal: &mut Terminal,
) -> Result<()> {
    let path = ciphertext(config, manifest)?;
    let file = File::open(&path).with_context(|| format!("failed to open `{}`", path.display()))?;
    let key = if identity.as_os_str() == "-" {
        terminal.read_all()?
    } else {
        let text = std::fs::read_to_string(identity)
            .with_context(|| format!("failed to read the key file `{}`", identity.display()))?;
        Secret::new(text)
    };
    let mut out = terminal.out();
    open_manifest(file, &key, &mut out)
        .with_context(|| format!("failed to open the manifest `{}`", path.display()))?;
    std::io::Write::flush(&mut out).context("failed to write to standard output")
}

fn ciphertext(config: &Path, manifest: &str) -> Result<PathBuf> {
    let given = PathBuf::from(manifest);
    if given.is_file() {
        return Ok(given);
    }
    let hash = manifest.len() == 64 && manifest.chars().all(|c| c.is_ascii_hexdigit());
    if !hash {
        bail!("`{manifest}` is neither a file nor the SHA-256 of a stored manifest");
    }
    let data_dir = Config::read(config)?.data_dir;

    Ok(crate::http::manifest_path(&data_dir, &manifest.to_ascii_lowercase()))
}
