//! Enrolment tokens: one host may come in, once, with one key.
//!
//! Always holds: the token itself is never stored, only its SHA-256; whether it lets a key in is decided in
//! [`Token::judge`] alone, from values.

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{FacilityId, HostId};

/// A stored enrolment token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Facility whose host it lets in.
    pub facility: FacilityId,
    /// SHA-256 of the token, lower-case hexadecimal: also its name for people.
    pub sha256: String,
    /// What it was issued for, in the administrator's words.
    pub label: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When somebody revoked it.
    pub revoked_at: Option<Timestamp>,
    /// When it was first used.
    pub used_at: Option<Timestamp>,
    /// SHA-256 of the first key that used it.
    pub used_key_sha256: Option<String>,
    /// The host that was let in with it.
    pub host: Option<HostId>,
}

/// What a token says to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// First use: a new host comes in.
    LetIn,
    /// The same key asks again, because the answer was lost: the same host.
    SameAgain(HostId),
    /// It does not let this key in.
    Refused(TokenRefusal),
}

/// Why a token does not let a key in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// No such token was ever issued.
    #[error("this token is unknown; check that it was copied whole, or have a new one issued")]
    Unknown,
    /// Its time is over.
    #[error("this token has expired; have a new one issued")]
    Expired,
    /// Somebody revoked it.
    #[error("this token was revoked; have a new one issued")]
    Revoked,
    /// Another key used it first.
    #[error("this token was already used by another key; have a new one issued for this host")]
    OtherKey,
    /// The host it let in was shut out since.
    #[error("the host enrolled with this token was revoked; have a new token issued")]
    HostRevoked,
}

impl Token {
    /// Decides whether the token lets the key with this hash in at `now`.
    #[must_use]
    pub fn judge(&self, key_sha256: &str, now: Timestamp) -> Judgement {
        if self.revoked_at.is_some() {
            return Judgement::Refused(TokenRefusal::Revoked);
        }
        if let (Some(used), Some(_)) = (&self.used_key_sha256, self.host)
            && used != key_sha256
        {
            return Judgement::Refused(TokenRefusal::OtherKey);
        }
        if self.expires_at <= now {
            return Judgement::Refused(TokenRefusal::Expired);
        }

        self.host.map_or(Judgement::LetIn, Judgement::SameAgain)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_token_lets_one_key_in_until_it_ends() {
        let now: Timestamp = "2026-02-09T01:50:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        let host = HostId::random();
        let fresh = Token {
            facility: "handa-hp".parse().unwrap(),
            sha256: "t".to_owned(),
            label: String::new(),
            created_at: now,
            expires_at: now + hour,
            revoked_at: None,
            used_at: None,
            used_key_sha256: None,
            host: None,
        };
        let used = Token {
            used_at: Some(now),
            used_key_sha256: Some("k".to_owned()),
            host: Some(host),
            ..fresh.clone()
        };
        let revoked = Token { revoked_at: Some(now), ..used.clone() };
        let refused = Judgement::Refused;
        for (token, key, at, expected) in [
            (&fresh, "k", now, Judgement::LetIn),
            (&fresh, "k", now + hour, refused(TokenRefusal::Expired)),
            (&used, "k", now, Judgement::SameAgain(host)),
            (&used, "k", now + hour, refused(TokenRefusal::Expired)),
            (&used, "other", now, refused(TokenRefusal::OtherKey)),
            (&used, "other", now + hour, refused(TokenRefusal::OtherKey)),
            (&revoked, "k", now, refused(TokenRefusal::Revoked)),
        ] {
            assert_eq!(token.judge(key, at), expected, "{key} at {at}");
        }
    }
}
