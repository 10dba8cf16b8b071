//! Tables people fill in, as files: read whole, taken in or refused whole, written without overwriting anything.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::{Desk, table};
use crate::locale::{Lang, Locale};
use crate::store::Imported;
use crate::tables::{Fault, Plan, TABLE_MAX_BYTES, TableColumn};

/// What reading a table in came to.
#[derive(Serialize)]
pub(super) struct ImportSaid<C> {
    /// Whether it was only looked at.
    pub(super) checked_only: bool,
    /// How many lines came to what; of nothing if there are faults.
    #[serde(flatten)]
    pub(super) imported: Imported,
    /// What is wrong with it.
    pub(super) faults: Vec<Fault<C>>,
}

/// Reads the bytes of a table.
pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    let failed = || format!("failed to read `{}`", file.display());
    let bytes_len = fs::metadata(file).with_context(failed)?.len();
    if usize::try_from(bytes_len).is_ok_and(|bytes| TABLE_MAX_BYTES < bytes) {
        bail!("`{}` has {bytes_len} bytes; a table has at most {TABLE_MAX_BYTES}", file.display());
    }
    fs::read(file).with_context(failed)
}

/// Counts what plans would come to.
pub(super) fn counted<I, E>(plans: &[Plan<I, E>]) -> Imported {
    let mut counts = Imported::default();
    for plan in plans {
        match plan {
            Plan::Add(_) => counts.added += 1,
            Plan::Change(..) => counts.changed += 1,
            Plan::Same(_) => counts.same += 1,
        }
    }
    counts
}

impl Desk<'_> {
    /// Says what reading a table in came to. The exit status is 1 if it has faults.
    pub(super) fn tell_import<C: TableColumn + Serialize>(
        &mut self,
        said: &ImportSaid<C>,
        json: bool,
    ) -> Result<ExitCode> {
        let code = if said.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if json {
            table::json(said, self.terminal)?;
            return Ok(code);
        }
        let locale = Locale::new(Lang::En);
        for fault in &said.faults {
            self.terminal.line(&fault.words(locale))?;
        }
        let Imported { added, changed, same } = said.imported;
        let words = match (said.faults.is_empty(), said.checked_only) {
            (false, _) => locale.text("table-refused"),
            (true, true) => {
                format!("would add {added}, change {changed}, leave {same} as they are")
            }
            (true, false) => format!("added {added}, changed {changed}, left {same} as they are"),
        };
        self.terminal.line(&words)?;

        Ok(code)
    }

    /// Writes a file that is not there yet, or to standard output for `-`.
    pub(super) fn write_out(&mut self, out: &Path, bytes: &[u8]) -> Result<()> {
        if out.as_os_str() == "-" {
            let written = self.terminal.out().write_all(bytes);
            return written.context("failed to write to standard output");
        }
        let failed = || format!("failed to write `{}`", out.display());
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(out)
            .with_context(failed)?;
        file.write_all(bytes).with_context(failed)?;
        file.sync_all().with_context(failed)?;

        self.terminal
            .line(&format!("wrote `{}`, {} bytes", out.display(), bytes.len()))
    }
}
