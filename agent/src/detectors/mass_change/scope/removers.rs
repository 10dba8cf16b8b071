//! Which programs took files away within the last two minutes.
//!
//! A virus scanner that takes thirty files into quarantine while a mirror deletes ten is two ordinary things at once; the
//! same forty by one program are not. Programs, not processes: who starts one for each file is one program.
//!
//! Always holds: bounded; whoever is not known counts as one program, and what no program is known for counts to the
//! busiest, so that not knowing makes nothing quiet.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::detectors::mass_change::evidence::Tally;
use crate::detectors::mass_change::windows::{ShortWindows, Slot};
use crate::observation::Actor;

/// Programs told apart at the most; the others count as one that is not known.
const PROGRAMS_MAX: usize = 32;

/// What each program took away.
#[derive(Default)]
pub(super) struct Removers(BTreeMap<OsString, ShortWindows>);

impl Removers {
    pub(super) fn add(&mut self, actor: Option<&Actor>, at_ms: u64, tally: Tally) {
        if !is_removal(tally) {
            return;
        }
        let program = program(actor);
        let known = self.0.len() < PROGRAMS_MAX || self.0.contains_key(program);
        let program = if known { program } else { OsStr::new("") };
        match self.0.get_mut(program) {
            Some(windows) => windows.add(at_ms, tally),
            None => {
                let mut windows = ShortWindows::default();
                windows.add(at_ms, tally);
                self.0.insert(program.to_owned(), windows);
            }
        }
    }

    pub(super) fn take(&mut self, actor: Option<&Actor>, tally: Tally) {
        if let Some(windows) = self.0.get_mut(program(actor)) {
            windows.take(tally);
        }
    }

    /// Returns how many of the `removed` files of the last two minutes one program may have taken away.
    pub(super) fn most_by_one(&mut self, now_ms: u64, removed: u64) -> u64 {
        let (mut most, mut all) = (0, 0);
        self.0.retain(|_, windows| {
            let by_it = windows.sums(now_ms).middle.removed();
            most = by_it.max(most);
            all += by_it;
            0 < by_it
        });

        most + removed.saturating_sub(all)
    }
}

fn is_removal(tally: Tally) -> bool {
    matches!(Slot::of(tally), Some(Slot::RemovedCommon | Slot::RemovedValued))
}

fn program(actor: Option<&Actor>) -> &OsStr {
    actor
        .and_then(|actor| actor.program.as_deref())
        .and_then(Path::file_name)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::mass_change::evidence::{Value, Weight};

    const GONE: Tally = Tally { weight: Weight::Removal, value: Value::Valued, units: 1 };

    fn actor(program: Option<&str>) -> Actor {
        Actor {
            pid: 1,
            started: None,
            program: program.map(Into::into),
            uid: None,
            unit: None,
            client: None,
            parents: Vec::new(),
        }
    }

    fn with(done: &[(Option<&str>, u64)]) -> Removers {
        let mut removers = Removers::default();
        for (program, files) in done {
            for _ in 0..*files {
                removers.add(Some(&actor(*program)), 1000, GONE);
            }
        }
        removers
    }

    #[test]
    fn the_busiest_program_counts_and_whoever_is_not_known_counts_to_it() {
        let mut two = with(&[(Some("/usr/bin/rsync"), 10), (Some("/opt/av/scan"), 30)]);
        assert_eq!(two.most_by_one(1000, 40), 30);
        assert_eq!(two.most_by_one(1000, 45), 35, "five of before a restart");
        two.take(Some(&actor(Some("/opt/av/scan"))), GONE);
        assert_eq!(two.most_by_one(1000, 39), 29);
        assert_eq!(two.most_by_one(200_000, 0), 0, "it is over");
        let mut gone = with(&[(None, 20), (Some("/bin/rm"), 3)]);
        gone.add(None, 1000, GONE);
        assert_eq!(gone.most_by_one(1000, 24), 21);
    }

    #[test]
    fn programs_beyond_the_bound_are_one() {
        let mut removers = Removers::default();
        for number in 0..200 {
            let name = format!("/tmp/{number}");
            removers.add(Some(&actor(Some(&name))), 1000, GONE);
        }
        assert!(removers.0.len() <= PROGRAMS_MAX + 1);
        assert_eq!(removers.most_by_one(1000, 200), 200 - 32);
    }
}
