//! The files that go with a document: timeline, affected systems, indicators, damage in short.
//!
//! Always holds:
//! - they are made from the frozen answers like the document itself, and the document lists their hashes;
//! - every row of a table carries the approval, the revision and the hash of the answers, so that a row that was copied
//!   elsewhere still says what it comes from;
//! - no cell begins like a formula; a file without content does not exist.

mod indicators;
mod stix;

use shirase_shared::tls::sha256_hex;

use super::clean::{clean_line, no_formula};
use super::flat::block_lines;
use super::model::{Attachment, Table};
use super::{Maker, Stage, body, file_stem};
use crate::approval::Format;
use crate::reports::answer::Value;
use crate::reports::fields::Field;
use crate::reports::text::form_time;

/// What a spreadsheet needs to take a file for UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// Numbers of the fields that tell the damage in short; those this build does not know are passed over.
const DAMAGE_FIELDS: &[u8] = &[8, 10, 11, 15, 16, 17, 18, 20, 21, 23, 24, 31, 36, 37, 40];

impl Maker<'_> {
    /// Makes every file the answers give something for.
    pub(super) fn attachments(&self) -> Vec<Attachment> {
        let tables = [
            (Format::TimelineCsv, "attached-timeline", self.timeline()),
            (Format::HostsCsv, "attached-hosts", self.hosts()),
            (Format::IndicatorsCsv, "attached-indicators", self.indicator_table()),
            (Format::DamageCsv, "attached-damage", self.damage()),
        ];
        // Who reports without a name does not name its servers either.
        let named = !self.profile.body.anonymous;
        let shown = |format: Format| named || format == Format::IndicatorsCsv;
        let tables = tables
            .into_iter()
            .filter(|(format, _, table)| shown(*format) && !table.rows.is_empty());
        let mut files: Vec<Attachment> = tables
            .map(|(format, title, table)| {
                let bytes = csv(&self.marked(&table)).into_bytes();
                self.file((format, title), table.rows.len(), bytes, Some(table))
            })
            .collect();
        let indicators = indicators::indicators(self.frozen, self.locale);
        if !indicators.is_empty() {
            let bundle = stix::bundle(&self.stix_facts(), &indicators);
            let title = (Format::IndicatorsStix, "attached-stix");
            files.push(self.file(title, indicators.len(), bundle.into_bytes(), None));
        }
        files.sort_by_key(|file| file.format);
        files
    }

    fn file(
        &self,
        (format, title): (Format, &str),
        entries: usize,
        bytes: Vec<u8>,
        table: Option<Table>,
    ) -> Attachment {
        Attachment {
            format,
            name: format!(
                "{}{}",
                file_stem(self.frozen, self.profile, self.stage),
                format.suffix()
            ),
            title: self.locale.text(title),
            entries,
            sha256: sha256_hex(&bytes),
            bytes,
            table,
        }
    }

    fn timeline(&self) -> Table {
        let rows = self.lines_of(29);
        Table { head: self.heads(&["column-local-time", "column-where", "column-what"]), rows }
    }

    fn hosts(&self) -> Table {
        let Some(Value::Systems { systems }) = self.value(14) else { return Table::default() };
        let rows = systems.iter().map(|system| {
            [&system.name, &system.role, &system.os, &system.vendor, &system.damage]
                .map(|part| clean_line(part))
                .to_vec()
        });
        let heads = ["system-name", "system-role", "system-os", "system-vendor", "system-damage"];
        Table { head: self.heads(&heads), rows: rows.collect() }
    }

    fn indicator_table(&self) -> Table {
        let found = indicators::indicators(self.frozen, self.locale);
        let rows = found
            .into_iter()
            .map(|one| vec![one.at.map(form_time).unwrap_or_default(), one.label, one.value])
            .collect();
        Table { head: self.heads(&["column-local-time", "column-type", "column-value"]), rows }
    }

    fn damage(&self) -> Table {
        let fields = DAMAGE_FIELDS
            .iter()
            .filter_map(|&number| Field::from_number(number));
        let rows = fields.filter_map(|field| {
            let answer = self.frozen.answer(field)?;
            let blocks = body::blocks(field, &answer.value, self.locale);
            let said: Vec<String> = blocks.iter().flat_map(block_lines).collect();
            let label = self
                .profile
                .label(field, self.locale.lang())
                .map_or_else(|| self.locale.text(&field.label_key()), clean_line);
            let status = self.locale.text(answer.status.label_key());
            Some(vec![label, said.join("\n"), status])
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let heads = ["column-item", "column-content", "column-status"];
        Table { head: self.heads(&heads), rows }
    }

    fn heads(&self, keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| self.locale.text(key)).collect()
    }

    fn value(&self, number: u8) -> Option<&Value> {
        let field = Field::from_number(number)?;
        self.frozen.answer(field).map(|answer| &answer.value)
    }

    fn lines_of(&self, number: u8) -> Vec<Vec<String>> {
        let Some(value) = self.value(number) else { return Vec::new() };
        body::rows(value)
            .map(|(at, label, text)| vec![at.map(form_time).unwrap_or_default(), label, text])
            .collect()
    }

    /// Adds to every row what it comes from.
    fn marked(&self, table: &Table) -> Table {
        let mark = self.row_mark();
        let more = [mark, self.frozen.revision.to_string(), self.answers_sha256.to_owned()];
        let mut head = table.head.clone();
        head.extend(self.heads(&["column-mark", "column-revision", "column-answers-hash"]));
        let rows = table.rows.iter().map(|row| {
            let mut row = row.clone();
            row.extend(more.iter().cloned());
            row
        });
        Table { head, rows: rows.collect() }
    }

    /// Says in one cell whether it is real and who stands for it.
    pub(super) fn row_mark(&self) -> String {
        let drill = self.frozen.drill.map(|_| self.locale.text("header-drill"));
        let stage = match self.stage {
            Stage::Draft { .. } => self.locale.text("header-draft"),
            Stage::Submitted { .. } => self.locale.text("header-submitted"),
            Stage::Approved { .. } => self.approval_line(),
        };
        drill
            .into_iter()
            .chain([stage])
            .collect::<Vec<_>>()
            .join("　")
    }

    fn stix_facts(&self) -> stix::Facts {
        let mark = self.row_mark();
        let facility = self.sender_name();
        stix::Facts {
            report: self.frozen.report,
            revision: self.frozen.revision.0,
            at: self.stage.at(),
            name: self
                .locale
                .text_with("stix-report", &[("number", &self.frozen.incident.number)]),
            about: self
                .locale
                .text_with("stix-about", &[("facility", &facility), ("mark", &mark)]),
            facility,
            labels: [self.frozen.drill.map(|_| "drill"), Some(self.stage.as_str())]
                .into_iter()
                .flatten()
                .collect(),
            answers_sha256: self.answers_sha256.to_owned(),
            lang: self.locale.lang().as_str(),
        }
    }
}

/// Writes a table as CSV (RFC 4180, every cell in quotes), fit for a spreadsheet.
fn csv(table: &Table) -> String {
    let mut out = BYTE_ORDER_MARK.to_owned();
    for row in std::iter::once(&table.head).chain(&table.rows) {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| format!("\"{}\"", no_formula(cell).replace('"', "\"\"")))
            .collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_no_formula() {
        let row = |cells: &[&str]| cells.iter().map(|&c| c.to_owned()).collect::<Vec<_>>();
        let table = Table { head: row(&["a", "b"]), rows: vec![row(&["=1+1", "x\"y\nz"])] };
        assert_eq!(csv(&table), "\u{feff}\"a\",\"b\"\r\n\"'=1+1\",\"x\"\"y\nz\"\r\n");
    }
}
