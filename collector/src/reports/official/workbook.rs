//! A workbook as a form: shown as tables, checked against a mapping, filled by patching its sheets.

mod rules;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::Offset;

use super::FormError;
use super::cells::CellName;
use super::mapping::{Mapping, MappingProblem};
use super::saying::{Content, Said};
use super::sheet::{Cell, Sheet, inline_text};
use super::xml::{Edit, attribute, each, edited, local};
use crate::reports::render::archive::{replace, unpack};

/// Rows and columns shown on the page at most.
const VIEW_ROWS: u32 = 300;
const VIEW_COLUMNS: u32 = 60;
/// Part of the workbook itself.
const WORKBOOK: &str = "xl/workbook.xml";
/// Seconds of a day.
const DAY_SECS: f64 = 86_400.0;

/// One sheet, for the page on which it is mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetView {
    /// Its name.
    pub name: String,
    /// Its rows, each with its cells.
    pub rows: Vec<(u32, Vec<ViewCell>)>,
}

/// One cell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewCell {
    /// Its name.
    pub name: CellName,
    /// What it holds.
    pub text: String,
    /// How many rows and columns it spans.
    pub span: (u32, u32),
    /// Whether it can be written.
    pub open: bool,
    /// What its drop-down offers.
    pub choices: Vec<String>,
}

/// A workbook, read.
struct Workbook {
    parts: BTreeMap<String, Vec<u8>>,
    /// Sheets by their order: name and part.
    sheets: Vec<(String, String)>,
    names: BTreeMap<String, String>,
    shared: Vec<String>,
    /// For each cell format whether it is locked.
    locked: Vec<bool>,
    read: BTreeMap<String, Sheet>,
}

impl Workbook {
    fn read(bytes: &[u8]) -> Result<Self, FormError> {
        let parts = unpack(bytes)?;
        let mut book = Self {
            parts,
            sheets: Vec::new(),
            names: BTreeMap::new(),
            shared: Vec::new(),
            locked: Vec::new(),
            read: BTreeMap::new(),
        };
        let targets = book.targets()?;
        book.sheets_and_names(&targets)?;
        book.shared = book.shared_texts()?;
        book.locked = book.locks()?;
        for (name, part) in book.sheets.clone() {
            let sheet = Sheet::read(&part, book.xml(&part)?)?;
            book.read.insert(name, sheet);
        }

        Ok(book)
    }

    fn xml(&self, part: &str) -> Result<&str, FormError> {
        let broken = |reason: &str| FormError::Xml { part: part.to_owned(), reason: reason.into() };
        let bytes = self
            .parts
            .get(part)
            .ok_or_else(|| broken("it is missing"))?;
        std::str::from_utf8(bytes).map_err(|_| broken("it is not UTF-8"))
    }

    /// Relations of the workbook: id and part.
    fn targets(&self) -> Result<BTreeMap<String, String>, FormError> {
        let part = "xl/_rels/workbook.xml.rels";
        let mut targets = BTreeMap::new();
        each(part, self.xml(part)?, |found| {
            if let Some(tag) = found.open.filter(|tag| local(tag) == "Relationship")
                && let (Some(id), Some(target)) = (attribute(&tag, "Id"), attribute(&tag, "Target"))
            {
                let path = target
                    .strip_prefix('/')
                    .map_or_else(|| format!("xl/{target}"), str::to_owned);
                targets.insert(id, path);
            }
            Ok(())
        })?;
        Ok(targets)
    }

    fn sheets_and_names(&mut self, targets: &BTreeMap<String, String>) -> Result<(), FormError> {
        let (mut sheets, mut names) = (Vec::new(), BTreeMap::new());
        let mut open_name = None;
        each(WORKBOOK, self.xml(WORKBOOK)?, |found| {
            if let Some(tag) = &found.open {
                let target = attribute(tag, "id").and_then(|id| targets.get(&id).cloned());
                match (local(tag).as_str(), attribute(tag, "name"), target) {
                    ("sheet", Some(name), Some(part)) if part.contains("worksheets/") => {
                        sheets.push((name, part));
                    }
                    ("definedName", name, _) => open_name = name,
                    _ => {}
                }
            } else if found.close.is_some() {
                open_name = None;
            } else if let Some(name) = &open_name {
                let text: &mut String = names.entry(name.clone()).or_default();
                text.push_str(&found.text);
            }
            Ok(())
        })?;
        (self.sheets, self.names) = (sheets, names);
        Ok(())
    }

    fn shared_texts(&self) -> Result<Vec<String>, FormError> {
        let part = "xl/sharedStrings.xml";
        let mut texts = Vec::new();
        if !self.parts.contains_key(part) {
            return Ok(texts);
        }
        let (mut text, mut in_text, mut phonetic) = (String::new(), false, false);
        each(part, self.xml(part)?, |found| {
            if let Some(tag) = &found.open {
                match local(tag).as_str() {
                    "si" if found.is_empty => texts.push(String::new()),
                    "t" => in_text = !found.is_empty,
                    "rPh" => phonetic = !found.is_empty,
                    _ => {}
                }
            } else if let Some((name, _)) = &found.close {
                match name.as_str() {
                    "si" => texts.push(std::mem::take(&mut text)),
                    "t" => in_text = false,
                    "rPh" => phonetic = false,
                    _ => {}
                }
            } else if in_text && !phonetic {
                text.push_str(&found.text);
            }
            Ok(())
        })?;
        Ok(texts)
    }

    /// Whether each cell format is locked; formats are until they say otherwise.
    fn locks(&self) -> Result<Vec<bool>, FormError> {
        let part = "xl/styles.xml";
        let mut locked: Vec<bool> = Vec::new();
        if !self.parts.contains_key(part) {
            return Ok(locked);
        }
        let mut inside = false;
        each(part, self.xml(part)?, |found| {
            if let Some(tag) = &found.open {
                match local(tag).as_str() {
                    "cellXfs" => inside = true,
                    "xf" if inside => locked.push(true),
                    "protection" if inside => {
                        let off = attribute(tag, "locked");
                        if let Some(last) = locked.last_mut() {
                            *last = off.is_none_or(|off| off != "0" && off != "false");
                        }
                    }
                    _ => {}
                }
            } else if found.close.is_some_and(|(name, _)| name == "cellXfs") {
                inside = false;
            }
            Ok(())
        })?;
        Ok(locked)
    }

    fn text_of(&self, cell: &Cell) -> String {
        if cell.kind != "s" {
            return cell.value.clone();
        }
        let index = cell.value.trim().parse::<usize>().ok();
        index
            .and_then(|index| self.shared.get(index).cloned())
            .unwrap_or_default()
    }

    /// Finds the sheet and the cell a place names: `Sheet!C5`.
    fn place(&self, at: &str) -> Result<(&str, &Sheet, CellName), String> {
        let (sheet, cell) = at
            .rsplit_once('!')
            .ok_or_else(|| "write sheet and cell, such as `Sheet1!C5`".to_owned())?;
        let sheet = sheet.trim_matches('\'');
        let cell: CellName = cell.parse().map_err(|()| format!("`{cell}` is no cell"))?;
        let known = || {
            self.sheets
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
        };
        let (name, found) = self.read.get_key_value(sheet).ok_or_else(|| {
            format!("there is no sheet `{sheet}`; there are {}", known().join(", "))
        })?;
        if let Some(area) = found.covered(cell) {
            return Err(format!(
                "lies inside a merged area; map its corner {} instead",
                area.first
            ));
        }
        if let Some(reason) = self.closed(found, cell) {
            return Err(reason);
        }

        Ok((name, found, cell))
    }

    /// Says why a cell is not written, if it is not.
    fn closed(&self, sheet: &Sheet, cell: CellName) -> Option<String> {
        let found = sheet.cells.get(&cell);
        if found.is_some_and(|cell| cell.formula) {
            return Some("holds a formula; map the cells it counts with".to_owned());
        }
        let style = found.map_or(0, |cell| cell.style);
        let locked = self.locked.get(style).copied().unwrap_or(true);
        (sheet.protected && locked).then(|| {
            "is locked by the author of the form; map the cell that is to be filled".to_owned()
        })
    }
}

/// Shows the sheets as tables.
pub(super) fn view(bytes: &[u8]) -> Result<Vec<SheetView>, FormError> {
    let book = Workbook::read(bytes)?;
    let mut views = Vec::new();
    for (name, _) in &book.sheets {
        let Some(sheet) = book.read.get(name) else { continue };
        let used = sheet
            .cells
            .keys()
            .copied()
            .chain(sheet.merged.iter().map(|area| area.last))
            // A cell with a rule is there to be filled, even if nothing stands in it yet.
            .chain(
                sheet
                    .validations
                    .iter()
                    .flat_map(|rule| &rule.cells)
                    .map(|area| area.first),
            );
        let (mut rows, mut columns) = (0, 0);
        for cell in used {
            rows = rows.max(cell.row.min(VIEW_ROWS));
            columns = columns.max(cell.column.min(VIEW_COLUMNS));
        }
        let row = |row: u32| {
            let cells = (1..=columns).map(|column| CellName { row, column });
            let shown = cells.filter(|cell| sheet.covered(*cell).is_none());
            (
                row,
                shown
                    .map(|cell| book.view_cell(name, sheet, cell))
                    .collect(),
            )
        };
        views.push(SheetView { name: name.clone(), rows: (1..=rows).map(row).collect() });
    }

    Ok(views)
}

impl Workbook {
    fn view_cell(&self, name: &str, sheet: &Sheet, cell: CellName) -> ViewCell {
        let merged = sheet.merged.iter().find(|area| area.first == cell);
        let span = merged.map_or((1, 1), |area| {
            (area.last.row - area.first.row + 1, area.last.column - area.first.column + 1)
        });
        ViewCell {
            name: cell,
            text: sheet
                .cells
                .get(&cell)
                .map(|cell| self.text_of(cell))
                .unwrap_or_default(),
            span,
            open: self.closed(sheet, cell).is_none(),
            choices: self
                .offered(name, sheet, cell)
                .unwrap_or_default()
                .unwrap_or_default(),
        }
    }
}

/// Checks that every mapped place is there and can be written, and that the form's own words fit its drop-downs.
pub(super) fn check(bytes: &[u8], mapping: &Mapping) -> Result<Vec<MappingProblem>, FormError> {
    let book = Workbook::read(bytes)?;
    let mut problems = Vec::new();
    for place in &mapping.place {
        let mut fault = |what: String| problems.push(MappingProblem::new(&place.at, what));
        let (name, sheet, cell) = match book.place(&place.at) {
            Ok(found) => found,
            Err(what) => {
                fault(what);
                continue;
            }
        };
        match book.offered(name, sheet, cell) {
            Ok(None) => {}
            Ok(Some(offered)) => {
                let words = place.words.values().chain([&place.ticked, &place.unticked]);
                for word in words.filter(|word| !word.is_empty() && !offered.contains(word)) {
                    fault(rules::not_offered(word, &offered));
                }
            }
            Err(what) => fault(what),
        }
    }

    Ok(problems)
}

/// Fills a copy.
pub(super) fn fill(bytes: &[u8], said: &[Said]) -> Result<Vec<u8>, FormError> {
    let book = Workbook::read(bytes)?;
    let mut problems = Vec::new();
    let mut values: BTreeMap<&str, BTreeMap<CellName, (&str, String)>> = BTreeMap::new();
    for one in said {
        let taken = book.place(&one.at).and_then(|(name, sheet, cell)| {
            let value = book.value(name, sheet, (cell, &one.content))?;
            Ok((name, cell, value))
        });
        match taken {
            Ok((name, cell, value)) => {
                values.entry(name).or_default().insert(cell, value);
            }
            Err(what) => problems.push(MappingProblem::new(&one.at, what)),
        }
    }
    if !problems.is_empty() {
        return Err(FormError::Mapping(problems));
    }
    let mut replaced = BTreeMap::new();
    for (name, part) in &book.sheets {
        if let (Some(values), Some(sheet)) = (values.get(name.as_str()), book.read.get(name)) {
            let xml = sheet.patched(book.xml(part)?, values);
            replaced.insert(part.clone(), xml.into_bytes());
        }
    }
    let counts = book
        .read
        .values()
        .any(|sheet| sheet.cells.values().any(|cell| cell.formula));
    if counts && let Some(xml) = recounting(book.xml(WORKBOOK)?)? {
        replaced.insert(WORKBOOK.to_owned(), xml.into_bytes());
    }

    Ok(replace(bytes, &replaced)?)
}

impl Workbook {
    /// Turns what is said into what the cell takes, or says why it does not.
    fn value(
        &self,
        name: &str,
        sheet: &Sheet,
        (cell, content): (CellName, &Content),
    ) -> Result<(&'static str, String), String> {
        let text = match content {
            Content::Text(text) | Content::Tick { text, .. } => text,
            Content::Number(number) => {
                self.allow(name, sheet, (cell, number))?;
                return Ok(("", format!("<{0}v>{number}</{0}v>", sheet.prefix())));
            }
            Content::Moment { at, whole } => {
                let serial = serial(*at, *whole);
                return Ok(("", format!("<{0}v>{serial}</{0}v>", sheet.prefix())));
            }
        };
        self.allow(name, sheet, (cell, text))?;
        Ok(("inlineStr", inline_text(text, sheet.prefix())))
    }
}

/// Days since the beginning of 1900 as the format counts them, in Japan; with the time of day as a fraction.
fn serial(at: Timestamp, whole: bool) -> String {
    let local = Offset::constant(9).to_datetime(at);
    let days = local.date().duration_since(date(1899, 12, 30)).as_hours() / 24;
    if !whole {
        return days.to_string();
    }
    let time = local.time();
    let seconds =
        i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second());
    let fraction = format!("{:.8}", f64::from(seconds) / DAY_SECS);
    format!("{days}{}", fraction.trim_start_matches('0'))
}

/// Returns the workbook's part so that formulas are counted anew when it is opened; `None` if it says so already.
fn recounting(xml: &str) -> Result<Option<String>, FormError> {
    let (mut properties, mut after, mut said) = (None, None, false);
    each(WORKBOOK, xml, |found| {
        if let Some(tag) = found.open.filter(|tag| local(tag) == "calcPr") {
            let on = attribute(&tag, "fullCalcOnLoad");
            said = on.is_some_and(|on| on == "1" || on == "true");
            properties = Some(found.at.end - 1 - usize::from(found.is_empty));
        } else if let Some((name, whole)) = found.close
            && (name == "sheets" || name == "definedNames")
        {
            after = Some((found.at.end, whole.trim_end_matches(name.as_str()).to_owned()));
        }
        Ok(())
    })?;
    let edit = match (said, properties, after) {
        (true, _, _) | (false, None, None) => return Ok(None),
        (false, Some(at), _) => Edit { at: at..at, by: " fullCalcOnLoad=\"1\"".to_owned() },
        (false, None, Some((at, prefix))) => {
            Edit { at: at..at, by: format!("<{prefix}calcPr fullCalcOnLoad=\"1\"/>") }
        }
    };

    Ok(Some(edited(xml, vec![edit])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workbook_with_formulas_is_counted_anew_when_it_is_opened() {
        check("<calcPr calcId=\"1\"/>", Some("<calcPr calcId=\"1\" fullCalcOnLoad=\"1\"/>"));
        check("<x:calcPr></x:calcPr>", Some("<x:calcPr fullCalcOnLoad=\"1\"></x:calcPr>"));
        check("<calcPr fullCalcOnLoad=\"1\"/>", None);
        check("", Some("<calcPr fullCalcOnLoad=\"1\"/>"));
    }

    #[test]
    fn a_moment_is_a_day_since_1900_in_japan() {
        let at: Timestamp = "2026-02-08T16:50:00Z".parse().unwrap();
        assert_eq!(serial(at, false), "46062");
        assert_eq!(serial(at, true), "46062.07638889");
    }

    #[track_caller]
    fn check(properties: &str, expected: Option<&str>) {
        let whole = |inner: &str| format!("<workbook><sheets><sheet/></sheets>{inner}</workbook>");
        assert_eq!(recounting(&whole(properties)).unwrap(), expected.map(whole));
    }
}
