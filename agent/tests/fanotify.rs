//! The fanotify backend on the real kernel. It needs the rights of the service; without them each test says so.
//!
//! The agent leaves out what it does itself, so a shell makes the changes.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise and looks for one fact among many"
)]

#[path = "fanotify/kernel.rs"]
mod kernel;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use shirase_agent::canaries::Watchlist;
use shirase_agent::observation::{Fact, FileChange, Observation, Operation, Sight};
use shirase_agent::sensors::files::{
    self, BackendChoice, FilesConfig, FilesParts, FilesSensor, RootConfig,
};
use shirase_agent::sensors::{CHANGES_CAPACITY, SensorBoard, host};
use shirase_shared::clock::{SharedClock, SystemClock};
use tokio::sync::mpsc;

const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn each_change_is_one_observation_with_its_actor() {
    let home = tempfile::tempdir().unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("mkdir -p a; for f in old gone cut; do echo 1,2,3,4,5,6,7,8,9 > a/$f.csv; done");
    let Some(mut watch) = Watch::begin(home.path()) else { return };

    hands.act("mv a/old.csv a/new.csv.qzx");
    let change = watch.change("a rename").await;
    assert_eq!(change.operation, Operation::Renamed { from: "a/old.csv".into() });
    assert_eq!(change.below, Path::new("a/new.csv.qzx"));

    hands.act("rm a/gone.csv");
    assert_eq!(watch.change("a deletion").await.operation, Operation::Deleted);

    hands.act("truncate -s 0 a/cut.csv");
    let change = watch.change("a truncation").await;
    assert_eq!((change.operation, change.size), (Operation::Written, Some(0)));

    // What the shell does itself, which lives on; `mv` may be gone before anybody can ask who it was.
    hands.act("echo 1 > a/by-the-shell");
    let change = watch.change("a new file").await;
    let actor = change.actor.expect("the kernel says who");
    assert_eq!((actor.pid, actor.uid), (hands.shell.id(), Some(0)));
    let shell = fs::canonicalize("/bin/sh").unwrap();
    assert_eq!((actor.program.as_deref(), actor.started.is_some()), (Some(shell.as_path()), true));
    assert_eq!(watch.change("its content").await.operation, Operation::Written);

    hands.act("mv a/new.csv.qzx ..; mv ../new.csv.qzx a/back.csv");
    assert_eq!(watch.change("a move away").await.operation, Operation::MovedOut);
    assert_eq!(watch.change("its return").await.operation, Operation::Created);
    watch.end().await;
}

#[tokio::test]
async fn nothing_of_new_directories_is_missed_and_nothing_of_deleted_ones() {
    let home = tempfile::tempdir().unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("for d in $(seq 50); do mkdir -p old/$d; for f in $(seq 10); do echo x > old/$d/$f.txt; done; done");
    let Some(mut watch) = Watch::begin(home.path()) else { return };
    hands.act("for d in $(seq 100); do mkdir -p n/$d/deep; for f in $(seq 10); do echo x > n/$d/deep/$f.txt; done; done; rm -r old; echo end > end");
    let (mut created, mut deleted) = (0, 0);
    loop {
        let change = watch.change("the last file").await;
        let is_text = change
            .below
            .extension()
            .is_some_and(|extension| extension == "txt");
        match change.operation {
            Operation::Created if is_text => created += 1,
            Operation::Deleted if is_text => deleted += 1,
            _ if change.below == Path::new("end") => break,
            _ => {}
        }
    }
    assert_eq!((created, deleted), (1000, 500));
    watch.end().await;
}

#[tokio::test]
async fn a_renamed_directory_is_one_change_and_its_files_are_followed() {
    let home = tempfile::tempdir().unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("mkdir -p p/q; for f in 1 2 3; do echo x > p/q/$f; done");
    let Some(mut watch) = Watch::begin(home.path()) else { return };
    hands.act("mv p p.locked; echo y > p.locked/q/1");
    let change = watch.change("the rename of a directory").await;
    assert_eq!(change.operation, Operation::DirectoryRenamed { from: "p".into(), files: 3 });
    assert_eq!(watch.change("a write below").await.below, Path::new("p.locked/q/1"));
    watch.end().await;
}

#[tokio::test]
async fn a_directory_that_is_moved_away_takes_its_files_along_and_brings_them_back() {
    let home = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir_in(home.path().parent().unwrap()).unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("mkdir -p p/q; for f in 1 2; do echo x > p/q/$f; done; echo x > p/3");
    let Some(mut watch) = Watch::begin(home.path()) else { return };
    hands.act(&format!("mv p {}/r", outside.path().display()));
    let mut away = Vec::new();
    for _ in 0..4 {
        let change = watch.change("something moved away").await;
        assert_eq!(change.operation, Operation::MovedOut);
        away.push(change.below);
    }
    away.sort();
    assert_eq!(away, ["p", "p/3", "p/q/1", "p/q/2"].map(PathBuf::from));
    hands.act(&format!("echo y >> {0}/r/3; mv {0}/r p", outside.path().display()));
    assert_eq!(watch.change("its return").await.below, Path::new("p"));
    let mut back = Vec::new();
    while back.len() < 4 {
        let change = watch.change("something that came back").await;
        if change.operation == Operation::Created {
            back.push(change.below);
        }
    }
    back.sort();
    assert_eq!(back, ["p/3", "p/q", "p/q/1", "p/q/2"].map(PathBuf::from));
    watch.end().await;
}

#[tokio::test]
async fn writes_through_mapped_memory_links_and_other_mounts_are_seen() {
    let home = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir_in(home.path().parent().unwrap()).unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("echo 0123456789 > mapped; echo 0123456789 > linked");
    fs::create_dir(outside.path().join("bind")).unwrap();
    let Some(mut watch) = Watch::begin(home.path()) else { return };
    let python = "import mmap; f = open('mapped', 'r+b'); m = mmap.mmap(f.fileno(), 0); m[0:4] = b'\\xff' * 4; m.close()";
    hands.act(&format!("python3 -c \"{python}\""));
    let change = watch.change("a write through mapped memory").await;
    assert_eq!(
        (change.below.as_path(), change.operation),
        (Path::new("mapped"), Operation::Written)
    );

    let bind = outside.path().join("bind");
    hands.act(&format!("mount --bind . {0} && echo z > {0}/linked; umount {0}", bind.display()));
    let change = watch.change("a write through another mount").await;
    assert_eq!(
        (change.below.as_path(), change.operation),
        (Path::new("linked"), Operation::Written)
    );
    watch.end().await;
}

#[tokio::test]
async fn a_root_that_goes_and_returns_is_watched_again() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("share");
    let mut hands = Hands::new(home.path());
    hands.act("mkdir share; echo x > share/a");
    let Some(mut watch) = Watch::begin(&root) else { return };
    hands.act("mv share away");
    watch.until("the root is gone", is_sight(Sight::Gone)).await;
    hands.act("mkdir share; echo x > share/b");
    watch
        .until("the root is back", is_sight(Sight::Whole))
        .await;
    hands.act("mv share/b share/c; echo x > away/a");
    let renamed = |fact: &Fact| matches!(fact, Fact::File(change) if change.operation == Operation::Renamed { from: "b".into() });
    watch
        .until("a change in the root that is back", renamed)
        .await;
    watch.end().await;
}

#[tokio::test]
async fn what_is_mounted_below_a_root_is_watched_too() {
    let home = tempfile::tempdir().unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("mkdir disk; mount -t tmpfs none disk && echo x > disk/a; echo x > b");
    let Some(mut watch) = Watch::begin(home.path()) else {
        hands.act("umount disk");
        return;
    };
    hands.act("mv disk/a disk/c");
    assert_eq!(watch.change("a rename on the other disk").await.below, Path::new("disk/c"));
    // The agent is in nobody's way: a disk can be taken out while it is watched.
    hands.act("umount disk && touch taken-out");
    let mut below = watch.change("the disk taken out").await.below;
    while below != Path::new("taken-out") {
        below = watch.change("the disk taken out").await.below;
    }
    watch.end().await;
}

#[tokio::test]
async fn an_ignored_directory_costs_nothing_and_the_agent_does_not_feed_itself() {
    let home = tempfile::tempdir().unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("mkdir -p db/base shown");
    let ignored = home.path().join("db");
    let Some(mut watch) = Watch::begin_ignoring(home.path(), Some(ignored)) else { return };
    hands.act("for f in $(seq 100); do echo x > db/base/$f; done; mkdir db/new; sleep 0.1; echo x > db/new/x");
    fs::write(home.path().join("shown/own"), "the agent's own doing").unwrap();
    let drill = home.path().join("shown/shirase-drill-1");
    fs::create_dir(&drill).unwrap();
    assert_eq!(watch.change("a drill").await.below, Path::new("shown/shirase-drill-1"));
    hands.act("echo x > shown/last");
    let change = watch.change("the first thing anybody wants to know").await;
    assert_eq!(change.below, Path::new("shown/last"));
    watch.end().await;
}

// === Helpers ===

/// A shell that makes changes in a directory.
struct Hands {
    shell: Child,
    words: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Hands {
    fn new(home: &Path) -> Self {
        let mut shell = Command::new("sh")
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let words = shell.stdin.take().unwrap();
        let answers = BufReader::new(shell.stdout.take().unwrap());
        Self { shell, words, answers }
    }

    /// Has the shell do something and waits until it is done.
    fn act(&mut self, command: &str) {
        writeln!(self.words, "{command}\necho done").unwrap();
        let mut answer = String::new();
        while answer != "done\n" {
            answer.clear();
            assert_ne!(self.answers.read_line(&mut answer).unwrap(), 0, "the shell ended");
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        drop(self.shell.kill());
        drop(self.shell.wait());
    }
}

fn is_sight(sight: Sight) -> impl Fn(&Fact) -> bool {
    move |fact| matches!(fact, Fact::Root(seen) if seen.sight == sight)
}

/// A running files sensor and what it sees.
struct Watch {
    sensor: FilesSensor,
    seen: mpsc::Receiver<Vec<Observation>>,
    /// What came together and was not asked for yet.
    waiting: VecDeque<Observation>,
}

impl Watch {
    fn begin(root: &Path) -> Option<Self> {
        Self::begin_ignoring(root, None)
    }

    fn begin_ignoring(root: &Path, ignored: Option<PathBuf>) -> Option<Self> {
        Self::begin_with(root, |parts| parts.config.ignored.extend(ignored))
    }

    fn begin_with(root: &Path, adapt: impl FnOnce(&mut FilesParts)) -> Option<Self> {
        let (out, seen) = mpsc::channel(CHANGES_CAPACITY);
        let root = RootConfig::new(root);
        let clock: SharedClock = Arc::new(SystemClock::new(host::boot_id()));
        let mut parts = FilesParts {
            name: "files".to_owned(),
            roots: files::resolve(&[root]),
            config: FilesConfig { backend: BackendChoice::Fanotify, ..FilesConfig::default() },
            clock,
            out,
            board: SensorBoard::default(),
            since: None,
            ignored: Vec::new(),
            memory: None,
            watchlist: Watchlist::default(),
        };
        adapt(&mut parts);
        match files::begin(parts) {
            Ok(sensor) => Some(Self { sensor, seen, waiting: VecDeque::new() }),
            Err(error) => {
                println!("not tried: {error}: {:?}", std::error::Error::source(&error));
                None
            }
        }
    }

    async fn next(&mut self, what: &str) -> Observation {
        loop {
            if let Some(next) = self.waiting.pop_front() {
                return next;
            }
            let next = tokio::time::timeout(DEADLINE, self.seen.recv()).await;
            let next = next.unwrap_or_else(|_| panic!("waited in vain for {what}"));
            self.waiting.extend(next.expect("the sensor runs"));
        }
    }

    async fn change(&mut self, what: &str) -> FileChange {
        loop {
            if let Fact::File(change) = self.next(what).await.fact {
                return change;
            }
        }
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&Fact) -> bool) {
        while !wanted(&self.next(what).await.fact) {}
    }

    async fn end(self) {
        let Self { sensor, seen, .. } = self;
        drop(seen);
        tokio::task::spawn_blocking(move || sensor.end())
            .await
            .unwrap();
    }
}
