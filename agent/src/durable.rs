//! Replaces a small file so that a crash leaves the old one or the new one, never a torn one.
//!
//! Remembers what it wrote, so that whoever watches the agent's files can tell its own writes from others'.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::service;

/// Largest small file that is read back; a larger one is not ours.
const SMALL_FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Contents remembered as written by this process; the oldest is forgotten for another.
const REMEMBERED_MAX: usize = 256;

/// SHA-256 of what was written, in hexadecimal.
static WRITTEN: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Whether this process wrote the content with this SHA-256 (hexadecimal), under whatever name.
pub(crate) fn is_ours(digest: &str) -> bool {
    let written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    written.iter().any(|ours| ours == digest)
}

fn remember(bytes: &[u8]) {
    let ours = hex::encode(digest(&SHA256, bytes));
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    written.retain(|known| *known != ours);
    if REMEMBERED_MAX <= written.len() {
        written.pop_front();
    }
    written.push_back(ours);
}

/// Writes `bytes` beside `path` (owner only, 0600), syncs, renames over it and syncs the directory.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path
        .file_name()
        .map_or_else(OsString::new, ToOwned::to_owned);
    name.push(".new");
    let fresh = path.with_file_name(name);
    // Before it can be seen under its name.
    remember(bytes);
    let mut file = service::create_private_file(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&fresh, path)?;

    path.parent().map_or(Ok(()), service::sync_dir)
}

/// Like [`replace`], with a value as readable JSON.
pub(crate) fn replace_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    replace(path, &text)
}

/// Reads a JSON file; `None` if there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match std::fs::metadata(path) {
        Ok(found) if SMALL_FILE_MAX_BYTES < found.len() => {
            return Err(io::Error::other(format!("larger than {SMALL_FILE_MAX_BYTES} bytes")));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }

    Ok(Some(serde_json::from_slice(&std::fs::read(path)?)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_replaced_file_is_private_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("value.json");
        assert_eq!(read_json::<BTreeMap<String, u8>>(&path).unwrap(), None);
        replace_json(&path, &BTreeMap::from([("old", 1)])).unwrap();
        replace_json(&path, &BTreeMap::from([("new", 2)])).unwrap();
        let read: BTreeMap<String, u8> = read_json(&path).unwrap().unwrap();
        assert_eq!(read, BTreeMap::from([("new".to_owned(), 2)]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_torn_file_is_an_error_not_a_value() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("value.json");
        std::fs::write(&path, "{\"a\":").unwrap();
        assert!(read_json::<BTreeMap<String, u8>>(&path).is_err());
    }
}
