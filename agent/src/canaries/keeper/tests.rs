//! The keeper on real directories, with a clock that is moved by hand.

use std::fs;

use shirase_shared::clock::{Clock as _, ManualClock};
use shirase_shared::testing::builders::night;

use super::*;
use crate::canaries::plan::CALM_MS;
use crate::observation::Role;

#[test]
fn decoys_are_made_listed_and_known() {
    let site = Site::new(8);
    let mut keeper = site.keeper();
    keeper.round(&site.config());
    let canaries = site.canaries();
    assert_eq!(canaries.len(), 8);
    for canary in &canaries {
        assert_eq!(files::find(canary), Found::Whole, "{}", canary.path.display());
        assert_eq!(keeper.watchlist.role(&[&canary.path], 0), Role::Canary);
    }
    let kinds: std::collections::BTreeSet<_> = canaries.iter().map(|canary| canary.kind).collect();
    assert_eq!(kinds.len(), 4);
    assert_eq!(site.board.reports()[0].state, SensorState::Well);
    let note = fs::read_to_string(site.state.canaries_note()).unwrap();
    assert!(
        canaries
            .iter()
            .all(|canary| note.contains(&*canary.path.to_string_lossy()))
    );
    // First and last of all names, and the only trace of those tried for the order of the directory.
    let mut names = site.names("");
    names.sort();
    assert!(
        names[0].starts_with(".0") && names.last().unwrap().starts_with('\u{ff5e}'),
        "{names:?}"
    );
    assert_eq!(site.all_files().len(), 8 + site.own);
    keeper.round(&site.config());
    assert_eq!(site.canaries(), canaries);
}

#[test]
fn what_was_harmed_is_put_back_when_things_are_calm_and_kept_aside() {
    let site = Site::new(4);
    let mut keeper = site.keeper();
    keeper.round(&site.config());
    let canaries = site.canaries();
    fs::write(&canaries[0].path, [0x9d; 5000]).unwrap();
    fs::rename(&canaries[1].path, canaries[1].path.with_extension("locked")).unwrap();
    keeper.round(&site.config());
    let report = site.board.reports().remove(0);
    assert_eq!(report.state, SensorState::Degraded);
    assert!(
        report
            .detail
            .starts_with("2 of 4 in place; 2 missing or changed"),
        "{}",
        report.detail
    );
    site.pass(CALM_MS - 1);
    keeper.round(&site.config());
    assert_eq!(files::find(&canaries[0]), Found::Harmed, "not yet");
    keeper
        .watchlist
        .role(&[&canaries[2].path], site.clock.moment().monotonic_ms);
    site.pass(CALM_MS - 1);
    keeper.round(&site.config());
    assert_eq!(files::find(&canaries[0]), Found::Harmed, "another one was touched meanwhile");
    site.pass(1);
    keeper.round(&site.config());
    for canary in site.canaries() {
        assert_eq!(files::find(&canary), Found::Whole);
    }
    let aside: Vec<_> = fs::read_dir(site.state.canaries_harmed())
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(fs::read(aside[0].path()).unwrap(), [0x9d; 5000]);
    assert!(canaries[1].path.with_extension("locked").exists(), "evidence stays");
}

#[test]
fn switched_off_they_are_gone_and_nothing_else_is() {
    let mut site = Site::new(6);
    let mut keeper = site.keeper();
    keeper.round(&site.config());
    let harmed = site.canaries().remove(2).path;
    fs::write(&harmed, "somebody's words").unwrap();
    site.count = 0;
    keeper.round(&site.config());
    assert_eq!(fs::read_to_string(&harmed).unwrap(), "somebody's words");
    assert_eq!(site.all_files().len(), site.own + 1);
    assert!(!site.state.canaries().exists() && !site.state.canaries_note().exists());
    assert_eq!(site.board.reports(), []);
    assert_eq!(keeper.watchlist.role(&[&harmed], 0), Role::Ordinary);
}

#[test]
fn a_storage_of_messages_is_refused_in_plain_words() {
    let site = Site::new(6);
    let mut keeper = site.keeper();
    let place = site.root().join("001/234/0012345678/20260209/ADT-00");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("0012345678_20260209_ADT-00_9_20260209015000000_01_1"), "MSH|").unwrap();
    keeper.round(&site.config());
    assert!(!site.state.canaries().exists());
    let report = site.board.reports().remove(0);
    assert_eq!(report.state, SensorState::Degraded);
    assert!(
        report.detail.contains("SS-MIX2") && report.detail.contains("share"),
        "{}",
        report.detail
    );
}

#[test]
fn decoys_follow_a_renamed_directory_and_leave_a_removed_one() {
    let site = Site::new(4);
    let mut keeper = site.keeper();
    keeper.round(&site.config());
    let (from, to) = (site.root().join("a"), site.root().join("b"));
    fs::rename(&from, &to).unwrap();
    keeper.watchlist.note_moved(&from, &to);
    keeper.round(&site.config());
    assert!(
        site.canaries()
            .iter()
            .any(|canary| canary.path.starts_with(&to))
    );
    assert_eq!(site.board.reports()[0].state, SensorState::Well);
    fs::remove_dir_all(&to).unwrap();
    keeper.round(&site.config());
    site.pass(CALM_MS);
    keeper.round(&site.config());
    keeper.round(&site.config());
    assert_eq!(site.board.reports()[0].state, SensorState::Well);
    assert_eq!(site.canaries().len(), 4);
}

#[test]
fn an_uninstaller_removes_them_but_not_beside_a_running_service() {
    let site = Site::new(5);
    site.keeper().round(&site.config());
    let report = site.board.reports().remove(0);
    assert_eq!(report.state, SensorState::Well, "{}", report.detail);
    assert!(crate::canaries::tell(&site.state).unwrap().contains("~"));
    let lock = crate::service::lock_file(&site.state.lock()).unwrap();
    let refused = crate::canaries::remove_all(&site.state).unwrap_err();
    assert!(refused.to_string().contains("canaries = 0"), "{refused}");
    drop(lock);
    fs::write(&site.canaries()[0].path, "changed").unwrap();
    let (removed, left) = crate::canaries::remove_all(&site.state).unwrap();
    assert_eq!((removed, left.len()), (4, 1));
    assert_eq!(site.all_files().len(), site.own + 1);
    assert_eq!(crate::canaries::remove_all(&site.state).unwrap(), (0, Vec::new()));
}

#[test]
fn names_that_were_tried_do_not_stay_when_one_cannot_be_made_and_others_files_do() {
    let site = Site::new(4);
    let keeper = site.keeper();
    let mut ledger = Ledger::open(&site.state).unwrap();
    let post = posts(&site.root(), 12, &[])
        .into_iter()
        .find(|post| post.place == Place::Listed)
        .unwrap();
    let canary = |seed: u64, content: &[u8]| Canary {
        root: site.root(),
        path: post.directory.join(name(&post, seed)),
        place: post.place,
        kind: post.kind,
        seed,
        digest: files::fingerprint(content),
        old: false,
    };
    let mut seeds = [1, 2, 3, 3];
    seeds.sort_by_key(|seed| name(&post, *seed));
    let taken = post.directory.join(name(&post, seeds[2]));
    fs::write(&taken, "somebody's").unwrap();
    let tried = keeper.listed_first(&post, &seeds, &canary, &mut ledger, site.clock.moment());
    assert_eq!(tried.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&taken).unwrap(), "somebody's");
    assert_eq!(site.all_files().len(), site.own + 1);
    assert!(Ledger::open(&site.state).unwrap().canaries.is_empty());

    fs::remove_file(&taken).unwrap();
    let first = keeper.listed_first(&post, &seeds, &canary, &mut ledger, site.clock.moment());
    assert!(seeds.contains(&first.unwrap().unwrap()));
    assert_eq!(site.all_files().len(), site.own);
}

#[cfg(target_os = "linux")]
#[test]
fn a_touch_is_seen_and_neither_reading_nor_the_keepers_own_work_is_one() {
    use shirase_shared::clock::SystemClock;

    use crate::observation::{Fact, Operation};
    use crate::sensors::files::{BackendChoice, FilesConfig, FilesParts};
    use crate::sensors::{self, CHANGES_CAPACITY};

    for backend in [BackendChoice::Notify, BackendChoice::Auto] {
        let site = Site::new(4);
        let mut keeper = site.keeper();
        let (out, mut seen) = tokio::sync::mpsc::channel(CHANGES_CAPACITY);
        let clock: SharedClock = Arc::new(SystemClock::new(crate::service::boot_id()));
        keeper.clock = Arc::clone(&clock);
        let sensor = sensors::files::begin(FilesParts {
            name: sensors::files::NAME.to_owned(),
            roots: resolve(&[RootConfig::new(site.root())]),
            config: FilesConfig { backend, ..FilesConfig::default() },
            clock,
            out,
            board: SensorBoard::default(),
            since: None,
            ignored: Vec::new(),
            memory: None,
            watchlist: keeper.watchlist.clone(),
        })
        .unwrap();
        keeper.round(&site.config());
        let decoys = site.canaries();
        let act = |command: &str| {
            let mut shell = std::process::Command::new("sh");
            let status = shell
                .args(["-c", command])
                .current_dir(site.root())
                .status();
            assert!(status.unwrap().success(), "{command}");
        };
        let mut waiting = std::collections::VecDeque::new();
        let mut next = || {
            let begun = std::time::Instant::now();
            loop {
                waiting.extend(seen.try_recv().into_iter().flatten());
                match waiting.pop_front().map(|observation| observation.fact) {
                    Some(Fact::File(change)) => break change,
                    Some(fact) => assert!(!matches!(fact, Fact::Lost(_)), "{fact:?}"),
                    None => std::thread::yield_now(),
                }
                assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain for a change");
            }
        };
        act(
            "cat .0* */.0* > /dev/null; tar cf - . > /dev/null; touch -a .0*; for f in .0*; do : >> $f; done; echo y > after.txt",
        );
        let mut change = next();
        while change.below != Path::new("after.txt") {
            assert_eq!(change.role, Role::Ordinary, "{backend:?}: {change:?}");
            change = next();
        }
        // What the keeper did was handled before that; from now on everything is somebody else's.
        for decoy in &decoys {
            keeper.watchlist.end(&decoy.path, 0);
        }
        for (decoy, act_on) in
            decoys
                .iter()
                .zip(["printf x >>", "rm -f", "mv -t ..", "truncate -s 0"])
        {
            act(&format!("{act_on} '{}'", decoy.path.display()));
            let mut change = next();
            // What went before it and was no touch.
            while change.role == Role::Ordinary {
                change = next();
            }
            assert_eq!(
                (change.path(), change.role),
                (decoy.path.clone(), Role::Canary),
                "{act_on}"
            );
            while act_on == "printf x >>" && change.operation != Operation::Written {
                change = next();
            }
        }
        drop(seen);
        sensor.end();
    }
}

// === Helpers ===

/// A share with documents and a keeper's surroundings.
struct Site {
    home: tempfile::TempDir,
    state: StateDir,
    clock: Arc<ManualClock>,
    board: SensorBoard,
    count: u32,
    own: usize,
}

impl Site {
    fn new(count: u32) -> Self {
        let home = tempfile::tempdir().unwrap();
        let state = StateDir::new(home.path().join("state"));
        state.prepare().unwrap();
        let mut own = 0;
        for below in ["総務.docx", "a/1.pdf", "m/2.xlsx", "z/3.jpg", "z/deep/4.txt"] {
            let path = home.path().join("share").join(below);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, below).unwrap();
            own += 1;
        }
        let clock = Arc::new(ManualClock::new(night()));
        Self { home, state, clock, board: SensorBoard::default(), count, own }
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("share").canonicalize().unwrap()
    }

    fn keeper(&self) -> Keeper {
        Keeper::new(
            self.state.clone(),
            self.clock.clone(),
            self.board.clone(),
            Watchlist::default(),
        )
    }

    fn config(&self) -> Config {
        let mut config = Config::default();
        let root = RootConfig { canaries: self.count, ..RootConfig::new(self.root()) };
        config.sensors.roots.push(root);
        config
    }

    fn canaries(&self) -> Vec<Canary> {
        Ledger::open(&self.state).unwrap().canaries
    }

    fn pass(&self, ms: u64) {
        self.clock
            .advance(jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap()));
    }

    fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root().join(below)).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.collect()
    }

    fn all_files(&self) -> Vec<PathBuf> {
        let (mut open, mut found) = (vec![self.root()], Vec::new());
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap().flatten() {
                let list = if entry.path().is_dir() { &mut open } else { &mut found };
                list.push(entry.path());
            }
        }
        found
    }
}
