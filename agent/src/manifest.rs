//! The damage manifest: every file touched during a burst, for the hospital alone.
//!
//! ```text
//! touched file ─▶ <burst>.jsonl (0600, plain, on this host) ─burst ended▶ age ─▶ outbox/<burst>.json, <burst>.age
//! ```
//!
//! Each line is one JSON object: a touched file (`at`, `root`, `path`, `operation`, `evidence`), a ransom note with
//! its text (`note`), and at the end a count (`files`, `omitted`).
//!
//! Always holds:
//! - what leaves the directory for the outbox is ciphertext to the facility's key, complete before it has its name;
//! - the plain file is removed only after the ciphertext is on disk; one left over by a crash is finished at start;
//! - a manifest is bounded in bytes; what does not fit is counted in its last line.
//!
//! Not here: sending it (see `uplink`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use age::x25519::Recipient;
use serde::Serialize;
use shirase_shared::error::Chain;
use shirase_shared::ids::BurstId;
use shirase_shared::tls::sha256_hex;

use crate::detectors::mass_change::{Evidence, Touch, Touched};
use crate::observation::Actor;

/// Bytes of one plain manifest at the most; encrypted it stays below what the collector takes.
const PLAIN_MAX_BYTES: u64 = 48 << 20;
/// Largest text taken into a manifest as a ransom note, in bytes.
const NOTE_MAX_BYTES: u64 = 32 * 1024;
/// Different ransom notes taken into one manifest.
const NOTES_MAX: usize = 8;
/// Directory below the manifests from which the uplink sends.
const OUTBOX: &str = "outbox";
/// Extension of a plain manifest.
const PLAIN: &str = "jsonl";

/// Why a manifest was not written.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The facility's key is none.
    #[error(
        "`{text}` is not an age recipient: {reason}; expected `age1…` as the collector gave it"
    )]
    Recipient {
        /// What was given.
        text: String,
        /// Why it is none.
        reason: &'static str,
    },
    /// A file or directory cannot be made, written or read.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The cipher failed.
    #[error("failed to encrypt the manifest of burst {burst}")]
    Encrypt {
        /// The burst.
        burst: BurstId,
        /// Why.
        source: age::EncryptError,
    },
}

/// Returns a function that says what was tried when an I/O error comes.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ManifestError {
    let path = path.to_owned();
    move |source| ManifestError::Io { action, path, source }
}

/// Writes manifests. Blocking: call it where blocking is allowed.
pub struct Recorder {
    directory: PathBuf,
    recipient: Recipient,
    open: BTreeMap<BurstId, Plain>,
}

/// A manifest being written.
struct Plain {
    file: File,
    bytes: u64,
    files: u64,
    omitted: u64,
    notes: BTreeSet<String>,
}

/// A touched file as it stands in the manifest.
#[derive(Serialize)]
struct Line<'a> {
    at: jiff::Timestamp,
    root: &'a str,
    path: String,
    /// The path's bytes, only where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Files in a renamed directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    evidence: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a Actor>,
}

/// A ransom note as it stands in the manifest.
#[derive(Serialize)]
struct NoteLine {
    path: String,
    note: String,
}

/// The last line.
#[derive(Serialize)]
struct EndLine {
    files: u64,
    omitted: u64,
}

/// What the uplink has to know beside the ciphertext.
#[derive(Serialize)]
struct Sidecar {
    burst: BurstId,
    files: u64,
}

impl Recorder {
    /// Opens the directory of manifests, making it if need be, and finishes what a crash left behind.
    ///
    /// # Errors
    /// When the recipient is none or the directory cannot be made. What cannot be finished is logged and kept.
    pub fn open(directory: &Path, recipient: &str) -> Result<Self, ManifestError> {
        let recipient = Recipient::from_str(recipient)
            .map_err(|reason| ManifestError::Recipient { text: recipient.to_owned(), reason })?;
        make_directory(&directory.join(OUTBOX))?;
        let directory = directory.to_owned();
        let mut recorder = Self { directory, recipient, open: BTreeMap::new() };
        for burst in recorder.left_over()? {
            if let Err(error) = recorder.finish(burst) {
                tracing::warn!(error = %Chain(&error), "the manifest of burst {burst} stays plain");
            }
        }

        Ok(recorder)
    }

    fn left_over(&self) -> Result<Vec<BurstId>, ManifestError> {
        let listed = fs::read_dir(&self.directory).map_err(failed("list", &self.directory))?;
        let burst = |path: PathBuf| {
            let plain = path.extension().is_some_and(|extension| extension == PLAIN);
            let stem = path.file_stem().filter(|_| plain)?.to_str()?.to_owned();
            stem.parse().ok()
        };

        Ok(listed
            .flatten()
            .filter_map(|entry| burst(entry.path()))
            .collect())
    }

    /// Adds touched files to the manifests of their bursts.
    ///
    /// # Errors
    /// When a manifest cannot be written; the others are written nevertheless.
    pub fn record(&mut self, touched: &[Touched]) -> Result<(), ManifestError> {
        let mut buffers = BTreeMap::<BurstId, Vec<u8>>::new();
        let mut result = Ok(());
        for touch in touched {
            if let Err(error) = self.begin(touch.burst) {
                result = Err(error);
                continue;
            }
            let Some(plain) = self.open.get_mut(&touch.burst) else { continue };
            let buffer = buffers.entry(touch.burst).or_default();
            plain.add(touch, buffer);
        }
        for (burst, buffer) in buffers {
            let path = self.plain_path(burst);
            let Some(plain) = self.open.get_mut(&burst) else { continue };
            if let Err(source) = plain.file.write_all(&buffer) {
                result = Err(failed("write", &path)(source));
            }
        }
        result
    }

    fn begin(&mut self, burst: BurstId) -> Result<(), ManifestError> {
        if self.open.contains_key(&burst) {
            return Ok(());
        }
        let path = self.plain_path(burst);
        let file = private()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed("make", &path))?;
        let plain = Plain { file, bytes: 0, files: 0, omitted: 0, notes: BTreeSet::new() };
        self.open.insert(burst, plain);

        Ok(())
    }

    fn plain_path(&self, burst: BurstId) -> PathBuf {
        self.directory.join(format!("{burst}.{PLAIN}"))
    }

    /// Encrypts a burst's manifest into the outbox and removes the plain one. Call it when the burst has ended.
    ///
    /// Returns where the ciphertext lies; `None` if no file of that burst was recorded.
    ///
    /// # Errors
    /// When it cannot be encrypted or written; the plain one stays and is tried again at the next start.
    pub fn finish(&mut self, burst: BurstId) -> Result<Option<PathBuf>, ManifestError> {
        let path = self.plain_path(burst);
        let files = match self.open.remove(&burst) {
            Some(mut plain) => {
                let end = EndLine { files: plain.files, omitted: plain.omitted };
                let mut line = serde_json::to_vec(&end).unwrap_or_default();
                line.push(b'\n');
                plain
                    .file
                    .write_all(&line)
                    .map_err(failed("write", &path))?;
                plain.files
            }
            None if path.exists() => count_files(&path)?,
            None => return Ok(None),
        };
        let outbox = self.directory.join(OUTBOX);
        let sealed = outbox.join(format!("{burst}.age"));
        let sidecar = Sidecar { burst, files };
        let told = serde_json::to_vec(&sidecar).unwrap_or_default();
        // The sidecar first: the uplink looks at nothing but `*.age`.
        write_whole(&outbox.join(format!("{burst}.json")), |file| file.write_all(&told))?;
        let mut plain = File::open(&path).map_err(failed("open", &path))?;
        let recipient: &dyn age::Recipient = &self.recipient;
        let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient))
            .map_err(|source| ManifestError::Encrypt { burst, source })?;
        write_whole(&sealed, |file| {
            let mut sealing = encryptor.wrap_output(file)?;
            io::copy(&mut plain, &mut sealing)?;
            sealing.finish().map(drop)
        })?;
        fs::remove_file(&path).map_err(failed("remove", &path))?;

        Ok(Some(sealed))
    }
}

impl Plain {
    fn add(&mut self, touched: &Touched, buffer: &mut Vec<u8>) {
        let (operation, from) = match &touched.operation {
            Touch::Created => ("created", None),
            Touch::Written => ("written", None),
            Touch::Deleted => ("deleted", None),
            Touch::MovedOut => ("moved_out", None),
            Touch::Renamed { from } => ("renamed", Some(from.to_string_lossy().into_owned())),
            Touch::DirectoryRenamed { from, .. } => {
                ("directory_renamed", Some(from.to_string_lossy().into_owned()))
            }
            Touch::Found => ("found", None),
        };
        let bytes = touched.path.as_os_str().as_encoded_bytes();
        let line = Line {
            at: touched.at,
            root: &touched.root,
            path: touched.path.to_string_lossy().into_owned(),
            path_hex: touched.path.to_str().is_none().then(|| hex::encode(bytes)),
            operation,
            from,
            evidence: touched
                .evidence
                .iter()
                .map(|evidence| evidence.as_str())
                .collect(),
            files: match touched.operation {
                Touch::DirectoryRenamed { files, .. } => Some(files),
                Touch::Created
                | Touch::Written
                | Touch::Deleted
                | Touch::MovedOut
                | Touch::Renamed { .. }
                | Touch::Found => None,
            },
            actor: touched.actor.as_deref(),
        };
        if self.push(&line, buffer) {
            self.files += 1;
        } else {
            self.omitted += 1;
        }
        let is_note = |kind: &Evidence| matches!(kind, Evidence::Note | Evidence::RansomNote);
        if touched.evidence.iter().any(is_note) && self.notes.len() < NOTES_MAX {
            self.add_note(&touched.path, buffer);
        }
    }

    fn add_note(&mut self, path: &Path, buffer: &mut Vec<u8>) {
        let regular = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
        let Some(file) = regular.then(|| File::open(path).ok()).flatten() else { return };
        let mut text = Vec::new();
        if file.take(NOTE_MAX_BYTES).read_to_end(&mut text).is_err() || text.is_empty() {
            return;
        }
        if !self.notes.insert(sha256_hex(&text)) {
            return;
        }
        let note = String::from_utf8_lossy(&text).into_owned();
        self.push(&NoteLine { path: path.to_string_lossy().into_owned(), note }, buffer);
    }

    /// Adds a line if it fits. Returns whether it did.
    fn push(&mut self, line: &impl Serialize, buffer: &mut Vec<u8>) -> bool {
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        let bytes = self.bytes + u64::try_from(text.len()).unwrap_or(u64::MAX);
        if PLAIN_MAX_BYTES < bytes {
            return false;
        }
        self.bytes = bytes;
        buffer.append(&mut text);
        true
    }
}

/// Counts the touched files of a manifest that a crash left behind.
fn count_files(path: &Path) -> Result<u64, ManifestError> {
    let file = File::open(path).map_err(failed("open", path))?;
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    let touched = lines.filter(|line| line.windows(12).any(|part| part == b"\"operation\":"));

    Ok(u64::try_from(touched.count()).unwrap_or(u64::MAX))
}

/// Writes a file so that it has its name only when it is whole and on disk.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), ManifestError> {
    let unfinished = path.with_extension("tmp");
    let mut file = private()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&unfinished)
        .map_err(failed("make", &unfinished))?;
    write(&mut file).map_err(failed("write", &unfinished))?;
    file.sync_all().map_err(failed("sync", &unfinished))?;
    fs::rename(&unfinished, path).map_err(failed("rename", path))?;
    sync_directory(path);

    Ok(())
}

/// Makes a rename last through a power cut, where the system can.
fn sync_directory(path: &Path) {
    let synced = path
        .parent()
        .map(|directory| File::open(directory).and_then(|d| d.sync_all()));
    if let Some(Err(error)) = synced {
        tracing::debug!(%error, "a directory cannot be synced here");
    }
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;

    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

fn make_directory(path: &Path) -> Result<(), ManifestError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(path)
        .map_err(failed("make", path))
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::night;

    use super::*;

    fn touched(burst: BurstId, path: PathBuf, evidence: Vec<Evidence>) -> Touched {
        let operation = Touch::Renamed { from: PathBuf::from("/share/診療録.pdf") };
        Touched {
            burst,
            at: night(),
            root: "share".to_owned(),
            path,
            operation,
            evidence,
            actor: None,
        }
    }

    fn opened(sealed: &Path, identity: &age::x25519::Identity) -> String {
        let ciphertext = fs::read(sealed).unwrap();
        String::from_utf8(age::decrypt(identity, &ciphertext).unwrap()).unwrap()
    }

    #[test]
    fn only_the_hospital_can_read_what_was_touched() {
        let home = tempfile::tempdir().unwrap();
        let note = home.path().join("README_NOW.txt");
        fs::write(&note, "All your files are encrypted.").unwrap();
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        let mut recorder = Recorder::open(&home.path().join("manifests"), &recipient).unwrap();
        let burst = BurstId::random();
        let files = [
            touched(burst, PathBuf::from("/share/診療録.pdf.xyz"), vec![Evidence::SuffixAppended]),
            touched(burst, note.clone(), vec![Evidence::Note]),
            touched(burst, note, vec![Evidence::Note]),
        ];
        recorder.record(&files).unwrap();
        let sealed = recorder
            .finish(burst)
            .unwrap()
            .expect("something was recorded");

        let text = opened(&sealed, &identity);
        assert!(text.contains("診療録.pdf.xyz") && text.contains("\"suffix_appended\""), "{text}");
        assert_eq!(text.matches("All your files are encrypted.").count(), 1, "{text}");
        assert!(text.ends_with("{\"files\":3,\"omitted\":0}\n"), "{text}");
        let sidecar = fs::read_to_string(sealed.with_extension("json")).unwrap();
        assert_eq!(sidecar, format!("{{\"burst\":\"{burst}\",\"files\":3}}"));
        let left: Vec<_> = fs::read_dir(home.path().join("manifests"))
            .unwrap()
            .collect();
        assert_eq!(left.len(), 1, "only the outbox stays: {left:?}");
        assert!(recorder.finish(burst).unwrap().is_none());
    }

    #[test]
    fn what_a_crash_left_behind_is_finished_at_start() {
        let home = tempfile::tempdir().unwrap();
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        let burst = BurstId::random();
        let mut crashed = Recorder::open(home.path(), &recipient).unwrap();
        let files = [touched(burst, PathBuf::from("/share/a.xyz"), vec![])];
        crashed.record(&files).unwrap();
        drop(crashed);

        Recorder::open(home.path(), &recipient).unwrap();
        let sealed = home.path().join("outbox").join(format!("{burst}.age"));
        assert!(opened(&sealed, &identity).contains("/share/a.xyz"));
        assert!(!home.path().join(format!("{burst}.jsonl")).exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_plain_manifest_is_for_its_owner_alone_and_takes_any_name() {
        use std::os::unix::ffi::OsStringExt as _;
        use std::os::unix::fs::PermissionsExt as _;

        let home = tempfile::tempdir().unwrap();
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        let burst = BurstId::random();
        let mut recorder = Recorder::open(home.path(), &recipient).unwrap();
        let odd = PathBuf::from(std::ffi::OsString::from_vec(b"/share/\xff\n\x1b[31m".to_vec()));
        recorder.record(&[touched(burst, odd, vec![])]).unwrap();
        let path = home.path().join(format!("{burst}.jsonl"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let line = fs::read_to_string(&path).unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains("2f73686172652fff0a1b"), "{line}");
    }

    #[test]
    fn a_wrong_recipient_is_named() {
        let home = tempfile::tempdir().unwrap();
        let error = Recorder::open(home.path(), "age1nonsense")
            .err()
            .expect("refused");
        assert!(error.to_string().contains("age1nonsense"), "{error}");
    }
}
