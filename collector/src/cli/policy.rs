//! `policy show|set|history`.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{FacilityId, HostId};

use super::Desk;
use super::table::{self, Row};
use crate::args::{ListArgs, PolicyCommand};
use crate::audit::Actor;
use crate::facilities::Host;
use crate::locale::japan_time;
use crate::policy::{NewRevision, PolicyError, Revision, Scope, State, desired, standing};

/// Largest text read.
const TEXT_MAX_BYTES: u64 = 1024 * 1024;

#[derive(Serialize)]
struct RevisionRow {
    facility: FacilityId,
    revision: u64,
    host: Option<HostId>,
    name: Option<String>,
    set_at: Timestamp,
    set_by: String,
    reason: String,
}

impl Row for RevisionRow {
    const HEADS: &'static [&'static str] = &["FACILITY", "REVISION", "OF", "WHEN", "BY", "REASON"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.facility.to_string(),
            self.revision.to_string(),
            self.name.clone().unwrap_or_else(|| "all hosts".to_owned()),
            japan_time(self.set_at),
            self.set_by.clone(),
            self.reason.clone(),
        ]
    }
}

#[derive(Serialize)]
struct StandingRow {
    facility: FacilityId,
    host: HostId,
    name: String,
    desired: Option<u64>,
    actual: Option<u64>,
    state: &'static str,
    late: bool,
    behind_since: Option<Timestamp>,
    drift: Vec<&'static str>,
    refused: Option<&'static str>,
}

impl Row for StandingRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "NAME", "DESIRED", "ACTUAL", "STATE", "BEHIND SINCE", "DRIFT"];

    fn cells(&self) -> Vec<String> {
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let late = if self.late { ", late" } else { "" };
        let why = self
            .refused
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        vec![
            self.facility.to_string(),
            self.name.clone(),
            number(self.desired),
            number(self.actual),
            format!("{}{why}{late}", self.state.replace('_', " ")),
            self.behind_since.map_or_else(String::new, japan_time),
            self.drift.join(" "),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn policy(self, command: PolicyCommand) -> Result<()> {
        match command {
            PolicyCommand::Show { facility, hosts: true, host, list, .. } => {
                self.one_facility(&facility).await?;
                self.standings(&facility, host.as_deref(), list).await
            }
            PolicyCommand::Show { facility, host, revision, .. } => {
                let scope = self.scope(&facility, host.as_deref()).await?;
                let saved = self.store.policies(&facility).await?;
                let wanted = |one: &&Revision| match revision {
                    Some(number) => one.number == number,
                    None => one.scope == scope,
                };
                match saved.iter().find(wanted) {
                    Some(found) => self.terminal.print(&found.text),
                    None => {
                        bail!("nothing was saved there; `policy history {facility}` shows what was")
                    }
                }
            }
            PolicyCommand::Set { facility, host, file, reason } => {
                let scope = self.scope(&facility, host.as_deref()).await?;
                self.set_policy(&facility, scope, &read(&file)?, &reason)
                    .await
            }
            PolicyCommand::History { facility, list } => {
                self.one_facility(&facility).await?;
                let hosts = self.store.hosts(&facility).await?;
                let name = |id: HostId| {
                    hosts
                        .iter()
                        .find(|host| host.id == id)
                        .map(|h| h.name.clone())
                };
                let people = self.store.user_names().await?;
                let who = |by: Actor| {
                    let name = by.user().and_then(|user| people.get(&user).cloned());
                    name.unwrap_or_else(|| by.to_string())
                };
                let rows: Vec<_> = self
                    .store
                    .policies(&facility)
                    .await?
                    .into_iter()
                    .map(|revision| RevisionRow {
                        facility: facility.clone(),
                        revision: revision.number.0,
                        host: revision.scope.host(),
                        name: revision.scope.host().and_then(name),
                        set_at: revision.set_at,
                        set_by: who(revision.set_by),
                        reason: revision.reason,
                    })
                    .collect();
                table::print(&rows, list, self.terminal)
            }
        }
    }

    async fn scope(&self, facility: &FacilityId, host: Option<&str>) -> Result<Scope> {
        self.one_facility(facility).await?;
        match host {
            None => Ok(Scope::Facility),
            Some(host) => Ok(Scope::Host(self.one_host(facility, host).await?.id)),
        }
    }

    async fn set_policy(
        self,
        facility: &FacilityId,
        scope: Scope,
        text: &str,
        reason: &str,
    ) -> Result<()> {
        let new = match NewRevision::check(scope, text, reason) {
            Ok(new) => new,
            Err(PolicyError::Mistakes { problems }) => {
                for problem in &problems {
                    self.terminal.line(&problem.to_string())?;
                }
                bail!("the policy has {} mistake(s); nothing was saved", problems.len());
            }
            Err(error @ PolicyError::Reason) => return Err(error.into()),
        };
        let saved = self.store.policies(facility).await?;
        let seen = saved
            .iter()
            .find(|one| one.scope == scope)
            .map(|one| one.number);
        let by = (Actor::CommandLine, self.clock.now());
        let saved = self.store.save_policy((facility, seen), &new, by).await?;

        self.terminal.line(&format!(
            "policy revision {} is saved; hosts take it with their next sign of life, within 30 seconds",
            saved.number
        ))
    }

    async fn standings(
        self,
        facility: &FacilityId,
        wanted: Option<&str>,
        list: ListArgs,
    ) -> Result<()> {
        let revisions = self.store.policies(facility).await?;
        let heard = self.store.heartbeats(facility).await?;
        let times = (self.clock.now(), self.config.policy.late_after());
        let hosts = match wanted {
            Some(wanted) => vec![self.one_host(facility, wanted).await?],
            None => self.store.hosts(facility).await?,
        };
        let newest = |scope: Scope| revisions.iter().find(|one| one.scope == scope);
        let row = |host: Host| {
            let desired = desired(newest(Scope::Facility), newest(Scope::Host(host.id)));
            let report = heard
                .get(&host.id)
                .map(|seen| seen.heartbeat.policy.as_ref());
            let found = standing(&host, (desired.as_ref(), &revisions), report, times);
            let refused = match found.state {
                State::Refused(why) => {
                    Some(why.map_or("unknown", shirase_shared::policy::Refusal::as_str))
                }
                State::Nothing
                | State::Applied
                | State::Waiting
                | State::NotTaking
                | State::TooOld
                | State::NeverHeard
                | State::Ahead => None,
            };
            StandingRow {
                facility: facility.clone(),
                host: host.id,
                name: host.name,
                desired: found.desired.map(|number| number.0),
                actual: found.actual.map(|number| number.0),
                state: found.state.as_str(),
                late: found.late,
                behind_since: found.behind_since,
                drift: found.drift.iter().map(|key| key.as_str()).collect(),
                refused,
            }
        };
        let rows: Vec<_> = hosts
            .into_iter()
            .filter(|host| host.revoked_at.is_none())
            .map(row)
            .collect();
        table::print(&rows, list, self.terminal)
    }
}

/// Reads a text from a file or standard input.
fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    let shown = file.display();
    if file == Path::new("-") {
        std::io::stdin()
            .take(TEXT_MAX_BYTES)
            .read_to_string(&mut text)
            .context("failed to read the policy from standard input")?;
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(TEXT_MAX_BYTES).read_to_string(&mut text))
            .with_context(|| format!("failed to read the policy `{shown}`"))?;
    }

    Ok(text)
}
