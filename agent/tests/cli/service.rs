//! A real agent process on an enrolled host whose collector does not answer.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use shirase_shared::ids::HostId;

/// How long a start and a stop may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) struct Service {
    dir: tempfile::TempDir,
    process: Child,
}

impl Service {
    /// Enrols a host by hand and starts its agent.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| String::new())
    }

    /// The same, with more configuration. `settings` gets the directory that holds everything and may put more into it.
    pub(crate) fn start_with(settings: impl FnOnce(&Path) -> String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        enrol(&dir.path().join("state"));
        let share = dir.path().join("share");
        std::fs::create_dir(&share).unwrap();
        for path in charts(&share) {
            std::fs::write(path, "ordinary text\n").unwrap();
        }
        let config = format!(
            "[agent]\nstate_dir = '{0}/state'\n[uplink]\nheartbeat_secs = 5\n[[sensors.roots]]\npath = '{0}/share'\n{1}",
            dir.path().display(),
            settings(dir.path())
        );
        std::fs::write(dir.path().join("agent.toml"), config).unwrap();
        let process = run(dir.path());
        let service = Self { dir, process };
        service.wait_until_up();
        service
    }

    /// Ends it as a service manager does and starts it again with the same state.
    pub(crate) fn restart(self) -> Self {
        self.restart_after(|_| {})
    }

    /// The same, with something done in between.
    pub(crate) fn restart_after(mut self, meanwhile: impl FnOnce(&Path)) -> Self {
        self.signal(Signal::TERM);
        let status = self.process.wait().unwrap();
        assert!(status.success(), "the service ended with {status}");
        meanwhile(self.dir.path());
        self.process = run(self.dir.path());
        self.wait_until_up();
        self
    }

    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("agent.toml")
    }

    /// Where a file of this host lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn make_root(&self, name: &str) -> PathBuf {
        let root = self.dir.path().join(name);
        std::fs::create_dir(&root).unwrap();
        root
    }

    /// Asks the running service on the command line.
    pub(crate) fn ask(&self, command: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_shirase-agent"))
            .args(command)
            .arg("--config")
            .arg(self.config())
            .output()
            .unwrap()
    }

    pub(crate) fn status(&self) -> Option<Value> {
        let output = self.ask(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).ok()
    }

    /// The records in the buffer.
    pub(crate) fn waiting(&self) -> Vec<Value> {
        let output = self.ask(&["buffer", "export"]);
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn has_agent_event(&self, state: &str, deadline: Duration) {
        eventually(state, deadline, || {
            self.waiting()
                .iter()
                .any(|event| event["evidence"]["state"] == state)
                .then_some(())
        });
    }

    /// Overwrites and renames the files that were there at the start, as an encryptor does.
    pub(crate) fn encrypt_files(&self) {
        for path in charts(&self.dir.path().join("share")) {
            std::fs::write(&path, [0x9d; 64]).unwrap();
            let mut harmed = path.clone().into_os_string();
            harmed.push(".locked");
            std::fs::rename(path, harmed).unwrap();
        }
    }

    fn wait_until_up(&self) {
        eventually("the service's answer", PATIENCE, || self.status());
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Looks until `probe` returns something.
pub(crate) fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut probe: impl FnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(started.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        std::thread::sleep(LOOK);
    }
}

fn charts(share: &Path) -> Vec<PathBuf> {
    (0..30)
        .map(|number| share.join(format!("chart-{number:03}.txt")))
        .collect()
}

fn run(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_shirase-agent"))
        .args(["run", "--config"])
        .arg(dir.join("agent.toml"))
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Lays down what an enrolment leaves, for a collector nobody runs.
fn enrol(state: &Path) {
    std::fs::create_dir(state).unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::default()
        .signed_by(&key, &authority)
        .unwrap();
    let enrolment = json!({
        "host": HostId::random(),
        "facility": "handa-hp",
        "order_key": BASE64.encode([7; 32]),
        "manifest_recipient": age::x25519::Identity::generate().to_public().to_string(),
        "ingest_url": "https://127.0.0.1:1",
        "enrolled_at": "2026-02-08T16:50:00Z",
    });
    for (name, text) in [
        ("host.key", key.serialize_pem()),
        ("host.crt", certificate.pem()),
        ("authority.crt", authority.pem()),
        ("enrolment.json", enrolment.to_string()),
    ] {
        std::fs::write(state.join(name), text).unwrap();
    }
}
