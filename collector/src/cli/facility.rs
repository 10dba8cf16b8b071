//! `facility add|set|list`.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use shirase_shared::ids::FacilityId;

use super::Desk;
use super::table::{self, Row};
use crate::args::{FacilityCommand, MasterArgs, SelfApprovalArg};
use crate::facilities::{Facility, Master, SelfApproval};

#[derive(Serialize)]
struct FacilityRow {
    id: FacilityId,
    hosts: usize,
    #[serde(flatten)]
    facility: FacilityJson,
}

#[derive(Serialize)]
struct FacilityJson {
    master: Master,
    manifest_recipient: String,
    self_approval: SelfApproval,
    created_at: jiff::Timestamp,
    updated_at: jiff::Timestamp,
}

impl Row for FacilityRow {
    const HEADS: &'static [&'static str] =
        &["ID", "NAME", "KIND", "BEDS", "HOSTS", "PEOPLE", "VENDORS", "JURISDICTION"];

    fn cells(&self) -> Vec<String> {
        let master = &self.facility.master;
        vec![
            self.id.to_string(),
            master.name.clone(),
            master.kind.as_str().to_owned(),
            master
                .beds
                .map_or_else(String::new, |beds| beds.to_string()),
            self.hosts.to_string(),
            master.people.len().to_string(),
            master.vendors.len().to_string(),
            master.jurisdiction.clone(),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn facility(mut self, command: FacilityCommand) -> Result<()> {
        match command {
            FacilityCommand::Add { facility, master } => {
                let master = self.master(Master::default(), master)?;
                self.add_facility(facility, master).await
            }
            FacilityCommand::Set { facility, master, self_approval } => {
                let known = self.one_facility(&facility).await?;
                let changed = self.master(known.master.clone(), master)?;
                self.set_facility(&known, &changed, self_approval).await
            }
            FacilityCommand::List(list) => {
                let mut rows = Vec::new();
                for facility in self.store.facilities().await? {
                    let hosts = self.store.hosts(&facility.id).await?.len();
                    rows.push(row(facility, hosts));
                }
                table::print(&rows, list, self.terminal)
            }
        }
    }

    async fn add_facility(&mut self, id: FacilityId, master: Master) -> Result<()> {
        let new = Facility::create(id, master, self.clock.now());
        let Facility { id, manifest_recipient, .. } = &new.facility;
        self.store.add_facility(&new.facility).await?;
        self.store
            .audit(&self.entry("facility.created", id).of(id))
            .await?;

        // The same form as a key file of `age`, so that this output can be kept as one.
        self.terminal.print(&format!(
            "# facility {id}: private key of its damage manifests. Shown once, stored nowhere here.\n\
             # The hospital keeps it (two copies, off line); `manifest open --identity FILE` takes this file as it is.\n\
             # public key: {manifest_recipient}\n\
             {}\n",
            new.manifest_identity.reveal()
        ))
    }

    async fn set_facility(
        &mut self,
        known: &Facility,
        master: &Master,
        self_approval: Option<SelfApprovalArg>,
    ) -> Result<()> {
        let id = &known.id;
        if *master != known.master {
            self.store.set_master(id, master, self.clock.now()).await?;
            let entry = self.entry("facility.changed", id).of(id);
            self.store
                .audit(&entry.with("fields", changed_fields(&known.master, master)?))
                .await?;
        }
        if let Some(asked) = self_approval {
            let allowed = match asked {
                SelfApprovalArg::Allowed => SelfApproval::Allowed,
                SelfApprovalArg::Refused => SelfApproval::Refused,
            };
            self.store
                .set_self_approval(id, allowed, self.clock.now())
                .await?;
            let name = match allowed {
                SelfApproval::Allowed => "allowed",
                SelfApproval::Refused => "refused",
            };
            let entry = self.entry("facility.self_approval", id).of(id);
            self.store.audit(&entry.with("self_approval", name)).await?;
        }

        self.terminal.line(&format!("facility `{id}` is set"))
    }

    fn master(&mut self, known: Master, asked: MasterArgs) -> Result<Master> {
        let mut master = match &asked.file {
            None => known,
            Some(path) if path.as_os_str() == "-" => {
                parse_master(self.terminal.read_all()?.reveal()).context("standard input")?
            }
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("failed to read `{}`", path.display()))?;
                parse_master(&text).with_context(|| format!("`{}`", path.display()))?
            }
        };
        let texts = [
            (asked.name, &mut master.name),
            (asked.founder, &mut master.founder),
            (asked.code, &mut master.code),
            (asked.address, &mut master.address),
            (asked.prefecture, &mut master.prefecture),
            (asked.jurisdiction, &mut master.jurisdiction),
        ];
        for (given, place) in texts {
            if let Some(given) = given {
                *place = given;
            }
        }
        if let Some(kind) = asked.kind {
            master.kind = kind;
        }
        master.beds = asked.beds.or(master.beds);
        let problems = master.problems();
        if !problems.is_empty() {
            let lines: Vec<_> = problems
                .iter()
                .map(|(field, why)| format!("\n  `{field}` {why}"))
                .collect();
            bail!("the master data cannot be stored:{}", lines.concat());
        }

        Ok(master)
    }
}

fn row(facility: Facility, hosts: usize) -> FacilityRow {
    let Facility { id, master, manifest_recipient, self_approval, created_at, updated_at } =
        facility;
    let facility =
        FacilityJson { master, manifest_recipient, self_approval, created_at, updated_at };

    FacilityRow { id, hosts, facility }
}

/// Reads master data from JSON if it begins like JSON, from TOML otherwise. Unknown keys are refused by name.
fn parse_master(text: &str) -> Result<Master> {
    let value: serde_json::Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).context("holds no JSON that can be read")?
    } else {
        toml::from_str(text).context("holds no TOML that can be read")?
    };
    let known = serde_json::to_value(Master::default()).context("failed to list the fields")?;
    let unknown: Vec<_> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .filter(|key| known.get(key).is_none())
        .collect();
    if !unknown.is_empty() {
        bail!("has unknown field(s) {}; correct or remove them", unknown.join(", "));
    }

    serde_json::from_value(value).context("does not fit the master data")
}

/// Returns the names of the fields that differ: the log says what changed, the values stay out of it.
fn changed_fields(before: &Master, after: &Master) -> Result<String> {
    let before = serde_json::to_value(before).context("failed to compare the master data")?;
    let after = serde_json::to_value(after).context("failed to compare the master data")?;
    let names: Vec<_> = after
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, value)| before.get(key) != Some(value))
        .map(|(key, _)| key.clone())
        .collect();

    Ok(names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn master_data_reads_from_json_and_toml() {
        let json = parse_master(r#"{"name":"半田","beds":120}"#).unwrap();
        let toml = parse_master("name = '半田'\nbeds = 120\n").unwrap();
        assert_eq!(json, toml);
        assert_eq!(json.beds, Some(120));
    }

    #[test]
    fn a_misspelt_field_is_named() {
        let error = parse_master("nmae = 'x'\n").unwrap_err().to_string();
        assert!(error.contains("nmae"), "{error}");
        for torn in ["{", "name = ", "[1]", "{\"beds\":\"many\"}"] {
            assert!(parse_master(torn).is_err(), "{torn}");
        }
    }
}
