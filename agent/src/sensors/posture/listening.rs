//! Which programs wait for others to connect.
//!
//! Not seen: what the kernel itself serves, such as NFS, and what listens in another network namespace.

use std::collections::BTreeSet;

use listeners::{Process, Protocol, SocketState};
use shirase_shared::posture::{Few, Listener, Look, Reach, Transport, Unseen};

use super::name;

/// UDP knows no listening: below this port a socket waits for questions, from here on it may as well have asked one.
/// Linux hands out ports from 32768 (`ip_local_port_range`, ip(7)), Windows from 49152.
const FIRST_PASSING_PORT: u16 = if cfg!(windows) { 49_152 } else { 32_768 };

pub(super) fn look() -> Look<Few<Listener>> {
    if !sees_every_process() {
        return Look::Unseen(Unseen::NoRight);
    }
    match listeners::get_all() {
        Ok(found) => Look::Seen(Few::of(told(found))),
        Err(error) => {
            tracing::debug!(%error, "listening programs are not seen");
            Look::Unseen(Unseen::NoRecord)
        }
    }
}

#[cfg(target_os = "linux")]
fn sees_every_process() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(target_os = "linux"))]
const fn sees_every_process() -> bool {
    true
}

/// Chooses what waits, once for both families of addresses, those that others can reach first.
fn told(found: impl IntoIterator<Item = listeners::Listener>) -> Vec<Listener> {
    let waits = |found: &listeners::Listener| match found.protocol {
        Protocol::TCP => found.state == SocketState::Listen,
        Protocol::UDP => (1..FIRST_PASSING_PORT).contains(&found.socket.port()),
    };
    let mut seen = BTreeSet::new();
    for listener in found.into_iter().filter(waits) {
        let reach = if listener.socket.ip().is_loopback() { Reach::Host } else { Reach::Network };
        seen.insert((
            reach,
            program(&listener.process),
            match listener.protocol {
                Protocol::TCP => Transport::Tcp,
                Protocol::UDP => Transport::Udp,
            },
            listener.socket.port(),
        ));
    }
    let all = seen.clone();
    seen.into_iter()
        // What others can reach is not told a second time for the host's own address.
        .filter(|(reach, program, transport, port)| {
            *reach == Reach::Network
                || !all.contains(&(Reach::Network, program.clone(), *transport, *port))
        })
        .map(|(reach, program, transport, port)| Listener { program, transport, port, reach })
        .collect()
}

/// Returns a program's name by its file: the name Linux gives a process is cut at 15 bytes.
fn program(process: &Process) -> String {
    let file = process.path.rsplit(['/', '\\']).next().unwrap_or_default();
    let file = file.trim_end_matches(" (deleted)");

    name(if file.is_empty() { &process.name } else { file })
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn what_waits_is_told_once_and_what_passes_is_not() {
        let path = |name: &str| match name {
            "postgres-for-the" => "/usr/lib/postgres-for-the-ehr (deleted)".to_owned(),
            _ => String::new(),
        };
        let on = |name: &str, socket: &str, protocol, state| listeners::Listener {
            process: Process { pid: 7, name: name.to_owned(), path: path(name) },
            socket: socket.parse().unwrap(),
            protocol,
            state,
        };
        let found = told([
            on("postgres-for-the", "127.0.0.1:5432", Protocol::TCP, SocketState::Listen),
            on("postgres-for-the", "[::1]:5432", Protocol::TCP, SocketState::Listen),
            on("sshd", "0.0.0.0:22", Protocol::TCP, SocketState::Listen),
            on("sshd", "[::]:22", Protocol::TCP, SocketState::Listen),
            on("sshd", "127.0.0.1:22", Protocol::TCP, SocketState::Listen),
            on("sshd", "192.0.2.1:22", Protocol::TCP, SocketState::Established),
            on("chronyd", "127.0.0.1:323", Protocol::UDP, SocketState::Unknown),
            on("dig", "0.0.0.0:53211", Protocol::UDP, SocketState::Unknown),
        ]);
        let words: Vec<String> = found
            .iter()
            .map(|one| format!("{} {:?} {} {:?}", one.program, one.transport, one.port, one.reach))
            .collect();
        assert_eq!(
            words,
            ["sshd Tcp 22 Network", "chronyd Udp 323 Host", "postgres-for-the-ehr Tcp 5432 Host"]
        );
    }
}
