//! One sheet of a workbook as it lies in its XML: where each cell is, and how a cell is replaced without touching the rest.

use std::collections::BTreeMap;
use std::ops::Range;

use quick_xml::events::BytesStart;

use super::FormError;
use super::cells::{Area, CellName};
use super::xml::{Edit, attribute, each, edited, escaped, local, prefix};

/// Most cells of one sheet.
const CELLS_MAX: usize = 200_000;

/// A cell as it lies in the XML.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// From `<c` to `</c>` or `/>`.
    pub(super) at: Range<usize>,
    /// Attributes that stay: all but reference and type.
    pub(super) attributes: String,
    /// Number of its format.
    pub(super) style: usize,
    /// Its type: `s` for a shared text.
    pub(super) kind: String,
    /// Whether a formula stands in it.
    pub(super) formula: bool,
    /// Its value or text as written.
    pub(super) value: String,
}

/// A row as it lies in the XML.
#[derive(Clone, Debug)]
struct Row {
    /// Its start tag, or the whole of an empty one.
    tag: Range<usize>,
    /// Where its end tag begins; `None` for an empty element.
    end: Option<usize>,
}

/// A rule about what cells may hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Validation {
    /// `list`, `whole`, `textLength` and so on.
    pub(super) kind: String,
    /// How the number is compared; `between` where nothing is said.
    pub(super) operator: String,
    /// The cells.
    pub(super) cells: Vec<Area>,
    /// Its formulas.
    pub(super) formulas: [String; 2],
}

/// A sheet.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    rows: BTreeMap<u32, Row>,
    /// Its cells.
    pub(super) cells: BTreeMap<CellName, Cell>,
    /// Merged areas.
    pub(super) merged: Vec<Area>,
    /// Rules.
    pub(super) validations: Vec<Validation>,
    /// Whether it is protected.
    pub(super) protected: bool,
    /// The tag of the data, and where it ends; `None` for an empty element.
    data: Option<(Range<usize>, Option<usize>)>,
    prefix: String,
}

impl Sheet {
    /// Reads a sheet's part.
    pub(super) fn read(part: &str, xml: &str) -> Result<Self, FormError> {
        let mut reading = Reading::default();
        each(part, xml, |found| {
            if let Some(tag) = &found.open {
                reading.start(tag, &found.at, found.is_empty);
            } else if let Some((name, _)) = &found.close {
                reading.end(name, &found.at);
            } else {
                reading.text.push_str(&found.text);
            }
            if CELLS_MAX < reading.sheet.cells.len() {
                let reason = format!("it has more than {CELLS_MAX} cells");
                return Err(FormError::Xml { part: part.to_owned(), reason });
            }
            Ok(())
        })?;
        if reading.sheet.data.is_none() {
            let reason = "it has no cells".to_owned();
            return Err(FormError::Xml { part: part.to_owned(), reason });
        }

        Ok(reading.sheet)
    }

    /// Returns the merged area a cell lies in without being its corner.
    pub(super) fn covered(&self, cell: CellName) -> Option<Area> {
        let holds = |area: &&Area| area.holds(cell) && area.first != cell;
        self.merged.iter().find(holds).copied()
    }

    /// Returns a copy of the XML in which cells hold something else. Values are finished XML with the type they need.
    pub(super) fn patched(&self, xml: &str, values: &BTreeMap<CellName, (&str, String)>) -> String {
        let mut edits = Vec::new();
        let mut new_rows: BTreeMap<u32, String> = BTreeMap::new();
        for (&name, (kind, value)) in values {
            if let Some(cell) = self.cells.get(&name) {
                let by = self.element(name, &cell.attributes, kind, value);
                edits.push(Edit { at: cell.at.clone(), by });
                continue;
            }
            let element = self.element(name, "", kind, value);
            match self.rows.get(&name.row) {
                Some(Row { end: Some(end), .. }) => {
                    let later = self.cells.range(name..).next();
                    let later = later.filter(|(other, _)| other.row == name.row);
                    let at = later.map_or(*end, |(_, cell)| cell.at.start);
                    edits.push(Edit { at: at..at, by: element });
                }
                Some(Row { .. }) | None => new_rows.entry(name.row).or_default().push_str(&element),
            }
        }
        for (row, cells) in new_rows {
            edits.push(self.row_edit(xml, row, &cells));
        }
        self.opened(xml, &mut edits);

        edited(xml, edits)
    }

    fn element(&self, name: CellName, attributes: &str, kind: &str, value: &str) -> String {
        let p = &self.prefix;
        let kind = if kind.is_empty() { String::new() } else { format!(" t=\"{kind}\"") };
        if value.is_empty() {
            return format!("<{p}c r=\"{name}\"{attributes}/>");
        }
        format!("<{p}c r=\"{name}\"{attributes}{kind}>{value}</{p}c>")
    }

    /// A row that is not there yet, or one that is there as an empty element.
    fn row_edit(&self, xml: &str, number: u32, cells: &str) -> Edit {
        let p = &self.prefix;
        if let Some(Row { tag, end: None }) = self.rows.get(&number) {
            let open = xml.get(tag.clone()).unwrap_or_default();
            let open = open.trim_end_matches('>').trim_end_matches('/').trim_end();
            return Edit { at: tag.clone(), by: format!("{open}>{cells}</{p}row>") };
        }
        let later = self
            .rows
            .range(number..)
            .next()
            .map(|(_, row)| row.tag.start);
        let (tag, end) = self.data.clone().unwrap_or_default();
        let at = later.or(end).unwrap_or(tag.end);
        Edit { at: at..at, by: format!("<{p}row r=\"{number}\">{cells}</{p}row>") }
    }

    /// Opens the element of the data where it was an empty one and rows were put after it.
    fn opened(&self, xml: &str, edits: &mut Vec<Edit>) {
        let Some((tag, None)) = &self.data else { return };
        if edits.is_empty() {
            return;
        }
        let rows: String = edits.drain(..).map(|edit| edit.by).collect();
        let open = xml.get(tag.clone()).unwrap_or_default();
        let open = open.trim_end_matches('>').trim_end_matches('/').trim_end();
        let p = &self.prefix;
        edits.push(Edit { at: tag.clone(), by: format!("{open}>{rows}</{p}sheetData>") });
    }
}

/// Returns a text as the content of a cell of the type `inlineStr`.
pub(super) fn inline_text(text: &str, prefix: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    // `_x0041_` would be read as an escaped `A`.
    let text = text.replace("_x", "_x005F_x");
    let p = prefix;
    format!("<{p}is><{p}t xml:space=\"preserve\">{}</{p}t></{p}is>", escaped(&text))
}

impl Sheet {
    /// Returns the prefix its elements have.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

#[derive(Default)]
struct Reading {
    sheet: Sheet,
    row: u32,
    column: u32,
    cell: Option<(CellName, Cell)>,
    validation: Option<Validation>,
    formula: usize,
    text: String,
}

impl Reading {
    fn start(&mut self, tag: &BytesStart<'_>, at: &Range<usize>, is_empty: bool) {
        let name = local(tag);
        self.text.clear();
        match name.as_str() {
            "sheetData" => {
                self.sheet.prefix = prefix(tag);
                self.sheet.data = Some((at.clone(), None));
            }
            "row" => {
                let number = attribute(tag, "r").and_then(|r| r.parse().ok());
                self.row = number.unwrap_or(self.row + 1);
                self.column = 0;
                self.sheet
                    .rows
                    .insert(self.row, Row { tag: at.clone(), end: None });
            }
            "c" => self.start_cell(tag, at, is_empty),
            "f" => {
                if let Some((_, cell)) = &mut self.cell {
                    cell.formula = true;
                }
            }
            "mergeCell" => {
                let area: Option<Area> = attribute(tag, "ref").and_then(|area| area.parse().ok());
                self.sheet.merged.extend(area);
            }
            "sheetProtection" => {
                let on = attribute(tag, "sheet");
                self.sheet.protected = on.is_some_and(|on| on == "1" || on == "true");
            }
            "dataValidation" => {
                let text = |name| attribute(tag, name).unwrap_or_default();
                self.formula = 0;
                self.validation = Some(Validation {
                    kind: text("type"),
                    operator: text("operator"),
                    cells: Area::list(&text("sqref")),
                    formulas: <[String; 2]>::default(),
                });
            }
            "formula2" => self.formula = 1,
            _ => {}
        }
        if is_empty && name == "dataValidation" {
            self.sheet.validations.extend(self.validation.take());
        }
    }

    fn start_cell(&mut self, tag: &BytesStart<'_>, at: &Range<usize>, is_empty: bool) {
        let named = attribute(tag, "r").and_then(|r| r.parse().ok());
        let name = named.unwrap_or(CellName { row: self.row, column: self.column + 1 });
        self.column = name.column;
        let mut all = tag.attributes();
        let kept = all.with_checks(false).flatten();
        let kept = kept.filter(|one| !["r", "t"].contains(&one.key.into_inner()));
        let attributes = kept.map(|one| format!(" {}=\"{}\"", one.key.into_inner(), one.value));
        let cell = Cell {
            at: at.clone(),
            attributes: attributes.collect(),
            style: attribute(tag, "s")
                .and_then(|s| s.parse().ok())
                .unwrap_or(0),
            kind: attribute(tag, "t").unwrap_or_default(),
            ..Cell::default()
        };
        if is_empty {
            self.sheet.cells.insert(name, cell);
        } else {
            self.cell = Some((name, cell));
        }
    }

    fn end(&mut self, name: &str, at: &Range<usize>) {
        match name {
            "sheetData" => {
                if let Some((_, end)) = &mut self.sheet.data {
                    *end = Some(at.start);
                }
            }
            "row" => {
                if let Some(row) = self.sheet.rows.get_mut(&self.row) {
                    row.end = Some(at.start);
                }
            }
            "v" | "t" => {
                if let Some((_, cell)) = &mut self.cell {
                    cell.value.push_str(&self.text);
                }
            }
            "c" => {
                if let Some((name, mut cell)) = self.cell.take() {
                    cell.at.end = at.end;
                    self.sheet.cells.insert(name, cell);
                }
            }
            "formula1" | "formula2" => {
                let index = usize::from(name == "formula2");
                if let Some(formula) = self
                    .validation
                    .as_mut()
                    .and_then(|v| v.formulas.get_mut(index))
                    && formula.is_empty()
                {
                    formula.push_str(&self.text);
                }
            }
            // The newer kind of rule has its formula and its cells in elements of their own.
            "f" if self.validation.is_some() => {
                if let Some(formula) = self
                    .validation
                    .as_mut()
                    .and_then(|v| v.formulas.get_mut(self.formula))
                {
                    formula.push_str(&self.text);
                }
            }
            "sqref" => {
                if let Some(validation) = &mut self.validation {
                    validation.cells.extend(Area::list(&self.text));
                }
            }
            "dataValidation" => self.sheet.validations.extend(self.validation.take()),
            _ => {}
        }
        self.text.clear();
    }
}
