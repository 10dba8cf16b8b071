//! Keeps to the budgets, remembers what files were called, and adds what was seen to each change.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::magic::Promise;
use super::{Budget, Change, Depth, Looked, Writer, look};
use crate::observation::{Fact, FileChange, Observation, Operation, file_name};

/// Time spent reading at the most in each stretch of so long: a slow disk must not hold up the changes behind. Short
/// stretches, since an encryptor harms thirty files while nobody looks for a tenth of a second.
const READING_PER_STRETCH: Duration = Duration::from_millis(30);
const STRETCH: Duration = Duration::from_millis(100);
/// Renamed files whose old name is remembered, so that what is written to them later is compared with it.
const RENAMED_MAX: usize = 4096;
/// How long an old name is remembered.
const RENAMED_MS: u64 = 10 * 60 * 1000;

/// Keeps to the budgets.
pub(in crate::sensors) struct Checker {
    budget: Budget,
    second: Instant,
    checked: u32,
    bytes: u64,
    stretch: Instant,
    reading: Duration,
    renamed: Renamed,
}

impl Checker {
    pub(in crate::sensors) fn new(budget: Budget) -> Self {
        Self {
            budget,
            second: Instant::now(),
            checked: 0,
            bytes: 0,
            stretch: Instant::now(),
            reading: Duration::ZERO,
            renamed: Renamed::default(),
        }
    }

    fn check(&mut self, change: &mut FileChange, now_ms: u64, writer: Writer) {
        let path = change.path();
        let before = match &change.operation {
            Operation::Written => self.renamed.before(&path, now_ms),
            Operation::Renamed { from } => {
                self.renamed
                    .note(&change.root.path.join(from), &path, now_ms)
            }
            Operation::Deleted | Operation::MovedOut => return self.renamed.forget(&path),
            Operation::Created | Operation::DirectoryRenamed { .. } => return,
        };
        let looked = self.look(&path, &before, writer);
        change.verdict = looked.verdict;
        change.size = looked.size;
        change.texture = looked.texture;
        change.wording = looked.wording;
        change.seal = looked.seal;
    }

    fn look(&mut self, path: &Path, before: &str, writer: Writer) -> Looked {
        let started = Instant::now();
        if Duration::from_secs(1) <= started.duration_since(self.second) {
            (self.second, self.checked, self.bytes) = (started, 0, 0);
        }
        if STRETCH <= started.duration_since(self.stretch) {
            (self.stretch, self.reading) = (started, Duration::ZERO);
        }
        if self.budget.files_per_second <= self.checked || READING_PER_STRETCH < self.reading {
            return Looked::default();
        }
        self.checked += 1;
        let depth = match writer {
            _ if self.budget.bytes_per_second <= self.bytes => Depth::Head,
            Writer::Done => Depth::Whole,
            Writer::MayGoOn => Depth::Unfinished,
        };
        let looked = look(path, before, depth);
        self.bytes += looked.bytes;
        self.reading += started.elapsed();
        looked
    }
}

/// What files were called before they got a name that promises nothing.
#[derive(Default)]
struct Renamed {
    names: BTreeMap<PathBuf, (String, u64)>,
    order: VecDeque<PathBuf>,
}

impl Renamed {
    /// Returns the name a file had, or the one it has.
    fn before(&self, path: &Path, now_ms: u64) -> String {
        match self.names.get(path) {
            Some((name, at_ms)) if now_ms <= at_ms + RENAMED_MS => name.clone(),
            Some(_) | None => file_name(path),
        }
    }

    /// Notes that a file has another name now, and returns the one it had.
    fn note(&mut self, from: &Path, to: &Path, now_ms: u64) -> String {
        let before = self.before(from, now_ms);
        self.forget(from);
        if Promise::of_name(&file_name(to)).is_some() || Promise::of_name(&before).is_none() {
            self.forget(to);
            return before;
        }
        if self
            .names
            .insert(to.to_owned(), (before.clone(), now_ms))
            .is_none()
        {
            self.order.push_back(to.to_owned());
        }
        while RENAMED_MAX < self.order.len() {
            if let Some(oldest) = self.order.pop_front() {
                self.names.remove(&oldest);
            }
        }
        before
    }

    fn forget(&mut self, path: &Path) {
        if self.names.remove(path).is_some() {
            self.order.retain(|kept| kept != path);
        }
    }
}

/// Adds what was seen to the changes that need it and hands everything on in order, until either side is closed.
///
/// What came together is handed on together: waking the detectors once for each change costs more than judging it.
pub(in crate::sensors) fn run(
    changes: &Receiver<Vec<Change>>,
    out: &mpsc::Sender<Observation>,
    mut checker: Checker,
) {
    while let Ok(mut batch) = changes.recv() {
        for Change { observation, writer } in &mut batch {
            let now_ms = observation.at.monotonic_ms;
            if let Fact::File(change) = &mut observation.fact {
                checker.check(change, now_ms, *writer);
            }
        }
        for Change { observation, .. } in batch {
            if out.blocking_send(observation).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shirase_shared::redact::Names;

    use super::*;
    use crate::observation::{Root, Texture, Verdict};
    use crate::sensors::content::noise;

    #[test]
    fn beyond_its_budget_nothing_is_looked_at() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.pdf");
        std::fs::write(&path, b"%PDF-1.7............").unwrap();
        let mut checker = Checker::new(Budget { files_per_second: 2, bytes_per_second: 1 << 20 });
        let verdicts = [(); 3].map(|()| checker.look(&path, "a.pdf", Writer::Done).verdict);
        assert_eq!(verdicts, [Verdict::Agrees, Verdict::Agrees, Verdict::Unknown]);
    }

    #[test]
    fn beyond_its_bytes_only_first_ones_are_looked_at() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.qzx");
        std::fs::write(&path, noise(40_000, 4)).unwrap();
        let mut checker = Checker::new(Budget { files_per_second: 9, bytes_per_second: 4096 });
        let seen = [(); 2].map(|()| checker.look(&path, "a.qzx", Writer::Done));
        assert_eq!(seen.map(|looked| looked.texture), [Texture::Random, Texture::Unknown]);
        assert_eq!(seen[1].bytes, 512);
    }

    #[test]
    fn what_is_written_to_a_renamed_file_is_compared_with_its_old_name() {
        let home = tempfile::tempdir().unwrap();
        let mut checker = Checker::new(Budget { files_per_second: 99, bytes_per_second: 1 << 20 });
        let root = Arc::new(Root {
            label: "r".to_owned(),
            path: home.path().to_owned(),
            names: Names::Hidden,
        });
        let mut seen = |below: &str, operation: Operation, now_ms: u64| {
            let mut change = FileChange::new(root.clone(), below.into(), operation);
            checker.check(&mut change, now_ms, Writer::Done);
            change.verdict
        };
        let from = |from: &str| Operation::Renamed { from: from.into() };
        std::fs::write(home.path().join("x"), b"%PDF-1.7............").unwrap();
        assert_eq!(seen("x", from("a.pdf"), 0), Verdict::Agrees);
        std::fs::rename(home.path().join("x"), home.path().join("y")).unwrap();
        assert_eq!(seen("y", from("x"), 10), Verdict::Agrees);
        std::fs::write(home.path().join("y"), noise(4096, 1)).unwrap();
        assert_eq!(seen("y", Operation::Written, 20), Verdict::Lost);
        assert_eq!(seen("y", Operation::Written, 20 + 11 * 60 * 1000), Verdict::Unknown);
        std::fs::write(home.path().join("x"), noise(4096, 2)).unwrap();
        assert_eq!(
            seen("x", Operation::Written, 30),
            Verdict::Unknown,
            "another file of that name"
        );
    }

    #[test]
    fn old_names_are_bounded() {
        let mut renamed = Renamed::default();
        for number in 0..2 * RENAMED_MAX {
            let (from, to) = (format!("{number}.pdf"), format!("{number}"));
            renamed.note(Path::new(&from), Path::new(&to), 0);
        }
        assert_eq!((renamed.names.len(), renamed.order.len()), (RENAMED_MAX, RENAMED_MAX));
        assert_eq!(renamed.before(Path::new("0"), 0), "0");
    }
}
