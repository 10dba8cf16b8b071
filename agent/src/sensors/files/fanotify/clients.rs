//! Tells for whom a child of the Samba server works: the other end of its connection on the port of SMB.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ports of SMB: direct, and over `NetBIOS`.
const PORTS: [u16; 2] = [445, 139];
/// State of a connection that stands, see `net/tcp_states.h` of Linux.
const ESTABLISHED: &str = "01";
/// Open files of a process looked at.
const FILES_MAX: usize = 1024;

/// Returns the address of the client a process works for, if it has one.
pub(super) fn client_of(pid: u32) -> Option<String> {
    let sockets = sockets_of(pid)?;
    let tables = ["tcp", "tcp6"]
        .map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());

    tables
        .iter()
        .find_map(|table| peer(table, &sockets, &PORTS))
        .map(|address| address.to_string())
}

/// Returns the numbers of a process' sockets.
fn sockets_of(pid: u32) -> Option<BTreeSet<u64>> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let socket = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        let number = target.to_str()?.strip_prefix("socket:[")?;
        number.strip_suffix(']')?.parse().ok()
    };

    Some(open.flatten().take(FILES_MAX).filter_map(socket).collect())
}

/// Finds, in a table as `/proc/net/tcp` has it, the other end of a standing connection by one of these sockets to one
/// of these ports.
fn peer(table: &str, sockets: &BTreeSet<u64>, ports: &[u16]) -> Option<IpAddr> {
    let line = |line: &str| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, local, remote, state, ..] = fields.as_slice() else { return None };
        let socket: u64 = fields.get(9)?.parse().ok()?;
        let (_, port) = local.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let meant = *state == ESTABLISHED && ports.contains(&port) && sockets.contains(&socket);
        let (address, _) = remote.split_once(':')?;

        meant.then(|| address_of(address)).flatten()
    };

    table.lines().skip(1).find_map(line)
}

/// Reads an address as the kernel prints it: words of four bytes, each in the machine's own order.
fn address_of(text: &str) -> Option<IpAddr> {
    let words: Option<Vec<u32>> = (0..text.len() / 8)
        .map(|word| u32::from_str_radix(text.get(word * 8..word * 8 + 8)?, 16).ok())
        .collect();
    let bytes: Vec<u8> = words?.into_iter().flat_map(u32::to_ne_bytes).collect();
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(four).into());
    }

    let sixteen = <[u8; 16]>::try_from(bytes.as_slice()).ok()?;
    Some(IpAddr::from(Ipv6Addr::from(sixteen)).to_canonical())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_other_end_of_a_real_connection_is_found() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = server.local_addr().expect("bound").port();
        let client = TcpStream::connect(("127.0.0.1", port)).expect("listens");
        let (mut accepted, _) = server.accept().expect("connected");
        let sockets = sockets_of(std::process::id()).expect("this process");
        let table = fs::read_to_string("/proc/self/net/tcp").expect("a table");
        let found = peer(&table, &sockets, &[port]);
        assert_eq!(found, Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(peer(&table, &BTreeSet::new(), &[port]), None);
        drop(client);
        accepted.read_to_end(&mut Vec::new()).expect("the end");
    }

    #[test]
    fn an_ipv4_client_of_an_ipv6_socket_is_shown_as_ipv4() {
        let mapped = address_of("0000000000000000FFFF00000A02000A");
        if cfg!(target_endian = "little") {
            assert_eq!(mapped, Some(Ipv4Addr::new(10, 0, 2, 10).into()));
        }
        assert_eq!(address_of("zz"), None);
    }
}
