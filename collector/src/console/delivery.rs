//! Deliveries of a report: to whom it went by which way, what became of it, and what a person does about it.
//!
//! Always holds: an addressee nobody verified says 未確認; a state says in words who has to do what.

mod sheet;

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use shirase_shared::ids::{DeliveryId, IncidentId, ReportId, UserId};

use super::frame::Frame;
use super::incident::time_field;
use super::ui::{Badge, Tone};
use crate::contacts::{Standing, today};
use crate::deliver::book::{Doubt, Offer, doubt};
use crate::deliver::{Attempt, Carrier, Choice, Delivery, Outcome, Purpose, State, Way};
use crate::locale::{Locale, japan_time};
use crate::reports::ReportStatus;
use crate::reports::profile::Profile;

pub use sheet::{CallSheetPage, Said};

/// The deliveries of one report, with a form for another.
#[derive(Template)]
#[template(path = "deliveries.html")]
pub struct DeliveriesPage {
    /// What stands around it.
    pub f: Frame,
    /// The report.
    pub report: ReportId,
    /// Its heading and its round.
    pub title: String,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// Whether it may be delivered now.
    pub released: bool,
    /// Its deliveries, the newest first.
    pub rows: Vec<DeliveryRow>,
    /// The office it is for, as its profile knows it.
    pub office: OfficeView,
    /// Entries of the address book, those it is for first.
    pub offers: Vec<OfferView>,
    /// What the form holds.
    pub typed: TypedWish,
    /// Names of the official forms that can go along.
    pub forms: Vec<String>,
    /// What is wrong with what was typed.
    pub problem: Option<String>,
}

impl DeliveriesPage {
    /// Whether an address was typed in that has to be corrected.
    fn by_typing(&self) -> bool {
        self.problem.is_some() && self.typed.entry.is_empty()
    }

    /// The ways there are, each with the keys of its label and of what its address is.
    fn ways(&self) -> impl Iterator<Item = (Way, String, String, bool)> {
        Way::ALL.into_iter().map(|way| {
            let chosen = self.typed.way == way.as_str();
            (way, way.label_key(), format!("way-{}-address", way.as_str()), chosen)
        })
    }
}

/// An entry of the address book with one of its lines.
pub struct OfferView {
    /// What the form sends: contact and line.
    pub value: String,
    /// What it is called.
    pub name: String,
    /// By which way, and where.
    pub way: String,
    /// Number, address or URL.
    pub address: String,
    /// How far it can be relied on, where somebody should make sure.
    pub standing: Option<Badge>,
    /// Whether it is of the kind the report is for.
    pub fits: bool,
    /// Whether it takes part in exercises.
    pub drill_partner: bool,
    /// Whether it was chosen before.
    pub chosen: bool,
}

impl OfferView {
    /// Shows an offer.
    #[must_use]
    pub fn of(offer: &Offer, chosen: &str, locale: Locale) -> Self {
        let value = format!("{}/{}", offer.contact, offer.line.as_str());
        let tone = match offer.standing {
            Standing::Stale | Standing::Unverified => Some(Tone::Medium),
            Standing::Verified | Standing::Ahead | Standing::Retired => None,
        };
        Self {
            chosen: value == chosen,
            value,
            name: offer.name.clone(),
            way: locale.text(offer.line.label_key()),
            address: offer.address.clone(),
            standing: tone
                .map(|tone| Badge { tone, text: locale.text(offer.standing.label_key()) }),
            fits: offer.fits,
            drill_partner: offer.drill_partner,
        }
    }
}

/// The office a report is for.
pub struct OfficeView {
    /// Its name.
    pub name: String,
    /// Its number, if somebody confirmed one.
    pub phone: String,
    /// Its mail address, if somebody confirmed one.
    pub mail: String,
    /// That nobody confirmed it; empty if somebody did.
    pub doubt: String,
}

impl OfficeView {
    /// Shows the office a profile names on the day of `now`.
    #[must_use]
    pub fn of(profile: &Profile, now: Timestamp, locale: Locale) -> Self {
        let Some(contact) = profile.contact(now) else {
            return Self {
                name: String::new(),
                phone: String::new(),
                mail: String::new(),
                doubt: locale.text("delivery-no-office"),
            };
        };
        let day = contact.last_verified;
        Self {
            name: contact.office.in_lang(locale.lang()).to_owned(),
            phone: contact.phone.clone(),
            mail: contact.mail.clone(),
            doubt: if contact.confidence.is_doubtful() {
                locale.text_with("delivery-office-doubt", &[("day", &day)])
            } else {
                String::new()
            },
        }
    }
}

/// What somebody typed into the form, to be shown again with what is wrong.
#[derive(Clone, Debug, Default)]
pub struct TypedWish {
    /// Entry of the address book with its line; empty when the address was typed in.
    pub entry: String,
    /// Name of the way.
    pub way: String,
    /// Whether it is a copy.
    pub copy: bool,
    /// The office.
    pub organisation: String,
    /// The person.
    pub person: String,
    /// The address.
    pub address: String,
    /// Whether they take part in exercises.
    pub drill_partner: bool,
    /// Official form that goes along.
    pub form: String,
    /// Whether it is wanted once more.
    pub again: bool,
}

/// One delivery in a list.
pub struct DeliveryRow {
    /// Which.
    pub id: DeliveryId,
    /// By which way.
    pub way: String,
    /// To whom.
    pub organisation: String,
    /// The person there.
    pub person: String,
    /// Where.
    pub address: String,
    /// How it stands.
    pub state: Badge,
    /// Whether it is a copy.
    pub copy: bool,
    /// When it was chosen, delivered or is tried next, in words.
    pub when: String,
    /// The addressee's 受付番号.
    pub receipt: String,
    /// Why it stands as it does.
    pub note: String,
    /// That nobody verified the addressee; empty if somebody did.
    pub doubt: String,
}

impl DeliveryRow {
    /// Shows a delivery.
    #[must_use]
    pub fn of(delivery: &Delivery, locale: Locale) -> Self {
        let addressee = &delivery.addressee;
        let note = match delivery.state {
            State::Delivered => String::new(),
            State::Waiting | State::Unknown | State::Refused | State::Failed | State::Stopped => {
                delivery.note.clone()
            }
        };
        Self {
            id: delivery.id,
            way: locale.text(&delivery.way.label_key()),
            organisation: addressee.organisation.clone(),
            person: addressee.person.clone(),
            address: addressee.address.clone(),
            state: state_badge(delivery, locale),
            copy: delivery.purpose == Purpose::Copy,
            when: when_words(delivery, locale),
            receipt: delivery.receipt.clone(),
            note,
            doubt: doubt_words(delivery, locale),
        }
    }

    /// Shows several, the newest first.
    #[must_use]
    pub fn all(deliveries: &[Delivery], locale: Locale) -> Vec<Self> {
        let newest = deliveries.iter().rev();
        newest.map(|delivery| Self::of(delivery, locale)).collect()
    }
}

fn state_badge(delivery: &Delivery, locale: Locale) -> Badge {
    let (tone, key) = match (delivery.state, delivery.way.carrier()) {
        (State::Waiting, Carrier::Machine) => (Tone::Low, "delivery-waiting"),
        (State::Waiting, Carrier::Person) => (Tone::Medium, "delivery-to-do"),
        (State::Delivered, _) => (Tone::Well, "delivery-delivered"),
        (State::Unknown, _) => (Tone::Critical, "delivery-unknown"),
        (State::Refused, _) => (Tone::High, "delivery-refused"),
        (State::Failed, _) => (Tone::High, "delivery-failed"),
        (State::Stopped, _) => (Tone::Quiet, "delivery-stopped"),
    };
    Badge { tone, text: locale.text(key) }
}

fn when_words(delivery: &Delivery, locale: Locale) -> String {
    let (key, at) = match (delivery.state, delivery.delivered_at, delivery.next_at) {
        (State::Delivered, Some(at), _) => ("delivery-when-delivered", at),
        (State::Waiting, _, Some(at)) if 0 < delivery.attempts => ("delivery-when-next", at),
        _ => ("delivery-when-chosen", delivery.created_at),
    };
    locale.text_with(key, &[("time", &japan_time(at))])
}

fn doubt_words(delivery: &Delivery, locale: Locale) -> String {
    // Two people compared the fingerprint of a partner's card.
    if delivery.way == Way::Partner {
        return String::new();
    }
    // As it was when it was chosen: what is verified later changes nothing of where it went.
    match doubt(&delivery.addressee, today(delivery.created_at)) {
        None => String::new(),
        Some(Doubt::TypedIn) => locale.text("delivery-typed-in"),
        Some(Doubt::Unverified) => locale.text("delivery-unverified"),
        Some(Doubt::Stale(on)) => locale.text_with("delivery-stale", &[("day", &on)]),
    }
}

/// One delivery with its attempts, and what a person can do about it.
#[derive(Template)]
#[template(path = "delivery.html")]
pub struct DeliveryPage {
    /// What stands around it.
    pub f: Frame,
    /// The delivery.
    pub row: DeliveryRow,
    /// The report, its heading and the incident.
    pub report: ReportId,
    /// Its heading and its round.
    pub title: String,
    /// The incident it tells.
    pub incident: IncidentId,
    /// Whether it is an exercise's.
    pub drill: bool,
    /// Its id in the mail; empty for other ways.
    pub message_id: String,
    /// Hash of the answers that were released.
    pub answers_sha256: String,
    /// Who chose it and when.
    pub chosen: String,
    /// Official form that goes along.
    pub form: String,
    /// What is asked of a person now, in words; empty when nothing is.
    pub asked: String,
    /// Its attempts, the newest first.
    pub attempts: Vec<AttemptView>,
    /// Decisions that fit, each with the key of its button.
    pub choices: Vec<(Choice, &'static str)>,
    /// The form for what was done by hand, where there is something to do.
    pub by_hand: Option<HandForm>,
    /// Whether the receipt can be noted.
    pub delivered: bool,
}

/// The form for what a person did by hand.
#[derive(Clone, Debug)]
pub struct HandForm {
    /// Which delivery.
    pub id: DeliveryId,
    /// What its time begins with.
    pub now: String,
}

/// One attempt.
pub struct AttemptView {
    /// Its number.
    pub number: u32,
    /// When it began.
    pub begun: String,
    /// What it came to.
    pub outcome: Badge,
    /// The other side's words, or what went wrong.
    pub answer: String,
    /// Who tried.
    pub by: String,
}

/// What a page of one delivery is made of.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// The delivery.
    pub delivery: &'a Delivery,
    /// Its attempts.
    pub attempts: &'a [Attempt],
    /// How far its report is.
    pub status: ReportStatus,
    /// Its report's heading and round.
    pub title: &'a str,
    /// Names of people.
    pub names: &'a BTreeMap<UserId, String>,
    /// Whether the reader works on deliveries.
    pub author: bool,
    /// The moment it is shown.
    pub now: Timestamp,
}

impl DeliveryPage {
    /// Shows a delivery.
    #[must_use]
    pub fn of(f: Frame, looked: Looked<'_>) -> Self {
        let Looked { delivery, attempts, status, title, names, author, now } = looked;
        let locale = f.locale;
        let name = |user: UserId| {
            names
                .get(&user)
                .cloned()
                .unwrap_or_else(|| locale.text("who-gone"))
        };
        let chosen: [(&str, &dyn std::fmt::Display); 2] =
            [("who", &name(delivery.created_by)), ("time", &japan_time(delivery.created_at))];
        let by_person = delivery.way.carrier() == Carrier::Person;
        let to_do = delivery.state == State::Waiting && by_person;
        Self {
            row: DeliveryRow::of(delivery, locale),
            report: delivery.report,
            title: title.to_owned(),
            incident: delivery.incident,
            drill: delivery.drill,
            message_id: if delivery.way == Way::Mail {
                delivery.message_id.clone()
            } else {
                String::new()
            },
            answers_sha256: delivery.answers_sha256.clone(),
            chosen: locale.text_with("delivery-chosen-by", &chosen),
            form: delivery
                .form
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            asked: asked_words(delivery, locale),
            attempts: attempts
                .iter()
                .rev()
                .map(|attempt| attempt_view(attempt, &name, locale))
                .collect(),
            choices: if author { choices(delivery.state) } else { Vec::new() },
            by_hand: (to_do && author && status == ReportStatus::Approved)
                .then(|| HandForm { id: delivery.id, now: time_field(now) }),
            delivered: author && delivery.state == State::Delivered,
            f,
        }
    }
}

fn asked_words(delivery: &Delivery, locale: Locale) -> String {
    let key = match (delivery.state, delivery.way.carrier()) {
        (State::Unknown, _) => "delivery-ask-unknown",
        (State::Refused, _) => "delivery-ask-refused",
        (State::Failed, _) => "delivery-ask-failed",
        (State::Waiting, Carrier::Person) => "delivery-ask-by-hand",
        (State::Waiting, Carrier::Machine) => "delivery-ask-wait",
        (State::Delivered | State::Stopped, _) => return String::new(),
    };
    locale.text(key)
}

fn choices(state: State) -> Vec<(Choice, &'static str)> {
    let all = [
        (Choice::Delivered, "delivery-choice-delivered"),
        (Choice::Again, "delivery-choice-again"),
        (Choice::Stop, "delivery-choice-stop"),
    ];
    let fits = |(choice, _): &(Choice, &str)| choice.on(state).is_ok();
    all.into_iter().filter(fits).collect()
}

fn attempt_view(
    attempt: &Attempt,
    name: &impl Fn(UserId) -> String,
    locale: Locale,
) -> AttemptView {
    let (tone, key) = match attempt.outcome {
        Some(Outcome::Delivered) => (Tone::Well, "delivery-delivered"),
        Some(Outcome::NotYet) => (Tone::Medium, "attempt-not-yet"),
        Some(Outcome::Refused) => (Tone::High, "delivery-refused"),
        Some(Outcome::Unknown) => (Tone::Critical, "delivery-unknown"),
        None => (Tone::Low, "attempt-running"),
    };
    AttemptView {
        number: attempt.number,
        begun: japan_time(attempt.begun_at),
        outcome: Badge { tone, text: locale.text(key) },
        answer: attempt.answer.clone(),
        by: attempt
            .by
            .map_or_else(|| locale.text("attempt-by-collector"), name),
    }
}
