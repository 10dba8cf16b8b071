//! `report export`: the stored files of a released report, or marked ones of a draft.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use shirase_shared::tls::sha256_hex;

use super::Desk;
use crate::app::make_releases;
use crate::approval::Format;
use crate::keys::{REPORT_KEY_FILE, SigningKey, sync_directory};
use crate::release::Releases;
use crate::reports::official::FormId;
use crate::reports::{Report, ReportStatus};

/// What `export` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The stored, verified file of an approved report, and nothing else.
    Approved,
    /// Whatever there is, marked 下書き while nobody approved it.
    Draft,
}

/// What `export` is asked for.
pub(super) struct Export {
    /// Which kind of file.
    pub(super) format: Format,
    /// Whether the attachments are written beside it.
    pub(super) attachments: bool,
    /// Released ones only, or whatever there is.
    pub(super) wanted: Wanted,
    /// An official form to fill instead.
    pub(super) official_form: Option<FormId>,
}

impl Desk<'_> {
    pub(super) async fn export(
        &mut self,
        report: &Report,
        out: &Path,
        asked: &Export,
    ) -> Result<()> {
        let (facility, id) = (&report.facility, report.id);
        match (asked.wanted, report.status) {
            (Wanted::Draft, _) | (Wanted::Approved, ReportStatus::Approved) => {}
            (Wanted::Approved, status) => bail!(
                "report {id} is {status}, not approved; --draft writes it with 下書き across each page"
            ),
        }
        if let Some(form) = &asked.official_form {
            let copy = self.releases()?.official_copy(facility, id, form).await?;
            write_new(out, &copy.bytes)?;
            let (bytes, path) = (copy.bytes.len(), out.display());
            self.terminal.line(&format!(
                "{bytes} bytes at {path} ({}), SHA-256 {}",
                copy.status, copy.sha256
            ))?;
            return self.note_export(report, form).await;
        }
        let mut formats = vec![asked.format];
        if asked.attachments {
            formats.extend(
                Format::ALL
                    .into_iter()
                    .filter(|format| format.is_attachment()),
            );
        }
        let files = self.releases()?.files(facility, id, &formats).await?;
        if files.iter().all(|file| file.format != asked.format) {
            bail!(
                "report {id} has no file of the kind `{}`: the answers give nothing for it, or it was not made \
                 when the report was approved",
                asked.format
            );
        }
        let beside = out.parent().unwrap_or(Path::new(""));
        for file in &files {
            let own = file.format == asked.format;
            let path = if own { out.to_owned() } else { beside.join(&file.name) };
            write_new(&path, &file.bytes)?;
            self.terminal.line(&format!(
                "{} bytes at {} ({}), SHA-256 {}",
                file.bytes.len(),
                path.display(),
                file.status,
                sha256_hex(&file.bytes)
            ))?;
        }
        self.note_export(report, asked.format).await
    }

    async fn note_export(&self, report: &Report, format: impl std::fmt::Display) -> Result<()> {
        let entry = self
            .entry("report.exported", report.id)
            .of(&report.facility);
        let entry = entry
            .with("status", report.status)
            .with("revision", report.revision)
            .with("format", format);
        Ok(self.store.audit(&entry).await?)
    }

    pub(super) fn releases(&self) -> Result<Releases> {
        let key = SigningKey::load_or_create(&self.config.data_dir.join(REPORT_KEY_FILE))?;
        make_releases(&self.config, &self.store, &self.clock, Arc::new(key))
    }
}

/// Writes a file that was not there before, on disk when this returns.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        sync_directory(parent.unwrap_or(Path::new(".")))
    };
    write().with_context(|| format!("failed to write `{}`", path.display()))
}
