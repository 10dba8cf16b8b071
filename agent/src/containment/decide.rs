//! Decides whom to suspend, from a critical event, who harmed files, and which processes there are. Pure.

use std::collections::BTreeSet;

use shirase_shared::event::{self, Anomaly, Event, Severity};

use super::suspects::{CERTAIN_FILES, Certain, certain};
use super::{Suspect, Table};
use crate::observation::Kin;

/// Programs that keep a host or its containers running, or let people in: never suspended.
const MANAGERS: &[&str] = &[
    "init",
    "systemd",
    "login",
    "agetty",
    "gdm",
    "gdm3",
    "gdm-session-worker",
    "lightdm",
    "sddm",
    "dbus-daemon",
    "dbus-broker",
    "udevd",
    "containerd",
    "dockerd",
    "crio",
    "conmon",
    "runc",
    "crun",
    "containerd-shim",
    "containerd-shim-runc-v2",
    "supervisord",
    "runit",
    "runsv",
    "s6-svscan",
    "NetworkManager",
    "polkitd",
    "rsyslogd",
    "auditd",
    "shirase-agent",
];
/// Servers whose main process is never suspended; a child that works for one client or one job can be.
const SERVERS: &[&str] =
    &["smbd", "sshd", "cron", "crond", "atd", "proftpd", "vsftpd", "pure-ftpd"];
/// The server of which the child alone is suspended, without what it may have started.
const FILE_SERVER: &str = "smbd";
/// The kernel's own first thread.
const KERNEL: u32 = 2;

/// What is decided from.
pub(crate) struct Case<'a> {
    pub(crate) event: &'a Event,
    pub(crate) suspects: &'a [Suspect],
    pub(crate) table: &'a Table,
    pub(crate) own_pid: u32,
    /// Who is suspended already.
    pub(crate) held: &'a BTreeSet<Kin>,
    /// Whom an administrator released.
    pub(crate) spared: &'a BTreeSet<Kin>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// These are suspended.
    Suspend(Vec<Target>),
    /// Nobody is, and why.
    Leave(String),
}

/// A process to suspend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) process: Kin,
    pub(crate) extent: Extent,
    /// As it may leave the host.
    pub(crate) actor: event::Actor,
    /// Why it is certain, in plain words.
    pub(crate) why: String,
}

/// How much is suspended with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything it started.
    Tree,
    /// Nothing else.
    Alone,
}

/// Decides.
pub(crate) fn decide(case: &Case<'_>) -> Decision {
    let leave = |why: &str| Decision::Leave(why.to_owned());
    let Anomaly::MassChange(evidence) = &case.event.anomaly else {
        return leave("it is no mass change");
    };
    if case.event.severity < Severity::Critical {
        return leave("it is not critical");
    }
    if case.event.drill.is_some() {
        return leave("it is a drill");
    }
    let candidates = certain(case.suspects);
    if candidates.is_empty() {
        return Decision::Leave(format!(
            "no process is known to have harmed {CERTAIN_FILES} files"
        ));
    }
    let (mut targets, mut reasons) = (Vec::new(), Vec::new());
    for candidate in &candidates {
        match judge(case, candidate, &evidence.actors) {
            Ok(target) => targets.push(target),
            Err(why) => reasons.push(why),
        }
    }
    if targets.is_empty() {
        Decision::Leave(reasons.join("; "))
    } else {
        Decision::Suspend(targets)
    }
}

fn judge(case: &Case<'_>, candidate: &Certain, named: &[event::Actor]) -> Result<Target, String> {
    let pid = candidate.process.pid;
    if case.held.contains(&candidate.process) {
        return Err(format!("process {pid} is suspended already"));
    }
    if case.spared.contains(&candidate.process) {
        return Err(format!("an administrator released process {pid}"));
    }
    if case.table.same(candidate.process).is_none() {
        return Err(format!("process {pid} has ended"));
    }
    if let Some(why) = protected(case.table, case.own_pid, pid) {
        return Err(format!("process {pid} is {why}"));
    }
    // The detectors know more than is counted here; whom they do not name is not certain.
    let is_named = named.is_empty()
        || named
            .iter()
            .any(|actor| candidate.programs.contains(&actor.program));
    if !is_named {
        return Err(format!("the event does not name the program of process {pid}"));
    }
    let name = case.table.name(pid).unwrap_or_default();
    let by = match candidate.actor.pid == pid {
        true => String::new(),
        false => format!(
            " by processes it started ({})",
            candidate
                .programs
                .iter()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    let extent = if name == FILE_SERVER { Extent::Alone } else { Extent::Tree };

    Ok(Target {
        process: candidate.process,
        extent,
        why: format!(
            "process {pid} harmed {} files or more{by}, and is still the process that was seen",
            candidate.files
        ),
        actor: event::Actor {
            program: name,
            unit: candidate.actor.unit.clone(),
            user: candidate
                .actor
                .uid
                .filter(|uid| *uid == 0)
                .map(|_| "root".to_owned()),
            client: candidate.actor.client.clone(),
            processes: 1,
            files: u64::try_from(candidate.files).unwrap_or(u64::MAX),
        },
    })
}

/// Says why a process is never suspended, if it is not.
pub(super) fn protected(table: &Table, own_pid: u32, pid: u32) -> Option<&'static str> {
    let process = table.0.get(&pid);
    let Some(process) = process else { return Some("not there") };
    if pid <= 1 {
        return Some("the first process");
    }
    if pid == KERNEL || process.parent == KERNEL || process.program.is_none() {
        return Some("a part of the kernel, or its program cannot be told");
    }
    if table.line(own_pid).contains(&pid) {
        return Some("the agent, or it started the agent");
    }
    let name = table.name(pid).unwrap_or_default();
    if MANAGERS.contains(&name.as_str()) || name.starts_with("systemd-") {
        return Some("one that keeps the host running");
    }
    let parent = table.name(process.parent).unwrap_or_default();
    (SERVERS.contains(&name.as_str()) && parent != name).then_some("the main process of a server")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shirase_shared::event::{MassChange, Phase};
    use shirase_shared::ids::{BurstId, DrillId};
    use shirase_shared::testing::builders::mass_change;

    use super::*;
    use crate::containment::Process;
    use crate::containment::suspects::tests::{actor, kin, suspect};
    use crate::observation::Actor;

    /// Number, parent, program.
    const HOST: &[(u32, u32, &str)] = &[
        (1, 0, "systemd"),
        (2, 0, ""),
        (9, 2, ""),
        (20, 1, "sshd"),
        (21, 20, "sshd"),
        (22, 21, "bash"),
        (30, 1, "smbd"),
        (31, 30, "smbd"),
        (32, 31, "helper"),
        (40, 22, "evil"),
        (41, 40, "worker"),
        (50, 1, "shirase-agent"),
        (60, 1, "cron"),
        (61, 60, "cron"),
        (62, 61, "sh"),
    ];

    #[test]
    fn who_harmed_enough_is_suspended_with_all_it_started() {
        let suspects = [suspect(&actor(40, "evil", &[22]), 6)];
        let Decision::Suspend(targets) = check(&suspects) else { panic!() };
        assert_eq!((targets[0].process, targets[0].extent), (kin(40), Extent::Tree));
        assert_eq!(targets[0].actor.program, "evil");
        assert_eq!(table().below(40), [kin(41)]);
    }

    #[test]
    fn of_samba_one_child_alone_is_suspended() {
        let Decision::Suspend(targets) = check(&[suspect(&actor(31, "smbd", &[30, 1]), 9)]) else {
            panic!()
        };
        assert_eq!((targets[0].process, targets[0].extent), (kin(31), Extent::Alone));
        left(&[suspect(&actor(30, "smbd", &[1]), 9)], "main process of a server");
    }

    #[test]
    fn what_keeps_the_host_running_is_left_alone() {
        for (pid, program, why) in [
            (1, "systemd", "first process"),
            (9, "kworker", "kernel"),
            (20, "sshd", "main process"),
            (50, "shirase-agent", "the agent"),
            (60, "cron", "main process"),
        ] {
            left(&[suspect(&actor(pid, program, &[]), 9)], why);
        }
        // By its children: cron's own jobs are not cron's doing, but the one job's shell is.
        let jobs: Vec<_> = (0..6)
            .map(|number| suspect(&actor(900 + number, "mv", &[62, 61]), 1))
            .collect();
        let Decision::Suspend(targets) = check(&jobs) else { panic!() };
        assert_eq!(targets[0].process, kin(62));
        let jobs: Vec<_> = (0..6)
            .map(|number| suspect(&actor(900 + number, "mv", &[60, 1]), 1))
            .collect();
        left(&jobs, "main process");
    }

    #[test]
    fn who_is_not_certainly_the_one_is_left_alone() {
        left(&[suspect(&actor(40, "evil", &[]), 4)], "no process is known");
        left(&[suspect(&actor(77, "gone", &[]), 9)], "has ended");
        let another = Arc::new(Actor { started: Some(39), ..(*actor(40, "evil", &[])).clone() });
        left(&[suspect(&another, 9)], "has ended");
        let unknown = Arc::new(Actor { started: None, ..(*actor(40, "evil", &[])).clone() });
        left(&[suspect(&unknown, 9)], "no process is known");
    }

    #[test]
    fn only_a_critical_event_that_names_it_counts_and_never_a_drill() {
        let suspects = [suspect(&actor(40, "evil", &[]), 9)];
        let mut event = critical();
        event.severity = Severity::High;
        assert_eq!(told(&event, &suspects), Decision::Leave("it is not critical".to_owned()));
        let mut event = critical();
        event.drill = Some(DrillId::random());
        assert_eq!(told(&event, &suspects), Decision::Leave("it is a drill".to_owned()));
        let named = |program: &str| {
            let actors = vec![event::Actor { program: program.to_owned(), ..Default::default() }];
            let anomaly = Anomaly::MassChange(MassChange { actors, ..MassChange::default() });
            told(&Event { anomaly, ..critical() }, &suspects)
        };
        assert!(matches!(named("evil"), Decision::Suspend(_)));
        assert!(matches!(named("rsync"), Decision::Leave(_)));
    }

    #[test]
    fn whom_an_administrator_released_is_not_suspended_again() {
        let suspects = [suspect(&actor(40, "evil", &[]), 9)];
        let (held, spared) = (&BTreeSet::new(), &BTreeSet::from([kin(40)]));
        let (event, table) = (&critical(), &table());
        let case = Case { event, suspects: &suspects, table, own_pid: 50, held, spared };
        assert!(matches!(decide(&case), Decision::Leave(why) if why.contains("administrator")));
    }

    fn table() -> Table {
        let process = |(pid, parent, program): &(u32, u32, &str)| {
            let program = Some(*program).filter(|name| !name.is_empty());
            let program = program.map(|name| format!("/usr/bin/{name}").into());
            (*pid, Process { started: u64::from(*pid), parent: *parent, program })
        };
        Table(HOST.iter().map(process).collect())
    }

    fn critical() -> Event {
        let mut event = mass_change(BurstId::random(), Phase::Opened, 30, 0);
        event.severity = Severity::Critical;
        event
    }

    fn told(event: &Event, suspects: &[Suspect]) -> Decision {
        let nobody = BTreeSet::new();
        let (held, spared) = (&nobody, &nobody);
        decide(&Case { event, suspects, table: &table(), own_pid: 50, held, spared })
    }

    fn check(suspects: &[Suspect]) -> Decision {
        told(&critical(), suspects)
    }

    #[track_caller]
    fn left(suspects: &[Suspect], why: &str) {
        match check(suspects) {
            Decision::Leave(said) => assert!(said.contains(why), "{said}"),
            Decision::Suspend(targets) => panic!("{targets:?}"),
        }
    }
}
