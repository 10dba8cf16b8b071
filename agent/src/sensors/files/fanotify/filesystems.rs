//! Which file systems lie at and below a root.
//!
//! A mark covers one file system, however it is mounted; what is mounted below a root needs a mark of its own.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::sys;

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

/// The mount table of this process, see proc(5).
const TABLE: &str = "/proc/self/mountinfo";

/// Returns the mount table of this process.
pub(super) fn table() -> Vec<u8> {
    std::fs::read(TABLE).unwrap_or_default()
}

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
    let mut found: Vec<_> = table
        .split(|byte| *byte == b'\n')
        .filter_map(mount)
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

/// Reads one line: where it is mounted, and what kind it is.
fn mount(line: &[u8]) -> Option<(PathBuf, String)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let path = unescape(fields.nth(4)?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;

    Some((PathBuf::from(OsString::from_vec(path)), String::from_utf8_lossy(kind).into_owned()))
}

/// Blanks, tabs, line ends and backslashes stand as three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let code = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    plain
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

    #[test]
    fn a_backslash_that_is_no_escape_stays() {
        assert_eq!(unescape(b"a\\134b\\9\\04"), b"a\\b\\9\\04");
    }

    #[test]
    fn the_table_of_this_process_reads() {
        let table = table();
        assert!(table.split(|byte| *byte == b'\n').filter_map(mount).count() > 0);
    }
}
