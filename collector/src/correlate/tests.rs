//! What each rule says and what it does not, and that a day is read in a moment.

use std::collections::BTreeSet;

use shirase_shared::event::{Severity, StopCause};

use super::fixtures::{at, names, scene, show};
use super::*;
use crate::locale::{Lang, Locale};

/// For each rule a night in which it fires and one in which it does not.
const fn nights(rule: Rule) -> (&'static str, &'static str) {
    match rule {
        Rule::MassChange => ("0 ehr1 change b 300 high .locked", "0 ehr1 loss"),
        Rule::CareOutage => ("0 ehr1 down postgresql o", "0 misc1 down cups o"),
        Rule::Outage => ("0 misc1 down cups o", "0 ehr1 down postgresql o"),
        Rule::SilentHost => ("0 ehr1 heard\n76 ehr2 heard", "0 ehr1 heard\n74 ehr2 heard"),
        Rule::Fork => ("0 ehr1 fork 7", "0 ehr1 disk"),
        Rule::Loss => ("0 ehr1 loss", "0 ehr1 disk"),
        Rule::Logon => ("0 ehr1 logon", "0 ehr1 loss"),
        Rule::PrintBurst => ("0 ehr1 print", "0 ehr1 logon"),
        Rule::ServicesStopped => ("0 ehr1 stops", "0 ehr1 down postgresql o"),
        Rule::ProtectionLoss => ("0 ehr1 unguarded", "0 ehr1 stops"),
        Rule::BackupLoss => ("0 ehr1 backup harmed", "0 ehr1 unguarded"),
        Rule::Pressure => ("0 ehr1 disk", "0 ehr1 loss"),
        Rule::Sighting => panic!("no rule concludes it"),
        Rule::Spreading => (
            "0 ehr1 change a 30 medium .locked\n7200 share1 change b 30 medium .locked",
            "0 ehr1 change a 30 medium .locked\n7200 share1 change b 30 medium .bak2",
        ),
        Rule::RansomwareImpact => (
            "0 share1 change a 300 high .locked\n1500 ehr1 down postgresql o",
            "0 share1 change a 300 high .locked\n1900 ehr1 down postgresql o",
        ),
    }
}

#[test]
fn every_rule_is_in_the_catalogue_and_has_a_night_in_which_it_fires_and_one_in_which_it_does_not() {
    let listed: Vec<Rule> = CATALOGUE.iter().map(|entry| entry.rule).collect();
    // What a person noticed is entered, not concluded.
    let of_the_machine = Rule::ALL.into_iter().filter(|rule| *rule != Rule::Sighting);
    assert_eq!(listed.len(), of_the_machine.clone().count());
    for rule in of_the_machine {
        assert!(listed.contains(&rule), "{rule} is not in the catalogue");
        let (firing, quiet) = nights(rule);
        let fires = |night: &str| correlate(&scene(night)).iter().any(|c| c.rule == rule);
        assert!(fires(firing), "{rule} says nothing of: {firing}");
        assert!(!fires(quiet), "{rule} speaks of: {quiet}");
    }
}

#[test]
fn a_mass_change_is_as_grave_as_its_worst_word_and_as_large_as_its_latest() {
    let input =
        scene("0 ehr1 change b 30 critical\n5 ehr1 change b 900 high\n2 ehr1 change b 60 high");
    let [conclusion] = &correlate(&input)[..] else { panic!("one burst, one conclusion") };
    assert_eq!(show(conclusion), "mass_change critical ehr1");
    assert!(matches!(conclusion.reason, Reason::MassChange { files: 900, ended_at: None, .. }));
    assert_eq!((conclusion.first_at, conclusion.last_at), (at(0), at(5)));
    assert_eq!(conclusion.records.len(), 3);
}

#[test]
fn an_outage_matters_more_where_care_stands_on_it() {
    check("0 ehr1 down postgresql o", "care_outage high ehr1");
    check("0 ehr1 flap postgresql o", "care_outage medium ehr1");
    check("0 ehr1 up postgresql o", "care_outage low ehr1");
    check("0 misc1 down cups o", "outage medium misc1");
    check("0 backup1 down bareos o", "outage medium backup1");
}

#[test]
fn ransomware_is_suspected_only_where_files_and_care_are_lost_together() {
    let change = "0 share1 change b 300 high .locked";
    let alone = "mass_change high share1";
    check(change, alone);
    check(
        &format!("{change}\n60 ehr1 down postgresql o"),
        "care_outage high ehr1, mass_change high share1, ransomware_impact critical ehr1+share1",
    );
    check(
        &format!("{change}\n0 pacs1 heard\n100 ehr1 heard"),
        "mass_change high share1, ransomware_impact critical pacs1+share1, silent_host high pacs1",
    );
    check(
        "0 share1 change b 30 medium .locked\n60 ehr1 down postgresql o",
        "care_outage high ehr1, mass_change medium share1",
    );
    check(
        &format!("{change}\n60 ehr1 flap pg o"),
        "care_outage medium ehr1, mass_change high share1",
    );
    check(
        &format!("{change}\n60 misc1 down cups o"),
        "mass_change high share1, outage medium misc1",
    );
}

#[test]
fn spreading_needs_a_common_suffix_or_the_same_grave_hour() {
    let both = "spreading critical ehr1+share1, spreading critical ehr1+share1";
    check(
        "0 ehr1 change a 300 high\n1200 share1 change b 300 high",
        &format!("mass_change high ehr1, mass_change high share1, {both}"),
    );
    check(
        "0 ehr1 change a 300 high\n2400 share1 change b 300 high",
        "mass_change high ehr1, mass_change high share1",
    );
    check(
        "0 ehr1 change a 30 medium .akira\n80000 share1 change b 30 medium .akira",
        &format!("mass_change medium ehr1, mass_change medium share1, {both}"),
    );
    check(
        "0 ehr1 change a 30 medium .(other)\n9000 share1 change b 30 medium .(other)",
        "mass_change medium ehr1, mass_change medium share1",
    );
    check(
        "0 ehr1 change a 300 high .akira\n9 ehr1 change b 300 high .akira",
        "mass_change high ehr1, mass_change high ehr1",
    );
}

#[test]
fn a_suffix_that_was_seen_once_stays_a_likeness() {
    check(
        "0 ehr1 change a 30 medium .akira\n9 ehr1 change a 40 medium\n9000 share1 change b 30 medium .akira",
        "mass_change medium ehr1, mass_change medium share1, spreading critical ehr1+share1, \
         spreading critical ehr1+share1",
    );
}

#[test]
fn a_drill_and_real_life_never_stand_in_one_conclusion() {
    check(
        "0 ehr1 change a 300 high .locked drill\n1 share1 change b 300 high .locked\n2 ehr2 down pg o",
        "care_outage high ehr2, mass_change high ehr1 drill, mass_change high share1, \
         ransomware_impact critical ehr2+share1",
    );
    check(
        "0 ehr1 change a 300 high .x drill\n1 ehr2 change b 300 high .x drill",
        "mass_change high ehr1 drill, mass_change high ehr2 drill, \
         spreading critical ehr1+ehr2 drill, spreading critical ehr1+ehr2 drill",
    );
    check(
        "0 ehr1 change a 300 high .x drill\n1 ehr1 change a 10 high .x",
        "mass_change high ehr1, mass_change high ehr1 drill",
    );
}

#[test]
fn a_drill_nobody_ordered_is_real() {
    let mut input = scene("0 ehr1 change a 300 high .locked drill");
    input.ordered_drills.clear();
    assert_eq!(said(&input), "mass_change high ehr1");
}

#[test]
fn silence_counts_only_while_the_collector_was_listening() {
    check("0 ehr1 heard\n100 ehr2 heard", "silent_host high ehr1");
    check("0 misc1 heard\n100 ehr2 heard", "silent_host medium misc1");
    check("0 ehr1 heard\n4000 ehr2 heard\n4000 listening-until 74", "");
    check("0 ehr1 heard\n4000 ehr2 heard\n4000 listening-until 75", "silent_host high ehr1");
}

#[test]
fn pauses_of_the_collector_are_not_added_to_a_silence() {
    let mut input = scene("0 ehr1 heard\n5000 ehr1 disk");
    input.config.silence_seconds = 90;
    let span = |from, to| crate::records::ListeningSpan { started_at: at(from), last_at: at(to) };
    // Two collectors over one database: what both heard counts once.
    input.listening = vec![span(-10, 40), span(-5, 30), span(1000, 1040)];
    assert_eq!(said(&input), "pressure medium ehr1");
    input.listening.push(span(2000, 2020));
    let silent = correlate(&input)
        .into_iter()
        .find(|c| c.rule == Rule::SilentHost)
        .unwrap();
    assert_eq!(silent.last_at, at(2010));
}

#[test]
fn a_silence_keeps_its_name_when_the_host_returns_and_tells_whether_it_was_announced() {
    let mut input = scene("0 ehr1 heard\n-5 ehr1 stopping\n100 ehr2 heard");
    let silent = correlate(&input);
    let Reason::SilentHost { stop, returned_at, .. } = &silent[0].reason else { panic!() };
    assert_eq!(
        (*stop, *returned_at),
        (Stop::Announced { at: at(-5), cause: StopCause::Unsaid }, None)
    );

    input.heartbeats.insert(fixtures::host("ehr1"), at(300));
    input.known.clone_from(&silent);
    input.records.clear();
    let returned = correlate(&input);
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].natural_key, silent[0].natural_key);
    let Reason::SilentHost { stop, returned_at, .. } = &returned[0].reason else { panic!() };
    assert_eq!(
        (*stop, *returned_at),
        (Stop::Announced { at: at(-5), cause: StopCause::Unsaid }, Some(at(300)))
    );

    let started = scene("0 ehr1 heard\n-5 ehr1 stopping\n-1 ehr1 started\n100 ehr2 heard");
    let Reason::SilentHost { stop, .. } = &correlate(&started)[0].reason else { panic!() };
    assert_eq!(*stop, Stop::Unannounced);
}

#[test]
fn a_reboot_and_announced_maintenance_change_the_words_of_a_silence_and_not_its_weight() {
    let ja = Locale::new(Lang::Ja);
    let mut input = scene("-5 ehr1 rebooting\n0 ehr1 heard\n100 ehr2 heard");
    input.windows = vec![(
        fixtures::host("ehr1"),
        crate::orders::Window {
            from: at(-600),
            until: at(3600),
            owner: "佐藤".to_owned(),
            reason: "PACS更新".to_owned(),
        },
    )];
    let silent = correlate(&input);
    assert_eq!(silent[0].severity, Severity::High);
    let said = explain(&silent[0]).say(ja, &names());
    assert!(said.contains("サーバーの再起動") && said.contains("担当：佐藤"), "{said}");

    input.windows[0].0 = fixtures::host("ehr2");
    let said = explain(&correlate(&input)[0]).say(ja, &names());
    assert!(!said.contains("佐藤"), "{said}");
}

#[test]
fn a_host_that_was_shut_out_is_not_silent() {
    let mut input = scene("0 ehr1 heard\n100 ehr2 heard");
    input
        .hosts
        .get_mut(&fixtures::host("ehr1"))
        .unwrap()
        .revoked_at = Some(at(50));
    assert_eq!(said(&input), "");
}

#[test]
fn what_was_known_stays_when_a_run_looks_back_less_far() {
    let all = scene(
        "0 ehr1 change b 300 critical .x\n9 ehr1 down pg o\n900 ehr1 change b 400 high .x\n999 ehr1 up pg o",
    );
    let whole = correlate(&all);
    let mut later = all;
    later.known.clone_from(&whole);
    later
        .records
        .retain(|record| at(100) <= record.corrected_at);
    assert_eq!(correlate(&later), whole);
    later.records.clear();
    assert_eq!(correlate(&later), whole);
}

#[test]
fn a_kind_from_the_future_is_told_and_not_belittled() {
    check("0 ehr1 unread shadow_copy", "loss high ehr1");
}

#[test]
fn every_conclusion_is_explained_in_both_languages() {
    let concluded = Rule::ALL.into_iter().filter(|rule| *rule != Rule::Sighting);
    let nights: Vec<&str> = concluded.map(|rule| nights(rule).0).collect();
    let more = [
        "0 ehr1 change b 300 high .locked ended",
        "0 ehr1 down pg o\n60 ehr1 up pg o",
        "0 ehr1 flap pg o",
        "0 ehr1 clock",
        "0 ehr1 unread shadow_copy",
        "0 ehr1 heard\n-5 ehr1 stopping\n100 ehr2 heard",
        "0 ehr1 change a 300 high\n9 ehr2 change b 300 high",
    ];
    let mut keys = BTreeSet::new();
    for night in nights.iter().chain(&more) {
        for conclusion in correlate(&scene(night)) {
            for lang in [Lang::Ja, Lang::En] {
                let text = explain(&conclusion);
                let said = text.say(Locale::new(lang), &names());
                assert!(said != text.key && !said.contains('{'), "{said}");
                let title = headline(&conclusion).say(Locale::new(lang), &names());
                assert!(
                    title.contains(fixtures::name(*conclusion.hosts.first().unwrap())),
                    "{title}"
                );
                keys.insert(text.key);
            }
        }
    }
    assert!(14 <= keys.len(), "{keys:?}");
}

#[test]
fn an_explanation_reads_like_a_sentence() {
    let input = scene("0 share1 change b 300 high .locked\n60 ehr1 down postgresql o");
    let found = correlate(&input);
    let say = |rule, lang| {
        let conclusion = found.iter().find(|c| c.rule == rule).unwrap();
        explain(conclusion).say(Locale::new(lang), &names())
    };
    insta::assert_snapshot!(say(Rule::MassChange, Lang::Ja), @"share1の「share」で、2026-02-09 01:50:00 JST以降、300個のファイル（3個のフォルダー）が暗号化や破壊でみられる形に変わりました。現在も続いている可能性があります。根拠：見慣れない拡張子が付いたもの300個、拡張子「.locked」。");
    insta::assert_snapshot!(say(Rule::CareOutage, Lang::Ja), @"ehr1のサービス「postgresql」（電子カルテ）が2026-02-09 01:51:00 JSTから応答していません。");
    insta::assert_snapshot!(say(Rule::RansomwareImpact, Lang::Ja), @"share1で300個のファイルが大量に変更され、その前後に次の停止がありました：ehr1の「postgresql」が停止（2026-02-09 01:51:00 JSTから）。診療に影響するランサムウェア攻撃の疑いがあります。");
    insta::assert_snapshot!(say(Rule::RansomwareImpact, Lang::En), @r#"On share1, 300 files changed in bulk, and close to it the following was lost: "postgresql" on ehr1 down (since 2026-02-09 01:51:00 JST). This looks like ransomware with impact on care."#);
}

#[test]
fn a_hostile_name_is_shown_and_does_not_turn_the_sentence_around() {
    let mut input = scene("0 ehr1 down postgresql o");
    let Some(event) = &mut input.records[0].event else { panic!() };
    let shirase_shared::event::Anomaly::Outage(outage) = &mut event.anomaly else { panic!() };
    outage.target.name = "x\u{202e}{ $host }\u{0}".to_owned();
    let said = explain(&correlate(&input)[0]).say(Locale::new(Lang::Ja), &names());
    assert!(said.contains("x[U+202E]{ $host }[U+0000]"), "{said}");
}

#[test]
fn a_day_of_events_is_read_in_a_moment() {
    let minutes = (0..1440).map(|minute| {
        let (second, burst, outage) = (minute * 60, minute / 20, minute / 5);
        format!(
            "{second} ehr1 change b{burst} 300 high .x\n{second} share1 change c{burst} 300 high .x\n\
             {second} pacs1 down dcm o{outage}\n{second} misc1 clock"
        )
    });
    let lines = minutes.collect::<Vec<_>>().join("\n");
    let input = scene(&lines);
    let started = std::time::Instant::now();
    let found = correlate(&input);
    let changes = crate::incidents::assembler::assemble(&found, &[], input.config.window());
    let took = started.elapsed();
    assert_eq!(input.records.len(), 5760);
    assert!(!changes.is_empty());
    eprintln!("read {} records in {took:?}", input.records.len());
    // Measured at 0.3 s of processor time without optimisation; the bound is for a machine busy with other builds.
    assert!(took < std::time::Duration::from_secs(20), "took {took:?}");
}

#[test]
fn a_configuration_out_of_range_is_named() {
    assert_eq!(CorrelateConfig::default().problems(), vec![]);
    let bad = CorrelateConfig { window_minutes: 0, silence_seconds: 59, ..Default::default() };
    let keys: Vec<String> = bad
        .problems()
        .into_iter()
        .map(|problem| problem.key)
        .collect();
    assert_eq!(keys, ["correlate.window_minutes", "correlate.silence_seconds"]);
}

fn said(input: &Input) -> String {
    let mut said: Vec<String> = correlate(input).iter().map(show).collect();
    said.sort();
    said.join(", ")
}

#[track_caller]
fn check(night: &str, expected: &str) {
    assert_eq!(said(&scene(night)), expected, "{night}");
}
