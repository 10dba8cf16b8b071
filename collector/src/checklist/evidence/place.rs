//! What the collector knows of the institution itself: its address book and the people who sign in here.

use jiff::Timestamp;

use super::{Evidence, Known};
use crate::contacts::{ContactKind, StaffDuty, today};
use crate::facilities::Duty;
use crate::people::{PASSWORD_MIN_CHARS, User};

pub(super) fn safety_manager(known: &Known<'_>) -> Vec<Evidence> {
    let day = today(known.now);
    let holds = known.contacts.iter().filter(|contact| {
        contact.details.kind == ContactKind::Staff
            && contact.details.duty == Some(StaffDuty::SafetyManager)
            && contact.is_in_force(day)
    });
    let mut found: Vec<Evidence> = holds
        .map(|contact| {
            let name = contact.details.name();
            match &contact.verified {
                Some(verified) => Evidence::plain("evidence-safety-manager", contact.set_at)
                    .with("name", name)
                    .on("verified", verified.on),
                None => Evidence::look("evidence-safety-manager-unverified", contact.set_at)
                    .with("name", name),
            }
        })
        .collect();
    if found.is_empty() {
        found.push(match known.facility.master.person(Duty::SafetyManager) {
            Some(person) => {
                let said = "evidence-safety-manager-typed";
                Evidence::plain(said, known.facility.updated_at).with("name", &person.name)
            }
            None => Evidence::look("evidence-safety-manager-none", known.now),
        });
    }
    found
}

pub(super) fn accounts(known: &Known<'_>) -> Vec<Evidence> {
    let active = in_use(known).count();
    let disabled = known.users.len() - active;
    let unused = in_use(known).filter(|user| user.must_change).count();
    let mut found = vec![
        Evidence::plain("evidence-accounts", known.now)
            .with("active", active)
            .with("disabled", disabled),
    ];
    if 0 < unused {
        found.push(Evidence::look("evidence-accounts-unused", known.now).with("count", unused));
    }
    found
}

pub(super) fn passwords(known: &Known<'_>) -> Vec<Evidence> {
    vec![Evidence::plain("evidence-passwords", known.now).with("chars", PASSWORD_MIN_CHARS)]
}

pub(super) fn second_factor(known: &Known<'_>) -> Vec<Evidence> {
    let (all, with) =
        (in_use(known).count(), in_use(known).filter(|user| user.second_factor).count());
    let said = if with < all {
        Evidence::look("evidence-second-factor", known.now)
    } else {
        Evidence::plain("evidence-second-factor", known.now)
    };
    vec![said.with("with", with).with("all", all)]
}

pub(super) fn contact_chart(known: &Known<'_>) -> Vec<Evidence> {
    if known.chart.is_empty() {
        return vec![Evidence::look("evidence-chart-none", known.now)];
    }
    let day = today(known.now);
    let in_force: Vec<_> = known
        .contacts
        .iter()
        .filter(|contact| contact.is_in_force(day))
        .collect();
    let changed: Option<Timestamp> = in_force.iter().map(|contact| contact.set_at).max();
    let verified = in_force
        .iter()
        .filter_map(|contact| Some(contact.verified.as_ref()?.on))
        .max();
    let at = changed.unwrap_or(known.now);
    let mut found = vec![Evidence::plain("evidence-chart", at).with("count", in_force.len())];
    found.extend(
        verified.map(|on| Evidence::plain("evidence-chart-verified", at).on("verified", on)),
    );
    if 0 < known.chart.flagged {
        let said = Evidence::look("evidence-chart-flagged", known.now);
        found.push(said.with("count", known.chart.flagged));
    }
    if !known.chart.gaps.is_empty() {
        let said = Evidence::look("evidence-chart-gaps", known.now);
        found.push(said.with("count", known.chart.gaps.len()));
    }
    found
}

/// Returns the people who may sign in.
fn in_use<'a>(known: &'a Known<'_>) -> impl Iterator<Item = &'a User> {
    known.users.iter().filter(|user| user.disabled.is_none())
}
