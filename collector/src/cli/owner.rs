//! Who works on the data directory: always the user it belongs to.
//!
//! A command given by root beside the packaged service would otherwise leave files there that the service cannot open.

use std::path::Path;

use anyhow::Result;

use crate::args::{Args, Command};
use crate::config::Config;

/// Starts this very command again as the owner of the data directory, if root gave it.
///
/// Returns without doing anything where the directory is root's too, or not there. Called before anything was printed or
/// started.
///
/// # Errors
/// When the command cannot be started as that user; says how to.
pub fn hand_over(args: &Args) -> Result<()> {
    let opens_nothing = matches!(args.command, Command::Check | Command::Config);
    // A configuration that cannot be read is told of by the command itself.
    if let (false, Ok(config)) = (opens_nothing, Config::read(&args.config)) {
        become_owner_of(&config.data_dir)?;
    }

    Ok(())
}

#[cfg(unix)]
fn become_owner_of(data_dir: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;

    let Ok(found) = std::fs::metadata(data_dir) else {
        return Ok(());
    };
    if !rustix::process::geteuid().is_root() || found.uid() == 0 {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    // Root's other groups are given up with its name: the standard library clears them when it changes the user.
    let failed = std::process::Command::new(&program)
        .args(std::env::args_os().skip(1))
        .uid(found.uid())
        .gid(found.gid())
        .exec();

    Err(anyhow::Error::new(failed).context(format!(
        "the data directory `{}` belongs to user {}, who cannot start `{}`; install the program where that user can \
         read it, or run the command as that user",
        data_dir.display(),
        found.uid(),
        program.display()
    )))
}

#[cfg(not(unix))]
fn become_owner_of(_: &Path) -> Result<()> {
    Ok(())
}
