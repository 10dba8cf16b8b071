//! What is done to accounts: from the console by administrators, from the command line by whoever runs the collector.

use std::collections::BTreeSet;

use shirase_shared::clock::Clock;
use shirase_shared::ids::{FacilityId, UserId};
use shirase_shared::secret::Secret;

use super::{
    Grants, PasswordProblem, Role, User, check_new_password, hash_password, new_one_time_password,
};
use crate::audit::{Actor, AuditEntry};
use crate::store::{Store, StoreError};

/// Longest login and name in characters.
const LOGIN_MAX_CHARS: usize = 64;
const NAME_MAX_CHARS: usize = 100;

/// Why an account could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The login is not one.
    #[error(
        "`{0}` is no login name; use 1 to 64 of the characters a-z, 0-9, `.`, `-`, `_` and `@`"
    )]
    Login(String),
    /// The name is not one.
    #[error("a name has 1 to 100 characters, none of them a control character")]
    Name,
    /// Somebody has it already.
    #[error("the login name `{0}` is taken; choose another, or reset that account")]
    Taken(String),
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// The password could not be hashed.
    #[error("failed to hash a password")]
    Hash(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused.
    #[error("failed to change an account")]
    Store(#[from] StoreError),
}

/// A person to be made known.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they will type to sign in.
    pub login: String,
    /// Their name as printed on a report.
    pub name: String,
    /// What they may do where.
    pub grants: Grants,
}

/// Makes an account and returns its one-time password, which has to be changed at the first sign-in.
///
/// # Errors
/// When login or name are not legal, or the login is taken.
pub async fn create_user(
    store: &Store,
    new: NewUser,
    who: Actor,
    clock: &dyn Clock,
) -> Result<(User, Secret<String>), AccountError> {
    let login = check_login(&new.login)?;
    let name = check_name(&new.name)?;
    if store.user_by_login(&login).await?.is_some() {
        return Err(AccountError::Taken(login));
    }
    let (one_time, hash) = one_time_password().await?;
    let now = clock.now();
    let user = User {
        id: UserId::random(),
        login,
        name,
        must_change: true,
        second_factor: false,
        created: now,
        disabled: None,
    };
    store.insert_user(&user, &hash, &new.grants, who).await?;

    Ok((user, one_time))
}

/// Gives an account a new one-time password; its second factor and its sessions are gone.
///
/// # Errors
/// When there is no such account.
pub async fn reset_user(
    store: &Store,
    user: UserId,
    who: Actor,
    clock: &dyn Clock,
) -> Result<Secret<String>, AccountError> {
    let (one_time, hash) = one_time_password().await?;
    let entries = entries_for(store, user, who, "user.reset", clock).await?;
    store.reset_user(user, &hash, &entries).await?;

    Ok(one_time)
}

/// Lets somebody sign in no more; their sessions end at once.
///
/// # Errors
/// When there is no such account.
pub async fn disable_user(
    store: &Store,
    user: UserId,
    who: Actor,
    clock: &dyn Clock,
) -> Result<(), AccountError> {
    let entries = entries_for(store, user, who, "user.disabled", clock).await?;
    Ok(store.disable_user(user, clock.now(), &entries).await?)
}

/// Sets what somebody may do at one facility; an empty set takes everything away.
///
/// # Errors
/// When there is no such account or facility.
pub async fn grant(
    store: &Store,
    user: UserId,
    facility: &FacilityId,
    roles: &BTreeSet<Role>,
    entry: (Actor, &dyn Clock),
) -> Result<(), AccountError> {
    let (who, clock) = entry;
    let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    let entry = AuditEntry::new(clock.now(), who, "user.granted", user)
        .of(facility)
        .with("roles", names.join(" "));
    Ok(store.set_roles(user, facility, roles, &entry).await?)
}

/// Replaces somebody's password by one they chose themselves.
///
/// # Errors
/// When the new one is not taken.
pub async fn change_password(
    store: &Store,
    user: &User,
    (old, new): (&Secret<String>, &Secret<String>),
    clock: &dyn Clock,
) -> Result<(), AccountError> {
    check_new_password(new.reveal(), &user.login, old.reveal())?;
    let hash = hash(new.clone()).await?;
    let entry =
        AuditEntry::new(clock.now(), Actor::User(user.id), "user.password_changed", user.id);
    Ok(store.set_password(user.id, &hash, &entry).await?)
}

/// Returns every account with its roles, in the order of logins.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store) -> Result<Vec<(User, Grants)>, AccountError> {
    Ok(store.users().await?)
}

async fn one_time_password() -> Result<(Secret<String>, String), AccountError> {
    let one_time = new_one_time_password();
    let hash = hash(one_time.clone()).await?;
    Ok((one_time, hash))
}

async fn hash(password: Secret<String>) -> Result<String, AccountError> {
    tokio::task::spawn_blocking(move || hash_password(password.reveal()))
        .await
        .map_err(|error| AccountError::Hash(error.into()))?
        .map_err(|error| AccountError::Hash(error.to_string().into()))
}

/// Tells each facility at which somebody holds a role what was done to their account.
async fn entries_for(
    store: &Store,
    user: UserId,
    who: Actor,
    action: &'static str,
    clock: &dyn Clock,
) -> Result<Vec<AuditEntry>, AccountError> {
    let grants = store.grants(user).await?;
    let entry = AuditEntry::new(clock.now(), who, action, user);
    let mut entries: Vec<_> = grants.facilities().map(|at| entry.clone().of(at)).collect();
    if entries.is_empty() {
        entries.push(entry);
    }

    Ok(entries)
}

fn check_login(text: &str) -> Result<String, AccountError> {
    let login = text.trim().to_lowercase();
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_@".contains(c);
    if login.is_empty() || LOGIN_MAX_CHARS < login.len() || !login.chars().all(legal) {
        return Err(AccountError::Login(text.chars().take(80).collect()));
    }
    Ok(login)
}

fn check_name(text: &str) -> Result<String, AccountError> {
    let name = text.trim();
    let chars = name.chars().count();
    if chars == 0 || NAME_MAX_CHARS < chars || name.chars().any(crate::locale::is_hidden) {
        return Err(AccountError::Name);
    }
    Ok(name.to_owned())
}
