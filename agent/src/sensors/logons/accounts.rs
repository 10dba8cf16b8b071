//! Whose accounts there are and which of them may do everything, by `/etc/passwd`, `/etc/group` and sudo's files.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::{Attempt, Known};
use crate::observation::{Account, Power, RightsChange, Standing};

/// The first user that is a person.
const FIRST_PERSON: u32 = 1000;
/// The users above all people: `nobody`, and those systemd makes up.
const LAST_PERSON: u32 = 60_000;
/// Lines read of one file.
const LINES_MAX: usize = 100_000;

/// The contents of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) passwd: String,
    pub(super) group: String,
    /// `/etc/sudoers` and what lies in `/etc/sudoers.d`.
    pub(super) sudoers: Vec<String>,
}

/// What is known of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accounts {
    uids: BTreeMap<String, u32>,
    /// Each administrator, and by what it is one.
    administrators: BTreeMap<String, String>,
}

impl Accounts {
    /// Reads the files; `groups` are those whose members are administrators.
    pub(super) fn read(files: &Files, groups: &[String]) -> Self {
        let mut accounts = Self::default();
        let mut primary = BTreeMap::<u32, Vec<&str>>::new();
        for line in files.passwd.lines().take(LINES_MAX) {
            let fields: Vec<_> = line.split(':').collect();
            let [name, _, uid, gid, ..] = fields.as_slice() else { continue };
            let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse()) else { continue };
            primary.entry(gid).or_default().push(name);
            // The second account with the id 0 is the more interesting one; the name of a user counts once.
            accounts.uids.entry((*name).to_owned()).or_insert(uid);
            if uid == 0 {
                accounts.grant(name, "user id 0");
            }
        }
        let sudoers = Sudoers::read(&files.sudoers);
        for name in &sudoers.users {
            accounts.grant(name, "a line in sudoers");
        }
        for line in files.group.lines().take(LINES_MAX) {
            let fields: Vec<_> = line.split(':').collect();
            let [group, _, gid, members] = fields.as_slice() else { continue };
            let configured = groups.iter().any(|name| name == group);
            if !configured && !sudoers.groups.contains(*group) {
                continue;
            }
            let by = format!("group `{group}`");
            let by_id = gid.parse().ok().and_then(|gid: u32| primary.get(&gid));
            let by_id = by_id.into_iter().flatten().copied();
            for name in members
                .split(',')
                .filter(|name| !name.is_empty())
                .chain(by_id)
            {
                accounts.grant(name, &by);
            }
        }
        accounts
    }

    fn grant(&mut self, name: &str, by: &str) {
        self.administrators
            .entry(name.to_owned())
            .or_insert_with(|| by.to_owned());
    }

    /// Returns each administrator and by what it is one.
    pub(super) const fn administrators(&self) -> &BTreeMap<String, String> {
        &self.administrators
    }

    /// Returns what is known of the account an attempt named.
    pub(super) fn named(&self, attempt: &Attempt) -> Account {
        match attempt.known {
            Known::Perhaps => self.account(&attempt.name),
            Known::No => Account {
                name: attempt.name.clone(),
                standing: Standing::Nobody,
                power: Power::Ordinary,
            },
        }
    }

    /// Returns what is known of an account; one that is not in the files belongs to a person of some directory.
    pub(super) fn account(&self, name: &str) -> Account {
        let standing = match self.uids.get(name) {
            Some(uid) if (FIRST_PERSON..LAST_PERSON).contains(uid) => Standing::Person,
            // An account somebody made with the id 0 is called as he likes.
            Some(0) if name != "root" => Standing::Person,
            Some(_) => Standing::System,
            // sudo's words for groups and for everybody.
            None if name.starts_with('%') || name == "ALL" => Standing::System,
            None => Standing::Person,
        };
        let power = match self.administrators.contains_key(name) {
            true => Power::Administrator,
            false => Power::Ordinary,
        };

        Account { name: name.to_owned(), standing, power }
    }
}

/// Returns what changed between two looks: who became an administrator by what, and who is none any more.
pub(super) fn changes(
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> Vec<(String, RightsChange, String)> {
    let granted = now
        .iter()
        .filter(|(name, _)| !before.contains_key(*name))
        .map(|(name, by)| (name.clone(), RightsChange::Granted, by.clone()));
    let withdrawn = before
        .iter()
        .filter(|(name, _)| !now.contains_key(*name))
        .map(|(name, by)| (name.clone(), RightsChange::Withdrawn, by.clone()));

    granted.chain(withdrawn).collect()
}

/// Who may run everything as the superuser.
#[derive(Default)]
struct Sudoers {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Sudoers {
    fn read(files: &[String]) -> Self {
        let mut sudoers = Self::default();
        let mut aliases = BTreeMap::<String, Vec<String>>::new();
        let text = files.join("\n").replace("\\\n", " ");
        let lines = || text.lines().take(LINES_MAX).map(without_comment);
        for line in lines() {
            let Some(rest) = line.strip_prefix("User_Alias") else { continue };
            for alias in rest.split(':') {
                if let Some((name, members)) = alias.split_once('=') {
                    aliases.insert(name.trim().to_owned(), list(members));
                }
            }
        }
        for line in lines() {
            let words = ["Defaults", "User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "@"];
            if words.iter().any(|word| line.starts_with(word)) {
                continue;
            }
            let Some((left, right)) = line.split_once('=') else { continue };
            if !runs_everything(right) {
                continue;
            }
            // `yamada, sato HOST = …`: the last word on the left is the host.
            let Some((users, _host)) = left.trim().rsplit_once(char::is_whitespace) else {
                continue;
            };
            for user in list(users) {
                let members = aliases.get(&user).cloned();
                for user in members.unwrap_or_else(|| vec![user]) {
                    sudoers.add(&user);
                }
            }
        }
        sudoers
    }

    fn add(&mut self, user: &str) {
        if let Some(group) = user.strip_prefix('%') {
            self.groups.insert(group.to_owned());
        }
        if !user.starts_with('!') {
            self.users.insert(user.to_owned());
        }
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(|word| word.trim().trim_matches('"').to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// A comment begins with `#`, but `#1000` names a user by its number.
fn without_comment(line: &str) -> &str {
    let is_comment = |(at, _): &(usize, &str)| {
        line.get(at + 1..)
            .and_then(|rest| rest.chars().next())
            .is_none_or(|next| !next.is_ascii_digit())
    };
    let end = line
        .match_indices('#')
        .find(is_comment)
        .map_or(line.len(), |(at, _)| at);

    line.get(..end).unwrap_or(line).trim()
}

/// Whether the right side of a line, `(ALL:ALL) NOPASSWD: ALL`, lets somebody run everything as the superuser.
fn runs_everything(right: &str) -> bool {
    let mut as_superuser = true;
    for command in right.split(',') {
        let mut command = command.trim();
        if let Some((runas, rest)) = command
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
        {
            let users = runas.split(':').next().unwrap_or_default();
            as_superuser = list(users)
                .iter()
                .any(|user| user == "ALL" || user == "root" || user == "#0");
            command = rest.trim();
        }
        // Tags such as `NOPASSWD:` stand before the command.
        let bare = command.rsplit(':').next().unwrap_or(command).trim();
        if bare == "ALL" && as_superuser {
            return true;
        }
    }

    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        backup:x:34:34:backup:/var/backups:/usr/sbin/nologin\n\
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
        yamada:x:1001:1001::/home/yamada:/bin/bash\n\
        sato:x:1002:27::/home/sato:/bin/bash\n\
        broken line\n";
    const GROUP: &str = "root:x:0:\nsudo:x:27:yamada\nops:x:50:suzuki,ito\nstaff:x:51:kato\n";

    #[test]
    fn administrators_are_found_by_every_road() {
        check("", "", "root=user id 0 sato=group `sudo` yamada=group `sudo`");
        check(
            "toor:x:0:0::/:/bin/sh\n",
            "",
            "root=user id 0 sato=group `sudo` toor=user id 0 yamada=group `sudo`",
        );
        check(
            "",
            "%ops ALL=(ALL:ALL) ALL # operators",
            "%ops=a line in sudoers ito=group `ops` root=user id 0 sato=group `sudo` suzuki=group `ops` yamada=group `sudo`",
        );
        check(
            "",
            "User_Alias ADMINS = kato, mori : OTHERS = abe\nADMINS ALL = (root) NOPASSWD: \\\n  ALL",
            "kato=a line in sudoers mori=a line in sudoers root=user id 0 sato=group `sudo` yamada=group `sudo`",
        );
    }

    #[test]
    fn who_may_run_a_few_programs_is_no_administrator() {
        let base = "root=user id 0 sato=group `sudo` yamada=group `sudo`";
        check("", "nagios ALL=(root) NOPASSWD: /usr/lib/nagios/check_x, /bin/ls", base);
        check("", "dba ALL=(postgres) NOPASSWD: ALL", base);
        check(
            "",
            "Defaults env_reset\n@includedir /etc/sudoers.d\n#includedir /etc/sudoers.d",
            base,
        );
        check("", "# kato ALL=(ALL) ALL", base);
    }

    #[test]
    fn people_are_told_from_the_system() {
        let passwd = format!("{PASSWD}toor:x:0:0::/:/bin/sh\n");
        let files = Files { passwd, group: GROUP.to_owned(), sudoers: Vec::new() };
        let accounts = Accounts::read(&files, &["sudo".to_owned()]);
        let told = |name: &str| {
            let account = accounts.account(name);
            (account.standing, account.power)
        };
        assert_eq!(told("root"), (Standing::System, Power::Administrator));
        assert_eq!(told("backup"), (Standing::System, Power::Ordinary));
        assert_eq!(told("nobody"), (Standing::System, Power::Ordinary));
        assert_eq!(told("yamada"), (Standing::Person, Power::Administrator));
        assert_eq!(told("toor"), (Standing::Person, Power::Administrator));
        assert_eq!(told("of-a-directory"), (Standing::Person, Power::Ordinary));
    }

    #[test]
    fn changes_go_both_ways() {
        let map = |names: &[&str]| {
            let entry = |name: &&str| ((*name).to_owned(), "group `sudo`".to_owned());
            names.iter().map(entry).collect::<BTreeMap<_, _>>()
        };
        let found = changes(&map(&["root", "old"]), &map(&["new", "root"]));
        let found: Vec<_> = found
            .iter()
            .map(|(name, change, _)| (name.as_str(), *change))
            .collect();
        assert_eq!(found, [("new", RightsChange::Granted), ("old", RightsChange::Withdrawn)]);
    }

    #[track_caller]
    fn check(passwd: &str, sudoers: &str, expected: &str) {
        let files = Files {
            passwd: format!("{PASSWD}{passwd}"),
            group: GROUP.to_owned(),
            sudoers: vec![sudoers.to_owned()],
        };
        let accounts = Accounts::read(&files, &["sudo".to_owned(), "wheel".to_owned()]);
        let found: Vec<_> = accounts
            .administrators()
            .iter()
            .map(|(name, by)| format!("{name}={by}"))
            .collect();
        assert_eq!(found.join(" "), expected);
    }
}
