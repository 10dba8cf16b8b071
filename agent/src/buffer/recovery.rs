//! Opening, replacing, rewriting: everything that changes which database is in force.
//!
//! Always holds: a database is put in force only after all of it is on disk, and the one before is removed only then.

use std::collections::BTreeSet;
use std::path::Path;

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::event::{Loss, LossKind, Severity};

use super::engine::{Change, Engine, EngineError};
use super::house::House;
use super::keeper::{Keeper, PAGE, Tally};
use super::quota;
use super::record::{self, REFUSED_KEY, STATE_KEY, Space, State};
use super::refusals::Refusals;
use super::{BufferConfig, BufferError};

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
    let replaced = keeper.open_or_replace()?;
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
        if self.house.has(self.number) {
            match self.reopen() {
                Ok(()) => return self.tell_replacement(),
                // On a disk without room sled fails in ways that look like damage, and nothing new could begin there.
                Err(BufferError::Engine(error)) if error.is_damage() && !self.is_disk_full() => {
                    self.quarantine(&error)?;
                }
                Err(error) => return Err(error),
            }
        }
        self.begin_database(State::born())?;

        self.tell_replacement()
    }

    /// Moves the database in force out of the way. First a note, so that it is told even if the program ends in between.
    fn quarantine(&mut self, error: &EngineError) -> Result<(), BufferError> {
        let detail = Chain(error).to_string();
        let moved = self
            .house
            .note_replacement(&detail)
            .and_then(|()| self.house.quarantine(self.number, self.clock.now()))
            .map_err(|source| self.open_error(source))?;
        tracing::error!(
            error = detail,
            "the buffer did not open and was set aside as `{}`",
            moved.display()
        );

        Ok(())
    }

    /// Tells of a database that was replaced, once it has been.
    fn tell_replacement(&mut self) -> Result<Option<Loss>, BufferError> {
        let noted = self
            .house
            .replacement()
            .map_err(|source| self.open_error(source))?;
        let Some(detail) = noted else { return Ok(None) };
        let loss = Loss { what: LossKind::BufferReplaced, count: None, detail };
        let reason = "the buffer did not open and was replaced by an empty one".to_owned();
        let event = self.loss_event(loss.clone(), Severity::High, reason);
        self.write_record(event, Vec::new())?;
        self.house
            .forget_replacement()
            .map_err(|source| self.open_error(source))?;

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

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use shirase_shared::clock::ManualClock;
    use shirase_shared::event::{Anomaly, Phase, Record};
    use shirase_shared::ids::{BurstId, Sequence};
    use shirase_shared::testing::builders::{mass_change, night};

    use super::*;

    pub(in crate::buffer) fn keeper(dir: &Path) -> (Keeper, Option<Loss>) {
        let config = BufferConfig { ballast_bytes: 0, ..BufferConfig::default() };
        open(dir, &config, Arc::new(ManualClock::new(night()))).unwrap()
    }

    pub(in crate::buffer) fn told(keeper: &mut Keeper) -> Vec<String> {
        let lines = keeper.peek(100, usize::MAX).unwrap();
        let what = |line: &[u8]| match serde_json::from_slice::<Record>(line)
            .unwrap()
            .event
            .anomaly
        {
            Anomaly::Loss(loss) => format!("{:?}", loss.what),
            other @ (Anomaly::MassChange(_)
            | Anomaly::Outage(_)
            | Anomaly::Pressure(_)
            | Anomaly::Logon(_)
            | Anomaly::Protection(_)
            | Anomaly::Backup(_)
            | Anomaly::Stops(_)
            | Anomaly::Print(_)
            | Anomaly::Agent(_)) => other.kind().to_owned(),
        };
        lines
            .iter()
            .map(|stored| format!("{} {}", stored.sequence, what(&stored.line)))
            .collect()
    }

    #[test]
    fn a_replacement_is_told_even_if_the_program_ended_before_the_new_one_began() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _) = keeper(dir.path());
        first.house.note_replacement("it was damaged").unwrap();
        first.house.quarantine(first.number, night()).unwrap();
        drop(first);
        let (mut again, replaced) = keeper(dir.path());
        assert_eq!(replaced.unwrap().detail, "it was damaged");
        assert_eq!(told(&mut again), ["1 BufferReplaced"]);
        drop(again);
        assert_eq!(keeper(dir.path()).1, None, "it is told once");
    }

    #[test]
    fn a_number_whose_commit_failed_is_not_given_out_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut keeper, _) = keeper(dir.path());
        let event = || mass_change(BurstId::random(), Phase::Once, 1, 0);
        keeper.append(event()).unwrap();
        // As if the commit of number 2 had failed after the engine took it.
        keeper.append(event()).unwrap();
        keeper.unkept.insert(2);
        keeper.reopen().unwrap();
        assert_eq!(keeper.append(event()).unwrap().sequence, Sequence(3));
        assert_eq!(told(&mut keeper), ["1 mass_change", "3 mass_change"]);
    }
}
