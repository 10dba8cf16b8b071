//! Who did a burst, as far as the system told.

use std::collections::BTreeMap;

use shirase_shared::event;
use shirase_shared::redact::Redactor;

use crate::detectors::mass_change::doers::{Particulars, ProcessKey};
use crate::observation::Actor;

/// Processes told apart in one burst; more of the same kind are still counted.
const PROCESSES_MAX: usize = 1024;
/// Different programs, units, users and clients told apart in one burst.
const AUTHORS_MAX: usize = 64;
/// Of these, told: the busiest.
const TOLD_MAX: usize = 8;

/// The authors of one burst.
#[derive(Default)]
pub(super) struct Authors {
    known: Vec<Author>,
    /// Where in `known` a process belongs.
    processes: BTreeMap<ProcessKey, usize>,
}

struct Author {
    who: Particulars,
    processes: u64,
    files: u64,
}

impl Authors {
    /// Counts files for whoever harmed them.
    pub(super) fn add(&mut self, actor: &Actor, files: u64, redactor: &Redactor) {
        let process = ProcessKey::of(actor);
        let place = match self.processes.get(&process) {
            Some(place) => *place,
            None => self.meet(process, Particulars::of(actor, redactor)),
        };
        if let Some(author) = self.known.get_mut(place) {
            author.files += files;
        }
    }

    /// Takes note of a process not seen before. Returns where its author is.
    fn meet(&mut self, process: ProcessKey, who: Particulars) -> usize {
        let known = self.known.iter().position(|author| author.who == who);
        let place = known.unwrap_or_else(|| {
            if self.known.len() < AUTHORS_MAX {
                self.known.push(Author { who, processes: 0, files: 0 });
            }
            // The last one stands for all that are too many.
            self.known.len() - 1
        });
        if let Some(author) = self.known.get_mut(place) {
            author.processes += 1;
        }
        if self.processes.len() < PROCESSES_MAX {
            self.processes.insert(process, place);
        }
        place
    }

    /// Returns the busiest, the busiest first.
    pub(super) fn told(&self) -> Vec<event::Actor> {
        let mut told: Vec<_> = self
            .known
            .iter()
            .map(|author| event::Actor {
                program: author.who.program.clone(),
                unit: author.who.unit.clone(),
                user: author.who.user.clone(),
                client: author.who.client.clone(),
                processes: author.processes,
                files: author.files,
            })
            .collect();
        told.sort_by_key(|actor| (std::cmp::Reverse(actor.files), actor.program.clone()));
        told.truncate(TOLD_MAX);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_short_lived_processes_of_a_program_are_one_author() {
        let (redactor, mut authors) = (Redactor::new(&[7; 32]), Authors::default());
        for pid in 0..5000 {
            let program = Some(format!("/usr/bin/p{}", pid % 3).into());
            let actor = Actor {
                pid,
                started: Some(1),
                program,
                uid: None,
                unit: None,
                client: None,
                parents: Vec::new(),
            };
            authors.add(&actor, 1, &redactor);
        }
        let told = authors.told();
        assert_eq!(told.len(), 3);
        assert_eq!(told.iter().map(|actor| actor.files).sum::<u64>(), 5000);
        assert!(told[0].processes >= 1666 && told[0].program.starts_with('p'));
        assert!(authors.processes.len() <= PROCESSES_MAX);
    }
}
