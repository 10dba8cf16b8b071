//! `taxii …`.

use clap::Subcommand;
use shirase_shared::ids::FacilityId;

use super::ListArgs;
use crate::exchange::kind::Tlp;
use crate::exchange::partner::PartnerId;
use crate::sharing::taxii::can_be_read;

/// Clients that read sharing products over TAXII.
#[derive(Debug, Subcommand)]
pub enum TaxiiCommand {
    /// Let a client in and print its token, once; a token it had before is worthless then.
    Add {
        /// Whose products.
        facility: FacilityId,
        /// What the client is called: 1 to 32 of the characters a-z, 0-9 and -. Tools ask for it as the user's name.
        client: PartnerId,
        /// The narrowest mark it may read: `clear`, `green` or `amber`. TLP:AMBER+STRICT and TLP:RED are never read here.
        #[arg(long, default_value = "green", value_parser = parse_mark)]
        reads: Tlp,
        /// Print the token alone, for a script that reads it.
        #[arg(long)]
        bare: bool,
    },
    /// Make a client's token worthless.
    Revoke {
        /// Whose client.
        facility: FacilityId,
        /// Which.
        client: PartnerId,
    },
    /// Show the clients of a facility.
    List {
        /// Which facility; all if left out.
        #[arg(long)]
        facility: Option<FacilityId>,
        /// How.
        #[command(flatten)]
        list: ListArgs,
    },
}

fn parse_mark(text: &str) -> Result<Tlp, String> {
    Tlp::parse(text)
        .filter(|mark| can_be_read(*mark))
        .ok_or_else(|| format!("`{text}` is no mark a client can read; use clear, green or amber"))
}
