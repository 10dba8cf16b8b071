//! Commands about deliveries: an approved report to an addressee.

use clap::{Args as ClapArgs, Subcommand};
use shirase_shared::ids::{ContactId, DeliveryId, FacilityId};

use super::ListArgs;
use crate::deliver::{Choice, Outcome, Way};
use crate::reports::official::FormId;

/// Deliveries.
#[derive(Debug, Subcommand)]
pub enum DeliveryCommand {
    /// Show deliveries, the newest first.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show one delivery with its attempts.
    Show {
        /// Its facility.
        facility: FacilityId,
        /// Its id.
        delivery: DeliveryId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Choose addressee and way for an approved report as a named user. Mail and folders are served by the running
    /// collector; for the other ways a person calls and records. Reads that user's password and six-digit code from the
    /// terminal or, one line each, from standard input.
    Send(Box<SendArgs>),
    /// Record what was done by hand, as a named user.
    Record(Box<RecordArgs>),
    /// Decide on a delivery whose outcome is unknown, or that was refused or did not get through, as a named user.
    Decide {
        /// Its facility.
        facility: FacilityId,
        /// Its id.
        delivery: DeliveryId,
        /// `delivered`, `again` or `stop`.
        #[arg(value_parser = parse_choice)]
        choice: Choice,
        /// Whom you asked and how, or why; needed for `delivered`.
        #[arg(long, default_value = "")]
        note: String,
        /// The addressee's 受付番号.
        #[arg(long, default_value = "")]
        receipt: String,
        /// Who decides: the name that user signs in with.
        #[arg(long = "as", value_name = "LOGIN")]
        login: String,
    },
}

/// What a delivery is chosen with.
#[derive(Debug, ClapArgs)]
pub struct SendArgs {
    /// The report's facility.
    pub facility: FacilityId,
    /// Its id, or the number of its incident.
    pub report: String,
    /// The profile it follows, where the incident has several reports.
    #[arg(long)]
    pub profile: Option<String>,
    /// `mail`, `folder`, `phone`, `fax`, `web` or `medium`.
    #[arg(long, value_parser = parse_way)]
    pub way: Way,
    /// Entry of the address book, by its id as `contact list` shows it; in place of organisation and address.
    #[arg(long, value_name = "ID", conflicts_with_all = ["organisation", "person", "address", "drill_partner"])]
    pub contact: Option<ContactId>,
    /// With `--contact` and `--way phone`: its number for the night.
    #[arg(long, requires = "contact")]
    pub night: bool,
    /// The office or company.
    #[arg(long, default_value = "")]
    pub organisation: String,
    /// The person there.
    #[arg(long, default_value = "")]
    pub person: String,
    /// Mail address, folder in `deliver.folder`, number, URL or place, as the way asks for.
    #[arg(long, default_value = "")]
    pub address: String,
    /// It is a copy: no deadline is met by it.
    #[arg(long)]
    pub copy: bool,
    /// They take part in exercises; an exercise's report goes to such addressees alone.
    #[arg(long)]
    pub drill_partner: bool,
    /// Official form whose filled, signed copy goes along.
    #[arg(long, value_name = "FORM")]
    pub official_form: Option<FormId>,
    /// Deliver it although the same address has it already.
    #[arg(long)]
    pub again: bool,
    /// Who chooses: the name that user signs in with.
    #[arg(long = "as", value_name = "LOGIN")]
    pub login: String,
}

/// What was done by hand.
#[derive(Debug, ClapArgs)]
pub struct RecordArgs {
    /// The delivery's facility.
    pub facility: FacilityId,
    /// Its id.
    pub delivery: DeliveryId,
    /// `delivered`, `not_yet` or `refused`.
    #[arg(long, value_parser = parse_outcome)]
    pub outcome: Outcome,
    /// When, in Japan's time, such as 2026-02-09T03:10; now if left out.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Who answered; needed for `delivered`.
    #[arg(long, default_value = "")]
    pub spoke_with: String,
    /// What they said.
    #[arg(long, default_value = "")]
    pub answer: String,
    /// The addressee's 受付番号.
    #[arg(long, default_value = "")]
    pub receipt: String,
    /// Who did it: the name that user signs in with.
    #[arg(long = "as", value_name = "LOGIN")]
    pub login: String,
}

fn parse_way(name: &str) -> Result<Way, String> {
    Way::parse(name).ok_or_else(|| {
        let known: Vec<_> = Way::ALL.iter().map(|way| way.as_str()).collect();
        format!("there is no way `{name}`; use one of {}", known.join(", "))
    })
}

fn parse_outcome(name: &str) -> Result<Outcome, String> {
    Outcome::parse(name)
        .filter(|outcome| *outcome != Outcome::Unknown)
        .ok_or_else(|| format!("`{name}` cannot be recorded; use delivered, not_yet or refused"))
}

fn parse_choice(name: &str) -> Result<Choice, String> {
    Choice::parse(name)
        .ok_or_else(|| format!("`{name}` is no decision; use delivered, again or stop"))
}
