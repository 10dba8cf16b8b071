//! What only the kernel can prove: containers, truncation by name, the limit of its queue, falling back, and content on
//! its way.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use shirase_agent::observation::{Fact, Operation, Sign, Texture, Wording};
use shirase_shared::clock::{Clock as _, SystemClock};

use super::{Hands, Watch, host};

/// Where the kernel says how many changes it keeps for a group.
const QUEUE_FILE: &str = "/proc/sys/fs/fanotify/max_queued_events";

#[tokio::test]
async fn a_file_cut_by_its_name_is_seen_though_nobody_opened_it() {
    let home = tempfile::tempdir().unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("echo 1,2,3,4,5,6,7,8,9 > cut.csv");
    let Some(mut watch) = Watch::begin(home.path()) else { return };
    hands.act("python3 -c \"import os; os.truncate('cut.csv', 0)\"");
    let change = watch.change("a truncation by name").await;
    assert_eq!((change.operation, change.size), (Operation::Written, Some(0)));
    watch.end().await;
}

#[tokio::test]
async fn a_write_through_a_hard_link_elsewhere_is_told_of_the_watched_file() {
    let home = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir_in(home.path().parent().unwrap()).unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("mkdir -p a/b; for f in 1 2 3; do echo 1,2,3,4,5,6,7,8,9 > a/b/$f.csv; done");
    let Some(mut watch) = Watch::begin(home.path()) else { return };
    let aside = outside.path().display();
    hands.act(&format!(
        "echo a lone one > {aside}/lone; ln a/b/2.csv {aside}/x; echo other > {aside}/x"
    ));
    let change = watch.change("a write through another name").await;
    assert_eq!(
        (change.below.as_path(), change.operation),
        (Path::new("a/b/2.csv"), Operation::Written)
    );
    assert!(change.actor.is_some());
    // By now it is known; nobody has to search again.
    hands.act(&format!("echo again > {aside}/x"));
    assert_eq!(watch.change("another write").await.below, Path::new("a/b/2.csv"));
    watch.end().await;
}

#[tokio::test]
async fn what_a_container_writes_is_seen_in_its_upper_layer() {
    let home = tempfile::tempdir().unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("mkdir lower upper work merged; for f in 1 2 3; do echo 1,2,3,4,5,6,7,8,9 > lower/$f.csv; done");
    let Some(mut watch) = Watch::begin(home.path()) else { return };
    // A mount of its own, as every container has: nobody outside sees it.
    hands.act(
        "unshare -m sh -c 'mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged && \
         mv merged/1.csv merged/1.csv.qzx && echo x > merged/new.txt; touch merged.done'",
    );
    let mut below = Vec::new();
    loop {
        let change = watch.change("what the container did").await;
        if change.below == Path::new("merged.done") {
            break;
        }
        below.push(change.below);
    }
    for wanted in ["upper/1.csv.qzx", "upper/new.txt"] {
        assert!(below.iter().any(|below| below == Path::new(wanted)), "{wanted}: {below:?}");
    }
    watch.end().await;
}

#[tokio::test]
async fn the_kernels_queue_is_raised_and_the_backend_says_so() {
    let home = tempfile::tempdir().unwrap();
    let Some(watch) = Watch::begin(home.path()) else { return };
    let limit: u64 = fs::read_to_string(QUEUE_FILE)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let told = watch.sensor.backend().to_owned();
    assert!(262_144 <= limit && told.contains(&limit.to_string()), "{limit}: {told}");
    watch.end().await;
}

#[test]
fn without_the_right_to_it_notify_takes_over_and_says_why() {
    let home = tempfile::tempdir().unwrap();
    // Root without the one right: what a hardened service has.
    let watch = |backend: &str| {
        let mut command = Command::new("setpriv");
        command
            .args(["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"])
            .arg(env!("CARGO_BIN_EXE_shirase-agent"))
            .args(["watch", "--json", "--backend", backend])
            .arg(home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let mut running = watch("auto").spawn().unwrap();
    let mut ready = String::new();
    let out = running.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut ready).unwrap();
    drop(running.kill());
    drop(running.wait());
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let backend = ready["backend"].as_str().unwrap();
    assert!(backend.starts_with("notify") && backend.contains("CAP_SYS_ADMIN"), "{backend}");

    let refused = watch("fanotify").output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("CAP_SYS_ADMIN") && said.contains("\"auto\""), "{said}");
}

#[tokio::test]
async fn a_start_finds_suffix_magic_shape_and_a_random_middle() {
    let home = tempfile::tempdir().unwrap();
    let since = SystemClock::new(host::boot_id()).now();
    let mut hands = Hands::new(home.path());
    hands.act(
        "mkdir -p 001/234/0012345678/20260209/ADT-00; yes 1,2026-02-09,abc,def | head -c 65536 > table.csv; \
         cp table.csv half.csv; dd if=/dev/urandom of=half.csv bs=4096 count=12 seek=2 conv=notrunc 2>/dev/null; \
         cp table.csv well.csv.qzx; head -c 9000 /dev/urandom > letter.docx; \
         head -c 9000 /dev/urandom > 001/234/0012345678/20260209/ADT-00/k3jf9a; head -c 9000 /dev/urandom > blob",
    );
    let Some(mut watch) = Watch::begin_with(home.path(), |parts| parts.since = Some(since)) else {
        return;
    };
    let mut found = Vec::new();
    loop {
        match watch.next("the end of the rescan").await.fact {
            Fact::Found(file) => found.push((file.below.to_string_lossy().into_owned(), file.sign)),
            Fact::Rescanned(done) => {
                assert_eq!((done.looked_at, done.suspicious), (6, 4));
                break;
            }
            _ => {}
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("001/234/0012345678/20260209/ADT-00/k3jf9a", Sign::MagicLost),
        ("half.csv", Sign::MagicLost),
        ("letter.docx", Sign::MagicLost),
        ("well.csv.qzx", Sign::SuffixAppended),
    ];
    assert_eq!(found, expected.map(|(below, sign)| (below.to_owned(), sign)));
    watch.end().await;
}

#[tokio::test]
async fn a_partial_overwrite_and_a_note_are_told_by_their_content() {
    let home = tempfile::tempdir().unwrap();
    let mut hands = Hands::new(home.path());
    hands.act("yes 1,2026-02-09,abc,def | head -c 65536 > table.csv");
    let Some(mut watch) = Watch::begin(home.path()) else { return };
    hands.act("dd if=/dev/urandom of=table.csv bs=4096 count=12 seek=2 conv=notrunc 2>/dev/null");
    assert_eq!(watch.change("a partial overwrite").await.texture, Texture::Random);
    hands.act(
        "printf 'All your files are encrypted.\\nInstall Tor Browser to get the decryptor. Do not rename files.\\n' > x.txt",
    );
    let mut wording = Wording::Unknown;
    while wording == Wording::Unknown {
        wording = watch.change("a note").await.wording;
    }
    assert_eq!(wording, Wording::RansomNote);
    watch.end().await;
}
