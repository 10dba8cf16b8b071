//! `alert-channel add|list|remove|test`.

use anyhow::Result;
use serde::Serialize;
use shirase_shared::event::Severity;
use shirase_shared::ids::FacilityId;

use anyhow::Context;

use super::Desk;
use super::table::{self, Row};
use crate::args::AlertChannelCommand;
use crate::notify::courier::Courier;
use crate::notify::{Channel, ChannelId, ChannelKind};

#[derive(Serialize)]
struct ChannelRow {
    facility: FacilityId,
    id: ChannelId,
    kind: ChannelKind,
    target: String,
    min_severity: Severity,
    sent: u64,
    waiting: u64,
    last_error: String,
}

impl Row for ChannelRow {
    const HEADS: &'static [&'static str] =
        &["FACILITY", "CHANNEL", "KIND", "TARGET", "FROM", "SENT", "WAITING", "LAST ERROR"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.facility.to_string(),
            self.id.to_string(),
            self.kind.to_string(),
            self.target.clone(),
            self.min_severity.to_string(),
            self.sent.to_string(),
            self.waiting.to_string(),
            self.last_error.clone(),
        ]
    }
}

impl Desk<'_> {
    pub(super) async fn alert_channel(mut self, command: AlertChannelCommand) -> Result<()> {
        match command {
            AlertChannelCommand::Add { facility, channel, kind, target, min_severity } => {
                self.one_facility(&facility).await?;
                let target = if target == "-" {
                    self.terminal.read_secret("target")?.reveal().clone()
                } else {
                    target
                };
                let channel = Channel { facility, id: channel, kind, target, min_severity };
                self.add_channel(channel.checked()?).await
            }
            AlertChannelCommand::List { facility, list } => {
                let mut rows = Vec::new();
                for facility in self.facilities(facility.as_ref()).await? {
                    for channel in self.store.alert_channels(&facility.id).await? {
                        let state = self.store.channel_state(&facility.id, &channel.id).await?;
                        rows.push(ChannelRow {
                            target: channel.shown_target(),
                            facility: channel.facility,
                            id: channel.id,
                            kind: channel.kind,
                            min_severity: channel.min_severity,
                            sent: state.sent,
                            waiting: state.waiting,
                            last_error: state.last_error,
                        });
                    }
                }
                table::print(&rows, list, self.terminal)
            }
            AlertChannelCommand::Remove { facility, channel } => {
                self.store.remove_alert_channel(&facility, &channel).await.with_context(|| {
                    format!("failed to remove `{channel}` of `{facility}`; `alert-channel list` shows those there are")
                })?;
                let entry = self.entry("alert_channel.removed", &channel).of(&facility);
                self.store.audit(&entry).await?;
                self.terminal
                    .line(&format!("`{channel}` is removed; nothing waits in it any more"))
            }
            AlertChannelCommand::Test { facility, channel } => {
                self.test_channel(&facility, &channel).await
            }
        }
    }

    async fn add_channel(&mut self, channel: Channel) -> Result<()> {
        self.store.put_alert_channel(&channel).await?;
        let entry = self
            .entry("alert_channel.set", &channel.id)
            .of(&channel.facility);
        let entry = entry
            .with("kind", channel.kind)
            .with("target", channel.shown_target());
        self.store
            .audit(&entry.with("min_severity", channel.min_severity))
            .await?;

        self.terminal.line(&format!(
            "staff of `{}` are told over `{}` ({}) from severity {} on; \
             `alert-channel test {} {}` sends a test message",
            channel.facility,
            channel.id,
            channel.kind,
            channel.min_severity,
            channel.facility,
            channel.id
        ))
    }

    async fn test_channel(&mut self, facility: &FacilityId, channel: &ChannelId) -> Result<()> {
        let facility = self.one_facility(facility).await?;
        let channels = self.store.alert_channels(&facility.id).await?;
        let channel = channels
            .into_iter()
            .find(|known| known.id == *channel)
            .with_context(|| {
                format!(
                    "`{}` has no channel `{channel}`; `alert-channel list` shows those there are",
                    facility.id
                )
            })?;
        let courier = Courier::new(&self.config.mail)?;
        let head = self.store.audit_head().await?;
        let at = (self.clock.now(), head.as_ref());
        let answer = courier.test(&channel, facility.display_name(), at).await;
        let answer = answer
            .with_context(|| format!("the test message over `{}` did not leave", channel.id))?;

        self.terminal
            .line(&format!("sent; the server answered: {answer}"))
    }
}
