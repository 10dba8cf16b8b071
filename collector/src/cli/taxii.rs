//! `taxii add|revoke|list`.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use shirase_shared::secret::Secret;
use shirase_shared::tls::sha256_hex;

use super::Desk;
use super::table::{self, Row};
use crate::args::TaxiiCommand;
use crate::audit::Actor;
use crate::enrolment::random_digits;
use crate::locale::japan_time;
use crate::sharing::taxii::{Client, TOKEN_BYTES};

#[derive(Serialize)]
#[serde(transparent)]
struct ClientRow(Client);

impl Row for ClientRow {
    const HEADS: &'static [&'static str] = &["FACILITY", "CLIENT", "READS", "SINCE", "REVOKED"];

    fn cells(&self) -> Vec<String> {
        let Self(client) = self;
        vec![
            client.facility.to_string(),
            client.id.to_string(),
            client.reads.mark().to_owned(),
            japan_time(client.made_at),
            client.revoked_at.map(japan_time).unwrap_or_default(),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn taxii(mut self, command: TaxiiCommand) -> Result<()> {
        match command {
            TaxiiCommand::Add { facility, client, reads, bare } => {
                self.one_facility(&facility).await?;
                let made_at = self.clock.now();
                let client = Client { facility, id: client, reads, made_at, revoked_at: None };
                self.add_taxii_client(client, bare).await
            }
            TaxiiCommand::Revoke { facility, client } => {
                let who = (Actor::CommandLine, self.clock.now());
                let done = self
                    .store
                    .revoke_taxii_client(&facility, &client, who)
                    .await;
                done.with_context(|| format!("failed to revoke `{client}` of {facility}"))?;
                self.terminal.line("the client's token is worthless now")
            }
            TaxiiCommand::List { facility, list } => {
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let clients = self.store.taxii_clients(&facility.id).await?;
                    rows.extend(clients.into_iter().map(ClientRow));
                }
                table::print(&rows, list, self.terminal)
            }
        }
    }

    async fn add_taxii_client(&mut self, client: Client, bare: bool) -> Result<()> {
        let secret = Secret::new(random_digits(TOKEN_BYTES)?);
        let sha256 = sha256_hex(secret.reveal().as_bytes());
        self.store
            .add_taxii_client(&client, &sha256, Actor::CommandLine)
            .await?;
        if bare {
            return self.terminal.line(secret.reveal());
        }
        let url = self.config.taxii_url();
        if url.is_empty() {
            bail!(
                "the client is let in, but nobody listens; set `taxii.listen`, restart, and run this again for a token"
            );
        }
        self.terminal.print(&format!(
            "token:     {}\n\
             shown once; `taxii list` calls the client {id}\n\
             discovery: {url}/taxii2/\n\
             Give the tool {id} as the user's name and the token as the password, and let it trust this collector's authority.\n",
            secret.reveal(),
            id = client.id,
        ))
    }
}
