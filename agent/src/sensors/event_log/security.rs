//! What an entry of the Security log says of logons and of administrators' rights.
//!
//! Always holds: pure; names are in the clear and stay on the host.

use super::entry::Entry;

/// Somebody logged on.
const LOGON: u32 = 4624;
/// Somebody tried and was refused.
const REFUSED: u32 = 4625;
/// Somebody who is in already used another account's password.
const WITH_OTHER_PASSWORD: u32 = 4648;
/// Somebody was put into a group: global, local, universal.
const ADDED: [u32; 3] = [4728, 4732, 4756];
/// Somebody was taken out of one.
const REMOVED: [u32; 3] = [4729, 4733, 4757];
/// The Security log was emptied.
const CLEARED: u32 = 1102;

/// Every kind of entry worth reading.
#[cfg_attr(not(windows), expect(dead_code, reason = "there is a log to ask on Windows alone"))]
pub(crate) const KINDS: [u32; 10] = [
    LOGON,
    REFUSED,
    WITH_OTHER_PASSWORD,
    ADDED[0],
    ADDED[1],
    ADDED[2],
    REMOVED[0],
    REMOVED[1],
    REMOVED[2],
    CLEARED,
];

/// There is no such account.
const NO_SUCH_ACCOUNT: &str = "0xc0000064";
/// What stands in an entry for "yes" (`%%1842` in the system's message tables).
const YES: &str = "%%1842";
/// The local group whose members may do everything.
const ADMINISTRATORS: &str = "S-1-5-32-544";
/// Local groups whose members can become administrators: account, server and backup operators.
const OPERATORS: [&str; 3] = ["S-1-5-32-548", "S-1-5-32-549", "S-1-5-32-551"];
/// Groups of a domain, by the end of their id: domain, schema, enterprise administrators, owners of group policies.
const DOMAIN_ADMINISTRATORS: [&str; 4] = ["-512", "-518", "-519", "-520"];
/// Accounts of the system itself, of its desktops and of its services, by how their ids begin.
const SYSTEM: [&str; 6] =
    ["S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-90-", "S-1-5-96-", "S-1-5-80-"];
/// Nobody in particular: anonymous.
const ANONYMOUS: &str = "S-1-5-7";

/// Something an entry told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// An attempt to log on.
    Attempt(Attempt),
    /// An administrator's rights were given or taken.
    Rights(Rights),
    /// The log was emptied.
    Cleared,
}

/// An attempt to log on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The account, with its domain unless that is this host.
    pub(crate) name: String,
    /// Whose it is.
    pub(crate) whose: Whose,
    /// Whether the session has an administrator's rights.
    pub(crate) is_administrator: bool,
    /// Whether it was let in.
    pub(crate) succeeded: bool,
    /// Address it came from.
    pub(crate) source: Option<String>,
    /// What checked the password, for example `NtLmSsp`.
    pub(crate) service: String,
    /// What was wanted.
    pub(crate) manner: Manner,
}

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Person,
    /// The system's, a service's, or another machine's.
    System,
    /// There is no such account.
    Nobody,
}

/// What a logon is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A desktop from elsewhere.
    Remote,
    /// Files, printers or administration over the network.
    Share,
    /// At the machine itself.
    Console,
    /// Another account's rights for somebody who is in already.
    Elevation,
}

/// A change of who is an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// The id of who was put in or taken out.
    pub(crate) id: String,
    /// Its name, where the entry has it: a domain's accounts have one, this host's have not.
    pub(crate) name: Option<String>,
    /// Whether the rights were given.
    pub(crate) granted: bool,
    /// The group.
    pub(crate) group: String,
}

/// Returns what an entry tells; most tell nothing.
pub(crate) fn read(entry: &Entry) -> Option<Told> {
    match entry.id {
        LOGON | REFUSED => attempt(entry).map(Told::Attempt),
        WITH_OTHER_PASSWORD => elevation(entry).map(Told::Attempt),
        id if ADDED.contains(&id) => rights(entry, true).map(Told::Rights),
        id if REMOVED.contains(&id) => rights(entry, false).map(Told::Rights),
        CLEARED => Some(Told::Cleared),
        _ => None,
    }
}

fn attempt(entry: &Entry) -> Option<Attempt> {
    let succeeded = entry.id == LOGON;
    let manner = manner(entry.value("LogonType")?)?;
    let id = entry.value("TargetUserSid").unwrap_or_default();
    if succeeded && id == ANONYMOUS {
        return None;
    }
    let unknown = ["Status", "SubStatus"]
        .iter()
        .filter_map(|name| entry.value(name))
        .any(|status| status.eq_ignore_ascii_case(NO_SUCH_ACCOUNT));
    let name = name(entry.value("TargetUserName")?, entry.value("TargetDomainName"));

    Some(Attempt {
        whose: if unknown { Whose::Nobody } else { whose(&name, id) },
        is_administrator: entry.value("ElevatedToken") == Some(YES),
        succeeded,
        source: source(entry),
        service: entry
            .value("LogonProcessName")
            .or_else(|| entry.value("AuthenticationPackageName"))
            .unwrap_or("Windows")
            .to_owned(),
        manner,
        name,
    })
}

/// A service or a task that starts under its account says the same; only what a person does is told.
fn elevation(entry: &Entry) -> Option<Attempt> {
    let (doer, target) = (entry.value("SubjectUserName")?, entry.value("TargetUserName")?);
    let by_system = whose(doer, entry.value("SubjectUserSid").unwrap_or_default()) != Whose::Person;
    if by_system || doer.eq_ignore_ascii_case(target) {
        return None;
    }
    let name = name(target, entry.value("TargetDomainName"));
    let program = entry.value("ProcessName").unwrap_or("Windows");

    Some(Attempt {
        whose: whose(&name, ""),
        is_administrator: false,
        succeeded: true,
        source: source(entry),
        service: program.rsplit('\\').next().unwrap_or(program).to_owned(),
        manner: Manner::Elevation,
        name,
    })
}

fn rights(entry: &Entry, granted: bool) -> Option<Rights> {
    let group = entry.value("TargetSid")?;
    let of_domain = group.starts_with("S-1-5-21-")
        && DOMAIN_ADMINISTRATORS.iter().any(|end| group.ends_with(end));
    if group != ADMINISTRATORS && !OPERATORS.contains(&group) && !of_domain {
        return None;
    }

    Some(Rights {
        id: entry.value("MemberSid")?.to_owned(),
        name: entry.value("MemberName").map(common_name),
        granted,
        group: entry.value("TargetUserName").unwrap_or(group).to_owned(),
    })
}

/// What a logon of this type is for; a service's and a task's own are none of a person's.
fn manner(kind: &str) -> Option<Manner> {
    match kind {
        "10" | "12" => Some(Manner::Remote),
        "3" | "8" => Some(Manner::Share),
        "2" | "7" | "11" | "13" => Some(Manner::Console),
        "9" => Some(Manner::Elevation),
        _ => None,
    }
}

fn whose(name: &str, id: &str) -> Whose {
    // A machine's own account ends with a dollar sign.
    let of_system = name.ends_with('$') || SYSTEM.iter().any(|system| id.starts_with(system));
    if of_system { Whose::System } else { Whose::Person }
}

fn name(account: &str, domain: Option<&str>) -> String {
    match domain {
        Some(domain) if !domain.is_empty() => format!(r"{domain}\{account}"),
        Some(_) | None => account.to_owned(),
    }
}

/// The address an attempt came from, unless that is this host.
fn source(entry: &Entry) -> Option<String> {
    let address = entry.value("IpAddress")?;
    let address = address.strip_prefix("::ffff:").unwrap_or(address);
    let is_here = address == "::1" || address.starts_with("127.") || address == "LOCAL";

    (!is_here).then(|| address.to_owned())
}

/// Returns the name in `CN=山田,OU=…`; a comma in the name has a backslash before it.
fn common_name(distinguished: &str) -> String {
    let Some(rest) = distinguished.strip_prefix("CN=") else { return distinguished.to_owned() };
    let mut name = String::new();
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ',' => break,
            '\\' => name.extend(letters.next()),
            other => name.push(other),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u32, values: &[(&str, &str)]) -> Entry {
        let values: String = values
            .iter()
            .map(|(name, value)| format!(r#"<Data Name="{name}">{value}</Data>"#))
            .collect();
        Entry::read(&format!(
            r#"<Event><System><EventID>{id}</EventID><TimeCreated SystemTime="2026-02-09T01:00:00Z"/>
            <EventRecordID>1</EventRecordID></System><EventData>{values}</EventData></Event>"#
        ))
        .expect("an entry")
    }

    fn attempt(id: u32, values: &[(&str, &str)]) -> Option<Attempt> {
        match read(&entry(id, values)) {
            Some(Told::Attempt(attempt)) => Some(attempt),
            None => None,
            Some(other @ (Told::Rights(_) | Told::Cleared)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refused_remote_desktop_is_an_attempt() {
        let seen = attempt(
            REFUSED,
            &[
                ("TargetUserSid", "S-1-0-0"),
                ("TargetUserName", "administrator"),
                ("TargetDomainName", "EHR-1"),
                ("Status", "0xC000006D"),
                ("SubStatus", "0xC000006A"),
                ("LogonType", "3"),
                ("LogonProcessName", "NtLmSsp "),
                ("IpAddress", "::ffff:192.0.2.7"),
            ],
        );
        let expected = Attempt {
            name: r"EHR-1\administrator".to_owned(),
            whose: Whose::Person,
            is_administrator: false,
            succeeded: false,
            source: Some("192.0.2.7".to_owned()),
            service: "NtLmSsp".to_owned(),
            manner: Manner::Share,
        };
        assert_eq!(seen, Some(expected));
    }

    #[test]
    fn an_account_that_does_not_exist_is_nobodys() {
        let values =
            [("TargetUserName", "oracle"), ("SubStatus", "0xC0000064"), ("LogonType", "10")];
        let seen = attempt(REFUSED, &values).expect("an attempt");
        assert_eq!((seen.whose, seen.manner), (Whose::Nobody, Manner::Remote));
    }

    #[test]
    fn a_session_of_an_administrator_is_known_by_its_token() {
        let values = [
            ("TargetUserSid", "S-1-5-21-1-2-3-500"),
            ("TargetUserName", "ito"),
            ("LogonType", "10"),
            ("ElevatedToken", "%%1842"),
            ("IpAddress", "127.0.0.1"),
        ];
        let seen = attempt(LOGON, &values).expect("an attempt");
        assert!(seen.succeeded && seen.is_administrator);
        assert_eq!((seen.whose, seen.source), (Whose::Person, None));
    }

    #[test]
    fn what_the_system_does_for_itself_is_no_persons() {
        let service =
            [("TargetUserName", "SYSTEM"), ("TargetUserSid", "S-1-5-18"), ("LogonType", "5")];
        assert_eq!(attempt(LOGON, &service), None);
        let machine = [("TargetUserName", "PACS-2$"), ("LogonType", "3")];
        assert_eq!(attempt(LOGON, &machine).expect("an attempt").whose, Whose::System);
        let anonymous = [("TargetUserName", "x"), ("TargetUserSid", "S-1-5-7"), ("LogonType", "3")];
        assert_eq!(attempt(LOGON, &anonymous), None);
        let task = [
            ("SubjectUserName", "EHR-1$"),
            ("SubjectUserSid", "S-1-5-18"),
            ("TargetUserName", "backup"),
        ];
        assert_eq!(attempt(WITH_OTHER_PASSWORD, &task), None);
    }

    #[test]
    fn another_accounts_password_is_an_elevation() {
        let values = [
            ("SubjectUserName", "ito"),
            ("SubjectUserSid", "S-1-5-21-1-2-3-1001"),
            ("TargetUserName", "Administrator"),
            ("ProcessName", r"C:\Windows\System32\runas.exe"),
        ];
        let seen = attempt(WITH_OTHER_PASSWORD, &values).expect("an attempt");
        assert_eq!((seen.manner, seen.service.as_str()), (Manner::Elevation, "runas.exe"));
    }

    #[test]
    fn administrators_are_made_and_unmade_by_groups() {
        let values = |group| {
            [
                ("MemberName", r"CN=Yamada\, Taro,OU=x,DC=y"),
                ("MemberSid", "S-1-5-21-1-2-3-1001"),
                ("TargetUserName", "Administrators"),
                ("TargetSid", group),
            ]
        };
        for group in [ADMINISTRATORS, OPERATORS[2], "S-1-5-21-1-2-3-512", "S-1-5-21-1-2-3-519"] {
            let Some(Told::Rights(rights)) = read(&entry(ADDED[1], &values(group))) else {
                panic!("{group} is not told")
            };
            assert_eq!((rights.granted, rights.name.as_deref()), (true, Some("Yamada, Taro")));
        }
        let removed = read(&entry(REMOVED[0], &values("S-1-5-21-1-2-3-512")));
        assert!(matches!(removed, Some(Told::Rights(Rights { granted: false, .. }))));
        for group in ["S-1-5-32-545", "S-1-5-21-1-2-3-513", "S-1-5-32-512"] {
            assert_eq!(read(&entry(ADDED[0], &values(group))), None, "{group}");
        }
    }

    #[test]
    fn an_emptied_log_is_told() {
        assert_eq!(read(&entry(CLEARED, &[])), Some(Told::Cleared));
        assert_eq!(read(&entry(4672, &[])), None);
    }
}
