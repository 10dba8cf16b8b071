//! `host list|events|set|revoke`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shirase_shared::ids::{FacilityId, HostId};

use super::Desk;
use super::table::{self, Row};
use crate::args::HostCommand;
use crate::facilities::{CareRole, Host, HostStanding};
use crate::locale::japan_time;
use crate::records::{HeartbeatSeen, SeenRecord};

#[derive(Serialize)]
struct HostRow {
    facility: FacilityId,
    id: HostId,
    name: String,
    os: String,
    roles: BTreeSet<CareRole>,
    watched: BTreeMap<String, CareRole>,
    standing: HostStanding,
    enrolled_at: Timestamp,
    revoked_at: Option<Timestamp>,
    certificate_expires_at: Option<Timestamp>,
    last_heartbeat: Option<Timestamp>,
    version: Option<String>,
    waiting: Option<u64>,
}

impl Row for HostRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "NAME", "STANDING", "LAST HEARD", "VERSION", "WAITING", "ROLES", "ID"];

    fn cells(&self) -> Vec<String> {
        let standing = match self.standing {
            HostStanding::Enrolled => "enrolled",
            HostStanding::Lapsed => "lapsed",
            HostStanding::Revoked => "revoked",
        };
        let mut roles: Vec<_> = self.roles.iter().map(ToString::to_string).collect();
        roles.extend(
            self.watched
                .iter()
                .map(|(target, role)| format!("{target}={role}")),
        );
        vec![
            self.facility.to_string(),
            self.name.clone(),
            standing.to_owned(),
            self.last_heartbeat
                .map_or_else(|| "never".to_owned(), japan_time),
            self.version.clone().unwrap_or_default(),
            self.waiting
                .map_or_else(String::new, |waiting| waiting.to_string()),
            roles.join(" "),
            self.id.to_string(),
        ]
    }
}

/// One event as its host told it.
#[derive(Serialize)]
struct ToldRow(SeenRecord);

impl Row for ToldRow {
    const HEADS: &'static [&'static str] =
        &["WHEN", "RECEIVED", "SEVERITY", "KIND", "STREAM", "NUMBER", "REASON"];

    fn cells(&self) -> Vec<String> {
        let Self(record) = self;
        vec![
            japan_time(record.corrected_at),
            japan_time(record.received_at),
            record
                .severity
                .map_or_else(String::new, |severity| severity.to_string()),
            record.kind.clone(),
            record.stream.to_string(),
            record.sequence.0.to_string(),
            record
                .event
                .as_ref()
                .map_or_else(String::new, |event| event.reason.clone()),
        ]
    }
}

fn row(host: Host, seen: Option<&HeartbeatSeen>, now: Timestamp) -> HostRow {
    HostRow {
        standing: host.standing(now),
        facility: host.facility,
        id: host.id,
        name: host.name,
        os: host.os,
        roles: host.roles,
        watched: host.watched,
        enrolled_at: host.enrolled_at,
        revoked_at: host.revoked_at,
        certificate_expires_at: host.certificate_expires_at,
        last_heartbeat: seen.map(|seen| seen.received_at),
        version: seen.map(|seen| seen.heartbeat.version.clone()),
        waiting: seen.map(|seen| seen.heartbeat.waiting),
    }
}

impl Desk<'_> {
    pub(super) async fn host(mut self, command: HostCommand) -> Result<()> {
        match command {
            HostCommand::List { facility, list } => {
                let now = self.clock.now();
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let seen = self.store.heartbeats(&facility.id).await?;
                    for host in self.store.hosts(&facility.id).await? {
                        let heard = seen.get(&host.id);
                        rows.push(row(host, heard, now));
                    }
                }
                table::print(&rows, list, self.terminal)
            }
            HostCommand::Events { facility, host, hours, list } => {
                let host = self.one_host(&facility, &host).await?;
                let since = self.clock.now() - SignedDuration::from_hours(hours.into());
                let told = self.store.records_since(&facility, since).await?;
                let of_host = told.into_iter().filter(|record| record.host == host.id);
                let rows: Vec<_> = of_host.map(ToldRow).collect();
                table::print(&rows, list, self.terminal)
            }
            HostCommand::Set { facility, host, roles, watched } => {
                let host = self.one_host(&facility, &host).await?;
                self.set_care(&host, roles, &watched).await
            }
            HostCommand::Revoke { facility, host } => {
                let host = self.one_host(&facility, &host).await?;
                self.store
                    .revoke_host(&facility, host.id, self.clock.now())
                    .await?;
                let entry = self.entry("host.revoked", host.id).of(&facility);
                self.store.audit(&entry.with("name", &host.name)).await?;
                self.terminal
                    .line(&format!("host {} is shut out from its next request on", host.id))
            }
        }
    }

    async fn set_care(
        &mut self,
        host: &Host,
        roles: Vec<CareRole>,
        watched: &[String],
    ) -> Result<()> {
        if roles.is_empty() && watched.is_empty() {
            bail!("nothing to set; give --role or --watched");
        }
        let roles = if roles.is_empty() { host.roles.clone() } else { roles.into_iter().collect() };
        let mut targets = BTreeMap::new();
        for text in watched {
            let (target, role) = text
                .rsplit_once('=')
                .with_context(|| format!("`{text}` is no TARGET=ROLE, such as dcm4chee=pacs"))?;
            targets.insert(target.to_owned(), role.parse()?);
        }
        let watched = if targets.is_empty() { host.watched.clone() } else { targets };
        self.store
            .set_host_care((&host.facility, host.id), &roles, &watched)
            .await?;
        let names: Vec<_> = roles.iter().map(ToString::to_string).collect();
        let entry = self.entry("host.care_set", host.id).of(&host.facility);
        self.store
            .audit(&entry.with("roles", names.join(" ")))
            .await?;

        self.terminal.line(&format!(
            "host {} ({}) serves: {}",
            host.id,
            host.name,
            names.join(", ")
        ))
    }
}
