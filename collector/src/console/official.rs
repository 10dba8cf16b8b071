//! Official forms: those there are, and one shown as tables with a form beside it that maps its places.

mod choosing;

use askama::Template;

use super::frame::Frame;
use crate::locale::{Locale, japan_time};
use crate::reports::official::{Control, FormView, MappingProblem, OfficialForm, SheetView};

pub use choosing::{ChosenPlace, Offered, OptionGroup, put};
use choosing::{chosen, words_of};

/// The forms of a facility.
#[derive(Template)]
#[template(path = "official_forms.html")]
pub struct OfficialFormsPage {
    /// What stands around it.
    pub f: Frame,
    /// The forms.
    pub forms: Vec<FormRow>,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
}

/// One form as a row.
pub struct FormRow {
    /// Its name.
    pub id: String,
    /// Name of the file.
    pub file_name: String,
    /// Kind of file.
    pub kind: &'static str,
    /// How many places are mapped.
    pub places: usize,
    /// When it was uploaded.
    pub uploaded: String,
    /// Its hash.
    pub sha256: String,
}

impl FormRow {
    /// Shows one form.
    #[must_use]
    pub fn of(form: &OfficialForm) -> Self {
        Self {
            id: form.id.to_string(),
            file_name: form.file_name.clone(),
            kind: form.kind.as_str(),
            places: form.mapping.place.len(),
            uploaded: japan_time(form.uploaded_at),
            sha256: form.sha256.clone(),
        }
    }
}

/// One form with its mapping.
#[derive(Template)]
#[template(path = "official_form.html")]
pub struct OfficialFormPage {
    /// What stands around it.
    pub f: Frame,
    /// The form.
    pub form: FormRow,
    /// Its sheets by name, and which is shown.
    pub sheets: Vec<(usize, String, bool)>,
    /// Number of the sheet that is shown.
    pub shown_sheet: usize,
    /// The sheet that is shown; none for a text document.
    pub sheet: Option<ShownSheet>,
    /// The controls of a text document.
    pub controls: Vec<ShownControl>,
    /// The place that is being mapped.
    pub chosen: Option<ChosenPlace>,
    /// Every mapped place with what it says.
    pub mapped: Vec<(String, String, String)>,
    /// What is wrong with the mapping.
    pub problems: Vec<MappingProblem>,
}

/// A sheet as a table.
pub struct ShownSheet {
    /// Letters of its columns.
    pub columns: Vec<String>,
    /// Its rows: number and cells.
    pub rows: Vec<(u32, Vec<ShownCell>)>,
}

/// A cell as shown.
pub struct ShownCell {
    /// Its name.
    pub name: String,
    /// What it holds, shortened.
    pub text: String,
    /// Rows it spans.
    pub rows: u32,
    /// Columns it spans.
    pub columns: u32,
    /// Whether it can be mapped.
    pub open: bool,
    /// What it is mapped to.
    pub says: String,
    /// What its drop-down offers.
    pub choices: String,
    /// Whether it is the one being mapped.
    pub chosen: bool,
    /// Where a click on it leads.
    pub query: String,
}

/// A control as shown.
pub struct ShownControl {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// What its drop-down offers.
    pub choices: String,
    /// Whether it can be mapped.
    pub open: bool,
    /// What it is mapped to.
    pub says: String,
    /// Where a click on it leads.
    pub query: String,
}

/// Longest text of a cell on the page.
const TEXT_MAX: usize = 60;

/// Which part of a form is looked at.
#[derive(Clone, Debug, Default)]
pub struct Looking {
    /// Number of the sheet.
    pub sheet: usize,
    /// The place being mapped.
    pub at: String,
}

impl OfficialFormPage {
    /// Shows a form.
    #[must_use]
    pub fn of(
        f: Frame,
        form: &OfficialForm,
        view: &FormView,
        (looking, problems): (&Looking, Vec<MappingProblem>),
    ) -> Self {
        let locale = f.locale;
        let mut page = Self {
            f,
            form: FormRow::of(form),
            sheets: Vec::new(),
            shown_sheet: looking.sheet,
            sheet: None,
            controls: Vec::new(),
            chosen: None,
            mapped: form
                .mapping
                .place
                .iter()
                .map(|place| {
                    let sheet = sheet_of(view, &place.at);
                    (place.at.clone(), words_of(&place.say, locale), query(sheet, &place.at))
                })
                .collect(),
            problems,
        };
        let mut offered = None;
        match view {
            FormView::Workbook(sheets) => {
                let names = sheets.iter().enumerate();
                page.sheets = names
                    .map(|(number, sheet)| (number, sheet.name.clone(), number == looking.sheet))
                    .collect();
                if let Some(sheet) = sheets.get(looking.sheet) {
                    page.sheet = Some(shown_sheet(sheet, form, looking, locale));
                    let mut cells = sheet.rows.iter().flat_map(|(_, cells)| cells);
                    offered = cells
                        .find(|cell| format!("{}!{}", sheet.name, cell.name) == looking.at)
                        .map(|cell| (cell.choices.clone(), true));
                }
            }
            FormView::Letter(controls) => {
                offered = controls
                    .iter()
                    .find(|control| control.name == looking.at)
                    .map(|control| (control.choices.clone(), false));
                page.controls = controls
                    .iter()
                    .map(|one| shown_control(one, form, locale))
                    .collect();
            }
        }
        if let Some((choices, is_cell)) = offered {
            page.chosen = Some(chosen(form, &looking.at, (&choices, is_cell), locale));
        }
        page
    }
}

/// Returns the number of the sheet a place is on.
fn sheet_of(view: &FormView, at: &str) -> usize {
    let FormView::Workbook(sheets) = view else { return 0 };
    let on = |sheet: &SheetView| {
        at.strip_prefix(sheet.name.as_str())
            .is_some_and(|rest| rest.starts_with('!'))
    };
    sheets.iter().position(on).unwrap_or(0)
}

/// Returns the part of an address that leads to a place of a sheet.
#[must_use]
pub fn query(sheet: usize, at: &str) -> String {
    let escaped: String = at
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("?sheet={sheet}&at={escaped}")
}

fn shown_sheet(
    sheet: &SheetView,
    form: &OfficialForm,
    looking: &Looking,
    locale: Locale,
) -> ShownSheet {
    let widest = sheet.rows.iter().flat_map(|(_, cells)| cells);
    let last = widest
        .map(|cell| cell.name.column + cell.span.1 - 1)
        .max()
        .unwrap_or(0);
    let letters = |column: u32| {
        let name = crate::reports::official::CellName { row: 1, column };
        name.to_string().trim_end_matches('1').to_owned()
    };
    let rows = sheet.rows.iter().map(|(number, cells)| {
        let cells = cells.iter().map(|cell| {
            let at = format!("{}!{}", sheet.name, cell.name);
            ShownCell {
                text: cell.text.chars().take(TEXT_MAX).collect(),
                rows: cell.span.0,
                columns: cell.span.1,
                open: cell.open,
                says: form
                    .mapping
                    .at(&at)
                    .map(|place| words_of(&place.say, locale))
                    .unwrap_or_default(),
                choices: cell.choices.join("、"),
                chosen: at == looking.at,
                query: query(looking.sheet, &at),
                name: cell.name.to_string(),
            }
        });
        (*number, cells.collect())
    });

    ShownSheet { columns: (1..=last).map(letters).collect(), rows: rows.collect() }
}

fn shown_control(control: &Control, form: &OfficialForm, locale: Locale) -> ShownControl {
    let says = form.mapping.at(&control.name);
    ShownControl {
        name: control.name.clone(),
        text: control.text.chars().take(TEXT_MAX).collect(),
        choices: control.choices.join("、"),
        open: !control.locked,
        says: says.map_or_else(String::new, |place| words_of(&place.say, locale)),
        query: query(0, &control.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_way_into_an_address() {
        assert_eq!(query(1, "様 A!B3"), "?sheet=1&at=%E6%A7%98%20A%21B3");
    }
}
