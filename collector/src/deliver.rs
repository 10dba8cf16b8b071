//! Brings a released report to an addressee: who gets it, by which way, and what became of it.
//!
//! ```text
//! Approved + addressee + way ─(a person)─▶ waiting ─▶ attempt ─▶ delivered
//!                                             ▲          ├─▶ not yet ─(a few times)─▶ failed
//!                                             │          ├─▶ refused
//!                                             │          └─▶ unknown (結果不明)
//!                                             └────(a person: again)────┘
//! ```
//!
//! Always holds:
//! - nothing goes without a person who chose addressee and way for this released report; the address is frozen then;
//! - an exercise's report goes to those alone who take part in exercises, and nothing but an exercise's is marked 訓練;
//! - the id of a message belongs to the delivery: every attempt carries the same, so that a receiver sees a repetition;
//! - once the text was handed over, a missing answer is no failure: it is unknown, and a person decides;
//! - what a person did by hand is recorded with who, when and what the other side said.
//!
//! Pure but for the modules below, which take a [`Parcel`] and so an `Approved`. Not here: storing (see
//! `store::deliveries`) and doing it in time (see `jobs::deliver`).

pub mod address;
pub mod book;
pub mod by_hand;
pub mod folder;
pub mod parcel;
pub mod smtp;
mod config;
mod record;
mod state;
mod way;

use jiff::Timestamp;
use jiff::civil::Date;
use shirase_shared::ids::{ContactId, DeliveryId, FacilityId, IncidentId, ReportId, UserId};

use crate::reports::ReportStatus;
use crate::reports::answer::{NamedPerson, Revision};
use crate::reports::official::FormId;
use address::AddressProblem;

pub use config::DeliverConfig;
pub use parcel::Parcel;
pub use record::{Decided, LINE_MAX, Record};
pub(crate) use record::{Wanted, line};
pub use state::{Choice, Outcome, State, after, broken_off};
pub use way::{Carrier, Purpose, Way};

/// Who gets it and where, as it was when a person chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The office or company.
    pub organisation: String,
    /// The person there, if one is known.
    pub person: String,
    /// Mail address, folder, number, URL or words, as the way asks for.
    pub address: String,
    /// Whether they take part in exercises.
    pub drill_partner: bool,
    /// The entry of the address book it was taken from; `None` when it was typed in.
    pub contact: Option<ContactId>,
    /// When somebody last verified it.
    pub verified_on: Option<Date>,
}

/// One attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub begun_at: Timestamp,
    /// When the text began to leave; `None` if it did not come so far.
    pub handing_over_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it came to; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// The other side's words, or what went wrong.
    pub answer: String,
    /// Who tried; `None` for the machine.
    pub by: Option<UserId>,
}

/// One released report to one addressee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whose report.
    pub facility: FacilityId,
    /// Its identity.
    pub id: DeliveryId,
    /// The report.
    pub report: ReportId,
    /// The incident it tells.
    pub incident: IncidentId,
    /// The profile it follows.
    pub profile: String,
    /// The revision that was released.
    pub revision: Revision,
    /// Hash of the answers that were released.
    pub answers_sha256: String,
    /// Whether it is an exercise's: taken from the report, never from a wish.
    pub drill: bool,
    /// By which way.
    pub way: Way,
    /// What for.
    pub purpose: Purpose,
    /// To whom.
    pub addressee: Addressee,
    /// Official form whose filled copy goes along.
    pub form: Option<FormId>,
    /// Its id in the mail, the same for every attempt.
    pub message_id: String,
    /// How it stands.
    pub state: State,
    /// Attempts so far.
    pub attempts: u32,
    /// Failed attempts in a row since a person last decided.
    pub failures: u32,
    /// When the machine tries next; `None` when it does not.
    pub next_at: Option<Timestamp>,
    /// When the addressee had it.
    pub delivered_at: Option<Timestamp>,
    /// Who says so; `None` for the machine.
    pub delivered_by: Option<UserId>,
    /// The addressee's 受付番号.
    pub receipt: String,
    /// Why it stands as it does, or what was agreed.
    pub note: String,
    /// When a person chose it.
    pub created_at: Timestamp,
    /// Who.
    pub created_by: UserId,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Returns the id of a delivery's message: the same for every attempt.
#[must_use]
pub fn message_id(id: DeliveryId) -> String {
    format!("<{id}@reports.shirase.invalid>")
}

/// A person's wish to deliver a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whose report.
    pub facility: FacilityId,
    /// Which.
    pub report: ReportId,
    /// By which way.
    pub way: Way,
    /// What for.
    pub purpose: Purpose,
    /// To whom.
    pub addressee: Addressee,
    /// Official form whose filled copy goes along.
    pub form: Option<FormId>,
    /// Whether the person wants it although the same addressee has it already.
    pub again: bool,
    /// Who.
    pub by: NamedPerson,
}

/// Where a report stands when somebody wants to deliver it.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// How far it is.
    pub status: ReportStatus,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// Its deliveries so far.
    pub others: &'a [Delivery],
}

/// Why a delivery, a record or a decision was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody released it, or somebody took it back.
    #[error("the report is {0}; only an approved report is delivered")]
    NotApproved(ReportStatus),
    /// An exercise's report to somebody who takes no part in exercises.
    #[error(
        "the report is an exercise's (訓練); it goes to addressees alone that are marked as drill partners"
    )]
    DrillToOthers,
    /// The address does not fit the way.
    #[error(transparent)]
    Address(#[from] AddressProblem),
    /// The same is on its way already, or nobody knows whether it arrived.
    #[error("the same report to the same address is {0} already; look at that delivery")]
    UnderWay(State),
    /// They have it already.
    #[error("the same address has this report already; say that it is wanted once more")]
    HasIt,
    /// The decision does not fit the state.
    #[error("the delivery is {0}, so this cannot be decided or recorded")]
    NotNow(State),
    /// An attempt is running at this moment.
    #[error("the collector is sending it at this moment; wait for the end of the attempt")]
    Running,
    /// It is not done by hand.
    #[error("the collector does this delivery itself; there is nothing to record by hand")]
    NotByHand,
    /// The time lies in the future, or before the report was released.
    #[error("the time lies before the report was released or in the future")]
    Time,
    /// A text is missing or too long.
    #[error("the text `{0}` is missing, has more than one line, or is too long")]
    Text(&'static str),
}

/// Decides whether a report may be delivered as wished.
///
/// # Errors
/// Says why not.
pub fn judge(standing: Standing<'_>, wish: &Wish) -> Result<(), Refusal> {
    if standing.status != ReportStatus::Approved {
        return Err(Refusal::NotApproved(standing.status));
    }
    fits(standing.drill, &wish.addressee)?;
    address::check(wish.way, &wish.addressee)?;
    let same = standing
        .others
        .iter()
        .filter(|other| other.way == wish.way && other.addressee.address == wish.addressee.address);
    for other in same {
        match other.state {
            State::Waiting | State::Unknown | State::Refused | State::Failed => {
                return Err(Refusal::UnderWay(other.state));
            }
            State::Delivered if !wish.again => return Err(Refusal::HasIt),
            State::Delivered | State::Stopped => {}
        }
    }

    Ok(())
}

/// Decides whether a report may go to an addressee at all: an exercise's to drill partners alone.
///
/// # Errors
/// When it is an exercise's and they take no part in exercises.
pub const fn fits(drill: bool, addressee: &Addressee) -> Result<(), Refusal> {
    if drill && !addressee.drill_partner { Err(Refusal::DrillToOthers) } else { Ok(()) }
}

/// The delivery by which a report was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Which.
    pub delivery: DeliveryId,
    /// When the addressee had it.
    pub at: Timestamp,
    /// By which way.
    pub way: Way,
    /// Where.
    pub organisation: String,
    /// The addressee's 受付番号.
    pub receipt: String,
}

#[cfg(test)]
mod tests;
