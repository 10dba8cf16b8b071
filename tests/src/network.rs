//! A network of its own for organisations: each in a network namespace, behind a cable that can be pulled.
//!
//! ```text
//! the tests (10.213.N.254) ── bridge ── cable ── namespace of one organisation (10.213.N.1, .2, …)
//! ```
//!
//! Needs root and iproute2. Everything is removed when it is dropped.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::geteuid;

/// Where the tests themselves stand.
const OWN_PLACE: u8 = 254;

/// The bridge all organisations hang on.
#[derive(Debug)]
pub struct Network {
    bridge: String,
    /// The third part of its addresses.
    number: u8,
}

/// An organisation's place in a network.
#[derive(Clone, Debug)]
pub struct Place {
    network: Arc<Network>,
    /// The last part of its address, from 1 to 253.
    number: u8,
}

impl Network {
    /// Makes one; `None` for whoever is not root.
    ///
    /// # Errors
    /// When root cannot.
    pub fn build() -> Result<Option<Arc<Self>>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let process = std::process::id();
        let network = Self {
            bridge: format!("shr{process}"),
            number: u8::try_from(process % 256).unwrap_or(0),
        };
        let address = format!("{}/24", network.address(OWN_PLACE));
        ip(["link", "add", &network.bridge, "type", "bridge"])?;
        ip(["address", "add", &address, "dev", &network.bridge])?;
        ip(["link", "set", &network.bridge, "up"])?;

        Ok(Some(Arc::new(network)))
    }

    /// Makes a place in it.
    ///
    /// # Errors
    /// When the namespace or its cable cannot be made.
    pub fn place(self: &Arc<Self>, number: u8) -> Result<Place> {
        let place = Place { network: Arc::clone(self), number };
        let (namespace, cable) = (place.namespace(), place.cable());
        let address = format!("{}/24", place.address());
        ip(["netns", "add", &namespace])?;
        let within = ["-n", namespace.as_str()];
        ip(["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &namespace])?;
        ip(["link", "set", &cable, "master", &self.bridge, "up"])?;
        ip([&within[..], &["address", "add", &address, "dev", "eth0"]].concat())?;
        for device in ["lo", "eth0"] {
            ip([&within[..], &["link", "set", device, "up"]].concat())?;
        }

        Ok(place)
    }

    fn address(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 213, self.number, number)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(ip(["link", "delete", &self.bridge]));
        // Whoever still runs in a namespace keeps it alive; its name goes all the same.
        for number in 1..OWN_PLACE {
            let namespace = namespace(&self.bridge, number);
            if std::path::Path::new("/run/netns").join(&namespace).exists() {
                drop(ip(["netns", "delete", &namespace]));
            }
        }
    }
}

impl Place {
    /// Returns where its programs listen.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.network.address(self.number)
    }

    /// Listens on a free port of its loopback: what only its own programs reach, such as its mail server.
    ///
    /// # Errors
    /// When its namespace cannot be entered, or no port is free.
    pub fn listen(&self) -> Result<TcpListener> {
        let path = format!("/run/netns/{}", self.namespace());
        let door = File::open(&path).with_context(|| format!("failed to open `{path}`"))?;
        // A thread of its own: only it is in there, and the listener stays there.
        let listening = std::thread::spawn(move || {
            enter(&door)?;
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        });
        let listener = listening
            .join()
            .map_err(|_| anyhow!("the thread that listens panicked"))?
            .with_context(|| format!("failed to listen within `{path}`"))?;
        listener
            .set_nonblocking(true)
            .context("failed to set up a listener")?;

        Ok(listener)
    }

    /// Pulls its cable.
    ///
    /// # Errors
    /// When that fails.
    pub fn pull(&self) -> Result<()> {
        ip(["link", "set", &self.cable(), "down"])
    }

    /// Puts its cable back.
    ///
    /// # Errors
    /// When that fails.
    pub fn plug(&self) -> Result<()> {
        ip(["link", "set", &self.cable(), "up"])
    }

    /// Begins a command that runs there.
    #[must_use]
    pub fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace()])
            .arg(program);
        command
    }

    fn namespace(&self) -> String {
        namespace(&self.network.bridge, self.number)
    }

    fn cable(&self) -> String {
        format!("{}c{}", self.network.bridge, self.number)
    }
}

fn namespace(bridge: &str, number: u8) -> String {
    format!("{bridge}-{number}")
}

/// Moves this thread into the network namespace behind a file.
#[expect(
    unsafe_code,
    reason = "the library's safe call would have every crate built with another feature"
)]
fn enter(door: &File) -> io::Result<()> {
    // SAFETY: `door` is open for the length of the call, which changes where this thread's next sockets are and no memory.
    let entered = unsafe { libc::setns(door.as_raw_fd(), libc::CLONE_NEWNET) };
    if entered == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn ip<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut command = Command::new("ip");
    command.args(arguments);
    let done = command
        .output()
        .with_context(|| format!("failed to run {command:?}; install iproute2"))?;
    if !done.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim());
    }

    Ok(())
}
