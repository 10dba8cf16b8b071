//! Looks at the agent's own files: its program, its settings, its identity and the definition of its service.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use tokio::sync::watch;

use super::kept::{Keeping, OwnMark, Urgency};
use super::platform;
use crate::durable;
use crate::observation::{OwnChange, OwnPart, OwnSeen, OwnWhen, file_name};
use crate::paths::StateDir;

/// Largest own file that is read; there is none so large.
const FILE_MAX_BYTES: u64 = 512 * 1024 * 1024;
/// Additions to the definition of a service that are looked at.
const ADDITIONS_MAX: usize = 64;

/// Every own file.
pub(super) struct Own {
    files: BTreeMap<PathBuf, OwnPart>,
    enrolment: PathBuf,
    service: watch::Receiver<Option<String>>,
    begun: bool,
    watched: usize,
    /// Files that were told as removed.
    removed: BTreeMap<PathBuf, OwnMark>,
    /// Whether the definition of the service was looked for once.
    defined: bool,
}

impl Own {
    pub(super) fn new(
        state: &StateDir,
        settings: PathBuf,
        program: Option<PathBuf>,
        service: watch::Receiver<Option<String>>,
    ) -> Self {
        let identity = [
            state.enrolment(),
            state.certificate(),
            state.key(),
            state.authority(),
            state.redaction_key(),
        ];
        let mut files: BTreeMap<_, _> = identity
            .into_iter()
            .map(|path| (path, OwnPart::Identity))
            .collect();
        files.insert(settings, OwnPart::Settings);
        files.extend(program.map(|path| (path, OwnPart::Program)));

        Self {
            files,
            enrolment: state.enrolment(),
            service,
            begun: false,
            watched: 0,
            removed: BTreeMap::new(),
            defined: false,
        }
    }

    /// How many there are.
    pub(super) const fn watched(&self) -> usize {
        self.watched
    }

    /// Returns what somebody else did to them since the last look.
    pub(super) fn look(&mut self, keeping: &mut Keeping) -> Vec<OwnSeen> {
        let mut seen = Vec::new();
        // Another version means an upgrade, another enrolment that everything was enrolled anew.
        let same_version = keeping.version_before == keeping.now.version;
        let enrolled_anew = !self.begun && self.is_changed(&self.enrolment, keeping);
        // It may become known at any moment, and counts from the next look on.
        let service = self.service.borrow().clone();
        for (path, part) in self.all(service.as_deref()) {
            let change = self.look_at(&path, part, keeping);
            let Some(change) = change else { continue };
            let excused = match part {
                OwnPart::Program | OwnPart::Unit => !same_version,
                OwnPart::Identity => enrolled_anew,
                OwnPart::Settings | OwnPart::Service => false,
            };
            let first = !self.begun || (part == OwnPart::Unit && !self.defined);
            if first && excused {
                continue;
            }
            let when = if first { OwnWhen::Away } else { OwnWhen::Running };
            seen.push(OwnSeen { part, name: file_name(&path), change, when });
        }
        self.begun = true;
        self.defined |= service.is_some();
        self.watched = keeping.now.own.len();
        seen
    }

    /// Every path to look at, those of additions to the service included.
    fn all(&self, service: Option<&str>) -> Vec<(PathBuf, OwnPart)> {
        let files = self.files.iter().map(|(path, part)| (path.clone(), *part));
        let definitions = Self::definitions(service)
            .into_iter()
            .map(|path| (path, OwnPart::Unit));

        files.chain(definitions).collect()
    }

    /// Where the definition of the service and additions to it are, were, or may be put.
    fn definitions(service: Option<&str>) -> Vec<PathBuf> {
        let Some(service) = service else { return Vec::new() };
        let mut found = Vec::new();
        let dirs = platform::UNIT_DIRS.iter().map(Path::new);
        // Another name of a directory that is looked at anyway.
        for dir in dirs.filter(|dir| dir.canonicalize().is_ok_and(|real| real == *dir)) {
            found.push(dir.join(service));
            let additions = std::fs::read_dir(dir.join(format!("{service}.d")));
            let additions = additions
                .into_iter()
                .flatten()
                .flatten()
                .take(ADDITIONS_MAX);
            found.extend(additions.map(|entry| entry.path()));
        }
        found.retain(|path| !platform::is_mask(path));
        found
    }

    fn is_changed(&self, path: &Path, keeping: &Keeping) -> bool {
        let before = keeping.now.own.get(path).map(|own| own.digest.clone());
        before.is_some() && digest(path).ok() != before
    }

    fn look_at(&mut self, path: &Path, part: OwnPart, keeping: &mut Keeping) -> Option<OwnChange> {
        let before = keeping.now.own.get(path).cloned();
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let before = before?;
                keeping.now.own.remove(path);
                keeping.urgent = Urgency::Write;
                self.removed.insert(path.to_owned(), before);
                return Some(OwnChange::Removed);
            }
            // What cannot be looked at is as it was until it can.
            Err(_) => return None,
        };
        let mark = platform::mark(&metadata);
        if before.as_ref().is_some_and(|before| before.mark == mark) {
            return None;
        }
        let Ok(digest) = digest(path) else { return None };
        let fresh = OwnMark { mark, digest };
        keeping.now.own.insert(path.to_owned(), fresh.clone());
        keeping.urgent = Urgency::Write;
        let is_same = |before: &OwnMark| {
            before.digest == fresh.digest && before.mark.rights == fresh.mark.rights
        };
        let restored = self.removed.remove(path);
        match before {
            Some(before) if is_same(&before) => None,
            Some(_) | None if durable::is_ours(&fresh.digest) => None,
            Some(_) => Some(OwnChange::Changed),
            None => match restored {
                Some(removed) if is_same(&removed) => Some(OwnChange::Restored),
                Some(_) => Some(OwnChange::Changed),
                // At the first look everything is new; later only what was added to the service can be.
                None if part == OwnPart::Unit && self.defined => Some(OwnChange::Added),
                None => None,
            },
        }
    }
}

/// Returns the SHA-256 of a file in hexadecimal.
fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?.take(FILE_MAX_BYTES);
    let mut context = Context::new(&SHA256);
    let mut block = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok(hex::encode(context.finish()));
        }
        context.update(block.get(..read).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Host {
        dir: tempfile::TempDir,
        own: Own,
        keeping: Keeping,
    }

    impl Host {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let state = StateDir::new(dir.path());
            for path in [state.enrolment(), state.certificate(), state.key()] {
                fs::write(path, "as enrolled").unwrap();
            }
            fs::write(dir.path().join("program"), "machine code").unwrap();
            let mut host = Self::opened(dir);
            assert_eq!(host.told(), "");
            host
        }

        fn opened(dir: tempfile::TempDir) -> Self {
            let state = StateDir::new(dir.path());
            let path = |name: &str| dir.path().join(name);
            let (_, service) = watch::channel(None);
            let own = Own::new(&state, path("agent.toml"), Some(path("program")), service);
            let keeping = Keeping::open(state.watched_files());
            Self { own, keeping, dir }
        }

        fn started_anew(self) -> Self {
            Self::opened(self.dir)
        }

        fn told(&mut self) -> String {
            let seen = self.own.look(&mut self.keeping);
            self.keeping.close(jiff::Timestamp::UNIX_EPOCH);
            let line = |seen: OwnSeen| format!("{} {:?} {:?}", seen.name, seen.change, seen.when);
            seen.into_iter().map(line).collect::<Vec<_>>().join(", ")
        }
    }

    #[test]
    fn what_others_do_to_own_files_is_told_once_and_what_the_agent_does_is_not() {
        let mut host = Host::new();
        let path = |name: &str| host.dir.path().join(name);
        let (certificate, key, program) = (path("host.crt"), path("host.key"), path("program"));
        fs::write(&certificate, "somebody else's").unwrap();
        assert_eq!(host.told(), "host.crt Changed Running");
        assert_eq!(host.told(), "");
        durable::replace(&key, b"renewed by the agent 7f31").unwrap();
        assert_eq!(host.told(), "");
        fs::remove_file(&program).unwrap();
        assert_eq!(host.told(), "program Removed Running");
        assert_eq!(host.told(), "");
        fs::write(&program, "machine code").unwrap();
        assert_eq!(host.told(), "program Restored Running");
    }

    #[test]
    fn the_same_content_written_again_is_no_change() {
        let mut host = Host::new();
        fs::write(host.dir.path().join("host.crt"), "as enrolled").unwrap();
        assert_eq!(host.told(), "");
    }

    #[test]
    fn what_was_done_while_the_agent_was_away_is_told_unless_it_was_an_upgrade_or_an_enrolment() {
        let mut host = Host::new();
        fs::write(host.dir.path().join("program"), "other code").unwrap();
        host = host.started_anew();
        assert_eq!(host.told(), "program Changed Away");
        fs::write(host.dir.path().join("program"), "newer code").unwrap();
        host.keeping.now.version = "0.0.1".to_owned();
        host.keeping.close(jiff::Timestamp::UNIX_EPOCH);
        host = host.started_anew();
        assert_eq!(host.told(), "");
        for name in ["enrolment.json", "host.crt", "host.key"] {
            fs::write(host.dir.path().join(name), "enrolled again").unwrap();
        }
        host = host.started_anew();
        assert_eq!(host.told(), "");
    }
}
