//! Recording and replaying as a person does it: with the real program, real files and damaged recordings.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "program/watching.rs"]
mod watching;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::{Value, json};
use shirase_agent::observation::{Fact, FileChange, Observation, Operation, Root, Verdict};
use shirase_agent::trace::{Anonymiser, Header, Limit, Recorded, Seen, TraceWriter};
use shirase_shared::redact::Names;
use shirase_shared::testing::builders::moment;

use watching::Watching;

#[test]
fn what_watch_saw_is_replayed_with_the_same_lines() {
    let home = tempfile::tempdir().unwrap();
    let share = home.path().join("share");
    fs::create_dir(&share).unwrap();
    for number in 0..8 {
        fs::write(share.join(format!("山田{number}.docx")), b"PK\x03\x04 a document").unwrap();
    }
    let trace = home.path().join("day.jsonl.zst");
    let mut watching = Watching::start(&share, &["--record", trace.to_str().unwrap()]);
    for number in 0..8 {
        let file = share.join(format!("山田{number}.docx"));
        fs::rename(&file, share.join(format!("山田{number}.docx.qzx"))).unwrap();
    }
    let live = watching.until(|line| line["severity"] == "critical" || line["severity"] == "high");
    watching.end();

    let output = replay(&[trace.to_str().unwrap(), "--json"]);
    assert!(output.status.success(), "{}", err(&output));
    let lines = lines(&output);
    let told = lines
        .iter()
        .find(|line| line["severity"] == live["severity"])
        .unwrap();
    for key in
        ["kind", "phase", "detected_at", "first_change_at", "root", "files_affected", "reason"]
    {
        assert_eq!(told[key], live[key], "{key}");
    }
    let summary = lines.last().unwrap();
    assert_eq!(summary["type"], "summary");
    assert!(live["files_affected"].as_u64() <= summary["observations"].as_u64(), "{summary}");

    let config = home.path().join("lax.toml");
    let lax = "[detectors.mass_change]\nhigh_files = 500\ncritical_files = 500\n";
    fs::write(&config, lax).unwrap();
    let lax = replay(&[trace.to_str().unwrap(), "--config", config.to_str().unwrap(), "--json"]);
    assert_ne!(self::lines(&lax).last().unwrap()["worst"], "critical");

    let copy = home.path().join("shared.jsonl");
    let anonymised = replay(&[trace.to_str().unwrap(), "--anonymise", copy.to_str().unwrap()]);
    assert!(anonymised.status.success(), "{}", err(&anonymised));
    let text = fs::read_to_string(&copy).unwrap();
    assert!(!text.contains("山田") && !text.contains("qzx") && text.contains(".docx"), "{text}");
    let again = self::lines(&replay(&[copy.to_str().unwrap(), "--json"]));
    assert_eq!(
        again.last().unwrap()["worst"],
        summary["worst"],
        "an anonymised trace replays alike"
    );
}

#[test]
fn a_recording_never_records_itself_and_overwrites_nothing() {
    let home = tempfile::tempdir().unwrap();
    let there = home.path().join("there.jsonl");
    fs::write(&there, "").unwrap();
    let share = home.path().join("share");
    fs::create_dir(&share).unwrap();
    for (file, said) in [(share.join("inside.jsonl"), "record itself"), (there, "is there already")]
    {
        let output = Command::new(program())
            .args(["watch", "--record"])
            .args([&file, &share])
            .output()
            .unwrap();
        assert!(!output.status.success());
        assert!(err(&output).contains(said), "{}", err(&output));
    }
}

#[test]
fn a_damaged_or_foreign_file_is_named_with_its_line_and_a_remedy() {
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole.jsonl");
    write(&whole, 5, Limit { bytes: u64::MAX });
    let text = fs::read_to_string(&whole).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let packed = home.path().join("whole.jsonl.zst");
    write(&packed, 500, Limit { bytes: u64::MAX });
    let packed = fs::read(packed).unwrap();
    let (half, _) = packed.split_at(packed.len() / 2);
    let cases: [(&str, Vec<u8>, &[&str]); 9] = [
        ("empty", Vec::new(), &["line 1", "empty", "give a file"]),
        ("prose", b"hello\n".to_vec(), &["line 1", "give a file"]),
        ("json", b"{\"a\":1}\n".to_vec(), &["line 1", "give a file"]),
        ("binary", vec![0xff; 3000], &["line 1", "give a file"]),
        ("sealed", b"age-encryption.org/v1\n-> X25519".to_vec(), &["encrypted", "manifest open"]),
        (
            "newer",
            text.replace("\"version\":1", "\"version\":9").into(),
            &["version 9", "newer one"],
        ),
        (
            "cut",
            format!("{}\n{}", lines[..4].join("\n"), lines[4].split_at(30).0).into(),
            &["line 4", "cut off"],
        ),
        (
            "odd",
            text.replacen("renamed", "renaimed", 3).into(),
            &["line 2", "renaimed", "remove that line"],
        ),
        ("half", half.to_vec(), &["cut off"]),
    ];
    for (name, bytes, said) in cases {
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        let output = replay(&[path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        for said in said {
            assert!(err(&output).contains(said), "{name}: `{said}` is not in {}", err(&output));
        }
    }
    let beyond = home.path().join("beyond");
    fs::write(&beyond, format!("{text}{}\n", lines[1])).unwrap();
    assert!(err(&replay(&[beyond.to_str().unwrap()])).contains("line 8"));
}

#[test]
fn a_recording_is_bounded_and_says_what_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("small.jsonl");
    write(&path, 5000, Limit { bytes: 10_000 });
    assert!(fs::metadata(&path).unwrap().len() < 11_000);
    let mut recorded = Recorded::open(&path, &[]).unwrap();
    let mut read = 0;
    while recorded.read().unwrap().is_some() {
        read += 1;
    }
    let end = recorded.end().unwrap();
    assert_eq!((end.observations, end.observations + end.omitted), (read, 5000));
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_comes_back_as_it_was() {
    use std::os::unix::ffi::OsStringExt as _;

    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("odd.jsonl");
    let below = PathBuf::from(std::ffi::OsString::from_vec(vec![b'd', b'/', 0xff, b'.', b'a']));
    let seen = seen(0, &below, Operation::Renamed { from: below.clone() });
    let mut writer = TraceWriter::create(&path, header(), None, Limit { bytes: u64::MAX }).unwrap();
    writer.write(&seen).unwrap();
    writer.finish(moment(1)).unwrap();
    let mut recorded = Recorded::open(&path, &[]).unwrap();
    assert_eq!(recorded.read().unwrap(), Some(seen));
}

#[test]
fn a_manifest_is_replayed_and_a_maintenance_window_can_be_tried_on_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("manifest.jsonl");
    let mut text = String::new();
    for number in 0..30 {
        let at = moment(number).wall;
        let line = serde_json::json!({
            "at": at, "root": "share", "operation": "renamed", "evidence": ["suffix_appended"],
            "path": format!("/srv/share/d{}/{number}.pdf.qzx", number % 5),
            "from": format!("/srv/share/d{}/{number}.pdf", number % 5),
        });
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text.push_str(
        "{\"path\":\"/srv/share/README.txt\",\"note\":\"pay\"}\n{\"files\":30,\"omitted\":0}\n",
    );
    fs::write(&path, text).unwrap();
    let plain = lines(&replay(&[path.to_str().unwrap(), "--json"]));
    assert_eq!(plain.first().unwrap()["roots"][0]["path"], "/srv/share");
    assert_eq!(plain.last().unwrap()["worst"], "critical");
    assert!(
        plain
            .iter()
            .any(|line| line["phase"] == "ended" && line["files_affected"] == 30)
    );
    let window = format!("{}..{}", moment(-10).wall, moment(600).wall);
    let quiet = lines(&replay(&[path.to_str().unwrap(), "--json", "--maintenance", &window]));
    assert_eq!(quiet.last().unwrap()["worst"], "low");
}

#[test]
fn an_anonymised_trace_keeps_no_name_in_any_fact() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("shared.jsonl");
    let below = PathBuf::from("患者/0001234567/山田太郎.pdf.qzx");
    let from = PathBuf::from("患者/0001234567/山田太郎.pdf");
    let mut writer = TraceWriter::create(
        &path,
        header(),
        Some(Anonymiser::new().unwrap()),
        Limit { bytes: u64::MAX },
    )
    .unwrap();
    writer
        .write(&seen(0, &below, Operation::Renamed { from }))
        .unwrap();
    writer.finish(moment(1)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for name in ["患者", "0001234567", "山田", "qzx", "srv"] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
    assert!(text.contains("\"names\":\"anonymised\"") && text.contains("lost"), "{text}");
}

#[test]
fn what_was_seen_of_safeguards_replays_also_anonymised() {
    let home = tempfile::tempdir().unwrap();
    let [clear, shared] = ["clear.jsonl", "shared.jsonl"].map(|name| home.path().join(name));
    let stopped = (0..12)
        .map(|n| format!("ehr@yamada{n}.service"))
        .collect::<Vec<_>>();
    let facts = [
        json!({"services": {"stopped": stopped, "started": []}}),
        json!({"guard": {"name": "auditd.service", "runs": "missing", "starts": "unknown", "before": "ran"}}),
        json!({"log": {"path": "/srv/yamada/ehr.log", "bytes_before": 900, "now": {"shorter": {"bytes": 0}}}}),
        json!({"own": {"part": "identity", "name": "host.key", "change": "changed", "when": "running"}}),
        json!({"backup": {"name": "yamada", "state": {"files": {"since": null, "before": 9, "left": 0, "gone": 9}}}}),
    ];
    for (path, anonymiser) in [(&clear, None), (&shared, Some(Anonymiser::new().unwrap()))] {
        let limit = Limit { bytes: u64::MAX };
        let mut writer = TraceWriter::create(path, header(), anonymiser, limit).unwrap();
        for fact in &facts {
            let fact = serde_json::from_value(fact.clone()).unwrap();
            let (at, now) = (moment(0), moment(0));
            writer
                .write(&Seen { observation: Observation { at, fact }, now })
                .unwrap();
        }
        writer.finish(moment(300)).unwrap();
        let told = lines(&replay(&[path.to_str().unwrap(), "--json"]));
        let events = told.iter().filter(|line| line["type"] == "event");
        let kind = |line: &Value| line["kind"].as_str().unwrap_or_default().to_owned();
        let mut kinds: Vec<_> = events.map(kind).collect();
        kinds.sort();
        assert_eq!(
            kinds,
            ["backup", "protection", "protection", "protection", "stops"],
            "{told:?}"
        );
    }
    let text = fs::read_to_string(&shared).unwrap();
    assert!(text.contains("auditd.service") && !text.contains("yamada"), "{text}");
}

fn header() -> Header {
    let path = PathBuf::from("/srv/share");
    Header::new(moment(0), vec![Root { label: "share".to_owned(), path, names: Names::Hidden }])
}

fn seen(seconds: i64, below: &Path, operation: Operation) -> Seen {
    let root = Arc::new(header().roots.remove(0));
    let change =
        FileChange { verdict: Verdict::Lost, ..FileChange::new(root, below.to_owned(), operation) };
    let at = moment(seconds);
    Seen { observation: Observation { at, fact: Fact::File(change) }, now: at }
}

fn write(path: &Path, observations: u32, limit: Limit) {
    let mut writer = TraceWriter::create(path, header(), None, limit).unwrap();
    for number in 0..observations {
        let from = PathBuf::from(format!("d/{number}.pdf"));
        let below = PathBuf::from(format!("d/{number}.pdf.qzx"));
        let seen = seen(i64::from(number), &below, Operation::Renamed { from });
        writer.write(&seen).unwrap();
    }
    writer.finish(moment(i64::from(observations))).unwrap();
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_shirase-agent")
}

fn replay(args: &[&str]) -> Output {
    Command::new(program())
        .arg("replay")
        .args(args)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
