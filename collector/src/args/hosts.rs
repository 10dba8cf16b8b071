//! Commands about hosts: how they come in, what they are for, what they are asked to do.

use clap::Subcommand;
use shirase_shared::ids::FacilityId;

use super::ListArgs;
use crate::facilities::CareRole;

/// One-time tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Issue a token; prints it once, with the command to type at the new agent.
    Issue {
        /// Facility whose host it lets in.
        facility: FacilityId,
        /// What it is for, for example the server's name.
        #[arg(long, default_value = "")]
        label: String,
        /// How long it is good, in hours, 1 to 720.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
        hours: u32,
        /// Print nothing but the token, for scripts that write it to a file.
        #[arg(long)]
        bare: bool,
    },
    /// Make a token worthless.
    Revoke {
        /// Facility it belongs to.
        facility: FacilityId,
        /// Its fingerprint as `token list` shows it, or the beginning of it.
        fingerprint: String,
    },
    /// Show the tokens of a facility, never the tokens themselves.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
}

/// Servers with an agent.
#[derive(Debug, Subcommand)]
pub enum HostCommand {
    /// Show the hosts of a facility.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show what a host told lately, event by event, whether or not an incident came of it.
    Events {
        /// Its facility.
        facility: FacilityId,
        /// Id, or name if only one host has it.
        host: String,
        /// How far back, in hours, 1 to 744.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=744))]
        hours: u32,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Say what a host does for care.
    Set {
        /// Its facility.
        facility: FacilityId,
        /// Id, or name if only one host has it.
        host: String,
        /// What it does: `ehr`, `orders`, `pacs`, `lab`, `accounting`, `nurse_call`, `file_share`, `directory`, `backup` or
        /// `other`; repeat for more. Replaces what was set.
        #[arg(long = "role")]
        roles: Vec<CareRole>,
        /// A watched service or probe with a role of its own, for example `dcm4chee=pacs`; repeat for more.
        #[arg(long = "watched", value_name = "TARGET=ROLE")]
        watched: Vec<String>,
    },
    /// Shut a host out; takes effect with its next request.
    Revoke {
        /// Its facility.
        facility: FacilityId,
        /// Id, or name if only one host has it.
        host: String,
    },
}

/// The authority that certifies hosts and the collector's listeners.
#[derive(Debug, Subcommand)]
pub enum AuthorityCommand {
    /// Show the authority in force, one that waits, one that is still trusted, and how far the hosts have come.
    Show(ListArgs),
    /// Make a new authority, in force from the collector's next start on; the present one stays trusted until `retire`.
    Renew,
    /// Trust the authority before the present one no more, from the collector's next start on.
    Retire {
        /// Even if hosts still depend on it; they have to be enrolled anew.
        #[arg(long)]
        leave_hosts: bool,
    },
}

/// Exercises.
#[derive(Debug, Subcommand)]
pub enum DrillCommand {
    /// Order a drill: the agents make, change and remove dummy files of their own.
    Start {
        /// Whose hosts.
        facility: FacilityId,
        /// Only these hosts, by id or name; repeat for more. Left out: all that are let in.
        #[arg(long = "host")]
        hosts: Vec<String>,
        /// How many files on each, 10 to 500.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=500))]
        files: u32,
    },
}

/// Maintenance windows. Decoys, lost file formats and ransom notes are told all the same, and all is recorded.
#[derive(Debug, Subcommand)]
pub enum MaintenanceCommand {
    /// Order a window that begins with the hosts' next heartbeat.
    Begin {
        /// Whose hosts.
        facility: FacilityId,
        /// Only these hosts, by id or name; repeat for more. Left out: all that are let in.
        #[arg(long = "host")]
        hosts: Vec<String>,
        /// How long, in hours, 1 to 72.
        #[arg(long)]
        hours: u32,
        /// Who answers for it.
        #[arg(long)]
        owner: String,
        /// What is done.
        #[arg(long)]
        reason: String,
    },
    /// End the window that is in force.
    End {
        /// Whose hosts.
        facility: FacilityId,
        /// Only these hosts, by id or name; repeat for more. Left out: all that are let in.
        #[arg(long = "host")]
        hosts: Vec<String>,
        /// Who says so.
        #[arg(long)]
        owner: String,
    },
    /// List the windows ordered so far, the newest first.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
}
