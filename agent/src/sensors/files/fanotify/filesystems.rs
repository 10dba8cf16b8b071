//! Which file systems lie at and below a root.
//!
//! A mark covers one file system, however it is mounted; what is mounted below a root needs a mark of its own.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use super::sys;
use crate::sensors::mounts::{TABLE, mounts};

/// Kinds of file systems without files of anybody's: the kernel's own views.
const VIEWS: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "sysfs",
    "tracefs",
];
/// A container's file system: what is written there is seen in its upper layer, which lies on another one.
const LAYERS: &str = "overlay";

/// Tells whether something was mounted or unmounted: reading the whole table each time takes long where there are many
/// containers, and the kernel knows.
pub(super) struct Mountings(Option<File>);

impl Mountings {
    /// Begins to follow the table. Read it after this.
    pub(super) fn follow() -> Self {
        Self(File::open(TABLE).ok())
    }

    /// Whether the table may be another one than at the last question.
    pub(super) fn may_differ(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|table| sys::has_news(table.as_fd()))
    }
}

/// Returns where file systems with files are mounted below a root, outermost first.
pub(super) fn below(root: &Path, table: &[u8]) -> Vec<PathBuf> {
    let mut found: Vec<_> = mounts(table)
        .filter(|(path, kind)| {
            path != root
                && path.starts_with(root)
                && !VIEWS.contains(&kind.as_str())
                && kind != LAYERS
        })
        .map(|(path, _)| path)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_file_systems_with_files_below_the_root_count() {
        let table = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            23 22 8:2 / /srv rw shared:1 - xfs /dev/sda2 rw\n\
            24 23 8:3 / /srv/my\\040data rw shared:2 master:1 - ext4 /dev/sda3 rw\n\
            25 23 0:5 / /srv/proc rw - proc proc rw\n\
            26 23 0:6 / /srv/c/merged rw - overlay overlay rw\n\
            27 22 8:4 / /srv2 rw - ext4 /dev/sda4 rw\n";
        assert_eq!(below(Path::new("/srv"), table), [PathBuf::from("/srv/my data")]);
        let all = below(Path::new("/"), table);
        assert_eq!(all, ["/srv", "/srv/my data", "/srv2"].map(PathBuf::from));
    }
}
