//! Where a workload takes place, and the tools it shares with others.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result};

use crate::attacks::Server;
use crate::command::run;
use crate::ground::Ground;
use crate::random::Random;
use crate::tree::{self, Kind, Leaf, TreeSize};

/// The place of one run.
pub(super) struct Stage {
    pub(super) ground: Ground,
    pub(super) seed: u64,
    pub(super) logs: PathBuf,
    held: RefCell<Vec<Held>>,
}

/// What runs until the workload is over.
pub(super) enum Held {
    Process(Child),
    Samba(Server),
    /// A PostgreSQL cluster, by the command that stops it.
    Cluster(Command),
}

impl Drop for Held {
    fn drop(&mut self) {
        match self {
            Self::Process(child) => {
                drop(child.kill());
                drop(child.wait());
            }
            Self::Samba(_) => {}
            Self::Cluster(stop) => drop(run(stop)),
        }
    }
}

impl Stage {
    pub(super) fn new(ground: Ground, seed: u64, logs: PathBuf) -> Self {
        Self { ground, seed, logs, held: RefCell::default() }
    }

    /// A path below the watched root.
    pub(super) fn watched(&self, name: &str) -> PathBuf {
        self.ground.watched().join(name)
    }

    /// A path on the same file system that is not watched.
    pub(super) fn aside(&self, name: &str) -> PathBuf {
        self.ground.aside().join(name)
    }

    pub(super) fn random(&self, what: &str) -> Random {
        Random::of(what, self.seed)
    }

    pub(super) fn hold(&self, held: Held) {
        self.held.borrow_mut().push(held);
    }

    pub(super) fn with_samba<T>(&self, act: impl FnOnce(&Server) -> Result<T>) -> Result<T> {
        let held = self.held.borrow();
        let server = held.iter().find_map(|held| match held {
            Held::Samba(server) => Some(server),
            Held::Process(_) | Held::Cluster(_) => None,
        });
        act(server.context("no server was started")?)
    }

    /// Makes documents below `root`.
    pub(super) fn documents(
        &self,
        root: &Path,
        directories: usize,
        each: usize,
    ) -> Result<Vec<Leaf>> {
        let size = TreeSize { directories, files_each: each, bytes: (2_000, 24_000) };
        tree::make(root, size, &mut self.random("documents"))
    }

    /// Makes a tree of source files below `root`, the same names in every directory, as programs are laid out.
    pub(super) fn sources(&self, root: &Path, directories: usize, each: usize) -> Result<()> {
        let mut random = self.random("sources");
        let endings = ["py", "toml", "md", "json"];
        for directory in 0..directories {
            let folder = root.join(format!("package{directory:03}"));
            std::fs::create_dir_all(&folder)?;
            for number in 0..each {
                let ending = endings.get(number % endings.len()).unwrap_or(&"py");
                let path = folder.join(format!("module{number:02}.{ending}"));
                let bytes = 200 + random.below(3_000);
                std::fs::write(path, Kind::Source.content(bytes, &mut random))?;
            }
        }
        Ok(())
    }

    /// Makes logs `service-NNN.log` in `root`.
    pub(super) fn logs_in(&self, root: &Path, count: usize) -> Result<()> {
        std::fs::create_dir_all(root)?;
        let mut random = self.random("logs");
        for number in 0..count {
            let content = Kind::Log.content(4_000 + random.below(4_000), &mut random);
            std::fs::write(root.join(format!("service-{number:03}.log")), content)?;
        }
        Ok(())
    }

    /// Runs a line of the shell in `folder`; every step must succeed.
    pub(super) fn shell(&self, folder: &Path, line: &str) -> Result<()> {
        self.ground.check(folder)?;
        run(Command::new("sh")
            .args(["-euc", line])
            .current_dir(folder)
            .env("LC_ALL", "C.UTF-8")
            .env("ASIDE", self.ground.aside())
            .env("WATCHED", self.ground.watched())
            .env("HOME", self.ground.aside()))
        .map(drop)
    }
}

/// Runs a program with these arguments.
pub(super) fn program(name: &str, arguments: &[&Path]) -> Result<()> {
    run(Command::new(name).args(arguments)).map(drop)
}
