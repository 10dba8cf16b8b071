//! Suspends, remembers on disk who is suspended, and lets them run again.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::event::Actor;
use shirase_shared::ids::BootId;

use super::decide::protected;
use super::{Extent, Target, processes};
use crate::durable;
use crate::observation::Kin;
use crate::paths::StateDir;

/// Processes suspended for one target at the most.
const TREE_MAX: usize = 256;
/// How often the tree is looked through for what was started meanwhile.
const ROUNDS_MAX: usize = 5;

/// One act of suspending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// What it is released by.
    pub(crate) id: u32,
    pub(crate) at: Timestamp,
    boot: BootId,
    /// Label of the root that was being harmed.
    pub(crate) root: String,
    pub(crate) actor: Actor,
    pub(crate) processes: Vec<Kin>,
}

/// Whom to release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Id(u32),
}

/// Who is suspended; shared by its clones.
#[derive(Clone, Debug)]
pub(crate) struct Hold(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    kept: Kept,
}

/// What lies on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    held: Vec<Held>,
    /// Whom an administrator released: whatever they do, they are not suspended again.
    spared: BTreeSet<Kin>,
}

impl Hold {
    /// Reads who is suspended. Those of an earlier boot run no more, and those that ended are forgotten.
    pub(crate) fn open(state: &StateDir, boot: BootId) -> io::Result<Self> {
        let path = state.contained();
        let mut kept: Kept = durable::read_json(&path)?.unwrap_or_default();
        kept.held.retain(|entry| {
            entry.boot == boot && entry.processes.iter().any(|kin| processes::is_alive(*kin))
        });
        kept.spared.retain(|kin| processes::is_alive(*kin));
        for entry in &kept.held {
            tracing::warn!(
                "{} processes of `{}` are still suspended; `shirase-agent release {}` lets them run again",
                entry.processes.len(),
                entry.actor.program,
                entry.id
            );
        }

        Ok(Self(Arc::new(Mutex::new(Inner { path, kept }))))
    }

    /// Everybody who is suspended.
    pub(crate) fn held(&self) -> Vec<Held> {
        self.inner().kept.held.clone()
    }

    /// Whom an administrator released.
    pub(crate) fn spared(&self) -> BTreeSet<Kin> {
        self.inner().kept.spared.clone()
    }

    /// The processes of everybody who is suspended.
    pub(crate) fn processes(&self) -> BTreeSet<Kin> {
        let inner = self.inner();
        inner
            .kept
            .held
            .iter()
            .flat_map(|entry| entry.processes.iter().copied())
            .collect()
    }

    /// Suspends a process and, as decided, what it started. Returns who is suspended and what could not be.
    pub(crate) fn suspend(
        &self,
        target: &Target,
        root: &str,
        at: Moment,
    ) -> io::Result<(Held, Vec<String>)> {
        let mut inner = self.inner();
        let id = inner
            .kept
            .held
            .iter()
            .map(|entry| entry.id)
            .max()
            .unwrap_or_default()
            + 1;
        let mut entry = Held {
            id,
            at: at.wall,
            boot: at.boot,
            root: root.to_owned(),
            actor: target.actor.clone(),
            processes: vec![target.process],
        };
        // On disk first: whoever is suspended and not remembered would stay so for ever.
        inner.kept.held.push(entry.clone());
        inner.write()?;
        let mut failed = Vec::new();
        // The one above first, so that it starts no more.
        if let Err(error) = processes::suspend(target.process) {
            inner.kept.held.pop();
            inner.write()?;
            return Err(error);
        }
        for _ in 0..ROUNDS_MAX {
            if target.extent == Extent::Alone {
                break;
            }
            let table = processes::table();
            let is_new = |kin: &Kin| {
                !entry.processes.contains(kin)
                    && protected(&table, std::process::id(), kin.pid).is_none()
            };
            let new: Vec<_> = table
                .below(target.process.pid)
                .into_iter()
                .filter(is_new)
                .take(TREE_MAX.saturating_sub(entry.processes.len()))
                .collect();
            if new.is_empty() {
                break;
            }
            entry.processes.extend(&new);
            inner.replace(&entry)?;
            for kin in new {
                match processes::suspend(kin) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        failed.push(format!("process {}: {error}", kin.pid));
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }

        Ok((entry, failed))
    }

    /// Lets processes run again. Returns whom, with how many of their processes were still there.
    pub(crate) fn release(&self, which: Which) -> io::Result<Vec<(Held, u64)>> {
        let mut inner = self.inner();
        let is_meant = |entry: &Held| match which {
            Which::All => true,
            Which::Id(id) => entry.id == id,
        };
        let (released, held): (Vec<_>, Vec<_>) = inner.kept.held.drain(..).partition(is_meant);
        inner.kept.held = held;
        let mut told = Vec::new();
        for entry in released {
            inner.kept.spared.extend(&entry.processes);
            // What was started last runs first, so that nobody waits in vain for a child.
            let resumed = entry
                .processes
                .iter()
                .rev()
                .filter(|kin| processes::resume(**kin).is_ok())
                .count();
            told.push((entry, u64::try_from(resumed).unwrap_or(u64::MAX)));
        }
        inner.write()?;

        Ok(told)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn replace(&mut self, entry: &Held) -> io::Result<()> {
        if let Some(old) = self.kept.held.iter_mut().find(|old| old.id == entry.id) {
            old.clone_from(entry);
        }
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        durable::replace_json(&self.path, &self.kept)
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use shirase_shared::testing::builders::moment;

    use super::*;

    #[test]
    fn a_tree_is_suspended_remembered_over_a_restart_and_released() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let tree = Tree::start();
        let hold = Hold::open(&state, moment(0).boot).unwrap();
        let (held, failed) = hold.suspend(&tree.target(), "share", moment(0)).unwrap();
        assert_eq!((held.processes.len(), failed.len()), (3, 0), "{held:?} {failed:?}");
        tree.come_to("T");

        let again = Hold::open(&state, moment(0).boot).unwrap();
        assert_eq!(again.held(), std::slice::from_ref(&held));
        assert_eq!(again.release(Which::Id(held.id + 1)).unwrap(), []);
        assert_eq!(again.release(Which::Id(held.id)).unwrap(), [(held, 3)]);
        tree.come_to("S");
        assert_eq!(Hold::open(&state, moment(0).boot).unwrap().held(), []);
    }

    #[test]
    fn alone_means_alone_and_another_boot_forgets() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let tree = Tree::start();
        let hold = Hold::open(&state, moment(0).boot).unwrap();
        let target = Target { extent: Extent::Alone, ..tree.target() };
        let (held, _) = hold.suspend(&target, "share", moment(0)).unwrap();
        assert_eq!(held.processes, [target.process]);
        assert_eq!(Hold::open(&state, BootId::random()).unwrap().held(), []);
        assert_eq!(hold.release(Which::All).unwrap().len(), 1);
    }

    #[test]
    fn who_has_ended_is_not_held() {
        let dir = tempfile::tempdir().unwrap();
        let hold = Hold::open(&StateDir::new(dir.path()), moment(0).boot).unwrap();
        let target = Tree::start().target();
        assert!(hold.suspend(&target, "share", moment(0)).is_err());
        assert_eq!(hold.held(), []);
    }

    /// A shell with two sleeping children.
    struct Tree(Child);

    impl Tree {
        fn start() -> Self {
            let child = Command::new("sh")
                .args(["-c", "sleep 60 & sleep 60 & wait"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let tree = Self(child);
            let begun = Instant::now();
            while tree.below().len() < 2 {
                assert!(begun.elapsed() < Duration::from_secs(10), "the shell starts nothing");
                std::thread::yield_now();
            }
            tree
        }

        fn below(&self) -> Vec<Kin> {
            let below = processes::table().below(self.0.id());
            let table = processes::table();
            below
                .into_iter()
                .filter(|kin| table.name(kin.pid).is_some_and(|name| !name.contains("sh")))
                .collect()
        }

        fn target(&self) -> Target {
            let pid = self.0.id();
            let started = processes::table()
                .0
                .get(&pid)
                .map(|process| process.started);
            Target {
                process: Kin { pid, started },
                extent: Extent::Tree,
                actor: Actor { program: "sh".to_owned(), ..Actor::default() },
                why: String::new(),
            }
        }

        fn come_to(&self, state: &str) {
            let begun = Instant::now();
            let all = || {
                let mut all = self.below();
                all.push(self.target().process);
                all
            };
            let is_in = |kin: &Kin| {
                let status = std::fs::read_to_string(format!("/proc/{}/status", kin.pid));
                let status = status.unwrap_or_default();
                let line = status.lines().find_map(|line| line.strip_prefix("State:"));
                line.is_some_and(|found| found.trim().starts_with(state))
            };
            while !all().iter().all(is_in) {
                assert!(begun.elapsed() < Duration::from_secs(10), "they do not come to {state}");
                std::thread::yield_now();
            }
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let below = self.below();
            drop(self.0.kill());
            drop(self.0.wait());
            for kin in below {
                let pid = rustix::process::Pid::from_raw(i32::try_from(kin.pid).unwrap()).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
            }
        }
    }
}
