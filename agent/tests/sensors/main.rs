//! The sensors on a real directory, real sockets and the real kernel.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise and looks for one fact among many"
)]

mod watching;
mod command;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use shirase_agent::detectors::{Detectors, DetectorsConfig};
use shirase_agent::observation::{Fact, Operation, RescanCause, Sight, Verdict};
use shirase_shared::event::{Event, Severity};
use shirase_shared::redact::Redactor;
use shirase_shared::testing::eventually;
use shirase_shared::wire::SensorState;

use watching::{DEADLINE, Watch, clock, is_sight, noise, pdf};

#[tokio::test]
async fn an_encryptor_is_told_from_a_real_directory() {
    let home = tempfile::tempdir().unwrap();
    for number in 0..40 {
        pdf(&home.path().join(format!("d{}/{number}.pdf", number % 4)));
    }
    let mut watch = Watch::begin(home.path());
    for number in 0..40 {
        let path = home.path().join(format!("d{}/{number}.pdf", number % 4));
        fs::rename(&path, path.with_extension("pdf.qzx")).unwrap();
    }
    let mut detectors = Detectors::new(&DetectorsConfig::default(), Redactor::new(&[7; 32]));
    let mut events = Vec::<Event>::new();
    while !events
        .iter()
        .any(|event| event.severity == Severity::Critical)
    {
        let seen = watch.next("a critical event").await;
        events.extend(detectors.observe(&seen, watch.clock.moment()));
    }
    assert_eq!(events[0].severity, Severity::High);
    assert!(events[0].files_affected <= 5, "{:?}", events[0]);
    watch.end().await;
}

#[tokio::test]
async fn each_change_is_one_observation() {
    let home = tempfile::tempdir().unwrap();
    pdf(&home.path().join("old.pdf"));
    pdf(&home.path().join("gone.pdf"));
    fs::write(home.path().join("emptied.csv"), "1,2,3\n").unwrap();
    let mut watch = Watch::begin(home.path());

    fs::rename(home.path().join("old.pdf"), home.path().join("new.pdf.xyz")).unwrap();
    let change = watch.change("a rename").await;
    assert_eq!(change.operation, Operation::Renamed { from: PathBuf::from("old.pdf") });
    assert_eq!(
        (change.below.as_path(), change.verdict),
        (Path::new("new.pdf.xyz"), Verdict::Agrees)
    );

    fs::remove_file(home.path().join("gone.pdf")).unwrap();
    assert_eq!(watch.change("a deletion").await.operation, Operation::Deleted);

    let emptied = fs::OpenOptions::new()
        .write(true)
        .open(home.path().join("emptied.csv"))
        .unwrap();
    emptied.set_len(0).unwrap();
    let change = watch.change("a truncation that nobody closes").await;
    assert_eq!((change.operation, change.size), (Operation::Written, Some(0)));
    drop(emptied);
    assert_eq!(watch.change("its close").await.operation, Operation::Written);

    let elsewhere = tempfile::tempdir_in(home.path().parent().unwrap()).unwrap();
    fs::rename(home.path().join("new.pdf.xyz"), elsewhere.path().join("x")).unwrap();
    assert_eq!(watch.change("a move away").await.operation, Operation::MovedOut);
    watch.end().await;
}

#[tokio::test]
async fn an_overwritten_file_has_lost_its_magic() {
    let home = tempfile::tempdir().unwrap();
    pdf(&home.path().join("a.pdf"));
    let mut watch = Watch::begin(home.path());
    fs::write(home.path().join("a.pdf"), noise()).unwrap();
    let change = watch.change("an overwrite").await;
    assert_eq!((change.operation, change.verdict), (Operation::Written, Verdict::Lost));
    watch.end().await;
}

#[tokio::test]
async fn files_of_new_directories_are_seen_however_deep() {
    let home = tempfile::tempdir().unwrap();
    let mut watch = Watch::begin(home.path());
    let deep = home.path().join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    pdf(&deep.join("x.pdf"));
    watch
        .until(
            "the file in the new directory",
            |fact| matches!(fact, Fact::File(change) if change.below == Path::new("a/b/c/x.pdf")),
        )
        .await;
    // By now the new directory is watched itself.
    eventually("a change in the new directory", DEADLINE, || {
        pdf(&deep.join("y.pdf"));
        let seen = watch.drain();
        async move {
            let found = |fact: &Fact| {
                matches!(fact, Fact::File(c) if c.below == Path::new("a/b/c/y.pdf")
                    && c.operation == Operation::Written)
            };
            seen.iter().any(found).then_some(())
        }
    })
    .await;
    watch.end().await;
}

#[cfg(unix)]
#[tokio::test]
async fn hostile_names_are_just_names() {
    use std::os::unix::ffi::OsStringExt as _;

    let home = tempfile::tempdir().unwrap();
    let names: [Vec<u8>; 5] = [
        b"\x1b[2J\nfake log line.pdf".to_vec(),
        b"\xff\xfe\x80.pdf".to_vec(),
        vec![b'a'; 255],
        "\u{202e}fdp.exe".as_bytes().to_vec(),
        b"%s%n{}$(reboot)`'\".pdf".to_vec(),
    ];
    let mut watch = Watch::begin(home.path());
    let mut detectors = Detectors::new(&DetectorsConfig::default(), Redactor::new(&[7; 32]));
    for name in names {
        let path = home.path().join(std::ffi::OsString::from_vec(name));
        fs::write(&path, noise()).unwrap();
        fs::rename(&path, home.path().join("b.\u{7}\u{202e}x")).unwrap();
        let mut renamed = false;
        while !renamed {
            let seen = watch.next("the rename of a hostile name").await;
            renamed = matches!(&seen.fact, Fact::File(c) if matches!(c.operation, Operation::Renamed { .. }));
            for event in detectors.observe(&seen, watch.clock.moment()) {
                let text = serde_json::to_string(&event).unwrap();
                assert!(!text.chars().any(char::is_control), "{text}");
            }
        }
    }
    watch.end().await;
}

#[tokio::test]
async fn a_root_that_goes_and_returns_is_watched_again() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("share");
    pdf(&root.join("a.pdf"));
    let mut watch = Watch::begin(&root);
    fs::remove_dir_all(&root).unwrap();
    watch.until("the root is gone", is_sight(Sight::Gone)).await;
    assert_eq!(watch.state(), SensorState::Blind);

    pdf(&root.join("b.pdf"));
    // The rescan has a thread of its own: the two come in either order.
    let (mut back, mut rescanned) = (false, false);
    while !(back && rescanned) {
        match watch.next("the root is back and was rescanned").await.fact {
            Fact::Root(seen) => back = seen.sight == Sight::Whole,
            Fact::Rescanned(done) => rescanned = done.cause == RescanCause::RootBack,
            _ => {}
        }
    }
    fs::rename(root.join("b.pdf"), root.join("c.pdf")).unwrap();
    watch
        .until(
            "a change in the root that is back",
            |fact| matches!(fact, Fact::File(c) if c.below == Path::new("c.pdf")),
        )
        .await;
    assert_eq!(watch.state(), SensorState::Well);
    watch.end().await;
}

#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_read_is_said_and_the_rest_is_watched() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().unwrap();
    let closed = home.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let lock = |mode| fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).unwrap();
    lock(0o000);
    if fs::read_dir(&closed).is_ok() {
        println!("not tried: root may read everything");
        return;
    }
    let mut part = Watch::begin(home.path());
    part.until("a directory cannot be read", is_sight(Sight::Partial))
        .await;
    assert_eq!(part.state(), SensorState::Degraded);
    pdf(&home.path().join("a.pdf"));
    assert_eq!(part.change("a file beside it").await.below, Path::new("a.pdf"));
    part.end().await;

    let mut whole = Watch::begin(&closed);
    whole
        .until("the root cannot be read", is_sight(Sight::Unreadable))
        .await;
    lock(0o700);
    whole
        .until("the root can be read again", is_sight(Sight::Whole))
        .await;
    whole.end().await;
}

#[tokio::test]
async fn the_agents_own_files_are_not_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    fs::create_dir(&state).unwrap();
    let mut watch = Watch::begin_with(home.path(), |parts| parts.ignored.push(state.clone()));
    pdf(&state.join("own.pdf"));
    fs::rename(state.join("own.pdf"), home.path().join("out.pdf")).unwrap();
    let change = watch.change("the first thing outside").await;
    assert_eq!(
        (change.below.as_path(), change.operation),
        (Path::new("out.pdf"), Operation::Created)
    );
    watch.end().await;
}

#[tokio::test]
async fn what_changed_while_nobody_watched_is_looked_at_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let clock = clock();
    let since = clock.now();
    for number in 0..5 {
        let path = home.path().join(format!("{number}.pdf.qzx"));
        fs::write(path, noise()).unwrap();
    }
    fs::write(home.path().join("overwritten.pdf"), noise()).unwrap();
    pdf(&home.path().join("well.pdf"));
    let mut watch = Watch::begin_with(home.path(), |parts| parts.since = Some(since));
    let mut found = Vec::new();
    let done = loop {
        match watch.next("the end of the rescan").await.fact {
            Fact::Found(file) => found.push(file.below),
            Fact::Rescanned(done) => break done,
            _ => {}
        }
    };
    assert_eq!((done.cause, done.looked_at, done.suspicious), (RescanCause::Start, 7, 6));
    assert_eq!(found.len(), 6, "{found:?}");
    watch.end().await;
}
