//! Lists snapshots: by a command of a fixed list, or the entries of a directory.
//!
//! Always holds: the program is one of four, found in the system's own directories alone and started without a shell and
//! without the agent's environment; it has half a minute and a few megabytes of output.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::compare::{Item, hash, row};
use super::config::SnapshotSource;
use super::tree;

/// Where the programs may lie.
const DIRS: &[&str] = &["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// How long one may take.
const TIME_MAX: Duration = Duration::from_secs(30);
/// Pause between two looks whether it has ended.
const STEP: Duration = Duration::from_millis(50);
/// Most output read.
const OUTPUT_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Most snapshots of a directory.
const ENTRIES_MAX: usize = 30_000;

/// Returns every snapshot.
pub(super) fn list(
    from: SnapshotSource,
    path: Option<&Path>,
    volume: Option<&str>,
) -> Result<Vec<Item>, String> {
    let path = path.unwrap_or(Path::new("/"));
    let mut arguments: Vec<String> = Vec::new();
    let (program, read): (_, fn(&str) -> Option<Named>) = match from {
        SnapshotSource::Directory => return entries(path),
        SnapshotSource::Lvm => {
            let format = "report/time_format=\"%s\"";
            let fixed = [
                "--config",
                format,
                "--noheadings",
                "--separator",
                "|",
                "-o",
                "lv_time,vg_name,lv_name",
                "-S",
                "lv_role=snapshot||lv_role=thinsnapshot",
            ];
            arguments.extend(fixed.map(str::to_owned));
            ("lvs", lvm)
        }
        SnapshotSource::Btrfs => {
            let fixed = ["subvolume", "list", "-s"].map(str::to_owned);
            arguments.extend(
                fixed
                    .into_iter()
                    .chain([path.to_string_lossy().into_owned()]),
            );
            ("btrfs", btrfs)
        }
        SnapshotSource::Zfs => {
            let fixed = ["list", "-H", "-p", "-t", "snapshot", "-o", "creation,name", "-r"];
            arguments.extend(fixed.map(str::to_owned));
            ("zfs", zfs)
        }
        SnapshotSource::Timeshift => {
            arguments.extend(["--list", "--scripted"].map(str::to_owned));
            ("timeshift", timeshift)
        }
    };
    arguments.extend(volume.map(str::to_owned));
    let told = run(program, &arguments)?;

    Ok(told.lines().filter_map(read).map(Named::item).collect())
}

/// A snapshot and when it was made, or its place in the order of making.
struct Named {
    name: String,
    born: i64,
}

impl Named {
    fn item(self) -> Item {
        let name = self.name.as_bytes();
        let id = hash(name);
        Item { id, path: id, row: row(name), born: self.born, written: self.born, bytes: 1 }
    }
}

/// `1764093600|vg0|ehr_snap1`
fn lvm(line: &str) -> Option<Named> {
    let (time, name) = line.trim().split_once('|')?;
    Some(Named { name: name.to_owned(), born: time.trim().parse::<i64>().ok()? * 1000 })
}

/// `ID 260 gen 50 cgen 50 top level 5 otime 2026-11-25 19:00:01 path snap/1`
fn btrfs(line: &str) -> Option<Named> {
    let (head, name) = line.split_once(" path ")?;
    let number = head.strip_prefix("ID ")?.split(' ').next()?.parse().ok()?;
    Some(Named { name: name.to_owned(), born: number })
}

/// `1764093600`, a tab, `tank/ehr@nightly-1`
fn zfs(line: &str) -> Option<Named> {
    let (time, name) = line.split_once('\t')?;
    Some(Named { name: name.to_owned(), born: time.parse::<i64>().ok()? * 1000 })
}

/// `0    >  2026-11-25_10-00-01  D`
fn timeshift(line: &str) -> Option<Named> {
    let mut words = line.split_whitespace();
    words.next()?.parse::<u32>().ok()?;
    let name = words.find(|word| *word != ">")?;
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    Some(Named { name: name.to_owned(), born: digits.parse().ok()? })
}

/// Every entry of a directory but hidden ones.
fn entries(dir: &Path) -> Result<Vec<Item>, String> {
    let entries = std::fs::read_dir(dir).map_err(|error| error.kind().to_string())?;
    let shown = |entry: &std::fs::DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
    let named = |entry: std::fs::DirEntry| {
        let born = tree::born(&entry.metadata().ok()?);
        Some(Named { name: entry.file_name().to_string_lossy().into_owned(), born })
    };
    let named = entries
        .flatten()
        .filter(shown)
        .take(ENTRIES_MAX)
        .filter_map(named);

    Ok(named.map(Named::item).collect())
}

fn run(program: &str, arguments: &[String]) -> Result<String, String> {
    let path = DIRS
        .iter()
        .map(|dir| Path::new(dir).join(program))
        .find(|path| path.is_file());
    let path: PathBuf = path.ok_or_else(|| format!("`{program}` is not installed"))?;
    let mut child = Command::new(&path)
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", DIRS.join(":"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`{program}` does not start: {}", error.kind()))?;
    let out = child.stdout.take();
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = out.map(|out| out.take(OUTPUT_MAX_BYTES).read_to_end(&mut text));
        (read.is_some_and(|read| read.is_ok()), text)
    });
    let ended = wait(&mut child, program);
    let (read, text) = reading.join().unwrap_or_default();
    if !ended? || !read {
        return Err(format!("`{program}` failed"));
    }

    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Waits until a program has ended well or badly, and ends it when it takes too long.
fn wait(child: &mut Child, program: &str) -> Result<bool, String> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if begun.elapsed() < TIME_MAX => std::thread::sleep(STEP),
            Ok(None) | Err(_) => {
                drop(child.kill());
                drop(child.wait());
                return Err(format!("`{program}` took longer than {} s", TIME_MAX.as_secs()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_read_in_its_own_words() {
        check(lvm, "  1764093600|vg0|ehr_snap1", Some(("vg0|ehr_snap1", 1_764_093_600_000)));
        check(lvm, "  ", None);
        let line = "ID 260 gen 50 cgen 50 top level 5 otime 2026-11-25 19:00:01 path snap/1";
        check(btrfs, line, Some(("snap/1", 260)));
        check(btrfs, "ERROR: not a btrfs filesystem", None);
        check(zfs, "1764093600\ttank/ehr@n-1", Some(("tank/ehr@n-1", 1_764_093_600_000)));
        let line = "0    >  2026-11-25_10-00-01  D";
        check(timeshift, line, Some(("2026-11-25_10-00-01", 20_261_125_100_001)));
        check(timeshift, "Num     Name                 Tags  Description", None);
        check(timeshift, "3 snapshots, 1.2 TB free", None);
    }

    #[track_caller]
    fn check(read: fn(&str) -> Option<Named>, line: &str, expected: Option<(&str, i64)>) {
        let found = read(line);
        let found = found
            .as_ref()
            .map(|named| (named.name.as_str(), named.born));
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn a_directory_lists_its_entries_and_not_hidden_ones() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["2026-11-24", "2026-11-25", ".lock"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let found = list(SnapshotSource::Directory, Some(dir.path()), None).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].row, found[1].row);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        assert_eq!(
            run("no-such-program-7f3a", &[]),
            Err("`no-such-program-7f3a` is not installed".to_owned())
        );
    }
}
