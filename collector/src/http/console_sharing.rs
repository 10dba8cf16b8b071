//! Sharing products: begun, written, submitted, approved, sent.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use shirase_shared::ids::{FacilityId, ProductId};
use shirase_shared::tls::sha256_hex;

use super::console::{ConsoleState, page};
use super::console_decision;
use super::console_exchange::{person, trusted, words};
use super::page_error::PageError;
use super::place::{done, facility, place_frame, query};
use super::session::Call;
use crate::console::Tab;
use crate::console::sharing::{Filter, ProductPage, ProductParts, SharingPage};
use crate::exchange::PackageId;
use crate::exchange::kind::Tlp;
use crate::exchange::partner::PartnerId;
use crate::jobs::What;
use crate::locale::Locale;
use crate::post::PostError;
use crate::release::{PAGE_FILE, ReleaseError};
use crate::sharing::{
    AttackKind, BODY_FILE, Body, IndicatorKind, Product, ProductError, Shared, Span, TechniqueId,
    stix, typed,
};
use crate::store::{SharingError, StoreError};

type Answer = Result<Response, PageError>;
type Place = Path<(String, ProductId)>;

/// Longest reason for sending a product back.
const REASON_MAX_CHARS: usize = 500;
/// Files of a product: name and the key of its words.
const FILES: &[(&str, &str)] = &[
    (PAGE_FILE, "sharing-file-pdf"),
    (stix::STIX_FILE, "sharing-file-stix"),
    (BODY_FILE, "sharing-file-json"),
];

/// Shows our own products and those received.
pub(super) async fn list(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let day = |name: &str| query(&call, name).parse::<Date>().ok();
    let filter = Filter { tlp: Tlp::parse(query(&call, "tlp")), from: day("from"), to: day("to") };
    let mut own = Vec::new();
    for product in state.store.products(&facility.id).await? {
        let sent = state
            .store
            .product_sent(&facility.id, product.id)
            .await?
            .len();
        own.push((product, sent));
    }
    let received = state.store.received_products(&facility.id).await?;
    let f = place_frame(&call, &state, &facility, ("title-sharing", Tab::Sharing))?;
    page(&SharingPage::of(f, (&own, &received), filter))
}

/// Begins a product of an incident, or of others that were received.
pub(super) async fn begin(State(state): State<ConsoleState>, call: Call) -> Answer {
    let (here, by) = (call.facility()?, person(&call)?);
    let begun = if call.form.field("incident").is_empty() {
        let packages: Result<Vec<PackageId>, _> =
            call.form.all("package").map(str::parse).collect();
        let packages = packages.map_err(|_| PageError::BadForm)?;
        if packages.is_empty() {
            return Err(PageError::Invalid(call.locale.text("sharing-refused-nothing")));
        }
        if !state.post.organisation().coordinates() {
            return Err(PageError::Forbidden);
        }
        state.releases.merge_products(here, &packages, &by).await
    } else {
        let incident = call.form.field("incident");
        let incident = incident.parse().map_err(|_| PageError::BadForm)?;
        state.releases.begin_product(here, incident, &by).await
    };
    let id = begun.map_err(|error| console_decision::words(error, &call))?;

    Ok(done(&path(here, id), "done-sharing-begun"))
}

/// Shows a product.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let product = state.store.product(call.facility()?, id).await?;
    page(&shown(&state, &call, &product, Vec::new()).await?)
}

/// Makes the page of a product, with what was wrong with what was sent before everything else.
async fn shown(
    state: &ConsoleState,
    call: &Call,
    product: &Product,
    mut problems: Vec<String>,
) -> Result<ProductPage, PageError> {
    let facility = facility(state, call).await?;
    let offers = state.releases.product_offers(product).await;
    let offers = offers.map_err(|error| console_decision::words(error, call))?;
    let consent = match product.incident {
        Some(incident) => Some(state.releases.consent(&facility.id, incident).await?),
        None => None,
    };
    if problems.is_empty() {
        problems = match state.releases.measure_product(product).await {
            Ok(_) => Vec::new(),
            Err(ReleaseError::Product(error)) => error.words(call.locale),
            Err(error) => return Err(console_decision::words(error, call)),
        };
    }
    let sent = state.store.product_sent(&facility.id, product.id).await?;
    let partners = trusted(state, call).await?;
    let text = product.body.text().map_err(PageError::internal)?;
    let sha256 = sha256_hex(text.as_bytes());
    let parts = ProductParts {
        product,
        sha256: &sha256,
        offers: &offers,
        consent: consent.as_ref(),
        problems,
        sent: &sent,
        partners: &partners,
        files: FILES,
    };
    let f = place_frame(call, state, &facility, ("title-sharing-product", Tab::Sharing))?;

    Ok(ProductPage::of(f, parts, call.user_id()?))
}

/// Saves a draft. What is wrong with it is said on the page; what has no legal form is not saved.
pub(super) async fn change(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let product = state.store.product(here, id).await?;
    let offers = state.releases.product_offers(&product).await;
    let offers = offers.map_err(|error| console_decision::words(error, &call))?;
    let seen = |what: &crate::sharing::Indicator| {
        let known = offers
            .indicators
            .iter()
            .find(|one| one.shared.what == *what);
        known.is_some_and(|one| one.shared.seen)
    };
    let body = match read(&call, &product.body, seen) {
        Ok(body) => body,
        Err(problems) => {
            let shown = shown(&state, &call, &product, problems).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response());
        }
    };
    let (by, now) = (person(&call)?, state.clock.now());
    let revision = revision(&call)?;
    let saved = state
        .store
        .change_product((here, id, revision), &body, (&by, now));
    saved.await.map_err(|error| refused(error, &call))?;

    Ok(done(&path(here, id), "done-sharing-saved"))
}

/// Reads what the form says into a body, keeping what no form changes.
fn read(
    call: &Call,
    known: &Body,
    seen: impl Fn(&crate::sharing::Indicator) -> bool,
) -> Result<Body, Vec<String>> {
    let (form, locale) = (&call.form, call.locale);
    let mut problems = Vec::new();
    let mut body = known.clone();
    body.attack = AttackKind::parse(form.field("attack")).unwrap_or(known.attack);
    body.tlp = Tlp::parse(form.field("tlp")).unwrap_or(known.tlp);
    body.summary = form.field("summary").replace("\r\n", "\n");
    match (form.field("first_day").parse::<Date>(), form.field("last_day").parse::<Date>()) {
        (Ok(first), Ok(last)) => body.span = Span::of(first, last),
        _ => problems.push(locale.text("sharing-refused-dates")),
    }
    body.techniques = form
        .all("technique")
        .filter_map(TechniqueId::parse)
        .collect();
    let ticked = form
        .all("indicator")
        .filter_map(crate::sharing::Indicator::from_key);
    body.indicators = ticked
        .map(|what| Shared { seen: seen(&what), what })
        .collect();
    for kind in IndicatorKind::ALL {
        let lines = form.raw(&format!("more_{kind}"));
        match typed(*kind, lines) {
            Ok(more) => {
                let more = more
                    .into_iter()
                    .map(|what| Shared { seen: seen(&what), what });
                body.indicators.extend(more);
            }
            Err((line, error)) => problems.push(line_words(&line, error.label_key(), locale)),
        }
    }
    let body = body.tidied();
    if problems.is_empty()
        && let Err(error) = body.check()
        && !body.summary.is_empty()
    {
        problems.push(locale.text(error.label_key()));
    }

    if problems.is_empty() { Ok(body) } else { Err(problems) }
}

fn line_words(line: &str, key: &str, locale: Locale) -> String {
    let why = locale.text(key);
    locale.text_with("sharing-refused-line", &[("line", &line), ("why", &why)])
}

/// Freezes a draft for a second person.
pub(super) async fn submit(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let place = (here, id, revision(&call)?);
    let done_so = state.releases.submit_product(place, &person(&call)?).await;
    done_so.map_err(|error| console_decision::words(error, &call))?;

    Ok(done(&path(here, id), "done-sharing-submitted"))
}

/// Approves what was frozen, as a second person.
pub(super) async fn approve(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let organisation = state.post.organisation();
    let approved = state
        .releases
        .approve_product((here, id), organisation, &person(&call)?)
        .await;
    approved.map_err(|error| console_decision::words(error, &call))?;

    Ok(done(&path(here, id), "done-sharing-approved"))
}

/// Makes a draft of what was submitted.
pub(super) async fn send_back(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let (here, reason) = (call.facility()?, call.form.field("reason"));
    if crate::exchange::line_problem(reason, REASON_MAX_CHARS).is_some() {
        return Err(PageError::Invalid(call.locale.text("exchange-refused-text")));
    }
    let (by, now) = (person(&call)?, state.clock.now());
    let returned = state.store.return_product((here, id), reason, (&by, now));
    returned.await.map_err(|error| refused(error, &call))?;

    Ok(done(&path(here, id), "done-sharing-returned"))
}

/// Sends an approved product to the partners chosen.
pub(super) async fn send(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let (here, by) = (call.facility()?, person(&call)?);
    let approved = state.store.approved_product(here, id).await?;
    let approved = approved.ok_or_else(|| product_words(&ProductError::NotApproved, &call))?;
    let sent = state.store.product_sent(here, id).await?;
    let chosen: Vec<PartnerId> = if call.form.field("all") == "yes" {
        let open = trusted(&state, &call)
            .await?
            .into_iter()
            .map(|partner| partner.id);
        open.filter(|id| sent.iter().all(|one| one.partner != *id))
            .collect()
    } else {
        let named: Result<_, _> = call.form.all("partner").map(str::parse).collect();
        named.map_err(|_| PageError::BadForm)?
    };
    if chosen.is_empty() {
        return Err(PageError::Invalid(call.locale.text("sharing-refused-nothing")));
    }
    for partner in &chosen {
        let went = state
            .post
            .send_product((here, partner), &approved, &by)
            .await;
        if matches!(went, Err(PostError::Store(StoreError::Exists(_)))) {
            return Err(PageError::Invalid(call.locale.text("sharing-refused-sent")));
        }
        went.map_err(|error| words(error, &call))?;
    }
    state.nudge.tell_of(here, What::Exchange);

    Ok(done(&path(here, id), "done-sharing-sent"))
}

/// Hands an approved file out.
pub(super) async fn file(
    State(state): State<ConsoleState>,
    Path((_, id, name)): Path<(String, ProductId, String)>,
    call: Call,
) -> Answer {
    let approved = state.store.approved_product(call.facility()?, id).await?;
    let approved = approved.ok_or(PageError::NotFound)?;
    let file = approved.file(&name).ok_or(PageError::NotFound)?;
    let (kind, way) = if name == PAGE_FILE {
        ("application/pdf", "inline")
    } else {
        ("application/json", "attachment")
    };
    let number = approved.product().number;
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("{way}; filename=\"sharing-{number}-{name}\"")),
    ];
    Ok((headers, file.bytes.clone()).into_response())
}

fn path(facility: &FacilityId, id: ProductId) -> String {
    format!("/facilities/{facility}/sharing/products/{id}")
}

fn revision(call: &Call) -> Result<u32, PageError> {
    call.form
        .field("revision")
        .parse()
        .map_err(|_| PageError::BadForm)
}

fn product_words(error: &ProductError, call: &Call) -> PageError {
    PageError::Invalid(error.words(call.locale).join(" "))
}

fn refused(error: SharingError, call: &Call) -> PageError {
    match error {
        SharingError::Refused(refusal) => product_words(&refusal, call),
        SharingError::Store(error) => error.into(),
    }
}
