//! Approval in the browser: the rule is set, several people approve, a deputy stands in, one releases alone, another
//! looks at it, and what is not out yet is taken back.

use axum::http::StatusCode;
use jiff::SignedDuration;
use shirase_shared::clock::Clock as _;
use shirase_shared::ids::{ReportId, UserId};
use shirase_shared::secret::Secret;

use super::site::{HOSTILE, Site, grants};
use crate::audit::{Actor, AuditEntry};
use crate::http::session::LANG_COOKIE;
use crate::people::{Role, code_at, totp_secret_from};
use crate::reports::ReportStatus;

/// Somebody with a session.
struct Somebody {
    id: UserId,
    cookie: String,
    csrf: String,
}

async fn somebody(site: &Site, login: &str, role: Role) -> Somebody {
    let (id, cookie, csrf) = site.person(login, grants(&site.here, role)).await;
    Somebody { id, cookie, csrf }
}

/// Gives somebody a second factor and returns its secret.
async fn second_factor(site: &Site, person: &Somebody) -> Secret<String> {
    let secret = totp_secret_from(person.id.as_uuid().as_bytes());
    let entry = AuditEntry::new(site.clock.now(), Actor::CommandLine, "user.set_up", person.id);
    site.store
        .set_totp(person.id, &secret, 0, &entry)
        .await
        .unwrap();
    secret
}

struct Desk<'a> {
    site: &'a Site,
    report: ReportId,
}

impl Desk<'_> {
    async fn page(&self, person: &Somebody) -> String {
        let path = format!("/facilities/handa/reports/{}", self.report);
        self.site.get(&path, &person.cookie).await.body
    }

    /// Leaves the page where a person can look at it, in both languages, if the environment names a folder.
    async fn look(&self, person: &Somebody, name: &str, path: Option<&str>) {
        let Ok(folder) = std::env::var("SHIRASE_SHOW_PAGES") else { return };
        let report = format!("/facilities/handa/reports/{}", self.report);
        for lang in ["ja", "en"] {
            let cookie = format!("{}; {LANG_COOKIE}={lang}", person.cookie);
            let page = self.site.get(path.unwrap_or(&report), &cookie).await.body;
            let page = page.replace("/static/", "static/");
            std::fs::write(format!("{folder}/{name}.{lang}.html"), page).unwrap();
        }
    }

    /// Posts a form about the report as it stands and returns where it led, or what the page said.
    async fn post(&self, person: &Somebody, what: &str, more: &str) -> String {
        let sheet = self
            .site
            .store
            .sheet(&self.site.here, self.report)
            .await
            .unwrap();
        let revision = sheet.report.revision;
        let frozen = self
            .site
            .store
            .submission(&self.site.here, self.report, revision);
        let hash = frozen
            .await
            .unwrap()
            .map(|frozen| frozen.answers_sha256)
            .unwrap_or_default();
        let form = format!("csrf={}&revision={revision}&answers_sha256={hash}&{more}", person.csrf);
        let path = format!("/facilities/handa/reports/{}/{what}", self.report);
        let answer = self.site.post(&path, &person.cookie, &form).await;
        if answer.location.is_empty() { answer.body } else { answer.location }
    }

    async fn status(&self) -> ReportStatus {
        self.site
            .store
            .report(&self.site.here, self.report)
            .await
            .unwrap()
            .status
    }
}

async fn rule(site: &Site, admin: &Somebody, more: &str) -> super::site::Answered {
    let seen = site
        .store
        .approval_rules(&site.here)
        .await
        .unwrap()
        .0
        .updated_at;
    let seen = seen
        .map(|at| at.as_millisecond().to_string())
        .unwrap_or_default();
    let form = format!("csrf={}&seen={seen}&names_people=yes&{more}", admin.csrf);
    site.post("/facilities/handa/approval", &admin.cookie, &form)
        .await
}

#[tokio::test]
async fn two_have_to_approve_and_a_deputy_stands_in_for_who_is_away() {
    let site = Site::filled().await;
    let admin = somebody(&site, "admin", Role::Administrator).await;
    let author = somebody(&site, "author", Role::Author).await;
    let chief = somebody(&site, "chief", Role::Approver).await;
    let second = somebody(&site, "second", Role::Approver).await;
    let deputy = somebody(&site, "deputy", Role::Approver).await;
    let desk = Desk { site: &site, report: site.incident().await.1 };

    let few = format!("approvers=2&deputies_after_mins=0&named={}", chief.id);
    let refused = rule(&site, &admin, &few).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("どの報告書も承認できなくなります"), "{}", refused.body);
    let named = format!(
        "approvers=2&deputies_after_mins=0&named={}&named={}&deputy={}:{}",
        chief.id, second.id, chief.id, deputy.id
    );
    assert_eq!(rule(&site, &admin, &named).await.status, StatusCode::SEE_OTHER);
    let stale = format!("csrf={}&seen=&names_people=yes&{named}", admin.csrf);
    let stale = site
        .post("/facilities/handa/approval", &admin.cookie, &stale)
        .await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "a form filled before the change was taken");

    assert!(
        desk.post(&author, "submit", "")
            .await
            .ends_with("?done=submitted")
    );
    let page = desk.page(&chief).await;
    assert!(page.contains("2名のうち0名が承認済み") && page.contains("ほかの人の承認がそろうと"));
    assert!(!page.contains("<img src=x"), "a hostile name did harm");
    let page = desk.page(&deputy).await;
    assert!(page.contains("不在として登録されていない") && !page.contains("/approve\""), "{page}");
    assert!(
        desk.post(&second, "approve", "")
            .await
            .ends_with("?done=approval-given")
    );
    assert!(
        desk.post(&second, "approve", "")
            .await
            .contains("すでに承認しています")
    );
    assert!(
        desk.post(&deputy, "approve", "")
            .await
            .contains("いまは代行できません")
    );

    let away = |csrf: &str| {
        let id = chief.id;
        format!("csrf={csrf}&user={id}&from=2020-01-01T00:00&until=2099-01-01T00:00")
    };
    let path = "/facilities/handa/absences";
    let refused = site.post(path, &deputy.cookie, &away(&deputy.csrf)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "a deputy marked the chief away");
    let past = away(&chief.csrf).replace("2099", "2021");
    let refused = site.post(path, &chief.cookie, &past).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let noted = site.post(path, &chief.cookie, &away(&chief.csrf)).await;
    assert!(noted.location.ends_with("?done=absence-noted"), "{}", noted.body);
    let page = desk.page(&deputy).await;
    assert!(page.contains("の代行として承認します"), "{page}");
    desk.look(&deputy, "deputy", None).await;
    assert!(
        desk.post(&deputy, "approve", "")
            .await
            .ends_with("?done=approved")
    );
    let page = desk.page(&author).await;
    assert!(page.contains("の代行）") && page.contains("まだ送られていません"), "{page}");
}

#[tokio::test]
async fn one_releases_alone_with_a_reason_and_a_code_and_another_looks_at_it() {
    let site = Site::filled().await;
    let admin = somebody(&site, "admin", Role::Administrator).await;
    let author = somebody(&site, "author", Role::Author).await;
    let duty = somebody(&site, "duty", Role::Approver).await;
    let secret = second_factor(&site, &duty).await;
    let desk = Desk { site: &site, report: site.incident().await.1 };
    desk.post(&author, "submit", "").await;
    let step = SignedDuration::from_secs(30);
    let form =
        |reason: &str| format!("reason={reason}&code={}", code_at(&secret, site.clock.now()));
    assert!(!desk.page(&duty).await.contains("approve-in-emergency"));
    let refused = desk.post(&duty, "approve-in-emergency", &form("x")).await;
    assert!(refused.contains("認められていません"), "{refused}");
    rule(&site, &admin, "approvers=2&deputies_after_mins=0&emergency=allowed").await;
    assert!(desk.page(&duty).await.contains("approve-in-emergency"));
    assert!(!desk.page(&author).await.contains("approve-in-emergency"));

    desk.look(&duty, "emergency-offered", None).await;
    let refused = desk.post(&duty, "approve-in-emergency", &form("")).await;
    assert!(refused.contains("理由を書いてください"), "{refused}");
    let refused = desk
        .post(&duty, "approve-in-emergency", "reason=x&code=000000")
        .await;
    assert!(refused.contains("数字が違うか"), "{refused}");
    assert_eq!(desk.status().await, ReportStatus::Submitted);
    let why = HOSTILE
        .replace('&', "%26")
        .replace('+', "%2B")
        .replace('%', "%25");
    let done = desk.post(&duty, "approve-in-emergency", &form(&why)).await;
    assert!(done.ends_with("?done=approved-alone"), "{done}");
    let page = desk.page(&duty).await;
    assert!(page.contains("事後確認がまだです") && !page.contains("<img src=x"));
    assert!(!page.contains("/review\""), "who released it is asked to review it");
    site.clock.advance(step);

    let card = site.get("/", &admin.cookie).await.body;
    assert!(card.contains("事後確認 1 件"), "{card}");
    let page = site.get("/facilities/handa", &admin.cookie).await.body;
    assert!(page.contains("事後確認が済んでいない緊急承認"), "{page}");
    let own = desk.post(&duty, "review", "outcome=in_order&note=").await;
    assert!(own.contains("本人は事後確認できません"), "{own}");
    assert!(desk.page(&admin).await.contains("/review\""));
    desk.look(&admin, "to-review", None).await;
    desk.look(&admin, "facility", Some("/facilities/handa"))
        .await;
    let done = desk
        .post(&admin, "review", "outcome=objection&note=件数を直す")
        .await;
    assert!(done.ends_with("?done=reviewed"), "{done}");
    let page = desk.page(&duty).await;
    assert!(page.contains("事後確認済み（問題あり）") && page.contains("件数を直す"));
    assert!(
        !site
            .get("/", &admin.cookie)
            .await
            .body
            .contains("事後確認 1 件")
    );
}

#[tokio::test]
async fn a_report_is_taken_back_corrected_and_the_approver_sees_what_changed() {
    let site = Site::filled().await;
    let author = somebody(&site, "author", Role::Author).await;
    let chief = somebody(&site, "chief", Role::Approver).await;
    let desk = Desk { site: &site, report: site.incident().await.1 };
    desk.post(&author, "submit", "").await;
    assert!(
        desk.post(&chief, "approve", "")
            .await
            .ends_with("?done=approved")
    );
    assert!(!desk.page(&author).await.contains("/withdraw\""));
    let refused = desk.post(&author, "withdraw", "reason=x").await;
    assert!(refused.contains("取り下げられるのは承認者です"), "{refused}");
    let refused = desk.post(&chief, "withdraw", "reason=").await;
    assert!(refused.contains("理由を書いてください"), "{refused}");
    let done = desk.post(&chief, "withdraw", "reason=宛先を誤った").await;
    assert!(done.ends_with("?done=withdrawn"), "{done}");
    let page = desk.page(&author).await;
    assert!(page.contains("宛先を誤った") && page.contains("/submit\""), "{page}");

    let form = "text=訂正した件名&status=confirmed&basis=&reason=訂正";
    let done = desk.post(&author, "fields/9", form).await;
    assert!(done.contains("?done=saved"), "{done}");
    desk.post(&author, "submit", "").await;
    let page = desk.page(&chief).await;
    assert!(page.contains("差し戻し又は取り下げとなりました"), "{page}");
    let changes = page.split("変わった回答").nth(1).unwrap();
    assert!(changes.contains("訂正した件名"), "the approver does not see what changed");
    desk.look(&chief, "changes", None).await;
    let done = desk.post(&author, "withdraw", "reason=書き足す").await;
    assert!(done.ends_with("?done=withdrawn"), "an author takes back what nobody approved: {done}");
}
