//! Folders: all files or none, nothing beside a share that is not there, and the same once more changes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::SignedDuration;
use shirase_collector::deliver::{DeliverConfig, State, Way};
use shirase_collector::jobs::Job as _;
use shirase_collector::notify::mail::MailConfig;

use crate::ward::Ward;

#[tokio::test]
async fn every_signed_file_lies_in_the_addressees_folder_and_the_sums_fit() {
    let (ward, report) = Ward::released().await;
    let base = ward.dir.path().join("out");
    fs::create_dir_all(base.join("mhlw")).unwrap();
    // What a broken-off attempt left.
    let id = ward.choose(&report, Way::Folder, "mhlw").await;
    let part = base
        .join("mhlw")
        .join(format!(".part-{}", id.as_uuid().simple()));
    fs::create_dir(&part).unwrap();
    fs::write(part.join("half.pdf"), b"%PDF-half").unwrap();
    put(&ward, &base).await;

    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!(delivery.state, State::Delivered, "{}", delivery.note);
    let folders: Vec<PathBuf> = entries(&base.join("mhlw"));
    assert_eq!(folders.len(), 1, "nothing half is left: {folders:?}");
    assert_eq!(attempts[0].answer, folders[0].display().to_string());
    let names: Vec<String> = entries(&folders[0])
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    assert!(names.iter().all(|name| name.chars().all(plain)), "{names:?}");
    for end in [".pdf", ".docx", ".xlsx", ".html", ".json", "-signatures.json", "-timeline.csv"] {
        assert!(names.iter().any(|name| name.ends_with(end)), "no {end} in {names:?}");
    }
    let mut sums = Command::new("sha256sum");
    let checked = sums
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(&folders[0])
        .status();
    assert!(checked.unwrap().success());
    let listed = fs::read_to_string(folders[0].join("SHA256SUMS")).unwrap();
    assert_eq!(listed.lines().count() + 1, names.len(), "every other file is listed");
}

#[tokio::test]
async fn what_is_wrong_with_a_folder_is_named_with_what_to_do_and_heals() {
    let (ward, report) = Ward::released().await;
    let base = ward.dir.path().join("out");
    fs::create_dir(&base).unwrap();
    let id = ward.choose(&report, Way::Folder, "kernel").await;
    for (folder, part) in [
        (base.as_path(), "there is no folder"),
        (Path::new("/sys"), "may not write"),
        (Path::new("/no/such"), "mount the share"),
    ] {
        put(&ward, folder).await;
        let (delivery, _) = ward.delivery(id).await;
        assert_eq!(delivery.state, State::Waiting, "{}", delivery.note);
        assert!(delivery.note.contains(part), "no `{part}` in {}", delivery.note);
        assert!(delivery.note.contains(folder.to_str().unwrap()), "{}", delivery.note);
        assert!(entries(&base).is_empty(), "no folder was made in place of a share");
    }
    fs::write(base.join("kernel"), b"a file").unwrap();
    put(&ward, &base).await;
    assert!(
        ward.delivery(id)
            .await
            .0
            .note
            .contains("is not a directory")
    );
    fs::remove_file(base.join("kernel")).unwrap();
    fs::create_dir(base.join("kernel")).unwrap();
    put(&ward, &base).await;
    assert_eq!(ward.delivery(id).await.0.state, State::Delivered);

    let other = ward.choose(&report, Way::Folder, "ken").await;
    ward.deliver(&MailConfig::default()).await;
    let (delivery, _) = ward.delivery(other).await;
    assert_eq!(delivery.state, State::Failed, "only an administrator can change that");
    assert!(delivery.note.contains("[deliver]") && delivery.note.contains("`folder`"));
}

#[tokio::test]
async fn foreign_files_in_the_place_are_left_alone() {
    let (ward, report) = Ward::released().await;
    let base = ward.dir.path().join("out");
    fs::create_dir_all(base.join("mhlw")).unwrap();
    let first = ward.choose(&report, Way::Folder, "mhlw").await;
    put(&ward, &base).await;
    let place = entries(&base.join("mhlw")).remove(0);
    assert_eq!(ward.delivery(first).await.0.state, State::Delivered);

    // The same delivery once more, as after a kill between the rename and our commit: nothing changes.
    let parcel = ward
        .releases()
        .parcel(&ward.facility, report.id, None)
        .await
        .unwrap();
    let delivery = ward.delivery(first).await.0;
    let again = shirase_collector::deliver::folder::write(&base, &delivery, &parcel);
    assert_eq!(again.unwrap(), place);
    fs::write(place.join("note.txt"), b"from somebody else").unwrap();
    let taken = shirase_collector::deliver::folder::write(&base, &delivery, &parcel);
    assert!(taken.unwrap_err().to_string().contains("other files"));
    assert!(place.join("note.txt").exists());
}

async fn put(ward: &Ward, folder: &Path) {
    let config = DeliverConfig { folder: folder.to_owned(), ..DeliverConfig::default() };
    ward.deliver_job(&MailConfig::default(), &config)
        .activate()
        .await;
    ward.clock.advance(SignedDuration::from_mins(11));
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
