//! What the worker sees with: the best backend this system offers, and another one for what that cannot watch.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;

#[cfg(target_os = "linux")]
use super::fanotify::{Fanotify, Refused};
use super::portable::Portable;
use super::raw::{Batch, Inlet, Queue, RawEvent, Trouble};
use super::{FilesError, Unusable};

/// Changes waiting for the worker when each comes alone. What does not fit is counted as lost, and a rescan follows.
const SINGLE_CAPACITY: usize = 65_536;
/// The same when most come in batches, which wait in the kernel's queue if they must.
#[cfg(target_os = "linux")]
const BATCHED_CAPACITY: usize = 4096;

/// Which backend is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum BackendChoice {
    /// fanotify where it can be used, and `notify` where not.
    #[default]
    Auto,
    /// fanotify or nothing. Linux with the rights of the service.
    Fanotify,
    /// inotify on Linux, `ReadDirectoryChangesW` on Windows: no special rights, nothing about who did it.
    Notify,
}

/// The open backends.
pub(super) struct Backend {
    /// The one that is preferred, if it can be used.
    #[cfg(target_os = "linux")]
    fanotify: Option<Fanotify>,
    /// The one for everything else; opened when first needed.
    portable: Option<Portable>,
    /// Why the preferred one is not used, if somebody would like to know.
    reason: Option<String>,
    inlet: Inlet,
}

/// What a backend is opened with.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "notify needs less"))]
pub(super) struct Wanted<'a> {
    pub(super) choice: BackendChoice,
    pub(super) clock: SharedClock,
    /// Directories nobody wants to hear of.
    pub(super) ignored: &'a [PathBuf],
    /// A directory to try the backend on.
    pub(super) probe: Option<&'a Path>,
}

impl Backend {
    /// Opens what is wanted, or the best there is.
    pub(super) fn open(wanted: &Wanted<'_>) -> Result<(Self, Queue), FilesError> {
        let reason = match wanted.choice {
            BackendChoice::Notify => None,
            // Where there is nothing better, nobody need know why it is not used.
            BackendChoice::Auto if !cfg!(target_os = "linux") => None,
            BackendChoice::Auto | BackendChoice::Fanotify => match open_preferred(wanted) {
                Ok(opened) => return Ok(opened),
                Err(unusable) if wanted.choice == BackendChoice::Fanotify => {
                    return Err(unusable.into());
                }
                Err(unusable) => Some(unusable.0),
            },
        };
        let (inlet, queue) = channel(SINGLE_CAPACITY, &wanted.clock);
        let portable = Some(Portable::open(inlet.clone())?);
        let backend = Self {
            #[cfg(target_os = "linux")]
            fanotify: None,
            portable,
            reason,
            inlet,
        };

        Ok((backend, queue))
    }

    /// Returns what wakes the worker.
    pub(super) fn inlet(&self) -> Inlet {
        self.inlet.clone()
    }

    /// Says what the sensor sees with, and why not with something better.
    pub(super) fn name(&self) -> String {
        let mut name = Vec::new();
        #[cfg(target_os = "linux")]
        name.extend(
            self.fanotify
                .as_ref()
                .map(|fanotify| format!("fanotify (queue {})", fanotify.kernel_queue())),
        );
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
        #[cfg(target_os = "linux")]
        if let Some(fanotify) = &mut self.fanotify {
            match fanotify.watch(root) {
                Ok(unable) => {
                    return unable.iter().try_for_each(|path| self.watch_portably(path));
                }
                Err(Refused::Trouble(trouble)) => return Err(trouble),
                Err(Refused::Unable(reason)) => {
                    self.reason = Some(format!("fanotify cannot be used for every root: {reason}"));
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

    /// Stops watching a directory. One that is not watched any more is no error.
    pub(super) fn unwatch(&mut self, root: &Path) {
        #[cfg(target_os = "linux")]
        if let Some(fanotify) = &mut self.fanotify {
            fanotify.unwatch(root);
        }
        if let Some(portable) = &mut self.portable {
            portable.unwatch(root);
        }
    }

    /// Whether the roots have to be watched anew, because something was mounted below one, or unmounted.
    pub(super) fn is_outdated(&mut self) -> bool {
        #[cfg(target_os = "linux")]
        if let Some(fanotify) = &mut self.fanotify {
            return fanotify.mounts_changed();
        }
        false
    }

    /// Puts what was read at once into words.
    pub(super) fn translate(&mut self, batch: &Batch, tell: impl FnMut(RawEvent)) {
        #[cfg(target_os = "linux")]
        if let Some(fanotify) = &mut self.fanotify {
            fanotify.translate(batch, tell);
        }
        #[cfg(not(target_os = "linux"))]
        drop((batch, tell));
    }

    /// Whether files of a new directory may have come before it was watched, so that it has to be listed.
    pub(super) const fn lists_new_directories(&self) -> bool {
        self.portable.is_some()
    }
}

fn channel(capacity: usize, clock: &SharedClock) -> (Inlet, Queue) {
    let (queue, waiting) = sync_channel(capacity);
    let overflowed = Arc::new(AtomicU64::new(0));
    let inlet = Inlet { queue, overflowed: overflowed.clone(), clock: clock.clone() };

    (inlet, Queue { waiting, overflowed })
}

#[cfg(target_os = "linux")]
fn open_preferred(wanted: &Wanted<'_>) -> Result<(Backend, Queue), Unusable> {
    let (inlet, queue) = channel(BATCHED_CAPACITY, &wanted.clock);
    let fanotify = Fanotify::open(inlet.clone(), wanted.ignored.to_vec(), wanted.probe)?;
    let backend = Backend { fanotify: Some(fanotify), portable: None, reason: None, inlet };

    Ok((backend, queue))
}

#[cfg(not(target_os = "linux"))]
fn open_preferred(_: &Wanted<'_>) -> Result<(Backend, Queue), Unusable> {
    Err(Unusable("fanotify is a part of Linux".to_owned()))
}
