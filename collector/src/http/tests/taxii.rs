//! The TAXII listener: its table of routes, who is let in, and what a client reads.

use axum::Router;
use axum::body::{Body as HttpBody, to_bytes};
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use shirase_shared::clock::Clock as _;
use shirase_shared::tls::sha256_hex;
use tower::ServiceExt as _;

use super::site::Site;
use crate::audit::Actor;
use crate::exchange::OrganisationKind;
use crate::exchange::kind::Tlp;
use crate::exchange::samples::person;
use crate::http::taxii::{TAXII_ROUTES, TaxiiState, taxii_routes};
use crate::sharing::Body;
use crate::sharing::samples::body;
use crate::sharing::taxii::{Client, Collection, MEDIA_TYPE};
use crate::store::NewProduct;

const TOKEN: &str = "0123456789abcdef";
const BARE: &str = "Bearer 0123456789abcdef";

async fn ceptoar() -> (Site, Router) {
    let site = Site::empty_as(OrganisationKind::Ceptoar).await;
    for (tlp, drill) in
        [(Tlp::Green, false), (Tlp::Amber, false), (Tlp::Red, false), (Tlp::Green, true)]
    {
        let body = Body { tlp, drill, ..body() };
        let new = NewProduct { incident: None, origins: Vec::new(), body };
        let by = person(11, "編集");
        let id = site
            .store
            .begin_product(&site.here, &new, (&by, site.clock.now()))
            .await
            .unwrap();
        let releases = &site.state.releases;
        releases
            .submit_product((&site.here, id, 1), &by)
            .await
            .unwrap();
        let organisation = OrganisationKind::Ceptoar;
        releases
            .approve_product((&site.here, id), organisation, &person(12, "承認"))
            .await
            .unwrap();
    }
    site.client(Tlp::Green).await;
    let url = "https://ceptoar.example:8447".to_owned();
    let router = taxii_routes(TaxiiState::new(site.store.clone(), url));

    (site, router)
}

impl Site {
    async fn client(&self, reads: Tlp) {
        let client = Client {
            facility: self.here.clone(),
            id: "hospital".parse().unwrap(),
            reads,
            made_at: self.clock.now(),
            revoked_at: None,
        };
        let sha256 = sha256_hex(
            format!("{TOKEN}{}", if reads == Tlp::Green { "" } else { reads.as_str() }).as_bytes(),
        );
        self.store
            .add_taxii_client(&client, &sha256, Actor::CommandLine)
            .await
            .unwrap();
    }
}

async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(HttpBody::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["content-type"], MEDIA_TYPE, "{path}");
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();

    (status, serde_json::from_slice(&bytes).unwrap())
}

fn filled(path: &str, site: &Site) -> String {
    let community = Collection::Community.id(&site.here);
    let object = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    path.replace("{facility}", site.here.as_str())
        .replace("{collection}", &community)
        .replace("{object}", object)
}

#[tokio::test]
async fn every_route_is_read_by_a_client_and_by_nobody_else() {
    let (site, router) = ceptoar().await;
    let named = format!("Basic {}", STANDARD.encode(format!("hospital:{TOKEN}")));
    let misnamed = format!("Basic {}", STANDARD.encode(format!("another:{TOKEN}")));
    for (path, resource) in TAXII_ROUTES {
        let path = &filled(path, &site);
        for way in [BARE, "Token 0123456789abcdef", named.as_str()] {
            let (status, body) = ask(&router, "GET", path, &[("authorization", way)]).await;
            assert_eq!(status, StatusCode::OK, "{resource:?} {way} {body}");
        }
        for way in ["Bearer x", "Basic x", "Digest x", misnamed.as_str(), ""] {
            let (status, _) = ask(&router, "GET", path, &[("authorization", way)]).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{resource:?} {way}");
        }
        let (status, _) = ask(&router, "GET", path, &[]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{resource:?}");
        for method in ["POST", "PUT", "DELETE"] {
            let (status, _) = ask(&router, method, path, &[("authorization", BARE)]).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{resource:?} {method}");
        }
        let old = [("authorization", BARE), ("accept", "application/taxii+json;version=2.0")];
        let (status, _) = ask(&router, "GET", path, &old).await;
        assert_eq!(status, StatusCode::NOT_ACCEPTABLE, "{resource:?}");
        let new = [("authorization", BARE), ("accept", MEDIA_TYPE)];
        assert_eq!(ask(&router, "GET", path, &new).await.0, StatusCode::OK, "{resource:?}");
    }
    let elsewhere = filled("/taxii2/oki/collections/", &site);
    let (status, _) = ask(&router, "GET", &elsewhere, &[("authorization", BARE)]).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "another facility's");
    let who = (Actor::CommandLine, site.clock.now());
    site.store
        .revoke_taxii_client(&site.here, &"hospital".parse().unwrap(), who)
        .await
        .unwrap();
    let (status, _) = ask(&router, "GET", "/taxii2/", &[("authorization", BARE)]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "revoked");
}

#[tokio::test]
async fn a_client_reads_what_its_mark_lets_it_and_nothing_of_an_exercise() {
    let (site, router) = ceptoar().await;
    let get = |path: String| {
        let router = router.clone();
        async move { ask(&router, "GET", &path, &[("authorization", BARE)]).await }
    };
    let (_, found) = get("/taxii2/".to_owned()).await;
    assert_eq!(found["default"], "https://ceptoar.example:8447/taxii2/handa/");
    let (_, all) = get(filled("/taxii2/{facility}/collections/", &site)).await;
    assert_eq!(all["collections"].as_array().unwrap().len(), 2, "{all}");
    let members = Collection::Members.id(&site.here);
    let (status, _) = get(format!("/taxii2/handa/collections/{members}/objects/")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "TLP:AMBER is not there for this client");
    let objects = filled("/taxii2/{facility}/collections/{collection}/objects/", &site);
    let (_, reports) = get(format!("{objects}?match%5Btype%5D=report")).await;
    let reports = reports["objects"].as_array().unwrap();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0]["labels"].is_null(), "nothing of an exercise");
    let (_, page) = get(format!("{objects}?limit=2")).await;
    assert_eq!(
        (page["more"].as_bool(), page["objects"].as_array().unwrap().len()),
        (Some(true), 2)
    );
    let (status, error) = get(format!("{objects}?limit=no")).await;
    assert_eq!((status, error["http_status"].as_str()), (StatusCode::BAD_REQUEST, Some("400")));
    let missing = objects + "indicator--00000000-0000-4000-8000-000000000000/";
    assert_eq!(get(missing).await.0, StatusCode::NOT_FOUND);
}
