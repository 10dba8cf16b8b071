//! The `notify` backend: inotify on Linux, `ReadDirectoryChangesW` on Windows, through one face.
//!
//! Always holds: the handler runs on the thread that drains the kernel's queue; it translates, stamps and pushes,
//! and never waits. The kernel is asked for creations, removals, renames, writes and closes after writing; not for
//! opens and reads.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::TrySendError;

use notify::event::{
    AccessKind, AccessMode, CreateKind, EventKind, EventKindMask, ModifyKind, RemoveKind,
    RenameMode,
};
use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::FilesError;
use super::raw::{Entry, Inlet, Raw, RawEvent, Trouble, Waiting};

/// The open watcher.
pub(super) struct Portable(RecommendedWatcher);

impl Portable {
    /// Opens the kernel's queue.
    pub(super) fn open(inlet: Inlet) -> Result<Self, FilesError> {
        let mut last_written = PathBuf::new();
        let handler = move |told: notify::Result<Event>| {
            let at = inlet.clock.moment();
            for (path, what) in translate(told) {
                // A run of writes to one file is one look for us, so the queue need not hold it all.
                if matches!(what, Raw::Written) {
                    if path == last_written {
                        continue;
                    }
                    last_written.clone_from(&path);
                } else {
                    last_written.clear();
                }
                let event = Waiting::One(RawEvent { at, path, what, actor: None });
                if let Err(TrySendError::Full(_)) = inlet.queue.try_send(event) {
                    inlet.overflowed.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let kinds = EventKindMask::CREATE
            | EventKindMask::REMOVE
            | EventKindMask::MODIFY_DATA
            | EventKindMask::MODIFY_NAME
            | EventKindMask::ACCESS_CLOSE;
        let config = Config::default()
            .with_event_kinds(kinds)
            .with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(handler, config).map_err(FilesError::Backend)?;

        Ok(Self(watcher))
    }

    /// Returns what it is called.
    pub(super) fn name() -> String {
        let name = format!("notify ({:?})", RecommendedWatcher::kind()).to_lowercase();
        format!("{name}, which does not tell who changes a file")
    }

    /// Watches a directory and everything below it. What cannot be watched below it comes as [`Raw::Trouble`].
    pub(super) fn watch(&mut self, root: &Path) -> Result<(), Trouble> {
        self.0
            .watch(root, RecursiveMode::Recursive)
            .map_err(|error| trouble(&error.kind))
    }

    /// Stops watching a directory. One that is not watched any more is no error.
    pub(super) fn unwatch(&mut self, root: &Path) {
        if let Err(error) = self.0.unwatch(root) {
            tracing::debug!(error = %error, "a root was not watched any more");
        }
    }
}

fn trouble(kind: &ErrorKind) -> Trouble {
    match kind {
        ErrorKind::PathNotFound | ErrorKind::WatchNotFound => Trouble::Missing,
        ErrorKind::MaxFilesWatch => Trouble::Limit,
        ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::NotFound => Trouble::Missing,
        ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Trouble::Denied
        }
        ErrorKind::Io(error) => Trouble::Other(error.kind().to_string()),
        ErrorKind::Generic(text) => Trouble::Other(text.clone()),
        ErrorKind::InvalidConfig(_) => {
            Trouble::Other("the watcher refused its settings".to_owned())
        }
    }
}

/// Puts what `notify` says into our words. Paths it adds for convenience (`Both`) would count a rename twice.
fn translate(told: notify::Result<Event>) -> Vec<(PathBuf, Raw)> {
    let event = match told {
        Ok(event) => event,
        Err(error) => {
            let path = error.paths.first().cloned().unwrap_or_default();
            return vec![(path, Raw::Trouble(trouble(&error.kind)))];
        }
    };
    if event.need_rescan() {
        return vec![(PathBuf::new(), Raw::Overflow)];
    }
    let cookie = event.tracker();
    let from = if cfg!(target_os = "linux") && cookie.is_none() {
        // inotify numbers every rename; the one without a number is the watched directory itself.
        || Raw::RootMoved
    } else {
        || Raw::From(None)
    };
    let Some(path) = event.paths.into_iter().next() else {
        return Vec::new();
    };
    let what = match event.kind {
        EventKind::Create(CreateKind::Folder) => Raw::Created(Entry::Directory),
        EventKind::Create(CreateKind::File | CreateKind::Any | CreateKind::Other) => {
            Raw::Created(Entry::File)
        }
        EventKind::Remove(RemoveKind::Folder) => Raw::Deleted(Entry::Directory),
        EventKind::Remove(RemoveKind::File | RemoveKind::Any | RemoveKind::Other) => {
            Raw::Deleted(Entry::File)
        }
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) if cookie.is_some() => {
            Raw::From(cookie)
        }
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => from(),
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Raw::To(cookie),
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => Raw::Written,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Raw::Closed,
        EventKind::Modify(ModifyKind::Name(
            RenameMode::Both | RenameMode::Any | RenameMode::Other,
        ))
        | EventKind::Modify(ModifyKind::Metadata(_) | ModifyKind::Other)
        | EventKind::Access(_)
        | EventKind::Any
        | EventKind::Other => return Vec::new(),
    };

    vec![(path, what)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_told_three_times_is_two_halves() {
        let rename = |mode| Event::new(EventKind::Modify(ModifyKind::Name(mode))).set_tracker(7);
        let told = [
            rename(RenameMode::From).add_path("/r/a".into()),
            rename(RenameMode::To).add_path("/r/b".into()),
            rename(RenameMode::Both)
                .add_path("/r/a".into())
                .add_path("/r/b".into()),
        ];
        let raw: Vec<_> = told
            .into_iter()
            .flat_map(|event| translate(Ok(event)))
            .collect();
        assert_eq!(raw.len(), 2);
        assert!(matches!(raw[0].1, Raw::From(Some(7))) && matches!(raw[1].1, Raw::To(Some(7))));
    }

    #[test]
    fn an_overflow_without_a_path_is_an_overflow() {
        let event = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        assert!(matches!(translate(Ok(event)).as_slice(), [(_, Raw::Overflow)]));
    }
}
