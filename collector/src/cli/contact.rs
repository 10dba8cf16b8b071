//! `contact list|history|add|change|verify|retire|export|import|chart`.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use shirase_shared::ids::FacilityId;

use super::Desk;
use super::table::{self, Row};
use super::table_file::{self, ImportSaid, counted};
use crate::args::{ContactCommand, TableExport, TableImport};
use crate::audit::Actor;
use crate::contacts::{
    Column, Contact, Flaw, Standing, Verified, filled, parse_table, plan, read, to_table, today,
};
use crate::locale::{Lang, Locale, japan_time};
use crate::store::Imported;

/// Fewest characters of an id that name a contact.
const ID_PART_MIN: usize = 4;

#[derive(Serialize)]
struct ContactRow {
    #[serde(flatten)]
    contact: Contact,
    name: String,
    standing: Standing,
}

impl Row for ContactRow {
    const HEADS: &'static [&'static str] = &[
        "FACILITY",
        "ID",
        "KIND",
        "DUTY/SYSTEM",
        "NAME",
        "DAY",
        "NIGHT",
        "VERIFIED",
        "STATE",
        "SET",
    ];

    fn cells(&self) -> Vec<String> {
        let details = &self.contact.details;
        let duty = details.duty.map(|duty| duty.to_string());
        let system = details.system.map(|system| system.to_string());
        let verified = self.contact.verified.as_ref();
        let locale = Locale::new(Lang::En);
        vec![
            self.contact.facility.to_string(),
            self.contact.id.to_string().chars().take(8).collect(),
            details.kind.to_string(),
            duty.or(system).unwrap_or_default(),
            self.name.clone(),
            details.phone.clone(),
            details.night_phone.clone(),
            verified.map_or_else(String::new, |one| format!("{} {}", one.on, one.by)),
            locale.text(self.standing.label_key()),
            format!("{} v{}", japan_time(self.contact.set_at), self.contact.revision),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn contact(mut self, command: ContactCommand) -> Result<ExitCode> {
        match command {
            ContactCommand::List { facility, flagged, all, list } => {
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let contacts = self.store.contacts(&facility.id).await?;
                    rows.extend(
                        contacts
                            .into_iter()
                            .map(|contact| self.contact_row(contact)),
                    );
                }
                rows.retain(|row| {
                    let wanted = !flagged || row.standing.is_flagged();
                    wanted && (all || row.contact.is_in_force(today(self.clock.now())))
                });
                table::print(&rows, list, self.terminal)?;
            }
            ContactCommand::History { facility, contact, list } => {
                let id = self.one_contact(&facility, &contact).await?.id;
                let versions = self.store.contact_history(&facility, id).await?;
                let rows: Vec<_> = versions
                    .into_iter()
                    .map(|contact| self.contact_row(contact))
                    .collect();
                table::print(&rows, list, self.terminal)?;
            }
            ContactCommand::Add { facility, cells, json } => {
                self.one_facility(&facility).await?;
                let filled = cells.into_iter().collect();
                let entry = read(&filled, self.day()).map_err(|flaws| told(&flaws))?;
                let who = (Actor::CommandLine, self.clock.now());
                let contact = self.store.add_contact(&facility, &entry, who).await?;
                self.tell_contact(contact, ("entered", json))?;
            }
            ContactCommand::Change { facility, contact, cells, json } => {
                let known = self.one_contact(&facility, &contact).await?;
                let mut whole = filled(&known);
                whole.extend(cells);
                let entry = read(&whole, self.day()).map_err(|flaws| told(&flaws))?;
                let place = (&facility, known.id, known.revision);
                let who = (Actor::CommandLine, self.clock.now());
                let contact = self.store.change_contact(place, &entry, who).await?;
                self.tell_contact(contact, ("changed", json))?;
            }
            ContactCommand::Verify { facility, contact, by, on } => {
                let known = self.one_contact(&facility, &contact).await?;
                let verified = self.verification(by, on)?;
                let place = (&facility, known.id, known.revision);
                let who = (Actor::CommandLine, self.clock.now());
                let contact = self.store.verify_contact(place, &verified, who).await?;
                self.tell_contact(contact, ("verified", false))?;
            }
            ContactCommand::Retire { facility, contact } => {
                let known = self.one_contact(&facility, &contact).await?;
                let place = (&facility, known.id, known.revision);
                let who = (Actor::CommandLine, self.clock.now());
                let contact = self.store.retire_contact(place, who).await?;
                self.tell_contact(contact, ("retired", false))?;
            }
            ContactCommand::Export(TableExport { facility, out, lang }) => {
                self.one_facility(&facility).await?;
                let contacts = self.store.contacts(&facility).await?;
                let bytes = to_table(&contacts, Locale::new(lang));
                self.write_out(&out, &bytes)?;
            }
            ContactCommand::Import(table) => return self.import_contacts(&table).await,
            ContactCommand::Chart { facility, out, lang } => {
                let facility = self.one_facility(&facility).await?;
                let bytes = self.releases()?.chart_pdf(&facility, lang).await?;
                self.write_out(&out, &bytes)?;
            }
        }

        Ok(ExitCode::SUCCESS)
    }

    fn day(&self) -> jiff::civil::Date {
        today(self.clock.now())
    }

    fn contact_row(&self, contact: Contact) -> ContactRow {
        let (name, standing) = (contact.details.name(), contact.standing(self.day()));
        ContactRow { contact, name, standing }
    }

    fn tell_contact(&mut self, contact: Contact, (done, json): (&str, bool)) -> Result<()> {
        let row = self.contact_row(contact);
        if json {
            return table::json(&row, self.terminal);
        }
        let state = Locale::new(Lang::En).text(row.standing.label_key());
        self.terminal.line(&format!(
            "`{}` is {done}: id {}, version {}, {state}",
            crate::locale::visible(&row.name),
            row.contact.id,
            row.contact.revision
        ))
    }

    /// Reads who made sure of a contact and when, with the same checks as a page.
    fn verification(&self, by: String, on: Option<String>) -> Result<Verified> {
        let on = on.unwrap_or_else(|| self.day().to_string());
        let cells = [(Column::VerifiedOn, on), (Column::VerifiedBy, by)];
        crate::contacts::read_verification(&cells.into(), self.day())
            .map_err(|flaws| told(&flaws))?
            .context("the verification needs a day and a person")
    }

    /// Finds a contact by id, by the beginning of its id, or by its name.
    async fn one_contact(&self, facility: &FacilityId, wanted: &str) -> Result<Contact> {
        self.one_facility(facility).await?;
        let contacts = self.store.contacts(facility).await?;
        let part = wanted.to_ascii_lowercase();
        let named = |contact: &Contact| {
            let id = contact.id.to_string();
            let begins = ID_PART_MIN <= part.len() && id.starts_with(&part);
            begins || contact.details.name() == wanted || contact.details.person == wanted
        };
        let mut found = contacts.into_iter().filter(named);
        match (found.next(), found.next()) {
            (Some(contact), None) => Ok(contact),
            (Some(_), Some(_)) => {
                bail!("several contacts of `{facility}` answer to `{wanted}`; give the whole id")
            }
            (None, _) => bail!(
                "`{facility}` has no contact `{wanted}`; `contact list --all` shows those there are"
            ),
        }
    }

    async fn import_contacts(
        &mut self,
        TableImport { facility, file, check, json }: &TableImport,
    ) -> Result<ExitCode> {
        self.one_facility(facility).await?;
        let bytes = table_file::read(file)?;
        let known = self.store.contacts(facility).await?;
        let planned = parse_table(&bytes).and_then(|lines| plan(&lines, &known, self.day()));
        let (imported, faults) = match planned {
            Err(faults) => (Imported::default(), faults),
            Ok(plans) if *check => (counted(&plans), Vec::new()),
            Ok(plans) => {
                let who = (Actor::CommandLine, self.clock.now());
                let done = self.store.import_contacts(facility, &plans, who).await?;
                (done, Vec::new())
            }
        };
        let said = ImportSaid { checked_only: *check, imported, faults };
        self.tell_import(&said, *json)
    }
}

fn told(flaws: &[Flaw]) -> anyhow::Error {
    let locale = Locale::new(Lang::En);
    let lines: Vec<_> = flaws
        .iter()
        .map(|flaw| format!("\n  {}: {}", flaw.column, flaw.words(locale)))
        .collect();
    anyhow!("the contact cannot be stored:{}", lines.concat())
}
