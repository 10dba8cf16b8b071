//! Standard input and output of a command, and secrets typed without echo.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use shirase_shared::secret::Secret;

/// Longest secret or file that is read from standard input, in bytes.
const INPUT_MAX_BYTES: u64 = 1024 * 1024;

/// Whether standard input is a person or a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typist {
    Person,
    Program,
}

/// Where a command reads and writes.
pub struct Terminal {
    input: Box<dyn BufRead>,
    out: Box<dyn Write>,
    typist: Typist,
}

impl Terminal {
    /// Takes the process's own standard streams.
    #[must_use]
    pub fn standard() -> Self {
        let typist = if io::stdin().is_terminal() { Typist::Person } else { Typist::Program };
        Self {
            input: Box::new(io::BufReader::new(io::stdin())),
            out: Box::new(io::stdout()),
            typist,
        }
    }

    /// Writes a text as it is. A reader that went away (`| head`) is no fault.
    pub(crate) fn print(&mut self, text: &str) -> Result<()> {
        let written = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.context("failed to write to standard output"),
        }
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        self.print(&format!("{text}\n"))
    }

    /// Hands out standard output for binary data.
    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Reads all of standard input.
    pub(crate) fn read_all(&mut self) -> Result<Secret<String>> {
        let mut text = String::new();
        let mut limited = io::Read::take(&mut self.input, INPUT_MAX_BYTES + 1);
        io::Read::read_to_string(&mut limited, &mut text)
            .context("failed to read standard input as text")?;
        if INPUT_MAX_BYTES < u64::try_from(text.len()).unwrap_or(u64::MAX) {
            bail!("standard input holds more than {INPUT_MAX_BYTES} bytes");
        }

        Ok(Secret::new(text))
    }

    /// Reads one line that must not be seen: asks a person without echo, takes a line from a program.
    pub(crate) fn read_secret(&mut self, what: &str) -> Result<Secret<String>> {
        let _quiet = match self.typist {
            Typist::Person => Some(Quiet::begin(what)?),
            Typist::Program => None,
        };
        let mut line = String::new();
        let read = self
            .input
            .read_line(&mut line)
            .context("failed to read standard input")?;
        if read == 0 {
            bail!("standard input ended where the {what} was expected; give one line each");
        }

        Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// A terminal without echo; it comes back when this is dropped.
struct Quiet;

impl Quiet {
    fn begin(what: &str) -> Result<Self> {
        let mut terminal = io::stderr();
        write!(terminal, "{what}: ").context("failed to write to the terminal")?;
        if !stty("-echo") {
            bail!("the terminal's echo cannot be switched off; pipe the {what} in instead");
        }

        Ok(Self)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if !stty("echo") {
            drop(writeln!(io::stderr(), "\nthe terminal's echo is still off; type `stty echo`"));
        }
        drop(writeln!(io::stderr()));
    }
}

fn stty(mode: &str) -> bool {
    let status = Command::new("stty")
        .arg(mode)
        .stdin(Stdio::inherit())
        .status();
    status.is_ok_and(|status| status.success())
}
