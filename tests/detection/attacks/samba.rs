//! A real Samba server on loopback that shares the watched directory, and a real client that harms it from outside.
//!
//! The client is told one operation after the other and asked to answer after each, so that the journal holds the moment
//! at which each was really sent. Everything the server keeps lies in a folder of its own with a short name, because it
//! makes sockets there.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::{monotonic_ns, sleep_until, which};
use crate::deed::Deed;
use crate::ground::Ground;
use crate::journal::Journal;
use crate::random::Random;
use crate::worker::Target;

/// How long the server may take to listen.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// How long one conversation with a client may take, in seconds.
const CLIENT_SECS: &str = "300";

/// A running server.
pub(crate) struct Server {
    child: Child,
    port: u16,
    config: PathBuf,
    /// Removed with the server.
    _state: tempfile::TempDir,
}

impl Server {
    /// Says which program is missing, if one is.
    pub(crate) fn missing() -> Option<String> {
        ["smbd", "smbclient"]
            .into_iter()
            .find(|name| which(name).is_none())
            .map(|name| format!("{name} is not installed (Debian packages samba, smbclient)"))
    }

    /// Starts a server that shares the ground's watched directory on loopback alone.
    pub(crate) fn start(ground: &Ground, logs: &Path) -> Result<Self> {
        let smbd = which("smbd").context("smbd is not installed (Debian package samba)")?;
        let state = tempfile::Builder::new()
            .prefix("smb")
            .tempdir()
            .context("failed to make a folder for the server")?;
        let port = free_port()?;
        let config = state.path().join("smb.conf");
        std::fs::write(&config, settings(state.path(), &ground.watched(), port))
            .context("failed to configure the server")?;
        let log = File::create(logs.join("smbd.log")).context("failed to make a log")?;
        let child = Command::new(smbd)
            .args(["-F", "--no-process-group", "-s"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("failed to start smbd")?;
        let mut server = Self { child, port, config, _state: state };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("smbd ended with {status}; see `{}`", logs.join("smbd.log").display());
            }
            if START_DEADLINE < begun.elapsed() {
                bail!("smbd does not listen on port {port}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }

        Ok(server)
    }

    /// Returns a client command for the share.
    pub(crate) fn client(&self) -> Command {
        // Unbuffered in, line by line out: or it waits for more than was said, and so do we.
        let mut command = Command::new("timeout");
        command
            .env("LC_ALL", "C.UTF-8")
            .args([CLIENT_SECS, "stdbuf", "-i0", "-oL", "smbclient"])
            .args(["//127.0.0.1/share", "-N", "-p", &self.port.to_string(), "-s"])
            .arg(&self.config);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn settings(state: &Path, share: &Path, port: u16) -> String {
    let (state, share) = (state.display(), share.display());
    format!(
        "[global]\nserver role = standalone server\ninterfaces = 127.0.0.1/8\nbind interfaces only = yes\n\
         smb ports = {port}\ndisable netbios = yes\nprivate dir = {state}\nlock directory = {state}\n\
         state directory = {state}\ncache directory = {state}\npid directory = {state}\nncalrpc dir = {state}/n\n\
         log file = {state}/log\nmap to guest = Bad User\nload printers = no\nprinting = bsd\n\
         printcap name = /dev/null\ndisable spoolss = yes\n\
         [share]\npath = {share}\nread only = no\nguest ok = yes\nforce user = root\n"
    )
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on loopback")?;
    Ok(listener.local_addr()?.port())
}

/// A client with bad intentions.
pub(super) struct Client<'a> {
    pub(super) server: &'a Server,
    pub(super) ground: &'a Ground,
    pub(super) journal: &'a Path,
}

impl Client<'_> {
    /// Harms the targets over the network until `enough` says so.
    pub(super) fn attack(
        &self,
        deed: &Deed,
        targets: &[Target],
        seed: u64,
        mut enough: impl FnMut() -> bool,
    ) -> Result<()> {
        let mut journal = Journal::create(self.journal, self.ground.dir())?;
        let mut random = Random::of("samba", seed);
        let payload = self.ground.aside().join("payload");
        let mut session = Session::open(self.server)?;
        let begun_ns = monotonic_ns();
        for target in targets {
            sleep_until(begun_ns + target.due_ns);
            if enough() {
                break;
            }
            self.ground.check(&target.path)?;
            let below = target
                .path
                .strip_prefix(self.ground.watched())
                .context("a target outside the share")?;
            let name = below.display().to_string().replace('/', "\\");
            let rename = format!("rename \"{name}\" \"{name}.qzx\"");
            if matches!(deed, Deed::OverwriteAndRename(..)) {
                let length = std::fs::metadata(&target.path)?.len();
                std::fs::write(&payload, random.bytes(usize::try_from(length)?))?;
                journal.note("smb_put", &target.path, 1)?;
                session.say(&format!("put \"{}\" \"{name}\"", payload.display()))?;
            } else if !matches!(deed, Deed::Rename(_)) {
                bail!("no client does {deed:?}");
            }
            journal.note("smb_rename", &target.path, 1)?;
            session.say(&rename)?;
        }

        session.close()
    }
}

/// One conversation with the client program.
struct Session {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Session {
    fn open(server: &Server) -> Result<Self> {
        let mut child = server
            .client()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start smbclient")?;
        let out = child.stdout.take().context("smbclient has no output")?;
        let mut session = Self { child, answers: BufReader::new(out) };
        session.say("")?;

        Ok(session)
    }

    /// Sends one operation and waits until it is done: the client answers `pwd` only after what was said before.
    fn say(&mut self, what: &str) -> Result<()> {
        let input = self
            .child
            .stdin
            .as_mut()
            .context("smbclient takes nothing")?;
        write!(input, "{what}\npwd\n").and_then(|()| input.flush())?;
        let mut line = String::new();
        loop {
            line.clear();
            if self.answers.read_line(&mut line)? == 0 {
                bail!("smbclient ended");
            }
            if line.contains("NT_STATUS_") {
                bail!("`{what}`: {}", line.trim());
            }
            if line.starts_with("Current directory is") {
                return Ok(());
            }
        }
    }

    fn close(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        self.child.wait().context("failed to end smbclient")?;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
