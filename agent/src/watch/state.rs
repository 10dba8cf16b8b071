//! What `watch --state DIR` keeps between two runs: the last sign of life, the redaction key and the counters.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::agent::Counters;

/// File with the last sign of life.
const ALIVE: &str = "watch-alive";
/// File with the redaction key.
const KEY: &str = "watch-redaction.key";
/// File with the detectors' counters.
const COUNTERS: &str = "watch-counters.json";
/// Length of the redaction key.
const KEY_BYTES: usize = 32;

/// The directory and what was in it.
pub(super) struct State {
    pub(super) last_alive: Option<Timestamp>,
    pub(super) key: Vec<u8>,
    dir: PathBuf,
}

impl State {
    pub(super) fn open(dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir)
            .with_context(|| format!("failed to make the state directory `{}`", dir.display()))?;
        let alive = fs::read_to_string(dir.join(ALIVE)).ok();
        let kept = fs::read(dir.join(KEY))
            .ok()
            .filter(|key| key.len() == KEY_BYTES);
        let key = match kept {
            Some(key) => key,
            None => {
                let key = new_key();
                write(&dir.join(KEY), &key)?;
                key
            }
        };

        Ok(Self {
            last_alive: alive.and_then(|text| text.trim().parse().ok()),
            key,
            dir: dir.to_owned(),
        })
    }

    /// The file with the counters.
    pub(super) fn counters(&self) -> Counters {
        Counters::new(self.dir.join(COUNTERS))
    }

    /// Notes a sign of life.
    pub(super) fn alive(&self, now: Timestamp) -> anyhow::Result<()> {
        write(&self.dir.join(ALIVE), now.to_string().as_bytes())
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .write(true)
        .create(true)
        .truncate(true)
        .open(&unfinished)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&unfinished, path));

    written.with_context(|| format!("failed to write `{}`", path.display()))
}

/// Returns a key that nobody else has.
pub(crate) fn new_key() -> Vec<u8> {
    let mut key = vec![0; KEY_BYTES];
    // Without a source of randomness names are still hashed, only not with a secret.
    if SystemRandom::new().fill(&mut key).is_err() {
        tracing::warn!("this system gives no random bytes; hashes of names are not secret");
    }
    key
}
