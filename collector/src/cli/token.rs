//! `token issue|revoke|list`.

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shirase_shared::ids::{FacilityId, HostId};

use super::Desk;
use super::table::{self, Row};
use crate::args::TokenCommand;
use crate::enrolment::authority::Authority;
use crate::enrolment::{Token, issue_token};
use crate::locale::japan_time;

/// Hexadecimal digits that name a token in a table.
const SHOWN_DIGITS: usize = 12;

/// What has become of a token.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    Used,
    Expired,
    Revoked,
}

impl State {
    fn of(token: &Token, now: Timestamp) -> Self {
        if token.revoked_at.is_some() {
            Self::Revoked
        } else if token.host.is_some() {
            Self::Used
        } else if token.expires_at <= now {
            Self::Expired
        } else {
            Self::Open
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

#[derive(Serialize)]
struct TokenRow {
    facility: FacilityId,
    fingerprint: String,
    label: String,
    state: State,
    created_at: Timestamp,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    host: Option<HostId>,
}

impl TokenRow {
    fn of(token: Token, now: Timestamp) -> Self {
        Self {
            state: State::of(&token, now),
            facility: token.facility,
            fingerprint: token.sha256,
            label: token.label,
            created_at: token.created_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
            revoked_at: token.revoked_at,
            host: token.host,
        }
    }
}

impl Row for TokenRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "FINGERPRINT", "STATE", "EXPIRES", "LABEL", "HOST"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.facility.to_string(),
            self.fingerprint.chars().take(SHOWN_DIGITS).collect(),
            self.state.as_str().to_owned(),
            japan_time(self.expires_at),
            self.label.clone(),
            self.host.map_or_else(String::new, |host| host.to_string()),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn token(mut self, command: TokenCommand) -> Result<()> {
        match command {
            TokenCommand::Issue { facility, label, hours, bare } => {
                self.issue(&facility, &label, hours, bare).await
            }
            TokenCommand::Revoke { facility, fingerprint } => {
                let now = self.clock.now();
                let done = self.store.revoke_token(&facility, &fingerprint, now).await;
                done.with_context(|| {
                    format!("failed to revoke `{fingerprint}`; give at least 8 digits of a fingerprint `token list` shows")
                })?;
                let entry = self.entry("token.revoked", &fingerprint).of(&facility);
                self.store.audit(&entry).await?;
                self.terminal.line("the token is worthless now")
            }
            TokenCommand::List { facility, list } => {
                let now = self.clock.now();
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let tokens = self.store.tokens(&facility.id).await?;
                    rows.extend(tokens.into_iter().map(|token| TokenRow::of(token, now)));
                }
                table::print(&rows, list, self.terminal)
            }
        }
    }

    async fn issue(
        &mut self,
        facility: &FacilityId,
        label: &str,
        hours: u32,
        bare: bool,
    ) -> Result<()> {
        self.one_facility(facility).await?;
        if 100 < label.chars().count() || label.chars().any(crate::locale::is_hidden) {
            bail!("a label has at most 100 characters, none of them hidden");
        }
        let lifetime = SignedDuration::from_hours(hours.into());
        let (token, secret) =
            issue_token(&self.store, facility, label, lifetime, &*self.clock).await?;
        let entry = self.entry("token.issued", &token.sha256).of(facility);
        self.store.audit(&entry.with("label", label)).await?;
        if bare {
            return self.terminal.line(secret.reveal());
        }
        let authority = Authority::open(&self.config.data_dir, self.clock.now())?;
        let fingerprint: String = token.sha256.chars().take(SHOWN_DIGITS).collect();
        self.terminal.print(&format!(
            "token:                 {}\n\
             shown once; good until {} for one host of {facility}; `token list` calls it {fingerprint}\n\
             enrolment address:     {url}\n\
             authority fingerprint: {print}\n\n\
             On the server, as root, then paste the token and press Ctrl-D:\n  \
             shirase-agent enroll --collector {url} --token-file - --ca-fingerprint {print}\n",
            secret.reveal(),
            japan_time(token.expires_at),
            url = self.config.enrolment_url(),
            print = authority.fingerprint(),
        ))
    }
}
