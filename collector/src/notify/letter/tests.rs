//! The letter as people get it.

use super::*;

fn alert() -> Alert {
    let key = NotificationKey {
        facility: "handa-hp".parse().unwrap(),
        incident: IncidentId::from_uuid(uuid::Uuid::from_u128(1)),
        escalation: Severity::Critical,
        channel: "night".parse().unwrap(),
    };
    let text = |ja: &str, en: &str| Both { ja: ja.to_owned(), en: en.to_owned() };
    Alert {
        message_id: key.message_id(),
        key,
        created_at: "2026-02-08T16:51:00Z".parse().unwrap(),
        facility: "半田中央病院".to_owned(),
        number: 7,
        drill: None,
        headline: text(
            "電子カルテサーバでファイルの大量変更",
            "mass change of files on an EHR server",
        ),
        places: vec![Place { host: "ehr1".to_owned(), roles: text("電子カルテ", "EHR") }],
        since: "2026-02-08T16:50:00Z".parse().unwrap(),
        reasons: vec![text(
            "120 個のファイルに拡張子 .locked が付いた",
            "120 files gained the suffix .locked",
        )],
        call: Some(Call { company: "メディ社".to_owned(), phone: "0569-00-0000".to_owned() }),
        link: "https://c.example.jp:8443/f/handa-hp/incidents/7".to_owned(),
        audit_head: Some(Head { n: 12, hash: "ab".repeat(32) }),
    }
}

#[test]
fn the_letter_says_what_where_since_when_why_and_whom_to_call() {
    let letter = alert().letter();
    insta::assert_snapshot!(format!("Subject: {}\n\n{}", letter.subject, letter.body));
}

#[test]
fn a_drill_says_so_first() {
    let letter = Alert { drill: Some(DrillId::random()), ..alert() }.letter();
    assert!(letter.subject.starts_with("【訓練】"), "{}", letter.subject);
    assert!(letter.body.starts_with("【訓練】"), "{}", letter.body);
}

#[test]
fn who_is_to_be_called_is_never_guessed() {
    let letter = Alert { call: None, ..alert() }.letter();
    assert!(letter.body.contains("登録されていません"), "{}", letter.body);
    let call = Call { company: "メディ社".to_owned(), phone: String::new() };
    let letter = Alert { call: Some(call), ..alert() }.letter();
    assert!(letter.body.contains("電話番号が登録されていません"), "{}", letter.body);
}

#[test]
fn hostile_names_stay_on_one_line_and_are_cut() {
    let hostile = format!("srv\r\nBcc: x@y.jp\n\u{202e}gpj.exe{}", "あ".repeat(5000));
    let mut alert = alert();
    alert.facility.clone_from(&hostile);
    alert.places[0].host.clone_from(&hostile);
    alert.reasons[0].ja.clone_from(&hostile);
    let letter = alert.letter();
    assert!(!letter.subject.contains(['\r', '\n', '\u{202e}']), "{}", letter.subject);
    assert!(!letter.body.lines().any(|line| line.starts_with("Bcc")), "{}", letter.body);
    assert!(!letter.body.contains('\u{202e}') && letter.body.contains("[U+202E]"));
    assert!(letter.body.chars().count() < 3000);
}

#[test]
fn the_json_carries_the_same_in_fields() {
    let value = alert().with_post(|post| serde_json::to_value(post).unwrap());
    assert_eq!(value["kind"], "incident");
    assert_eq!(value["severity"], "critical");
    assert_eq!(value["number"], 7);
    assert_eq!(value["places"][0]["roles"]["ja"], "電子カルテ");
    assert_eq!(value["drill"], serde_json::Value::Null);
    assert_eq!(value["message_id"], alert().message_id);
}

#[test]
fn the_same_notification_has_the_same_id_for_ever() {
    assert_eq!(
        alert().message_id,
        "<00000000-0000-0000-0000-000000000001.critical.night.handa-hp@alerts.shirase.invalid>"
    );
    assert_eq!(alert().letter(), alert().letter());
}
