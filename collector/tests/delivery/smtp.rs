//! Mail: what arrives, and what every way of failing comes to.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use shirase_collector::approval::Format;
use shirase_collector::deliver::{
    Choice, Decided, DeliverConfig, Outcome as Ending, Record, State, Way,
};
use shirase_collector::jobs::{Job as _, Outcome};
use shirase_collector::keys::Signed;
use shirase_collector::notify::mail::{
    Around, HandOverError, MailConfig, MailTls, Mailer, envelope,
};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::released::{PATIENCE, plain_mail, worker};
use crate::smtp_play::Play;
use crate::ward::Ward;

const OFFICE: &str = "uketsuke@mhlw.example";

#[tokio::test]
async fn the_approved_mail_arrives_once_with_every_signed_file() {
    let (ward, report) = Ward::released().await;
    let server = Play::start(ward.dir.path(), &["take"]);
    let mail = plain_mail(server.port);
    let id = ward.choose(&report, Way::Mail, OFFICE).await;
    assert_eq!(ward.deliver(&mail).await, Outcome::Changed(1));
    assert_eq!(ward.deliver(&mail).await, Outcome::NothingToDo, "once");

    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!(delivery.state, State::Delivered, "{delivery:?}");
    assert_eq!((attempts.len(), attempts[0].outcome), (1, Some(Ending::Delivered)));
    assert!(attempts[0].answer.contains("250") && attempts[0].answer.contains("number 1"));
    assert!(attempts[0].handing_over_at.is_some());
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    let mail = &taken[0];
    assert!(mail.defects.is_empty(), "{:?}", mail.defects);
    assert_eq!((mail.to.as_str(), &mail.message_id), (OFFICE, &delivery.message_id));
    assert!(mail.from.contains("report@hospital.example"), "{}", mail.from);
    assert!(mail.subject.contains("しらせ総合病院"), "{}", mail.subject);
    assert!(
        !mail.subject.contains("訓練") && !mail.body.contains("訓練"),
        "nothing real says 訓練"
    );
    assert!(mail.date.contains("Feb 2026"), "{}", mail.date);
    assert!(!mail.headers.iter().any(|name| name == "X-Unsent"), "{:?}", mail.headers);

    let approved = ward.releases().approved(&ward.facility, report.id).await;
    let approved = approved.unwrap().unwrap();
    for file in approved.renderings() {
        let carried = mail.files.values().any(|sha256| *sha256 == file.sha256);
        let expected = file.format == Format::Pdf || file.format.is_attachment();
        assert_eq!(carried, expected, "{}", file.format);
    }
    let proof: serde_json::Value = serde_json::from_str(&mail.proof).unwrap();
    let key = proof["public_key"].as_str().unwrap();
    for file in proof["files"].as_array().unwrap() {
        let text = |name: &str| file[name].as_str().unwrap().to_owned();
        let (signed, signature) = (text("signed_text"), text("signature"));
        let claim = Signed { public_key: key, bytes: signed.as_bytes(), signature: &signature };
        assert!(claim.is_genuine() && signed.contains(&text("sha256")), "{file}");
    }
}

#[tokio::test]
async fn over_tls_it_arrives_and_a_certificate_of_somebody_else_is_refused() {
    let (ward, report) = Ward::released().await;
    let files = Authority::make(ward.dir.path(), "right");
    let server = Play::start_tls(ward.dir.path(), files.server(), &["take"]);
    let stranger = Authority::make(ward.dir.path(), "wrong");
    let mail = |ca: &Authority| MailConfig {
        host: "localhost".to_owned(),
        tls: MailTls::Starttls,
        ca_file: ca.ca.clone(),
        ..plain_mail(server.port)
    };
    let id = ward.choose(&report, Way::Mail, OFFICE).await;
    ward.deliver(&mail(&stranger)).await;
    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!((delivery.state, attempts[0].outcome), (State::Waiting, Some(Ending::NotYet)));
    assert!(delivery.note.to_lowercase().contains("certificate"), "{}", delivery.note);
    assert!(server.taken().is_empty(), "nothing was said to a stranger");

    let missing = MailConfig { ca_file: "/no/such/ca.pem".into(), ..mail(&files) };
    ward.clock.advance(SignedDuration::from_mins(11));
    ward.deliver(&missing).await;
    let (delivery, _) = ward.delivery(id).await;
    assert!(delivery.note.contains("/no/such/ca.pem") && delivery.note.contains("ca_file"));

    ward.clock.advance(SignedDuration::from_mins(11));
    ward.deliver(&mail(&files)).await;
    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!((delivery.state, attempts.len()), (State::Delivered, 3), "{}", delivery.note);
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn what_was_not_handed_over_is_tried_again_a_few_times_and_then_a_person_is_asked() {
    let (ward, report) = Ward::released().await;
    // A cut before the text, a 4xx at the addressee, one at the text, and then it goes through.
    let parts = ["cut-at-data", "rcpt-later", "text-later", "take"];
    let server = Play::start(ward.dir.path(), &parts);
    let mail = plain_mail(server.port);
    let id = ward.choose(&report, Way::Mail, OFFICE).await;
    ward.deliver(&mail).await;
    assert_eq!(ward.deliver(&mail).await, Outcome::NothingToDo, "not before the pause is over");
    for _ in 0..3 {
        ward.clock.advance(SignedDuration::from_mins(11));
        ward.deliver(&mail).await;
    }
    let (delivery, attempts) = ward.delivery(id).await;
    let outcomes: Vec<_> = attempts
        .iter()
        .map(|attempt| attempt.outcome.unwrap())
        .collect();
    let not_yet = Ending::NotYet;
    assert_eq!(outcomes, [not_yet, not_yet, not_yet, Ending::Delivered], "{attempts:#?}");
    assert!(attempts[1].answer.contains("450") && attempts[2].answer.contains("451"));
    assert_eq!(delivery.state, State::Delivered);
    let taken = server.taken();
    assert_eq!((taken.len(), &taken[0].message_id), (1, &delivery.message_id));
}

#[tokio::test]
async fn a_cut_in_the_text_is_no_delivery_where_the_final_dot_certainly_never_left() {
    let (ward, _) = Ward::released().await;
    let server = Play::start(ward.dir.path(), &["cut-before"]);
    let mailer = Mailer::new(&plain_mail(server.port))
        .unwrap()
        .with_patience(PATIENCE);
    let around = Around {
        from: "report@hospital.example",
        to: OFFICE,
        message_id: "<1@reports.shirase.invalid>",
        at: ward.now(),
    };
    // More than the kernel takes in without the server reading: the cut is seen in the middle of it.
    let mut large = envelope(&around).unwrap();
    large.bytes.extend_from_slice(b"Subject: large\r\n\r\n");
    large
        .bytes
        .extend("0123456789abcdef\r\n".repeat(3_000_000).into_bytes());
    let error = mailer
        .hand_over(&large, std::future::ready(Ok(())))
        .await
        .unwrap_err();
    assert!(matches!(error, HandOverError::NotYet(_)), "{error:?}");

    // A small one is out of our hands, dot and all, before the cut shows: that is unknown, whatever the server did.
    let mut small = envelope(&around).unwrap();
    small
        .bytes
        .extend_from_slice(b"Subject: small\r\n\r\nx\r\n");
    let error = mailer
        .hand_over(&small, std::future::ready(Ok(())))
        .await
        .unwrap_err();
    assert!(matches!(error, HandOverError::Unknown(_)), "{error:?}");

    let refused = mailer
        .hand_over(&small, std::future::ready(Err("no room".to_owned())))
        .await;
    assert_eq!(refused, Err(HandOverError::NotYet("no room".to_owned())), "our own disk is full");
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn tries_are_bounded_and_a_person_can_have_it_tried_again() {
    let (ward, report) = Ward::released().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let id = ward.choose(&report, Way::Mail, OFFICE).await;
    let config = DeliverConfig { attempts_max: 3, ..DeliverConfig::default() };
    for _ in 0..6 {
        ward.deliver_job(&plain_mail(port), &config)
            .activate()
            .await;
        ward.clock.advance(SignedDuration::from_mins(11));
    }
    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!((delivery.state, attempts.len()), (State::Failed, 3), "{}", delivery.note);
    assert!(delivery.note.to_lowercase().contains("refused"), "{}", delivery.note);
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt.handing_over_at.is_none())
    );

    let server = Play::start(ward.dir.path(), &["take"]);
    ward.decide(id, Choice::Again, "サーバーを直した").await;
    ward.deliver(&plain_mail(server.port)).await;
    let (delivery, _) = ward.delivery(id).await;
    assert_eq!((delivery.state, server.taken().len()), (State::Delivered, 1));
}

#[tokio::test]
async fn a_servers_no_is_final_and_told_in_its_own_harmless_words() {
    for part in ["rcpt-refused", "text-refused"] {
        let (ward, report) = Ward::released().await;
        let server = Play::start(ward.dir.path(), &[part]);
        let mail = plain_mail(server.port);
        let id = ward.choose(&report, Way::Mail, OFFICE).await;
        ward.deliver(&mail).await;
        ward.clock.advance(SignedDuration::from_hours(3));
        assert_eq!(ward.deliver(&mail).await, Outcome::NothingToDo, "{part}: never by itself");
        let (delivery, attempts) = ward.delivery(id).await;
        assert_eq!((delivery.state, attempts.len()), (State::Refused, 1), "{part}");
        assert!(delivery.note.contains("55"), "{part}: {}", delivery.note);
        assert!(!delivery.note.chars().any(char::is_control), "{part}: {:?}", delivery.note);
    }
}

#[tokio::test]
async fn after_the_final_dot_a_lost_connection_is_unknown_and_a_person_decides() {
    for part in ["cut-after", "never-answers"] {
        let (ward, report) = Ward::released().await;
        let server = Play::start(ward.dir.path(), &[part, "take"]);
        let mail = plain_mail(server.port);
        let id = ward.choose(&report, Way::Mail, OFFICE).await;
        ward.deliver(&mail).await;
        let (delivery, attempts) = ward.delivery(id).await;
        assert_eq!((delivery.state, attempts.len()), (State::Unknown, 1), "{part}: {delivery:?}");
        for _ in 0..5 {
            ward.clock.advance(SignedDuration::from_hours(2));
            assert_eq!(ward.deliver(&mail).await, Outcome::NothingToDo, "{part}: no blind retry");
        }
        assert_eq!(server.taken().len(), 1, "{part}: the server had it");

        let silent = Decided { note: String::new(), ..ward.decided(id, Choice::Delivered, "") };
        assert!(
            ward.store
                .decide_delivery(&silent, ward.now())
                .await
                .is_err(),
            "how do they know?"
        );
        ward.decide(id, Choice::Again, "電話で確かめたが、届いていないとのこと")
            .await;
        ward.deliver(&mail).await;
        let taken = server.taken();
        assert_eq!(taken.len(), 2);
        assert_eq!(
            taken[0].message_id, taken[1].message_id,
            "{part}: a receiver sees the repetition"
        );
        assert_eq!(taken[0].whole, taken[1].whole, "{part}: the same mail, byte for byte");
        assert_eq!(ward.delivery(id).await.0.state, State::Delivered);
    }
}

#[tokio::test]
async fn a_person_who_asked_can_say_that_it_arrived() {
    let (ward, report) = Ward::released().await;
    let server = Play::start(ward.dir.path(), &["cut-after"]);
    let id = ward.choose(&report, Way::Mail, OFFICE).await;
    ward.deliver(&plain_mail(server.port)).await;
    let handed = ward.delivery(id).await.1[0].handing_over_at;
    ward.clock.advance(SignedDuration::from_mins(20));
    let said = Decided {
        receipt: "R8-77".to_owned(),
        ..ward.decided(id, Choice::Delivered, "電話で鈴木様に確認")
    };
    let delivery = ward.store.decide_delivery(&said, ward.now()).await.unwrap();
    assert_eq!(delivery.state, State::Delivered);
    assert_eq!(delivery.delivered_at, handed, "the moment the text left, not of the question");
    assert_eq!((delivery.receipt.as_str(), delivery.delivered_by), ("R8-77", Some(worker().user)));
}

#[tokio::test]
async fn a_silent_server_costs_its_time_and_a_slow_one_is_waited_for() {
    let (ward, report) = Ward::released().await;
    let server = Play::start(ward.dir.path(), &["silent", "slow"]);
    let mail = plain_mail(server.port);
    let id = ward.choose(&report, Way::Mail, OFFICE).await;
    ward.deliver(&mail).await;
    let (delivery, attempts) = ward.delivery(id).await;
    assert_eq!(delivery.state, State::Waiting);
    assert!(attempts[0].answer.contains("did not get ready"), "{}", attempts[0].answer);
    assert!(attempts[0].handing_over_at.is_none());
    ward.clock.advance(SignedDuration::from_mins(11));
    ward.deliver(&mail).await;
    assert_eq!(ward.delivery(id).await.0.state, State::Delivered);
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn a_report_somebody_took_back_is_neither_sent_nor_told() {
    let (ward, report) = Ward::released().await;
    let server = Play::start(ward.dir.path(), &["take"]);
    let mail = ward.choose(&report, Way::Mail, OFFICE).await;
    let call = ward.choose(&report, Way::Phone, "03-0000-0000").await;
    let file = SqliteConnectOptions::new().filename(ward.dir.path().join("shirase.db"));
    let database = SqlitePool::connect_with(file).await.unwrap();
    sqlx::query("UPDATE reports SET status = 'withdrawn'")
        .execute(&database)
        .await
        .unwrap();
    ward.deliver(&plain_mail(server.port)).await;
    let (delivery, attempts) = ward.delivery(mail).await;
    assert_eq!((delivery.state, attempts.len()), (State::Stopped, 0));
    assert!(delivery.note.contains("withdrawn"), "{}", delivery.note);
    assert!(server.taken().is_empty());
    let told = Record {
        facility: ward.facility.clone(),
        delivery: call,
        outcome: Ending::Delivered,
        at: ward.now(),
        spoke_with: "鈴木様".to_owned(),
        answer: String::new(),
        receipt: String::new(),
        by: worker().user,
    };
    assert!(ward.store.record_delivery(&told, ward.now()).await.is_err());
    let wish = ward.wish(&report, Way::Mail, "other@mhlw.example");
    assert!(ward.store.create_delivery(&wish, ward.now()).await.is_err());
}

/// A server's certificate that vouches for itself, as PEM files.
struct Authority {
    ca: PathBuf,
    key: PathBuf,
}

impl Authority {
    fn make(dir: &Path, name: &str) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (ca, key) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
        std::fs::write(&ca, own.cert.pem()).unwrap();
        std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        Self { ca, key }
    }

    fn server(&self) -> (&Path, &Path) {
        (&self.ca, &self.key)
    }
}
