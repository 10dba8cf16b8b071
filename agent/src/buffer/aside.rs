//! Moving a record aside: refused by the collector, or damaged on disk.
//!
//! Always holds: the record, its event and the number of that event go to disk in one commit, so that a record is either
//! waiting or aside, and never aside without a word.

use shirase_shared::event::{Anomaly, Loss, LossKind, Record, Severity};
use shirase_shared::ids::{Sequence, StreamId};
use shirase_shared::wire::RECORD_MAX_BYTES;

use super::engine::Change;
use super::keeper::Keeper;
use super::record::{self, Entry, Space};
use super::{AsideHead, BufferError};

impl Keeper {
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
}

fn tells_of_a_record_set_aside(line: &[u8]) -> bool {
    match serde_json::from_slice::<Record>(line).map(|record| record.event.anomaly) {
        Ok(Anomaly::Loss(loss)) => loss.what == LossKind::RecordSetAside,
        Ok(
            Anomaly::MassChange(_)
            | Anomaly::Outage(_)
            | Anomaly::Pressure(_)
            | Anomaly::Logon(_)
            | Anomaly::Protection(_)
            | Anomaly::Backup(_)
            | Anomaly::Stops(_)
            | Anomaly::Print(_)
            | Anomaly::Agent(_),
        )
        | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::event::Phase;
    use shirase_shared::ids::BurstId;
    use shirase_shared::testing::builders::mass_change;

    use super::*;
    use crate::buffer::recovery::tests::{keeper, told};

    #[test]
    fn a_record_damaged_on_disk_is_never_sent_and_never_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let (mut keeper, _) = keeper(dir.path());
        for _ in 0..3 {
            keeper
                .append(mass_change(BurstId::random(), Phase::Once, 1, 0))
                .unwrap();
        }
        let key = record::key(Space::Waiting, 2, 0);
        let engine = keeper.engine().unwrap();
        let mut value = engine.read(&key).unwrap().unwrap();
        value[40] ^= 1;
        engine.commit(&[Change::Put(key, value)]).unwrap();
        assert_eq!(keeper.verify().unwrap().damaged.len(), 1);
        assert_eq!(told(&mut keeper), ["1 mass_change", "3 mass_change", "4 RecordSetAside"]);
        let aside = keeper.verify().unwrap().set_aside;
        assert_eq!((aside[0].sequence, aside[0].reason.as_str()), (Sequence(2), "damaged on disk"));
        assert_eq!((keeper.tally.waiting, keeper.tally.aside), (3, 1));
    }
}
