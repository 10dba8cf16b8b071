//! How far back the log of logons goes: the journal, or the files that syslog writes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;

/// Where the journal lies: kept, or gone with the next start.
const JOURNALS: &[&str] = &["var/log/journal", "run/log/journal"];
/// How the files of syslog begin that hold logons.
const LOGS: &[&str] = &["auth.log", "secure"];
/// How a file of the journal begins.
const SIGNATURE: &[u8] = b"LPKSHHRH";
/// Where it says the time of its first entry, in microseconds since 1970 (`head_entry_realtime` of systemd's
/// `JOURNAL_FILE_FORMAT`).
const HEAD_AT: usize = 184;
/// Files looked at.
const FILES_MAX: usize = 1000;

/// Looks below `root`, which is `/` but for tests.
pub(super) fn oldest(root: &Path) -> Option<Timestamp> {
    let journals = JOURNALS
        .iter()
        .flat_map(|dir| entries(&root.join(dir)))
        .flat_map(|machine| entries(&machine))
        .filter(|file| named(file, &["system"]))
        .take(FILES_MAX)
        .filter_map(|file| head(&file));
    let logs = entries(&root.join("var/log"))
        .into_iter()
        .filter(|file| named(file, LOGS))
        .take(FILES_MAX)
        // The last entry of the oldest file: it goes back further, by how much is not said.
        .filter_map(|file| Timestamp::try_from(file.metadata().ok()?.modified().ok()?).ok())
        .filter_map(|at| Timestamp::from_second(at.as_second()).ok());

    journals.chain(logs).min()
}

/// Returns the time of a journal file's first entry; `None` if it has none.
fn head(file: &Path) -> Option<Timestamp> {
    let mut header = [0; HEAD_AT + 8];
    File::open(file).ok()?.read_exact(&mut header).ok()?;
    let micros: [u8; 8] = header.get(HEAD_AT..)?.try_into().ok()?;
    let micros = i64::from_le_bytes(micros);
    let is_journal = header.starts_with(SIGNATURE) && 0 < micros;

    is_journal
        .then(|| Timestamp::from_second(micros / 1_000_000).ok())
        .flatten()
}

fn entries(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();

    entries.map(|entry| entry.path()).collect()
}

fn named(file: &Path, beginnings: &[&str]) -> bool {
    let name = file.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| {
        beginnings
            .iter()
            .any(|beginning| name.starts_with(beginning))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_counts_whoever_wrote_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(oldest(dir.path()), None);
        let machine = dir.path().join("var/log/journal/0123");
        std::fs::create_dir_all(&machine).unwrap();
        let mut header = vec![0; 272];
        header[..8].copy_from_slice(SIGNATURE);
        header[HEAD_AT..HEAD_AT + 8].copy_from_slice(&1_780_000_000_000_000_u64.to_le_bytes());
        std::fs::write(machine.join("system@1.journal"), &header).unwrap();
        std::fs::write(machine.join("system.journal"), vec![0; 272]).unwrap();
        std::fs::write(machine.join("user-1000.journal"), &header).unwrap();
        assert_eq!(oldest(dir.path()).map(Timestamp::as_second), Some(1_780_000_000));

        let log = File::create(dir.path().join("var/log/auth.log.4.gz")).unwrap();
        let at: Timestamp = "2026-01-04T00:00:00Z".parse().unwrap();
        log.set_modified(at.into()).unwrap();
        assert_eq!(oldest(dir.path()), Some(at));
    }
}
