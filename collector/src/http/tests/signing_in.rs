//! The whole way in, and every way not to get in.

use axum::http::StatusCode;
use jiff::SignedDuration;
use shirase_shared::clock::Clock as _;
use shirase_shared::secret::Secret;

use super::site::{Answered, Site, grants};
use crate::audit::Actor;
use crate::people::{NewUser, Role, code_at, create_user};

const PASSWORD: &str = "sakura-ga-saku-3gatsu";

#[tokio::test]
async fn a_newcomer_changes_the_password_sets_up_the_second_factor_and_is_in() {
    let site = Site::empty().await;
    let one_time = newcomer(&site).await;
    let mut browser = Browser::default();
    browser.open(&site, "/sign-in").await;
    let form = format!("login=hanako&password={}", one_time.reveal());
    let answer = browser.submit(&site, "/sign-in", &form).await;
    assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/password"));
    let first = browser.session.clone();

    browser.open(&site, "/password").await;
    let form = |new: &str| format!("old={}&new={new}&again={new}", one_time.reveal());
    let short = browser.submit(&site, "/password", &form("too-short")).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.body.contains("13文字以上"));
    let answer = browser.submit(&site, "/password", &form(PASSWORD)).await;
    assert_eq!(answer.location, "/second-factor/setup");
    assert_ne!(browser.session, first, "the cookie was not renewed");

    let page = browser.open(&site, "/second-factor/setup").await;
    let secret = between(&page.body, "<p class=\"once mono\">", "</p>").replace(' ', "");
    let secret = Secret::new(secret);
    let code = code_at(&secret, site.clock.now());
    let wrong = browser
        .submit(&site, "/second-factor/setup", "code=000000")
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = browser
        .submit(&site, "/second-factor/setup", &format!("code={code}"))
        .await;
    assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(browser.open(&site, "/").await.status, StatusCode::OK);

    // Out, and in again: the code that set the factor up is used, the next one is good once.
    let out = browser.submit(&site, "/sign-out", "").await;
    assert_eq!(out.location, "/sign-in");
    let stale = format!("__Host-shirase={}", browser.session);
    assert_eq!(site.get("/", &stale).await.location, "/sign-in");
    browser = Browser::default();
    browser.open(&site, "/sign-in").await;
    let form = format!("login=Hanako&password={PASSWORD}");
    let answer = browser.submit(&site, "/sign-in", &form).await;
    assert_eq!(answer.location, "/second-factor");
    browser.open(&site, "/second-factor").await;
    let used = browser
        .submit(&site, "/second-factor", &format!("code={code}"))
        .await;
    assert_eq!(used.status, StatusCode::UNAUTHORIZED);
    site.clock.advance(SignedDuration::from_secs(30));
    let code = code_at(&secret, site.clock.now());
    let answer = browser
        .submit(&site, "/second-factor", &format!("code={code}"))
        .await;
    assert_eq!((answer.status, answer.location.as_str()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(browser.open(&site, "/facilities/handa").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_get_the_same_answer() {
    let site = Site::empty().await;
    newcomer(&site).await;
    let mut browser = Browser::default();
    browser.open(&site, "/sign-in").await;
    let known = browser
        .submit(&site, "/sign-in", "login=hanako&password=wrong-wrong-wrong")
        .await;
    let unknown = browser
        .submit(&site, "/sign-in", "login=nobody&password=wrong-wrong-wrong")
        .await;
    assert_eq!(
        (known.status, unknown.status),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
    assert_eq!(known.body.replace("hanako", "nobody"), unknown.body);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let site = Site::empty().await;
    let mut browser = Browser::default();
    browser.open(&site, "/sign-in").await;
    let mut last = StatusCode::OK;
    for _ in 0..12 {
        last = browser
            .submit(&site, "/sign-in", "login=hanako&password=x")
            .await
            .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let other = browser
        .submit(&site, "/sign-in", "login=taro&password=x")
        .await
        .status;
    assert_eq!(other, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_after_twelve_hours() {
    let site = Site::empty().await;
    let (_, cookie, _) = site.person("taro", grants(&site.here, Role::Viewer)).await;
    for _ in 0..24 {
        assert_eq!(site.get("/", &cookie).await.status, StatusCode::OK);
        site.clock.advance(SignedDuration::from_mins(29));
    }
    site.clock.advance(SignedDuration::from_mins(28));
    assert_eq!(site.get("/", &cookie).await.location, "/sign-in", "older than twelve hours");
    let (_, cookie, _) = site.person("jiro", grants(&site.here, Role::Viewer)).await;
    site.clock.advance(SignedDuration::from_mins(30));
    assert_eq!(site.get("/", &cookie).await.location, "/sign-in", "idle for half an hour");
}

#[tokio::test]
async fn a_disabled_or_reset_account_is_out_at_once() {
    let site = Site::empty().await;
    for (login, action) in [("taro", "disable"), ("jiro", "reset")] {
        let (user, cookie, _) = site.person(login, grants(&site.here, Role::Author)).await;
        let (_, admin, csrf) = site
            .person(&format!("admin.{login}"), grants(&site.here, Role::Administrator))
            .await;
        assert_eq!(site.get("/", &cookie).await.status, StatusCode::OK);
        let path = format!("/facilities/handa/users/{user}/{action}");
        let answer = site.post(&path, &admin, &format!("csrf={csrf}")).await;
        assert!(matches!(answer.status, StatusCode::OK | StatusCode::SEE_OTHER));
        assert_eq!(site.get("/", &cookie).await.location, "/sign-in");
    }
}

#[tokio::test]
async fn an_administrator_cannot_take_over_somebody_of_another_facility() {
    let site = Site::empty().await;
    let both = grants(&site.here, Role::Viewer).with(&site.there, Role::Approver);
    let (user, ..) = site.person("both", both).await;
    let (elsewhere, ..) = site
        .person("elsewhere", grants(&site.there, Role::Approver))
        .await;
    let (_, admin, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    for (user, status) in [(user, StatusCode::FORBIDDEN), (elsewhere, StatusCode::NOT_FOUND)] {
        for action in ["reset", "disable"] {
            let path = format!("/facilities/handa/users/{user}/{action}");
            assert_eq!(
                site.post(&path, &admin, &format!("csrf={csrf}"))
                    .await
                    .status,
                status
            );
        }
    }
}

#[tokio::test]
async fn a_change_of_language_leads_back_and_never_elsewhere() {
    let site = Site::empty().await;
    for (back, wanted) in [
        ("/facilities/handa", "/facilities/handa"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
    ] {
        let answer = site.get(&format!("/language/en?back={back}"), "").await;
        assert_eq!(answer.location, wanted, "{back}");
        assert!(answer.cookies[0].starts_with("__Host-shirase-lang=en"));
    }
    let page = site.get("/sign-in", "__Host-shirase-lang=en").await;
    assert!(page.body.contains("gives you a login name"));
}

#[tokio::test]
async fn signing_in_leads_to_the_page_that_was_asked_for_and_never_elsewhere() {
    let site = Site::empty().await;
    let asked = site.get("/facilities/handa?done=saved", "").await;
    assert_eq!(asked.location, "/sign-in");
    let cookie = "__Host-shirase-way=/facilities/handa?done=saved; ";
    assert!(asked.cookies[0].starts_with(cookie), "{:?}", asked.cookies);
    assert!(site.get("/", "").await.cookies.is_empty(), "the overview is where one lands anyway");
    for (way, wanted) in [("/facilities/handa", "/facilities/handa"), ("//evil.example", "/")] {
        let site = Site::empty().await;
        let one_time = newcomer(&site).await;
        let mut browser = Browser { way: way.to_owned(), ..Browser::default() };
        browser.open(&site, "/sign-in").await;
        let form = format!("login=hanako&password={}", one_time.reveal());
        browser.submit(&site, "/sign-in", &form).await;
        browser.open(&site, "/password").await;
        let form = format!("old={}&new={PASSWORD}&again={PASSWORD}", one_time.reveal());
        browser.submit(&site, "/password", &form).await;
        let page = browser.open(&site, "/second-factor/setup").await;
        let secret = between(&page.body, "<p class=\"once mono\">", "</p>").replace(' ', "");
        let code = code_at(&Secret::new(secret), site.clock.now());
        let answer = browser
            .submit(&site, "/second-factor/setup", &format!("code={code}"))
            .await;
        assert_eq!(answer.location, wanted, "{way}");
    }
}

#[tokio::test]
async fn cookies_are_closed_to_scripts_and_other_sites() {
    let site = Site::empty().await;
    let answer = site.get("/sign-in", "").await;
    for mark in ["__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(answer.cookies[0].contains(mark), "{mark}");
    }
    assert!(!answer.cookies[0].contains("Domain"));
}

async fn newcomer(site: &Site) -> Secret<String> {
    let grants = grants(&site.here, Role::Viewer);
    let new = NewUser { login: "hanako".to_owned(), name: "半田 花子".to_owned(), grants };
    create_user(&site.store, new, Actor::CommandLine, &*site.clock)
        .await
        .unwrap()
        .1
}

/// As much of a browser as signing in needs.
#[derive(Default)]
struct Browser {
    session: String,
    form: String,
    csrf: String,
    way: String,
}

impl Browser {
    fn cookie(&self) -> String {
        let Self { session, form, way, .. } = self;
        format!("__Host-shirase={session}; __Host-shirase-form={form}; __Host-shirase-way={way}")
    }

    async fn open(&mut self, site: &Site, path: &str) -> Answered {
        let answer = site.get(path, &self.cookie()).await;
        self.take(&answer);
        answer
    }

    async fn submit(&mut self, site: &Site, path: &str, form: &str) -> Answered {
        let form = format!("{form}&csrf={}", self.csrf).replace('+', "%2B");
        let answer = site.post(path, &self.cookie(), &form).await;
        self.take(&answer);
        answer
    }

    fn take(&mut self, answer: &Answered) {
        for cookie in &answer.cookies {
            let value = between(cookie, "=", ";").to_owned();
            if cookie.starts_with("__Host-shirase-form=") {
                self.form = value;
            } else if cookie.starts_with("__Host-shirase=") && !value.is_empty() {
                self.session = value;
            }
        }
        if answer.body.contains("name=\"csrf\"") {
            self.csrf = between(&answer.body, "name=\"csrf\" value=\"", "\"").to_owned();
        }
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}
