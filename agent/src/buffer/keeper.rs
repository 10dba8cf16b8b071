//! The buffer's own work, done by one thread at a time behind the lock in [`super::Buffer`].
//!
//! Always holds: whatever another thread can see here is on disk already, because the lock is held until the commit
//! returned. After a failed commit the engine is dropped and opened again before anything else is believed.

use std::collections::BTreeSet;

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::event::{Anomaly, Event, Loss, LossKind, Phase, Record, SCHEMA, Severity};
use shirase_shared::ids::{Sequence, StreamId};
use shirase_shared::wire::{RECORD_MAX_BYTES, record_hash};

use super::engine::{Change, Engine, EngineError, GROWTH_STEP_BYTES};
use super::house::House;
use super::quota::{self, Admission, Class, Usage};
use super::record::{self, Entry, REFUSED_KEY, STATE_KEY, Space, State};
use super::refusals::Refusals;
use super::{BufferConfig, BufferError, Kept, Level};

/// Pairs read from the database at a time; a record has at most 17.
pub(super) const PAGE: usize = 256;
/// Counts of refused events are written at most this often: they must not fill what is full.
const REFUSALS_SAVED_EVERY_MS: u64 = 1000;
/// While the buffer stays full, refused events are told this often.
const REFUSALS_TOLD_EVERY_MS: u64 = 10 * 60 * 1000;
/// Free disk beyond the ballast's own size before it is made again.
const BALLAST_MARGIN_BYTES: u64 = 32 * 1024 * 1024;

pub(super) struct Keeper {
    pub(super) house: House,
    pub(super) number: u64,
    pub(super) engine: Option<Engine>,
    pub(super) config: BufferConfig,
    pub(super) clock: SharedClock,
    pub(super) state: State,
    pub(super) tally: Tally,
    pub(super) refusals: Refusals,
    pub(super) refusals_saved_ms: u64,
    pub(super) refusals_told_ms: u64,
    /// Positions whose append was answered with an error although the engine may have them.
    pub(super) unkept: BTreeSet<u64>,
}

/// What lives in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) waiting: u64,
    pub(super) aside: u64,
    pub(super) live_bytes: u64,
}

impl Keeper {
    /// Numbers an event and returns once it is on disk.
    pub(super) fn append(&mut self, event: Event) -> Result<Kept, BufferError> {
        let class = Class::of(&event);
        let mut outcome = self
            .admit(class)
            .and_then(|()| self.write_record(event.clone(), Vec::new()));
        if matches!(outcome, Err(BufferError::Engine(_))) {
            // Once more with everything made anew: after damage the stream is another one.
            outcome = self.write_record(event.clone(), Vec::new());
        }
        match outcome {
            Ok(kept) => {
                self.tell_refusals();
                Ok(kept)
            }
            Err(error) => {
                self.refusals.count(&event);
                self.save_refusals();
                Err(error)
            }
        }
    }

    /// Removes a stream's records up to `sequence`: the collector has stored them. Returns how many left.
    pub(super) fn remove_through(
        &mut self,
        stream: StreamId,
        sequence: Sequence,
    ) -> Result<u64, BufferError> {
        self.ensure_open()?;
        let Some((from, through)) = self.state.positions(stream, sequence) else {
            return Ok(0);
        };
        let mut removed = 0;
        loop {
            let entries = self.page(Space::Waiting, from)?;
            let gone: Vec<_> = entries
                .into_iter()
                .filter(|entry| entry.position <= through)
                .collect();
            if gone.is_empty() {
                return Ok(removed);
            }
            let changes: Vec<_> = gone
                .iter()
                .flat_map(|entry| entry.keys.iter().cloned().map(Change::Remove))
                .collect();
            self.commit(&changes)?;
            let count = u64::try_from(gone.len()).unwrap_or(0);
            removed += count;
            self.tally.waiting = self.tally.waiting.saturating_sub(count);
            let bytes: u64 = gone.iter().map(|entry| entry.bytes).sum();
            self.tally.live_bytes = self.tally.live_bytes.saturating_sub(bytes);
        }
    }

    /// Begins a new stream: the collector knows more of the present one than this disk.
    pub(super) fn begin_stream(&mut self) -> Result<StreamId, BufferError> {
        self.ensure_open()?;
        let oldest = self
            .page(Space::Waiting, 0)?
            .first()
            .map(|entry| entry.position);
        let mut state = self.state.clone();
        let stream = state.begin(oldest);
        self.commit(&[record::write_single(STATE_KEY, &state)?])?;
        self.state = state;

        Ok(stream)
    }

    /// Does what can wait: opens again after a failure, tells refusals, rewrites a file of dead bytes, restores the ballast.
    pub(super) fn tend(&mut self) -> Result<(), BufferError> {
        self.ensure_open()?;
        self.save_refusals();
        self.tell_refusals();
        if quota::is_worth_rewriting(self.usage()?) {
            self.rewrite()?;
        }
        self.restore_ballast();

        Ok(())
    }

    /// Reads the records of one page from a position on.
    pub(super) fn page(&self, space: Space, position: u64) -> Result<Vec<Entry>, BufferError> {
        let engine = self.engine()?;
        let pairs = engine.scan(&record::key(space, position, 0), &record::end(space), PAGE)?;
        let cut = pairs.len() == PAGE;

        Ok(record::assemble(pairs, cut))
    }

    /// Returns how full it is.
    pub(super) fn level(&self) -> Level {
        Level {
            used_bytes: self
                .engine
                .as_ref()
                .and_then(|engine| engine.disk_bytes().ok())
                .unwrap_or(0),
            limit_bytes: self.config.limit_bytes,
            waiting: self.tally.waiting,
            set_aside: self.tally.aside,
            refused: self.refusals.total(),
        }
    }

    /// Applies all changes or none and returns once they are on disk, healing the engine once if it must.
    pub(super) fn commit(&mut self, changes: &[Change]) -> Result<(), BufferError> {
        let first = match self.engine()?.commit(changes) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        tracing::warn!(error = %Chain(&first), "buffer commit failed; opening the database again");
        self.heal(&first)?;
        let again = self.engine()?.commit(changes);
        if again.is_err() {
            self.engine = None;
        }

        Ok(again?)
    }

    /// Writes one record, its number and `more` in one commit.
    pub(super) fn write_record(
        &mut self,
        event: Event,
        more: Vec<Change>,
    ) -> Result<Kept, BufferError> {
        self.ensure_open()?;
        let mut state = self.state.clone();
        state.last += 1;
        let (stream, sequence) = state.locate(state.last);
        let line = encode(stream, sequence, event)?;
        let mut changes = record::write(Space::Waiting, state.last, &line);
        let bytes: usize = changes.iter().map(size).sum();
        changes.push(record::write_single(STATE_KEY, &state)?);
        changes.extend(more);
        // The number is used up even if the commit fails: the engine may hold the record all the same.
        self.state.last = state.last;
        if let Err(error) = self.commit(&changes) {
            self.unkept.insert(state.last);
            return Err(error);
        }
        self.tally.waiting += 1;
        self.tally.live_bytes += u64::try_from(bytes).unwrap_or(0);

        Ok(Kept { stream, sequence, hash: record_hash(&line) })
    }

    /// Makes an event that tells a loss.
    pub(super) fn loss_event(&self, loss: Loss, severity: Severity, reason: String) -> Event {
        let moment = self.clock.moment();
        Event {
            schema: SCHEMA,
            anomaly: Anomaly::Loss(loss),
            phase: Phase::Once,
            burst: None,
            severity,
            detected_at: moment.wall,
            first_change_at: None,
            moment,
            root: None,
            files_affected: 0,
            reason,
            drill: None,
        }
    }

    pub(super) fn engine(&self) -> Result<&Engine, BufferError> {
        self.engine.as_ref().ok_or(BufferError::Closed)
    }

    pub(super) fn usage(&self) -> Result<Usage, BufferError> {
        Ok(Usage {
            used_bytes: self.engine()?.disk_bytes()?,
            live_bytes: self.tally.live_bytes,
            free_disk_bytes: self.house.free_disk_bytes(),
            ballast_bytes: self.house.ballast_bytes(),
        })
    }

    fn admit(&mut self, class: Class) -> Result<(), BufferError> {
        self.ensure_open()?;
        let mut usage = self.usage()?;
        let mut admission = quota::admit(class, usage, &self.config);
        if admission == Admission::Rewrite {
            if let Err(error) = self.rewrite() {
                tracing::warn!(error = %Chain(&error), "the full buffer could not be rewritten");
            }
            self.ensure_open()?;
            usage = self.usage()?;
            admission = quota::admit(class, usage, &self.config);
        }
        match admission {
            Admission::Admit => {
                // Before sled meets the end of the disk, not after.
                if self.is_disk_full() {
                    self.give_ballast();
                }
                Ok(())
            }
            Admission::Rewrite | Admission::Refuse => Err(BufferError::Full {
                used_bytes: usage.used_bytes,
                limit_bytes: self.config.limit_bytes,
            }),
        }
    }

    /// Tells refused events in one event of its own once there is room again, or every ten minutes.
    fn tell_refusals(&mut self) {
        let total = self.refusals.total();
        let now = self.clock.moment().monotonic_ms;
        let due = REFUSALS_TOLD_EVERY_MS <= now.saturating_sub(self.refusals_told_ms);
        if total == 0 || !due && self.admit(Class::Ordinary).is_err() {
            return;
        }
        if self.admit(Class::LossCount).is_err() {
            return;
        }
        let detail = self.refusals.describe();
        let reason = format!("the buffer refused {total} events: {detail}");
        let loss = Loss { what: LossKind::BufferFull, count: Some(total), detail };
        let event = self.loss_event(loss, Severity::High, reason);
        match self.write_record(event, vec![Change::Remove(REFUSED_KEY.to_vec())]) {
            Ok(_) => {
                self.refusals = Refusals::default();
                self.refusals_told_ms = now;
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "refused events could not be told yet")
            }
        }
    }

    /// Puts the counts where a restart finds them, now and then.
    fn save_refusals(&mut self) {
        let now = self.clock.moment().monotonic_ms;
        let recent = now.saturating_sub(self.refusals_saved_ms) < REFUSALS_SAVED_EVERY_MS;
        if self.refusals.total() != 0 && (!recent || self.refusals_saved_ms == 0) {
            self.refusals_saved_ms = now;
            self.save_refusals_now();
        }
    }

    /// Without a sync: after a crash the counts may lack their last second.
    fn save_refusals_now(&self) {
        let change = record::write_single(REFUSED_KEY, &self.refusals);
        let (Some(engine), Ok(change)) = (&self.engine, change) else { return };
        if let Err(error) = engine.apply(&[change]) {
            tracing::debug!(error = %Chain(&error), "counts of refused events not saved yet");
        }
    }

    pub(super) fn restore_ballast(&self) {
        let wanted = self.config.ballast_bytes;
        let room = self.house.free_disk_bytes();
        if room.is_none_or(|free| wanted.saturating_add(BALLAST_MARGIN_BYTES) < free)
            && let Err(error) = self.house.hold_ballast(wanted)
        {
            tracing::warn!(%error, "no ballast could be set apart for a full disk");
        }
    }

    /// Opens the engine again after an error and believes only what it then reads.
    fn heal(&mut self, error: &EngineError) -> Result<(), BufferError> {
        self.engine = None;
        if error.is_full() || self.is_disk_full() {
            self.give_ballast();
        }
        self.reopen()?;
        match error {
            // What reads back after a failed fsync may not be on disk: write all of it anew.
            EngineError::Sync { .. } => self.rewrite(),
            EngineError::Io { .. } | EngineError::Damaged { .. } => Ok(()),
        }
    }

    /// Whether there is no room for sled to open a database.
    pub(super) fn is_disk_full(&self) -> bool {
        self.house
            .free_disk_bytes()
            .is_some_and(|free| free < 2 * GROWTH_STEP_BYTES)
    }

    pub(super) fn give_ballast(&self) {
        match self.house.release_ballast() {
            Ok(true) => tracing::warn!("the disk is full; released the ballast to keep draining"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the ballast could not be released"),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if self.refusals.total() != 0 {
            self.save_refusals_now();
        }
    }
}

/// Makes the line of a record, trimmed if it must be.
fn encode(stream: StreamId, sequence: Sequence, event: Event) -> Result<Vec<u8>, BufferError> {
    let record = Record { stream, sequence, event };
    let line = serde_json::to_vec(&record)?;
    if line.len() <= RECORD_MAX_BYTES {
        return Ok(line);
    }
    let record = Record { event: record::trim(record.event), ..record };
    let line = serde_json::to_vec(&record)?;
    if RECORD_MAX_BYTES < line.len() {
        return Err(BufferError::TooLarge { bytes: line.len() });
    }

    Ok(line)
}

fn size(change: &Change) -> usize {
    match change {
        Change::Put(key, value) => key.len() + value.len(),
        Change::Remove(_) => 0,
    }
}
