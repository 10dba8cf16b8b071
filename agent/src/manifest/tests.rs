//! Manifests written, sealed and opened again.

use shirase_shared::testing::builders::night;

use super::*;
use crate::detectors::mass_change::{Evidence, Touch};

fn touched(burst: BurstId, path: PathBuf, evidence: Vec<Evidence>) -> Touched {
    let operation = Touch::Renamed { from: PathBuf::from("/share/診療録.pdf") };
    Touched { burst, at: night(), root: "share".to_owned(), path, operation, evidence, actor: None }
}

fn opened(sealed: &Path, identity: &age::x25519::Identity) -> String {
    let ciphertext = fs::read(sealed).unwrap();
    String::from_utf8(age::decrypt(identity, &ciphertext).unwrap()).unwrap()
}

#[test]
fn only_the_hospital_can_read_what_was_touched() {
    let home = tempfile::tempdir().unwrap();
    let note = home.path().join("README_NOW.txt");
    fs::write(&note, "All your files are encrypted.").unwrap();
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let mut recorder = Recorder::open(&home.path().join("manifests"), &recipient).unwrap();
    let burst = BurstId::random();
    let files = [
        touched(burst, PathBuf::from("/share/診療録.pdf.xyz"), vec![Evidence::SuffixAppended]),
        touched(burst, note.clone(), vec![Evidence::Note]),
        touched(burst, note, vec![Evidence::Note]),
    ];
    recorder.record(&files).unwrap();
    let sealed = recorder
        .finish(burst)
        .unwrap()
        .expect("something was recorded");

    let text = opened(&sealed, &identity);
    assert!(text.contains("診療録.pdf.xyz") && text.contains("\"suffix_appended\""), "{text}");
    assert_eq!(text.matches("All your files are encrypted.").count(), 1, "{text}");
    assert!(text.ends_with("{\"files\":3,\"omitted\":0}\n"), "{text}");
    let sidecar = fs::read_to_string(sealed.with_extension("json")).unwrap();
    assert_eq!(sidecar, format!("{{\"burst\":\"{burst}\",\"files\":3}}"));
    let left: Vec<_> = fs::read_dir(home.path().join("manifests"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "only the outbox stays: {left:?}");
    assert!(recorder.finish(burst).unwrap().is_none());
}

#[test]
fn what_a_crash_left_behind_is_finished_at_start() {
    let home = tempfile::tempdir().unwrap();
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let burst = BurstId::random();
    let mut crashed = Recorder::open(home.path(), &recipient).unwrap();
    let files = [touched(burst, PathBuf::from("/share/a.xyz"), vec![])];
    crashed.record(&files).unwrap();
    drop(crashed);

    Recorder::open(home.path(), &recipient).unwrap();
    let sealed = home.path().join("outbox").join(format!("{burst}.age"));
    assert!(opened(&sealed, &identity).contains("/share/a.xyz"));
    assert!(!home.path().join(format!("{burst}.jsonl")).exists());
}

#[cfg(unix)]
#[test]
fn a_plain_manifest_is_for_its_owner_alone_and_takes_any_name() {
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().unwrap();
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let burst = BurstId::random();
    let mut recorder = Recorder::open(home.path(), &recipient).unwrap();
    let odd = PathBuf::from(std::ffi::OsString::from_vec(b"/share/\xff\n\x1b[31m".to_vec()));
    recorder.record(&[touched(burst, odd, vec![])]).unwrap();
    let path = home.path().join(format!("{burst}.jsonl"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let line = fs::read_to_string(&path).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("2f73686172652fff0a1b"), "{line}");
}

#[test]
fn a_wrong_recipient_is_named() {
    let home = tempfile::tempdir().unwrap();
    let error = Recorder::open(home.path(), "age1nonsense")
        .err()
        .expect("refused");
    assert!(error.to_string().contains("age1nonsense"), "{error}");
}
