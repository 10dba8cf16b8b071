//! What Wine needs to hear of changes that programs outside of it make: one of its own has to have the directory open.
//!
//! A directory made later is not held, so that what happens in it goes unheard, where a real Windows tells it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Backend, as_seen_by};
use crate::command::{run, which};

const SOURCE: &str = include_str!("held.c");
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// The program that holds directories open. Killed when dropped.
#[derive(Debug)]
pub(super) struct Held(Child);

impl Held {
    /// Builds it in `folder` and has it open `dirs` and all directories below them.
    pub(super) fn open(dirs: &[PathBuf], folder: &Path) -> Result<Self> {
        let program = build(folder)?;
        let mut child = Command::new("wine")
            .env("WINEDEBUG", "-all")
            .arg(&program)
            .args(dirs.iter().map(|dir| as_seen_by(Backend::Windows, dir)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start the program that holds directories open")?;
        let out = child.stdout.take().context("it has no output")?;
        let held = Self(child);
        let mut said = String::new();
        BufReader::new(out)
            .read_line(&mut said)
            .context("failed to hear how many directories are held open")?;
        if said.trim().parse().unwrap_or(0) < dirs.len() {
            bail!("of {} directories it holds open `{}`", dirs.len(), said.trim());
        }

        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn build(folder: &Path) -> Result<PathBuf> {
    which(COMPILER).context(
        "the directories cannot be held open for wine without a compiler (Debian package gcc-mingw-w64-x86-64)",
    )?;
    let (source, program) = (folder.join("held.c"), folder.join("held.exe"));
    std::fs::write(&source, SOURCE).context("failed to write a source")?;
    run(Command::new(COMPILER)
        .args(["-O2", "-municode", "-o"])
        .arg(&program)
        .arg(&source))?;

    Ok(program)
}
