//! Puts what happened into observations, has files looked into, and hands on.

use shirase_shared::clock::Moment;
use shirase_shared::event::LossKind;

use super::Worker;
use super::outlet::{TOGETHER_MAX, Urgency};
use crate::observation::{Fact, FileChange, Lost, Observation, Operation, Role};
use crate::sensors::content::{Change, Writer};
use crate::sensors::files::pairing::Seen;
use crate::sensors::files::roots::root_of;

impl Worker {
    pub(super) fn tell(&mut self, seen: &Seen, operation: Operation) {
        self.tell_of(seen, operation, Writer::Done);
    }

    pub(super) fn tell_of(&mut self, seen: &Seen, operation: Operation, writer: Writer) {
        let Some((root, below)) = root_of(&self.roots, &seen.path) else { return };
        let now_ms = seen.at.monotonic_ms;
        let role = match operation {
            Operation::Written => self.watchlist.role_of_written(&seen.path, now_ms),
            // Nobody makes what is there already; the next word of it tells more.
            Operation::Created => Role::Ordinary,
            Operation::Deleted
            | Operation::MovedOut
            | Operation::Renamed { .. }
            | Operation::DirectoryRenamed { .. } => self.watchlist.role(&[&seen.path], now_ms),
        };
        let change = FileChange::new(root.clone(), below.to_owned(), operation);
        let change = FileChange { actor: seen.actor.clone(), role, ..change };
        self.gather(seen.at, Fact::File(change), writer);
    }

    pub(super) fn send(&mut self, at: Moment, fact: Fact) {
        self.gather(at, fact, Writer::Done);
    }

    fn gather(&mut self, at: Moment, fact: Fact, writer: Writer) {
        self.gathered
            .push(Change { observation: Observation { at, fact }, writer });
        if TOGETHER_MAX <= self.gathered.len() {
            self.hand_on(at.monotonic_ms);
        }
    }

    /// Looks into what was gathered and hands it on, once it is time.
    pub(super) fn hand_on(&mut self, now_ms: u64) {
        if self.gathered.is_empty() {
            return self.outlet.pass(now_ms);
        }
        self.checker.check(&mut self.gathered);
        let observations = self.gathered.drain(..).map(|change| change.observation);
        if self.outlet.put(observations, now_ms) == Urgency::Pressing {
            self.waker.haste.ask(now_ms);
        }
    }

    pub(super) fn lost(&mut self, at: Moment, what: LossKind, count: Option<u64>, detail: String) {
        self.send(at, Fact::Lost(Lost { what, count, detail }));
    }
}
