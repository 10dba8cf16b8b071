//! A measured load: so many file operations, as fast as they go or at a rate, by a process of its own.
//!
//! Not an attack: it renames, overwrites, creates and deletes files of its own to and fro. Only the storm harms, once.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::command::{monotonic_ns, run, sleep_until, which};
use crate::ground::Ground;

/// Directories of a load's tree.
const DIRECTORIES: u64 = 50;
/// Bytes of each of its files.
const BYTES: usize = 4096;

/// What one operation of a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Rename a file to another name and, the next time, back.
    Rename,
    /// Overwrite 4 KiB of a file.
    Overwrite,
    /// Create a file with 4 KiB and delete it.
    CreateDelete,
    /// In turn: overwrite, rename, rename back.
    Mixed,
    /// Append a suffix to a file that was there, each file once: what an attack does at full speed.
    Storm,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Overwrite => "overwrite",
            Self::CreateDelete => "create-delete",
            Self::Mixed => "mixed",
            Self::Storm => "storm",
        }
    }

    /// Files there must be for so many operations.
    const fn files(self, operations: u64) -> u64 {
        match self {
            Self::Storm => operations,
            Self::Rename | Self::Overwrite | Self::CreateDelete | Self::Mixed => 2_500,
        }
    }
}

/// A load to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) ground: PathBuf,
    pub(crate) mark: String,
    pub(crate) kind: Kind,
    pub(crate) operations: u64,
    /// Operations a second; none is as fast as it goes.
    pub(crate) rate: Option<f64>,
}

/// What a load took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Took {
    pub(crate) begun_ns: u64,
    /// When the tenth operation was done.
    pub(crate) tenth_ns: u64,
    pub(crate) ended_ns: u64,
    pub(crate) operations: u64,
}

impl Took {
    /// Returns microseconds per operation.
    pub(crate) fn us_each(&self) -> f64 {
        let took = Duration::from_nanos(self.ended_ns.saturating_sub(self.begun_ns));
        took.as_secs_f64() * 1e6 / crate::attacks::approximately(self.operations.max(1))
    }
}

/// Makes the files a load needs.
pub(crate) fn prepare(ground: &Ground, kind: Kind, operations: u64) -> Result<()> {
    let root = ground.watched().join("load");
    if root.exists() {
        return Ok(());
    }
    for directory in 0..DIRECTORIES {
        fs::create_dir_all(root.join(format!("d{directory:02}")))?;
    }
    for file in 0..kind.files(operations) {
        // A PDF by its first bytes: something a hospital would miss.
        let mut content = b"%PDF-1.7\n".to_vec();
        content.resize(BYTES, b'.');
        fs::write(place(&root, file), content).context("failed to make the files of a load")?;
    }
    Ok(())
}

fn place(root: &Path, file: u64) -> PathBuf {
    root.join(format!("d{:02}/file{file:06}.pdf", file % DIRECTORIES))
}

fn other(path: &Path) -> PathBuf {
    path.with_extension("bak.pdf")
}

/// Starts a load in a process of its own, on the first processor if there are several, and waits for it.
pub(crate) fn start(load: &Load, folder: &Path) -> Result<Took> {
    let plan = folder.join("load.json");
    fs::write(&plan, serde_json::to_vec(load)?).context("failed to write a plan")?;
    let own = std::env::current_exe().context("failed to find this program")?;
    let mut command = match (which("taskset"), several_processors()) {
        (Some(taskset), true) => {
            let mut command = Command::new(taskset);
            command.args(["-c", "0"]).arg(own);
            command
        }
        (_, _) => Command::new(own),
    };
    let said = run(command.arg("load").arg(&plan))?;

    serde_json::from_str(&said).context("the load said nothing of use")
}

/// Whether the load can have a processor of its own.
pub(crate) fn several_processors() -> bool {
    std::thread::available_parallelism().is_ok_and(|count| 1 < count.get())
}

/// Carries out the load in `path` and prints what it took.
#[expect(clippy::print_stdout, reason = "what it took is the product")]
pub(crate) fn work(path: &Path) -> Result<()> {
    let text = fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    let load: Load = serde_json::from_slice(&text).context("failed to read the plan")?;
    let ground = Ground::open(&load.ground, &load.mark)?;
    let root = ground.watched().join("load");
    ground.check(&root)?;
    let files = load.kind.files(load.operations);
    let paths: Vec<_> = (0..files).map(|file| place(&root, file)).collect();
    let others: Vec<_> = paths
        .iter()
        .map(|path| match load.kind {
            Kind::Storm => path.with_extension("pdf.qzx"),
            Kind::Rename | Kind::Overwrite | Kind::CreateDelete | Kind::Mixed => other(path),
        })
        .collect();
    let payload = [b"%PDF-1.7\n".as_slice(), &[b'+'; BYTES - 9]].concat();
    let every_ns = load
        .rate
        .map(|rate| Duration::from_secs_f64(1.0 / rate).as_nanos());
    let begun_ns = monotonic_ns();
    let mut tenth_ns = begun_ns;
    for number in 0..load.operations {
        if let Some(every) = every_ns {
            sleep_until(begun_ns + u64::try_from(u128::from(number) * every)?);
        }
        operate(load.kind, number, (&paths, &others), &payload)
            .with_context(|| format!("operation {number} of the load failed"))?;
        if number == 9 {
            tenth_ns = monotonic_ns();
        }
    }
    let took = Took { begun_ns, tenth_ns, ended_ns: monotonic_ns(), operations: load.operations };
    println!("{}", serde_json::to_string(&took)?);

    Ok(())
}

fn operate(
    kind: Kind,
    number: u64,
    (paths, others): (&[PathBuf], &[PathBuf]),
    payload: &[u8],
) -> Result<()> {
    let count = u64::try_from(paths.len())?;
    let pick = |number: u64| -> Result<(&PathBuf, &PathBuf)> {
        let index = usize::try_from(number % count)?;
        paths.get(index).zip(others.get(index)).context("no file")
    };
    match kind {
        Kind::Rename | Kind::Storm => {
            let (path, other) = pick(number)?;
            let (from, to) =
                if (number / count).is_multiple_of(2) { (path, other) } else { (other, path) };
            fs::rename(from, to)?;
        }
        Kind::Overwrite => overwrite(pick(number)?.0, payload)?,
        Kind::CreateDelete => {
            let (_, new) = pick(number)?;
            fs::write(new, payload)?;
            fs::remove_file(new)?;
        }
        Kind::Mixed => {
            let (path, other) = pick(number / 3)?;
            match number % 3 {
                0 => overwrite(path, payload)?,
                1 => fs::rename(path, other)?,
                _ => fs::rename(other, path)?,
            }
        }
    }
    Ok(())
}

fn overwrite(path: &Path, payload: &[u8]) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(payload)?;
    Ok(())
}
