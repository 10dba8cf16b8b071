//! Keeps every run in a file of its scenario, so that a long form that was broken off goes on where it was.
//!
//! `<out>/results/<form>-<first of the agent's SHA-256>/<family>/<backend>/<scenario>.jsonl`, one run a line. Runs of
//! another build of the agent, and of the other form, lie elsewhere and are never mixed in.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agent::{Agent, Backend};
use crate::arguments::Form;

/// Characters of the checksum that make the folder's name.
const SUM_CHARS: usize = 16;

/// The kept results of one build.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    dir: PathBuf,
}

impl Store {
    pub(crate) fn open(out: &Path, agent: &Agent, form: Form) -> Result<Self> {
        let sum: String = agent.build.sha256.chars().take(SUM_CHARS).collect();
        // The short form goes at another rate: its runs are none of the long one's.
        let form = match form {
            Form::Short => "short",
            Form::Long => "long",
        };
        let dir = out.join("results").join(format!("{form}-{sum}"));
        fs::create_dir_all(&dir).with_context(|| format!("failed to make `{}`", dir.display()))?;
        fs::write(dir.join("build.json"), serde_json::to_vec_pretty(&agent.build)?)
            .context("failed to note the build")?;

        Ok(Self { dir })
    }

    /// Forgets the runs of a scenario.
    pub(crate) fn forget(&self, family: &str, backend: Backend, name: &str) {
        // Nothing kept is nothing to forget.
        drop(fs::remove_file(self.file(family, backend, name)));
    }

    /// Keeps a run.
    pub(crate) fn keep(
        &self,
        family: &str,
        backend: Backend,
        name: &str,
        run: &impl Serialize,
    ) -> Result<()> {
        let path = self.file(family, backend, name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).context("failed to make a folder for results")?;
        }
        let mut line = serde_json::to_vec(run).context("failed to write a result")?;
        line.push(b'\n');
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&line))
            .with_context(|| format!("failed to keep a result in `{}`", path.display()))
    }

    /// Returns the kept runs of a scenario. A line that was cut off is no run.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        family: &str,
        backend: Backend,
        name: &str,
    ) -> Vec<T> {
        let text = fs::read_to_string(self.file(family, backend, name)).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// A folder for traces and other things that belong to this build.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.dir.join(name);
        fs::create_dir_all(&folder)
            .with_context(|| format!("failed to make `{}`", folder.display()))?;
        Ok(folder)
    }

    fn file(&self, family: &str, backend: Backend, name: &str) -> PathBuf {
        self.dir
            .join(family)
            .join(backend.name())
            .join(format!("{name}.jsonl"))
    }
}
