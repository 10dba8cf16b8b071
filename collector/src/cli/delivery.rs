//! `delivery list|show|send|record|decide`: the same rules as in the console, for a terminal.

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{ContactId, DeliveryId, FacilityId, ReportId, UserId};

use super::Desk;
use super::table::{self, Row};
use crate::args::{DeliveryCommand, RecordArgs, SendArgs};
use crate::console::incident::read_time_field;
use crate::contacts::today;
use crate::deliver::book::{Line, addressee};
use crate::deliver::{
    Addressee, Attempt, Carrier, Choice, Decided, Delivery, Purpose, Record, Way, Wish,
};
use crate::locale::{japan_time, visible};
use crate::people::{Role, User};
use crate::reports::answer::NamedPerson;

#[derive(Serialize)]
struct DeliveryRow {
    facility: FacilityId,
    id: DeliveryId,
    report: ReportId,
    profile: String,
    way: &'static str,
    purpose: &'static str,
    state: &'static str,
    organisation: String,
    person: String,
    address: String,
    drill: bool,
    drill_partner: bool,
    message_id: String,
    attempts: u32,
    next_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    receipt: String,
    note: String,
    created_at: Timestamp,
    created_by: UserId,
}

impl DeliveryRow {
    fn of(delivery: Delivery) -> Self {
        let Addressee { organisation, person, address, drill_partner, .. } = delivery.addressee;
        Self {
            facility: delivery.facility,
            id: delivery.id,
            report: delivery.report,
            profile: delivery.profile,
            way: delivery.way.as_str(),
            purpose: delivery.purpose.as_str(),
            state: delivery.state.as_str(),
            organisation,
            person,
            address,
            drill: delivery.drill,
            drill_partner,
            message_id: delivery.message_id,
            attempts: delivery.attempts,
            next_at: delivery.next_at,
            delivered_at: delivery.delivered_at,
            receipt: delivery.receipt,
            note: delivery.note,
            created_at: delivery.created_at,
            created_by: delivery.created_by,
        }
    }
}

impl Row for DeliveryRow {
    const HEADS: &'static [&'static str] = &[
        "FACILITY",
        "STATE",
        "WAY",
        "ORGANISATION",
        "ADDRESS",
        "PROFILE",
        "RECEIPT",
        "CHOSEN",
        "DRILL",
        "ID",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.facility.to_string(),
            self.state.to_owned(),
            self.way.to_owned(),
            self.organisation.clone(),
            self.address.clone(),
            self.profile.clone(),
            self.receipt.clone(),
            japan_time(self.created_at),
            if self.drill { "訓練" } else { "" }.to_owned(),
            self.id.to_string(),
        ]
    }
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    row: DeliveryRow,
    tries: Vec<AttemptJson>,
}

#[derive(Serialize)]
struct AttemptJson {
    number: u32,
    begun_at: Timestamp,
    handing_over_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    outcome: Option<&'static str>,
    answer: String,
    by: Option<UserId>,
}

impl AttemptJson {
    fn of(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            begun_at: attempt.begun_at,
            handing_over_at: attempt.handing_over_at,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome.map(crate::deliver::Outcome::as_str),
            answer: attempt.answer,
            by: attempt.by,
        }
    }
}

impl Desk<'_> {
    pub(super) async fn deliver(mut self, command: DeliveryCommand) -> Result<()> {
        match command {
            DeliveryCommand::List { facility, list } => {
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let deliveries = self.store.deliveries(&facility.id).await?;
                    rows.extend(deliveries.into_iter().map(DeliveryRow::of));
                }
                table::print(&rows, list, self.terminal)
            }
            DeliveryCommand::Show { facility, delivery, json } => {
                self.show_delivery(&facility, delivery, json).await
            }
            DeliveryCommand::Send(asked) => self.choose(*asked).await,
            DeliveryCommand::Record(asked) => self.record(*asked).await,
            DeliveryCommand::Decide { facility, delivery, choice, note, receipt, login } => {
                let by = self.worker(&facility, &login).await?.id;
                let decided = Decided { facility, delivery, choice, note, receipt, by };
                let stored = self
                    .store
                    .decide_delivery(&decided, self.clock.now())
                    .await?;
                let after = match choice {
                    Choice::Again => "; the running collector sends it within seconds",
                    Choice::Delivered | Choice::Stop => "",
                };
                self.terminal
                    .line(&format!("delivery {} is {} now{after}", stored.id, stored.state))
            }
        }
    }

    async fn show_delivery(
        &mut self,
        facility: &FacilityId,
        id: DeliveryId,
        json: bool,
    ) -> Result<()> {
        let delivery = self.store.delivery(facility, id).await?;
        let attempts = self.store.delivery_attempts(facility, id).await?;
        let row = DeliveryRow::of(delivery);
        if json {
            let tries = attempts.into_iter().map(AttemptJson::of).collect();
            return table::json(&Shown { row, tries }, self.terminal);
        }
        let mut lines = vec![
            format!("delivery {}: {}", row.id, row.state),
            format!("report {} ({}), {}", row.report, row.profile, row.purpose),
            format!("{} to {} {} {}", row.way, row.organisation, row.person, row.address),
            format!("message id {}", row.message_id),
        ];
        if let Some(at) = row.delivered_at {
            lines.push(format!("delivered at {}, receipt {}", japan_time(at), row.receipt));
        }
        if !row.note.is_empty() {
            lines.push(format!("note: {}", row.note));
        }
        for attempt in attempts {
            let outcome = attempt
                .outcome
                .map_or("running", crate::deliver::Outcome::as_str);
            let (number, begun) = (attempt.number, japan_time(attempt.begun_at));
            lines.push(format!("attempt {number} at {begun}: {outcome} {}", attempt.answer));
        }
        for line in lines {
            self.terminal
                .line(&visible(&line).replace(['\n', '\r'], " "))?;
        }
        Ok(())
    }

    async fn choose(&mut self, asked: SendArgs) -> Result<()> {
        let report = self
            .report_of(&asked.facility, &asked.report, asked.profile.as_deref())
            .await?;
        let user = self.worker(&asked.facility, &asked.login).await?;
        let addressee = match asked.contact {
            None => Addressee {
                organisation: asked.organisation,
                person: asked.person,
                address: asked.address,
                drill_partner: asked.drill_partner,
                contact: None,
                verified_on: None,
            },
            Some(id) => {
                self.book_entry(&asked.facility, id, asked.way, asked.night)
                    .await?
            }
        };
        let wish = Wish {
            facility: asked.facility,
            report: report.id,
            way: asked.way,
            purpose: if asked.copy { Purpose::Copy } else { Purpose::Report },
            addressee,
            form: asked.official_form,
            again: asked.again,
            by: NamedPerson { user: user.id, name: user.name },
        };
        if let Some(form) = &wish.form {
            // A form that cannot be filled is said now, not at the first attempt.
            self.releases()?
                .parcel(&wish.facility, wish.report, Some(form))
                .await
                .with_context(|| {
                    format!("official form `{form}` cannot go along; `official-form list` shows those there are")
                })?;
        }
        let delivery = self.store.create_delivery(&wish, self.clock.now()).await?;
        let (facility, id) = (&delivery.facility, delivery.id);
        let next = match delivery.way.carrier() {
            Carrier::Machine => format!(
                "the running collector delivers it within seconds; `delivery show {facility} {id}` tells what came of it"
            ),
            Carrier::Person => format!(
                "its call sheet is {}/facilities/{facility}/deliveries/{id}/sheet; `delivery record {facility} {id}` records what came of it",
                self.config.console_url()
            ),
        };
        self.terminal.line(&format!("delivery {id}\n{next}"))
    }

    /// Reads an addressee from the address book as it is now.
    async fn book_entry(
        &self,
        facility: &FacilityId,
        id: ContactId,
        way: Way,
        night: bool,
    ) -> Result<Addressee> {
        let line = match (way, night) {
            (Way::Mail, _) => Line::Mail,
            (Way::Phone, false) => Line::Phone,
            (Way::Phone, true) => Line::NightPhone,
            (Way::Fax, _) => Line::Fax,
            (Way::Web, _) => Line::Web,
            (Way::Medium | Way::Folder | Way::Partner, _) => {
                bail!(
                    "the address book holds no address for `{way}`; give --organisation and --address"
                )
            }
        };
        let contacts = self.store.contacts(facility).await?;
        let contact = contacts.iter().find(|contact| contact.id == id);
        let contact = contact.with_context(|| {
            format!("`{facility}` has no contact {id}; `contact list` shows those there are")
        })?;
        addressee(contact, line, today(self.clock.now())).with_context(|| {
            format!("contact {id} has nothing for `{}`, or is not in use", line.as_str())
        })
    }

    async fn record(&mut self, asked: RecordArgs) -> Result<()> {
        let at = match &asked.at {
            None => self.clock.now(),
            Some(text) => read_time_field(text).with_context(|| {
                format!("`{text}` is no time; write it such as 2026-02-09T03:10, in Japan's time")
            })?,
        };
        let by = self.worker(&asked.facility, &asked.login).await?.id;
        let record = Record {
            facility: asked.facility,
            delivery: asked.delivery,
            outcome: asked.outcome,
            at,
            spoke_with: asked.spoke_with,
            answer: asked.answer,
            receipt: asked.receipt,
            by,
        };
        let stored = self
            .store
            .record_delivery(&record, self.clock.now())
            .await?;
        self.terminal
            .line(&format!("delivery {} is {} now", stored.id, stored.state))
    }

    /// Has somebody prove who they are, and that they work on reports here.
    async fn worker(&mut self, facility: &FacilityId, login: &str) -> Result<User> {
        self.one_facility(facility).await?;
        let user = self.prove(login).await?;
        let grants = self.store.grants(user.id).await?;
        if !grants.allow(facility, Role::Author) {
            bail!("{login} is neither an author nor an approver of `{facility}`");
        }
        Ok(user)
    }
}
