//! The table of routes, walked: every route, every role, here and at another facility.

use axum::http::StatusCode;

use jiff::SignedDuration;
use shirase_shared::clock::Clock as _;
use shirase_shared::ids::AbsenceId;

use super::site::{Answered, Site, grants};
use crate::approval::Absence;
use crate::contacts::Column;
use crate::exchange::OrganisationKind;
use crate::http::routes::{Access, Page, ROUTES, Verb};
use crate::people::{Grants, Role, Stage};
use crate::reports::answer::NamedPerson;
use crate::reports::official::{FormKind, Mapping, OfficialForm};

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says_and_nobody_else() {
    // A municipality has every page there is.
    let site = Site::filled_as(OrganisationKind::Municipality).await;
    let names = Names::of(&site).await;
    let nobody = ("__Host-shirase-form=none".to_owned(), "none".to_owned());
    let mut callers = vec![(None, nobody.0, nobody.1, None)];
    for role in Role::ALL {
        for facility in [&site.here, &site.there] {
            let (id, cookie, csrf) = site
                .person(&format!("{role}.{facility}"), grants(facility, role))
                .await;
            callers.push((Some((facility.clone(), role)), cookie, csrf, Some(id)));
        }
    }
    let mut walked = 0;
    for (verb, path, access, page) in ROUTES {
        for (holds, cookie, csrf, id) in &callers {
            let path = names.fill(path);
            let answer = match verb {
                Verb::Get => site.get(&path, cookie).await,
                Verb::Post => site.post(&path, cookie, &names.form(csrf)).await,
            };
            let here = holds
                .as_ref()
                .map(|(facility, role)| (*facility == site.here, *role));
            let context = format!("{page:?} as {holds:?}: {} {}", answer.status, answer.location);
            assert_eq!(found(*access, &answer), wanted(*access, here), "{context}");
            walked += 1;
            if let (Page::SignOut, Some(id)) = (page, id) {
                site.session(*id, Stage::Full).await;
            }
        }
    }
    assert_eq!(walked, ROUTES.len() * 9);
}

#[tokio::test]
async fn whoever_is_half_signed_in_gets_no_further_than_the_next_stage() {
    let site = Site::empty_as(OrganisationKind::Municipality).await;
    for stage in [Stage::PasswordChange, Stage::SecondFactorSetup, Stage::SecondFactor] {
        let all = Role::ALL
            .into_iter()
            .fold(Grants::default(), |g, role| g.with(&site.here, role));
        let (_, cookie, csrf) = site.person_at(&format!("half.{stage}"), all, stage).await;
        for (verb, path, access, _) in ROUTES {
            let path = &path.replace("{facility}", site.here.as_str());
            if matches!(access, Access::Public | Access::AnyStage | Access::Stage(_)) {
                continue;
            }
            let answer = match verb {
                Verb::Get => site.get(path, &cookie).await,
                Verb::Post => site.post(path, &cookie, &format!("csrf={csrf}")).await,
            };
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path} at {stage}");
            assert!(!answer.location.starts_with("/facilities"), "{path} at {stage}");
        }
    }
}

#[tokio::test]
async fn a_form_without_its_token_or_from_elsewhere_changes_nothing() {
    let site = Site::empty_as(OrganisationKind::Municipality).await;
    let (_, cookie, csrf) = site
        .person("admin", grants(&site.here, Role::Administrator))
        .await;
    for (verb, path, access, _) in ROUTES {
        if *verb == Verb::Get
            || matches!(access, Access::Stage(_) | Access::Facility(Role::Author | Role::Approver))
        {
            continue;
        }
        let path = path.replace("{facility}", site.here.as_str());
        for form in ["", "csrf=", "csrf=wrong"] {
            let answer = site.post(&path, &cookie, form).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with {form:?}");
        }
        let elsewhere = axum::http::Request::post(&path)
            .header("cookie", &cookie)
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(format!("csrf={csrf}")))
            .unwrap();
        assert_eq!(site.send(elsewhere).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_protecting_headers() {
    let site = Site::empty().await;
    for path in ["/sign-in", "/", "/nothing", "/static/console.css", "/facilities/handa"] {
        let answer = site.get(path, "").await;
        let header = |name: &str| {
            answer
                .headers
                .get(name)
                .map(|v| v.to_str().unwrap().to_owned())
                .unwrap_or_default()
        };
        assert!(header("content-security-policy").starts_with("default-src 'self'"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert!(path.starts_with("/static") || header("cache-control") == "no-store", "{path}");
    }
}

#[test]
fn every_path_of_a_facility_is_guarded_by_a_role_there() {
    for (_, path, access, page) in ROUTES {
        let of_facility = path.starts_with("/facilities/");
        let guarded = matches!(access, Access::Facility(_) | Access::Answerable | Access::Keeper);
        assert_eq!(of_facility, guarded, "{page:?}");
        assert!(!of_facility || path.starts_with("/facilities/{facility}"), "{page:?}");
    }
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Passed,
    SignIn,
    AwayFromStage,
    Forbidden,
    Hidden,
}

/// Everything a path names is there, so a 404 comes from the guard.
fn found(access: Access, answer: &Answered) -> Found {
    // The way back after signing in is remembered in a cookie too; a session begins or ends only with its own.
    let session = answer
        .cookies
        .iter()
        .any(|cookie| cookie.starts_with("__Host-shirase="));
    let redirected = answer.status == StatusCode::SEE_OTHER && !session;
    match (answer.status, answer.location.as_str()) {
        (StatusCode::FORBIDDEN, _) => Found::Forbidden,
        (StatusCode::NOT_FOUND, _) => Found::Hidden,
        (_, "/sign-in") if redirected => Found::SignIn,
        (_, "/") if redirected && access != Access::Public => Found::AwayFromStage,
        _ => Found::Passed,
    }
}

fn wanted(access: Access, holds: Option<(bool, Role)>) -> Found {
    match (access, holds) {
        (Access::Public, _) => Found::Passed,
        (_, None) => Found::SignIn,
        (Access::Stage(Stage::PasswordChange) | Access::AnyStage | Access::SignedIn, Some(_)) => {
            Found::Passed
        }
        (Access::Stage(_), Some(_)) => Found::AwayFromStage,
        (Access::Facility(_) | Access::Answerable | Access::Keeper, Some((false, _))) => {
            Found::Hidden
        }
        (Access::Keeper, Some((true, held))) if held != Role::Viewer => Found::Passed,
        (Access::Answerable, Some((true, Role::Approver | Role::Administrator))) => Found::Passed,
        (Access::Facility(role), Some((true, held))) if held.covers(role) => Found::Passed,
        (Access::Facility(_) | Access::Answerable | Access::Keeper, Some((true, _))) => {
            Found::Forbidden
        }
    }
}

/// Things that are there, to be named in paths.
struct Names(Vec<(&'static str, String)>);

impl Names {
    async fn of(site: &Site) -> Self {
        let here = &site.here;
        let (incident, report) = site.incident().await;
        let (user, ..) = site.person("target", grants(here, Role::Viewer)).await;
        let host = site.store.hosts(here).await.unwrap()[0].id;
        let tokens = site.store.tokens(here).await.unwrap();
        let token = tokens.iter().find(|token| token.host.is_none()).unwrap();
        let form = OfficialForm {
            facility: here.clone(),
            id: "ransomware".parse().unwrap(),
            kind: FormKind::Xlsx,
            file_name: "form.xlsx".to_owned(),
            sha256: "ef".repeat(32),
            bytes: b"no workbook".to_vec(),
            mapping: Mapping::default(),
            uploaded_by: None,
            uploaded_at: site.clock.now(),
        };
        site.store
            .put_official_form(&form, crate::audit::Actor::CommandLine)
            .await
            .unwrap();
        let cells = [("kind", "police"), ("organisation", "半田警察署"), ("phone", "110")];
        let cells = cells.map(|(column, text)| (Column::parse(column).unwrap(), text.to_owned()));
        let entry = crate::contacts::read(&cells.into(), "2026-02-09".parse().unwrap()).unwrap();
        let who = (crate::audit::Actor::CommandLine, site.clock.now());
        let contact = site.store.add_contact(here, &entry, who).await.unwrap().id;
        let delivery = site.delivery(report).await;
        let absence = Absence {
            id: AbsenceId::random(),
            facility: here.clone(),
            who: NamedPerson { user, name: "target".to_owned() },
            from: site.clock.now(),
            until: site.clock.now() + SignedDuration::from_hours(9),
            ended_at: None,
        };
        let by = crate::audit::Actor::CommandLine;
        site.store
            .add_absence(&absence, by, site.clock.now())
            .await
            .unwrap();
        let exchanged = site.exchange().await;
        let (product, shared) = site.shared(&exchanged).await;
        let institution = site.institution("半田中央病院").await;
        let case = site.case().await;
        let policy = site.policy().await;
        Self(vec![
            ("{package}", exchanged.package.to_string()),
            ("{product}", product.to_string()),
            ("{shared}", shared.to_string()),
            ("{name}", "product.json".to_owned()),
            ("{message}", exchanged.message.to_string()),
            ("{partner}", "handa-city".to_owned()),
            ("{revision}", policy.to_string()),
            ("{number}", "0".to_owned()),
            ("{checklist}", "jp-2025".to_owned()),
            ("{sheet}", "institution".to_owned()),
            ("{item}", "2-1".to_owned()),
            ("{absence}", absence.id.to_string()),
            ("{form}", form.id.to_string()),
            ("{format}", "docx".to_owned()),
            ("{facility}", here.to_string()),
            ("{file}", "console.css".to_owned()),
            ("{lang}", "en".to_owned()),
            ("{field}", "9".to_owned()),
            ("{token}", token.sha256.get(..12).unwrap().to_owned()),
            ("{channel}", "night-duty".to_owned()),
            ("{incident}", incident.to_string()),
            ("{report}", report.to_string()),
            ("{delivery}", delivery.to_string()),
            ("{host}", host.to_string()),
            ("{user}", user.to_string()),
            ("{case}", case.to_string()),
            ("{entry}", "1".to_owned()),
            ("{institution}", institution.to_string()),
            ("{contact}", contact.to_string()),
        ])
    }

    fn fill(&self, path: &str) -> String {
        self.0
            .iter()
            .fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
    }

    /// A form with which most pages are content.
    fn form(&self, csrf: &str) -> String {
        format!(
            "csrf={csrf}&role=viewer&files=10&text=x&reason=x&label=x&hours=1&status=unknown&revision=1&outcome=in_order"
        )
    }
}
