//! People of a facility: made known, given roles, reset, disabled.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use shirase_shared::ids::UserId;
use shirase_shared::secret::Secret;

use super::console::{ConsoleState, page};
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::audit::Actor;
use crate::console::users::{UserView, UsersPage, manages, role_choices};
use crate::console::{Message, StaticPage, Tab};
use crate::people::{self, AccountError, Grants, NewUser, Role, User};

type Answer = Result<Response, PageError>;

/// Shows the people of the facility.
pub(super) async fn show(State(state): State<ConsoleState>, call: Call) -> Answer {
    show_with(&state, &call, None).await
}

async fn show_with(state: &ConsoleState, call: &Call, problem: Option<String>) -> Answer {
    let facility = facility(state, call).await?;
    let caller = call.caller()?;
    let known = state.store.users().await?;
    let view = |one: &(User, Grants)| UserView::of(one, &facility.id, &caller.grants, call.locale);
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = page(&UsersPage {
        f: place_frame(call, state, &facility, ("title-users", Tab::Users))?,
        users: known.iter().filter_map(view).collect(),
        roles: role_choices(call.locale, |role| role == Role::Viewer),
        problem,
    })?;

    Ok((status, shown).into_response())
}

/// Makes somebody known here: a new account with its one-time password, or roles for a known login.
pub(super) async fn add(State(state): State<ConsoleState>, call: Call) -> Answer {
    let id = call.facility()?.clone();
    let roles = chosen_roles(&call)?;
    if roles.is_empty() {
        return show_with(&state, &call, Some(call.locale.text("user-needs-role"))).await;
    }
    let who = Actor::User(call.user_id()?);
    let clock = state.clock.as_ref();
    let login = call.form.field("login").to_lowercase();
    if let Some(user) = state.store.user_of_login(&login).await? {
        if !state.store.grants(user.id).await?.0.contains_key(&id) {
            people::grant(&state.store, user.id, &id, &roles, (who, clock))
                .await
                .map_err(PageError::internal)?;
            return Ok(done(&format!("/facilities/{id}/users"), "done-saved"));
        }
        return show_with(&state, &call, Some(call.locale.text("user-known"))).await;
    }
    let grants = roles
        .iter()
        .fold(Grants::default(), |grants, role| grants.with(&id, *role));
    let new = NewUser { login, name: call.form.field("name").to_owned(), grants };
    match people::create_user(&state.store, new, who, clock).await {
        Ok((user, one_time)) => show_once(&state, &call, &user, &one_time).await,
        Err(error @ (AccountError::Login(_) | AccountError::Name | AccountError::Taken(_))) => {
            tracing::debug!(%error, "a new user was refused");
            show_with(&state, &call, Some(call.locale.text("user-login-or-name"))).await
        }
        Err(
            error @ (AccountError::Password(_) | AccountError::Hash(_) | AccountError::Store(_)),
        ) => Err(PageError::internal(error)),
    }
}

/// Sets what somebody may do here.
pub(super) async fn set_roles(
    State(state): State<ConsoleState>,
    Path((_, user)): Path<(String, UserId)>,
    call: Call,
) -> Answer {
    let id = call.facility()?;
    let roles = chosen_roles(&call)?;
    known_here(&state, &call, user).await?;
    if user == call.user_id()? && !roles.contains(&Role::Administrator) {
        return show_with(&state, &call, Some(call.locale.text("user-own-role"))).await;
    }
    let who = Actor::User(call.user_id()?);
    people::grant(&state.store, user, id, &roles, (who, state.clock.as_ref()))
        .await
        .map_err(PageError::internal)?;

    Ok(done(&format!("/facilities/{id}/users"), "done-saved"))
}

/// Gives somebody a new one-time password; their second factor and sessions are gone.
pub(super) async fn reset(
    State(state): State<ConsoleState>,
    Path((_, user)): Path<(String, UserId)>,
    call: Call,
) -> Answer {
    let known = managed(&state, &call, user).await?;
    let who = Actor::User(call.user_id()?);
    let one_time = people::reset_user(&state.store, user, who, state.clock.as_ref())
        .await
        .map_err(PageError::internal)?;

    show_once(&state, &call, &known, &one_time).await
}

/// Lets somebody sign in no more.
pub(super) async fn disable(
    State(state): State<ConsoleState>,
    Path((_, user)): Path<(String, UserId)>,
    call: Call,
) -> Answer {
    managed(&state, &call, user).await?;
    if user == call.user_id()? {
        return show_with(&state, &call, Some(call.locale.text("user-own-account"))).await;
    }
    let who = Actor::User(call.user_id()?);
    people::disable_user(&state.store, user, who, state.clock.as_ref())
        .await
        .map_err(PageError::internal)?;

    Ok(done(&format!("/facilities/{}/users", call.facility()?), "done-user-disabled"))
}

/// Returns what somebody may do, if they hold a role at this facility.
async fn known_here(state: &ConsoleState, call: &Call, user: UserId) -> Result<Grants, PageError> {
    let grants = state.store.grants(user).await?;
    if grants.roles(call.facility()?).next().is_none() {
        return Err(PageError::NotFound);
    }
    Ok(grants)
}

/// Returns an account this administrator may reset and disable.
async fn managed(state: &ConsoleState, call: &Call, user: UserId) -> Result<User, PageError> {
    let grants = known_here(state, call, user).await?;
    if !manages(&call.caller()?.grants, &grants) {
        return Err(PageError::Forbidden);
    }
    Ok(state.store.user(user).await?)
}

fn chosen_roles(call: &Call) -> Result<BTreeSet<Role>, PageError> {
    call.form
        .all("role")
        .map(|text| text.parse().map_err(|_| PageError::BadForm))
        .collect()
}

async fn show_once(
    state: &ConsoleState,
    call: &Call,
    user: &User,
    one_time: &Secret<String>,
) -> Answer {
    let facility = facility(state, call).await?;
    let text = |key| call.locale.text(key);
    let values = vec![
        (text("login"), user.login.clone()),
        (text("one-time-password"), one_time.reveal().clone()),
    ];
    page(&StaticPage {
        f: place_frame(call, state, &facility, ("title-one-time-password", Tab::Users))?,
        message: Message::Once { text: text("one-time-password-once"), values },
        back: format!("/facilities/{}/users", facility.id),
    })
}
