//! Runs other programs and says which are there.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Returns where a program lies.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Where Debian keeps what only root uses.
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The Debian package of each program that is not called like it.
const PACKAGES: &[(&str, &[&str])] = &[
    ("p7zip-full", &["7z"]),
    ("libreoffice-writer-nogui", &["soffice"]),
    ("postgresql", &["initdb", "pg_ctl", "pgbench", "psql"]),
    ("dcmtk", &["storescp", "storescu", "dump2dcm"]),
    ("dpkg", &["dpkg-deb"]),
    ("samba", &["smbd"]),
];

/// Says that a program is missing, and where it comes from.
pub(crate) fn missing(name: &str) -> String {
    let package = PACKAGES
        .iter()
        .find(|(_, programs)| programs.contains(&name));
    let package = package.map_or(name, |(package, _)| package);

    format!("{name} is not installed (Debian package {package})")
}

/// Runs a command to its end.
///
/// # Errors
/// When it fails: with the end of what it said.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to start {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = said.lines().chain(error.lines()).collect();
        let end = lines
            .get(lines.len().saturating_sub(8)..)
            .unwrap_or_default()
            .join("\n");
        bail!("{command:?} ended with {}:\n{end}", output.status);
    }

    Ok(said)
}

/// Returns the nanoseconds of the monotonic clock, which all processes of this machine share.
pub(crate) fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (secs, nanos) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    secs.unwrap_or(0) * 1_000_000_000 + nanos.unwrap_or(0)
}

/// Sleeps until a moment of the monotonic clock.
pub(crate) fn sleep_until(due_ns: u64) {
    let left = due_ns.saturating_sub(monotonic_ns());
    if 0 < left {
        std::thread::sleep(std::time::Duration::from_nanos(left));
    }
}
