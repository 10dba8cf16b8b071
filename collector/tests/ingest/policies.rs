//! Fleet policy: announced to each host, given to it alone, signed; numbers never fall back.

use reqwest::StatusCode;
use shirase_collector::audit::Actor;
use shirase_collector::keys::Signed;
use shirase_collector::policy::{NewRevision, Scope, State, desired, standing};
use shirase_collector::store::StoreError;
use shirase_shared::clock::Clock;
use shirase_shared::ids::FacilityId;
use shirase_shared::policy::{
    PolicyDocument, PolicyName, PolicyReport, PolicyRevision, Refusal, RefusedPolicy, SignedPolicy,
};
use shirase_shared::wire::{Heartbeat, HeartbeatAnswer};

use crate::site::{Agent, Site, problem, read};

const TEXT: &str = "[agent]\ncpu_budget_percent = 9\n";

async fn announced(agent: &Agent, heartbeat: &Heartbeat) -> Option<PolicyName> {
    let answer: HeartbeatAnswer =
        read(agent.post("/v1/heartbeat", heartbeat).await, StatusCode::OK).await;
    answer.desired_policy
}

async fn save(site: &Site, facility: &FacilityId, scope: Scope, text: &str) -> PolicyRevision {
    let new = NewRevision::check(scope, text, "test").unwrap();
    let saved = site.store.policies(facility).await.unwrap();
    let seen = saved
        .iter()
        .find(|one| one.scope == scope)
        .map(|one| one.number);
    let by = (Actor::CommandLine, site.clock.now());
    site.store
        .save_policy((facility, seen), &new, by)
        .await
        .unwrap()
        .number
}

async fn given(site: &Site, agent: &Agent) -> PolicyDocument {
    let answer = agent.get("/v1/policy").await;
    let signed: SignedPolicy = read(answer, StatusCode::OK).await;
    let (bytes, signature) = (signed.policy.as_bytes(), signed.signature.as_str());
    let public_key = &site.order_key.public_base64();
    assert!(Signed { public_key, bytes, signature }.is_genuine());
    serde_json::from_str(&signed.policy).unwrap()
}

#[tokio::test]
async fn each_host_is_given_its_own_policy_and_no_other() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let neighbour = site.agent("handa-hp").await;
    let stranger = site.agent("other-hp").await;
    assert_eq!(announced(&agent, &agent.heartbeat()).await, None);
    let none = agent.get("/v1/policy").await;
    assert!(
        problem(none, StatusCode::NOT_FOUND)
            .await
            .contains("policy")
    );

    let facility = save(&site, &agent.facility, Scope::Facility, TEXT).await;
    let own = save(&site, &agent.facility, Scope::Host(agent.host), "# mine\n").await;
    assert!(facility < own);
    let document = given(&site, &agent).await;
    assert_eq!((document.host, document.revision), (agent.host, own));
    assert_eq!((document.facility_text.as_str(), document.host_text.as_str()), (TEXT, "# mine\n"));
    assert_eq!(announced(&agent, &agent.heartbeat()).await, Some(document.name()));

    let document = given(&site, &neighbour).await;
    assert_eq!((document.revision, document.host_text.as_str()), (facility, ""));
    assert_eq!(announced(&neighbour, &neighbour.heartbeat()).await, Some(document.name()));
    assert_eq!(announced(&stranger, &stranger.heartbeat()).await, None);
    let none = stranger.get("/v1/policy").await;
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn two_people_do_not_overwrite_each_other() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    let facility = &agent.facility;
    let first = save(&site, facility, Scope::Facility, TEXT).await;
    let new = NewRevision::check(Scope::Facility, "", "late").unwrap();
    let by = (Actor::CommandLine, site.clock.now());
    let stale = site.store.save_policy((facility, None), &new, by).await;
    assert!(matches!(stale, Err(StoreError::Stale(_))), "{stale:?}");
    site.store
        .save_policy((facility, Some(first)), &new, by)
        .await
        .unwrap();
    let texts: Vec<_> = site.store.policies(facility).await.unwrap();
    assert_eq!(
        texts
            .iter()
            .map(|one| one.text.as_str())
            .collect::<Vec<_>>(),
        ["", TEXT]
    );
}

#[tokio::test]
async fn a_collector_that_forgot_gives_numbers_above_what_hosts_have_in_force() {
    let site = Site::start().await;
    let agent = site.agent("handa-hp").await;
    save(&site, &agent.facility, Scope::Facility, TEXT).await;
    let mut heartbeat = agent.heartbeat();
    let applied = PolicyName { revision: PolicyRevision(41), sha256: "of another life".to_owned() };
    heartbeat.policy =
        Some(PolicyReport { taking: true, applied: Some(applied), ..PolicyReport::default() });
    announced(&agent, &heartbeat).await;
    assert_eq!(stands(&site, &agent).await, State::Ahead);
    let next = save(&site, &agent.facility, Scope::Facility, "# again\n").await;
    assert_eq!(next, PolicyRevision(42));
    assert_eq!(stands(&site, &agent).await, State::Waiting);

    let name = announced(&agent, &heartbeat).await.unwrap();
    let report = heartbeat.policy.as_mut().unwrap();
    let why = Refusal::Signature.as_str().to_owned();
    report.refused = Some(RefusedPolicy { name: name.clone(), why });
    announced(&agent, &heartbeat).await;
    assert_eq!(stands(&site, &agent).await, State::Refused(Some(Refusal::Signature)));
    heartbeat.policy.as_mut().unwrap().applied = Some(name);
    announced(&agent, &heartbeat).await;
    assert_eq!(stands(&site, &agent).await, State::Applied);
    heartbeat.policy = None;
    announced(&agent, &heartbeat).await;
    assert_eq!(stands(&site, &agent).await, State::TooOld);
}

async fn stands(site: &Site, agent: &Agent) -> State {
    let revisions = site.store.policies(&agent.facility).await.unwrap();
    let host = site
        .store
        .host(&agent.facility, agent.host)
        .await
        .unwrap()
        .unwrap();
    let heard = site.store.heartbeats(&agent.facility).await.unwrap();
    let report = heard
        .get(&agent.host)
        .map(|seen| seen.heartbeat.policy.as_ref());
    let desired = desired(revisions.first(), None);
    let times = (site.clock.now(), jiff::SignedDuration::from_mins(15));
    standing(&host, (desired.as_ref(), &revisions), report, times).state
}
