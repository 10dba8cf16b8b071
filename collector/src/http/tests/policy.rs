//! Fleet policy on its pages: checked before it is saved, kept with who and why, shown with how hosts stand.

use axum::http::StatusCode;
use shirase_shared::clock::Clock as _;
use shirase_shared::policy::{PolicyReport, PolicyRevision};

use super::site::{Site, grants};
use crate::audit::Actor;
use crate::people::Role;
use crate::policy::{NewRevision, Scope};
use crate::sharing::{Indicator, IndicatorKind};

const TEXT: &str = "[agent]\ncpu_budget_percent = 9\n";

impl Site {
    /// Saves an empty policy.
    pub(super) async fn policy(&self) -> PolicyRevision {
        let new = NewRevision::check(Scope::Facility, "", "walk").unwrap();
        let by = (Actor::CommandLine, self.clock.now());
        let saved = self.store.save_policy((&self.here, None), &new, by).await;
        saved.unwrap().number
    }
}

/// Writes a form the way a browser does.
fn form(csrf: &str, fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect::<String>()
    };
    let fields = fields
        .iter()
        .map(|(name, value)| format!("&{name}={}", encode(value)));
    format!("csrf={csrf}{}", fields.collect::<String>())
}

#[tokio::test]
async fn a_policy_is_checked_previewed_saved_and_compared() {
    let site = Site::filled().await;
    let facility = site.here.clone();
    let (_, cookie, csrf) = site
        .person("admin", grants(&facility, Role::Administrator))
        .await;
    let path = format!("/facilities/{facility}/policy");
    let first = site.get(&path, &cookie).await;
    assert!(first.body.contains("監視ポリシー") && first.body.contains("記入例"));

    let wrong = "[uplink]\ncollector_url = 'https://evil.example'\n[[sensors.roots]]\npath = 'x'\n";
    let sent = form(&csrf, &[("text", wrong), ("reason", "x"), ("seen", "")]);
    let answer = site.post(&path, &cookie, &sent).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in
        ["誤りが2件", "1行目", "4行目", "ポリシーで設定できる項目ではありません", "evil.example"]
    {
        assert!(answer.body.contains(words), "{words} is missing");
    }
    let sent = form(&csrf, &[("text", TEXT), ("reason", ""), ("seen", "")]);
    let answer = site.post(&path, &cookie, &sent).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let sent = form(&csrf, &[("text", TEXT), ("reason", ""), ("seen", ""), ("preview", "1")]);
    let answer = site.post(&path, &cookie, &sent).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("まだ保存していません"));
    assert_eq!(site.store.policies(&facility).await.unwrap(), []);

    let sent =
        form(&csrf, &[("text", &TEXT.replace('\n', "\r\n")), ("reason", "予算"), ("seen", "")]);
    let answer = site.post(&path, &cookie, &sent).await;
    assert_eq!(answer.location, format!("{path}?done=policy-saved"));
    let saved = site.store.policies(&facility).await.unwrap();
    assert_eq!((saved[0].text.as_str(), saved[0].scope), (TEXT, Scope::Facility));
    let answer = site.post(&path, &cookie, &sent).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "its page is too old");

    let next = TEXT.replace('9', "11");
    let sent = form(&csrf, &[("text", &next), ("reason", "more"), ("seen", "1")]);
    site.post(&path, &cookie, &sent).await;
    let shown = site.get(&format!("{path}/revisions/2"), &cookie).await;
    assert!(shown.body.contains("cpu_budget_percent = 9") && shown.body.contains("= 11"));
    let page = site.get(&path, &cookie).await;
    assert!(page.body.contains("予算") && page.body.contains("admin"));
    assert_eq!(site.store.policies(&facility).await.unwrap()[0].number, PolicyRevision(2));
    let missing = site.get(&format!("{path}/revisions/99"), &cookie).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_host_shows_what_is_desired_actual_refused_and_different() {
    let site = Site::filled().await;
    let facility = site.here.clone();
    let (_, cookie, csrf) = site
        .person("admin", grants(&facility, Role::Administrator))
        .await;
    let host = site.store.hosts(&facility).await.unwrap().remove(0);
    let path = format!("/facilities/{facility}/hosts/{}/policy", host.id);
    let sent = form(&csrf, &[("text", TEXT), ("reason", "x"), ("seen", "")]);
    site.post(&path, &cookie, &sent).await;
    let hosts = format!("/facilities/{facility}/hosts");
    let name = site
        .store
        .desired_policy(&facility, host.id)
        .await
        .unwrap()
        .unwrap()
        .name;

    let mut beat = site
        .store
        .heartbeats(&facility)
        .await
        .unwrap()
        .remove(&host.id)
        .unwrap();
    let mut tell = async |report: Option<PolicyReport>| {
        beat.heartbeat.policy = report;
        site.store
            .save_heartbeat((&facility, host.id), &beat.heartbeat, beat.received_at)
            .await
            .unwrap();
        site.get(&hosts, &cookie).await.body
    };
    assert!(tell(None).await.contains("エージェントが古く"));
    let mut report = PolicyReport { taking: true, ..PolicyReport::default() };
    assert!(tell(Some(report.clone())).await.contains("適用待ち"));
    report.refused = Some(shirase_shared::policy::RefusedPolicy {
        name: name.clone(),
        why: "signature".to_owned(),
    });
    assert!(
        tell(Some(report.clone()))
            .await
            .contains("署名が、登録のときに")
    );
    report.applied = Some(name);
    report.drift = vec!["agent.cpu_budget_percent".to_owned()];
    let body = tell(Some(report)).await;
    assert!(body.contains("適用済み") && body.contains("<code>agent.cpu_budget_percent</code>"));
    let page = site.get(&path, &cookie).await.body;
    assert!(page.contains("個別ポリシーあり") && page.contains("agent.cpu_budget_percent"));
}

#[tokio::test]
async fn what_was_accepted_from_a_sharing_product_is_proposed_and_saved_by_a_person() {
    let site = Site::filled().await;
    let facility = site.here.clone();
    let exchanged = site.exchange().await;
    let (_, package) = site.shared(&exchanged).await;
    let suffix = Indicator::new(IndicatorKind::Suffix, "kaedelock").unwrap();
    let by = crate::exchange::samples::person(7, "採用 太郎");
    site.store
        .accept_indicator((&facility, &package), &suffix, (&by, site.clock.now()))
        .await
        .unwrap();
    let (_, cookie, csrf) = site
        .person("admin", grants(&facility, Role::Administrator))
        .await;
    let path = format!("/facilities/{facility}/policy");
    let told = site.get(&path, &cookie).await.body;
    assert!(told.contains("まだポリシーにありません") && told.contains("kaedelock"), "{told}");
    let proposed = site
        .get(&format!("{path}?add=accepted"), &cookie)
        .await
        .body;
    assert!(proposed.contains("known_bad_suffixes = [&#34;kaedelock&#34;]"), "{proposed}");
    assert!(proposed.contains("まだ保存していません"), "{proposed}");
    assert!(site.store.policies(&facility).await.unwrap().is_empty(), "a page saves nothing");
    let text = "[detectors.mass_change]\nknown_bad_suffixes = [\"kaedelock\"]\n";
    let sent = form(&csrf, &[("text", text), ("reason", "採用"), ("seen", "")]);
    let saved = site.post(&path, &cookie, &sent).await;
    assert!(saved.location.ends_with("done=policy-saved"), "{}", saved.body);
    let told = site.get(&path, &cookie).await.body;
    assert!(!told.contains("まだポリシーにありません"), "{told}");
}
