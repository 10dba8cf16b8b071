//! Whose accounts lie idle, by `/etc/passwd`, `/etc/shadow` and `lastlog`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use shirase_shared::posture::{Accounts, Look, Unseen};

use crate::sensors::hanging::is_distant;
use crate::sensors::posture::idle::{DAY_SECS, Usable, accounts};

/// The first user that is a person, and the first above all people.
const PEOPLE: std::ops::Range<u32> = 1000..60_000;
/// Bytes of one entry of `lastlog`: time of four bytes, line of 32, host of 256 (lastlog(5), `bits/utmp.h`).
const ENTRY_BYTES: u64 = 292;
/// Largest file read.
const FILE_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Looks below `root`, which is `/` but for tests.
pub(super) fn look(root: &Path, now: Timestamp, idle_days: u32) -> Look<Accounts> {
    let read = |name: &str| text(&root.join(name));
    let (passwd, shadow) = match (read("etc/passwd"), read("etc/shadow")) {
        (Ok(passwd), Ok(shadow)) => (passwd, shadow),
        (_, Err(error)) | (Err(error), _) => return Look::Unseen(why(&error)),
    };
    let mut lastlog = match File::open(root.join("var/log/lastlog")) {
        Ok(file) => file,
        Err(error) => return Look::Unseen(why(&error)),
    };
    let found = usable(&passwd, &shadow, now, |home| {
        // A home on another machine is not asked: it may hang.
        !is_distant(Path::new(home))
            && std::fs::metadata(
                root.join(home.trim_start_matches('/'))
                    .join(".ssh/authorized_keys"),
            )
            .is_ok_and(|keys| 0 < keys.len())
    });
    let mut seen = Vec::new();
    for (uid, account) in found {
        match last(&mut lastlog, uid) {
            Ok(last) => seen.push(Usable { last, ..account }),
            Err(error) => return Look::Unseen(why(&error)),
        }
    }
    // A file in which nobody stands is one nobody writes to: newer systems keep their record elsewhere.
    if !seen.is_empty() && seen.iter().all(|account| account.last.is_none()) {
        return Look::Unseen(Unseen::NoRecord);
    }

    Look::Seen(accounts(seen, now, idle_days))
}

/// Chooses the accounts of people, and those with the superuser's number, that have a shell, are in force, and are open
/// by password or by key.
fn usable(
    passwd: &str,
    shadow: &str,
    now: Timestamp,
    has_keys: impl Fn(&str) -> bool,
) -> Vec<(u32, Usable)> {
    let today = now.as_second() / DAY_SECS;
    let mut found = Vec::new();
    for line in passwd.lines() {
        let fields: Vec<_> = line.split(':').collect();
        let [name, _, uid, _, _, home, shell] = fields.as_slice() else { continue };
        let Ok(uid) = uid.parse() else { continue };
        let is_person = uid == 0 || PEOPLE.contains(&uid);
        if !is_person || shell.ends_with("/nologin") || shell.ends_with("/false") {
            continue;
        }
        let secret = shadow
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.first() == Some(name));
        let day = |at: usize| secret.as_ref()?.get(at)?.parse::<i64>().ok();
        if day(7).is_some_and(|expired| expired <= today) {
            continue;
        }
        let hash = secret.as_ref().and_then(|fields| fields.get(1));
        let by_password = hash.is_some_and(|hash| !hash.starts_with(['!', '*']));
        if by_password || has_keys(home) {
            let name = (*name).to_owned();
            found.push((uid, Usable { name, last: None, password_day: day(2) }));
        }
    }

    found
}

/// Returns when a user last signed in; `None` if no time is noted.
fn last(lastlog: &mut File, uid: u32) -> io::Result<Option<Timestamp>> {
    let mut time = [0; 4];
    lastlog.seek(SeekFrom::Start(u64::from(uid) * ENTRY_BYTES))?;
    match lastlog.read_exact(&mut time) {
        Ok(()) => {
            let seconds = i64::from(u32::from_ne_bytes(time));
            Ok(Timestamp::from_second(seconds)
                .ok()
                .filter(|_| seconds != 0))
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(FILE_MAX_BYTES)
        .read_to_end(&mut bytes)?;

    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn why(error: &io::Error) -> Unseen {
    let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
    if is_denied { Unseen::NoRight } else { Unseen::NoRecord }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-26T00:00:00Z";
    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        backup:x:34:34:backup:/var/backups:/usr/sbin/nologin\n\
        yamada:x:1001:1001::/home/yamada:/bin/bash\n\
        sato:x:1002:1002::/home/sato:/bin/bash\n\
        left:x:1003:1003::/home/left:/bin/bash\n\
        new:x:1004:1004::/home/new:/bin/bash\n\
        keys:x:1005:1005::/home/keys:/bin/bash\n\
        locked:x:1006:1006::/home/locked:/bin/bash\n\
        ended:x:1007:1007::/home/ended:/bin/bash\n\
        broken line\n";
    /// Day 20783 is 2026-11-26.
    const SHADOW: &str = "root:*:19000::::::\nbackup:*:19000::::::\nyamada:$y$1:19000::::::\nsato:$y$2:19000::::::\n\
        left:$y$3:19000::::::\nnew:$y$4:20780::::::\nkeys:!:19000::::::\nlocked:!$y$5:19000::::::\nended:$y$6:19000:::::20000:\n";

    fn ground(logons: &[(u32, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for part in ["etc", "var/log", "home/keys/.ssh"] {
            std::fs::create_dir_all(dir.path().join(part)).unwrap();
        }
        std::fs::write(dir.path().join("etc/passwd"), PASSWD).unwrap();
        std::fs::write(dir.path().join("etc/shadow"), SHADOW).unwrap();
        std::fs::write(dir.path().join("home/keys/.ssh/authorized_keys"), "ssh-ed25519 …").unwrap();
        let mut lastlog = vec![0; 292 * 1010];
        for (uid, at) in logons {
            let at: Timestamp = at.parse().unwrap();
            let from = *uid as usize * 292;
            let seconds = u32::try_from(at.as_second()).unwrap().to_ne_bytes();
            lastlog[from..from + 4].copy_from_slice(&seconds);
        }
        std::fs::write(dir.path().join("var/log/lastlog"), lastlog).unwrap();
        dir
    }

    #[test]
    fn who_has_not_come_for_long_is_idle_and_who_cannot_come_is_no_account() {
        let dir = ground(&[
            (1001, "2026-11-25T00:00:00Z"),
            (1002, "2026-08-27T00:00:00Z"),
            (1005, "2026-05-01T09:00:00Z"),
        ]);
        let Look::Seen(seen) = look(dir.path(), NOW.parse().unwrap(), 90) else { panic!("unseen") };
        assert_eq!(seen.idle, 3);
        let idle: Vec<_> = seen
            .named
            .iter()
            .flat_map(|named| &named.first)
            .map(|account| (account.name.as_str(), account.last.map(|at| at.to_string())))
            .collect();
        assert_eq!(seen.usable, 5, "{seen:?}");
        let keys = Some("2026-05-01T09:00:00Z".to_owned());
        let sato = Some("2026-08-27T00:00:00Z".to_owned());
        assert_eq!(idle, [("keys", keys), ("left", None), ("sato", sato)]);
    }

    #[test]
    fn a_record_nobody_writes_is_none() {
        let dir = ground(&[]);
        let now = NOW.parse().unwrap();
        assert_eq!(look(dir.path(), now, 90), Look::Unseen(Unseen::NoRecord));
        std::fs::remove_file(dir.path().join("var/log/lastlog")).unwrap();
        assert_eq!(look(dir.path(), now, 90), Look::Unseen(Unseen::NoRecord));
    }
}
