//! An incident opened by hand, over what a person noticed, and incidents joined by hand.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use shirase_shared::ids::{DrillId, HostId, IncidentId};

use super::console::{ConsoleState, page};
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::console::Tab;
use crate::console::incident::{SightingInputs, SightingPage, read_time_field, time_field};
use crate::correlate::{Sighting, SightingPlace, SightingWay, SightingWeight};
use crate::facilities::{CareRole, Host};
use crate::jobs::What;
use crate::reports::fields::Field;

type Answer = Result<Response, PageError>;

/// Shows the empty form.
pub(super) async fn form(State(state): State<ConsoleState>, call: Call) -> Answer {
    let sent = SightingInputs {
        way: SightingWay::Staff.to_string(),
        weight: SightingWeight::High.to_string(),
        noticed_at: time_field(state.clock.now()),
        once: uuid::Uuid::new_v4().to_string(),
        ..SightingInputs::default()
    };
    page(&shown(&state, &call, (sent, None)).await?)
}

async fn shown(
    state: &ConsoleState,
    call: &Call,
    (sent, problem): (SightingInputs, Option<String>),
) -> Result<SightingPage, PageError> {
    let facility = facility(state, call).await?;
    let hosts = state.store.hosts(&facility.id).await?;
    let f = place_frame(call, state, &facility, ("title-sighting", Tab::Incidents))?;
    let now_field = time_field(state.clock.now());
    Ok(SightingPage::of(f, &hosts, sent, (now_field, problem)))
}

/// Opens the incident. What is wrong is said on the filled form.
pub(super) async fn enter(State(state): State<ConsoleState>, call: Call) -> Answer {
    let sent = inputs(&call);
    let here = call.facility()?;
    let now = state.clock.now();
    let checked = match read_time_field(&sent.noticed_at) {
        Some(noticed_at) => {
            let sighting = sighting(&sent, (noticed_at, now))?;
            sighting
                .check()
                .map(|()| sighting)
                .map_err(|problem| problem.text_key())
        }
        None => Err("step-time-wrong"),
    };
    let sighting = match checked {
        Ok(sighting) => sighting,
        Err(key) => {
            let problem = Some(call.locale.text(key));
            let form = shown(&state, &call, (sent, problem)).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&form)?).into_response());
        }
    };
    // A form sent twice, by a nervous finger or a lost answer, opens one incident.
    let once: uuid::Uuid = sent.once.parse().map_err(|_| PageError::BadForm)?;
    let hosts = state.store.hosts(here).await?;
    let place = place(&sent, &hosts, once)?;
    let conclusion = sighting.conclude(here, &once.to_string(), place);
    let id = state
        .store
        .open_incident(conclusion, call.user_id()?, now)
        .await?;
    state.nudge.tell_incident(here, id, What::Incident);

    Ok(done(&format!("/facilities/{here}/incidents/{id}"), "done-sighting"))
}

fn inputs(call: &Call) -> SightingInputs {
    let field = |name| call.form.field(name).to_owned();
    let all = |name| {
        let given = call.form.all(name);
        given.into_iter().map(str::to_owned).collect()
    };
    SightingInputs {
        subject: field("subject"),
        way: field("way"),
        noticed_by: field("noticed_by"),
        noticed_at: field("noticed_at"),
        what: field("what").replace("\r\n", "\n"),
        kind: field("kind"),
        weight: field("weight"),
        hosts: all("host"),
        roles: all("role"),
        drill: call.form.field("drill") == "yes",
        once: field("once"),
    }
}

fn sighting(
    sent: &SightingInputs,
    (noticed_at, entered_at): (Timestamp, Timestamp),
) -> Result<Sighting, PageError> {
    let is_kind = sent.kind.is_empty() || Field::Kind.choices().contains(&sent.kind.as_str());
    if !is_kind {
        return Err(PageError::BadForm);
    }
    Ok(Sighting {
        subject: sent.subject.trim().to_owned(),
        way: SightingWay::parse(&sent.way).ok_or(PageError::BadForm)?,
        noticed_by: sent.noticed_by.trim().to_owned(),
        noticed_at,
        what: sent.what.trim().to_owned(),
        kind: sent.kind.clone(),
        entered_at,
        case: None,
    })
}

fn place(
    sent: &SightingInputs,
    hosts: &[Host],
    once: uuid::Uuid,
) -> Result<SightingPlace, PageError> {
    let named = |host: &&Host| sent.hosts.contains(&host.id.to_string());
    let named: Vec<&Host> = hosts.iter().filter(named).collect();
    if named.len() != sent.hosts.len() {
        return Err(PageError::BadForm);
    }
    let mut care_roles: BTreeSet<CareRole> = BTreeSet::new();
    for role in &sent.roles {
        let known = CareRole::ALL.into_iter().find(|one| one.as_str() == role);
        care_roles.insert(known.ok_or(PageError::BadForm)?);
    }
    care_roles.extend(named.iter().flat_map(|host| &host.roles));
    let ids: BTreeSet<HostId> = named.iter().map(|host| host.id).collect();

    Ok(SightingPlace {
        hosts: ids,
        care_roles,
        weight: SightingWeight::parse(&sent.weight).ok_or(PageError::BadForm)?,
        drill: sent.drill.then(|| DrillId::from_uuid(once)),
    })
}

/// Makes an incident a part of another.
pub(super) async fn join(
    State(state): State<ConsoleState>,
    Path((_, id)): Path<(String, IncidentId)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?;
    let number = call.form.field("number").trim().trim_start_matches('#');
    let Ok(number) = number.parse() else {
        return Err(PageError::Invalid(call.locale.text("join-refused-number")));
    };
    let by = call.user_id()?;
    let joined = state
        .store
        .join_incidents((facility, id), number, by, state.clock.now())
        .await;
    let into = joined.map_err(|error| match (error.text_key(), error) {
        (Some(key), _) => PageError::Invalid(call.locale.text(key)),
        (None, crate::store::JoinError::Store(error)) => error.into(),
        (None, _) => PageError::BadForm,
    })?;
    state.nudge.tell_incident(facility, into, What::Incident);

    Ok(done(&format!("/facilities/{facility}/incidents/{into}"), "done-joined"))
}
