//! Enrolment tokens and the one transaction in which a host comes in.

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, HostId};
use sqlx::{FromRow, SqliteConnection};

use super::connect::{Store, StoreError, from_ms, from_ms_maybe, parsed, to_ms, touched};
use crate::enrolment::{Applicant, Judgement, LetIn, Token, TokenRefusal};

#[derive(FromRow)]
struct Row {
    facility_id: String,
    token_sha256: String,
    label: String,
    created_ms: i64,
    expires_ms: i64,
    revoked_ms: Option<i64>,
    used_ms: Option<i64>,
    used_key_sha256: Option<String>,
    host_id: Option<String>,
}

impl TryFrom<Row> for Token {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            sha256: row.token_sha256,
            label: row.label,
            created_at: from_ms(row.created_ms)?,
            expires_at: from_ms(row.expires_ms)?,
            revoked_at: from_ms_maybe(row.revoked_ms)?,
            used_at: from_ms_maybe(row.used_ms)?,
            used_key_sha256: row.used_key_sha256,
            host: row
                .host_id
                .map(|host| parsed("host id", &host))
                .transpose()?,
        })
    }
}

impl Store {
    /// Stores a new token.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such facility.
    pub async fn add_token(&self, token: &Token) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO enrolment_tokens (facility_id, token_sha256, label, created_ms, expires_ms)
             SELECT facility_id, ?, ?, ?, ? FROM facilities WHERE facility_id = ?",
        )
        .bind(&token.sha256)
        .bind(&token.label)
        .bind(to_ms(token.created_at))
        .bind(to_ms(token.expires_at))
        .bind(token.facility.as_str())
        .execute(&self.writer)
        .await?;
        touched(done.rows_affected(), "facility")
    }

    /// Returns the tokens of a facility, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn tokens(&self, facility: &FacilityId) -> Result<Vec<Token>, StoreError> {
        let sql = "SELECT * FROM enrolment_tokens WHERE facility_id = ? ORDER BY created_ms DESC, token_sha256";
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Token::try_from).collect()
    }

    /// Revokes a token, named by its hash or by the beginning of it (eight digits at least).
    ///
    /// # Errors
    /// [`StoreError::Missing`] if no single token of the facility that is in force has that name.
    pub async fn revoke_token(
        &self,
        facility: &FacilityId,
        sha256: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let hexadecimal = sha256.len() >= 8 && sha256.chars().all(|c| c.is_ascii_hexdigit());
        if !hexadecimal {
            return Err(StoreError::Missing("token"));
        }
        let done = sqlx::query(
            "UPDATE enrolment_tokens SET revoked_ms = ?1
             WHERE facility_id = ?2 AND revoked_ms IS NULL AND token_sha256 LIKE ?3 || '%'
               AND 1 = (SELECT count(*) FROM enrolment_tokens WHERE facility_id = ?2 AND token_sha256 LIKE ?3 || '%')",
        )
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(sha256.to_ascii_lowercase())
        .execute(&self.writer)
        .await?;
        touched(done.rows_affected(), "token in force")
    }

    /// Lets a key in with a token, or says why not. A new host is stored together with the use of the token.
    ///
    /// Asking again with the same token and key changes nothing and names the same host.
    ///
    /// # Errors
    /// When the database fails. A refusal is an answer, not an error.
    pub async fn let_in(
        &self,
        applicant: &Applicant<'_>,
        now: Timestamp,
    ) -> Result<Result<LetIn, TokenRefusal>, StoreError> {
        let mut change = self.change().await?;
        let row: Option<Row> =
            sqlx::query_as("SELECT * FROM enrolment_tokens WHERE token_sha256 = ?")
                .bind(applicant.token_sha256)
                .fetch_optional(&mut *change)
                .await?;
        let Some(row) = row else {
            return Ok(Err(TokenRefusal::Unknown));
        };
        let token = Token::try_from(row)?;
        let host = match token.judge(applicant.key_sha256, now) {
            Judgement::Refused(refusal) => return Ok(Err(refusal)),
            Judgement::SameAgain(host) => {
                if is_revoked(&mut change, &token.facility, host).await? {
                    return Ok(Err(TokenRefusal::HostRevoked));
                }
                host
            }
            Judgement::LetIn => {
                let host = HostId::random();
                add_host(&mut change, &token, (host, applicant), now).await?;
                host
            }
        };
        change.commit().await?;

        Ok(Ok(LetIn { facility: token.facility, host }))
    }
}

async fn is_revoked(
    change: &mut SqliteConnection,
    facility: &FacilityId,
    host: HostId,
) -> Result<bool, StoreError> {
    let sql =
        "SELECT count(*) FROM hosts WHERE facility_id = ? AND host_id = ? AND revoked_ms IS NULL";
    let standing: i64 = sqlx::query_scalar(sql)
        .bind(facility.as_str())
        .bind(host.to_string())
        .fetch_one(change)
        .await?;

    Ok(standing == 0)
}

async fn add_host(
    change: &mut SqliteConnection,
    token: &Token,
    (host, applicant): (HostId, &Applicant<'_>),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO hosts (facility_id, host_id, name, os, enrolled_ms) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(token.facility.as_str())
    .bind(host.to_string())
    .bind(applicant.hostname)
    .bind(applicant.os)
    .bind(to_ms(now))
    .execute(&mut *change)
    .await?;
    sqlx::query(
        "UPDATE enrolment_tokens SET used_ms = ?, used_key_sha256 = ?, host_id = ? WHERE token_sha256 = ?",
    )
    .bind(to_ms(now))
    .bind(applicant.key_sha256)
    .bind(host.to_string())
    .bind(&token.sha256)
    .execute(change)
    .await?;

    Ok(())
}
