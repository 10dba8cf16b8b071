//! Indicators as a STIX 2.1 bundle.
//!
//! ```text
//! identity (who reports) ◀─ indicator … (what can be matched)   ◀─┐
//!                        ◀─ note …      (what is told in words) ◀─┴─ report
//! ```
//!
//! Always holds: the same answers at the same moment give the same bytes; ids are derived, not drawn.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Value, json};
use shirase_shared::ids::ReportId;
use shirase_shared::tls::sha256_hex;

use super::indicators::Indicator;

/// The marking TLP:AMBER of STIX 2.1: for the addressee and those who must act.
const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
/// Endings that name a file rather than a place in the network.
const FILE_ENDINGS: &[&str] = &[
    "bat", "cmd", "dll", "doc", "docx", "exe", "hta", "htm", "html", "jar", "js", "lnk", "locked",
    "pdf", "ps1", "py", "scr", "sh", "sys", "txt", "vbs", "xls", "xlsx", "zip",
];

/// What the bundle says besides the indicators.
pub(super) struct Facts {
    /// The report.
    pub(super) report: ReportId,
    /// Its revision.
    pub(super) revision: u32,
    /// When it was made.
    pub(super) at: Timestamp,
    /// A name for it.
    pub(super) name: String,
    /// What it is and how far approved.
    pub(super) about: String,
    /// Who reports.
    pub(super) facility: String,
    /// `drill`, and how far it is.
    pub(super) labels: Vec<&'static str>,
    /// Hash of the frozen answers.
    pub(super) answers_sha256: String,
    /// Language of the words.
    pub(super) lang: &'static str,
}

impl Facts {
    fn time(&self, at: Timestamp) -> String {
        at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
    }

    /// Derives an id, so that the same thing in the same revision is the same object.
    fn id(&self, kind: &str, of: &str) -> String {
        let seed = format!("{kind}\n{}\n{}\n{of}", self.report, self.revision);
        let digits = sha256_hex(seed.as_bytes());
        let number = digits
            .get(..32)
            .and_then(|half| u128::from_str_radix(half, 16).ok());
        let uuid = uuid::Builder::from_random_bytes(number.unwrap_or_default().to_be_bytes());
        format!("{kind}--{}", uuid.into_uuid())
    }

    /// What every object has.
    fn object(&self, kind: &str, of: &str, own: Value) -> Value {
        let mut object = json!({
            "type": kind,
            "spec_version": "2.1",
            "id": self.id(kind, of),
            "created": self.time(self.at),
            "modified": self.time(self.at),
            "created_by_ref": self.id("identity", ""),
            "object_marking_refs": [AMBER],
            "lang": self.lang,
            "labels": self.labels,
        });
        if let (Value::Object(all), Value::Object(own)) = (&mut object, own) {
            all.extend(own);
        }
        object
    }
}

/// Makes the bundle.
pub(super) fn bundle(facts: &Facts, indicators: &[Indicator]) -> String {
    let identity =
        facts.object("identity", "", json!({ "name": facts.facility, "identity_class": "organization", "sectors": ["healthcare"] }));
    let told: Vec<Value> = indicators
        .iter()
        .enumerate()
        .map(|(index, one)| told(facts, index, one))
        .collect();
    let refs: Vec<&Value> = told.iter().filter_map(|object| object.get("id")).collect();
    let report = facts.object(
        "report",
        "",
        json!({
            "name": facts.name,
            "description": facts.about,
            "published": facts.time(facts.at),
            "report_types": ["indicator"],
            "object_refs": refs,
            "external_references": [{
                "source_name": "shirase-report",
                "external_id": format!("{} revision {}", facts.report, facts.revision),
                "description": format!("answers-sha256 {}", facts.answers_sha256),
            }],
        }),
    );
    let mut objects = vec![identity, report];
    objects.extend(told);
    let bundle = json!({ "type": "bundle", "id": facts.id("bundle", ""), "objects": objects });

    format!("{bundle:#}\n")
}

fn told(facts: &Facts, index: usize, one: &Indicator) -> Value {
    let of = format!("{index} {} {}", one.label, one.value);
    let name = if one.label.is_empty() {
        one.value.clone()
    } else {
        format!("{}: {}", one.label, one.value)
    };
    match pattern(&one.value) {
        Some(pattern) => facts.object(
            "indicator",
            &of,
            json!({
                "name": name,
                "indicator_types": ["malicious-activity"],
                "pattern": pattern,
                "pattern_type": "stix",
                "valid_from": facts.time(one.at.unwrap_or(facts.at)),
            }),
        ),
        None => facts.object(
            "note",
            &of,
            json!({ "content": name, "object_refs": [facts.id("identity", "")] }),
        ),
    }
}

/// Returns the pattern that matches a thing, if it can be told what it is.
fn pattern(value: &str) -> Option<String> {
    let thing = value
        .split([' ', '　', '（', '(', '、', ','])
        .next()
        .unwrap_or_default()
        .replace("[.]", ".")
        .replace("hxxp", "http");
    let quoted = thing.replace('\\', "\\\\").replace('\'', "\\'");
    if thing.chars().all(|c| c.is_ascii_hexdigit()) {
        let kind = match thing.len() {
            32 => Some("MD5"),
            40 => Some("'SHA-1'"),
            64 => Some("'SHA-256'"),
            _ => None,
        };
        return kind.map(|kind| format!("[file:hashes.{kind} = '{}']", thing.to_lowercase()));
    }
    if let Ok(address) = thing.parse::<IpAddr>() {
        let kind = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
        return Some(format!("[{kind}:value = '{address}']"));
    }
    if thing.starts_with("http://") || thing.starts_with("https://") {
        return Some(format!("[url:value = '{quoted}']"));
    }
    if thing.starts_with('.') && 1 < thing.len() && thing.len() <= 33 {
        // `_` in a suffix stands for any one character there: it matches a little more, never less.
        return (!thing.contains('%')).then(|| format!("[file:name LIKE '%{quoted}']"));
    }
    let ascii = thing
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
    let (_, ending) = thing.rsplit_once('.')?;
    if !ascii || thing.starts_with(['-', '@']) {
        return None;
    }
    if thing.contains('@') {
        return Some(format!("[email-addr:value = '{quoted}']"));
    }
    if FILE_ENDINGS.contains(&ending.to_lowercase().as_str()) {
        return Some(format!("[file:name = '{quoted}']"));
    }
    let is_domain = 2 <= ending.len() && ending.chars().all(|c| c.is_ascii_alphabetic());
    is_domain.then(|| format!("[domain-name:value = '{}']", quoted.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_recognised_by_its_form() {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let of_hash = format!("[file:hashes.'SHA-256' = '{hash}']");
        for (value, expected) in [
            (hash, Some(of_hash.as_str())),
            ("203.0.113[.]5（C2サーバ）", Some("[ipv4-addr:value = '203.0.113.5']")),
            ("2001:db8::1", Some("[ipv6-addr:value = '2001:db8::1']")),
            ("hxxps://evil[.]example/a'b", Some("[url:value = 'https://evil.example/a\\'b']")),
            (".locked", Some("[file:name LIKE '%.locked']")),
            ("How_to_decrypt.txt", Some("[file:name = 'How_to_decrypt.txt']")),
            ("Evil.Example", Some("[domain-name:value = 'evil.example']")),
            ("a@evil.example", Some("[email-addr:value = 'a@evil.example']")),
            ("アカウント admin2 が作られた", None),
            ("=cmd|'/c calc'!A0", None),
        ] {
            assert_eq!(pattern(value).as_deref(), expected, "{value}");
        }
    }
}
