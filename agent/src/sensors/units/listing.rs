//! One listing of the service manager, and what is different from the one before.

use std::collections::BTreeMap;

use super::ending::STOPPING;
use crate::observation::{Course, ServicesSeen};

/// States the system as a whole can be put into (`systemctl isolate`).
const STATES: &[&str] = &["rescue.target", "emergency.target", "multi-user.target"];
/// A state that contains another one: leaving it leaves the other in force.
const WIDER_STATE: (&str, &str) = ("graphical.target", "multi-user.target");
/// Templates whose instances come and go with people and connections.
const COMING_AND_GOING: &[&str] = &["user@", "user-runtime-dir@", "getty@", "serial-getty@"];
/// Services that end by themselves when nobody asks them anything.
const ENDING_IDLE: &[&str] = &[
    "systemd-hostnamed.service",
    "systemd-localed.service",
    "systemd-timedated.service",
    "systemd-importd.service",
    "systemd-portabled.service",
    "packagekit.service",
    "fwupd.service",
    "colord.service",
    "realmd.service",
    "geoclue.service",
];

/// What the service manager has loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The state of the system as a whole, for example `running`.
    pub system: String,
    /// Its services and targets.
    pub units: BTreeMap<String, Unit>,
}

/// One service or target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// For example `active`.
    pub active: String,
    /// For example `running`.
    pub sub: String,
}

impl Unit {
    fn runs(&self) -> bool {
        self.is_active() && self.sub == "running"
    }

    fn is_active(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading")
    }
}

impl Listing {
    /// Whether a service has processes that work.
    pub(super) fn runs(&self, name: &str) -> bool {
        self.units.get(name).is_some_and(Unit::runs)
    }

    /// Whether a service is on its way up, also again and again.
    fn starts(&self, name: &str) -> bool {
        self.units
            .get(name)
            .is_some_and(|unit| unit.active == "activating")
    }

    /// Where the system is going, as far as one listing tells.
    pub(super) fn course(&self) -> Course {
        if self.system == STOPPING { Course::Ending } else { Course::Steady }
    }

    /// Returns what is different from the listing before.
    pub(super) fn since(&self, before: &Self) -> ServicesSeen {
        let running = |listing: &Self, other: &Self| -> Vec<String> {
            let names = listing
                .units
                .iter()
                .filter(|(_, unit)| unit.runs())
                .map(|(name, _)| name);
            let gone = |name: &&String| !other.runs(name) && !other.starts(name) && lasts(name);
            names.filter(gone).cloned().collect()
        };
        let course = match self.course() {
            Course::Steady if self.is_regrouped(before) => Course::Regrouped,
            course @ (Course::Steady | Course::Regrouped | Course::Ending) => course,
        };

        ServicesSeen { stopped: running(before, self), started: self.risen(before), course }
    }

    /// Services that run now and did not before, also those that were on their way up.
    fn risen(&self, before: &Self) -> Vec<String> {
        let runs = self
            .units
            .iter()
            .filter(|(name, unit)| unit.runs() && lasts(name));
        runs.filter(|(name, _)| !before.runs(name))
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn is_regrouped(&self, before: &Self) -> bool {
        let active =
            |listing: &Self, name: &str| listing.units.get(name).is_some_and(Unit::is_active);
        let (wider, narrower) = WIDER_STATE;
        let entered = |name: &str| active(self, name) && !active(before, name);
        let narrowed = active(before, wider) && !active(self, wider) && active(self, narrower);

        STATES.iter().any(|name| entered(name)) || narrowed
    }
}

impl ServicesSeen {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a service is meant to go on until somebody stops it.
fn lasts(name: &str) -> bool {
    name.ends_with(".service")
        && !COMING_AND_GOING
            .iter()
            .any(|template| name.starts_with(template))
        && !ENDING_IDLE.contains(&name)
        && (!name.starts_with("run-") || name.contains('@'))
        && !is_connection(name)
}

/// Whether a service was made for one connection: `sshd@4-10.0.0.1:22-10.0.0.9:51234.service`.
fn is_connection(name: &str) -> bool {
    let Some((_, instance)) = name.trim_end_matches(".service").split_once('@') else {
        return false;
    };
    let numbered = instance.chars().next().is_some_and(|c| c.is_ascii_digit());
    let dashes = instance.matches('-').count();
    let figures = instance.chars().all(|c| c.is_ascii_digit() || c == '-');

    numbered && 1 < dashes && (figures || instance.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(units: &str) -> Listing {
        let unit = |text: &str| {
            let (name, state) = text.split_once('=').unwrap();
            let (active, sub) = state.split_once('/').unwrap();
            (name.to_owned(), Unit { active: active.to_owned(), sub: sub.to_owned() })
        };
        let units = units.split_whitespace().map(unit).collect();
        Listing { system: "running".to_owned(), units }
    }

    #[test]
    fn what_ran_and_does_not_run_stopped() {
        let before = listing(
            "a.service=active/running b.service=active/running c.service=active/running \
             d.service=active/exited e.service=active/running user@7.service=active/running \
             sshd@4-10.0.0.1:22-10.0.0.9:5.service=active/running postgresql@15-main.service=active/running",
        );
        let now = listing(
            "a.service=active/running b.service=inactive/dead c.service=activating/auto-restart \
             e.service=deactivating/stop-sigterm f.service=active/running",
        );
        let seen = now.since(&before);
        assert_eq!(seen.stopped, ["b.service", "e.service", "postgresql@15-main.service"]);
        assert_eq!((seen.started, seen.course), (vec!["f.service".to_owned()], Course::Steady));
        assert!(now.since(&now).is_nothing());
    }

    #[test]
    fn the_system_that_ends_or_goes_elsewhere_is_told_apart() {
        let before = listing("multi-user.target=active/active graphical.target=active/active");
        let rescue = listing("rescue.target=active/active");
        assert_eq!(rescue.since(&before).course, Course::Regrouped);
        let narrowed = listing("multi-user.target=active/active");
        assert_eq!(narrowed.since(&before).course, Course::Regrouped);
        assert_eq!(listing("").since(&before).course, Course::Steady);
        let ending = Listing { system: STOPPING.to_owned(), ..narrowed };
        assert_eq!(ending.since(&before).course, Course::Ending);
    }
}
