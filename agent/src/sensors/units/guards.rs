//! Which guards there are, which of them were ever seen running, and how they are now.
//!
//! What was seen running is kept on disk, so that one removed while the agent was stopped is missed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Listing;
use crate::durable;
use crate::observation::{GuardBefore, GuardSeen, Runs, Starts};

/// A guard that has not run for this long was given up by those who keep the host, and was told before.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How old what is on disk may become.
const KEEP_EVERY: SignedDuration = SignedDuration::from_hours(12);

/// All guards that are looked for.
pub(super) struct Guards {
    names: Vec<String>,
    wanted: Vec<String>,
    file: PathBuf,
    known: BTreeMap<String, Known>,
    kept: BTreeMap<String, Known>,
}

/// A guard that was seen running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    before: GuardBefore,
    last_ran: Timestamp,
}

impl Guards {
    pub(super) fn open(names: Vec<String>, wanted: Vec<String>, file: PathBuf) -> Self {
        let known: BTreeMap<String, Known> = match durable::read_json(&file) {
            Ok(known) => known.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "which guards ran before does not read; they are learned anew");
                BTreeMap::new()
            }
        };

        Self { names, wanted, file, kept: known.clone(), known }
    }

    /// Every name that is looked for.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().cloned()
    }

    /// How many of them this host has.
    pub(super) fn present(&self) -> usize {
        self.known.len()
    }

    /// Returns how each guard is that this host has, had, or should have.
    pub(super) fn compare(
        &mut self,
        listing: &Listing,
        installed: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> impl Iterator<Item = GuardSeen> + use<> {
        self.known
            .retain(|_, known| now.duration_since(known.last_ran) < GIVEN_UP);
        let names = std::mem::take(&mut self.names);
        let seen: Vec<_> = names
            .iter()
            .filter_map(|name| self.one(name, listing, installed.get(name), now))
            .collect();
        self.names = names;
        self.keep();
        seen.into_iter()
    }

    fn one(
        &mut self,
        name: &str,
        listing: &Listing,
        state: Option<&String>,
        now: Timestamp,
    ) -> Option<GuardSeen> {
        let starts = starts(state.map(String::as_str));
        let runs = match (listing.runs(name), state) {
            (true, _) => Runs::Running,
            (false, Some(_)) => Runs::Stopped,
            (false, None) => Runs::Missing,
        };
        let before = self.known.get(name).map(|known| known.before);
        if runs == Runs::Running {
            let by_hand = before != Some(GuardBefore::Ran) && starts == Starts::Disabled;
            let before = if by_hand { GuardBefore::RanByHand } else { GuardBefore::Ran };
            self.known
                .insert(name.to_owned(), Known { before, last_ran: now });
            return Some(GuardSeen { name: name.to_owned(), runs, starts, before });
        }
        let wanted = self.wanted.iter().any(|wanted| wanted == name);
        let before = before.or_else(|| wanted.then_some(GuardBefore::Wanted))?;

        Some(GuardSeen { name: name.to_owned(), runs, starts, before })
    }

    /// Writes down what was learned, if it is worth it.
    fn keep(&mut self) {
        let same = |(name, known): (&String, &Known)| {
            self.kept.get(name).is_some_and(|kept| {
                let older = known.last_ran.duration_since(kept.last_ran);
                kept.before == known.before && older < KEEP_EVERY
            })
        };
        if self.known.len() == self.kept.len() && self.known.iter().all(same) {
            return;
        }
        if let Err(error) = durable::replace_json(&self.file, &self.known) {
            tracing::warn!(%error, "which guards ran was not written down");
        }
        // A disk that is full is not asked again every few seconds.
        self.kept.clone_from(&self.known);
    }
}

/// Puts systemd's word into ours.
fn starts(state: Option<&str>) -> Starts {
    match state {
        Some("disabled") => Starts::Disabled,
        Some("masked" | "masked-runtime") => Starts::Masked,
        Some(
            "enabled" | "enabled-runtime" | "static" | "alias" | "indirect" | "generated"
            | "transient",
        ) => Starts::Yes,
        Some(_) | None => Starts::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::night;

    use super::super::Unit;
    use super::*;

    fn listing(running: &[&str]) -> Listing {
        let unit = || Unit { active: "active".to_owned(), sub: "running".to_owned() };
        let units = running
            .iter()
            .map(|name| ((*name).to_owned(), unit()))
            .collect();
        Listing { system: "running".to_owned(), units }
    }

    fn installed(names: &[(&str, &str)]) -> BTreeMap<String, String> {
        names
            .iter()
            .map(|(name, state)| ((*name).to_owned(), (*state).to_owned()))
            .collect()
    }

    #[test]
    fn a_guard_removed_while_nobody_looked_is_missed_for_a_week() {
        let dir = tempfile::tempdir().unwrap();
        let open = || {
            let names = ["av.service", "edr.service"].map(str::to_owned).to_vec();
            Guards::open(names, Vec::new(), dir.path().join("guards.json"))
        };
        let there = installed(&[("av.service", "enabled")]);
        let mut guards = open();
        assert_eq!(
            guards
                .compare(&listing(&["av.service"]), &there, night())
                .count(),
            1
        );
        let mut again = open();
        let seen: Vec<_> = again
            .compare(&listing(&[]), &installed(&[]), night())
            .collect();
        assert_eq!((seen[0].runs, seen[0].before), (Runs::Missing, GuardBefore::Ran));
        let later = night() + SignedDuration::from_hours(8 * 24);
        assert_eq!(
            open()
                .compare(&listing(&[]), &installed(&[]), later)
                .count(),
            0
        );
    }

    #[test]
    fn a_guard_switched_off_while_it_runs_is_known_to_have_started_with_the_system() {
        let dir = tempfile::tempdir().unwrap();
        let names = vec!["av.service".to_owned()];
        let mut guards = Guards::open(names.clone(), names, dir.path().join("guards.json"));
        let none = installed(&[]);
        let first: Vec<_> = guards.compare(&listing(&[]), &none, night()).collect();
        assert_eq!(first[0].before, GuardBefore::Wanted);
        let running = listing(&["av.service"]);
        let enabled = installed(&[("av.service", "enabled")]);
        drop(guards.compare(&running, &enabled, night()));
        let masked = installed(&[("av.service", "masked")]);
        let seen: Vec<_> = guards.compare(&running, &masked, night()).collect();
        let expected = GuardSeen {
            name: "av.service".to_owned(),
            runs: Runs::Running,
            starts: Starts::Masked,
            before: GuardBefore::Ran,
        };
        assert_eq!(seen, [expected]);
    }
}
