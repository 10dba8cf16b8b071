//! What sshd writes about attempts, in the words of OpenSSH 7 to 10, alike on Debian and RHEL.
//!
//! Always holds: an attempt counts once, though sshd and PAM write up to four lines about it. A key that is not taken
//! writes none by default; then the end of a connection that never got further counts as one attempt. What an attacker
//! types as a name cannot pass for an address: names are read up to the last ` from `.

use std::collections::BTreeMap;

use super::lines::Line;
use super::reading::{Attempt, Known};
use crate::observation::{Manner, Outcome};

/// Connections remembered between their attempts and their end; of more, the oldest ids are forgotten.
const CONNECTIONS_MAX: usize = 4096;

/// What is known of connections that have not ended.
#[derive(Default)]
pub(super) struct Sshd {
    /// By process id: how many failures were counted.
    connections: BTreeMap<u32, u64>,
}

impl Sshd {
    pub(super) fn read(&mut self, line: &Line<'_>) -> Option<Attempt> {
        let spoken = spoken(line.message)?;
        let Spoken { saying, name, known, source } = spoken;
        let outcome = match saying {
            Saying::Failed => {
                self.note(line.pid, line.times);
                Outcome::Failed
            }
            Saying::Ended => {
                // Without its process id nobody can say whether it was counted before.
                let counted = self.connections.remove(&line.pid?).unwrap_or(0);
                if 0 < counted {
                    // More may follow about the same connection.
                    self.note(line.pid, counted);
                    return None;
                }
                self.note(line.pid, 1);
                Outcome::Failed
            }
            Saying::Accepted => {
                if let Some(pid) = line.pid {
                    self.connections.remove(&pid);
                }
                Outcome::Succeeded
            }
        };
        let times = match saying {
            Saying::Failed => line.times,
            Saying::Ended | Saying::Accepted => 1,
        };

        Some(Attempt {
            name: name.to_owned(),
            known,
            source: Some(source.to_owned()),
            service: "sshd".to_owned(),
            manner: Manner::Remote,
            outcome,
            times,
        })
    }

    fn note(&mut self, pid: Option<u32>, times: u64) {
        let Some(pid) = pid else { return };
        *self.connections.entry(pid).or_default() += times;
        if CONNECTIONS_MAX < self.connections.len() {
            self.connections.pop_first();
        }
    }
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saying {
    Failed,
    Accepted,
    /// A connection ended before anybody was let in.
    Ended,
}

struct Spoken<'a> {
    saying: Saying,
    name: &'a str,
    known: Known,
    source: &'a str,
}

fn spoken(message: &str) -> Option<Spoken<'_>> {
    let message = message.strip_suffix(" [preauth]").unwrap_or(message);
    if let Some(rest) = message.strip_prefix("Failed ") {
        let (method, rest) = rest.split_once(" for ")?;
        let counts = matches!(method, "password" | "keyboard-interactive/pam" | "hostbased")
            || method.starts_with("gssapi");
        let (who, from) = rest.rsplit_once(" from ")?;
        return counts
            .then(|| Some(of(Saying::Failed, who, "invalid user ", source(from)?)))
            .flatten();
    }
    if let Some(rest) = message.strip_prefix("Accepted ") {
        let (_method, rest) = rest.split_once(" for ")?;
        // The account exists, so its name holds no blank; a certificate's id behind it may.
        let (name, from) = rest.split_once(" from ")?;
        return Some(of(Saying::Accepted, name, "", source(from)?));
    }
    if let Some(rest) = message.strip_prefix("error: PAM: ") {
        let (rest, source) = rest.rsplit_once(" from ")?;
        // `error: PAM: Authentication failure for root`; of an unknown account, another line follows.
        let (_why, name) = rest.split_once(" for ")?;
        let repeated = name.starts_with("illegal user ");
        return (!repeated).then(|| of(Saying::Failed, name, "", source));
    }
    if let Some(rest) = message.strip_prefix("error: maximum authentication attempts exceeded for ")
    {
        let (who, from) = rest.rsplit_once(" from ")?;
        return Some(of(Saying::Ended, who, "invalid user ", source(from)?));
    }

    ended(message)
}

/// `Connection closed by authenticating user root 10.0.0.9 port 44`, and its kin.
fn ended(message: &str) -> Option<Spoken<'_>> {
    let begins =
        ["Connection closed by ", "Connection reset by ", "Disconnected from ", "Disconnecting "];
    let rest = begins
        .iter()
        .find_map(|begin| message.strip_prefix(begin))?;
    let (who, known) = match rest.strip_prefix("authenticating user ") {
        Some(who) => (who, Known::Perhaps),
        None => (rest.strip_prefix("invalid user ")?, Known::No),
    };
    let (who, _port) = who.rsplit_once(" port ")?;
    let (name, source) = who.rsplit_once(' ')?;

    Some(Spoken { saying: Saying::Ended, name, known, source })
}

/// Takes the mark of an unknown account from a name.
fn of<'a>(saying: Saying, who: &'a str, mark: &str, source: &'a str) -> Spoken<'a> {
    match who.strip_prefix(mark).filter(|_| !mark.is_empty()) {
        Some(name) => Spoken { saying, name, known: Known::No, source },
        None => Spoken { saying, name: who, known: Known::Perhaps, source },
    }
}

/// `10.0.0.9 port 44 ssh2` and whatever follows.
fn source(from: &str) -> Option<&str> {
    let (source, rest) = from.split_once(" port ")?;
    let (port, _) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_port = port.parse::<u16>().is_ok();

    (is_port && !source.contains(' ')).then_some(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::logons::lines;

    #[test]
    fn each_attempt_of_a_real_sshd_counts_once() {
        check(
            "a password, by OpenSSH 9.2 on Debian 12",
            "sshd[8107]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=127.0.0.1  user=yamada
             sshd[8107]: Failed password for yamada from 127.0.0.1 port 37632 ssh2
             sshd[8107]: Connection closed by authenticating user yamada 127.0.0.1 port 37632 [preauth]",
            &["1 failed yamada 127.0.0.1"],
        );
        check(
            "keyboard-interactive",
            "sshd[8203]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=127.0.0.1  user=yamada
             sshd[8201]: error: PAM: Authentication failure for yamada from 127.0.0.1
             sshd[8201]: Connection closed by authenticating user yamada 127.0.0.1 port 37646 [preauth]",
            &["1 failed yamada 127.0.0.1"],
        );
        check(
            "keyboard-interactive of an unknown account, with LogLevel VERBOSE",
            "sshd[10269]: Connection from 127.0.0.1 port 59920 on 127.0.0.1 port 2222 rdomain \"\"
             sshd[10269]: Invalid user nosuch from 127.0.0.1 port 59920
             sshd[10269]: Postponed keyboard-interactive for invalid user nosuch from 127.0.0.1 port 59920 ssh2 [preauth]
             sshd[10277]: pam_unix(sshd:auth): check pass; user unknown
             sshd[10269]: error: PAM: Authentication failure for illegal user nosuch from 127.0.0.1
             sshd[10269]: Failed keyboard-interactive/pam for invalid user nosuch from 127.0.0.1 port 59920 ssh2
             sshd[10269]: Connection closed by invalid user nosuch 127.0.0.1 port 59920 [preauth]",
            &["1 failed nosuch? 127.0.0.1"],
        );
        check(
            "a key, of which only the end tells",
            "sshd[8539]: Connection closed by authenticating user yamada 127.0.0.1 port 51142 [preauth]
             sshd[8550]: Invalid user nosuch from 127.0.0.1 port 51148
             sshd[8550]: Connection closed by invalid user nosuch 127.0.0.1 port 51148 [preauth]",
            &["1 failed yamada 127.0.0.1", "1 failed nosuch? 127.0.0.1"],
        );
        check(
            "a key with LogLevel VERBOSE",
            "sshd[9113]: Failed publickey for yamada from 127.0.0.1 port 40714 ssh2: ED25519 SHA256:HF1nC0ijdL92gdQDTtTJYsHy9nx2xaruBi2+D34CAtM
             sshd[9113]: Connection closed by authenticating user yamada 127.0.0.1 port 40714 [preauth]",
            &["1 failed yamada 127.0.0.1"],
        );
        check(
            "more than MaxAuthTries, the repetition folded by rsyslog",
            "sshd[8638]: Failed password for yamada from 127.0.0.1 port 51164 ssh2
             sshd[8638]: message repeated 2 times: [ Failed password for yamada from 127.0.0.1 port 51164 ssh2]
             sshd[8638]: error: maximum authentication attempts exceeded for yamada from 127.0.0.1 port 51164 ssh2 [preauth]
             sshd[8638]: Disconnecting authenticating user yamada 127.0.0.1 port 51164: Too many authentication failures [preauth]
             sshd[8638]: PAM 1 more authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=127.0.0.1  user=yamada",
            &["1 failed yamada 127.0.0.1", "2 failed yamada 127.0.0.1"],
        );
    }

    #[test]
    fn who_is_let_in_is_told_from_the_steps_before() {
        check(
            "password, keyboard-interactive, key",
            "sshd[8505]: Accepted password for yamada from 127.0.0.1 port 51114 ssh2
             sshd[8505]: pam_unix(sshd:session): session opened for user yamada(uid=1001) by (uid=0)
             sshd[8519]: Disconnected from user yamada 127.0.0.1 port 51114
             sshd[8524]: Accepted keyboard-interactive/pam for yamada from fe80::1%eth0 port 51130 ssh2
             sshd-session[9120]: Accepted key ED25519 SHA256:sYglV found at /home/yamada/.ssh/authorized_keys:1
             sshd-session[9120]: Postponed publickey for yamada from 127.0.0.1 port 40730 ssh2 [preauth]
             sshd-session[9120]: Accepted publickey for root from 127.0.0.1 port 40730 ssh2: ED25519 SHA256:sYglV",
            &[
                "1 succeeded yamada 127.0.0.1",
                "1 succeeded yamada fe80::1%eth0",
                "1 succeeded root 127.0.0.1",
            ],
        );
    }

    #[test]
    fn a_name_cannot_pass_for_an_address() {
        check(
            "as a real sshd wrote it",
            "sshd[8403]: Invalid user x from 8.8.8.8 port 22 ssh2 from 127.0.0.1 port 51098
             sshd[8403]: Failed password for invalid user x from 8.8.8.8 port 22 ssh2 from 127.0.0.1 port 51098 ssh2
             sshd[8403]: Connection closed by invalid user x from 8.8.8.8 port 22 ssh2 127.0.0.1 port 51098 [preauth]",
            &["1 failed x from 8.8.8.8 port 22 ssh2? 127.0.0.1"],
        );
    }

    #[test]
    fn damaged_lines_tell_nothing() {
        check(
            "cut off and made up",
            "sshd[1]: Failed password for
             sshd[1]: Failed password for x from
             sshd[1]: Failed password for x from y port ssh2
             sshd[1]: Accepted password for x
             sshd[1]: error: PAM: from
             sshd: Connection closed by authenticating user root 10.0.0.9 port 44 [preauth]",
            &[],
        );
    }

    #[track_caller]
    fn check(what: &str, log: &str, expected: &[&str]) {
        let mut sshd = Sshd::default();
        let lines: Vec<_> = log
            .lines()
            .map(|line| format!("Nov 25 19:42:14 vm {}", line.trim()))
            .collect();
        let told: Vec<_> = lines
            .iter()
            .filter_map(|line| sshd.read(&lines::of_text(line).expect("a line of syslog")))
            .map(|attempt| {
                let outcome = match attempt.outcome {
                    Outcome::Failed => "failed",
                    Outcome::Succeeded => "succeeded",
                };
                let unknown = if attempt.known == Known::No { "?" } else { "" };
                let source = attempt.source.unwrap_or_default();
                format!("{} {outcome} {}{unknown} {source}", attempt.times, attempt.name)
            })
            .collect();
        assert_eq!(told, expected, "{what}");
    }
}
