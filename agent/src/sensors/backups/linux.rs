//! What Linux tells of files and file systems.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Returns which file it is, whatever its name.
pub(super) fn file_id(metadata: &Metadata, _path: u64) -> u64 {
    metadata.ino()
}

/// Returns what tells this file system from another one mounted in the same place.
pub(super) fn filesystem(path: &Path) -> std::io::Result<String> {
    Ok(format!("{:x}", rustix::fs::statvfs(path)?.f_fsid))
}

/// Whether another file system begins at a directory.
pub(super) fn is_mounted(path: &Path, metadata: &Metadata) -> bool {
    let above = path.parent().and_then(|above| above.metadata().ok());
    above.is_none_or(|above| above.dev() != metadata.dev())
}

/// Whether two files lie on the same file system.
pub(super) fn same_filesystem(one: &Metadata, other: &Metadata) -> bool {
    one.dev() == other.dev()
}
