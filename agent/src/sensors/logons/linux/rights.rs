//! Looks who is an administrator, at intervals and when a log says that accounts changed.
//!
//! Always holds: the administrators of the last look are kept on disk, so that one made while the agent was not running
//! is told at its start. A first look ever only learns.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use shirase_shared::error::Chain;
use shirase_shared::wire::SensorState;
use tokio_util::sync::CancellationToken;

use super::super::RIGHTS;
use super::super::accounts::{Accounts, Files, changes};
use super::Desk;
use crate::durable;
use crate::observation::{Fact, RightsSeen};

/// Pause after a log said that accounts changed: the program that changes them writes several files.
const SETTLE: Duration = Duration::from_secs(2);
/// Largest file read.
const FILE_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Files read of `/etc/sudoers.d`.
const SUDOERS_MAX: usize = 1000;

impl Desk {
    /// Reads the files of accounts.
    pub(super) async fn look_up(&self) -> Option<Result<Accounts, String>> {
        let groups = self.config.administrator_groups.clone();
        let read = move || files(Path::new("/etc")).map(|files| Accounts::read(&files, &groups));
        let looked = tokio::task::spawn_blocking(read).await.ok()?;
        match looked {
            Ok(accounts) => {
                let mut known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
                known.clone_from(&accounts);
                Some(Ok(accounts))
            }
            Err(error) => Some(Err(error.to_string())),
        }
    }
}

/// Looks until `stop`.
pub(super) async fn watch(desk: Arc<Desk>, kept: Option<PathBuf>, stop: CancellationToken) {
    let interval = Duration::from_secs(desk.config.administrators_interval_secs);
    let mut before: Option<BTreeMap<String, String>> = kept.as_deref().and_then(remembered);
    let mut told = false;
    loop {
        match desk.look_up().await {
            Some(Ok(accounts)) => {
                told = false;
                let now = accounts.administrators().clone();
                desk.board
                    .set(RIGHTS, SensorState::Well, format!("{} of them", now.len()));
                if before.as_ref() != Some(&now) {
                    if let Some(before) = &before {
                        tell(&desk, &accounts, before).await;
                    }
                    if let Some(kept) = &kept {
                        remember(kept, &now);
                    }
                    before = Some(now);
                }
            }
            Some(Err(why)) => desk.blind(RIGHTS, &why, &mut told).await,
            None => return,
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
            () = desk.accounts_changed.notified() => {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(SETTLE) => {}
                }
            }
        }
    }
}

async fn tell(desk: &Desk, accounts: &Accounts, before: &BTreeMap<String, String>) {
    for (name, change, by) in changes(before, accounts.administrators()) {
        let account = accounts.account(&name);
        let seen = RightsSeen { account, change, by };
        desk.tell(desk.clock.moment(), Fact::Rights(seen)).await;
    }
}

fn remembered(path: &Path) -> Option<BTreeMap<String, String>> {
    match durable::read_json(path) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(
                error = %Chain(&error),
                "the administrators of the last look do not read; who became one meanwhile is not told"
            );
            None
        }
    }
}

fn remember(path: &Path, administrators: &BTreeMap<String, String>) {
    if let Err(error) = durable::replace_json(path, administrators) {
        tracing::warn!(error = %Chain(&error), "the administrators were not kept for the next start");
    }
}

/// Reads the files below `etc`. That sudo is not installed, or its files may not be read, is no reason to see nothing.
fn files(etc: &Path) -> io::Result<Files> {
    let mut sudoers = Vec::new();
    sudoers.extend(text(&etc.join("sudoers")).ok());
    let mut more: Vec<_> = std::fs::read_dir(etc.join("sudoers.d"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| {
            // What sudo passes over itself.
            let name = entry.file_name();
            let name = name.to_string_lossy();
            !name.contains('.') && !name.ends_with('~')
        })
        .map(|entry| entry.path())
        .take(SUDOERS_MAX)
        .collect();
    more.sort();
    sudoers.extend(more.iter().filter_map(|path| text(path).ok()));

    Ok(Files { passwd: text(&etc.join("passwd"))?, group: text(&etc.join("group"))?, sudoers })
}

fn text(path: &Path) -> io::Result<String> {
    let met = std::fs::metadata(path)?;
    if !met.is_file() || FILE_MAX_BYTES < met.len() {
        return Err(io::Error::other(format!("`{}` is no file of accounts", path.display())));
    }

    Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sudos_files_are_read_as_sudo_reads_them() {
        let etc = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(etc.path().join(name), text).unwrap();
        std::fs::create_dir(etc.path().join("sudoers.d")).unwrap();
        write("passwd", "root:x:0:0::/:/bin/sh\n");
        write("group", "root:x:0:\n");
        write("sudoers.d/vendor", "vendor ALL=(ALL) NOPASSWD: ALL\n");
        write("sudoers.d/old.bak", "old ALL=(ALL) ALL\n");
        write("sudoers.d/edit~", "edit ALL=(ALL) ALL\n");
        let accounts = Accounts::read(&files(etc.path()).unwrap(), &[]);
        let names: Vec<_> = accounts.administrators().keys().collect();
        assert_eq!(names, ["root", "vendor"]);
        std::fs::remove_file(etc.path().join("passwd")).unwrap();
        assert!(files(etc.path()).is_err());
    }
}
