//! `partner …`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use jiff::civil::Date;
use shirase_shared::ids::FacilityId;

use super::ListArgs;
use crate::exchange::CardId;
use crate::exchange::partner::PartnerId;

/// A partner's card, and that two people compared it.
#[derive(Debug, ClapArgs)]
pub struct ComparedArgs {
    /// The card: the file `partner invite` wrote at the other side.
    pub card: PathBuf,
    /// The fingerprint as the partner read it out on the telephone, on a number you know. Spaces do no harm.
    #[arg(long, value_name = "64 DIGITS", value_parser = parse_fingerprint)]
    pub fingerprint: CardId,
    /// Who compared it, by name.
    #[arg(long, value_name = "NAME")]
    pub by: String,
}

/// Organisations packages are exchanged with.
#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// Write this facility's card, for a partner to accept, and print its fingerprint, to be read out to them.
    Invite {
        /// Whose card.
        facility: FacilityId,
        /// Where to write it; an existing file is left alone, `-` is standard output.
        #[arg(long, value_name = "FILE|-")]
        out: PathBuf,
    },
    /// Accept a partner's card after two people compared its fingerprint.
    Accept {
        /// Whose partner.
        facility: FacilityId,
        /// What it is called here: 1 to 32 of the characters a-z, 0-9 and -.
        partner: PartnerId,
        /// The card.
        #[command(flatten)]
        compared: ComparedArgs,
    },
    /// Show what a card says and its fingerprint; nothing is accepted.
    Look {
        /// The card.
        card: PathBuf,
    },
    /// Show the partners of a facility.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show one partner with every card of theirs.
    Show {
        /// Whose partner.
        facility: FacilityId,
        /// Which.
        partner: PartnerId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Replace a partner's card by a new one. Both count until the end of a day.
    Rotate {
        /// Whose partner.
        facility: FacilityId,
        /// Which.
        partner: PartnerId,
        /// The new card.
        #[command(flatten)]
        compared: ComparedArgs,
        /// Last day in Japan on which the old card counts, at most 90 days from now; left out: it counts no more.
        #[arg(long, value_name = "YYYY-MM-DD")]
        old_until: Option<Date>,
    },
    /// Trust a partner no more: nothing of theirs is taken in, nothing goes there.
    Revoke {
        /// Whose partner.
        facility: FacilityId,
        /// Which.
        partner: PartnerId,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

fn parse_fingerprint(text: &str) -> Result<CardId, String> {
    CardId::typed(text).map_err(|error| error.to_string())
}
