//! The command line, as an administrator types it: the real binary on a data directory of its own.

#![expect(clippy::unwrap_used, reason = "a test speaks by panicking")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_shirase-collector");
/// How long the service may take to start or to end; generous for a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A data directory with its configuration.
struct Place {
    dir: tempfile::TempDir,
}

/// What a command came to.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
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

    fn config(&self) -> PathBuf {
        self.dir.path().join("collector.toml")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(self.config()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> Said {
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
    fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments, "");
        assert_eq!(said.code, 0, "{arguments:?}\n{}\n{}", said.out, said.err);
        said.out
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], stdin: &str) -> String {
        let said = self.run(arguments, stdin);
        assert_eq!(said.code, 1, "{arguments:?}\n{}\n{}", said.out, said.err);
        assert!(!said.err.contains("panicked"), "{}", said.err);
        said.err
    }

    #[track_caller]
    fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let text = self.ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// Starts the service and waits until it said where everything is.
    fn serve(&self) -> Child {
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

    fn log(&self) -> PathBuf {
        self.dir.path().join("serve.log")
    }

    fn logged(&self) -> String {
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

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn config_prints_a_file_that_check_finds_in_order() {
    let place = Place::new();
    let printed = place.ok(&["config"]);
    std::fs::write(place.config(), &printed).unwrap();
    assert!(place.ok(&["check"]).contains("in order"));
    assert!(!Path::new("/var/lib/shirase-collector/shirase.db").exists(), "check opened something");
}

#[test]
fn check_names_three_mistakes_with_line_key_and_remedy() {
    let place = Place::new();
    let broken = "dat_dir = \"/x\"\n[ingest]\nlisten = \"here\"\n[mail]\nport = \"many\"\n";
    std::fs::write(place.config(), broken).unwrap();
    let said = place.run(&["check"], "");
    assert_eq!(said.code, 1);
    for part in ["line 1: `dat_dir`", "line 3: `listen`", "line 5: `port`"] {
        assert!(said.out.contains(part), "no {part} in\n{}", said.out);
    }
    assert!(!place.data().exists(), "check made something");
    assert!(place.refused(&["serve"], "").contains("3 mistake(s)"));
    std::fs::remove_file(place.config()).unwrap();
    assert!(
        place
            .refused(&["facility", "list"], "")
            .contains("--config")
    );
}

#[test]
fn a_facility_is_made_changed_and_listed() {
    let place = Place::new();
    let made =
        place.ok(&["facility", "add", "handa-hp", "--name", "半田中央病院", "--beds", "120"]);
    assert_eq!(
        made.lines()
            .filter(|line| line.starts_with("AGE-SECRET-KEY-1"))
            .count(),
        1
    );
    assert_eq!(mode(&place.data()), 0o700);
    assert_eq!(mode(&place.data().join("shirase.db")), 0o600);
    assert!(
        place
            .refused(&["facility", "add", "handa-hp"], "")
            .contains("already")
    );
    assert_eq!(place.run(&["facility", "add", "Not Legal"], "").code, 2);

    let toml = "name = '半田市立病院'\nkind = 'hospital'\nbeds = 400\n[[vendors]]\nsystem = 'ehr'\ncompany = 'メディ社'\n";
    let set = place.run(&["facility", "set", "handa-hp", "--file", "-"], toml);
    assert_eq!(set.code, 0, "{}", set.err);
    place.ok(&["facility", "set", "handa-hp", "--beds", "401", "--self-approval", "allowed"]);
    let listed = place.list(&["facility", "list"]);
    assert_eq!(listed[0]["id"], "handa-hp");
    assert_eq!(listed[0]["master"]["name"], "半田市立病院");
    assert_eq!(listed[0]["master"]["beds"], 401);
    assert_eq!(listed[0]["master"]["vendors"][0]["company"], "メディ社");
    assert_eq!(listed[0]["self_approval"], "allowed");
    let table = place.ok(&["facility", "list"]);
    assert!(table.contains("半田市立病院  hospital  401"), "{table}");

    let misspelt = place.refused(&["facility", "set", "handa-hp", "--file", "-"], "nmae = 'x'\n");
    assert!(misspelt.contains("nmae"), "{misspelt}");
    let wrong = place.refused(&["facility", "set", "handa-hp", "--code", "12"], "");
    assert!(wrong.contains("`code`"), "{wrong}");
    assert!(
        place
            .refused(&["facility", "set", "nobody", "--beds", "1"], "")
            .contains("facility list")
    );
    assert!(place.ok(&["audit", "verify"]).contains("whole"));
}

#[test]
fn users_get_a_one_time_password_once_and_only_for_facilities_that_are_there() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    let add = ["user", "add", "sato", "--name", "佐藤 花子", "--role", "handa-hp:approver"];
    let made = place.ok(&add);
    let password = made.split_whitespace().last().unwrap().to_owned();
    assert_eq!(password.split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5]);
    assert!(place.refused(&add, "").contains("taken"));
    let elsewhere = ["user", "add", "x", "--name", "x", "--role", "nowhere:author"];
    assert!(
        place
            .refused(&elsewhere, "")
            .contains("no facility `nowhere`")
    );
    let wrong = ["user", "add", "x", "--name", "x", "--role", "handa-hp:king"];
    assert!(place.refused(&wrong, "").contains("is no role"));
    let reset = place.ok(&["user", "reset", "sato"]);
    assert_ne!(reset.split_whitespace().last(), Some(password.as_str()));
    assert!(
        place
            .refused(&["user", "reset", "nobody"], "")
            .contains("user list")
    );
    let users = place.list(&["user", "list"]);
    assert_eq!(users[0]["roles"]["handa-hp"][0], "approver");
    assert!(!users[0].to_string().contains("argon2"), "a hash was printed");
}

#[test]
fn a_token_is_printed_once_with_what_the_agent_needs_and_can_be_revoked() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    let said = place.ok(&["token", "issue", "handa-hp", "--label", "ehr1"]);
    let token = said
        .lines()
        .next()
        .unwrap()
        .split_whitespace()
        .last()
        .unwrap()
        .to_owned();
    let fingerprint = said
        .lines()
        .find(|line| line.starts_with("authority fingerprint"))
        .unwrap();
    let fingerprint = fingerprint.split_whitespace().last().unwrap();
    assert_eq!(fingerprint.len(), 64);
    assert!(said.contains(&format!("--token-file - --ca-fingerprint {fingerprint}")), "{said}");
    let bare = place.ok(&["token", "issue", "handa-hp", "--bare", "--hours", "1"]);
    assert_eq!(bare.lines().count(), 1);

    let tokens = place.list(&["token", "list"]);
    assert_eq!(tokens.len(), 2);
    assert!(
        tokens
            .iter()
            .all(|t| t["state"] == "open" && !t.to_string().contains(&token))
    );
    let name = tokens[0]["fingerprint"].as_str().unwrap().to_owned();
    assert!(
        place
            .refused(&["token", "revoke", "handa-hp", "ab"], "")
            .contains("8 digits")
    );
    place.ok(&["token", "revoke", "handa-hp", name.get(..12).unwrap()]);
    let tokens = place.list(&["token", "list", "--facility", "handa-hp"]);
    assert!(tokens.iter().any(|t| t["state"] == "revoked"));
    assert_eq!(
        place
            .run(&["token", "issue", "handa-hp", "--hours", "0"], "")
            .code,
        2
    );
}

#[test]
fn channels_are_added_listed_without_their_secret_tested_and_removed() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    let add = |name, kind, target, stdin: &str| {
        place.run(
            &["alert-channel", "add", "handa-hp", name, "--kind", kind, "--target", target],
            stdin,
        )
    };
    assert_eq!(add("team", "mail", "security@hospital.example", "").code, 0);
    assert_eq!(add("chat", "webhook", "-", "https://chat.example.jp/services/SECRET\n").code, 0);
    let bad = add("x", "mail", "a@b.jp\r\nBcc: c@d.jp", "");
    assert!(bad.code == 1 && bad.err.contains("no target for mail"), "{}", bad.err);
    assert_eq!(add("x", "pigeon", "a@b.jp", "").code, 2);
    let listed = place.ok(&["alert-channel", "list", "--json"]);
    assert!(!listed.contains("SECRET") && listed.contains("https://chat.example.jp/…"), "{listed}");
    let untold = place.refused(&["alert-channel", "test", "handa-hp", "team"], "");
    assert!(untold.contains("no mail server is configured"), "{untold}");
    place.ok(&["alert-channel", "remove", "handa-hp", "team"]);
    assert!(
        place
            .refused(&["alert-channel", "remove", "handa-hp", "team"], "")
            .contains("list")
    );
    assert_eq!(place.list(&["alert-channel", "list"]).len(), 1);
}

#[test]
fn what_is_not_there_is_named_and_lists_are_empty_arrays() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    for kind in ["host", "incident", "report", "manifest", "maintenance"] {
        assert!(place.list(&[kind, "list"]).is_empty());
    }
    for (arguments, part) in [
        (&["drill", "start", "handa-hp"][..], "enrol one first"),
        (
            &[
                "maintenance",
                "begin",
                "handa-hp",
                "--hours",
                "4",
                "--owner",
                "佐藤",
                "--reason",
                "更新",
            ],
            "enrol one first",
        ),
        (
            &[
                "maintenance",
                "begin",
                "handa-hp",
                "--hours",
                "400",
                "--owner",
                "佐藤",
                "--reason",
                "更新",
            ],
            "1 to 72 hours",
        ),
        (
            &["maintenance", "begin", "handa-hp", "--hours", "4", "--owner", " ", "--reason", "x"],
            "who answers for it",
        ),
        (&["maintenance", "end", "handa-hp", "--owner", "佐藤"], "enrol one first"),
        (&["host", "revoke", "handa-hp", "ehr1"], "host list"),
        (&["incident", "show", "handa-hp", "7"], "incident list"),
        (&["report", "show", "handa-hp", "7"], "report list"),
        (&["report", "approve", "handa-hp", "7", "--as", "sato"], "report list"),
        (&["report", "export", "handa-hp", "7", "--out", "x.pdf"], "report list"),
        (&["host", "list", "--facility", "nowhere"], "facility list"),
        (&["manifest", "open", "nonsense", "--identity", "-"], "neither a file"),
    ] {
        let said = place.refused(arguments, "");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn profiles_are_listed_and_every_mistake_in_them_is_named() {
    let place = Place::new();
    let profiles = place.list(&["profile", "list"]);
    let ids: Vec<&str> = profiles
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"jp-mhlw-contact") && ids.contains(&"jp-ppc-final"), "{ids:?}");
    let act = profiles
        .iter()
        .find(|one| one["id"] == "jp-cyber-act")
        .unwrap();
    assert_eq!((&act["enabled"], &act["confidence"]), (&false.into(), &"secondary".into()));
    assert!(place.ok(&["profile", "list"]).contains("未確認"));
    assert!(place.ok(&["profile", "check"]).contains("in order"));

    let own = place.data().join("profiles");
    std::fs::create_dir_all(&own).unwrap();
    let broken = "id = \"jp-ipa\"\naddressee = \"nobody\"\nvalid_from = \"soon\"\n";
    std::fs::write(own.join("jp-ipa.toml"), broken).unwrap();
    let said = place.run(&["profile", "check", "--json"], "");
    assert_eq!(said.code, 1, "{}", said.err);
    let problems: Value = serde_json::from_str(&said.out).unwrap();
    let lines: Vec<u64> = problems
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["file"] == "jp-ipa.toml")
        .map(|one| one["line"].as_u64().unwrap())
        .collect();
    assert!(lines.contains(&2) && lines.contains(&3), "{problems}");
    std::fs::remove_file(own.join("jp-ipa.toml")).unwrap();
    assert!(place.list(&["deadline", "list"]).is_empty());
}

#[test]
fn a_manifest_opens_with_the_key_facility_add_printed_and_with_no_other() {
    let place = Place::new();
    let key = place.ok(&["facility", "add", "handa-hp"]);
    let recipient = place.list(&["facility", "list"])[0]["manifest_recipient"].clone();
    let recipient: age::x25519::Recipient = recipient.as_str().unwrap().parse().unwrap();
    let one = std::iter::once(&recipient as &dyn age::Recipient);
    let mut sealed = Vec::new();
    let mut writer = age::Encryptor::with_recipients(one)
        .unwrap()
        .wrap_output(&mut sealed)
        .unwrap();
    writer
        .write_all("share/文書.pdf.locked\n".as_bytes())
        .unwrap();
    writer.finish().unwrap();
    let file = place.dir.path().join("burst.age");
    std::fs::write(&file, sealed).unwrap();
    let open = ["manifest", "open", file.to_str().unwrap(), "--identity", "-"];
    let opened = place.run(&open, &key);
    assert_eq!(
        (opened.code, opened.out.as_str()),
        (0, "share/文書.pdf.locked\n"),
        "{}",
        opened.err
    );
    let other = place.ok(&["facility", "add", "other"]);
    assert!(
        place
            .refused(&open, &other)
            .contains("does not open with this key")
    );
    assert!(place.refused(&open, "").contains("no private key"));
}

#[test]
fn an_edited_audit_log_is_found() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    place.ok(&["user", "add", "sato", "--name", "x", "--role", "handa-hp:viewer"]);
    assert!(place.ok(&["audit", "verify"]).contains("2 entries"));
    let anchors = place.data().join("audit-anchors.jsonl");
    std::fs::remove_file(anchors).unwrap();
    let said = place.run(&["audit", "verify"], "");
    assert!(said.code == 1 && said.out.contains("BROKEN"), "{}{}", said.out, said.err);
}

#[test]
fn a_log_rewritten_with_its_anchors_is_found_by_a_head_noted_elsewhere() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp"]);
    place.ok(&["user", "add", "sato", "--name", "x", "--role", "handa-hp:viewer"]);
    let said = place.ok(&["audit", "verify"]);
    let head = said.lines().last().unwrap().trim_start_matches("head ");
    let known = format!("{head}@2");
    let note = place.dir.path().join("mail.eml");
    let broken = known.split_at(30);
    let mail = format!("X-Shirase-Audit: shirase-audit[{}\r\n {}]\r\n\r\n", broken.0, broken.1);
    std::fs::write(&note, mail).unwrap();
    let copy = place.dir.path().join("anchors.copy");
    std::fs::copy(place.data().join("audit-anchors.jsonl"), &copy).unwrap();
    let (note, copy) = (note.to_str().unwrap(), copy.to_str().unwrap());
    let all = ["audit", "verify", "--known", &known, "--from", note, "--from", copy];
    assert!(place.ok(&all).contains("4 known heads agree"), "{}", place.ok(&all));
    let misread = place.run(&["audit", "verify", "--known", "abc"], "");
    assert!(misread.code != 0 && misread.err.contains("HASH@NUMBER"), "{}", misread.err);
    let empty = place.dir.path().join("empty.txt");
    std::fs::write(&empty, "nothing").unwrap();
    let refused = place.refused(&["audit", "verify", "--from", empty.to_str().unwrap()], "");
    assert!(refused.contains("no head of an audit log stands in"), "{refused}");

    // Whoever owns the machine begins the log anew, anchors and all: by itself it is whole.
    std::fs::remove_dir_all(place.data()).unwrap();
    place.ok(&["facility", "add", "handa-hp"]);
    assert!(place.ok(&["audit", "verify"]).contains("whole"));
    for known in [["--known", known.as_str()], ["--from", note]] {
        let said = place.run(&[&["audit", "verify"], &known[..]].concat(), "");
        assert_eq!(said.code, 1, "{}", said.out);
        assert!(said.out.contains("its tail was cut off"), "{}", said.out);
        assert!(said.out.contains("copy database and anchors as evidence"), "{}", said.out);
    }
    place.ok(&["user", "add", "other", "--name", "y", "--role", "handa-hp:viewer"]);
    let said = place.run(&["audit", "verify", "--from", copy, "--json"], "");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &told["whole"]), (1, &false.into()));
    assert!(
        told["fault"]
            .as_str()
            .unwrap()
            .contains("the log was rewritten"),
        "{told}"
    );
}

#[test]
fn contacts_are_kept_with_their_history_and_go_to_excel_and_back() {
    let place = Place::new();
    place.ok(&["facility", "add", "handa-hp", "--name", "半田中央病院"]);
    let add =
        ["contact", "add", "handa-hp", "--set", "kind=police", "--set", "organisation=半田警察署"];
    let refused = place.refused(&[&add[..], &["--set", "phone=0569-00-011"]].concat(), "");
    assert!(refused.contains("phone: Phone (day) `0569-00-011`: has too few"), "{refused}");
    let unknown = place.run(&[&add[..], &["--set", "colour=red"]].concat(), "");
    assert!(unknown.err.contains("there is no column `colour`"), "{}", unknown.err);
    let added = place.ok(&[&add[..], &["--set", "phone=0569-00-0110"]].concat());
    assert!(added.contains("is entered") && added.contains("Unverified"), "{added}");
    place.ok(&["contact", "verify", "handa-hp", "半田警察署", "--by", "佐藤 花子"]);
    assert!(place.list(&["contact", "list", "--flagged"]).is_empty());
    place.ok(&["contact", "change", "handa-hp", "半田警察署", "--set", "phone=0569-00-0119"]);
    let flagged = place.list(&["contact", "list", "--flagged"]);
    assert_eq!(flagged[0]["phone"], "0569-00-0119");
    assert_eq!(flagged[0]["standing"], "unverified");

    let table = place.dir.path().join("book.csv");
    let path = table.to_str().unwrap();
    place.ok(&["contact", "export", "handa-hp", "--out", path]);
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.contains("電話（日中）") && text.contains("半田警察署"), "{text}");
    let same = place.ok(&["contact", "import", "handa-hp", "--file", path]);
    assert!(same.contains("added 0, changed 0, left 1"), "{same}");
    std::fs::write(&table, text.replace("0569-00-0119", "0569-00")).unwrap();
    let bad = place.run(&["contact", "import", "handa-hp", "--file", path], "");
    assert!(bad.code == 1 && bad.out.contains("line 2: Phone (day) `0569-00`"), "{}", bad.out);
    std::fs::write(&table, text.replace("0569-00-0119", "0569-00-0110")).unwrap();
    let tried = place.ok(&["contact", "import", "handa-hp", "--file", path, "--check"]);
    assert!(tried.contains("would add 0, change 1"), "{tried}");
    place.ok(&["contact", "import", "handa-hp", "--file", path]);
    place.ok(&["contact", "retire", "handa-hp", "半田警察署"]);
    assert!(place.list(&["contact", "list"]).is_empty());
    let history = place.list(&["contact", "history", "handa-hp", "半田警察署"]);
    let acts: Vec<_> = history
        .iter()
        .map(|one| one["act"].as_str().unwrap())
        .collect();
    assert_eq!(acts, ["retired", "changed", "changed", "verified", "added"]);
    assert!(place.ok(&["audit", "verify"]).contains("whole"));
}

#[test]
fn the_service_starts_once_ends_as_asked_and_starts_again_after_a_kill() {
    let place = Place::new();
    let mut first = place.serve();
    for key in ["authority.key", "authority.pem", "order.key", "report.key"] {
        assert_eq!(mode(&place.data().join(key)), 0o600, "{key}");
    }
    let authority = std::fs::read(place.data().join("authority.pem")).unwrap();
    assert!(
        place
            .logged()
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    assert!(
        place
            .refused(&["serve"], "")
            .contains("another collector serves")
    );
    // Commands work beside the service.
    place.ok(&["facility", "add", "handa-hp"]);
    signal(&first, "-TERM");
    assert!(first.wait().unwrap().success(), "{}", place.logged());
    assert!(place.logged().contains("ended as asked"));

    let mut second = place.serve();
    signal(&second, "-KILL");
    second.wait().unwrap();
    let mut third = place.serve();
    assert_eq!(place.list(&["facility", "list"]).len(), 1);
    assert_eq!(std::fs::read(place.data().join("authority.pem")).unwrap(), authority);
    signal(&third, "-INT");
    assert!(third.wait().unwrap().success());
    assert!(place.ok(&["audit", "verify"]).contains("whole"));
}

#[test]
fn a_key_others_can_read_stops_the_start() {
    let place = Place::new();
    place.ok(&["token", "list"]);
    let key = place.data().join("order.key");
    std::fs::write(&key, "x").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = place.refused(&["serve"], "");
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn postgresql_is_refused_with_the_place_where_it_will_stand() {
    let place = Place::new();
    let text = std::fs::read_to_string(place.config()).unwrap();
    std::fs::write(place.config(), format!("database = \"postgres://db/x\"\n{text}")).unwrap();
    let said = place.refused(&["migrate"], "");
    assert!(said.contains("SQLite only") && said.contains("store/connect.rs"), "{said}");
}
