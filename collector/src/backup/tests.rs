//! What a backup holds, what is refused, and that nothing is removed.

use super::*;
use crate::audit::{Actor, AuditEntry};
use crate::http::manifest_path;
use crate::keys::{REPORT_KEY_FILE, SigningKey};

const AT: Timestamp = Timestamp::UNIX_EPOCH;
const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A data directory with something of everything, and one backup of it.
struct Site {
    dir: tempfile::TempDir,
    made: Made,
}

impl Site {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir_all(data.join("manifests")).unwrap();
        SigningKey::load_or_create(&data.join(REPORT_KEY_FILE)).unwrap();
        fs::write(manifest_path(&data, SHA256), "age").unwrap();
        fs::write(data.join("manifests/incoming-1"), "half").unwrap();
        fs::write(data.join(SERVE_LOCK), "").unwrap();
        let store = Store::open(&data).await.unwrap();
        store.audit(&entry("before")).await.unwrap();
        let into = dir.path().join("backups");
        let made = make(&store, &data, &into, AT).await.unwrap();
        // Goes on while and after the copy is made.
        store.audit(&entry("after")).await.unwrap();
        store.close().await;

        Self { dir, made }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    async fn restore(&self, into: &Path, replace: bool) -> Result<Restored, BackupError> {
        restore(&self.made.path, into, replace, AT).await
    }
}

const SERVE_LOCK: &str = crate::app::SERVE_LOCK_FILE;

fn entry(object: &str) -> AuditEntry {
    AuditEntry::new(AT, Actor::CommandLine, "test.done", object)
}

async fn audit_entries(data: &Path) -> u64 {
    let store = Store::open(data).await.unwrap();
    let verified = verify(&store, store.anchors_path(), &[]).await.unwrap();
    store.close().await;
    verified.entries
}

#[tokio::test]
async fn a_backup_holds_everything_but_what_is_of_the_moment() {
    let site = Site::new().await;
    let mut names: Vec<_> = site
        .made
        .list
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    names.sort_unstable();
    let manifest = format!("manifests/{SHA256}.age");
    assert_eq!(names, ["audit-anchors.jsonl", &manifest, "report.key", "shirase.db"]);
    assert_eq!(site.made.list.audit_entries, 1);
    assert_eq!(read_list(&site.made.path).unwrap(), site.made.list);
}

#[tokio::test]
async fn it_is_restored_on_an_empty_machine() {
    let site = Site::new().await;
    let new = site.dir.path().join("new");
    let restored = site.restore(&new, false).await.unwrap();
    assert_eq!(restored.before, None);
    assert_eq!(audit_entries(&new).await, 1);
    let key = |dir: &Path| fs::read(dir.join(REPORT_KEY_FILE)).unwrap();
    assert_eq!(key(&new), key(&site.data()));
    assert!(manifest_path(&new, SHA256).exists());
    refuse_half_restored(&new).unwrap();
}

#[tokio::test]
async fn what_was_there_is_moved_aside_and_only_when_asked() {
    let site = Site::new().await;
    let refused = site.restore(&site.data(), false).await.unwrap_err();
    assert!(matches!(refused, BackupError::InUse(_)), "{refused}");
    assert_eq!(audit_entries(&site.data()).await, 2);

    let restored = site.restore(&site.data(), true).await.unwrap();
    assert_eq!(audit_entries(&site.data()).await, 1);
    assert_eq!(audit_entries(&restored.before.unwrap()).await, 2);
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_nothing_is_moved() {
    let site = Site::new().await;
    for file in &site.made.list.files {
        let path = site.made.path.join(&file.path);
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1;
        fs::write(&path, damaged).unwrap();
        let refused = site.restore(&site.data(), true).await.unwrap_err();
        assert!(matches!(&refused, BackupError::Damaged(at) if *at == path), "{refused}");
        fs::remove_file(&path).unwrap();
        assert!(matches!(site.restore(&site.data(), true).await, Err(BackupError::Damaged(_))));
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(audit_entries(&site.data()).await, 2);
}

#[tokio::test]
async fn a_backup_without_its_list_or_with_a_strange_one_is_refused() {
    let site = Site::new().await;
    let list = site.made.path.join(LIST_FILE);
    let mut strange = site.made.list.clone();
    strange.files.push(Entry {
        path: "../../etc/passwd".to_owned(),
        bytes: 0,
        sha256: SHA256.to_owned(),
    });
    write_list(&site.made.path, &strange).unwrap();
    let refused = site.restore(&site.data(), true).await.unwrap_err();
    assert!(matches!(refused, BackupError::Outside(_)), "{refused}");

    strange.layout = 2;
    write_list(&site.made.path, &strange).unwrap();
    let refused = site.restore(&site.data(), true).await.unwrap_err();
    assert!(matches!(refused, BackupError::NewerLayout { found: 2, .. }), "{refused}");

    fs::write(&list, "{").unwrap();
    let refused = site.restore(&site.data(), true).await.unwrap_err();
    assert!(matches!(refused, BackupError::BadList { .. }), "{refused}");

    fs::remove_file(&list).unwrap();
    let refused = site.restore(&site.data(), true).await.unwrap_err();
    assert!(matches!(refused, BackupError::NoList(_)), "{refused}");
    assert_eq!(audit_entries(&site.data()).await, 2);
}

#[tokio::test]
async fn a_restore_that_was_cut_off_keeps_the_collector_from_starting_until_it_is_run_again() {
    let site = Site::new().await;
    fs::write(site.data().join("restore-unfinished"), "").unwrap();
    let refused = refuse_half_restored(&site.data()).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("run `shirase-collector restore"),
        "{refused}"
    );
    site.restore(&site.data(), true).await.unwrap();
    refuse_half_restored(&site.data()).unwrap();
}
