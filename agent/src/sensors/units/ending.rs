//! For what the agent is being stopped, as far as the service manager and the package's traces tell.

use std::collections::BTreeMap;

use shirase_shared::event::StopCause;

/// What the service manager says of itself while the system goes down.
pub(super) const STOPPING: &str = "stopping";
/// States on the way to a new start of the machine.
const REBOOTS: &[&str] = &["reboot.target", "kexec.target", "soft-reboot.target"];
/// What the manager calls stopping a service in order to start it.
const RESTARTS: &[&str] = &["restart", "try-restart"];

/// What the service manager is about to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Jobs {
    /// The state of the system as a whole.
    pub(super) system: String,
    /// What the agent's own service is called, if it is one.
    pub(super) own: Option<String>,
    /// Its jobs: unit and kind, for example `restart`.
    pub(super) jobs: BTreeMap<String, String>,
}

/// What else tells why the agent goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Its program's file is another one by now.
    pub replaced: bool,
    /// Its package is being removed.
    pub leaving: bool,
}

impl Jobs {
    /// Judges. The machine's own end comes first: it stops every service, whatever else was begun.
    pub(super) fn cause(&self, traces: Traces) -> StopCause {
        let own = self.own.as_ref().and_then(|own| self.jobs.get(own));
        let restarts = own.is_some_and(|job| RESTARTS.contains(&job.as_str()));
        if self.system == STOPPING {
            let reboots = REBOOTS.iter().any(|target| self.jobs.contains_key(*target));
            return if reboots { StopCause::Reboot } else { StopCause::Shutdown };
        }
        match traces {
            Traces { leaving: true, .. } => StopCause::Removal,
            Traces { replaced: true, .. } => StopCause::Upgrade,
            Traces { .. } if restarts => StopCause::Restart,
            Traces { .. } => StopCause::Unsaid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(system: &str, jobs: &[(&str, &str)]) -> Jobs {
        let jobs = jobs
            .iter()
            .map(|(unit, kind)| ((*unit).to_owned(), (*kind).to_owned()));
        Jobs {
            system: system.to_owned(),
            own: Some("shirase-agent.service".to_owned()),
            jobs: jobs.collect(),
        }
    }

    #[test]
    fn the_end_of_the_machine_comes_before_what_happens_to_the_package() {
        let replaced = Traces { replaced: true, leaving: false };
        let leaving = Traces { replaced: true, leaving: true };
        let stop = jobs("running", &[("shirase-agent.service", "stop")]);
        assert_eq!(stop.cause(Traces::default()), StopCause::Unsaid);
        assert_eq!(stop.cause(replaced), StopCause::Upgrade);
        assert_eq!(stop.cause(leaving), StopCause::Removal);
        let restart = jobs("degraded", &[("shirase-agent.service", "restart")]);
        assert_eq!(restart.cause(Traces::default()), StopCause::Restart);
        assert_eq!(restart.cause(replaced), StopCause::Upgrade);
        let other = jobs("running", &[("nginx.service", "restart")]);
        assert_eq!(other.cause(Traces::default()), StopCause::Unsaid);
        let reboot = jobs("stopping", &[("reboot.target", "start"), ("nginx.service", "stop")]);
        assert_eq!(reboot.cause(leaving), StopCause::Reboot);
        assert_eq!(
            jobs("stopping", &[("poweroff.target", "start")]).cause(replaced),
            StopCause::Shutdown
        );
        assert_eq!(Jobs::default().cause(Traces::default()), StopCause::Unsaid);
    }
}
