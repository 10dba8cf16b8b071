//! `institution list|export|import`: a municipality's register, whole.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde::Serialize;

use super::Desk;
use super::table::{self, Row};
use super::table_file::{self, ImportSaid, counted};
use crate::args::{InstitutionCommand, TableExport, TableImport};
use crate::audit::Actor;
use crate::exchange::OrganisationKind;
use crate::exchange::partner::PartnerId;
use crate::institutions::{Details, Institution, Known, plan, to_table};
use crate::locale::{Locale, japan_time};
use crate::store::Imported;
use crate::tables::parse_table;

#[derive(Serialize)]
struct InstitutionRow {
    facility: String,
    id: String,
    revision: u32,
    state: &'static str,
    set_at: String,
    #[serde(flatten)]
    details: Details,
}

impl Row for InstitutionRow {
    const HEADS: &'static [&'static str] =
        &["ID", "NAME", "KIND", "CODE", "DAY", "NIGHT", "PARTNER", "STATE", "SET"];

    fn cells(&self) -> Vec<String> {
        let Details { name, kind, code, phone, night_phone, partner, .. } = &self.details;
        vec![
            self.id.chars().take(8).collect(),
            name.clone(),
            kind.as_str().to_owned(),
            code.clone(),
            phone.clone(),
            night_phone.clone(),
            partner
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            self.state.to_owned(),
            format!("{} v{}", self.set_at, self.revision),
        ]
    }
}

impl InstitutionRow {
    fn of(one: Institution) -> Self {
        Self {
            facility: one.facility.to_string(),
            id: one.id.to_string(),
            revision: one.revision,
            state: if one.is_closed() { "closed" } else { "open" },
            set_at: japan_time(one.set_at),
            details: one.details,
        }
    }
}

impl Desk<'_> {
    pub(super) async fn institution(mut self, command: InstitutionCommand) -> Result<ExitCode> {
        if self.config.organisation.kind != OrganisationKind::Municipality {
            bail!(
                "this collector serves no municipality and has no register; `organisation.kind` of its configuration says \
                 whom it serves"
            );
        }
        match command {
            InstitutionCommand::List { facility, all, list } => {
                self.one_facility(&facility).await?;
                let mut institutions = self.store.institutions(&facility).await?;
                institutions.retain(|one| all || !one.is_closed());
                let rows: Vec<_> = institutions.into_iter().map(InstitutionRow::of).collect();
                table::print(&rows, list, self.terminal)?;
            }
            InstitutionCommand::Export(TableExport { facility, out, lang }) => {
                self.one_facility(&facility).await?;
                let institutions = self.store.institutions(&facility).await?;
                self.write_out(&out, &to_table(&institutions, Locale::new(lang)))?;
            }
            InstitutionCommand::Import(table) => return self.import_institutions(&table).await,
        }

        Ok(ExitCode::SUCCESS)
    }

    async fn import_institutions(
        &mut self,
        TableImport { facility, file, check, json }: &TableImport,
    ) -> Result<ExitCode> {
        self.one_facility(facility).await?;
        let bytes = table_file::read(file)?;
        let institutions = self.store.institutions(facility).await?;
        let partners = self.store.partners(facility).await?.into_iter();
        let partners: Vec<PartnerId> = partners
            .filter(|partner| partner.revoked.is_none())
            .map(|partner| partner.id)
            .collect();
        let known = Known { institutions: &institutions, partners: &partners };
        let planned = parse_table(&bytes).and_then(|lines| plan(&lines, known));
        let (imported, faults) = match planned {
            Err(faults) => (Imported::default(), faults),
            Ok(plans) if *check => (counted(&plans), Vec::new()),
            Ok(plans) => {
                let who = (Actor::CommandLine, self.clock.now());
                let done = self
                    .store
                    .import_institutions(facility, &plans, who)
                    .await?;
                (done, Vec::new())
            }
        };
        let said = ImportSaid { checked_only: *check, imported, faults };
        self.tell_import(&said, *json)
    }
}
