//! Stores sessions under the SHA-256 of their cookie.

use jiff::Timestamp;
use sqlx::Row;

use shirase_shared::ids::UserId;

use super::connect::{Store, StoreError, from_ms, to_ms};
use crate::people::{Session, Stage};

impl Store {
    /// Stores a new session, in place of the one it grew out of.
    pub(crate) async fn begin_session(
        &self,
        key: &str,
        session: &Session,
        replaces: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        if let Some(old) = replaces {
            sqlx::query("DELETE FROM sessions WHERE session_sha256 = ?")
                .bind(old)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query("DELETE FROM sessions WHERE expires_ms < ?")
            .bind(to_ms(session.created))
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO sessions (session_sha256, user_id, csrf, stage, created_ms, seen_ms, expires_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(key)
        .bind(session.user.to_string())
        .bind(&session.csrf)
        .bind(session.stage.as_str())
        .bind(to_ms(session.created))
        .bind(to_ms(session.seen))
        .bind(to_ms(session.expires))
        .execute(&mut *tx)
        .await?;

        Ok(tx.commit().await?)
    }

    /// Returns a session, whether it still counts or not.
    pub(crate) async fn session(&self, key: &str) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query("SELECT * FROM sessions WHERE session_sha256 = ?")
            .bind(key)
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let user: String = row.try_get("user_id")?;
        let stage: String = row.try_get("stage")?;
        let user: UserId = user
            .parse()
            .map_err(|error| StoreError::unreadable("user id", error))?;
        let stage: Stage = stage
            .parse()
            .map_err(|error| StoreError::unreadable("session stage", error))?;

        Ok(Some(Session {
            user,
            csrf: row.try_get("csrf")?,
            stage,
            created: from_ms(row.try_get("created_ms")?)?,
            seen: from_ms(row.try_get("seen_ms")?)?,
            expires: from_ms(row.try_get("expires_ms")?)?,
        }))
    }

    /// Notes that a session was used.
    pub(crate) async fn touch_session(&self, key: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET seen_ms = ? WHERE session_sha256 = ?")
            .bind(to_ms(at))
            .bind(key)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Ends a session.
    pub(crate) async fn end_session(&self, key: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE session_sha256 = ?")
            .bind(key)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
