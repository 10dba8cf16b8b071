//! The journals of the volumes the roots are on.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED,
};

use super::position::{self, Keeper};
use super::reader::{Reader, Shared};
use super::sys::{self, Volume, VolumeName};
use crate::sensors::files::Unusable;
use crate::sensors::files::backend::{Refused, Wanted};
use crate::sensors::files::raw::{Batch, Inlet, RawEvent, Trouble};

/// The journals that are read.
pub(in crate::sensors::files) struct Usn {
    inlet: Inlet,
    memory: Option<PathBuf>,
    ignored: Vec<PathBuf>,
    volumes: BTreeMap<String, Open>,
    /// Whether the threads run.
    begun: bool,
}

/// One volume.
struct Open {
    mounted: PathBuf,
    shared: Arc<Shared>,
    /// Until reading begins.
    waiting: Option<Reader>,
    thread: Option<JoinHandle<()>>,
}

impl Usn {
    /// Looks whether the journal of the probed directory's volume can be read.
    pub(in crate::sensors::files) fn open(
        inlet: Inlet,
        wanted: &Wanted<'_>,
    ) -> Result<Self, Unusable> {
        if let Some(probe) = wanted.probe {
            VolumeName::of(probe)
                .and_then(|volume| Volume::open(&volume.name)?.journal())
                .map_err(|error| Unusable(words(&error)))?;
        }

        Ok(Self {
            inlet,
            memory: wanted.memory.map(Path::to_owned),
            ignored: wanted.ignored.to_vec(),
            volumes: BTreeMap::new(),
            begun: false,
        })
    }

    /// Says what it sees with.
    pub(in crate::sensors::files) fn name(&self) -> String {
        let volumes = self.volumes.values().map(|open| {
            let mounted = open.mounted.to_string_lossy();
            mounted
                .trim_start_matches(r"\\?\")
                .trim_end_matches('\\')
                .to_owned()
        });
        let volumes = volumes.collect::<Vec<_>>().join(", ");

        format!("usn (change journal of {volumes}; it does not tell who changes a file)")
    }

    /// Watches a directory and everything below it. There is nothing below it that another backend would have to watch.
    pub(in crate::sensors::files) fn watch(
        &mut self,
        root: &Path,
    ) -> Result<Vec<PathBuf>, Refused> {
        std::fs::read_dir(root).map_err(|error| Refused::Trouble(trouble(&error)))?;
        let unable = |error: io::Error| Refused::Unable(words(&error));
        let volume = VolumeName::of(root).map_err(unable)?;
        if !self.volumes.contains_key(&volume.name) {
            let opened = self.open_volume(&volume).map_err(unable)?;
            self.volumes.insert(volume.name.clone(), opened);
        }
        if let Some(open) = self.volumes.get(&volume.name) {
            open.shared.change_roots(|roots| {
                if !roots.iter().any(|known| known == root) {
                    roots.push(root.to_owned());
                }
            });
        }

        Ok(Vec::new())
    }

    /// Stops watching a directory. Its volume is read on: it costs next to nothing, and the directory may come back.
    pub(in crate::sensors::files) fn unwatch(&self, root: &Path) {
        for open in self.volumes.values() {
            open.shared
                .change_roots(|roots| roots.retain(|known| known != root));
        }
    }

    /// Nothing that is mounted changes what a journal tells.
    #[expect(clippy::unused_self, reason = "other backends look at what is mounted")]
    pub(in crate::sensors::files) const fn is_outdated(&mut self) -> bool {
        false
    }

    /// Its threads tell each change as it is; nothing waits to be put into words.
    #[expect(clippy::unused_self, reason = "other backends read many changes at once")]
    pub(in crate::sensors::files) fn translate(&mut self, _: &Batch, _: impl FnMut(RawEvent)) {}

    /// Begins to read, now that every root is known.
    pub(in crate::sensors::files) fn begin(&mut self) {
        self.begun = true;
        for open in self.volumes.values_mut() {
            open.begin();
        }
    }

    fn open_volume(&self, name: &VolumeName) -> io::Result<Open> {
        let volume = Volume::open(&name.name)?;
        let (journal, made) = volume.journal()?;
        if made {
            tracing::info!(volume = %name.mounted.display(), "the volume had no change journal; one was made");
        }
        let keeper = Keeper::new(
            self.memory
                .as_ref()
                .map(|dir| dir.join(file_name(&name.name))),
        );
        let shared = Arc::new(Shared::default());
        let reader = Reader {
            volume,
            journal,
            begin: position::begin(keeper.kept(), journal),
            keeper,
            shared: shared.clone(),
            inlet: self.inlet.clone(),
            ignored: self.ignored.clone(),
        };
        let mounted = name.mounted.clone();
        let mut open = Open { mounted, shared, waiting: Some(reader), thread: None };
        if self.begun {
            open.begin();
        }

        Ok(open)
    }
}

impl Open {
    fn begin(&mut self) {
        let Some(reader) = self.waiting.take() else { return };
        let thread = std::thread::Builder::new().name("usn".to_owned());
        match thread.spawn(move || reader.run()) {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => tracing::error!(%error, "a volume's change journal is not read"),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that reads a change journal panicked");
        }
    }
}

/// Each volume has its own file.
fn file_name(volume: &str) -> String {
    let mut hasher = DefaultHasher::new();
    volume.to_lowercase().hash(&mut hasher);

    format!("usn-{:016x}.json", hasher.finish())
}

/// Says why a journal cannot be used.
fn words(error: &io::Error) -> String {
    let none = [ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED];
    if sys::is(error, ERROR_ACCESS_DENIED) {
        "the right to read the change journal is missing (administrator)".to_owned()
    } else if none.iter().any(|code| sys::is(error, *code)) {
        "this file system keeps no change journal (NTFS and ReFS do)".to_owned()
    } else {
        format!("the change journal cannot be opened: {error}")
    }
}

fn trouble(error: &io::Error) -> Trouble {
    let kind = error.kind();
    if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&kind) {
        Trouble::Missing
    } else if kind == io::ErrorKind::PermissionDenied {
        Trouble::Denied
    } else {
        Trouble::Other(kind.to_string())
    }
}
