//! Hands observations on to the detectors: at once what may bear on harm, and what is plainly ordinary together with what
//! follows, since waking them for a few changes costs more than judging these.
//!
//! Always holds: in the order in which they came, and none left out; none waits longer than [`PLAIN_WAIT_MS`] for
//! others, and any that may bear on harm takes along what waits before it. So the detectors know at each decision what
//! they would know if nothing ever waited.

use tokio::sync::mpsc;

use crate::names::{self, Relation};
use crate::observation::{
    Fact, FileChange, Observation, Operation, Role, Seal, Texture, Verdict, Wording, file_name,
};

/// Observations handed on together at the most.
pub(super) const TOGETHER_MAX: usize = 256;
/// How long plain ones wait for others.
const PLAIN_WAIT_MS: u64 = 100;

/// How soon the detectors should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Within a moment: a file saved with content that fits, a name like the one before.
    Plain,
    /// Now.
    Prompt,
    /// Now, and what comes next as well: it may be harm, and each millisecond is a third of a file lost.
    Pressing,
}

/// What is on its way to the detectors.
pub(super) struct Outlet {
    out: mpsc::Sender<Vec<Observation>>,
    held: Vec<Observation>,
    since_ms: u64,
    urgency: Urgency,
}

impl Outlet {
    pub(super) const fn new(out: mpsc::Sender<Vec<Observation>>) -> Self {
        Self { out, held: Vec::new(), since_ms: 0, urgency: Urgency::Plain }
    }

    /// Takes observations, and hands on everything held if it is time. Returns how urgent the most urgent of them is.
    pub(super) fn put(
        &mut self,
        observations: impl Iterator<Item = Observation>,
        now_ms: u64,
    ) -> Urgency {
        if self.held.is_empty() {
            self.since_ms = now_ms;
        }
        let mut most = Urgency::Plain;
        for observation in observations {
            most = most.max(urgency(&observation.fact));
            self.held.push(observation);
        }
        self.urgency = self.urgency.max(most);
        self.pass(now_ms);

        most
    }

    /// Hands on everything held if it is time.
    pub(super) fn pass(&mut self, now_ms: u64) {
        let waited = self.since_ms + PLAIN_WAIT_MS <= now_ms;
        if waited || Urgency::Plain < self.urgency || TOGETHER_MAX <= self.held.len() {
            self.empty();
        }
    }

    /// Hands on everything held.
    pub(super) fn empty(&mut self) {
        self.urgency = Urgency::Plain;
        if !self.held.is_empty() {
            // A closed channel means that everything is about to stop.
            drop(self.out.blocking_send(std::mem::take(&mut self.held)));
        }
    }

    /// Returns in how many milliseconds what is held has to be handed on; `None` if nothing is.
    pub(super) fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        let due_ms = self.since_ms + PLAIN_WAIT_MS;
        (!self.held.is_empty()).then(|| due_ms.saturating_sub(now_ms).max(1))
    }
}

fn urgency(fact: &Fact) -> Urgency {
    match fact {
        Fact::File(change) => of_change(change),
        Fact::Found(_)
        | Fact::Rescanned(_)
        | Fact::Root(_)
        | Fact::Lost(_)
        | Fact::Target(_)
        | Fact::Certificate(_)
        | Fact::Host(_)
        | Fact::Services(_)
        | Fact::Guard(_)
        | Fact::Log(_)
        | Fact::Own(_)
        | Fact::Backup(_)
        | Fact::Logon(_)
        | Fact::Rights(_)
        | Fact::Print(_) => Urgency::Prompt,
    }
}

/// Plain is only what no detector makes anything of by itself.
fn of_change(change: &FileChange) -> Urgency {
    let harmed = change.verdict == Verdict::Lost
        || change.texture == Texture::Random
        || change.wording == Wording::RansomNote
        || change.role == Role::Canary;
    if harmed {
        return Urgency::Pressing;
    }
    match &change.operation {
        Operation::Written if change.size == Some(0) || change.seal == Seal::Locked => {
            Urgency::Prompt
        }
        Operation::Written => Urgency::Plain,
        Operation::Renamed { from } => {
            let (before, after) = (file_name(from), file_name(&change.below));
            match names::relation(&before, &after, &[]) {
                Relation::Unchanged => Urgency::Plain,
                Relation::Ordinary { .. } => Urgency::Prompt,
                Relation::Appended { .. } | Relation::Lost { .. } => Urgency::Pressing,
            }
        }
        Operation::Created
        | Operation::Deleted
        | Operation::MovedOut
        | Operation::DirectoryRenamed { .. } => Urgency::Prompt,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use shirase_shared::redact::Names;
    use shirase_shared::testing::builders::moment;

    use super::*;
    use crate::observation::Root;

    fn seen(below: &str, operation: Operation) -> Observation {
        let root = Root { label: "r".to_owned(), path: PathBuf::from("/r"), names: Names::Hidden };
        let change = FileChange::new(Arc::new(root), below.into(), operation);
        Observation { at: moment(0), fact: Fact::File(change) }
    }

    fn from(from: &str) -> Operation {
        Operation::Renamed { from: from.into() }
    }

    #[test]
    fn what_is_plain_waits_and_what_is_not_takes_it_along() {
        let (out, mut told) = mpsc::channel(8);
        let mut outlet = Outlet::new(out);
        let saved = || seen("a.pdf", Operation::Written);
        assert_eq!(outlet.put([saved()].into_iter(), 1000), Urgency::Plain);
        assert_eq!(outlet.put([seen("c.pdf", from("b.pdf"))].into_iter(), 1050), Urgency::Plain);
        assert_eq!(outlet.wait_ms(1050), Some(50));
        assert!(told.try_recv().is_err());
        outlet.pass(1100);
        assert_eq!(told.try_recv().map(|told| told.len()), Ok(2));
        assert_eq!(outlet.wait_ms(1100), None);

        outlet.put([saved()].into_iter(), 2000);
        outlet.put([seen("b.pdf", Operation::Deleted)].into_iter(), 2001);
        let order = told.try_recv().expect("handed on");
        assert_eq!(order, [saved(), seen("b.pdf", Operation::Deleted)]);

        outlet.put((0..TOGETHER_MAX).map(|_| saved()), 3000);
        assert_eq!(told.try_recv().map(|told| told.len()), Ok(TOGETHER_MAX));
        outlet.put([saved()].into_iter(), 3000);
        outlet.empty();
        assert_eq!(told.try_recv().map(|told| told.len()), Ok(1));
    }

    #[test]
    fn what_may_be_harm_is_pressing() {
        let with = |change: &dyn Fn(&mut FileChange)| {
            let Fact::File(mut file) = seen("a.pdf", Operation::Written).fact else {
                panic!("a change of a file")
            };
            change(&mut file);
            of_change(&file)
        };
        assert_eq!(with(&|file| file.verdict = Verdict::Lost), Urgency::Pressing);
        assert_eq!(with(&|file| file.texture = Texture::Random), Urgency::Pressing);
        assert_eq!(with(&|file| file.role = Role::Canary), Urgency::Pressing);
        assert_eq!(with(&|file| file.wording = Wording::RansomNote), Urgency::Pressing);
        assert_eq!(with(&|file| file.size = Some(0)), Urgency::Prompt);
        assert_eq!(with(&|file| file.seal = Seal::Locked), Urgency::Prompt);
        for (to, urgency) in [
            ("a.pdf.qzx", Urgency::Pressing),
            ("8f3a91", Urgency::Pressing),
            ("a.pdf.gz", Urgency::Prompt),
            ("b.pdf", Urgency::Plain),
        ] {
            assert_eq!(urgency_of(to), urgency, "{to}");
        }
    }

    fn urgency_of(to: &str) -> Urgency {
        urgency(&seen(to, from("a.pdf")).fact)
    }
}
