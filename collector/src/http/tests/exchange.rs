//! Partners and packages on the pages: two people, hostile words, both languages.

use axum::http::StatusCode;
use shirase_shared::clock::Clock as _;
use shirase_shared::ids::MessageId;
use shirase_shared::testing::builders::night;

use super::site::{HOSTILE, Site, grants};
use crate::audit::Actor;
use crate::exchange::PackageId;
use crate::exchange::kind::PackageKind;
use crate::exchange::message::{Message, MessageState};
use crate::exchange::package::{Content, Envelope, Package};
use crate::exchange::samples::{city, file, key, message, person};
use crate::people::{Grants, Role};
use crate::post::Compared;
use crate::store::Carrier;

/// What is there of the exchange, to be named in paths.
pub(super) struct Exchanged {
    pub(super) package: PackageId,
    pub(super) own: crate::exchange::CardId,
    pub(super) message: MessageId,
}

/// Hostile words as far as a package can carry them at all.
fn hostile() -> String {
    HOSTILE.replace(['\u{202e}', '\u{7}'], "")
}

impl Site {
    /// Pairs with the city, which asks something; an answer waits for its release.
    pub(super) async fn exchange(&self) -> Exchanged {
        let post = &self.state.post;
        let own = post.invite(&self.here, Actor::CommandLine).await.unwrap();
        let (card, id) = (city(), "handa-city".parse().unwrap());
        let (text, fingerprint) = (card.text(), card.id());
        let compared =
            Compared { card: text.as_bytes(), fingerprint: &fingerprint, by: "山田 花子" };
        post.accept((&self.here, &id), &compared, Actor::CommandLine)
            .await
            .unwrap();
        let words = hostile();
        let asked = Message {
            subject: words.clone(),
            text: format!("{words}\n照会します。"),
            files: vec![file("照会書.html", b"<script>alert(1)</script>")],
            ..message(PackageKind::Question)
        };
        let asked = asked.release(person(2, &words)).unwrap();
        let envelope = Envelope {
            sender: card.id(),
            addressee: own.id.clone(),
            made_at: night(),
            thread: None,
            order: 1,
        };
        let package = Package::seal(Content::Message(&asked), envelope, key()).unwrap();
        let bytes = package.to_file().unwrap();
        post.take(bytes, Carrier::Network, Actor::Machine)
            .await
            .unwrap();
        let answer = Message {
            facility: self.here.clone(),
            reply_to: Some(package.id().clone()),
            written_at: self.clock.now(),
            state: MessageState::Waiting,
            ..message(PackageKind::Answer)
        };
        post.write(&answer).await.unwrap();

        Exchanged { package: package.id().clone(), own: own.id, message: answer.id }
    }
}

#[tokio::test]
async fn what_a_partner_wrote_is_harmless_and_its_files_are_never_shown() {
    let site = Site::filled().await;
    let Exchanged { package, message, .. } = site.exchange().await;
    let (_, cookie, _) = site
        .person("reader", grants(&site.here, Role::Viewer))
        .await;
    for path in [
        "/facilities/handa/exchange".to_owned(),
        format!("/facilities/handa/exchange/packages/{package}"),
        format!("/facilities/handa/exchange/messages/{message}"),
        "/facilities/handa/partners".to_owned(),
        "/facilities/handa/partners/handa-city".to_owned(),
    ] {
        for lang in ["ja", "en"] {
            let cookies = format!("{cookie}; __Host-shirase-lang={lang}");
            let answer = site.get(&path, &cookies).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            for harm in ["<img src=x", "<script>", "onerror=alert(1)>", "7*7}}</textarea>"] {
                assert!(!answer.body.contains(harm), "{harm} on {path}");
            }
            for key in ["exchange-", "package-", "partner-", "message-", "organisation-"] {
                let bare = answer.body.contains(&format!(">{key}"));
                assert!(!bare, "a key {key}… stands on {path} in {lang}");
            }
        }
    }
    let path = format!("/facilities/handa/exchange/packages/{package}/files/0");
    let answer = site.get(&path, &cookie).await;
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let named = answer.headers["content-disposition"].to_str().unwrap();
    assert!(named.starts_with("attachment") && named.ends_with(".html"), "{named}");
    let path = format!("/facilities/handa/exchange/packages/{package}/files/1");
    assert_eq!(site.get(&path, &cookie).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn one_writes_another_releases_and_who_read_it_is_told() {
    let site = Site::filled().await;
    let Exchanged { package, .. } = site.exchange().await;
    let approver = || grants(&site.here, Role::Approver);
    let (_, writer, writer_csrf) = site.person("writer", approver()).await;
    let (_, other, other_csrf) = site.person("other", approver()).await;
    let form = format!(
        "csrf={writer_csrf}&partner=handa-city&kind=answer&tlp=amber&subject=a&text=b&reply_to={package}"
    );
    let messages = "/facilities/handa/exchange/messages";
    let answer = site.post(messages, &writer, &form).await;
    let path = answer.location.split('?').next().unwrap().to_owned();
    assert!(path.starts_with(messages), "{path}");
    let own = site
        .post(&format!("{path}/release"), &writer, &format!("csrf={writer_csrf}"))
        .await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(site.get(&path, &writer).await.body.contains("別の承認者"));
    let by_other = format!("csrf={other_csrf}");
    let done = site
        .post(&format!("{path}/release"), &other, &by_other)
        .await;
    assert!(done.location.contains("/exchange/packages/"), "{}", done.location);
    let again = site
        .post(&format!("{path}/release"), &other, &by_other)
        .await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);

    let thread = format!("/facilities/handa/exchange/packages/{package}");
    let before = site.get(&thread, &other).await.body;
    assert!(before.contains("ここに保存し"), "{before}");
    let read = site
        .post(&format!("{thread}/read"), &other, &by_other)
        .await;
    assert_eq!(read.status, StatusCode::SEE_OTHER);
    let shown = site.get(&thread, &other).await.body;
    assert!(shown.contains("が読みました") && shown.contains("送信待ち"), "{shown}");
    // Another facility does not see it.
    let there = Grants::default().with(&site.there, Role::Approver);
    let (_, stranger, _) = site.person("stranger", there).await;
    assert_eq!(site.get(&thread, &stranger).await.status, StatusCode::NOT_FOUND);
    let elsewhere = thread.replace("handa", "oki");
    assert_eq!(site.get(&elsewhere, &stranger).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_inbox_shows_a_page_at_a_time() {
    let site = Site::empty().await;
    let card = city();
    let own = site
        .state
        .post
        .invite(&site.here, Actor::CommandLine)
        .await
        .unwrap();
    let (text, fingerprint) = (card.text(), card.id());
    let compared =
        Compared { card: text.as_bytes(), fingerprint: &fingerprint, by: "山田 花子" };
    let city_id = "handa-city".parse().unwrap();
    let accepted = site
        .state
        .post
        .accept((&site.here, &city_id), &compared, Actor::CommandLine)
        .await;
    accepted.unwrap();
    for number in 1..=51 {
        let asked =
            Message { subject: format!("第{number}号。"), ..message(PackageKind::Question) };
        let asked = asked.release(person(2, "承認 花子")).unwrap();
        let envelope = Envelope {
            sender: card.id(),
            addressee: own.id.clone(),
            made_at: night(),
            thread: None,
            order: 1,
        };
        let bytes = Package::seal(Content::Message(&asked), envelope, key()).unwrap();
        let bytes = bytes.to_file().unwrap();
        site.state
            .post
            .take(bytes, Carrier::Network, Actor::Machine)
            .await
            .unwrap();
    }
    let (_, cookie, _) = site
        .person("reader", grants(&site.here, Role::Viewer))
        .await;
    let first = site.get("/facilities/handa/exchange", &cookie).await.body;
    assert!(first.contains("第51号。") && first.contains("第2号。") && !first.contains("第1号。"));
    assert!(first.contains("exchange?page=2") && !first.contains("新しいもの"));
    for (page, newer) in [("page=2", true), ("page=0", false), ("page=x", false)] {
        let shown = site
            .get(&format!("/facilities/handa/exchange?{page}"), &cookie)
            .await
            .body;
        assert_eq!(shown.contains("第1号。"), newer, "{page}");
        assert_eq!(shown.contains("新しいもの"), newer, "{page}");
    }
}

#[tokio::test]
async fn a_card_is_accepted_with_its_fingerprint_alone() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    let path = "/facilities/handa/partners";
    let card = city();
    // As browsers send it.
    let lines = card.text().replace('\n', "\r\n");
    let encoded: String = lines.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = |fingerprint: &str| {
        format!(
            "csrf={csrf}&partner=city&card={encoded}&fingerprint={}",
            fingerprint.replace(' ', "+")
        )
    };
    let wrong = site.post(path, &cookie, &form(&"ab".repeat(32))).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("加えないでください"), "{}", wrong.body);
    assert!(!wrong.body.contains("[U+"), "{}", wrong.body);
    assert!(site.store.partners(&site.here).await.unwrap().is_empty());
    let right = site.post(path, &cookie, &form(&card.id().grouped())).await;
    assert_eq!(right.status, StatusCode::SEE_OTHER, "{}", right.body);
    assert_eq!(site.store.partners(&site.here).await.unwrap().len(), 1);
    let made = site
        .post(&format!("{path}/invite"), &cookie, &format!("csrf={csrf}"))
        .await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    let own = site.get(&format!("{path}/card"), &cookie).await;
    assert!(own.body.contains("shirase-card-1"), "{}", own.body);
}
