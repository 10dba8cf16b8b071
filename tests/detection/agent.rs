//! The agent under test: which binary, with which eyes, and one running `watch`.

mod watching;
mod wine;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::command::which;

pub(crate) use watching::{Line, WatchOptions, Watching};

/// With what the agent sees. Each is a column of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Backend {
    /// Linux with the rights of the service.
    Fanotify,
    /// Linux without rights (inotify).
    Notify,
    /// The Windows build, under wine.
    Windows,
}

impl Backend {
    pub(crate) const ALL: [Self; 3] = [Self::Fanotify, Self::Notify, Self::Windows];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fanotify => "fanotify",
            Self::Notify => "notify",
            Self::Windows => "windows",
        }
    }
}

/// The binaries under test.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) binary: PathBuf,
    /// The Windows build, if one is given.
    pub(crate) windows: Option<PathBuf>,
    /// Begins with the SHA-256 of the binary, so that figures of another build are never mixed in.
    pub(crate) build: Build,
}

/// What was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Build {
    pub(crate) sha256: String,
    pub(crate) version: String,
    pub(crate) commit: String,
    pub(crate) profile: Profile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Profile {
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

impl Agent {
    pub(crate) fn find(
        binary: PathBuf,
        windows: Option<PathBuf>,
        profile: Profile,
    ) -> Result<Self> {
        let content = std::fs::read(&binary).with_context(|| {
            format!(
                "`{}` is not there; build it with `cargo build -p shirase-agent`",
                binary.display()
            )
        })?;
        let sum = ring::digest::digest(&ring::digest::SHA256, &content);
        let version = crate::command::run(Command::new(&binary).arg("--version"))?;
        let git = crate::command::run(Command::new("git").args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=12",
            "--exclude=*",
        ]));
        let build = Build {
            sha256: hex::encode(sum),
            version: version.trim().to_owned(),
            commit: git.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
            profile,
        };

        Ok(Self { binary, windows, build })
    }

    /// Says why a backend cannot be tried here, if so.
    pub(crate) fn cannot(&self, backend: Backend) -> Option<String> {
        match backend {
            Backend::Notify => None,
            Backend::Fanotify if !rustix::process::geteuid().is_root() => {
                Some("fanotify needs root".to_owned())
            }
            Backend::Fanotify => None,
            Backend::Windows if self.windows.is_none() => {
                Some("no Windows build was given (--windows-agent)".to_owned())
            }
            Backend::Windows if which("wine").is_none() => Some("wine is not installed".to_owned()),
            Backend::Windows => None,
        }
    }

    /// Returns the command that watches `dirs`.
    pub(crate) fn watch(
        &self,
        backend: Backend,
        dirs: &[PathBuf],
        options: &WatchOptions,
    ) -> Result<Command> {
        let mut command = match backend {
            Backend::Fanotify | Backend::Notify => {
                let mut command = Command::new(&self.binary);
                command.args(["watch", "--json", "--backend", backend.name()]);
                command
            }
            Backend::Windows => {
                let Some(binary) = &self.windows else { bail!("no Windows build was given") };
                let mut command = Command::new("wine");
                command
                    .env("WINEDEBUG", "-all")
                    .arg(binary)
                    .args(["watch", "--json"]);
                command
            }
        };
        for (flag, path) in [("--state", &options.state), ("--record", &options.record)] {
            if let Some(path) = path {
                command.arg(flag).arg(as_seen_by(backend, path));
            }
        }
        command.args(dirs.iter().map(|dir| as_seen_by(backend, dir)));

        Ok(command)
    }
}

/// Writes a path the way the agent's system does.
fn as_seen_by(backend: Backend, path: &Path) -> PathBuf {
    match backend {
        Backend::Fanotify | Backend::Notify => path.to_owned(),
        Backend::Windows => {
            PathBuf::from(format!("Z:{}", path.display().to_string().replace('/', "\\")))
        }
    }
}
