//! `partner invite|accept|look|list|show|rotate|revoke`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::Desk;
use super::release::write_new;
use super::table::{self, Row};
use super::terminal::Terminal;
use crate::args::{ComparedArgs, PartnerCommand};
use crate::audit::Actor;
use crate::enrolment::authority::Authority;
use crate::exchange::card::{CARD_MAX_BYTES, Card};
use crate::exchange::partner::{Partner, Standing};
use crate::keys::{REPORT_KEY_FILE, SigningKey};
use crate::locale::{japan_time, visible};
use crate::post::{Compared, OldUntil, Post};

#[derive(Serialize)]
struct PartnerRow {
    #[serde(flatten)]
    partner: Partner,
    standing: Standing,
}

impl Row for PartnerRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "PARTNER", "KIND", "NAME", "ADDRESS", "STANDING", "SINCE", "FINGERPRINT"];

    fn cells(&self) -> Vec<String> {
        let Partner { current, .. } = &self.partner;
        let standing = match self.standing {
            Standing::Trusted => "trusted",
            Standing::Rotating => "rotating",
            Standing::Revoked => "revoked",
        };
        let address = &current.card.address;
        vec![
            self.partner.facility.to_string(),
            self.partner.id.to_string(),
            current.card.kind.to_string(),
            self.partner.name().to_owned(),
            if address.is_empty() { "files only".to_owned() } else { address.clone() },
            standing.to_owned(),
            japan_time(self.partner.added_at),
            current.id.grouped(),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn partner(mut self, command: PartnerCommand) -> Result<()> {
        let who = Actor::CommandLine;
        match command {
            PartnerCommand::Look { card } => look(&card, self.terminal)?,
            PartnerCommand::Invite { facility, out } => {
                self.one_facility(&facility).await?;
                let own = self.post()?.invite(&facility, who).await?;
                if out.as_os_str() == "-" {
                    return self.terminal.print(&own.card.text());
                }
                write_new(&out, own.card.text().as_bytes())?;
                self.terminal.line(&format!(
                    "the card of `{facility}` is at {}; give it to the partner, and read them its fingerprint on the telephone:\n{}",
                    out.display(),
                    own.id.grouped()
                ))?;
            }
            PartnerCommand::Accept { facility, partner, compared } => {
                self.one_facility(&facility).await?;
                let bytes = read_card(&compared.card)?;
                let at = (&facility, &partner);
                let done = self.post()?.accept(at, &of(&compared, &bytes), who).await?;
                self.tell_partner("accepted", &done)?;
            }
            PartnerCommand::Rotate { facility, partner, compared, old_until } => {
                let bytes = read_card(&compared.card)?;
                let until = old_until.map_or(OldUntil::Now, OldUntil::EndOf);
                let at = (&facility, &partner);
                let done = self
                    .post()?
                    .rotate(at, &of(&compared, &bytes), until, who)
                    .await?;
                self.tell_partner("rotated", &done)?;
            }
            PartnerCommand::Revoke { facility, partner, reason } => {
                self.post()?
                    .revoke((&facility, &partner), &reason, who)
                    .await?;
                self.terminal.line(&format!(
                    "`{partner}` is trusted no more: nothing of theirs is taken in, nothing goes there"
                ))?;
            }
            PartnerCommand::List { facility, list } => {
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    let partners = self.store.partners(&facility.id).await?;
                    rows.extend(partners.into_iter().map(|one| self.partner_row(one)));
                }
                table::print(&rows, list, self.terminal)?;
            }
            PartnerCommand::Show { facility, partner, json } => {
                let row = self.partner_row(self.store.partner(&facility, &partner).await?);
                if json {
                    return table::json(&row, self.terminal);
                }
                self.show_partner(&row)?;
            }
        }

        Ok(())
    }

    /// Gathers what pairing, sealing and taking in need.
    pub(super) fn post(&self) -> Result<Post> {
        let data_dir = &self.config.data_dir;
        let authority = Authority::open(data_dir, self.clock.now())
            .context("failed to open the collector's authority")?;
        let key = SigningKey::load_or_create(&data_dir.join(REPORT_KEY_FILE))?;
        let with = (&self.store, &self.clock);

        Ok(Post::new(&self.config, with, &authority, Arc::new(key)))
    }

    fn partner_row(&self, partner: Partner) -> PartnerRow {
        let standing = partner.standing(self.clock.now());
        PartnerRow { partner, standing }
    }

    fn tell_partner(&mut self, done: &str, partner: &Partner) -> Result<()> {
        self.terminal.line(&format!(
            "`{}` is {done}: {}, {}",
            partner.id,
            visible(partner.name()),
            partner.current.card.kind
        ))
    }

    fn show_partner(&mut self, row: &PartnerRow) -> Result<()> {
        let PartnerRow { partner, .. } = row;
        table::print(
            std::slice::from_ref(row),
            crate::args::ListArgs { json: false },
            self.terminal,
        )?;
        for pinned in std::iter::once(&partner.current).chain(&partner.former) {
            let until = pinned
                .until
                .map_or_else(|| "in force".to_owned(), |at| format!("until {}", japan_time(at)));
            self.terminal.line(&format!(
                "card {}\n  compared by {} at {}, {until}",
                pinned.id.grouped(),
                visible(&pinned.compared_by),
                japan_time(pinned.from)
            ))?;
        }
        if let Some(revoked) = &partner.revoked {
            let (at, reason) = (japan_time(revoked.at), visible(&revoked.reason));
            self.terminal.line(&format!("revoked at {at}: {reason}"))?;
        }

        Ok(())
    }
}

fn of<'a>(compared: &'a ComparedArgs, card: &'a [u8]) -> Compared<'a> {
    Compared { card, fingerprint: &compared.fingerprint, by: &compared.by }
}

fn look(path: &Path, terminal: &mut Terminal) -> Result<()> {
    let card = Card::read(&read_card(path)?)?;
    let address = if card.is_reachable() { card.address.as_str() } else { "files only" };
    terminal.line(&format!(
        "{}, {}, {address}\nfingerprint: {}",
        visible(&card.name),
        card.kind,
        card.id().grouped()
    ))
}

fn read_card(path: &Path) -> Result<Vec<u8>> {
    let failed = || format!("failed to read `{}`", path.display());
    let bytes_len = fs::metadata(path).with_context(failed)?.len();
    if usize::try_from(bytes_len).is_ok_and(|bytes| CARD_MAX_BYTES < bytes) {
        bail!("`{}` has {bytes_len} bytes, so it is no card", path.display());
    }
    fs::read(path).with_context(failed)
}
