//! Puts what was found about logons into events.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Anomaly, Event, Logon, LogonKind, Phase, SCHEMA, Severity};
use shirase_shared::ids::BurstId;
use shirase_shared::redact::Redactor;

use crate::observation::{Account, Standing};

/// Accounts and addresses an event lists.
const LISTED_MAX: usize = 16;
/// Different accounts and sources counted of one burst.
pub(super) const DIFFERENT_MAX: usize = 64;
/// Accounts and addresses a reason names.
const NAMED_MAX: usize = 3;

/// What to tell.
pub(super) struct Tale<'a> {
    pub(super) what: LogonKind,
    pub(super) phase: Phase,
    pub(super) burst: BurstId,
    pub(super) severity: Severity,
    pub(super) count: u64,
    pub(super) accounts: &'a BTreeSet<Account>,
    pub(super) sources: &'a BTreeSet<String>,
    pub(super) first: Timestamp,
    pub(super) reason: String,
}

/// Makes events, with the names of people hashed.
#[derive(Clone)]
pub(super) struct Teller(Arc<Redactor>);

impl Teller {
    pub(super) const fn new(redactor: Arc<Redactor>) -> Self {
        Self(redactor)
    }

    pub(super) fn event(&self, tale: Tale<'_>, now: Moment) -> Event {
        let accounts = tale.accounts.iter().take(LISTED_MAX);
        let logon = Logon {
            what: tale.what,
            count: tale.count,
            accounts: accounts.map(|account| self.shown(account)).collect(),
            sources: tale.sources.iter().take(LISTED_MAX).cloned().collect(),
        };

        Event {
            schema: SCHEMA,
            anomaly: Anomaly::Logon(logon),
            phase: tale.phase,
            burst: Some(tale.burst),
            severity: tale.severity,
            detected_at: now.wall,
            first_change_at: Some(tale.first),
            moment: now,
            root: None,
            files_affected: 0,
            reason: tale.reason,
            drill: None,
        }
    }

    /// Returns an account as it may leave the host.
    pub(super) fn shown(&self, account: &Account) -> String {
        match account.standing {
            Standing::System => account.name.clone(),
            Standing::Person | Standing::Nobody => self.0.account(&account.name),
        }
    }

    /// Names some accounts: "2 accounts (`root`, `3fa9…`)".
    pub(super) fn accounts(&self, accounts: &BTreeSet<Account>) -> String {
        let shown = accounts.iter().map(|account| self.shown(account));

        counted(accounts.len(), "account", shown)
    }
}

/// Names some sources: "3 sources (`10.0.0.1`, …)"; attempts on the host itself have none.
pub(super) fn sources(sources: &BTreeSet<String>) -> String {
    if sources.is_empty() {
        return "on this host itself".to_owned();
    }

    format!("from {}", counted(sources.len(), "source", sources.iter().cloned()))
}

/// Says how many: "1 session", "3 sessions".
pub(super) fn many(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };

    format!("{count} {one}{plural}")
}

fn counted(count: usize, one: &str, names: impl Iterator<Item = String>) -> String {
    let mut named: Vec<_> = names
        .take(NAMED_MAX)
        .map(|name| format!("`{name}`"))
        .collect();
    if NAMED_MAX < count {
        named.push("…".to_owned());
    }
    let count = match count {
        DIFFERENT_MAX => format!("at least {count} {one}s"),
        count => many(u64::try_from(count).unwrap_or(u64::MAX), one),
    };

    format!("{count} ({})", named.join(", "))
}

/// Says since when.
pub(super) fn since(first: Timestamp, now: Moment) -> String {
    let seconds = now.wall.duration_since(first).as_secs().max(0);

    format!("since {} ({seconds} s)", first.strftime("%Y-%m-%d %H:%M:%S UTC"))
}
