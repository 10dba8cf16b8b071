//! Follows the journal by way of `journalctl`.
//!
//! A child process and not the journal's files or its library: `journalctl` comes with every systemd, knows every
//! version of the files (compressed, compact, rotated, vacuumed), holds their locks of format, and its JSON is a
//! documented interface; the library would be a second C dependency for the same. Its cost is one sleeping process.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::event::LossKind;
use shirase_shared::wire::SensorState;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{ChildStdout, Command};
use tokio_util::sync::CancellationToken;

use super::super::LOGONS;
use super::super::lines;
use super::super::reading::Reader;
use super::Desk;
use crate::observation::{Fact, Lost};

/// The program.
const PROGRAM: &str = "journalctl";
/// Where journald takes what programs say.
const SOCKET: &str = "/run/systemd/journal/socket";
/// Pause between two questions whether it still does.
const CHECK_EVERY: Duration = Duration::from_secs(60);
/// How long the question whether there is a journal may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest entry taken, in bytes; without `--all` no field is longer than 4,096.
const ENTRY_MAX_BYTES: u64 = 64 * 1024;
/// What is needed of an entry.
const FIELDS: &str =
    "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_UID,_COMM,__REALTIME_TIMESTAMP";
/// `auth` and `authpriv`: where logons and changes of accounts are written.
const MATCHES: [&str; 2] = ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"];

/// Says whether the journal of the system is written and can be read.
pub(super) async fn probe() -> Result<(), String> {
    is_written()?;
    let mut command = command();
    command.args(["--lines=1", "--output=json"]);
    let asked = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = match asked {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("`{PROGRAM}` does not start: {error}")),
        Err(_) => {
            return Err(format!("`{PROGRAM}` did not answer within {} s", PATIENCE.as_secs()));
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or_default().trim();
    let partial = said.contains("not seeing messages") || said.contains("insufficient permissions");
    if partial {
        return Err("the journal of the system may not be read by this user".to_owned());
    }
    if output.stdout.is_empty() {
        let why = if said.is_empty() { "it is empty" } else { said };
        return Err(format!("there is no journal: {why}"));
    }

    Ok(())
}

/// A journal may lie there that nobody writes any more, as in the image of a container.
fn is_written() -> Result<(), String> {
    UnixDatagram::unbound()
        .and_then(|probe| probe.connect(SOCKET))
        .map_err(|error| format!("nobody writes a journal (`{SOCKET}`: {error})"))
}

fn command() -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .env("LC_ALL", "C")
        .arg("--no-pager")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Follows the journal until `stop`, or returns why it cannot.
pub(super) async fn follow(
    desk: &Desk,
    reader: &mut Reader,
    since: Timestamp,
    stop: &CancellationToken,
) -> Result<(), String> {
    let mut child = command()
        .args(["--follow", "--lines=all", "--output=json", FIELDS])
        .arg(format!("--since=@{}", since.as_second()))
        .args(MATCHES)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`{PROGRAM}` does not start: {error}"))?;
    let Some(out) = child.stdout.take() else { return Err("it has no output".to_owned()) };
    desk.board
        .set(LOGONS, SensorState::Well, "reads the journal");
    let mut entries = Entries { out: BufReader::new(out), line: Vec::new() };
    let mut checks = tokio::time::interval(CHECK_EVERY);
    loop {
        let wake = tokio::select! {
            () = stop.cancelled() => Wake::Stop,
            entry = entries.next() => Wake::Entry(entry),
            _ = checks.tick() => Wake::Check,
        };
        match wake {
            Wake::Stop => return Ok(()),
            Wake::Check => is_written()?,
            Wake::Entry(Ok(Some(Taken::Line(line)))) => take(desk, reader, &line).await,
            Wake::Entry(Ok(Some(Taken::TooLong))) => {
                let detail =
                    format!("an entry of the journal was longer than {ENTRY_MAX_BYTES} bytes");
                let lost = Lost { what: LossKind::SensorBlind, count: Some(1), detail };
                desk.tell(desk.clock.moment(), Fact::Lost(lost)).await;
            }
            Wake::Entry(Ok(None)) => return Err(format!("`{PROGRAM}` ended by itself")),
            Wake::Entry(Err(error)) => return Err(format!("`{PROGRAM}` cannot be read: {error}")),
        }
    }
}

/// What happens while following.
enum Wake {
    Stop,
    Check,
    Entry(std::io::Result<Option<Taken>>),
}

async fn take(desk: &Desk, reader: &mut Reader, line: &str) {
    let Some(entry) = lines::of_journal(line) else { return };
    let told = entry.line().and_then(|line| reader.read(&line));
    if let Some(told) = told {
        desk.hand_on(desk.moment_of(entry.at), told).await;
    }
}

/// The lines `journalctl` writes, each bounded. What was read of a line outlives a `select!` that
/// took another branch.
struct Entries {
    out: BufReader<ChildStdout>,
    line: Vec<u8>,
}

enum Taken {
    Line(String),
    TooLong,
}

impl Entries {
    async fn next(&mut self) -> std::io::Result<Option<Taken>> {
        loop {
            let so_far = u64::try_from(self.line.len()).unwrap_or(u64::MAX);
            let room = ENTRY_MAX_BYTES.saturating_sub(so_far);
            if room == 0 {
                self.line.clear();
                self.skip().await?;
                return Ok(Some(Taken::TooLong));
            }
            let read = (&mut self.out)
                .take(room)
                .read_until(b'\n', &mut self.line)
                .await?;
            if self.line.ends_with(b"\n") {
                let line = String::from_utf8_lossy(&self.line).into_owned();
                self.line.clear();
                return Ok(Some(Taken::Line(line)));
            }
            if read == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads the rest of a line nobody wants.
    async fn skip(&mut self) -> std::io::Result<()> {
        loop {
            let buffered = self.out.fill_buf().await?;
            if buffered.is_empty() {
                return Ok(());
            }
            let end = buffered.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffered.len(), |end| end + 1);
            self.out.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}
