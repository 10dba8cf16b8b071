//! Signing in, stage by stage, and out again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::{Color, QrCode};
use ring::hmac;

use shirase_shared::ids::UserId;
use shirase_shared::secret::Secret;

use super::console::{ConsoleState, frame, page};
use super::page_error::PageError;
use super::routes::stage_path;
use super::session::{self, Call, Caller, on_the_way, with_form_cookie};
use crate::audit::{Actor, AuditEntry};
use crate::console::{PasswordPage, SecondFactorPage, SetupPage, SignInPage, Tab};
use crate::locale::Locale;
use crate::people::{
    self, AccountError, PASSWORD_MIN_CHARS, PasswordProblem, Stage, check_totp, decoy_hash,
    totp_uri, verify_password,
};

type Answer = Result<Response, PageError>;

/// Key of the words for somebody who tries too often.
const TOO_MANY: &str = "error-too-many-attempts";

/// Asks for login and password.
pub(super) async fn form(State(state): State<ConsoleState>, call: Call) -> Answer {
    if call
        .caller
        .as_ref()
        .is_some_and(|caller| caller.session.stage == Stage::Full)
    {
        return Ok(Redirect::to("/").into_response());
    }
    show_form(&state, &call, StatusCode::OK, None)
}

/// Checks login and password. Whatever is wrong, the answer and its time are the same.
pub(super) async fn sign_in(State(state): State<ConsoleState>, call: Call) -> Answer {
    let login = call.form.field("login").to_lowercase();
    let password = Secret::new(call.form.raw("password").to_owned());
    if !state.limits.allow(&login, call.address) {
        let problem = call.locale.text("error-too-many-attempts");
        return show_form(&state, &call, StatusCode::TOO_MANY_REQUESTS, Some(problem));
    }
    let found = state.store.user_by_login(&login).await?;
    let hash = found.as_ref().map(|found| found.password_hash.clone());
    let fits = tokio::task::spawn_blocking(move || {
        verify_password(password.reveal(), hash.as_deref().unwrap_or_else(|| decoy_hash()))
    });
    let fits = fits.await.map_err(PageError::internal)?;
    let known = found.map(|found| found.user);
    let Some(user) = known.clone().filter(|user| fits && user.disabled.is_none()) else {
        if let Some(user) = known {
            note(&state, Actor::User(user.id), "user.sign_in_refused", &user.id).await?;
        }
        let problem = call.locale.text("sign-in-wrong");
        return show_form(&state, &call, StatusCode::UNAUTHORIZED, Some(problem));
    };
    let stage = Stage::after_password(user.must_change, user.second_factor);
    let old = call.caller.as_ref().map(|caller| caller.key.as_str());

    go_on(&state, &call, (&user.id, stage), old).await
}

fn show_form(
    state: &ConsoleState,
    call: &Call,
    status: StatusCode,
    problem: Option<String>,
) -> Answer {
    let f = frame(call, state, "title-sign-in", Tab::Nowhere);
    let login = call.form.field("login").chars().take(64).collect();
    let answer = (status, page(&SignInPage { f, login, problem })?).into_response();
    with_form_cookie(call, answer)
}

/// Asks for a new password.
pub(super) async fn password_form(State(state): State<ConsoleState>, call: Call) -> Answer {
    show_password(&state, &call, StatusCode::OK, None)
}

/// Replaces the password.
pub(super) async fn password(State(state): State<ConsoleState>, call: Call) -> Answer {
    let caller = call.caller()?;
    let refuse =
        |problem| show_password(&state, &call, StatusCode::UNPROCESSABLE_ENTITY, Some(problem));
    let old = Secret::new(call.form.raw("old").to_owned());
    let new = Secret::new(call.form.raw("new").to_owned());
    if call.form.raw("again") != new.reveal() {
        return refuse(call.locale.text("password-differs"));
    }
    if !state.limits.allow(&caller.user.login, call.address) {
        return refuse(call.locale.text("error-too-many-attempts"));
    }
    let known = state.store.credentials(caller.user.id).await?;
    let typed = old.clone();
    let fits =
        tokio::task::spawn_blocking(move || verify_password(typed.reveal(), &known.password_hash));
    if !fits.await.map_err(PageError::internal)? {
        return refuse(call.locale.text("password-old-wrong"));
    }
    let changed =
        people::change_password(&state.store, &caller.user, (&old, &new), state.clock.as_ref());
    match changed.await {
        Ok(()) => {}
        Err(AccountError::Password(problem)) => return refuse(describe(problem, call.locale)),
        Err(other) => return Err(PageError::internal(other)),
    }
    let stage = match caller.session.stage {
        Stage::Full => Stage::Full,
        Stage::PasswordChange | Stage::SecondFactorSetup | Stage::SecondFactor => {
            Stage::after_change(caller.user.second_factor)
        }
    };

    go_on(&state, &call, (&caller.user.id, stage), None).await
}

fn show_password(
    state: &ConsoleState,
    call: &Call,
    status: StatusCode,
    problem: Option<String>,
) -> Answer {
    let f = frame(call, state, "title-password", Tab::Nowhere);
    let forced = call.caller()?.user.must_change;
    let shown = page(&PasswordPage { f, min_chars: PASSWORD_MIN_CHARS, forced, problem })?;
    Ok((status, shown).into_response())
}

fn describe(problem: PasswordProblem, locale: Locale) -> String {
    match problem {
        PasswordProblem::TooShort => {
            locale.text_with("password-too-short", &[("min", &PASSWORD_MIN_CHARS)])
        }
        PasswordProblem::TooLong => locale.text("password-too-long"),
        PasswordProblem::Unchanged => locale.text("password-unchanged"),
        PasswordProblem::ContainsLogin => locale.text("password-contains-login"),
        PasswordProblem::Monotonous => locale.text("password-monotonous"),
    }
}

/// Shows the second factor's secret and asks for the first code.
pub(super) async fn setup_form(State(state): State<ConsoleState>, call: Call) -> Answer {
    show_setup(&state, &call, StatusCode::OK, None)
}

/// Takes the first code, which proves that the app has the secret.
pub(super) async fn setup(State(state): State<ConsoleState>, call: Call) -> Answer {
    let caller = call.caller()?;
    let refuse = |key| {
        let problem = call.locale.text(key);
        show_setup(&state, &call, StatusCode::UNPROCESSABLE_ENTITY, Some(problem))
    };
    if !state.limits.allow(&caller.user.login, call.address) {
        return refuse("error-too-many-attempts");
    }
    let secret = offered_secret(caller);
    let now = state.clock.now();
    let Some(step) = check_totp(&secret, call.form.field("code"), 0, now) else {
        return refuse("second-factor-wrong");
    };
    let id = caller.user.id;
    let entry = AuditEntry::new(now, Actor::User(id), "user.second_factor_set", id);
    if !state.store.set_totp(id, &secret, step, &entry).await? {
        return Err(PageError::Conflict);
    }
    note(&state, Actor::User(id), "user.signed_in", &id).await?;

    go_on(&state, &call, (&id, Stage::Full), Some(&caller.key)).await
}

fn show_setup(
    state: &ConsoleState,
    call: &Call,
    status: StatusCode,
    problem: Option<String>,
) -> Answer {
    let caller = call.caller()?;
    let secret = offered_secret(caller);
    let uri = totp_uri(&caller.user.login, &secret);
    let code = QrCode::new(uri.as_bytes()).map_err(PageError::internal)?;
    let letters: Vec<char> = secret.reveal().chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    let shown = page(&SetupPage {
        f: frame(call, state, "title-second-factor-setup", Tab::Nowhere),
        secret: groups.join(" "),
        qr_path: qr_path(&code),
        qr_width: code.width(),
        problem,
    })?;

    Ok((status, shown).into_response())
}

/// Returns the secret a session offers for the setup: drawn from its own random token, so that it stays the same while
/// the page is open and is stored nowhere before it is proven.
fn offered_secret(caller: &Caller) -> Secret<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, caller.session.csrf.as_bytes());
    let tag = hmac::sign(&key, b"shirase second factor");
    people::totp_secret_from(tag.as_ref())
}

/// Returns the dark squares of a QR code as an SVG path.
fn qr_path(code: &QrCode) -> String {
    use std::fmt::Write as _;

    let width = code.width();
    let mut path = String::new();
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            // Writing to a string cannot fail.
            write!(path, "M{} {}h1v1h-1z", index % width, index / width).unwrap_or_default();
        }
    }
    path
}

/// Asks for a code.
pub(super) async fn second_factor_form(State(state): State<ConsoleState>, call: Call) -> Answer {
    show_second_factor(&state, &call, StatusCode::OK, None)
}

/// Checks a code. Each is good once.
pub(super) async fn second_factor(State(state): State<ConsoleState>, call: Call) -> Answer {
    let caller = call.caller()?;
    let id = caller.user.id;
    if let Err(key) = second_factor_again(&state, &call).await? {
        let status = match key {
            TOO_MANY => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::UNAUTHORIZED,
        };
        return show_second_factor(&state, &call, status, Some(call.locale.text(key)));
    }
    note(&state, Actor::User(id), "user.signed_in", &id).await?;

    go_on(&state, &call, (&id, Stage::Full), Some(&caller.key)).await
}

/// Checks the code in the form of whoever calls. Each is good once; the key of the words says why it was not taken.
pub(super) async fn second_factor_again(
    state: &ConsoleState,
    call: &Call,
) -> Result<Result<(), &'static str>, PageError> {
    let caller = call.caller()?;
    let id = caller.user.id;
    if !state.limits.allow(&caller.user.login, call.address) {
        return Ok(Err(TOO_MANY));
    }
    let known = state.store.credentials(id).await?;
    let secret = known.totp_secret.ok_or(PageError::Conflict)?;
    let code = call.form.field("code");
    let step = check_totp(&secret, code, known.totp_last_step, state.clock.now());
    let taken = match step {
        Some(step) => state.store.use_totp_step(id, step).await?,
        None => false,
    };
    if !taken {
        note(state, Actor::User(id), "user.second_factor_refused", &id).await?;
        return Ok(Err("second-factor-wrong"));
    }

    Ok(Ok(()))
}

fn show_second_factor(
    state: &ConsoleState,
    call: &Call,
    status: StatusCode,
    problem: Option<String>,
) -> Answer {
    let f = frame(call, state, "title-second-factor", Tab::Nowhere);
    Ok((status, page(&SecondFactorPage { f, problem })?).into_response())
}

/// Ends the session.
pub(super) async fn sign_out(State(state): State<ConsoleState>, call: Call) -> Answer {
    let caller = call.caller()?;
    state.store.end_session(&caller.key).await?;
    note(&state, Actor::User(caller.user.id), "user.signed_out", &caller.user.id).await?;
    let mut answer = Redirect::to("/sign-in").into_response();
    answer.headers_mut().append(SET_COOKIE, session::forget()?);

    Ok(answer)
}

/// Begins the next stage under a new cookie and leads there.
async fn go_on(
    state: &ConsoleState,
    call: &Call,
    (user, stage): (&UserId, Stage),
    replaces: Option<&str>,
) -> Answer {
    let cookie = session::begin(state, *user, stage, replaces).await?;
    let mut answer = match stage {
        Stage::Full => on_the_way(call)?,
        Stage::PasswordChange | Stage::SecondFactorSetup | Stage::SecondFactor => {
            Redirect::to(stage_path(stage)).into_response()
        }
    };
    answer.headers_mut().append(SET_COOKIE, cookie);

    Ok(answer)
}

async fn note(
    state: &ConsoleState,
    who: Actor,
    action: &'static str,
    object: &UserId,
) -> Result<(), PageError> {
    let entry = AuditEntry::new(state.clock.now(), who, action, object);
    Ok(state.store.audit(&entry).await?)
}
