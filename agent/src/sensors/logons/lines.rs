//! Takes the lines of system logs apart: who wrote them, and what.
//!
//! ```text
//! Nov 25 19:42:17 vm sshd[8107]: Failed password for …                     rsyslog, traditional
//! 2026-11-25T19:42:17.508355+09:00 vm sshd[8107]: Failed password for …    rsyslog, with RFC 3339 times
//! {"SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Failed password for …",…}        journald
//! ```

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Repetitions taken from a line at the most; a larger number is no count of a log.
const REPEATED_MAX: u64 = 100_000;

/// A line of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The program that wrote it.
    pub(super) program: &'a str,
    /// Its process id, where the line tells.
    pub(super) pid: Option<u32>,
    /// What it wrote.
    pub(super) message: &'a str,
    /// How often, where the line stands for several.
    pub(super) times: u64,
}

/// Takes a line of a text file apart; `None` if it is none of `syslog`.
pub(super) fn of_text(line: &str) -> Option<Line<'_>> {
    let starts_with_year = line.as_bytes().first().is_some_and(u8::is_ascii_digit);
    // The time is one word or three: `Nov  5 19:42:17`.
    let rest = if starts_with_year { after_words(line, 1)? } else { after_words(line, 3)? };
    let (_host, rest) = rest.split_once(' ')?;
    let (tag, message) = rest.split_once(": ")?;
    let (program, pid) = match tag.split_once('[') {
        Some((program, pid)) => (program, pid.strip_suffix(']')?.parse().ok()),
        None => (tag, None),
    };
    if program.is_empty() || program.contains(' ') {
        return None;
    }
    let (message, times) = repeated(message);

    Some(Line { program, pid, message, times })
}

fn after_words(line: &str, count: usize) -> Option<&str> {
    let mut rest = line;
    for _ in 0..count {
        rest = rest.split_once(' ')?.1.trim_start();
    }

    Some(rest)
}

/// `message repeated 2 times: [ … ]` stands for two more of what stood before.
fn repeated(message: &str) -> (&str, u64) {
    let inner = message
        .strip_prefix("message repeated ")
        .and_then(|rest| rest.split_once(" times: ["))
        .and_then(|(times, rest)| Some((times.parse().ok()?, rest.strip_suffix(']')?)));
    match inner {
        Some((times, inner)) if (1..=REPEATED_MAX).contains(&times) => (inner.trim(), times),
        Some(_) | None => (message, 1),
    }
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    program: String,
    pid: Option<u32>,
    message: String,
    /// When the journal took it.
    pub(super) at: Option<Timestamp>,
    origin: Origin,
}

/// Whether the kernel vouched for who wrote an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The superuser, or a program of that very name.
    Vouched,
    /// Somebody who calls himself so.
    Claimed,
}

/// Programs an ordinary user starts with higher rights: what they write carries that user's id.
const STARTED_BY_PEOPLE: &[&str] = &["su", "sudo", "gpasswd", "newgrp", "pkexec", "passwd"];

impl Entry {
    /// Returns the line in it, unless an ordinary user wrote it in the name of a program of the system.
    pub(super) fn line(&self) -> Option<Line<'_>> {
        match self.origin {
            Origin::Vouched => {
                let (message, times) = repeated(&self.message);
                Some(Line { program: &self.program, pid: self.pid, message, times })
            }
            Origin::Claimed => None,
        }
    }
}

/// Takes a line of `journalctl --output=json` apart; `None` if it is none.
pub(super) fn of_journal(line: &str) -> Option<Entry> {
    let fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    let text = |name: &str| fields.get(name).and_then(text);
    let number = |name: &str| text(name).and_then(|text| text.parse::<u32>().ok());
    let program = text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM"))?;
    let started_by_people = STARTED_BY_PEOPLE.contains(&program.as_str());
    let origin = match number("_UID") {
        Some(0) => Origin::Vouched,
        Some(_) if started_by_people && text("_COMM").is_some_and(|comm| comm == program) => {
            Origin::Vouched
        }
        Some(_) | None => Origin::Claimed,
    };
    let at = text("__REALTIME_TIMESTAMP")
        .and_then(|micros| micros.parse().ok())
        .and_then(|micros| Timestamp::from_microsecond(micros).ok());

    Some(Entry {
        pid: number("SYSLOG_PID").or_else(|| number("_PID")),
        message: text("MESSAGE")?,
        program,
        at,
        origin,
    })
}

/// A field is text, or a list of bytes where it is no UTF-8, or a list of such where it stands there twice.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
            let bytes: Option<Vec<u8>> = values.iter().map(byte).collect();
            match bytes {
                Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                None => values.first().and_then(text),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_forms_come_apart() {
        check("Nov 25 19:42:17 vm sshd[8107]: Failed x", Some(("sshd", Some(8107), "Failed x", 1)));
        check("Nov  5 19:42:17 vm sudo: a : b", Some(("sudo", None, "a : b", 1)));
        check(
            "2026-11-25T19:42:17.508355+09:00 vm sshd[8107]: Failed x",
            Some(("sshd", Some(8107), "Failed x", 1)),
        );
        check(
            "Nov 25 19:42:47 vm sshd[9]: message repeated 2 times: [ Failed x]",
            Some(("sshd", Some(9), "Failed x", 2)),
        );
        check("", None);
        check("Nov 25", None);
        check("Nov 25 19:42:17 vm sshd[8107 Failed", None);
        check("\u{fffd}\u{fffd}\u{fffd} a b c: d", None);
    }

    #[test]
    fn entries_of_the_journal_come_apart() {
        let line = r#"{"SYSLOG_IDENTIFIER":"sshd","SYSLOG_PID":"8107","_PID":"8107","_UID":"0","_COMM":"sshd",
            "MESSAGE":"Failed x","__REALTIME_TIMESTAMP":"1795635707951844"}"#;
        let entry = of_journal(line).unwrap();
        let expected = Line { program: "sshd", pid: Some(8107), message: "Failed x", times: 1 };
        assert_eq!(entry.line(), Some(expected));
        assert_eq!(entry.at.unwrap().to_string(), "2026-11-25T19:41:47.951844Z");
    }

    #[test]
    fn bytes_that_are_no_text_are_still_read() {
        let line =
            r#"{"SYSLOG_IDENTIFIER":"sshd","_UID":"0","MESSAGE":[70,255,120],"_PID":["7","8"]}"#;
        let entry = of_journal(line).unwrap();
        assert_eq!(entry.line().unwrap().message, "F\u{fffd}x");
        assert_eq!(entry.line().unwrap().pid, Some(7));
    }

    #[test]
    fn nobody_speaks_in_the_name_of_sshd() {
        let told = |program: &str, comm: &str, uid: u32| {
            let line = format!(
                r#"{{"SYSLOG_IDENTIFIER":"{program}","_COMM":"{comm}","_UID":"{uid}","MESSAGE":"x"}}"#
            );
            of_journal(&line).unwrap().line().is_some()
        };
        assert!(told("sshd", "sshd", 0));
        assert!(told("su", "su", 1001));
        assert!(!told("sshd", "logger", 1001));
        assert!(!told("sshd", "sshd", 1001));
        assert!(!told("su", "logger", 1001));
    }

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, Option<u32>, &str, u64)>) {
        let found = of_text(line).map(|line| (line.program, line.pid, line.message, line.times));
        assert_eq!(found, expected, "{line}");
    }
}
