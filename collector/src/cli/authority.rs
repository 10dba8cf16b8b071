//! `authority show|renew|retire`.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use shirase_shared::ids::{FacilityId, HostId};

use super::Desk;
use super::table::{self, Row};
use crate::args::{AuthorityCommand, ListArgs};
use crate::enrolment::authority::Authority;
use crate::enrolment::authority::rollover::{Succession, make_next, retire_former};
use crate::facilities::{Host, HostStanding};

/// Most hosts that are named in one message.
const NAMED_MAX: usize = 10;

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// In force from the next start on.
    Waits,
    InForce,
    /// Trusted beside the one in force.
    Former,
}

#[derive(Serialize)]
struct AuthorityRow {
    fingerprint: String,
    standing: Standing,
    /// Hosts that are let in by its certificates alone; not said of one that waits.
    hosts: Option<usize>,
}

impl Row for AuthorityRow {
    const HEADS: &'static [&'static str] = &["STANDING", "HOSTS", "FINGERPRINT"];

    fn cells(&self) -> Vec<String> {
        let standing = match self.standing {
            Standing::Waits => "waits for a restart",
            Standing::InForce => "in force",
            Standing::Former => "still trusted",
        };
        let hosts = self
            .hosts
            .map_or_else(String::new, |hosts| hosts.to_string());
        vec![standing.to_owned(), hosts, self.fingerprint.clone()]
    }
}

/// A host that depends on the former authority.
struct Dependent {
    facility: FacilityId,
    host: HostId,
    name: String,
}

impl Desk<'_> {
    pub(super) async fn authority(self, command: AuthorityCommand) -> Result<()> {
        match command {
            AuthorityCommand::Show(list) => self.show_authority(list).await,
            AuthorityCommand::Renew => self.renew_authority().await,
            AuthorityCommand::Retire { leave_hosts } => self.retire_authority(leave_hosts).await,
        }
    }

    fn open_authority(&self) -> Result<Authority> {
        Authority::open(&self.config.data_dir, self.clock.now())
            .context("failed to open the collector's authority")
    }

    async fn show_authority(self, list: ListArgs) -> Result<()> {
        let present = self.open_authority()?;
        let succession = Succession::read(&self.config.data_dir)?;
        let dependents = self.dependents(&present).await?.len();
        let mut let_in = 0;
        for facility in self.store.facilities().await? {
            let hosts = self.store.hosts(&facility.id).await?;
            let enrolled = |host: &&Host| host.standing(self.clock.now()) == HostStanding::Enrolled;
            let_in += hosts.iter().filter(enrolled).count();
        }
        let mut rows = Vec::new();
        if let Some(next) = succession.next {
            rows.push(AuthorityRow {
                fingerprint: next.to_string(),
                standing: Standing::Waits,
                hosts: None,
            });
        }
        let former = succession.former.map(|former| AuthorityRow {
            fingerprint: former.to_string(),
            standing: Standing::Former,
            hosts: Some(dependents),
        });
        let behind = former.as_ref().map_or(0, |_| dependents);
        rows.push(AuthorityRow {
            fingerprint: present.fingerprint().to_string(),
            standing: Standing::InForce,
            hosts: Some(let_in.saturating_sub(behind)),
        });
        rows.extend(former);

        table::print(&rows, list, self.terminal)
    }

    async fn renew_authority(self) -> Result<()> {
        let present = self.open_authority()?;
        let next = make_next(&self.config.data_dir, &present, self.clock.now())?;
        let entry = self.entry("authority.renewed", next);
        self.store
            .audit(&entry.with("former", present.fingerprint()))
            .await?;

        self.terminal.print(&format!(
            "new authority: {next}\n\
             In force from the collector's next start on: restart it. The present one stays trusted beside it.\n\
             Agents take the new one with their next sign of life and renew their certificates by it; `authority show` \
             counts them. Then `authority retire` ends the trust in the present one.\n\
             Partners and TAXII clients are served as before; send partners a new card (`partner invite`) after the restart.\n"
        ))
    }

    async fn retire_authority(self, leave_hosts: bool) -> Result<()> {
        let present = self.open_authority()?;
        let succession = Succession::read(&self.config.data_dir)?;
        let dependents = self.dependents(&present).await?;
        if succession.former.is_some() && !dependents.is_empty() && !leave_hosts {
            let named: Vec<_> = dependents
                .iter()
                .take(NAMED_MAX)
                .map(|found| format!("{} ({} of {})", found.name, found.host, found.facility))
                .collect();
            bail!(
                "{} hosts still depend on the former authority: {}; wait until they have renewed, revoke those that are \
                 gone, or give --leave-hosts and enrol them anew",
                dependents.len(),
                named.join(", ")
            );
        }
        let former = retire_former(&self.config.data_dir)?;
        let entry = self.entry("authority.retired", former);
        self.store
            .audit(&entry.with("hosts_left", dependents.len()))
            .await?;

        self.terminal.print(&format!(
            "the authority {former} is trusted no more from the collector's next start on: restart it\n"
        ))
    }

    /// Returns the hosts that are let in, but by no certificate of the present authority.
    async fn dependents(&self, present: &Authority) -> Result<Vec<Dependent>> {
        let print = present.fingerprint().to_string();
        let mut found = Vec::new();
        for facility in self.store.facilities().await? {
            let behind: BTreeSet<HostId> = self
                .store
                .hosts_of_other_authorities(&facility.id, &print, self.clock.now())
                .await?;
            let hosts = self.store.hosts(&facility.id).await?;
            let behind = hosts.into_iter().filter(|host| behind.contains(&host.id));
            found.extend(behind.map(|host| Dependent {
                facility: facility.id.clone(),
                host: host.id,
                name: host.name,
            }));
        }

        Ok(found)
    }
}
