//! Opening, replacing, rewriting: everything that changes which database is in force.
//!
//! Always holds: a database is put in force only after all of it is on disk, and the one before is removed only then.

use std::collections::BTreeSet;
use std::path::Path;

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::event::{Anomaly, Loss, LossKind, Record, Severity};
use shirase_shared::ids::{Sequence, StreamId};
use shirase_shared::wire::RECORD_MAX_BYTES;

use super::engine::{Change, Engine, EngineError};
use super::house::House;
use super::keeper::{Keeper, PAGE, Tally};
use super::quota;
use super::record::{self, Entry, REFUSED_KEY, STATE_KEY, Space, State};
use super::refusals::Refusals;
use super::{AsideHead, BufferConfig, BufferError};

/// Opens a keeper on a directory; see [`super::Buffer::open`].
pub(super) fn open(
    dir: &Path,
    config: &BufferConfig,
    clock: SharedClock,
) -> Result<(Keeper, Option<Loss>), BufferError> {
    let open_error = |source| BufferError::Open { path: dir.to_owned(), source };
    let house = House::enter(dir).map_err(open_error)?;
    let house = house.ok_or_else(|| BufferError::InUse { path: dir.to_owned() })?;
    let live = house.settle().map_err(open_error)?;
    let mut keeper = Keeper {
        house,
        number: live.unwrap_or(0),
        engine: None,
        config: config.clone(),
        clock,
        state: State::born(),
        tally: Tally::default(),
        refusals: Refusals::default(),
        refusals_saved_ms: 0,
        refusals_told_ms: 0,
        unkept: BTreeSet::new(),
    };
    let replaced = match live {
        Some(_) => keeper.open_or_replace()?,
        None => {
            keeper.begin_database(State::born())?;
            None
        }
    };
    keeper.restore_ballast();
    if quota::is_worth_rewriting(keeper.usage()?)
        && let Err(error) = keeper.rewrite()
    {
        tracing::warn!(error = %Chain(&error), "the buffer could not be rewritten at start");
    }
    keeper.ensure_open()?;

    Ok((keeper, replaced))
}

impl Keeper {
    /// Makes sure that the engine is there, replacing a database that is beyond repair.
    pub(super) fn ensure_open(&mut self) -> Result<(), BufferError> {
        if self.engine.is_none() {
            self.open_or_replace()?;
        }

        Ok(())
    }

    /// Opens the database in force; if its files are bad, sets it aside, begins an empty one and tells so in an event.
    pub(super) fn open_or_replace(&mut self) -> Result<Option<Loss>, BufferError> {
        let error = match self.reopen() {
            Ok(()) => return Ok(None),
            // On a disk without room sled fails in ways that look like damage; an empty database could not begin either.
            Err(BufferError::Engine(error)) if error.is_damage() && !self.is_disk_full() => error,
            Err(error) => return Err(error),
        };
        let now = self.clock.now();
        let path = self.house.path(self.number);
        let moved = self.house.quarantine(self.number, now);
        let moved = moved.map_err(|source| BufferError::Open { path, source })?;
        tracing::error!(
            error = %Chain(&error),
            "the buffer did not open and was set aside as `{}`; began an empty one",
            moved.display()
        );
        // Known only if the database was open before in this run.
        let lost = self.tally.waiting;
        self.begin_database(State::born())?;
        let name = moved
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let loss = Loss {
            what: LossKind::BufferReplaced,
            count: (0 < lost).then_some(lost),
            detail: format!("{}; kept as {name}", Chain(&error)),
        };
        let reason = "the buffer did not open and was replaced by an empty one".to_owned();
        let event = self.loss_event(loss.clone(), Severity::High, reason);
        self.write_record(event, Vec::new())?;

        Ok(Some(loss))
    }

    /// Opens the database in force and counts what is in it.
    pub(super) fn reopen(&mut self) -> Result<(), BufferError> {
        let path = self.house.path(self.number);
        self.engine = None;
        let engine = match Engine::open(&path) {
            Err(error) if error.is_full() || self.is_disk_full() => {
                self.give_ballast();
                Engine::open(&path)?
            }
            other => other?,
        };
        let damaged = |what: String| EngineError::Damaged { path: path.clone(), detail: what };
        let state = engine
            .read(STATE_KEY)?
            .ok_or_else(|| damaged("its state is missing".to_owned()))?;
        let mut state: State = record::read_single(STATE_KEY, &state)
            .map_err(|damage| damaged(format!("its state is unreadable: {damage}")))?;
        if state.streams.is_empty() {
            return Err(damaged("its state names no stream".to_owned()).into());
        }
        let same_life = self
            .state
            .streams
            .iter()
            .any(|ours| state.streams.contains(ours));
        if same_life {
            state.last = state.last.max(self.state.last);
        }
        if let Some(saved) = engine.read(REFUSED_KEY)?
            && !same_life
            && let Ok(saved) = record::read_single::<Refusals>(REFUSED_KEY, &saved)
        {
            self.refusals.merge(saved);
        }
        self.state = state;
        self.engine = Some(engine);
        let counted = self.count_all();
        if counted.is_err() {
            self.engine = None;
        }

        counted
    }

    fn count_all(&mut self) -> Result<(), BufferError> {
        let mut tally = Tally::default();
        let mut orphans = Vec::new();
        for space in [Space::Waiting, Space::Aside] {
            let mut position = 0;
            loop {
                let entries = self.page(space, position)?;
                let Some(last) = entries.last() else { break };
                position = last.position.saturating_add(1);
                self.state.last = self.state.last.max(last.position);
                for entry in entries {
                    tally.live_bytes += entry.bytes;
                    match space {
                        Space::Waiting => tally.waiting += 1,
                        Space::Aside => tally.aside += 1,
                    }
                    if space == Space::Waiting && self.unkept.contains(&entry.position) {
                        orphans.push(entry);
                    }
                }
            }
        }
        self.tally = tally;
        let changes: Vec<_> = orphans
            .iter()
            .flat_map(|orphan| orphan.keys.iter().cloned().map(Change::Remove))
            .collect();
        if !changes.is_empty() {
            self.engine()?.commit(&changes)?;
            self.tally.waiting -= u64::try_from(orphans.len())
                .unwrap_or(0)
                .min(self.tally.waiting);
        }
        self.unkept.clear();

        Ok(())
    }

    /// Sets the record `sequence` of `stream` aside for good, and raises an event about it in the same commit.
    pub(super) fn set_aside(
        &mut self,
        stream: StreamId,
        sequence: Sequence,
        reason: &str,
    ) -> Result<(), BufferError> {
        self.ensure_open()?;
        let unknown = BufferError::NoSuchRecord { stream, sequence };
        let Some((_, position)) = self.state.positions(stream, sequence) else {
            return Err(unknown);
        };
        let found = self.page(Space::Waiting, position)?.into_iter().next();
        let found = found.filter(|entry| self.state.locate(entry.position) == (stream, sequence));
        let entry = found.ok_or(unknown)?;

        self.shelve(&entry, reason)
    }

    /// Moves one record to those set aside.
    pub(super) fn shelve(&mut self, entry: &Entry, reason: &str) -> Result<(), BufferError> {
        let (stream, sequence) = self.state.locate(entry.position);
        let head = AsideHead { stream, sequence, reason: reason.to_owned(), at: self.clock.now() };
        let line = entry
            .payload
            .as_ref()
            .map_or(entry.raw.as_slice(), Vec::as_slice);
        let mut payload = serde_json::to_vec(&head)?;
        payload.push(b'\n');
        payload.extend(line.iter().take(RECORD_MAX_BYTES));
        let mut changes = record::write(Space::Aside, entry.position, &payload);
        changes.extend(entry.keys.iter().cloned().map(Change::Remove));
        // An event about a refused event about a refused event would never end.
        if tells_of_a_record_set_aside(line) {
            tracing::error!(%stream, %sequence, reason, "set aside a record that told of another one");
            self.commit(&changes)?;
        } else {
            let detail = format!("record {sequence} of stream {stream}: {reason}");
            let loss =
                Loss { what: LossKind::RecordSetAside, count: Some(1), detail: detail.clone() };
            let text = format!("set aside {detail}");
            let event = self.loss_event(loss, Severity::Medium, text);
            self.write_record(event, changes)?;
        }
        self.tally.waiting = self.tally.waiting.saturating_sub(1);
        self.tally.aside += 1;

        Ok(())
    }

    /// Begins an empty database and puts it in force.
    pub(super) fn begin_database(&mut self, state: State) -> Result<(), BufferError> {
        let number = self.number + 1;
        let path = self
            .house
            .prepare(number)
            .map_err(|source| self.open_error(source))?;
        let engine = Engine::open(&path)?;
        engine.commit(&[record::write_single(STATE_KEY, &state)?])?;
        engine.sync_new()?;
        self.house
            .seal(number)
            .map_err(|source| self.open_error(source))?;
        self.number = number;
        self.engine = Some(engine);
        self.state = state;
        self.tally = Tally::default();
        self.unkept.clear();

        Ok(())
    }

    /// Copies everything that lives into a fresh database and puts that in force: sled's file never shrinks by itself.
    pub(super) fn rewrite(&mut self) -> Result<(), BufferError> {
        let before = self.usage()?.used_bytes;
        let number = self.number + 1;
        let path = self
            .house
            .prepare(number)
            .map_err(|source| self.open_error(source))?;
        let fresh = match self.copy_into(&path) {
            Ok(fresh) => fresh,
            Err(error) => {
                drop(std::fs::remove_dir_all(path));
                return Err(error);
            }
        };
        self.house
            .seal(number)
            .map_err(|source| self.open_error(source))?;
        let old = std::mem::replace(&mut self.number, number);
        self.engine = Some(fresh);
        let after = self.usage()?.used_bytes;
        tracing::debug!(before_bytes = before, after_bytes = after, "rewrote the buffer");
        if let Err(error) = self.house.retire(old) {
            tracing::warn!(%error, "the buffer's former database is removed at the next start");
        }

        Ok(())
    }

    fn copy_into(&self, path: &Path) -> Result<Engine, BufferError> {
        let engine = self.engine()?;
        let fresh = Engine::open(path)?;
        let mut from = Vec::new();
        loop {
            let pairs = engine.scan(&from, &[0xff], PAGE)?;
            let Some((last, _)) = pairs.last() else { break };
            from.clone_from(last);
            from.push(0);
            let changes: Vec<_> = pairs
                .into_iter()
                .map(|(key, value)| Change::Put(key, value))
                .collect();
            fresh.apply(&changes)?;
        }
        fresh.commit(&[])?;
        fresh.sync_new()?;

        Ok(fresh)
    }

    fn open_error(&self, source: std::io::Error) -> BufferError {
        BufferError::Open { path: self.house.path(self.number), source }
    }
}

fn tells_of_a_record_set_aside(line: &[u8]) -> bool {
    match serde_json::from_slice::<Record>(line).map(|record| record.event.anomaly) {
        Ok(Anomaly::Loss(loss)) => loss.what == LossKind::RecordSetAside,
        Ok(
            Anomaly::MassChange(_) | Anomaly::Outage(_) | Anomaly::Pressure(_) | Anomaly::Agent(_),
        )
        | Err(_) => false,
    }
}
