//! The commands besides `serve`: they open the same data directory while the collector runs.
//!
//! Always holds:
//! - a secret is printed once, to standard output, and read from a file, standard input or the terminal, never from an
//!   argument; a command that changes something says so in the audit log;
//! - a list is a table for people or, with `--json`, one JSON array for programs, whose keys stay.

mod alert_channel;
mod authority;
mod contact;
mod institution;
mod checklist;
mod delivery;
mod approval;
mod decide;
mod backup;
mod facility;
mod host;
mod incident;
mod manifest;
mod duties;
mod exchange;
mod official;
mod order;
mod owner;
mod partner;
mod policy;
mod release;
mod report;
mod standing;
mod table;
mod table_file;
mod taxii;
mod terminal;
mod token;
mod user;
mod upkeep;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::ids::{BootId, FacilityId, HostId};

use crate::app::{self, LogFormat};
use crate::args::{Args, AuditCommand, Command, DrillCommand, ManifestCommand};
use crate::audit::{Actor, AuditEntry};
use crate::backup::refuse_half_restored;
use crate::config::{COMMENTED_DEFAULT, Config};
use crate::facilities::{Facility, Host};
use crate::store::Store;

pub use owner::hand_over;
pub use terminal::Terminal;

/// What every command works with.
pub(crate) struct Desk<'a> {
    config: Config,
    store: Store,
    clock: SharedClock,
    terminal: &'a mut Terminal,
}

/// Does what the command line asks.
///
/// # Errors
/// Says what was tried on what; nothing was changed then unless the message says so.
#[expect(clippy::too_many_lines, reason = "a table: one line a command")]
pub async fn run(args: Args, terminal: &mut Terminal) -> Result<ExitCode> {
    let path = args.config.as_path();
    match args.command {
        Command::Serve { json } => {
            let format = if json { LogFormat::Json } else { LogFormat::Text };
            app::serve(path, format, clock()).await?;
        }
        Command::Check => return check(path, terminal),
        Command::Config => terminal.print(COMMENTED_DEFAULT)?,
        Command::Migrate => {
            let desk = Desk::open(path, terminal).await?;
            let place = desk.config.data_dir.display().to_string();
            desk.terminal
                .line(&format!("the database in `{place}` is up to date"))?;
        }
        Command::Backup { into } => Desk::open(path, terminal).await?.backup(&into).await?,
        Command::Restore { backup, replace } => {
            backup::restore(path, &backup, replace, terminal).await?;
        }
        Command::User(command) => Desk::open(path, terminal).await?.user(command).await?,
        Command::Facility(command) => Desk::open(path, terminal).await?.facility(command).await?,
        Command::Contact(command) => {
            return Desk::open(path, terminal).await?.contact(command).await;
        }
        Command::Institution(command) => {
            return Desk::open(path, terminal).await?.institution(command).await;
        }
        Command::Token(command) => Desk::open(path, terminal).await?.token(command).await?,
        Command::Host(command) => Desk::open(path, terminal).await?.host(command).await?,
        Command::Authority(command) => Desk::open(path, terminal).await?.authority(command).await?,
        Command::Incident(command) => Desk::open(path, terminal).await?.incident(command).await?,
        Command::Report(command) => Desk::open(path, terminal).await?.report(command).await?,
        Command::Approval(command) => Desk::open(path, terminal).await?.approval(command).await?,
        Command::Profile(command) => return duties::profile(path, command, terminal),
        Command::Checklist(command) => return checklist::run(path, command, terminal),
        Command::Duty(command) => Desk::open(path, terminal).await?.duty(command).await?,
        Command::Deadline(command) => Desk::open(path, terminal).await?.deadline(command).await?,
        Command::Delivery(command) => Desk::open(path, terminal).await?.deliver(command).await?,
        Command::Partner(command) => Desk::open(path, terminal).await?.partner(command).await?,
        Command::Exchange(command) => {
            return Desk::open(path, terminal).await?.exchange(command).await;
        }
        Command::Taxii(command) => Desk::open(path, terminal).await?.taxii(command).await?,
        Command::OfficialForm(command) => {
            return Desk::open(path, terminal)
                .await?
                .official_form(command)
                .await;
        }
        Command::Manifest(ManifestCommand::Open { manifest, identity }) => {
            manifest::open(path, &manifest, &identity, terminal)?;
        }
        Command::Manifest(ManifestCommand::List { facility, list }) => {
            Desk::open(path, terminal)
                .await?
                .manifests(facility.as_ref(), list)
                .await?;
        }
        Command::Drill(DrillCommand::Start { facility, hosts, files }) => {
            Desk::open(path, terminal)
                .await?
                .start_drill(&facility, &hosts, files)
                .await?;
        }
        Command::Maintenance(command) => {
            Desk::open(path, terminal)
                .await?
                .maintenance(command)
                .await?;
        }
        Command::Policy(command) => Desk::open(path, terminal).await?.policy(command).await?,
        Command::Audit(AuditCommand::Verify { known, from, json }) => {
            let desk = Desk::open(path, terminal).await?;
            return desk.verify_audit((known, &from), json).await;
        }
        Command::AlertChannel(command) => {
            Desk::open(path, terminal)
                .await?
                .alert_channel(command)
                .await?;
        }
    }

    Ok(ExitCode::SUCCESS)
}

/// Makes the clock every command and the service tell the time by.
fn clock() -> SharedClock {
    // Nothing the collector does is measured across starts, so any name for this one will do.
    Arc::new(SystemClock::new(BootId::random()))
}

fn check(path: &Path, terminal: &mut Terminal) -> Result<ExitCode> {
    match Config::read(path) {
        Ok(_) => {
            terminal.line(&format!("`{}` is in order", path.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            terminal.line(&shirase_shared::error::Chain(&error).to_string())?;
            Ok(ExitCode::FAILURE)
        }
    }
}

impl<'a> Desk<'a> {
    async fn open(path: &Path, terminal: &'a mut Terminal) -> Result<Self> {
        let config = Config::read(path)?;
        app::make_data_dir(&config.data_dir)?;
        refuse_half_restored(&config.data_dir)?;
        let store = Store::open(&config.data_dir).await?;

        Ok(Self { config, store, clock: clock(), terminal })
    }

    /// Returns the one facility asked for, or all of them.
    async fn facilities(&self, wanted: Option<&FacilityId>) -> Result<Vec<Facility>> {
        match wanted {
            Some(id) => Ok(vec![self.one_facility(id).await?]),
            None => Ok(self.store.facilities().await?),
        }
    }

    async fn one_facility(&self, id: &FacilityId) -> Result<Facility> {
        let found = self.store.facility(id).await?;
        found.with_context(|| {
            format!("there is no facility `{id}`; `facility list` shows those there are")
        })
    }

    /// Finds a host by id, or by label if only one has it.
    async fn one_host(&self, facility: &FacilityId, wanted: &str) -> Result<Host> {
        let hosts = self.store.hosts(facility).await?;
        let id: Option<HostId> = wanted.parse().ok();
        let mut found = hosts
            .into_iter()
            .filter(|host| Some(host.id) == id || host.name == wanted);
        match (found.next(), found.next()) {
            (Some(host), None) => Ok(host),
            (Some(_), Some(_)) => {
                bail!("several hosts of `{facility}` are called `{wanted}`; give the id")
            }
            (None, _) => {
                bail!("`{facility}` has no host `{wanted}`; `host list` shows those there are")
            }
        }
    }

    /// Begins an audit entry for what this command did.
    fn entry(&self, action: &'static str, object: impl std::fmt::Display) -> AuditEntry {
        AuditEntry::new(self.clock.now(), Actor::CommandLine, action, object)
    }
}
