//! The story of a burst: how often it is told, what is taken back, what names leave, drills, windows, messages.

use std::path::PathBuf;

use jiff::SignedDuration;
use shirase_shared::event::{Anomaly, Phase, Severity};
use shirase_shared::ids::DrillId;
use shirase_shared::redact::Names;
use shirase_shared::testing::builders::night;

use super::play::Play;
use crate::detectors::mass_change::Evidence;
use crate::observation::Verdict;

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
