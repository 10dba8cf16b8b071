//! Which accounts lie idle.

use jiff::{SignedDuration, Timestamp};
use shirase_shared::posture::{Accounts, Few, IdleAccount};

use super::name;

/// Seconds of a day.
pub(super) const DAY_SECS: i64 = 86_400;

/// One account somebody can sign in with.
pub(super) struct Usable {
    pub(super) name: String,
    /// When somebody last did, where a time is noted.
    pub(super) last: Option<Timestamp>,
    /// When its password was last changed, in days since 1970.
    pub(super) password_day: Option<i64>,
}

/// Counts the accounts, and names those nobody signed in with for `idle_days`.
pub(super) fn accounts(usable: Vec<Usable>, now: Timestamp, idle_days: u32) -> Accounts {
    let count = u32::try_from(usable.len()).unwrap_or(u32::MAX);
    let since = now - SignedDuration::from_hours(24 * i64::from(idle_days));
    let mut idle: Vec<IdleAccount> = usable
        .into_iter()
        .filter(|account| is_idle(account, since))
        .map(|account| IdleAccount { name: name(&account.name), last: account.last })
        .collect();
    idle.sort();

    let named = Few::of(idle);

    Accounts { usable: count, idle_days, idle: named.count(), named: Some(named) }
}

/// An account nobody ever used is idle only once its password is as old: it may have been made yesterday.
fn is_idle(account: &Usable, since: Timestamp) -> bool {
    match (account.last, account.password_day) {
        (Some(last), _) => last < since,
        (None, Some(day)) => day < since.as_second() / DAY_SECS,
        (None, None) => true,
    }
}
