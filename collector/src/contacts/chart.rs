//! The emergency chart (連絡体制図): who calls whom, in what order, and what is missing in it.

use jiff::Timestamp;
use jiff::civil::Date;

use super::kind::{ContactKind, StaffDuty};
use super::{Contact, Standing, today};
use crate::reports::profile::{Confidence, Profiles, Words};

/// Duties without which a night goes wrong.
const NEEDED_DUTIES: [StaffDuty; 4] = [
    StaffDuty::NightDesk,
    StaffDuty::ItLead,
    StaffDuty::IncidentCommander,
    StaffDuty::LiaisonOfficer,
];

/// An office the profiles of reports name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// What kind of contact it is.
    pub kind: ContactKind,
    /// Its name.
    pub name: Words,
    /// Telephone; empty unless somebody confirmed it.
    pub phone: String,
    /// Mail address; empty unless somebody confirmed it.
    pub mail: String,
    /// Where it was read.
    pub source_url: String,
    /// When that was last read.
    pub last_verified: Date,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Returns the offices of the profiles in use, one of a kind, in the order of the calls.
///
/// A number nobody confirmed is left out, whatever the profile's file holds.
#[must_use]
pub fn offices(profiles: &Profiles, now: Timestamp) -> Vec<Office> {
    let mut offices: Vec<Office> = Vec::new();
    for profile in profiles
        .all()
        .filter(|profile| profile.body.enabled && profile.is_valid(now))
    {
        let kind = ContactKind::of(profile.body.addressee);
        let kind = kind.filter(|kind| !matches!(kind, ContactKind::Foreign | ContactKind::Vendor));
        let (Some(kind), Some(contact)) = (kind, profile.contact(now)) else {
            continue;
        };
        if offices.iter().any(|office| office.kind == kind) {
            continue;
        }
        let confirmed = |text: &String| match contact.confidence {
            Confidence::Confirmed => text.clone(),
            Confidence::Secondary | Confidence::Unverified => String::new(),
        };
        offices.push(Office {
            kind,
            name: contact.office.clone(),
            phone: confirmed(&contact.phone),
            mail: confirmed(&contact.mail),
            source_url: contact.source_url.clone(),
            last_verified: contact.last_verified,
            confidence: contact.confidence,
        });
    }
    offices.sort_by_key(|office| office.kind);
    offices
}

/// The whole chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The chain inside the hospital, first call first.
    pub chain: Vec<Step>,
    /// Whom the incident commander calls in besides.
    pub called_in: Vec<Step>,
    /// The calls to the outside, by whose task they are.
    pub outside: Vec<Group>,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// How many contacts in force somebody should make sure of.
    pub flagged: usize,
}

/// One duty with everybody who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The duty.
    pub duty: StaffDuty,
    /// Who holds it, the first to be tried first.
    pub people: Vec<Call>,
}

/// The calls of one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Whose task they are.
    pub caller: StaffDuty,
    /// The calls, in their order.
    pub calls: Vec<Call>,
    /// Offices of the profiles that the book has no contact for.
    pub offices: Vec<Office>,
}

/// Somebody to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who.
    pub contact: Contact,
    /// How far that can be relied on.
    pub standing: Standing,
}

/// Something the book should hold and does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nobody holds this duty.
    Duty(StaffDuty),
    /// Nobody of this kind can be called.
    Kind(ContactKind),
    /// Everybody with this duty has no number for the night.
    Night(StaffDuty),
}

impl Chart {
    /// Draws the chart of a day.
    #[must_use]
    pub fn of(contacts: &[Contact], offices: &[Office], now: Timestamp) -> Self {
        let today = today(now);
        let mut calls: Vec<Call> = contacts
            .iter()
            .filter(|contact| contact.is_in_force(today))
            .map(|contact| Call { contact: contact.clone(), standing: contact.standing(today) })
            .collect();
        calls.sort_by(|a, b| a.contact.details.before(&b.contact.details));
        let flagged = calls.iter().filter(|call| call.standing.is_flagged());
        let flagged = flagged.count();
        let (staff, others): (Vec<Call>, Vec<Call>) = calls
            .into_iter()
            .partition(|call| call.contact.details.kind == ContactKind::Staff);
        let steps = |in_chain: bool| {
            let duties = StaffDuty::ALL.iter().copied();
            let duties = duties.filter(|duty| duty.is_of_the_chain() == in_chain);
            let steps = duties.map(|duty| Step { duty, people: held(&staff, duty) });
            steps.filter(|step| !step.people.is_empty()).collect()
        };

        Self {
            chain: steps(true),
            called_in: steps(false),
            outside: outside(&others, offices),
            gaps: gaps(&staff, &others, offices),
            flagged,
        }
    }

    /// Whether there is nobody in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
            && self.called_in.is_empty()
            && self.outside.iter().all(|group| group.calls.is_empty())
    }
}

fn held(staff: &[Call], duty: StaffDuty) -> Vec<Call> {
    let holds = |call: &&Call| call.contact.details.duty == Some(duty);
    staff.iter().filter(holds).cloned().collect()
}

fn outside(others: &[Call], offices: &[Office]) -> Vec<Group> {
    let has = |kind| others.iter().any(|call| call.contact.details.kind == kind);
    let groups = StaffDuty::ALL.iter().copied().map(|caller| Group {
        caller,
        calls: others
            .iter()
            .filter(|call| call.contact.details.caller() == caller)
            .cloned()
            .collect(),
        offices: offices
            .iter()
            .filter(|office| office.kind.usual_caller() == caller && !has(office.kind))
            .cloned()
            .collect(),
    });
    groups
        .filter(|group| !group.calls.is_empty() || !group.offices.is_empty())
        .collect()
}

fn gaps(staff: &[Call], others: &[Call], offices: &[Office]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for duty in NEEDED_DUTIES {
        let people = held(staff, duty);
        if people.is_empty() {
            gaps.push(Gap::Duty(duty));
        } else if duty.is_of_the_chain()
            && people
                .iter()
                .all(|call| call.contact.details.night_phone.is_empty())
        {
            gaps.push(Gap::Night(duty));
        }
    }
    let vendor = std::iter::once(ContactKind::Vendor);
    for kind in vendor.chain(offices.iter().map(|office| office.kind)) {
        if !others.iter().any(|call| call.contact.details.kind == kind) {
            gaps.push(Gap::Kind(kind));
        }
    }
    gaps
}

impl StaffDuty {
    /// Whether it stands in the chain of calls; the others are called in by the incident commander.
    #[must_use]
    pub const fn is_of_the_chain(self) -> bool {
        match self {
            Self::NightDesk
            | Self::ItLead
            | Self::SafetyManager
            | Self::IncidentCommander
            | Self::Director => true,
            Self::MedicalSafety
            | Self::Nursing
            | Self::LiaisonOfficer
            | Self::PrivacyOfficer
            | Self::PublicRelations
            | Self::Administration
            | Self::Other => false,
        }
    }
}
