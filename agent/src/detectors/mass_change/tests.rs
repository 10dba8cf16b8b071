//! What must fire, by the names of the facts, A01 to A15: high within so many files, and as severe as that in the end.

mod ordinary;
mod story;
mod habits;
mod persistence;
mod play;
mod known_bad;

use std::path::PathBuf;

use shirase_shared::event::Severity;

use crate::observation::{Operation, Sign, Verdict};
use play::{Play, fires, fires_at};

#[test]
fn a01_rename_with_one_new_suffix() {
    fires(5, Severity::Critical, |play, file| play.rename(file, &format!("{file}.qzx")));
}

#[test]
fn a02_overwrite_in_place_so_that_the_first_bytes_fit_no_more() {
    fires(5, Severity::Critical, |play, file| play.write(file, Verdict::Lost, 4096));
}

#[test]
fn a03_overwrite_and_rename() {
    fires(5, Severity::Critical, |play, file| {
        play.write(file, Verdict::Lost, 4096);
        play.rename(file, &format!("{file}.qzx"));
    });
}

#[test]
fn a04_encrypted_copy_and_deletion() {
    fires(5, Severity::Critical, |play, file| {
        let copy = format!("{file}.qzx");
        play.create(&copy);
        play.write(&copy, Verdict::Unknown, 4096);
        play.delete(file);
    });
}

#[test]
fn a04_deletion_before_the_encrypted_copy() {
    fires(5, Severity::Critical, |play, file| {
        play.delete(file);
        play.create(&format!("{file}.qzx"));
    });
}

#[test]
fn a06_ten_files_a_minute() {
    fires_at(6000, 5, Severity::Critical, |play, file| {
        play.write(file, Verdict::Unknown, 4096);
        play.rename(file, &format!("{file}.qzx"));
    });
}

#[test]
fn one_file_every_ten_minutes_shows_within_a_day() {
    fires_at(600_000, 20, Severity::Critical, |play, file| {
        play.rename(file, &format!("{file}.qzx"))
    });
}

#[test]
fn a08_another_suffix_for_each_file() {
    fires(5, Severity::Critical, |play, file| {
        let suffix = file
            .bytes()
            .fold(7_u32, |sum, b| sum.wrapping_mul(31) + u32::from(b));
        play.rename(file, &format!("{file}.x{suffix:x}"));
    });
}

#[test]
fn a09_random_names() {
    fires(5, Severity::Critical, |play, file| {
        play.write(file, Verdict::Lost, 4096);
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        play.rename(file, &format!("{directory}/{}", play.number()));
    });
}

#[test]
fn a09_random_names_by_way_of_a_temporary_one() {
    fires(5, Severity::Critical, |play, file| {
        let between = format!("{file}.tmp");
        play.rename(file, &between);
        play.rename(&between, &format!("d0/{}", play.number()));
    });
}

#[test]
fn a10_deletion_of_everything() {
    fires(32, Severity::High, |play, file| play.delete(file));
}

#[test]
fn a11_truncation_of_everything() {
    fires(16, Severity::High, |play, file| play.write(file, Verdict::Unknown, 0));
}

#[test]
fn a12_the_same_note_in_every_directory_beside_one_harmed_file() {
    let mut play = Play::new();
    for directory in 0..5 {
        let note = format!("d{directory}/HOW_TO_RESTORE.txt");
        play.create(&note);
        play.write(&note, Verdict::Agrees, 900);
    }
    assert_eq!(play.worst(), None, "a note alone is no harm");
    play.rename("d0/a.docx", "d0/a.docx.qzx");
    assert_eq!(play.worst(), Some(Severity::High));
    assert_eq!(play.last().note_directories, 5);
}

#[test]
fn a13_an_archive_and_then_deletion() {
    fires(32, Severity::High, |play, file| {
        play.create("archive.zip");
        play.delete(file);
    });
}

#[test]
fn a14_directories_renamed_with_a_suffix() {
    let mut play = Play::new();
    for directory in 0..4 {
        let from = PathBuf::from(format!("d{directory}"));
        let operation = Operation::DirectoryRenamed { from, files: 30 };
        play.tell(&format!("d{directory}.qzx"), operation, Verdict::Unknown, None);
    }
    assert_eq!(play.worst(), Some(Severity::Critical));
    play.finish();
    assert_eq!(play.events.last().expect("an end").files_affected, 120);
}

#[test]
fn a15_everything_moved_into_one_directory_under_a_number() {
    fires(5, Severity::Critical, |play, file| {
        play.rename(file, &format!("d0/{}.bin", play.number()))
    });
}

#[test]
fn ordinary_suffixes_hide_nothing_when_the_content_is_lost() {
    fires(5, Severity::Critical, |play, file| {
        play.rename_judged(file, &format!("{file}.bak"), Verdict::Lost);
    });
    fires(5, Severity::Critical, |play, file| {
        let packed = format!("{file}.gz");
        play.create(&packed);
        play.write(&packed, Verdict::Lost, 4096);
        play.delete(file);
    });
}

#[test]
fn what_a_rescan_finds_counts_like_what_was_seen() {
    let mut play = Play::new();
    for number in 0..5 {
        play.found(&format!("d0/{number}.pdf.qzx"), Sign::SuffixAppended);
        // The same file, seen live a moment later.
        play.rename(&format!("d0/{number}.pdf"), &format!("d0/{number}.pdf.qzx"));
    }
    play.finish();
    let end = play.events.last().expect("an end");
    assert_eq!((end.severity, end.files_affected), (Severity::High, 5));
}
