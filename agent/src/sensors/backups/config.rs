//! Which backups are looked after.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;

/// How old a job's newest file may become unless the configuration says otherwise, in hours: a day and two hours of grace.
pub(super) const MAX_AGE_HOURS: u64 = 26;
/// Longest age that can be configured, in hours.
const AGE_MAX_HOURS: u64 = 24 * 366;
/// Longest name.
const NAME_MAX_CHARS: usize = 32;

/// A backup that is looked after.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BackupConfig {
    /// What it is called in events and reports.
    pub name: String,
    /// What of it is looked at.
    pub kind: BackupWatch,
    /// The directory of its files or snapshots; of a job, a directory or a single file. Absolute.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// Where snapshots are listed.
    #[serde(default)]
    pub from: SnapshotSource,
    /// The volume group or data set whose snapshots they are. Default: all.
    #[serde(default)]
    pub volume: Option<String>,
    /// How many generations of a row a rotation leaves at least.
    #[serde(default = "keep_min")]
    pub keep_min: u64,
    /// How long a file must have been left alone to be complete, in seconds.
    #[serde(default = "complete_after_secs")]
    pub complete_after_secs: u64,
    /// How old the newest file may become, in hours.
    #[serde(default)]
    pub max_age_hours: Option<u64>,
    /// Whether its disk stays in place.
    #[serde(default)]
    pub medium: Medium,
    /// Pause between two looks, in seconds.
    #[serde(default = "interval_secs")]
    pub interval_secs: u64,
}

const fn keep_min() -> u64 {
    1
}

const fn complete_after_secs() -> u64 {
    600
}

const fn interval_secs() -> u64 {
    60
}

/// What of a backup is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupWatch {
    /// Its files, generations side by side.
    Tree,
    /// Snapshots.
    Snapshots,
    /// Whether it is made in time.
    Job,
}

/// Where snapshots are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotSource {
    /// They are the entries of a directory.
    #[default]
    Directory,
    /// `lvs`.
    Lvm,
    /// `btrfs subvolume list`.
    Btrfs,
    /// `zfs list`.
    Zfs,
    /// `timeshift --list`.
    Timeshift,
}

/// Whether a backup's disk stays in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// It does; that it is not there is told.
    #[default]
    Fixed,
    /// It is taken away and brought back.
    Removable,
}

/// Returns every rule the backups break.
#[must_use]
pub fn problems(backups: &[BackupConfig]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, backup) in backups.iter().enumerate() {
        let mut note = |key: &str, message: &str, remedy: &str| {
            let key = format!("sensors.backups.{index}.{key}");
            problems.push(Problem::of(&key, message, remedy));
        };
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let long = NAME_MAX_CHARS < backup.name.chars().count();
        if backup.name.is_empty() || long || !backup.name.chars().all(safe) {
            let remedy = "use 1 to 32 letters, digits, `-` and `_`";
            note("name", "is empty, too long or holds odd characters", remedy);
        }
        if backups
            .iter()
            .take(index)
            .any(|earlier| earlier.name == backup.name)
        {
            note("name", "is used twice", "give each backup its own name");
        }
        let absolute = backup.path.as_ref().map(|path| path.is_absolute());
        match (absolute, backup.kind, backup.from) {
            (Some(false), _, _) => {
                note(
                    "path",
                    "is not absolute",
                    "write the whole path from the root of the file system",
                );
            }
            (None, BackupWatch::Tree | BackupWatch::Job, _)
            | (None, BackupWatch::Snapshots, SnapshotSource::Directory | SnapshotSource::Btrfs) => {
                note("path", "is missing", "name the directory to look at");
            }
            (Some(true) | None, _, _) => {}
        }
        let odd = |volume: &String| {
            volume.is_empty() || volume.starts_with('-') || !volume.chars().all(is_volume)
        };
        if backup.volume.as_ref().is_some_and(odd) {
            note("volume", "is no name of a volume", "give a volume group, or a data set of ZFS");
        }
        if backup
            .max_age_hours
            .is_some_and(|hours| !(1..=AGE_MAX_HOURS).contains(&hours))
        {
            note("max_age_hours", "is not within 1 and 8784", "26 suits a nightly backup");
        }
        if !(5..=3600).contains(&backup.interval_secs) {
            note("interval_secs", "is not within 5 and 3600", "60 is the default");
        }
        if 86_400 < backup.complete_after_secs {
            note("complete_after_secs", "is longer than a day", "600 is the default");
        }
        if backup.keep_min == 0 {
            note("keep_min", "is 0, so that the last one may go", "give at least 1");
        }
    }
    problems
}

fn is_volume(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./+:".contains(c)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{Config, DEFAULT_TEXT};

    #[derive(Deserialize)]
    struct Backups {
        backups: Vec<BackupConfig>,
    }

    fn keys(text: &str) -> Vec<String> {
        let backups: Backups = toml::from_str(text).unwrap();
        problems(&backups.backups)
            .into_iter()
            .map(|problem| problem.key)
            .collect()
    }

    #[test]
    fn the_shipped_example_names_every_key_and_is_right() {
        let example: Vec<_> = DEFAULT_TEXT
            .lines()
            .skip_while(|line| *line != "# [[sensors.backups]]")
            .take_while(|line| line.starts_with('#'))
            .map(|line| line.strip_prefix("# ").unwrap_or_default())
            .collect();
        let config = Config::parse(&example.join("\n")).unwrap();
        let tables = config
            .sensors
            .backups
            .iter()
            .map(|backup| toml::Table::try_from(backup).unwrap());
        let named: BTreeSet<_> = tables
            .flat_map(toml::Table::into_iter)
            .map(|(key, _)| key)
            .collect();
        let every = [
            "complete_after_secs",
            "from",
            "interval_secs",
            "keep_min",
            "kind",
            "max_age_hours",
            "medium",
            "name",
            "path",
            "volume",
        ];
        assert!(named.iter().eq(every), "{named:?}");
    }

    #[test]
    fn what_cannot_be_looked_at_is_named_by_its_key() {
        let good = "[[backups]]\nname = 'nightly'\nkind = 'tree'\npath = '/backup'\n\
                    [[backups]]\nname = 'pool'\nkind = 'snapshots'\nfrom = 'zfs'\nvolume = 'tank/ehr'\n";
        assert_eq!(keys(good), [""; 0]);
        let bad = "[[backups]]\nname = 'a b'\nkind = 'tree'\n\
                   [[backups]]\nname = 'x'\nkind = 'job'\npath = 'rel'\nmax_age_hours = 0\n\
                   [[backups]]\nname = 'x'\nkind = 'snapshots'\nfrom = 'lvm'\nvolume = '-rf'\nkeep_min = 0\ninterval_secs = 1\n";
        let expected = [
            "0.name",
            "0.path",
            "1.path",
            "1.max_age_hours",
            "2.name",
            "2.volume",
            "2.interval_secs",
            "2.keep_min",
        ];
        assert_eq!(keys(bad), expected.map(|key| format!("sensors.backups.{key}")));
    }
}
