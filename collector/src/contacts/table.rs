//! The book as a table: CSV for Excel out, CSV of Excel in.
//!
//! Always holds:
//! - what was exported reads back to the same contacts; no cell begins like a formula;
//! - every fault is told with its line and its column, and nothing is taken in while there is one;
//! - a line without an id that names a contact of the book is that contact, so that a list kept elsewhere can be read
//!   again and again.

use std::collections::BTreeMap;

use encoding_rs::{SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use jiff::civil::Date;
use serde::Serialize;
use shirase_shared::ids::ContactId;

use super::flaw::{Flaw, FlawKind};
use super::kind::{Column, ContactKind, StaffDuty};
use super::reading::{Entry, Filled, filled, is_label, read};
use super::{Contact, Details};
use crate::facilities::CareRole;
use crate::locale::Locale;
use crate::reports::render::no_formula;

/// Most lines of one table.
const LINES_MAX: usize = 2000;
/// What Excel needs to take a file for UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One line of a table, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, the heading being 1.
    pub number: u64,
    /// Its cells. A column the table does not have is absent.
    pub filled: Filled,
}

/// Something wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// In which line.
    pub line: u64,
    /// What.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// Kinds of fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum FaultKind {
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
    /// There is no column for the kind.
    NoKind,
    /// The line has other cells than the heading, or its quotes do not close.
    Torn,
    /// There are too many lines.
    TooMany,
    /// One cell is wrong.
    Cell {
        /// How.
        flaw: Flaw,
    },
    /// The id belongs to no contact of this facility.
    UnknownId,
    /// Two lines are about the same contact.
    SameContact {
        /// The other line.
        other: u64,
    },
}

impl Fault {
    /// Says it, with line and column.
    #[must_use]
    pub fn words(&self, locale: Locale) -> String {
        let what = match &self.kind {
            FaultKind::Encoding => return locale.text("contact-table-encoding"),
            FaultKind::Empty => return locale.text("contact-table-empty"),
            FaultKind::UnknownColumn { heading } => {
                locale.text_with("contact-table-unknown-column", &[("heading", heading)])
            }
            FaultKind::ColumnTwice { heading } => {
                locale.text_with("contact-table-column-twice", &[("heading", heading)])
            }
            FaultKind::NoKind => locale.text("contact-table-no-kind"),
            FaultKind::Torn => locale.text("contact-table-torn"),
            FaultKind::TooMany => locale.text("contact-table-too-many"),
            FaultKind::Cell { flaw } => flaw.words(locale),
            FaultKind::UnknownId => locale.text("contact-table-unknown-id"),
            FaultKind::SameContact { other } => {
                locale.text_with("contact-table-same-contact", &[("other", other)])
            }
        };
        locale.text_with("contact-table-line", &[("line", &self.line), ("what", &what)])
    }
}

/// What a line of a table comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// A new contact.
    Add(Entry),
    /// Another version of one that is there.
    Change(ContactId, Entry),
    /// It says what the book says.
    Same(ContactId),
}

/// Writes the book as CSV, headed and filled in the words of one language.
#[must_use]
pub fn to_table(contacts: &[Contact], locale: Locale) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    let heading = Column::ALL
        .iter()
        .map(|column| locale.text(column.label_key()));
    let mut written = writer.write_record(heading);
    for contact in contacts {
        let filled = filled(contact);
        let cells = Column::ALL.iter().map(|column| {
            let text = filled.get(column).map_or("", String::as_str);
            no_formula(&in_words(*column, text, locale))
        });
        written = written.and_then(|()| writer.write_record(cells));
    }
    // A list in memory takes everything, and every line has the same cells.
    debug_assert!(written.is_ok());
    writer.into_inner().unwrap_or_default()
}

/// Returns a cell's text as people read it: the label of a choice instead of its code.
fn in_words(column: Column, text: &str, locale: Locale) -> String {
    let key = match column {
        Column::Kind => ContactKind::parse(text).map(ContactKind::label_key),
        Column::Duty | Column::Caller => StaffDuty::parse(text).map(StaffDuty::label_key),
        Column::System => text.parse().ok().map(CareRole::label_key),
        Column::DrillPartner if text == "yes" => Some("contact-yes"),
        Column::DrillPartner => Some("contact-no"),
        Column::Id
        | Column::Organisation
        | Column::Department
        | Column::Person
        | Column::Phone
        | Column::NightPhone
        | Column::Fax
        | Column::Mail
        | Column::Web
        | Column::Hours
        | Column::Note
        | Column::Place
        | Column::ValidFrom
        | Column::ValidTo
        | Column::VerifiedOn
        | Column::VerifiedBy => None,
    };
    key.map_or_else(|| text.to_owned(), |key| locale.text(key))
}

/// Reads a table into lines.
///
/// # Errors
/// What is wrong with the file as a whole, or with its heading.
pub fn parse_table(bytes: &[u8]) -> Result<Vec<Line>, Vec<Fault>> {
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
            let line = lines.last().map_or(2, |line: &Line| line.number + 1);
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
fn columns(heading: &csv::StringRecord) -> Result<Vec<Option<Column>>, Vec<Fault>> {
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    for cell in heading {
        let cell = cell.trim();
        let heading: String = crate::locale::visible(cell).chars().take(60).collect();
        let found = Column::ALL.iter().copied().find(|column| {
            column.as_str().eq_ignore_ascii_case(cell) || is_label(column.label_key(), cell)
        });
        if found.is_none() && !cell.is_empty() {
            faults.push(Fault { line: 1, kind: FaultKind::UnknownColumn { heading } });
        } else if found.is_some() && columns.contains(&found) {
            faults.push(Fault { line: 1, kind: FaultKind::ColumnTwice { heading } });
        }
        columns.push(found);
    }
    if !columns.contains(&Some(Column::Kind)) {
        faults.push(Fault { line: 1, kind: FaultKind::NoKind });
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

/// Decides what each line comes to.
///
/// # Errors
/// Every fault of every line; none of them is to be stored then.
pub fn plan(lines: &[Line], known: &[Contact], today: Date) -> Result<Vec<Plan>, Vec<Fault>> {
    let (mut plans, mut faults) = (Vec::new(), Vec::new());
    let mut seen = BTreeMap::<ContactId, u64>::new();
    for line in lines {
        match planned(line, known, today) {
            Ok(plan) => {
                let id = match &plan {
                    Plan::Add(_) => None,
                    Plan::Change(id, _) | Plan::Same(id) => Some(*id),
                };
                let other = id.and_then(|id| seen.insert(id, line.number));
                if let Some(other) = other {
                    let kind = FaultKind::SameContact { other };
                    faults.push(Fault { line: line.number, kind });
                }
                plans.push(plan);
            }
            Err(found) => {
                faults.extend(
                    found
                        .into_iter()
                        .map(|kind| Fault { line: line.number, kind }),
                );
            }
        }
    }

    if faults.is_empty() { Ok(plans) } else { Err(faults) }
}

fn planned(line: &Line, known: &[Contact], today: Date) -> Result<Plan, Vec<FaultKind>> {
    let cells = |flaws: Vec<Flaw>| flaws.into_iter().map(|flaw| FaultKind::Cell { flaw });
    let said = line.filled.get(&Column::Id).map_or("", |text| text.trim());
    let named = if said.is_empty() {
        let entry = read(&line.filled, today).map_err(|flaws| cells(flaws).collect::<Vec<_>>())?;
        match the_one(&entry.details, known, today) {
            Some(contact) => contact,
            None => return Ok(Plan::Add(entry)),
        }
    } else {
        let id: ContactId = said.parse().map_err(|_| {
            let said = said.chars().take(60).collect();
            let flaw = Flaw { column: Column::Id, kind: FlawKind::Id, said };
            vec![FaultKind::Cell { flaw }]
        })?;
        let found = known.iter().find(|contact| contact.id == id);
        found.ok_or_else(|| vec![FaultKind::UnknownId])?
    };
    // What the table has no column for stays as it is.
    let mut whole = filled(named);
    whole.extend(line.filled.clone());
    let entry = read(&whole, today).map_err(|flaws| cells(flaws).collect::<Vec<_>>())?;
    let verified = named.verification_after(&entry.details, entry.verified.clone());
    if entry.details == named.details && verified == named.verified {
        return Ok(Plan::Same(named.id));
    }

    Ok(Plan::Change(named.id, entry))
}

/// Returns the one contact in force with the same name and task, if there is exactly one.
fn the_one<'a>(details: &Details, known: &'a [Contact], today: Date) -> Option<&'a Contact> {
    let mut same = known.iter().filter(|contact| {
        let it = &contact.details;
        contact.is_in_force(today)
            && (it.kind, it.duty, it.system) == (details.kind, details.duty, details.system)
            && it.name() == details.name()
    });
    same.next().filter(|_| same.next().is_none())
}
