//! The TAXII listener: approved products, to be read only, by clients with a token.
//!
//! Always holds: who shows no valid token learns nothing, not even which paths there are; what a client may not read is
//! not there for it; a token is compared by its hash and never logged.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use shirase_shared::error::Chain;
use shirase_shared::ids::FacilityId;
use shirase_shared::tls::sha256_hex;

use super::throttle::{Throttle, not_too_often};
use crate::sharing::taxii::{
    Ask, Client, Collection, Item, MEDIA_TYPE, Page, api_root, discovery, envelope, error, items,
    manifest, page, versions, written,
};
use crate::store::{Store, StoreError};

/// Requests one address may make at once.
const BURST: NonZeroU32 = NonZeroU32::new(120).expect("not zero");
/// One more is granted after each such time.
const REFILL: Duration = Duration::from_millis(500);

/// What the TAXII listener works with.
#[derive(Clone)]
pub struct TaxiiState {
    store: Store,
    url: String,
    throttle: Throttle,
}

impl TaxiiState {
    /// Gathers what the listener works with. `url` is the base clients reach it at.
    #[must_use]
    pub fn new(store: Store, url: String) -> Self {
        Self { store, url, throttle: Throttle::new(BURST, REFILL) }
    }
}

/// What a route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Discovery,
    ApiRoot,
    Collections,
    Collection,
    Manifest,
    Objects,
    Object,
    Versions,
}

/// Every route. All of them are read, and each demands a token: the router is built from this table, and its test walks it.
pub(super) const TAXII_ROUTES: &[(&str, Resource)] = &[
    ("/taxii2/", Resource::Discovery),
    ("/taxii2/{facility}/", Resource::ApiRoot),
    ("/taxii2/{facility}/collections/", Resource::Collections),
    ("/taxii2/{facility}/collections/{collection}/", Resource::Collection),
    ("/taxii2/{facility}/collections/{collection}/manifest/", Resource::Manifest),
    ("/taxii2/{facility}/collections/{collection}/objects/", Resource::Objects),
    ("/taxii2/{facility}/collections/{collection}/objects/{object}/", Resource::Object),
    ("/taxii2/{facility}/collections/{collection}/objects/{object}/versions/", Resource::Versions),
];

/// Everything the TAXII listener answers. Serve it with `into_make_service_with_connect_info::<Peer>()`.
pub fn taxii_router(state: TaxiiState) -> Router {
    let throttle = state.throttle.clone();
    taxii_routes(state).layer(middleware::from_fn_with_state(throttle, not_too_often))
}

/// The same without counting requests.
pub(super) fn taxii_routes(state: TaxiiState) -> Router {
    let mut router = Router::new();
    for (path, resource) in TAXII_ROUTES {
        router = router.route(path, handler(*resource));
    }
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(state.clone(), guard))
        .with_state(state)
}

fn handler(resource: Resource) -> MethodRouter<TaxiiState> {
    match resource {
        Resource::Discovery => get(show_discovery),
        Resource::ApiRoot => get(show_root),
        Resource::Collections => get(show_collections),
        Resource::Collection => get(show_collection),
        Resource::Manifest => get(show_manifest),
        Resource::Objects => get(show_objects),
        Resource::Object => get(show_object),
        Resource::Versions => get(show_versions),
    }
}

/// Why a client gets nothing.
#[derive(Debug)]
enum Refused {
    NoToken,
    NotThere,
    WrongMethod,
    NotAcceptable,
    Unclear(String),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, title) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "show a valid token".to_owned()),
            Self::NotThere => (StatusCode::NOT_FOUND, "there is no such resource".to_owned()),
            Self::WrongMethod => {
                (StatusCode::METHOD_NOT_ALLOWED, "this server is read only".to_owned())
            }
            Self::NotAcceptable => {
                (StatusCode::NOT_ACCEPTABLE, format!("this server speaks {MEDIA_TYPE} alone"))
            }
            Self::Unclear(why) => (StatusCode::BAD_REQUEST, why),
            Self::Store(error) => {
                tracing::error!(error = %Chain(&error), "a TAXII request failed");
                let title = "the collector cannot answer at the moment".to_owned();
                (StatusCode::INTERNAL_SERVER_ERROR, title)
            }
        };
        let mut answer = (status, told(&error(status.as_u16(), &title))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let way = HeaderValue::from_static("Basic realm=\"taxii\", charset=\"UTF-8\"");
            answer.headers_mut().insert(WWW_AUTHENTICATE, way);
        }
        answer
    }
}

type Answer = Result<Response, Refused>;

/// Lets a request pass whose token counts and who takes what this server speaks.
async fn guard(State(state): State<TaxiiState>, mut request: Request, next: Next) -> Response {
    match caller(&state, request.headers()).await {
        Ok(client) => {
            if !accepts(request.headers()) {
                return Refused::NotAcceptable.into_response();
            }
            request.extensions_mut().insert(client);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    }
}

async fn caller(state: &TaxiiState, headers: &HeaderMap) -> Result<Client, Refused> {
    let (name, token) = shown(headers).ok_or(Refused::NoToken)?;
    let client = state
        .store
        .taxii_client_of(&sha256_hex(token.as_bytes()))
        .await?;
    let client = client.ok_or(Refused::NoToken)?;
    match name {
        Some(name) if name != client.id.as_str() => Err(Refused::NoToken),
        Some(_) | None => Ok(client),
    }
}

/// Returns the token a request shows: as the password of its client's name, or bare.
fn shown(headers: &HeaderMap) -> Option<(Option<String>, String)> {
    let (scheme, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => {
            let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
            let (name, token) = decoded.split_once(':')?;
            Some((Some(name.to_owned()), token.to_owned()))
        }
        "bearer" | "token" => Some((None, rest.trim().to_owned())),
        _ => None,
    }
}

/// Whether a client takes TAXII 2.1.
fn accepts(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(ACCEPT) else { return true };
    let accept = accept.to_str().unwrap_or_default().to_ascii_lowercase();
    accept.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let version = parts.find_map(|part| part.strip_prefix("version="));
        match kind {
            "*/*" | "application/*" => true,
            "application/taxii+json" => version.is_none_or(|version| version == "2.1"),
            _ => false,
        }
    })
}

/// Answers with a resource.
fn told(resource: &Value) -> Response {
    ([(CONTENT_TYPE, MEDIA_TYPE)], resource.to_string()).into_response()
}

async fn nothing_here() -> Refused {
    Refused::NotThere
}

async fn wrong_method() -> Refused {
    Refused::WrongMethod
}

async fn show_discovery(State(state): State<TaxiiState>, who: axum::Extension<Client>) -> Response {
    told(&discovery(&format!("{}/taxii2/{}/", state.url, who.facility)))
}

/// Whether a client may know of this API root.
fn root(client: &Client, facility: &str) -> Result<FacilityId, Refused> {
    if client.facility.as_str() == facility {
        Ok(client.facility.clone())
    } else {
        Err(Refused::NotThere)
    }
}

async fn show_root(Path(facility): Path<String>, who: axum::Extension<Client>) -> Answer {
    root(&who, &facility)?;
    Ok(told(&api_root()))
}

async fn show_collections(Path(facility): Path<String>, who: axum::Extension<Client>) -> Answer {
    let facility = root(&who, &facility)?;
    let all: Vec<Value> = who
        .collections()
        .map(|one| one.resource(&facility))
        .collect();
    Ok(told(&json!({ "collections": all })))
}

fn collection(client: &Client, facility: &str, id: &str) -> Result<Collection, Refused> {
    root(client, facility)?;
    client.collection(id).ok_or(Refused::NotThere)
}

async fn show_collection(
    Path((facility, id)): Path<(String, String)>,
    who: axum::Extension<Client>,
) -> Answer {
    let found = collection(&who, &facility, &id)?;
    Ok(told(&found.resource(&who.facility)))
}

/// The parameters of an address, in the order given.
type Pairs = Query<Vec<(String, String)>>;

fn asked(pairs: &[(String, String)]) -> Result<Ask, Refused> {
    Ask::read(pairs).map_err(|error| Refused::Unclear(error.to_string()))
}

async fn held(
    state: &TaxiiState,
    client: &Client,
    (facility, id): (&str, &str),
) -> Result<Vec<Item>, Refused> {
    let found = collection(client, facility, id)?;
    let offered = state.store.offered_products(&client.facility).await?;

    Ok(items(found, offered))
}

async fn show_manifest(
    State(state): State<TaxiiState>,
    Path((facility, id)): Path<(String, String)>,
    who: axum::Extension<Client>,
    Query(pairs): Pairs,
) -> Answer {
    let (items, ask) = (held(&state, &who, (&facility, &id)).await?, asked(&pairs)?);
    let page = page(&items, &ask);
    Ok(with_dates(told(&manifest(&page)), &page))
}

async fn show_objects(
    State(state): State<TaxiiState>,
    Path((facility, id)): Path<(String, String)>,
    who: axum::Extension<Client>,
    Query(pairs): Pairs,
) -> Answer {
    let (items, ask) = (held(&state, &who, (&facility, &id)).await?, asked(&pairs)?);
    let page = page(&items, &ask);
    Ok(with_dates(told(&envelope(&page)), &page))
}

async fn show_object(
    State(state): State<TaxiiState>,
    Path((facility, id, object)): Path<(String, String, String)>,
    who: axum::Extension<Client>,
    Query(pairs): Pairs,
) -> Answer {
    let items = held(&state, &who, (&facility, &id)).await?;
    let ask = known(&items, &object, &pairs)?;
    let page = page(&items, &ask);
    Ok(with_dates(told(&envelope(&page)), &page))
}

async fn show_versions(
    State(state): State<TaxiiState>,
    Path((facility, id, object)): Path<(String, String, String)>,
    who: axum::Extension<Client>,
    Query(pairs): Pairs,
) -> Answer {
    let items = held(&state, &who, (&facility, &id)).await?;
    let ask = known(&items, &object, &pairs)?.every_version();
    let page = page(&items, &ask);
    Ok(with_dates(told(&versions(&page)), &page))
}

/// Returns the question about one object, if the collection holds it.
fn known(items: &[Item], object: &str, pairs: &[(String, String)]) -> Result<Ask, Refused> {
    if items.iter().any(|item| item.id == object) {
        Ok(asked(pairs)?.of_object(object))
    } else {
        Err(Refused::NotThere)
    }
}

/// Says when the first and the last object of a page were added.
fn with_dates(mut answer: Response, page: &Page<'_>) -> Response {
    let ends = [
        ("x-taxii-date-added-first", page.items.first()),
        ("x-taxii-date-added-last", page.items.last()),
    ];
    for (name, item) in ends {
        let value = item.and_then(|item| HeaderValue::from_str(&written(item.added)).ok());
        if let Some(value) = value {
            answer
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    answer
}
