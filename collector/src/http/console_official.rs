//! Official forms: uploaded, shown, mapped, removed, and filled with a report.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use shirase_shared::ids::ReportId;
use shirase_shared::tls::sha256_hex;

use super::console::{ConsoleState, page};
use super::console_decision;
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::approval::Format;
use crate::audit::Actor;
use crate::console::Tab;
use crate::console::official::{
    FormRow, Looking, OfficialFormPage, OfficialFormsPage, put as put_place,
};
use crate::reports::official::{
    As, FormId, FormKind, Mapping, OfficialForm, Part, Place as FormPlace, What, accept, check,
    view,
};
use crate::store::StoreError;

type Answer = Result<Response, PageError>;
type Place = Path<(String, String)>;
type ReportPlace = Path<(String, ReportId, String)>;
type Looked = Query<BTreeMap<String, String>>;

/// Shows the forms of a facility.
pub(super) async fn list(State(state): State<ConsoleState>, call: Call) -> Answer {
    page(&forms_page(&state, &call, None).await?)
}

async fn forms_page(
    state: &ConsoleState,
    call: &Call,
    problem: Option<String>,
) -> Result<OfficialFormsPage, PageError> {
    let facility = facility(state, call).await?;
    let forms = state.store.official_forms(&facility.id).await?;
    Ok(OfficialFormsPage {
        f: place_frame(call, state, &facility, ("title-official-forms", Tab::Settings))?,
        forms: forms.iter().map(FormRow::of).collect(),
        problem,
    })
}

/// Takes a form in after every check. What is wrong with it is said on the page.
pub(super) async fn put(State(state): State<ConsoleState>, call: Call) -> Answer {
    match read_upload(&state, &call).await? {
        Ok(form) => {
            let who = Actor::User(call.user_id()?);
            state.store.put_official_form(&form, who).await?;
            Ok(done(&form_path(&call, &form.id)?, "done-form-imported"))
        }
        Err(problem) => {
            let shown = forms_page(&state, &call, Some(problem)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
        }
    }
}

async fn read_upload(
    state: &ConsoleState,
    call: &Call,
) -> Result<Result<OfficialForm, String>, PageError> {
    let Some(upload) = call.upload.clone() else {
        return Ok(Err(call.locale.text("form-no-file")));
    };
    let id: FormId = match call.form.field("id").parse() {
        Ok(id) => id,
        Err(error) => return Ok(Err(crate::reports::official::FormError::to_string(&error))),
    };
    let bytes = upload.bytes.clone();
    let accepted = tokio::task::spawn_blocking(move || accept(&bytes)).await;
    let kind = match accepted.map_err(PageError::internal)? {
        Ok(kind) => kind,
        Err(error) => return Ok(Err(shirase_shared::error::Chain(&error).to_string())),
    };
    Ok(Ok(OfficialForm {
        facility: call.facility()?.clone(),
        id,
        kind,
        file_name: crate::locale::visible(&upload.name)
            .chars()
            .take(200)
            .collect(),
        sha256: sha256_hex(&upload.bytes),
        bytes: upload.bytes.to_vec(),
        mapping: Mapping::default(),
        uploaded_by: Some(call.user_id()?),
        uploaded_at: state.clock.now(),
    }))
}

/// Shows a form as tables, with a form beside it for the place that is looked at.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    Query(looked): Looked,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let form = form(&state, &call, &id).await?;
    let sheet = looked.get("sheet").and_then(|sheet| sheet.parse().ok());
    let at = looked.get("at").cloned().unwrap_or_default();
    let looking = Looking { sheet: sheet.unwrap_or(0), at };
    let f = place_frame(&call, &state, &facility, ("title-official-form", Tab::Settings))?;
    let work = move || {
        let seen = view(form.kind, &form.bytes)?;
        let problems = check(form.kind, &form.bytes, &form.mapping)?;
        Ok::<_, crate::reports::official::FormError>((form, seen, problems))
    };
    let read = tokio::task::spawn_blocking(work).await;
    let (form, seen, problems) = read
        .map_err(PageError::internal)?
        .map_err(|error| PageError::Invalid(error.to_string()))?;

    page(&OfficialFormPage::of(f, &form, &seen, (&looking, problems)))
}

/// Says what one place of a form holds.
pub(super) async fn map(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let mut form = form(&state, &call, &id).await?;
    let place = read_place(&call)?;
    let down: usize = call.form.field("down").parse().unwrap_or(0);
    let at = place.at.clone();
    let work = move || {
        let seen = view(form.kind, &form.bytes)?;
        put_place(&mut form.mapping, &place, down, &seen);
        Ok::<_, crate::reports::official::FormError>(form)
    };
    let mapped = tokio::task::spawn_blocking(work).await;
    let form = mapped
        .map_err(PageError::internal)?
        .map_err(|error| PageError::Invalid(error.to_string()))?;
    let faults = form.mapping.faults();
    if !faults.is_empty() {
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        return Err(PageError::Invalid(told.join("; ")));
    }
    let who = Actor::User(call.user_id()?);
    let now = state.clock.now();
    let key = (call.facility()?, &form.id);
    state
        .store
        .map_official_form(key, &form.mapping, who, now)
        .await?;

    let sheet: usize = call.form.field("sheet").parse().unwrap_or(0);
    let place = crate::console::official::query(sheet, &at);
    let path = form_path(&call, &form.id)?;
    // Back to the same sheet and place, so that the next one can be chosen from there.
    Ok(Redirect::to(&format!("{path}?done=saved&{}#map", place.trim_start_matches('?')))
        .into_response())
}

fn read_place(call: &Call) -> Result<FormPlace, PageError> {
    let form = &call.form;
    let row = form.field("row");
    let say = form.field("say").to_owned();
    let say = match say.parse() {
        Ok(What::Field { field, part, .. }) if !row.is_empty() => {
            let row: usize = row.parse().map_err(|_| PageError::BadForm)?;
            let part: Part = part;
            What::Field { field, part, row: Some(row) }.to_string()
        }
        Ok(What::Column { field, code, .. }) if !row.is_empty() => {
            let row: usize = row.parse().map_err(|_| PageError::BadForm)?;
            What::Column { field, code, row: Some(row) }.to_string()
        }
        Ok(_) | Err(_) => say,
    };
    let words = form.parts().into_iter();
    let words = words
        .map(|(code, word)| (code, word.trim().to_owned()))
        .filter(|(_, word)| !word.is_empty())
        .collect();
    let kind = match form.field("as") {
        "number" => As::Number,
        "date" => As::Date,
        "date_time" => As::DateTime,
        _ => As::Text,
    };
    Ok(FormPlace {
        at: form.field("at").to_owned(),
        say,
        kind,
        words,
        ticked: form.field("ticked").to_owned(),
        unticked: form.field("unticked").to_owned(),
    })
}

/// Removes a form.
pub(super) async fn remove(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let form = form(&state, &call, &id).await?;
    let who = Actor::User(call.user_id()?);
    let key = (call.facility()?, &form.id);
    state
        .store
        .remove_official_form(key, who, state.clock.now())
        .await?;

    Ok(done(&format!("/facilities/{}/official-forms", call.facility()?), "done-form-removed"))
}

/// Sends a form filled with a report.
pub(super) async fn filled(
    State(state): State<ConsoleState>,
    Path((_, report, id)): ReportPlace,
    call: Call,
) -> Answer {
    let form = form(&state, &call, &id).await?;
    let made = state
        .releases
        .official_copy(call.facility()?, report, &form.id)
        .await
        .map_err(|error| console_decision::words(error, &call))?;
    let kind = match form.kind {
        FormKind::Xlsx => Format::Xlsx,
        FormKind::Docx => Format::Docx,
    };
    let headers = [
        (CONTENT_TYPE, kind.media_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", made.name)),
    ];
    Ok((headers, made.bytes).into_response())
}

async fn form(state: &ConsoleState, call: &Call, id: &str) -> Result<OfficialForm, PageError> {
    let id: FormId = id.parse().map_err(|_| PageError::NotFound)?;
    match state.store.official_form(call.facility()?, &id).await {
        Ok(form) => Ok(form),
        Err(StoreError::Missing(_)) => Err(PageError::NotFound),
        Err(error) => Err(error.into()),
    }
}

fn form_path(call: &Call, id: &FormId) -> Result<String, PageError> {
    Ok(format!("/facilities/{}/official-forms/{id}", call.facility()?))
}
