//! Says on the board how the decoys are.

use std::path::Path;

use shirase_shared::wire::SensorState;

use crate::canaries::NAME;
use crate::canaries::plan::{Allowance, Found, Standing, Wanted};
use crate::sensors::SensorBoard;

/// How the decoys are after a round.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) is_in_use: bool,
    pub(super) refused: Vec<String>,
    pub(super) failed: Option<String>,
    pub(super) whole: usize,
    pub(super) wanted: usize,
    pub(super) troubled: usize,
}

impl Report {
    /// Counts them.
    pub(super) fn count(&mut self, standing: &[Standing], wanted: &[Wanted]) {
        self.wanted = wanted
            .iter()
            .filter(|want| want.allowance != Allowance::Refused)
            .map(|want| want.count)
            .sum();
        let count = |is: fn(Found) -> bool| standing.iter().filter(|decoy| is(decoy.found)).count();
        self.whole = count(|found| found == Found::Whole);
        self.troubled = count(|found| matches!(found, Found::Missing | Found::Harmed));
    }

    /// Says it on the board, or nothing where nobody wants decoys.
    pub(super) fn show(&self, board: &SensorBoard, note: &Path) {
        if !self.is_in_use || (self.wanted == 0 && self.whole == 0 && self.refused.is_empty()) {
            return board.remove(NAME);
        }
        let mut told = vec![format!("{} of {} in place", self.whole, self.wanted)];
        if 0 < self.troubled {
            let troubled = self.troubled;
            told.push(format!(
                "{troubled} missing or changed, made again once nothing was touched for ten minutes"
            ));
        }
        if let Some(failed) = &self.failed {
            told.push(format!("one could not be made: {failed}"));
        }
        told.extend(self.refused.iter().cloned());
        told.push(format!("listed in {}", note.display()));
        let well = self.whole == self.wanted && self.refused.is_empty();
        let state = if well { SensorState::Well } else { SensorState::Degraded };
        board.set(NAME, state, told.join("; "));
    }
}
