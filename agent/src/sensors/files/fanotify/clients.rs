//! Tells for whom a child of the Samba server works: the other end of the connection it accepted.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// State of a connection that stands, see `net/tcp_states.h` of Linux.
const ESTABLISHED: &str = "01";
/// State of a port that is listened on.
const LISTENING: &str = "0A";
/// What the kernel writes at once of a table.
const PAGE: usize = 4096;
/// More than one line of a table has.
const LINE_MAX: usize = 256;
/// Open files of a process looked at.
const FILES_MAX: usize = 1024;

/// Returns the address of the client a process works for, if it has one.
pub(super) fn client_of(pid: u32) -> Option<String> {
    let sockets = sockets_of(pid)?;
    let mut tables = ["tcp", "tcp6"].into_iter().filter_map(|name| {
        let table = File::open(format!("/proc/{pid}/net/{name}")).ok()?;
        lines_of(table).ok()
    });

    tables
        .find_map(|table| peer(&table, &sockets))
        .map(|address| address.to_string())
}

/// Reads a table of connections. For each read the kernel goes through the whole of its own table, 2 ms each with the
/// 262,144 places of a large machine, and several files are harmed meanwhile: so it is read in pages, as the kernel
/// writes it, and what is not a full page is taken for the last, see `seq_read_iter` in `fs/seq_file.c` of Linux.
fn lines_of(mut table: impl Read) -> io::Result<String> {
    let (mut text, mut page) = (Vec::new(), vec![0; PAGE]);
    loop {
        let read = table.read(&mut page)?;
        text.extend_from_slice(page.get(..read).unwrap_or_default());
        if read + LINE_MAX < PAGE {
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
    }
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

/// Finds, in a table as `/proc/net/tcp` has it, the other end of a standing connection by one of these sockets, on a
/// port that is listened on: the process may have connections of its own to somewhere else.
fn peer(table: &str, sockets: &BTreeSet<u64>) -> Option<IpAddr> {
    let lines: Vec<_> = table.lines().skip(1).filter_map(Line::read).collect();
    let listened = |port: u16| {
        lines
            .iter()
            .any(|line| line.state == LISTENING && line.port == port)
    };
    let accepted = lines.iter().find(|line| {
        line.state == ESTABLISHED && sockets.contains(&line.socket) && listened(line.port)
    });

    address_of(accepted?.remote)
}

/// One line of the table.
struct Line<'a> {
    port: u16,
    remote: &'a str,
    state: &'a str,
    socket: u64,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (_, port) = fields.nth(1)?.split_once(':')?;
        let (remote, _) = fields.next()?.split_once(':')?;
        let state = fields.next()?;
        let socket = fields.nth(5)?.parse().ok()?;

        Some(Self { port: u16::from_str_radix(port, 16).ok()?, remote, state, socket })
    }
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
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_other_end_of_a_real_connection_is_found() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = server.local_addr().expect("bound").port();
        let client = TcpStream::connect(("127.0.0.1", port)).expect("listens");
        let (mut accepted, _) = server.accept().expect("connected");
        let sockets = sockets_of(std::process::id()).expect("this process");
        let table = lines_of(File::open("/proc/self/net/tcp").expect("a table")).expect("it reads");
        assert_eq!(peer(&table, &sockets), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(peer(&table, &BTreeSet::new()), None);
        drop(client);
        accepted.read_to_end(&mut Vec::new()).expect("the end");
    }

    #[test]
    fn a_table_of_many_pages_is_read_to_its_end() {
        let listeners: Vec<_> = (0..120)
            .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"))
            .collect();
        let table = lines_of(File::open("/proc/self/net/tcp").expect("a table")).expect("it reads");
        assert!(3 * PAGE < table.len(), "{}", table.len());
        for listener in &listeners {
            let port = format!(":{:04X} ", listener.local_addr().expect("bound").port());
            assert!(table.contains(&port), "{port} is missing");
        }
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
