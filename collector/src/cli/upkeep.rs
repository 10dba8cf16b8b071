//! `audit verify`.

use std::process::ExitCode;

use anyhow::Result;
use shirase_shared::error::Chain;

use super::Desk;
use crate::audit::{AuditFault, verify};

impl Desk<'_> {
    pub(super) async fn verify_audit(self) -> Result<ExitCode> {
        let anchors = self.store.anchors_path().to_owned();
        match verify(&self.store, &anchors).await {
            Ok(whole) => {
                self.terminal.line(&format!(
                    "the audit log is whole: {} entries, anchored through {} in `{}`\nhead {}",
                    whole.entries,
                    whole.anchored_through,
                    anchors.display(),
                    whole.head
                ))?;
                Ok(ExitCode::SUCCESS)
            }
            Err(AuditFault::Store(error)) => Err(error.into()),
            Err(fault) => {
                self.terminal
                    .line(&format!("the audit log is BROKEN: {}", Chain(&fault)))?;
                Ok(ExitCode::FAILURE)
            }
        }
    }
}
