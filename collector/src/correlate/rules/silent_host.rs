//! A host stopped reporting.
//!
//! Silence counts only while this collector was listening, so that its own pause accuses nobody. It closes nothing,
//! and its end is noted, not acted upon. A stop the agent announced is told apart in words, not in weight: an
//! intruder stops a service politely too.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::event::{AgentState, Anomaly, Severity};
use shirase_shared::ids::HostId;

use super::serves_care;
use crate::correlate::conclusion::{Conclusion, NaturalKey, Reason, RecordKey, Rule, Span, Stop};
use crate::correlate::input::{Facts, Seen};
use crate::orders::Window;
use crate::records::ListeningSpan;

/// How far from the last heartbeat an agent's word about its own life may lie: the two cross on their way.
const WORD_NEAR_SILENCE: SignedDuration = SignedDuration::from_mins(2);

pub(in crate::correlate) fn run(facts: &Facts<'_>) -> Vec<Conclusion> {
    let beats = facts.input.heartbeats.iter();
    let silent = beats.filter_map(|(host, heard_at)| conclude(facts, *host, *heard_at));
    let returned = facts
        .input
        .known
        .iter()
        .filter_map(|known| note_return(facts, known));

    silent.chain(returned).collect()
}

fn conclude(facts: &Facts<'_>, host: HostId, heard_at: Timestamp) -> Option<Conclusion> {
    let revoked = facts
        .input
        .hosts
        .get(&host)
        .is_none_or(|host| host.revoked_at.is_some());
    if revoked {
        return None;
    }
    let noticed_at = noticed_at(facts, heard_at)?;
    let (stop, records) = stop(facts, host, heard_at);
    let roles = facts.roles(host);

    Some(Conclusion {
        natural_key: key(host, heard_at),
        rule: Rule::SilentHost,
        severity: if roles.iter().copied().any(serves_care) {
            Severity::High
        } else {
            Severity::Medium
        },
        facility: facts.input.facility.clone(),
        hosts: BTreeSet::from([host]),
        records,
        about: None,
        parts: BTreeSet::new(),
        first_at: heard_at,
        last_at: noticed_at,
        drill: None,
        sources: BTreeSet::new(),
        care_roles: roles,
        reason: Reason::SilentHost {
            last_heard_at: heard_at,
            stop,
            returned_at: None,
            maintenance: maintenance(facts, host, Span { first: heard_at, last: noticed_at }),
        },
    })
}

/// Returns the maintenance that was announced for a host while it fell silent. It changes the words alone.
fn maintenance(facts: &Facts<'_>, host: HostId, silence: Span) -> Option<Window> {
    let windows = facts.input.windows.iter();
    let covers = |window: &&Window| window.from <= silence.last && silence.first <= window.until;
    windows
        .filter(|(of, _)| *of == host)
        .map(|(_, window)| window)
        .rfind(covers)
        .cloned()
}

fn key(host: HostId, heard_at: Timestamp) -> NaturalKey {
    NaturalKey::new(format!("{}/{host}/{}", Rule::SilentHost, heard_at.as_millisecond()))
}

/// Returns when the silence since `heard_at` had lasted long enough, of which only the time counts in which this
/// collector was listening; `None` while it has not.
fn noticed_at(facts: &Facts<'_>, heard_at: Timestamp) -> Option<Timestamp> {
    let mut spans: Vec<&ListeningSpan> = facts.input.listening.iter().collect();
    spans.sort_by_key(|span| (span.started_at, span.last_at));
    let mut missing = facts.input.config.silence();
    // Collectors that share a database listen at the same time: what was counted once does not count again.
    let mut counted_to = heard_at;
    for span in spans {
        let from = span.started_at.max(counted_to);
        let to = span.last_at.min(facts.input.as_of);
        let heard_nothing = to.duration_since(from);
        if heard_nothing <= SignedDuration::ZERO {
            continue;
        }
        if missing <= heard_nothing {
            return Some(from + missing);
        }
        missing -= heard_nothing;
        counted_to = to;
    }

    None
}

/// Returns whether the agent announced its stop and did not start again, with the records that say so.
fn stop(facts: &Facts<'_>, host: HostId, heard_at: Timestamp) -> (Stop, BTreeSet<RecordKey>) {
    let at = Span { first: heard_at, last: heard_at };
    let near = facts.seen().iter().filter(|seen| {
        let told_at = seen.record.corrected_at;
        let told = Span { first: told_at, last: told_at };
        seen.record.host == host && told.is_near(at, WORD_NEAR_SILENCE)
    });
    let words: Vec<(&Seen<'_>, Stop)> = near
        .filter_map(|seen| match &seen.event.anomaly {
            Anomaly::Agent(AgentState::Stopping { cause }) => {
                Some((seen, Stop::Announced { at: seen.record.corrected_at, cause: *cause }))
            }
            Anomaly::Agent(AgentState::Started { .. }) => Some((seen, Stop::Unannounced)),
            Anomaly::Agent(
                AgentState::ConfigInvalid { .. }
                | AgentState::ConfigLoaded
                | AgentState::DrillStarted
                | AgentState::DrillEnded { .. }
                | AgentState::OrderRefused { .. }
                | AgentState::Contained { .. }
                | AgentState::Released { .. }
                | AgentState::BudgetReached { .. },
            )
            | Anomaly::MassChange(_)
            | Anomaly::Outage(_)
            | Anomaly::Pressure(_)
            | Anomaly::Logon(_)
            | Anomaly::Protection(_)
            | Anomaly::Backup(_)
            | Anomaly::Stops(_)
            | Anomaly::Print(_)
            | Anomaly::Loss(_) => None,
        })
        .collect();
    let last = words.last().map_or(Stop::Unannounced, |(_, stop)| *stop);

    (last, words.iter().map(|(seen, _)| seen.key()).collect())
}

/// Notes that a host was heard again after a silence an earlier run concluded.
fn note_return(facts: &Facts<'_>, known: &Conclusion) -> Option<Conclusion> {
    let Reason::SilentHost { last_heard_at, stop, returned_at: None, maintenance } = &known.reason
    else {
        return None;
    };
    let host = *known.hosts.first()?;
    let heard_at = *facts.input.heartbeats.get(&host)?;
    if heard_at <= *last_heard_at {
        return None;
    }
    let reason = Reason::SilentHost {
        last_heard_at: *last_heard_at,
        stop: *stop,
        returned_at: Some(heard_at),
        maintenance: maintenance.clone(),
    };

    Some(Conclusion { reason, last_at: known.last_at.max(heard_at), ..known.clone() })
}
