//! `report approve|export`: the same rules as in the console, for a terminal.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use shirase_shared::secret::Secret;
use shirase_shared::tls::sha256_hex;

use super::Desk;
use crate::app::make_releases;
use crate::approval::{Format, Verdict};
use crate::audit::{Actor, AuditEntry};
use crate::keys::{REPORT_KEY_FILE, SigningKey, sync_directory};
use crate::people::{Role, User, check_totp, decoy_hash, verify_password};
use crate::release::Releases;
use crate::reports::answer::{NamedPerson, Revision};
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
    pub(super) async fn approve(
        &mut self,
        report: &Report,
        login: &str,
        asked: Option<u32>,
    ) -> Result<()> {
        let revision = asked.map_or(report.revision, Revision);
        let (facility, id) = (&report.facility, report.id);
        let submission = self.store.submission(facility, id, revision).await?;
        if let Some(submission) = &submission {
            let hash = &submission.answers_sha256;
            self.terminal.line(&format!(
                "report {id}, revision {revision}, answers SHA-256 {hash}\napproving as {login}"
            ))?;
        }
        let user = self.prove(login).await?;
        if !self
            .store
            .grants(user.id)
            .await?
            .allow(facility, Role::Approver)
        {
            bail!("{login} is not an approver of `{facility}`");
        }
        let by = NamedPerson { user: user.id, name: user.name };
        let verdict = Verdict { facility: facility.clone(), report: id, revision, by };
        let approved = self.releases()?.approve(&verdict).await?;

        self.terminal.line(&format!(
            "approved; file SHA-256 {}\n`report export {facility} {id} --out FILE` writes it",
            approved.rendering().sha256
        ))
    }

    /// Asks for password and code, and returns whose they are. Whatever is wrong, the answer is the same.
    pub(super) async fn prove(&mut self, login: &str) -> Result<User> {
        let password = self.terminal.read_secret("password")?;
        let code = self.terminal.read_secret("six-digit code")?;
        let found = self.store.user_by_login(&login.to_lowercase()).await?;
        let hash = found.as_ref().map(|found| found.password_hash.clone());
        let fits = tokio::task::spawn_blocking(move || {
            verify_password(password.reveal(), hash.as_deref().unwrap_or_else(|| decoy_hash()))
        });
        let fits = fits.await.context("failed to check the password")?;
        let refused = "login, password or code is wrong, or the account is not set up; \
                       sign in at the console once before";
        let Some(found) = found else { bail!(refused) };
        let user = found.user;
        let usable = fits && user.disabled.is_none() && !user.must_change;
        let code = code.reveal();
        let step = found
            .totp_secret
            .as_ref()
            .and_then(|secret: &Secret<String>| {
                check_totp(secret, code, found.totp_last_step, self.clock.now())
            })
            .filter(|_| usable);
        let taken = match step {
            Some(step) => self.store.use_totp_step(user.id, step).await?,
            None => false,
        };
        if !taken {
            let who = Actor::User(user.id);
            let now = self.clock.now();
            self.store
                .audit(&AuditEntry::new(now, who, "user.sign_in_refused", user.id))
                .await?;
            bail!(refused);
        }

        Ok(user)
    }

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
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
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
