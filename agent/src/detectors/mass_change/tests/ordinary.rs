//! What must stay quiet: never high, and mostly no event at all.

use shirase_shared::event::Severity;

use super::play::{Play, quiet};
use crate::observation::Verdict;

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
