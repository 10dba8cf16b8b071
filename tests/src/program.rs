//! One started binary: its log, its end, its sudden death.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a program may take to end after it was asked to.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// A running program. Killed when dropped, so that a failed test leaves nothing behind.
#[derive(Debug)]
pub struct Program {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Program {
    /// Starts `command` with both outputs appended to `log`.
    ///
    /// # Errors
    /// When the binary or the log file cannot be opened.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("failed to open the log `{}`", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().context("failed to share the log")?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("failed to start {name} ({command:?})"))?;

        Ok(Self { name: name.to_owned(), log: log.to_owned(), child })
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns what it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it ended: with its exit status and the end of its log.
    pub fn still_runs(&mut self) -> Result<()> {
        match self
            .child
            .try_wait()
            .context("failed to ask after a program")?
        {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}; {}", self.name, self.tail()),
        }
    }

    /// Ends it as a power cut would, without a chance to write anything.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill_9(mut self) -> Result<()> {
        self.child
            .kill()
            .with_context(|| format!("failed to kill {}", self.name))?;
        self.child
            .wait()
            .with_context(|| format!("failed to reap {}", self.name))?;

        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time, with the end of its log.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.signal("-TERM")?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_DEADLINE {
            if let Some(status) = self
                .child
                .try_wait()
                .context("failed to wait for a program")?
            {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }

        bail!("{} did not end within {STOP_DEADLINE:?}; {}", self.name, self.tail())
    }

    /// Sends a signal, for example `-HUP`.
    ///
    /// # Errors
    /// When there is no such process any more.
    pub fn signal(&self, signal: &str) -> Result<()> {
        let status = Command::new("kill")
            .arg(signal)
            .arg(self.pid().to_string())
            .status()
            .context("failed to run kill")?;
        if !status.success() {
            bail!("failed to send {signal} to {}", self.name);
        }

        Ok(())
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let last = lines
            .get(lines.len().saturating_sub(15)..)
            .unwrap_or_default()
            .join("\n");
        format!("the end of its log `{}`:\n{last}", self.log.display())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, which is what is wanted here.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a command to its end and returns its standard output.
///
/// # Errors
/// When it fails: with both outputs.
pub fn output(mut command: Command, stdin: &[u8]) -> Result<String> {
    use std::io::Write;

    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start {command:?}"))?;
    if let Some(mut pipe) = child.stdin.take() {
        // The program may end without reading; its exit status tells more than the broken pipe.
        drop(pipe.write_all(stdin));
    }
    let output = child
        .wait_with_output()
        .with_context(|| format!("failed to run {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} ended with {}\n{text}\n{error}", output.status);
    }

    Ok(text)
}

/// Makes an empty file and its folders, for logs people will want to look at.
///
/// # Errors
/// When the folder cannot be made.
pub fn fresh_log(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to make `{}`", folder.display()))?;
    }
    File::create(path).with_context(|| format!("failed to make `{}`", path.display()))?;

    Ok(())
}
