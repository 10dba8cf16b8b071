//! Stores accounts, roles and sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use shirase_shared::ids::{FacilityId, UserId};
use shirase_shared::secret::Secret;

use super::audit::append_audit;
use super::connect::{Store, StoreError, from_ms, to_ms};
use crate::audit::{Actor, AuditEntry};
use crate::people::{Grants, Role, User};

/// What somebody has to prove to sign in.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// Who it is.
    pub(crate) user: User,
    /// argon2id, PHC string.
    pub(crate) password_hash: String,
    /// The second factor's shared secret, once it is set up.
    pub(crate) totp_secret: Option<Secret<String>>,
    /// The last step whose code was taken.
    pub(crate) totp_last_step: u64,
}

impl Store {
    /// Returns what a login has to prove.
    pub(crate) async fn user_by_login(
        &self,
        login: &str,
    ) -> Result<Option<Credentials>, StoreError> {
        let row = sqlx::query("SELECT * FROM users WHERE login = ?")
            .bind(login)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read_credentials).transpose()
    }

    /// Returns what a user has to prove.
    pub(crate) async fn credentials(&self, user: UserId) -> Result<Credentials, StoreError> {
        let row = sqlx::query("SELECT * FROM users WHERE user_id = ?")
            .bind(user.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref()
            .map(read_credentials)
            .transpose()?
            .ok_or(StoreError::Missing("user"))
    }

    /// Returns one account.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn user(&self, user: UserId) -> Result<User, StoreError> {
        Ok(self.credentials(user).await?.user)
    }

    /// Returns the account of a login, if there is one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn user_of_login(&self, login: &str) -> Result<Option<User>, StoreError> {
        Ok(self.user_by_login(login).await?.map(|found| found.user))
    }

    /// Returns every account with its roles, in the order of logins.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn users(&self) -> Result<Vec<(User, Grants)>, StoreError> {
        let rows = sqlx::query("SELECT * FROM users ORDER BY login")
            .fetch_all(&self.readers)
            .await?;
        let mut users = Vec::with_capacity(rows.len());
        for row in &rows {
            let user = read_credentials(row)?.user;
            let grants = self.grants(user.id).await?;
            users.push((user, grants));
        }
        Ok(users)
    }

    /// Returns the names of all accounts, to be shown beside what they did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn user_names(&self) -> Result<BTreeMap<UserId, String>, StoreError> {
        let rows = sqlx::query("SELECT user_id, name FROM users")
            .fetch_all(&self.readers)
            .await?;
        let name = |row: &SqliteRow| Ok((parse(row, "user_id", "user id")?, row.try_get("name")?));
        rows.iter().map(name).collect()
    }

    /// Returns what a user may do where.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn grants(&self, user: UserId) -> Result<Grants, StoreError> {
        let rows = sqlx::query("SELECT facility_id, role FROM roles WHERE user_id = ?")
            .bind(user.to_string())
            .fetch_all(&self.readers)
            .await?;
        let mut grants = Grants::default();
        for row in &rows {
            let facility: FacilityId = parse(row, "facility_id", "facility id")?;
            grants = grants.with(&facility, parse(row, "role", "role")?);
        }
        Ok(grants)
    }

    /// Stores a new account with its roles.
    pub(crate) async fn insert_user(
        &self,
        user: &User,
        password_hash: &str,
        grants: &Grants,
        who: Actor,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        sqlx::query(
            "INSERT INTO users (user_id, login, name, password_hash, must_change, created_ms)
             VALUES (?, ?, ?, ?, 1, ?)",
        )
        .bind(user.id.to_string())
        .bind(&user.login)
        .bind(&user.name)
        .bind(password_hash)
        .bind(to_ms(user.created))
        .execute(&mut *tx)
        .await?;
        let entry =
            AuditEntry::new(user.created, who, "user.created", user.id).with("login", &user.login);
        if grants.0.is_empty() {
            append_audit(&mut tx, &entry).await?;
        }
        for (facility, roles) in &grants.0 {
            insert_roles(&mut tx, user.id, facility, roles).await?;
            let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
            let entry = entry.clone().of(facility).with("roles", names.join(" "));
            append_audit(&mut tx, &entry).await?;
        }
        self.commit_audited(tx).await
    }

    /// Sets what a user may do at one facility. Sessions keep going: roles are read on every request.
    pub(crate) async fn set_roles(
        &self,
        user: UserId,
        facility: &FacilityId,
        roles: &BTreeSet<Role>,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        sqlx::query("DELETE FROM roles WHERE user_id = ? AND facility_id = ?")
            .bind(user.to_string())
            .bind(facility.as_str())
            .execute(&mut *tx)
            .await?;
        insert_roles(&mut tx, user, facility, roles).await?;
        append_audit(&mut tx, entry).await?;
        self.commit_audited(tx).await
    }

    /// Replaces a password chosen by the user; other sessions of theirs end.
    pub(crate) async fn set_password(
        &self,
        user: UserId,
        password_hash: &str,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        sqlx::query("UPDATE users SET password_hash = ?, must_change = 0 WHERE user_id = ?")
            .bind(password_hash)
            .bind(user.to_string())
            .execute(&mut *tx)
            .await?;
        end_sessions(&mut tx, user).await?;
        append_audit(&mut tx, entry).await?;
        self.commit_audited(tx).await
    }

    /// Puts an account back to where it began, with a new one-time password.
    pub(crate) async fn reset_user(
        &self,
        user: UserId,
        password_hash: &str,
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let done = sqlx::query(
            "UPDATE users SET password_hash = ?, must_change = 1, totp_secret = NULL, totp_last_step = 0,
             disabled_ms = NULL WHERE user_id = ?",
        )
        .bind(password_hash)
        .bind(user.to_string())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing("user"));
        }
        end_sessions(&mut tx, user).await?;
        for entry in entries {
            append_audit(&mut tx, entry).await?;
        }
        self.commit_audited(tx).await
    }

    /// Ends an account's use.
    pub(crate) async fn disable_user(
        &self,
        user: UserId,
        at: Timestamp,
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let done = sqlx::query("UPDATE users SET disabled_ms = ? WHERE user_id = ?")
            .bind(to_ms(at))
            .bind(user.to_string())
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing("user"));
        }
        end_sessions(&mut tx, user).await?;
        for entry in entries {
            append_audit(&mut tx, entry).await?;
        }
        self.commit_audited(tx).await
    }

    /// Stores the second factor's secret with the step of the code that proved it. Only while there is none.
    pub(crate) async fn set_totp(
        &self,
        user: UserId,
        secret: &Secret<String>,
        step: u64,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut tx = self.change().await?;
        let done = sqlx::query(
            "UPDATE users SET totp_secret = ?, totp_last_step = ?
             WHERE user_id = ? AND totp_secret IS NULL",
        )
        .bind(secret.reveal())
        .bind(step.cast_signed())
        .bind(user.to_string())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        append_audit(&mut tx, entry).await?;
        self.commit_audited(tx).await?;

        Ok(true)
    }

    /// Marks a code's step as used; `false` if it or a later one was used already, also in another request.
    pub(crate) async fn use_totp_step(&self, user: UserId, step: u64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE users SET totp_last_step = ? WHERE user_id = ? AND totp_last_step < ?",
        )
        .bind(step.cast_signed())
        .bind(user.to_string())
        .bind(step.cast_signed())
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

async fn insert_roles(
    conn: &mut SqliteConnection,
    user: UserId,
    facility: &FacilityId,
    roles: &BTreeSet<Role>,
) -> Result<(), StoreError> {
    for role in roles {
        sqlx::query("INSERT INTO roles (facility_id, user_id, role) VALUES (?, ?, ?)")
            .bind(facility.as_str())
            .bind(user.to_string())
            .bind(role.as_str())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn end_sessions(conn: &mut SqliteConnection, user: UserId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE user_id = ?")
        .bind(user.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

fn read_credentials(row: &SqliteRow) -> Result<Credentials, StoreError> {
    let totp_secret: Option<String> = row.try_get("totp_secret")?;
    let disabled: Option<i64> = row.try_get("disabled_ms")?;
    let user = User {
        id: parse(row, "user_id", "user id")?,
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        must_change: row.try_get("must_change")?,
        second_factor: totp_secret.is_some(),
        created: from_ms(row.try_get("created_ms")?)?,
        disabled: disabled.map(from_ms).transpose()?,
    };

    Ok(Credentials {
        user,
        password_hash: row.try_get("password_hash")?,
        totp_secret: totp_secret.map(Secret::new),
        totp_last_step: row.try_get::<i64, _>("totp_last_step")?.unsigned_abs(),
    })
}

/// Reads a column that is the text form of a domain type.
fn parse<T>(row: &SqliteRow, column: &str, what: &'static str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.try_get(column)?;
    text.parse()
        .map_err(|error| StoreError::unreadable(what, error))
}
