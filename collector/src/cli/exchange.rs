//! `exchange write|messages|release|send-back|list|show|read|export|import`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::json;
use shirase_shared::error::Chain;
use shirase_shared::ids::{FacilityId, MessageId};

use super::Desk;
use super::release::write_new;
use super::table::{self, Row};
use crate::args::{ExchangeCommand, WriteArgs};
use crate::audit::Actor;
use crate::exchange::kind::PackageKind;
use crate::exchange::manifest::{AckKind, FILE_MAX_BYTES, TEXT_MAX_CHARS};
use crate::exchange::message::{Message, MessageState};
use crate::exchange::package::{PACKAGE_MAX_BYTES, PackageFile};
use crate::exchange::partner::PartnerId;
use crate::locale::{japan_time, visible};
use crate::people::Role;
use crate::reports::answer::NamedPerson;
use crate::store::{Carrier, Direction, StoredPackage, Taken};

/// Fewest characters of an id that name a package.
const ID_PART_MIN: usize = 6;
/// Most bytes a character of a text takes.
const CHAR_MAX_BYTES: u64 = 4;

#[derive(Serialize)]
struct MessageRow {
    id: MessageId,
    partner: PartnerId,
    kind: PackageKind,
    subject: String,
    written_by: String,
    written_at: jiff::Timestamp,
    state: MessageState,
}

impl Row for MessageRow {
    const HEADS: &'static [&'static str] =
        &["MESSAGE", "TO", "KIND", "STATE", "WRITTEN BY", "WRITTEN", "SUBJECT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.partner.to_string(),
            self.kind.to_string(),
            self.state.as_str().to_owned(),
            self.written_by.clone(),
            japan_time(self.written_at),
            self.subject.clone(),
        ]
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct PackageRow(StoredPackage);

impl Row for PackageRow {
    const HEADS: &'static [&'static str] =
        &["PACKAGE", "WAY", "PARTNER", "KIND", "STORED", "THERE", "READ BY", "SUBJECT"];

    fn cells(&self) -> Vec<String> {
        let Self(package) = self;
        let read = package.acks.iter().filter(|ack| ack.what == AckKind::Read);
        let there = match (package.direction, package.done_at) {
            (Direction::In, _) => String::new(),
            (Direction::Out, Some(at)) => japan_time(at),
            (Direction::Out, None) => "waits".to_owned(),
        };
        let drill = if package.manifest.drill { "訓練 " } else { "" };
        vec![
            package.id.short().to_owned(),
            package.direction.as_str().to_owned(),
            package.partner.to_string(),
            package.manifest.kind.to_string(),
            japan_time(package.stored_at),
            there,
            read.map(|ack| ack.by.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            format!("{drill}{} {}", package.manifest.tlp.mark(), package.manifest.subject),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn exchange(mut self, command: ExchangeCommand) -> Result<ExitCode> {
        match command {
            ExchangeCommand::Write(asked) => self.write(asked).await?,
            ExchangeCommand::Messages { facility, list } => {
                self.one_facility(&facility).await?;
                let messages = self.store.messages(&facility).await?;
                let rows: Vec<_> = messages.into_iter().map(message_row).collect();
                table::print(&rows, list, self.terminal)?;
            }
            ExchangeCommand::Release { facility, message, login } => {
                let by = self.person(&facility, (&login, Role::Approver)).await?;
                let package = self.post()?.release(&facility, message, by).await?;
                self.terminal
                    .line(&format!("released; it goes as package {package}"))?;
            }
            ExchangeCommand::SendBack { facility, message, reason, login } => {
                let by = self.person(&facility, (&login, Role::Author)).await?;
                self.post()?
                    .send_back(&facility, message, (&by, &reason))
                    .await?;
                self.terminal.line("the message is sent back")?;
            }
            ExchangeCommand::List { facility, all, list } => {
                self.one_facility(&facility).await?;
                let mut packages = self.store.packages(&facility, None).await?;
                packages.retain(|one| all || one.manifest.kind != PackageKind::Acknowledgement);
                let rows: Vec<_> = packages.into_iter().map(PackageRow).collect();
                table::print(&rows, list, self.terminal)?;
            }
            ExchangeCommand::Show { facility, package } => {
                let package = self.one_package(&facility, &package).await?;
                table::json(&package, self.terminal)?;
            }
            ExchangeCommand::Read { facility, package, login } => {
                let package = self.one_package(&facility, &package).await?;
                let by = self.person(&facility, (&login, Role::Viewer)).await?;
                let new = self.post()?.read(&facility, &package.id, &by).await?;
                let said = if new { "recorded; the sender is told" } else { "nothing to record" };
                self.terminal.line(said)?;
            }
            ExchangeCommand::Export { facility, partner, into, package } => {
                self.export_packages((&facility, &partner), &into, package.as_deref())
                    .await?;
            }
            ExchangeCommand::Import { files, json } => {
                let mut code = ExitCode::SUCCESS;
                let mut said = Vec::new();
                for file in &files {
                    let (line, refused) = self.import_package(file).await?;
                    if refused {
                        code = ExitCode::FAILURE;
                    }
                    said.push(line);
                }
                if json {
                    table::json(&said, self.terminal)?;
                } else {
                    for line in &said {
                        self.terminal
                            .line(&visible(line["said"].as_str().unwrap_or_default()))?;
                    }
                }
                return Ok(code);
            }
        }

        Ok(ExitCode::SUCCESS)
    }

    async fn write(&mut self, asked: WriteArgs) -> Result<()> {
        let WriteArgs { facility, partner, kind, subject, tlp, drill, .. } = &asked;
        let text_max = TEXT_MAX_CHARS as u64 * CHAR_MAX_BYTES;
        let text = String::from_utf8(read_file(&asked.text, text_max)?)
            .with_context(|| format!("`{}` is no UTF-8 text", asked.text.display()))?;
        let reply_to = match &asked.reply_to {
            Some(wanted) => Some(self.one_package(facility, wanted).await?.id),
            None => None,
        };
        let files = asked.attach.iter().map(|path| attached(path));
        let files = files.collect::<Result<Vec<_>>>()?;
        let written_by = self.person(facility, (&asked.login, Role::Author)).await?;
        let message = Message {
            facility: facility.clone(),
            id: MessageId::random(),
            partner: partner.clone(),
            kind: *kind,
            tlp: *tlp,
            drill: *drill,
            reply_to,
            subject: subject.trim().to_owned(),
            text: text.replace("\r\n", "\n").trim().to_owned(),
            files,
            written_by,
            written_at: self.clock.now(),
            state: MessageState::Waiting,
        };
        self.post()?.write(&message).await?;
        let id = message.id;
        self.terminal.line(&format!(
            "message {id} waits for a release: `exchange release {facility} {id} --as LOGIN`"
        ))
    }

    async fn export_packages(
        &mut self,
        (facility, partner): (&FacilityId, &PartnerId),
        into: &Path,
        only: Option<&str>,
    ) -> Result<()> {
        let post = self.post()?;
        let files = match only {
            None => post.waiting_files(facility, partner).await?,
            Some(wanted) => {
                let stored = self.one_package(facility, wanted).await?;
                if stored.partner != *partner || stored.direction != Direction::Out {
                    bail!("package {} does not go to `{partner}`", stored.id);
                }
                vec![post.file(stored).await?]
            }
        };
        if files.is_empty() {
            return self
                .terminal
                .line(&format!("`{partner}` has everything; nothing to write"));
        }
        for file in files {
            let path = into.join(&file.name);
            // The same name means the same package.
            if !path.exists() {
                write_new(&path, &file.bytes)?;
            }
            post.exported(&file.stored, Actor::CommandLine).await?;
            let (bytes, path) = (file.bytes.len(), path.display());
            self.terminal.line(&format!("{bytes} bytes at {path}"))?;
        }

        Ok(())
    }

    async fn import_package(&mut self, path: &Path) -> Result<(serde_json::Value, bool)> {
        let shown = path.display().to_string();
        let bytes = read_file(path, PACKAGE_MAX_BYTES as u64)?;
        let taken = self
            .post()?
            .take(bytes, Carrier::File, Actor::CommandLine)
            .await;
        let told = match &taken {
            Ok(receipt) => {
                let new = receipt.taken == Taken::New;
                let how = if new { "taken in" } else { "was here already" };
                let said = format!(
                    "`{shown}`: {how}: {} {} from `{}` for `{}`",
                    receipt.kind, receipt.id, receipt.partner, receipt.facility
                );
                json!({ "file": shown, "package": receipt.id, "new": new, "said": said })
            }
            Err(error) => {
                let entry = self.entry("package.refused", &shown);
                let why = Chain(error).to_string();
                self.store.audit(&entry.with("reason", &why)).await?;
                json!({ "file": shown, "refused": why, "said": format!("`{shown}`: refused: {why}") })
            }
        };

        Ok((told, taken.is_err()))
    }

    /// Asks for password and code, and checks that the person holds a role.
    async fn person(
        &mut self,
        facility: &FacilityId,
        (login, role): (&str, Role),
    ) -> Result<NamedPerson> {
        self.one_facility(facility).await?;
        let user = self.prove(login).await?;
        if !self.store.grants(user.id).await?.allow(facility, role) {
            bail!("{login} is no {role} of `{facility}`");
        }

        Ok(NamedPerson { user: user.id, name: user.name })
    }

    /// Finds a package by its id or the beginning of it.
    async fn one_package(&self, facility: &FacilityId, wanted: &str) -> Result<StoredPackage> {
        self.one_facility(facility).await?;
        let part = wanted.to_ascii_lowercase();
        if part.len() < ID_PART_MIN {
            bail!("give at least {ID_PART_MIN} digits of the package's id");
        }
        let packages = self.store.packages(facility, None).await?;
        let mut found = packages
            .into_iter()
            .filter(|package| package.id.as_str().starts_with(&part));
        match (found.next(), found.next()) {
            (Some(package), None) => Ok(package),
            (Some(_), Some(_)) => bail!("several packages begin with `{part}`; give more digits"),
            (None, _) => bail!(
                "`{facility}` has no package `{part}`; `exchange list --all` shows those there are"
            ),
        }
    }
}

fn message_row(message: Message) -> MessageRow {
    MessageRow {
        id: message.id,
        partner: message.partner,
        kind: message.kind,
        subject: message.subject,
        written_by: message.written_by.name,
        written_at: message.written_at,
        state: message.state,
    }
}

fn attached(path: &Path) -> Result<PackageFile> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let bytes = read_file(path, FILE_MAX_BYTES)?;

    Ok(PackageFile { name: name.parse()?, bytes })
}

/// Reads a file of at most so many bytes.
fn read_file(path: &Path, most: u64) -> Result<Vec<u8>> {
    let failed = || format!("failed to read `{}`", path.display());
    let bytes_len = fs::metadata(path).with_context(failed)?.len();
    if most < bytes_len {
        bail!("`{}` has {bytes_len} bytes; at most {most} are taken", path.display());
    }
    fs::read(path).with_context(failed)
}
