//! `audit verify`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use shirase_shared::error::Chain;

use super::{Desk, table};
use crate::audit::{AuditFault, Head, KnownHead, Verified, heads_in, verify};
use crate::locale::{Lang, Locale};

/// Most bytes of a file in which heads are looked for: a system log can be large.
const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;

#[derive(Serialize)]
struct Outcome<'a> {
    whole: bool,
    #[serde(flatten)]
    verified: Option<&'a Verified>,
    fault: Option<String>,
    remedy: Option<String>,
}

impl Desk<'_> {
    pub(super) async fn verify_audit(
        mut self,
        (known, files): (Vec<Head>, &[PathBuf]),
        json: bool,
    ) -> Result<ExitCode> {
        let given = known.into_iter().map(|head| {
            let source = format!("--known {}@{}", head.hash, head.n);
            KnownHead { head, source }
        });
        let mut heads: Vec<KnownHead> = given.collect();
        for file in files {
            heads.extend(self.heads_of(file)?);
        }
        let anchors = self.store.anchors_path().to_owned();
        let found = verify(&self.store, &anchors, &heads).await;
        if let Err(AuditFault::Store(error)) = found {
            return Err(error.into());
        }
        let code = if found.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        let locale = Locale::new(Lang::En);
        let fault = found.as_ref().err();
        if json {
            let outcome = Outcome {
                whole: found.is_ok(),
                verified: found.as_ref().ok(),
                fault: fault.map(|fault| Chain(fault).to_string()),
                remedy: fault.map(|fault| locale.text(fault.remedy_key())),
            };
            table::json(&outcome, self.terminal)?;
            return Ok(code);
        }
        let said = match &found {
            Ok(whole) => format!(
                "the audit log is whole: {} entries, anchored through {} in `{}`, {} known heads agree\nhead {}",
                whole.entries,
                whole.anchored_through,
                anchors.display(),
                whole.known_heads,
                whole.head
            ),
            Err(fault) => format!(
                "the audit log is BROKEN: {}\n{}",
                Chain(fault),
                locale.text(fault.remedy_key())
            ),
        };
        self.terminal.line(&said)?;

        Ok(code)
    }

    /// Reads the heads of a file. A file without any is a mistake: it would vouch for nothing.
    fn heads_of(&mut self, path: &Path) -> Result<Vec<KnownHead>> {
        let source = path.display().to_string();
        let mut bytes = Vec::new();
        if source == "-" {
            bytes = self.terminal.read_all()?.reveal().clone().into_bytes();
        } else {
            let file =
                fs::File::open(path).with_context(|| format!("failed to read `{source}`"))?;
            file.take(FILE_MAX_BYTES)
                .read_to_end(&mut bytes)
                .with_context(|| format!("failed to read `{source}`"))?;
        }
        let heads = heads_in(&bytes);
        if heads.is_empty() {
            bail!(
                "no head of an audit log stands in `{source}`; they look like shirase-audit[HASH@NUMBER]. \
                 Of a scanned paper type it: --known HASH@NUMBER"
            );
        }

        let known = heads
            .into_iter()
            .map(|head| KnownHead { head, source: source.clone() });
        Ok(known.collect())
    }
}
