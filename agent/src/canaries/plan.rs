//! Decides what is to be done about the decoys, from what is wanted and what was found. Pure: no I/O, no clock.
//!
//! Always holds: a decoy that is not as it was made is never removed or replaced while anything may still be going on,
//! and one that nobody wants any more is removed only if it is as it was made.

use std::path::PathBuf;

/// How long nothing may have been touched before decoys are put back, in milliseconds.
pub(super) const CALM_MS: u64 = 10 * 60 * 1000;

/// How a decoy was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As it was made.
    Whole,
    /// It is not there.
    Missing,
    /// Something else is there.
    Harmed,
    /// Its root cannot be looked at.
    Unseen,
}

/// One decoy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) path: PathBuf,
    pub(super) root: PathBuf,
    pub(super) found: Found,
}

/// What is wanted for one root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) root: PathBuf,
    pub(super) count: usize,
    pub(super) allowance: Allowance,
}

/// Whether decoys may stand in a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    /// They may.
    Allowed,
    /// It holds messages or images: those that stand there are taken away.
    Refused,
    /// It cannot be looked at now.
    Unknown,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Make so many in this root.
    Make { root: PathBuf, count: usize },
    /// Make this one again.
    Restore(PathBuf),
    /// Delete this one.
    Remove(PathBuf),
    /// Leave what is there and think of it no more.
    Forget(PathBuf),
}

/// Decides. `calm_ms` is for how long nothing was touched or found harmed.
pub(super) fn plan(standing: &[Standing], wanted: &[Wanted], calm_ms: u64) -> Vec<Act> {
    let mut acts = Vec::new();
    for want in wanted {
        let here: Vec<_> = standing
            .iter()
            .filter(|decoy| decoy.root == want.root)
            .collect();
        let keep = match want.allowance {
            Allowance::Unknown => continue,
            Allowance::Refused => 0,
            Allowance::Allowed => want.count,
        };
        let (kept, surplus) = here.split_at(here.len().min(keep));
        acts.extend(kept.iter().filter_map(|decoy| mend(decoy, calm_ms)));
        acts.extend(surplus.iter().filter_map(|decoy| end(decoy)));
        if kept.len() < keep {
            acts.push(Act::Make { root: want.root.clone(), count: keep - kept.len() });
        }
    }
    let is_wanted = |decoy: &&Standing| wanted.iter().any(|want| want.root == decoy.root);
    let unwanted = standing.iter().filter(|decoy| !is_wanted(decoy));
    acts.extend(unwanted.filter_map(end));
    acts
}

fn mend(decoy: &Standing, calm_ms: u64) -> Option<Act> {
    match decoy.found {
        Found::Missing | Found::Harmed if CALM_MS <= calm_ms => {
            Some(Act::Restore(decoy.path.clone()))
        }
        Found::Whole | Found::Missing | Found::Harmed | Found::Unseen => None,
    }
}

fn end(decoy: &Standing) -> Option<Act> {
    match decoy.found {
        Found::Whole => Some(Act::Remove(decoy.path.clone())),
        Found::Missing | Found::Harmed => Some(Act::Forget(decoy.path.clone())),
        // Later: it may be back.
        Found::Unseen => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_made_once() {
        check(&[], 2, Allowance::Allowed, 0, "make 2");
        check(&[Found::Whole], 2, Allowance::Allowed, 0, "make 1");
        check(&[Found::Whole, Found::Whole], 2, Allowance::Allowed, 0, "");
        check(&[], 2, Allowance::Unknown, 0, "");
        check(&[], 0, Allowance::Allowed, 0, "");
    }

    #[test]
    fn what_was_harmed_is_put_back_once_things_are_calm() {
        let found = [Found::Harmed, Found::Missing, Found::Unseen];
        check(&found, 3, Allowance::Allowed, CALM_MS - 1, "");
        check(&found, 3, Allowance::Allowed, CALM_MS, "restore 0, restore 1");
    }

    #[test]
    fn what_nobody_wants_is_removed_only_if_it_is_still_ours() {
        let found = [Found::Whole, Found::Harmed, Found::Missing, Found::Unseen];
        let gone = "remove 0, forget 1, forget 2";
        check(&found, 0, Allowance::Allowed, 0, gone);
        check(&found, 9, Allowance::Refused, CALM_MS, gone);
        check(&[Found::Whole, Found::Whole], 1, Allowance::Allowed, 0, "remove 1");
        let decoy = Standing { path: "0".into(), root: "/other".into(), found: Found::Whole };
        assert_eq!(plan(&[decoy], &[], 0), [Act::Remove("0".into())]);
    }

    #[track_caller]
    fn check(found: &[Found], count: usize, allowance: Allowance, calm_ms: u64, expected: &str) {
        let standing: Vec<_> = (0..)
            .zip(found)
            .map(|(number, found): (u32, _)| Standing {
                path: number.to_string().into(),
                root: "/r".into(),
                found: *found,
            })
            .collect();
        let wanted = Wanted { root: "/r".into(), count, allowance };
        let told = |act: &Act| match act {
            Act::Make { count, .. } => format!("make {count}"),
            Act::Restore(path) => format!("restore {}", path.display()),
            Act::Remove(path) => format!("remove {}", path.display()),
            Act::Forget(path) => format!("forget {}", path.display()),
        };
        let acts: Vec<_> = plan(&standing, &[wanted], calm_ms)
            .iter()
            .map(told)
            .collect();
        assert_eq!(acts.join(", "), expected);
    }
}
