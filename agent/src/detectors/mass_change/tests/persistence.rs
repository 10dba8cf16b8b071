//! Killed and started again: what was counted is still counted, whatever the clocks say.

use jiff::SignedDuration;
use shirase_shared::event::{Event, Phase, Severity};

use super::play::Play;
use crate::observation::Verdict;

#[test]
fn a_slow_attack_gains_nothing_by_restarts() {
    let mut play = Play::new();
    let mut high_after = None;
    for number in 0..60 {
        play.pass(6000);
        play.write(&format!("d/{number}.pdf"), Verdict::Lost, 4096);
        if number % 2 == 1 {
            // Killed before five in two minutes are seen by anybody.
            play.restart(1000);
        }
        if high_after.is_none() && Some(Severity::High) <= play.worst() {
            high_after = Some(number + 1);
        }
    }
    assert!(high_after.is_some_and(|after| after <= 10), "high after {high_after:?} files");
}

#[test]
fn a_day_of_single_files_is_told_over_many_restarts_with_all_of_them() {
    let mut play = Play::new();
    for number in 0..20 {
        play.pass(600_000);
        play.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
        play.restart(20_000);
    }
    assert_eq!(play.worst(), Some(Severity::High), "{:#?}", play.events.last());
    let carried = |event: &Event| event.reason.contains("before the agent was started again");
    assert!(play.events.iter().any(carried), "{:#?}", play.events.first());
    let ends = play
        .events
        .iter()
        .filter(|event| event.phase == Phase::Ended);
    assert_eq!(ends.map(|end| end.files_affected).sum::<u64>(), 20, "each file is told once");
}

#[test]
fn a_burst_that_was_open_is_ended_by_the_next_start() {
    let mut play = Play::new();
    for number in 0..10 {
        play.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
    }
    let burst = play.events[0].burst;
    play.restart(5000);
    let end = play.events.last().expect("an end");
    assert_eq!((end.phase, end.burst, end.files_affected), (Phase::Ended, burst, 10));
    assert_eq!(end.detected_at, play.now().wall);
    assert!(end.reason.contains("began anew before it ended"), "{}", end.reason);
}

#[test]
fn neither_another_boot_nor_a_clock_that_was_set_loses_what_was_counted() {
    for hours in [-30, 0] {
        let mut play = Play::new();
        for number in 0..19 {
            play.pass(600_000);
            play.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
        }
        let before = play.worst();
        assert!(before < Some(Severity::High), "{before:?}");
        play.reboot(SignedDuration::from_hours(hours));
        play.rename("d/x.pdf", "d/x.pdf.qzx");
        assert_eq!(play.worst(), Some(Severity::High), "clock set by {hours} h");
    }
    let mut after_days = Play::new();
    for number in 0..9 {
        after_days.pass(600_000);
        after_days.rename(&format!("d/{number}.pdf"), &format!("d/{number}.pdf.qzx"));
    }
    after_days.reboot(SignedDuration::from_hours(30));
    after_days.rename("d/x.pdf", "d/x.pdf.qzx");
    assert_eq!(after_days.worst(), None, "what is older than a day is gone");
}
