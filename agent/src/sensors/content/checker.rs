//! Keeps to the budgets, remembers what files were called, and adds what was seen to each change.
//!
//! Not every change needs a look: a file that keeps its extension when it is renamed is what it was, unless it is a new
//! one that gets its name, or one that was called otherwise a while ago.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::magic::Promise;
use super::newcomers::Newcomers;
use super::reading::{Place, look_at};
use super::whereabouts::{Now, whereabouts};
use super::{Budget, Change, Depth, Looked, Writer};
use crate::names::{self, Relation};
use crate::observation::{Fact, FileChange, Operation, file_name};

/// Time spent reading at the most in each stretch of so long: a slow disk must not hold up the changes behind. Short
/// stretches, since an encryptor harms thirty files while nobody looks for a tenth of a second.
const READING_PER_STRETCH: Duration = Duration::from_millis(30);
const STRETCH: Duration = Duration::from_millis(100);
/// Renamed files whose old name is remembered, so that what is written to them later is compared with it.
const RENAMED_MAX: usize = 4096;
/// How long an old name is remembered.
const RENAMED_MS: u64 = 10 * 60 * 1000;
/// How long a file counts as new, and how many: no less than the detectors say.
const NEW_MS: u64 = 60_000;
const NEW_MAX: usize = 65_536;
/// How long a file that was called otherwise is looked at with each further name, and how many: no less than the
/// detectors know of.
const RECAST_MS: u64 = 600_000;
const RECAST_MAX: usize = 8192;

/// Keeps to the budgets.
pub(in crate::sensors) struct Checker {
    budget: Budget,
    second: Instant,
    checked: u32,
    bytes: u64,
    stretch: Instant,
    reading: Duration,
    renamed: Renamed,
    /// Files and directories that appeared.
    new: Newcomers,
    /// Files whose name says something else than before.
    recast: Newcomers,
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
            new: Newcomers::new(NEW_MS, NEW_MAX),
            recast: Newcomers::new(RECAST_MS, RECAST_MAX),
        }
    }

    /// Adds what was seen to those of the changes that need it. They came one after the other; what is seen is what is
    /// there after the last of them.
    pub(in crate::sensors) fn check(&mut self, changes: &mut [Change]) {
        let places = whereabouts(changes);
        for (Change { observation, writer }, now) in changes.iter_mut().zip(places) {
            let now_ms = observation.at.monotonic_ms;
            if let Fact::File(change) = &mut observation.fact {
                self.check_one(change, now, now_ms, *writer);
            }
        }
    }

    fn check_one(&mut self, change: &mut FileChange, now: Now, now_ms: u64, writer: Writer) {
        let FileChange { root, below, operation, .. } = &*change;
        let (path, before) = match operation {
            Operation::Written => {
                let path = change.path();
                let before = self.renamed.before(&path, now_ms);
                (path, before)
            }
            Operation::Renamed { from } => {
                let names = (file_name(from), file_name(below));
                let telling = self.is_telling(change, from, (&names.0, &names.1), now_ms);
                let keeps_extension = names::same_extension(&names.0, &names.1);
                if !telling && keeps_extension && self.renamed.is_empty() {
                    return;
                }
                let path = change.path();
                let before = self.renamed.note(&root.path.join(from), &path, now_ms);
                if !telling {
                    return;
                }
                (path, before)
            }
            Operation::Deleted | Operation::MovedOut => {
                if !self.renamed.is_empty() {
                    self.renamed.forget(&change.path());
                }
                return;
            }
            Operation::Created => return self.new.note(root, below, now_ms),
            Operation::DirectoryRenamed { from, .. } => {
                if self.new.has(root, from, now_ms) {
                    self.new.note(root, below, now_ms);
                }
                return;
            }
        };
        let at = match &now {
            Now::There => &path,
            Now::Moved(elsewhere) => elsewhere,
            Now::Gone => return,
        };
        let looked = self.look(Place { at, path: &path, before: &before }, writer);
        change.verdict = looked.verdict;
        change.size = looked.size;
        change.texture = looked.texture;
        change.wording = looked.wording;
        change.seal = looked.seal;
    }

    /// Whether the content of a renamed file says anything its name does not.
    fn is_telling(
        &mut self,
        change: &FileChange,
        from: &Path,
        (before, after): (&str, &str),
        now_ms: u64,
    ) -> bool {
        let FileChange { root, below, .. } = change;
        if self.new.has_or_is_within(root, from, now_ms) {
            self.new.note(root, below, now_ms);
            return true;
        }
        let same = names::relation(before, after, &[]) == Relation::Unchanged;
        if same && !self.recast.has(root, from, now_ms) {
            return false;
        }
        self.recast.note(root, below, now_ms);
        true
    }

    fn look(&mut self, place: Place<'_>, writer: Writer) -> Looked {
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
        let looked = look_at(place, depth);
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
    fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shirase_shared::clock::Moment;
    use shirase_shared::redact::Names;
    use shirase_shared::testing::builders::moment;

    use super::*;
    use crate::observation::{Observation, Root, Texture, Verdict};
    use crate::sensors::content::noise;

    #[test]
    fn beyond_its_budget_nothing_is_looked_at() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.pdf");
        std::fs::write(&path, b"%PDF-1.7............").unwrap();
        let mut checker = Checker::new(Budget { files_per_second: 2, bytes_per_second: 1 << 20 });
        let place = Place { at: &path, path: &path, before: "a.pdf" };
        let verdicts = [(); 3].map(|()| checker.look(place, Writer::Done).verdict);
        assert_eq!(verdicts, [Verdict::Agrees, Verdict::Agrees, Verdict::Unknown]);
    }

    #[test]
    fn beyond_its_bytes_only_first_ones_are_looked_at() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.qzx");
        std::fs::write(&path, noise(40_000, 4)).unwrap();
        let mut checker = Checker::new(Budget { files_per_second: 9, bytes_per_second: 4096 });
        let place = Place { at: &path, path: &path, before: "a.qzx" };
        let seen = [(); 2].map(|()| checker.look(place, Writer::Done));
        assert_eq!(seen.map(|looked| looked.texture), [Texture::Random, Texture::Unknown]);
        assert_eq!(seen[1].bytes, 512);
    }

    /// A directory, and what is seen of its files.
    struct Bench {
        home: tempfile::TempDir,
        root: Arc<Root>,
        checker: Checker,
    }

    impl Bench {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().to_owned();
            let root = Arc::new(Root { label: "r".to_owned(), path, names: Names::Hidden });
            let budget = Budget { files_per_second: 99, bytes_per_second: 1 << 20 };
            Self { home, root, checker: Checker::new(budget) }
        }

        fn write(&self, name: &str, content: &[u8]) {
            std::fs::write(self.home.path().join(name), content).unwrap();
        }

        fn rename(&self, from: &str, to: &str) {
            std::fs::rename(self.home.path().join(from), self.home.path().join(to)).unwrap();
        }

        /// The verdict on each of these changes, which came together.
        fn seen(&mut self, now_ms: u64, changes: Vec<(&str, Operation)>) -> Vec<Verdict> {
            let at = Moment { monotonic_ms: now_ms, ..moment(0) };
            let change = |(below, operation): (&str, Operation)| {
                let file = FileChange::new(self.root.clone(), below.into(), operation);
                let observation = Observation { at, fact: Fact::File(file) };
                Change { observation, writer: Writer::Done }
            };
            let mut changes: Vec<_> = changes.into_iter().map(change).collect();
            self.checker.check(&mut changes);
            let verdict = |change: Change| {
                let Fact::File(file) = change.observation.fact else {
                    panic!("a change of a file")
                };
                file.verdict
            };
            changes.into_iter().map(verdict).collect()
        }
    }

    fn from(from: &str) -> Operation {
        Operation::Renamed { from: from.into() }
    }

    #[test]
    fn what_is_written_to_a_renamed_file_is_compared_with_its_old_name() {
        let mut bench = Bench::new();
        bench.write("x", b"%PDF-1.7............");
        assert_eq!(bench.seen(0, vec![("x", from("a.pdf"))]), [Verdict::Agrees]);
        bench.rename("x", "y");
        assert_eq!(bench.seen(10, vec![("y", from("x"))]), [Verdict::Agrees]);
        bench.write("y", &noise(4096, 1));
        assert_eq!(bench.seen(20, vec![("y", Operation::Written)]), [Verdict::Lost]);
        let later = 20 + 11 * 60 * 1000;
        assert_eq!(bench.seen(later, vec![("y", Operation::Written)]), [Verdict::Unknown]);
        bench.write("x", &noise(4096, 2));
        let another = bench.seen(30, vec![("x", Operation::Written)]);
        assert_eq!(another, [Verdict::Unknown], "another file of that name");
    }

    #[test]
    fn a_file_that_keeps_its_extension_is_looked_at_only_if_it_is_new_or_was_called_otherwise() {
        let mut bench = Bench::new();
        for name in ["b.pdf", "d.pdf", "f.docx", "g.docx"] {
            bench.write(name, &noise(4096, 3));
        }
        assert_eq!(bench.seen(0, vec![("b.pdf", from("a.pdf"))]), [Verdict::Unknown]);
        let named = vec![("c.pdf", Operation::Created), ("d.pdf", from("c.pdf"))];
        assert_eq!(bench.seen(0, named), [Verdict::Unknown, Verdict::Lost]);
        assert_eq!(bench.seen(59_000, vec![("b.pdf", from("d.pdf"))]), [Verdict::Lost]);
        assert_eq!(bench.seen(0, vec![("f.docx", from("e.pdf"))]), [Verdict::Lost]);
        assert_eq!(bench.seen(599_000, vec![("g.docx", from("f.docx"))]), [Verdict::Lost]);
    }

    #[test]
    fn a_file_that_was_written_and_renamed_at_once_is_looked_at_where_it_is() {
        let mut bench = Bench::new();
        bench.write("a.pdf.qzx", &noise(4096, 4));
        let together = vec![
            ("a.pdf", Operation::Written),
            ("a.pdf.qzx", from("a.pdf")),
            ("b.pdf", Operation::Written),
            ("b.pdf", Operation::Deleted),
        ];
        let expected = [Verdict::Lost, Verdict::Lost, Verdict::Unknown, Verdict::Unknown];
        assert_eq!(bench.seen(0, together), expected);
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
