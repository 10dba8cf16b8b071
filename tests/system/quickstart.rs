//! The command of the README, as a newcomer types it.

use std::path::Path;
use std::process::Command;

use super::pdf_text;

#[test]
fn the_quick_start_drill_ends_well_and_its_last_line_tells_the_times() {
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("site");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new("deploy/quickstart.sh")
        .arg(&site)
        .arg("--drill")
        .current_dir(root)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{error}");

    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    for field in ["detected_ms", "at_collector_ms", "mail_ms", "draft_ms"] {
        assert!(last[field].as_i64().is_some_and(|ms| 0 <= ms), "{field} in {last}");
    }
    for field in ["incident", "report"] {
        assert!(last[field].as_str().is_some_and(|id| id.len() == 36), "{field} in {last}");
    }
    let pdf = pdf_text(Path::new(last["pdf"].as_str().unwrap()));
    assert!(pdf.contains("訓練"), "the drill's report is not marked:\n{pdf}");
    assert!(!pdf.contains("下書き"), "the approved report is marked as a draft:\n{pdf}");
}
