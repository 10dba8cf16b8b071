//! What su, sudo, login, the doors that use PAM, and the programs that change accounts write.
//!
//! Always holds: where a program says how an attempt ended, its word counts and PAM's lines about the same do not: a
//! module that refuses may be followed by another that does not.

use std::collections::BTreeSet;

use super::lines::Line;
use super::reading::{Attempt, Known, Told};
use crate::observation::{Manner, Outcome};

/// Further services by which people come in. Of them only PAM tells.
const DOORS: &[&str] = &[
    "gdm-password",
    "gdm-smartcard",
    "gdm-fingerprint",
    "lightdm",
    "sddm",
    "xdm",
    "xrdp-sesman",
    "cockpit",
    "vsftpd",
    "proftpd",
    "pure-ftpd",
    "webmin",
    "x2go",
    "polkit-1",
];

/// Returns the attempt a line of any other program tells of.
pub(super) fn attempt(line: &Line<'_>) -> Option<Attempt> {
    let message = line.message.trim();
    match line.program {
        "su" => su(message),
        "sudo" => sudo(message),
        "login" => login(message),
        _ => door(message),
    }
    .map(|attempt| Attempt { times: attempt.times * line.times, ..attempt })
}

fn local(service: &str, name: &str, manner: Manner, outcome: Outcome) -> Attempt {
    Attempt {
        name: name.to_owned(),
        known: Known::Perhaps,
        source: None,
        service: service.to_owned(),
        manner,
        outcome,
        times: 1,
    }
}

/// `FAILED SU (to root) yamada on pts/0`, `(to root) yamada on pts/0`; before 2018 `FAILED su for root by yamada`.
fn su(message: &str) -> Option<Attempt> {
    let (outcome, rest) = match message.strip_prefix("FAILED SU ") {
        Some(rest) => (Outcome::Failed, rest),
        None => (Outcome::Succeeded, message),
    };
    if let Some(rest) = rest.strip_prefix("(to ") {
        let (name, by) = rest.split_once(") ")?;
        // The superuser needs no password to become somebody: nothing was guessed.
        let asked = !by.starts_with("root on ");
        return asked.then(|| local("su", name, Manner::Elevation, outcome));
    }
    let (outcome, rest) = match message.strip_prefix("FAILED su for ") {
        Some(rest) => (Outcome::Failed, rest),
        None => (Outcome::Succeeded, message.strip_prefix("Successful su for ")?),
    };
    let (name, by) = rest.split_once(" by ")?;

    (by != "root").then(|| local("su", name, Manner::Elevation, outcome))
}

/// `yamada : 3 incorrect password attempts ; TTY=…`, `yamada : TTY=pts/0 ; PWD=… ; USER=root ; COMMAND=…`.
fn sudo(message: &str) -> Option<Attempt> {
    let (name, rest) = message.split_once(" : ")?;
    let name = name.trim();
    if name == "root" || name.contains(' ') {
        return None;
    }
    if rest.starts_with("TTY=") || rest.starts_with("PWD=") {
        let ran = rest.contains(" ; COMMAND=");
        return ran.then(|| local("sudo", name, Manner::Elevation, Outcome::Succeeded));
    }
    let failed = local("sudo", name, Manner::Elevation, Outcome::Failed);
    let (why, _) = rest.split_once(" ; ")?;
    if why == "user NOT in sudoers" {
        return Some(failed);
    }
    let (times, why) = why.split_once(' ')?;
    let times = times.parse().ok().filter(|times| *times <= 100)?;

    why.starts_with("incorrect password attempt")
        .then_some(Attempt { times, ..failed })
}

/// `FAILED LOGIN (1) on '/dev/tty1' FOR 'yamada', Authentication failure`, `LOGIN ON tty1 BY yamada`, `ROOT LOGIN ON tty1`.
fn login(message: &str) -> Option<Attempt> {
    if message.starts_with("FAILED LOGIN ") {
        let (_, rest) = message.split_once(" FOR ")?;
        let (name, _) = rest.rsplit_once(", ")?;
        let name = name.trim_matches('\'');
        let known = if name == "UNKNOWN" { Known::No } else { Known::Perhaps };
        let failed = local("login", name, Manner::Console, Outcome::Failed);
        return Some(Attempt { known, ..failed });
    }
    if message.starts_with("ROOT LOGIN ") {
        return Some(local("login", "root", Manner::Console, Outcome::Succeeded));
    }
    let (_, name) = message.strip_prefix("LOGIN ON ")?.split_once(" BY ")?;
    let name = name.split(' ').next()?;

    Some(local("login", name, Manner::Console, Outcome::Succeeded))
}

/// What PAM writes for a door: `pam_unix(cockpit:auth): authentication failure; … rhost=10.0.0.9  user=yamada`.
fn door(message: &str) -> Option<Attempt> {
    let rest = message.strip_prefix("pam_unix(")?;
    let (service, rest) = rest.split_once("): ")?;
    let (service, step) = service.split_once(':')?;
    if !DOORS.contains(&service) {
        return None;
    }
    if step == "session" {
        let rest = rest.strip_prefix("session opened for user ")?;
        let (name, _) = rest.split_once(['(', ' '])?;
        return Some(local(service, name, Manner::Console, Outcome::Succeeded));
    }
    let fields = rest.strip_prefix("authentication failure; ")?;
    let field = |key: &str| {
        fields
            .split_whitespace()
            .find_map(|field| field.strip_prefix(key)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
    };
    let name = field("user");
    let source = field("rhost").map(str::to_owned);
    let manner = if source.is_some() { Manner::Remote } else { Manner::Console };
    let failed = local(service, name.unwrap_or("unknown"), manner, Outcome::Failed);
    let known = if name.is_some() { Known::Perhaps } else { Known::No };

    Some(Attempt { source, known, ..failed })
}

/// Returns what a program that changes accounts tells of rights.
pub(super) fn accounts(message: &str, groups: &BTreeSet<String>) -> Option<Told> {
    let granted = |name: &str, by: String| Some(Told::Granted { name: name.to_owned(), by });
    let message = message.trim();
    // useradd: `new user: name=evil, UID=0, GID=0, home=/root, shell=/bin/sh, from=none`
    if let Some(rest) = message.strip_prefix("new user: name=") {
        let (name, rest) = rest.split_once(", ")?;
        if rest.split(", ").any(|field| field == "UID=0") {
            return granted(name, "user id 0".to_owned());
        }
        return Some(Told::AccountsChanged);
    }
    // usermod: `add 'yamada' to group 'sudo'`
    if let Some((name, group)) = message
        .strip_prefix("add '")
        .and_then(|rest| rest.split_once("' to group '"))
        && let Some(group) = group.strip_suffix('\'')
        && groups.contains(group)
    {
        return granted(name, format!("group `{group}`"));
    }
    // usermod: `change user 'yamada' UID from '1002' to '0'`
    if let Some((name, "0'")) = message
        .strip_prefix("change user '")
        .and_then(|rest| rest.split_once("' UID from '"))
        .and_then(|(name, rest)| Some((name, rest.split_once("' to '")?.1)))
    {
        return granted(name, "user id 0".to_owned());
    }
    // gpasswd: `user yamada added by root to group sudo`
    if let Some((name, rest)) = message
        .strip_prefix("user ")
        .and_then(|rest| rest.split_once(" added by "))
        && let Some((_, group)) = rest.split_once(" to group ")
        && groups.contains(group)
    {
        return granted(name, format!("group `{group}`"));
    }

    Some(Told::AccountsChanged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::logons::lines;

    #[test]
    fn real_lines_of_su_sudo_and_login() {
        check("su[9132]: FAILED SU (to root) yamada on pts/0", "1 failed root su");
        check("su[9206]: (to yamada) root on none", "-");
        check("su[9206]: (to root) yamada on pts/1", "1 succeeded root su");
        check("su[77]: FAILED su for root by yamada", "1 failed root su");
        check("su[77]: Successful su for postgres by root", "-");
        let pam = "su: pam_unix(su-l:auth): authentication failure; logname= uid=1001 euid=0 tty=/dev/pts/0 \
                   ruser=yamada rhost=  user=root";
        check(pam, "-");
        let wrong = "sudo: yamada : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/true";
        check(wrong, "3 failed yamada sudo");
        let once = "sudo:   yamada : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh";
        check(once, "1 failed yamada sudo");
        let not_listed = "sudo: yamada : user NOT in sudoers ; TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/true";
        check(not_listed, "1 failed yamada sudo");
        let ran = "sudo: yamada : TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/true";
        check(ran, "1 succeeded yamada sudo");
        let script = "sudo: nagios : a password is required ; PWD=/ ; USER=root ; COMMAND=/bin/ls";
        check(script, "-");
        check("sudo: root : TTY=pts/0 ; PWD=/ ; USER=postgres ; COMMAND=/bin/ls", "-");
        check(
            "login[5]: FAILED LOGIN (1) on '/dev/tty1' FOR 'yamada', Authentication failure",
            "1 failed yamada login",
        );
        check(
            "login[5]: FAILED LOGIN 2 FROM tty1 FOR root, Authentication failure",
            "1 failed root login",
        );
        check("login[5]: ROOT LOGIN ON tty1", "1 succeeded root login");
        check("login[5]: LOGIN ON tty1 BY yamada", "1 succeeded yamada login");
    }

    #[test]
    fn doors_are_told_by_pam_alone_and_timers_are_no_doors() {
        let cockpit = "cockpit-session[5]: pam_unix(cockpit:auth): authentication failure; logname= uid=0 euid=0 tty= \
                       ruser= rhost=10.0.0.9  user=yamada";
        check(cockpit, "1 failed yamada cockpit 10.0.0.9");
        check(
            "gdm-password][5]: pam_unix(gdm-password:session): session opened for user yamada(uid=1001) by (uid=0)",
            "1 succeeded yamada gdm-password",
        );
        check(
            "xrdp-sesman[5]: pam_unix(xrdp-sesman:session): session opened for user yamada(uid=1001) by (uid=0)",
            "1 succeeded yamada xrdp-sesman",
        );
        check(
            "CRON[5]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
            "-",
        );
    }

    #[test]
    fn real_lines_of_programs_that_change_accounts() {
        let groups = BTreeSet::from(["sudo".to_owned(), "wheel".to_owned()]);
        let check = |message: &str, expected: Option<(&str, &str)>| {
            let told = accounts(message, &groups).unwrap();
            let expected = match expected {
                Some((name, by)) => Told::Granted { name: name.to_owned(), by: by.to_owned() },
                None => Told::AccountsChanged,
            };
            assert_eq!(told, expected, "{message}");
        };
        check("add 'yamada' to group 'sudo'", Some(("yamada", "group `sudo`")));
        check("add 'yamada' to shadow group 'sudo'", None);
        check("add 'yamada' to group 'audio'", None);
        check("user yamada added by root to group wheel", Some(("yamada", "group `wheel`")));
        check("user yamada added by root to group adm", None);
        check("user yamada removed by root from group sudo", None);
        check("members of group users set by root to yamada", None);
        let new = "new user: name=evil, UID=0, GID=1003, home=/home/evil, shell=/bin/sh, from=none";
        check(new, Some(("evil", "user id 0")));
        let ordinary =
            "new user: name=sato, UID=1002, GID=1002, home=/home/sato, shell=/bin/bash, from=none";
        check(ordinary, None);
        check("change user 'yamada' UID from '1002' to '0'", Some(("yamada", "user id 0")));
        check("change user 'yamada' UID from '1002' to '4001'", None);
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let line = format!("Nov 25 19:42:48 vm {line}");
        let line = lines::of_text(&line).expect("a line of syslog");
        let told = attempt(&line).map(|attempt| {
            let outcome = match attempt.outcome {
                Outcome::Failed => "failed",
                Outcome::Succeeded => "succeeded",
            };
            let (times, name, service) = (attempt.times, attempt.name, attempt.service);
            let source = attempt
                .source
                .map_or(String::new(), |from| format!(" {from}"));
            format!("{times} {outcome} {name} {service}{source}")
        });
        assert_eq!(told.as_deref().unwrap_or("-"), expected, "{line:?}");
    }
}
