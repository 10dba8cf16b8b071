//! How a host stands to the policy it should have in force.

use jiff::{SignedDuration, Timestamp};
use shirase_shared::policy::{PolicyKey, PolicyReport, PolicyRevision, Refusal};

use super::revision::{Desired, Revision, Scope};
use crate::facilities::Host;

/// Most keys of drift that are looked at.
const DRIFT_MAX: usize = 50;

/// How a host stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The revision it should have in force.
    pub desired: Option<PolicyRevision>,
    /// The one it says is in force.
    pub actual: Option<PolicyRevision>,
    /// What that comes to.
    pub state: State,
    /// Since when it has not had in force what it should.
    pub behind_since: Option<Timestamp>,
    /// Whether that is longer than it may be.
    pub late: bool,
    /// Keys of which its own file says something else.
    pub drift: Vec<PolicyKey>,
    /// Whether it names keys this version does not know.
    pub more_drift: bool,
}

/// What a host and its policy come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no policy for it.
    Nothing,
    /// It has in force what it should.
    Applied,
    /// It has not told of it yet.
    Waiting,
    /// It did not take it; `None` for a reason this version does not know.
    Refused(Option<Refusal>),
    /// Its own file takes no policy.
    NotTaking,
    /// Its agent knows of no policies.
    TooOld,
    /// It was never heard.
    NeverHeard,
    /// It has one in force this collector never saved: a collector was restored from a backup.
    Ahead,
}

impl State {
    /// Returns the name used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Applied => "applied",
            Self::Waiting => "waiting",
            Self::Refused(_) => "refused",
            Self::NotTaking => "not_taking",
            Self::TooOld => "too_old",
            Self::NeverHeard => "never_heard",
            Self::Ahead => "ahead",
        }
    }
}

/// Says how a host stands. `revisions` are all of its facility; `heard` is what its last sign of life said, if there was
/// one.
#[must_use]
pub fn standing(
    host: &Host,
    (desired, revisions): (Option<&Desired>, &[Revision]),
    heard: Option<Option<&PolicyReport>>,
    (now, late_after): (Timestamp, SignedDuration),
) -> Standing {
    let report = heard.flatten();
    let applied = report.and_then(|report| report.applied.as_ref());
    let state = state(desired, heard);
    let behind_since = match state {
        State::Nothing | State::Applied => None,
        State::Waiting
        | State::Refused(_)
        | State::NotTaking
        | State::TooOld
        | State::NeverHeard
        | State::Ahead => desired.map(|desired| {
            let actual = applied.map(|name| name.revision);
            first_missed(host, revisions, actual, desired).max(host.enrolled_at)
        }),
    };
    let told = report
        .map(|report| report.drift.as_slice())
        .unwrap_or_default();
    let drift: Vec<_> = told
        .iter()
        .take(DRIFT_MAX)
        .filter_map(|name| PolicyKey::from_name(name))
        .collect();

    Standing {
        desired: desired.map(|desired| desired.name.revision),
        actual: applied.map(|name| name.revision),
        state,
        behind_since,
        late: behind_since.is_some_and(|since| late_after < now.duration_since(since)),
        more_drift: drift.len() < told.len(),
        drift,
    }
}

fn state(desired: Option<&Desired>, heard: Option<Option<&PolicyReport>>) -> State {
    let Some(desired) = desired else { return State::Nothing };
    let Some(heard) = heard else { return State::NeverHeard };
    let Some(report) = heard else { return State::TooOld };
    if !report.taking {
        return State::NotTaking;
    }
    if report.applied.as_ref() == Some(&desired.name) {
        return State::Applied;
    }
    if let Some(refused) = report
        .refused
        .as_ref()
        .filter(|refused| refused.name == desired.name)
    {
        return State::Refused(Refusal::from_name(&refused.why));
    }
    match &report.applied {
        Some(applied) if desired.name.revision < applied.revision => State::Ahead,
        Some(_) | None => State::Waiting,
    }
}

/// When the first text was saved that the host has not put into force.
fn first_missed(
    host: &Host,
    revisions: &[Revision],
    actual: Option<PolicyRevision>,
    desired: &Desired,
) -> Timestamp {
    let meant = |revision: &&Revision| match revision.scope {
        Scope::Facility => true,
        Scope::Host(id) => id == host.id,
    };
    let missed = revisions
        .iter()
        .filter(meant)
        .filter(|revision| actual.is_none_or(|actual| actual < revision.number));

    missed
        .map(|revision| revision.set_at)
        .min()
        .unwrap_or(desired.since)
}
