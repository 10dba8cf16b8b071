//! Chooses where decoys lie: among the first and the last names whoever walks through a root meets.
//!
//! Walkers go by name, forwards or backwards, by time of change, newest or oldest first, or in whatever order the
//! directory itself gives. So decoys stand in the root and in its first, last and middle directories, at the front
//! (a leading dot, which also hides them) and at the end of each by name, or first in the directory's own order; half
//! of them are new and half are older than anything else.
//!
//! Always holds: nothing is followed over a link or onto another file system; directories in which programs look for
//! work are passed over.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::documents::{Chance, Kind};
use super::shape::spread;
use crate::observation::file_name;

/// Directories below a root that are considered.
const DIRECTORIES_MAX: usize = 10_000;
/// Names of a directory looked at, for the last one.
const NAMES_MAX: usize = 20_000;
/// Words in the names of directories that come and go, or in which programs look for work.
const PASSED_OVER: &[&str] = &[
    "tmp",
    "temp",
    "cache",
    "spool",
    "inbox",
    "outbox",
    "incoming",
    "outgoing",
    "import",
    "export",
    "queue",
    "recycle",
    "trash",
    "lost+found",
    "node_modules",
    "snapshot",
    "受信",
    "送信",
    "取込",
    "一時",
];
/// What decoys are called, with a number behind.
const WORDS: &[&str] =
    &["ledger", "contract", "minutes", "roster", "budget", "inventory", "invoice", "schedule"];

/// Where in a directory a decoy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// First by name.
    First,
    /// Last by name.
    Last,
    /// Early in the order in which the directory lists itself.
    Listed,
}

/// How old a decoy looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Newer than the rest.
    New,
    /// Older than the rest.
    Old,
}

/// One decoy to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) directory: PathBuf,
    pub(super) place: Place,
    pub(super) age: Age,
    pub(super) kind: Kind,
}

/// Returns where `count` decoys of a root stand, the most telling places first; `shut` are directories left alone.
pub(super) fn posts(root: &Path, count: usize, shut: &[PathBuf]) -> Vec<Post> {
    let below = directories(root, shut);
    let (first, last) = (below.first(), below.last().filter(|_| 1 < below.len()));
    let mut sites: Vec<(PathBuf, Place)> = Vec::new();
    let mut add = |directory: Option<&PathBuf>, place| {
        sites.extend(directory.map(|directory| (directory.clone(), place)));
    };
    let root = root.to_owned();
    add(Some(&root), Place::First);
    add(Some(&root), Place::Last);
    add(first, Place::First);
    add(last, Place::Last);
    add(Some(&root), Place::Listed);
    add(last, Place::First);
    add(first, Place::Last);
    let middle = spread(&below, count.max(3));
    let inner = middle
        .iter()
        .filter(|dir| Some(*dir) != first && Some(*dir) != last);
    for (directory, place) in inner.zip(
        [Place::Listed, Place::First, Place::Last]
            .into_iter()
            .cycle(),
    ) {
        add(Some(directory), place);
    }
    let ages = [Age::New, Age::Old, Age::Old, Age::New];
    let pairs = ages.into_iter().cycle().zip(Kind::ALL.into_iter().cycle());

    sites
        .iter()
        .cycle()
        .take(count)
        .zip(pairs)
        .map(|((directory, place), (age, kind))| Post {
            directory: directory.clone(),
            place: *place,
            age,
            kind,
        })
        .collect()
}

/// The directories right below a root in which decoys may stand, by name.
fn directories(root: &Path, shut: &[PathBuf]) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .take(DIRECTORIES_MAX)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .filter(|path| !is_passed_over(&file_name(path)) && same_filesystem(root, path))
        // One that is shut, holds one that is, or lies in one.
        .filter(|path| {
            !shut
                .iter()
                .any(|shut| shut.starts_with(path) || path.starts_with(shut))
        })
        .collect();
    found.sort();
    found
}

fn is_passed_over(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with(['.', '$', '@']) || PASSED_OVER.iter().any(|word| name.contains(word))
}

#[cfg(unix)]
fn same_filesystem(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let device = |path: &Path| std::fs::metadata(path).map(|found| found.dev()).ok();
    device(one) == device(other)
}

#[cfg(not(unix))]
fn same_filesystem(_: &Path, _: &Path) -> bool {
    true
}

/// Returns a name for a decoy; another one for each seed.
pub(super) fn name(post: &Post, seed: u64) -> String {
    let mut chance = Chance::new(seed);
    let words = u64::try_from(WORDS.len()).unwrap_or(1);
    let word = usize::try_from(chance.below(words)).unwrap_or(0);
    let word = WORDS.get(word).copied().unwrap_or("ledger");
    let (number, extension) = (chance.below(0x1_0000), post.kind.extension());
    let front = match post.place {
        Place::First => ".0",
        Place::Listed => ".",
        // The full-width tilde stands behind every Japanese name.
        Place::Last if has_names_behind_tilde(&post.directory) => "\u{ff5e}",
        Place::Last => "~",
    };

    format!("{front}{word}-{number:04x}.{extension}")
}

fn has_names_behind_tilde(directory: &Path) -> bool {
    std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .take(NAMES_MAX)
        .any(|entry| b'~' < *entry.file_name().as_encoded_bytes().first().unwrap_or(&0))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_first_ones_stand_at_both_ends_of_the_root_and_of_its_first_and_last_directories() {
        let home = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c", "z", "tmp", ".git", "incoming", "data"] {
            fs::create_dir(home.path().join(name)).unwrap();
        }
        let shut = [home.path().join("data")];
        let told = |count| {
            let tell = |post: Post| {
                let below = post.directory.strip_prefix(home.path()).unwrap().to_owned();
                (below.display().to_string(), post.place)
            };
            posts(home.path(), count, &shut)
                .into_iter()
                .map(tell)
                .collect::<Vec<_>>()
        };
        let (first, last, listed) = (Place::First, Place::Last, Place::Listed);
        let expected =
            [("", first), ("", last), ("a", first), ("z", last), ("", listed), ("z", first)];
        let expected = expected.map(|(below, place)| (below.to_owned(), place));
        assert_eq!(told(6), expected);
        let all = told(9);
        assert!(all.contains(&("b".to_owned(), listed)), "{all:?}");
        let used: Vec<_> = all.iter().map(|(below, _)| below.as_str()).collect();
        assert!(
            ["tmp", ".git", "incoming", "data"]
                .iter()
                .all(|dir| !used.contains(dir)),
            "{used:?}"
        );
    }

    #[test]
    fn names_sort_before_and_behind_the_others() {
        let home = tempfile::tempdir().unwrap();
        let post = |place| {
            let (directory, age, kind) = (home.path().to_owned(), Age::New, Kind::Pdf);
            name(&Post { directory, place, age, kind }, 7)
        };
        for other in ["0.pdf", "A.pdf", "zz.pdf"] {
            fs::write(home.path().join(other), "").unwrap();
            assert!(post(Place::First).as_str() < other && other < post(Place::Last).as_str());
        }
        fs::write(home.path().join("龠.pdf"), "").unwrap();
        assert!("龠.pdf" < post(Place::Last).as_str());
        assert!(post(Place::Listed).starts_with('.'));
    }
}
