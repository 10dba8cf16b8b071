//! A report is delivered on pages that work without JavaScript; an exercise's goes to drill partners alone.

use axum::http::StatusCode;
use shirase_shared::clock::Clock as _;
use shirase_shared::ids::{IncidentId, ReportId};

use super::site::{HOSTILE, Site, grants};
use crate::deliver::smtp::compose;
use crate::deliver::{Addressee, Outcome, Purpose, Refusal, State, Way, Wish};
use crate::people::Role;
use crate::reports::answer::NamedPerson;
use crate::store::{Begun, DeliveryError, Ended};

#[tokio::test]
async fn a_call_is_chosen_read_out_recorded_and_meets_the_deadline_on_the_page() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (incident, report) = site.incident().await;
    let place = format!("/facilities/handa/reports/{report}");
    let list = format!("{place}/deliveries");
    let early = site
        .post(&list, &cookie, &form(&csrf, "phone", "03-0000-0000"))
        .await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(early.body.contains("承認された報告書だけ"), "{}", early.body);

    attack_with_leak(&site, incident, &cookie, &csrf).await;
    site.approve(report).await;
    let page = site.get(&place, &cookie).await.body;
    assert!(page.contains("まだどこにも届けていません"), "the page says that nobody has it");
    let chosen = site
        .post(&list, &cookie, &form(&csrf, "phone", "03-0000-0000"))
        .await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.body);
    let (delivery, _) = chosen.location.split_once("?done=delivery-chosen").unwrap();
    let twice = site
        .post(&list, &cookie, &form(&csrf, "phone", "03-0000-0000"))
        .await;
    assert!(twice.body.contains("進行中か、結果不明"), "{}", twice.body);

    site.show("deliveries", &list, &cookie).await;
    site.show("delivery", delivery, &cookie).await;
    site.show("call-sheet", &format!("{delivery}/sheet"), &cookie)
        .await;
    let sheet = site.get(&format!("{delivery}/sheet"), &cookie).await;
    assert_eq!(sheet.status, StatusCode::OK, "{}", sheet.body);
    for words in ["03-0000-0000", "「半田中央病院 です。", "受付番号", "未確認", "伝えること"]
    {
        assert!(sheet.body.contains(words), "no {words} on the call sheet");
    }
    assert!(!sheet.body.contains("これは訓練です"));
    let nobody = format!("csrf={csrf}&outcome=delivered&at=2026-02-09T01:55&spoke_with=");
    let answer = site
        .post(&format!("{delivery}/record"), &cookie, &nobody)
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("応対した人"), "{}", answer.body);
    let good = format!("{nobody}鈴木&receipt=R8-9&answer=受付");
    let answer = site
        .post(&format!("{delivery}/record"), &cookie, &good)
        .await;
    assert_eq!(answer.location, format!("{delivery}?done=delivery-recorded"), "{}", answer.body);
    let page = site
        .get(&format!("/facilities/handa/incidents/{incident}"), &cookie)
        .await
        .body;
    for words in ["県庁 医療政策課 へ電話で届けました", "受付番号 R8-9"] {
        assert!(page.contains(words), "no {words} beside the deadline");
    }
    site.show("report", &place, &cookie).await;
    site.show("deadlines", &format!("/facilities/handa/incidents/{incident}"), &cookie)
        .await;
    let page = site.get(&place, &cookie).await.body;
    assert!(
        page.contains("届きました") && page.contains("R8-9"),
        "the report says what became of it"
    );
}

#[tokio::test]
async fn hostile_or_wrong_addresses_are_refused_in_words_and_change_nothing() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (_, report) = site.incident().await;
    site.approve(report).await;
    let list = format!("/facilities/handa/reports/{report}/deliveries");
    for (way, address, words) in [
        ("mail", "a@b.jp%0d%0aBcc:%20c@d.jp", "改行や見えない文字"),
        ("mail", "nobody", "メールアドレスではありません"),
        ("folder", "../etc", "フォルダ名ではありません"),
        ("web", "javascript:alert(1)", "URLではありません"),
        ("fax", "FAX", "番号ではありません"),
        ("pigeon", "x", "方法を選んでください"),
    ] {
        let answer = site.post(&list, &cookie, &form(&csrf, way, address)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{way} {address}");
        assert!(answer.body.contains(words), "{way} {address}: no {words}");
    }
    let hostile = form(&csrf, "medium", "x").replace("県庁 医療政策課", HOSTILE);
    let answer = site.post(&list, &cookie, &hostile).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!answer.body.contains("<img src=x"), "shown again, escaped");
    let stored = site
        .store
        .deliveries_of_report(&site.here, report)
        .await
        .unwrap();
    assert!(stored.is_empty(), "{stored:?}");
}

#[tokio::test]
async fn an_unknown_outcome_asks_a_person_and_takes_no_blind_yes() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (_, report) = site.incident().await;
    site.approve(report).await;
    let wish = wish(&site, report, Way::Mail, "a@b.jp", false);
    let now = site.clock.now();
    let id = site.store.create_delivery(&wish, now).await.unwrap().id;
    let begun = site
        .store
        .begin_delivery_attempt(&site.here, id, now)
        .await
        .unwrap();
    assert!(matches!(begun, Begun::Attempt(_, 1)), "{begun:?}");
    let place = format!("/facilities/handa/deliveries/{id}");
    let stop = format!("csrf={csrf}&choice=stop&note=");
    let running = site.post(&format!("{place}/decide"), &cookie, &stop).await;
    assert_eq!(running.status, StatusCode::CONFLICT, "it is being sent");
    let ended = Ended {
        attempt: 1,
        outcome: Outcome::Unknown,
        state: State::Unknown,
        answer: "<script>alert(1)</script>".to_owned(),
        next_at: None,
        there_since: None,
    };
    site.store
        .end_delivery_attempt((&site.here, id), &ended, now)
        .await
        .unwrap();
    site.show("unknown", &place, &cookie).await;
    let page = site.get(&place, &cookie).await.body;
    for words in ["結果不明", "本文を渡した後に応答が途切れました", "もう一度送る", "&#60;script"]
    {
        assert!(page.contains(words), "no {words}");
    }
    let blind = format!("csrf={csrf}&choice=delivered&note=");
    let answer = site.post(&format!("{place}/decide"), &cookie, &blind).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let again = format!("csrf={csrf}&choice=again&note=電話で確認");
    let answer = site.post(&format!("{place}/decide"), &cookie, &again).await;
    assert_eq!(answer.location, format!("{place}?done=delivery-decided"));
    let stored = site.store.delivery(&site.here, id).await.unwrap();
    assert_eq!((stored.state, stored.next_at), (State::Waiting, Some(now)));
}

#[tokio::test]
async fn an_exercises_report_goes_to_drill_partners_alone_and_says_so_first() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let reports = site.store.reports(&site.here).await.unwrap();
    let drill = reports.iter().find(|report| report.drill.is_some());
    let drill = drill.expect("the drill has a report").id;
    site.approve(drill).await;
    let list = format!("/facilities/handa/reports/{drill}/deliveries");
    let stranger = site
        .post(&list, &cookie, &form(&csrf, "mail", "a@b.jp"))
        .await;
    assert_eq!(stranger.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stranger.body.contains("訓練の相手にだけ"), "{}", stranger.body);
    let now = site.clock.now();
    let past_the_page = wish(&site, drill, Way::Mail, "a@b.jp", false);
    let refused = site.store.create_delivery(&past_the_page, now).await;
    let to_others = Refusal::DrillToOthers;
    assert!(matches!(refused, Err(DeliveryError::Refused(why)) if why == to_others));

    let partner = format!("{}&drill_partner=yes", form(&csrf, "mail", "a@b.jp"));
    let chosen = site.post(&list, &cookie, &partner).await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.body);
    let delivery = site
        .store
        .deliveries_of_report(&site.here, drill)
        .await
        .unwrap()
        .remove(0);
    assert!(delivery.drill);
    let parcel = site
        .state
        .releases
        .parcel(&site.here, drill, None)
        .await
        .unwrap();
    let mail = compose("h@hospital.example", &delivery, &parcel).unwrap();
    let text = String::from_utf8(mail.bytes).unwrap();
    let marked = text.contains("\"drill\": true")
        || parcel
            .proof()
            .bytes
            .windows(13)
            .any(|w| w == b"\"drill\": true");
    assert!(marked && parcel.stem.contains("-drill"), "{}", parcel.stem);
    let sheet = site
        .get(&format!("/facilities/handa/deliveries/{}/sheet", delivery.id), &cookie)
        .await;
    assert!(sheet.body.contains("「訓練、訓練。これは訓練です。"), "{}", sheet.body);
    site.show("drill", &list, &cookie).await;

    // Neither can pass for the other on its way.
    let real = crate::deliver::Delivery { drill: false, ..delivery.clone() };
    assert!(compose("h@hospital.example", &real, &parcel).is_err());
    let to_stranger = crate::deliver::Delivery {
        addressee: Addressee { drill_partner: false, ..delivery.addressee.clone() },
        ..delivery
    };
    assert!(compose("h@hospital.example", &to_stranger, &parcel).is_err());
}

#[tokio::test]
async fn the_address_book_is_offered_first_and_what_nobody_verified_is_flagged() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (_, report) = site.incident().await;
    site.approve(report).await;
    let ministry = site
        .contact(&[
            ("kind", "mhlw"),
            ("organisation", "厚生労働省"),
            ("department", "医政局"),
            ("mail", "uketsuke@mhlw.example"),
            ("night_phone", "03-0000-0001"),
        ])
        .await;
    let police = site
        .contact(&[("kind", "police"), ("organisation", "半田警察署"), ("phone", "0569-00-0000")])
        .await;
    let list = format!("/facilities/handa/reports/{report}/deliveries");
    let page = site.get(&list, &cookie).await.body;
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words}"));
    assert!(at("uketsuke@mhlw.example") < at("0569-00-0000"), "the office it is for comes first");
    assert!(page.contains("未確認"), "nobody made sure of them");
    site.show("book", &list, &cookie).await;
    let form = |entry: String| format!("csrf={csrf}&entry={entry}&purpose=report&form=");
    let chosen = site
        .post(&list, &cookie, &form(format!("{ministry}/night_phone")))
        .await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.body);
    let stored = site
        .store
        .deliveries_of_report(&site.here, report)
        .await
        .unwrap()
        .remove(0);
    let Addressee { organisation, address, contact, verified_on, .. } = stored.addressee;
    assert_eq!((stored.way, organisation.as_str()), (Way::Phone, "厚生労働省 医政局"));
    assert_eq!((address.as_str(), contact, verified_on), ("03-0000-0001", Some(ministry), None));
    for gone in [format!("{police}/fax"), "x/phone".to_owned(), format!("{police}/pigeon")] {
        let answer = site.post(&list, &cookie, &form(gone)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("台帳のその連絡先は"), "{}", answer.body);
    }
}

/// What a filled form sends.
fn form(csrf: &str, way: &str, address: &str) -> String {
    format!(
        "csrf={csrf}&way={way}&purpose=report&organisation=県庁 医療政策課&person=&address={address}&form="
    )
}

/// Answers the interview so that the ministry has to be told.
async fn attack_with_leak(site: &Site, incident: IncidentId, cookie: &str, csrf: &str) {
    for (question, choice) in [("20", "feared"), ("17", "yes")] {
        let sheet = site
            .store
            .incident_sheet(&site.here, incident)
            .await
            .unwrap();
        let revision = sheet.revision;
        let form =
            format!("csrf={csrf}&question={question}&choice={choice}&note=&revision={revision}");
        let path = format!("/facilities/handa/incidents/{incident}/interview");
        let answer = site.post(&path, cookie, &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    }
}

fn wish(site: &Site, report: ReportId, way: Way, address: &str, drill_partner: bool) -> Wish {
    let user = shirase_shared::ids::UserId::random();
    Wish {
        facility: site.here.clone(),
        report,
        way,
        purpose: Purpose::Report,
        addressee: Addressee {
            organisation: "県庁 医療政策課".to_owned(),
            person: String::new(),
            address: address.to_owned(),
            drill_partner,
            contact: None,
            verified_on: None,
        },
        form: None,
        again: false,
        by: NamedPerson { user, name: "山田 花子".to_owned() },
    }
}
