//! Failures that are too many, and who gets in after them.
//!
//! Always holds: bounded, whatever names and addresses an attacker makes up; what is forgotten first is what has been
//! quiet longest.

use std::collections::BTreeMap;
use std::sync::Arc;

use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Phase};

use super::LogonBurstConfig;
use super::scope::{Scope, add_success, judge, length, on, pace, sprayed, tell, tell_success};
use super::telling::Teller;
use super::watch::{Course, Failure, Told, Watch};
use crate::observation::{Account, LogonSeen};

/// Sources and accounts remembered.
const WATCHES_MAX: usize = 4096;
/// Pairs of account and source remembered.
const FAMILIAR_MAX: usize = 8192;
/// Bursts of single sources and accounts told at one time; further failures belong to the host as a whole.
const TOLD_MAX: usize = 8;
/// Failures a person takes back by getting in.
const FORGIVEN_MAX: u64 = 5;
/// Own failures that make the first visit of an account suspicious while its source is guessing.
const SUSPICIOUS: u64 = 3;
/// How long after the last failure a success is still put down to the burst.
const REMEMBERED_MS: u64 = 3_600_000;
/// A burst that has grown so many times since it was last told is told again.
const GROWTH: u64 = 4;
/// Pause between two looks for what can be forgotten.
const PRUNE_EVERY_MS: u64 = 10_000;

/// The part of the detector that counts failures.
pub(super) struct Guesses {
    config: LogonBurstConfig,
    teller: Teller,
    watches: BTreeMap<Scope, Watch>,
    /// Who was let in from where before, and when last.
    familiar: BTreeMap<(String, Arc<str>), u64>,
    pruned_ms: u64,
}

impl Guesses {
    pub(super) fn new(config: &LogonBurstConfig, teller: Teller) -> Self {
        let config = config.clone();
        let (watches, familiar) = (BTreeMap::new(), BTreeMap::new());
        Self { config, teller, watches, familiar, pruned_ms: 0 }
    }

    pub(super) fn failed(&mut self, at: Moment, seen: &LogonSeen, now: Moment) -> Vec<Event> {
        let source: Option<Arc<str>> = seen.source.as_deref().map(Arc::from);
        let failure = Failure {
            at_ms: at.monotonic_ms,
            at: at.wall,
            account: Arc::new(seen.account.clone()),
            source: source.clone(),
            times: seen.times,
        };
        let account = Scope::Account(seen.account.name.clone());
        let mut events = Vec::new();
        for scope in source
            .map(Scope::Source)
            .into_iter()
            .chain([account, Scope::Host])
        {
            if self.count(scope, &failure, now, &mut events) {
                break;
            }
        }
        events
    }

    /// Counts a failure; says whether a burst of this scope tells it, so that no wider one need.
    fn count(
        &mut self,
        scope: Scope,
        failure: &Failure,
        now: Moment,
        events: &mut Vec<Event>,
    ) -> bool {
        self.make_room(&scope, now, events);
        let config = &self.config;
        let watch = self.watches.entry(scope.clone()).or_default();
        watch.fail(failure);
        let was_on = on(watch);
        let Some(severity) = judge(config, &scope, watch, failure.at_ms) else { return was_on };
        if !was_on && self.is_full(&scope) {
            return false;
        }
        let Some(watch) = self.watches.get_mut(&scope) else { return false };
        let (config, teller) = (&self.config, &self.teller);
        if !was_on {
            let pace = pace(config, watch, failure.at_ms);
            watch.open(severity, failure.at_ms.saturating_sub(pace.span_ms), pace.quiet_ms);
            events.extend(tell(config, teller, &scope, watch, Phase::Opened, now));
            self.opened(&scope, failure, now, events);
            return true;
        }
        if let Some(told) = &mut watch.told {
            let worse = told.severity < severity;
            told.severity = told.severity.max(severity);
            if worse || told.told_count * GROWTH <= told.count {
                events.extend(tell(config, teller, &scope, watch, Phase::Grew, now));
            }
        }
        true
    }

    /// Whether so many bursts are told that a further one belongs to the host as a whole.
    fn is_full(&self, scope: &Scope) -> bool {
        let told = self
            .watches
            .iter()
            .filter(|(scope, watch)| **scope != Scope::Host && on(watch));

        *scope != Scope::Host && TOLD_MAX <= told.count()
    }

    /// The failures of a burst are no matter of wider scopes any more; who was let in meanwhile is.
    fn opened(&mut self, scope: &Scope, failure: &Failure, now: Moment, events: &mut Vec<Event>) {
        let account = Arc::clone(&failure.account);
        let source = failure.source.clone();
        for (other, watch) in &mut self.watches {
            match (scope, other) {
                (Scope::Source(_), Scope::Account(_) | Scope::Host) => {
                    watch.forget(|failure| failure.source == source);
                }
                (Scope::Account(_), Scope::Host) => {
                    watch.forget(|failure| failure.account == account);
                }
                (Scope::Source(_) | Scope::Account(_) | Scope::Host, _) => {}
            }
        }
        let since_ms = failure.at_ms.saturating_sub(self.config.window_secs * 1000);
        let (Scope::Source(source), Some(watch)) = (scope, self.watches.get_mut(scope)) else {
            return;
        };
        let let_in = watch.take_let_in(since_ms);
        if let_in.is_empty() || !sprayed(&self.config, watch, failure.at_ms) {
            return;
        }
        for account in &let_in {
            add_success(watch, account, Some(source), now);
        }
        events.extend(tell_success(&self.teller, scope, watch, Phase::Opened, now));
    }

    pub(super) fn succeeded(&mut self, at: Moment, seen: &LogonSeen, now: Moment) -> Vec<Event> {
        let (at_ms, account) = (at.monotonic_ms, &seen.account);
        let source: Option<Arc<str>> = seen.source.as_deref().map(Arc::from);
        let pair = source.clone().map(|source| (account.name.clone(), source));
        let familiar = pair
            .as_ref()
            .is_some_and(|pair| self.familiar.contains_key(pair));
        if let Some(scope) = self.guessed(at_ms, account, source.as_ref(), familiar) {
            let Some(watch) = self.watches.get_mut(&scope) else { return Vec::new() };
            let phase = add_success(watch, account, source.as_deref(), now);
            return tell_success(&self.teller, &scope, watch, phase, now)
                .into_iter()
                .collect();
        }
        self.forgive(at_ms, account, source.as_ref());
        let mut events = Vec::new();
        if let Some(pair) = pair {
            if !familiar {
                let scope = Scope::Source(Arc::clone(&pair.1));
                self.make_room(&scope, now, &mut events);
                let watch = self.watches.entry(scope).or_default();
                watch.let_in(at_ms, account);
            }
            if FAMILIAR_MAX <= self.familiar.len() && !familiar {
                let mut visits: Vec<_> = self.familiar.values().copied().collect();
                visits.sort_unstable();
                let last = visits.get(FAMILIAR_MAX / 4).copied().unwrap_or(0);
                self.familiar.retain(|_, visit| last < *visit);
            }
            self.familiar.insert(pair, at_ms);
        }
        events
    }

    /// Returns the burst a success is to be put down to, if there is one.
    fn guessed(
        &self,
        at_ms: u64,
        account: &Account,
        source: Option<&Arc<str>>,
        familiar: bool,
    ) -> Option<Scope> {
        let since_ms = at_ms.saturating_sub(self.config.window_secs * 1000);
        if let Some(source) = source {
            let scope = Scope::Source(Arc::clone(source));
            if let Some(told) = self.told(&scope) {
                let own = told.accounts.get(account).copied().unwrap_or(0);
                let sprayed = self.config.spray_accounts <= length(told.accounts.len());
                let enough = if familiar { self.config.failures } else { SUSPICIOUS };
                if enough <= own || (sprayed && !familiar) {
                    return Some(scope);
                }
            }
        }
        let scope = Scope::Account(account.name.clone());
        if let Some(told) = self.told(&scope) {
            let guessed = match source {
                Some(_) => !familiar,
                None => self.config.failures <= told.local,
            };
            if guessed {
                return Some(scope);
            }
        }
        let told = self.told(&Scope::Host)?;
        let source = source.filter(|_| !familiar)?;
        let took_part = told.sources.contains(&**source) || told.accounts.contains_key(account);
        let failed_here = self.watches.get(&Scope::Host).is_some_and(|watch| {
            watch
                .since(since_ms)
                .any(|failure| *failure.account == *account)
        });

        (took_part || failed_here).then_some(Scope::Host)
    }

    fn told(&self, scope: &Scope) -> Option<&Told> {
        self.watches.get(scope)?.told.as_ref()
    }

    /// Takes back the few failures of somebody who got in after all.
    fn forgive(&mut self, at_ms: u64, account: &Account, source: Option<&Arc<str>>) {
        let since_ms = at_ms.saturating_sub(self.config.window_secs * 1000);
        let own = |failure: &Failure| {
            failure.account.name == account.name && failure.source.as_ref() == source
        };
        let scopes = [
            source.map(|source| Scope::Source(Arc::clone(source))),
            Some(Scope::Account(account.name.clone())),
            Some(Scope::Host),
        ];
        for scope in scopes.into_iter().flatten() {
            let Some(watch) = self.watches.get_mut(&scope) else { continue };
            let failed: u64 = watch
                .since(since_ms)
                .filter(|failure| own(failure))
                .map(|failure| failure.times)
                .sum();
            if failed <= FORGIVEN_MAX {
                watch.forget(|failure| own(failure) && since_ms <= failure.at_ms);
            }
        }
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Moment) -> Vec<Event> {
        let mut events = Vec::new();
        if now.monotonic_ms < self.pruned_ms + PRUNE_EVERY_MS {
            return events;
        }
        self.pruned_ms = now.monotonic_ms;
        for (scope, watch) in &mut self.watches {
            let Some(told) = &mut watch.told else { continue };
            let quiet_for = now.monotonic_ms.saturating_sub(told.last_ms);
            if told.course == Course::On && told.quiet_ms <= quiet_for {
                told.course = Course::Over;
                // Told once; a single failure tomorrow is a new story.
                watch.forget(|_| true);
                events.extend(tell(&self.config, &self.teller, scope, watch, Phase::Ended, now));
            } else if told.course == Course::Over && REMEMBERED_MS.max(told.quiet_ms) <= quiet_for {
                events.extend(tell_success(&self.teller, scope, watch, Phase::Ended, now));
                watch.told = None;
            }
        }
        self.watches
            .retain(|_, watch| watch.prune(now.monotonic_ms));
        events
    }

    /// Forgets what has been quiet longest if there is no room for a new scope; a burst is told to have ended by that.
    ///
    /// A quarter goes at once: who makes up names and addresses must not make every attempt cost a search.
    fn make_room(&mut self, scope: &Scope, now: Moment, events: &mut Vec<Event>) {
        if self.watches.len() < WATCHES_MAX || self.watches.contains_key(scope) {
            return;
        }
        let rank = |watch: &Watch| (on(watch), watch.told.is_some(), watch.last_ms);
        let mut ranks: Vec<_> = self.watches.values().map(rank).collect();
        ranks.sort_unstable();
        let Some(last) = ranks.get(WATCHES_MAX / 4).copied() else { return };
        let (config, teller) = (&self.config, &self.teller);
        self.watches.retain(|scope, watch| {
            let stays = last < rank(watch) || *scope == Scope::Host;
            if !stays && on(watch) {
                events.extend(tell(config, teller, scope, watch, Phase::Ended, now));
            }
            stays
        });
    }
}
