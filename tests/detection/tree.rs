//! Makes the files of a hospital's share: documents, images, messages, tables, each well-formed as far as its kind shows.

mod content;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::random::Random;
pub(crate) use content::{Kind, zip};

/// How large a tree is and how its files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TreeSize {
    pub(crate) directories: usize,
    pub(crate) files_each: usize,
    /// Bytes of the smallest and of the largest file.
    pub(crate) bytes: (usize, usize),
}

impl TreeSize {
    /// The tree of the facts: 600 files in 20 directories.
    pub(crate) const ORDINARY: Self =
        Self { directories: 20, files_each: 30, bytes: (2_000, 48_000) };
    /// A thousand files.
    pub(crate) const THOUSAND: Self =
        Self { directories: 20, files_each: 50, bytes: (2_000, 48_000) };
    /// Ten thousand.
    pub(crate) const TEN_THOUSAND: Self =
        Self { directories: 100, files_each: 100, bytes: (1_000, 8_000) };
    /// A hundred thousand.
    pub(crate) const HUNDRED_THOUSAND: Self =
        Self { directories: 1_000, files_each: 100, bytes: (400, 2_000) };

    pub(crate) const fn files(self) -> usize {
        self.directories * self.files_each
    }
}

/// A file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// Seconds since 1970 at which it was last changed, by its own word.
    pub(crate) changed: u64,
}

/// The order in which a walker meets files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    Alphabetical,
    Random,
    NewestFirst,
    SmallestFirst,
}

impl Order {
    /// Puts files into this order.
    pub(crate) fn sort(self, leaves: &mut [Leaf], random: &mut Random) {
        leaves.sort_by(|a, b| a.path.cmp(&b.path));
        match self {
            Self::Alphabetical => {}
            Self::Random => random.shuffle(leaves),
            Self::NewestFirst => leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.changed)),
            Self::SmallestFirst => leaves.sort_by_key(|leaf| leaf.bytes),
        }
    }
}

/// Departments, as the first part of a directory's name.
const DEPARTMENTS: [&str; 8] =
    ["内科", "外科", "放射線科", "検査部", "医事課", "nursing", "pharmacy", "archive"];

/// Makes a tree below `root` and returns its files.
pub(crate) fn make(root: &Path, size: TreeSize, random: &mut Random) -> Result<Vec<Leaf>> {
    let mut leaves = Vec::with_capacity(size.files());
    for directory in 0..size.directories {
        let department = DEPARTMENTS
            .get(directory % DEPARTMENTS.len())
            .unwrap_or(&"x");
        let folder = root.join(format!("{department}-{directory:04}"));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("failed to make `{}`", folder.display()))?;
        for number in 0..size.files_each {
            let kind = *random.pick(&Kind::ALL).unwrap_or(&Kind::Pdf);
            let name = format!("{}{number:05}.{}", kind.stem(), kind.extension());
            let (least, most) = size.bytes;
            let bytes = least + random.below(most - least + 1);
            leaves.push(leaf(&folder.join(name), kind, bytes, random)?);
        }
    }

    Ok(leaves)
}

/// Makes one file with a date in the last three years.
pub(crate) fn leaf(path: &Path, kind: Kind, bytes: usize, random: &mut Random) -> Result<Leaf> {
    let content = kind.content(bytes, random);
    let failed = || format!("failed to make `{}`", path.display());
    let mut file = std::fs::File::create(path).with_context(failed)?;
    std::io::Write::write_all(&mut file, &content).with_context(failed)?;
    let back = u64::try_from(random.below(3 * 365 * 86_400)).unwrap_or(0);
    // The harness's newest file is of 2026-11-01.
    let changed = 1_793_491_200 - back;
    let when = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
    file.set_modified(when).with_context(failed)?;

    let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
    Ok(Leaf { path: path.to_owned(), bytes, changed })
}
