//! Something could not be seen, kept or told, and people must know that it was not.
//!
//! Also here: events of a newer agent that this version cannot read. They are one conclusion for each host and kind,
//! because nothing in them says what belongs together.

use std::collections::{BTreeMap, BTreeSet};

use shirase_shared::event::{Anomaly, Loss, LossKind, Severity};
use shirase_shared::ids::HostId;

use super::{Verdict, latest, severity};
use crate::correlate::conclusion::{Conclusion, NaturalKey, Reason, Rule};
use crate::correlate::input::{Facts, Story, key_of};
use crate::records::SeenRecord;

pub(in crate::correlate) fn run(facts: &Facts<'_>) -> Vec<Conclusion> {
    let stories = facts.stories(|anomaly| loss(anomaly).map(|loss| tag(loss.what)));
    let told = stories.iter().filter_map(|story| conclude(facts, story));

    told.chain(unread(facts)).collect()
}

fn tag(what: LossKind) -> String {
    let what = match what {
        LossKind::KernelQueue => "kernel_queue",
        LossKind::OwnQueue => "own_queue",
        LossKind::NotRunning => "not_running",
        LossKind::RootUnreadable => "root_unreadable",
        LossKind::RootGone => "root_gone",
        LossKind::BufferFull => "buffer_full",
        LossKind::BufferReplaced => "buffer_replaced",
        LossKind::RecordSetAside => "record_set_aside",
        LossKind::SensorBlind => "sensor_blind",
    };
    format!("{}/{what}", Rule::Loss)
}

fn conclude(facts: &Facts<'_>, story: &Story<'_>) -> Option<Conclusion> {
    let (_, evidence) = latest(story, loss)?;
    let reason = Reason::Loss {
        what: evidence.what,
        count: evidence.count,
        detail: evidence.detail.clone(),
    };
    let verdict = Verdict {
        rule: Rule::Loss,
        severity: severity(story),
        care_roles: facts.roles(story.host),
        reason,
    };

    Some(verdict.on(story, facts))
}

fn unread(facts: &Facts<'_>) -> Vec<Conclusion> {
    let mut kinds: BTreeMap<(HostId, &str), Vec<&SeenRecord>> = BTreeMap::new();
    for record in facts
        .input
        .records
        .iter()
        .filter(|record| record.event.is_none())
    {
        kinds
            .entry((record.host, &record.kind))
            .or_default()
            .push(record);
    }
    let conclude = |((host, kind), records): ((HostId, &str), Vec<&SeenRecord>)| {
        let keys: BTreeSet<_> = records.iter().map(|record| key_of(record)).collect();
        let times = || records.iter().map(|record| record.corrected_at);
        // What it cannot read it must not belittle.
        let told = records
            .iter()
            .map(|record| record.severity.unwrap_or(Severity::Medium));
        Some(Conclusion {
            natural_key: NaturalKey::new(format!("{}/unread/{host}/{kind}", Rule::Loss)),
            rule: Rule::Loss,
            severity: told.max()?,
            facility: facts.input.facility.clone(),
            hosts: BTreeSet::from([host]),
            about: None,
            parts: BTreeSet::new(),
            first_at: times().min()?,
            last_at: times().max()?,
            drill: None,
            sources: BTreeSet::new(),
            care_roles: facts.roles(host),
            reason: Reason::Unread {
                kind: kind.to_owned(),
                count: u64::try_from(keys.len()).unwrap_or(u64::MAX),
            },
            records: keys,
        })
    };
    kinds.into_iter().filter_map(conclude).collect()
}

const fn loss(anomaly: &Anomaly) -> Option<&Loss> {
    match anomaly {
        Anomaly::Loss(loss) => Some(loss),
        Anomaly::MassChange(_)
        | Anomaly::Outage(_)
        | Anomaly::Pressure(_)
        | Anomaly::Logon(_)
        | Anomaly::Protection(_)
        | Anomaly::Backup(_)
        | Anomaly::Stops(_)
        | Anomaly::Print(_)
        | Anomaly::Agent(_) => None,
    }
}
