//! The guard before every page: whose request it is, whether it may pass, and whether its form is genuine.
//!
//! Always holds: the cookie's value is known to the browser alone (the database keeps its SHA-256); a handler sees a
//! request only after [`guard`] let it pass, and finds the caller and the form's fields in its [`Call`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use shirase_shared::ids::{FacilityId, UserId};
use shirase_shared::tls::sha256_hex;

use super::console::ConsoleState;
use super::csrf;
use super::form::{Form, Upload, is_multipart, read_form, read_multipart};
use super::page_error::PageError;
use super::routes::{Access, Decision, decide, stage_path};
use crate::locale::{Lang, Locale};
use crate::people::{Grants, Session, Stage, User};
use crate::store::StoreError;

/// Names of the cookies: the session, the token of the sign-in form, the language, where somebody wanted to go.
const SESSION_COOKIE: &str = "__Host-shirase";
const FORM_COOKIE: &str = "__Host-shirase-form";
pub(super) const LANG_COOKIE: &str = "__Host-shirase-lang";
const WAY_COOKIE: &str = "__Host-shirase-way";
/// What every cookie of ours is.
const COOKIE_ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Strict";
/// Seconds the language is remembered: a year.
const LANG_SECS: u32 = 31_536_000;
/// How long the page somebody wanted is remembered while they sign in, and how long its path may be.
const WAY_SECS: u32 = 900;
const WAY_MAX_CHARS: usize = 300;
/// Bytes of randomness in a cookie and in a token.
const RANDOM_BYTES: usize = 32;
/// How much time may pass before a session's use is noted again.
const TOUCH_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// A person whose session counts.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Who it is.
    pub(super) user: User,
    /// What they may do where.
    pub(super) grants: Grants,
    /// Their session.
    pub(super) session: Session,
    /// What the database knows it by.
    pub(super) key: String,
}

/// A request that passed the guard.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Who calls, if anybody is signed in.
    pub(super) caller: Option<Caller>,
    /// The facility named in the path, where the caller holds the role asked for.
    pub(super) facility: Option<FacilityId>,
    /// The language they read.
    pub(super) locale: Locale,
    /// The fields of the form.
    pub(super) form: Form,
    /// The file that was sent with the form, where the route takes one.
    pub(super) upload: Option<Upload>,
    /// The token every form on the answering page carries.
    pub(super) csrf: String,
    /// Where the request comes from.
    pub(super) address: IpAddr,
    /// Path and query, to come back to.
    pub(super) path: String,
    /// The page that was asked for before signing in.
    pub(super) way: Option<String>,
}

impl Call {
    /// Returns who calls.
    ///
    /// # Errors
    /// When nobody is signed in, which the route table should have ruled out.
    pub(super) fn caller(&self) -> Result<&Caller, PageError> {
        self.caller.as_ref().ok_or(PageError::NotFound)
    }

    /// Returns the facility the caller was let in to.
    ///
    /// # Errors
    /// When the path names none, which the route table should have ruled out.
    pub(super) fn facility(&self) -> Result<&FacilityId, PageError> {
        self.facility.as_ref().ok_or(PageError::NotFound)
    }

    /// Returns who calls, as the domain knows them.
    pub(super) fn user_id(&self) -> Result<UserId, PageError> {
        Ok(self.caller()?.user.id)
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(PageError::NotFound)
    }
}

/// What the guard of one route knows.
#[derive(Clone)]
pub(super) struct Guard {
    /// The console's state.
    pub(super) state: ConsoleState,
    /// Who may call the route.
    pub(super) access: Access,
    /// Largest file the route takes with its form; none for most.
    pub(super) upload_max_bytes: Option<usize>,
}

/// Lets a request pass or answers it.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let locale = language(request.headers());
    match admit(&guard, request, locale).await {
        Ok(Admission::Pass(request)) => next.run(request).await,
        Ok(Admission::Answer(answer)) => answer,
        Err(error) => error.page(locale),
    }
}

enum Admission {
    Pass(Request),
    Answer(Response),
}

async fn admit(guard: &Guard, request: Request, locale: Locale) -> Result<Admission, PageError> {
    let state = &guard.state;
    let caller = caller(state, request.headers()).await?;
    let facility = facility_in(request.uri().path());
    let known = caller
        .as_ref()
        .map(|caller| (caller.session.stage, &caller.grants));
    match decide(guard.access, known, facility.as_ref()) {
        Decision::Pass => {}
        Decision::SignIn => return Ok(Admission::Answer(to_sign_in(&request)?)),
        Decision::Complete(stage) => {
            return Ok(Admission::Answer(Redirect::to(stage_path(stage)).into_response()));
        }
        Decision::NotFound => return Err(PageError::NotFound),
        Decision::Forbidden => return Err(PageError::Forbidden),
    }

    let cookie = cookie(request.headers(), FORM_COOKIE).filter(|value| !value.is_empty());
    let cookie = cookie.map(str::to_owned);
    let csrf = match &caller {
        Some(caller) => caller.session.csrf.clone(),
        None => cookie.clone().unwrap_or_else(random_text),
    };
    let address = address(&request, &state.trusted_proxies);
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let (mut parts, body) = request.into_parts();
    let way = self::cookie(&parts.headers, WAY_COOKIE).filter(|way| is_way(way));
    let way = way.map(str::to_owned);
    let (form, upload) = if parts.method == Method::GET {
        (Form::default(), None)
    } else {
        if csrf::comes_from_elsewhere(&parts.headers) {
            return Err(PageError::ForeignForm);
        }
        let (form, upload) = match guard
            .upload_max_bytes
            .filter(|_| is_multipart(&parts.headers))
        {
            Some(most) => read_multipart(&parts.headers, body, most).await?,
            None => (read_form(body).await?, None),
        };
        let expected = if caller.is_some() { Some(&csrf) } else { cookie.as_ref() };
        if !expected.is_some_and(|token| csrf::same_token(token, form.raw("csrf"))) {
            return Err(PageError::ForeignForm);
        }
        (form, upload)
    };
    parts.extensions.insert(Call {
        caller,
        facility,
        locale,
        form,
        upload,
        csrf,
        address,
        path,
        way,
    });

    Ok(Admission::Pass(Request::from_parts(parts, Body::empty())))
}

/// Sends somebody to sign in and remembers the page they asked for: the link of a mail leads there afterwards.
fn to_sign_in(request: &Request) -> Result<Response, PageError> {
    let mut answer = Redirect::to("/sign-in").into_response();
    let path = request.uri().path_and_query();
    let wanted = path.map(PathAndQuery::as_str).filter(|path| is_way(path));
    if let Some(path) = wanted.filter(|_| *request.method() == Method::GET) {
        let cookie = set_cookie(WAY_COOKIE, path, &format!("; Max-Age={WAY_SECS}"))?;
        answer.headers_mut().append(SET_COOKIE, cookie);
    }

    Ok(answer)
}

/// Leads to the page somebody asked for before signing in, once.
pub(super) fn on_the_way(call: &Call) -> Result<Response, PageError> {
    let Some(way) = &call.way else { return Ok(Redirect::to("/").into_response()) };
    let mut answer = Redirect::to(way).into_response();
    let forget = set_cookie(WAY_COOKIE, "", "; Max-Age=0")?;
    answer.headers_mut().append(SET_COOKIE, forget);

    Ok(answer)
}

/// Whether a path is one of our own pages: no other host (`//host`), and nothing that a cookie cannot hold.
fn is_way(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~?=&%".contains(c);
    path.len() <= WAY_MAX_CHARS && path.starts_with("/facilities/") && path.chars().all(plain)
}

/// Returns whose session the cookie names, if that still counts.
async fn caller(state: &ConsoleState, headers: &HeaderMap) -> Result<Option<Caller>, StoreError> {
    let Some(value) = cookie(headers, SESSION_COOKIE) else {
        return Ok(None);
    };
    let key = sha256_hex(value.as_bytes());
    let now = state.clock.now();
    let Some(session) = state.store.session(&key).await? else {
        return Ok(None);
    };
    if !session.is_live(now) {
        state.store.end_session(&key).await?;
        return Ok(None);
    }
    let user = state.store.user(session.user).await?;
    if user.disabled.is_some() {
        return Ok(None);
    }
    if TOUCH_AFTER <= now.duration_since(session.seen) {
        state.store.touch_session(&key, now).await?;
    }
    let grants = state.store.grants(user.id).await?;

    Ok(Some(Caller { user, grants, session, key }))
}

/// Begins a session of the next stage and returns the cookie for it. The one it grew out of ends.
pub(super) async fn begin(
    state: &ConsoleState,
    user: UserId,
    stage: Stage,
    replaces: Option<&str>,
) -> Result<HeaderValue, PageError> {
    let value = random_text();
    let session = Session::begin(user, stage, random_text(), state.clock.now());
    let key = sha256_hex(value.as_bytes());
    state.store.begin_session(&key, &session, replaces).await?;

    set_cookie(SESSION_COOKIE, &value, "")
}

/// Returns the cookie that ends the session in the browser.
pub(super) fn forget() -> Result<HeaderValue, PageError> {
    set_cookie(SESSION_COOKIE, "", "; Max-Age=0")
}

/// Gives an answer the cookie that goes with a form's token.
pub(super) fn with_form_cookie(call: &Call, mut answer: Response) -> Result<Response, PageError> {
    if call.caller.is_none() {
        answer
            .headers_mut()
            .append(SET_COOKIE, set_cookie(FORM_COOKIE, &call.csrf, "")?);
    }
    Ok(answer)
}

/// Returns the cookie that remembers a language.
pub(super) fn remember(lang: Lang) -> Result<HeaderValue, PageError> {
    set_cookie(LANG_COOKIE, lang.as_str(), &format!("; Max-Age={LANG_SECS}"))
}

/// Returns the language a browser asked for earlier; Japanese otherwise.
pub(super) fn language(headers: &HeaderMap) -> Locale {
    Locale::new(cookie(headers, LANG_COOKIE).map_or(Lang::Ja, Lang::read))
}

/// Returns 256 random bits as text.
pub(super) fn random_text() -> String {
    let mut bytes = [0; RANDOM_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

fn set_cookie(name: &str, value: &str, more: &str) -> Result<HeaderValue, PageError> {
    let text = format!("{name}={value}{COOKIE_ATTRIBUTES}{more}");
    HeaderValue::try_from(text).map_err(PageError::internal)
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(n, _)| n.trim() == name)
        .map(|(_, value)| value.trim())
}

/// Returns the facility in `/facilities/{facility}/…`.
fn facility_in(path: &str) -> Option<FacilityId> {
    path.strip_prefix("/facilities/")?
        .split('/')
        .next()?
        .parse()
        .ok()
}

/// Returns where a request comes from: the peer, or what a trusted proxy says in the last entry of `X-Forwarded-For`.
fn address(request: &Request, trusted: &[IpAddr]) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    if !trusted.contains(&peer) {
        return peer;
    }
    let lines = request.headers().get_all("x-forwarded-for").into_iter();
    let entries = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    entries
        .last()
        .and_then(|entry| entry.trim().parse().ok())
        .unwrap_or(peer)
}
