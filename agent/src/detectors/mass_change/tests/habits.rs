//! What a root is used to, what nobody gets used to, and what is announced.

use shirase_shared::event::{Anomaly, Severity};

use super::play::Play;
use crate::detectors::mass_change::MassChangeConfig;
use crate::observation::Verdict;

const HOUR_MS: u64 = 3600 * 1000;

/// Lets a day pass, in which `files` documents go at the same hour. Returns what came of that.
fn day(play: &mut Play, number: usize, files: usize) -> Option<Severity> {
    let told = play.events.len();
    play.pass_slowly(10 * HOUR_MS);
    for file in 0..files {
        play.pass(10);
        play.delete(&format!("old/{number}-{file}.pdf"));
    }
    play.pass_slowly(14 * HOUR_MS);
    play.events[told..].iter().map(|event| event.severity).max()
}

#[test]
fn a_nightly_job_is_no_news_after_a_week_and_a_wipe_still_is() {
    let mut play = Play::new();
    for number in 0..9 {
        let told = day(&mut play, number, 100);
        if number < 7 {
            assert_eq!(told, Some(Severity::High), "nobody knows yet on day {number}");
        }
    }
    assert_eq!(day(&mut play, 9, 100), Some(Severity::Low));
    play.restart(1000);
    assert_eq!(day(&mut play, 10, 120), Some(Severity::Low), "what was learned is kept");
    assert_eq!(day(&mut play, 11, 200), Some(Severity::High), "more than usual is news");
    play.pass_slowly(5 * HOUR_MS);
    let told = play.events.len();
    for file in 0..100 {
        play.delete(&format!("other/{file}.pdf"));
    }
    let worst = play.events[told..].iter().map(|event| event.severity).max();
    assert_eq!(worst, Some(Severity::High), "the same at another hour is news");
}

#[test]
fn one_night_or_two_teach_nothing_and_nothing_teaches_lost_content() {
    let mut play = Play::new();
    for number in 0..12 {
        let files = if 9 < number { 300 } else { 10 };
        day(&mut play, number, files);
    }
    assert_eq!(day(&mut play, 12, 100), Some(Severity::High));
    for number in 0..10 {
        for file in 0..10 {
            play.write(&format!("d/{number}-{file}.pdf"), Verdict::Lost, 100);
        }
        play.pass_slowly(24 * HOUR_MS);
    }
    let told = play.events.len();
    for file in 0..5 {
        play.write(&format!("e/{file}.pdf"), Verdict::Lost, 100);
    }
    let worst = play.events[told..].iter().map(|event| event.severity).max();
    assert_eq!(worst, Some(Severity::High));
}

#[test]
fn no_patience_teaches_more_than_ten_times_the_threshold() {
    let mut play = Play::new();
    for number in 0..14 {
        day(&mut play, number, 3000);
    }
    assert_eq!(day(&mut play, 14, 310), Some(Severity::Low));
    assert_eq!(day(&mut play, 15, 450), Some(Severity::High));
}

#[test]
fn a_job_is_low_at_its_time_and_on_its_root_and_covers_no_lost_content() {
    // The builders' night is 01:50 in Japan.
    let config: MassChangeConfig = toml::from_str(
        r#"[[jobs]]
        name = "retention"
        root = "share"
        from = "01:30"
        until = "02:00"
        expects = ["removals"]"#,
    )
    .unwrap();
    let wipe = |play: &mut Play| {
        for number in 0..100 {
            play.delete(&format!("d/{number}.pdf"));
        }
    };
    let mut play = Play::with_config(&config);
    wipe(&mut play);
    assert_eq!(play.worst(), Some(Severity::Low));
    let reason = &play.events[0].reason;
    assert!(reason.contains("the job `retention` is expected"), "{reason}");
    for number in 0..5 {
        play.rename(&format!("e/{number}.pdf"), &format!("e/{number}.pdf.qzx"));
    }
    assert_eq!(play.worst(), Some(Severity::High), "renaming is not what the job does");

    let mut late = Play::with_config(&config);
    late.pass(11 * 60 * 1000);
    wipe(&mut late);
    assert_eq!(late.worst(), Some(Severity::High), "the job is over");

    let mut lost = Play::with_config(&config);
    for number in 0..5 {
        lost.write(&format!("d/{number}.pdf"), Verdict::Lost, 100);
    }
    assert_eq!(lost.worst(), Some(Severity::High));
    let Anomaly::MassChange(evidence) = &lost.events[0].anomaly else { panic!() };
    assert!(0 < evidence.magic_lost);
}
