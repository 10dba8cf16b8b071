//! What a probe asks, as the configuration says it; and what is wrong with it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::address::Address;
use crate::config::Problem;
use crate::event::WatchedAs;

/// Longest interval and longest grace, in seconds: a day and a week.
const INTERVAL_MAX_SECS: u64 = 86_400;
const GRACE_MAX_SECS: u64 = 7 * 86_400;
/// Longest wait for an answer, in seconds.
const TIMEOUT_MAX_SECS: u64 = 600;
/// Longest application entity title, in characters.
pub const TITLE_MAX: usize = 16;
/// Longest field of MSH taken from settings, in bytes.
const HEADER_FIELD_MAX: usize = 180;
/// Longest name of a role or database, in bytes.
const NAME_MAX_BYTES: usize = 63;

/// Options every probe has.
pub const COMMON: &[&str] = &["name", "interval_secs", "timeout_secs", "grace_secs"];

/// What each kind of probe is called in the file, how it counts, and the options only it and its like have.
pub const KINDS: &[(&str, WatchedAs, &[&str])] = &[
    ("tcp", WatchedAs::Tcp, &[]),
    ("url", WatchedAs::Http, &["expect_status", "expect_text", "certificate"]),
    (
        "hl7",
        WatchedAs::Hl7,
        &[
            "sending_application",
            "sending_facility",
            "receiving_application",
            "receiving_facility",
            "acknowledgement",
            "message_file",
            "tls",
            "certificate",
        ],
    ),
    ("dicom", WatchedAs::Dicom, &["called_ae", "calling_ae", "tls", "certificate"]),
    ("postgres", WatchedAs::Postgres, &["user", "database", "password_file", "tls", "certificate"]),
];

/// Whether a probe speaks TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// It does not.
    #[default]
    Off,
    /// It does, and a peer that does not is down.
    On,
}

/// Which certificates a probe takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// Any: the question is whether the server is there.
    #[default]
    Any,
    /// Only one this system trusts.
    Trusted,
}

/// Which acknowledgement a message asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledgement {
    /// Original mode: MSH-15 and MSH-16 are empty, the application answers `AA`.
    #[default]
    Original,
    /// Enhanced mode: MSH-15 is `AL` and MSH-16 `NE`, the receiver answers `CA` once it has the message safe.
    Enhanced,
}

/// Something that must answer. Exactly one of `tcp`, `url`, `hl7`, `dicom` and `postgres` says how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProbeConfig {
    /// What it is called in events and reports, for example `ehr-web`.
    pub name: String,
    /// A TCP port that must accept a connection, `host:port`.
    pub tcp: Option<String>,
    /// A web address that must answer.
    pub url: Option<String>,
    /// An HL7 interface that must acknowledge a message over MLLP, `host:port`.
    pub hl7: Option<String>,
    /// A DICOM node that must answer a C-ECHO, `host:port`.
    pub dicom: Option<String>,
    /// A PostgreSQL server that must take a session, `host:port`.
    pub postgres: Option<String>,
    /// `url`: the HTTP status it must answer with. Default: any below 400.
    pub expect_status: Option<u16>,
    /// `url`: a text that must stand in the first 64 KiB of the answer. Default: none.
    pub expect_text: Option<String>,
    /// `hl7`, `dicom`, `postgres`: whether to speak TLS. Default: `off`.
    pub tls: Option<Tls>,
    /// `url` with https, or `tls = "on"`: which certificates are taken. Default: `any`.
    pub certificate: Option<Certificate>,
    /// `hl7`: MSH-3 of the message. Default: `SHIRASE`.
    pub sending_application: Option<String>,
    /// `hl7`: MSH-4 of the message. Default: empty.
    pub sending_facility: Option<String>,
    /// `hl7`: MSH-5 of the message. Default: empty.
    pub receiving_application: Option<String>,
    /// `hl7`: MSH-6 of the message. Default: empty.
    pub receiving_facility: Option<String>,
    /// `hl7`: which acknowledgement the message asks for. Default: `original`.
    pub acknowledgement: Option<Acknowledgement>,
    /// `hl7`: a file with the message to send in place of the built-in one. MSH-7 and MSH-10 are set anew each time.
    pub message_file: Option<PathBuf>,
    /// `dicom`: application entity title of the node, 1 to 16 characters. Default: `ANY-SCP`.
    pub called_ae: Option<String>,
    /// `dicom`: application entity title the probe gives itself, 1 to 16 characters. Default: `SHIRASE`.
    pub calling_ae: Option<String>,
    /// `postgres`: the role to begin a session with. Default: `shirase`.
    pub user: Option<String>,
    /// `postgres`: the database. Default: `postgres`.
    pub database: Option<String>,
    /// `postgres`: a file, readable by its owner alone, that holds the role's password. With it, the session must
    /// begin and answer `SELECT 1`; without it, being asked for a password is enough. Default: none.
    pub password_file: Option<PathBuf>,
    /// Pause between two questions, in seconds, 1 to 86400; it varies by a tenth. Default: 10.
    pub interval_secs: u64,
    /// Longest time a question may take from the look-up of the name to the last byte, in seconds, 1 to 600. Default: 5.
    pub timeout_secs: u64,
    /// How long it may be silent before that is an outage, in seconds. Default: `detectors.outage.grace_secs`.
    pub grace_secs: Option<u64>,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            tcp: None,
            url: None,
            hl7: None,
            dicom: None,
            postgres: None,
            expect_status: None,
            expect_text: None,
            tls: None,
            certificate: None,
            sending_application: None,
            sending_facility: None,
            receiving_application: None,
            receiving_facility: None,
            acknowledgement: None,
            message_file: None,
            called_ae: None,
            calling_ae: None,
            user: None,
            database: None,
            password_file: None,
            interval_secs: 10,
            timeout_secs: 5,
            grace_secs: None,
        }
    }
}

impl ProbeConfig {
    /// Returns how it is watched and where it asks, if exactly one way is given.
    #[must_use]
    pub fn asks(&self) -> Option<(WatchedAs, &str)> {
        let mut given = self.ways().filter_map(|(way, place)| Some((way, place?)));
        let first = given.next();
        given.next().is_none().then_some(first).flatten()
    }

    fn ways(&self) -> impl Iterator<Item = (WatchedAs, Option<&str>)> {
        let places = [&self.tcp, &self.url, &self.hl7, &self.dicom, &self.postgres];
        KINDS
            .iter()
            .zip(places)
            .map(|((_, way, _), place)| (*way, place.as_deref()))
    }

    fn problems(&self, index: usize) -> Vec<Problem> {
        let mut list = List { index, problems: Vec::new() };
        if self.name.is_empty() || self.name.chars().any(char::is_control) {
            list.add("name", "is empty or has control characters", "give the probe a short name");
        }
        match self.asks() {
            Some((way, place)) => {
                self.place_problems(way, place, &mut list);
                self.option_problems(way, &mut list);
                self.value_problems(&mut list);
            }
            None => list.add(
                "name",
                "needs exactly one of `tcp`, `url`, `hl7`, `dicom` and `postgres`",
                "give one of them; what is asked in two ways is two probes",
            ),
        }
        self.time_problems(&mut list);
        list.problems
    }

    fn place_problems(&self, way: WatchedAs, place: &str, list: &mut List) {
        if way == WatchedAs::Http {
            if !is_url(place) {
                list.add("url", "is not a web address", "write it as http://… or https://…");
            } else if self.certificate.is_some() && !is_secure(place) {
                let remedy = "remove the line, or ask by https://…";
                list.add("certificate", "has no meaning for http://", remedy);
            }
            return;
        }
        if let Err(why) = place.parse::<Address>() {
            let key = row(way).map_or("name", |(key, _)| key);
            list.add(key, why.to_string(), "write it as host:port, an IPv6 address in brackets");
        }
        if self.certificate.is_some() && self.tls == Some(Tls::Off) {
            list.add("certificate", "has no meaning with `tls = \"off\"`", "remove one of the two");
        }
        if self.certificate.is_some() && self.tls.is_none() && way != WatchedAs::Tcp {
            let remedy = "add `tls = \"on\"` or remove the line";
            list.add("certificate", "has no meaning without `tls`", remedy);
        }
    }

    /// Names each option that the probe's kind does not have.
    fn option_problems(&self, way: WatchedAs, list: &mut List) {
        let Some((kind, options)) = row(way) else { return };
        // What is not given is not written either, so that a new option cannot be forgotten here.
        let given = toml::Table::try_from(self).unwrap_or_default();
        for key in given.keys() {
            if key == kind || COMMON.contains(&key.as_str()) || options.contains(&key.as_str()) {
                continue;
            }
            let remedy = match options {
                [] => "remove the line; it has no options of its own".to_owned(),
                _ => format!("remove the line; its own options are `{}`", options.join("`, `")),
            };
            list.add(key, format!("is not an option of a probe by `{kind}`"), remedy);
        }
    }

    fn value_problems(&self, list: &mut List) {
        if self
            .expect_status
            .is_some_and(|status| !(100..600).contains(&status))
        {
            list.add("expect_status", "is not an HTTP status", "give a number from 100 to 599");
        }
        if self.expect_text.as_deref() == Some("") {
            list.add("expect_text", "is empty", "give a text of the page, or remove the line");
        }
        for (key, title) in [("called_ae", &self.called_ae), ("calling_ae", &self.calling_ae)] {
            if let Some(Err(why)) = title.as_deref().map(check_title) {
                list.add(key, why, "give 1 to 16 plain characters, as the node's list has it");
            }
        }
        let header = [
            ("sending_application", &self.sending_application),
            ("sending_facility", &self.sending_facility),
            ("receiving_application", &self.receiving_application),
            ("receiving_facility", &self.receiving_facility),
        ];
        for (key, value) in header {
            let Some(value) = value else { continue };
            if self.message_file.is_some() {
                list.add(key, "is given beside `message_file`", "write it in the message");
            } else if !is_header_field(value) {
                let message = "has a character no field of MSH can hold, or over 180 of them";
                list.add(key, message, "leave out `|`, `~`, `\\` and control characters");
            }
        }
        if self.acknowledgement.is_some() && self.message_file.is_some() {
            let remedy = "write MSH-15 and MSH-16 in the message";
            list.add("acknowledgement", "is given beside `message_file`", remedy);
        }
        for (key, name) in [("user", &self.user), ("database", &self.database)] {
            if name.as_deref().is_some_and(|name| !is_name(name)) {
                list.add(key, "is empty, over 63 bytes or has a NUL", "give the name as it is");
            }
        }
        let files = [("message_file", &self.message_file), ("password_file", &self.password_file)];
        for (key, path) in files {
            if path.as_ref().is_some_and(|path| !path.is_absolute()) {
                list.add(key, "is not an absolute path", "write the whole path from the root");
            }
        }
    }

    fn time_problems(&self, list: &mut List) {
        if !(1..=INTERVAL_MAX_SECS).contains(&self.interval_secs) {
            list.add("interval_secs", "is not between 1 and 86400", "10 is the default");
        }
        if !(1..=TIMEOUT_MAX_SECS).contains(&self.timeout_secs) {
            list.add("timeout_secs", "is not between 1 and 600", "5 is the default");
        }
        if self.grace_secs.is_some_and(|secs| GRACE_MAX_SECS < secs) {
            list.add("grace_secs", "is longer than a week", "60 is usual");
        }
    }
}

/// Returns the key of a kind of probe and its own options.
fn row(way: WatchedAs) -> Option<(&'static str, &'static [&'static str])> {
    KINDS
        .iter()
        .find(|(_, of, _)| *of == way)
        .map(|(kind, _, options)| (*kind, *options))
}

/// Returns whether a text is a web address.
fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()))
}

/// Returns whether a web address is asked over TLS.
fn is_secure(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.scheme() == "https")
}

/// Says what is wrong with an application entity title.
///
/// # Errors
/// In words.
pub fn check_title(title: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_graphic() && c != '\\' || c == ' ';
    match title.chars().count() {
        0 => Err("is empty".to_owned()),
        count if TITLE_MAX < count => {
            Err(format!("has {count} characters, more than the 16 of an AE title"))
        }
        _ if title.trim().is_empty() => Err("is blank".to_owned()),
        _ if !title.chars().all(legal) => Err("has a character no AE title can have".to_owned()),
        _ => Ok(()),
    }
}

/// Returns whether a text can stand in a field of MSH. `^` and `&` may divide it.
fn is_header_field(text: &str) -> bool {
    text.len() <= HEADER_FIELD_MAX
        && !text
            .chars()
            .any(|c| c.is_control() || ['|', '~', '\\'].contains(&c))
}

/// Returns whether a text can name a role or a database.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_MAX_BYTES && !text.contains('\0')
}

/// The problems of one probe.
struct List {
    index: usize,
    problems: Vec<Problem>,
}

impl List {
    fn add(&mut self, key: &str, message: impl Into<String>, remedy: impl Into<String>) {
        let key = format!("sensors.probes.{}.{key}", self.index);
        self.problems.push(Problem::of(&key, message, remedy));
    }
}

/// Returns every rule the configured probes break.
#[must_use]
pub fn problems(probes: &[ProbeConfig]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for (index, probe) in probes.iter().enumerate() {
        problems.extend(probe.problems(index));
        if !probe.name.is_empty() && !names.insert(&probe.name) {
            let key = format!("sensors.probes.{index}.name");
            problems.push(Problem::of(&key, "is used twice", "give each its own name"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_have_one_to_sixteen_plain_characters() {
        for title in ["ORTHANC", "A", "SIXTEEN_CHARS_16", "MY PACS"] {
            assert_eq!(check_title(title), Ok(()), "{title}");
        }
        for title in ["", "   ", "SEVENTEEN_CHARS_1", "A\\B", "病院", "A\tB"] {
            assert!(check_title(title).is_err(), "{title}");
        }
    }
}
