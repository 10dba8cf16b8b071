//! A control group of one process: exact processor time, and what the kernel allocated for it.
//!
//! Works with the second version of control groups, and with the first where memory is counted there. The group is made
//! below the one this process is in (first version) or below the root (second), and removed again.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

const ROOT: &str = "/sys/fs/cgroup";

/// A group of our own.
#[derive(Debug)]
pub(crate) struct Group {
    memory: PathBuf,
    /// Where processor time is counted exactly, if anywhere.
    cpu: Option<PathBuf>,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// What a group holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Anonymous memory in KiB.
    pub(crate) anonymous_kib: u64,
    /// Kernel memory in KiB: watches, queued events, sockets, page tables.
    pub(crate) kernel_kib: u64,
    /// Processor time in microseconds, where it is counted.
    pub(crate) cpu_us: Option<u64>,
}

impl Group {
    /// Makes a group.
    ///
    /// # Errors
    /// When the system offers none or this is not root: the reason.
    pub(crate) fn make(name: &str) -> Result<Self> {
        let name = format!("shirase-detection-{}-{name}", std::process::id());
        let root = Path::new(ROOT);
        if root.join("cgroup.controllers").exists() {
            let memory = root.join(name);
            std::fs::create_dir(&memory).context("failed to make a control group (root?)")?;
            let group = Self { cpu: Some(memory.clone()), memory, version: Version::Two };
            if !group.memory.join("memory.stat").exists() {
                bail!("the root control group does not hand on the memory controller");
            }
            return Ok(group);
        }
        let own = std::fs::read_to_string("/proc/self/cgroup")
            .context("this system has no control groups")?;
        let below = |controller: &str| {
            let path = own_path(&own, controller)?;
            let folder = root.join(controller).join(path).join(&name);
            std::fs::create_dir(&folder).ok().map(|()| folder)
        };
        let memory = below("memory").context("failed to make a memory control group (root?)")?;

        Ok(Self { memory, cpu: below("cpuacct"), version: Version::One })
    }

    /// Returns a command that first enters the group and then becomes `inner`.
    pub(crate) fn around(&self, inner: &Command) -> Command {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "for group in $JOIN; do echo $$ > $group/cgroup.procs; done; exec \"$@\"",
            "sh",
        ]);
        command.arg(inner.get_program()).args(inner.get_args());
        let folders = [Some(&self.memory), self.cpu.as_ref()];
        let mut paths: Vec<_> = folders
            .into_iter()
            .flatten()
            .map(|folder| folder.display().to_string())
            .collect();
        paths.dedup();
        command.env("JOIN", paths.join(" "));
        for (name, value) in inner.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command
    }

    pub(crate) fn held(&self) -> Result<Held> {
        let stat = std::fs::read_to_string(self.memory.join("memory.stat"))
            .context("failed to read the control group")?;
        let (anonymous, kernel, cpu) = match self.version {
            Version::Two => {
                let text = std::fs::read_to_string(self.memory.join("cpu.stat"));
                let cpu = text.ok().and_then(|text| value(&text, "usage_usec"));
                (value(&stat, "anon"), value(&stat, "kernel"), cpu)
            }
            Version::One => {
                let number = |path: PathBuf| -> Option<u64> {
                    std::fs::read_to_string(path).ok()?.trim().parse().ok()
                };
                let cpu = self.cpu.as_ref().map(|folder| folder.join("cpuacct.usage"));
                let kernel = number(self.memory.join("memory.kmem.usage_in_bytes"));
                (value(&stat, "rss"), kernel, cpu.and_then(number).map(|ns| ns / 1000))
            }
        };

        Ok(Held {
            anonymous_kib: anonymous.context("the group counts no memory")? / 1024,
            kernel_kib: kernel.context("the group counts no kernel memory")? / 1024,
            cpu_us: cpu,
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for folder in [Some(&self.memory), self.cpu.as_ref()]
            .into_iter()
            .flatten()
        {
            // A process that is still ending keeps it; then it stays until the next boot, empty.
            for _ in 0..50 {
                if std::fs::remove_dir(folder).is_ok() || !folder.exists() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
    }
}

/// The path of a controller's group in `/proc/self/cgroup` of the first version.
fn own_path<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (names, path) = (fields.next()?, fields.next()?);
        let found = names.split(',').any(|name| name == controller);
        found.then(|| path.trim_start_matches('/'))
    })
}

fn value(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == key).then(|| value.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_of_the_first_version_is_found() {
        let own = "9:name=systemd:/\n4:cpu,memory:/a/b\n2:cpuacct:/\n0::/\n";
        assert_eq!(own_path(own, "memory"), Some("a/b"));
        assert_eq!(own_path(own, "cpuacct"), Some(""));
        assert_eq!(own_path(own, "pids"), None);
    }
}
