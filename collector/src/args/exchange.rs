//! `exchange …`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use shirase_shared::ids::{FacilityId, MessageId};

use super::ListArgs;
use crate::exchange::kind::{PackageKind, Tlp};
use crate::exchange::partner::PartnerId;

/// A message to a partner.
#[derive(Debug, ClapArgs)]
pub struct WriteArgs {
    /// Who writes.
    pub facility: FacilityId,
    /// To whom.
    pub partner: PartnerId,
    /// What: `question`, `answer`, `guidance` or `notice`.
    #[arg(long, value_parser = parse_kind)]
    pub kind: PackageKind,
    /// One line.
    #[arg(long, value_name = "TEXT")]
    pub subject: String,
    /// File with what it says.
    #[arg(long, value_name = "FILE")]
    pub text: PathBuf,
    /// A file that goes along; repeat for more.
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    /// The package it answers: its id or the beginning of it.
    #[arg(long, value_name = "PACKAGE")]
    pub reply_to: Option<String>,
    /// How far it may be passed on: `red`, `amber_strict`, `amber`, `green` or `clear`.
    #[arg(long, default_value = "amber", value_parser = parse_tlp)]
    pub tlp: Tlp,
    /// Mark it 訓練.
    #[arg(long)]
    pub drill: bool,
    /// The name its writer signs in with.
    #[arg(long = "as", value_name = "LOGIN")]
    pub login: String,
}

/// What goes between partners.
#[derive(Debug, Subcommand)]
pub enum ExchangeCommand {
    /// Write a message as a named author; another person releases it. Reads that user's password and six-digit code from
    /// the terminal or, one line each, from standard input; so do `release`, `send-back` and `read`.
    Write(WriteArgs),
    /// Show the messages of a facility, those that wait for a release first.
    Messages {
        /// Which facility.
        facility: FacilityId,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Release a message as a named approver who did not write it: it goes to the partner.
    Release {
        /// Whose message.
        facility: FacilityId,
        /// Which.
        message: MessageId,
        /// The name that user signs in with.
        #[arg(long = "as", value_name = "LOGIN")]
        login: String,
    },
    /// Send a message back to whoever wrote it.
    SendBack {
        /// Whose message.
        facility: FacilityId,
        /// Which.
        message: MessageId,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The name that user signs in with.
        #[arg(long = "as", value_name = "LOGIN")]
        login: String,
    },
    /// Show the packages of a facility that came and went, the newest first.
    List {
        /// Which facility.
        facility: FacilityId,
        /// Acknowledgements as well.
        #[arg(long)]
        all: bool,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show one package with its text, its files and what was acknowledged; print JSON.
    Show {
        /// Whose.
        facility: FacilityId,
        /// Its id or the beginning of it.
        package: String,
    },
    /// Record that a named person read a package that came, and tell its sender.
    Read {
        /// Whose.
        facility: FacilityId,
        /// Its id or the beginning of it.
        package: String,
        /// The name that user signs in with.
        #[arg(long = "as", value_name = "LOGIN")]
        login: String,
    },
    /// Write everything a partner does not have yet as files, one a package, for a USB stick.
    Export {
        /// Whose.
        facility: FacilityId,
        /// To whom.
        partner: PartnerId,
        /// Directory to write into; files that are there already are left alone.
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
        /// Write one package again, also one the partner has: its id or the beginning of it.
        #[arg(long, value_name = "PACKAGE")]
        package: Option<String>,
    },
    /// Take in files that came on a USB stick, with the same checks as over the network. Exit status 1 if one is refused.
    Import {
        /// Package files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

fn parse_kind(name: &str) -> Result<PackageKind, String> {
    let found = PackageKind::WRITTEN
        .into_iter()
        .find(|kind| kind.as_str() == name);
    found.ok_or_else(|| "use question, answer, guidance, notice or drill_result".to_owned())
}

fn parse_tlp(name: &str) -> Result<Tlp, String> {
    Tlp::parse(name).ok_or_else(|| "use red, amber_strict, amber, green or clear".to_owned())
}
