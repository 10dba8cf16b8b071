//! Notices to many partners on the pages.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use shirase_shared::ids::CircularId;

use super::console::{ConsoleState, page};
use super::console_exchange::{person, trusted, upload, words};
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::console::Tab;
use crate::console::circulars::{CircularInputs, CircularPage, CircularsPage};
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::partner::PartnerId;
use crate::jobs::What;
use crate::post::{NewCircular, PostError};

/// What a circular can be.
const KINDS: &[PackageKind] = &[PackageKind::Notice, PackageKind::DrillInvitation];

type Answer = Result<Response, PageError>;
type Place = Path<(String, CircularId)>;

/// Shows all circulars and the form of a new one.
pub(super) async fn list(State(state): State<ConsoleState>, call: Call) -> Answer {
    let sent = CircularInputs {
        kind: PackageKind::Notice.as_str().to_owned(),
        tlp: Tlp::default().as_str().to_owned(),
        ..CircularInputs::default()
    };
    page(&shown(&state, &call, (sent, None)).await?)
}

async fn shown(
    state: &ConsoleState,
    call: &Call,
    sent: (CircularInputs, Option<String>),
) -> Result<CircularsPage, PageError> {
    let facility = facility(state, call).await?;
    let circulars = state.store.circulars(&facility.id).await?;
    let partners = trusted(state, call).await?;
    let f = place_frame(call, state, &facility, ("title-circulars", Tab::Exchange))?;
    Ok(CircularsPage::of(f, (&circulars, &partners), sent))
}

/// Takes a circular for a release. What is wrong with it is said on the filled form.
pub(super) async fn write(State(state): State<ConsoleState>, call: Call) -> Answer {
    let here = call.facility()?.clone();
    let form = &call.form;
    let sent = CircularInputs {
        subject: form.field("subject").to_owned(),
        text: form.field("text").replace("\r\n", "\n"),
        kind: form.field("kind").to_owned(),
        tlp: form.field("tlp").to_owned(),
        drill: form.field("drill") == "yes",
        partners: form.all("partner").map(str::to_owned).collect(),
    };
    let partners: Vec<PartnerId> = if form.field("all") == "yes" {
        let trusted = trusted(&state, &call).await?;
        trusted.into_iter().map(|partner| partner.id).collect()
    } else {
        let named: Result<Vec<_>, _> = sent.partners.iter().map(|id| id.parse()).collect();
        named.map_err(|_| PageError::BadForm)?
    };
    let kind = PackageKind::parse(&sent.kind).filter(|kind| KINDS.contains(kind));
    let kind = kind.ok_or(PageError::BadForm)?;
    let new = NewCircular {
        facility: here.clone(),
        kind,
        subject: sent.subject.clone(),
        text: sent.text.clone(),
        tlp: Tlp::parse(&sent.tlp).ok_or(PageError::BadForm)?,
        drill: sent.drill || kind == PackageKind::DrillInvitation,
        files: upload(&call)?,
        partners,
        by: person(&call)?,
    };
    match state.post.circulate(new).await {
        Ok(id) => Ok(done(&format!("/facilities/{here}/circulars/{id}"), "done-circular-written")),
        Err(PostError::Text { part: "addressees", .. }) => {
            let problem = call.locale.text("circular-refused-addressees");
            refused(&state, &call, sent, problem).await
        }
        Err(error) => {
            let said = words(error, &call);
            let PageError::Invalid(problem) = said else { return Err(said) };
            refused(&state, &call, sent, problem).await
        }
    }
}

async fn refused(
    state: &ConsoleState,
    call: &Call,
    sent: CircularInputs,
    problem: String,
) -> Answer {
    let form = shown(state, call, (sent, Some(problem))).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&form)?).into_response())
}

/// Shows one circular.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let circular = state.store.circular(&facility.id, id).await?;
    let partners = state.store.partners(&facility.id).await?;
    let f = place_frame(&call, &state, &facility, ("title-circular", Tab::Exchange))?;
    let participations = if circular.kind == PackageKind::DrillInvitation {
        let found = state.post.participations(&circular).await;
        found.map_err(|error| words(error, &call))?
    } else {
        Vec::new()
    };
    page(&CircularPage::of(f, (&circular, &participations), &partners, call.user_id()?))
}

/// Releases what waits of it as its second person.
pub(super) async fn release(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let released = state
        .post
        .release_circular(here, id, &person(&call)?)
        .await
        .map_err(|error| words(error, &call))?;
    state.nudge.tell_of(here, What::Exchange);
    if let Some((_, why)) = released.failed.first() {
        let count = released.failed.len();
        let said = call
            .locale
            .text_with("circular-release-partly", &[("count", &count), ("why", why)]);
        return Err(PageError::Invalid(said));
    }

    Ok(done(&format!("/facilities/{here}/circulars/{id}"), "done-circular-released"))
}

/// Sends what waits of it back.
pub(super) async fn send_back(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let (by, reason) = (person(&call)?, call.form.field("reason"));
    let sent = state.post.send_circular_back(here, id, (&by, reason)).await;
    sent.map_err(|error| words(error, &call))?;

    Ok(done(&format!("/facilities/{here}/circulars/{id}"), "done-message-returned"))
}

/// Writes a reminder to everybody who did not read it.
pub(super) async fn remind(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let said =
        (call.form.field("subject").to_owned(), call.form.field("text").replace("\r\n", "\n"));
    let reminder = state.post.remind((here, id), said, person(&call)?).await;
    let reminder = reminder.map_err(|error| words(error, &call))?;

    Ok(done(&format!("/facilities/{here}/circulars/{reminder}"), "done-circular-written"))
}
