//! A table as a file: CSV for Excel out, CSV of Excel in.
//!
//! Always holds: no cell that goes out begins like a formula; every fault is told with its line and its column.

use std::collections::BTreeMap;

use encoding_rs::{SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use serde::Serialize;

use super::TableColumn;
use super::flaw::Flaw;
use super::reader::{Filled, is_label};
use crate::locale::Locale;
use crate::reports::render::no_formula;

/// Most lines of one table.
const LINES_MAX: usize = 2000;
/// What Excel needs to take a file for UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One line of a table, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<C> {
    /// Its number in the file, the heading being 1.
    pub number: u64,
    /// Its cells. A column the table does not have is absent.
    pub filled: Filled<C>,
}

/// Something wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault<C> {
    /// In which line.
    pub line: u64,
    /// What.
    #[serde(flatten)]
    pub kind: FaultKind<C>,
}

/// Kinds of fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum FaultKind<C> {
    /// The file is neither UTF-8 nor `Shift_JIS`.
    Encoding,
    /// There is nothing in it.
    Empty,
    /// A heading is none of the columns.
    UnknownColumn {
        /// The heading.
        heading: String,
    },
    /// A column stands twice.
    ColumnTwice {
        /// Its heading.
        heading: String,
    },
    /// There is no column for what every line has to say.
    NoColumn {
        /// Which.
        column: C,
    },
    /// The line has other cells than the heading, or its quotes do not close.
    Torn,
    /// There are too many lines.
    TooMany,
    /// One cell is wrong.
    Cell {
        /// How.
        flaw: Flaw<C>,
    },
    /// The id belongs to nothing that is here.
    UnknownId,
    /// Two lines are about the same.
    Same {
        /// The other line.
        other: u64,
    },
}

impl<C: TableColumn> Fault<C> {
    /// Says it, with line and column.
    #[must_use]
    pub fn words(&self, locale: Locale) -> String {
        let what = match &self.kind {
            FaultKind::Encoding => return locale.text("table-encoding"),
            FaultKind::Empty => return locale.text("table-empty"),
            FaultKind::UnknownColumn { heading } => {
                locale.text_with("table-unknown-column", &[("heading", heading)])
            }
            FaultKind::ColumnTwice { heading } => {
                locale.text_with("table-column-twice", &[("heading", heading)])
            }
            FaultKind::NoColumn { column } => {
                locale.text_with("table-no-column", &[("column", &locale.text(column.label_key()))])
            }
            FaultKind::Torn => locale.text("table-torn"),
            FaultKind::TooMany => locale.text("table-too-many"),
            FaultKind::Cell { flaw } => flaw.words(locale),
            FaultKind::UnknownId => locale.text("table-unknown-id"),
            FaultKind::Same { other } => locale.text_with("table-same", &[("other", other)]),
        };
        locale.text_with("table-line", &[("line", &self.line), ("what", &what)])
    }
}

/// What a line of a table comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan<I, E> {
    /// A new entry.
    Add(E),
    /// Another version of one that is there.
    Change(I, E),
    /// It says what is there.
    Same(I),
}

/// Reads a table into lines.
///
/// # Errors
/// What is wrong with the file as a whole, or with its heading.
pub fn parse_table<C: TableColumn>(bytes: &[u8]) -> Result<Vec<Line<C>>, Vec<Fault<C>>> {
    let at = |line, kind| vec![Fault { line, kind }];
    let text = decoded(bytes).ok_or_else(|| at(1, FaultKind::Encoding))?;
    let first = text.lines().next().unwrap_or_default();
    // Excel's "Unicode text" is a table with tabs.
    let delimiter = if first.contains('\t') && !first.contains(',') { b'\t' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let heading = match records.next() {
        Some(Ok(heading)) if heading.iter().any(|cell| !cell.trim().is_empty()) => heading,
        Some(Ok(_) | Err(_)) | None => return Err(at(1, FaultKind::Empty)),
    };
    let columns = columns(&heading)?;
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for record in records {
        let Ok(record) = record else {
            let line = lines.last().map_or(2, |line: &Line<C>| line.number + 1);
            faults.push(Fault { line, kind: FaultKind::Torn });
            break;
        };
        let number = record
            .position()
            .map_or(0, |position| line_of(&text, position));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if LINES_MAX <= lines.len() {
            return Err(at(number, FaultKind::TooMany));
        }
        let left_over = record.iter().skip(columns.len());
        if record.len() < columns.len() || left_over.into_iter().any(|cell| !cell.is_empty()) {
            faults.push(Fault { line: number, kind: FaultKind::Torn });
            continue;
        }
        let cells = columns.iter().zip(record.iter());
        let filled = cells
            .filter_map(|(column, cell)| Some(((*column)?, without_mark(cell))))
            .collect();
        lines.push(Line { number, filled });
    }

    if faults.is_empty() { Ok(lines) } else { Err(faults) }
}

/// Returns the line a record begins in: the reader counts the empty lines before it as a part of it.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let begins = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.get(begins..).unwrap_or_default();
    let skipped = rest
        .chars()
        .take_while(|c| matches!(c, '\r' | '\n'))
        .filter(|c| *c == '\n')
        .count();
    position.line() + u64::try_from(skipped).unwrap_or(0)
}

/// Takes the columns from the heading; an empty heading is a column nobody reads.
fn columns<C: TableColumn>(heading: &csv::StringRecord) -> Result<Vec<Option<C>>, Vec<Fault<C>>> {
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    for cell in heading {
        let cell = cell.trim();
        let heading: String = crate::locale::visible(cell).chars().take(60).collect();
        let found = C::ALL.iter().copied().find(|column| {
            column.as_str().eq_ignore_ascii_case(cell) || is_label(column.label_key(), cell)
        });
        if found.is_none() && !cell.is_empty() {
            faults.push(Fault { line: 1, kind: FaultKind::UnknownColumn { heading } });
        } else if found.is_some() && columns.contains(&found) {
            faults.push(Fault { line: 1, kind: FaultKind::ColumnTwice { heading } });
        }
        columns.push(found);
    }
    for needed in C::NEEDED {
        if !columns.contains(&Some(*needed)) {
            faults.push(Fault { line: 1, kind: FaultKind::NoColumn { column: *needed } });
        }
    }

    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

/// Takes the mark off a cell that would have begun like a formula.
fn without_mark(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if no_formula(rest) != rest => rest.to_owned(),
        Some(_) | None => cell.to_owned(),
    }
}

/// Reads the text of a file: by its byte order mark, else as UTF-8, else as the `Shift_JIS` Excel writes in Japan.
fn decoded(bytes: &[u8]) -> Option<String> {
    let encodings =
        [(UTF_8, &b"\xef\xbb\xbf"[..]), (UTF_16LE, b"\xff\xfe"), (UTF_16BE, b"\xfe\xff")];
    for (encoding, mark) in encodings {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return encoding
                .decode_without_bom_handling_and_without_replacement(rest)
                .map(std::borrow::Cow::into_owned);
        }
    }
    [UTF_8, SHIFT_JIS]
        .into_iter()
        .find_map(|encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes))
        .map(std::borrow::Cow::into_owned)
        .filter(|text| !text.contains('\0'))
}

/// Decides what each line comes to. `key` names what a plan is about, so that two lines about the same are found.
///
/// # Errors
/// Every fault of every line; none of them is to be stored then.
pub(crate) fn plan_lines<C: TableColumn, P>(
    lines: &[Line<C>],
    planned: impl Fn(&Line<C>) -> Result<P, Vec<FaultKind<C>>>,
    key: impl Fn(&P) -> Option<String>,
) -> Result<Vec<P>, Vec<Fault<C>>> {
    let (mut plans, mut faults) = (Vec::new(), Vec::new());
    let mut seen = BTreeMap::<String, u64>::new();
    for line in lines {
        let at = |kind| Fault { line: line.number, kind };
        match planned(line) {
            Ok(plan) => {
                let other = key(&plan).and_then(|key| seen.insert(key, line.number));
                faults.extend(other.map(|other| at(FaultKind::Same { other })));
                plans.push(plan);
            }
            Err(found) => faults.extend(found.into_iter().map(at)),
        }
    }

    if faults.is_empty() { Ok(plans) } else { Err(faults) }
}

/// Writes lines as CSV for Excel, headed in the words of one language.
pub(crate) fn write_table<C: TableColumn>(
    lines: impl Iterator<Item = Filled<C>>,
    in_words: impl Fn(C, &str) -> String,
    locale: Locale,
) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    let heading = C::ALL.iter().map(|column| locale.text(column.label_key()));
    let mut written = writer.write_record(heading);
    for filled in lines {
        let cells = C::ALL.iter().map(|column| {
            let text = filled.get(column).map_or("", String::as_str);
            no_formula(&in_words(*column, text))
        });
        written = written.and_then(|()| writer.write_record(cells));
    }
    // A list in memory takes everything, and every line has the same cells.
    debug_assert!(written.is_ok());
    writer.into_inner().unwrap_or_default()
}

/// Wraps the flaws of a line's cells.
pub(crate) fn cells<C>(flaws: Vec<Flaw<C>>) -> Vec<FaultKind<C>> {
    flaws
        .into_iter()
        .map(|flaw| FaultKind::Cell { flaw })
        .collect()
}
