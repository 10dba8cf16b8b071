//! `drill start` and `maintenance begin|end|list`: what hosts are asked to do.

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{DrillId, FacilityId, HostId};
use shirase_shared::wire::Action;

use super::Desk;
use super::table::{self, Row};
use crate::args::MaintenanceCommand;
use crate::facilities::{Host, HostStanding};
use crate::keys::{ORDER_KEY_FILE, SigningKey};
use crate::locale::japan_time;
use crate::orders;

#[derive(Serialize)]
struct WindowRow {
    facility: FacilityId,
    host: HostId,
    name: String,
    owner: String,
    reason: String,
    ordered_at: Timestamp,
    until: Timestamp,
    standing: Standing,
}

/// Where a window stands, as far as the host's last sign of life tells.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// The host has not told of it yet.
    Ordered,
    /// The host says it is in force.
    InForce,
    /// Its time is over, or it was ended.
    Over,
}

impl Row for WindowRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "HOST", "STANDING", "UNTIL", "OWNER", "REASON", "ORDERED"];

    fn cells(&self) -> Vec<String> {
        let standing = match self.standing {
            Standing::Ordered => "ordered",
            Standing::InForce => "in force",
            Standing::Over => "over",
        };
        vec![
            self.facility.to_string(),
            self.name.clone(),
            standing.to_owned(),
            japan_time(self.until),
            self.owner.clone(),
            self.reason.clone(),
            japan_time(self.ordered_at),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn start_drill(
        self,
        facility: &FacilityId,
        wanted: &[String],
        files: u32,
    ) -> Result<()> {
        let now = self.clock.now();
        let hosts = self.hosts_for_order(facility, wanted).await?;
        let key = SigningKey::load_or_create(&self.config.data_dir.join(ORDER_KEY_FILE))?;
        let drill = DrillId::random();
        for host in &hosts {
            let action = Action::Drill { drill, files };
            let issued = orders::issue((facility.clone(), host.id), action, &key, now);
            self.store.add_order(&issued).await?;
        }
        let names: Vec<_> = hosts.iter().map(|host| host.id.to_string()).collect();
        let entry = self.entry("drill.ordered", drill).of(facility);
        self.store
            .audit(&entry.with("hosts", names.join(" ")).with("files", files))
            .await?;

        self.terminal.line(&format!(
            "drill {drill} is ordered on {} host(s) with {files} files each; they begin with their next heartbeat, \
             within 30 seconds",
            hosts.len()
        ))
    }

    pub(super) async fn maintenance(self, command: MaintenanceCommand) -> Result<()> {
        match command {
            MaintenanceCommand::Begin { facility, hosts, hours, owner, reason } => {
                let action = orders::window(&owner, &reason, hours, self.clock.now())?;
                let entry = |entry: crate::audit::AuditEntry| {
                    entry
                        .with("owner", &owner)
                        .with("reason", &reason)
                        .with("hours", hours)
                };
                let count = self
                    .order_all((&facility, &hosts), &action, "maintenance.ordered", entry)
                    .await?;
                self.terminal.line(&format!(
                    "a maintenance window of {hours} hour(s) is ordered on {count} host(s); it begins with their next \
                     heartbeat, within 30 seconds"
                ))
            }
            MaintenanceCommand::End { facility, hosts, owner } => {
                let action = Action::EndMaintenance { owner: owner.clone() };
                let entry = |entry: crate::audit::AuditEntry| entry.with("owner", &owner);
                let count = self
                    .order_all((&facility, &hosts), &action, "maintenance.ended", entry)
                    .await?;
                self.terminal.line(&format!(
                    "the end of maintenance is ordered on {count} host(s); it ends with their next heartbeat, within \
                     30 seconds"
                ))
            }
            MaintenanceCommand::List { facility, list } => {
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    rows.extend(self.windows(&facility.id).await?);
                }
                table::print(&rows, list, self.terminal)
            }
        }
    }

    async fn windows(&self, facility: &FacilityId) -> Result<Vec<WindowRow>> {
        let now = self.clock.now();
        let hosts = self.store.hosts(facility).await?;
        let heard = self.store.heartbeats(facility).await?;
        let mut rows = Vec::new();
        for issued in self.store.orders(facility).await? {
            let Action::Maintenance { owner, reason, until } = issued.order.action else {
                continue;
            };
            let id = issued.order.host;
            let name = hosts
                .iter()
                .find(|host| host.id == id)
                .map(|host| host.name.clone());
            let said = heard
                .get(&id)
                .and_then(|seen| seen.heartbeat.maintenance_until);
            let told = heard
                .get(&id)
                .is_some_and(|seen| issued.sent_at.is_some_and(|sent| sent < seen.received_at));
            let standing = if until <= now {
                Standing::Over
            } else if said == Some(until) {
                Standing::InForce
            } else if told {
                Standing::Over
            } else {
                Standing::Ordered
            };
            rows.push(WindowRow {
                facility: facility.clone(),
                host: id,
                name: name.unwrap_or_default(),
                owner,
                reason,
                ordered_at: issued.order.issued_at,
                until,
                standing,
            });
        }

        Ok(rows)
    }

    /// Gives one order to the hosts named, or to all that are let in, and writes each into the audit log.
    async fn order_all(
        &self,
        (facility, wanted): (&FacilityId, &[String]),
        action: &Action,
        word: &'static str,
        particulars: impl Fn(crate::audit::AuditEntry) -> crate::audit::AuditEntry,
    ) -> Result<usize> {
        let hosts = self.hosts_for_order(facility, wanted).await?;
        let key = SigningKey::load_or_create(&self.config.data_dir.join(ORDER_KEY_FILE))?;
        for host in &hosts {
            let target = (facility.clone(), host.id);
            let issued = orders::issue(target, action.clone(), &key, self.clock.now());
            self.store.add_order(&issued).await?;
            let entry = self
                .entry(word, host.id)
                .of(facility)
                .with("order", issued.order.id);
            self.store.audit(&particulars(entry)).await?;
        }

        Ok(hosts.len())
    }

    /// Returns the hosts named, or all that are let in.
    async fn hosts_for_order(&self, facility: &FacilityId, wanted: &[String]) -> Result<Vec<Host>> {
        self.one_facility(facility).await?;
        let now = self.clock.now();
        let mut hosts = Vec::new();
        if wanted.is_empty() {
            let all = self.store.hosts(facility).await?;
            hosts.extend(
                all.into_iter()
                    .filter(|h| h.standing(now) == HostStanding::Enrolled),
            );
        }
        for name in wanted {
            hosts.push(self.one_host(facility, name).await?);
        }
        if hosts.is_empty() {
            bail!("`{facility}` has no host that is let in; enrol one first");
        }

        Ok(hosts)
    }
}
