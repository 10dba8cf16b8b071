//! What failures have in common, when they are too many, and how that is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Phase, Severity};

use super::LogonBurstConfig;
use super::telling::{Teller, many, since, sources};
use super::watch::{Course, DAY_MS, Success, Watch};
use crate::observation::Account;

/// The whole host needs so many times the failures of one source.
const HOST_FACTOR: u64 = 6;
/// How long nobody must have failed before guessing that takes its time is over.
const SLOW_QUIET_MS: u64 = 3_600_000;

/// What failures have in common. The narrowest that explains them tells them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// They come from one source.
    Source(Arc<str>),
    /// They ask for one account, from several sources or on the host itself.
    Account(String),
    /// They happen on this host.
    Host,
}

/// Whether a burst is told and goes on.
pub(super) fn on(watch: &Watch) -> bool {
    watch
        .told
        .as_ref()
        .is_some_and(|told| told.course == Course::On)
}

/// Says how bad the failures of a scope are; `None` if they are ordinary.
pub(super) fn judge(
    config: &LogonBurstConfig,
    scope: &Scope,
    watch: &Watch,
    at_ms: u64,
) -> Option<Severity> {
    let window_ms = config.window_secs * 1000;
    let recent = watch.count(at_ms.saturating_sub(window_ms));
    let factor = match scope {
        Scope::Source(_) | Scope::Account(_) => 1,
        Scope::Host => HOST_FACTOR,
    };
    let daily = watch.count(at_ms.saturating_sub(DAY_MS));
    if recent < config.failures * factor && daily < config.failures_per_day * factor && !on(watch) {
        return None;
    }
    let tries_many = matches!(scope, Scope::Source(_)) && sprayed(config, watch, at_ms);
    let high = config.high_failures <= recent || (config.failures <= recent && tries_many);

    Some(if high { Severity::High } else { Severity::Medium })
}

/// Whether a source tries many accounts.
pub(super) fn sprayed(config: &LogonBurstConfig, watch: &Watch, at_ms: u64) -> bool {
    let since_ms = at_ms.saturating_sub(config.window_secs * 1000);

    config.spray_accounts <= watch.accounts(since_ms)
}

/// How fast somebody guesses.
pub(super) struct Pace {
    /// The span whose failures make the burst.
    pub(super) span_ms: u64,
    /// How long nothing must follow before it is over.
    pub(super) quiet_ms: u64,
}

/// Within the window, or over a day; who takes a day makes longer pauses.
pub(super) fn pace(config: &LogonBurstConfig, watch: &Watch, at_ms: u64) -> Pace {
    let window_ms = config.window_secs * 1000;
    let quiet_ms = config.quiet_secs * 1000;
    if config.failures <= watch.count(at_ms.saturating_sub(window_ms)) {
        return Pace { span_ms: window_ms, quiet_ms };
    }

    Pace { span_ms: DAY_MS, quiet_ms: quiet_ms.max(SLOW_QUIET_MS) }
}

pub(super) fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

pub(super) fn tell(
    config: &LogonBurstConfig,
    teller: &Teller,
    scope: &Scope,
    watch: &mut Watch,
    phase: Phase,
    now: Moment,
) -> Option<Event> {
    let told = watch.told.as_mut()?;
    told.told_count = told.count;
    let accounts: BTreeSet<_> = told.accounts.keys().cloned().collect();
    let shape = match scope {
        Scope::Source(_) if config.spray_accounts <= length(accounts.len()) => {
            "one source tries many accounts"
        }
        Scope::Source(_) => "one source tries again and again",
        Scope::Account(_) if 1 < told.sources.len() => "many sources try one account",
        Scope::Account(_) => "one account is tried again and again",
        Scope::Host => "many sources try many accounts",
    };
    let ended = match phase {
        Phase::Ended => "; nothing more for a while".to_owned(),
        Phase::Opened | Phase::Grew | Phase::Once => format!(
            "; quiet would be fewer than {} within {} s and than {} a day, or a few mistakes before the person gets in",
            config.failures, config.window_secs, config.failures_per_day
        ),
    };
    let reason = format!(
        "{shape}: {} failed logons for {} {} {}{ended}",
        told.count,
        teller.accounts(&accounts),
        sources(&told.sources),
        since(told.first, now),
    );

    Some(teller.event(told.tale(phase, &accounts, &told.sources, reason), now))
}

/// Notes a success after the failures of a burst.
pub(super) fn add_success(
    watch: &mut Watch,
    account: &Account,
    source: Option<&str>,
    now: Moment,
) -> Phase {
    let Some(told) = &mut watch.told else { return Phase::Once };
    let phase = if told.success.is_some() { Phase::Grew } else { Phase::Opened };
    told.success
        .get_or_insert_with(|| Success::new(now.wall))
        .add(account, source);

    phase
}

pub(super) fn tell_success(
    teller: &Teller,
    scope: &Scope,
    watch: &Watch,
    phase: Phase,
    now: Moment,
) -> Option<Event> {
    let told = watch.told.as_ref()?;
    let success = told.success.as_ref()?;
    let guessed = match scope {
        Scope::Source(source) => format!("from `{source}`"),
        Scope::Account(_) => "on that account".to_owned(),
        Scope::Host => "on this host".to_owned(),
    };
    let power = match success.severity {
        Severity::Critical => ", an administrator among them",
        Severity::Low | Severity::Medium | Severity::High => "",
    };
    let ended = match phase {
        Phase::Ended => "; none for an hour: what they did meanwhile is not known here",
        Phase::Opened | Phase::Grew | Phase::Once => {
            "; quiet would be a success of an account that was let in from there before the failures and hardly failed itself"
        }
    };
    let reason = format!(
        "let in after {} {guessed}: {} of {} {}{power}{ended}",
        many(told.count, "failed logon"),
        many(success.count, "logon"),
        teller.accounts(&success.accounts),
        sources(&success.sources),
    );

    Some(teller.event(success.tale(phase, reason), now))
}
