//! The mount table of Linux: what is mounted where, and of which kind it is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// The mount table of this process, see proc(5).
pub(super) const TABLE: &str = "/proc/self/mountinfo";

/// Returns the mount table of this process, empty where there is none. Reading it asks no file system anything.
pub(super) fn table() -> Vec<u8> {
    std::fs::read(TABLE).unwrap_or_default()
}

/// Returns where something is mounted, and what kind it is, in the order of the table.
pub(super) fn mounts(table: &[u8]) -> impl Iterator<Item = (PathBuf, String)> {
    table.split(|byte| *byte == b'\n').filter_map(mount)
}

/// Returns the kind of the file system a path lies on, by its name alone.
pub(super) fn kind_at(path: &Path, table: &[u8]) -> Option<String> {
    mounts(table)
        .filter(|(mounted, _)| path.starts_with(mounted))
        // Of several on one place the last covers the others.
        .max_by_key(|(mounted, _)| mounted.as_os_str().len())
        .map(|(_, kind)| kind)
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
    fn a_path_lies_on_what_was_mounted_last_and_deepest() {
        let table = b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            23 22 0:5 / /srv/nas rw - ext4 /dev/sda2 rw\n\
            24 22 0:6 / /srv/nas rw shared:1 - nfs4 nas:/ehr rw\n";
        let kind = |path: &str| kind_at(Path::new(path), table);
        assert_eq!(kind("/srv/nas/2026").as_deref(), Some("nfs4"));
        assert_eq!(kind("/srv/nas2").as_deref(), Some("ext4"));
        assert_eq!(kind_at(Path::new("/srv"), b""), None);
    }

    #[test]
    fn a_backslash_that_is_no_escape_stays() {
        assert_eq!(unescape(b"a\\134b\\9\\04"), b"a\\b\\9\\04");
    }

    #[test]
    fn the_table_of_this_process_reads() {
        assert!(mounts(&table()).count() > 0);
    }
}
