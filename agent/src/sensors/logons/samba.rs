//! What Samba writes about authentication where `auth_audit` or `auth_json_audit` is among its log levels.
//!
//! Always holds: an attempt that is written in both forms counts once. The JSON form is the one to configure: in the
//! other, what a client calls itself stands unquoted beside the status.

use serde::Deserialize;

use super::reading::{Attempt, Known};
use crate::observation::{Manner, Outcome};

/// How the status of a success reads.
const OK: &str = "NT_STATUS_OK";
/// How the status reads when there is no such account.
const NO_SUCH_USER: &str = "NT_STATUS_NO_SUCH_USER";
/// What was offered when nobody knew a password: a client that asks whether guests are welcome.
const NO_PASSWORD: &str = "No-Password";

/// Reads a log of Samba line by line.
#[derive(Default)]
pub(super) struct Samba {
    last: Option<(Form, Authentication)>,
}

/// In which form an attempt was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Authentication")]
    authentication: Option<Authentication>,
}

/// What both forms say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    status: String,
    #[serde(default)]
    remote_address: Option<String>,
    #[serde(default)]
    client_account: Option<String>,
    #[serde(default)]
    password_type: Option<String>,
}

impl Samba {
    /// Returns the attempt a line tells of, if it does and no other line told it.
    pub(super) fn read(&mut self, line: &str) -> Option<Attempt> {
        let (form, found) = if let Some(start) = line.find("{\"timestamp\"") {
            let envelope: Envelope = serde_json::from_str(line.get(start..)?).ok()?;
            (Form::Json, envelope.authentication?)
        } else {
            (Form::Text, of_text(line)?)
        };
        let twin = |(form_before, before): &(Form, Authentication)| {
            *form_before != form && *before == found
        };
        if self.last.take_if(|last| twin(last)).is_some() {
            return None;
        }
        self.last = Some((form, found.clone()));

        attempt(found)
    }
}

fn attempt(found: Authentication) -> Option<Attempt> {
    let name = found.client_account.filter(|name| !name.is_empty())?;
    if found.password_type.as_deref() == Some(NO_PASSWORD) {
        return None;
    }
    let known = if found.status == NO_SUCH_USER { Known::No } else { Known::Perhaps };
    let outcome = if found.status == OK { Outcome::Succeeded } else { Outcome::Failed };

    Some(Attempt {
        name,
        known,
        source: found.remote_address.as_deref().and_then(address),
        service: "smbd".to_owned(),
        manner: Manner::Share,
        outcome,
        times: 1,
    })
}

/// `ipv4:127.0.0.1:38590`, `ipv6:fe80::1:38590`.
fn address(remote: &str) -> Option<String> {
    let (_family, rest) = remote.split_once(':')?;
    let (address, _port) = rest.rsplit_once(':')?;

    (!address.is_empty()).then(|| address.to_owned())
}

/// `Auth: [SMB2,(null)] user [WARD]\[sato] at […] with [NTLMv2] status [NT_STATUS_OK] workstation [PC7] remote host
/// [ipv4:10.0.0.9:38590] …`
fn of_text(line: &str) -> Option<Authentication> {
    let rest = line.trim_start().strip_prefix("Auth: [")?;
    let (_, rest) = rest.split_once("] user [")?;
    let (_domain, rest) = rest.split_once("]\\[")?;
    let (name, rest) = rest.split_once("] at [")?;
    let (_, rest) = rest.split_once("] with [")?;
    let (password, rest) = rest.split_once("] status [")?;
    let (status, rest) = rest.split_once(']')?;
    let (_, rest) = rest.rsplit_once("] remote host [")?;
    let (remote, _) = rest.split_once(']')?;

    Some(Authentication {
        status: status.to_owned(),
        remote_address: Some(remote.to_owned()),
        client_account: Some(name.to_owned()),
        password_type: Some(password.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of smbd 4.17.12 on Debian 12.
    const WRONG_TEXT: &str = r"  Auth: [SMB2,(null)] user [WORKGROUP]\[sato] at [Wed, 25 Nov 2026 19:43:32.880183 UTC] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [VM] remote host [ipv4:127.0.0.1:38590] mapped to [WORKGROUP]\[sato]. local host [ipv4:127.0.0.1:4450] ";
    const WRONG_JSON: &str = r#"  {"timestamp": "2026-11-25T19:43:32.884395+0000", "type": "Authentication", "Authentication": {"version": {"major": 1, "minor": 2}, "eventId": 4625, "logonId": "0", "logonType": 3, "status": "NT_STATUS_WRONG_PASSWORD", "localAddress": "ipv4:127.0.0.1:4450", "remoteAddress": "ipv4:127.0.0.1:38590", "serviceDescription": "SMB2", "authDescription": null, "clientDomain": "WORKGROUP", "clientAccount": "sato", "workstation": "VM", "becameAccount": null, "passwordType": "NTLMv2", "duration": 5830}}"#;

    #[test]
    fn an_attempt_written_twice_counts_once() {
        check(&[WRONG_TEXT], &["failed sato 127.0.0.1"]);
        check(&[WRONG_JSON], &["failed sato 127.0.0.1"]);
        check(
            &[WRONG_TEXT, WRONG_JSON, WRONG_TEXT, WRONG_JSON],
            &["failed sato 127.0.0.1", "failed sato 127.0.0.1"],
        );
        check(&[WRONG_JSON, WRONG_JSON], &["failed sato 127.0.0.1", "failed sato 127.0.0.1"]);
    }

    #[test]
    fn successes_unknown_accounts_and_guests_are_told_apart() {
        let unknown = WRONG_JSON.replace("WRONG_PASSWORD", "NO_SUCH_USER");
        check(&[&unknown], &["failed sato? 127.0.0.1"]);
        let good = WRONG_TEXT.replace("NT_STATUS_WRONG_PASSWORD", OK);
        check(&[&good.replace("ipv4:127.0.0.1", "ipv6:fe80::1")], &["succeeded sato fe80::1"]);
        check(&[&good.replace("[sato]", "[]")], &[]);
        check(&[&unknown.replace("NTLMv2", NO_PASSWORD)], &[]);
    }

    #[test]
    fn other_lines_tell_nothing() {
        check(&["[2026/11/25 19:43:32.883892,  2] ../../auth/auth_log.c:647(log)"], &[]);
        check(&["  Auth: [SMB2,(null)] user [W"], &[]);
        check(&[r#"  {"timestamp": "x", "type": "Authorization", "Authorization": {}}"#], &[]);
        check(&[r#"  {"timestamp": "x", "#], &[]);
    }

    #[track_caller]
    fn check(lines: &[&str], expected: &[&str]) {
        let mut samba = Samba::default();
        let told: Vec<_> = lines
            .iter()
            .filter_map(|line| samba.read(line))
            .map(|attempt| {
                let outcome = match attempt.outcome {
                    Outcome::Failed => "failed",
                    Outcome::Succeeded => "succeeded",
                };
                let unknown = if attempt.known == Known::No { "?" } else { "" };
                format!("{outcome} {}{unknown} {}", attempt.name, attempt.source.unwrap())
            })
            .collect();
        assert_eq!(told, expected, "{lines:?}");
    }
}
