//! Counts which process harmed which files, by signs that leave no doubt. Pure: times are passed in.
//!
//! Whoever harms each file with processes that live for a moment (a script that calls a program for each) is found by
//! what they descend from.
//!
//! Always holds: bounded; deletions are not counted, because there are too many good reasons for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::names::{self, Relation};
use crate::observation::{
    Actor, Fact, FileChange, Kin, Observation, Operation, Role, Texture, Verdict, Wording,
    file_name,
};

/// Files a process must have harmed before it is certain.
pub(super) const CERTAIN_FILES: usize = 5;
/// Different children by which a process must have harmed them, if it did not itself.
const CERTAIN_CHILDREN: usize = 2;
/// How long what a process did is remembered, in milliseconds.
const REMEMBERED_MS: u64 = 120_000;
/// Processes remembered at the most.
const SUSPECTS_MAX: usize = 512;
/// Files remembered for each; more do not matter.
const FILES_MAX: usize = 16;
/// How long after somebody was called certain the same is not said again, in milliseconds.
const SAID_MS: u64 = 10_000;

/// A process that harmed files.
#[derive(Clone, Debug)]
pub(crate) struct Suspect {
    pub(crate) actor: Arc<Actor>,
    pub(crate) files: BTreeSet<PathBuf>,
    last_ms: u64,
}

/// Who harmed files, by root.
#[derive(Default)]
pub(crate) struct Suspects {
    /// Labels of the roots in which somebody wants to know.
    roots: BTreeSet<String>,
    found: BTreeMap<(String, Kin), Suspect>,
    said: BTreeMap<Kin, u64>,
}

impl Suspects {
    /// Says in which roots somebody wants to know.
    pub(crate) fn set_roots(&mut self, roots: BTreeSet<String>) {
        self.found.retain(|(label, _), _| roots.contains(label));
        self.roots = roots;
    }

    /// Whether somebody wants to know in this root.
    pub(crate) fn is_wanted(&self, label: &str) -> bool {
        self.roots.contains(label)
    }

    /// Takes an observation. Returns the root's label if it counts against somebody.
    pub(crate) fn observe(&mut self, observation: &Observation) -> Option<String> {
        let Fact::File(change) = &observation.fact else { return None };
        if !self.roots.contains(&change.root.label) {
            return None;
        }
        let actor = change.actor.as_ref()?;
        let file = harmed(change)?;
        let now_ms = observation.at.monotonic_ms;
        let key = (change.root.label.clone(), Kin { pid: actor.pid, started: actor.started });
        let suspect = self.found.entry(key).or_insert_with(|| Suspect {
            actor: Arc::clone(actor),
            files: BTreeSet::new(),
            last_ms: now_ms,
        });
        suspect.last_ms = now_ms;
        if suspect.files.len() < FILES_MAX {
            suspect.files.insert(file);
        }
        self.make_room(now_ms);

        Some(change.root.label.clone())
    }

    /// Returns everybody who harmed files in a root, if somebody among them is certain of whom that was not said just
    /// now.
    pub(crate) fn due(&mut self, label: &str, now_ms: u64) -> Option<Vec<Suspect>> {
        let here = self.found.iter().filter(|((root, _), _)| root == label);
        let all: Vec<_> = here
            .map(|(_, suspect)| suspect.clone())
            .filter(|suspect| now_ms <= suspect.last_ms + REMEMBERED_MS)
            .collect();
        self.said.retain(|_, said_ms| now_ms <= *said_ms + SAID_MS);
        let new: Vec<_> = certain(&all)
            .into_iter()
            .map(|certain| certain.process)
            .filter(|process| !self.said.contains_key(process))
            .collect();
        self.said
            .extend(new.iter().map(|process| (*process, now_ms)));

        (!new.is_empty()).then_some(all)
    }

    fn make_room(&mut self, now_ms: u64) {
        if self.found.len() <= SUSPECTS_MAX {
            return;
        }
        self.found
            .retain(|_, suspect| now_ms <= suspect.last_ms + REMEMBERED_MS);
        while SUSPECTS_MAX < self.found.len() {
            let oldest = self.found.iter().min_by_key(|(_, suspect)| suspect.last_ms);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
            self.found.remove(&key);
        }
    }
}

/// Returns the file a change harmed, by the name it had, if it did beyond doubt.
fn harmed(change: &FileChange) -> Option<PathBuf> {
    let content = change.verdict == Verdict::Lost
        || change.texture == Texture::Random
        || change.wording == Wording::RansomNote
        || change.role == Role::Canary;
    match &change.operation {
        Operation::Written => content.then(|| change.below.clone()),
        Operation::Renamed { from } => {
            let relation = names::relation(&file_name(from), &file_name(&change.below), &[]);
            let name = matches!(relation, Relation::Appended { .. } | Relation::Lost { .. });
            (content || name).then(|| from.clone())
        }
        Operation::Deleted | Operation::MovedOut => {
            (change.role == Role::Canary).then(|| change.below.clone())
        }
        Operation::Created | Operation::DirectoryRenamed { .. } => None,
    }
}

/// A process that certainly harmed files, itself or by its children.
#[derive(Clone, Debug)]
pub(super) struct Certain {
    pub(super) process: Kin,
    /// What is known of it, or of one of its children.
    pub(super) actor: Arc<Actor>,
    pub(super) files: usize,
    /// Names of the programs that touched the files.
    pub(super) programs: BTreeSet<String>,
}

/// Returns who is certain: a process that did enough itself, or else the nearest one above those that did.
pub(super) fn certain(suspects: &[Suspect]) -> Vec<Certain> {
    let (own, others): (Vec<_>, Vec<_>) = suspects.iter().partition(|suspect| {
        CERTAIN_FILES <= suspect.files.len() && suspect.actor.started.is_some()
    });
    let mut found: Vec<_> = own
        .into_iter()
        .map(|suspect| Certain {
            process: Kin { pid: suspect.actor.pid, started: suspect.actor.started },
            actor: Arc::clone(&suspect.actor),
            files: suspect.files.len(),
            programs: program(&suspect.actor).into_iter().collect(),
        })
        .collect();
    for level in 0..2 {
        let mut above: BTreeMap<Kin, Vec<&Suspect>> = BTreeMap::new();
        for suspect in &others {
            let line = &suspect.actor.parents;
            // Who is found already needs no further one above.
            let is_found = line
                .iter()
                .take(level)
                .any(|kin| found.iter().any(|certain| certain.process == *kin));
            if let Some(kin) = line
                .get(level)
                .filter(|kin| kin.started.is_some() && !is_found)
            {
                above.entry(*kin).or_default().push(suspect);
            }
        }
        for (process, children) in above {
            let files: BTreeSet<_> = children.iter().flat_map(|child| &child.files).collect();
            let is_new = found.iter().all(|certain| certain.process != process);
            let Some(first) = children.first().filter(|_| is_new) else { continue };
            if CERTAIN_FILES <= files.len() && CERTAIN_CHILDREN <= children.len() {
                found.push(Certain {
                    process,
                    actor: Arc::clone(&first.actor),
                    files: files.len(),
                    programs: children
                        .iter()
                        .filter_map(|child| program(&child.actor))
                        .collect(),
                });
            }
        }
    }
    found
}

fn program(actor: &Actor) -> Option<String> {
    actor.program.as_deref().map(file_name)
}

#[cfg(test)]
pub(super) mod tests {
    use shirase_shared::redact::Names;
    use shirase_shared::testing::builders::moment;

    use super::*;
    use crate::observation::Root;

    pub(in crate::containment) fn actor(pid: u32, program: &str, parents: &[u32]) -> Arc<Actor> {
        Arc::new(Actor {
            pid,
            started: Some(u64::from(pid)),
            program: Some(format!("/usr/bin/{program}").into()),
            uid: Some(0),
            unit: None,
            client: None,
            parents: parents.iter().map(|pid| kin(*pid)).collect(),
        })
    }

    pub(in crate::containment) fn kin(pid: u32) -> Kin {
        Kin { pid, started: Some(u64::from(pid)) }
    }

    pub(in crate::containment) fn suspect(actor: &Arc<Actor>, files: usize) -> Suspect {
        let files = (0..files).map(|number| format!("{}-{number}", actor.pid).into());
        Suspect { actor: Arc::clone(actor), files: files.collect(), last_ms: 0 }
    }

    fn observed(actor: &Arc<Actor>, below: &str, operation: Operation) -> Observation {
        let root = Root { label: "r".to_owned(), path: "/r".into(), names: Names::Hidden };
        let mut change = FileChange::new(Arc::new(root), below.into(), operation);
        change.actor = Some(Arc::clone(actor));
        Observation { at: moment(0), fact: Fact::File(change) }
    }

    #[test]
    fn a_process_is_certain_after_a_few_files_and_said_once() {
        let mut suspects = Suspects::default();
        suspects.set_roots(BTreeSet::from(["r".to_owned()]));
        let actor = actor(70, "evil", &[]);
        for number in 0..CERTAIN_FILES {
            assert!(suspects.due("r", 1000).is_none(), "{number}");
            let from = format!("{number}.pdf").into();
            let seen = observed(&actor, &format!("{number}.pdf.x9"), Operation::Renamed { from });
            assert_eq!(suspects.observe(&seen).as_deref(), Some("r"));
        }
        let now_ms = moment(0).monotonic_ms;
        assert_eq!(suspects.due("r", now_ms).map(|all| all.len()), Some(1));
        assert!(suspects.due("r", now_ms).is_none(), "said just now");
        assert!(suspects.due("other", now_ms).is_none());
    }

    #[test]
    fn ordinary_changes_count_against_nobody() {
        let mut suspects = Suspects::default();
        suspects.set_roots(BTreeSet::from(["r".to_owned()]));
        let actor = actor(70, "office", &[]);
        for (below, operation) in [
            ("a.docx", Operation::Written),
            ("a.docx", Operation::Created),
            ("a.docx", Operation::Deleted),
            ("b.docx", Operation::Renamed { from: "a.docx".into() }),
            ("a.docx.bak", Operation::Renamed { from: "a.docx".into() }),
        ] {
            assert_eq!(suspects.observe(&observed(&actor, below, operation)), None, "{below}");
        }
    }

    #[test]
    fn who_works_by_short_lived_children_is_found_above_them() {
        let one_each: Vec<_> = (0..6)
            .map(|number| suspect(&actor(100 + number, "openssl", &[50, 40]), 1))
            .collect();
        let found = certain(&one_each);
        assert_eq!(
            found
                .iter()
                .map(|certain| certain.process)
                .collect::<Vec<_>>(),
            [kin(50)]
        );
        // A shell of its own for each file: the one above those.
        let shells: Vec<_> = (0..6)
            .map(|number| suspect(&actor(100 + number, "openssl", &[200 + number, 40]), 1))
            .collect();
        assert_eq!(certain(&shells)[0].process, kin(40));
        assert!(certain(&one_each[..4]).is_empty());
    }

    #[test]
    fn suspects_are_bounded_and_forgotten() {
        let mut suspects = Suspects::default();
        suspects.set_roots(BTreeSet::from(["r".to_owned()]));
        for pid in 0..2000 {
            let seen =
                observed(&actor(pid, "x", &[]), "a.q", Operation::Renamed { from: "a.pdf".into() });
            suspects.observe(&seen);
        }
        assert!(suspects.found.len() <= SUSPECTS_MAX);
        assert!(suspects.due("r", u64::MAX / 2).is_none());
    }
}
