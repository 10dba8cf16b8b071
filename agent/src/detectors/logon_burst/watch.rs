//! The failures of one source, on one account, or of the whole host.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::event::{LogonKind, Phase, Severity};
use shirase_shared::ids::BurstId;

use super::telling::{DIFFERENT_MAX, Tale};
use crate::observation::{Account, Power};

/// Failures remembered; of more, the oldest are forgotten.
const FAILURES_MAX: usize = 256;
/// Successes remembered of a source.
const LET_IN_MAX: usize = 32;
/// The longest span failures are counted in.
pub(super) const DAY_MS: u64 = 86_400_000;

/// One failed attempt, or several alike.
#[derive(Clone)]
pub(super) struct Failure {
    pub(super) at_ms: u64,
    pub(super) at: Timestamp,
    pub(super) account: Arc<Account>,
    pub(super) source: Option<Arc<str>>,
    pub(super) times: u64,
}

/// A success that was nothing special when it came.
pub(super) struct LetIn {
    pub(super) at_ms: u64,
    pub(super) account: Account,
}

/// What is remembered of one source, account or host.
#[derive(Default)]
pub(super) struct Watch {
    failures: VecDeque<Failure>,
    /// Successes of accounts that had not been seen from this source before.
    let_in: VecDeque<LetIn>,
    /// When anything last happened.
    pub(super) last_ms: u64,
    pub(super) told: Option<Told>,
}

impl Watch {
    pub(super) fn fail(&mut self, failure: &Failure) {
        self.last_ms = self.last_ms.max(failure.at_ms);
        if let Some(told) = self.told.as_mut().filter(|told| told.course == Course::On) {
            told.add(failure);
        }
        self.failures.push_back(failure.clone());
        if FAILURES_MAX < self.failures.len() {
            self.failures.pop_front();
        }
    }

    pub(super) fn let_in(&mut self, at_ms: u64, account: &Account) {
        self.last_ms = self.last_ms.max(at_ms);
        self.let_in
            .push_back(LetIn { at_ms, account: account.clone() });
        if LET_IN_MAX < self.let_in.len() {
            self.let_in.pop_front();
        }
    }

    /// Hands out the accounts that were let in since then.
    pub(super) fn take_let_in(&mut self, since_ms: u64) -> Vec<Account> {
        self.let_in
            .drain(..)
            .filter(|let_in| since_ms <= let_in.at_ms)
            .map(|let_in| let_in.account)
            .collect()
    }

    pub(super) fn since(&self, since_ms: u64) -> impl Iterator<Item = &Failure> {
        self.failures
            .iter()
            .filter(move |failure| since_ms <= failure.at_ms)
    }

    pub(super) fn count(&self, since_ms: u64) -> u64 {
        self.since(since_ms).map(|failure| failure.times).sum()
    }

    pub(super) fn accounts(&self, since_ms: u64) -> u64 {
        let accounts: BTreeSet<_> = self
            .since(since_ms)
            .map(|failure| &failure.account)
            .collect();
        u64::try_from(accounts.len()).unwrap_or(u64::MAX)
    }

    /// Forgets the failures that `belongs` says are somebody else's matter.
    pub(super) fn forget(&mut self, belongs: impl Fn(&Failure) -> bool) {
        self.failures.retain(|failure| !belongs(failure));
    }

    /// Forgets what is too old for any threshold; says whether anything is left.
    pub(super) fn prune(&mut self, now_ms: u64) -> bool {
        let day_ago = now_ms.saturating_sub(DAY_MS);
        while self
            .failures
            .front()
            .is_some_and(|first| first.at_ms < day_ago)
        {
            self.failures.pop_front();
        }
        while self
            .let_in
            .front()
            .is_some_and(|first| first.at_ms < day_ago)
        {
            self.let_in.pop_front();
        }

        !self.failures.is_empty() || !self.let_in.is_empty() || self.told.is_some()
    }

    /// Begins a burst with the failures since then.
    pub(super) fn open(&mut self, severity: Severity, since_ms: u64, quiet_ms: u64) {
        let Some(first) = self.since(since_ms).next().map(|failure| failure.at) else { return };
        let mut told = Told::new(severity, first, quiet_ms);
        for failure in self.since(since_ms) {
            told.add(failure);
        }
        self.told = Some(told);
    }
}

/// A burst that was told.
pub(super) struct Told {
    burst: BurstId,
    pub(super) severity: Severity,
    pub(super) first: Timestamp,
    /// How long nothing must follow before it is over.
    pub(super) quiet_ms: u64,
    pub(super) last_ms: u64,
    pub(super) count: u64,
    /// What the last event said.
    pub(super) told_count: u64,
    /// Failures of each account.
    pub(super) accounts: BTreeMap<Account, u64>,
    pub(super) sources: BTreeSet<String>,
    /// Failures on the host itself.
    pub(super) local: u64,
    pub(super) course: Course,
    pub(super) success: Option<Success>,
}

/// Whether a burst goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It does.
    On,
    /// It was told to have ended; who gets in now is still asked where they come from.
    Over,
}

/// Successes after the failures of a burst.
pub(super) struct Success {
    pub(super) burst: BurstId,
    pub(super) severity: Severity,
    pub(super) count: u64,
    pub(super) accounts: BTreeSet<Account>,
    pub(super) sources: BTreeSet<String>,
    pub(super) first: Timestamp,
}

impl Told {
    fn new(severity: Severity, first: Timestamp, quiet_ms: u64) -> Self {
        Self {
            burst: BurstId::random(),
            severity,
            first,
            quiet_ms,
            last_ms: 0,
            count: 0,
            told_count: 0,
            accounts: BTreeMap::new(),
            sources: BTreeSet::new(),
            local: 0,
            course: Course::On,
            success: None,
        }
    }

    fn add(&mut self, failure: &Failure) {
        self.last_ms = self.last_ms.max(failure.at_ms);
        self.count += failure.times;
        let is_full = DIFFERENT_MAX <= self.accounts.len();
        match self.accounts.get_mut(&*failure.account) {
            Some(times) => *times += failure.times,
            None if is_full => {}
            None => {
                let account = Account::clone(&failure.account);
                self.accounts.insert(account, failure.times);
            }
        }
        match &failure.source {
            Some(source) if self.sources.len() < DIFFERENT_MAX => {
                self.sources.insert(source.to_string());
            }
            Some(_) => {}
            None => self.local += failure.times,
        }
    }

    /// What an event tells of the failures.
    pub(super) fn tale<'a>(
        &self,
        phase: Phase,
        accounts: &'a BTreeSet<Account>,
        sources: &'a BTreeSet<String>,
        reason: String,
    ) -> Tale<'a> {
        Tale {
            what: LogonKind::FailureBurst,
            phase,
            burst: self.burst,
            severity: self.severity,
            count: self.count,
            accounts,
            sources,
            first: self.first,
            reason,
        }
    }
}

impl Success {
    pub(super) fn new(first: Timestamp) -> Self {
        Self {
            burst: BurstId::random(),
            severity: Severity::High,
            count: 0,
            accounts: BTreeSet::new(),
            sources: BTreeSet::new(),
            first,
        }
    }

    pub(super) fn add(&mut self, account: &Account, source: Option<&str>) {
        self.count += 1;
        if account.power == Power::Administrator {
            self.severity = Severity::Critical;
        }
        if self.accounts.len() < DIFFERENT_MAX {
            self.accounts.insert(account.clone());
        }
        if let Some(source) = source.filter(|_| self.sources.len() < DIFFERENT_MAX) {
            self.sources.insert(source.to_owned());
        }
    }

    /// What an event tells of the successes.
    pub(super) fn tale(&self, phase: Phase, reason: String) -> Tale<'_> {
        Tale {
            what: LogonKind::SuccessAfterFailures,
            phase,
            burst: self.burst,
            severity: self.severity,
            count: self.count,
            accounts: &self.accounts,
            sources: &self.sources,
            first: self.first,
            reason,
        }
    }
}
