//! Enrolment against a small HTTPS server that plays the collector: each way of going wrong has its own words.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "enrolment/fake_collector.rs"]
mod fake_collector;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fake_collector::{Behaviour, FakeCollector};

#[test]
fn an_enrolled_host_has_key_certificate_enrolment_and_configuration() {
    let collector = FakeCollector::start(Behaviour::Enrol);
    let host = Host::new();
    let output = host.enrol(&collector, collector.fingerprint());
    assert!(output.status.success(), "{}", err(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("handa-hp") && said.contains("run --config"), "{said}");
    for file in ["host.key", "host.crt", "authority.crt", "enrolment.json"] {
        let mode = host.mode(&host.state().join(file));
        assert_eq!(mode, 0o600, "{file}");
    }
    assert_eq!(host.mode(&host.state()), 0o700);
    let config = std::fs::read_to_string(host.config()).unwrap();
    assert!(config.contains("collector_url = \"https://127.0.0.1:1\""), "{config}");
    assert_eq!(collector.tokens(), ["one-time-token"], "the token arrived trimmed, once");

    let again = host.enrol(&collector, collector.fingerprint());
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("already enrolled"), "{}", err(&again));
}

#[test]
fn a_copied_machine_gets_an_identity_of_its_own_and_what_it_copied_is_set_aside() {
    let collector = FakeCollector::start(Behaviour::Enrol);
    let host = Host::new();
    assert!(
        host.enrol(&collector, collector.fingerprint())
            .status
            .success()
    );
    let identity = || std::fs::read(host.state().join("enrolment.json")).unwrap();
    let key = || std::fs::read(host.state().join("host.key")).unwrap();
    let before = (identity(), key());
    std::fs::create_dir(host.state().join("buffer")).unwrap();
    std::fs::write(host.state().join("buffer/events"), b"of the other machine").unwrap();

    let refusing = FakeCollector::start(Behaviour::Refuse(410, "the token has expired"));
    let refused = host.enrol_anew(&refusing);
    assert!(err(&refused).contains("has expired"), "{}", err(&refused));
    assert_eq!((identity(), key()), before, "a refusal changes nothing");

    let done = host.enrol_anew(&collector);
    assert!(done.status.success(), "{}", err(&done));
    assert_ne!(identity(), before.0);
    assert_ne!(key(), before.1);
    assert!(!host.state().join("anew").exists() && !host.state().join("buffer").exists());
    let aside = host.set_aside();
    assert_eq!(std::fs::read(aside.join("host.key")).unwrap(), before.1);
    assert_eq!(std::fs::read(aside.join("enrolment.json")).unwrap(), before.0);
    assert!(aside.join("buffer/events").exists());
}

#[test]
fn a_new_identity_that_was_let_in_and_not_put_in_place_is_put_there_by_the_same_command() {
    let collector = FakeCollector::start(Behaviour::Enrol);
    let host = Host::new();
    assert!(
        host.enrol(&collector, collector.fingerprint())
            .status
            .success()
    );
    // As a crash leaves it: the new one is whole in its own directory, the old enrolment is gone already.
    let (state, anew) = (host.state(), host.state().join("anew"));
    std::fs::create_dir(&anew).unwrap();
    for name in ["host.key", "host.crt", "authority.crt", "enrolment.json"] {
        std::fs::copy(state.join(name), anew.join(name)).unwrap();
    }
    std::fs::remove_file(state.join("enrolment.json")).unwrap();
    // Its key was in place before the crash.
    std::fs::remove_file(anew.join("host.key")).unwrap();
    let key = std::fs::read(state.join("host.key")).unwrap();
    let expected = std::fs::read(anew.join("enrolment.json")).unwrap();
    let asked = collector.tokens().len();
    let done = host.enrol_anew(&collector);
    assert!(done.status.success(), "{}", err(&done));
    assert_eq!(collector.tokens().len(), asked, "it was let in already");
    assert_eq!(std::fs::read(state.join("enrolment.json")).unwrap(), expected);
    assert_eq!(std::fs::read(state.join("host.key")).unwrap(), key, "the new key stays");
    let aside = host.set_aside();
    assert!(aside.join("host.crt").exists() && !aside.join("host.key").exists());
    assert!(!anew.exists());
}

#[test]
fn a_wrong_fingerprint_stops_before_the_token_leaves() {
    let collector = FakeCollector::start(Behaviour::Enrol);
    let host = Host::new();
    let wrong = "ab".repeat(32);
    let said = host.fails(&collector, &wrong);
    assert!(said.contains(&wrong) && said.contains(collector.fingerprint()), "{said}");
    assert!(said.contains("no token was sent"), "{said}");
    assert!(collector.tokens().is_empty());
}

#[test]
fn an_answer_lost_on_the_way_is_asked_for_again_with_the_same_key() {
    let collector = FakeCollector::start(Behaviour::LoseFirstAnswer);
    let host = Host::new();
    let said = host.fails(&collector, collector.fingerprint());
    assert!(said.contains("cannot be reached"), "{said}");
    let key = std::fs::read(host.state().join("host.key")).unwrap();
    let output = host.enrol(&collector, collector.fingerprint());
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(std::fs::read(host.state().join("host.key")).unwrap(), key);
    assert_eq!(collector.tokens().len(), 2);
}

#[test]
fn each_refusal_has_words_of_its_own() {
    let cases = [
        (Behaviour::Refuse(401, "the token is not known"), ["not known", "copy it again"]),
        (Behaviour::Refuse(410, "the token has expired"), ["has expired", "short-lived"]),
        (Behaviour::Refuse(409, "the token was used by another key"), ["used by", "one host"]),
        (Behaviour::Refuse(503, "the store is full"), ["store is full", "again later"]),
        (Behaviour::Html(200), ["HTML page", "8445"]),
        (Behaviour::Html(404), ["HTML page", "8445"]),
        (Behaviour::HtmlToEnrol, ["HTML page", "proxy"]),
        (Behaviour::OtherHostsCertificate, ["does not prove itself", "clock"]),
        (Behaviour::CertificateForAnotherKey, ["cannot be used", "key"]),
    ];
    for (behaviour, words) in cases {
        let collector = FakeCollector::start(behaviour);
        let host = Host::new();
        let said = host.fails(&collector, collector.fingerprint());
        for word in words {
            assert!(said.contains(word), "{behaviour:?}: `{word}` is not in: {said}");
        }
        assert!(!host.state().join("enrolment.json").exists(), "{behaviour:?}");
        assert!(!host.config().exists(), "{behaviour:?}");
    }
}

#[test]
fn an_unreachable_collector_and_a_missing_token_say_what_to_do() {
    let collector = FakeCollector::start(Behaviour::Enrol);
    let host = Host::new();
    let gone = FakeCollector::start(Behaviour::Enrol).stop();
    let output = host.enrol_at(&gone, collector.fingerprint());
    assert!(err(&output).contains("cannot be reached"), "{}", err(&output));
    std::fs::write(host.token(), " \n").unwrap();
    let said = host.fails(&collector, collector.fingerprint());
    assert!(said.contains("holds no token"), "{said}");
    std::fs::remove_file(host.token()).unwrap();
    let said = host.fails(&collector, collector.fingerprint());
    assert!(said.contains("failed to read the token"), "{said}");
}

/// A host with a token in a file, ready to enrol.
struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        std::fs::write(host.token(), "  one-time-token\n").unwrap();
        host
    }

    fn token(&self) -> PathBuf {
        self.0.path().join("token")
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("agent.toml")
    }

    fn enrol(&self, collector: &FakeCollector, fingerprint: &str) -> Output {
        self.enrol_at(&collector.url(), fingerprint)
    }

    fn enrol_anew(&self, collector: &FakeCollector) -> Output {
        self.command(&collector.url(), collector.fingerprint())
            .arg("--anew")
            .output()
            .unwrap()
    }

    /// Where the former identity lies.
    fn set_aside(&self) -> PathBuf {
        let mut entries = std::fs::read_dir(self.state()).unwrap();
        let aside = entries.find_map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("set-aside-").then_some(path)
        });
        aside.unwrap()
    }

    fn enrol_at(&self, url: &str, fingerprint: &str) -> Output {
        self.command(url, fingerprint).output().unwrap()
    }

    fn command(&self, url: &str, fingerprint: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shirase-agent"));
        command
            .args(["enroll", "--collector", url, "--ca-fingerprint", fingerprint])
            .arg("--token-file")
            .arg(self.token())
            .arg("--config")
            .arg(self.config())
            .arg("--state")
            .arg(self.state())
            .arg("--root")
            .arg(self.0.path());
        command
    }

    /// Enrols in vain and returns what was said.
    fn fails(&self, collector: &FakeCollector, fingerprint: &str) -> String {
        let output = self.enrol(collector, fingerprint);
        let said = err(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(!said.contains("one-time-token"), "the token was printed: {said}");
        said
    }

    fn mode(&self, path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        path.metadata().unwrap().permissions().mode() & 0o777
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
