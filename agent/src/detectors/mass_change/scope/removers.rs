//! Which programs took files away within the last two minutes.
//!
//! A virus scanner that takes thirty files into quarantine while a mirror deletes ten is two ordinary things at once; the
//! same forty by one program are not. Programs, not processes: who starts one for each file is one program.
//!
//! Always holds: bounded; what is not known to be the work of another program counts to the busiest, so that not knowing
//! makes nothing quiet. Several processes gone too soon to be named, each with few files, are what somebody starts for
//! each file, and may be anybody's.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::detectors::mass_change::evidence::Tally;
use crate::detectors::mass_change::windows::{ShortWindows, Slot};
use crate::observation::Actor;

/// Programs told apart at the most; what others take away is nobody's.
const PROGRAMS_MAX: usize = 32;
/// Processes without a name that are anybody's: so many at the least, each with fewer files than this.
const NAMELESS_MIN: usize = 4;
const NAMELESS_FILES: u64 = 8;

/// What each program took away.
#[derive(Default)]
pub(super) struct Removers(BTreeMap<Who, ShortWindows>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// A program, by the name of its file.
    Program(OsString),
    /// A process that was gone before its program was read.
    Nameless(u32),
}

impl Who {
    fn of(actor: &Actor) -> Self {
        let named = actor.program.as_deref().and_then(|path| path.file_name());
        named.map_or(Self::Nameless(actor.pid), |name| Self::Program(name.to_owned()))
    }
}

impl Removers {
    pub(super) fn add(&mut self, actor: Option<&Actor>, at_ms: u64, tally: Tally) {
        let Some(who) = actor.filter(|_| is_removal(tally)).map(Who::of) else { return };
        if self.0.len() < PROGRAMS_MAX || self.0.contains_key(&who) {
            self.0.entry(who).or_default().add(at_ms, tally);
        }
    }

    pub(super) fn take(&mut self, actor: Option<&Actor>, tally: Tally) {
        if let Some(windows) = actor.and_then(|actor| self.0.get_mut(&Who::of(actor))) {
            windows.take(tally);
        }
    }

    /// Returns how many of the `removed` files of the last two minutes one program may have taken away.
    pub(super) fn most_by_one(&mut self, now_ms: u64, removed: u64) -> u64 {
        let (mut most, mut all) = (0, 0);
        let (mut nameless, mut theirs) = (0, 0);
        self.0.retain(|who, windows| {
            let by_it = windows.sums(now_ms).middle.removed();
            let few = matches!(who, Who::Nameless(_)) && by_it < NAMELESS_FILES;
            if few && 0 < by_it {
                nameless += 1;
                theirs += by_it;
            } else {
                most = by_it.max(most);
            }
            all += by_it;
            0 < by_it
        });
        if NAMELESS_MIN <= nameless {
            all -= theirs;
        }

        most + removed.saturating_sub(all)
    }
}

fn is_removal(tally: Tally) -> bool {
    matches!(Slot::of(tally), Some(Slot::RemovedCommon | Slot::RemovedValued))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::mass_change::evidence::{Value, Weight};

    const GONE: Tally = Tally { weight: Weight::Removal, value: Value::Valued, units: 1 };

    fn actor(pid: u32, program: Option<&str>) -> Actor {
        Actor {
            pid,
            started: None,
            program: program.map(Into::into),
            uid: None,
            unit: None,
            client: None,
            parents: Vec::new(),
        }
    }

    fn with(done: &[(u32, Option<&str>, u64)]) -> Removers {
        let mut removers = Removers::default();
        for (pid, program, files) in done {
            for _ in 0..*files {
                removers.add(Some(&actor(*pid, *program)), 1000, GONE);
            }
        }
        removers
    }

    #[test]
    fn the_busiest_program_counts_with_what_is_nobodys() {
        let mut two = with(&[(1, Some("/usr/bin/rsync"), 10), (2, Some("/opt/av/scan"), 30)]);
        assert_eq!(two.most_by_one(1000, 40), 30);
        assert_eq!(two.most_by_one(1000, 45), 35, "five of before a restart");
        two.take(Some(&actor(2, Some("/opt/av/scan"))), GONE);
        assert_eq!(two.most_by_one(1000, 39), 29);
        assert_eq!(two.most_by_one(200_000, 0), 0, "it is over");
        let mut unseen = Removers::default();
        unseen.add(None, 1000, GONE);
        assert_eq!(unseen.most_by_one(1000, 33), 33, "where the system does not tell who");
    }

    #[test]
    fn a_process_for_each_file_is_one_program_though_only_some_are_named() {
        let mut each: Vec<_> = (0..20).map(|pid| (pid, None, 1)).collect();
        each.extend((20..32).map(|pid| (pid, Some("/bin/rm"), 1)));
        assert_eq!(with(&each).most_by_one(1000, 32), 32);
        for files in [3, 17] {
            let mut moved = with(&[(1, Some("/opt/av/scan"), 30), (2, None, files)]);
            assert_eq!(moved.most_by_one(1000, 30 + files), 30, "one process is somebody");
        }
    }

    #[test]
    fn programs_beyond_the_bound_are_nobody() {
        let names: Vec<_> = (0..200).map(|number| format!("/tmp/{number}")).collect();
        let done: Vec<_> = names
            .iter()
            .map(|name| (1, Some(name.as_str()), 1))
            .collect();
        let mut removers = with(&done);
        assert_eq!(removers.0.len(), PROGRAMS_MAX);
        assert_eq!(removers.most_by_one(1000, 200), 1 + 200 - 32);
    }
}
