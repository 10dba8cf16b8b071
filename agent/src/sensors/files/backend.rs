//! What the worker sees with: the best backend this system offers, and another one for what that cannot watch.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;

#[cfg(target_os = "linux")]
use super::fanotify::Fanotify as Preferred;
use super::portable::Portable;
use super::queue;
use super::raw::{Batch, Inlet, Queue, RawEvent, Trouble};
#[cfg(windows)]
use super::usn::Usn as Preferred;
use super::{FilesError, Unusable};

/// Changes waiting for the worker when each comes alone. What does not fit is counted as lost, and a rescan follows.
const SINGLE_CAPACITY: usize = 65_536;
/// The same when most wait in a queue of the kernel's if they must.
const PREFERRED_CAPACITY: usize = 4096;
/// The backend this system prefers.
const PREFERRED: BackendChoice =
    if cfg!(windows) { BackendChoice::Usn } else { BackendChoice::Fanotify };

/// Which backend is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum BackendChoice {
    /// The best there is: fanotify on Linux and the change journal on Windows where they can be used, `notify` where not.
    #[default]
    Auto,
    /// fanotify or nothing. Linux with the rights of the service.
    Fanotify,
    /// The change journal (USN) of NTFS and `ReFS` or nothing. Windows as administrator.
    Usn,
    /// inotify on Linux, `ReadDirectoryChangesW` on Windows: no special rights, nothing about who did it.
    Notify,
}

impl BackendChoice {
    /// Returns the system that has it, if that is not this one.
    const fn foreign(self) -> Option<&'static str> {
        match self {
            Self::Fanotify if !cfg!(target_os = "linux") => {
                Some("fanotify is a part of Linux, and this is another system")
            }
            Self::Usn if !cfg!(windows) => {
                Some("the change journal is a part of Windows, and this is another system")
            }
            Self::Auto | Self::Fanotify | Self::Usn | Self::Notify => None,
        }
    }
}

/// The open backends.
pub(super) struct Backend {
    /// The one that is preferred, if it can be used.
    preferred: Option<Preferred>,
    /// The one for everything else; opened when first needed.
    portable: Option<Portable>,
    /// Why the preferred one is not used, if somebody would like to know.
    reason: Option<String>,
    inlet: Inlet,
}

/// What a backend is opened with.
pub(super) struct Wanted<'a> {
    pub(super) choice: BackendChoice,
    pub(super) clock: SharedClock,
    /// Directories nobody wants to hear of.
    pub(super) ignored: &'a [PathBuf],
    /// A directory to try the backend on.
    pub(super) probe: Option<&'a Path>,
    /// Where to keep how far was seen.
    #[cfg_attr(
        not(windows),
        expect(dead_code, reason = "a change journal alone can be gone back to")
    )]
    pub(super) memory: Option<&'a Path>,
}

/// Why one directory is not watched by the preferred backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Nobody could watch it.
    Trouble(Trouble),
    /// Its file system does not do this, in the system's words; another backend may.
    Unable(String),
}

impl Backend {
    /// Opens what is wanted, or the best there is.
    pub(super) fn open(wanted: &Wanted<'_>) -> Result<(Self, Queue), FilesError> {
        if let Some(foreign) = wanted.choice.foreign() {
            return Err(Unusable(foreign.to_owned()).into());
        }
        let reason = match wanted.choice {
            BackendChoice::Notify => None,
            BackendChoice::Auto | BackendChoice::Fanotify | BackendChoice::Usn => {
                match open_preferred(wanted) {
                    Ok(opened) => return Ok(opened),
                    Err(unusable) if wanted.choice == PREFERRED => return Err(unusable.into()),
                    Err(unusable) => Some(unusable.0),
                }
            }
        };
        let (inlet, queue) = channel(SINGLE_CAPACITY, &wanted.clock);
        let portable = Some(Portable::open(inlet.clone())?);

        Ok((Self { preferred: None, portable, reason, inlet }, queue))
    }

    /// Returns what wakes the worker.
    pub(super) fn inlet(&self) -> Inlet {
        self.inlet.clone()
    }

    /// Says what the sensor sees with, and why not with something better.
    pub(super) fn name(&self) -> String {
        let mut name = Vec::new();
        name.extend(self.preferred.as_ref().map(Preferred::name));
        name.extend(self.portable.as_ref().map(|_| Portable::name()));
        let name = name.join(" and ");
        match &self.reason {
            Some(reason) => format!("{name}, because {reason}"),
            None => name,
        }
    }

    /// Watches a directory and everything below it. What cannot be watched below it comes as
    /// [`Raw::Trouble`](super::raw::Raw::Trouble).
    pub(super) fn watch(&mut self, root: &Path) -> Result<(), Trouble> {
        if let Some(preferred) = &mut self.preferred {
            match preferred.watch(root) {
                Ok(unable) => {
                    return unable.iter().try_for_each(|path| self.watch_portably(path));
                }
                Err(Refused::Trouble(trouble)) => return Err(trouble),
                Err(Refused::Unable(reason)) => {
                    self.reason = Some(format!("not every root can be watched better: {reason}"));
                }
            }
        }
        self.watch_portably(root)
    }

    fn watch_portably(&mut self, root: &Path) -> Result<(), Trouble> {
        let portable = match &mut self.portable {
            Some(portable) => portable,
            none @ None => {
                let opened = Portable::open(self.inlet.clone());
                none.insert(opened.map_err(|error| Trouble::Other(error.to_string()))?)
            }
        };
        portable.watch(root)
    }

    /// Begins to tell, now that every root was named once. Only where the past can be told it makes a difference.
    pub(super) fn begin(&mut self) {
        if let Some(preferred) = &mut self.preferred {
            preferred.begin();
        }
    }

    /// Stops watching a directory. One that is not watched any more is no error.
    pub(super) fn unwatch(&mut self, root: &Path) {
        if let Some(preferred) = &mut self.preferred {
            preferred.unwatch(root);
        }
        if let Some(portable) = &mut self.portable {
            portable.unwatch(root);
        }
    }

    /// Whether the roots have to be watched anew, because something was mounted below one, or unmounted.
    pub(super) fn is_outdated(&mut self) -> bool {
        self.preferred.as_mut().is_some_and(Preferred::is_outdated)
    }

    /// Whether [`Self::is_outdated`] tells what was mounted; where not, the mount table has to be read each time.
    pub(super) const fn follows_mounts(&self) -> bool {
        self.preferred.is_some()
    }

    /// Puts what was read at once into words.
    pub(super) fn translate(&mut self, batch: &Batch, tell: impl FnMut(RawEvent)) {
        if let Some(preferred) = &mut self.preferred {
            preferred.translate(batch, tell);
        }
    }

    /// Whether files of a new directory may have come before it was watched, so that it has to be listed.
    pub(super) const fn lists_new_directories(&self) -> bool {
        self.portable.is_some()
    }
}

fn channel(capacity: usize, clock: &SharedClock) -> (Inlet, Queue) {
    let (queue, waiting) = queue::queue(capacity);
    let overflowed = Arc::new(AtomicU64::new(0));
    let (clock, haste) = (clock.clone(), Arc::default());
    let inlet = Inlet { queue, overflowed: overflowed.clone(), clock, haste };

    (inlet, Queue { waiting, overflowed })
}

fn open_preferred(wanted: &Wanted<'_>) -> Result<(Backend, Queue), Unusable> {
    let (inlet, queue) = channel(PREFERRED_CAPACITY, &wanted.clock);
    let preferred = Some(Preferred::open(inlet.clone(), wanted)?);

    Ok((Backend { preferred, portable: None, reason: None, inlet }, queue))
}

#[cfg(test)]
mod tests {
    use shirase_shared::clock::ManualClock;
    use shirase_shared::testing::builders::night;

    use super::*;

    #[test]
    fn another_systems_backend_is_refused_with_a_reason() {
        let foreign = if cfg!(windows) { BackendChoice::Fanotify } else { BackendChoice::Usn };
        let opened = Backend::open(&Wanted {
            choice: foreign,
            clock: Arc::new(ManualClock::new(night())),
            ignored: &[],
            probe: None,
            memory: None,
        });
        let Err(refused) = opened else { panic!("it opened") };
        assert!(matches!(refused, FilesError::Unusable(_)), "{refused}");
    }
}
