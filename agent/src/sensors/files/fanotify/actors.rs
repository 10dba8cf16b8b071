//! Tells which process, program, user, service and client is behind a process id.
//!
//! A process is looked at when it is first seen, for most are gone soon after; what was found is kept as long as the
//! process lives, and some time longer. A file server's child is asked for its client as well.
//!
//! The kernel tells a number. It means another process only after every other number was given out since, which takes
//! longer than the few milliseconds until the number is read; from then on a descriptor says whether it lives.
//!
//! Always holds: bounded; nothing here is needed to see a change, and whatever cannot be found out stays unknown.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{clients, sys};
use crate::observation::{Actor, Kin};

/// Processes remembered at the most; then the one not seen for longest is forgotten.
const KNOWN_MAX: usize = 512;
/// Processes looked at in one batch at the most, so that a storm of short-lived ones does not hold up reading.
const LOOKS_PER_BATCH: usize = 64;
/// How long a process that lived is taken to be behind its number, in milliseconds: less than it takes to give out all
/// other numbers.
const SURE_MS: u64 = 200;
/// Processes above one that are noted: whoever starts one for each file is found there.
const PARENTS_MAX: usize = 2;
/// The children of this program work for clients.
const FILE_SERVER: &[u8] = b"smbd";

/// What is known of processes.
#[derive(Default)]
pub(super) struct Actors {
    known: BTreeMap<u32, Known>,
    now_ms: u64,
    looked: usize,
}

struct Known {
    actor: Arc<Actor>,
    /// Tells whether it lives; none if it had ended already.
    pidfd: Option<OwnedFd>,
    /// When it was last seen, and when it was last looked at whether it is still the same.
    seen_ms: u64,
    checked_ms: u64,
}

impl Known {
    fn lives(&self) -> bool {
        self.pidfd
            .as_ref()
            .is_some_and(|pidfd| !sys::has_ended(pidfd.as_fd()))
    }
}

impl Actors {
    /// Begins another batch.
    pub(super) fn begin_batch(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.looked = 0;
    }

    /// Returns who a process is.
    pub(super) fn who(&mut self, pid: u32) -> Arc<Actor> {
        let now_ms = self.now_ms;
        if let Some(known) = self.known.get_mut(&pid) {
            known.seen_ms = now_ms;
            if now_ms < known.checked_ms + SURE_MS {
                return known.actor.clone();
            }
            // An ended process may still be the one meant, unless its number belongs to another one by now.
            let same = known.lives()
                || started(pid).is_none_or(|started| known.actor.started == Some(started));
            if same {
                known.checked_ms = now_ms;
                return known.actor.clone();
            }
        }
        self.looked += 1;
        if LOOKS_PER_BATCH < self.looked {
            return Arc::new(nameless(pid));
        }
        // The descriptor first: while it lives, what is read of the number is read of its process.
        let pidfd = open(pid);
        let actor = Arc::new(look(pid));
        let known = Known { actor: actor.clone(), pidfd, seen_ms: now_ms, checked_ms: now_ms };
        self.known.insert(pid, known);
        self.make_room();

        actor
    }

    fn make_room(&mut self) {
        if self.known.len() <= KNOWN_MAX {
            return;
        }
        let oldest = self.known.iter().min_by_key(|(_, known)| known.seen_ms);
        if let Some(pid) = oldest.map(|(pid, _)| *pid) {
            self.known.remove(&pid);
        }
    }
}

fn open(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

const fn nameless(pid: u32) -> Actor {
    let parents = Vec::new();
    Actor { pid, started: None, program: None, uid: None, unit: None, client: None, parents }
}

/// Looks at a process in `/proc`.
fn look(pid: u32) -> Actor {
    let Some((parent, started)) = stat(pid) else { return nameless(pid) };
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let is_server = program
        .as_deref()
        .and_then(Path::file_name)
        .is_some_and(|name| name.as_bytes().starts_with(FILE_SERVER));
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok();

    Actor {
        pid,
        started: Some(started),
        program,
        uid: status.as_deref().and_then(effective_user),
        unit: groups.as_deref().and_then(unit),
        client: is_server.then(|| clients::client_of(pid)).flatten(),
        parents: line_of(parent),
    }
}

/// Returns a process and those it descends from, a few.
fn line_of(pid: u32) -> Vec<Kin> {
    let mut line = Vec::new();
    let mut next = pid;
    while line.len() < PARENTS_MAX {
        let Some((parent, started)) = stat(next) else { break };
        line.push(Kin { pid: next, started: Some(started) });
        next = parent;
    }
    line
}

fn started(pid: u32) -> Option<u64> {
    stat(pid).map(|(_, started)| started)
}

/// Returns a process' parent and when it started, in clock ticks since boot: fields 4 and 22 of `/proc/PID/stat`, see
/// proc(5).
fn stat(pid: u32) -> Option<(u32, u64)> {
    read_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The program's name stands in brackets and may hold anything, brackets too; what follows is counted from the last.
fn read_stat(stat: &[u8]) -> Option<(u32, u64)> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;

    Some((parent, fields.nth(17)?.parse().ok()?))
}

fn effective_user(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Returns the innermost service or scope of a process, else the last part of its control group. A group outside the
/// agent's own namespace is told by way of `..`, see `cgroup_namespaces(7)`.
fn unit(groups: &str) -> Option<String> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let parts = || path.split('/').filter(|part| !matches!(*part, "" | ".."));
    let unit = parts().rfind(|part| part.ends_with(".service") || part.ends_with(".scope"));

    unit.or_else(|| parts().next_back()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_and_kept() {
        let mut actors = Actors::default();
        actors.begin_batch(1000);
        let actor = actors.who(std::process::id());
        assert_eq!(actor.program.as_deref(), std::env::current_exe().ok().as_deref());
        assert!(actor.started.is_some() && actor.uid.is_some(), "{actor:?}");
        let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
        let told = actor
            .parents
            .first()
            .and_then(|kin| i32::try_from(kin.pid).ok());
        assert_eq!(told, parent);
        for now_ms in [1000 + SURE_MS - 1, 1000 + SURE_MS] {
            actors.begin_batch(now_ms);
            assert!(Arc::ptr_eq(&actor, &actors.who(std::process::id())));
        }
    }

    #[test]
    fn a_number_that_belongs_to_another_process_by_now_is_another_actor() {
        let mut actors = Actors::default();
        let pid = std::process::id();
        let before = Arc::new(Actor { started: Some(1), ..nameless(pid) });
        // It had ended, so there is no descriptor of it.
        let known = Known { actor: before.clone(), pidfd: None, seen_ms: 0, checked_ms: 0 };
        actors.known.insert(pid, known);
        actors.begin_batch(SURE_MS - 1);
        assert!(Arc::ptr_eq(&before, &actors.who(pid)));
        actors.begin_batch(SURE_MS);
        assert_eq!(actors.who(pid).started, started(pid));
    }

    #[test]
    fn a_process_that_is_gone_is_only_a_number() {
        let mut actors = Actors::default();
        let actor = actors.who(u32::MAX);
        assert_eq!(*actor, nameless(u32::MAX));
    }

    #[test]
    fn a_storm_of_processes_is_not_looked_at_one_by_one_and_not_kept() {
        let mut actors = Actors::default();
        for pid in 0..100_000 {
            if pid % 1000 == 0 {
                actors.begin_batch(u64::from(pid));
            }
            actors.who(u32::MAX - pid);
        }
        assert!(actors.known.len() <= KNOWN_MAX, "{}", actors.known.len());
    }

    #[test]
    fn a_program_may_have_any_name() {
        let stat = b"12 (a) R (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(read_stat(stat), Some((1, 4711)));
        assert_eq!(read_stat(b"12 (sh"), None);
    }

    #[test]
    fn the_innermost_service_is_the_unit() {
        let group = |path: &str| unit(&format!("1:cpu:/x\n0::{path}\n"));
        assert_eq!(group("/system.slice/smbd.service").as_deref(), Some("smbd.service"));
        let session = "/user.slice/user-0.slice/session-3.scope";
        assert_eq!(group(session).as_deref(), Some("session-3.scope"));
        let container = "/system.slice/docker-abc.scope/inner";
        assert_eq!(group(container).as_deref(), Some("docker-abc.scope"));
        assert_eq!(group("/../../system.slice/cron.service").as_deref(), Some("cron.service"));
        for nobodys in ["/", "/..", "/../.."] {
            assert_eq!(group(nobodys), None);
        }
    }

    #[test]
    fn the_effective_user_is_the_second_number() {
        assert_eq!(effective_user("Name:\tx\nUid:\t1000\t33\t0\t0\n"), Some(33));
    }
}
