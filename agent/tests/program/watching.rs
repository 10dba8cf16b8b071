//! The program's `watch`, running.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A `watch` that runs.
pub(crate) struct Watching {
    pub(crate) child: Child,
    said: BufReader<ChildStdout>,
}

impl Watching {
    /// Starts it and waits until it watches.
    pub(crate) fn start(dir: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shirase-agent"))
            .args(["watch", "--json"])
            .args(more)
            .arg(dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut watching = Self { child, said };
        watching.until(|line| line["type"] == "ready");
        watching
    }

    /// Reads lines until one is as wanted; the test's own time limit ends a wait for one that never comes.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(0 < self.said.read_line(&mut line).unwrap(), "the program ended");
            let line: Value = serde_json::from_str(&line).unwrap();
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Asks it to stop and waits until it did.
    pub(crate) fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}
