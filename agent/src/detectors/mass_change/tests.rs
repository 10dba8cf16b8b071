//! What must fire and what must stay quiet, by the names of the facts: A01 to A15 and ordinary hospital work.

mod habits;
mod persistence;
mod play;

use std::path::PathBuf;

use jiff::SignedDuration;
use shirase_shared::event::{Anomaly, Phase, Severity};
use shirase_shared::ids::DrillId;
use shirase_shared::redact::Names;
use shirase_shared::testing::builders::night;

use super::Evidence;
use crate::observation::{Operation, Sign, Verdict};
use play::{Play, fires, fires_at, quiet};

// === What must fire: high within so many files, and as severe as that in the end ===

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

// === What must stay quiet: never high, and mostly no event at all ===

#[test]
fn ordinary_work_stays_quiet() {
    quiet("rsync, first copy", None, |play, file| {
        let part = format!("{file}.Ab12Cd");
        play.create(&part);
        play.write(&part, Verdict::Unknown, 100);
        play.rename_judged(&part, file, Verdict::Agrees);
    });
    quiet("rsync, update", None, |play, file| {
        let part = format!("{file}.Ab12Cd");
        play.create(&part);
        play.rename_judged(&part, file, Verdict::Agrees);
    });
    quiet("tar, cp, npm install", None, |play, file| {
        play.create(file);
        play.write(file, Verdict::Agrees, 100);
    });
    quiet("a new tree built and thrown away", None, |play, file| {
        play.create(file);
        play.write(file, Verdict::Unknown, 100);
        play.delete(file);
    });
    quiet("find -exec mv, prefix renames", None, |play, file| {
        play.rename(file, &format!("archive/2026-{}", file.replace('/', "-")));
    });
    quiet("rename .toml to .bak", None, |play, file| {
        play.rename_judged(file, &format!("{file}.bak"), Verdict::Agrees);
    });
    quiet("sed -i", None, |play, file| {
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        let part = format!("{directory}/sed{}", play.number());
        play.create(&part);
        play.rename_judged(&part, file, Verdict::Agrees);
    });
    quiet("SS-MIX2: temporary file and rename", None, |play, _| {
        let name = format!("ss/12345_20260209_ADT-00_{}_20260209015000_-_1", play.number());
        let part = format!("{name}.tmp");
        play.create(&part);
        play.rename_judged(&part, &name, Verdict::Agrees);
    });
    quiet("DICOM import .part to .dcm", None, |play, _| {
        let name = format!("dicom/{}", play.number());
        play.create(&format!("{name}.part"));
        play.rename_judged(&format!("{name}.part"), &format!("{name}.dcm"), Verdict::Agrees);
    });
    quiet("spool files marked done", None, |play, file| {
        play.rename_judged(file, &format!("{file}.done"), Verdict::Agrees);
    });
}

#[test]
fn rotation_and_packing_stay_quiet() {
    quiet("logrotate", None, |play, file| {
        play.rename_judged(&format!("{file}.log"), &format!("{file}.log.1"), Verdict::Agrees);
        play.create(&format!("{file}.log"));
    });
    quiet("gzip", None, |play, file| {
        let packed = format!("{file}.gz");
        play.create(&packed);
        play.write(&packed, Verdict::Agrees, 50);
        play.delete(file);
    });
    quiet("gunzip", None, |play, file| {
        play.create(file);
        play.write(file, Verdict::Agrees, 100);
        play.delete(&format!("{file}.gz"));
    });
    quiet("git: lock files", None, |play, file| {
        play.create(&format!("{file}.lock"));
        play.rename(&format!("{file}.lock"), file);
    });
}

#[test]
fn saving_in_an_office_program_stays_quiet() {
    quiet("by way of the old file", None, |play, file| {
        let (new, old) =
            (format!("d0/~new{}.tmp", play.number()), format!("d0/~old{}.tmp", play.number()));
        play.create(&new);
        play.write(&new, Verdict::Unknown, 4096);
        // The old file is gone again before anybody can look into it.
        play.rename(file, &old);
        play.rename_judged(&new, file, Verdict::Agrees);
        play.delete(&old);
    });
    quiet("of files that were renamed before", None, |play, file| {
        let (renamed, old) =
            (file.replace("file", "2026-"), format!("d0/~old{}.tmp", play.number()));
        play.rename(file, &renamed);
        play.create("d0/~new.tmp");
        play.rename(&renamed, &old);
        play.rename_judged("d0/~new.tmp", &renamed, Verdict::Agrees);
        play.delete(&old);
    });
    quiet("by writing anew", None, |play, file| {
        play.delete(file);
        play.create(file);
        play.write(file, Verdict::Agrees, 4096);
    });
}

#[test]
fn files_cut_to_be_written_anew_are_taken_back() {
    quiet("rewritten slowly", None, |play, file| {
        play.write(file, Verdict::Unknown, 0);
        play.write(file, Verdict::Agrees, 4096);
    });
}

#[test]
fn a_tree_that_is_removed_is_looked_at_but_wakes_nobody() {
    let source = ["py", "toml", "md", "rs", "js", "json"];
    let mut play = Play::new();
    for number in 0..600 {
        let extension = source[number % source.len()];
        play.delete(&format!("d{}/{number}.{extension}", number % 20));
        if number == 30 {
            assert_eq!(play.worst(), None);
        }
    }
    assert_eq!(play.worst(), Some(Severity::Medium));
}

#[test]
fn a_tree_that_is_removed_and_made_again_is_ordinary() {
    let mut play = Play::new();
    for number in 0..31 {
        play.delete(&format!("d/{number}.pdf"));
    }
    for number in 0..31 {
        play.create(&format!("d/{number}.pdf"));
    }
    for number in 0..31 {
        play.delete(&format!("e/{number}.pdf"));
    }
    assert_eq!(play.worst(), None);
}

// === The story of a burst ===

#[test]
fn a_burst_is_told_by_a_handful_of_events() {
    let mut play = Play::new();
    for number in 0..2000 {
        play.rename(
            &format!("d{}/{number}.pdf", number % 20),
            &format!("d{}/{number}.pdf.qzx", number % 20),
        );
    }
    play.finish();
    let burst = play.events[0].burst;
    let told: Vec<_> = play.events.iter().map(|e| (e.phase, e.severity)).collect();
    assert!(play.events.iter().all(|event| event.burst == burst));
    assert_eq!(told.first(), Some(&(Phase::Opened, Severity::High)));
    assert_eq!(told.get(1), Some(&(Phase::Grew, Severity::Critical)));
    assert_eq!(told.last(), Some(&(Phase::Ended, Severity::Critical)));
    assert!(told.len() <= 6, "{told:?}");
    let end = play.events.last().expect("an end");
    assert_eq!((end.files_affected, play.last().directories), (2000, 20));
    assert_eq!(play.last().suffixes.get("qzx"), Some(&2000));
    assert_eq!(end.first_change_at, Some(play.started.wall));
    assert!(
        end.reason.contains("2000 gained a suffix") && end.reason.contains("`.qzx`"),
        "{}",
        end.reason
    );
    let touched = play.touched();
    assert_eq!(
        touched.len(),
        2000,
        "the manifest knows every file, those from before the burst too"
    );
    assert_eq!(touched[0].evidence, [Evidence::SuffixAppended]);
}

#[test]
fn one_more_file_after_the_end_is_no_new_burst() {
    let mut play = Play::new();
    for number in 0..10 {
        play.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
    }
    play.finish();
    let told = play.events.len();
    play.rename("d/x.pdf", "d/x.pdf.qzx");
    assert_eq!(play.events.len(), told);
}

#[test]
fn a_file_that_gets_its_name_back_is_taken_back() {
    let mut play = Play::new();
    for number in 0..50 {
        let (well, harmed) = (format!("d/{number}.pdf"), format!("d/{number}.pdf.qzx"));
        play.rename(&well, &harmed);
        play.rename(&harmed, &well);
    }
    assert_eq!(play.worst(), None);
}

#[test]
fn names_leave_only_as_facts_unless_the_root_is_free_of_patients() {
    for (names, clear) in [(Names::Hidden, false), (Names::Clear, true)] {
        let mut play = Play::with_names(names);
        for number in 0..10 {
            let file = format!("d/0001234567_山田太郎_{number}.pdf");
            play.rename(&file, &format!("{file}.山田花子"));
        }
        play.finish();
        let text = serde_json::to_string(&play.events).expect("JSON");
        assert_eq!(text.contains("山田太郎") || text.contains("0001234567"), clear, "{text}");
        assert!(
            play.events
                .iter()
                .all(|event| !event.reason.contains("山田花子"))
        );
    }
}

#[test]
fn a_drill_has_a_burst_of_its_own_and_blinds_nobody() {
    let (mut play, drill) = (Play::new(), DrillId::random());
    play.detector
        .drill_started(drill, &PathBuf::from("/share/drill-1"));
    for number in 0..30 {
        // The drill makes its own files a moment before.
        let file = format!("drill-1/{number}.docx");
        play.create(&file);
        play.rename(&file, &format!("{file}.locked"));
        play.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
    }
    for number in 0..30 {
        play.delete(&format!("drill-1/{number}.docx.locked"));
    }
    let now = play.now();
    play.detector.drill_ended(drill, now);
    play.finish();
    let of = |id| play.events.iter().filter(move |event| event.drill == id);
    for (id, suffix, other) in [(Some(drill), "locked", "qzx"), (None, "qzx", "locked")] {
        let end = of(id).next_back().expect("each has an end");
        let Anomaly::MassChange(evidence) = &end.anomaly else { panic!("{end:?}") };
        assert_eq!(
            (end.phase, end.files_affected, end.severity),
            (Phase::Ended, 30, Severity::Critical)
        );
        assert!(evidence.suffixes.contains_key(suffix) && !evidence.suffixes.contains_key(other));
    }
    assert_ne!(of(Some(drill)).next().map(|e| e.burst), of(None).next().map(|e| e.burst));
}

#[test]
fn a_maintenance_window_lowers_names_and_deletions_but_not_lost_magic() {
    let until = night() + SignedDuration::from_hours(1);
    let mut play = Play::new();
    play.detector.maintenance_until(Some(until));
    for number in 0..100 {
        play.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
        play.delete(&format!("e/{number}.pdf"));
    }
    assert_eq!(play.worst(), Some(Severity::Low));
    assert_eq!(play.touched().len(), 200, "everything is recorded nevertheless");
    for number in 0..5 {
        play.write(&format!("f/{number}.pdf"), Verdict::Lost, 100);
    }
    assert_eq!(play.worst(), Some(Severity::High));

    let mut after = Play::new();
    after.detector.maintenance_until(Some(night()));
    after.pass(1000);
    for number in 0..5 {
        after.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
    }
    assert_eq!(after.worst(), Some(Severity::High), "the window is over");
}

#[test]
fn no_name_makes_the_detector_panic() {
    let long = "長".repeat(85);
    let odd = [
        "",
        ".",
        "..",
        "a.",
        ".a",
        "a\n\u{1b}[2J",
        "\u{202e}fdp.exe",
        &long,
        "a..b..c",
        "~",
        "x.\u{0}",
    ];
    let mut play = Play::new();
    for from in odd {
        for to in odd {
            play.rename(from, to);
            play.create(from);
            play.write(to, Verdict::Lost, 0);
            play.delete(from);
        }
    }
    play.finish();
}

// === SS-MIX2 ===

#[test]
fn an_odd_name_among_messages_is_a_note_and_many_an_alert_but_only_after_a_quiet_week() {
    let message = |number: usize| {
        format!("1/20260209/ADT-00/1_20260209_ADT-00_{number}_20260209015000000_-_1")
    };
    let odd = |play: &mut Play, number: usize| {
        let name = format!("1/20260209/ADT-00/k{number}");
        play.create(&name);
        play.write(&name, Verdict::Agrees, 100);
    };
    let mut play = Play::new();
    let whole = |play: &mut Play, number: usize| {
        play.create(&message(number));
        play.write(&message(number), Verdict::Agrees, 100);
    };
    whole(&mut play, 0);
    for number in 0..30 {
        odd(&mut play, number);
    }
    assert_eq!(play.worst(), None, "nobody knows yet what is usual");
    for day in 1..10 {
        play.pass_slowly(24 * 3600 * 1000);
        whole(&mut play, day);
    }
    assert_eq!(play.worst(), None);
    odd(&mut play, 100);
    assert_eq!(play.worst(), Some(Severity::Low), "one is a note");
    play.finish();
    for number in 200..210 {
        odd(&mut play, number);
    }
    assert_eq!(play.worst(), Some(Severity::Medium), "many are an alert");
    assert!(
        play.events
            .last()
            .is_some_and(|event| event.reason.contains("SS-MIX2"))
    );
    play.finish();
    let told = play.events.len();
    for number in 300..320 {
        odd(&mut play, number);
    }
    assert_eq!(play.events.len(), told, "what is usual has to show again");
}

#[test]
fn who_did_it_is_told_without_naming_people() {
    let mut play = Play::new();
    for number in 0..30 {
        play.by(1000 + number % 18);
        play.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
    }
    play.finish();
    let (actors, reason) = (play.last().actors.clone(), play.events.last().map(|e| &e.reason));
    assert_eq!(actors.len(), 1, "{actors:?}");
    assert_eq!(
        (actors[0].program.as_str(), actors[0].processes, actors[0].files),
        ("evil", 18, 30)
    );
    assert_ne!(actors[0].user.as_deref(), Some("1001"));
    assert!(reason.is_some_and(|reason| reason.contains("by `evil`")), "{reason:?}");
    assert!(play.touched().iter().all(|touched| touched.actor.is_some()));
}
