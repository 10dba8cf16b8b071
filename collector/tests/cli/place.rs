//! A data directory of its own, and the real binary on it.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_shirase-collector");
/// How long the service may take to start or to end; generous for a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A data directory with its configuration.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
}

/// What a command came to.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let listeners = ["ingest", "enrolment", "console"]
            .map(|name| format!("[{name}]\nlisten = \"127.0.0.1:0\"\n"))
            .concat();
        let text = format!(
            "data_dir = \"{}\"\npublic_names = [\"127.0.0.1\"]\n{listeners}",
            data.display()
        );
        std::fs::write(dir.path().join("collector.toml"), text).unwrap();
        Self { dir }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("collector.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(self.config()).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its arguments ends without reading.
        drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
        said(&child.wait_with_output().unwrap())
    }

    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments, "");
        assert_eq!(said.code, 0, "{arguments:?}\n{}\n{}", said.out, said.err);
        said.out
    }

    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str], stdin: &str) -> String {
        let said = self.run(arguments, stdin);
        assert_eq!(said.code, 1, "{arguments:?}\n{}\n{}", said.out, said.err);
        assert!(!said.err.contains("panicked"), "{}", said.err);
        said.err
    }

    #[track_caller]
    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let text = self.ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// Starts the service and waits until it said where everything is.
    pub(crate) fn serve(&self) -> Child {
        let log = std::fs::File::create(self.log()).unwrap();
        let child = self
            .command(&["serve", "--json"])
            .stderr(log)
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !self.logged().contains("the authority's fingerprint is") {
            assert!(begun.elapsed() < DEADLINE, "the service did not start: {}", self.logged());
            std::thread::sleep(Duration::from_millis(50));
        }
        child
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path().join("serve.log")
    }

    pub(crate) fn logged(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

pub(crate) fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
