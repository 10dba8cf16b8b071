//! What may be told, what is found and refused, and what comes of it.

mod bundles;
mod page;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shirase_shared::event::{Anomaly, Phase};
use shirase_shared::ids::{BurstId, DrillId, HostId, StreamId};
use shirase_shared::testing::builders::{mass_change, night, numbered};
use shirase_shared::tls::sha256_hex;

use super::samples::{approved, body, indicator, known};
use super::*;
use crate::exchange::PackageId;
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::package::{Content, Envelope, Package};
use crate::exchange::samples::{city, hospital, key, person};
use crate::locale::{Lang, Locale};
use crate::records::SeenRecord;
use crate::reports::answer::{Answer, AnswerStatus, Revision, Source, Value};

#[test]
fn an_indicator_has_the_form_of_its_kind_or_is_none() {
    use IndicatorKind::{Address, Hash, NoteName, Suffix, Tool};
    let sha = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";
    for (kind, text, written) in [
        (Suffix, ".LockBit", Some("lockbit")),
        (Suffix, "ｌｏｃｋｅｄ", Some("locked")),
        (Suffix, ".0012345678", None),
        (Suffix, "a/b", None),
        (NoteName, "RECOVER-FILES.txt", Some("RECOVER-FILES.txt")),
        (NoteName, "/srv/share/README.txt", None),
        (NoteName, r"C:\Users\sato\README.txt", None),
        (NoteName, "お知らせ.txt", None),
        (NoteName, "README-0012345678.txt", None),
        (Hash, sha, Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")),
        (Hash, "0012345678", None),
        (Address, "203.0.113[.]77", Some("203.0.113.77")),
        (Address, "2001:DB8::77", Some("2001:db8::77")),
        (Address, "192.168.10.5", None),
        (Address, "10.1.2.3", None),
        (Address, "172.20.0.1", None),
        (Address, "100.64.0.1", None),
        (Address, "169.254.1.1", None),
        (Address, "127.0.0.1", None),
        (Address, "::ffff:192.168.10.5", None),
        (Address, "fe80::1", None),
        (Address, "fd00::1", None),
        (Address, "ehr-db1", None),
        (Tool, "Rclone.EXE", Some("rclone.exe")),
        (Tool, "/usr/bin/rclone", None),
        (Tool, "rclone copy z:", None),
    ] {
        let read = Indicator::new(kind, text).ok();
        assert_eq!(read.as_ref().map(Indicator::value), written, "{kind} {text}");
        if let Some(read) = read {
            assert_eq!(Indicator::from_key(&read.key()), Some(read), "{text}");
        }
    }
}

#[test]
fn days_are_rounded_to_thirds_of_a_month() {
    let day = |text: &str| text.parse().unwrap();
    let span = Span::of(day("2026-02-12"), day("2026-02-09"));
    assert_eq!(
        (span.from.to_string(), span.to.to_string()),
        ("2026-02/1".into(), "2026-02/2".into())
    );
    assert_eq!(Third::of(day("2026-02-28")).last_day(), day("2026-02-28"));
    assert_eq!(Third::of(day("2028-02-21")).last_day(), day("2028-02-29"));
    assert_eq!(span.words(Locale::new(Lang::Ja)), "2026年2月上旬～2026年2月中旬");
    for wrong in ["2026-02/4", "2026-02/0", "2026-2/1", "2026-13/1", "2026-02", "2026-02-01"] {
        assert!(wrong.parse::<Third>().is_err(), "{wrong}");
    }
}

#[track_caller]
fn refused(text: &str, expected: &[(FoundKind, &str)]) {
    let found: Vec<Found> = known().in_text(text).into_iter().collect();
    let found: Vec<(FoundKind, &str)> = found
        .iter()
        .map(|one| (one.kind, one.words.as_str()))
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn whatever_the_collector_knows_is_found_however_it_is_written() {
    use FoundKind::{Address, Host, Number, Path, Person, Place, Reach};
    let all = [(Place, "半田"), (Place, "半田中央"), (Place, "半田中央病院")];
    refused("半田中央病院で", &all);
    refused("半田 中央 の病院", &[(Place, "半田"), (Place, "半田中央")]);
    refused("ＥＨＲ－ＤＢ１が停止", &[(Host, "ehr-db1")]);
    refused("Pacs02 と map", &[(Host, "pacs02")]);
    refused("佐藤が発見", &[(Person, "佐藤")]);
    refused("森さんが発見", &[(Person, "森さん")]);
    refused("sato.hで侵入", &[(Person, "sato.h")]);
    refused("電カル保守に連絡", &[(Place, "電カル保守")]);
    refused("愛知県内の施設", &[(Place, "愛知"), (Place, "愛知県")]);
    refused("外部の198.51.100.4へ", &[(Address, "198.51.100.4"), (Reach, "198.51.100.4")]);
    // Forms nobody has to know.
    refused("192.168.10.5から", &[(Address, "192.168.10.5")]);
    refused("端末は00:1a:2b:3c:4d:5e", &[(Address, "00:1a:2b:3c:4d:5e")]);
    refused("admin@clinic.test", &[(Reach, "admin@clinic.test")]);
    refused("tel 052-123-4567", &[(Number, "052-123-4567")]);
    refused("患者番号 12345 の記録", &[(Number, "患者番号 12345")]);
    refused("００１２３４５６７８", &[(Number, "0012345678")]);
    refused("〇〇一二三四五六", &[(Number, "〇〇一二三四五六")]);
    refused(r"\\fs01\外来\a.xlsx", &[(Path, r"\\fs01\"), (Path, r"\fs01\外来\a.xlsx")]);
    refused("/srv/share/患者 にあった", &[(Path, "/srv/share/患者")]);
    refused("隣の知多総合病院も", &[(Place, "知多総合病院")]);
}

#[test]
fn what_helps_others_may_be_told() {
    for text in [
        body().summary.as_str(),
        "2026-02-09 01:50頃から、約4812件のファイルに拡張子が付いた。",
        "近隣の医療機関にも同じ手口の可能性。当該病院では電子カルテが停止。",
        "RDPとPsExecが使われ、シャドウコピーが削除された。",
    ] {
        refused(text, &[]);
    }
}

#[test]
fn attackers_who_write_the_victims_name_into_a_suffix_give_nobody_away() {
    for (kind, value) in [
        (IndicatorKind::Suffix, ".handa"),
        (IndicatorKind::Suffix, ".handahp"),
        (IndicatorKind::NoteName, "PACS02_README.txt"),
        (IndicatorKind::Address, "198.51.100.4"),
    ] {
        assert_eq!(known().in_indicator(&indicator(kind, value)).len(), 1, "{value}");
    }
    assert!(known().found_in(&body()).is_empty());
}

#[test]
fn a_body_reads_back_only_as_it_was_written() {
    let text = body().text().unwrap();
    assert_eq!(Body::read(text.as_bytes()).unwrap(), body());
    for (from, to) in [
        ("{\"attack\"", "{ \"attack\""),
        ("{\"attack\"", "{\"host\":\"ehr-db1\",\"attack\""),
        ("shirase-sharing-1", "shirase-sharing-2"),
        ("\"locked\"", "\".Locked\""),
        ("\"203.0.113.77\"", "\"192.168.10.5\""),
        ("\"T1486\"", "\"T9999\""),
        ("\"2026-02/1\"", "\"2026-03/1\""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(Body::read(changed.as_bytes()).is_err(), "{to}");
    }
}

fn consent(chosen: &[&str], status: AnswerStatus) -> Answer {
    Answer {
        value: Value::Choices {
            chosen: chosen.iter().map(|code| (*code).to_owned()).collect(),
            note: String::new(),
        },
        status,
        source: Source::Person {
            user: person(1, "").user,
            name: "院長".to_owned(),
            basis: String::new(),
        },
        as_of: night(),
        revision: Revision(4),
        reason: String::new(),
    }
}

#[test]
fn only_a_persons_confirmed_answer_is_a_consent_and_no_wider_than_it_says() {
    let of = |chosen: &[&str]| Consent::of(Some(&consent(chosen, AnswerStatus::Confirmed)));
    assert_eq!(Consent::of(None), Err(ConsentError::Open));
    assert_eq!(of(&["ceptoar", "refused"]), Err(ConsentError::Refused));
    assert_eq!(of(&["nco", "tlp-green"]), Err(ConsentError::NotCeptoar));
    let open = consent(&["ceptoar"], AnswerStatus::Investigating);
    assert_eq!(Consent::of(Some(&open)), Err(ConsentError::Open));
    assert_eq!(of(&["ceptoar"]).unwrap().widest, Tlp::Amber);
    let green = of(&["ceptoar", "tlp-amber", "tlp-green"]).unwrap();
    assert_eq!(green.covers(Tlp::Green), Ok(()));
    assert_eq!(green.covers(Tlp::Red), Ok(()));
    assert_eq!(green.covers(Tlp::Clear), Err(ConsentError::Wider(Tlp::Green)));
}

#[test]
fn products_are_put_together_under_the_narrowest_mark_and_only_where_they_may_be_passed_on() {
    let origin = |name: &str, body: Body| Origin { package: PackageId::of(name.as_bytes()), body };
    let mut green = Body { tlp: Tlp::Green, ..body() };
    green.indicators.truncate(1);
    green
        .indicators
        .push(Shared { what: indicator(IndicatorKind::Suffix, "qilin"), seen: false });
    let green = green.tidied();
    let both = merged(&[origin("a", green.clone()), origin("b", body())]).unwrap();
    assert_eq!((both.tlp, both.indicators.len()), (Tlp::Amber, 7));
    let strict = Body { tlp: Tlp::AmberStrict, ..body() };
    assert!(merged(&[origin("a", green.clone()), origin("b", strict)]).is_none());
    let drill = Body { drill: true, ..body() };
    assert!(merged(&[origin("a", green), origin("b", drill)]).is_none());
    assert!(merged(&[]).is_none());
}

#[test]
fn an_approved_product_whose_record_was_changed_is_none() {
    let whole = approved(body(), night());
    let stored = || StoredProduct {
        product: whole.product().clone(),
        frozen: whole.body().text().unwrap(),
        signer: key().public_base64(),
        files: Vec::new(),
    };
    assert!(Approved::verify(stored()).is_ok());
    let mut other = stored();
    other.frozen = other.frozen.replace("locked", "loched");
    assert!(matches!(Approved::verify(other), Err(Mismatch::OtherText)));
    let mut other = stored();
    other.product.authors.push(person(2, "承認 花子"));
    assert!(matches!(Approved::verify(other), Err(Mismatch::OwnProduct)));
    let mut other = stored();
    other.product.state = ProductState::Draft;
    assert!(matches!(Approved::verify(other), Err(Mismatch::NotApproved)));
}

#[test]
fn a_package_of_a_product_names_nobody() {
    let whole = approved(body(), night());
    let envelope = Envelope {
        sender: hospital().id(),
        addressee: city().id(),
        made_at: night(),
        thread: None,
        order: 1,
    };
    let package = Package::seal(Content::Product(&whole), envelope, key()).unwrap();
    let manifest = package.manifest();
    assert_eq!((manifest.kind, manifest.tlp), (PackageKind::SharingProduct, Tlp::Amber));
    assert_eq!(manifest.subject, "ランサムウェア（2026年2月上旬～2026年2月中旬）");
    let text = manifest.text().unwrap();
    for name in ["承認", "作成", "太郎", "handa", "半田"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
}

fn record(host: HostId, event: shirase_shared::event::Event) -> SeenRecord {
    let record = numbered(StreamId::random(), vec![event]).remove(0);
    let event = record.event;
    SeenRecord {
        facility: "handa".parse().unwrap(),
        host,
        stream: record.stream,
        sequence: record.sequence,
        hash: sha256_hex(b"x"),
        kind: event.anomaly.kind().to_owned(),
        severity: Some(event.severity),
        burst: event.burst,
        drill: event.drill,
        detected_at: Some(event.detected_at),
        corrected_at: event.detected_at,
        uncertainty: std::time::Duration::ZERO,
        received_at: event.detected_at,
        event: Some(event),
    }
}

#[test]
fn an_indicator_is_found_where_it_stands_and_what_no_event_holds_is_said_to_be_unknown() {
    let host = HostId::random();
    let mut event = mass_change(BurstId::random(), Phase::Grew, 60, 0);
    if let Anomaly::MassChange(change) = &mut event.anomaly {
        change.actors.push(shirase_shared::event::Actor {
            program: "Rclone.exe".to_owned(),
            client: Some("203.0.113.77".to_owned()),
            ..Default::default()
        });
    }
    let mut trained = mass_change(BurstId::random(), Phase::Grew, 9, 0);
    trained.drill = Some(DrillId::random());
    let mut late = event.clone();
    late.detected_at += SignedDuration::from_hours(3);
    let wanted: BTreeSet<Indicator> = body()
        .indicators
        .into_iter()
        .map(|shared| shared.what)
        .collect();
    let mut found = look(&wanted, &[record(host, event), record(host, trained)], false);
    merge_findings(&mut found, look(&wanted, &[record(host, late)], false));
    let of = |kind, value| found[&indicator(kind, value)].clone();
    for (kind, value) in [
        (IndicatorKind::Suffix, "locked"),
        (IndicatorKind::Tool, "rclone.exe"),
        (IndicatorKind::Address, "203.0.113.77"),
    ] {
        let Finding::Seen(looked) = of(kind, value) else { panic!("{value}") };
        assert_eq!(looked.events, 2, "{value}: the exercise's does not count");
        assert_eq!(looked.last_at.duration_since(looked.first_at), SignedDuration::from_hours(3));
        assert_eq!(looked.hosts, BTreeSet::from([host]));
    }
    assert_eq!(of(IndicatorKind::Address, "2001:db8::77"), Finding::Nowhere);
    assert_eq!(of(IndicatorKind::NoteName, "RECOVER-FILES.txt"), Finding::NotHeld);
}
