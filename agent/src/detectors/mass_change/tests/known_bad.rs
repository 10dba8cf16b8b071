//! A suffix or a name that somebody vouches for as an attacker's: the first file is enough, and nothing covers it.

use jiff::SignedDuration;
use shirase_shared::event::Severity;

use super::play::Play;
use crate::detectors::mass_change::MassChangeConfig;
use crate::observation::Verdict;

fn play() -> Play {
    let config = MassChangeConfig {
        known_bad_suffixes: vec!["Akira".to_owned()],
        known_bad_names: vec!["akira_readme.txt".to_owned()],
        ..MassChangeConfig::default()
    };
    Play::with_config(&config)
}

#[track_caller]
fn check(what: &str, worst: Option<Severity>, work: impl FnOnce(&mut Play)) -> Play {
    let mut play = play();
    work(&mut play);
    play.pass(1000);
    assert_eq!(play.worst(), worst, "{what}: {:#?}", play.events);
    play
}

#[test]
fn one_file_is_enough() {
    let high = Some(Severity::High);
    let play = check("a suffix", high, |play| play.rename("d/a.pdf", "d/a.pdf.akira"));
    let reason = &play.events[0].reason;
    assert!(reason.contains("known to be an attacker's (`.akira`)"), "{reason}");
    check("in place of its own", high, |play| play.rename("d/a.pdf", "d/a.AKIRA"));
    check("after a dash", high, |play| play.rename("d/a.pdf", "d/a.pdf_akira"));
    check("of a file without a kind", high, |play| play.rename("d/a.zzz", "d/b.akira"));
    check("a copy", high, |play| {
        play.create("d/a.pdf.akira");
        play.write("d/a.pdf.akira", Verdict::Unknown, 4096);
    });
    check("a note", high, |play| {
        play.create("d/Akira_ReadMe.txt");
        play.write("d/Akira_ReadMe.txt", Verdict::Unknown, 900);
    });
}

#[test]
fn what_only_resembles_it_or_was_there_is_not_told() {
    check("part of a word", None, |play| play.rename("d/a.zzz", "d/akira.zzz"));
    check("a word of a name", None, |play| {
        play.create("d/film-akira");
        play.write("d/film-akira", Verdict::Unknown, 900);
    });
    check("one that was so before", None, |play| play.rename("d/a.akira", "d/b.akira"));
    check("work on one that was there", None, |play| {
        play.write("d/a.akira", Verdict::Unknown, 900);
    });
}

#[test]
fn no_maintenance_window_covers_it() {
    let mut play = play();
    let until = play.now().wall + SignedDuration::from_hours(1);
    play.detector.maintenance_until(Some(until));
    play.rename("d/a.pdf", "d/a.pdf.akira");
    assert_eq!(play.worst(), Some(Severity::High));
}
