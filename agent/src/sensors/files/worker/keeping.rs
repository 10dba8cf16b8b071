//! Keeps an eye on the roots: watches them, notices that one is gone, watches it again when it is back.

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::wire::SensorState;

use super::{RESCAN_OVERLAP, RootStatus, Worker};
use crate::observation::{Fact, RescanCause, RootSeen, Sight};
use crate::sensors::files::distant;
use crate::sensors::files::rescan::Request;
use crate::sensors::files::roots::{Look, Watched};

impl Worker {
    pub(super) fn watch_all(&mut self, since: Option<Timestamp>) {
        let at = self.clock.moment();
        self.looked_ms = at.monotonic_ms;
        for watched in &mut self.roots {
            let result = self.backend.watch(&watched.root.path);
            watched.watched(&result, since.unwrap_or(at.wall));
            if let (Some(since), Ok(())) = (since, &result) {
                let (root, cause) = (watched.root.clone(), RescanCause::Start);
                self.rescans.request(Request { root, since, cause });
            }
        }
        self.backend.begin();
        let hidden = self
            .roots
            .iter()
            .filter(|watched| watched.sight != Sight::Whole);
        let labels: Vec<_> = hidden.map(|watched| watched.root.label.clone()).collect();
        self.show();
        for label in labels {
            self.tell_root(&label, at);
        }
    }

    pub(super) fn look_at_roots(&mut self, now: Moment) {
        self.looked_ms = now.monotonic_ms;
        let outdated = self.backend.is_outdated();
        let mounted = outdated || !self.backend.follows_mounts();
        self.moved |= mounted && distant::have_moved(&self.near);
        // Whoever touched what was mounted there might hang.
        if self.moved {
            return;
        }
        if outdated {
            for watched in &self.roots {
                // One that is gone or cannot be read is handled below, with everything that follows from it.
                drop(self.backend.watch(&watched.root.path));
            }
        }
        let mut changed = Vec::new();
        for watched in &mut self.roots {
            let was_gone = match watched.look() {
                Look::Same => continue,
                Look::Gone => {
                    self.backend.unwatch(&watched.root.path);
                    watched.lose(now.wall);
                    watched.look() == Look::Back
                }
                Look::Back => true,
            };
            if was_gone {
                let unseen = watched.unseen_since.unwrap_or(now.wall);
                let result = self.backend.watch(&watched.root.path);
                watched.watched(&result, now.wall);
                let request = Request {
                    root: watched.root.clone(),
                    since: unseen - RESCAN_OVERLAP,
                    cause: RescanCause::RootBack,
                };
                if result.is_ok() {
                    self.rescans.request(request);
                }
            }
            changed.push(watched.root.label.clone());
        }
        if !changed.is_empty() {
            self.show();
        }
        for label in &changed {
            self.tell_root(label, now);
        }
    }

    pub(super) fn tell_root(&mut self, label: &str, at: Moment) {
        let Some(watched) = self
            .roots
            .iter()
            .find(|watched| watched.root.label == label)
        else {
            return;
        };
        let seen = RootSeen {
            root: watched.root.clone(),
            sight: watched.sight,
            detail: watched.detail.clone(),
        };
        self.send(at, Fact::Root(seen));
    }

    pub(super) fn statuses(&self) -> Vec<RootStatus> {
        let status = |watched: &Watched| RootStatus {
            root: watched.root.clone(),
            sight: watched.sight,
            detail: watched.detail.clone(),
        };
        self.roots.iter().map(status).collect()
    }

    /// Says on the board how the roots are seen.
    pub(super) fn show(&self) {
        let trouble = |watched: &&Watched| watched.sight != Sight::Whole;
        let told: Vec<_> = self
            .roots
            .iter()
            .filter(trouble)
            .map(|watched| format!("{}: {}", watched.root.label, watched.detail))
            .collect();
        let blind = self
            .roots
            .iter()
            .all(|watched| Sight::Unreadable <= watched.sight);
        let state = match (told.is_empty(), blind && !self.roots.is_empty()) {
            (true, _) => SensorState::Well,
            (false, true) => SensorState::Blind,
            (false, false) => SensorState::Degraded,
        };
        let backend = self.backend.name();
        let roots = self.roots.len();
        let detail = match told.is_empty() {
            true => format!("{backend}, {roots} root(s)"),
            false => format!("{backend}; {}", told.join("; ")),
        };
        self.board.set(&self.name, state, detail);
    }
}
