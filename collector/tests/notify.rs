//! Staff alerts: from a stored batch to a mail in a real SMTP server and a POST at a webhook, each once.

#![expect(clippy::unwrap_used, reason = "a test speaks by panicking")]

#[path = "support/python.rs"]
mod python;
#[path = "support/mail_server.rs"]
mod mail_server;
#[path = "support/ward.rs"]
mod ward;
#[path = "support/webhook_server.rs"]
mod webhook_server;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::SignedDuration;
use mail_server::{MailServer, ServerTls, free_port};
use shirase_collector::approval::{Emergency, RuleLayer, Verdict};
use shirase_collector::audit::Actor;
use shirase_collector::jobs::deadlines::DeadlinesJob;
use shirase_collector::jobs::draft_reports::DraftReportsJob;
use shirase_collector::jobs::matters::MattersJob;
use shirase_collector::jobs::notify::NotifyJob;
use shirase_collector::jobs::{Job, Nudge, Outcome};
use shirase_collector::keys::SigningKey;
use shirase_collector::locale::{Lang, Locale};
use shirase_collector::notify::courier::Courier;
use shirase_collector::notify::mail::{MailConfig, MailTls};
use shirase_collector::notify::{Channel, ChannelKind};
use shirase_collector::release::{Releases, read_profiles};
use shirase_collector::reports::answer::{AnswerStatus, NamedPerson, Value};
use shirase_collector::reports::fields::Field;
use shirase_collector::reports::{AnswerChange, Report};
use shirase_collector::store::RuleChange;
use shirase_shared::clock::Clock as _;
use shirase_shared::event::Severity;
use shirase_shared::ids::UserId;
use ward::{VENDOR_PHONE, Ward};
use webhook_server::WebhookServer;

/// One key for all tests of this process; making one is slow.
static KEY: LazyLock<Arc<SigningKey>> = LazyLock::new(|| Arc::new(SigningKey::generate().unwrap()));

impl Ward {
    async fn channel(&self, kind: ChannelKind, target: &str, min_severity: Severity) {
        let channel = Channel {
            facility: self.facility.clone(),
            id: kind.as_str().parse().unwrap(),
            kind,
            target: target.to_owned(),
            min_severity,
        };
        self.store
            .put_alert_channel(&channel.checked().unwrap())
            .await
            .unwrap();
    }

    fn releases(&self) -> Releases {
        let profiles = read_profiles(self.dir.path()).unwrap().into();
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Releases::new(store, clock, profiles, KEY.clone(), Path::new(""))
    }

    async fn draft(&self) -> Report {
        let clock = self.clock.clone();
        let locale = Locale::new(Lang::Ja);
        let mut job = DraftReportsJob::new(self.store.clone(), clock, Nudge::default(), locale);
        job.activate().await;
        let mut reports = self.store.reports(&self.facility).await.unwrap();
        reports.pop().expect("a draft")
    }

    fn job(&self, mail: &MailConfig) -> NotifyJob {
        NotifyJob {
            store: self.store.clone(),
            courier: Courier::new(mail).unwrap(),
            clock: self.clock.clone(),
            console_url: "https://c.example.jp:8443".to_owned(),
            nudge: Nudge::default(),
        }
    }
}

fn plain_mail(port: u16) -> MailConfig {
    MailConfig {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        from: "知らせ <shirase@hospital.example>".to_owned(),
        ..MailConfig::default()
    }
}

#[tokio::test]
async fn one_mail_for_each_severity_newly_reached_and_none_after_a_restart() {
    let mut ward = Ward::open("しらせ総合病院").await;
    let server = MailServer::start(ward.dir.path(), free_port(), None).await;
    ward.channel(ChannelKind::Mail, "security@hospital.example", Severity::High)
        .await;
    let mail = plain_mail(server.port);
    ward.burst(Severity::High).await;
    assert_eq!(ward.job(&mail).activate().await, Outcome::Changed(1));
    ward.burst(Severity::High).await;
    assert_eq!(ward.job(&mail).activate().await, Outcome::NothingToDo, "the same severity again");
    ward.burst(Severity::Critical).await;
    assert_eq!(ward.job(&mail).activate().await, Outcome::Changed(1));
    for _ in 0..3 {
        // A new job on the same store is what a restart comes to.
        assert_eq!(ward.job(&mail).activate().await, Outcome::NothingToDo);
    }

    let mails = server.mails();
    assert_eq!(mails.len(), 2, "{mails:#?}");
    let (first, second) = (&mails[0], &mails[1]);
    assert!(
        first
            .subject
            .starts_with("【重大】しらせ総合病院: 電子カルテ"),
        "{}",
        first.subject
    );
    assert!(second.subject.starts_with("【緊急】"), "{}", second.subject);
    assert_ne!(first.message_id, second.message_id);
    assert_eq!(first.to, "security@hospital.example");
    assert!(first.from.contains("知らせ"), "{}", first.from);
    for part in [
        "ehr1",
        VENDOR_PHONE,
        "2026-02-09 01:50:00 JST",
        "https://c.example.jp:8443/facilities/handa-hp/incidents/",
    ] {
        assert!(first.body.contains(part), "no `{part}` in\n{}", first.body);
    }
    assert!(mails.iter().all(|mail| mail.defects.is_empty()), "{mails:#?}");
    assert!(first.headers.iter().any(|name| name == "Auto-Submitted"), "{:?}", first.headers);
}

#[tokio::test]
async fn a_mail_server_that_is_down_is_tried_again_and_gets_the_mail_once() {
    let mut ward = Ward::open("しらせ総合病院").await;
    let port = free_port();
    ward.channel(ChannelKind::Mail, "security@hospital.example", Severity::High)
        .await;
    let mail = plain_mail(port);
    ward.burst(Severity::High).await;
    assert_eq!(ward.job(&mail).activate().await, Outcome::NothingToDo);
    let state = ward
        .store
        .channel_state(&ward.facility, &"mail".parse().unwrap())
        .await
        .unwrap();
    assert_eq!((state.sent, state.waiting), (0, 1));
    assert!(state.last_error.contains("refused"), "{}", state.last_error);

    let server = MailServer::start(ward.dir.path(), port, None).await;
    assert_eq!(ward.job(&mail).activate().await, Outcome::NothingToDo, "not before its time");
    ward.clock.advance(SignedDuration::from_mins(11));
    assert_eq!(ward.job(&mail).activate().await, Outcome::Changed(1));
    ward.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(ward.job(&mail).activate().await, Outcome::NothingToDo);
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn without_a_mail_server_in_the_configuration_the_message_waits_and_says_why() {
    let mut ward = Ward::open("しらせ総合病院").await;
    ward.channel(ChannelKind::Mail, "security@hospital.example", Severity::High)
        .await;
    ward.burst(Severity::High).await;
    assert_eq!(ward.job(&MailConfig::default()).activate().await, Outcome::NothingToDo);
    let state = ward
        .store
        .channel_state(&ward.facility, &"mail".parse().unwrap())
        .await
        .unwrap();
    assert!(state.last_error.contains("no mail server is configured"), "{}", state.last_error);
}

#[tokio::test]
async fn mail_goes_over_starttls_and_only_to_a_server_the_authority_signed_for() {
    let mut ward = Ward::open("しらせ総合病院").await;
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (ward.dir.path().join("mail.pem"), ward.dir.path().join("mail.key"));
    std::fs::write(&certificate, own.cert.pem()).unwrap();
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let tls = ServerTls { certificate: &certificate, key: &key };
    let server = MailServer::start(ward.dir.path(), free_port(), Some(tls)).await;
    ward.channel(ChannelKind::Mail, "security@hospital.example", Severity::High)
        .await;
    ward.burst(Severity::High).await;

    let strangers = MailConfig { tls: MailTls::Starttls, ..plain_mail(server.port) };
    assert_eq!(ward.job(&strangers).activate().await, Outcome::NothingToDo);
    let state = ward
        .store
        .channel_state(&ward.facility, &"mail".parse().unwrap())
        .await
        .unwrap();
    assert!(state.last_error.to_lowercase().contains("certificate"), "{}", state.last_error);
    assert_eq!(server.mails().len(), 0);

    ward.clock.advance(SignedDuration::from_mins(11));
    let trusted = MailConfig { ca_file: certificate.clone(), ..strangers };
    assert_eq!(ward.job(&trusted).activate().await, Outcome::Changed(1));
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn hostile_names_reach_the_mail_as_harmless_text() {
    let hostile = "病院\r\nBcc: thief@evil.example\r\n\r\n<script>\u{202e}";
    let mut ward = Ward::open(hostile).await;
    let server = MailServer::start(ward.dir.path(), free_port(), None).await;
    ward.channel(ChannelKind::Mail, "security@hospital.example", Severity::High)
        .await;
    ward.burst(Severity::High).await;
    assert_eq!(ward.job(&plain_mail(server.port)).activate().await, Outcome::Changed(1));
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    let mail = &mails[0];
    assert!(mail.defects.is_empty() && !mail.subject.contains('\n'), "{mail:#?}");
    assert!(
        !mail
            .headers
            .iter()
            .any(|name| name.eq_ignore_ascii_case("bcc")),
        "{mail:#?}"
    );
    assert!(!mail.body.contains('\u{202e}') && !mail.body.lines().any(|l| l.starts_with("Bcc")));
}

#[tokio::test]
async fn a_webhook_gets_json_once_and_a_refusal_is_kept_for_later() {
    let mut ward = Ward::open("しらせ総合病院").await;
    let server = WebhookServer::start(&[503, 200]);
    ward.channel(ChannelKind::Webhook, &server.url("/hook/SECRET"), Severity::High)
        .await;
    ward.burst(Severity::High).await;
    let mail = MailConfig::default();
    assert_eq!(ward.job(&mail).activate().await, Outcome::NothingToDo);
    let name = "webhook".parse().unwrap();
    let state = ward
        .store
        .channel_state(&ward.facility, &name)
        .await
        .unwrap();
    assert!(state.last_error.starts_with("503"), "{}", state.last_error);
    assert!(!state.last_error.contains("SECRET"), "{}", state.last_error);
    ward.clock.advance(SignedDuration::from_mins(11));
    assert_eq!(ward.job(&mail).activate().await, Outcome::Changed(1));

    let posts = server.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].body["message_id"], posts[1].body["message_id"]);
    assert_eq!(posts[1].idempotency_key, posts[1].body["message_id"].as_str().unwrap());
    assert_eq!(posts[1].body["kind"], "incident");
    assert_eq!(posts[1].body["severity"], "high");
    assert_eq!(posts[1].body["call"]["phone"], VENDOR_PHONE);
}

#[tokio::test]
async fn a_server_that_never_answers_does_not_stop_the_others() {
    let mut ward = Ward::open("しらせ総合病院").await;
    // Accepts and stays silent: the kernel completes the connection, nobody reads.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let server = MailServer::start(ward.dir.path(), free_port(), None).await;
    ward.channel(ChannelKind::Webhook, &url, Severity::High)
        .await;
    ward.channel(ChannelKind::Mail, "security@hospital.example", Severity::High)
        .await;
    ward.burst(Severity::High).await;
    let mut job = ward.job(&plain_mail(server.port));
    let done = tokio::time::timeout(Duration::from_secs(40), job.activate())
        .await
        .unwrap();
    assert_eq!(done, Outcome::Changed(1));
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn deadlines_are_warned_of_once_a_stage_and_a_missed_limit_reaches_those_who_sleep() {
    let mut ward = Ward::open("しらせ総合病院").await;
    let server = MailServer::start(ward.dir.path(), free_port(), None).await;
    ward.channel(ChannelKind::Mail, "night@hospital.example", Severity::Critical)
        .await;
    let post = WebhookServer::start(&[200]);
    ward.channel(ChannelKind::Webhook, &post.url("/hook"), Severity::Low)
        .await;
    ward.burst(Severity::High).await;
    let incident = ward.leak_feared().await;
    let mail = plain_mail(server.port);
    let told = |job: DeadlinesJob| async move {
        let mut job = job;
        job.activate().await
    };
    assert_eq!(told(ward.deadlines(&mail)).await, Outcome::NothingToDo, "nothing is near");

    let day = SignedDuration::from_hours(24);
    let mut outcomes = Vec::new();
    for days in [2_i64, 0, 5, 24, 18, 9, 3, 40] {
        for _ in 0..days {
            ward.clock.advance(day);
        }
        outcomes.push(told(ward.deadlines(&mail)).await);
    }
    let (none, one, two) = (Outcome::NothingToDo, Outcome::Changed(1), Outcome::Changed(2));
    // Day 3 of the guide value, again, its end; half of the 60 days, 80, 95 per cent, the end with the night's mail.
    let expected =
        [one.clone(), none.clone(), one.clone(), one.clone(), one.clone(), one, two, none];
    assert_eq!(outcomes, expected);
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "a guide value and a warning wake nobody: {mails:#?}");
    let mail = &mails[0];
    assert!(
        mail.subject.contains("期限超過") && mail.subject.contains("60日以内"),
        "{}",
        mail.subject
    );
    for part in [incident.as_str(), "未確認", "仮に計算", "The limit is missed"] {
        assert!(mail.body.contains(part), "no `{part}` in\n{}", mail.body);
    }
    let posts = post.posts();
    let states: Vec<String> = posts
        .iter()
        .map(|post| post.body["state"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(states, ["running", "guide_passed", "running", "running", "running", "missed"]);
    assert!(posts.iter().all(|post| post.body["kind"] == "deadline"), "{posts:#?}");
}

impl Ward {
    fn deadlines(&self, mail: &MailConfig) -> DeadlinesJob {
        DeadlinesJob {
            store: self.store.clone(),
            profiles: read_profiles(self.dir.path()).unwrap().into(),
            courier: Courier::new(mail).unwrap(),
            clock: self.clock.clone(),
            console_url: "https://c.example.jp:8443".to_owned(),
            nudge: Nudge::default(),
        }
    }

    /// Lets the draft be made, and a person say that data may have leaked; returns the incident's id.
    async fn leak_feared(&self) -> String {
        let locale = Locale::new(Lang::Ja);
        let nudge = Nudge::default();
        let mut job = DraftReportsJob::new(self.store.clone(), self.clock.clone(), nudge, locale);
        assert!(matches!(job.activate().await, Outcome::Changed(_)));
        let incident = self.store.incidents(&self.facility).await.unwrap()[0].id;
        let sheet = self
            .store
            .incident_sheet(&self.facility, incident)
            .await
            .unwrap();
        let change = AnswerChange {
            facility: self.facility.clone(),
            incident,
            report: None,
            field: Field::DataLeak,
            value: Value::Choices { chosen: vec!["feared".to_owned()], note: String::new() },
            status: AnswerStatus::Confirmed,
            basis: String::new(),
            reason: String::new(),
            by: NamedPerson { user: UserId::random(), name: "山田 花子".to_owned() },
            expected: sheet.revision,
        };
        self.store
            .set_answer(&change, self.clock.now())
            .await
            .unwrap();
        incident.to_string()
    }
}

#[tokio::test]
async fn staff_hear_once_over_every_channel_that_one_person_released_a_report_alone() {
    let mut ward = Ward::open("しらせ総合病院").await;
    let server = MailServer::start(ward.dir.path(), free_port(), None).await;
    let hook = WebhookServer::start(&[200]);
    ward.channel(ChannelKind::Mail, "night@hospital.example", Severity::Critical)
        .await;
    ward.channel(ChannelKind::Webhook, &hook.url("/hooks/x"), Severity::Low)
        .await;
    ward.burst(Severity::Critical).await;
    let releases = ward.releases();
    let report = ward.draft().await;
    let person = |number: u128, name: &str| {
        let user = UserId::from_uuid(uuid::Uuid::from_u128(number));
        NamedPerson { user, name: name.to_owned() }
    };
    let verdict = |by: &NamedPerson, revision| Verdict {
        facility: ward.facility.clone(),
        report: report.id,
        revision,
        by: by.clone(),
    };
    let (author, duty) = (person(1, "山田 花子"), person(2, "当直 次郎"));
    let submission = releases
        .submit(&verdict(&author, report.revision))
        .await
        .unwrap();
    let emergency = Some(Emergency::Allowed);
    let change = RuleChange {
        facility: &ward.facility,
        profile: None,
        layer: &RuleLayer { emergency, ..RuleLayer::default() },
        seen: None,
        files: &BTreeMap::new(),
    };
    let now = ward.clock.now();
    ward.store
        .set_approval_rule(&change, Actor::CommandLine, now)
        .await
        .unwrap();
    let mut job = MattersJob {
        store: ward.store.clone(),
        profiles: read_profiles(ward.dir.path()).unwrap().into(),
        courier: Courier::new(&plain_mail(server.port)).unwrap(),
        clock: ward.clock.clone(),
        console_url: "https://c.example.jp:8443".to_owned(),
    };
    assert_eq!(job.activate().await, Outcome::NothingToDo);
    let released = releases
        .approve_in_emergency(&verdict(&duty, submission.revision), "院長と連絡がとれない")
        .await
        .unwrap();
    assert!(released.is_some());
    assert_eq!(job.activate().await, Outcome::Changed(2));
    assert_eq!(job.activate().await, Outcome::NothingToDo, "told once");

    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    assert!(mails[0].subject.starts_with("【緊急承認】しらせ総合病院"), "{}", mails[0].subject);
    for part in ["当直 次郎", "院長と連絡がとれない", "事後確認", "/reports/"] {
        assert!(mails[0].body.contains(part), "{part} in {}", mails[0].body);
    }
    let posts = hook.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].body["kind"], "emergency_release");
    assert_eq!(posts[0].body["is_reviewed"], false);
}
