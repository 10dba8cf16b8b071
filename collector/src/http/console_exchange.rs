//! What goes between partners: inbox, threads, files, and messages between their writing and their release.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use shirase_shared::ids::MessageId;

use super::console::{ConsoleState, page};
use super::console_cases as cases;
use super::page_error::PageError;
use super::place::{done, facility, place_frame, query};
use super::session::Call;
use crate::console::Tab;
use crate::console::exchange::{
    Begun, ExchangePage, MessageForm, MessagePage, MessageRow, PackageRow, PackageView, ThreadPage,
    gaps,
};
use crate::exchange::PackageId;
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::message::{Message, MessageError, MessageState};
use crate::exchange::package::PackageFile;
use crate::exchange::partner::{Partner, PartnerId};
use crate::jobs::What;
use crate::post::PostError;
use crate::reports::answer::NamedPerson;
use crate::store::StoreError;

type Answer = Result<Response, PageError>;

/// Packages on one page of the inbox.
const PAGE_ROWS: u32 = 50;
/// Most pages of the inbox.
const PAGES_MAX: u32 = 100_000;
/// Largest file that goes along with a message.
pub(super) const MESSAGE_FILE_MAX_BYTES: usize = 8 * 1024 * 1024;
/// Messages that are shown once they are decided on.
const DECIDED_SHOWN: usize = 10;

/// Shows what came and went.
pub(super) async fn list(State(state): State<ConsoleState>, call: Call) -> Answer {
    page(&inbox(&state, &call).await?)
}

async fn inbox(state: &ConsoleState, call: &Call) -> Result<ExchangePage, PageError> {
    let facility = facility(state, call).await?;
    let locale = call.locale;
    let number: u32 = query(call, "page").parse().unwrap_or(1).clamp(1, PAGES_MAX);
    let skipped = (number - 1) * PAGE_ROWS;
    let (packages, more) = state
        .store
        .inbox(&facility.id, (skipped, PAGE_ROWS))
        .await?;
    let titles = cases::titles(state, call).await?;
    let rows = packages.iter().map(|one| {
        let row = PackageRow::of(one, locale);
        match &titles {
            Some(titles) => row.in_case(one, titles.get(&one.thread)),
            None => row,
        }
    });
    let rows = rows.collect();
    let mut messages = state.store.messages(&facility.id).await?;
    let waiting = messages
        .iter()
        .filter(|one| one.state == MessageState::Waiting)
        .count();
    messages.truncate(waiting + DECIDED_SHOWN);
    let partners = trusted(state, call).await?;
    let organisation = state.post.organisation();
    let begun = Begun { partners: &partners, organisation, answered: None };

    Ok(ExchangePage {
        rows,
        newer: (1 < number).then(|| number - 1),
        older: more.then(|| number + 1),
        messages: messages
            .iter()
            .map(|one| MessageRow::of(one, locale))
            .collect(),
        form: MessageForm::of(&begun, locale),
        informs: organisation.informs(),
        problem: None,
        f: place_frame(call, state, &facility, ("title-exchange", Tab::Exchange))?,
    })
}

/// Returns the partners that are trusted.
pub(super) async fn trusted(state: &ConsoleState, call: &Call) -> Result<Vec<Partner>, PageError> {
    let mut partners = state.store.partners(call.facility()?).await?;
    partners.retain(|partner| partner.revoked.is_none());

    Ok(partners)
}

/// Shows the thread a package belongs to.
pub(super) async fn thread(
    State(state): State<ConsoleState>,
    Path((_, id)): Path<(String, PackageId)>,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let reader = call.caller()?.user.name.clone();
    let asked = state.store.package(&facility.id, &id).await?;
    let mut packages = state
        .store
        .packages(&facility.id, Some(&asked.thread))
        .await?;
    packages.reverse();
    let mut partners = trusted(&state, &call).await?;
    partners.retain(|partner| partner.id == asked.partner);
    let organisation = state.post.organisation();
    let begun = Begun { partners: &partners, organisation, answered: Some(&asked) };
    let shown = ThreadPage {
        items: packages
            .iter()
            .map(|one| PackageView::of(one, &reader, call.locale))
            .collect(),
        gaps: gaps(&packages),
        shelf: cases::of_thread(&state, &call, packages.first()).await?,
        form: (!partners.is_empty()).then(|| MessageForm::of(&begun, call.locale)),
        f: place_frame(&call, &state, &facility, ("title-exchange-thread", Tab::Exchange))?,
    };
    page(&shown)
}

/// Hands a file of a package out.
pub(super) async fn file(
    State(state): State<ConsoleState>,
    Path((_, id, number)): Path<(String, PackageId, usize)>,
    call: Call,
) -> Answer {
    let package = state.store.whole_package(call.facility()?, &id).await?;
    let file = package.files().get(number).ok_or(PageError::NotFound)?;

    Ok(saved(file))
}

/// Hands a file out, to be saved: never to be shown by the browser.
pub(super) fn saved(file: &PackageFile) -> Response {
    let encoded: String = file
        .name
        .as_str()
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{encoded}")),
    ];
    (headers, file.bytes.clone()).into_response()
}

/// Records that the caller read a package.
pub(super) async fn read(
    State(state): State<ConsoleState>,
    Path((_, id)): Path<(String, PackageId)>,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let new = state.post.read(here, &id, &person(&call)?).await;
    if new.map_err(|error| words(error, &call))? {
        state.nudge.tell_of(here, What::Exchange);
    }
    Ok(done(&format!("/facilities/{here}/exchange/packages/{id}"), "done-package-read"))
}

/// Takes a message for a release.
pub(super) async fn write(State(state): State<ConsoleState>, call: Call) -> Answer {
    let here = call.facility()?.clone();
    let form = &call.form;
    let partner: PartnerId = form
        .field("partner")
        .parse()
        .map_err(|_| PageError::BadForm)?;
    let reply_to = match form.field("reply_to") {
        "" => None,
        id => Some(id.parse().map_err(|_| PageError::BadForm)?),
    };
    let message = Message {
        facility: here.clone(),
        id: MessageId::random(),
        partner,
        kind: PackageKind::parse(form.field("kind")).ok_or(PageError::BadForm)?,
        tlp: Tlp::parse(form.field("tlp")).ok_or(PageError::BadForm)?,
        drill: form.field("drill") == "yes",
        reply_to,
        subject: form.field("subject").to_owned(),
        text: form.field("text").replace("\r\n", "\n"),
        files: upload(&call)?,
        written_by: person(&call)?,
        written_at: state.clock.now(),
        state: MessageState::Waiting,
    };
    state
        .post
        .write(&message)
        .await
        .map_err(|error| words(error, &call))?;
    let path = format!("/facilities/{here}/exchange/messages/{}", message.id);

    Ok(done(&path, "done-message-written"))
}

/// Shows a message.
pub(super) async fn message(
    State(state): State<ConsoleState>,
    Path((_, id)): Path<(String, MessageId)>,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let message = state.store.message(&facility.id, id).await?;
    let f = place_frame(&call, &state, &facility, ("title-exchange-message", Tab::Exchange))?;
    page(&MessagePage::of(f, &message, call.user_id()?))
}

/// Releases a message as its second person.
pub(super) async fn release(
    State(state): State<ConsoleState>,
    Path((_, id)): Path<(String, MessageId)>,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let released = state.post.release(here, id, person(&call)?).await;
    let package = released.map_err(|error| words(error, &call))?;
    state.nudge.tell_of(here, What::Exchange);

    Ok(done(&format!("/facilities/{here}/exchange/packages/{package}"), "done-message-released"))
}

/// Sends a message back.
pub(super) async fn send_back(
    State(state): State<ConsoleState>,
    Path((_, id)): Path<(String, MessageId)>,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let (by, reason) = (person(&call)?, call.form.field("reason"));
    let sent = state.post.send_back(here, id, (&by, reason)).await;
    sent.map_err(|error| words(error, &call))?;

    Ok(done(&format!("/facilities/{here}/exchange/messages/{id}"), "done-message-returned"))
}

/// Returns the file that was sent along, if one was.
pub(super) fn upload(call: &Call) -> Result<Vec<PackageFile>, PageError> {
    let Some(upload) = &call.upload else { return Ok(Vec::new()) };
    let name = upload.name.parse().map_err(|_| {
        let said = call.locale.text("exchange-refused-file-name");
        PageError::Invalid(said)
    })?;
    Ok(vec![PackageFile { name, bytes: upload.bytes.to_vec() }])
}

/// Returns the caller by name.
pub(super) fn person(call: &Call) -> Result<NamedPerson, PageError> {
    let user = &call.caller()?.user;
    Ok(NamedPerson { user: user.id, name: user.name.clone() })
}

/// Says a refusal in the caller's language.
pub(super) fn words(error: PostError, call: &Call) -> PageError {
    let key = match error {
        PostError::Store(StoreError::Exists(_)) | PostError::Accepted(_) => {
            "exchange-refused-accepted"
        }
        PostError::Store(error) => return error.into(),
        PostError::Card(_) => "exchange-refused-card",
        PostError::OwnCard => "exchange-refused-own-card",
        PostError::Nameless(_) => "exchange-refused-nameless",
        PostError::NoCard(_) => "exchange-refused-no-card",
        PostError::Revoked(_) => "exchange-refused-revoked",
        PostError::Rotation(_) => "exchange-refused-rotation",
        PostError::Text { .. } | PostError::Message(MessageError::Text { .. }) => {
            "exchange-refused-text"
        }
        PostError::Message(MessageError::OwnMessage) => "exchange-refused-own-message",
        PostError::Message(MessageError::NotWaiting(_)) => "exchange-refused-not-waiting",
        PostError::Message(MessageError::Drill) => "exchange-refused-drill",
        PostError::Message(_) => "exchange-refused-kind",
        PostError::Refused(_) | PostError::Take(_) | PostError::Package(_) => {
            let why = error.to_string();
            let said = call
                .locale
                .text_with("exchange-refused-other", &[("why", &why)]);
            return PageError::Invalid(said);
        }
    };
    PageError::Invalid(call.locale.text(key))
}
