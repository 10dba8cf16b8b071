//! `backup` and `restore`.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Desk, Terminal, clock};
use crate::app::{ServeLock, make_data_dir};
use crate::audit::{Actor, AuditEntry};
use crate::backup;
use crate::config::Config;
use crate::store::Store;

impl Desk<'_> {
    /// Makes a backup of the running or standing collector.
    pub(super) async fn backup(self, into: &Path) -> Result<()> {
        let now = self.clock.now();
        let entry = self.entry("collector.backed_up", into.display());
        self.store.audit(&entry).await?;
        let made = backup::make(&self.store, &self.config.data_dir, into, now).await?;
        let bytes: u64 = made.list.files.iter().map(|file| file.bytes).sum();
        self.terminal.line(&format!(
            "{}\n{} files, {bytes} bytes, written and read back; audit log whole: {} entries, head {}\n\
             It holds the collector's keys: keep it where only the administrators of this collector can read it.",
            made.path.display(),
            made.list.files.len(),
            made.list.audit_entries,
            made.list.audit_head
        ))
    }
}

/// Puts a backup in the place of the data directory's content.
pub(super) async fn restore(
    config: &Path,
    backup: &Path,
    replace: bool,
    terminal: &mut Terminal,
) -> Result<()> {
    let config = Config::read(config)?;
    let data_dir = &config.data_dir;
    make_data_dir(data_dir)?;
    let lock = ServeLock::take(data_dir)?;
    let now = clock().now();
    let restored = backup::restore(backup, data_dir, replace, now)
        .await
        .with_context(|| format!("failed to restore `{}`", backup.display()))?;
    let store = Store::open(data_dir).await?;
    let entry = AuditEntry::new(now, Actor::CommandLine, "collector.restored", backup.display())
        .with("made_at", restored.list.made_at)
        .with("head", &restored.list.audit_head);
    store.audit(&entry).await?;
    store.close().await;
    drop(lock);
    terminal.line(&format!(
        "restored into `{}`: {} files as of {}, audit head {}",
        data_dir.display(),
        restored.list.files.len(),
        restored.list.made_at,
        restored.list.audit_head
    ))?;
    if let Some(before) = restored.before {
        terminal.line(&format!(
            "what was there lies in `{}`; remove it once you are sure",
            before.display()
        ))?;
    }
    terminal.line(
        "Start the collector now. What agents delivered after the backup was made is not in it: see their manifests \
         and `shirase-agent explain` on the hosts.",
    )
}
