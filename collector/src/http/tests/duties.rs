//! The interview decides on duties and deadlines, on pages that work without JavaScript.

use axum::http::StatusCode;

use super::site::{Site, grants};
use crate::people::Role;
use crate::reports::answer::{AnswerStatus, RoundKind};
use crate::reports::fields::Field;

#[tokio::test]
async fn three_answers_bring_the_duties_with_their_reasons_and_deadlines() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (incident, _) = site.incident().await;
    let place = format!("/facilities/handa/incidents/{incident}");
    let page = site.get(&place, &cookie).await.body;
    for words in ["個人情報は漏えいしましたか", "データを復元できますか", "まだ決まりません"]
    {
        assert!(page.contains(words), "{words} is not shown");
    }
    assert!(!page.contains("個人情報保護委員会への速報（目安）"), "nobody has answered yet");

    let answers = [("20", "feared"), ("17", "yes"), ("51", "no")];
    for (question, choice) in answers {
        let revision = site
            .store
            .incident_sheet(&site.here, incident)
            .await
            .unwrap()
            .revision;
        let form =
            format!("csrf={csrf}&question={question}&choice={choice}&note=&revision={revision}");
        let answer = site
            .post(&format!("{place}/interview"), &cookie, &form)
            .await;
        assert_eq!(answer.location, format!("{place}?done=answered"), "{}", answer.body);
    }
    let page = site.get(&place, &cookie).await.body;
    for words in [
        "必要です",
        "個人データの漏えい等に関する速報",
        "個人情報の漏えい又はそのおそれがある",
        "データを復元できない",
        "個人情報保護委員会への速報（目安）",
        "目安",
        "個人情報保護委員会への確報（60日以内）",
        "期限",
        "未確認",
        "仮に計算",
    ] {
        assert!(page.contains(words), "{words} is not shown");
    }
    assert!(!page.contains("期限超過"));
}

#[tokio::test]
async fn a_confirmed_answer_changes_only_with_a_reason_and_a_stale_one_not_at_all() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (incident, _) = site.incident().await;
    let place = format!("/facilities/handa/incidents/{incident}/interview");
    let revision = || async {
        site.store
            .incident_sheet(&site.here, incident)
            .await
            .unwrap()
            .revision
    };
    let form = |choice: &str, reason: &str, revision| {
        format!("csrf={csrf}&question=20&choice={choice}&reason={reason}&revision={revision}")
    };
    let first = revision().await;
    let answer = site.post(&place, &cookie, &form("no", "", first)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let answer = site
        .post(&place, &cookie, &form("yes", "", revision().await))
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("理由が必要"), "{}", answer.body);
    let answer = site
        .post(&place, &cookie, &form("yes", "公開を確認", first))
        .await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let answer = site
        .post(&place, &cookie, &form("yes", "公開を確認", revision().await))
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let history = site
        .store
        .answer_history(&site.here, incident, Field::DataLeak)
        .await
        .unwrap();
    let last = &history.last().unwrap().answer;
    assert_eq!((last.reason.as_str(), last.status), ("公開を確認", AnswerStatus::Confirmed));
    assert!(3 <= history.len(), "every version is kept");
    for strange in ["question=9&choice=x", "question=20&choice=maybe", "question=x"] {
        let form = format!("csrf={csrf}&{strange}&revision={}", revision().await);
        let answer = site.post(&place, &cookie, &form).await;
        assert!(answer.status.is_client_error(), "{strange}: {}", answer.status);
    }
}

#[tokio::test]
async fn a_recorded_moment_moves_the_deadline_and_every_record_stays() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (incident, _) = site.incident().await;
    let place = format!("/facilities/handa/incidents/{incident}");
    let revision = site
        .store
        .incident_sheet(&site.here, incident)
        .await
        .unwrap()
        .revision;
    let form = format!("csrf={csrf}&question=20&choice=yes&revision={revision}");
    site.post(&format!("{place}/interview"), &cookie, &form)
        .await;
    for at in ["2026-02-08T12:00", "2026-02-09T01:40"] {
        let form = format!("csrf={csrf}&moment=aware&at={at}&text=当直の報告");
        let answer = site.post(&format!("{place}/moment"), &cookie, &form).await;
        assert_eq!(answer.location, format!("{place}?done=moment"), "{}", answer.body);
    }
    let page = site.get(&place, &cookie).await.body;
    assert!(page.contains("2026-04-09 まで"), "60 days from 9 February");
    assert!(page.contains("2026-02-13 まで"), "the fifth day");
    assert!(page.contains("2026-02-08 12:00:00 JST"), "the earlier record stays in the timeline");
    let future = format!("csrf={csrf}&moment=aware&at=2030-01-01T00:00");
    let answer = site
        .post(&format!("{place}/moment"), &cookie, &future)
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_report_is_made_once_and_shows_the_answers_of_the_incident() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (incident, _) = site.incident().await;
    let place = format!("/facilities/handa/incidents/{incident}/reports");
    let form = |profile: &str, kind: &str| format!("csrf={csrf}&profile={profile}&kind={kind}");
    let made = site
        .post(&place, &cookie, &form("jp-ppc-preliminary", "preliminary"))
        .await;
    assert!(made.location.ends_with("?done=report-made"), "{}", made.body);
    let page = site.get(&made.location, &cookie).await.body;
    for words in ["第1報（速報）", "三 個人データに係る本人の数", "個人情報保護委員会"]
    {
        assert!(page.contains(words), "{words} is not shown");
    }
    let again = site
        .post(&place, &cookie, &form("jp-ppc-final", "final"))
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT, "the one before is not out yet");
    for (profile, kind) in [
        ("jp-ppc-preliminary", "final"),
        ("us-hipaa", "preliminary"),
        ("no-such", "final"),
        ("jp-ipa", "x"),
    ] {
        let answer = site.post(&place, &cookie, &form(profile, kind)).await;
        assert!(answer.status.is_client_error(), "{profile} {kind}");
    }
    let reports = site
        .store
        .reports_of_incident(&site.here, incident)
        .await
        .unwrap();
    let found: Vec<_> = reports
        .iter()
        .map(|r| (r.profile.as_str(), r.round.kind))
        .collect();
    let preliminary = RoundKind::Preliminary;
    assert_eq!(found, [("jp-mhlw-contact", preliminary), ("jp-ppc-preliminary", preliminary)]);
}

#[tokio::test]
async fn the_list_of_deadlines_shows_what_its_reader_may_see() {
    let site = Site::filled().await;
    let (_, here, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (_, there, _) = site
        .person("other", grants(&site.there, Role::Administrator))
        .await;
    let (incident, _) = site.incident().await;
    let revision = site
        .store
        .incident_sheet(&site.here, incident)
        .await
        .unwrap()
        .revision;
    let form = format!("csrf={csrf}&question=20&choice=yes&revision={revision}");
    let place = format!("/facilities/handa/incidents/{incident}/interview");
    site.post(&place, &here, &form).await;
    let page = site.get("/deadlines", &here).await.body;
    for words in ["保守事業者への連絡（直ちに）", "確報（60日以内）", "目安", &incident.to_string()]
    {
        assert!(page.contains(words), "{words} is not shown");
    }
    let page = site.get("/deadlines", &there).await.body;
    assert!(!page.contains(&incident.to_string()) && page.contains("進行中の期限はありません"));
}

#[tokio::test]
async fn a_table_is_filled_cell_by_cell() {
    let site = Site::filled().await;
    let (_, cookie, csrf) = site
        .person("author", grants(&site.here, Role::Author))
        .await;
    let (incident, _) = site.incident().await;
    let place = format!("/facilities/handa/incidents/{incident}/reports");
    let form = format!("csrf={csrf}&profile=jp-common-2&kind=preliminary");
    let made = site.post(&place, &cookie, &form).await.location;
    let report = made.split('?').next().unwrap();
    let page = site.get(&format!("{report}/fields/37"), &cookie).await.body;
    assert!(page.contains("name=\"p-2-last_good\"") && page.contains("オフライン"), "{page}");
    let revision = site
        .store
        .incident_sheet(&site.here, incident)
        .await
        .unwrap()
        .revision;
    let form = format!(
        "csrf={csrf}&revision={revision}&status=confirmed&p-0-name=日次&p-0-generations=7\
         &p-0-offline=no&p-0-last_good=2026-02-08 21:00&p-2-name=週次&p-2-harmed=yes"
    );
    let answer = site
        .post(&format!("{report}/fields/37"), &cookie, &form)
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let page = site.get(report, &cookie).await.body;
    assert!(page.contains("世代数: 7") && page.contains("最終正常日時: 2026-02-08 21:00:00 JST"));
    let form = format!(
        "csrf={csrf}&revision={revision}&status=confirmed&reason=x&p-0-name=日次&p-0-generations=多数"
    );
    let answer = site
        .post(&format!("{report}/fields/37"), &cookie, &form)
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("数を読み取れません") && answer.body.contains("多数"));
}
