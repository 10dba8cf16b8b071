//! The console's router, built from the table of routes.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use governor::{DefaultKeyedRateLimiter, Quota};
use jiff::SignedDuration;

use shirase_shared::clock::SharedClock;

use super::console_exchange::MESSAGE_FILE_MAX_BYTES;
use super::page_error::PageError;
use super::routes::{Page, ROUTES, Verb};
use super::session::{self, Call, Guard};
use super::{
    console_approval as approval, console_audit, console_case_entries as case_entries,
    console_cases as cases, console_checklist as checklist, console_circulars as circulars,
    console_contacts as contacts, console_decision as decision, console_delivery as delivery,
    console_duties as duties, console_exchange as exchange, console_hosts as hosts,
    console_incident as incident, console_institutions as institutions,
    console_official as official, console_overview as overview, console_partners as partners,
    console_policy as policy, console_received as received, console_report as report,
    console_settings as settings, console_sharing as sharing, console_sighting as sighting,
    console_sign_in as sign_in, console_users as users, live,
};
use crate::console::{Frame, Tab, html};
use crate::jobs::Nudge;
use crate::keys::SigningKey;
use crate::locale::{Lang, japan_time};
use crate::notify::courier::Courier;
use crate::post::Post;
use crate::release::{ChecklistDesk, Releases};
use crate::reports::official::UPLOAD_MAX_BYTES;
use crate::reports::render::json::SCHEMA;
use crate::store::Store;
use crate::tables::TABLE_MAX_BYTES;

/// Attempts to sign in under one login before it has to wait, and the pause that earns one more.
const LOGIN_BURST: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
const LOGIN_PAUSE: Duration = Duration::from_secs(20);
/// The same for one address, behind which a whole hospital may sit.
const ADDRESS_BURST: NonZeroU32 = NonZeroU32::new(60).expect("not zero");
const ADDRESS_PAUSE: Duration = Duration::from_secs(2);
/// Logins or addresses remembered before idle ones are forgotten.
const LIMITED_KEYS: usize = 10_000;
/// Largest request body.
const BODY_MAX_BYTES: usize = 256 * 1024;

/// What pages may load and do: nothing but what this console serves itself.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// Headers of every answer.
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];

/// What the console needs.
#[derive(Clone)]
pub struct ConsoleState {
    /// The collector's memory.
    pub store: Store,
    /// Tells the time.
    pub clock: SharedClock,
    /// Proxies whose word about a client's address counts. Empty: clients connect themselves.
    pub trusted_proxies: Arc<[IpAddr]>,
    /// After how long without a sign of life a host is shown as silent.
    pub silence: SignedDuration,
    /// After how long a policy that is not in force on a host is told as late.
    pub policy_late: SignedDuration,
    /// What somebody who brings in a host has to know.
    pub enrolment: EnrolmentPlace,
    /// Signs orders to agents.
    pub order_key: Arc<SigningKey>,
    /// Submits, approves, rejects and renders reports.
    pub releases: Releases,
    /// Checklists, and what of the configuration bears on them.
    pub checklists: ChecklistDesk,
    /// Pairs with partners, seals and takes in.
    pub post: Post,
    /// Wakes the jobs and open pages after a change.
    pub nudge: Nudge,
    /// Reaches staff.
    pub courier: Courier,
    /// Counts attempts to sign in.
    pub limits: SignInLimits,
}

/// Where hosts are brought in, and how they know that it is this collector.
#[derive(Clone, Debug)]
pub struct EnrolmentPlace {
    /// Base URL of the enrolment listener, as hosts reach it.
    pub url: String,
    /// SHA-256 fingerprint of the authority's certificate.
    pub fingerprint: String,
}

/// Counts attempts to sign in, per login and per address. Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct SignInLimits {
    logins: Arc<DefaultKeyedRateLimiter<String>>,
    addresses: Arc<DefaultKeyedRateLimiter<IpAddr>>,
}

impl Default for SignInLimits {
    fn default() -> Self {
        let quota = |pause, burst| {
            Quota::with_period(pause)
                .expect("the pause is not zero")
                .allow_burst(burst)
        };
        Self {
            logins: Arc::new(DefaultKeyedRateLimiter::keyed(quota(LOGIN_PAUSE, LOGIN_BURST))),
            addresses: Arc::new(DefaultKeyedRateLimiter::keyed(quota(
                ADDRESS_PAUSE,
                ADDRESS_BURST,
            ))),
        }
    }
}

impl SignInLimits {
    /// Counts an attempt; `false` if it comes too soon.
    pub(super) fn allow(&self, login: &str, address: IpAddr) -> bool {
        if LIMITED_KEYS < self.logins.len() {
            self.logins.retain_recent();
        }
        if LIMITED_KEYS < self.addresses.len() {
            self.addresses.retain_recent();
        }
        self.addresses.check_key(&address).is_ok()
            && self.logins.check_key(&login.to_owned()).is_ok()
    }
}

/// Builds the console from the table of routes: what is not in the table does not exist.
pub fn console_router(state: ConsoleState) -> Router {
    let mut router = Router::new();
    let kind = state.post.organisation();
    for (verb, path, access, page) in ROUTES.iter().filter(|(.., page)| page.is_of(kind)) {
        let largest = [
            (Page::OfficialFormPut, UPLOAD_MAX_BYTES),
            (Page::ContactsImport, TABLE_MAX_BYTES),
            (Page::InstitutionsImport, TABLE_MAX_BYTES),
            (Page::CircularWrite, MESSAGE_FILE_MAX_BYTES),
            (Page::MessageWrite, MESSAGE_FILE_MAX_BYTES),
            (Page::CaseEnter, MESSAGE_FILE_MAX_BYTES),
        ];
        let found = largest.into_iter().find(|(uploading, _)| uploading == page);
        let upload_max_bytes = found.map(|(_, bytes)| bytes);
        let guard = Guard { state: state.clone(), access: *access, upload_max_bytes };
        let route =
            handler(*page, *verb).layer(middleware::from_fn_with_state(guard, session::guard));
        router = router.route(path, route);
    }
    router
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(middleware::from_fn(with_headers))
        .with_state(state)
}

#[expect(clippy::too_many_lines, reason = "a table: one line a page")]
fn handler(page: Page, verb: Verb) -> MethodRouter<ConsoleState> {
    let filter = match verb {
        Verb::Get => MethodFilter::GET,
        Verb::Post => MethodFilter::POST,
    };
    match page {
        Page::Static => on(filter, static_file),
        Page::Language => on(filter, language),
        Page::SignInForm => on(filter, sign_in::form),
        Page::SignIn => on(filter, sign_in::sign_in),
        Page::PasswordForm => on(filter, sign_in::password_form),
        Page::Password => on(filter, sign_in::password),
        Page::SetupForm => on(filter, sign_in::setup_form),
        Page::Setup => on(filter, sign_in::setup),
        Page::SecondFactorForm => on(filter, sign_in::second_factor_form),
        Page::SecondFactor => on(filter, sign_in::second_factor),
        Page::SignOut => on(filter, sign_in::sign_out),
        Page::Overview => on(filter, overview::overview),
        Page::OverviewPart => on(filter, overview::overview_part),
        Page::Alerts => on(filter, overview::alerts),
        Page::AlertsPart => on(filter, overview::alerts_part),
        Page::Deadlines => on(filter, duties::deadlines),
        Page::Live => on(filter, live::live),
        Page::Facility => on(filter, overview::show_facility),
        Page::SightingNew => on(filter, sighting::form),
        Page::SightingEnter => on(filter, sighting::enter),
        Page::IncidentJoin => on(filter, sighting::join),
        Page::Incident => on(filter, incident::show),
        Page::Acknowledge => on(filter, incident::acknowledge),
        Page::Comment => on(filter, incident::comment),
        Page::Close => on(filter, incident::close),
        Page::FalseAlarm => on(filter, incident::false_alarm),
        Page::Reopen => on(filter, incident::reopen),
        Page::VendorCalled => on(filter, incident::vendor_called),
        Page::StepTaken => on(filter, incident::step_taken),
        Page::Interview => on(filter, duties::interview),
        Page::MomentNote => on(filter, duties::moment),
        Page::ReportMake => on(filter, duties::make_report),
        Page::Report => on(filter, report::show),
        Page::ReportPdf => on(filter, report::pdf),
        Page::ReportFile => on(filter, report::file),
        Page::AnswerForm => on(filter, report::edit),
        Page::Answer => on(filter, report::answer),
        Page::Submit => on(filter, decision::submit),
        Page::Approve => on(filter, decision::approve),
        Page::Reject => on(filter, decision::reject),
        Page::Deliveries => on(filter, delivery::list),
        Page::DeliveryChoose => on(filter, delivery::choose),
        Page::Delivery => on(filter, delivery::show),
        Page::DeliverySheet => on(filter, delivery::sheet),
        Page::DeliveryRecord => on(filter, delivery::record),
        Page::DeliveryDecide => on(filter, delivery::decide),
        Page::DeliveryReceipt => on(filter, delivery::receipt),
        Page::Withdraw => on(filter, decision::withdraw),
        Page::ApproveAlone => on(filter, decision::approve_alone),
        Page::Review => on(filter, decision::review),
        Page::Approval => on(filter, approval::show),
        Page::ApprovalSave => on(filter, approval::save),
        Page::AbsenceNote => on(filter, approval::note_absence),
        Page::AbsenceEnd => on(filter, approval::end_absence),
        Page::Hosts => on(filter, hosts::show),
        Page::HostRoles => on(filter, hosts::set_roles),
        Page::HostRevoke => on(filter, hosts::revoke),
        Page::HostDrill => on(filter, hosts::drill),
        Page::HostMaintenance => on(filter, hosts::begin_maintenance),
        Page::HostMaintenanceEnd => on(filter, hosts::end_maintenance),
        Page::Policy => on(filter, policy::show),
        Page::PolicySave => on(filter, policy::save),
        Page::PolicyRevision => on(filter, policy::revision),
        Page::HostPolicy => on(filter, policy::show_host),
        Page::HostPolicySave => on(filter, policy::save_host),
        Page::TokenIssue => on(filter, hosts::issue),
        Page::TokenRevoke => on(filter, hosts::revoke_token),
        Page::Settings => on(filter, settings::show),
        Page::SettingsSave => on(filter, settings::save),
        Page::ChannelPut => on(filter, settings::put_channel),
        Page::ChannelTest => on(filter, settings::test_channel),
        Page::ChannelRemove => on(filter, settings::remove_channel),
        Page::ReportOnForm => on(filter, official::filled),
        Page::OfficialForms => on(filter, official::list),
        Page::OfficialFormPut => on(filter, official::put),
        Page::OfficialForm => on(filter, official::show),
        Page::OfficialFormMap => on(filter, official::map),
        Page::OfficialFormRemove => on(filter, official::remove),
        Page::Contacts => on(filter, contacts::list),
        Page::ContactAdd => on(filter, contacts::add),
        Page::ContactsExport => on(filter, contacts::export),
        Page::ContactsImport => on(filter, contacts::import),
        Page::ContactsTakeOver => on(filter, contacts::take_over),
        Page::ContactChart => on(filter, contacts::chart),
        Page::ContactChartPdf => on(filter, contacts::chart_pdf),
        Page::Contact => on(filter, contacts::show),
        Page::ContactChange => on(filter, contacts::change),
        Page::ContactVerify => on(filter, contacts::verify),
        Page::ContactRetire => on(filter, contacts::retire),
        Page::Checklists => on(filter, checklist::lists),
        Page::ChecklistPdf => on(filter, checklist::pdf),
        Page::ChecklistXlsx => on(filter, checklist::xlsx),
        Page::ChecklistChanges => on(filter, checklist::changes),
        Page::ChecklistSheet => on(filter, checklist::show),
        Page::ChecklistAnswer => on(filter, checklist::answer),
        Page::Exchange => on(filter, exchange::list),
        Page::PackageThread => on(filter, exchange::thread),
        Page::PackageFile => on(filter, exchange::file),
        Page::PackageRead => on(filter, exchange::read),
        Page::MessageWrite => on(filter, exchange::write),
        Page::Message => on(filter, exchange::message),
        Page::MessageRelease => on(filter, exchange::release),
        Page::MessageSendBack => on(filter, exchange::send_back),
        Page::Circulars => on(filter, circulars::list),
        Page::CircularWrite => on(filter, circulars::write),
        Page::Circular => on(filter, circulars::show),
        Page::CircularRelease => on(filter, circulars::release),
        Page::CircularSendBack => on(filter, circulars::send_back),
        Page::CircularRemind => on(filter, circulars::remind),
        Page::Partners => on(filter, partners::list),
        Page::PartnerAccept => on(filter, partners::accept),
        Page::PartnerInvite => on(filter, partners::invite),
        Page::PartnerCard => on(filter, partners::card),
        Page::Partner => on(filter, partners::show),
        Page::PartnerRotate => on(filter, partners::rotate),
        Page::PartnerRevoke => on(filter, partners::revoke),
        Page::Institutions => on(filter, institutions::list),
        Page::InstitutionAdd => on(filter, institutions::add),
        Page::InstitutionsExport => on(filter, institutions::export),
        Page::InstitutionsImport => on(filter, institutions::import),
        Page::Institution => on(filter, institutions::show),
        Page::InstitutionChange => on(filter, institutions::change),
        Page::InstitutionNote => on(filter, institutions::note),
        Page::InstitutionClose => on(filter, institutions::close),
        Page::InstitutionReopen => on(filter, institutions::reopen),
        Page::Cases => on(filter, cases::list),
        Page::CaseOpen => on(filter, cases::open),
        Page::CaseFigures => on(filter, cases::figures),
        Page::CaseFiguresXlsx => on(filter, cases::figures_xlsx),
        Page::CaseNew => on(filter, cases::new),
        Page::Case => on(filter, cases::show),
        Page::CaseEnter => on(filter, case_entries::enter),
        Page::CaseEntry => on(filter, case_entries::edit),
        Page::CaseFile => on(filter, case_entries::file),
        Page::CaseReport => on(filter, cases::report),
        Page::PackageCase => on(filter, cases::link),
        Page::Sharing => on(filter, sharing::list),
        Page::SharingBegin => on(filter, sharing::begin),
        Page::SharingProduct => on(filter, sharing::show),
        Page::SharingChange => on(filter, sharing::change),
        Page::SharingSubmit => on(filter, sharing::submit),
        Page::SharingApprove => on(filter, sharing::approve),
        Page::SharingSendBack => on(filter, sharing::send_back),
        Page::SharingSend => on(filter, sharing::send),
        Page::SharingFile => on(filter, sharing::file),
        Page::SharingReceived => on(filter, received::show),
        Page::SharingSearch => on(filter, received::search),
        Page::SharingAccept => on(filter, received::accept),
        Page::SharingDrop => on(filter, received::drop_it),
        Page::Users => on(filter, users::show),
        Page::UserAdd => on(filter, users::add),
        Page::UserRoles => on(filter, users::set_roles),
        Page::UserReset => on(filter, users::reset),
        Page::UserDisable => on(filter, users::disable),
        Page::Audit => on(filter, console_audit::show),
    }
}

async fn nothing_here(request: Request) -> Response {
    PageError::NotFound.page(session::language(request.headers()))
}

/// Puts the protecting headers on every answer.
async fn with_headers(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    answer
}

/// Answers with a page.
pub(super) fn page(page: &impl askama::Template) -> Result<Response, PageError> {
    Ok(Html(html(page)?).into_response())
}

/// Makes what stands around a page that belongs to no facility.
pub(super) fn frame(call: &Call, state: &ConsoleState, title: &'static str, tab: Tab) -> Frame {
    let full = call.caller.as_ref();
    Frame {
        locale: call.locale,
        title,
        user: full.map(|caller| caller.user.name.clone()),
        csrf: call.csrf.clone(),
        facility: None,
        tab,
        flash: None,
        path: call.path.clone(),
        now: japan_time(state.clock.now()),
    }
}

async fn language(Path(lang): Path<String>, request: Request) -> Result<Response, PageError> {
    let query = request.uri().query().unwrap_or_default();
    let back = query.strip_prefix("back=").unwrap_or("/");
    // Only a path of this console: neither another host (`//host`) nor a scheme.
    let path = back
        .strip_prefix('/')
        .filter(|rest| !rest.starts_with(['/', '\\']));
    let back = path.map_or("/", |_| back);
    let mut answer = Redirect::to(back).into_response();
    answer
        .headers_mut()
        .append(SET_COOKIE, session::remember(Lang::read(&lang))?);

    Ok(answer)
}

/// The files browsers load beside a page.
const STATIC: &[(&str, &str, &str)] = &[
    ("console.css", "text/css; charset=utf-8", include_str!("../../static/console.css")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("../../static/live.js")),
    ("logo.svg", "image/svg+xml", include_str!("../../static/logo.svg")),
    ("report-document-1.schema.json", "application/schema+json", SCHEMA),
];

async fn static_file(Path(file): Path<String>) -> Result<Response, PageError> {
    let found = STATIC.iter().find(|(name, _, _)| *name == file);
    let (_, kind, body) = found.ok_or(PageError::NotFound)?;
    let headers = [(CONTENT_TYPE, *kind), (CACHE_CONTROL, "public, max-age=300")];

    Ok((headers, *body).into_response())
}
