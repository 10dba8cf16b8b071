//! The command line. No secret is ever an argument: other users of the machine could read it.

mod checklist;
mod contact;
mod institution;
mod delivery;
mod exchange;
mod approval;
mod hosts;
mod official;
mod partner;
mod policy;
mod reports;
mod table;
mod taxii;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::audit::Head;
use crate::facilities::FacilityKind;
use crate::notify::{ChannelId, ChannelKind, parse_severity};
use shirase_shared::event::Severity;
use shirase_shared::ids::FacilityId;

pub use approval::ApprovalCommand;
pub use checklist::ChecklistCommand;
pub use contact::ContactCommand;
pub use delivery::{DeliveryCommand, RecordArgs, SendArgs};
pub use exchange::{ExchangeCommand, WriteArgs};
pub use hosts::{AuthorityCommand, DrillCommand, HostCommand, MaintenanceCommand, TokenCommand};
pub use institution::InstitutionCommand;
pub use official::OfficialFormCommand;
pub use partner::{ComparedArgs, PartnerCommand};
pub use policy::PolicyCommand;
pub use reports::{ByPerson, OneReport, ReportCommand};
pub use table::{TableExport, TableImport};
pub use taxii::TaxiiCommand;

/// Where the configuration is looked for.
pub const DEFAULT_CONFIG: &str = "/etc/shirase/collector.toml";

/// Shirase collector: stores what the agents of a hospital saw and drafts the incident report.
#[derive(Debug, Parser)]
#[command(name = "shirase-collector", version, propagate_version = true)]
pub struct Args {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the collector until it is told to stop.
    Serve {
        /// Write the log as JSON lines. Its filter is the environment variable `SHIRASE_LOG`, `info` if not set.
        #[arg(long)]
        json: bool,
    },
    /// Read the configuration, name every mistake, open nothing. Exit status 1 if there is one.
    Check,
    /// Print the commented default configuration.
    Config,
    /// Bring the database up to date and stop.
    Migrate,
    /// Copy everything the collector keeps into a new directory below DIR, and read it back; the collector may run. The
    /// copy holds the collector's keys.
    Backup {
        /// Where; made for its owner alone if it is not there.
        #[arg(value_name = "DIR")]
        into: PathBuf,
    },
    /// Check a backup and put it in the place of the data directory's content; the collector must be stopped.
    Restore {
        /// The directory that `backup` named.
        #[arg(value_name = "BACKUP")]
        backup: PathBuf,
        /// Move what the data directory holds aside; nothing is removed.
        #[arg(long)]
        replace: bool,
    },
    /// People who can sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Medical institutions and what is known of them.
    #[command(subcommand)]
    Facility(FacilityCommand),
    /// The address book: whom to call in an emergency.
    #[command(subcommand)]
    Contact(ContactCommand),
    /// A municipality's register of medical institutions.
    #[command(subcommand)]
    Institution(InstitutionCommand),
    /// One-time tokens that let a new agent in.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Servers with an agent.
    #[command(subcommand)]
    Host(HostCommand),
    /// The authority that certifies hosts and the collector's listeners.
    #[command(subcommand)]
    Authority(AuthorityCommand),
    /// Incidents.
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Drafts and reports.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Approved reports on their way to addressees.
    #[command(subcommand)]
    Delivery(DeliveryCommand),
    /// Other organisations: their cards, compared by two people.
    #[command(subcommand)]
    Partner(PartnerCommand),
    /// Questions, answers, guidance, notices and reports between partners.
    #[command(subcommand)]
    Exchange(ExchangeCommand),
    /// Clients that read sharing products over TAXII.
    #[command(subcommand)]
    Taxii(TaxiiCommand),
    /// Who has to approve reports, who stands in for them, and who is away.
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// An addressee's own XLSX or DOCX, filled from reports.
    #[command(subcommand)]
    OfficialForm(OfficialFormCommand),
    /// What each addressee wants, by when.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// The ministry's cyber security checklist, by fiscal year.
    #[command(subcommand)]
    Checklist(ChecklistCommand),
    /// What the law asks over an incident, and why.
    #[command(subcommand)]
    Duty(DutyCommand),
    /// Deadlines of incidents.
    #[command(subcommand)]
    Deadline(DeadlineCommand),
    /// Damage manifests, which only the hospital's key opens.
    #[command(subcommand)]
    Manifest(ManifestCommand),
    /// Exercises.
    #[command(subcommand)]
    Drill(DrillCommand),
    /// Times in which ordinary mass work is expected on a host.
    #[command(subcommand)]
    Maintenance(MaintenanceCommand),
    /// Fleet policy: what hosts watch and know beside what their own files say.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// How staff are told about incidents.
    #[command(subcommand)]
    AlertChannel(AlertChannelCommand),
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct ListArgs {
    /// Print one JSON array instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// People who can sign in.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user; prints a one-time password once.
    Add {
        /// Name to sign in with.
        login: String,
        /// Name as it is printed on reports.
        #[arg(long)]
        name: String,
        /// Facility and role, for example `handa-hp:approver`; repeat for more. Roles: viewer, author, approver,
        /// administrator.
        #[arg(long = "role", value_name = "FACILITY:ROLE", required = true)]
        roles: Vec<String>,
    },
    /// Give a user a new one-time password and have the second factor set up anew.
    Reset {
        /// Name to sign in with.
        login: String,
    },
    /// Show all users with their roles.
    List(ListArgs),
}

/// Medical institutions.
#[derive(Debug, Subcommand)]
pub enum FacilityCommand {
    /// Make a facility; prints the private key of its damage manifests once.
    Add {
        /// Short name: 1 to 32 of the characters a-z, 0-9 and -.
        facility: FacilityId,
        /// What is known of it.
        #[command(flatten)]
        master: MasterArgs,
    },
    /// Change what is known of a facility.
    Set {
        /// Which one.
        facility: FacilityId,
        /// What is known of it.
        #[command(flatten)]
        master: MasterArgs,
        /// Whether an author may approve the report; the report then says so.
        #[arg(long, value_name = "allowed|refused")]
        self_approval: Option<SelfApprovalArg>,
    },
    /// Show all facilities.
    List(ListArgs),
}

/// Whether an author may approve.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum SelfApprovalArg {
    /// The author may approve, and the report says so.
    Allowed,
    /// A second person approves.
    Refused,
}

/// Master data: a file, or single values, or both; single values win.
#[derive(Debug, Default, ClapArgs)]
pub struct MasterArgs {
    /// JSON or TOML file with all master data, `-` for standard input. Replaces what was known.
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<PathBuf>,
    /// Official name.
    #[arg(long)]
    pub name: Option<String>,
    /// Who founded it (開設者).
    #[arg(long)]
    pub founder: Option<String>,
    /// Kind: `hospital`, `clinic`, `dental_clinic`, `maternity_home`, `pharmacy` or `other`.
    #[arg(long, value_parser = parse_kind)]
    pub kind: Option<FacilityKind>,
    /// Licensed beds.
    #[arg(long)]
    pub beds: Option<u32>,
    /// Code of the medical institution (医療機関コード), 10 digits.
    #[arg(long)]
    pub code: Option<String>,
    /// Postal address.
    #[arg(long)]
    pub address: Option<String>,
    /// Prefecture (都道府県).
    #[arg(long)]
    pub prefecture: Option<String>,
    /// Whose supervision it is under (所管).
    #[arg(long)]
    pub jurisdiction: Option<String>,
}

fn parse_kind(text: &str) -> Result<FacilityKind, String> {
    FacilityKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| {
            let names: Vec<_> = FacilityKind::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("use one of {}", names.join(", "))
        })
}

/// Incidents.
#[derive(Debug, Subcommand)]
pub enum IncidentCommand {
    /// Show the incidents of a facility, the newest first.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show one incident with its reasons and its timeline.
    Show {
        /// Its facility.
        facility: FacilityId,
        /// Number or id.
        incident: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Show the profiles in use, the hospital's own over those built in.
    List(ListArgs),
    /// Read the hospital's own profiles and name every mistake with its file, key and line. Exit status 1 if there is one.
    Check(ListArgs),
}

/// Duties.
#[derive(Debug, Subcommand)]
pub enum DutyCommand {
    /// Show every duty of an incident: whether it applies, why or why not, and which answer it waits for.
    List {
        /// Its facility.
        facility: FacilityId,
        /// Number or id.
        incident: String,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
}

/// Deadlines.
#[derive(Debug, Subcommand)]
pub enum DeadlineCommand {
    /// Show the deadlines of all incidents, the most urgent first.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// Show those that were met and those that have not begun as well.
        #[arg(long)]
        all: bool,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
}

/// Damage manifests.
#[derive(Debug, Subcommand)]
pub enum ManifestCommand {
    /// Show the manifests of a facility.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Decrypt a manifest to standard output with the key the hospital holds.
    Open {
        /// A manifest file, or the SHA-256 of a stored one as `manifest list` shows it.
        manifest: String,
        /// File with the private key (`AGE-SECRET-KEY-1…`), `-` for standard input.
        #[arg(long, value_name = "FILE|-")]
        identity: PathBuf,
    },
}

/// The audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute the whole chain and compare it with the anchors outside the database, and with every head given here:
    /// that also finds a log that was rewritten together with its anchors. Exit status 1 if it broke.
    Verify {
        /// A head somebody noted elsewhere, as it stands on reports and in mails to staff; repeat for more.
        #[arg(long, value_name = "HASH@NUMBER")]
        known: Vec<Head>,
        /// A file in which heads stand: a copy of the anchors, a stored mail, the system log, the PDF or the text of a
        /// report; `-` is standard input. Repeat for more.
        #[arg(long, value_name = "FILE|-")]
        from: Vec<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// How staff are told.
#[derive(Debug, Subcommand)]
pub enum AlertChannelCommand {
    /// Add a mail address or a webhook.
    Add {
        /// Whose staff.
        facility: FacilityId,
        /// A name for it: 1 to 32 of the characters a-z, 0-9 and -.
        channel: ChannelId,
        /// `mail` or `webhook`.
        #[arg(long)]
        kind: ChannelKind,
        /// Address or URL; `-` reads it from standard input, for a webhook whose URL holds a token.
        #[arg(long)]
        target: String,
        /// Only incidents of this severity or a higher one: low, medium, high or critical.
        #[arg(long, default_value = "high", value_parser = parse_severity)]
        min_severity: Severity,
    },
    /// Show the channels and what waits in them.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Remove a channel with what waits in it.
    Remove {
        /// Whose staff.
        facility: FacilityId,
        /// Its name.
        channel: ChannelId,
    },
    /// Send a test message now and show what the server answers.
    Test {
        /// Whose staff.
        facility: FacilityId,
        /// Its name.
        channel: ChannelId,
    },
}
