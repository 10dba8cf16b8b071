//! The data directory: made for its owner alone, served by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// File whose lock says that a collector serves this directory.
pub const SERVE_LOCK_FILE: &str = "serve.lock";

/// Makes the directory with mode 0700 if it is not there, and keeps every file this process makes to its owner.
///
/// # Errors
/// When it cannot be made.
pub fn make_data_dir(path: &Path) -> Result<()> {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).with_context(|| {
        format!("failed to make the data directory `{}`, named by `data_dir`", path.display())
    })
}

/// Says that this process serves the data directory; ends with it, also when it is killed.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another collector serves the directory.
    pub fn take(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join(SERVE_LOCK_FILE);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("failed to open the lock `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                bail!("another collector serves `{}` already; stop it first", data_dir.display())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("failed to lock `{}`", path.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_directory_is_for_its_owner_and_served_once() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("a/b");
        make_data_dir(&data).unwrap();
        make_data_dir(&data).unwrap();
        assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
        let lock = ServeLock::take(&data).unwrap();
        assert!(
            ServeLock::take(&data)
                .unwrap_err()
                .to_string()
                .contains("another collector")
        );
        drop(lock);
        ServeLock::take(&data).unwrap();
    }
}
