//! Scores who does it: a process, and the unit it belongs to, over all roots together.
//!
//! Always holds: nobody has to be known for an attack to be seen, since each root is scored by itself, whoever works
//! on it; a doer only adds what is spread thinly over several roots. Bounded: the one not seen for longest is forgotten.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use shirase_shared::event::Severity;
use shirase_shared::redact::Redactor;

use super::MassChangeConfig;
use super::evidence::{Tally, Weight};
use super::severity::{Because, Circumstances, Verdict, judge};
use super::windows::{Counts, ShortWindows, Slot};
use crate::observation::Actor;

/// Processes, and units, scored at the most.
const DOERS_MAX: usize = 256;
/// Roots remembered of one doer.
const ROOTS_MAX: usize = 64;
/// A doer has to be at work on so many roots, for each root is scored by itself.
const ROOTS_MIN: usize = 2;
/// A unit is many processes of many people: it takes so many times as much.
const UNIT_TIMES: u32 = 2;
/// Longest name of a program or unit that is told.
const NAME_MAX_CHARS: usize = 64;
/// User ids below this are the system's own.
const PEOPLE_FROM: u32 = 1000;
/// The user id of nobody.
const NOBODY: u32 = 65_534;

/// Who a process is, as it may leave the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Particulars {
    pub(super) program: String,
    pub(super) unit: Option<String>,
    pub(super) user: Option<String>,
    pub(super) client: Option<String>,
}

impl Particulars {
    pub(super) fn of(actor: &Actor, redactor: &Redactor) -> Self {
        let program = actor
            .program
            .as_deref()
            .and_then(Path::file_name)
            .map(|name| shown(&name.to_string_lossy()))
            .unwrap_or_default();

        Self {
            program,
            unit: actor.unit.as_deref().map(shown),
            user: actor.uid.map(|uid| user(uid, redactor)),
            client: actor.client.as_deref().map(shown),
        }
    }
}

/// A system account by its number, a person's by a keyed hash.
fn user(uid: u32, redactor: &Redactor) -> String {
    if uid == 0 {
        return "root".to_owned();
    }
    let shown = format!("uid {uid}");
    if uid < PEOPLE_FROM || uid == NOBODY {
        return shown;
    }

    redactor.account(&shown)
}

/// Without anything that would move a cursor, and not too long.
fn shown(name: &str) -> String {
    let legal = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    name.chars().take(NAME_MAX_CHARS).map(legal).collect()
}

/// What tells one process from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessKey {
    pid: u32,
    started: Option<u64>,
}

impl ProcessKey {
    pub(super) const fn of(actor: &Actor) -> Self {
        Self { pid: actor.pid, started: actor.started }
    }
}

/// All doers.
pub(super) struct Doers {
    redactor: Arc<Redactor>,
    processes: Table<ProcessKey>,
    units: Table<String>,
}

struct Table<K> {
    known: BTreeMap<K, Doer>,
    limits: MassChangeConfig,
}

struct Doer {
    who: Arc<Particulars>,
    windows: ShortWindows,
    /// Numbers of the scopes it worked on, the last one last, with the time.
    scopes: Vec<(u64, u64)>,
    last_ms: u64,
}

/// A doer who is at work on several roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Busy {
    pub(super) verdict: Verdict,
    pub(super) who: Arc<Particulars>,
    /// The scopes.
    pub(super) scopes: Vec<u64>,
}

impl Doers {
    pub(super) fn new(settings: &MassChangeConfig, redactor: Arc<Redactor>) -> Self {
        let of_units = MassChangeConfig {
            high_files: settings.high_files.saturating_mul(UNIT_TIMES),
            critical_files: settings.critical_files.saturating_mul(UNIT_TIMES),
            ..settings.clone()
        };
        Self { redactor, processes: Table::new(settings.clone()), units: Table::new(of_units) }
    }

    /// Says who a process is.
    pub(super) fn who(&self, actor: &Actor) -> Arc<Particulars> {
        match self.processes.known.get(&ProcessKey::of(actor)) {
            Some(doer) => Arc::clone(&doer.who),
            None => Arc::new(Particulars::of(actor, &self.redactor)),
        }
    }

    /// Counts a file for its doer.
    pub(super) fn add(&mut self, actor: &Actor, scope: u64, at_ms: u64, tally: Tally) {
        let who = self.who(actor);
        // What a unit removes is the sum of many people's work.
        if Weight::Removal < tally.weight
            && let Some(unit) = &actor.unit
        {
            let of_unit = Particulars { unit: who.unit.clone(), ..Particulars::default() };
            self.units
                .doer(unit, of_unit, at_ms)
                .add(scope, at_ms, tally);
        }
        self.processes
            .doer(&ProcessKey::of(actor), who, at_ms)
            .add(scope, at_ms, tally);
    }

    /// Takes a file back.
    pub(super) fn take(&mut self, actor: &Actor, tally: Tally) {
        if let Some(doer) = self.processes.known.get_mut(&ProcessKey::of(actor)) {
            doer.windows.take(tally);
        }
        if let Some(doer) = actor
            .unit
            .as_ref()
            .and_then(|unit| self.units.known.get_mut(unit))
        {
            doer.windows.take(tally);
        }
    }

    /// Says whether the process, or its unit, does over several roots what would be high on one.
    pub(super) fn busy(&mut self, actor: &Actor, now_ms: u64) -> Option<Busy> {
        let process = self.processes.busy(&ProcessKey::of(actor), now_ms);
        process.or_else(|| self.units.busy(actor.unit.as_ref()?, now_ms))
    }
}

impl<K: Ord + Clone> Table<K> {
    const fn new(limits: MassChangeConfig) -> Self {
        Self { known: BTreeMap::new(), limits }
    }

    fn doer(&mut self, key: &K, who: impl Into<Arc<Particulars>>, now_ms: u64) -> &mut Doer {
        if !self.known.contains_key(key) && DOERS_MAX <= self.known.len() {
            let oldest = self.known.iter().min_by_key(|(_, doer)| doer.last_ms);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.known.remove(&oldest);
            }
        }
        self.known.entry(key.clone()).or_insert_with(|| Doer {
            who: who.into(),
            windows: ShortWindows::default(),
            scopes: Vec::new(),
            last_ms: now_ms,
        })
    }

    fn busy(&mut self, key: &K, now_ms: u64) -> Option<Busy> {
        let doer = self.known.get_mut(key)?;
        let sums = doer.windows.sums(now_ms);
        doer.scopes
            .retain(|(_, at_ms)| now_ms <= at_ms + PRESENT_MS);
        if doer.scopes.len() < ROOTS_MIN {
            return None;
        }
        let certain = |counts: Counts| counts.cleared(Slot::Shape).cleared(Slot::Weak);
        // It is one program.
        let alone = Circumstances { removed_by_one: u64::MAX, ..Circumstances::default() };
        let verdict = judge(sums.map(certain), alone, &self.limits)?;
        if verdict.severity < Severity::High {
            return None;
        }
        let total = u64::from(self.limits.critical_files) <= sums.middle.harmed();
        let severity = if total { Severity::Critical } else { verdict.severity };
        let count = sums.middle.harmed() + sums.middle.removed();
        let verdict = Verdict { severity, because: Because::Doer, count, ..verdict };
        let scopes = doer.scopes.iter().map(|(scope, _)| *scope).collect();

        Some(Busy { verdict, who: Arc::clone(&doer.who), scopes })
    }
}

/// How long a doer counts as at work on a root after it harmed something there.
const PRESENT_MS: u64 = 120_000;

impl Doer {
    fn add(&mut self, scope: u64, at_ms: u64, tally: Tally) {
        self.last_ms = self.last_ms.max(at_ms);
        self.windows.add(at_ms, tally);
        if Weight::Doubt <= tally.weight {
            self.scopes.retain(|(known, _)| *known != scope);
            self.scopes.push((scope, at_ms));
            if ROOTS_MAX < self.scopes.len() {
                self.scopes.remove(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::mass_change::evidence::Value;

    fn actor(pid: u32, uid: u32) -> Actor {
        Actor {
            pid,
            started: Some(1),
            program: Some("/opt/山田/evil".into()),
            uid: Some(uid),
            unit: Some("cron.service".to_owned()),
            client: None,
            parents: Vec::new(),
        }
    }

    const NAME: Tally = Tally { weight: Weight::Name, value: Value::Valued, units: 1 };

    #[test]
    fn one_process_over_several_roots_is_one_doer() {
        let settings = MassChangeConfig::default();
        let mut doers = Doers::new(&settings, Arc::new(Redactor::new(&[7; 32])));
        for root in 0..2 {
            doers.add(&actor(7, 33), root, 1000, NAME);
            assert_eq!(doers.busy(&actor(7, 33), 1000), None);
        }
        doers.add(&actor(7, 33), 2, 1000, NAME);
        let busy = doers
            .busy(&actor(7, 33), 1000)
            .expect("three files on three roots");
        assert_eq!((busy.verdict.severity, busy.scopes.len()), (Severity::High, 3));
        assert_eq!(busy.who.program, "evil");
        assert_eq!(doers.busy(&actor(7, 33), 200_000), None, "it is over");
    }

    #[test]
    fn short_lived_processes_of_one_unit_are_one_doer_at_twice_as_much() {
        let settings = MassChangeConfig::default();
        let mut doers = Doers::new(&settings, Arc::new(Redactor::new(&[7; 32])));
        for pid in 0..5 {
            doers.add(&actor(pid, 33), u64::from(pid), 1000, NAME);
            assert_eq!(doers.busy(&actor(pid, 33), 1000), None);
        }
        doers.add(&actor(9, 33), 9, 1000, NAME);
        let busy = doers
            .busy(&actor(9, 33), 1000)
            .expect("six files of one unit");
        assert_eq!(busy.who.unit.as_deref(), Some("cron.service"));
        for pid in 100..2000 {
            doers.add(&actor(pid, 33), 1, 2000, NAME);
        }
        assert!(doers.processes.known.len() <= DOERS_MAX);
    }

    #[test]
    fn people_leave_as_hashes_and_system_accounts_do_not() {
        let redactor = Redactor::new(&[7; 32]);
        let users = [0, 33, 1000, 65_534].map(|uid| user(uid, &redactor));
        assert_eq!((users[0].as_str(), users[1].as_str()), ("root", "uid 33"));
        assert_eq!((users[2].len(), users[3].as_str()), (16, "uid 65534"));
    }
}
