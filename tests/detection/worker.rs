//! A process that harms files: started by the harness with a plan, acting only on the ground the plan names.
//!
//! Real attacks run beside what watches, often as many processes; so do these. A worker starts at a moment of the
//! monotonic clock all share, does what is due when it is due, and never makes up for time it lost.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::command::{monotonic_ns, sleep_until};
use crate::deed::{Deed, Doer};
use crate::ground::Ground;
use crate::journal::Journal;
use crate::random::Random;

/// How much later than due still counts as in time: what a busy machine takes to wake a process.
const LATE_NS: u64 = 10_000_000;

/// What one worker does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The ground and its mark.
    pub(crate) ground: PathBuf,
    pub(crate) mark: String,
    /// Where to note what is done; outside the watched directory.
    pub(crate) journal: PathBuf,
    pub(crate) seed: u64,
    /// Which of the workers this is.
    pub(crate) process: usize,
    pub(crate) deed: Deed,
    /// What else is done in each directory before its first file.
    pub(crate) note_first: bool,
    /// Renames of its own new files in a folder of its own before the real work, to fill the kernel's queue.
    pub(crate) decoy_renames: u64,
    pub(crate) start_ns: u64,
    /// What to harm, and when.
    pub(crate) targets: Vec<Target>,
}

/// One thing to harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// Files it stands for.
    pub(crate) files: u64,
    /// When, counted from the start.
    pub(crate) due_ns: u64,
}

impl Plan {
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).context("failed to write a plan")?;
        fs::write(path, text).with_context(|| format!("failed to write `{}`", path.display()))
    }
}

/// Carries out the plan in `path`.
pub(crate) fn work(path: &Path) -> Result<()> {
    let text = fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    let plan: Plan = serde_json::from_slice(&text).context("failed to read the plan")?;
    let ground = Ground::open(&plan.ground, &plan.mark)?;
    let journal = Journal::create(&plan.journal, ground.dir())?;
    let random = Random::of("worker", plan.seed ^ u64::try_from(plan.process)?);
    let decoy = ground.watched().join(format!("cache-{}", plan.process));
    ground.check(&decoy)?;
    let mut doer = Doer::new(ground, journal, random, plan.process);
    sleep_until(plan.start_ns);
    // A plan of many files takes longer to read than the start lies ahead.
    let mut begun_ns = plan.start_ns.max(monotonic_ns());
    if plan.decoy_renames != 0 {
        shuffle_decoys(&decoy, plan.decoy_renames)?;
        begun_ns = monotonic_ns();
    }
    let mut noted = None;
    for target in &plan.targets {
        sleep_until(begun_ns + target.due_ns);
        // Who was held up goes on at the same rate: a burst to catch up would be another attack.
        let late_ns = monotonic_ns().saturating_sub(begun_ns + target.due_ns);
        if LATE_NS < late_ns {
            begun_ns += late_ns;
        }
        if let (true, Some(folder)) = (plan.note_first, target.path.parent())
            && noted.as_deref() != Some(folder)
        {
            doer.perform(&Deed::Note, folder, 0)?;
            noted = Some(folder.to_owned());
        }
        doer.perform(&plan.deed, &target.path, target.files)?;
    }

    Ok(())
}

/// Renames files of its own to and fro: events without harm.
fn shuffle_decoys(folder: &Path, renames: u64) -> Result<()> {
    const FILES: u64 = 500;
    fs::create_dir(folder).context("failed to make the decoys' folder")?;
    let name = |file: u64, side: u64| folder.join(format!("page{file:04}.{side}"));
    for file in 0..FILES {
        fs::write(name(file, 0), b"cached").context("failed to make a decoy")?;
    }
    for number in 0..renames {
        let (file, side) = (number % FILES, (number / FILES) % 2);
        fs::rename(name(file, side), name(file, 1 - side)).context("failed to rename a decoy")?;
    }

    Ok(())
}
